/* memory.c: where every buffer lies: liveness over the list of steps, reuse in place, and first-fit
 * by decreasing size into one arena. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

static size_t rounded(size_t bytes)
{
    return (bytes + NOD_ALIGNMENT - 1) / NOD_ALIGNMENT * NOD_ALIGNMENT;
}

static void find_lives(nod_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        for (int k = 0; k < s->node.n_out; k++)
            if (s->out[k] >= 0) {
                p->slots[s->out[k]].first = (int)i;
                p->slots[s->out[k]].last = NOD_MAX(p->slots[s->out[k]].last, (int)i);
            }
        for (int k = 0; k < s->node.n_in; k++)
            if (s->in[k] >= 0) p->slots[s->in[k]].last = (int)i;
    }
    for (size_t i = 0; i < p->n_slots; i++) {
        nod_slot *s = &p->slots[i];
        if (s->kept) s->last = (int)p->n_steps;
        if (s->constant && !s->bound) { /* kept from run to run */
            s->first = -1;
            s->last = (int)p->n_steps;
        }
    }
}

/* An output may take the memory of an input that dies in this step, if the kernel allows. Outputs
 * that the caller may bind keep their own. */
static void reuse_in_place(nod_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        for (int k = 0; k < s->node.n_out; k++) {
            int from = s->fit.inplace[k];
            if (s->out[k] < 0 || from < 0 || s->in[from] < 0 || s->constant) continue;
            nod_slot *out = &p->slots[s->out[k]], *in = &p->slots[s->in[from]];
            if (in->bound || in->shared || in->constant || in->kept || out->kept ||
                in->last != (int)i || out->alias >= 0 || in->bytes != out->bytes)
                continue;
            bool twice =
                false; /* the same buffer through two inputs, or taken by another output */
            for (int m = 0; m < s->node.n_in; m++)
                twice |= m != from && s->in[m] == s->in[from];
            for (int m = 0; m < k; m++)
                twice |= s->out[m] >= 0 && p->slots[s->out[m]].alias == s->in[from];
            if (!twice) out->alias = s->in[from];
        }
    }
}

static int root_of(const nod_plan *p, int slot)
{
    while (p->slots[slot].alias >= 0)
        slot = p->slots[slot].alias;
    return slot;
}

/* A root lives as long as all that share its memory. */
static void extend_roots(nod_plan *p)
{
    for (size_t i = 0; i < p->n_slots; i++) {
        int root = root_of(p, (int)i);
        p->slots[root].last = NOD_MAX(p->slots[root].last, p->slots[i].last);
    }
}

static bool lives_together(const nod_slot *a, const nod_slot *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static int by_size(const void *a, const void *b)
{
    const nod_slot *x = *(const nod_slot *const *)a, *y = *(const nod_slot *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int by_offset(const void *a, const void *b)
{
    const nod_slot *x = *(const nod_slot *const *)a, *y = *(const nod_slot *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Lowest gap among the placed slots that live together with `s`. */
static size_t find_gap(nod_slot **placed, size_t n, const nod_slot *s, nod_slot **busy)
{
    size_t m = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        if (lives_together(placed[i], s)) busy[m++] = placed[i];
    qsort(busy, m, sizeof *busy, by_offset);
    for (size_t i = 0; i < m; i++) {
        if (busy[i]->offset >= at + rounded(s->bytes)) break;
        at = NOD_MAX(at, busy[i]->offset + rounded(busy[i]->bytes));
    }
    return at;
}

int nod_plan_place(nod_plan *p, nod_error *err)
{
    size_t n = 0, done = 0;
    nod_slot **order = nod_calloc(p->n_slots + 1, sizeof(nod_slot *));
    nod_slot **busy = nod_calloc(p->n_slots + 1, sizeof(nod_slot *));
    if (!order || !busy) {
        nod_free(order);
        nod_free(busy);
        return nod_fail_memory(err, "memory plan", p->n_slots * sizeof *order);
    }
    find_lives(p);
    reuse_in_place(p);
    extend_roots(p);
    for (size_t i = 0; i < p->n_slots; i++)
        if (!p->slots[i].bound && p->slots[i].alias < 0) order[n++] = &p->slots[i];
    qsort(order, n, sizeof(nod_slot *), by_size);
    for (; done < n; done++) {
        order[done]->offset = find_gap(order, done, order[done], busy);
        p->arena_bytes =
            NOD_MAX(p->arena_bytes, order[done]->offset + rounded(order[done]->bytes));
    }
    for (size_t i = 0; i < p->n_slots; i++)
        p->slots[i].offset = p->slots[root_of(p, (int)i)].offset;
    for (size_t i = 0; i < p->n_steps; i++)
        p->scratch_bytes = NOD_MAX(p->scratch_bytes, rounded(p->steps[i].fit.scratch_bytes));
    nod_free(order);
    nod_free(busy);
    return 0;
}

bool nod_plan_memory_is_sound(const nod_plan *p)
{
    for (size_t i = 0; i < p->n_slots; i++)
        for (size_t j = i + 1; j < p->n_slots; j++) {
            const nod_slot *a = &p->slots[i], *b = &p->slots[j];
            if (a->bound || b->bound || a->alias >= 0 || b->alias >= 0) continue;
            bool overlap = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
            if (overlap && a->bytes && b->bytes && lives_together(a, b)) return false;
        }
    return true;
}
