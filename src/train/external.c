/* external.c: what is asked of a cohort from elsewhere before it is looked at; see external.h. */
#include "train/external.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "data/overlap.h"
#include "eval/results.h"

#define NAMED_CASES 5 /* in a message */
#define HASH_SHOWN  12

/* --- opening ----------------------------------------------------------------------------------- */

static bool is_plain_name(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > NOD_EXTERNAL_NAME_MAX || *s == '.' || *s == '-') return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

int nod_external_open(const char *path, const char *name, nod_external *out, nod_error *err)
{
    nod_external e = {0};
    int rc = 0;
    if (name && !is_plain_name(name))
        return nod_fail(err, NOD_EINVAL,
                        "'%.80s' cannot be the name of a folder of results: 1 to %d letters, "
                        "digits, '.', '_' and '-', beginning with a letter or digit",
                        name, NOD_EXTERNAL_NAME_MAX);
    NOD_TRY(nod_cohort_read(path, &e.cohort, err));
    NOD_TRY(nod_split_make_external(e.cohort, &e.split, err));
    e.path = nod_strdup(path);
    if (!e.path) {
        rc = nod_fail_memory(err, "path of a cohort", strlen(path));
        goto out;
    }
    if (name)
        snprintf(e.name, sizeof e.name, "%s", name);
    else
        snprintf(e.name, sizeof e.name, "%.*s", HASH_SHOWN, nod_cohort_hash(e.cohort));
    *out = e;
    e = (nod_external){0};
out:
    nod_external_done(&e);
    return rc;
}

void nod_external_done(nod_external *e)
{
    nod_split_free(e->split);
    nod_cohort_free(e->cohort);
    nod_free(e->path);
    *e = (nod_external){0};
}

int nod_external_check_name(const nod_external *e, const char *run, nod_error *err)
{
    char below[NOD_EXTERNAL_NAME_MAX + 40];
    nod_json *j = NULL, *provenance = NULL;
    const char *hash = NULL;
    int rc = 0;
    snprintf(below, sizeof below, "external/%s/results.json", e->name);
    char *path = nod_path_join(run, below);
    if (!path) return nod_fail_memory(err, "path of results", 4096);
    if (!nod_path_is_file(path)) goto out;
    NOD_TRY(nod_json_read(path, NOD_RESULTS_JSON_MAX, &j, err));
    NOD_TRY(nod_json_need_object(j, path, "provenance", &provenance, err));
    NOD_TRY(nod_json_need_str(provenance, path, "cohort_hash", &hash, err));
    if (strcmp(hash, nod_cohort_hash(e->cohort)) != 0)
        rc = nod_fail(
            err, NOD_EINVAL,
            "%s holds the results of another cohort (%.12s, not %.12s); take another --name",
            path, hash, nod_cohort_hash(e->cohort));
out:
    nod_json_free(j);
    nod_free(path);
    return rc;
}

/* --- classes ----------------------------------------------------------------------------------- */

static void list_classes(nod_strbuf *b, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n && i < 20; i++)
        nod_strbuf_printf(b, "%s%s", i ? ", " : "", names[i]);
    if (n > 20) nod_strbuf_add(b, " ...");
}

static int fail_class(const nod_external *e, const nod_answer *a, const char *name,
                      nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(e->cohort);
    nod_strbuf have = NOD_STRBUF_INIT, want = NOD_STRBUF_INIT;
    list_classes(&have, info->classes, info->n_classes);
    list_classes(&want, (const char *const *)a->classes.items, a->classes.n);
    int rc =
        nod_fail(err, NOD_EDATA,
                 "class '%.80s' of the cohort (%.300s) is none of the model's (%.300s): give "
                 "the cases the names that the model knows",
                 name, have.data ? have.data : "", want.data ? want.data : "");
    nod_strbuf_done(&have);
    nod_strbuf_done(&want);
    return rc;
}

/* to[k]: the model's class that class k of the cohort is. */
static int match_classes(const nod_external *e, const nod_answer *a, int32_t **to,
                         nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(e->cohort);
    if (info->segmentation)
        return nod_fail(err, NOD_EDATA, "the cohort has masks; the run tells classes apart");
    if (info->multilabel != (a->task == NOD_TASK_MULTILABEL))
        return nod_fail(
            err, NOD_EDATA, "a case of the cohort has %s, the task of the model is %s",
            info->multilabel ? "any number of classes" : "one class", nod_task_name(a->task));
    int32_t *map = nod_calloc(info->n_classes, sizeof *map);
    if (!map) return nod_fail_memory(err, "classes", info->n_classes * sizeof *map);
    int rc = 0;
    for (size_t k = 0; k < info->n_classes && !rc; k++) {
        int64_t at = nod_strlist_find(&a->classes, info->classes[k]);
        map[k] = (int32_t)at;
        if (at < 0) rc = fail_class(e, a, info->classes[k], err);
    }
    if (rc)
        nod_free(map);
    else
        *to = map;
    return rc;
}

int nod_external_rename(const nod_external *e, const nod_answer *a, nod_labels *l,
                        nod_error *err)
{
    int32_t *to = NULL;
    int rc = match_classes(e, a, &to, err);
    if (!rc) rc = nod_labels_rename(l, to, a->classes.n, err);
    nod_free(to);
    return rc;
}

/* --- units ------------------------------------------------------------------------------------- */

/* Calibration and thresholds are about what the model was trained to judge. */
static int check_unit(const nod_external *e, const nod_answer *a, nod_error *err)
{
    nod_level unit = nod_cohort_get_info(e->cohort)->unit;
    if (unit == a->unit) return 0;
    return nod_fail(
        err, NOD_EDATA,
        "the cohort is judged by %s, the model judges by %s: index it with --unit %s",
        nod_level_name(unit), nod_level_name(a->unit), nod_level_name(a->unit));
}

/* --- what the run has met ----------------------------------------------------------------------- */

/* The first cases that are, or are not, suspects: "c1 (same pixels as c7 of the train part), c2 ..." */
static void name_overlaps(const nod_external *e, const nod_run_inputs *in,
                          const nod_overlaps *o, bool suspects, nod_strbuf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const nod_overlap *x = &o->items[i];
        if (nod_overlap_is_suspect(x->kind) != suspects) continue;
        if (n++ == NAMED_CASES) {
            nod_strbuf_add(b, " ...");
            return;
        }
        nod_strbuf_printf(b, "%s%s (%s as %s of the %s part)", n > 1 ? ", " : "",
                          nod_cohort_get(e->cohort, x->i_case)->id, nod_overlap_name(x->kind),
                          nod_cohort_get(in->cohort, x->i_known)->id,
                          nod_part_name(nod_split_part(in->split, x->i_known)));
    }
}

static int fail_overlap(const nod_external *e, const nod_run_inputs *in, const char *run,
                        const nod_overlaps *o, nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    bool patients = false;
    for (size_t i = 0; i < o->n; i++)
        patients = patients || o->items[i].kind == NOD_OVERLAP_PATIENT;
    name_overlaps(e, in, o, false, &b);
    int rc = nod_fail(
        err, NOD_EDATA,
        "%zu of %zu cases are known to run %s: %s; take their rows out of the cohort%s",
        o->n - o->n_suspects, nod_cohort_size(e->cohort), run, b.data ? b.data : "",
        patients
            ? ", or, where equal ids are different people, name them apart (ISSUER^ID in the "
              "column 'patient')"
            : "");
    nod_strbuf_done(&b);
    return rc;
}

/* What the results say of it. */
static int note_overlap(const nod_external *e, const nod_overlaps *o, nod_strlist *notes,
                        nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_printf(
        &b, "external cohort %s: none of its cases is known to the run by pixels%s", e->name,
        o->patients_compared
            ? ", study or patient"
            : " or study; patients are not named alike in both, so that they could "
              "not be compared");
    bool ok = !b.failed && nod_strlist_add(notes, b.data);
    nod_strbuf_clear(&b);
    if (ok && o->n_suspects) {
        nod_strbuf_printf(
            &b,
            "%zu of its cases are suspects: name, birth date and sex, or a frame of "
            "reference, as in the run's training or validation part",
            o->n_suspects);
        ok = !b.failed && nod_strlist_add(notes, b.data);
    }
    nod_strbuf_done(&b);
    return ok ? 0 : nod_fail_memory(err, "a note", 256);
}

static int check_overlap(const nod_external *e, const nod_run_inputs *in, const char *run,
                         const nod_log *log, nod_strlist *notes, nod_error *err)
{
    nod_overlaps o = {0};
    nod_strbuf b = NOD_STRBUF_INIT;
    int rc = nod_overlaps_find(in->cohort, in->split, e->cohort, &o, err);
    if (!rc && o.n > o.n_suspects) rc = fail_overlap(e, in, run, &o, err);
    if (!rc) rc = note_overlap(e, &o, notes, err);
    if (!rc && o.n_suspects) {
        name_overlaps(e, in, &o, true, &b);
        nod_warn(log, "suspects, which prove nothing: %s", b.data ? b.data : "");
    }
    nod_strbuf_done(&b);
    nod_overlaps_done(&o);
    return rc;
}

/* --- whether the model takes the images ---------------------------------------------------------- */

static int check_policies(const nod_external *e, const nod_contract *k, nod_error *err)
{
    const nod_policies preset = nod_policies_preset();
    const nod_policies *wanted = k->has_policies ? &k->policies : &preset;
    if (memcmp(nod_cohort_get_info(e->cohort)->policies, wanted, sizeof *wanted) == 0) return 0;
    return nod_fail(
        err, NOD_EDATA,
        "the cohort was read under other policies for findings than those of the run; "
        "index it again with the same --policy");
}

static int check_images(const nod_external *e, const nod_contract *k,
                        const nod_external_check_options *o, nod_strlist *notes, nod_error *err)
{
    const nod_dataset_options d = {.threads = o->threads, .log = o->log};
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_unlike unlike;
    int rc = 0;
    NOD_TRY(check_policies(e, k, err));
    NOD_TRY(nod_dataset_check(e->cohort, e->split, NOD_PART_TEST, k, &d, &unlike, err));
    if (unlike.n == 0) goto out;
    if (!o->force) {
        rc = nod_fail(
            err, NOD_EDATA,
            "%zu of %zu images are of another kind, the first is case %s; --force REASON tests "
            "them all the same, and its results say so",
            unlike.n, nod_cohort_size(e->cohort), unlike.first);
        goto out;
    }
    nod_strbuf_printf(&b,
                      "forced: %s (%zu of %zu images are not like those of the training part)",
                      o->force, unlike.n, nod_cohort_size(e->cohort));
    if (b.failed || !nod_strlist_add(notes, b.data)) rc = nod_fail_memory(err, "a note", 128);
out:
    nod_strbuf_done(&b);
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------------- */

int nod_external_check(const nod_external *e, const nod_run_inputs *in, const char *run,
                       const char *model_path, const nod_external_check_options *o,
                       nod_strlist *notes, nod_error *err)
{
    nod_model *m = NULL;
    nod_contract k;
    nod_answer a = {0};
    int32_t *to = NULL;
    int rc = 0;
    NOD_TRY(nod_model_read(model_path, &m, err));
    NOD_TRY(nod_contract_from_json(m->contract, model_path, &k, err));
    NOD_TRY(nod_answer_from_json(m->answer, model_path, &a, err));
    NOD_TRY(match_classes(e, &a, &to, err));
    NOD_TRY(check_unit(e, &a, err));
    NOD_TRY(check_overlap(e, in, run, o->log, notes, err));
    NOD_TRY(check_images(e, &k, o, notes, err));
out:
    nod_free(to);
    nod_answer_done(&a);
    nod_model_free(m);
    return rc;
}
