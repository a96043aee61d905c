/* split_wanted.c: dividing a cohort whose cases have a part that they want: the official one, or the
 * one that follows from a fact (split_by.c).
 *
 * What is wanted is kept where it parts no group: in a group with several parts the highest wins, test
 * above validation above training, and the cases of the others are left out. A part that nobody wants
 * is dealt out of training. */
#include <string.h>

#include "data/split_state.h"

/* Test outranks validation outranks training. */
static int rank(nod_part p)
{
    return p == NOD_PART_OUT ? -1 : (int)p;
}

/* Highest part wanted in each group; *n_of counts images by part. */
static void find_tops(const nod_groups *g, const uint8_t *wanted, uint8_t *top,
                      size_t n_of[NOD_PARTS])
{
    memset(top, NOD_PART_OUT, g->n_groups);
    for (size_t i = 0; i < g->n; i++) {
        nod_part p = (nod_part)wanted[i];
        uint8_t *t = &top[g->group[i]];
        if (p == NOD_PART_OUT) continue;
        n_of[p]++;
        if (rank(p) > rank((nod_part)*t)) *t = wanted[i];
    }
}

/* The first case of the highest part wanted in each set (`set` is g->twin or g->group). */
static void find_highest(size_t n, const size_t *set, const uint8_t *wanted, size_t *highest)
{
    for (size_t i = 0; i < n; i++)
        highest[i] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t *h = &highest[set[i]];
        if (*h == SIZE_MAX || rank((nod_part)wanted[i]) > rank((nod_part)wanted[*h])) *h = i;
    }
}

/* Parts of the cases: the wanted one, or out where the group has a higher one or none is known. Groups
 * that want training throughout go where they were dealt to. */
static int apply(nod_split *s, const nod_groups *g, const uint8_t *wanted, const uint8_t *to,
                 nod_error *err)
{
    int rc = 0;
    size_t *of_group = nod_calloc(s->n, sizeof *of_group),
           *of_twin = nod_calloc(s->n, sizeof *of_twin);
    if (!of_group || !of_twin) {
        rc = nod_fail_memory(err, "groups", s->n * sizeof *of_group);
        goto out;
    }
    find_highest(s->n, g->group, wanted, of_group);
    find_highest(s->n, g->twin, wanted, of_twin);
    for (size_t i = 0; i < s->n; i++) {
        size_t by_group = of_group[g->group[i]], by_twin = of_twin[g->twin[i]];
        nod_split_note note = {.i_case = i, .i_other = i, .from = NOD_PART_OUT};
        if (wanted[i] != NOD_PART_OUT && wanted[i] == wanted[by_group]) {
            s->part[i] = to[g->group[i]];
            continue;
        }
        if (wanted[i] == NOD_PART_OUT) {
            note.kind = NOD_NOTE_UNKNOWN;
        } else {
            bool same_pixels = wanted[i] != wanted[by_twin];
            note.from = (nod_part)wanted[i];
            note.i_other = same_pixels ? by_twin : by_group;
            note.kind = same_pixels ? NOD_NOTE_PIXELS_IN_HIGHER : NOD_NOTE_PATIENT_IN_HIGHER;
        }
        s->part[i] = NOD_PART_OUT;
        NOD_TRY(nod_split_add_note(s, &note, err));
    }
out:
    nod_free(of_group);
    nod_free(of_twin);
    return rc;
}

int nod_split_assign_wanted(nod_split *s, const nod_cohort *c, const nod_groups *g,
                            const uint8_t *wanted, bool *completed, nod_error *err)
{
    size_t n_of[NOD_PARTS] = {0};
    double fraction[NOD_PARTS];
    uint8_t *top = nod_calloc(g->n_groups, 1), *to = nod_calloc(g->n_groups, 1);
    bool *dealt = nod_calloc(g->n_groups, sizeof *dealt);
    int rc = 0;
    *completed = false;
    if (!top || !to || !dealt) {
        rc = nod_fail_memory(err, "groups", g->n_groups);
        goto out;
    }
    find_tops(g, wanted, top, n_of);
    memcpy(to, top, g->n_groups);
    for (int p = 0; p < NOD_PARTS; p++) {
        fraction[p] = p == NOD_PART_TRAIN || n_of[p] == 0 ? s->fraction[p] : 0;
        *completed = *completed || n_of[p] == 0;
    }
    if (*completed) {
        for (size_t i = 0; i < g->n_groups; i++)
            dealt[i] = top[i] == NOD_PART_TRAIN;
        NOD_TRY(nod_split_deal(c, g, dealt, fraction, s->seed, to, err));
    }
    NOD_TRY(apply(s, g, wanted, to, err));
out:
    nod_free(top);
    nod_free(to);
    nod_free(dealt);
    return rc;
}

int nod_split_assign_official(nod_split *s, const nod_cohort *c, const nod_groups *g,
                              nod_error *err)
{
    bool has_training = false, completed = false;
    uint8_t *wanted = nod_calloc(s->n, sizeof *wanted);
    int rc = 0;
    if (!wanted) return nod_fail_memory(err, "official parts", s->n);
    for (size_t i = 0; i < s->n && !rc; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        wanted[i] = (uint8_t)k->official;
        has_training = has_training || k->official == NOD_PART_TRAIN;
        if (k->official == NOD_PART_OUT)
            rc = nod_fail(err, NOD_EDATA,
                          "case %s has no official part, others have; give it one, or ignore "
                          "the official split",
                          k->id);
    }
    if (!rc && !has_training)
        rc = nod_fail(err, NOD_EDATA, "the official split has no training part");
    if (!rc) rc = nod_split_assign_wanted(s, c, g, wanted, &completed, err);
    if (!rc) s->official = completed ? "completed" : "kept";
    nod_free(wanted);
    return rc;
}
