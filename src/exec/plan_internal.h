/* plan_internal.h: the plan's data, shared by the files of src/exec.
 *
 *   graph -> choose.c (kernel per node, layout per value, reorders between)
 *         -> memory.c (liveness -> offsets in one arena)
 *         -> plan.c   (kernels made, pointers resolved)
 *         -> run.c    (a flat list of calls)  */
#ifndef NOD_EXEC_PLAN_INTERNAL_H
#define NOD_EXEC_PLAN_INTERNAL_H

#include "exec/plan.h"

/* One buffer: a value of the graph in one layout. */
typedef struct nod_slot {
    int value; /* of the graph */
    nod_layout layout;
    size_t bytes;
    bool bound;      /* the caller's memory */
    bool constant;   /* computed once in a frozen plan; kept between runs */
    bool kept;       /* an output: lives to the end of the run */
    int alias;       /* shares the memory of that slot (in place), or -1 */
    bool shared;    /* a view of another slot, or seen through one: never written in place */
    int first, last; /* steps between which it lives */
    size_t offset;   /* in the arena */
    void *data;      /* resolved */
} nod_slot;

/* One call. */
typedef struct nod_step {
    nod_op op;
    const nod_kernel_def *def;
    nod_kernel *kernel;
    nod_kernel_fit fit;
    nod_node node; /* owned copy, for making the kernel and for messages */
    char *layer;
    int *in, *out; /* slots; -1 absent; n_in, n_out of node */
    void **in_data, **out_data;
    bool constant;
    int64_t macs;
    double time_s;
} nod_step;

struct nod_plan {
    nod_graph *graph; /* own copy; has the REORDER nodes' values too */
    nod_plan_options options;
    nod_slot *slots;
    size_t n_slots, cap_slots;
    nod_step *steps;
    size_t n_steps, cap_steps;
    nod_kernel_table *choices;
    size_t arena_bytes, scratch_bytes;
    uint8_t *arena;
    void *scratch;
    int *slot_of; /* [n_values] the PLAIN (or native) slot of a value, -1 */
    bool prepared, resolved;
    bool constants_done; /* the constant steps have run since the last refresh */
};

/* choose.c: fills steps and slots. */
int nod_plan_choose(nod_plan *p, nod_error *err) NOD_MUST_CHECK;
/* memory.c: in-place reuse, liveness, offsets, sizes. */
int nod_plan_place(nod_plan *p, nod_error *err) NOD_MUST_CHECK;
/* Two slots that live at the same time do not overlap (or are aliases). For tests. */
bool nod_plan_memory_is_sound(const nod_plan *p);
/* Bytes of a real (or i32) value of the plan. */
size_t nod_plan_value_bytes(const nod_plan *p, int value);
/* table.c: the stable key of a node. */
void nod_plan_key(const nod_plan *p, const nod_node *n, nod_strbuf *out);

#endif
