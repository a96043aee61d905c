/* cmd_bench.c: `nodule bench`: how fast this machine trains and predicts, beside its peers.
 *
 * For each workload and precision one worker process of ours is started, and one of each peer
 * in turn (bench_worker.h); samples of the two are taken alternately until both have enough
 * clean ones. The parent computes nothing, so it does not disturb. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/bench_profile.h"
#include "cli/bench_report.h"
#include "cli/bench_startup.h"
#include "cli/bench_tune.h"
#include "cli/interrupt.h"
#include "cli/verb.h"

#define SAMPLE_S         0.1 /* a sample is at least this long */
#define PATIENCE_S       6.0 /* waiting for a quiet machine before one sample */
#define START_SAMPLES    9
#define PROFILE_RUNS     3
#define START_RUNS       10 /* of the program in one sample */
#define START_WANTED_S   0.020
#define START_WANTED_RSS (20 << 20)

typedef struct bench_options {
    bool peers, profile, tune;
    const char *scripts, *worker, *files;
    int precision; /* index into precisions */
    int64_t samples;
} bench_options;

enum { PRECISION_AUTO, PRECISION_F32, PRECISION_BF16 };
static const char *const precisions[] = {"auto", "f32", "bf16", NULL};

typedef struct bench {
    nod_cli *cli;
    const bench_options *options;
    char program[4096]; /* of this process */
    char *python;       /* of the peers; NULL where absent */
    nod_bench_report report;
} bench;

static int stopped(nod_error *err)
{
    if (!nod_interrupt_pending()) return 0;
    return nod_fail(err, NOD_EINTERRUPTED, "in the middle of the benchmark");
}

/* --- workers ------------------------------------------------------------------------------- */

static int start_ours(const bench *b, const nod_bench_workload *w, nod_precision precision,
                      nod_bench_worker *out, nod_error *err)
{
    char threads[16];
    const char *files = b->options->files ? "--files" : NULL; /* else the list ends here */
    snprintf(threads, sizeof threads, "%d", b->report.threads);
    const char *argv[] = {b->program,        "bench",       "--worker",
                          w->name,           "--precision", nod_precision_name(precision),
                          "--threads",       threads,       files,
                          b->options->files, NULL};
    return nod_bench_worker_start(out, (char *const *)argv, err);
}

static int start_peer(const bench *b, const nod_bench_workload *w, const nod_bench_peer *peer,
                      nod_precision precision, nod_bench_worker *out, nod_error *err)
{
    char threads[16];
    const char *files = b->options->files ? "--files" : NULL; /* else the list ends here */
    snprintf(threads, sizeof threads, "%d", b->report.threads);
    char *script = nod_path_join(b->options->scripts, peer->script);
    if (!script) return nod_fail_memory(err, "path of a script", 256);
    const char *argv[] = {b->python,
                          script,
                          w->name,
                          peer->mode,
                          "--worker",
                          "--threads",
                          threads,
                          "--precision",
                          nod_precision_name(precision),
                          files,
                          b->options->files,
                          NULL};
    int rc = nod_bench_worker_start(out, (char *const *)argv, err);
    nod_free(script);
    return rc;
}

/* How many runs make a sample: doubled until one is long enough. */
static int calibrate(nod_bench_worker *w, int64_t *n, nod_error *err)
{
    double none = 0;
    for (*n = 1; *n < (1 << 24); *n *= 2) {
        nod_bench_sample s;
        int rc = nod_bench_worker_sample(w, *n, &none, &s, err);
        if (rc || s.time_s >= SAMPLE_S) return rc;
    }
    return 0;
}

/* `b` and `load` may be NULL. */
static int sample(nod_bench_worker *w, int64_t n, double *patience_s, nod_bench_times *a,
                  nod_bench_times *b, nod_bench_times *load, nod_error *err)
{
    nod_bench_sample s;
    int rc = stopped(err);
    if (!rc) rc = nod_bench_worker_sample(w, n, patience_s, &s, err);
    if (rc) return rc;
    nod_bench_times_add(a, s.time_s / (double)n, s.is_clean);
    if (b) nod_bench_times_add(b, s.time_s / (double)n, s.is_clean);
    if (load) nod_bench_times_add(load, s.load_s / (double)n, s.is_clean);
    return 0;
}

static int64_t samples_wanted(const bench *b, const nod_bench_workload *w)
{
    return b->options->samples > 0 ? b->options->samples : w->samples;
}

/* More are taken where some are noisy, up to twice as many. */
static bool has_enough(const nod_bench_times *t, int64_t wanted)
{
    return t->n_clean >= wanted || t->n_clean + t->n_noisy >= 2 * wanted;
}

/* --- a workload ---------------------------------------------------------------------------- */

typedef struct race {
    const nod_bench_workload *workload;
    nod_bench_worker ours;
    int64_t n_ours;
    nod_bench_row *row;
} race;

/* What is being measured, where somebody can see it. */
static void show(const bench *b, const char *text)
{
    if (b->cli->console->is_terminal) nod_console_status(b->cli->console, text);
}

static void say(const bench *b, const race *r, const char *who)
{
    char text[256];
    snprintf(text, sizeof text, "%s, %s: %s", r->row->title,
             nod_precision_name(r->row->precision), who);
    show(b, text);
}

static int run_pair(bench *b, race *r, nod_bench_worker *peer, nod_bench_pair *pair,
                    nod_error *err)
{
    double patience_s = PATIENCE_S;
    int64_t n, wanted = samples_wanted(b, r->workload);
    int rc = calibrate(peer, &n, err);
    while (!rc && (!has_enough(&pair->ours, wanted) || !has_enough(&pair->peer, wanted))) {
        rc = sample(&r->ours, r->n_ours, &patience_s, &pair->ours, &r->row->ours, &r->row->load,
                    err);
        if (!rc) rc = sample(peer, n, &patience_s, &pair->peer, NULL, NULL, err);
    }
    return rc;
}

/* A peer that fails is a row that says why; only our own failure ends the workload. */
static int run_peer(bench *b, race *r, const nod_bench_peer *peer, nod_error *err)
{
    nod_bench_worker w;
    nod_error failure = NOD_ERROR_INIT;
    nod_bench_pair *pair = nod_calloc(1, sizeof *pair);
    if (!pair) return nod_fail_memory(err, "samples", sizeof *pair);
    r->row->pairs[r->row->n_pairs++] = pair;
    snprintf(pair->name, sizeof pair->name, "%s %s", peer->script, peer->mode);
    say(b, r, peer->mode);
    int rc = start_peer(b, r->workload, peer, r->row->precision, &w, &failure);
    if (!rc) {
        memcpy(pair->name, w.name, sizeof pair->name);
        rc = run_pair(b, r, &w, pair, &failure);
        pair->peak_rss_bytes = w.peak_rss_bytes;
        nod_bench_worker_stop(&w);
    }
    if (!rc) return 0;
    if (stopped(err)) return err->code;
    snprintf(pair->missing, sizeof pair->missing, "%.500s", failure.message);
    return 0;
}

static int run_race(bench *b, race *r, nod_error *err)
{
    int64_t wanted = samples_wanted(b, r->workload);
    double patience_s = PATIENCE_S;
    bool bf16 = r->row->precision == NOD_PRECISION_BF16;
    int rc = calibrate(&r->ours, &r->n_ours, err);
    for (int i = 0; !rc && b->python && i < NOD_BENCH_PEERS_MAX; i++) {
        const nod_bench_peer *peer = &r->workload->peers[i];
        if (!peer->script) break;
        if (!bf16 || peer->has_bf16) rc = run_peer(b, r, peer, err);
    }
    say(b, r, "nodule");
    while (!rc && !has_enough(&r->row->ours, wanted))
        rc = sample(&r->ours, r->n_ours, &patience_s, &r->row->ours, NULL, &r->row->load, err);
    r->row->peak_rss_bytes = r->ours.peak_rss_bytes;
    return rc;
}

static int run_workload(bench *b, const nod_bench_workload *w, nod_precision precision,
                        nod_error *err)
{
    nod_error failure = NOD_ERROR_INIT;
    race r = {.workload = w, .row = nod_bench_report_add(&b->report)};
    if (!r.row) return nod_fail_memory(err, "a row", sizeof *r.row);
    r.row->workload = w;
    r.row->title = w->title;
    r.row->precision = precision;
    if (precision == NOD_PRECISION_F32) r.row->wanted = w->wanted_f32;
    if (precision == NOD_PRECISION_BF16 && strcmp(b->report.isa, "amx") == 0)
        r.row->wanted = w->wanted_amx;
    say(b, &r, "nodule");
    int rc = start_ours(b, w, precision, &r.ours, &failure);
    if (!rc) rc = run_race(b, &r, &failure);
    nod_bench_worker_stop(&r.ours);
    if (!rc) return 0;
    if (stopped(err)) return err->code;
    snprintf(r.row->missing, sizeof r.row->missing, "%.500s", failure.message);
    return 0;
}

static int run_precisions(bench *b, const nod_bench_workload *w, nod_error *err)
{
    int asked = b->options->precision, rc = 0;
    bool has_bf16 = nod_backend_cpu()->has_precision(NOD_PRECISION_BF16);
    if (asked == PRECISION_F32 || asked == PRECISION_AUTO)
        rc = run_workload(b, w, NOD_PRECISION_F32, err);
    if (!rc && w->has_bf16 &&
        (asked == PRECISION_BF16 || (asked == PRECISION_AUTO && has_bf16)))
        rc = run_workload(b, w, NOD_PRECISION_BF16, err);
    return rc;
}

/* --- start-up ------------------------------------------------------------------------------ */

static int run_startup(bench *b, const char *title, char *const argv[], nod_error *err)
{
    double patience_s = PATIENCE_S;
    nod_error failure = NOD_ERROR_INIT;
    nod_bench_row *row = nod_bench_report_add(&b->report);
    if (!row) return nod_fail_memory(err, "a row", sizeof *row);
    row->title = title;
    row->wanted_s = START_WANTED_S;
    row->wanted_rss_bytes = START_WANTED_RSS;
    show(b, title);
    while (!has_enough(&row->ours, START_SAMPLES)) {
        nod_bench_sample s;
        int64_t peak;
        int rc = stopped(err);
        if (rc) return rc;
        if (nod_bench_program_sample(argv, START_RUNS, &patience_s, &s, &peak, &failure)) {
            snprintf(row->missing, sizeof row->missing, "%.500s", failure.message);
            return 0;
        }
        nod_bench_times_add(&row->ours, s.time_s / START_RUNS, s.is_clean);
        row->peak_rss_bytes = NOD_MAX(row->peak_rss_bytes, peak);
    }
    return 0;
}

/* `folder` is empty and temporary. */
static int run_predict(bench *b, const char *folder, nod_error *err)
{
    int rc = 0;
    char *model = nod_path_join(folder, "model.safetensors");
    char *image = nod_path_join(folder, "image.png");
    if (!model || !image) {
        rc = nod_fail_memory(err, "path of a model", 256);
        goto out;
    }
    NOD_TRY(nod_bench_write_figure4(model, image, err));
    const char *argv[] = {b->program, "predict", model, "-i", image, NULL};
    NOD_TRY(run_startup(b, "nodule predict, network of Figure 4, one image: from start to end",
                        (char *const *)argv, err));
out:
    if (model) unlink(model);
    if (image) unlink(image);
    nod_free(model);
    nod_free(image);
    return rc;
}

static int run_startups(bench *b, nod_error *err)
{
    const char *version[] = {b->program, "version", NULL};
    const char *base = getenv("TMPDIR");
    char folder[512];
    int rc = run_startup(b, "nodule version: from start to end", (char *const *)version, err);
    if (rc) return rc;
    snprintf(folder, sizeof folder, "%.400s/nodule-bench-XXXXXX",
             base && base[0] ? base : "/tmp");
    if (!mkdtemp(folder)) return nod_fail_errno(err, errno, "making the folder %s", folder);
    rc = run_predict(b, folder, err);
    rmdir(folder);
    return rc;
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Where the peers' Python is, or a line that says why there is none. */
static int find_peers(bench *b, nod_error *err)
{
    const char *folder = getenv("NODULE_PEERS"), *home = getenv("HOME");
    nod_bench_report *r = &b->report;
    char *base = NULL, *python = NULL;
    r->with_peers = b->options->peers;
    if (!b->options->peers) return 0;
    base = folder && folder[0] ? nod_strdup(folder)
                               : nod_path_join(home ? home : "/", ".cache/nodule-peers");
    if (base) python = nod_path_join(base, "bin/python");
    if (!python) {
        nod_free(base);
        return nod_fail_memory(err, "path of the peers", 256);
    }
    if (!nod_path_is_dir(b->options->scripts))
        snprintf(r->peers_absent, sizeof r->peers_absent,
                 "no folder %.200s; run in the source tree or give --scripts",
                 b->options->scripts);
    else if (access(python, X_OK) != 0)
        snprintf(r->peers_absent, sizeof r->peers_absent,
                 "no %.200s; bench/peers/setup puts them there", python);
    else
        b->python = python;
    if (b->python != python) nod_free(python);
    nod_free(base);
    return 0;
}

static int find_program(bench *b, nod_error *err)
{
    ssize_t n = readlink("/proc/self/exe", b->program, sizeof b->program - 1);
    if (n < 0) return nod_fail_errno(err, errno, "finding this program");
    b->program[n] = '\0';
    return 0;
}

static int run_all(bench *b, nod_error *err)
{
    const nod_cli *cli = b->cli;
    int rc = 0;
    for (size_t i = 0; i < cli->n_args; i++)
        if (strcmp(cli->args[i], "startup") != 0 && !nod_bench_workload_find(cli->args[i]))
            return nod_fail(err, NOD_EINVAL,
                            "no workload '%s'; 'nodule bench --help' lists them", cli->args[i]);
    for (size_t i = 0; !rc && i < cli->n_args; i++)
        rc = strcmp(cli->args[i], "startup") == 0
                 ? run_startups(b, err)
                 : run_precisions(b, nod_bench_workload_find(cli->args[i]), err);
    if (rc || cli->n_args > 0) return rc;
    for (size_t i = 0; !rc && nod_bench_workload_at(i); i++)
        rc = run_precisions(b, nod_bench_workload_at(i), err);
    if (!rc) rc = run_startups(b, err);
    return rc;
}

static int put(const bench *b, nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_console_clear(b->cli->console);
    if (b->cli->json) return nod_cli_put_json(b->cli, nod_bench_report_json(&b->report), err);
    nod_bench_report_text(&b->report, &text);
    int rc = text.failed ? nod_fail_memory(err, "the table", 4096) : 0;
    if (!rc) fputs(text.data, b->cli->out);
    nod_strbuf_done(&text);
    return rc;
}

static int run_worker(nod_cli *cli, const bench_options *o, nod_error *err)
{
    const nod_bench_workload *w = nod_bench_workload_find(o->worker);
    if (!w) return nod_fail(err, NOD_EINVAL, "no workload '%s'", o->worker);
    nod_precision p = o->precision == PRECISION_BF16 ? NOD_PRECISION_BF16 : NOD_PRECISION_F32;
    return nod_bench_serve(w, p, o->files, cli->log, stdin, cli->out, err);
}

/* Each named workload in this process, step by step. */
static int run_profile(nod_cli *cli, const bench_options *o, nod_error *err)
{
    nod_precision p = o->precision == PRECISION_BF16 ? NOD_PRECISION_BF16 : NOD_PRECISION_F32;
    int runs = o->samples > 0 ? (int)o->samples : PROFILE_RUNS, rc = 0;
    if (cli->n_args == 0) return nod_fail(err, NOD_EINVAL, "--profile: name a workload");
    for (size_t i = 0; !rc && i < cli->n_args; i++) {
        const nod_bench_workload *w = nod_bench_workload_find(cli->args[i]);
        nod_strbuf text = NOD_STRBUF_INIT;
        nod_json *json = NULL;
        if (!w || w->reading)
            return nod_fail(err, NOD_EINVAL, "no workload '%s' with a network to look into",
                            cli->args[i]);
        rc = nod_bench_profile(w, p, runs, cli->log, cli->json ? NULL : &text, &json, err);
        if (!rc && json) rc = nod_cli_put_json(cli, json, err);
        if (!rc && text.failed) rc = nod_fail_memory(err, "the profile", 4096);
        if (!rc) fputs(text.data, cli->out);
        nod_strbuf_done(&text);
    }
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const bench_options *o = options_void;
    int rc = 0;
    if (o->worker) return run_worker(cli, o, err);
    if (o->profile) return run_profile(cli, o, err);
    if (o->tune)
        return nod_bench_tune(cli, o->samples > 0 ? (int)o->samples : PROFILE_RUNS, err);
    signal(SIGPIPE, SIG_IGN); /* a worker that has ended is an error, not our end */
    nod_interrupt_watch();
    bench *b = nod_calloc(1, sizeof *b);
    if (!b) return nod_fail_memory(err, "benchmark", sizeof *b);
    b->cli = cli;
    b->options = o;
    nod_bench_report_init(&b->report, nod_threads_get());
    NOD_TRY(find_program(b, err));
    NOD_TRY(find_peers(b, err));
    rc = run_all(b, err);
    if (rc == 0) {
        rc = put(b, err);
    } else if (rc == NOD_EINTERRUPTED) { /* what was measured is shown, and the stop reported */
        nod_error ignored = NOD_ERROR_INIT;
        (void)!put(b, &ignored);
    }
out:
    nod_bench_report_done(&b->report);
    nod_free(b->python);
    nod_free(b);
    return rc;
}

static const bench_options defaults = {.scripts = "bench/peers"};

static const nod_option options[] = {
    NOD_OPTION_FLAG(bench_options, peers, "peers", 'p',
                    "measure the peers beside us (set up by bench/peers/setup)"),
    NOD_OPTION_FLAG(bench_options, profile, "profile", 0,
                    "show where the time of the named workloads goes, kernel by kernel"),
    NOD_OPTION_FLAG(bench_options, tune, "tune", 0,
                    "measure which kernels are faster here and keep that for trainings and "
                    "predictions of this user; a recipe may be named too"),
    NOD_OPTION_TEXT(bench_options, scripts, "scripts", 0, "DIR",
                    "where the peers' scripts are (default bench/peers)"),
    NOD_OPTION_CHOICE(bench_options, precision, "precision", 0, "P",
                      "auto, f32 or bf16; auto: f32, and bf16 where the processor has it",
                      precisions),
    NOD_OPTION_INT(bench_options, samples, "samples", 'n', "N",
                   "clean samples of each side; 0: as the workload says", 0, 100),
    NOD_OPTION_TEXT(bench_options, files, "files", 0, "DIR",
                    "what read-nifti (volume.nii.gz), read-ct (one series) or inspect-tree "
                    "reads, instead of "
                    "files that are made"),
    NOD_OPTION_TEXT(bench_options, worker, "worker", 0, "WORKLOAD",
                    "serve samples on standard input (bench starts itself so)"),
    NOD_OPTION_END};

const nod_verb nod_verb_bench = {
    .name = "bench",
    .summary = "measure this machine, beside its peers",
    .args = "[WORKLOAD...]",
    .max_args = 16,
    .about =
        "Times training steps and predictions with synthetic images, reading of image files,\n"
        "and how long the program takes to start. With --peers the same is measured in "
        "PyTorch,\n"
        "ONNX Runtime, OpenVINO, nibabel and SimpleITK, samples taken in turn; the ratio is\n"
        "their time over ours.\n"
        "Workloads: resnet18-step, mlp-step, resnet18-3d-step (minutes), kept-step,\n"
        "resnet18-predict, cache-cold, cache-warm, read-nifti, read-ct, inspect-tree,\n"
        "startup; without a name all of them. A sample during which other processes were\n"
        "busy is counted as noisy and left out.",
    .examples = "  nodule bench mlp-step startup\n"
                "  nodule bench --peers --threads 2\n"
                "  nodule bench resnet18-step --profile\n"
                "  nodule bench --tune recipe.yaml\n"
                "  nodule bench resnet18-step --peers --json > bench.json\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(bench_options),
    .run = run,
};
