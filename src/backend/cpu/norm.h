/* norm.h: what norm.c plans and norm_tmpl.h computes. */
#ifndef NOD_BACKEND_CPU_NORM_H
#define NOD_BACKEND_CPU_NORM_H

#include "backend/cpu/blocks.h"
#include "backend/cpu/cpu.h"

/* A norm on PLAIN values, on values blocked by the vector's width, or on LAST ones, whose channels
 * are taken by vectors.
 *
 * A row is one block of channels of one image: b.points points of b.lanes channels. Rows are
 * reduced on their own, by chunks of points, then joined in double in a fixed order: over the
 * images for batch norm, over the channels of a group for group norm. */
typedef struct nod_norm {
    nod_blocks b;
    int64_t groups; /* of group norm; 0: batch norm */
    double eps;
    nod_act act;
    float alpha;
    bool half; /* activations are stored in bf16 */
} nod_norm;

/* Working memory: two sums per image and channel (a mean and the squared deviations, or the two
 * sums of a gradient), then two or three constants per image or batch and channel: what a row
 * is multiplied with. */
typedef struct nod_norm_memory {
    double *sum1, *sum2; /* [N][C] */
    float *lane[3];      /* [N or 1][C] */
} nod_norm_memory;

/* One instruction set's code. `apply` is also inference. */
typedef struct nod_norm_isa {
    int64_t lanes;
    /* Mean and squared deviations of every row -> sum1, sum2. */
    void (*moments)(const nod_norm *k, const nod_norm_memory *m, const void *x);
    /* y = act(x*lane[0] + lane[1] + r) */
    void (*apply)(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *r,
                  void *y);
    /* Sums of g = dy*act'(y) and of g*(x - lane[0])*lane[1] -> sum1, sum2. */
    void (*sums)(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *y,
                 const void *dy);
    /* dx = lane[0]*g + lane[1]*x + lane[2]; dr = g */
    void (*gradient)(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *y,
                     const void *dy, void *dx, void *dr);
} nod_norm_isa;

extern const nod_norm_isa nod_norm_isa_avx2, nod_norm_isa_avx512;

#endif
