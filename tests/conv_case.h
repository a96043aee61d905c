/* conv_case.h: one convolution, in any of its three passes, as a node that kernels can be asked
 * about without building a network; the layouts; and what is right: plain loops in double.
 *
 * Used by tests of single kernels and by bench/kernels_conv.c. */
#ifndef TESTS_CONV_CASE_H
#define TESTS_CONV_CASE_H

#include "backend/backend.h"

/* Entries are D,H,W; for rank 4 entry 0 is 1, 1, 0 and sizes 1. */
typedef struct conv_case {
    int rank; /* 4 or 5 */
    int64_t n, c, o;
    int64_t size[3], kernel[3], stride[3], pad_lo[3], pad_hi[3];
    bool bias;
    nod_act act;
    double alpha;
} conv_case;

typedef enum conv_case_pass {
    CONV_CASE_FORWARD,
    CONV_CASE_DATA,
    CONV_CASE_WEIGHTS
} conv_case_pass;

/* A square (rank 4) or cubic (rank 5) case. */
conv_case conv_case_of(int rank, int64_t n, int64_t c, int64_t o, int64_t size, int64_t kernel,
                       int64_t stride, int64_t pad);
int64_t conv_case_out_size(const conv_case *c, int axis);
int64_t conv_case_src_count(const conv_case *c);
int64_t conv_case_dst_count(const conv_case *c);
int64_t conv_case_weight_count(const conv_case *c);

/* The node of one pass, with its own values; `query` points into it, so it must not move. */
typedef struct conv_case_node {
    nod_graph graph;
    nod_value values[5];
    nod_node node;
    int in[3];
    nod_layout layouts[3];
    nod_dtype dtype[5]; /* all f32 */
    nod_kernel_query query;
} conv_case_node;
void conv_case_node_init(conv_case_node *n, const conv_case *c, conv_case_pass pass,
                         nod_layout preferred, bool frozen);

/* [n,c,spatial] between plain and a layout; spatial = product of the sizes. */
void conv_case_pack(nod_layout l, int64_t n, int64_t c, int64_t spatial, const float *plain,
                    float *packed);
void conv_case_unpack(nod_layout l, int64_t n, int64_t c, int64_t spatial, const float *packed,
                      float *plain);

/* Numbers in [-1, 1), the same for the same seed. */
void conv_case_fill(float *x, int64_t n, uint32_t seed);

/* Closed-form loops over plain arrays, sums in double. bias and dbias may be NULL. */
void conv_case_forward(const conv_case *c, const float *x, const float *w, const float *bias,
                       double *y);
void conv_case_backward_data(const conv_case *c, const float *dy, const float *w, double *dx);
void conv_case_backward_weights(const conv_case *c, const float *x, const float *dy, double *dw,
                                double *dbias);
/* sqrt(sum (got-want)^2 / sum want^2) */
double conv_case_error(const float *got, const double *want, int64_t n);

#endif
