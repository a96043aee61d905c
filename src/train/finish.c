/* finish.c: from the best epoch to a model that may be tested; see finish.h. */
#include "train/finish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "infer/answer.h"

static int describe(const nod_finish_input *f, nod_answer *a, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(f->cohort);
    a->task = f->recipe->task;
    a->positive = a->task == NOD_TASK_BINARY ? (int)info->positive : -1;
    a->patching = *f->patching;
    snprintf(a->positive_origin, sizeof a->positive_origin, "%s",
             nod_positive_origin_name(info->positive_origin));
    for (size_t i = 0; i < info->n_classes; i++)
        if (!nod_strlist_add(&a->classes, info->classes[i]))
            return nod_fail_memory(err, "class names", 64);
    return nod_calibration_init(&a->calibration, info->n_classes, err);
}

/* Raw logits of the validation part as predictions. */
static int predict(const nod_finish_input *f, const nod_answer *a, nod_predictions *p,
                   nod_error *err)
{
    size_t n = f->validation->labels.n, k = a->classes.n;
    size_t per_row = a->task == NOD_TASK_MULTILABEL ? k : 1;
    nod_examples e = nod_dataset_examples(f->validation);
    float *logits = nod_calloc(n * k + 1, sizeof *logits);
    double *row = nod_calloc(k, sizeof *row);
    int rc = 0;
    if (!logits || !row) {
        rc = nod_fail_memory(err, "validation logits", n * k * sizeof *logits);
        goto out;
    }
    NOD_TRY(nod_predictions_init(p, a->task, (const char *const *)a->classes.items, k,
                                 a->positive, err));
    NOD_TRY(nod_trainer_logits(f->trainer, &e, logits, err));
    for (size_t i = 0; i < n; i++) {
        char patient[32];
        size_t c = f->validation->labels.cases[i];
        snprintf(patient, sizeof patient, "g%zu", nod_split_group(f->split, c));
        for (size_t m = 0; m < k; m++)
            row[m] = (double)logits[i * k + m];
        NOD_TRY(nod_predictions_add(p, nod_cohort_get(f->cohort, c)->id, patient, 0,
                                    f->validation->labels.values + i * per_row, row, err));
    }
out:
    nod_free(logits);
    nod_free(row);
    return rc;
}

/* A fit that the data do not carry is no error: the neutral value stays, and the log says why. */
static int or_say(int rc, const nod_finish_input *f, const char *what, nod_error *err)
{
    if (rc != NOD_EDATA) return rc;
    nod_warn(f->log, "%s: %s", what, err->message);
    *err = (nod_error)NOD_ERROR_INIT;
    return 0;
}

static int calibrate(const nod_finish_input *f, nod_answer *a, nod_predictions *p,
                     nod_error *err)
{
    double natural[NOD_RECIPE_CLASSES_MAX], effective[NOD_RECIPE_CLASSES_MAX];
    int rc = 0;
    nod_trainer_prior(f->trainer, natural, effective);
    NOD_TRY(or_say(nod_calibration_set_prior(&a->calibration, a->task, natural, effective, err),
                   f, "prior not corrected", err));
    if (f->recipe->calibration != NOD_CALIBRATION_NONE)
        NOD_TRY(or_say(nod_calibration_fit(&a->calibration, f->recipe->calibration, p, err), f,
                       "not calibrated", err));
    NOD_TRY(nod_calibration_apply(&a->calibration, p, -1, err));
out:
    return rc;
}

static int choose_points(const nod_finish_input *f, nod_answer *a, const nod_predictions *p,
                         nod_error *err)
{
    const nod_recipe *r = f->recipe;
    if (a->task == NOD_TASK_MULTICLASS) return 0;
    a->n_points = nod_task_columns(a->task, a->classes.n);
    a->points = nod_calloc(a->n_points, sizeof *a->points);
    if (!a->points)
        return nod_fail_memory(err, "operating points", a->n_points * sizeof *a->points);
    for (size_t c = 0; c < a->n_points; c++) {
        a->points[c] =
            nod_operating_point_fixed(r->point_rule == NOD_POINT_FIXED ? r->point_value : 0.5);
        if (r->point_rule == NOD_POINT_FIXED) continue;
        double wanted = r->point_rule == NOD_POINT_SENSITIVITY ? r->point_value : NAN;
        int rc = nod_operating_point_choose(p, c, r->point_rule, wanted, &a->points[c], err);
        rc = or_say(rc, f, "operating point left at 0.5", err);
        if (rc) return rc;
    }
    return 0;
}

static int provenance(const nod_finish_input *f, int64_t best_epoch, nod_error *err)
{
    nod_json *j = nod_json_object();
    char hash[65], now[32];
    int rc = nod_recipe_hash(f->recipe, hash, err);
    nod_time_utc(now, sizeof now);
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "command", f->command);
    nod_json_set_str(j, "time", now);
    nod_json_set_str(j, "recipe_hash", hash);
    nod_json_set_str(j, "split_hash", nod_split_hash(f->split));
    nod_json_set_str(j, "cohort_hash", nod_split_cohort_hash(f->split));
    nod_json_set_str(j, "grouping", nod_split_grouping(f->split));
    nod_json_set_int(j, "seed", (int64_t)f->recipe->seed);
    nod_json_set_int(j, "best_epoch", best_epoch);
    nod_json_set_int(j, "looks_before", f->looks_before);
    nod_json_set(j, "anchor", nod_anchor_to_json(&f->anchor));
    nod_json_free(f->model->provenance);
    f->model->provenance = j;
    return rc;
}

static void replace(nod_json **slot, nod_json *value_take)
{
    nod_json_free(*slot);
    *slot = value_take;
}

int nod_finish_seed(const nod_finish_input *f, int64_t *best_epoch, nod_error *err)
{
    int rc = 0;
    nod_answer a = {.positive = -1};
    nod_predictions p = {0};
    double *thresholds = NULL;
    nod_kernel_table *kernels = NULL;
    char *model_path = nod_path_join(f->folder, "model.safetensors");
    char *csv_path = nod_path_join(f->folder, "validation.csv");
    if (!model_path || !csv_path) {
        rc = nod_fail_memory(err, "paths of a run", 4096);
        goto out;
    }
    *best_epoch = nod_trainer_take_best(f->trainer);
    NOD_TRY(describe(f, &a, err));
    NOD_TRY(predict(f, &a, &p, err));
    NOD_TRY(calibrate(f, &a, &p, err));
    NOD_TRY(choose_points(f, &a, &p, err));
    NOD_TRY(provenance(f, *best_epoch, err));
    replace(&f->model->contract, nod_contract_to_json(f->contract));
    replace(&f->model->answer, nod_answer_to_json(&a));
    NOD_TRY(nod_kernel_table_new(&kernels, err));
    NOD_TRY(nod_trainer_choices(f->trainer, kernels, err));
    replace(&f->model->kernels, nod_kernel_table_to_json(kernels));
    NOD_TRY(nod_model_write(f->model, model_path, err));
    thresholds = nod_calloc(a.n_points + 1, sizeof *thresholds);
    if (!thresholds) {
        rc = nod_fail_memory(err, "thresholds", a.n_points * sizeof *thresholds);
        goto out;
    }
    for (size_t c = 0; c < a.n_points; c++)
        thresholds[c] = a.points[c].threshold;
    NOD_TRY(nod_predictions_write_csv(&p, a.n_points ? thresholds : NULL, csv_path, err));
out:
    nod_free(thresholds);
    nod_kernel_table_free(kernels);
    nod_predictions_done(&p);
    nod_answer_done(&a);
    nod_free(model_path);
    nod_free(csv_path);
    return rc;
}
