/* axis.c: the fourth axis of a series.
 *
 * A candidate is a tag, or a pair of them, that has another value for each of the slices at one
 * place. Tags with the same values at every place (echo time, b-value, temporal position) are
 * compared by value. Times and acquisition numbers go on from place to place, so they count by
 * their order at each place. What the physics names comes before what merely counts: diffusion
 * images have both a b-value and an acquisition number, and the b-value says what they are. */
#include "imaging/dicom/axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef enum tag {
    TAG_B_VALUE,
    TAG_GRADIENT, /* b-value, then direction */
    TAG_ECHO,
    TAG_TYPE,
    TAG_TEMPORAL,
    TAG_TRIGGER,
    TAG_ACQUISITION,
    TAG_TIME,
    TAG_STACK,
    TAG_INDEX,
    TAGS = TAG_INDEX + NOD_DICOM_INDICES
} tag;

typedef struct tag_info {
    nod_axis axis;
    bool by_order; /* counts by its order at a place, not by its value */
} tag_info;

static tag_info info_of(int t)
{
    static const tag_info infos[] = {[TAG_B_VALUE] = {NOD_AXIS_DIFFUSION, false},
                                     [TAG_GRADIENT] = {NOD_AXIS_DIFFUSION, false},
                                     [TAG_ECHO] = {NOD_AXIS_ECHO, false},
                                     [TAG_TYPE] = {NOD_AXIS_COMPONENT, false},
                                     [TAG_TEMPORAL] = {NOD_AXIS_TIME, false},
                                     [TAG_TRIGGER] = {NOD_AXIS_TRIGGER, true},
                                     [TAG_ACQUISITION] = {NOD_AXIS_ACQUISITION, true},
                                     [TAG_TIME] = {NOD_AXIS_TIME, true},
                                     [TAG_STACK] = {NOD_AXIS_STACK, false}};
    return t >= TAG_INDEX ? (tag_info){NOD_AXIS_UNNAMED, false} : infos[t];
}

/* --- values of tags ----------------------------------------------------------------------- */

static double integer(int32_t v)
{
    return v == NOD_DICOM_NO_INT ? (double)NAN : v;
}

/* The value as a number; NaN where it is absent or no number. */
static double number_of(const nod_dicom_frame *f, int t)
{
    switch (t) {
    case TAG_B_VALUE:
    case TAG_GRADIENT:
        return f->b_value;
    case TAG_ECHO:
        return f->echo_time_ms;
    case TAG_TEMPORAL:
        return integer(f->temporal_position);
    case TAG_TRIGGER:
        return f->trigger_time_ms;
    case TAG_ACQUISITION:
        return integer(f->acquisition_number);
    case TAG_TIME:
        return f->acquisition_time_s;
    default:
        break;
    }
    int i = t - TAG_INDEX;
    return i >= 0 && i < f->n_indices ? integer(f->indices[i]) : (double)NAN;
}

/* Numbers in their order, absent ones before all. */
static int compare_numbers(double a, double b)
{
    if (isnan(a) || isnan(b)) return (int)isnan(b) - (int)isnan(a);
    return (a > b) - (a < b);
}

static int compare_tags(const nod_dicom_frame *a, const nod_dicom_frame *b, int t)
{
    int c = 0;
    if (t == TAG_TYPE) return strcmp(a->type, b->type);
    if (t == TAG_STACK) return strcmp(a->stack, b->stack);
    c = compare_numbers(number_of(a, t), number_of(b, t));
    if (t != TAG_GRADIENT) return c;
    for (int i = 0; c == 0 && i < 3; i++)
        c = compare_numbers(a->gradient[i], b->gradient[i]);
    return c;
}

/* --- levels: a tag's values as 0, 1, 2 ... ------------------------------------------------ */

typedef struct sorting {
    const nod_dicom_item *items;
    const uint32_t *group; /* of each item, or NULL: one group */
    int tag;
} sorting;

static int compare_items(const void *a, const void *b, void *ctx)
{
    const sorting *s = ctx;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (s->group && s->group[i] != s->group[j]) return s->group[i] < s->group[j] ? -1 : 1;
    int c = compare_tags(s->items[i].frame, s->items[j].frame, s->tag);
    return c ? c : (i > j) - (i < j);
}

typedef struct search {
    nod_dicom_item *items;
    size_t n;
    uint32_t n_places;
    uint32_t *order;    /* scratch of n */
    uint32_t *level[3]; /* n each: of the first tag, of the second, of the pair */
    uint32_t *group;    /* n: (place, level of the first tag) */
    uint32_t *seen;     /* n: how many places have a level */
} search;

/* Levels of one tag; items of equal value share one. Those that count by order begin at 0 in each
 * group. Returns how many levels there are. */
static uint32_t make_levels(search *s, int t, const uint32_t *group, uint32_t *level)
{
    bool by_order = info_of(t).by_order;
    sorting ctx = {s->items, by_order ? group : NULL, t};
    uint32_t now = 0, most = 0;
    for (size_t i = 0; i < s->n; i++)
        s->order[i] = (uint32_t)i;
    qsort_r(s->order, s->n, sizeof *s->order, compare_items, &ctx);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t at = s->order[i], before = i ? s->order[i - 1] : 0;
        if (i == 0 || (ctx.group && group[at] != group[before]))
            now = 0;
        else if (compare_tags(s->items[at].frame, s->items[before].frame, t) != 0)
            now++;
        level[at] = now;
        most = NOD_MAX(most, now);
    }
    return most + 1;
}

/* Renumbers levels so that only those in use are left. */
static uint32_t pack_levels(search *s, uint32_t *level, uint64_t n_levels, nod_error *err,
                            int *rc)
{
    uint32_t *map = nod_calloc((size_t)n_levels, sizeof *map), n = 0;
    if (map == NULL) {
        *rc = nod_fail_memory(err, "phases", (size_t)n_levels * sizeof *map);
        return 0;
    }
    for (size_t i = 0; i < s->n; i++)
        map[level[i]] = 1;
    for (uint64_t l = 0; l < n_levels; l++)
        if (map[l]) map[l] = n++;
    for (size_t i = 0; i < s->n; i++)
        level[i] = map[level[i]];
    nod_free(map);
    return n;
}

/* Whether no place has a level twice. *n_missing: places that lack one. */
static bool is_separating(search *s, const uint32_t *level, uint32_t n_levels,
                          size_t *n_missing)
{
    size_t at = 0;
    *n_missing = 0;
    if (n_levels < 2 || n_levels > s->n) return false;
    memset(s->seen, 0, n_levels * sizeof *s->seen); /* place + 1 that had the level last */
    for (uint32_t p = 0; p < s->n_places; p++) {
        uint32_t count = 0;
        for (; at < s->n && s->items[at].place == p; at++, count++) {
            if (s->seen[level[at]] == p + 1) return false;
            s->seen[level[at]] = p + 1;
        }
        *n_missing += count < n_levels;
    }
    return true;
}

/* --- candidates --------------------------------------------------------------------------- */

typedef struct candidate {
    int first, second; /* tags; second is -1: the first alone */
    uint32_t n_levels;
    size_t n_missing;
} candidate;

/* Fills level[2] for a candidate. */
static int measure(search *s, candidate *c, bool *separates, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < s->n; i++)
        s->group[i] = s->items[i].place;
    uint32_t n1 = make_levels(s, c->first, s->group, s->level[0]), n2 = 1;
    *separates = false;
    memcpy(s->level[2], s->level[0], s->n * sizeof **s->level);
    c->n_levels = n1;
    if (c->second >= 0) {
        if (n1 < 2 || (uint64_t)n1 * s->n_places > UINT32_MAX) return 0;
        for (size_t i = 0; i < s->n; i++)
            s->group[i] = s->items[i].place * n1 + s->level[0][i];
        n2 = make_levels(s, c->second, s->group, s->level[1]);
        if (n2 < 2 || (uint64_t)n1 * n2 > 16 * (uint64_t)s->n) return 0;
        for (size_t i = 0; i < s->n; i++)
            s->level[2][i] = s->level[0][i] * n2 + s->level[1][i];
        c->n_levels = pack_levels(s, s->level[2], (uint64_t)n1 * n2, err, &rc);
        if (rc) return rc;
    }
    *separates = is_separating(s, s->level[2], c->n_levels, &c->n_missing);
    return 0;
}

/* The most slices at one place: an incomplete axis is believed if some place has all of it. */
static uint32_t most_at_place(const search *s)
{
    uint32_t most = 0, count = 0;
    for (size_t i = 0; i < s->n; i++) {
        count = i && s->items[i].place == s->items[i - 1].place ? count + 1 : 1;
        most = NOD_MAX(most, count);
    }
    return most;
}

static int try_candidate(search *s, candidate c, uint32_t most, candidate *best, bool *complete,
                         nod_error *err)
{
    bool separates;
    int rc = measure(s, &c, &separates, err);
    if (rc || !separates) return rc;
    *complete = c.n_missing == 0;
    if (*complete || (best->first < 0 && c.n_levels == most)) *best = c;
    return 0;
}

static int choose(search *s, candidate *best, nod_error *err)
{
    uint32_t most = most_at_place(s);
    bool complete = false;
    int rc = 0;
    *best = (candidate){.first = -1, .second = -1};
    for (int t = 0; !complete && t < TAGS; t++) {
        rc =
            try_candidate(s, (candidate){.first = t, .second = -1}, most, best, &complete, err);
        if (rc) return rc;
    }
    for (int t = 0; !complete && t < TAGS; t++)
        for (int u = t + 1; !complete && u < TAGS; u++) {
            candidate c = {.first = t, .second = u};
            rc = try_candidate(s, c, most, best, &complete, err);
            if (rc) return rc;
        }
    return 0;
}

/* --- phases ------------------------------------------------------------------------------- */

/* The tag's value for each phase, the mean where it counts by order. */
static int take_phases(search *s, const candidate *c, nod_dicom_phases *out, nod_error *err)
{
    bool separates;
    candidate again = *c;
    int rc = measure(s, &again, &separates, err);
    if (rc) return rc;
    double *sum = nod_calloc(c->n_levels, sizeof *sum);
    if (sum == NULL) return nod_fail_memory(err, "phases", c->n_levels * sizeof *sum);
    memset(s->seen, 0, c->n_levels * sizeof *s->seen);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t l = s->items[i].phase = s->level[2][i];
        sum[l] += number_of(s->items[i].frame, c->first);
        s->seen[l]++;
    }
    for (uint32_t l = 0; l < c->n_levels; l++)
        sum[l] /= s->seen[l];
    *out = (nod_dicom_phases){.axis = info_of(c->first).axis,
                              .n = c->n_levels,
                              .values = sum,
                              .n_missing = c->n_missing};
    return 0;
}

/* Nothing separates: the first at each place stays. */
static int take_first(search *s, nod_dicom_phases *out, nod_error *err)
{
    double *values = nod_calloc(1, sizeof *values);
    if (values == NULL) return nod_fail_memory(err, "phases", sizeof *values);
    values[0] = NAN;
    *out = (nod_dicom_phases){.axis = NOD_AXIS_NONE, .n = 1, .values = values};
    for (size_t i = 0; i < s->n; i++) {
        bool first = i == 0 || s->items[i].place != s->items[i - 1].place;
        s->items[i].phase = first ? 0 : NOD_DICOM_NO_PHASE;
        out->n_duplicate += !first;
    }
    return 0;
}

/* Whether most places have one slice: then a second one there is no phase of anything. */
static bool is_mostly_single(const search *s)
{
    uint32_t single = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool before = i && s->items[i - 1].place == s->items[i].place;
        bool after = i + 1 < s->n && s->items[i + 1].place == s->items[i].place;
        single += !before && !after;
    }
    return 2 * (uint64_t)single > s->n_places;
}

int nod_dicom_axis_find(nod_dicom_item *items, size_t n, uint32_t n_places,
                        nod_dicom_phases *out, nod_error *err)
{
    search s = {.items = items, .n = n, .n_places = n_places};
    candidate best = {.first = -1};
    int rc = 0;
    uint32_t *scratch = nod_calloc(n, 6 * sizeof *scratch);
    if (scratch == NULL) return nod_fail_memory(err, "phases", 6 * n * sizeof *scratch);
    s.order = scratch;
    for (size_t i = 0; i < 3; i++)
        s.level[i] = scratch + (i + 1) * n;
    s.group = scratch + 4 * n;
    s.seen = scratch + 5 * n;
    if (n > n_places && !is_mostly_single(&s)) NOD_TRY(choose(&s, &best, err));
    rc = best.first >= 0 ? take_phases(&s, &best, out, err) : take_first(&s, out, err);
out:
    nod_free(scratch);
    return rc;
}
