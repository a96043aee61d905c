/* groups.c: equal pixels by sorting hashes; groups by union-find over twins and keys. */
#include "data/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cohort_label.h"
#include "data/patient.h"
#include "data/sets.h"
#include "data/unit_label.h"

typedef int (*compare_cases)(const nod_case *a, const nod_case *b);

struct sort_by {
    const nod_cohort *c;
    compare_cases compare;
};

static int by_pixels(const nod_case *a, const nod_case *b)
{
    return memcmp(a->pixels, b->pixels, sizeof a->pixels);
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

/* --- keys ------------------------------------------------------------------------------------- */

/* A word that two cases of one group have in common. */
typedef struct key {
    const char *text; /* [length] */
    size_t length, i_case;
} key;

typedef struct keys {
    key *items;
    size_t n, cap;
} keys;

static int compare_keys(const void *a, const void *b)
{
    const key *x = a, *y = b;
    int order = memcmp(x->text, y->text, NOD_MIN(x->length, y->length));
    if (order == 0) order = (x->length > y->length) - (x->length < y->length);
    return order ? order : (x->i_case > y->i_case) - (x->i_case < y->i_case);
}

static bool same_key(const key *a, const key *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static int add_key(keys *k, const char *text, size_t length, size_t i_case, nod_error *err)
{
    if (length == 0) return 0;
    if (!nod_grow((void **)&k->items, &k->cap, k->n + 1, sizeof *k->items))
        return nod_fail_memory(err, "keys of cases", (k->n + 1) * sizeof *k->items);
    k->items[k->n++] = (key){text, length, i_case};
    return 0;
}

/* A patient's own id and the other ones that the file names. */
static int add_patient(keys *out, const nod_case *k, size_t i, nod_error *err)
{
    int rc = nod_patient_is_dummy(k->patient, false)
                 ? 0
                 : add_key(out, k->patient, strlen(k->patient), i, err);
    for (const char *id = k->other_ids; *id && rc == 0;) {
        size_t n = strcspn(id, "|");
        rc = add_key(out, id, n, i, err);
        id += n + (id[n] == '|');
    }
    return rc;
}

static void unite_keys(keys *k, size_t *parent)
{
    if (k->n > 1) qsort(k->items, k->n, sizeof *k->items, compare_keys);
    for (size_t i = 1; i < k->n; i++)
        if (same_key(&k->items[i - 1], &k->items[i]))
            nod_sets_unite(parent, k->items[i - 1].i_case, k->items[i].i_case);
    k->n = 0;
}

static int unite_patients(const nod_cohort *c, size_t *parent, nod_error *err)
{
    keys k = {0};
    int rc = 0;
    for (size_t i = 0; i < nod_cohort_size(c); i++)
        NOD_TRY(add_patient(&k, nod_cohort_get(c, i), i, err));
    unite_keys(&k, parent);
out:
    nod_free(k.items);
    return rc;
}

static int unite_studies(const nod_cohort *c, size_t *parent, nod_error *err)
{
    keys k = {0};
    int rc = 0;
    for (size_t i = 0; i < nod_cohort_size(c); i++) {
        const char *study = nod_cohort_get(c, i)->study;
        NOD_TRY(add_key(&k, study, strlen(study), i, err));
    }
    unite_keys(&k, parent);
out:
    nod_free(k.items);
    return rc;
}

int nod_patients_find(const nod_cohort *c, size_t *first, nod_error *err)
{
    size_t n = nod_cohort_size(c);
    for (size_t i = 0; i < n; i++)
        first[i] = i;
    int rc = unite_patients(c, first, err);
    for (size_t i = 0; i < n && rc == 0; i++)
        first[i] = nod_sets_root(first, i);
    return rc;
}

int nod_groups_make(const nod_cohort *c, const nod_case_pair *pairs, size_t n_pairs,
                    nod_groups *out, nod_error *err)
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
        nod_sets_unite(parent, i, g.twin[i]);
    for (size_t i = 0; i < n_pairs; i++)
        nod_sets_unite(parent, pairs[i].i, pairs[i].j);
    NOD_TRY(unite_patients(c, parent, err));
    NOD_TRY(unite_studies(c, parent, err));
    for (size_t i = 0; i < n; i++) {
        size_t r = nod_sets_root(parent, i);
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

/* --- suspects --------------------------------------------------------------------------------- */

static int add_suspects(const keys *k, const nod_groups *g, nod_suspicion why,
                        nod_suspects *out, nod_error *err)
{
    for (size_t begin = 0, end; begin < k->n; begin = end) {
        size_t first = k->items[begin].i_case;
        for (end = begin + 1; end < k->n && same_key(&k->items[begin], &k->items[end]); end++) {
            size_t i = k->items[end].i_case;
            bool known = g->group[i] == g->group[first];
            for (size_t s = out->n; s-- > 0 && !known && out->items[s].cases.i == first;)
                known = g->group[out->items[s].cases.j] == g->group[i];
            if (known) continue;
            if (!nod_grow((void **)&out->items, &out->cap, out->n + 1, sizeof *out->items))
                return nod_fail_memory(err, "suspects", (out->n + 1) * sizeof *out->items);
            out->items[out->n++] = (nod_suspect){{first, i}, why};
        }
    }
    return 0;
}

int nod_suspects_find(const nod_cohort *c, const nod_groups *g, nod_suspects *out,
                      nod_error *err)
{
    nod_suspects found = {0};
    keys k = {0};
    int rc = 0;
    for (int why = NOD_SUSPECT_PERSON; why <= (int)NOD_SUSPECT_FRAME; why++) {
        k.n = 0;
        for (size_t i = 0; i < g->n; i++) {
            const nod_case *one = nod_cohort_get(c, i);
            const char *text =
                why == NOD_SUSPECT_PERSON ? one->person : one->frame_of_reference;
            NOD_TRY(add_key(&k, text, strlen(text), i, err));
        }
        if (k.n > 1) qsort(k.items, k.n, sizeof *k.items, compare_keys);
        NOD_TRY(add_suspects(&k, g, (nod_suspicion)why, &found, err));
    }
    *out = found;
    found = (nod_suspects){0};
out:
    nod_suspects_done(&found);
    nod_free(k.items);
    return rc;
}

void nod_suspects_done(nod_suspects *s)
{
    nod_free(s->items);
    *s = (nod_suspects){0};
}

/* --- counts ----------------------------------------------------------------------------------- */

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
        if (!nod_patient_is_dummy(nod_cohort_get(c, i)->patient, false))
            p[known++] = nod_cohort_get(c, i)->patient;
    qsort(p, known, sizeof *p, compare_strings);
    for (size_t i = 0; i < known; i++)
        f->patients += i == 0 || strcmp(p[i], p[i - 1]) != 0;
    f->without_patient = n - known;
    nod_free(p);
    return 0;
}

static int count_units(const nod_cohort *c, nod_cohort_findings *f, nod_error *err)
{
    nod_units_of_cases u = {0};
    nod_follow_ups again;
    int rc = nod_units_of_cases_make(c, nod_cohort_get_info(c)->unit, &u, err);
    if (rc == 0) rc = nod_follow_ups_find(c, NULL, &again, err);
    if (rc == 0) {
        f->units = u.n_units;
        f->follow_up_patients = again.patients;
        f->follow_up_studies = again.studies;
    }
    nod_units_of_cases_done(&u);
    return rc;
}

int nod_cohort_find_all(const nod_cohort *c, nod_cohort_findings *out, nod_error *err)
{
    nod_cohort_findings f = {0};
    nod_groups g = {0};
    size_t n = nod_cohort_size(c);
    int rc = nod_groups_make(c, NULL, 0, &g, err);
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
    NOD_TRY(count_units(c, &f, err));
    *out = f;
out:
    nod_free(size);
    nod_free(parted);
    nod_groups_done(&g);
    return rc;
}
