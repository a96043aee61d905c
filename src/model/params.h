/* params.h: the trained numbers of a network: one flat f32 buffer for parameters, one for
 * running statistics, with a named slice per value of the graph. The optimiser works on the
 * flat buffer; plans bind slices of it. Slices are 64-byte aligned; the gaps are zero. */
#ifndef NOD_MODEL_PARAMS_H
#define NOD_MODEL_PARAMS_H

#include "exec/plan.h"
#include "graph/graph.h"

typedef struct nod_param {
    char *name;
    nod_shape shape;
    nod_param_group group;
    nod_init init;
    int64_t fan_in, fan_out;
    int64_t offset, count; /* in floats */
} nod_param;

typedef struct nod_params {
    nod_param *params, *states; /* in graph order */
    size_t n_params, n_states;
    float *data, *state_data; /* flat; params then padding */
    int64_t size, state_size; /* floats in data, state_data, with gaps */
} nod_params;

/* One slice per PARAM and STATE of the graph; zeros. */
int nod_params_new(const nod_graph *g, nod_params **out, nod_error *err) NOD_MUST_CHECK;
void nod_params_free(nod_params *p);
/* Draws the initial values: parameter i from Philox(seed, NOD_RNG_INIT, i); states to their
 * start. */
void nod_params_init(nod_params *p, uint64_t seed);
/* Binds every PARAM and STATE of the graph by name into a plan. Errors: a value of the graph
 * that is not in p, or has another shape. */
int nod_params_bind(const nod_params *p, const nod_graph *g, nod_plan *plan,
                    nod_error *err) NOD_MUST_CHECK;
const nod_param *nod_params_find(const nod_params *p,
                                 const char *name);                   /* states too; or NULL */
float *nod_params_data(const nod_params *p, const char *name);        /* or NULL */
int64_t nod_params_count(const nod_params *p, nod_param_group group); /* elements of a group */
/* SHA-256 over names, shapes and values of parameters and states, in order. */
int nod_params_hash(const nod_params *p, char out[65], nod_error *err) NOD_MUST_CHECK;
int nod_params_copy(const nod_params *src, nod_params **out, nod_error *err) NOD_MUST_CHECK;

#endif
