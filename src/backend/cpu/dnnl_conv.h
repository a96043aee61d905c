/* dnnl_conv.h: convolutions of oneDNN behind plain types; dnnl_conv.c is the only file that knows
 * its API (2.6; 3.x renames it). A conv object holds one primitive; it keeps no memory of its own:
 * packed weights and scratch are the caller's. */
#ifndef NOD_BACKEND_CPU_DNNL_CONV_H
#define NOD_BACKEND_CPU_DNNL_CONV_H

#include "backend/backend.h"

typedef enum nod_conv_pass { NOD_PASS_FORWARD, NOD_PASS_DATA, NOD_PASS_WEIGHTS } nod_conv_pass;

typedef struct nod_dnnl_conv_desc {
    nod_conv_pass pass;
    int nd; /* 2 or 3 */
    int64_t n, c, o, groups;
    int64_t in[3], out[3]; /* D,H,W of x and y */
    int64_t kernel[3], stride[3], pad_lo[3], pad_hi[3], dilation[3];
    nod_layout x, y; /* layouts of x (or dx) and y (or dy) */
    bool bias;
    nod_act act; /* forward only */
    double alpha;
    bool half;       /* x and y in bf16, else in f32; plain weights and bias are f32 in both */
    bool one_thread; /* run by one thread of our own loop */
} nod_dnnl_conv_desc;

typedef struct nod_dnnl_conv nod_dnnl_conv;

/* NULL if oneDNN has only its naive reference for this, or nothing; no message: ask another. */
nod_dnnl_conv *nod_dnnl_conv_new(const nod_dnnl_conv_desc *d);
void nod_dnnl_conv_free(nod_dnnl_conv *c);
size_t nod_dnnl_conv_scratch(const nod_dnnl_conv *c); /* bytes of its scratchpad */
size_t nod_dnnl_conv_packed(const nod_dnnl_conv *c);  /* bytes of weights in its own layout */
const char *nod_dnnl_conv_impl(const nod_dnnl_conv *c);

/* What the library may use on this processor, after DNNL_MAX_CPU_ISA: our own kernels keep to the
 * same limit. */
typedef enum nod_dnnl_isa {
    NOD_DNNL_ISA_BASE,
    NOD_DNNL_ISA_AVX2,
    NOD_DNNL_ISA_AVX512,
    NOD_DNNL_ISA_AVX512_BF16,
    NOD_DNNL_ISA_AMX
} nod_dnnl_isa;
nod_dnnl_isa nod_dnnl_isa_here(void);

/* PLAIN [O,C/g,K] to the primitive's layout and storage (forward and data: as x and y are; weights:
 * f32), and back. */
int nod_dnnl_conv_pack(nod_dnnl_conv *c, const float *plain, void *packed);
int nod_dnnl_conv_unpack(nod_dnnl_conv *c, const float *packed, float *plain);
/* Forward: x,w -> y. Data: y (dy), w -> x (dx). Weights: x, y (dy) -> w [bias]. 0 or the library's
 * status. */
int nod_dnnl_conv_run(nod_dnnl_conv *c, void *x, void *w, void *bias, void *y, void *scratch);

#endif
