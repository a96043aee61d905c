/* cmd_train.c: `nodule train`: a recipe becomes a run. */

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/user_kernels.h"
#include "cli/verb.h"
#include "train/run.h"

typedef struct train_options {
    const char *out, *cohort, *split, *backend, *ledger, *cache;
    int64_t seeds;
    bool resume;
} train_options;

static const train_options defaults = {.out = "run"};
static const nod_option options[] = {
    NOD_OPTION_TEXT(train_options, out, "output", 'o', "FOLDER", "the run's folder"),
    NOD_OPTION_TEXT(train_options, cohort, "cohort", 0, "FILE",
                    "train on this cohort, with the split.json beside it, not on the recipe's"),
    NOD_OPTION_TEXT(train_options, split, "split", 0, "FILE",
                    "train with this split (one that is not beside the cohort)"),
    NOD_OPTION_INT(train_options, seeds, "seeds", 0, "N",
                   "train N seeds (the recipe's, the next, ...) and report their spread", 1,
                   NOD_RUN_SEEDS_MAX),
    NOD_OPTION_FLAG(train_options, resume, "resume", 0,
                    "go on from the last checkpoint, with the same bits as if never stopped"),
    NOD_OPTION_TEXT(train_options, backend, "backend", 0, "NAME",
                    "cpu (the default), or ref (slow, plain C)"),
    NOD_OPTION_TEXT(train_options, ledger, "ledger", 0, "FILE",
                    "ledger of the split (default: ledger.sqlite beside the cohort)"),
    NOD_OPTION_TEXT(train_options, cache, "cache", 0, "FOLDER",
                    "keep decoded images there, or 'none' (default: .nodule-cache beside the "
                    "cohort)"),
    NOD_OPTION_END};

typedef struct watcher {
    nod_cli *cli;
    nod_progress bar;
    int64_t steps, epochs;
    char note[160];
} watcher;

static void seed_begins(void *ctx, int64_t i, int64_t n, uint64_t seed, int64_t epochs,
                        int64_t done, int64_t steps)
{
    watcher *w = ctx;
    w->steps = steps;
    w->epochs = epochs;
    w->note[0] = 0;
    nod_info(w->cli->log, "seed %llu (%lld of %lld), %lld epochs of %lld steps",
             (unsigned long long)seed, (long long)i + 1, (long long)n, (long long)epochs,
             (long long)steps);
    nod_progress_start(&w->bar, w->cli->console, "training", done * steps, epochs * steps);
}

static void epoch_ends(void *ctx, const nod_epoch *e)
{
    watcher *w = ctx;
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_printf(&b, "epoch %3lld  loss %.4f", (long long)e->epoch, e->loss);
    if (e->has_train)
        nod_strbuf_printf(&b, "  train: loss %.4f error %.1f of %lld acc %.3f auc %.3f",
                          e->train.loss, e->train.total_error, (long long)e->train.n,
                          e->train.accuracy, e->train.auc);
    nod_strbuf_printf(&b, "  validation: loss %.4f error %.1f of %lld acc %.3f auc %.3f%s",
                      e->validation.loss, e->validation.total_error, (long long)e->validation.n,
                      e->validation.accuracy, e->validation.auc, e->is_best ? "  best" : "");
    if (!b.failed) nod_info(w->cli->log, "%s", b.data);
    nod_strbuf_done(&b);
    snprintf(w->note, sizeof w->note, "validation loss %.4f", e->validation.loss);
    if (e->stop) nod_info(w->cli->log, "stopped early: no improvement on validation");
}

static int step(void *ctx, int64_t epoch, int64_t at, int64_t n_steps)
{
    watcher *w = ctx;
    nod_progress_set(&w->bar, (epoch - 1) * n_steps + at, w->note[0] ? w->note : NULL);
    return nod_interrupt_pending();
}

static void seed_ends(void *ctx, int64_t i, int64_t best_epoch)
{
    watcher *w = ctx;
    char note[64];
    (void)i;
    snprintf(note, sizeof note, "best epoch %lld", (long long)best_epoch);
    nod_progress_finish(&w->bar, note);
}

static int measure(nod_cli *cli, const nod_run_options *ro, nod_error *err)
{
    nod_run_estimate e;
    char plan[32], data[32], params[32], time[32];
    int rc = nod_run_measure(ro, &e, err);
    if (rc) return rc;
    if (cli->json) {
        nod_json *j = nod_json_object();
        nod_json_set_int(j, "plan_bytes", (int64_t)e.plan_bytes);
        nod_json_set_int(j, "data_bytes", (int64_t)e.data_bytes);
        nod_json_set_int(j, "parameter_bytes", (int64_t)e.parameter_bytes);
        nod_json_set_int(j, "steps_per_epoch", e.steps_per_epoch);
        nod_json_set_real(j, "epoch_s", e.epoch_s);
        nod_json_set_int(j, "peak_rss_bytes", nod_peak_rss_bytes());
        return nod_cli_put_json(cli, j, err);
    }
    nod_format_bytes((double)e.plan_bytes, plan, sizeof plan);
    nod_format_bytes((double)e.data_bytes, data, sizeof data);
    nod_format_bytes((double)e.parameter_bytes, params, sizeof params);
    nod_format_seconds(e.epoch_s, time, sizeof time);
    fprintf(cli->out,
            "images in memory     %s\nparameters           %s\nactivations, scratch %s\n", data,
            params, plan);
    nod_format_bytes((double)nod_peak_rss_bytes(), data, sizeof data);
    fprintf(cli->out,
            "peak of the process  %s\n%lld steps an epoch, about %s (one step was timed)\n",
            data, (long long)e.steps_per_epoch, time);
    return 0;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const train_options *o = options_void;
    watcher w = {.cli = cli};
    nod_kernel_table *kernels = NULL;
    nod_strbuf command = NOD_STRBUF_INIT;
    if (!o->resume && cli->n_args != 1)
        return nod_fail(err, NOD_EINVAL,
                        "give one recipe, e.g. nodule train recipe.yaml -o run");
    if (o->resume && cli->n_args != 0 && !cli->dry_run)
        return nod_fail(err, NOD_EINVAL,
                        "a run goes on with its own recipe, %s/recipe.yaml: leave out %s",
                        o->out, cli->args[0]);
    if (o->resume && (o->cohort || o->split))
        return nod_fail(err, NOD_EINVAL,
                        "a run goes on with its own cohort and split, named in %s/recipe.yaml: "
                        "leave out --cohort and --split",
                        o->out);
    if (cli->dry_run && cli->n_args != 1)
        return nod_fail(err, NOD_EINVAL, "give the recipe to measure, e.g. %s/recipe.yaml",
                        o->out);
    int rc = nod_user_kernels_read(&kernels, err);
    if (rc) return rc;
    nod_cli_command_text(cli, &command);
    nod_run_options ro = {.recipe = cli->n_args ? cli->args[0] : NULL,
                          .cohort = o->cohort,
                          .split = o->split,
                          .folder = o->out,
                          .n_seeds = o->seeds,
                          .resume = o->resume,
                          .backend = o->backend,
                          .kernels = kernels,
                          .ledger = o->ledger,
                          .cache = o->cache,
                          .command = command.failed ? "" : command.data,
                          .threads = cli->threads,
                          .log = cli->log,
                          .watcher = {&w, seed_begins, epoch_ends, step, seed_ends}};
    if (cli->dry_run) {
        rc = measure(cli, &ro, err);
    } else {
        nod_interrupt_watch();
        rc = nod_run_train(&ro, err);
        if (rc == NOD_EINTERRUPTED)
            nod_error_prefix(err, "checkpoint kept, go on with 'nodule train --resume -o %s'",
                             o->out);
        if (!rc) fprintf(cli->out, "run: %s\n", o->out);
    }
    nod_strbuf_done(&command);
    nod_kernel_table_free(kernels);
    return rc;
}

const nod_verb nod_verb_train = {
    .name = "train",
    .summary = "train a network from a recipe",
    .args = "[RECIPE.yaml]",
    .min_args = 0,
    .max_args = 1,
    .about =
        "Trains by backpropagation on the training part, watches the validation part, keeps "
        "the "
        "best epoch, calibrates it and chooses its operating point. Ctrl-C keeps a checkpoint.",
    .examples = "  nodule train recipe.yaml -o run\n"
                "  nodule train /usr/local/share/nodule/recipes/breastmnist.yaml "
                "--cohort cohort.csv -o run\n"
                "  nodule train recipe.yaml -o run3 --seeds 3\n"
                "  nodule train --resume -o run\n"
                "  nodule train recipe.yaml --dry-run\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_DRY_RUN | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
