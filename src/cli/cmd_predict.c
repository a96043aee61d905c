/* cmd_predict.c: `nodule predict`: probabilities for images, with a trained model. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/user_kernels.h"
#include "cli/verb.h"
#include "imaging/reader.h"
#include "infer/answer.h"
#include "train/run_folder.h"

typedef struct predict_options {
    nod_strlist inputs;
    const char *out;
} predict_options;

static const predict_options defaults;
static const nod_option options[] = {
    NOD_OPTION_LIST(predict_options, inputs, "input", 'i', "IMAGE",
                    "image file; may be given again"),
    NOD_OPTION_TEXT(predict_options, out, "output", 'o', "FILE.csv",
                    "write the probabilities here (default: standard output)"),
    NOD_OPTION_END};

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

static void add_header(const nod_answer *a, nod_strbuf *b)
{
    nod_csv_add_field(b, "file", 1);
    for (size_t k = 0; k < a->classes.n; k++)
        nod_csv_add_field(b, a->classes.items[k], 0);
    nod_csv_add_field(b, "decision", 0);
    nod_strbuf_addc(b, '\n');
}

static void add_decision(const nod_answer *a, const double *p, nod_strbuf *b)
{
    size_t best = 0;
    for (size_t k = 1; k < a->classes.n; k++)
        if (p[k] > p[best]) best = k;
    if (a->task == NOD_TASK_BINARY)
        best =
            (size_t)(p[a->positive] >= a->points[0].threshold ? a->positive : 1 - a->positive);
    nod_csv_add_field(b, a->classes.items[best], 0);
}

static int predict_one(nod_reader *r, const char *path, nod_strbuf *b, nod_json *list,
                       nod_error *err)
{
    nod_image im = {0};
    size_t k = r->answer.classes.n;
    double *logits = nod_calloc(2 * k, sizeof *logits), *p = logits ? logits + k : NULL;
    char number[40];
    int rc = logits ? nod_image_read(path, NULL, NULL, &im, err)
                    : nod_fail_memory(err, "logits", 2 * k * 8);
    if (!rc) rc = nod_reader_answer(r, &im, logits, NULL, p, err);
    if (rc) {
        if (!strstr(err->message, path)) nod_error_prefix(err, "%s", path);
    } else {
        nod_json *j = nod_json_object(), *classes = nod_json_object();
        nod_csv_add_field(b, path, 1);
        for (size_t c = 0; c < k; c++) {
            snprintf(number, sizeof number, "%.6f", p[c]);
            nod_csv_add_field(b, number, 0);
            nod_json_set_real(classes, r->answer.classes.items[c], p[c]);
        }
        add_decision(&r->answer, p, b);
        nod_strbuf_addc(b, '\n');
        nod_json_set_str(j, "file", path);
        nod_json_set(j, "probabilities", classes);
        nod_json_push(list, j);
    }
    nod_image_done(&im);
    nod_free(logits);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const predict_options *o = options_void;
    nod_reader r = {0};
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_json *list = nod_json_array();
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
    NOD_TRY(nod_reader_open(path, &po, 1, &r, err));
    add_header(&r.answer, &b);
    for (size_t i = 0; i < o->inputs.n; i++)
        NOD_TRY(predict_one(&r, o->inputs.items[i], &b, list, err));
    if (b.failed) {
        rc = nod_fail_memory(err, "predictions", b.len);
    } else if (o->out) {
        rc = nod_file_write(o->out, b.data, b.len, err);
    } else if (cli->json) {
        rc = nod_cli_put_json(cli, list, err);
        list = NULL;
    } else {
        fputs(b.data, cli->out);
    }
out:
    nod_json_free(list);
    nod_strbuf_done(&b);
    nod_kernel_table_free(kernels);
    nod_reader_done(&r);
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
        "Preprocesses each image by the model's own contract and prints calibrated "
        "probabilities "
        "and the decision at the frozen operating point. Of a run with several seeds the first "
        "model is used.",
    .examples =
        "  nodule predict run -i scan.png\n  nodule predict run -i a.png -i b.png -o out.csv\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
