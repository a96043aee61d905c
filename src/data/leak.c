/* leak.c: gathers what groups.c and near.c find into one table. */
#include "data/leak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "data/cohort_label.h"
#include "data/sets.h"

const char *nod_leak_name(nod_leak_kind kind)
{
    static const char *const names[] = {"equal pixels", "near-duplicate", "same person",
                                        "same frame of reference"};
    return names[kind];
}

static nod_part part_of(const nod_cohort *c, const nod_split *split, size_t i)
{
    return split ? nod_split_part(split, i) : nod_cohort_get(c, i)->official;
}

static int add_row(nod_leaks *l, const nod_leak_row *row, nod_error *err)
{
    if (!nod_grow((void **)&l->rows, &l->cap, l->n + 1, sizeof *l->rows))
        return nod_fail_memory(err, "a table of leaks", (l->n + 1) * sizeof *l->rows);
    l->rows[l->n++] = *row;
    return 0;
}

/* A row within a cohort; its set is filled in at the end. */
static int add_pair(nod_leaks *l, const nod_cohort *c, const nod_split *split,
                    nod_leak_kind kind, size_t i, size_t j, const nod_similar_pair *near,
                    nod_error *err)
{
    nod_leak_row row = {.kind = kind,
                        .i = i,
                        .j = j,
                        .of_i = part_of(c, split, i),
                        .of_j = part_of(c, split, j),
                        .other_label = !nod_cohort_same_label(c, i, j)};
    if (near) row.near = *near;
    return add_row(l, &row, err);
}

/* --- sets and counts ---------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const nod_leak_row *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->set != y->set) return x->set < y->set ? -1 : 1;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

/* Numbers what hangs together by rows of one kind, and counts. `n` nodes: the cases of the first cohort,
 * then those of the other from `shift` on. */
static int number_sets(nod_leaks *l, size_t n, size_t shift, nod_error *err)
{
    size_t *parent = nod_calloc(n, sizeof *parent), *set = nod_calloc(n, sizeof *set);
    int rc = 0;
    if (!parent || !set) {
        rc = nod_fail_memory(err, "sets of cases", 2 * n * sizeof *parent);
        goto out;
    }
    for (int kind = 0; kind < NOD_LEAK_KINDS; kind++) {
        for (size_t i = 0; i < n; i++)
            parent[i] = i;
        memset(set, 0, n * sizeof *set);
        for (size_t k = 0; k < l->n; k++) {
            if ((int)l->rows[k].kind != kind) continue;
            nod_sets_unite(parent, l->rows[k].i, l->rows[k].j + shift);
        }
        for (size_t k = 0; k < l->n; k++) {
            nod_leak_row *r = &l->rows[k];
            if ((int)r->kind != kind) continue;
            size_t root = nod_sets_root(parent, r->i);
            if (set[root] == 0) set[root] = ++l->n_sets[kind];
            r->set = set[root];
            l->n_rows[kind]++;
            l->n_parted[kind] += shift == 0 && r->of_i != NOD_PART_OUT &&
                                 r->of_j != NOD_PART_OUT && r->of_i != r->of_j;
        }
    }
    if (l->n > 0) qsort(l->rows, l->n, sizeof *l->rows, compare_rows);
out:
    nod_free(parent);
    nod_free(set);
    return rc;
}

/* --- within a cohort ---------------------------------------------------------------------- */

/* Every further case with the same pixels beside the first. */
static int add_equal(nod_leaks *l, const nod_cohort *c, const nod_split *split,
                     const nod_groups *g, nod_error *err)
{
    int rc = 0;
    size_t n_firsts = 0, n_contradictory = 0;
    bool *met = nod_calloc(g->n, sizeof *met);
    if (met == NULL) return nod_fail_memory(err, "equal images", g->n);
    for (size_t i = 0; i < g->n && rc == 0; i++) {
        size_t first = g->twin[i];
        if (first == i) continue;
        n_firsts += !met[first];
        n_contradictory += !met[first] && g->contradictory[first];
        met[first] = true;
        rc = add_pair(l, c, split, NOD_LEAK_PIXELS, first, i, NULL, err);
    }
    l->n_equal_cases = n_firsts + l->n;
    l->n_contradictory_sets = n_contradictory;
    nod_free(met);
    return rc;
}

int nod_leaks_find(const nod_cohort *c, const nod_split *split, const nod_near_options *o,
                   nod_leaks *out, nod_error *err)
{
    nod_leaks l = {0};
    nod_groups g = {0};
    nod_suspects suspects = {0};
    nod_near near = {0};
    int rc = 0;
    NOD_TRY(nod_groups_make(c, NULL, 0, &g, err));
    NOD_TRY(add_equal(&l, c, split, &g, err));
    NOD_TRY(nod_near_find(c, &g, o, &near, err));
    for (size_t k = 0; k < near.n; k++)
        NOD_TRY(add_pair(&l, c, split, NOD_LEAK_NEAR, near.pairs[k].i, near.pairs[k].j,
                         &near.pairs[k], err));
    NOD_TRY(nod_suspects_find(c, &g, &suspects, err));
    for (size_t k = 0; k < suspects.n; k++) {
        const nod_suspect *s = &suspects.items[k];
        NOD_TRY(add_pair(&l, c, split,
                         s->why == NOD_SUSPECT_PERSON ? NOD_LEAK_PERSON : NOD_LEAK_FRAME,
                         s->cases.i, s->cases.j, NULL, err));
    }
    NOD_TRY(number_sets(&l, nod_cohort_size(c), 0, err));
    l.n_silent = near.n_silent;
    l.bytes = near.bytes;
    *out = l;
    l = (nod_leaks){0};
out:
    nod_groups_done(&g);
    nod_suspects_done(&suspects);
    nod_near_done(&near);
    nod_leaks_done(&l);
    return rc;
}

/* --- between two -------------------------------------------------------------------------- */

int nod_leaks_find_between(const nod_cohort *c, const nod_split *split, const nod_cohort *other,
                           const nod_near_options *o, nod_leaks *out, nod_error *err)
{
    nod_leaks l = {0};
    nod_near near = {0};
    size_t n = nod_cohort_size(c);
    int rc = 0;
    NOD_TRY(nod_near_find_between(c, other, o, &near, err));
    for (size_t k = 0; k < near.n; k++) {
        const nod_similar_pair *p = &near.pairs[k];
        const nod_case *a = nod_cohort_get(c, p->i), *b = nod_cohort_get(other, p->j);
        bool equal = strcmp(a->pixels, b->pixels) == 0;
        nod_leak_row row = {.kind = equal ? NOD_LEAK_PIXELS : NOD_LEAK_NEAR,
                            .i = p->i,
                            .j = p->j,
                            .of_i = part_of(c, split, p->i),
                            .of_j = NOD_PART_OUT,
                            .near = *p};
        l.n_equal_cases += equal;
        NOD_TRY(add_row(&l, &row, err));
    }
    NOD_TRY(number_sets(&l, n + nod_cohort_size(other), n, err));
    l.n_silent = near.n_silent;
    l.bytes = near.bytes;
    *out = l;
    l = (nod_leaks){0};
out:
    nod_near_done(&near);
    nod_leaks_done(&l);
    return rc;
}

void nod_leaks_done(nod_leaks *l)
{
    nod_free(l->rows);
    *l = (nod_leaks){0};
}

/* --- the table ---------------------------------------------------------------------------- */

static const char *part_text(nod_part p)
{
    return p == NOD_PART_OUT ? "" : nod_part_name(p);
}

void nod_leaks_add_csv(const nod_leaks *l, const nod_cohort *c, const nod_cohort *other,
                       nod_strbuf *out)
{
    nod_strbuf_printf(out,
                      "what,set,case,other,part,other_part,labels,correlation,local,kind\n");
    for (size_t k = 0; k < l->n; k++) {
        const nod_leak_row *r = &l->rows[k];
        char kind[64] = "", set[24];
        snprintf(set, sizeof set, "%zu", r->set);
        const char *fields[] = {nod_leak_name(r->kind),
                                set,
                                nod_cohort_get(c, r->i)->id,
                                nod_cohort_get(other ? other : c, r->j)->id,
                                part_text(r->of_i),
                                part_text(r->of_j),
                                other            ? ""
                                : r->other_label ? "differ"
                                                 : "same"};
        for (size_t f = 0; f < NOD_COUNT(fields); f++)
            nod_csv_add_field(out, fields[f], f == 0);
        if (r->kind == NOD_LEAK_NEAR) {
            nod_similar_kind(&r->near, kind, sizeof kind);
            nod_strbuf_printf(out, ",%.4f,%.4f,%s\n", r->near.correlation, r->near.local, kind);
        } else {
            nod_strbuf_printf(out, ",,,\n");
        }
    }
}
