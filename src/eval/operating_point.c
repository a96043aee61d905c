/* operating_point.c: one sort by probability, one pass down the distinct values. */
#include "eval/operating_point.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/cases.h"

static const char *const rule_names[] = {"fixed", "youden", "sensitivity"};

const char *nod_point_rule_name(nod_point_rule r)
{
    return (size_t)r < NOD_COUNT(rule_names) ? rule_names[r] : "unknown";
}

bool nod_point_rule_parse(const char *s, nod_point_rule *out)
{
    for (size_t i = 0; i < NOD_COUNT(rule_names); i++)
        if (strcmp(s, rule_names[i]) == 0) {
            *out = (nod_point_rule)i;
            return true;
        }
    return false;
}

nod_operating_point nod_operating_point_fixed(double threshold)
{
    return (nod_operating_point){.rule = NOD_POINT_FIXED,
                                 .threshold = threshold,
                                 .wanted_sensitivity = NAN,
                                 .sensitivity = NAN,
                                 .specificity = NAN};
}

typedef struct scored {
    double p;
    uint8_t y;
} scored;

static int compare_down(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    return (x->p < y->p) - (x->p > y->p);
}

static void count(const nod_cases *c, const uint8_t *y, uint8_t *seen, nod_operating_point *o)
{
    for (size_t i = 0; i < c->n; i++) {
        uint8_t bit = y[i] ? 1 : 2;
        if (y[i])
            o->n_positive++;
        else
            o->n_negative++;
        if (seen[c->patient[i]] & bit) continue;
        seen[c->patient[i]] |= bit;
        if (y[i])
            o->patients_positive++;
        else
            o->patients_negative++;
    }
}

static int refuse_few(const nod_operating_point *o, nod_error *err)
{
    double needed = NOD_POINT_MIN_PATIENTS;
    if (o->rule == NOD_POINT_SENSITIVITY) {
        /* Slack for 1/(1-.95), which is a little more than 20 in binary. */
        needed = fmax(needed, ceil(1 / (1 - o->wanted_sensitivity) * (1 - 1e-12)));
        if ((double)o->patients_positive < needed)
            return nod_fail(err, NOD_EDATA,
                            "a sensitivity of %g needs at least %.0f validation patients with "
                            "a positive image, there are %lld: use a lower sensitivity, more "
                            "cases, or the fixed threshold 0.5",
                            o->wanted_sensitivity, needed, (long long)o->patients_positive);
        return 0;
    }
    if ((double)o->patients_positive < needed || (double)o->patients_negative < needed)
        return nod_fail(err, NOD_EDATA,
                        "Youden's threshold needs at least %.0f validation patients of each "
                        "class, there are %lld with a positive and %lld with a negative image: "
                        "use more cases or the fixed threshold 0.5",
                        needed, (long long)o->patients_positive,
                        (long long)o->patients_negative);
    return 0;
}

/* Walks down the distinct probabilities; at each the counts of what would be called. */
static void choose(const scored *s, size_t n, nod_operating_point *o)
{
    double positives = (double)o->n_positive, negatives = (double)o->n_negative;
    double tp = 0, fp = 0, best = -INFINITY;
    double wanted = o->wanted_sensitivity * positives * (1 - 1e-12);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && s[end].p == s[first].p; end++) {
            tp += s[end].y;
            fp += !s[end].y;
        }
        /* Compared in whole numbers, so that equal values of the index are equal. */
        double youden = tp * negatives - fp * positives;
        bool take = o->rule == NOD_POINT_YOUDEN ? youden >= best : tp >= wanted;
        if (!take) continue;
        best = youden;
        o->threshold = s[first].p;
        o->sensitivity = tp / positives;
        o->specificity = negatives > 0 ? 1 - fp / negatives : NAN;
        if (o->rule == NOD_POINT_SENSITIVITY) return;
    }
}

int nod_operating_point_choose(const nod_predictions *validation, size_t column,
                               nod_point_rule rule, double wanted_sensitivity,
                               nod_operating_point *out, nod_error *err)
{
    bool by_sensitivity = rule == NOD_POINT_SENSITIVITY;
    if (rule == NOD_POINT_FIXED || validation->task == NOD_TASK_MULTICLASS)
        return nod_fail(err, NOD_EINVAL,
                        "an operating point is fitted by 'youden' or 'sensitivity', for binary "
                        "and multi-label tasks");
    if (by_sensitivity && !(wanted_sensitivity > 0 && wanted_sensitivity < 1))
        return nod_fail(err, NOD_EINVAL, "a wanted sensitivity of %g is not between 0 and 1",
                        wanted_sensitivity);
    nod_operating_point o = {.rule = rule, .wanted_sensitivity = NAN};
    if (by_sensitivity) o.wanted_sensitivity = wanted_sensitivity;
    nod_cases *c = NULL;
    scored *s = NULL;
    uint8_t *seen = NULL;
    int rc;
    NOD_TRY(nod_cases_new(validation, &c, err));
    if (c->n_seeds != 1 || column >= c->n_columns) {
        rc =
            nod_fail(err, NOD_EINVAL,
                     "an operating point belongs to one model and one label: got %zu seeds and "
                     "column %zu of %zu",
                     c->n_seeds, column, c->n_columns);
        goto out;
    }
    s = nod_calloc(c->n, sizeof *s);
    seen = nod_calloc(c->n_patients, 1);
    if (s == NULL || seen == NULL) {
        rc = nod_fail_memory(err, "an operating point", c->n * sizeof *s);
        goto out;
    }
    count(c, nod_cases_y(c, column), seen, &o);
    NOD_TRY(refuse_few(&o, err));
    for (size_t i = 0; i < c->n; i++)
        s[i] = (scored){nod_cases_p(c, 0, column)[i], nod_cases_y(c, column)[i]};
    qsort(s, c->n, sizeof *s, compare_down);
    choose(s, c->n, &o);
    *out = o;
out:
    nod_free(s);
    nod_free(seen);
    nod_cases_free(c);
    return rc;
}

nod_json *nod_operating_point_json(const nod_operating_point *o)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "rule", nod_point_rule_name(o->rule));
    nod_json_set_real(j, "threshold", o->threshold);
    if (o->rule == NOD_POINT_FIXED) return j;
    if (o->rule == NOD_POINT_SENSITIVITY)
        nod_json_set_real(j, "wanted_sensitivity", o->wanted_sensitivity);
    nod_json_set_real(j, "validation_sensitivity", o->sensitivity);
    nod_json_set_real(j, "validation_specificity", o->specificity);
    nod_json_set_int(j, "positive_images", o->n_positive);
    nod_json_set_int(j, "negative_images", o->n_negative);
    nod_json_set_int(j, "positive_patients", o->patients_positive);
    nod_json_set_int(j, "negative_patients", o->patients_negative);
    return j;
}

int nod_operating_point_from_json(const nod_json *j, const char *where,
                                  nod_operating_point *out, nod_error *err)
{
    nod_operating_point o = nod_operating_point_fixed(NAN);
    const char *rule;
    int rc;
    NOD_TRY(nod_json_need_str(j, where, "rule", &rule, err));
    NOD_TRY(nod_json_need_f64(j, where, "threshold", &o.threshold, err));
    if (!nod_point_rule_parse(rule, &o.rule))
        return nod_fail(err, NOD_EFORMAT, "%s: unknown rule '%s'", where, rule);
    if (!(o.threshold >= 0 && o.threshold <= 1))
        return nod_fail(err, NOD_EFORMAT, "%s: threshold %g is not in 0..1", where,
                        o.threshold);
    o.wanted_sensitivity = nod_json_f64(nod_json_get(j, "wanted_sensitivity"));
    o.sensitivity = nod_json_f64(nod_json_get(j, "validation_sensitivity"));
    o.specificity = nod_json_f64(nod_json_get(j, "validation_specificity"));
    o.n_positive = nod_json_i64(nod_json_get(j, "positive_images"));
    o.n_negative = nod_json_i64(nod_json_get(j, "negative_images"));
    o.patients_positive = nod_json_i64(nod_json_get(j, "positive_patients"));
    o.patients_negative = nod_json_i64(nod_json_get(j, "negative_patients"));
    *out = o;
out:
    return rc;
}
