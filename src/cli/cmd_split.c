/* cmd_split.c: `nodule split`: training, validation and test part, frozen; the test part sealed. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "data/copies.h"
#include "data/flow.h"
#include "eval/interval.h"
#include "train/audit_split.h"

typedef struct split_options {
    const char *out, *ledger, *again;
    int64_t seed;
    double train, validation, test;
    bool ignore_official, allow_one_class;
    const char *by;
    nod_strlist hold_out;
    const char *near_duplicates, *distinct, *force;
} split_options;

static const split_options defaults = {
    .train = 0.7, .validation = 0.15, .test = 0.15, .near_duplicates = "refuse"};
static const nod_option options[] = {
    NOD_OPTION_TEXT(split_options, out, "output", 'o', "FILE",
                    "write the split here (default: split.json beside the cohort)"),
    NOD_OPTION_INT(split_options, seed, "seed", 0, "N", "seed of the division", 0, INT32_MAX),
    NOD_OPTION_REAL(split_options, train, "train", 0, "SHARE", "share for training", 0.01,
                    0.98),
    NOD_OPTION_REAL(split_options, validation, "validation", 0, "SHARE", "share for validation",
                    0.01, 0.98),
    NOD_OPTION_REAL(split_options, test, "test", 0, "SHARE", "share for the sealed test", 0.01,
                    0.98),
    NOD_OPTION_FLAG(split_options, ignore_official, "ignore-official", 0,
                    "divide anew although the data set comes with a split"),
    NOD_OPTION_TEXT(
        split_options, by, "by", 0, "FACT",
        "make the test part of other sites (site; or vendor, model ...) or of the newest "
        "cases (date)"),
    NOD_OPTION_LIST(
        split_options, hold_out, "hold-out", 0, "VALUE",
        "with --by: a site of the test part, may be given several times; of a date its "
        "first day (default: by the share of the test)"),
    NOD_OPTION_FLAG(split_options, allow_one_class, "allow-one-class", 0,
                    "go on where a part lacks a class; what needs it is then not estimable"),
    NOD_OPTION_TEXT(split_options, near_duplicates, "near-duplicates", 0, "refuse|group",
                    "what happens to copies that are not equal in their pixels and would lie "
                    "across parts: the split is refused, or they are one group"),
    NOD_OPTION_TEXT(
        split_options, distinct, "distinct", 0, "FILE.csv",
        "pairs that you looked at and that are different (columns case and other, as "
        "`nodule leak -o` writes them)"),
    NOD_OPTION_TEXT(
        split_options, force, "force", 0, "REASON",
        "let near-duplicates lie across parts; every later result repeats the reason"),
    NOD_OPTION_TEXT(split_options, ledger, "ledger", 0, "FILE",
                    "ledger (default: ledger.sqlite beside the cohort)"),
    NOD_OPTION_TEXT(split_options, again, "again", 0, "REASON",
                    "divide cases anew that a test has looked at; the reason is kept"),
    NOD_OPTION_END};

/* Cases below which an interval is too wide to say much. */
#define FEW 10

/* Label maps have no classes of cases to count. */
static size_t counted_classes(const nod_cohort_info *info)
{
    return info->segmentation ? 0 : info->n_classes;
}

static nod_json *part_json(const nod_split *s, const nod_cohort_info *info, nod_part part)
{
    nod_part_counts n = nod_split_counts(s, part);
    nod_json *j = nod_json_object(), *classes = nod_json_object();
    for (size_t k = 0; k < counted_classes(info); k++)
        nod_json_set_int(classes, info->classes[k], (int64_t)n.class_units[k]);
    nod_json_set_int(j, "images", (int64_t)n.images);
    nod_json_set_int(j, "groups", (int64_t)n.groups);
    nod_json_set_int(j, "units", (int64_t)n.units);
    nod_json_set(j, "classes", classes);
    return j;
}

/* What the test part will be able to tell, in patients where they are known. */
static void print_power(nod_cli *cli, const nod_split *s, const nod_cohort_info *info)
{
    nod_part_counts n = nod_split_counts(s, NOD_PART_TEST);
    if (info->positive < 0) return;
    size_t pos = n.class_groups[info->positive], neg = n.class_groups[1 - info->positive];
    nod_estimate auc = nod_auc_expected_half_width(0.9, (double)pos, (double)neg, 0.95);
    nod_estimate sens = nod_sensitivity_expected_half_width(0.9, (double)pos, 0.95);
    fprintf(
        cli->out,
        "test part: %zu positives, %zu negatives (groups); 95 %% intervals to expect: AUC .90 "
        "+- %.3f, sensitivity .90 +- %.3f\n",
        pos, neg, auc.value, sens.value);
}

static void print_warnings(nod_cli *cli, const nod_split *s, const nod_cohort_info *info)
{
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_part_counts n = nod_split_counts(s, (nod_part)p);
        for (size_t k = 0; k < counted_classes(info); k++)
            if (n.class_groups[k] < FEW)
                nod_warn(cli->log,
                         "part '%s' has %zu groups of class '%s': fewer than %d say little",
                         nod_part_name((nod_part)p), n.class_groups[k], info->classes[k], FEW);
    }
    if (nod_audit_is_notable(nod_split_audit(s))) {
        nod_strbuf note = NOD_STRBUF_INIT;
        nod_audit_add_note(nod_split_audit(s), &note);
        nod_warn(cli->log, "%s", note.data);
        nod_strbuf_done(&note);
    }
}

static void print_flow_and_audit(nod_cli *cli, const nod_split *s, const nod_cohort *c)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_copies_add_text(nod_split_copies(s), &text);
    nod_flow_add_text(c, s, &text);
    nod_audit_add_text(nod_split_audit(s), &text);
    fputs(text.data, cli->out);
    nod_strbuf_done(&text);
}

/* What the parts go by, and how many cases could not be placed. */
static void print_by(nod_cli *cli, const nod_split *s)
{
    nod_strbuf by = NOD_STRBUF_INIT;
    size_t n_unknown = 0;
    nod_split_say_by(s, &by);
    if (by.len) fprintf(cli->out, "%s\n", by.data);
    for (size_t i = 0; i < nod_split_notes(s); i++)
        n_unknown += nod_split_get_note(s, i)->kind == NOD_NOTE_UNKNOWN;
    if (n_unknown)
        fprintf(cli->out, "left out: %zu images for which that is not known\n", n_unknown);
    nod_strbuf_done(&by);
}

static void print_split(nod_cli *cli, const nod_split *s, const nod_cohort *c, const char *path)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    bool joined = info->unit != NOD_LEVEL_IMAGE;
    fprintf(cli->out, "%-12s %8s %8s", "part", "images", "groups");
    if (joined) fprintf(cli->out, " %8s", nod_level_plural(info->unit));
    for (size_t k = 0; k < counted_classes(info) && k < 8; k++)
        fprintf(cli->out, " %12s", info->classes[k]);
    fprintf(cli->out, "\n");
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_part_counts n = nod_split_counts(s, (nod_part)p);
        fprintf(cli->out, "%-12s %8zu %8zu", nod_part_name((nod_part)p), n.images, n.groups);
        if (joined) fprintf(cli->out, " %8zu", n.units);
        for (size_t k = 0; k < counted_classes(info) && k < 8; k++)
            fprintf(cli->out, " %12zu", n.class_units[k]);
        fprintf(cli->out, "\n");
    }
    fprintf(cli->out, "grouping: %s\n", nod_split_grouping(s));
    print_by(cli, s);
    for (size_t i = 0; i < nod_split_notes(s); i++) {
        const nod_split_note *n = nod_split_get_note(s, i);
        if (n->kind == NOD_NOTE_UNKNOWN) continue; /* counted above */
        fprintf(cli->out, "%s: %s (because of %s)\n", nod_split_note_name(n->kind),
                nod_cohort_get(c, n->i_case)->id, nod_cohort_get(c, n->i_other)->id);
    }
    print_power(cli, s, info);
    print_flow_and_audit(cli, s, c);
    fprintf(cli->out, "split: %s, hash %.12s%s\n", path, nod_split_hash(s),
            nod_split_is_sealed(s) ? "; the test part is sealed" : "");
}

static nod_json *split_json(const nod_split *s, const nod_cohort *c)
{
    nod_json *j = nod_json_object(), *parts = nod_json_object();
    nod_strbuf by = NOD_STRBUF_INIT;
    for (int p = 0; p < NOD_PARTS; p++)
        nod_json_set(parts, nod_part_name((nod_part)p),
                     part_json(s, nod_cohort_get_info(c), (nod_part)p));
    nod_json_set_str(j, "hash", nod_split_hash(s));
    nod_json_set_bool(j, "sealed", nod_split_is_sealed(s));
    nod_json_set_str(j, "grouping", nod_split_grouping(s));
    nod_split_say_by(s, &by);
    nod_json_set_str(j, "by", by.len ? by.data : NULL);
    nod_strbuf_done(&by);
    nod_json_set_str(j, "unit", nod_level_name(nod_split_unit(s)));
    nod_json_set(j, "parts", parts);
    nod_json_set_int(j, "notes", (int64_t)nod_split_notes(s));
    nod_json_set(j, "flow", nod_flow_to_json(c, s));
    nod_json_set(j, "audit", nod_audit_to_json(nod_split_audit(s)));
    nod_json_set(j, "near_duplicates", nod_copies_to_json(nod_split_copies(s)));
    return j;
}

static const char *fact_name(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_FACTS ? nod_fact_get_info((nod_fact)i)->name : NULL;
}

static int take_by(const split_options *o, nod_split_options *so, nod_fact *by, nod_error *err)
{
    so->hold_out = (const char *const *)o->hold_out.items;
    so->n_hold_out = o->hold_out.n;
    if (!o->by) return 0;
    int known = nod_fact_from_name(o->by);
    if (known >= 0) {
        *by = (nod_fact)known;
        so->by = by;
        return 0;
    }
    const char *near = nod_nearest(o->by, fact_name, NULL);
    return nod_fail(err, NOD_EINVAL, "--by %s: not known%s%s%s", o->by,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int take_copies(const split_options *o, nod_copies_rule *rule, nod_error *err)
{
    *rule = (nod_copies_rule){.distinct = o->distinct, .force = o->force};
    rule->group = strcmp(o->near_duplicates, "group") == 0;
    if (rule->group || strcmp(o->near_duplicates, "refuse") == 0) return 0;
    return nod_fail(err, NOD_EINVAL, "--near-duplicates %.40s: refuse or group",
                    o->near_duplicates);
}

/* The split with what was decided about near-duplicates. */
static int divide(nod_cli *cli, const nod_cohort *c, const nod_copies_rule *rule,
                  nod_split_options *so, nod_split **out, nod_error *err)
{
    nod_case_pair *pairs = NULL;
    nod_near rest = {0};
    nod_copies copies = {0};
    nod_progress_steps steps = nod_progress_steps_begin(cli->console);
    const nod_near_options no = {
        .threads = cli->threads, .progress = nod_progress_steps_tell, .ctx = &steps};
    int rc = nod_copies_find(c, rule, &no, &pairs, &so->n_pairs, &rest, &copies, err);
    nod_console_clear(cli->console);
    if (rc) goto out;
    so->pairs = pairs;
    NOD_TRY(nod_split_make(c, so, out, err));
    NOD_TRY(nod_copies_judge(c, *out, &rest, rule, &copies, err));
    NOD_TRY(nod_split_set_copies(*out, &copies, err));
out:
    nod_near_done(&rest);
    nod_free(pairs);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const split_options *o = options_void;
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    nod_fact by;
    nod_cohort *c = NULL;
    nod_split *s = NULL;
    nod_ledger *l = NULL;
    nod_audit audit;
    nod_copies_rule rule;
    int rc = 0;
    const char *cohort = cli->args[0];
    char *folder = nod_path_dir(cohort);
    char *out = o->out   ? nod_strdup(o->out)
                : folder ? nod_path_join(folder, "split.json")
                         : NULL;
    char *ledger = o->ledger ? nod_strdup(o->ledger) : nod_ledger_default_path(cohort);
    if (!out || !ledger) {
        rc = nod_fail_memory(err, "paths", 4096);
        goto out;
    }
    so.seed = (uint64_t)o->seed;
    so.fraction[NOD_PART_TRAIN] = o->train;
    so.fraction[NOD_PART_VAL] = o->validation;
    so.fraction[NOD_PART_TEST] = o->test;
    so.ignore_official = o->ignore_official;
    so.allow_one_class = o->allow_one_class;
    NOD_TRY(take_by(o, &so, &by, err));
    NOD_TRY(take_copies(o, &rule, err));
    NOD_TRY(nod_cohort_read(cohort, &c, err));
    NOD_TRY(divide(cli, c, &rule, &so, &s, err));
    NOD_TRY(nod_audit_split(c, s, &audit, err));
    NOD_TRY(nod_split_set_audit(s, &audit, err));
    print_warnings(cli, s, nod_cohort_get_info(c));
    if (!cli->dry_run) {
        NOD_TRY(nod_ledger_open(ledger, NOD_LEDGER_CREATE, &l, err));
        NOD_TRY(nod_split_seal(s, c, l, o->again, NULL, err));
        NOD_TRY(nod_split_write(s, out, err));
    }
    if (cli->json)
        rc = nod_cli_put_json(cli, split_json(s, c), err);
    else
        print_split(cli, s, c, cli->dry_run ? "not written (--dry-run)" : out);
out:
    nod_split_free(s);
    nod_cohort_free(c);
    nod_ledger_close(l);
    nod_free(folder);
    nod_free(out);
    nod_free(ledger);
    return rc;
}

const nod_verb nod_verb_split = {
    .name = "split",
    .summary = "divide a cohort by patient and seal the test part",
    .args = "COHORT.csv",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Divides the cohort into training, validation and test part by patient, stratified and "
        "seeded; keeps an official split; seals the test part in the ledger.\n"
        "With --by site the test part is of sites that training and validation do not see, "
        "with "
        "--by date it is the newest: whether a model works elsewhere, or later, is another "
        "question "
        "than whether it works on more of the same. Cases of a patient on both sides, and "
        "those of "
        "which the site or date is not known, are left out.\n"
        "Near-duplicates (nodule leak) may not lie across parts: they are joined, or a person "
        "says "
        "that they are different, or why it does not matter.",
    .examples = "  nodule split cohort.csv --seed 1\n"
                "  nodule split cohort.csv --train 0.6 --validation 0.2 --test 0.2\n"
                "  nodule split cohort.csv --by site --hold-out 'General Hospital'\n"
                "  nodule split cohort.csv --by date --hold-out 2024-01-01\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_DRY_RUN | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
