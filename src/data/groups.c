/* groups.c: equal pixels by sorting hashes; groups by union-find over twins and patients. */
#include "data/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cohort_label.h"

typedef int (*compare_cases)(const nod_case *a, const nod_case *b);

struct sort_by {
    const nod_cohort *c;
    compare_cases compare;
};

static int by_pixels(const nod_case *a, const nod_case *b)
{
    return memcmp(a->pixels, b->pixels, sizeof a->pixels);
}

static int by_patient(const nod_case *a, const nod_case *b)
{
    return strcmp(a->patient, b->patient);
}

static int compare_order(const void *a, const void *b, void *ctx)
{
    const struct sort_by *s = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = s->compare(nod_cohort_get(s->c, i), nod_cohort_get(s->c, j));
    return order ? order : (i > j) - (i < j);
}

/* Order of the cases by a key, equal ones in the order of the cohort. */
static void sort_cases(const nod_cohort *c, compare_cases compare, size_t *order)
{
    struct sort_by s = {c, compare};
    size_t n = nod_cohort_size(c);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, compare_order, &s);
}

/* Root of i; roots are the lowest member, so that groups are numbered in the cohort's order. */
static size_t root_of(size_t *parent, size_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static void unite(size_t *parent, size_t i, size_t j)
{
    i = root_of(parent, i);
    j = root_of(parent, j);
    if (i < j)
        parent[j] = i;
    else
        parent[i] = j;
}

/* Fills twin and contradictory from `order`, sorted by pixels. */
static void find_twins(const nod_cohort *c, const size_t *order, nod_groups *g)
{
    for (size_t begin = 0, end; begin < g->n; begin = end) {
        const nod_case *first = nod_cohort_get(c, order[begin]);
        bool differ = false;
        for (end = begin + 1; end < g->n; end++) {
            if (by_pixels(first, nod_cohort_get(c, order[end])) != 0) break;
            differ |= !nod_cohort_same_label(c, order[begin], order[end]);
        }
        for (size_t i = begin; i < end; i++) {
            g->twin[order[i]] = first->constant ? order[i] : order[begin];
            g->contradictory[order[i]] = differ && !first->constant;
        }
    }
}

static void unite_patients(const nod_cohort *c, const size_t *order, size_t *parent)
{
    for (size_t i = 1; i < nod_cohort_size(c); i++) {
        const nod_case *a = nod_cohort_get(c, order[i - 1]), *b = nod_cohort_get(c, order[i]);
        if (*a->patient && strcmp(a->patient, b->patient) == 0)
            unite(parent, order[i - 1], order[i]);
    }
}

int nod_groups_make(const nod_cohort *c, nod_groups *out, nod_error *err)
{
    size_t n = nod_cohort_size(c);
    nod_groups g = {.n = n};
    size_t *order = nod_calloc(n, sizeof *order), *parent = nod_calloc(n, sizeof *parent);
    int rc = 0;
    g.twin = nod_calloc(n, sizeof *g.twin);
    g.contradictory = nod_calloc(n, sizeof *g.contradictory);
    g.group = nod_calloc(n, sizeof *g.group);
    if (!order || !parent || !g.twin || !g.contradictory || !g.group) {
        rc = nod_fail_memory(err, "groups of cases", n * 4 * sizeof *order);
        goto out;
    }
    sort_cases(c, by_pixels, order);
    find_twins(c, order, &g);
    for (size_t i = 0; i < n; i++)
        parent[i] = i;
    for (size_t i = 0; i < n; i++)
        unite(parent, i, g.twin[i]);
    sort_cases(c, by_patient, order);
    unite_patients(c, order, parent);
    for (size_t i = 0; i < n; i++) {
        size_t r = root_of(parent, i);
        g.group[i] = r == i ? g.n_groups++ : g.group[r];
    }
    *out = g;
    g = (nod_groups){0};
out:
    nod_groups_done(&g);
    nod_free(order);
    nod_free(parent);
    return rc;
}

void nod_groups_done(nod_groups *g)
{
    nod_free(g->twin);
    nod_free(g->contradictory);
    nod_free(g->group);
    *g = (nod_groups){0};
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct known patients. */
static int count_patients(const nod_cohort *c, nod_cohort_findings *f, nod_error *err)
{
    size_t n = nod_cohort_size(c), known = 0;
    const char **p = nod_calloc(n, sizeof *p);
    if (p == NULL) return nod_fail_memory(err, "a list of patients", n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        if (*nod_cohort_get(c, i)->patient) p[known++] = nod_cohort_get(c, i)->patient;
    qsort(p, known, sizeof *p, compare_strings);
    for (size_t i = 0; i < known; i++)
        f->patients += i == 0 || strcmp(p[i], p[i - 1]) != 0;
    f->without_patient = n - known;
    nod_free(p);
    return 0;
}

int nod_cohort_find_all(const nod_cohort *c, nod_cohort_findings *out, nod_error *err)
{
    nod_cohort_findings f = {0};
    nod_groups g = {0};
    size_t n = nod_cohort_size(c);
    int rc = nod_groups_make(c, &g, err);
    if (rc) return rc;
    size_t *size = nod_calloc(n, sizeof *size);
    bool *parted = nod_calloc(n, sizeof *parted);
    if (!size || !parted) {
        rc = nod_fail_memory(err, "sets of equal images", n * sizeof *size);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        size[g.twin[i]]++;
        parted[g.twin[i]] |=
            nod_cohort_get(c, i)->official != nod_cohort_get(c, g.twin[i])->official;
    }
    for (size_t i = 0; i < n; i++) {
        f.constant += nod_cohort_get(c, i)->constant;
        f.contradictory_cases += g.contradictory[i];
        if (size[i] < 2) continue;
        f.duplicate_sets++;
        f.duplicate_cases += size[i];
        f.contradictory_sets += g.contradictory[i];
        f.parted_sets += parted[i];
    }
    NOD_TRY(count_patients(c, &f, err));
    *out = f;
out:
    nod_free(size);
    nod_free(parted);
    nod_groups_done(&g);
    return rc;
}
