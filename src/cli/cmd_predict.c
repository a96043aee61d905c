/* cmd_predict.c: `nodule predict`: probabilities for images, with a trained model.
 * docs/formats/predictions.md has what it writes. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/user_kernels.h"
#include "cli/verb.h"
#include "infer/answer.h"
#include "train/run_folder.h"

typedef struct predict_options {
    nod_strlist inputs, series;
    const char *out;
    bool force, together, apart;
} predict_options;

static const predict_options defaults;
static const nod_option options[] = {
    NOD_OPTION_LIST(predict_options, inputs, "input", 'i', "IMAGE",
                    "image of any format that is read, or a folder or zip archive with a DICOM "
                    "series; may be given again"),
    NOD_OPTION_LIST(predict_options, series, "series", 0, "RULE",
                    "of DICOM folders: which series, as in index; may be given again"),
    NOD_OPTION_TEXT(predict_options, out, "output", 'o', "FILE.csv",
                    "write the probabilities here (default: standard output)"),
    NOD_OPTION_FLAG(
        predict_options, together, "together", 0,
        "all images are of one patient, study ...: whatever the model judges; a last "
        "row answers for them all"),
    NOD_OPTION_FLAG(predict_options, apart, "apart", 0,
                    "each image is all there is of its patient, study ..."),
    NOD_OPTION_FLAG(
        predict_options, force, "force", 'f',
        "answer also for images unlike those of the training part; the output says so"),
    NOD_OPTION_END};

/* What becomes of the images, one after the other. */
typedef struct predicting {
    nod_reader reader;
    const nod_cli *cli;
    const nod_strlist *series;
    bool force;
    size_t n_inputs, n_failed;
    nod_error first; /* failure */
    nod_strbuf csv;
    nod_json *list;
    double *logits; /* [n_inputs][classes], of those that have an answer */
    size_t n_answered;
    double *log_odds, *p; /* [classes] of what is said at the moment */
} predicting;

/* A run's first model, or the model file itself. */
static int model_path(const char *arg, char **out, nod_error *err)
{
    nod_strlist models = NOD_STRLIST_INIT;
    int rc = 0;
    if (!nod_path_is_dir(arg)) {
        *out = nod_strdup(arg);
    } else {
        rc = nod_run_models(arg, &models, err);
        if (!rc) *out = nod_strdup(models.items[0]);
    }
    if (!rc && !*out) rc = nod_fail_memory(err, "path of a model", 4096);
    nod_strlist_done(&models);
    return rc;
}

static void add_header(predicting *w)
{
    const nod_answer *a = &w->reader.answer;
    nod_csv_add_field(&w->csv, "input", 1);
    nod_csv_add_field(&w->csv, "case", 0);
    if (w->cli->show_ids) nod_csv_add_field(&w->csv, "file", 0);
    for (size_t k = 0; k < a->classes.n; k++)
        nod_csv_add_field(&w->csv, a->classes.items[k], 0);
    nod_csv_add_field(&w->csv, "decision", 0);
    nod_csv_add_field(&w->csv, "note", 0);
    nod_strbuf_addc(&w->csv, '\n');
}

static const char *decide(const nod_answer *a, const double *p)
{
    size_t best = 0;
    for (size_t k = 1; k < a->classes.n; k++)
        if (p[k] > p[best]) best = k;
    if (a->task == NOD_TASK_BINARY)
        best =
            (size_t)(p[a->positive] >= a->points[0].threshold ? a->positive : 1 - a->positive);
    return a->classes.items[best];
}

/* What is said of one image, or of all. */
typedef struct said {
    size_t i_input;
    bool is_unit; /* of all images together */
    const char *path;
    char id[NOD_CASE_DIGITS + 1]; /* of its pixels, as in a cohort; "" not known */
    bool answered;
    const char *kind, *note; /* "forced" or "failed", and why; else NULL */
} said;

/* Probabilities, or empty fields where there are none. */
static void add_row(predicting *w, const said *s)
{
    const nod_answer *a = &w->reader.answer;
    nod_json *j = nod_json_object(), *classes = nod_json_object();
    char number[40], text[NOD_ERROR_MAX + 16] = "";
    if (s->kind) snprintf(text, sizeof text, "%s: %s", s->kind, s->note);
    snprintf(number, sizeof number, "%zu", s->i_input + 1);
    nod_csv_add_field(&w->csv, s->is_unit ? "all" : number, 1);
    nod_csv_add_field(&w->csv, s->id, 0);
    if (w->cli->show_ids) nod_csv_add_field(&w->csv, s->path, 0);
    for (size_t c = 0; c < a->classes.n; c++) {
        snprintf(number, sizeof number, "%.6f", w->p[c]);
        nod_csv_add_field(&w->csv, s->answered ? number : "", 0);
        nod_json_set_real(classes, a->classes.items[c], w->p[c]);
    }
    nod_csv_add_field(&w->csv, s->answered ? decide(a, w->p) : "", 0);
    nod_csv_add_field(&w->csv, text, 0);
    nod_strbuf_addc(&w->csv, '\n');
    if (s->is_unit)
        nod_json_set_str(j, "unit", nod_level_name(a->unit));
    else
        nod_json_set_int(j, "input", (int64_t)s->i_input + 1);
    if (!s->is_unit) nod_json_set_str(j, "case", *s->id ? s->id : NULL);
    if (w->cli->show_ids && !s->is_unit) nod_json_set_str(j, "file", s->path);
    if (s->answered) {
        nod_json_set(j, "probabilities", classes);
        nod_json_set_str(j, "decision", decide(a, w->p));
    } else {
        nod_json_free(classes);
    }
    if (s->kind) nod_json_set_str(j, s->kind, s->note);
    nod_json_push(w->list, j);
}

/* One image; what lies outside of what the model was made for is refused, or noted. */
static int predict_one(predicting *w, size_t i, const char *path, nod_error *err)
{
    said s = {.i_input = i, .path = path, .answered = true};
    nod_image im = {0};
    nod_error unlike = NOD_ERROR_INIT;
    nod_reader *r = &w->reader;
    char pixels[NOD_SHA256_HEX], shown[32];
    int rc = 0;
    NOD_TRY(nod_reader_read(r, path, w->series, &im, err));
    NOD_TRY(nod_image_pixel_hash(&im, pixels, err));
    snprintf(s.id, sizeof s.id, "%.*s", NOD_CASE_DIGITS, pixels);
    bool is_unlike = nod_contract_check(&r->contract, &im, path, &unlike) != 0;
    nod_cli_hide_input(w->cli, path, "", &unlike);
    if (is_unlike && !w->force) {
        rc = nod_fail(err, unlike.code, "%.900s; --force answers all the same", unlike.message);
        goto out;
    }
    NOD_TRY(nod_reader_answer(r, &im, w->logits + w->n_answered * r->answer.classes.n, NULL,
                              w->p, err));
    w->n_answered++;
    s.kind = is_unlike ? "forced" : NULL;
    s.note = unlike.message;
    add_row(w, &s);
out:
    snprintf(shown, sizeof shown, "input %zu", i + 1);
    nod_cli_hide_input(w->cli, path, "", err);
    if (rc && !strstr(err->message, path))
        nod_error_prefix(err, "%s", w->cli->show_ids ? path : shown);
    nod_image_done(&im);
    return rc;
}

/* A failed image keeps its row, and the others go on; memory and Ctrl-C end the work. */
static int predict_all(predicting *w, const nod_strlist *inputs, nod_error *err)
{
    add_header(w);
    w->n_inputs = inputs->n;
    for (size_t i = 0; i < inputs->n; i++) {
        nod_error why = NOD_ERROR_INIT;
        int rc = predict_one(w, i, inputs->items[i], &why);
        if (rc == 0) continue;
        if (rc == NOD_ENOMEM || rc == NOD_EINTERRUPTED || inputs->n == 1) {
            *err = why;
            return rc;
        }
        if (w->n_failed++ == 0) w->first = why;
        add_row(w, &(said){.i_input = i,
                           .path = inputs->items[i],
                           .kind = "failed",
                           .note = why.message});
    }
    return 0;
}

/* The answer for all images, where each of them has one. */
static void predict_unit(predicting *w)
{
    said s = {.is_unit = true, .path = "", .answered = w->n_failed == 0};
    char note[96];
    if (s.answered) {
        nod_answer_join(&w->reader.answer, w->n_answered, w->logits, w->log_odds, w->p);
    } else {
        snprintf(note, sizeof note, "%zu of %zu images have no answer", w->n_failed,
                 w->n_inputs);
        s.kind = "failed";
        s.note = note;
    }
    add_row(w, &s);
}

/* Whose images they are cannot be guessed. */
static int check_unit(const predict_options *o, const nod_answer *a, nod_error *err)
{
    const char *unit = nod_level_name(a->unit);
    if (o->together && o->apart)
        return nod_fail(err, NOD_EINVAL, "--together and --apart contradict each other");
    if (a->unit == NOD_LEVEL_IMAGE && o->together)
        return nod_fail(
            err, NOD_EINVAL,
            "--together: the model judges images one by one; train on a cohort that was "
            "indexed with --unit patient, study ... for more");
    if (a->unit == NOD_LEVEL_IMAGE || o->inputs.n < 2 || o->together || o->apart) return 0;
    return nod_fail(err, NOD_EINVAL,
                    "the model judges a %s by all of its images: are these %zu of one %s "
                    "(--together), or each of another (--apart)?",
                    unit, o->inputs.n, unit);
}

static int write_all(nod_cli *cli, predicting *w, const char *out, nod_error *err)
{
    int rc = 0;
    if (w->csv.failed) return nod_fail_memory(err, "predictions", w->csv.len);
    if (out) {
        rc = nod_file_write(out, w->csv.data, w->csv.len, err);
    } else if (cli->json) {
        rc = nod_cli_put_json(cli, w->list, err);
        w->list = NULL;
    } else {
        fputs(w->csv.data, cli->out);
    }
    if (rc || w->n_failed == 0) return rc;
    return nod_fail(err, w->first.code, "%zu of %zu images have no answer; the first: %.900s",
                    w->n_failed, w->n_inputs, w->first.message);
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const predict_options *o = options_void;
    predicting w = {.cli = cli,
                    .series = &o->series,
                    .force = o->force,
                    .csv = NOD_STRBUF_INIT,
                    .list = nod_json_array()};
    nod_plan_options po = NOD_PLAN_OPTIONS_INIT;
    nod_kernel_table *kernels = NULL;
    char *path = NULL;
    int rc = 0;
    po.backend = nod_backend_cpu();
    if (o->inputs.n == 0) {
        rc = nod_fail(err, NOD_EINVAL, "give an image with -i");
        goto out;
    }
    NOD_TRY(model_path(cli->args[0], &path, err));
    NOD_TRY(nod_user_kernels_read(&kernels, err));
    po.table = kernels;
    NOD_TRY(nod_reader_open(path, &po, 1, &w.reader, err));
    w.reader.is_forced = o->force;
    NOD_TRY(check_unit(o, &w.reader.answer, err));
    size_t k = w.reader.answer.classes.n;
    w.logits = nod_calloc(o->inputs.n + 2, k * sizeof *w.logits);
    if (!w.logits) {
        rc = nod_fail_memory(err, "logits", o->inputs.n * k * sizeof *w.logits);
        goto out;
    }
    w.log_odds = w.logits + o->inputs.n * k;
    w.p = w.log_odds + k;
    NOD_TRY(predict_all(&w, &o->inputs, err));
    if (o->together) predict_unit(&w);
    NOD_TRY(write_all(cli, &w, o->out, err));
out:
    nod_json_free(w.list);
    nod_strbuf_done(&w.csv);
    nod_kernel_table_free(kernels);
    nod_reader_done(&w.reader);
    nod_free(w.logits);
    nod_free(path);
    return rc;
}

const nod_verb nod_verb_predict = {
    .name = "predict",
    .summary = "probabilities for images",
    .args = "RUN|MODEL.safetensors",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Reads each image as the model's own contract says and prints calibrated probabilities "
        "and "
        "the decision at the frozen operating point. Images unlike those of the training part "
        "(modality, orientation, spacing, field of view) are refused, each reason named. Of "
        "several "
        "images a failed one keeps its row, with the reason; the exit code is then that of the "
        "first "
        "failure. A model that judges more than an image (patients, studies ...) needs to know "
        "whose "
        "the images are: --together or --apart. Of a run with several seeds the first model is "
        "used. An image is called by "
        "its "
        "number on the command line, and by the id that a cohort would give it; by its name "
        "with "
        "--show-ids.",
    .examples = "  nodule predict run -i scan.png\n"
                "  nodule predict run -i a.nii.gz -i b.nii.gz -o out.csv\n"
                "  nodule predict run -i left.dcm -i right.dcm --together\n"
                "  nodule predict run -i study/ --series Modality=CT\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS | NOD_TAKES_SHOW_IDS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
