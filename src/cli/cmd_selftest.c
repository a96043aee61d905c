/* cmd_selftest.c: `nodule selftest`: does this program compute rightly on this machine?
 *
 * What a build's tests cannot know is the processor it will meet, the libraries it is linked with
 * there, and the disk. So the kernels that this processor gets are compared with the reference, the
 * gradients with finite differences, one thread with all of them; and files and a ledger are written
 * and read back. Everything is small and made from seeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "cli/verb.h"
#include "exec/gradcheck.h"
#include "ledger/ledger.h"
#include "train/trainer.h"

#define IMAGES 24
#define STEPS  3

/* Networks that between them use every kind of kernel that is chosen by processor. */
typedef struct subject {
    const char *name, *recipe;
    nod_network_io io;
} subject;

static const subject subjects[] = {
    {"mlp",
     "input: {size: [12, 12]}\nnetwork: {name: mlp, hidden: [16, 8]}\n",
     {1, 2, {1, 12, 12}, 2}},
    {"cnn",
     "input: {size: [12, 12]}\nnetwork: {name: cnn, channels: [16, 32], activation: silu}\n",
     {1, 2, {1, 12, 12}, 2}},
    {"resnet18",
     "input: {size: [12, 12]}\nnetwork: {name: resnet18, width: 16}\n",
     {1, 2, {1, 12, 12}, 2}},
    {"cnn 3-D",
     "input: {size: [8, 8, 8]}\nnetwork: {name: cnn, channels: [16, 16]}\n",
     {1, 3, {8, 8, 8}, 2}},
};

/* --- a training in memory ------------------------------------------------------------------- */

typedef struct training {
    nod_recipe *recipe;
    nod_model *model;
    nod_trainer *trainer;
    float *images;
    int32_t labels[IMAGES];
} training;

static void training_end(training *t)
{
    nod_trainer_free(t->trainer);
    nod_model_free(t->model);
    nod_recipe_free(t->recipe);
    nod_free(t->images);
}

/* Noise, with a bright first half in every other image. */
static int make_images(const subject *s, training *t, nod_error *err)
{
    int64_t n = s->io.size[0] * s->io.size[1] * s->io.size[2];
    nod_rng r = nod_rng_make(1, NOD_RNG_ORDER, 0);
    t->images = nod_calloc((size_t)(IMAGES * n), sizeof *t->images);
    if (!t->images) return nod_fail_memory(err, "images", (size_t)(IMAGES * n) * sizeof(float));
    for (int64_t i = 0; i < IMAGES; i++) {
        t->labels[i] = (int32_t)(i % 2);
        for (int64_t p = 0; p < n; p++)
            t->images[i * n + p] =
                (float)(0.5 * nod_rng_normal(&r) + (t->labels[i] && p < n / 2 ? 1 : 0));
    }
    return 0;
}

/* *t, which the trainer points into, is to be ended whatever comes back. */
static int training_begin(const subject *s, const char *backend, nod_precision precision,
                          training *t, nod_error *err)
{
    int rc = 0;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_trainer_options o = {.plan = NOD_PLAN_OPTIONS_INIT};
    nod_patching whole = {.image = {s->io.size[0], s->io.size[1], s->io.size[2]}};
    o.plan.backend = nod_backend_find(backend);
    o.plan.precision = precision;
    nod_strbuf_printf(&text,
                      "%sbatch_size: 8\nepochs: 12\noptimiser: {name: momentum, lr: 0.02}\n",
                      s->recipe);
    if (text.failed) {
        rc = nod_fail_memory(err, "a recipe", 256);
        goto out;
    }
    NOD_TRY(nod_recipe_parse(text.data, text.len, "selftest", &t->recipe, err));
    NOD_TRY(make_images(s, t, err));
    NOD_TRY(nod_model_new(t->recipe->network, &s->io, 1, &t->model, err));
    nod_examples all = {.n = IMAGES, .images = t->images, .labels = t->labels};
    NOD_TRY(nod_trainer_new(t->recipe, t->model, &whole, &all, &all, &o, &t->trainer, err));
out:
    nod_strbuf_done(&text);
    return rc;
}

/* Losses of the first steps, and the hash of the weights after them. */
static int train(const subject *s, const char *backend, nod_precision precision,
                 double loss[STEPS], char hash[65], nod_error *err)
{
    training t = {0};
    int rc = training_begin(s, backend, precision, &t, err);
    for (int i = 0; !rc && i < STEPS; i++)
        rc = nod_trainer_step(t.trainer, &loss[i], err);
    if (!rc && hash) rc = nod_params_hash(t.model->params, hash, err);
    training_end(&t);
    return rc;
}

/* --- the checks: 0, or an error that says what is wrong; a detail for whoever looks ------------- */

static int check_gradients(nod_strbuf *detail, nod_error *err)
{
    int rc = 0, image, logits;
    const subject *s = &subjects[1];
    nod_graph *g = NULL;
    training t = {0};
    nod_gradcheck_options o = NOD_GRADCHECK_OPTIONS_INIT;
    nod_gradcheck_report r;
    nod_shape labels = nod_shape_of(1, 4);
    o.backend = nod_backend_ref();
    NOD_TRY(training_begin(s, "ref", NOD_PRECISION_F32, &t, err));
    NOD_TRY(nod_graph_new(&g, err));
    NOD_TRY(nod_network_build(t.model->network, &s->io, 4, true, g, &image, &logits, err));
    int y = nod_graph_input(g, "labels", labels, true);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_CE, "loss", (int[]){logits, y}, 2, NULL), 0);
    NOD_TRY(nod_gradcheck(g, loss, &o, &r, err));
    nod_strbuf_printf(detail, "%lld elements, worst %.0e", (long long)r.checked, r.worst);
    if (!(r.worst < 1e-5))
        rc = nod_fail(err, NOD_EINTERNAL, "gradient of %s: %.9g, finite difference %.9g",
                      r.value, r.gradient, r.difference);
out:
    nod_graph_free(g);
    training_end(&t);
    return rc;
}

static int compare_with_reference(nod_precision precision, double allowed, nod_strbuf *detail,
                                  nod_error *err)
{
    double worst = 0;
    for (size_t i = 0; i < NOD_COUNT(subjects); i++) {
        double ref[STEPS], cpu[STEPS];
        int rc = train(&subjects[i], "ref", NOD_PRECISION_F32, ref, NULL, err);
        if (!rc) rc = train(&subjects[i], "cpu", precision, cpu, NULL, err);
        if (rc) return nod_error_prefix(err, "%s", subjects[i].name);
        for (int k = 0; k < STEPS; k++) {
            double off = fabs(cpu[k] - ref[k]) / fabs(ref[k]);
            if (!(off <= allowed))
                return nod_fail(
                    err, NOD_EINTERNAL,
                    "%s, step %d: loss %.9g on this processor, %.9g in the reference",
                    subjects[i].name, k + 1, cpu[k], ref[k]);
            worst = fmax(worst, off);
        }
    }
    nod_strbuf_printf(detail, "%zu networks, losses of %d steps within %.0e of the reference",
                      NOD_COUNT(subjects), STEPS, worst);
    return 0;
}

static int check_f32(nod_strbuf *detail, nod_error *err)
{
    return compare_with_reference(NOD_PRECISION_F32, 1e-4, detail, err);
}

static int check_bf16(nod_strbuf *detail, nod_error *err)
{
    if (!nod_backend_cpu()->has_precision(NOD_PRECISION_BF16)) {
        nod_strbuf_add(detail, "not on this processor");
        return 0;
    }
    return compare_with_reference(NOD_PRECISION_BF16, 5e-2, detail, err);
}

static int hash_on(const subject *s, nod_precision p, int threads, char hash[65],
                   nod_error *err)
{
    double loss[STEPS];
    nod_threads_set(threads);
    return train(s, "cpu", p, loss, hash, err);
}

static int check_threads(nod_strbuf *detail, nod_error *err)
{
    static const nod_precision precisions[] = {NOD_PRECISION_F32, NOD_PRECISION_BF16};
    int all = nod_threads_get(), other = NOD_MAX(all, 2), rc = 0;
    for (size_t i = 0; !rc && i < NOD_COUNT(subjects) * NOD_COUNT(precisions); i++) {
        const subject *s = &subjects[i / NOD_COUNT(precisions)];
        nod_precision p = precisions[i % NOD_COUNT(precisions)];
        char one[65], many[65];
        if (!nod_backend_cpu()->has_precision(p)) continue;
        rc = hash_on(s, p, 1, one, err);
        if (!rc) rc = hash_on(s, p, other, many, err);
        if (!rc && strcmp(one, many) != 0)
            rc = nod_fail(err, NOD_EINTERNAL, "%s: other weights with %d threads than with one",
                          s->name, other);
    }
    nod_threads_set(all);
    nod_strbuf_printf(detail, "the same weights with 1 and with %d", other);
    return rc;
}

static int check_learning(nod_strbuf *detail, nod_error *err)
{
    training t = {0};
    nod_epoch e = {0};
    int rc = training_begin(&subjects[0], "cpu", NOD_PRECISION_F32, &t, err);
    while (!rc && !nod_trainer_finished(t.trainer))
        rc = nod_trainer_epoch(t.trainer, &e, err);
    training_end(&t);
    if (rc) return rc;
    nod_strbuf_printf(detail, "AUC %.3f after %lld epochs", e.train.auc, (long long)e.epoch);
    if (e.train.auc >= 0.95) return 0;
    return nod_fail(err, NOD_EINTERNAL, "an easy task is not learnt: AUC %.3f", e.train.auc);
}

/* A model is read back with the same weights, and refused with one bit changed. */
static int check_model(const char *folder, nod_error *err)
{
    int rc = 0;
    training t = {0};
    nod_model *back = NULL;
    nod_bytes bytes = {0};
    nod_error refusal = NOD_ERROR_INIT;
    char want[65], got[65], *path = nod_path_join(folder, "model.safetensors");
    if (!path) return nod_fail_memory(err, "a path", 256);
    NOD_TRY(training_begin(&subjects[1], "cpu", NOD_PRECISION_F32, &t, err));
    NOD_TRY(nod_params_hash(t.model->params, want, err));
    NOD_TRY(nod_model_write(t.model, path, err));
    NOD_TRY(nod_model_read(path, &back, err));
    NOD_TRY(nod_params_hash(back->params, got, err));
    if (strcmp(want, got) != 0)
        rc = nod_fail(err, NOD_EINTERNAL, "%s: read back with other weights", path);
    if (!rc) rc = nod_file_read(path, (size_t)1 << 24, &bytes, err);
    if (rc) goto out;
    bytes.data[bytes.size - 1] ^= 1;
    NOD_TRY(nod_file_write(path, bytes.data, bytes.size, err));
    nod_model_free(back);
    back = NULL;
    if (nod_model_read(path, &back, &refusal) != NOD_EFORMAT)
        rc = nod_fail(err, NOD_EINTERNAL, "%s: a changed bit is not seen", path);
out:
    unlink(path);
    nod_bytes_done(&bytes);
    nod_model_free(back);
    training_end(&t);
    nod_free(path);
    return rc;
}

/* A ledger fits the anchor it gave; another one in its place does not. */
static int check_ledger(const char *folder, nod_error *err)
{
    int rc = 0;
    nod_ledger *l = NULL;
    nod_error refusal = NOD_ERROR_INIT;
    char *path = nod_path_join(folder, "ledger.sqlite");
    if (!path) return nod_fail_memory(err, "a path", 256);
    NOD_TRY(nod_ledger_open(path, NOD_LEDGER_CREATE, &l, err));
    nod_anchor a = nod_ledger_anchor(l);
    nod_ledger_close(l);
    l = NULL;
    NOD_TRY(nod_ledger_open(path, NOD_LEDGER_READ, &l, err));
    NOD_TRY(nod_ledger_check_anchor(l, &a, "selftest", err));
    nod_ledger_close(l);
    l = NULL;
    unlink(path);
    NOD_TRY(nod_ledger_open(path, NOD_LEDGER_CREATE, &l, err));
    if (nod_ledger_check_anchor(l, &a, "selftest", &refusal) != NOD_ESEAL)
        rc = nod_fail(err, NOD_EINTERNAL, "%s: another ledger is not told apart", path);
out:
    nod_ledger_close(l);
    unlink(path);
    nod_free(path);
    return rc;
}

static int check_files(nod_strbuf *detail, nod_error *err)
{
    const char *base = getenv("TMPDIR");
    char folder[512];
    snprintf(folder, sizeof folder, "%.400s/nodule-selftest-XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(folder))
        return nod_fail(err, NOD_EIO, "%s: no folder can be made there: set TMPDIR", folder);
    int rc = check_model(folder, err);
    if (!rc) rc = check_ledger(folder, err);
    rmdir(folder);
    nod_strbuf_add(detail,
                   "a model and a ledger, written, read back, and refused when changed");
    return rc;
}

/* --- the verb ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(nod_strbuf *detail, nod_error *err);
} checks[] = {
    {"gradients", check_gradients}, {"kernels, f32", check_f32},  {"kernels, bf16", check_bf16},
    {"threads", check_threads},     {"learning", check_learning}, {"files", check_files},
};

static void show(const nod_cli *cli, nod_json *rows, const char *name, const nod_error *err,
                 const nod_strbuf *detail)
{
    const char *text = err->code ? err->message : detail->data;
    nod_json *row = nod_json_object();
    nod_json_set_str(row, "check", name);
    nod_json_set_bool(row, "passed", err->code == 0);
    nod_json_set_str(row, "detail", text);
    nod_json_push(rows, row);
    if (cli->json) return;
    fprintf(cli->out, "%-14s %-7s %s\n", name, err->code ? "FAILED" : "ok", text);
    fflush(cli->out);
}

static int run(nod_cli *cli, const void *options, nod_error *err)
{
    int failed = 0;
    nod_json *j = nod_json_object(), *rows = nod_json_array();
    (void)options;
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "isa", nod_backend_cpu()->isa());
    if (!cli->json)
        fprintf(cli->out, "nodule %s on %s, %d thread%s\n", NODULE_VERSION,
                nod_backend_cpu()->isa(), nod_threads_get(), nod_threads_get() == 1 ? "" : "s");
    for (size_t i = 0; i < NOD_COUNT(checks); i++) {
        nod_error failure = NOD_ERROR_INIT;
        nod_strbuf detail = NOD_STRBUF_INIT;
        (void)!checks[i].run(&detail, &failure);
        show(cli, rows, checks[i].name, &failure, &detail);
        failed += failure.code != 0;
        nod_strbuf_done(&detail);
    }
    nod_json_set(j, "checks", rows);
    int rc = cli->json ? nod_cli_put_json(cli, j, err) : 0;
    if (!cli->json) nod_json_free(j);
    if (!rc && failed)
        rc = nod_fail(err, NOD_EINTERNAL,
                      "%d of %zu checks failed: do not trust this program on this machine, and "
                      "report what is printed above",
                      failed, NOD_COUNT(checks));
    return rc;
}

const nod_verb nod_verb_selftest = {
    .name = "selftest",
    .summary = "does it compute rightly on this machine?",
    .args = "",
    .about =
        "Compares the kernels that this processor gets with the reference, the gradients with\n"
        "finite differences, and one thread with all; writes a model and a ledger below "
        "TMPDIR\n"
        "and reads them back. Takes some seconds.",
    .examples = "  nodule selftest\n"
                "  DNNL_MAX_CPU_ISA=AVX2 nodule selftest\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .run = run,
};
