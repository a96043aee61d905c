/* plan.h: everything decided once: a kernel per node, a layout per value, an offset per value
 * in one arena; then each run is a flat list of calls without allocation or lookup.
 *
 * Values that the caller owns (inputs, parameters, states, outputs) are PLAIN, in f32 (f64 for
 * a NOD_PRECISION_F64 plan; labels i32), and must be bound before the first run. Inside, bf16
 * plans keep activations in bf16. */
#ifndef NOD_EXEC_PLAN_H
#define NOD_EXEC_PLAN_H

#include "backend/backend.h"
#include "base/json.h"

typedef struct nod_plan nod_plan;

/* Which kernel and layout for which node: key -> kernel name. The key holds isa, precision, op,
 * shapes and attributes, never the number of threads. Beside those of nodes there are
 * "ISA/PRECISION/layout", the layout of activations, and "ISA/precision", what `auto` means. */
typedef struct nod_kernel_table nod_kernel_table;
int nod_kernel_table_new(nod_kernel_table **out, nod_error *err) NOD_MUST_CHECK;
void nod_kernel_table_free(nod_kernel_table *t);
int nod_kernel_table_set(nod_kernel_table *t, const char *key, const char *kernel,
                         nod_error *err) NOD_MUST_CHECK;
const char *nod_kernel_table_get(const nod_kernel_table *t, const char *key); /* or NULL */
/* Takes over all entries of `from`; NULL has none. */
int nod_kernel_table_add(nod_kernel_table *t, const nod_kernel_table *from,
                         nod_error *err) NOD_MUST_CHECK;
size_t nod_kernel_table_count(const nod_kernel_table *t);
/* {"key": "kernel", ...} */
int nod_kernel_table_from_json(const nod_json *j, const char *where, nod_kernel_table **out,
                               nod_error *err) NOD_MUST_CHECK;
nod_json *nod_kernel_table_to_json(const nod_kernel_table *t);
/* A file of its own (docs/formats/run.md). */
int nod_kernel_table_read(const char *path, nod_kernel_table **out,
                          nod_error *err) NOD_MUST_CHECK;
int nod_kernel_table_write(const nod_kernel_table *t, const char *path,
                           nod_error *err) NOD_MUST_CHECK;

const char *nod_precision_name(nod_precision precision); /* "f32", "f64", "bf16" */
/* What `precision: auto` means: the table's word, else the rule's. */
nod_precision nod_precision_auto(const nod_backend *backend, const nod_kernel_table *table);
/* Puts it into a table. */
int nod_precision_settle(nod_kernel_table *t, const nod_backend *backend, nod_precision p,
                         nod_error *err) NOD_MUST_CHECK;

typedef struct nod_plan_options {
    const nod_backend *backend;    /* required */
    nod_precision precision;       /* default F32 */
    const nod_kernel_table *table; /* NULL: the backend's order */
    const char *only_kernel;       /* tests: use this kernel where it fits; NULL */
    int layout;                    /* force a nod_layout for activations; -1: backend's best */
    bool frozen;                   /* parameters and states are constant between runs */
} nod_plan_options;
#define NOD_PLAN_OPTIONS_INIT                          \
    {                                                  \
        NULL, NOD_PRECISION_F32, NULL, NULL, -1, false \
    }

/* The graph may be freed afterwards. Errors: EUNSUPPORTED naming the layer no kernel fits. */
int nod_plan_make(const nod_graph *g, const nod_plan_options *o, nod_plan **out,
                  nod_error *err) NOD_MUST_CHECK;
void nod_plan_free(nod_plan *p);

/* Before memory is taken: arena, scratch and kernels' own memory in bytes (what the plan adds
 * to the caller's buffers). Outputs bound by now do not count in the arena. */
typedef struct nod_plan_memory {
    size_t arena, scratch, bound; /* bound: bytes the caller must provide */
    size_t kernels;               /* what kernels keep: packed weights */
} nod_plan_memory;
nod_plan_memory nod_plan_memory_of(const nod_plan *p);

/* Takes arena and scratch and makes the kernels; ENOMEM says how much was needed. */
int nod_plan_prepare(nod_plan *p, nod_error *err) NOD_MUST_CHECK;

/* Gives value `id` (of the graph) its memory, 64-byte aligned for best speed. Outputs that were
 * not bound are kept in the arena and read with nod_plan_data. */
void nod_plan_bind(nod_plan *p, int value, void *data);
/* PLAIN data of an input, parameter or output; NULL if it is not one. */
void *nod_plan_data(const nod_plan *p, int value);
/* frozen: parameters changed, pack again before the next run. */
void nod_plan_refresh(nod_plan *p);

int nod_plan_run(nod_plan *p, const nod_run_context *ctx, nod_error *err) NOD_MUST_CHECK;
/* The same, looking at every result: stops at the first node with a NaN or infinity and names
 * its layer and op in err (NOD_ENUMERIC). */
int nod_plan_run_checked(nod_plan *p, const nod_run_context *ctx,
                         nod_error *err) NOD_MUST_CHECK;

/* One row per step, for profiles, `summary`, and tests. */
typedef struct nod_plan_step {
    const char *layer, *kernel;
    nod_op op;
    double time_s; /* summed by nod_plan_profile */
    int64_t macs;
} nod_plan_step;
size_t nod_plan_steps(const nod_plan *p);
nod_plan_step nod_plan_step_at(const nod_plan *p, size_t i);
int nod_plan_profile(nod_plan *p, const nod_run_context *ctx, int runs,
                     nod_error *err) NOD_MUST_CHECK;

/* The choices this plan made, key -> kernel, to be written into a run. */
const nod_kernel_table *nod_plan_choices(const nod_plan *p);

#endif
