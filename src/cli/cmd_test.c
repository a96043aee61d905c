/* cmd_test.c: `nodule test`: opens the seal once for a declared list of runs. */
#include "cli/verb.h"
#include "train/sealed_test.h"

typedef struct test_options {
    const char *ledger, *cache, *again, *by, *external, *name, *force;
} test_options;

static const test_options defaults = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};
static const nod_option options[] = {
    NOD_OPTION_TEXT(test_options, external, "external", 0, "COHORT.csv",
                    "test all cases of this cohort from elsewhere instead of the test part"),
    NOD_OPTION_TEXT(
        test_options, name, "name", 0, "NAME",
        "of the external results: RUN/external/NAME (default: 12 digits of the cohort's "
        "hash)"),
    NOD_OPTION_TEXT(
        test_options, force, "force", 0, "REASON",
        "test external images all the same that are unlike those of the training part; "
        "the reason is printed with the results"),
    NOD_OPTION_TEXT(test_options, again, "again", 0, "REASON",
                    "look another time; the reason is kept and printed in every later result"),
    NOD_OPTION_TEXT(test_options, by, "by", 0, "NAME", "who looks, for the ledger"),
    NOD_OPTION_TEXT(test_options, ledger, "ledger", 0, "FILE",
                    "ledger (default: ledger.sqlite beside the cohort)"),
    NOD_OPTION_TEXT(test_options, cache, "cache", 0, "FOLDER",
                    "keep decoded images there, or 'none' (default: .nodule-cache beside the "
                    "cohort)"),
    NOD_OPTION_END};

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const test_options *o = options_void;
    nod_strbuf text = NOD_STRBUF_INIT, command = NOD_STRBUF_INIT;
    nod_json *json = NULL;
    nod_cli_command_text(cli, &command);
    nod_sealed_test_options t = {.runs = cli->args,
                                 .n_runs = cli->n_args,
                                 .ledger = o->ledger,
                                 .cache = o->cache,
                                 .again = o->again,
                                 .by = o->by,
                                 .external = o->external,
                                 .name = o->name,
                                 .force = o->force,
                                 .command = command.failed ? "" : command.data,
                                 .backend = nod_backend_cpu(),
                                 .threads = cli->threads,
                                 .log = cli->log};
    if (!o->external && (o->name || o->force)) {
        nod_strbuf_done(&command);
        return nod_fail(err, NOD_EINVAL,
                        "--name and --force are of --external, which is not given");
    }
    int rc = nod_sealed_test(&t, &text, &json, err);
    if (!rc && cli->json) {
        rc = nod_cli_put_json(cli, json, err);
        json = NULL;
    } else if (!rc) {
        fputs(text.data, cli->out);
    }
    nod_json_free(json);
    nod_strbuf_done(&text);
    nod_strbuf_done(&command);
    return rc;
}

const nod_verb nod_verb_test = {
    .name = "test",
    .summary = "open the sealed test set once",
    .args = "RUN...",
    .min_args = 1,
    .max_args = -1,
    .about =
        "Writes the look into the ledger, then predicts the test part with every run and "
        "reports "
        "metrics with 95 % intervals over patients, for all and by site, vendor, sex and age. "
        "Runs "
        "that are to be compared are tested together. A second look needs --again.\n"
        "With --external the cases are those of a cohort that the runs have nothing to do "
        "with: it "
        "gets a seal of its own in the ledger of the runs, and each look at it its row. "
        "Refused are "
        "cases that a run met in training or validation (by pixels, study or patient), classes "
        "that the model does not know, and images unlike those of the training part; this is "
        "found "
        "out before a look is spent.",
    .examples = "  nodule test run\n  nodule test run_a run_b\n"
                "  nodule test run --external elsewhere/cohort.csv --name elsewhere\n"
                "  nodule test run --again 'reviewer asked for another threshold'\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
