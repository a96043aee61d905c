/* cmd_init.c: `nodule init`: a complete recipe from a cohort and its split. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/verb.h"
#include "train/propose.h"

typedef struct init_options {
    const char *out, *split;
    bool force;
} init_options;

static const init_options defaults = {NULL, NULL, false};
static const nod_option options[] = {
    NOD_OPTION_TEXT(init_options, out, "output", 'o', "FILE",
                    "write the recipe here (default: recipe.yaml beside the cohort)"),
    NOD_OPTION_TEXT(init_options, split, "split", 0, "FILE",
                    "the split (default: split.json beside the cohort)"),
    NOD_OPTION_FLAG(init_options, force, "force", 'f', "replace a recipe that is there"),
    NOD_OPTION_END};

/* `path` as seen from the folder of `from`: its base name where both lie together. */
static char *as_seen_from(const char *from, const char *path)
{
    char *a = nod_path_dir(from), *b = nod_path_dir(path), *out = NULL;
    if (a && b) out = strcmp(a, b) == 0 ? nod_strdup(nod_path_base(path)) : nod_path_real(path);
    nod_free(a);
    nod_free(b);
    return out;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const init_options *o = options_void;
    const char *cohort = cli->args[0];
    nod_cohort *c = NULL;
    nod_split *s = NULL;
    char *text = NULL, *folder = nod_path_dir(cohort), *cohort_ref = NULL, *split_ref = NULL;
    char *out = o->out   ? nod_strdup(o->out)
                : folder ? nod_path_join(folder, "recipe.yaml")
                         : NULL;
    char *split = o->split ? nod_strdup(o->split)
                  : folder ? nod_path_join(folder, "split.json")
                           : NULL;
    int rc = 0;
    if (!out || !split) {
        rc = nod_fail_memory(err, "paths", 4096);
        goto out;
    }
    if (nod_path_exists(out) && !o->force) {
        rc = nod_fail(err, NOD_EINVAL,
                      "%s is there already: give another name with -o, or --force", out);
        goto out;
    }
    NOD_TRY(nod_cohort_read(cohort, &c, err));
    NOD_TRY(nod_split_read(split, c, &s, err));
    cohort_ref = as_seen_from(out, cohort);
    split_ref = as_seen_from(out, split);
    if (!cohort_ref || !split_ref) {
        rc = nod_fail_memory(err, "paths", 4096);
        goto out;
    }
    NOD_TRY(nod_recipe_propose(c, s, cohort_ref, split_ref, &text, err));
    NOD_TRY(nod_file_write(out, text, strlen(text), err));
    fprintf(cli->out, "recipe: %s\n", out);
out:
    nod_split_free(s);
    nod_cohort_free(c);
    nod_free(text);
    nod_free(folder);
    nod_free(out);
    nod_free(split);
    nod_free(cohort_ref);
    nod_free(split_ref);
    return rc;
}

const nod_verb nod_verb_init = {
    .name = "init",
    .summary = "write a complete recipe from a cohort",
    .args = "COHORT.csv",
    .min_args = 1,
    .max_args = 1,
    .about = "Looks at the training part of a split cohort and writes a recipe with every\n"
             "key: input size, network, loss, optimiser, schedule, regularisation.",
    .examples = "  nodule init cohort.csv\n  nodule init cohort.csv -o small.yaml\n",
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
