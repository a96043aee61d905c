/* cases.h: the shared list of node cases: every forward op with shapes and attributes that are
 * known to break kernels (odd sizes, one channel, batch of one, strided 1x1 with few channels,
 * groups, dilation, channels that are and are not whole blocks, 2-D and 3-D). Gradients need no
 * cases of their own: a case is differentiated, and its gradient nodes are looked at too.
 *
 * Used by the finite-difference check, by the comparison of backends, and by benchmarks; the
 * PyTorch comparison reads its own cases from tests/golden/ops.json into the same struct.
 * Inputs are computed from (seed, index) by op_fill_value, so no file holds them. */
#ifndef NOD_TESTS_OPS_CASES_H
#define NOD_TESTS_OPS_CASES_H

#include "graph/op.h"

#define OP_CASE_IN_MAX 6

/* What the elements of an input may be. u is uniform in [0,1), 24 bits. */
typedef enum op_fill {
    OP_FILL_SIGNED,   /* 2u - 1 */
    OP_FILL_POSITIVE, /* 0.5 + u: variances, weights of classes, gamma */
    OP_FILL_UNIT,     /* u: soft targets */
    OP_FILL_LABEL,    /* 0..K-1 as i32, K = axis 1 of input 0 */
    OP_FILL_COARSE    /* -1, -0.5 ... 1: many ties for a maximum */
} op_fill;

typedef struct op_case {
    char name[96];
    nod_op op;
    int n_in;
    nod_shape in[OP_CASE_IN_MAX]; /* rank 0: absent */
    op_fill fill[OP_CASE_IN_MAX];
    bool has_grad[OP_CASE_IN_MAX]; /* differentiated with respect to this input */
    nod_attrs attr;
    uint32_t seed;
} op_case;

/* The list; *n cases, the caller frees it with nod_free. */
op_case *op_cases_new(size_t *n);

/* Sets fill and has_grad from op and position. Call when op and in are set. */
void op_case_complete(op_case *c);

/* Element j of an input of this seed; K for labels. The same formula stands in
 * tools/oracles/ops_golden.py. */
double op_fill_value(op_fill fill, uint32_t seed, int64_t j, int64_t n_classes);

#endif
