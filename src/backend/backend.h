/* backend.h: how nodes are computed. A backend is one table of kernels; a plan asks each kernel
 * for a node whether it fits, and in which layouts it wants the values.
 *
 * Layouts. Values that cross the border of a plan (inputs, parameters, states, outputs) are
 * PLAIN. Inside, activations [N,C,S] may be blocked by channels or channels-last. A blocked
 * layout is only used where C is a multiple of the block; so no padding lanes exist anywhere.
 *
 * Bits. A kernel's result depends on shapes, layouts and its name, never on the number of
 * threads: work is cut by shape and sums are added in a fixed order. */
#ifndef NOD_BACKEND_BACKEND_H
#define NOD_BACKEND_BACKEND_H

#include "base/error.h"
#include "graph/graph.h"

typedef enum nod_layout {
    NOD_LAYOUT_PLAIN,   /* [N,C,D,H,W], C order */
    NOD_LAYOUT_BLOCK8,  /* [N,C/8,D,H,W,8] */
    NOD_LAYOUT_BLOCK16, /* [N,C/16,D,H,W,16] */
    NOD_LAYOUT_LAST,    /* [N,D,H,W,C] */
    NOD_LAYOUT_COUNT
} nod_layout;

const char *nod_layout_name(nod_layout l);
/* Channels per block: 8, 16; 1 for plain, 0 for channels-last. */
int64_t nod_layout_block(nod_layout l);
/* true if a value of this shape may have the layout (rank >= 4, C a multiple of the block). */
bool nod_layout_allowed(nod_layout l, const nod_shape *shape);
/* true if values of this shape have the same bytes in both layouts (one pixel, one channel). */
bool nod_layout_equal(nod_layout a, nod_layout b, const nod_shape *shape);

/* Storage type of reals in a plan. */
typedef enum nod_precision {
    NOD_PRECISION_F32,
    NOD_PRECISION_F64,
    NOD_PRECISION_BF16
} nod_precision;

/* What a kernel is asked about: one node in one graph. */
typedef struct nod_kernel_query {
    const nod_graph *graph;
    const nod_node *node;
    nod_precision precision;
    nod_layout preferred; /* the plan's layout for activations on this processor; for REORDER
                             the layout that is wanted */
    const nod_layout *in; /* layouts the inputs have now (hint; -1 inputs: PLAIN) */
    bool frozen;          /* parameters will not change between runs: may be packed once */
    /* Storage of each value of the graph: f32, f64, bf16 or i32, by value id. A bf16 plan keeps
     * activations and their gradients in bf16; inputs, parameters, states, outputs, statistics,
     * losses, gradients of parameters and values of rank below 4 are f32 there. */
    const nod_dtype *dtype;
} nod_kernel_query;

/* What it answers. */
typedef struct nod_kernel_fit {
    nod_layout in[NOD_NODE_IN_MAX], out[NOD_NODE_OUT_MAX];
    size_t scratch_bytes; /* working memory during run, shared by all kernels of the plan */
    size_t kept_bytes;    /* memory that create() takes and the kernel keeps (packed weights) */
    int inplace[NOD_NODE_OUT_MAX]; /* out k may take the memory of input inplace[k], or -1 */
} nod_kernel_fit;

/* Per run, the same for all kernels. */
typedef struct nod_run_context {
    uint64_t seed; /* dropout */
    uint64_t step;
    bool
        fresh; /* set by the plan: parameters may have changed since the last run, so kernels of a
                   frozen plan pack their weights again */
} nod_run_context;

typedef struct nod_kernel_args {
    void *const *in;  /* one per input; NULL where absent */
    void *const *out; /* one per output; NULL where absent */
    void *scratch;    /* 64-byte aligned */
    const nod_run_context *context;
} nod_kernel_args;

/* A kernel made for one node; `def->run` computes it. */
typedef struct nod_kernel nod_kernel;

typedef struct nod_kernel_def {
    const char
        *name; /* "ref", "dnnl", "wino4x4_avx2" ...: written into the run's kernel table */
    nod_op op;
    /* 1 fits, 0 does not. Fills *fit. */
    int (*match)(const nod_kernel_query *q, nod_kernel_fit *fit);
    /* Shapes and attributes are copied: neither q nor the graph is kept. */
    int (*create)(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err);
    /* 0 or NOD_E*. A message needs no allocation. */
    int (*run)(nod_kernel *k, const nod_kernel_args *a, nod_error *err);
    void (*free)(nod_kernel *k);
} nod_kernel_def;

typedef struct nod_backend {
    const char *name;
    const nod_kernel_def *const *kernels; /* in order of preference per op; NULL-terminated */
    /* Layouts worth trying for activations on this processor, best first. */
    size_t (*layouts)(nod_precision p, nod_layout out[NOD_LAYOUT_COUNT]);
    bool (*has_precision)(nod_precision p);
    const struct nod_backend *(*fallback)(
        void);                /* asked where no own kernel fits; NULL: none */
    const char *(*isa)(void); /* "avx2", "avx512", "avx512_bf16", "amx"; "c" for ref */
} nod_backend;

const nod_backend *nod_backend_ref(
    void); /* plain C, f32 and f64, double accumulation, complete */
const nod_backend *nod_backend_cpu(void); /* oneDNN and own kernels */

/* Backend by name or NULL. */
const nod_backend *nod_backend_find(const char *name);

#endif
