/* results_render.c: results as JSON (docs/formats/results.md) and as a table for the terminal. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/interval.h"
#include "eval/results_internal.h"

/* --- JSON --------------------------------------------------------------------------------- */

static nod_json *reals(const double *v, size_t n)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < n; i++)
        nod_json_push(a, nod_json_real(v[i]));
    return a;
}

static const char *point_name(const nod_results *r, int point)
{
    return point < 0 ? NULL : r->points[point].name;
}

static nod_json *interval_json(const nod_interval *i)
{
    nod_json *j = nod_json_object();
    nod_json_set_real(j, "lo", i->lo);
    nod_json_set_real(j, "hi", i->hi);
    nod_json_set_str(j, "method", i->undefined == NULL ? nod_interval_name(i->method) : NULL);
    nod_json_set_str(j, "not_estimable", i->undefined);
    return j;
}

static nod_json *row_json(const nod_results *r, const nod_result_row *row)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "metric", nod_metric_info_get(row->metric)->key);
    nod_json_set_str(j, "point", point_name(r, row->point));
    nod_json_set_str(j, "class",
                     row->column < 0 ? NULL : nod_results_column_name(r, row->column));
    nod_json_set_real(j, "value", row->value.value);
    nod_json_set_str(j, "not_estimable", row->value.undefined);
    nod_json_set(j, "interval", interval_json(&row->interval));
    nod_json_set_int(j, "images", (int64_t)row->n_images);
    nod_json_set_int(j, "patients", (int64_t)row->n_patients);
    nod_json_set_int(j, "classes_used", (int64_t)row->n_used);
    nod_json_set(j, "seeds", reals(row->seeds, r->n_seeds));
    nod_json_set_real(j, "seed_sd", row->seed_sd);
    return j;
}

nod_json *nod_results_classes_json(const nod_results *r)
{
    nod_json *a = nod_json_array();
    for (size_t k = 0; k < r->k; k++) {
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "name", r->class_names[k]);
        nod_json_set_int(j, "images", (int64_t)r->class_images[k]);
        nod_json_set_int(j, "patients", (int64_t)r->class_patients[k]);
        nod_json_push(a, j);
    }
    return a;
}

nod_json *nod_results_rows_json(const nod_results *r)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < r->n_rows; i++)
        nod_json_push(a, row_json(r, &r->rows[i]));
    return a;
}

static nod_json *points_json(const nod_results *r)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < r->n_points; i++) {
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "name", r->points[i].name);
        nod_json *list = nod_json_array();
        for (size_t s = 0; r->points[i].points != NULL && s < r->n_seeds; s++)
            for (size_t c = 0; c < r->n_columns; c++) {
                nod_json *p =
                    nod_operating_point_json(&r->points[i].points[s * r->n_columns + c]);
                nod_json_set_int(p, "seed", r->seed_index[s]);
                nod_json_set_str(p, "class", nod_results_column_name(r, (int)c));
                nod_json_push(list, p);
            }
        nod_json_set(j, "thresholds", list);
        nod_json_push(a, j);
    }
    return a;
}

static void push_counts(nod_json *a, const nod_results *r, size_t seed, const char *point,
                        const char *class_name, const double *counts, size_t side)
{
    nod_json *j = nod_json_object(), *table = nod_json_array();
    nod_json_set_str(j, "point", point);
    nod_json_set_int(j, "seed", r->seed_index[seed]);
    nod_json_set_str(j, "class", class_name);
    for (size_t i = 0; i < side; i++) {
        nod_json *line = nod_json_array();
        for (size_t k = 0; k < side; k++)
            nod_json_push(line, nod_json_int((int64_t)counts[i * side + k]));
        nod_json_push(table, line);
    }
    nod_json_set(j, "counts", table);
    nod_json_push(a, j);
}

static nod_json *tables_json(const nod_results *r)
{
    nod_json *a = nod_json_array();
    if (r->task == NOD_TASK_MULTICLASS) {
        for (size_t s = 0; s < r->n_seeds; s++)
            push_counts(a, r, s, r->points[0].name, NULL, r->tables + s * r->k * r->k, r->k);
        return a;
    }
    for (size_t i = 0; i < r->n_points; i++)
        for (size_t s = 0; s < r->n_seeds; s++)
            for (size_t c = 0; c < r->n_columns; c++)
                push_counts(a, r, s, r->points[i].name, nod_results_column_name(r, (int)c),
                            r->tables + ((i * r->n_seeds + s) * r->n_columns + c) * 4, 2);
    return a;
}

static nod_json *bins_json(const nod_results *r)
{
    nod_json *a = nod_json_array();
    for (size_t b = 0; b < r->n_seeds * r->n_units; b++) {
        nod_json *j = nod_json_object(), *list = nod_json_array();
        size_t unit = b % r->n_units;
        nod_json_set_int(j, "seed", r->seed_index[b / r->n_units]);
        nod_json_set_str(
            j, "class",
            r->task == NOD_TASK_MULTICLASS ? NULL : nod_results_column_name(r, (int)unit));
        for (size_t i = 0; i < r->ece_bins; i++) {
            const nod_ece_bin *bin = &r->bins[b * r->ece_bins + i];
            nod_json *e = nod_json_object();
            nod_json_set_real(e, "lo", bin->lo);
            nod_json_set_real(e, "hi", bin->hi);
            nod_json_set_int(e, "images", (int64_t)bin->count);
            nod_json_set_real(e, "mean_probability", bin->mean_probability);
            nod_json_set_real(e, "observed", bin->observed);
            nod_json_push(list, e);
        }
        nod_json_set(j, "bins", list);
        nod_json_push(a, j);
    }
    return a;
}

/* JSON that was given as text stands for itself; it was valid when it was copied. */
static void set_text(nod_json *root, const char *key, const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    if (text == NULL || nod_json_parse(text, strlen(text), key, &j, &err) != 0) return;
    nod_json_set(root, key, j);
}

nod_json *nod_results_json(const nod_results *r)
{
    nod_json *root = nod_json_object();
    nod_json_set_str(root, "format", "nodule-results");
    nod_json_set_int(root, "version", 1);
    nod_json_set_str(root, "task", nod_task_name(r->task));
    nod_json_set(root, "classes", nod_results_classes_json(r));
    nod_json_set_str(root, "positive",
                     r->task == NOD_TASK_BINARY ? r->class_names[r->positive] : NULL);
    nod_json_set_str(root, "unit", r->unit);
    nod_json_set_int(root, "images", (int64_t)r->n_images);
    nod_json_set_int(root, "source_images",
                     (int64_t)(r->n_sources ? r->n_sources : r->n_images));
    bool known = r->n_without_patient < r->n_images;
    nod_json_set_bool(root, "patients_known", known);
    nod_json_set(root, "patients",
                 known ? nod_json_int((int64_t)r->n_patients) : nod_json_null());
    nod_json_set_int(root, "images_without_patient", (int64_t)r->n_without_patient);
    nod_json_set_real(root, "majority_accuracy", r->majority);
    nod_json *seeds = nod_json_array();
    for (size_t s = 0; s < r->n_seeds; s++)
        nod_json_push(seeds, nod_json_int(r->seed_index[s]));
    nod_json_set(root, "seeds", seeds);
    nod_json_set_real(root, "confidence", r->confidence);
    nod_json *boot = nod_json_object();
    nod_json_set_int(boot, "replicates", (int64_t)r->replicates);
    nod_json_set_int(boot, "seed", (int64_t)r->bootstrap_seed);
    nod_json_set_int(boot, "one_class_draws_redrawn", (int64_t)r->redrawn);
    nod_json_set_int(boot, "replicates_given_up", (int64_t)r->given_up);
    nod_json_set(root, "bootstrap", boot);
    nod_json_set(root, "operating_points", points_json(r));
    nod_json_set(root, "metrics", nod_results_rows_json(r));
    nod_json_set(root, "confusion", tables_json(r));
    nod_json_set(root, "calibration_bins", bins_json(r));
    nod_json *notes = nod_json_array();
    for (size_t i = 0; i < r->n_notes; i++)
        nod_json_push(notes, nod_json_string(r->notes[i]));
    nod_json_set(root, "notes", notes);
    set_text(root, "calibration", r->calibration);
    set_text(root, "provenance", r->provenance);
    return root;
}

/* --- text --------------------------------------------------------------------------------- */

static void add_heading(const nod_results *r, nod_strbuf *out)
{
    nod_strbuf_printf(out, "%s task", nod_task_name(r->task));
    if (r->task == NOD_TASK_BINARY)
        nod_strbuf_printf(out, ", positive class '%s'", r->class_names[r->positive]);
    nod_strbuf_printf(out, "; %zu %s", r->n_images, r->units);
    if (r->n_without_patient == r->n_images)
        nod_strbuf_add(out, ", patients unknown");
    else if (strcmp(r->unit, "patient") != 0)
        nod_strbuf_printf(out, " of %zu patients", r->n_patients);
    else if (r->n_patients != r->n_images)
        nod_strbuf_printf(out, " in %zu groups", r->n_patients);
    if (r->n_sources) nod_strbuf_printf(out, ", from %zu images", r->n_sources);
    if (r->n_seeds > 1) nod_strbuf_printf(out, "; %zu seeds", r->n_seeds);
    nod_strbuf_addc(out, '\n');
    for (size_t k = 0; k < r->k; k++)
        nod_strbuf_printf(out, "%s%s: %zu %s", k == 0 ? "  " : ", ", r->class_names[k],
                          r->class_images[k], r->units);
    nod_strbuf_addc(out, '\n');
    if (!isnan(r->majority))
        nod_strbuf_printf(out, "  always saying the commonest class: accuracy %.4f\n",
                          r->majority);
}

static void add_point_heading(const nod_results *r, int point, nod_strbuf *out)
{
    if (point < 0) {
        nod_strbuf_add(out, "\nfrom probabilities\n");
        return;
    }
    const nod_result_point *p = &r->points[point];
    nod_strbuf_printf(out, "\nat %s", p->name);
    for (size_t s = 0; p->points != NULL && strcmp(p->name, "0.5") != 0 && r->n_columns == 1 &&
                       s < r->n_seeds;
         s++) {
        nod_strbuf_printf(out, "%s%.6g (%s", s == 0 ? ": p >= " : ", ", p->points[s].threshold,
                          nod_point_rule_name(p->points[s].rule));
        if (p->points[s].rule == NOD_POINT_SENSITIVITY)
            nod_strbuf_printf(out, " %g", p->points[s].wanted_sensitivity);
        nod_strbuf_addc(out, ')');
    }
    nod_strbuf_addc(out, '\n');
}

static void add_column_titles(const nod_results *r, nod_strbuf *out)
{
    char interval[32];
    snprintf(interval, sizeof interval, "%g %% interval", 100 * r->confidence);
    nod_strbuf_printf(out, "  %-26s %8s  %-18s %-24s %7s %8s%s\n", "metric", "value", interval,
                      "method", r->n_sources ? "units" : "images", "patients",
                      r->n_seeds > 1 ? "  sd of seeds" : "");
}

static void add_row(const nod_results *r, const nod_result_row *row, nod_strbuf *out)
{
    char title[128], interval[64] = "";
    const char *name = nod_metric_info_get(row->metric)->title;
    if (row->column >= 0)
        snprintf(title, sizeof title, "  %.40s", name);
    else if (row->n_columns > 1 && row->n_used != row->n_columns && row->n_used != 1)
        snprintf(title, sizeof title, "%.40s (%zu/%zu)", name, row->n_used, row->n_columns);
    else
        snprintf(title, sizeof title, "%.40s", name);
    if (row->value.undefined != NULL) {
        nod_strbuf_printf(out, "  %-26s not estimable: %s\n", title, row->value.undefined);
        return;
    }
    if (row->interval.undefined == NULL)
        snprintf(interval, sizeof interval, "%.4f to %.4f", row->interval.lo, row->interval.hi);
    nod_strbuf_printf(out, "  %-26s %8.4f  ", title, row->value.value);
    if (row->interval.undefined != NULL)
        nod_strbuf_printf(out, "no interval: %s\n", row->interval.undefined);
    else
        nod_strbuf_printf(out, "%-18s %-24s", interval,
                          nod_interval_name(row->interval.method));
    if (row->interval.undefined != NULL) return;
    nod_strbuf_printf(out, " %7zu ", row->n_images);
    if (r->n_without_patient < r->n_images)
        nod_strbuf_printf(out, "%8zu", row->n_patients);
    else
        nod_strbuf_printf(out, "%8s", "unknown");
    if (r->n_seeds > 1) nod_strbuf_printf(out, "  %11.4f", row->seed_sd);
    nod_strbuf_addc(out, '\n');
}

static void add_rows(const nod_results *r, int point, int column, nod_strbuf *out)
{
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->rows[i].point == point && r->rows[i].column == column)
            add_row(r, &r->rows[i], out);
}

/* The table of the first seed; JSON has all. */
static void add_confusion(const nod_results *r, size_t point, nod_strbuf *out)
{
    if (r->n_columns == 1) {
        const double *t = r->tables + point * r->n_seeds * 4;
        nod_strbuf_printf(out, "  counts%stp %.0f, fn %.0f, fp %.0f, tn %.0f\n",
                          r->n_seeds > 1 ? " (first seed): " : ": ", t[3], t[2], t[1], t[0]);
        return;
    }
    if (r->task != NOD_TASK_MULTICLASS || r->k > 16) return;
    nod_strbuf_printf(out, "\nconfusion%s, a row is a true class, a column a decision\n",
                      r->n_seeds > 1 ? " (first seed)" : "");
    for (size_t i = 0; i < r->k; i++) {
        nod_strbuf_printf(out, "  %-16.16s", r->class_names[i]);
        for (size_t k = 0; k < r->k; k++)
            nod_strbuf_printf(out, " %6.0f", r->tables[i * r->k + k]);
        nod_strbuf_addc(out, '\n');
    }
}

void nod_results_text(const nod_results *r, nod_strbuf *out)
{
    add_heading(r, out);
    nod_strbuf_addc(out, '\n');
    add_column_titles(r, out);
    add_point_heading(r, -1, out);
    add_rows(r, -1, -1, out);
    nod_strbuf_printf(out, "  (ECE: %zu bins of equal width)\n", r->ece_bins);
    for (size_t i = 0; i < r->n_points; i++) {
        add_point_heading(r, (int)i, out);
        add_rows(r, (int)i, -1, out);
        add_confusion(r, i, out);
    }
    for (size_t c = 0; r->task != NOD_TASK_BINARY && c < r->n_columns; c++) {
        nod_strbuf_printf(out, "\n'%s' against the rest\n", r->class_names[c]);
        add_rows(r, -1, (int)c, out);
        for (size_t i = 0; i < r->n_points; i++) {
            if (r->n_points > 1) nod_strbuf_printf(out, "  at %s\n", r->points[i].name);
            add_rows(r, (int)i, (int)c, out);
        }
    }
    if (r->redrawn > 0)
        nod_strbuf_printf(out, "\nbootstrap: %zu replicates, %zu one-class draws redrawn\n",
                          r->replicates, r->redrawn);
    for (size_t i = 0; i < r->n_notes; i++)
        nod_strbuf_printf(out, "%snote: %s\n", i == 0 ? "\n" : "", r->notes[i]);
}
