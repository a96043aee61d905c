/* overlap.c: a sorted table of what is known, asked for each case; see overlap.h. */
#include "data/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/patient.h"

const char *nod_overlap_name(nod_overlap_kind kind)
{
    static const char *const names[] = {"same pixels", "same study", "same patient",
                                        "same name, birth date and sex",
                                        "same frame of reference"};
    return names[kind];
}

/* A word by which a case is known; not terminated. */
typedef struct word {
    nod_overlap_kind kind;
    const char *text;
    size_t length, i_case;
} word;

typedef struct words {
    word *items;
    size_t n, cap;
} words;

static int compare_words(const void *a, const void *b)
{
    const word *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    int order = memcmp(x->text, y->text, NOD_MIN(x->length, y->length));
    if (order == 0) order = (x->length > y->length) - (x->length < y->length);
    return order;
}

static int compare_words_and_cases(const void *a, const void *b)
{
    int order = compare_words(a, b);
    size_t i = ((const word *)a)->i_case, j = ((const word *)b)->i_case;
    return order ? order : (i > j) - (i < j);
}

static int add_word(words *w, nod_overlap_kind kind, const char *text, size_t length,
                    size_t i_case, nod_error *err)
{
    if (length == 0) return 0;
    if (!nod_grow((void **)&w->items, &w->cap, w->n + 1, sizeof *w->items))
        return nod_fail_memory(err, "words of cases", (w->n + 1) * sizeof *w->items);
    w->items[w->n++] = (word){kind, text, length, i_case};
    return 0;
}

static int add_case(words *w, const nod_case *k, size_t i, bool patients, nod_error *err)
{
    int rc = 0;
    if (!k->constant)
        NOD_TRY(add_word(w, NOD_OVERLAP_PIXELS, k->pixels, strlen(k->pixels), i, err));
    NOD_TRY(add_word(w, NOD_OVERLAP_STUDY, k->study, strlen(k->study), i, err));
    NOD_TRY(add_word(w, NOD_OVERLAP_PERSON, k->person, strlen(k->person), i, err));
    NOD_TRY(add_word(w, NOD_OVERLAP_FRAME, k->frame_of_reference, strlen(k->frame_of_reference),
                     i, err));
    if (!patients) goto out;
    if (!nod_patient_is_dummy(k->patient, true))
        NOD_TRY(add_word(w, NOD_OVERLAP_PATIENT, k->patient, strlen(k->patient), i, err));
    for (const char *id = k->other_ids; *id;) {
        size_t n = strcspn(id, "|");
        NOD_TRY(add_word(w, NOD_OVERLAP_PATIENT, id, n, i, err));
        id += n + (id[n] == '|');
    }
out:
    return rc;
}

/* Equal ids of the two mean the same person. */
static bool name_patients_alike(const nod_cohort *a, const nod_cohort *b)
{
    const nod_cohort_info *x = nod_cohort_get_info(a), *y = nod_cohort_get_info(b);
    if (x->grouping != y->grouping || x->grouping == NOD_GROUPING_NONE) return false;
    return x->grouping == NOD_GROUPING_DECLARED ||
           strcmp(x->grouping_rule, y->grouping_rule) == 0;
}

static void keep_first(words *w)
{
    size_t n = 0;
    if (w->n > 1) qsort(w->items, w->n, sizeof *w->items, compare_words_and_cases);
    for (size_t i = 0; i < w->n; i++)
        if (n == 0 || compare_words(&w->items[n - 1], &w->items[i]) != 0)
            w->items[n++] = w->items[i];
    w->n = n;
}

static const word *find_strongest(const words *all, const words *own)
{
    const word *strongest = NULL;
    for (size_t k = 0; k < own->n && all->n; k++) {
        const word *met =
            bsearch(&own->items[k], all->items, all->n, sizeof *all->items, compare_words);
        if (met && (!strongest || met->kind < strongest->kind)) strongest = met;
    }
    return strongest;
}

static int add_overlap(nod_overlaps *o, const nod_overlap *x, nod_error *err)
{
    if (!nod_grow((void **)&o->items, &o->cap, o->n + 1, sizeof *o->items))
        return nod_fail_memory(err, "cases that are known", (o->n + 1) * sizeof *o->items);
    o->items[o->n++] = *x;
    return 0;
}

int nod_overlaps_find(const nod_cohort *known, const nod_split *split, const nod_cohort *c,
                      nod_overlaps *out, nod_error *err)
{
    words all = {0}, own = {0};
    nod_overlaps o = {.patients_compared = name_patients_alike(known, c)};
    int rc = 0;
    for (size_t i = 0; i < nod_cohort_size(known); i++) {
        nod_part part = nod_split_part(split, i);
        if (part != NOD_PART_TRAIN && part != NOD_PART_VAL) continue;
        NOD_TRY(add_case(&all, nod_cohort_get(known, i), i, o.patients_compared, err));
    }
    keep_first(&all);
    for (size_t i = 0; i < nod_cohort_size(c); i++) {
        own.n = 0;
        NOD_TRY(add_case(&own, nod_cohort_get(c, i), i, o.patients_compared, err));
        const word *met = find_strongest(&all, &own);
        if (!met) continue;
        o.n_suspects += nod_overlap_is_suspect(met->kind);
        const nod_overlap x = {.i_case = i, .i_known = met->i_case, .kind = met->kind};
        NOD_TRY(add_overlap(&o, &x, err));
    }
    *out = o;
    o = (nod_overlaps){0};
out:
    nod_overlaps_done(&o);
    nod_free(all.items);
    nod_free(own.items);
    return rc;
}

void nod_overlaps_done(nod_overlaps *o)
{
    nod_free(o->items);
    *o = (nod_overlaps){0};
}
