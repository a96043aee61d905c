/* predictions_csv.c: the per-case table for people and spreadsheets, worst case first.
 *
 * id, truth, probability, threshold, decision, error, patient, (unit,) seed, then p_CLASS and logit_CLASS
 * for every class. Lists of labels are joined by '|'; no label at all is "|", unknown is empty. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "eval/predictions.h"

static double threshold_of(const nod_predictions *p, const double *thresholds, size_t row,
                           size_t c)
{
    if (thresholds == NULL) return 0.5;
    return thresholds[(size_t)p->seed[row] * nod_task_columns(p->task, p->k) + c];
}

typedef struct sort_key {
    double error;
    const char *id;
    int32_t seed;
    size_t row;
} sort_key;

static int compare_worst_first(const void *a, const void *b)
{
    const sort_key *x = a, *y = b;
    if (isnan(x->error) != isnan(y->error)) return isnan(x->error) ? 1 : -1;
    if (x->error > y->error) return -1;
    if (x->error < y->error) return 1;
    int c = strcmp(x->id, y->id);
    return c != 0 ? c : (x->seed > y->seed) - (x->seed < y->seed);
}

static void add_real(nod_strbuf *out, double v)
{
    char text[40] = "";
    if (!isnan(v)) nod_format_f64(v, text, sizeof text);
    nod_csv_add_field(out, text, 0);
}

/* Joins the names of the labels that `is` says; "|" when there is none. */
static void add_names(const nod_predictions *p, size_t row, const double *thresholds,
                      bool truth, nod_strbuf *out)
{
    nod_strbuf names = NOD_STRBUF_INIT;
    for (size_t c = 0; c < p->k; c++) {
        bool on =
            truth ? p->labels[row * p->k + c] == 1
                  : nod_predictions_is_called(p, row, c, threshold_of(p, thresholds, row, c));
        if (!on) continue;
        if (names.len > 0) nod_strbuf_addc(&names, '|');
        nod_strbuf_add(&names, p->class_names.items[c]);
    }
    if (names.len == 0) nod_strbuf_addc(&names, '|');
    if (names.failed)
        out->failed = true;
    else
        nod_csv_add_field(out, names.data, 0);
    nod_strbuf_done(&names);
}

/* The column that the row's probability and threshold are shown for: the positive class, the
 * decided class, or the label with the largest error (truth unknown: the likeliest). */
static size_t shown_class(const nod_predictions *p, size_t row)
{
    if (p->task == NOD_TASK_BINARY) return (size_t)p->positive;
    if (p->task == NOD_TASK_MULTICLASS) return nod_predictions_argmax(p, row);
    size_t worst = 0;
    double most = -1;
    for (size_t c = 0; c < p->k; c++) {
        double q = p->probabilities[row * p->k + c];
        double error = p->labels[row * p->k + c] == 1 ? 1 - q : q;
        if (error > most) {
            most = error;
            worst = c;
        }
    }
    return worst;
}

static void add_row(const nod_predictions *p, size_t row, const double *thresholds,
                    double error, nod_strbuf *out)
{
    char *const *names = p->class_names.items;
    size_t shown = shown_class(p, row);
    bool known = p->labels[row * nod_predictions_labels(p)] >= 0;
    nod_csv_add_field(out, p->id[row], 1);
    if (!known)
        nod_csv_add_field(out, "", 0);
    else if (p->task == NOD_TASK_MULTILABEL)
        add_names(p, row, thresholds, true, out);
    else
        nod_csv_add_field(out, names[p->labels[row]], 0);
    add_real(out, p->probabilities[row * p->k + shown]);
    if (p->task == NOD_TASK_MULTICLASS) {
        nod_csv_add_field(out, "", 0);
        nod_csv_add_field(out, names[shown], 0);
    } else if (p->task == NOD_TASK_BINARY) {
        double t = threshold_of(p, thresholds, row, 0);
        size_t decided = nod_predictions_is_called(p, row, 0, t) ? shown : 1 - shown;
        add_real(out, t);
        nod_csv_add_field(out, names[decided], 0);
    } else {
        add_real(out, threshold_of(p, thresholds, row, shown));
        add_names(p, row, thresholds, false, out);
    }
    add_real(out, error);
    nod_csv_add_field(out, p->patient[row] != NULL ? p->patient[row] : "", 0);
    if (p->unit) nod_csv_add_field(out, p->unit[row] != NULL ? p->unit[row] : "", 0);
    nod_strbuf_printf(out, ",%d", p->seed[row]);
    for (size_t c = 0; c < p->k; c++)
        add_real(out, p->probabilities[row * p->k + c]);
    for (size_t c = 0; p->has_logits && c < p->k; c++)
        add_real(out, p->logits[row * p->k + c]);
    nod_strbuf_addc(out, '\n');
}

static void add_header(const nod_predictions *p, nod_strbuf *out)
{
    nod_strbuf name = NOD_STRBUF_INIT;
    nod_strbuf_printf(out, "id,truth,probability,threshold,decision,error,patient,%sseed",
                      p->unit ? "unit," : "");
    for (int logits = 0; logits <= (p->has_logits ? 1 : 0); logits++)
        for (size_t c = 0; c < p->k; c++) {
            nod_strbuf_clear(&name);
            nod_strbuf_printf(&name, "%s_%s", logits ? "logit" : "p", p->class_names.items[c]);
            if (name.failed)
                out->failed = true;
            else
                nod_csv_add_field(out, name.data, 0);
        }
    nod_strbuf_addc(out, '\n');
    nod_strbuf_done(&name);
}

void nod_predictions_csv_text(const nod_predictions *p, const double *thresholds,
                              nod_strbuf *out)
{
    sort_key *keys = nod_calloc(NOD_MAX(p->n, (size_t)1), sizeof *keys);
    if (keys == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        keys[i] = (sort_key){nod_predictions_error(p, i), p->id[i], p->seed[i], i};
    qsort(keys, p->n, sizeof *keys, compare_worst_first);
    add_header(p, out);
    for (size_t i = 0; i < p->n; i++)
        add_row(p, keys[i].row, thresholds, keys[i].error, out);
    nod_free(keys);
}

int nod_predictions_write_csv(const nod_predictions *p, const double *thresholds,
                              const char *path, nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_predictions_csv_text(p, thresholds, &text);
    int rc = text.failed ? nod_fail_memory(err, "the table of predictions", text.len)
                         : nod_file_write(path, text.data, text.len, err);
    nod_strbuf_done(&text);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

typedef struct csv_layout {
    int64_t id, truth, patient, seed; /* columns; -1 = absent */
    size_t first_p;
    int64_t first_logit; /* -1 = absent */
    size_t k;
} csv_layout;

/* Finds the columns; p_* (and logit_*, if any) must stand side by side in the same order. */
static int find_layout(const nod_csv *t, const char *name, csv_layout *l, nod_error *err)
{
    *l = (csv_layout){.id = nod_csv_find(t, "id"),
                      .truth = nod_csv_find(t, "truth"),
                      .patient = nod_csv_find(t, "patient"),
                      .seed = nod_csv_find(t, "seed"),
                      .first_logit = -1};
    if (l->id < 0 || l->truth < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: line 1: there is no column '%s'", name,
                        l->id < 0 ? "id" : "truth");
    size_t n = nod_csv_columns(t), c = 0;
    while (c < n && !nod_has_prefix(nod_csv_header(t, c), "p_"))
        c++;
    l->first_p = c;
    while (c < n && nod_has_prefix(nod_csv_header(t, c), "p_"))
        c++;
    l->k = c - l->first_p;
    if (l->k == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: line 1: there is no column of probabilities (p_CLASS)", name);
    if (c == n || !nod_has_prefix(nod_csv_header(t, c), "logit_")) return 0;
    l->first_logit = (int64_t)c;
    for (size_t i = 0; i < l->k; i++)
        if (c + i >= n || !nod_has_prefix(nod_csv_header(t, c + i), "logit_") ||
            strcmp(nod_csv_header(t, c + i) + 6, nod_csv_header(t, l->first_p + i) + 2) != 0)
            return nod_fail(
                err, NOD_EFORMAT,
                "%s: line 1: the logit_ columns do not follow the p_ columns' order", name);
    return 0;
}

static int parse_labels(const nod_predictions *p, const char *truth, const char *where,
                        size_t line, int32_t *labels, nod_error *err)
{
    size_t n_labels = nod_predictions_labels(p);
    for (size_t j = 0; j < n_labels; j++)
        labels[j] = truth[0] == '\0' ? -1 : 0;
    if (truth[0] == '\0' || (p->task == NOD_TASK_MULTILABEL && strcmp(truth, "|") == 0))
        return 0;
    for (const char *s = truth;;) {
        const char *end = p->task == NOD_TASK_MULTILABEL ? strchr(s, '|') : NULL;
        size_t len = end != NULL ? (size_t)(end - s) : strlen(s);
        size_t c = 0;
        while (c < p->k && !(strlen(p->class_names.items[c]) == len &&
                             memcmp(p->class_names.items[c], s, len) == 0))
            c++;
        if (c == p->k)
            return nod_fail(err, NOD_EFORMAT, "%s: line %zu: truth '%s' is none of the classes",
                            where, line, truth);
        if (p->task != NOD_TASK_MULTILABEL) {
            labels[0] = (int32_t)c;
            return 0;
        }
        labels[c] = 1;
        if (end == NULL) return 0;
        s = end + 1;
    }
}

static int parse_reals(const nod_csv *t, const char *name, size_t row, size_t first, size_t k,
                       double *out, nod_error *err)
{
    for (size_t c = 0; c < k; c++) {
        const char *field = nod_csv_get(t, row, first + c);
        if (!nod_parse_f64(field, &out[c]))
            return nod_fail(err, NOD_EFORMAT, "%s: line %zu: %s is '%s', not a number", name,
                            nod_csv_line(t, row), nod_csv_header(t, first + c), field);
    }
    return 0;
}

static int parse_row(const nod_csv *t, const char *name, const csv_layout *l, size_t row,
                     int32_t *labels, double *p_row, double *z_row, nod_predictions *p,
                     nod_error *err)
{
    size_t line = nod_csv_line(t, row);
    int64_t seed = 0;
    if (l->seed >= 0) {
        const char *field = nod_csv_get(t, row, (size_t)l->seed);
        if (!nod_parse_i64(field, &seed) || seed < 0 || seed >= NOD_PREDICTIONS_MAX_SEEDS)
            return nod_fail(err, NOD_EFORMAT, "%s: line %zu: seed is '%s', not in 0..%d", name,
                            line, field, NOD_PREDICTIONS_MAX_SEEDS - 1);
    }
    int rc = parse_labels(p, nod_csv_get(t, row, (size_t)l->truth), name, line, labels, err);
    if (rc == 0) rc = parse_reals(t, name, row, l->first_p, l->k, p_row, err);
    if (rc == 0 && l->first_logit >= 0)
        rc = parse_reals(t, name, row, (size_t)l->first_logit, l->k, z_row, err);
    if (rc != 0) return rc;
    rc = nod_predictions_add_probabilities(
        p, nod_csv_get(t, row, (size_t)l->id),
        l->patient >= 0 ? nod_csv_get(t, row, (size_t)l->patient) : NULL, (int32_t)seed, labels,
        p_row, NULL, l->first_logit >= 0 ? z_row : NULL, err);
    if (rc == NOD_EINVAL) rc = err->code = NOD_EFORMAT;
    return rc != 0 ? nod_error_prefix(err, "%s: line %zu", name, line) : 0;
}

static int init_from_header(const nod_csv *t, const char *name, const csv_layout *l,
                            nod_task task, const char *positive, nod_predictions *out,
                            nod_error *err)
{
    const char *names[NOD_PREDICTIONS_MAX_CLASSES];
    if (l->k > NOD_PREDICTIONS_MAX_CLASSES)
        return nod_fail(err, NOD_ELIMIT, "%s: %zu classes, at most %d are supported", name,
                        l->k, NOD_PREDICTIONS_MAX_CLASSES);
    int index = -1;
    for (size_t c = 0; c < l->k; c++) {
        names[c] = nod_csv_header(t, l->first_p + c) + 2;
        if (positive != NULL && strcmp(names[c], positive) == 0) index = (int)c;
    }
    if (task == NOD_TASK_BINARY && index < 0)
        return nod_fail(err, NOD_EINVAL, "%s: the positive class '%s' has no column p_%s", name,
                        positive != NULL ? positive : "", positive != NULL ? positive : "");
    int rc = nod_predictions_init(out, task, names, l->k, index, err);
    if (rc == NOD_EINVAL) rc = err->code = NOD_EFORMAT;
    return rc != 0 ? nod_error_prefix(err, "%s", name) : 0;
}

static int from_table(const nod_csv *t, const char *name, nod_task task, const char *positive,
                      nod_predictions *out, nod_error *err)
{
    csv_layout layout;
    nod_predictions made = {0};
    int rc = find_layout(t, name, &layout, err);
    if (rc == 0) rc = init_from_header(t, name, &layout, task, positive, &made, err);
    if (rc != 0) return rc;
    double *p_row = nod_calloc(layout.k, 2 * sizeof *p_row);
    int32_t *labels = nod_calloc(layout.k, sizeof *labels);
    if (p_row == NULL || labels == NULL)
        rc = nod_fail_memory(err, "a row of predictions", layout.k * sizeof *p_row);
    for (size_t i = 0; rc == 0 && i < nod_csv_rows(t); i++)
        rc = parse_row(t, name, &layout, i, labels, p_row, p_row + layout.k, &made, err);
    nod_free(p_row);
    nod_free(labels);
    if (rc == 0)
        *out = made;
    else
        nod_predictions_done(&made);
    return rc;
}

int nod_predictions_parse_csv(const char *text, size_t size, const char *name, nod_task task,
                              const char *positive, nod_predictions *out, nod_error *err)
{
    nod_csv *t = NULL;
    int rc = nod_csv_parse(text, size, name, &t, err);
    if (rc == 0) rc = from_table(t, name, task, positive, out, err);
    nod_csv_free(t);
    return rc;
}

int nod_predictions_read_csv(const char *path, nod_task task, const char *positive,
                             nod_predictions *out, nod_error *err)
{
    nod_csv *t = NULL;
    int rc = nod_csv_read(path, &t, err);
    if (rc == 0) rc = from_table(t, path, task, positive, out, err);
    nod_csv_free(t);
    return rc;
}
