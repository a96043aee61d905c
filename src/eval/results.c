/* results.c: lists the rows, scores them, and gives each the interval that fits it. */
#include "eval/results.h"

#include <stdio.h>
#include <string.h>

#include "eval/bootstrap.h"
#include "eval/delong.h"
#include "eval/interval.h"
#include "eval/reliability.h"
#include "eval/results_internal.h"

/* What results are made with; gone when they are made. */
typedef struct maker {
    const nod_results_options *options;
    nod_results *r;
    nod_cases *cases;
    nod_scorer *scorer;
    nod_scratch *scratch[NOD_BOOTSTRAP_PIECES];
    nod_row_spec *specs;  /* [n_rows] */
    nod_score *scores;    /* [n_rows] mean over seeds */
    nod_row_spec *booted; /* rows that need the bootstrap */
    size_t *booted_row;
    size_t n_booted;
    nod_score *work[NOD_BOOTSTRAP_PIECES]; /* [2 * n_booted] */
} maker;

nod_results_options nod_results_options_default(void)
{
    return (nod_results_options){
        .confidence = 0.95,
        .replicates = NOD_BOOTSTRAP_REPLICATES,
        .ece_bins = NOD_ECE_BINS,
        .unit = "image",
        .units = "images",
    };
}

int nod_results_options_check(const nod_results_options *o, nod_error *err)
{
    if (!(o->confidence > 0.5 && o->confidence < 1))
        return nod_fail(err, NOD_EINVAL, "a confidence of %g is not between 0.5 and 1",
                        o->confidence);
    if (o->replicates < NOD_BOOTSTRAP_REPLICATES || o->replicates > 1000000)
        return nod_fail(err, NOD_EINVAL, "%zu bootstrap replicates are not in %d..1000000",
                        o->replicates, NOD_BOOTSTRAP_REPLICATES);
    if (o->ece_bins < 2 || o->ece_bins > 100)
        return nod_fail(err, NOD_EINVAL, "%zu bins are not in 2..100", o->ece_bins);
    if (o->metrics && (o->n_metrics == 0 || o->n_metrics > NOD_METRIC_COUNT))
        return nod_fail(err, NOD_EINVAL, "%zu metrics are asked for, not 1 to %d", o->n_metrics,
                        NOD_METRIC_COUNT);
    return 0;
}

static bool is_reliability(nod_metric m)
{
    return nod_reliability_index(m) >= 0;
}

/* --- which rows --------------------------------------------------------------------------- */

/* Per class of a multiclass task and per label: what is said beside the macro averages. */
static const nod_metric per_column[] = {NOD_METRIC_ROC_AUC,     NOD_METRIC_AVERAGE_PRECISION,
                                        NOD_METRIC_SENSITIVITY, NOD_METRIC_SPECIFICITY,
                                        NOD_METRIC_PRECISION,   NOD_METRIC_F1};

/* Some metrics of the whole task. */
static void list_chosen_rows(maker *m)
{
    for (size_t i = 0; i < m->options->n_metrics; i++) {
        nod_metric metric = m->options->metrics[i];
        bool decided = nod_metric_info_get(metric)->from_decisions;
        m->specs[i] = (nod_row_spec){metric, -1, decided ? 0 : -1};
    }
    m->r->n_rows = m->options->n_metrics;
}

static void list_rows(maker *m)
{
    const nod_results *r = m->r;
    size_t n = 0;
    if (m->options->metrics) {
        list_chosen_rows(m);
        return;
    }
    for (size_t point = 0; point < r->n_points; point++)
        for (int metric = 0; metric < NOD_METRIC_COUNT; metric++)
            if (nod_metric_info_get((nod_metric)metric)->from_decisions)
                m->specs[n++] = (nod_row_spec){(nod_metric)metric, -1, (int)point};
    for (int metric = 0; metric < NOD_METRIC_COUNT; metric++)
        if (!nod_metric_info_get((nod_metric)metric)->from_decisions)
            m->specs[n++] = (nod_row_spec){(nod_metric)metric, -1, -1};
    for (size_t c = 0; r->task != NOD_TASK_BINARY && c < r->n_columns; c++)
        for (size_t i = 0; i < NOD_COUNT(per_column); i++) {
            bool decided = nod_metric_info_get(per_column[i])->from_decisions;
            for (size_t point = 0; point < (decided ? r->n_points : 1); point++)
                m->specs[n++] =
                    (nod_row_spec){per_column[i], (int)c, decided ? (int)point : -1};
        }
    m->r->n_rows = n;
}

static size_t count_rows(const nod_results *r)
{
    size_t per_class = NOD_COUNT(per_column) * r->n_points;
    return NOD_METRIC_COUNT * (r->n_points + 1) + r->n_columns * per_class;
}

/* Images and patients that a row is about. */
static void count_row(const maker *m, const nod_row_spec *spec, uint8_t *seen,
                      nod_result_row *row)
{
    const nod_cases *c = m->cases;
    bool whole = spec->column < 0 && c->task != NOD_TASK_BINARY;
    size_t column = spec->column > 0 ? (size_t)spec->column : 0;
    memset(seen, 0, c->n_patients);
    for (size_t i = 0; i < c->n; i++) {
        bool y = nod_cases_y(c, column)[i], in = true;
        if (!whole && spec->metric == NOD_METRIC_SENSITIVITY) in = y;
        if (!whole && spec->metric == NOD_METRIC_SPECIFICITY) in = !y;
        if (!whole && spec->metric == NOD_METRIC_PRECISION) {
            in = false;
            for (size_t s = 0; s < c->n_seeds; s++)
                in = in || nod_scorer_called(m->scorer, s, (size_t)spec->point, column, i);
        }
        if (!in) continue;
        row->n_images++;
        row->n_patients += !seen[c->patient[i]];
        seen[c->patient[i]] = 1;
    }
}

/* --- values ------------------------------------------------------------------------------- */

/* Slope, intercept and in-the-large of the task, with their intervals. */
static int score_reliability(maker *m, nod_error *err)
{
    nod_results *r = m->r;
    nod_result_row *rows[NOD_RELIABILITY_N] = {NULL};
    nod_reliability_mean mean[NOD_RELIABILITY_N];
    bool wanted = false;
    for (size_t i = 0; i < r->n_rows; i++)
        if (is_reliability(r->rows[i].metric)) {
            rows[nod_reliability_index(r->rows[i].metric)] = &r->rows[i];
            wanted = true;
        }
    if (!wanted) return 0;
    double *unasked = nod_calloc(r->n_seeds, sizeof *unasked);
    if (unasked == NULL) return nod_fail_memory(err, "results", r->n_seeds * sizeof *unasked);
    for (int v = 0; v < NOD_RELIABILITY_N; v++)
        mean[v].seeds = rows[v] ? rows[v]->seeds : unasked;
    int rc = nod_reliability_mean_of(m->cases, r->confidence, mean, err);
    for (int v = 0; rc == 0 && v < NOD_RELIABILITY_N; v++) {
        if (rows[v] == NULL) continue;
        rows[v]->value = mean[v].value;
        rows[v]->interval = mean[v].interval;
        rows[v]->n_used = mean[v].n_used;
    }
    nod_free(unasked);
    return rc;
}

/* Everything the scorer knows: values of each seed and their mean. */
static int score_rows(maker *m, nod_error *err)
{
    nod_results *r = m->r;
    size_t n_known = 0, *index = nod_calloc(r->n_rows, sizeof *index);
    nod_row_spec *known = nod_calloc(r->n_rows, sizeof *known);
    nod_score *score = nod_calloc(r->n_rows, 3 * sizeof *score);
    if (index == NULL || known == NULL || score == NULL) {
        nod_free(index);
        nod_free(known);
        nod_free(score);
        return nod_fail_memory(err, "results", r->n_rows * 3 * sizeof *score);
    }
    for (size_t i = 0; i < r->n_rows; i++) {
        if (is_reliability(m->specs[i].metric)) continue;
        index[n_known] = i;
        known[n_known++] = m->specs[i];
    }
    for (size_t s = 0; s < r->n_seeds; s++) {
        nod_scorer_run(m->scorer, s, NULL, known, n_known, m->scratch[0], score);
        for (size_t j = 0; j < n_known; j++)
            r->rows[index[j]].seeds[s] =
                score[j].estimate.undefined == NULL ? score[j].estimate.value : NAN;
    }
    nod_scorer_mean(m->scorer, NULL, known, n_known, m->scratch[0], score + r->n_rows,
                    score + 2 * r->n_rows);
    for (size_t j = 0; j < n_known; j++) {
        nod_score mean = score[2 * r->n_rows + j];
        if (mean.estimate.undefined != NULL) mean.estimate.value = NAN;
        r->rows[index[j]].value = mean.estimate;
        r->rows[index[j]].n_used = mean.n_used;
        m->scores[index[j]] = mean;
    }
    nod_free(index);
    nod_free(known);
    nod_free(score);
    return 0;
}

static double spread(const double *v, size_t n)
{
    double mean = 0, q = 0;
    if (n < 2) return NAN;
    for (size_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        q += (v[i] - mean) * (v[i] - mean);
    return sqrt(q / (double)(n - 1));
}

/* --- intervals ---------------------------------------------------------------------------- */

/* Is the row one proportion of cases, rather than an average of several? */
static bool is_plain_proportion(const maker *m, const nod_row_spec *spec)
{
    if (!nod_metric_info_get(spec->metric)->is_proportion) return false;
    if (spec->column >= 0 || m->cases->n_columns == 1) return true;
    return m->cases->task == NOD_TASK_MULTICLASS && spec->metric == NOD_METRIC_ACCURACY;
}

static int auc_interval(const maker *m, const nod_row_spec *spec, nod_interval *out,
                        nod_error *err)
{
    const nod_cases *c = m->cases;
    size_t column = spec->column > 0 ? (size_t)spec->column : 0;
    nod_auc_sample sample = {.n = c->n,
                             .n_seeds = c->n_seeds,
                             .n_patients = c->n_patients,
                             .score = nod_cases_log_odds(c, 0, column),
                             .stride = c->n_columns * c->n,
                             .y = nod_cases_y(c, column),
                             .patient = c->patient};
    nod_auc_variance v;
    int rc = nod_auc_variance_of(&sample, &v, err);
    if (rc == 0) *out = nod_auc_interval(&v, m->r->confidence);
    return rc;
}

/* Intervals in closed form; the rest is listed for the bootstrap. */
static int closed_intervals(maker *m, nod_error *err)
{
    nod_results *r = m->r;
    bool simple = nod_cases_one_image_a_patient(m->cases) && r->n_seeds == 1;
    for (size_t i = 0; i < r->n_rows; i++) {
        nod_result_row *row = &r->rows[i];
        const nod_row_spec *spec = &m->specs[i];
        if (is_reliability(row->metric)) continue;
        bool one_column = spec->column >= 0 || m->cases->n_columns == 1;
        if (row->value.undefined != NULL) {
            row->interval = nod_interval_none("the metric is not estimable");
        } else if (row->metric == NOD_METRIC_ROC_AUC && one_column) {
            int rc = auc_interval(m, spec, &row->interval, err);
            if (rc != 0) return rc;
        } else if (simple && is_plain_proportion(m, spec)) {
            row->interval = nod_interval_wilson(row->value.value, (double)row->n_images,
                                                r->confidence, NOD_INTERVAL_WILSON);
        } else {
            m->booted[m->n_booted] = *spec;
            m->booted_row[m->n_booted++] = i;
        }
    }
    return 0;
}

static void replicate(void *ctx, size_t piece, const double *w, double *values)
{
    maker *m = ctx;
    nod_score *mean = m->work[piece] + m->n_booted;
    nod_scorer_mean(m->scorer, w, m->booted, m->n_booted, m->scratch[piece], m->work[piece],
                    mean);
    for (size_t j = 0; j < m->n_booted; j++) {
        /* A macro average over other classes is another quantity: not comparable. */
        bool same = mean[j].n_used == m->scores[m->booted_row[j]].n_used;
        values[j] = mean[j].estimate.undefined == NULL && same ? mean[j].estimate.value : NAN;
    }
}

/* The bootstrap has no width: every patient agrees. */
static nod_interval flat_interval(const maker *m, size_t row_i)
{
    const nod_results *r = m->r;
    const nod_result_row *row = &r->rows[row_i];
    const nod_row_spec *spec = &m->specs[row_i];
    if (is_plain_proportion(m, spec))
        return nod_interval_wilson(row->value.value, (double)row->n_patients, r->confidence,
                                   NOD_INTERVAL_WILSON_PATIENTS);
    if (spec->metric == NOD_METRIC_BALANCED_ACCURACY && m->cases->n_columns == 1) {
        const nod_result_row *half[2] = {NULL, NULL};
        for (size_t i = 0; i < r->n_rows; i++) {
            if (m->specs[i].point != spec->point) continue;
            if (m->specs[i].metric == NOD_METRIC_SENSITIVITY) half[0] = &r->rows[i];
            if (m->specs[i].metric == NOD_METRIC_SPECIFICITY) half[1] = &r->rows[i];
        }
        if (!half[0] || !half[1])
            return nod_interval_none("it needs sensitivity and specificity");
        nod_interval wilson[2];
        for (int h = 0; h < 2; h++)
            wilson[h] = nod_interval_wilson(half[h]->value.value, (double)half[h]->n_patients,
                                            r->confidence, NOD_INTERVAL_WILSON_PATIENTS);
        return nod_interval_square_add(half[0]->value.value, &wilson[0], half[1]->value.value,
                                       &wilson[1]);
    }
    return nod_interval_none("every bootstrap replicate gives the same value");
}

static int boot_intervals(maker *m, uint64_t seed, nod_error *err)
{
    nod_results *r = m->r;
    nod_bootstrap *b = NULL;
    if (m->n_booted == 0) return 0;
    if (m->cases->n_patients < 2) {
        for (size_t j = 0; j < m->n_booted; j++)
            r->rows[m->booted_row[j]].interval = nod_interval_none("there is one patient only");
        return 0;
    }
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++) {
        m->work[i] = nod_calloc(m->n_booted, 2 * sizeof *m->work[i]);
        if (m->work[i] == NULL)
            return nod_fail_memory(err, "the bootstrap", m->n_booted * sizeof(nod_score));
    }
    int rc =
        nod_bootstrap_run(m->cases, seed, r->replicates, m->n_booted, replicate, m, &b, err);
    if (rc != 0) return rc;
    r->redrawn = b->redrawn;
    r->given_up = b->given_up;
    for (size_t j = 0; j < m->n_booted; j++) {
        nod_result_row *row = &r->rows[m->booted_row[j]];
        row->interval = nod_bootstrap_interval(b, j, r->confidence);
        if (row->interval.undefined == NULL && nod_bootstrap_is_flat(b, j))
            row->interval = flat_interval(m, m->booted_row[j]);
    }
    nod_bootstrap_free(b);
    return 0;
}

/* --- putting it together ------------------------------------------------------------------ */

static int copy_json(nod_arena *arena, const nod_json *j, char **out, nod_error *err)
{
    char *text = NULL;
    if (j == NULL) return 0;
    int rc = nod_json_dump(j, false, &text, err);
    if (rc != 0) return rc;
    *out = nod_arena_strdup(arena, text);
    nod_free(text);
    return *out != NULL ? 0 : nod_fail_memory(err, "results", 0);
}

static int copy_unit(nod_results *r, const nod_results_options *o, nod_error *err)
{
    r->unit = nod_arena_strdup(&r->arena, o->unit);
    r->units = nod_arena_strdup(&r->arena, o->units);
    r->n_sources = o->n_sources;
    return r->unit && r->units ? 0 : nod_fail_memory(err, "results", 0);
}

/* Notes of the caller, then what the cases themselves say. */
static int copy_notes(maker *m, const nod_results_options *o, nod_error *err)
{
    nod_results *r = m->r;
    r->notes = nod_arena_alloc(&r->arena, (o->n_notes + 3) * sizeof *r->notes);
    if (r->notes == NULL) return nod_fail_memory(err, "notes", 0);
    for (size_t i = 0; i < o->n_notes; i++)
        r->notes[r->n_notes++] = nod_arena_strdup(&r->arena, o->notes[i]);
    if (r->n_without_patient > 0 && r->n_without_patient < r->n_images)
        r->notes[r->n_notes++] = nod_arena_printf(
            &r->arena, "%zu of %zu %s have no patient key; each counts as a patient",
            r->n_without_patient, r->n_images, r->units);
    if (r->given_up > 0)
        r->notes[r->n_notes++] = nod_arena_printf(
            &r->arena, "%zu of %zu bootstrap replicates found no draw with every class",
            r->given_up, r->replicates);
    for (size_t i = 0; i < r->n_notes; i++)
        if (r->notes[i] == NULL) return nod_fail_memory(err, "notes", 0);
    return 0;
}

/* Copies what outlives the predictions, and counts the classes. */
static int describe(maker *m, const nod_predictions *p, nod_error *err)
{
    nod_results *r = m->r;
    const nod_cases *c = m->cases;
    r->task = p->task;
    r->k = p->k;
    r->positive = p->positive;
    r->n_columns = c->n_columns;
    r->n_images = c->n;
    r->n_patients = c->n_patients;
    r->n_without_patient = c->n_without_patient;
    r->n_seeds = c->n_seeds;
    nod_arena *a = &r->arena;
    r->class_names = nod_arena_alloc(a, p->k * sizeof *r->class_names);
    r->class_images = nod_arena_alloc(a, p->k * sizeof *r->class_images);
    r->class_patients = nod_arena_alloc(a, p->k * sizeof *r->class_patients);
    r->seed_index = nod_arena_memdup(a, c->seed, c->n_seeds * sizeof *c->seed);
    uint8_t *seen = nod_arena_alloc(a, c->n_patients * p->k);
    if (!r->class_names || !r->class_images || !r->class_patients || !r->seed_index || !seen)
        return nod_fail_memory(err, "results", c->n_patients * p->k);
    size_t most = 0;
    for (size_t k = 0; k < p->k; k++) {
        r->class_names[k] = nod_arena_strdup(a, p->class_names.items[k]);
        if (r->class_names[k] == NULL) return nod_fail_memory(err, "results", 0);
        for (size_t i = 0; i < c->n; i++) {
            bool in = c->label != NULL ? c->label[i] == (int32_t)k : nod_cases_y(c, k)[i];
            if (!in) continue;
            r->class_images[k]++;
            r->class_patients[k] += !seen[k * c->n_patients + c->patient[i]];
            seen[k * c->n_patients + c->patient[i]] = 1;
        }
        most = NOD_MAX(most, r->class_images[k]);
    }
    r->majority = p->task == NOD_TASK_MULTILABEL ? NAN : (double)most / (double)c->n;
    return 0;
}

/* Points: the frozen one (if given) and 0.5; for multiclass the highest probability. */
static int set_points(maker *m, const nod_operating_point *points, nod_error *err)
{
    nod_results *r = m->r;
    const nod_cases *c = m->cases;
    bool multiclass = r->task == NOD_TASK_MULTICLASS;
    if (multiclass && points != NULL)
        return nod_fail(err, NOD_EINVAL, "a multiclass task has no operating point");
    r->n_points = points != NULL ? 2 : 1;
    r->points = nod_arena_alloc(&r->arena, r->n_points * sizeof *r->points);
    if (r->points == NULL) return nod_fail_memory(err, "results", 0);
    if (multiclass) {
        snprintf(r->points[0].name, sizeof r->points[0].name, "argmax");
        return nod_scorer_new(c, NULL, 1, r->ece_bins, &m->scorer, err);
    }
    size_t per_point = c->n_seeds * c->n_columns;
    double *t = nod_arena_alloc(&r->arena, r->n_points * per_point * sizeof *t);
    for (size_t i = 0; i < r->n_points; i++) {
        nod_result_point *point = &r->points[i];
        bool frozen = points != NULL && i == 0;
        snprintf(point->name, sizeof point->name, "%s", frozen ? "operating point" : "0.5");
        point->points = nod_arena_alloc(&r->arena, per_point * sizeof *point->points);
        if (point->points == NULL || t == NULL) return nod_fail_memory(err, "results", 0);
        for (size_t j = 0; j < per_point; j++) {
            size_t seed = (size_t)c->seed[j / c->n_columns], col = j % c->n_columns;
            point->points[j] =
                frozen ? points[seed * c->n_columns + col] : nod_operating_point_fixed(0.5);
            t[i * per_point + j] = point->points[j].threshold;
            if (!(t[i * per_point + j] >= 0 && t[i * per_point + j] <= 1))
                return nod_fail(err, NOD_EINVAL, "the threshold %g of seed %zu is not in 0..1",
                                t[i * per_point + j], seed);
        }
    }
    return nod_scorer_new(c, t, r->n_points, r->ece_bins, &m->scorer, err);
}

static int allocate_rows(maker *m, nod_error *err)
{
    nod_results *r = m->r;
    size_t most = count_rows(r);
    m->specs = nod_calloc(most, sizeof *m->specs);
    m->booted = nod_calloc(most, sizeof *m->booted);
    m->booted_row = nod_calloc(most, sizeof *m->booted_row);
    m->scores = nod_calloc(most, sizeof *m->scores);
    r->rows = nod_arena_alloc(&r->arena, most * sizeof *r->rows);
    if (!m->specs || !m->booted || !m->booted_row || !m->scores || !r->rows)
        return nod_fail_memory(err, "results", most * sizeof *r->rows);
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++) {
        int rc = nod_scratch_new(m->scorer, &m->scratch[i], err);
        if (rc != 0) return rc;
    }
    list_rows(m);
    uint8_t *seen = nod_calloc(r->n_patients, 1);
    if (seen == NULL) return nod_fail_memory(err, "results", r->n_patients);
    bool ok = true;
    for (size_t i = 0; ok && i < r->n_rows; i++) {
        nod_result_row *row = &r->rows[i];
        *row = (nod_result_row){.metric = m->specs[i].metric,
                                .column = m->specs[i].column,
                                .point = m->specs[i].point,
                                .n_columns = m->specs[i].column < 0 ? r->n_columns : 1,
                                .seed_sd = NAN};
        row->seeds = nod_arena_alloc(&r->arena, r->n_seeds * sizeof *row->seeds);
        ok = row->seeds != NULL;
        count_row(m, &m->specs[i], seen, row);
    }
    nod_free(seen);
    return ok ? 0 : nod_fail_memory(err, "results", r->n_seeds * sizeof(double));
}

/* Confusion tables and calibration bins, for every seed. */
static int fill_tables(maker *m, nod_error *err)
{
    nod_results *r = m->r;
    bool multiclass = r->task == NOD_TASK_MULTICLASS;
    r->n_units = nod_scorer_units(m->scorer);
    size_t n =
        multiclass ? r->n_seeds * r->k * r->k : r->n_points * r->n_seeds * r->n_columns * 4;
    r->tables = nod_arena_alloc(&r->arena, n * sizeof *r->tables);
    r->bins =
        nod_arena_alloc(&r->arena, r->n_seeds * r->n_units * r->ece_bins * sizeof *r->bins);
    if (r->tables == NULL || r->bins == NULL) return nod_fail_memory(err, "results", n * 8);
    for (size_t s = 0; s < r->n_seeds; s++) {
        if (multiclass) nod_scorer_matrix(m->scorer, s, r->tables + s * r->k * r->k);
        for (size_t u = 0; u < r->n_units; u++)
            nod_scorer_bins(m->scorer, s, u, r->bins + (s * r->n_units + u) * r->ece_bins);
        for (size_t i = 0; !multiclass && i < r->n_points; i++)
            for (size_t c = 0; c < r->n_columns; c++) {
                nod_confusion x = nod_scorer_confusion(m->scorer, s, i, c);
                double *to = r->tables + ((i * r->n_seeds + s) * r->n_columns + c) * 4;
                memcpy(to, (double[4]){x.tn, x.fp, x.fn, x.tp}, 4 * sizeof *to);
            }
    }
    return 0;
}

static void maker_done(maker *m)
{
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++) {
        nod_scratch_free(m->scratch[i]);
        nod_free(m->work[i]);
    }
    nod_scorer_free(m->scorer);
    nod_cases_free(m->cases);
    nod_free(m->specs);
    nod_free(m->booted);
    nod_free(m->booted_row);
    nod_free(m->scores);
}

int nod_results_new(const nod_predictions *p, const nod_operating_point *points,
                    const nod_results_options *options, nod_results **out, nod_error *err)
{
    maker m = {.options = options};
    int rc = nod_results_options_check(options, err);
    if (rc != 0) return rc;
    m.r = nod_calloc(1, sizeof *m.r);
    if (m.r == NULL) return nod_fail_memory(err, "results", sizeof *m.r);
    nod_arena_init(&m.r->arena);
    m.r->confidence = options->confidence;
    m.r->replicates = options->replicates;
    m.r->bootstrap_seed = options->seed;
    m.r->ece_bins = options->ece_bins;
    NOD_TRY(copy_unit(m.r, options, err));
    NOD_TRY(nod_cases_new(p, &m.cases, err));
    NOD_TRY(describe(&m, p, err));
    NOD_TRY(set_points(&m, points, err));
    NOD_TRY(allocate_rows(&m, err));
    NOD_TRY(score_rows(&m, err));
    NOD_TRY(score_reliability(&m, err));
    NOD_TRY(closed_intervals(&m, err));
    NOD_TRY(boot_intervals(&m, options->seed, err));
    NOD_TRY(fill_tables(&m, err));
    NOD_TRY(copy_notes(&m, options, err));
    NOD_TRY(copy_json(&m.r->arena, options->calibration, &m.r->calibration, err));
    NOD_TRY(copy_json(&m.r->arena, options->provenance, &m.r->provenance, err));
    for (size_t i = 0; i < m.r->n_rows; i++)
        m.r->rows[i].seed_sd = spread(m.r->rows[i].seeds, m.r->n_seeds);
    *out = m.r;
    m.r = NULL;
out:
    nod_results_free(m.r);
    maker_done(&m);
    return rc;
}

void nod_results_free(nod_results *r)
{
    if (r == NULL) return;
    nod_arena_done(&r->arena);
    nod_free(r);
}

size_t nod_results_rows(const nod_results *r)
{
    return r->n_rows;
}

const nod_result_row *nod_results_row(const nod_results *r, size_t i)
{
    NOD_ASSERT(i < r->n_rows);
    return &r->rows[i];
}

const nod_result_row *nod_results_find(const nod_results *r, nod_metric m, const char *point)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const nod_result_row *row = &r->rows[i];
        if (row->metric != m || row->column >= 0) continue;
        if (point == NULL ||
            (row->point >= 0 && strcmp(r->points[row->point].name, point) == 0))
            return row;
    }
    return NULL;
}

size_t nod_results_seeds(const nod_results *r)
{
    return r->n_seeds;
}
