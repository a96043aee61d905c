/* compare.c: lines two runs up case by case and tests each metric in its own way. */
#include "eval/compare.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "eval/bootstrap.h"
#include "eval/delong.h"
#include "eval/interval.h"
#include "eval/special.h"

/* One of the two runs. */
typedef struct side {
    nod_cases *cases;
    nod_scorer *scorer;
    nod_scratch *scratch[NOD_BOOTSTRAP_PIECES];
} side;

typedef struct maker {
    side sides[2];
    nod_row_spec specs[NOD_COMPARE_ROWS_MAX];
    size_t n_specs;
} maker;

const char *nod_test_name(nod_test_method m)
{
    switch (m) {
    case NOD_TEST_NONE:
        return "none";
    case NOD_TEST_PAIRED_DELONG:
        return "paired DeLong";
    case NOD_TEST_INFLUENCE:
        return "influence, t";
    case NOD_TEST_MCNEMAR:
        return "McNemar, exact";
    case NOD_TEST_PERMUTATION:
        return "permutation per patient";
    case NOD_TEST_PERMUTATION_EXACT:
        return "permutation per patient, all swaps";
    }
    return "unknown";
}

static int open_side(side *s, const nod_predictions *p, const nod_operating_point *points,
                     nod_error *err)
{
    int rc = nod_cases_new(p, &s->cases, err);
    if (rc != 0) return rc;
    const nod_cases *c = s->cases;
    double *t = NULL;
    if (c->task != NOD_TASK_MULTICLASS) {
        t = nod_calloc(c->n_seeds, c->n_columns * sizeof *t);
        if (t == NULL) return nod_fail_memory(err, "thresholds", c->n_seeds * sizeof *t);
        for (size_t i = 0; i < c->n_seeds * c->n_columns; i++) {
            size_t seed = (size_t)c->seed[i / c->n_columns];
            t[i] =
                points != NULL ? points[seed * c->n_columns + i % c->n_columns].threshold : 0.5;
        }
    }
    rc = nod_scorer_new(c, t, 1, NOD_ECE_BINS, &s->scorer, err);
    nod_free(t);
    for (size_t i = 0; rc == 0 && i < NOD_BOOTSTRAP_PIECES; i++)
        rc = nod_scratch_new(s->scorer, &s->scratch[i], err);
    return rc;
}

static void close_side(side *s)
{
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++)
        nod_scratch_free(s->scratch[i]);
    nod_scorer_free(s->scorer);
    nod_cases_free(s->cases);
}

static nod_auc_sample sample_of(const nod_cases *c, size_t column)
{
    return (nod_auc_sample){.n = c->n,
                            .n_seeds = c->n_seeds,
                            .n_patients = c->n_patients,
                            .score = nod_cases_log_odds(c, 0, column),
                            .stride = c->n_columns * c->n,
                            .y = nod_cases_y(c, column),
                            .patient = c->patient};
}

/* --- AUC ---------------------------------------------------------------------------------- */

static bool has_both(const nod_cases *c, size_t column)
{
    size_t yes = 0;
    for (size_t i = 0; i < c->n; i++)
        yes += nod_cases_y(c, column)[i];
    return yes > 0 && yes < c->n;
}

static int compare_auc(const maker *m, double confidence, nod_compare_row *row, nod_error *err)
{
    nod_auc_sample a = sample_of(m->sides[0].cases, 0), b = sample_of(m->sides[1].cases, 0);
    nod_auc_difference d;
    int rc = nod_auc_compare(&a, &b, confidence, &d, err);
    if (rc != 0) return rc;
    row->p = d.p;
    row->interval = d.interval;
    row->method = d.p.undefined == NULL ? NOD_TEST_PAIRED_DELONG : NOD_TEST_NONE;
    return 0;
}

/* Mean of the one-vs-rest AUCs, by influences. */
static int compare_macro_auc(const maker *m, double confidence, nod_compare_row *row,
                             nod_error *err)
{
    const nod_cases *c = m->sides[0].cases;
    double n_used = 0, sum = 0, auc, n = (double)c->n_patients;
    double *u = nod_calloc(c->n_patients, sizeof *u);
    int rc = 0;
    if (u == NULL) return nod_fail_memory(err, "a comparison", c->n_patients * sizeof *u);
    for (size_t col = 0; col < c->n_columns; col++)
        n_used += has_both(c, col);
    for (size_t col = 0; col < c->n_columns; col++) {
        if (!has_both(c, col)) continue;
        nod_auc_sample a = sample_of(m->sides[0].cases, col);
        nod_auc_sample b = sample_of(m->sides[1].cases, col);
        NOD_TRY(nod_auc_influence(&a, 1 / n_used, &auc, u, err));
        NOD_TRY(nod_auc_influence(&b, -1 / n_used, &auc, u, err));
    }
    for (size_t i = 0; i < c->n_patients; i++)
        sum += u[i] * u[i];
    double variance = n / (n - 1) * sum, sd = sqrt(variance);
    if (!(variance > 1e-24)) {
        row->p = nod_estimate_none("the difference has no variance");
        row->interval = nod_interval_none("the difference has no variance");
        goto out;
    }
    double t = nod_t_quantile(0.5 * (1 + confidence), n - 1), d = row->difference.value;
    row->method = NOD_TEST_INFLUENCE;
    row->p = nod_estimate_of(2 * nod_t_cdf(-fabs(d) / sd, n - 1));
    row->interval = nod_interval_of(NOD_INTERVAL_SANDWICH, d - t * sd, d + t * sd);
out:
    nod_free(u);
    return rc;
}

/* --- decisions ---------------------------------------------------------------------------- */

/* Share of what was decided right about image i, over seeds and columns. */
static double share_right(const side *s, size_t i)
{
    const nod_cases *c = s->cases;
    double right = 0;
    for (size_t seed = 0; seed < c->n_seeds; seed++) {
        if (c->task == NOD_TASK_MULTICLASS) {
            right += nod_scorer_called(s->scorer, seed, 0, (size_t)c->label[i], i);
            continue;
        }
        for (size_t col = 0; col < c->n_columns; col++)
            right += (double)(nod_scorer_called(s->scorer, seed, 0, col, i) ==
                              (nod_cases_y(c, col)[i] == 1)) /
                     (double)c->n_columns;
    }
    return right / (double)c->n_seeds;
}

static bool is_about(nod_metric metric, const nod_cases *c, size_t i)
{
    if (metric == NOD_METRIC_SENSITIVITY) return nod_cases_y(c, 0)[i];
    if (metric == NOD_METRIC_SPECIFICITY) return !nod_cases_y(c, 0)[i];
    return true;
}

static int compare_decisions(const maker *m, uint64_t seed, nod_compare_row *row,
                             nod_error *err)
{
    const nod_cases *c = m->sides[0].cases;
    bool simple = nod_cases_one_image_a_patient(c) && c->n_seeds == 1 &&
                  m->sides[1].cases->n_seeds == 1 &&
                  (c->n_columns == 1 || c->task == NOD_TASK_MULTICLASS);
    double *d = nod_calloc(c->n_patients, sizeof *d), p;
    if (d == NULL) return nod_fail_memory(err, "a comparison", c->n_patients * sizeof *d);
    int64_t only[2] = {0, 0};
    int rc = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!is_about(row->metric, c, i)) continue;
        double of_image = share_right(&m->sides[0], i) - share_right(&m->sides[1], i);
        d[c->patient[i]] += of_image;
        only[0] += of_image > 0.5;
        only[1] += of_image < -0.5;
    }
    if (simple) {
        row->only_a = only[0];
        row->only_b = only[1];
        row->method = NOD_TEST_MCNEMAR;
        row->p = nod_estimate_of(nod_mcnemar_exact(only[0], only[1]));
    } else {
        rc = nod_permutation_test(d, c->n_patients, seed, &p, &row->method, err);
        if (rc == 0) row->p = nod_estimate_of(p);
    }
    nod_free(d);
    return rc;
}

static void replicate(void *ctx, size_t piece, const double *w, double *values)
{
    maker *m = ctx;
    nod_score work[NOD_COMPARE_ROWS_MAX], score[2][NOD_COMPARE_ROWS_MAX];
    for (int s = 0; s < 2; s++)
        nod_scorer_mean(m->sides[s].scorer, w, m->specs, m->n_specs, m->sides[s].scratch[piece],
                        work, score[s]);
    for (size_t i = 0; i < m->n_specs; i++) {
        bool ok =
            score[0][i].estimate.undefined == NULL && score[1][i].estimate.undefined == NULL;
        values[i] = ok ? score[0][i].estimate.value - score[1][i].estimate.value : NAN;
    }
}

/* --- all ---------------------------------------------------------------------------------- */

static void count_row(const nod_cases *c, nod_compare_row *row, uint8_t *seen)
{
    memset(seen, 0, c->n_patients);
    for (size_t i = 0; i < c->n; i++) {
        if (!is_about(row->metric, c, i)) continue;
        row->n_images++;
        row->n_patients += !seen[c->patient[i]];
        seen[c->patient[i]] = 1;
    }
}

static void list_rows(maker *m, nod_comparison *out)
{
    static const nod_metric metrics[NOD_COMPARE_ROWS_MAX] = {
        NOD_METRIC_ROC_AUC, NOD_METRIC_ACCURACY, NOD_METRIC_SENSITIVITY,
        NOD_METRIC_SPECIFICITY};
    bool binary = m->sides[0].cases->task == NOD_TASK_BINARY;
    out->n_rows = m->n_specs = binary ? 4 : 2;
    for (size_t i = 0; i < m->n_specs; i++) {
        m->specs[i] = (nod_row_spec){metrics[i], -1, 0};
        out->rows[i] = (nod_compare_row){.metric = metrics[i], .only_a = -1, .only_b = -1};
        out->rows[i].p = nod_estimate_none("not tested");
        out->rows[i].interval = nod_interval_none("not estimable");
    }
}

static void difference(maker *m, nod_comparison *out)
{
    nod_score work[NOD_COMPARE_ROWS_MAX], score[2][NOD_COMPARE_ROWS_MAX];
    for (int s = 0; s < 2; s++)
        nod_scorer_mean(m->sides[s].scorer, NULL, m->specs, m->n_specs, m->sides[s].scratch[0],
                        work, score[s]);
    for (size_t i = 0; i < m->n_specs; i++) {
        nod_compare_row *row = &out->rows[i];
        row->a = score[0][i].estimate;
        row->b = score[1][i].estimate;
        const char *why = row->a.undefined != NULL ? row->a.undefined : row->b.undefined;
        row->difference =
            why != NULL ? nod_estimate_none(why) : nod_estimate_of(row->a.value - row->b.value);
        if (why == NULL) continue;
        row->p = nod_estimate_none(why);
        row->interval = nod_interval_none(why);
    }
}

static int test_rows(maker *m, const nod_results_options *o, nod_comparison *out,
                     nod_error *err)
{
    const nod_cases *c = m->sides[0].cases;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < out->n_rows; i++) {
        nod_compare_row *row = &out->rows[i];
        if (row->difference.undefined != NULL) continue;
        if (row->metric != NOD_METRIC_ROC_AUC)
            rc = compare_decisions(m, o->seed, row, err);
        else if (c->n_columns == 1)
            rc = compare_auc(m, o->confidence, row, err);
        else
            rc = compare_macro_auc(m, o->confidence, row, err);
    }
    if (rc != 0 || c->n_patients < 2) return rc;
    nod_bootstrap *b;
    rc = nod_bootstrap_run(c, o->seed, o->replicates, m->n_specs, replicate, m, &b, err);
    if (rc != 0) return rc;
    for (size_t i = 0; i < out->n_rows; i++) {
        nod_compare_row *row = &out->rows[i];
        if (row->metric == NOD_METRIC_ROC_AUC || row->difference.undefined != NULL) continue;
        row->interval = nod_bootstrap_interval(b, i, o->confidence);
        if (row->interval.undefined == NULL && nod_bootstrap_is_flat(b, i))
            row->interval =
                nod_interval_none("every bootstrap replicate gives the same difference");
    }
    nod_bootstrap_free(b);
    return 0;
}

int nod_compare(const char *name_a, const nod_predictions *a,
                const nod_operating_point *points_a, const char *name_b,
                const nod_predictions *b, const nod_operating_point *points_b,
                const nod_results_options *options, nod_comparison *out, nod_error *err)
{
    maker m = {0};
    nod_comparison made = {.confidence = options->confidence};
    uint8_t *seen = NULL;
    int rc = nod_results_options_check(options, err);
    if (rc != 0) return rc;
    NOD_TRY(open_side(&m.sides[0], a, points_a, err));
    NOD_TRY(open_side(&m.sides[1], b, points_b, err));
    NOD_TRY(nod_cases_match(m.sides[0].cases, m.sides[1].cases, err));
    const nod_cases *c = m.sides[0].cases;
    snprintf(made.name_a, sizeof made.name_a, "%s", name_a);
    snprintf(made.name_b, sizeof made.name_b, "%s", name_b);
    snprintf(made.units, sizeof made.units, "%s", options->units);
    made.n_images = c->n;
    made.n_patients = c->n_patients;
    made.patients_known = c->n_without_patient < c->n;
    list_rows(&m, &made);
    seen = nod_calloc(c->n_patients, 1);
    if (seen == NULL) {
        rc = nod_fail_memory(err, "a comparison", c->n_patients);
        goto out;
    }
    for (size_t i = 0; i < made.n_rows; i++)
        count_row(c, &made.rows[i], seen);
    difference(&m, &made);
    NOD_TRY(test_rows(&m, options, &made, err));
    *out = made;
out:
    nod_free(seen);
    close_side(&m.sides[0]);
    close_side(&m.sides[1]);
    return rc;
}

/* --- rendering ---------------------------------------------------------------------------- */

nod_json *nod_comparison_json(const nod_comparison *c)
{
    nod_json *root = nod_json_object(), *rows = nod_json_array();
    nod_json_set_str(root, "format", "nodule-comparison");
    nod_json_set_int(root, "version", 1);
    nod_json_set_str(root, "a", c->name_a);
    nod_json_set_str(root, "b", c->name_b);
    nod_json_set_real(root, "confidence", c->confidence);
    nod_json_set_int(root, "images", (int64_t)c->n_images);
    nod_json_set(root, "patients",
                 c->patients_known ? nod_json_int((int64_t)c->n_patients) : nod_json_null());
    for (size_t i = 0; i < c->n_rows; i++) {
        const nod_compare_row *r = &c->rows[i];
        nod_json *j = nod_json_object(), *interval = nod_json_object();
        nod_json_set_str(j, "metric", nod_metric_info_get(r->metric)->key);
        nod_json_set_real(j, "a", r->a.value);
        nod_json_set_real(j, "b", r->b.value);
        nod_json_set_real(j, "difference", r->difference.value);
        nod_json_set_str(j, "not_estimable", r->difference.undefined);
        nod_json_set_real(interval, "lo", r->interval.lo);
        nod_json_set_real(interval, "hi", r->interval.hi);
        nod_json_set_str(interval, "method",
                         r->interval.undefined == NULL ? nod_interval_name(r->interval.method)
                                                       : NULL);
        nod_json_set_str(interval, "not_estimable", r->interval.undefined);
        nod_json_set(j, "interval", interval);
        nod_json_set_real(j, "p", r->p.value);
        nod_json_set_str(j, "test", nod_test_name(r->method));
        nod_json_set_str(j, "p_not_estimable", r->p.undefined);
        nod_json_set_int(j, "images", (int64_t)r->n_images);
        nod_json_set_int(j, "patients", (int64_t)r->n_patients);
        if (r->only_a >= 0) {
            nod_json_set_int(j, "only_a_right", r->only_a);
            nod_json_set_int(j, "only_b_right", r->only_b);
        }
        nod_json_push(rows, j);
    }
    nod_json_set(root, "metrics", rows);
    return root;
}

void nod_comparison_text(const nod_comparison *c, nod_strbuf *out)
{
    char interval[64], p[64];
    nod_strbuf_printf(out, "A: %s\nB: %s\n%zu %s", c->name_a, c->name_b, c->n_images, c->units);
    if (c->patients_known)
        nod_strbuf_printf(out, " of %zu patients\n\n", c->n_patients);
    else
        nod_strbuf_add(out, ", patients unknown\n\n");
    snprintf(interval, sizeof interval, "%g %% interval", 100 * c->confidence);
    nod_strbuf_printf(out, "  %-22s %8s %8s %8s  %-20s %-9s %s\n", "metric", "A", "B", "A - B",
                      interval, "p", "test");
    for (size_t i = 0; i < c->n_rows; i++) {
        const nod_compare_row *r = &c->rows[i];
        const char *title = nod_metric_info_get(r->metric)->title;
        if (r->difference.undefined != NULL) {
            nod_strbuf_printf(out, "  %-22s not estimable: %s\n", title,
                              r->difference.undefined);
            continue;
        }
        if (r->interval.undefined == NULL)
            snprintf(interval, sizeof interval, "%+.4f to %+.4f", r->interval.lo,
                     r->interval.hi);
        else
            snprintf(interval, sizeof interval, "not estimable");
        if (r->p.undefined == NULL)
            snprintf(p, sizeof p, "%.3g", r->p.value);
        else
            snprintf(p, sizeof p, "-");
        nod_strbuf_printf(out, "  %-22s %8.4f %8.4f %+8.4f  %-20s %-9s %s\n", title, r->a.value,
                          r->b.value, r->difference.value, interval, p,
                          r->p.undefined == NULL ? nod_test_name(r->method) : r->p.undefined);
    }
}
