/* graph.h: a network as values and nodes. Built once, checked while it is built, then
 * read-only.
 *
 * Every builder returns a value id; a shape that does not fit puts a message naming the layer
 * and both shapes into the graph, and from then on builders return -1: build everything, then
 * ask nod_graph_check once. Names follow PyTorch ("layer1.0.conv1.weight"). Reals have no
 * precision here: backend and plan decide. Labels are i32. */
#ifndef NOD_GRAPH_GRAPH_H
#define NOD_GRAPH_GRAPH_H

#include "base/error.h"
#include "base/text.h"
#include "graph/op.h"

/* Most elements of a value, 1 TiB in f32: sizes beyond it are mistakes, and up to it sums and
 * products of sizes and attributes cannot overflow. */
#define NOD_VALUE_COUNT_MAX ((int64_t)1 << 38)

typedef enum nod_value_kind {
    NOD_VALUE_INPUT, /* bound by the caller before each run (images, labels, targets, weights)
                      */
    NOD_VALUE_PARAM, /* trained */
    NOD_VALUE_STATE, /* running statistics: kept between runs, not trained */
    NOD_VALUE_NODE   /* computed */
} nod_value_kind;

/* How a parameter starts and how it is regularised. */
typedef enum nod_init_kind {
    NOD_INIT_ZEROS,
    NOD_INIT_ONES,
    NOD_INIT_CONSTANT,
    NOD_INIT_UNIFORM, /* [-a, a] */
    NOD_INIT_NORMAL,  /* sd a */
    NOD_INIT_XAVIER_UNIFORM,
    NOD_INIT_XAVIER_NORMAL,
    NOD_INIT_HE_UNIFORM,
    NOD_INIT_HE_NORMAL /* fan-in, gain of the following activation */
} nod_init_kind;

typedef enum nod_param_group {
    NOD_GROUP_WEIGHT,
    NOD_GROUP_BIAS,
    NOD_GROUP_NORM,
    NOD_GROUP_SLOPE
} nod_param_group;

typedef struct nod_init {
    nod_init_kind kind;
    double a;    /* constant, half-width, or sd */
    double gain; /* He and Xavier: 1 linear, sqrt(2) relu ... */
} nod_init;

typedef struct nod_value {
    char *name;
    nod_value_kind kind;
    nod_shape shape;
    bool is_int;   /* i32 labels */
    int node;      /* producer, -1 */
    int out_index; /* which of its outputs */
    /* parameters only */
    nod_init init;
    nod_param_group group;
    int64_t fan_in, fan_out;
} nod_value;

typedef struct nod_node {
    nod_op op;
    char *name; /* layer, e.g. "layer1.0.conv1"; gradients carry their layer's name */
    int n_in, n_out;
    int *in;                   /* value ids, -1 where an optional input is absent */
    int out[NOD_NODE_OUT_MAX]; /* value ids, -1 where an optional output is absent */
    nod_attrs attr;
} nod_node;

typedef struct nod_graph {
    nod_value *values;
    size_t n_values, cap_values;
    nod_node *nodes; /* in execution order */
    size_t n_nodes, cap_nodes;
    int *outputs; /* values that a plan must deliver */
    size_t n_outputs, cap_outputs;
    struct nod_arena *arena; /* names and lists */
    nod_strbuf scope;        /* "layer1.0." */
    size_t *scope_start;     /* where each push began */
    size_t n_scopes, cap_scopes;
    uint32_t next_stream;
    nod_error error; /* first failure */
} nod_graph;

int nod_graph_new(nod_graph **out, nod_error *err) NOD_MUST_CHECK;
void nod_graph_free(nod_graph *g);
/* First error of the builders, or 0. */
int nod_graph_check(const nod_graph *g, nod_error *err) NOD_MUST_CHECK;
/* An independent copy. */
int nod_graph_copy(const nod_graph *g, nod_graph **out, nod_error *err) NOD_MUST_CHECK;

/* Prefix of the names of what is built next: push "layer1", push "0" -> "layer1.0." */
void nod_graph_push(nod_graph *g, const char *fmt, ...) NOD_PRINTF(2, 3);
void nod_graph_pop(nod_graph *g);

int nod_graph_input(nod_graph *g, const char *name, nod_shape shape, bool is_int);
int nod_graph_param(nod_graph *g, const char *name, nod_shape shape, nod_init init,
                    nod_param_group group, int64_t fan_in, int64_t fan_out);
int nod_graph_state(nod_graph *g, const char *name, nod_shape shape, double start);
void nod_graph_output(nod_graph *g, int value); /* marks; again is harmless */
/* Value by exact name, -1. */
int nod_graph_find(const nod_graph *g, const char *name);
/* NULL for -1, the value of a builder that failed. */
const nod_shape *nod_graph_shape(const nod_graph *g, int value);

/* The general builder: checks arity and shapes, makes the outputs, returns the node's index or
 * -1. `name` is put behind the scope. */
int nod_graph_add_node(nod_graph *g, nod_op op, const char *name, const int *in, int n_in,
                       const nod_attrs *attr);
/* Output k of the node that add_node returned; -1 for -1. */
int nod_graph_out(const nod_graph *g, int node, int k);

/* --- layers: they make their parameters and return the output value -------------------------
 */
typedef struct nod_conv_spec { /* 0 in stride, dilation, groups means 1 */
    int64_t out_channels;
    int64_t kernel[3], stride[3], pad[3], dilation[3]; /* D,H,W; 2-D: entry 0 ignored */
    int64_t groups;
    bool bias;
    nod_init init; /* zeroed (kind ZEROS, gain 0) means: He normal, gain sqrt(2); dense too */
} nod_conv_spec;
int nod_graph_dense(nod_graph *g, const char *name, int x, int64_t units, bool bias,
                    nod_init init);
int nod_graph_conv(nod_graph *g, const char *name, int x, const nod_conv_spec *spec);
int nod_graph_conv_t(nod_graph *g, const char *name, int x, const nod_conv_spec *spec);
/* training: batch statistics and tracked averages; else the tracked ones. */
int nod_graph_batch_norm(nod_graph *g, const char *name, int x, double eps, double momentum,
                         bool training);
int nod_graph_group_norm(nod_graph *g, const char *name, int x, int64_t groups, double eps);
int nod_graph_act(nod_graph *g, const char *name, int x, nod_act act, double alpha);
int nod_graph_prelu(nod_graph *g, const char *name, int x, bool per_channel);
int nod_graph_softmax(nod_graph *g, const char *name, int x);
/* training false: returns x. */
int nod_graph_dropout(nod_graph *g, const char *name, int x, double p, bool per_channel,
                      bool training);
/* stride NULL or 0: the kernel; pad NULL: 0. */
int nod_graph_pool(nod_graph *g, const char *name, int x, bool max, const int64_t kernel[3],
                   const int64_t stride[3], const int64_t pad[3], bool include_pad);
int nod_graph_global_pool(nod_graph *g, const char *name, int x, bool max); /* -> [N,C] */
int nod_graph_flatten(nod_graph *g, const char *name, int x);               /* -> [N,rest] */
int nod_graph_bin(nod_graph *g, nod_op add_or_mul, const char *name, int a, int b);
int nod_graph_concat(nod_graph *g, const char *name, const int *values, int n);
int nod_graph_upsample(nod_graph *g, const char *name, int x, bool linear,
                       const int64_t scale[3]);

/* --- autodiff.c
 * ------------------------------------------------------------------------------- Appends the
 * gradient nodes of scalar `loss` and returns in grads[i] the value holding d loss / d wrt[i],
 * or -1 if loss does not depend on it. */
int nod_graph_backward(nod_graph *g, int loss, const int *wrt, size_t n_wrt, int *grads,
                       nod_error *err) NOD_MUST_CHECK;

/* --- rewrite.c: call on the forward graph, before backward
 * --------------------------------------- Fuses conv/dense/norm/add with a following activation
 * and norm+add+activation; `frozen` also folds inference batch norm into convolutions. In
 * training only activations whose derivative comes from the output are fused. Marked outputs
 * keep their values. */
int nod_graph_fuse(nod_graph *g, bool frozen, nod_error *err) NOD_MUST_CHECK;
/* Drops nodes no output needs (TRACK nodes are kept). */
int nod_graph_prune(nod_graph *g, nod_error *err) NOD_MUST_CHECK;

/* --- cost.c
 * ----------------------------------------------------------------------------------- */
/* Multiply-adds of one node; 0 for what has none. */
int64_t nod_node_macs(const nod_graph *g, const nod_node *n);

#endif
