/* plan.c: a plan's life: made from a graph, prepared (memory and kernels), bound, freed. */
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

int nod_plan_make(const nod_graph *g, const nod_plan_options *o, nod_plan **out, nod_error *err)
{
    int rc = 0;
    nod_plan *p = NULL;
    NOD_ASSERT(o->backend);
    NOD_TRY(nod_graph_check(g, err));
    if (!o->backend->has_precision(o->precision)) {
        static const char *const names[] = {"f32", "f64", "bf16"};
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "backend '%s' does not compute in %s on this processor (%s): use "
                        "precision: f32 or auto",
                        o->backend->name, names[o->precision], o->backend->isa());
    }
    p = nod_calloc(1, sizeof *p);
    if (!p) return nod_fail_memory(err, "plan", sizeof *p);
    p->options = *o;
    NOD_TRY(nod_kernel_table_new(&p->choices, err));
    NOD_TRY(nod_graph_copy(g, &p->graph, err));
    p->slot_of = nod_calloc(g->n_values + 1, sizeof(int));
    if (!p->slot_of) {
        rc = nod_fail_memory(err, "plan", g->n_values * sizeof(int));
        goto out;
    }
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
    if (!p) return;
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        if (s->kernel) s->def->free(s->kernel);
        nod_free(s->layer);
        nod_free(s->node.in);
        nod_free(s->in);
        nod_free(s->out);
        nod_free(s->in_data);
        nod_free(s->out_data);
    }
    nod_free(p->steps);
    nod_free(p->slots);
    nod_free(p->slot_of);
    nod_free(p->arena);
    nod_free(p->scratch);
    nod_kernel_table_free(p->choices);
    nod_graph_free(p->graph);
    nod_free(p);
}

nod_plan_memory nod_plan_memory_of(const nod_plan *p)
{
    nod_plan_memory m = {.arena = p->arena_bytes, .scratch = p->scratch_bytes};
    for (size_t i = 0; i < p->n_slots; i++)
        if (p->slots[i].bound) m.bound += p->slots[i].bytes;
    return m;
}

int nod_plan_prepare(nod_plan *p, nod_error *err)
{
    size_t bytes = p->arena_bytes + p->scratch_bytes;
    NOD_ASSERT(!p->prepared);
    p->arena = nod_aligned_calloc(NOD_MAX(p->arena_bytes, 1));
    p->scratch = nod_aligned_calloc(NOD_MAX(p->scratch_bytes, 1));
    if (!p->arena || !p->scratch) {
        char text[32];
        nod_format_bytes((double)bytes, text, sizeof text);
        return nod_fail(
            err, NOD_ENOMEM,
            "the network needs %s of memory for a batch: take a smaller batch_size or "
            "smaller images",
            text);
    }
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        nod_layout in[NOD_NODE_IN_MAX];
        for (int k = 0; k < s->node.n_in; k++)
            in[k] = s->fit.in[k];
        nod_kernel_query q = {p->graph,      &s->node, p->options.precision,
                              s->fit.out[0], in,       p->options.frozen};
        int rc = s->def->create(&q, &s->fit, &s->kernel, err);
        if (rc) return nod_error_prefix(err, "layer '%s'", s->layer);
    }
    for (size_t i = 0; i < p->n_slots; i++)
        if (!p->slots[i].bound) p->slots[i].data = p->arena + p->slots[i].offset;
    p->prepared = true;
    return 0;
}

void nod_plan_bind(nod_plan *p, int value, void *data)
{
    NOD_ASSERT(value >= 0 && (size_t)value < p->graph->n_values);
    int slot = p->slot_of[value];
    if (slot < 0) return; /* pruned: nobody reads it */
    NOD_ASSERT(p->slots[slot].bound || p->slots[slot].kept);
    p->slots[slot].bound = true;
    p->slots[slot].data = data;
    p->resolved = false;
    p->constants_done = false;
}

void *nod_plan_data(const nod_plan *p, int value)
{
    int slot = value >= 0 && (size_t)value < p->graph->n_values ? p->slot_of[value] : -1;
    if (slot < 0 || !(p->slots[slot].bound || p->slots[slot].kept)) return NULL;
    return p->slots[slot].data;
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
    return (nod_plan_step){s->layer, s->def->name, s->op, s->time_s, s->macs};
}
