/* split_by.c: the test part by a fact about the cases: a site apart, or the newest.
 *
 * A category (site, vendor ...): all cases of some values are the test part. A day: all cases from one
 * day on. Cases for which the fact is not known are left out: they may be of the site, or of the time,
 * that is held out. Validation is dealt out of training, by patient. No date of a case is kept. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "data/split_state.h"

#define STREAM_VALUES 1000003 /* of NOD_RNG_SPLIT; strata are below it */

/* --- categories -------------------------------------------------------------------------------- */

typedef struct value {
    const char *text;
    size_t images, drawn;
    bool held_out;
} value;

typedef struct values {
    value *items;
    size_t n, cap;
} values;

static value *find_value(const values *v, const char *text)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->items[i].text, text) == 0) return &v->items[i];
    return NULL;
}

static int list_values(const nod_cohort *c, nod_fact fact, values *v, nod_error *err)
{
    for (size_t i = 0; i < nod_cohort_size(c); i++) {
        const char *text = nod_cohort_get(c, i)->facts[fact];
        value *known = *text ? find_value(v, text) : NULL;
        if (*text == '\0') continue;
        if (!known) {
            if (v->n >= NOD_SPLIT_VALUES_MAX)
                return nod_fail(err, NOD_EDATA,
                                "more than %d values of %s: nothing to divide by",
                                NOD_SPLIT_VALUES_MAX, nod_fact_get_info(fact)->name);
            if (!nod_grow((void **)&v->items, &v->cap, v->n + 1, sizeof *v->items))
                return nod_fail_memory(err, "values of a fact", (v->n + 1) * sizeof *v->items);
            known = &v->items[v->n++];
            *known = (value){.text = text};
        }
        known->images++;
    }
    return 0;
}

/* Largest first, equal ones in the drawn order. */
static int compare_values(const void *a, const void *b)
{
    const value *x = a, *y = b;
    if (x->images != y->images) return x->images > y->images ? -1 : 1;
    return (x->drawn > y->drawn) - (x->drawn < y->drawn);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const value *)a)->text, ((const value *)b)->text);
}

/* The largest values that together have no more than the wanted share; at least the smallest. */
static void choose_values(values *v, double share, int64_t seed)
{
    size_t total = 0, taken = 0;
    qsort(v->items, v->n, sizeof *v->items, compare_texts); /* not by the order of the cases */
    nod_rng rng = nod_rng_make((uint64_t)seed, NOD_RNG_SPLIT, STREAM_VALUES);
    nod_rng_shuffle(&rng, v->items, v->n, sizeof *v->items);
    for (size_t i = 0; i < v->n; i++) {
        v->items[i].drawn = i;
        total += v->items[i].images;
    }
    qsort(v->items, v->n, sizeof *v->items, compare_values);
    for (size_t i = 1; i < v->n; i++) {
        value *x = &v->items[i];
        x->held_out = (double)(taken + x->images) <= share * (double)total + 1e-9;
        if (x->held_out) taken += x->images;
    }
    if (taken == 0) v->items[v->n - 1].held_out = true;
}

static const char *next_value(const void *ctx, size_t i)
{
    const values *v = ctx;
    return i < v->n ? v->items[i].text : NULL;
}

static int hold_out(values *v, const nod_split_options *o, const char *name, nod_error *err)
{
    for (size_t i = 0; i < o->n_hold_out; i++) {
        value *x = find_value(v, o->hold_out[i]);
        if (!x) {
            const char *near = nod_nearest(o->hold_out[i], next_value, v);
            return nod_fail(err, NOD_EDATA, "no case has the %s '%.80s'%s%.80s%s", name,
                            o->hold_out[i], near ? "; did you mean '" : "", near ? near : "",
                            near ? "'?" : "");
        }
        x->held_out = true;
    }
    return 0;
}

/* `{"fact": "site", "test": ["Site B"]}` */
static nod_json *describe_values(const values *v, const char *name)
{
    nod_json *j = nod_json_object(), *list = nod_json_array();
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].held_out) nod_json_push(list, nod_json_string(v->items[i].text));
    nod_json_set_str(j, "fact", name);
    nod_json_set(j, "test", list);
    return j;
}

static int want_by_value(const nod_cohort *c, const nod_split_options *o, uint8_t *wanted,
                         nod_json **by, nod_error *err)
{
    values v = {0};
    int rc = 0;
    size_t n_out = 0;
    const char *name = nod_fact_get_info(*o->by)->name;
    NOD_TRY(list_values(c, *o->by, &v, err));
    if (v.n < 2) {
        rc = v.n == 0
                 ? nod_fail(err, NOD_EDATA, "no case says its %s: nothing to divide by", name)
                 : nod_fail(err, NOD_EDATA,
                            "every case that says its %s has the same, '%.80s': nothing to "
                            "hold out",
                            name, v.items[0].text);
        goto out;
    }
    if (o->n_hold_out)
        NOD_TRY(hold_out(&v, o, name, err));
    else
        choose_values(&v, o->fraction[NOD_PART_TEST], o->seed);
    qsort(v.items, v.n, sizeof *v.items, compare_texts);
    for (size_t i = 0; i < v.n; i++)
        n_out += v.items[i].held_out;
    if (n_out == v.n) {
        rc =
            nod_fail(err, NOD_EDATA, "every %s is held out: nothing is left to train on", name);
        goto out;
    }
    for (size_t i = 0; i < nod_cohort_size(c); i++) {
        const char *text = nod_cohort_get(c, i)->facts[*o->by];
        const value *x = *text ? find_value(&v, text) : NULL;
        wanted[i] = !x ? NOD_PART_OUT : x->held_out ? NOD_PART_TEST : NOD_PART_TRAIN;
    }
    *by = describe_values(&v, name);
out:
    nod_free(v.items);
    return rc;
}

/* --- days -------------------------------------------------------------------------------------- */

static int compare_days(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The first day of the test part: the given one, or the latest that leaves at least the wanted share of
 * the images from it on. */
static int find_first_day(const double *day, size_t n, const nod_split_options *o, double *out,
                          nod_error *err)
{
    const char *name = nod_fact_get_info(*o->by)->name;
    double *sorted = nod_calloc(n + 1, sizeof *sorted);
    size_t n_known = 0;
    if (!sorted) return nod_fail_memory(err, "days", n * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        if (!isnan(day[i])) sorted[n_known++] = day[i];
    int rc = 0;
    if (n_known == 0) {
        rc = nod_fail(err, NOD_EDATA, "no case says its %s: nothing to divide by", name);
        goto out;
    }
    qsort(sorted, n_known, sizeof *sorted, compare_days);
    if (o->n_hold_out) {
        *out = nod_fact_number(*o->by, o->hold_out[0]);
    } else {
        size_t least = (size_t)ceil(o->fraction[NOD_PART_TEST] * (double)n_known - 1e-9);
        *out = sorted[n_known - NOD_MIN(NOD_MAX(least, (size_t)1), n_known)];
    }
    if (sorted[n_known - 1] < *out)
        rc = nod_fail(err, NOD_EDATA,
                      "no case is as new as the %s given: the test part is empty", name);
    else if (sorted[0] >= *out)
        rc =
            nod_fail(err, NOD_EDATA,
                     "all cases are of the held-out time by their %s: nothing is left to train "
                     "on; name a later first day with --hold-out",
                     name);
out:
    nod_free(sorted);
    return rc;
}

static int want_by_day(const nod_cohort *c, const nod_split_options *o, uint8_t *wanted,
                       nod_json **by, nod_error *err)
{
    size_t n = nod_cohort_size(c);
    double first = 0, *day = nod_calloc(n, sizeof *day);
    int rc = 0;
    if (!day) return nod_fail_memory(err, "days", n * sizeof *day);
    if (o->n_hold_out > 1) {
        rc = nod_fail(err, NOD_EINVAL,
                      "--hold-out names the first day of the test part: one, not %zu",
                      o->n_hold_out);
        goto out;
    }
    if (o->n_hold_out) NOD_TRY(nod_fact_check(*o->by, o->hold_out[0], err));
    for (size_t i = 0; i < n; i++)
        day[i] = nod_fact_number(*o->by, nod_cohort_get(c, i)->facts[*o->by]);
    NOD_TRY(find_first_day(day, n, o, &first, err));
    for (size_t i = 0; i < n; i++)
        wanted[i] = isnan(day[i])     ? NOD_PART_OUT
                    : day[i] >= first ? NOD_PART_TEST
                                      : NOD_PART_TRAIN;
    *by = nod_json_object();
    nod_json_set_str(*by, "fact", nod_fact_get_info(*o->by)->name);
    nod_json_set_str(*by, "from", o->n_hold_out ? o->hold_out[0] : NULL);
out:
    nod_free(day);
    return rc;
}

/* --- either ------------------------------------------------------------------------------------ */

int nod_split_assign_by(nod_split *s, const nod_cohort *c, const nod_groups *g,
                        const nod_split_options *o, nod_error *err)
{
    bool completed = false;
    uint8_t *wanted = nod_calloc(s->n, sizeof *wanted);
    int rc = 0;
    if (!wanted) return nod_fail_memory(err, "parts", s->n);
    switch (nod_fact_get_info(*o->by)->kind) {
    case NOD_FACT_CATEGORY:
        NOD_TRY(want_by_value(c, o, wanted, &s->by, err));
        break;
    case NOD_FACT_DAY:
        NOD_TRY(want_by_day(c, o, wanted, &s->by, err));
        break;
    default:
        rc = nod_fail(err, NOD_EINVAL, "a cohort is divided by a category or a date, not by %s",
                      nod_fact_get_info(*o->by)->name);
        goto out;
    }
    NOD_TRY(nod_split_assign_wanted(s, c, g, wanted, &completed, err));
out:
    nod_free(wanted);
    return rc;
}

void nod_split_say_by(const nod_split *s, nod_strbuf *out)
{
    if (!s->by) return;
    const nod_json *test = nod_json_get(s->by, "test"), *from = nod_json_get(s->by, "from");
    nod_strbuf_printf(out, "divided by %s: the test part is ",
                      nod_json_str(nod_json_get(s->by, "fact")));
    for (size_t i = 0; test && i < nod_json_count(test); i++)
        nod_strbuf_printf(out, "%s'%s'", i ? ", " : "", nod_json_str(nod_json_at(test, i)));
    if (from && nod_json_is_string(from))
        nod_strbuf_printf(out, "from %s on", nod_json_str(from));
    else if (!test)
        nod_strbuf_add(out, "the newest");
}
