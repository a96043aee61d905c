/* finish.c: from the best epoch to a model that may be tested; see finish.h. */
#include "train/finish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "infer/answer.h"
#include "infer/judge.h"

static int describe(const nod_finish_input *f, nod_answer *a, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(f->cohort);
    a->task = f->recipe->task;
    a->positive = a->task == NOD_TASK_BINARY ? (int)info->positive : -1;
    a->patching = *f->patching;
    a->unit = info->unit;
    snprintf(a->positive_origin, sizeof a->positive_origin, "%s",
             nod_positive_origin_name(info->positive_origin));
    for (size_t i = 0; i < info->n_classes; i++)
        if (!nod_strlist_add(&a->classes, info->classes[i]))
            return nod_fail_memory(err, "class names", 64);
    return nod_calibration_init(&a->calibration, info->n_classes, err);
}

/* Raw logits of the validation part's images as predictions. */
static int predict(const nod_finish_input *f, const nod_answer *a, const nod_judge *judge,
                   nod_predictions *p, nod_error *err)
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
        for (size_t m = 0; m < k; m++)
            row[m] = (double)logits[i * k + m];
        NOD_TRY(nod_predictions_add(p, judge->ids[i], judge->patients[i], 0,
                                    f->validation->labels.values + i * per_row, row, err));
    }
out:
    nod_free(logits);
    nod_free(row);
    return rc;
}

/* From images to units: as the recipe says, or by what does better on these. */
static int judge_units(const nod_finish_input *f, nod_answer *a, const nod_judge *judge,
                       const nod_predictions *images, nod_predictions *units, nod_error *err)
{
    nod_aggregation_choice *c = &a->aggregation;
    bool is_joined = judge->units.n < judge->n;
    int rc = 0;
    *c = (nod_aggregation_choice){.auc_mean = NAN, .auc_max = NAN};
    if (f->recipe->aggregation >= 0)
        c->how = (nod_aggregation)f->recipe->aggregation;
    else if (is_joined)
        NOD_TRY(nod_judge_choose(judge, images, c, err));
    if (is_joined)
        nod_info(f->log, "%s judged by the %s of their images%s", nod_level_plural(a->unit),
                 nod_aggregation_name(c->how),
                 c->n_units ? ", chosen on validation" : ", as the recipe says");
    NOD_TRY(nod_judge_apply(judge, c->how, images, units, err));
out:
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

/* validation.csv: what is judged; validation-images.csv: the images that units were made of, each as if
 * it were alone. */
static int write_predictions(const nod_finish_input *f, const nod_answer *a,
                             const nod_judge *judge, nod_predictions *images,
                             const nod_predictions *units, nod_error *err)
{
    int rc = 0;
    char *path = nod_path_join(f->folder, "validation.csv");
    char *images_path = nod_path_join(f->folder, "validation-images.csv");
    double *thresholds = nod_calloc(a->n_points + 1, sizeof *thresholds);
    if (!path || !images_path || !thresholds) {
        rc = nod_fail_memory(err, "paths of a run", 4096);
        goto out;
    }
    for (size_t c = 0; c < a->n_points; c++)
        thresholds[c] = a->points[c].threshold;
    const double *t = a->n_points ? thresholds : NULL;
    NOD_TRY(nod_predictions_write_csv(units, t, path, err));
    if (a->unit == NOD_LEVEL_IMAGE) goto out;
    NOD_TRY(nod_calibration_apply(&a->calibration, images, -1, err));
    NOD_TRY(nod_judge_mark(judge, images, err));
    NOD_TRY(nod_predictions_write_csv(images, t, images_path, err));
out:
    nod_free(path);
    nod_free(images_path);
    nod_free(thresholds);
    return rc;
}

int nod_finish_seed(const nod_finish_input *f, int64_t *best_epoch, nod_error *err)
{
    int rc = 0;
    nod_answer a = {.positive = -1};
    nod_judge judge = {0};
    nod_predictions images = {0}, units = {0};
    nod_kernel_table *kernels = NULL;
    char *model_path = nod_path_join(f->folder, "model.safetensors");
    if (!model_path) {
        rc = nod_fail_memory(err, "paths of a run", 4096);
        goto out;
    }
    *best_epoch = nod_trainer_take_best(f->trainer);
    NOD_TRY(describe(f, &a, err));
    NOD_TRY(nod_judge_init(&judge, f->cohort, f->split, &f->validation->labels, err));
    NOD_TRY(predict(f, &a, &judge, &images, err));
    NOD_TRY(judge_units(f, &a, &judge, &images, &units, err));
    NOD_TRY(calibrate(f, &a, &units, err));
    NOD_TRY(choose_points(f, &a, &units, err));
    NOD_TRY(provenance(f, *best_epoch, err));
    replace(&f->model->contract, nod_contract_to_json(f->contract));
    replace(&f->model->answer, nod_answer_to_json(&a));
    NOD_TRY(nod_kernel_table_new(&kernels, err));
    NOD_TRY(nod_trainer_choices(f->trainer, kernels, err));
    replace(&f->model->kernels, nod_kernel_table_to_json(kernels));
    NOD_TRY(nod_model_write(f->model, model_path, err));
    NOD_TRY(write_predictions(f, &a, &judge, &images, &units, err));
out:
    nod_kernel_table_free(kernels);
    nod_predictions_done(&images);
    nod_predictions_done(&units);
    nod_judge_done(&judge);
    nod_answer_done(&a);
    nod_free(model_path);
    return rc;
}
