/* op.h: the operations of a graph and their attributes: what is computed, never how.
 *
 * Gradients are ordinary ops. Spatial attributes are always in the order D,H,W with three
 * entries; a 2-D op has kernel, stride, dilation 1 and padding 0 in entry 0, and rank-4 values
 * [N,C,H,W]. One row of the table in op.c per op: name, arity, shape rule, gradient rule,
 * multiply-adds; the rows stand by family under ops/.
 *
 * A node lists as many inputs and outputs as its op can have (CONCAT: as many as it was given);
 * what is absent is -1. */
#ifndef NOD_GRAPH_OP_H
#define NOD_GRAPH_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "tensor/tensor.h"

/* Activation functions. As an op of its own (NOD_OP_ACT), or fused into dense, convolution,
 * norm and add (attr.act). */
typedef enum nod_act {
    NOD_ACT_IDENTITY,
    NOD_ACT_RELU,
    NOD_ACT_LEAKY_RELU, /* alpha: slope below 0, > 0 */
    NOD_ACT_ELU,        /* alpha > 0: alpha*(exp(x)-1) below 0 */
    NOD_ACT_GELU,       /* exact: x*Phi(x) */
    NOD_ACT_SILU,       /* x*sigmoid(x) */
    NOD_ACT_SIGMOID,
    NOD_ACT_TANH,
    NOD_ACT_COUNT
} nod_act;

const char *nod_act_name(nod_act a);     /* "relu", "leaky_relu" ... */
int nod_act_from_name(const char *name); /* -1 if unknown */
/* true if the derivative can be computed from the output alone (so that it may be fused in
 * training): identity, relu, leaky_relu, elu, sigmoid, tanh. */
bool nod_act_from_output(nod_act a);

/* N batch, C channels, S spatial (H,W or D,H,W). Inputs in [] are optional (value -1). */
typedef enum nod_op {
    /* -- layers ------------------------------------------------------------------------- */
    NOD_OP_DENSE,    /* x[N,I] w[O,I] [b[O]] -> y[N,O] = act(x w^T + b) */
    NOD_OP_CONV,     /* x[N,C,S] w[O,C/g,K] [b[O]] -> y[N,O,S'], cross-correlation, act */
    NOD_OP_CONV_T,   /* transposed: x[N,I,S] w[I,O/g,K] [b[O]] -> y[N,O,S'] */
    NOD_OP_POOL_MAX, /* x -> y; padding is -infinity */
    NOD_OP_POOL_AVG, /* x -> y; include_pad: divide by the kernel's size, else by what is inside
                      */
    NOD_OP_BATCH_NORM,       /* training: x gamma[C] beta[C] [r like x] -> y mean[C] istd[C];
                                y = act((x-mean)*istd*gamma + beta + r); biased variance; eps */
    NOD_OP_BATCH_NORM_INFER, /* x gamma beta mean[C] var[C] [r] -> y */
    NOD_OP_BATCH_NORM_TRACK, /* run_mean[C] run_var[C] mean[C] istd[C] -> (updates the first two
                                in place with momentum; unbiased variance, attr.count samples)
                              */
    NOD_OP_GROUP_NORM, /* x gamma[C] beta[C] -> y mean[N,G] istd[N,G]; groups = attr.groups:
                          C instance norm, 1 layer norm over C and S; x may be [N,F]; act */
    NOD_OP_ACT,        /* x -> act(x) */
    NOD_OP_PRELU,      /* x slope[C] or slope[1] -> y */
    NOD_OP_SOFTMAX,    /* over axis 1 */
    NOD_OP_DROPOUT,    /* x -> x*mask/(1-p); mask from Philox(seed, step, attr.stream, element);
                          per_channel: one draw for each (n,c). Linear, so its own gradient. */
    NOD_OP_ADD,        /* a b -> act(a+b), equal shapes */
    NOD_OP_MUL,        /* a b -> a*b, equal shapes */
    NOD_OP_SCALE,      /* x -> x*attr.alpha */
    NOD_OP_CONCAT,     /* 2..NOD_NODE_IN_MAX values -> along axis 1 */
    NOD_OP_RESHAPE,    /* x -> same elements in attr.shape (flatten) */
    NOD_OP_PAD,        /* zeros: attr.lo, attr.hi per axis of the value */
    NOD_OP_CROP,       /* takes away attr.lo, attr.hi per axis: gradient of PAD and CONCAT */
    NOD_OP_UPSAMPLE_NEAREST, /* attr.scale per D,H,W */
    NOD_OP_UPSAMPLE_LINEAR,  /* attr.scale; half-pixel centres, edges repeated */
    /* -- losses: scalar [1] ---------------------------------------------------------------- */
    NOD_OP_LOSS_CE,    /* logits[N,K] or [N,K,S], labels i32 [N] or [N,S], [class_weight[K]] ->
                          loss:    weighted mean of -log softmax, smoothing; = torch cross_entropy
                        */
    NOD_OP_LOSS_BCE,   /* logits[N,L] targets[N,L] [pos_weight[L]] -> mean over N*L */
    NOD_OP_LOSS_MSE,   /* pred target -> mean of squares */
    NOD_OP_LOSS_MAE,   /* pred target -> mean of absolute values; gradient 0 at 0 */
    NOD_OP_LOSS_FOCAL, /* logits[N,K] labels i32[N] [class_weight[K]] -> mean of
                          -w_y (1-p_y)^gamma log p_y */
    /* -- gradients ---------------------------------------------------------------------------
     */
    NOD_OP_DENSE_BWD_DATA,    /* dy[N,O] w[O,I] -> dx[N,I] */
    NOD_OP_DENSE_BWD_WEIGHTS, /* x[N,I] dy[N,O] -> dw[O,I] [db[O]] (second output if attr.bias)
                               */
    NOD_OP_CONV_BWD_DATA,     /* dy w -> dx of attr.shape (also the forward of CONV_T) */
    NOD_OP_CONV_BWD_WEIGHTS,  /* x dy -> dw of attr.shape [db] */
    NOD_OP_BIAS_BWD,          /* dy[N,C,S] -> db[C] (for CONV_T) */
    NOD_OP_POOL_MAX_BWD,      /* x dy -> dx; to the first maximum of each window */
    NOD_OP_POOL_AVG_BWD,      /* dy -> dx of attr.shape */
    NOD_OP_BATCH_NORM_BWD, /* x y|-1 dy gamma mean istd -> dx dgamma dbeta [dr]; y if attr.act;
                              dr if attr.residual */
    NOD_OP_BATCH_NORM_INFER_BWD, /* y|-1 dy gamma var -> dx [dr] (attribution through frozen
                                    norms) */
    NOD_OP_GROUP_NORM_BWD,       /* x y|-1 dy gamma mean istd -> dx dgamma dbeta */
    NOD_OP_ACT_BWD,     /* v dy -> dx; v is the output where nod_act_from_output(act) and
                           attr.from_output, else the input */
    NOD_OP_PRELU_BWD,   /* x slope dy -> dx dslope */
    NOD_OP_SOFTMAX_BWD, /* y dy -> dx */
    NOD_OP_UPSAMPLE_NEAREST_BWD, /* dy -> dx of attr.shape */
    NOD_OP_UPSAMPLE_LINEAR_BWD,
    NOD_OP_LOSS_CE_BWD,  /* logits labels [class_weight] dloss[1] -> dlogits */
    NOD_OP_LOSS_BCE_BWD, /* logits targets [pos_weight] dloss -> dlogits */
    NOD_OP_LOSS_MSE_BWD, /* pred target dloss -> dpred */
    NOD_OP_LOSS_MAE_BWD,
    NOD_OP_LOSS_FOCAL_BWD, /* logits labels [class_weight] dloss -> dlogits */
    NOD_OP_FILL, /* -> attr.shape, every element attr.alpha: the gradient a loss starts from */
    /* -- constant folding for inference (run once when a plan is prepared) -------------------
     */
    NOD_OP_FOLD_NORM_WEIGHTS, /* w gamma var -> w*gamma/sqrt(var+eps) per output channel */
    NOD_OP_FOLD_NORM_BIAS, /* [b] gamma beta mean var -> beta + (b-mean)*gamma/sqrt(var+eps) */
    /* -- inserted by the plan, never by a graph's author
       --------------------------------------- */
    NOD_OP_REORDER, /* x -> x in another layout */
    NOD_OP_COUNT
} nod_op;

#define NOD_NODE_IN_MAX  72 /* densenet concatenates many; most nodes have 1 to 6 */
#define NOD_NODE_OUT_MAX 4

typedef struct nod_attrs {
    int64_t kernel[3], stride[3], pad_lo[3], pad_hi[3], dilation[3], out_pad[3];
    int64_t groups;
    int64_t scale[3];                           /* upsample */
    int64_t lo[NOD_RANK_MAX], hi[NOD_RANK_MAX]; /* pad, crop */
    nod_shape shape; /* reshape, and the target of gradients that cannot derive it */
    nod_act act;
    double alpha;            /* of act; of SCALE */
    double eps, momentum;    /* norms; momentum is the weight of the new batch (PyTorch's) */
    double p;                /* dropout: probability of zero */
    double smoothing, gamma; /* losses */
    int64_t count;           /* BATCH_NORM_TRACK: samples per channel */
    uint32_t stream;         /* dropout: which one */
    bool per_channel, include_pad, global; /* global pooling: kernel = whole plane */
    bool bias, residual, from_output;
} nod_attrs;

/* Zero, with 1 where 1 is neutral (kernel, stride, dilation, groups, scale). */
nod_attrs nod_attrs_default(void);

const char *nod_op_name(nod_op op); /* "conv", "conv_bwd_weights" ... */
int nod_op_from_name(const char *name);

#endif
