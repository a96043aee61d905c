/* answer.c: the meaning of logits, to and from the model file, and its use. */
#include "infer/answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "imaging/dicom/select.h"
#include "imaging/reader.h"

void nod_answer_done(nod_answer *a)
{
    nod_strlist_done(&a->classes);
    nod_calibration_done(&a->calibration);
    nod_free(a->points);
    a->points = NULL;
}

void nod_answer_join(const nod_answer *a, size_t n, const double *logits, double *log_odds,
                     double *probabilities)
{
    double joined[NOD_PREDICTIONS_MAX_CLASSES];
    NOD_ASSERT(a->classes.n <= NOD_COUNT(joined));
    nod_aggregation_logits(a->aggregation.how, a->task, a->classes.n, a->positive, n, logits,
                           joined);
    nod_calibration_apply_logits(&a->calibration, a->task, joined, log_odds, probabilities);
}

/* --- to JSON ---------------------------------------------------------------------------------- */

static nod_json *sizes(const int64_t v[3])
{
    nod_json *j = nod_json_array();
    for (int i = 0; i < 3; i++)
        nod_json_push(j, nod_json_int(v[i]));
    return j;
}

static nod_json *patching_to_json(const nod_patching *p)
{
    static const char *const how[] = {"mean", "max", "top_k"};
    nod_json *j = nod_json_object();
    nod_json_set(j, "image", sizes(p->image));
    nod_json_set(j, "size", sizes(p->size));
    nod_json_set(j, "stride", sizes(p->stride));
    nod_json_set_str(j, "aggregate", how[p->how]);
    nod_json_set_int(j, "k", p->k);
    return j;
}

static nod_json *unit_to_json(const nod_answer *a)
{
    const nod_aggregation_choice *c = &a->aggregation;
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "level", nod_level_name(a->unit));
    nod_json_set_str(j, "aggregation", nod_aggregation_name(c->how));
    nod_json_set_int(j, "chosen_on_units", (int64_t)c->n_units);
    nod_json_set_real(j, "validation_auc_mean", c->n_units ? c->auc_mean : NAN);
    nod_json_set_real(j, "validation_auc_max", c->n_units ? c->auc_max : NAN);
    return j;
}

nod_json *nod_answer_to_json(const nod_answer *a)
{
    nod_json *j = nod_json_object(), *classes = nod_json_array(), *points = nod_json_array();
    for (size_t i = 0; i < a->classes.n; i++)
        nod_json_push(classes, nod_json_string(a->classes.items[i]));
    for (size_t i = 0; i < a->n_points; i++)
        nod_json_push(points, nod_operating_point_json(&a->points[i]));
    nod_json_set_str(j, "task", nod_task_name(a->task));
    nod_json_set(j, "classes", classes);
    nod_json_set_int(j, "positive", a->positive);
    nod_json_set_str(j, "positive_origin", a->positive_origin);
    nod_json_set(j, "unit", unit_to_json(a));
    nod_json_set(j, "calibration", nod_calibration_json(&a->calibration));
    nod_json_set(j, "operating_points", points);
    nod_json_set(j, "patches", patching_to_json(&a->patching));
    return j;
}

/* --- from JSON --------------------------------------------------------------------------------- */

static int read_sizes(const nod_json *j, const char *where, const char *key, int64_t out[3],
                      nod_error *err)
{
    nod_json *v = NULL;
    int rc = nod_json_need_array(j, where, key, &v, err);
    if (rc) return rc;
    for (size_t i = 0; i < 3; i++) {
        const nod_json *e = nod_json_count(v) == 3 ? nod_json_at(v, i) : NULL;
        if (!e || !nod_json_is_int(e) || nod_json_i64(e) < 0 || nod_json_i64(e) > 65536)
            return nod_fail(err, NOD_EFORMAT, "%s: %s is not three sizes", where, key);
        out[i] = nod_json_i64(e);
    }
    return 0;
}

static int read_patching(const nod_json *answer, const char *where, nod_patching *out,
                         nod_error *err)
{
    nod_json *j = NULL;
    const char *how = NULL;
    int rc = 0;
    NOD_TRY(nod_json_need_object(answer, where, "patches", &j, err));
    NOD_TRY(read_sizes(j, where, "image", out->image, err));
    NOD_TRY(read_sizes(j, where, "size", out->size, err));
    NOD_TRY(read_sizes(j, where, "stride", out->stride, err));
    NOD_TRY(nod_json_need_str(j, where, "aggregate", &how, err));
    NOD_TRY(nod_json_need_i64(j, where, "k", &out->k, err));
    out->how = strcmp(how, "max") == 0     ? NOD_AGGREGATE_MAX
               : strcmp(how, "top_k") == 0 ? NOD_AGGREGATE_TOP_K
                                           : NOD_AGGREGATE_MEAN;
    if (out->k < 1) out->k = 1;
out:
    return rc;
}

static double real_or_nan(const nod_json *j, const char *key)
{
    const nod_json *v = nod_json_get(j, key);
    return v && nod_json_is_number(v) ? nod_json_f64(v) : NAN;
}

/* A model that says nothing of it judges images. */
static int read_unit(const nod_json *answer, const char *where, nod_answer *a, nod_error *err)
{
    nod_json *j = NULL;
    const char *level = NULL, *how = NULL;
    int64_t n = 0;
    int rc = 0;
    a->aggregation = (nod_aggregation_choice){.auc_mean = NAN, .auc_max = NAN};
    if (nod_json_get(answer, "unit") == NULL) return 0;
    NOD_TRY(nod_json_need_object(answer, where, "unit", &j, err));
    NOD_TRY(nod_json_need_str(j, where, "level", &level, err));
    NOD_TRY(nod_json_need_str(j, where, "aggregation", &how, err));
    NOD_TRY(nod_json_need_i64(j, where, "chosen_on_units", &n, err));
    if (!nod_level_parse(level, &a->unit))
        return nod_fail(err, NOD_EFORMAT, "%s: unit '%s' is not known", where, level);
    if (!nod_aggregation_parse(how, &a->aggregation.how))
        return nod_fail(err, NOD_EFORMAT, "%s: aggregation '%s' is not known", where, how);
    if (n < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: chosen_on_units is %lld", where, (long long)n);
    a->aggregation.n_units = (size_t)n;
    a->aggregation.auc_mean = real_or_nan(j, "validation_auc_mean");
    a->aggregation.auc_max = real_or_nan(j, "validation_auc_max");
out:
    return rc;
}

static int read_classes(const nod_json *j, const char *where, nod_answer *a, nod_error *err)
{
    nod_json *v = NULL;
    int rc = nod_json_need_array(j, where, "classes", &v, err);
    if (rc) return rc;
    if (nod_json_count(v) < 1 || nod_json_count(v) > 1024)
        return nod_fail(err, NOD_EFORMAT, "%s: a model has 1 to 1024 classes", where);
    for (size_t i = 0; i < nod_json_count(v); i++)
        if (!nod_strlist_add(&a->classes, nod_json_str(nod_json_at(v, i))))
            return nod_fail_memory(err, "class names", 64);
    return 0;
}

static int read_points(const nod_json *j, const char *where, nod_answer *a, nod_error *err)
{
    nod_json *v = NULL;
    int rc = nod_json_need_array(j, where, "operating_points", &v, err);
    size_t n = rc ? 0 : nod_json_count(v),
           want = a->task == NOD_TASK_MULTICLASS ? 0 : nod_task_columns(a->task, a->classes.n);
    if (rc) return rc;
    if (n != want)
        return nod_fail(err, NOD_EFORMAT, "%s: has %zu operating points, the task needs %zu",
                        where, n, want);
    a->points = nod_calloc(n + 1, sizeof *a->points);
    if (!a->points) return nod_fail_memory(err, "operating points", n * sizeof *a->points);
    for (a->n_points = 0; a->n_points < n && !rc; a->n_points++)
        rc = nod_operating_point_from_json(nod_json_at(v, a->n_points), where,
                                           &a->points[a->n_points], err);
    return rc;
}

int nod_answer_from_json(const nod_json *j, const char *where, nod_answer *out, nod_error *err)
{
    int rc = 0;
    int64_t positive = -1;
    const char *task = NULL, *origin = NULL;
    nod_json *calibration = NULL;
    nod_answer a = {.positive = -1};
    NOD_TRY(nod_json_need_str(j, where, "task", &task, err));
    if (!nod_task_parse(task, &a.task)) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: task '%s' is not known", where, task);
        goto out;
    }
    NOD_TRY(read_classes(j, where, &a, err));
    NOD_TRY(nod_json_need_i64(j, where, "positive", &positive, err));
    if (positive < -1 || positive >= (int64_t)a.classes.n ||
        (a.task == NOD_TASK_BINARY && (positive < 0 || a.classes.n != 2))) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: positive class %lld does not fit the task", where,
                      (long long)positive);
        goto out;
    }
    a.positive = (int)positive;
    NOD_TRY(nod_json_need_str(j, where, "positive_origin", &origin, err));
    snprintf(a.positive_origin, sizeof a.positive_origin, "%s", origin);
    NOD_TRY(read_unit(j, where, &a, err));
    NOD_TRY(nod_json_need_object(j, where, "calibration", &calibration, err));
    NOD_TRY(nod_calibration_from_json(calibration, where, a.classes.n, &a.calibration, err));
    NOD_TRY(read_points(j, where, &a, err));
    NOD_TRY(read_patching(j, where, &a.patching, err));
    a.patching.multilabel = a.task == NOD_TASK_MULTILABEL;
    *out = a;
    return 0;
out:
    nod_answer_done(&a);
    return rc;
}

/* --- a model that answers --------------------------------------------------------------------- */

static int check_fit(const nod_reader *r, const char *path, nod_error *err)
{
    int64_t size[3];
    nod_contract_result(&r->contract, size);
    if ((int64_t)r->answer.classes.n != r->model->io.n_outputs)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu classes for %lld outputs", path,
                        r->answer.classes.n, (long long)r->model->io.n_outputs);
    if (memcmp(size, r->answer.patching.image, sizeof size) != 0 ||
        r->contract.channels != r->model->io.channels)
        return nod_fail(err, NOD_EFORMAT, "%s: contract and network do not fit", path);
    return 0;
}

int nod_reader_from_model(nod_model *model_take, const char *name, const nod_plan_options *o,
                          int64_t batch, nod_reader *out, nod_error *err)
{
    int rc = 0;
    nod_reader r = {.model = model_take};
    nod_kernel_table *table = NULL, *own = NULL;
    nod_plan_options options = *o;
    NOD_TRY(nod_contract_from_json(r.model->contract, name, &r.contract, err));
    NOD_TRY(nod_answer_from_json(r.model->answer, name, &r.answer, err));
    NOD_TRY(check_fit(&r, name, err));
    NOD_TRY(nod_kernel_table_from_json(r.model->kernels, name, &own, err));
    NOD_TRY(nod_kernel_table_new(&table, err));
    NOD_TRY(nod_kernel_table_add(table, o->table, err));
    NOD_TRY(nod_kernel_table_add(table, own, err));
    options.table = table;
    NOD_TRY(nod_predictor_new(r.model, &r.answer.patching, batch, &options, &r.predictor, err));
    r.batch = batch;
    *out = r;
    memset(&r, 0, sizeof r);
out:
    nod_kernel_table_free(table);
    nod_kernel_table_free(own);
    nod_reader_done(&r);
    return rc;
}

int nod_reader_open(const char *model_path, const nod_plan_options *o, int64_t batch,
                    nod_reader *out, nod_error *err)
{
    nod_model *m = NULL;
    int rc = nod_model_read(model_path, &m, err);
    return rc ? rc : nod_reader_from_model(m, model_path, o, batch, out, err);
}

void nod_reader_done(nod_reader *r)
{
    nod_predictor_free(r->predictor);
    nod_answer_done(&r->answer);
    nod_model_free(r->model);
    memset(r, 0, sizeof *r);
}

static bool is_tree(const char *path)
{
    size_t n = strlen(path);
    return nod_path_is_dir(path) || (n > 4 && strcasecmp(path + n - 4, ".zip") == 0);
}

int nod_reader_read(const nod_reader *r, const char *path, const nod_strlist *series,
                    nod_image *out, nod_error *err)
{
    const nod_policies *policies = r->contract.has_policies ? &r->contract.policies : NULL;
    return is_tree(path) ? nod_dicom_tree_read(path, series, policies, out, NULL, err)
                         : nod_image_read(path, policies, NULL, out, err);
}

/* Raw logits of preprocessed images, widened. */
static int raw_logits(nod_reader *r, const float *images, int64_t n, double *logits,
                      nod_error *err)
{
    int64_t count = n * r->model->io.n_outputs;
    float *narrow = nod_calloc((size_t)count + 1, sizeof *narrow);
    if (!narrow) return nod_fail_memory(err, "logits", (size_t)count * sizeof *narrow);
    int rc = nod_predictor_run(r->predictor, images, n, narrow, err);
    for (int64_t i = 0; i < count && !rc; i++)
        logits[i] = (double)narrow[i];
    nod_free(narrow);
    return rc;
}

int nod_reader_answer(nod_reader *r, const nod_image *im, double *logits, double *log_odds,
                      double *probabilities, nod_error *err)
{
    int rc = 0;
    size_t k = r->answer.classes.n;
    float *x = nod_aligned_calloc((size_t)nod_contract_samples(&r->contract) * sizeof *x);
    double *work = nod_calloc(2 * k, sizeof *work);
    if (!x || !work) {
        rc = nod_fail_memory(err, "an image",
                             (size_t)nod_contract_samples(&r->contract) * sizeof *x);
        goto out;
    }
    if (!r->is_forced) NOD_TRY(nod_contract_check(&r->contract, im, "the image", err));
    NOD_TRY(nod_contract_apply(&r->contract, im, x, err));
    NOD_TRY(raw_logits(r, x, 1, logits, err));
    nod_calibration_apply_logits(&r->answer.calibration, r->answer.task, logits,
                                 log_odds ? log_odds : work,
                                 probabilities ? probabilities : work + k);
out:
    nod_free(x);
    nod_free(work);
    return rc;
}

/* Images that are not in memory, in pieces that fill whole runs of the predictor. */
static int fetched_logits(nod_reader *r, const nod_examples *e, double *logits, nod_error *err)
{
    int rc = 0;
    int64_t size = nod_contract_samples(&r->contract), outputs = r->model->io.n_outputs;
    float *images = nod_aligned_calloc((size_t)(r->batch * size) * sizeof *images);
    if (!images)
        return nod_fail_memory(err, "images", (size_t)(r->batch * size) * sizeof *images);
    for (int64_t first = 0; first < e->n; first += r->batch) {
        int64_t n = NOD_MIN(r->batch, e->n - first);
        for (int64_t i = 0; i < n; i++)
            NOD_TRY(e->fetch(e->fetch_ctx, first + i, images + i * size, err));
        NOD_TRY(raw_logits(r, images, n, logits + first * outputs, err));
    }
out:
    nod_free(images);
    return rc;
}

int nod_reader_predict(nod_reader *r, const nod_examples *e, const char *const *ids,
                       const char *const *patients, int32_t seed, nod_predictions *out,
                       nod_error *err)
{
    int rc = 0;
    int64_t n = e->n;
    size_t k = r->answer.classes.n, per_row = r->answer.task == NOD_TASK_MULTILABEL ? k : 1;
    double *logits = nod_calloc((size_t)n * k + 1, sizeof *logits);
    if (!logits) return nod_fail_memory(err, "logits", (size_t)n * k * sizeof *logits);
    rc = e->images ? raw_logits(r, e->images, n, logits, err)
                   : fetched_logits(r, e, logits, err);
    if (rc) goto out;
    for (int64_t i = 0; i < n; i++)
        NOD_TRY(nod_predictions_add(out, ids[i], patients[i], seed,
                                    e->labels ? e->labels + (size_t)i * per_row : NULL,
                                    logits + (size_t)i * k, err));
    NOD_TRY(nod_calibration_apply(&r->answer.calibration, out, seed, err));
out:
    nod_free(logits);
    return rc;
}
