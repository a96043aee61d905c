/* cmd_where.c: `nodule where`: the files of cases, which no message names. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/site_key.h"
#include "cli/verb.h"
#include "data/cohort.h"

/* What is known of one id; strings are "" where there is nothing. */
typedef struct answer {
    const char *id, *patient, *files, *array, *mask, *reason;
    int64_t index;
    char *path, *mask_path;
} answer;

/* Where something is, as the program can open it. */
static char *path_of(const nod_cohort *c, const char *file)
{
    char *joined = nod_path_join(nod_cohort_folder(c), file);
    char *real = joined ? nod_path_real(joined) : NULL;
    if (real == NULL) return joined; /* not there any more */
    nod_free(joined);
    return real;
}

/* The next of the names that '|' joins; NULL after the last. */
static char *next_file(const char **names)
{
    size_t n = strcspn(*names, "|");
    char *name = **names ? nod_strndup(*names, n) : NULL;
    *names += n + ((*names)[n] == '|');
    return name;
}

/* --- finding ------------------------------------------------------------------------------ */

static int find_case(const nod_cohort *c, size_t i, answer *out, nod_error *err)
{
    const nod_case *k = nod_cohort_get(c, i);
    out->patient = k->patient;
    out->files = k->files;
    out->array = k->array;
    out->index = k->index;
    out->path = path_of(c, k->file);
    if (*k->mask) out->mask_path = path_of(c, k->mask);
    bool ok = out->path && (out->mask_path || *k->mask == '\0');
    return ok ? 0 : nod_fail_memory(err, "a path", strlen(k->file));
}

/* A case, or a file that could not become one. */
static int find(const nod_cohort *c, const char *id, answer *out, nod_error *err)
{
    int64_t i = nod_cohort_find(c, id);
    *out = (answer){.id = id, .patient = "", .files = "", .array = "", .reason = ""};
    if (i >= 0) return find_case(c, (size_t)i, out, err);
    for (size_t u = 0; u < nod_cohort_unreadable(c); u++) {
        nod_unreadable bad = nod_cohort_get_unreadable(c, u);
        if (strcmp(bad.id, id) != 0) continue;
        out->reason = bad.reason;
        out->path = path_of(c, bad.file);
        return out->path ? 0 : nod_fail_memory(err, "a path", strlen(bad.file));
    }
    return nod_fail(err, NOD_ENOENT,
                    "the cohort has no case '%.80s'; ids stand in its column id, and those of "
                    "unreadable files in the JSON beside it",
                    id);
}

/* --- saying ------------------------------------------------------------------------------- */

static void print_answer(nod_cli *cli, const answer *a, const char *patient)
{
    const char *names = a->files;
    char *name;
    fprintf(cli->out, "%s: %s\n", a->id, a->path);
    if (*a->array) fprintf(cli->out, "  array %s, index %lld\n", a->array, (long long)a->index);
    for (size_t i = 1; (name = next_file(&names)) != NULL; i++) {
        fprintf(cli->out, "  file %zu: %s\n", i, name);
        nod_free(name);
    }
    if (a->mask_path) fprintf(cli->out, "  mask: %s\n", a->mask_path);
    if (*patient) fprintf(cli->out, "  patient: %s\n", patient);
    if (*a->reason) fprintf(cli->out, "  unreadable: %s\n", a->reason);
}

static nod_json *answer_json(const answer *a, const char *patient)
{
    nod_json *j = nod_json_object(), *files = nod_json_array();
    const char *names = a->files;
    char *name;
    while ((name = next_file(&names)) != NULL) {
        nod_json_push(files, nod_json_string(name));
        nod_free(name);
    }
    nod_json_set_str(j, "case", a->id);
    nod_json_set_str(j, "path", a->path);
    nod_json_set(j, "files", files);
    nod_json_set_str(j, "array", *a->array ? a->array : NULL);
    nod_json_set(j, "index", *a->array ? nod_json_int(a->index) : nod_json_null());
    nod_json_set_str(j, "mask", a->mask_path);
    nod_json_set_str(j, "patient", *patient ? patient : NULL);
    nod_json_set_str(j, "unreadable", *a->reason ? a->reason : NULL);
    return j;
}

/* One answer, said at once or put into `list`. */
static int tell(nod_cli *cli, const nod_cohort *c, const char *id, const nod_site_key *key,
                nod_json *list, nod_error *err)
{
    answer a = {0};
    char shown[NOD_SHOWN_PATIENT] = "";
    int rc = find(c, id, &a, err);
    if (!rc && *a.patient && !cli->show_ids)
        rc = nod_site_key_patient(key, a.patient, shown, err);
    const char *patient = cli->show_ids ? a.patient : shown;
    if (!rc && cli->json)
        nod_json_push(list, answer_json(&a, patient));
    else if (!rc)
        print_answer(cli, &a, patient);
    nod_free(a.path);
    nod_free(a.mask_path);
    return rc;
}

static int run(nod_cli *cli, const void *options, nod_error *err)
{
    nod_cohort *c = NULL;
    nod_site_key key = {0};
    nod_json *list = nod_json_array();
    int rc = 0;
    (void)options;
    NOD_TRY(nod_cohort_read(cli->args[0], &c, err));
    if (!cli->show_ids && nod_cohort_get_info(c)->grouping != NOD_GROUPING_NONE)
        NOD_TRY(nod_cli_site_key(cli, &key, err));
    for (size_t i = 1; i < cli->n_args; i++)
        NOD_TRY(tell(cli, c, cli->args[i], &key, list, err));
    if (cli->json) {
        rc = nod_cli_put_json(cli, list, err);
        list = NULL;
    }
out:
    nod_site_key_clear(&key);
    nod_json_free(list);
    nod_cohort_free(c);
    return rc;
}

const nod_verb nod_verb_where = {
    .name = "where",
    .summary = "the files of cases, which messages do not name",
    .args = "COHORT.csv CASE...",
    .min_args = 2,
    .max_args = -1,
    .about =
        "Messages, logs and results call a case by its id, and a file that could not be read "
        "by "
        "an id as u-1a2b3c4d5e6f. This says which files those are. Patients are shown by names "
        "made with the site key, or with --show-ids as the cohort knows them.",
    .examples = "  nodule where cohort.csv 3f2a9c01d4e5\n"
                "  nodule where cohort.csv u-1a2b3c4d5e6f --show-ids --json\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_SHOW_IDS | NOD_TAKES_SITE_KEY,
    .run = run,
};
