/* plan_internal.h: the plan's data, shared by the files of src/exec.
 *
 *   graph -> choose.c (kernel per node, layout per value, reorders between)
 *         -> memory.c (liveness -> offsets in one arena)
 *         -> plan.c   (memory taken, kernels made, buffers bound)
 *         -> run.c    (a flat list of calls)
 *
 * A slot is one value of the graph in one layout. A step is one call of a kernel; the slots it
 * reads and writes stand in the flat list io[], and io_data[] holds their addresses, resolved
 * again only after a bind. */
#ifndef NOD_EXEC_PLAN_INTERNAL_H
#define NOD_EXEC_PLAN_INTERNAL_H

#include "exec/plan.h"

typedef struct nod_slot {
    int value; /* of the graph */
    nod_layout layout;
    size_t bytes;
    bool source;     /* input, parameter or state: always the caller's memory */
    bool kept;       /* an output: the caller's memory if bound, else its own in the arena */
    bool constant;   /* the same in every run: parameters when frozen, and what follows from
                      constants alone; its memory is its own */
    bool read;       /* some step reads it */
    int alias;       /* shares the memory of that slot (a view, or in place), or -1 */
    int root;        /* end of the chain of aliases; itself where alias is -1 */
    int first, last; /* of a root: steps between which the memory is in use */
    size_t offset;   /* of a root in the arena */
    void *bound;     /* the caller's memory, or NULL */
} nod_slot;

typedef struct nod_step {
    nod_node node; /* copy; lists and names belong to the plan's graph */
    const nod_kernel_def *def;
    nod_kernel *kernel;
    nod_kernel_fit fit;
    nod_layout preferred; /* what the kernel was asked with */
    size_t io;            /* its place in io[]: n_in inputs, then n_out outputs */
    bool constant;        /* run once, and again when parameters are new */
    double time_s;
} nod_step;

/* What run.c walks over: nothing but what a call needs. */
typedef struct nod_call {
    int (*run)(nod_kernel *k, const nod_kernel_args *a, nod_error *err);
    nod_kernel *kernel;
    nod_kernel_args args;
    size_t step;
} nod_call;

struct nod_plan {
    nod_graph *graph; /* own copy, pruned */
    nod_plan_options options;
    nod_layout preferred;
    nod_dtype *dtype; /* per value */
    nod_slot *slots;
    size_t n_slots, cap_slots;
    nod_step *steps;
    size_t n_steps, cap_steps;
    int *io; /* slots; -1 absent */
    void **io_data;
    size_t n_io, cap_io;
    int *slot_of; /* per value: its PLAIN slot, -1 */
    nod_kernel_table *choices;

    size_t arena_bytes;   /* for what lives within a run */
    size_t scratch_bytes; /* the largest that a kernel asks for */
    uint8_t *memory;      /* arena, then constants and unbound outputs, then scratch */
    nod_call *calls;      /* constant steps first, then the others, each in order */
    size_t n_calls, n_constant_calls;
    nod_run_context context; /* of the run in progress; the calls' args point here */
    bool prepared, resolved;
    bool constants_done; /* the constant steps have run since the last refresh */
};

/* dtype.c: fills p->dtype. */
int nod_plan_find_dtypes(nod_plan *p, nod_error *err) NOD_MUST_CHECK;
/* choose.c: fills steps and slots. */
int nod_plan_choose(nod_plan *p, nod_error *err) NOD_MUST_CHECK;
/* Asks one kernel, from a cleared *fit. */
bool nod_kernel_fits(const nod_kernel_def *k, const nod_kernel_query *q, nod_kernel_fit *fit);
/* memory.c: in-place reuse, liveness, offsets, sizes. */
int nod_plan_place(nod_plan *p, nod_error *err) NOD_MUST_CHECK;
/* Constants and outputs that are not bound: their bytes, and their offsets behind the arena. */
size_t nod_plan_persistent_bytes(const nod_plan *p);
void nod_plan_place_persistent(nod_plan *p);
/* Two slots that live at the same time share no byte, unless one is the other's alias. For
 * tests. */
bool nod_plan_memory_is_sound(const nod_plan *p);
/* table.c: the stable key of a node; of the layout of activations. */
void nod_plan_key(const nod_plan *p, const nod_node *n, nod_strbuf *out);
void nod_plan_layout_key(const nod_plan *p, nod_strbuf *out);

/* What a kernel is asked and made with: a node, the plan's layout, those its inputs have. */
static inline nod_kernel_query nod_plan_query(const nod_plan *p, const nod_node *n,
                                              nod_layout preferred, const nod_layout *in)
{
    return (nod_kernel_query){.graph = p->graph,
                              .node = n,
                              .precision = p->options.precision,
                              .preferred = preferred,
                              .in = in,
                              .frozen = p->options.frozen,
                              .dtype = p->dtype};
}

/* Slots of step s. */
static inline int nod_step_in(const nod_plan *p, const nod_step *s, int k)
{
    return p->io[s->io + (size_t)k];
}

static inline int nod_step_out(const nod_plan *p, const nod_step *s, int k)
{
    return p->io[s->io + (size_t)(s->node.n_in + k)];
}

#endif
