/* memory.c: where every buffer lies.
 *
 * Slots that share memory (views, and outputs written over an input that dies) form a chain that
 * ends in its root; a root has one interval of steps and one offset. Intervals that meet get
 * disjoint bytes: largest first, each into the smallest gap that holds it. Constants and outputs
 * that the caller did not bind live on between runs, behind the arena. */
#include <stdlib.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

/* In the arena, as against the caller's memory or memory of its own. */
static bool is_temporary(const nod_slot *s)
{
    return !s->source && !s->kept && !s->constant;
}

/* Chains are views so far. */
static void find_lives(nod_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        const nod_step *s = &p->steps[i];
        for (int k = 0; k < s->node.n_out; k++) {
            int out = nod_step_out(p, s, k);
            if (out < 0) continue;
            p->slots[out].first = (int)i;
            p->slots[out].last = NOD_MAX(p->slots[out].last, (int)i);
        }
        for (int k = 0; k < s->node.n_in; k++) {
            int in = nod_step_in(p, s, k);
            if (in >= 0) p->slots[p->slots[in].root].last = (int)i;
        }
    }
}

/* Output k of step i may take the memory of input `from`: the last use of all that lies there. */
static bool may_take(const nod_plan *p, size_t i, int k, int from)
{
    const nod_step *s = &p->steps[i];
    int in = nod_step_in(p, s, from), out = nod_step_out(p, s, k);
    if (in < 0) return false;
    int root = p->slots[in].root;
    const nod_slot *r = &p->slots[root];
    if (!is_temporary(r) || !is_temporary(&p->slots[out]) || r->last != (int)i ||
        p->slots[in].bytes != p->slots[out].bytes)
        return false;
    for (int m = 0; m < s->node.n_in; m++) /* read through another input too */
        if (m != from && nod_step_in(p, s, m) >= 0 &&
            p->slots[nod_step_in(p, s, m)].root == root)
            return false;
    for (int m = 0; m < k; m++) /* taken by another output */
        if (nod_step_out(p, s, m) >= 0 && p->slots[nod_step_out(p, s, m)].root == root)
            return false;
    return true;
}

static void reuse_in_place(nod_plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        const nod_step *s = &p->steps[i];
        for (int k = 0; k < s->node.n_out; k++) {
            int from = s->fit.inplace[k], out = nod_step_out(p, s, k);
            if (out < 0 || from < 0 || s->constant || !may_take(p, i, k, from)) continue;
            int in = nod_step_in(p, s, from), root = p->slots[in].root;
            p->slots[root].last = NOD_MAX(p->slots[root].last, p->slots[out].last);
            p->slots[out].alias = in;
            for (size_t v = 0; v < p->n_slots; v++) /* the output and its views */
                if (p->slots[v].root == out) p->slots[v].root = root;
        }
    }
}

/* --- offsets ------------------------------------------------------------------------------ */

static bool live_together(const nod_slot *a, const nod_slot *b)
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
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The smallest gap between the placed slots that live together with `s`, else behind them. */
static size_t find_gap(nod_slot **placed, size_t n, const nod_slot *s, nod_slot **busy)
{
    size_t m = 0, end = 0, need = nod_aligned_size(s->bytes), best = SIZE_MAX,
           best_gap = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (live_together(placed[i], s)) busy[m++] = placed[i];
    qsort(busy, m, sizeof(nod_slot *), by_offset);
    for (size_t i = 0; i < m; i++) {
        if (busy[i]->offset > end && busy[i]->offset - end >= need &&
            busy[i]->offset - end < best_gap) {
            best = end;
            best_gap = busy[i]->offset - end;
        }
        end = NOD_MAX(end, busy[i]->offset + nod_aligned_size(busy[i]->bytes));
    }
    return best != SIZE_MAX ? best : end;
}

int nod_plan_place(nod_plan *p, nod_error *err)
{
    size_t n = 0;
    nod_slot **order = nod_calloc(p->n_slots + 1, sizeof(nod_slot *));
    nod_slot **busy = nod_calloc(p->n_slots + 1, sizeof(nod_slot *));
    if (order == NULL || busy == NULL) {
        nod_free(order);
        nod_free(busy);
        return nod_fail_memory(err, "a memory plan", p->n_slots * sizeof *order);
    }
    find_lives(p);
    reuse_in_place(p);
    for (size_t i = 0; i < p->n_slots; i++)
        if (is_temporary(&p->slots[i]) && p->slots[i].root == (int)i) order[n++] = &p->slots[i];
    qsort(order, n, sizeof(nod_slot *), by_size);
    for (size_t i = 0; i < n; i++) {
        order[i]->offset = find_gap(order, i, order[i], busy);
        p->arena_bytes =
            NOD_MAX(p->arena_bytes, order[i]->offset + nod_aligned_size(order[i]->bytes));
    }
    for (size_t i = 0; i < p->n_steps; i++)
        p->scratch_bytes =
            NOD_MAX(p->scratch_bytes, nod_aligned_size(p->steps[i].fit.scratch_bytes));
    nod_free(order);
    nod_free(busy);
    return 0;
}

/* A root that lives on between runs in the plan's memory. */
static bool is_persistent(const nod_plan *p, size_t i)
{
    const nod_slot *s = &p->slots[i];
    return !s->source && s->root == (int)i && !is_temporary(s) && s->bound == NULL;
}

size_t nod_plan_persistent_bytes(const nod_plan *p)
{
    size_t bytes = 0;
    for (size_t i = 0; i < p->n_slots; i++)
        if (is_persistent(p, i)) bytes += nod_aligned_size(p->slots[i].bytes);
    return bytes;
}

void nod_plan_place_persistent(nod_plan *p)
{
    size_t at = p->arena_bytes;
    for (size_t i = 0; i < p->n_slots; i++)
        if (is_persistent(p, i)) {
            p->slots[i].offset = at;
            at += nod_aligned_size(p->slots[i].bytes);
        }
}

bool nod_plan_memory_is_sound(const nod_plan *p)
{
    for (size_t i = 0; i < p->n_slots; i++)
        for (size_t j = i + 1; j < p->n_slots; j++) {
            const nod_slot *a = &p->slots[i], *b = &p->slots[j];
            if (!is_temporary(a) || !is_temporary(b) || a->root != (int)i || b->root != (int)j)
                continue;
            bool overlap = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
            if (overlap && live_together(a, b)) return false;
        }
    return true;
}
