/* cmd_leak.c: `nodule leak`: what is twice in a cohort, or in two. */
#include <math.h>

#include "base/file.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "data/leak.h"

typedef struct leak_options {
    const char *out, *split, *against;
    int64_t rows;
} leak_options;

static const leak_options defaults = {.rows = 20};
static const nod_option options[] = {
    NOD_OPTION_TEXT(leak_options, out, "output", 'o', "FILE.csv", "write all pairs here"),
    NOD_OPTION_TEXT(leak_options, split, "split", 0, "SPLIT.json",
                    "parts that pairs must not lie across (default: the official ones)"),
    NOD_OPTION_TEXT(leak_options, against, "against", 0, "OTHER.csv",
                    "look for copies in another cohort instead"),
    NOD_OPTION_INT(leak_options, rows, "rows", 0, "N",
                   "pairs of a kind that are printed (0: all)", 0, INT32_MAX),
    NOD_OPTION_END};

/* The command's files. */
typedef struct leak_input {
    nod_cohort *c, *other;
    nod_split *split;
} leak_input;

static int read_input(const nod_cli *cli, const leak_options *o, leak_input *in, nod_error *err)
{
    int rc = 0;
    NOD_TRY(nod_cohort_read(cli->args[0], &in->c, err));
    if (o->split) NOD_TRY(nod_split_read(o->split, in->c, &in->split, err));
    if (o->against) NOD_TRY(nod_cohort_read(o->against, &in->other, err));
out:
    return rc;
}

/* --- words -------------------------------------------------------------------------------- */

static void print_row(nod_cli *cli, const leak_input *in, const nod_leak_row *r)
{
    char kind[64];
    fprintf(cli->out, "  %zu: %s", r->set, nod_cohort_get(in->c, r->i)->id);
    if (r->of_i != NOD_PART_OUT) fprintf(cli->out, " (%s)", nod_part_name(r->of_i));
    fprintf(cli->out, " and %s", nod_cohort_get(in->other ? in->other : in->c, r->j)->id);
    if (r->of_j != NOD_PART_OUT) fprintf(cli->out, " (%s)", nod_part_name(r->of_j));
    if (r->kind == NOD_LEAK_NEAR) {
        nod_similar_kind(&r->near, kind, sizeof kind);
        fprintf(cli->out, ": %s, correlation %.3f", kind, fabs(r->near.correlation));
    }
    fprintf(cli->out, "%s\n", r->other_label ? ", labels differ" : "");
}

static void print_kind(nod_cli *cli, const leak_input *in, const nod_leaks *l,
                       nod_leak_kind kind, int64_t rows)
{
    static const char *const whats[] = {
        "equal pixels", "near-duplicates of different groups",
        "same name, birth date and sex under different ids (suspects)",
        "same frame of reference under different ids (suspects)"};
    if (kind >= NOD_LEAK_PERSON && (in->other || l->n_rows[kind] == 0)) return;
    fprintf(cli->out, "%s: %zu pairs in %zu sets", whats[kind], l->n_rows[kind],
            l->n_sets[kind]);
    if (kind == NOD_LEAK_PIXELS && !in->other)
        fprintf(cli->out, " (%zu cases), %zu sets with contradictory labels", l->n_equal_cases,
                l->n_contradictory_sets);
    if (l->n_parted[kind]) fprintf(cli->out, "; across parts: %zu", l->n_parted[kind]);
    fprintf(cli->out, "\n");
    int64_t shown = 0;
    for (size_t k = 0; k < l->n; k++) {
        if (l->rows[k].kind != kind) continue;
        if (rows > 0 && shown++ == rows) {
            fprintf(cli->out, "  ... %zu more; -o FILE.csv has all\n",
                    l->n_rows[kind] - (size_t)rows);
            break;
        }
        print_row(cli, in, &l->rows[k]);
    }
}

static nod_json *leaks_json(const nod_leaks *l)
{
    nod_json *j = nod_json_object();
    for (int kind = 0; kind < NOD_LEAK_KINDS; kind++) {
        nod_json *k = nod_json_object();
        nod_json_set_int(k, "pairs", (int64_t)l->n_rows[kind]);
        nod_json_set_int(k, "sets", (int64_t)l->n_sets[kind]);
        nod_json_set_int(k, "across_parts", (int64_t)l->n_parted[kind]);
        nod_json_set(j, nod_leak_name((nod_leak_kind)kind), k);
    }
    nod_json_set_int(j, "contradictory_sets", (int64_t)l->n_contradictory_sets);
    nod_json_set_int(j, "not_compared", (int64_t)l->n_silent);
    return j;
}

/* Copies on both sides are the verdict; suspects are not. */
static int judge(const leak_input *in, const nod_leaks *l, nod_error *err)
{
    size_t equal = l->n_parted[NOD_LEAK_PIXELS], near = l->n_parted[NOD_LEAK_NEAR];
    if (in->other) {
        equal = l->n_rows[NOD_LEAK_PIXELS];
        near = l->n_rows[NOD_LEAK_NEAR];
    }
    if (equal + near == 0) return 0;
    return nod_fail(err, NOD_EDATA,
                    "%zu pairs of equal images and %zu of near-duplicates lie %s", equal, near,
                    in->other ? "in both cohorts; take them out of one of the two"
                              : "across parts; 'nodule split' keeps equal images together, and "
                                "near-duplicates with --near-duplicates group");
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const leak_options *o = options_void;
    nod_progress_steps steps = nod_progress_steps_begin(cli->console);
    nod_near_options no = {
        .threads = cli->threads, .progress = nod_progress_steps_tell, .ctx = &steps};
    leak_input in = {0};
    nod_leaks l = {0};
    nod_strbuf csv = NOD_STRBUF_INIT;
    nod_error verdict = NOD_ERROR_INIT;
    int rc = 0;
    NOD_TRY(read_input(cli, o, &in, err));
    if (in.other)
        rc = nod_leaks_find_between(in.c, in.split, in.other, &no, &l, err);
    else
        rc = nod_leaks_find(in.c, in.split, &no, &l, err);
    nod_console_clear(cli->console);
    if (rc) goto out;
    if (o->out) {
        nod_leaks_add_csv(&l, in.c, in.other, &csv);
        if (csv.failed)
            rc = nod_fail_memory(err, "a table", csv.len);
        else
            rc = nod_file_write(o->out, csv.data, csv.len, err);
        if (rc) goto out;
    }
    int bad = judge(&in, &l, &verdict);
    if (!cli->json) {
        for (int kind = 0; kind < NOD_LEAK_KINDS; kind++)
            print_kind(cli, &in, &l, (nod_leak_kind)kind, o->rows);
        if (l.n_silent)
            fprintf(cli->out,
                    "%zu images are constant or smaller than %d pixels: not compared\n",
                    l.n_silent, NOD_SIGNATURE_MIN);
        if (o->out) fprintf(cli->out, "pairs: %s\n", o->out);
    } else if (!bad) {
        NOD_TRY(nod_cli_put_json(cli, leaks_json(&l), err));
    }
    if (bad) *err = verdict;
    rc = bad;
out:
    nod_strbuf_done(&csv);
    nod_leaks_done(&l);
    nod_split_free(in.split);
    nod_cohort_free(in.c);
    nod_cohort_free(in.other);
    return rc;
}

const nod_verb nod_verb_leak = {
    .name = "leak",
    .summary = "find copies: equal images, near-duplicates, one patient under two names",
    .args = "COHORT.csv",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Decodes every image and lists, by case, equal pixels, near-duplicates (saved anew "
        "with "
        "loss, resized, mirrored, turned by 90 degrees, cropped by up to a tenth at a side, "
        "inverted), and patients that may be one person. Near-duplicates of one patient are "
        "not listed: they are never parted. Nothing is taken out.\n"
        "Ends with exit code 9 where copies lie across the parts of the split (or the official "
        "ones), or with --against where there are any.",
    .examples = "  nodule leak cohort.csv\n"
                "  nodule leak cohort.csv --split split.json -o leak.csv\n"
                "  nodule leak cohort.csv --against other/cohort.csv\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
