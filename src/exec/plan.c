/* plan.c: a plan's life: made from a graph, prepared (memory and kernels), bound, freed. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "exec/plan_internal.h"

int nod_plan_make(const nod_graph *g, const nod_plan_options *o, nod_plan **out, nod_error *err)
{
    int rc = 0;
    NOD_ASSERT(o->backend != NULL);
    if (!o->backend->has_precision(o->precision))
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "backend '%s' does not compute in %s on this processor (%s): use "
                        "precision: f32 or auto",
                        o->backend->name, nod_precision_name(o->precision), o->backend->isa());
    nod_plan *p = nod_calloc(1, sizeof *p);
    if (p == NULL) return nod_fail_memory(err, "a plan", sizeof *p);
    p->options = *o;
    NOD_TRY(nod_graph_check(g, err));
    NOD_TRY(nod_kernel_table_new(&p->choices, err));
    NOD_TRY(nod_graph_copy(g, &p->graph, err));
    NOD_TRY(nod_graph_prune(p->graph, err));
    p->slot_of = nod_calloc(g->n_values + 1, sizeof *p->slot_of);
    if (p->slot_of == NULL) {
        rc = nod_fail_memory(err, "a plan", g->n_values * sizeof(int));
        goto out;
    }
    NOD_TRY(nod_plan_find_dtypes(p, err));
    NOD_TRY(nod_plan_choose(p, err));
    NOD_TRY(nod_plan_place(p, err));
    p->options.table = NULL; /* borrowed; its choices are in the steps */
    p->options.only_kernel = NULL;
    *out = p;
    return 0;
out:
    nod_plan_free(p);
    return rc;
}

void nod_plan_free(nod_plan *p)
{
    if (p == NULL) return;
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->steps[i].kernel != NULL) p->steps[i].def->free(p->steps[i].kernel);
    nod_free(p->steps);
    nod_free(p->slots);
    nod_free(p->io);
    nod_free(p->io_data);
    nod_free(p->calls);
    nod_free(p->dtype);
    nod_free(p->slot_of);
    nod_free(p->memory);
    nod_kernel_table_free(p->choices);
    nod_graph_free(p->graph);
    nod_free(p);
}

nod_plan_memory nod_plan_memory_of(const nod_plan *p)
{
    nod_plan_memory m = {.scratch = p->scratch_bytes};
    m.arena = p->arena_bytes + nod_plan_persistent_bytes(p);
    for (size_t i = 0; i < p->n_slots; i++)
        if ((p->slots[i].source && p->slots[i].read) || p->slots[i].bound != NULL)
            m.bound += p->slots[i].bytes;
    for (size_t i = 0; i < p->n_steps; i++)
        m.kernels += p->steps[i].fit.kept_bytes;
    return m;
}

/* --- prepare ------------------------------------------------------------------------------ */

static int refuse_memory(const char *what, size_t bytes, int64_t available, nod_error *err)
{
    char need[32], have[32] = "";
    nod_format_bytes((double)bytes, need, sizeof need);
    if (available > 0) nod_format_bytes((double)available, have, sizeof have);
    return nod_fail(
        err, NOD_ENOMEM,
        "the network needs %s of %s for a batch%s%s%s: take a smaller batch_size or "
        "smaller images",
        need, what, available > 0 ? ", " : "", have, available > 0 ? " are free" : "");
}

static int take_memory(nod_plan *p, nod_error *err)
{
    size_t bytes = p->arena_bytes + nod_plan_persistent_bytes(p) + p->scratch_bytes;
    size_t all = bytes + nod_plan_memory_of(p).kernels;
    int64_t available = nod_available_memory_bytes();
    if (available > 0 && all > (size_t)available)
        return refuse_memory("memory", all, available, err);
    nod_plan_place_persistent(p);
    p->memory = nod_aligned_calloc(NOD_MAX(bytes, (size_t)1));
    p->io_data = nod_calloc(p->n_io + 1, sizeof *p->io_data);
    p->calls = nod_calloc(p->n_steps + 1, sizeof *p->calls);
    if (p->memory == NULL || p->io_data == NULL || p->calls == NULL)
        return refuse_memory("memory", all, 0, err);
    return 0;
}

static int make_kernel(nod_plan *p, nod_step *s, nod_error *err)
{
    nod_kernel_query q = nod_plan_query(p, &s->node, s->preferred, s->fit.in);
    int rc = s->def->create(&q, &s->fit, &s->kernel, err);
    return rc != 0 ? nod_error_prefix(err, "layer '%s'", s->node.name) : 0;
}

/* Constant steps first: nothing but constants stands before them. */
static void list_calls(nod_plan *p)
{
    uint8_t *scratch = p->memory + p->arena_bytes + nod_plan_persistent_bytes(p);
    for (int constant = 1; constant >= 0; constant--) {
        for (size_t i = 0; i < p->n_steps; i++) {
            const nod_step *s = &p->steps[i];
            if (s->constant != (constant == 1)) continue;
            p->calls[p->n_calls++] =
                (nod_call){.run = s->def->run,
                           .kernel = s->kernel,
                           .args = {.in = p->io_data + s->io,
                                    .out = p->io_data + s->io + s->node.n_in,
                                    .scratch = scratch,
                                    .context = &p->context},
                           .step = i};
        }
        if (constant == 1) p->n_constant_calls = p->n_calls;
    }
}

int nod_plan_prepare(nod_plan *p, nod_error *err)
{
    NOD_ASSERT(!p->prepared);
    int rc = take_memory(p, err);
    for (size_t i = 0; i < p->n_steps && rc == 0; i++)
        rc = make_kernel(p, &p->steps[i], err);
    if (rc != 0) return rc;
    list_calls(p);
    p->prepared = true;
    return 0;
}

/* --- the caller's buffers ----------------------------------------------------------------- */

void nod_plan_bind(nod_plan *p, int value, void *data)
{
    NOD_ASSERT(value >= 0 && (size_t)value < p->graph->n_values);
    int slot = p->slot_of[value];
    if (slot < 0) return; /* pruned: nobody reads it */
    nod_slot *s = &p->slots[slot];
    NOD_ASSERT((s->source || s->kept) && data != NULL);
    if (s->bound == data) return;
    s->bound = data;
    p->resolved = false;
    if (s->constant) p->constants_done = false;
}

void *nod_plan_data(const nod_plan *p, int value)
{
    int slot = value >= 0 && (size_t)value < p->graph->n_values ? p->slot_of[value] : -1;
    if (slot < 0) return NULL;
    const nod_slot *s = &p->slots[slot];
    if (s->bound != NULL || s->source) return s->bound;
    return s->kept && p->memory != NULL ? p->memory + s->offset : NULL;
}

void nod_plan_refresh(nod_plan *p)
{
    p->constants_done = false;
}

const nod_kernel_table *nod_plan_choices(const nod_plan *p)
{
    return p->choices;
}

size_t nod_plan_steps(const nod_plan *p)
{
    return p->n_steps;
}

nod_plan_step nod_plan_step_at(const nod_plan *p, size_t i)
{
    const nod_step *s = &p->steps[i];
    return (nod_plan_step){.layer = s->node.name,
                           .kernel = s->def->name,
                           .op = s->node.op,
                           .time_s = s->time_s,
                           .macs = nod_node_macs(p->graph, &s->node)};
}
