/* op_def.h: what the graph knows about one op: a row of the table in op.c, and the vocabulary
 * in which shape rules and gradient rules are written. Inside the graph layer only.
 *
 * A new op: its enum value and comment in op.h, one row in the file of its family under ops/,
 * one line in op.c, and its cases under tests/ops. */
#ifndef NOD_GRAPH_OP_DEF_H
#define NOD_GRAPH_OP_DEF_H

#include "graph/graph.h"

/* A node that is about to be made. The rule checks the inputs and fills out[]. */
typedef struct nod_shape_query {
    const nod_graph *graph;
    const char *layer; /* full name, for messages */
    nod_op op;
    const int *in; /* value ids; -1 where absent */
    int n_in;
    nod_attrs *attr; /* a rule may complete it (kernel of a global pool) */
    nod_shape out[NOD_NODE_OUT_MAX];
    bool has_out[NOD_NODE_OUT_MAX];
    nod_error *err;
} nod_shape_query;

/* A node whose output 0 has a known gradient. The rule appends nodes to the graph. */
typedef struct nod_grad_query {
    nod_graph *graph;
    nod_node node;    /* a copy: the graph's array moves while nodes are appended */
    int dy;           /* value: gradient of output 0 */
    const bool *need; /* per input: is its gradient wanted? */
    int *dx;          /* per input: the gradient's value, -1 at the start */
} nod_grad_query;

typedef struct nod_op_def {
    const char *name;
    int n_in; /* most inputs a node can have */
    int n_out;
    uint32_t optional; /* bit i: input i may be absent */
    uint32_t integer;  /* bit i: input i is i32 */
    bool variadic;     /* any number of inputs from 1 to n_in, none of them absent */
    int (*shape)(nod_shape_query *q);
    void (*gradient)(nod_grad_query *q); /* NULL: has none; failures go to graph->error */
    int64_t (*macs)(const nod_graph *g, const nod_node *n); /* NULL: 0 */
} nod_op_def;

const nod_op_def *nod_op_def_of(nod_op op);

/* --- vocabulary of shape rules (shape_rule.c) ------------------------------------------------
 * Each returns 0 or fails q->err with "layer 'NAME': ...". */
const nod_shape *nod_rule_in(const nod_shape_query *q, int i); /* NULL where absent */
void nod_rule_out(nod_shape_query *q, int k, nod_shape shape);
int nod_rule_fail(nod_shape_query *q, const char *fmt, ...) NOD_PRINTF(2, 3);
/* "layer 'fc1': weight [12, 1000] does not fit input [32, 784]" */
int nod_rule_misfit(nod_shape_query *q, const char *what, int i, const char *with, int j);
/* Input i has a rank in lo..hi; `form` is what it should look like ("[N, features]"). */
int nod_rule_rank(nod_shape_query *q, int i, const char *what, int lo, int hi,
                  const char *form);
/* Input i, if present, is [n]; with_i is the input that asks for it. */
int nod_rule_vector(nod_shape_query *q, int i, const char *what, int64_t n, const char *with,
                    int with_i);
/* Inputs i and j, where both are present, have equal shapes. */
int nod_rule_same(nod_shape_query *q, int i, const char *what, int j, const char *with);
/* A value of `count` spatial axes behind N and C: 0 for [N,F]. */
int nod_rule_spatial(const nod_shape *s);
/* Product of the axes from `axis` on. */
int64_t nod_rule_rest(const nod_shape *s, int axis);

/* Checks the spatial attributes for a value of this rank and sets entry 0 for 2-D. */
int nod_rule_window(nod_shape_query *q, const nod_shape *x);
/* Size along one axis after a convolution or pooling; 0 where nothing fits. */
int64_t nod_rule_window_out(int64_t in, int64_t kernel, int64_t stride, int64_t pad_lo,
                            int64_t pad_hi, int64_t dilation);

/* --- vocabulary of gradient rules (autodiff.c) ----------------------------------------------
 */
/* Appends a node named after q's layer; returns output 0. */
int nod_grad_node(nod_grad_query *q, nod_op op, const int *in, int n_in, const nod_attrs *attr);
/* The same; all outputs to out[]. */
void nod_grad_nodes(nod_grad_query *q, nod_op op, const int *in, int n_in,
                    const nod_attrs *attr, int out[NOD_NODE_OUT_MAX]);
/* dy before the node's fused activation. */
int nod_grad_before_act(nod_grad_query *q);
nod_shape nod_grad_shape(const nod_grad_query *q, int input);

/* --- vocabulary of costs (cost.c): the product, or INT64_MAX where it is larger ---------------- */
int64_t nod_cost_product(int64_t a, int64_t b);

/* --- graph.c, for autodiff and rewrite ------------------------------------------------------
 */
/* add_node with the full name instead of scope + name. */
int nod_graph_append(nod_graph *g, nod_op op, const char *full_name, const int *in, int n_in,
                     const nod_attrs *attr);
/* Another name for a value; for gradients. */
void nod_graph_rename(nod_graph *g, int value, const char *fmt, ...) NOD_PRINTF(3, 4);

/* --- the rows, by family --------------------------------------------------------------------
 */
extern const nod_op_def nod_op_def_dense, nod_op_def_dense_bwd_data,
    nod_op_def_dense_bwd_weights;
extern const nod_op_def nod_op_def_conv, nod_op_def_conv_t, nod_op_def_conv_bwd_data,
    nod_op_def_conv_bwd_weights, nod_op_def_bias_bwd;
extern const nod_op_def nod_op_def_pool_max, nod_op_def_pool_avg, nod_op_def_pool_max_bwd,
    nod_op_def_pool_avg_bwd;
extern const nod_op_def nod_op_def_batch_norm, nod_op_def_batch_norm_infer,
    nod_op_def_batch_norm_track, nod_op_def_batch_norm_bwd, nod_op_def_batch_norm_infer_bwd,
    nod_op_def_group_norm, nod_op_def_group_norm_bwd;
extern const nod_op_def nod_op_def_act, nod_op_def_act_bwd, nod_op_def_prelu,
    nod_op_def_prelu_bwd, nod_op_def_softmax, nod_op_def_softmax_bwd;
extern const nod_op_def nod_op_def_dropout, nod_op_def_add, nod_op_def_mul, nod_op_def_scale,
    nod_op_def_fill;
extern const nod_op_def nod_op_def_concat, nod_op_def_reshape, nod_op_def_pad, nod_op_def_crop,
    nod_op_def_reorder;
extern const nod_op_def nod_op_def_upsample_nearest, nod_op_def_upsample_linear,
    nod_op_def_upsample_nearest_bwd, nod_op_def_upsample_linear_bwd;
extern const nod_op_def nod_op_def_loss_ce, nod_op_def_loss_bce, nod_op_def_loss_mse,
    nod_op_def_loss_mae, nod_op_def_loss_focal, nod_op_def_loss_ce_bwd, nod_op_def_loss_bce_bwd,
    nod_op_def_loss_mse_bwd, nod_op_def_loss_mae_bwd, nod_op_def_loss_focal_bwd;
extern const nod_op_def nod_op_def_fold_norm_weights, nod_op_def_fold_norm_bias;

#endif
