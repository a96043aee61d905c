/* split.c: dividing a cohort; the file is in split_file.c. */
#include "data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/cohort_label.h"
#include "data/groups.h"
#include "data/split_state.h"

const char *nod_split_note_name(nod_split_note_kind kind)
{
    static const char *const names[] = {
        "same pixels in a higher part", "same patient in a higher part",
        "same pixels with another label, left out of training",
        "same pixels with another label", "what the split goes by is not known"};
    return names[kind];
}

/* --- memory ------------------------------------------------------------------------------- */

int nod_split_new(const nod_cohort *c, nod_split **out, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    nod_split *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "a split", sizeof *s);
    nod_arena_init(&s->arena);
    s->n = nod_cohort_size(c);
    s->n_classes = info->n_classes;
    s->ids = nod_calloc(s->n, sizeof *s->ids);
    s->classes = nod_calloc(s->n_classes, sizeof *s->classes);
    s->part = nod_calloc(s->n, sizeof *s->part);
    s->group = nod_calloc(s->n, sizeof *s->group);
    s->class_counts = nod_calloc(s->n_classes * 3 * NOD_PARTS, sizeof *s->class_counts);
    s->unit = info->unit;
    s->grouping = info->grouping;
    s->grouping_rule = nod_arena_strdup(&s->arena, info->grouping_rule);
    s->grouping_text = nod_arena_printf(&s->arena, "%s%s%s", nod_grouping_name(info->grouping),
                                        *info->grouping_rule ? ": " : "", info->grouping_rule);
    bool ok = s->ids && s->classes && s->part && s->group && s->class_counts &&
              s->grouping_rule && s->grouping_text;
    for (size_t i = 0; i < s->n && ok; i++)
        ok = (s->ids[i] = nod_arena_strdup(&s->arena, nod_cohort_get(c, i)->id)) != NULL;
    for (size_t i = 0; i < s->n_classes && ok; i++)
        ok = (s->classes[i] = nod_arena_strdup(&s->arena, info->classes[i])) != NULL;
    if (!ok) {
        nod_split_free(s);
        return nod_fail_memory(err, "a split", nod_cohort_size(c) * sizeof(size_t));
    }
    memcpy(s->cohort, nod_cohort_hash(c), sizeof s->cohort);
    for (int p = 0; p < NOD_PARTS; p++) {
        s->counts[p].class_images = s->class_counts + (size_t)(3 * p) * s->n_classes;
        s->counts[p].class_groups = s->class_counts + (size_t)(3 * p + 1) * s->n_classes;
        s->counts[p].class_units = s->class_counts + (size_t)(3 * p + 2) * s->n_classes;
    }
    *out = s;
    return 0;
}

void nod_split_free(nod_split *s)
{
    if (s == NULL) return;
    nod_free(s->ids);
    nod_free(s->classes);
    nod_free(s->part);
    nod_free(s->group);
    nod_free(s->class_counts);
    nod_free(s->notes);
    nod_json_free(s->by);
    nod_arena_done(&s->arena);
    nod_free(s);
}

int nod_split_add_note(nod_split *s, const nod_split_note *note, nod_error *err)
{
    if (!nod_grow((void **)&s->notes, &s->notes_cap, s->n_notes + 1, sizeof *s->notes))
        return nod_fail_memory(err, "notes of a split", sizeof *s->notes);
    s->notes[s->n_notes++] = *note;
    return 0;
}

/* --- dealing groups to parts -------------------------------------------------------------- */

/* One group that is to be dealt. */
typedef struct hand {
    size_t group, units;
    size_t drawn;   /* place in the drawn order of its stratum */
    size_t stratum; /* rarest class among its units; n_classes: none */
} hand;

typedef struct dealing {
    const nod_split_units *u;
    const nod_groups *g;
    const double *fraction; /* by part; 0: takes no part */
    hand *hands;
    size_t n;
    size_t *class_units; /* [n_classes + 1] among what is dealt */
    uint8_t *to;         /* [n_groups] part of a group */
} dealing;

/* Whether class a is rarer than b; equally rare ones by their order. */
static bool is_rarer(const dealing *d, size_t a, size_t b)
{
    if (d->class_units[a] != d->class_units[b]) return d->class_units[a] < d->class_units[b];
    return a < b;
}

/* Sizes and strata of the groups whose entry in `dealt` is set. */
static void collect_hands(dealing *d, const bool *dealt, size_t *hand_of)
{
    const nod_split_units *u = d->u;
    size_t k_none = u->n_classes;
    for (size_t i = 0; i < u->of.n_units; i++)
        for (size_t k = 0; k < k_none && dealt[u->group[i]]; k++)
            d->class_units[k] += nod_split_unit_has(u, i, k);
    d->class_units[k_none] = SIZE_MAX;
    for (size_t g = 0; g < d->g->n_groups; g++) {
        if (!dealt[g]) continue;
        hand_of[g] = d->n;
        d->hands[d->n++] = (hand){.group = g, .stratum = k_none};
    }
    for (size_t i = 0; i < u->of.n_units; i++) {
        if (!dealt[u->group[i]]) continue;
        hand *h = &d->hands[hand_of[u->group[i]]];
        h->units++;
        for (size_t k = 0; k < k_none; k++)
            if (nod_split_unit_has(u, i, k) && is_rarer(d, k, h->stratum)) h->stratum = k;
    }
}

/* Largest first, equal ones in the drawn order. */
static int compare_hands(const void *a, const void *b)
{
    const hand *x = a, *y = b;
    if (x->units != y->units) return x->units > y->units ? -1 : 1;
    return (x->drawn > y->drawn) - (x->drawn < y->drawn);
}

/* Deals the groups of one stratum: each to the part that is furthest from its share (the least
 * filled/fraction; Adams' method, so every part gets one of a class that has enough groups). */
static int deal_stratum(dealing *d, size_t stratum, int64_t seed, nod_error *err)
{
    hand *h = nod_calloc(d->n + 1, sizeof *h);
    size_t n = 0, filled[NOD_PARTS] = {0};
    if (h == NULL) return nod_fail_memory(err, "groups", d->n * sizeof *h);
    for (size_t i = 0; i < d->n; i++)
        if (d->hands[i].stratum == stratum) h[n++] = d->hands[i];
    nod_rng rng = nod_rng_make((uint64_t)seed, NOD_RNG_SPLIT, stratum);
    if (n > 1) nod_rng_shuffle(&rng, h, n, sizeof *h);
    for (size_t i = 0; i < n; i++)
        h[i].drawn = i;
    if (n > 1) qsort(h, n, sizeof *h, compare_hands);
    for (size_t i = 0; i < n; i++) {
        int best = NOD_PART_TRAIN;
        double least = INFINITY;
        for (int p = 0; p < NOD_PARTS; p++) {
            if (d->fraction[p] <= 0) continue;
            double share = (double)filled[p] / d->fraction[p];
            if (share < least) {
                least = share;
                best = p;
            }
        }
        filled[best] += h[i].units;
        d->to[h[i].group] = (uint8_t)best;
    }
    nod_free(h);
    return 0;
}

int nod_split_deal(const nod_cohort *c, const nod_groups *g, const bool *dealt,
                   const double fraction[NOD_PARTS], int64_t seed, uint8_t *to, nod_error *err)
{
    size_t n_classes = nod_cohort_get_info(c)->n_classes;
    nod_split_units units = {0};
    dealing d = {.u = &units, .g = g, .fraction = fraction};
    size_t *hand_of = nod_calloc(g->n_groups, sizeof *hand_of);
    int rc = nod_split_units_make(c, g, &units, err);
    if (rc) goto out;
    d.to = to;
    d.hands = nod_calloc(g->n_groups, sizeof *d.hands);
    d.class_units = nod_calloc(n_classes + 1, sizeof *d.class_units);
    if (!hand_of || !d.hands || !d.class_units) {
        rc = nod_fail_memory(err, "groups", g->n_groups * sizeof *d.hands);
        goto out;
    }
    collect_hands(&d, dealt, hand_of);
    for (size_t k = 0; k <= n_classes && rc == 0; k++)
        rc = deal_stratum(&d, k, seed, err);
out:
    nod_free(hand_of);
    nod_free(d.hands);
    nod_free(d.class_units);
    nod_split_units_done(&units);
    return rc;
}

/* --- everybody ----------------------------------------------------------------------------- */

static int assign_all(nod_split *s, const nod_cohort *c, const nod_groups *g, nod_error *err)
{
    uint8_t *to = nod_calloc(g->n_groups, 1);
    bool *dealt = nod_calloc(g->n_groups, sizeof *dealt);
    int rc = 0;
    if (!to || !dealt) {
        rc = nod_fail_memory(err, "groups", g->n_groups);
        goto out;
    }
    memset(dealt, 1, g->n_groups * sizeof *dealt);
    NOD_TRY(nod_split_deal(c, g, dealt, s->fraction, s->seed, to, err));
    for (size_t i = 0; i < s->n; i++)
        s->part[i] = to[g->group[i]];
out:
    nod_free(to);
    nod_free(dealt);
    return rc;
}

/* --- contradictions, counts, checks ------------------------------------------------------- */

/* Equal pixels with different labels: out of training, flagged elsewhere. */
static int mark_contradictory(nod_split *s, const nod_cohort *c, const nod_groups *g,
                              nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < s->n && rc == 0; i++) {
        if (!g->contradictory[i] || s->part[i] == NOD_PART_OUT) continue;
        nod_split_note note = {.i_case = i, .i_other = i, .from = (nod_part)s->part[i]};
        for (size_t j = 0; j < s->n && note.i_other == i; j++)
            if (g->twin[j] == g->twin[i] && !nod_cohort_same_label(c, i, j)) note.i_other = j;
        bool train = s->part[i] == NOD_PART_TRAIN;
        note.kind = train ? NOD_NOTE_CONTRADICTORY_OUT : NOD_NOTE_CONTRADICTORY;
        if (train) s->part[i] = NOD_PART_OUT;
        rc = nod_split_add_note(s, &note, err);
    }
    return rc;
}

/* `by_class`: a case has exactly one class. */
static int check_parts(const nod_split *s, const nod_split_options *o, bool by_class,
                       nod_error *err)
{
    for (int p = 0; p < NOD_PARTS; p++) {
        const char *name = nod_part_name((nod_part)p);
        size_t present = 0, missing = 0;
        if (s->counts[p].images == 0)
            return nod_fail(err, NOD_EDATA,
                            "the %s part would be empty: there are too few patients or images",
                            name);
        if (!by_class || o->allow_one_class) continue;
        for (size_t k = 0; k < s->n_classes; k++) {
            present += s->counts[p].class_units[k] > 0;
            if (s->counts[p].class_units[k] == 0) missing = k;
        }
        if (p == NOD_PART_TRAIN ? present < s->n_classes : present < 2)
            return nod_fail(
                err, NOD_EDATA,
                "the %s part has no %s of class '%s' (%zu images of %zu groups): "
                "%s; more patients of the class%s help, --allow-one-class goes on "
                "without",
                name, s->unit == NOD_LEVEL_IMAGE ? "case" : nod_level_name(s->unit),
                s->classes[missing], s->counts[p].images, s->counts[p].groups,
                p == NOD_PART_TRAIN ? "it could not be learned"
                                    : "no AUC and no threshold could be had from it",
                s->by                              ? " or another --hold-out"
                : strcmp(s->official, "kept") == 0 ? " or --ignore-official"
                                                   : ", other fractions or another seed");
    }
    return 0;
}

static int check_options(const nod_split_options *o, nod_error *err)
{
    double sum = 0;
    for (int p = 0; p < NOD_PARTS; p++) {
        if (!(o->fraction[p] > 0 && o->fraction[p] < 1))
            return nod_fail(err, NOD_EINVAL, "the fraction of %s, %g, is not between 0 and 1",
                            nod_part_name((nod_part)p), o->fraction[p]);
        sum += o->fraction[p];
    }
    if (fabs(sum - 1) > 1e-6)
        return nod_fail(err, NOD_EINVAL, "the fractions sum to %g, not to 1", sum);
    if (!o->by && o->n_hold_out)
        return nod_fail(err, NOD_EINVAL, "--hold-out says what is held out by --by; say which");
    if (o->seed < 0) return nod_fail(err, NOD_EINVAL, "the seed is below 0");
    return 0;
}

/* Everything that follows from the parts of the cases. */
static int complete(nod_split *s, const nod_cohort *c, const nod_groups *g, nod_error *err)
{
    int rc = mark_contradictory(s, c, g, err);
    return rc ? rc : nod_split_count(s, c, g, err);
}

static int compute_hash(nod_split *s, nod_error *err)
{
    nod_json *content = nod_split_content(s);
    int rc = nod_split_compute_hash(content, s->hash, err);
    nod_json_free(content);
    return rc;
}

int nod_split_make(const nod_cohort *c, const nod_split_options *o, nod_split **out,
                   nod_error *err)
{
    nod_groups g = {0};
    nod_split *s = NULL;
    const nod_cohort_info *info = nod_cohort_get_info(c);
    int rc = check_options(o, err);
    if (rc) return rc;
    NOD_TRY(nod_groups_make(c, o->pairs, o->n_pairs, &g, err));
    NOD_TRY(nod_split_new(c, &s, err));
    s->seed = o->seed;
    memcpy(s->fraction, o->fraction, sizeof s->fraction);
    memcpy(s->group, g.group, s->n * sizeof *s->group);
    bool has_official = nod_cohort_has_official(c);
    s->official = has_official ? "ignored" : "none";
    if (o->by)
        rc = nod_split_assign_by(s, c, &g, o, err);
    else if (has_official && !o->ignore_official)
        rc = nod_split_assign_official(s, c, &g, err);
    else
        rc = assign_all(s, c, &g, err);
    if (rc) goto out;
    NOD_TRY(complete(s, c, &g, err));
    NOD_TRY(check_parts(s, o, !info->multilabel && !info->segmentation, err));
    NOD_TRY(compute_hash(s, err));
    *out = s;
    s = NULL;
out:
    nod_groups_done(&g);
    nod_split_free(s);
    return rc;
}

int nod_split_make_external(const nod_cohort *c, nod_split **out, nod_error *err)
{
    nod_groups g = {0};
    nod_split *s = NULL;
    int rc = 0;
    NOD_TRY(nod_groups_make(c, NULL, 0, &g, err));
    NOD_TRY(nod_split_new(c, &s, err));
    s->official = NOD_SPLIT_EXTERNAL;
    s->fraction[NOD_PART_TEST] = 1;
    memset(s->part, NOD_PART_TEST, s->n);
    memcpy(s->group, g.group, s->n * sizeof *s->group);
    NOD_TRY(complete(s, c, &g, err));
    NOD_TRY(compute_hash(s, err));
    *out = s;
    s = NULL;
out:
    nod_groups_done(&g);
    nod_split_free(s);
    return rc;
}

int nod_split_set_audit(nod_split *s, const nod_audit *audit, nod_error *err)
{
    NOD_ASSERT(!s->sealed);
    const nod_audit before = s->audit;
    const bool audited = s->audited;
    s->audit = *audit;
    s->audited = true;
    int rc = compute_hash(s, err);
    if (rc) {
        s->audit = before;
        s->audited = audited;
    }
    return rc;
}

int nod_split_set_copies(nod_split *s, const nod_copies *copies, nod_error *err)
{
    NOD_ASSERT(!s->sealed && !s->searched);
    s->copies = *copies;
    s->searched = true;
    int rc = compute_hash(s, err);
    if (rc) s->searched = false;
    return rc;
}

/* --- looking ------------------------------------------------------------------------------ */

nod_part nod_split_part(const nod_split *s, size_t i_case)
{
    NOD_ASSERT(i_case < s->n);
    return (nod_part)s->part[i_case];
}

size_t nod_split_group(const nod_split *s, size_t i_case)
{
    NOD_ASSERT(i_case < s->n);
    return s->group[i_case];
}

size_t nod_split_notes(const nod_split *s)
{
    return s->n_notes;
}

const nod_split_note *nod_split_get_note(const nod_split *s, size_t i)
{
    NOD_ASSERT(i < s->n_notes);
    return &s->notes[i];
}

const char *nod_split_hash(const nod_split *s)
{
    return s->hash;
}

const char *nod_split_cohort_hash(const nod_split *s)
{
    return s->cohort;
}

const char *nod_split_grouping(const nod_split *s)
{
    return s->grouping_text;
}

int64_t nod_split_seed(const nod_split *s)
{
    return s->seed;
}

nod_part_counts nod_split_counts(const nod_split *s, nod_part part)
{
    NOD_ASSERT(part < NOD_PARTS);
    return s->counts[part];
}

size_t nod_split_n_classes(const nod_split *s)
{
    return s->n_classes;
}

const nod_copies *nod_split_copies(const nod_split *s)
{
    return s->searched ? &s->copies : NULL;
}

const nod_audit *nod_split_audit(const nod_split *s)
{
    return s->audited ? &s->audit : NULL;
}

nod_level nod_split_unit(const nod_split *s)
{
    return s->unit;
}

bool nod_split_is_sealed(const nod_split *s)
{
    return s->sealed;
}

nod_anchor nod_split_anchor(const nod_split *s)
{
    NOD_ASSERT(s->sealed);
    return s->anchor;
}

/* --- sealing ------------------------------------------------------------------------------ */

int nod_split_seal(nod_split *s, const nod_cohort *c, nod_ledger *l, const char *again,
                   const char *by, nod_error *err)
{
    NOD_ASSERT(strcmp(s->cohort, nod_cohort_hash(c)) == 0);
    nod_seal_case *cases = nod_calloc(s->n, sizeof *cases);
    if (cases == NULL) return nod_fail_memory(err, "cases", s->n * sizeof *cases);
    for (size_t i = 0; i < s->n; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        cases[i] = (nod_seal_case){.pixels = k->constant ? NULL : k->pixels,
                                   .patient = *k->patient ? k->patient : NULL,
                                   .test = s->part[i] == NOD_PART_TEST};
    }
    nod_seal_request q = {.split_hash = s->hash,
                          .cohort_hash = s->cohort,
                          .cases = cases,
                          .n = s->n,
                          .external = strcmp(s->official, NOD_SPLIT_EXTERNAL) == 0,
                          .again = again,
                          .forced = s->searched && s->copies.across ? s->copies.reason : NULL,
                          .by = by};
    int rc = nod_seal_split(l, &q, &s->anchor, err);
    if (rc == 0) s->sealed = true;
    nod_free(cases);
    return rc;
}
