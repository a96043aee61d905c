/* sealed_test.c: the look at the test part; see sealed_test.h. */
#include "train/sealed_test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "data/copies.h"
#include "data/dataset.h"
#include "data/flow.h"
#include "eval/compare.h"
#include "eval/subgroup.h"
#include "infer/answer.h"
#include "infer/judge.h"
#include "train/external.h"
#include "train/factors.h"
#include "train/run_folder.h"

#define NOTES_MAX 16

typedef struct tested_run {
    const char *folder;
    int lock;
    nod_run_inputs in;
    nod_strlist models;
    char hash[NOD_SHA256_HEX];
    nod_anchor made;
    nod_predictions predictions; /* of the units that are judged */
    nod_predictions images;      /* that they were made of; empty where images are judged */
    bool has_predictions;
    nod_operating_point *points; /* [models][columns] */
    nod_results *results;
    nod_factors factors;
    nod_subgroups *subgroups;
    nod_strbuf stamp, by, audit, copies, follow_ups; /* notes on the results */
    nod_strlist external;                            /* notes on the cohort from elsewhere */
} tested_run;

typedef struct look_session {
    const nod_sealed_test_options *o;
    tested_run *runs;
    nod_ledger *ledger;
    nod_look *look;
    nod_sha256 *results_hash;
    nod_external external; /* empty where the runs' own test part is looked at */
} look_session;

/* What is looked at. */
static const nod_cohort *tested_cohort(const look_session *s, const tested_run *r)
{
    return s->o->external ? s->external.cohort : r->in.cohort;
}

static const nod_split *tested_split(const look_session *s, const tested_run *r)
{
    return s->o->external ? s->external.split : r->in.split;
}

/* Where its results are, below RUN. */
static char *results_folder(const look_session *s, const tested_run *r)
{
    char below[NOD_EXTERNAL_NAME_MAX + 16];
    snprintf(below, sizeof below, "external/%s", s->external.name);
    return nod_path_join(r->folder, s->o->external ? below : "test");
}

/* --- before the look ---------------------------------------------------------------------------- */

/* The anchor of the model that was made last is the run's: no seed hides behind an older one. */
static int read_anchor(tested_run *r, const char *path, nod_error *err)
{
    nod_model *m = NULL;
    nod_json *j = NULL;
    nod_anchor anchor;
    const char *split_hash = NULL;
    int rc = 0;
    NOD_TRY(nod_model_read(path, &m, err));
    NOD_TRY(nod_json_need_str(m->provenance, path, "split_hash", &split_hash, err));
    if (strcmp(split_hash, nod_split_hash(r->in.split)) != 0) {
        rc = nod_fail(err, NOD_ESEAL, "%s: the model was trained on another split than %s",
                      path, r->in.split_path);
        goto out;
    }
    NOD_TRY(nod_json_need_object(m->provenance, path, "anchor", &j, err));
    NOD_TRY(nod_anchor_from_json(j, path, &anchor, err));
    if (r->made.length > 0 && strcmp(anchor.id, r->made.id) != 0)
        rc = nod_fail(err, NOD_ESEAL, "%s: made with another ledger than the run's other seeds",
                      path);
    else if (anchor.length > r->made.length)
        r->made = anchor;
out:
    nod_model_free(m);
    return rc;
}

static int open_run(tested_run *r, const char *folder, nod_error *err)
{
    int rc = 0;
    char *recipe = nod_path_join(folder, "recipe.yaml");
    r->folder = folder;
    if (!recipe) return nod_fail_memory(err, "path of a run", 4096);
    NOD_TRY(nod_run_models(folder, &r->models, err));
    NOD_TRY(nod_run_lock(folder, &r->lock, err));
    NOD_TRY(nod_run_inputs_open(recipe, NULL, NULL, &r->in, err));
    NOD_TRY(nod_run_hash(folder, r->hash, err));
    for (size_t i = 0; i < r->models.n; i++)
        NOD_TRY(read_anchor(r, r->models.items[i], err));
out:
    nod_free(recipe);
    return rc;
}

static void close_run(tested_run *r)
{
    nod_results_free(r->results);
    nod_subgroups_free(r->subgroups);
    nod_factors_done(&r->factors);
    nod_strlist_done(&r->external);
    nod_strbuf_done(&r->by);
    nod_predictions_done(&r->images);
    nod_predictions_done(&r->predictions);
    nod_strlist_done(&r->models);
    nod_strbuf_done(&r->stamp);
    nod_strbuf_done(&r->audit);
    nod_strbuf_done(&r->copies);
    nod_strbuf_done(&r->follow_ups);
    nod_run_inputs_done(&r->in);
    nod_free(r->points);
    nod_dir_unlock(r->lock);
}

static int open_runs(look_session *s, nod_error *err)
{
    for (size_t i = 0; i < s->o->n_runs; i++) {
        tested_run *r = &s->runs[i];
        int rc = open_run(r, s->o->runs[i], err);
        if (rc) return rc;
        if (!s->o->external &&
            strcmp(nod_split_hash(r->in.split), nod_split_hash(s->runs[0].in.split)) != 0)
            return nod_fail(err, NOD_EINVAL,
                            "%s and %s were trained on different splits: test them apart",
                            s->o->runs[0], s->o->runs[i]);
    }
    return 0;
}

/* The results of an earlier look are moored as well: a ledger that was rolled back to before that look
 * does not fit them. */
static int check_results(const char *folder, const char *name, const nod_ledger *l,
                         nod_error *err)
{
    int rc = 0;
    nod_json *j = NULL, *provenance = NULL, *moored = NULL;
    nod_anchor anchor;
    char *below = nod_path_join(folder, name),
         *path = below ? nod_path_join(below, "results.json") : NULL;
    if (!path) {
        rc = nod_fail_memory(err, "path of results", 4096);
        goto out;
    }
    if (!nod_path_is_file(path)) goto out;
    NOD_TRY(nod_json_read(path, NOD_RESULTS_JSON_MAX, &j, err));
    NOD_TRY(nod_json_need_object(j, path, "provenance", &provenance, err));
    NOD_TRY(nod_json_need_object(provenance, path, "anchor", &moored, err));
    NOD_TRY(nod_anchor_from_json(moored, path, &anchor, err));
    NOD_TRY(nod_ledger_check_anchor(l, &anchor, path, err));
out:
    nod_json_free(j);
    nod_free(below);
    nod_free(path);
    return rc;
}

static int check_earlier_results(const tested_run *r, const nod_ledger *l, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    char *folder = nod_path_join(r->folder, "external");
    int rc = folder ? check_results(r->folder, "test", l, err)
                    : nod_fail_memory(err, "path of results", 4096);
    if (!rc && nod_path_is_dir(folder)) rc = nod_dir_list(folder, &names, err);
    for (size_t i = 0; i < names.n && !rc; i++)
        rc = check_results(folder, names.items[i], l, err);
    nod_strlist_done(&names);
    nod_free(folder);
    return rc;
}

/* All that can be asked of a cohort from elsewhere without a label. */
static int open_external(look_session *s, nod_error *err)
{
    const nod_external_check_options o = {
        .force = s->o->force, .threads = s->o->threads, .log = s->o->log};
    int rc =
        s->o->external ? nod_external_open(s->o->external, s->o->name, &s->external, err) : 0;
    for (size_t i = 0; s->o->external && i < s->o->n_runs && !rc; i++) {
        tested_run *r = &s->runs[i];
        rc = nod_external_check_name(&s->external, r->folder, err);
        if (rc) break;
        rc = nod_external_check(&s->external, &r->in, r->folder, r->models.items[0], &o,
                                &r->external, err);
    }
    return rc;
}

/* In the ledger of the runs and in no other one: it is written to. */
static int seal_external(look_session *s, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < s->o->n_runs && !rc; i++)
        rc = nod_ledger_check_anchor(s->ledger, &s->runs[i].made, s->runs[i].folder, err);
    return rc ? rc
              : nod_split_seal(s->external.split, s->external.cohort, s->ledger, s->o->again,
                               s->o->by, err);
}

static int begin_look(look_session *s, nod_error *err)
{
    int rc = 0;
    const nod_split *split = tested_split(s, &s->runs[0]);
    char *path = s->o->ledger ? nod_strdup(s->o->ledger)
                              : nod_ledger_default_path(s->runs[0].in.cohort_path);
    nod_look_run *runs = nod_calloc(s->o->n_runs, sizeof *runs);
    if (!path || !runs) {
        rc = nod_fail_memory(err, "a look", s->o->n_runs * sizeof *runs);
        goto out;
    }
    for (size_t i = 0; i < s->o->n_runs; i++)
        runs[i] =
            (nod_look_run){nod_path_base(s->runs[i].folder), s->runs[i].hash, s->runs[i].made};
    NOD_TRY(nod_ledger_open(path, NOD_LEDGER_WRITE, &s->ledger, err));
    for (size_t i = 0; i < s->o->n_runs; i++)
        NOD_TRY(check_earlier_results(&s->runs[i], s->ledger, err));
    if (s->o->external) NOD_TRY(seal_external(s, err));
    nod_look_request q = {.split_hash = nod_split_hash(split),
                          .split_anchor = nod_split_anchor(split),
                          .runs = runs,
                          .n_runs = s->o->n_runs,
                          .again = s->o->again,
                          .by = s->o->by};
    NOD_TRY(nod_look_begin(s->ledger, &q, &s->look, err));
out:
    nod_free(path);
    nod_free(runs);
    return rc;
}

/* --- predictions -------------------------------------------------------------------------------- */

/* Raw logits of one seed's images to calibrated rows of units, and of the images for who wants to look
 * at them. */
static int judge_seed(tested_run *r, const nod_judge *judge, nod_reader *reader,
                      const nod_examples *e, size_t i_model, nod_error *err)
{
    int rc = 0;
    int32_t seed = (int32_t)i_model;
    nod_predictions images = {0}, units = {0};
    const nod_answer *a = &reader->answer;
    NOD_TRY(nod_predictions_init(&images, a->task, (const char *const *)a->classes.items,
                                 a->classes.n, a->positive, err));
    NOD_TRY(nod_reader_predict(reader, e, judge->ids, judge->patients, seed, &images, err));
    NOD_TRY(nod_judge_apply(judge, a->aggregation.how, &images, &units, err));
    NOD_TRY(nod_calibration_apply(&a->calibration, &units, -1, err));
    if (a->unit != NOD_LEVEL_IMAGE) {
        NOD_TRY(nod_judge_mark(judge, &images, err));
        NOD_TRY(nod_predictions_append(&r->images, &images, err));
    }
    NOD_TRY(nod_predictions_append(&r->predictions, &units, err));
out:
    nod_predictions_done(&images);
    nod_predictions_done(&units);
    return rc;
}

/* Tables for all seeds, made with the first. */
static int begin_predictions(tested_run *r, const nod_answer *a, nod_error *err)
{
    const char *const *classes = (const char *const *)a->classes.items;
    int rc = 0;
    if (r->has_predictions) return 0;
    NOD_TRY(nod_predictions_init(&r->images, a->task, classes, a->classes.n, a->positive, err));
    NOD_TRY(nod_predictions_init(&r->predictions, a->task, classes, a->classes.n, a->positive,
                                 err));
    r->has_predictions = true;
    if (a->n_points == 0) return 0;
    r->points = nod_calloc(r->models.n * a->n_points, sizeof *r->points);
    if (!r->points)
        rc = nod_fail_memory(err, "operating points", a->n_points * sizeof *r->points);
out:
    return rc;
}

static int predict_model(const look_session *s, tested_run *r, size_t i_model, nod_error *err)
{
    int rc = 0;
    nod_reader reader = {0};
    nod_dataset d = {0};
    nod_judge judge = {0};
    char *cache = NULL;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = s->o->backend;
    NOD_TRY(nod_reader_open(r->models.items[i_model], &o, 64, &reader, err));
    const nod_answer *a = &reader.answer;
    NOD_TRY(begin_predictions(r, a, err));
    if (a->n_points)
        memcpy(r->points + i_model * a->n_points, a->points, a->n_points * sizeof *a->points);
    const nod_cohort *cohort = tested_cohort(s, r);
    const nod_split *split = tested_split(s, r);
    NOD_TRY(nod_run_cache(s->o->cache, s->o->external ? s->external.path : r->in.cohort_path,
                          &cache, err));
    const nod_dataset_options data = {
        .threads = s->o->threads, .cache = cache, .log = s->o->log};
    NOD_TRY(nod_dataset_open(cohort, split, NOD_PART_TEST, &reader.contract, s->look, &data, &d,
                             err));
    if (s->o->external) NOD_TRY(nod_external_rename(&s->external, a, &d.labels, err));
    if (i_model == 0)
        NOD_TRY(nod_factors_make(cohort, &d.labels, r->models.n, &r->factors, err));
    NOD_TRY(nod_judge_init(&judge, cohort, split, &d.labels, err));
    nod_examples examples = nod_dataset_examples(&d);
    NOD_TRY(judge_seed(r, &judge, &reader, &examples, i_model, err));
out:
    nod_judge_done(&judge);
    nod_free(cache);
    nod_dataset_done(&d);
    nod_reader_done(&reader);
    return rc;
}

/* --- results -------------------------------------------------------------------------------------- */

/* What is counted. */
static void name_unit(const look_session *s, const tested_run *r, nod_results_options *o)
{
    nod_level unit = nod_cohort_get_info(tested_cohort(s, r))->unit;
    o->unit = nod_level_name(unit);
    o->units = nod_level_plural(unit);
    o->n_sources = r->images.n / nod_predictions_seeds(&r->predictions);
}

/* A patient's label on every study says of an earlier one what was found later. */
static int note_follow_ups(const look_session *s, tested_run *r, nod_error *err)
{
    const nod_cohort *c = tested_cohort(s, r);
    nod_cohort_findings f;
    int rc = nod_cohort_find_all(c, &f, err);
    if (rc || f.follow_up_patients == 0 || nod_cohort_get_info(c)->unit == NOD_LEVEL_PATIENT)
        return rc;
    nod_strbuf_printf(&r->follow_ups,
                      "the label of a patient stands on every follow-up: %zu patients with %zu "
                      "studies",
                      f.follow_up_patients, f.follow_up_studies);
    return r->follow_ups.failed ? nod_fail_memory(err, "a note", 128) : 0;
}

static size_t collect_notes(const look_session *s, tested_run *r, const char *notes[NOTES_MAX])
{
    static const char *const unknown[NOD_LEVELS] = {
        "intervals over images, patients unknown", "intervals over series, patients unknown",
        "intervals over studies, patients unknown", "intervals over breasts, patients unknown",
        "intervals over patients"};
    const nod_cohort_info *info = nod_cohort_get_info(tested_cohort(s, r));
    size_t n = 0;
    for (size_t i = 0; i < r->external.n; i++)
        notes[n++] = r->external.items[i];
    if (r->by.len) notes[n++] = r->by.data;
    if (info->grouping == NOD_GROUPING_NONE) notes[n++] = unknown[info->unit];
    if (info->grouping == NOD_GROUPING_DERIVED)
        notes[n++] = "patients derived from file names by a rule";
    if (info->positive_origin == NOD_POSITIVE_ASSUMED)
        notes[n++] = "positive class not declared: the highest class was taken";
    const nod_audit *audit = nod_split_audit(r->in.split);
    if (audit && nod_audit_is_notable(audit)) {
        nod_audit_add_note(audit, &r->audit);
        notes[n++] = r->audit.data;
    }
    const nod_copies *copies = nod_split_copies(r->in.split);
    if (nod_copies_is_notable(copies)) {
        nod_copies_add_note(copies, &r->copies);
        notes[n++] = r->copies.data;
    }
    if (r->follow_ups.len) notes[n++] = r->follow_ups.data;
    notes[n++] = r->stamp.data;
    return n;
}

static int compute_results(const look_session *s, tested_run *r, size_t i, nod_error *err)
{
    const char *notes[NOTES_MAX];
    nod_look_stamp(s->look, i, &r->stamp);
    nod_split_say_by(tested_split(s, r), &r->by);
    nod_results_options ro = nod_results_options_default();
    nod_anchor anchor = nod_look_anchor(s->look);
    nod_json *provenance = nod_json_object();
    ro.n_notes = collect_notes(s, r, notes);
    ro.notes = notes;
    name_unit(s, r, &ro);
    nod_json_set_str(provenance, "version", NODULE_VERSION);
    nod_json_set_str(provenance, "command", s->o->command);
    nod_json_set_str(provenance, "run_hash", r->hash);
    nod_json_set_str(provenance, "split_hash", nod_split_hash(tested_split(s, r)));
    if (s->o->external) {
        nod_json_set_str(provenance, "external", s->external.name);
        nod_json_set_str(provenance, "cohort_hash", nod_cohort_hash(s->external.cohort));
        nod_json_set_str(provenance, "trained_on", nod_split_hash(r->in.split));
    }
    nod_json_set(provenance, "anchor", nod_anchor_to_json(&anchor));
    ro.provenance = provenance;
    int rc = nod_results_new(&r->predictions, r->points, &ro, &r->results, err);
    if (!rc)
        rc = nod_subgroups_new(&r->predictions, r->points, r->factors.items, r->factors.n, &ro,
                               &r->subgroups, err);
    nod_json_free(provenance);
    return rc;
}

/* All of it, by group, and what became of the cases. */
static nod_json *results_json(const look_session *s, const tested_run *r)
{
    nod_json *j = nod_results_json(r->results);
    nod_json_set(j, "subgroups", nod_subgroups_json(r->subgroups));
    nod_json_set(j, "flow", nod_flow_to_json(tested_cohort(s, r), tested_split(s, r)));
    return j;
}

static void results_text(const look_session *s, const tested_run *r, nod_strbuf *text)
{
    nod_results_text(r->results, text);
    nod_subgroups_text(r->subgroups, text);
    nod_strbuf_addc(text, '\n');
    nod_flow_add_text(tested_cohort(s, r), tested_split(s, r), text);
}

/* {results.json, results.txt, predictions.csv} of this look, predictions-images.csv where units were made
 * of images, and of a cohort from elsewhere the split.json with its seal. */
static int write_results(const look_session *s, tested_run *r, nod_error *err)
{
    int rc = 0;
    nod_json *j = results_json(s, r);
    nod_strbuf text = NOD_STRBUF_INIT;
    char *folder = results_folder(s, r), *canonical = NULL;
    char *json_path = folder ? nod_path_join(folder, "results.json") : NULL;
    char *text_path = folder ? nod_path_join(folder, "results.txt") : NULL;
    char *csv_path = folder ? nod_path_join(folder, "predictions.csv") : NULL;
    char *images_path = folder ? nod_path_join(folder, "predictions-images.csv") : NULL;
    char *split_path = folder ? nod_path_join(folder, "split.json") : NULL;
    size_t seeds = nod_predictions_seeds(&r->predictions);
    size_t columns = nod_task_columns(r->predictions.task, r->predictions.k);
    double *thresholds = r->points ? nod_calloc(seeds * columns, sizeof *thresholds) : NULL;
    if (!json_path || !text_path || !csv_path || !images_path || !split_path ||
        (r->points && !thresholds)) {
        rc = nod_fail_memory(err, "results", 4096);
        goto out;
    }
    for (size_t i = 0; r->points && i < seeds * columns; i++)
        thresholds[i] = r->points[i].threshold;
    results_text(s, r, &text);
    NOD_TRY(nod_dir_make(folder, err));
    if (s->o->external) NOD_TRY(nod_split_write(s->external.split, split_path, err));
    NOD_TRY(nod_json_write(j, json_path, err));
    NOD_TRY(nod_file_write(text_path, text.data, text.len, err));
    NOD_TRY(nod_predictions_write_csv(&r->predictions, thresholds, csv_path, err));
    if (r->images.n)
        NOD_TRY(nod_predictions_write_csv(&r->images, thresholds, images_path, err));
    NOD_TRY(nod_json_dump_canonical(j, &canonical, err));
    nod_sha256_add_str(s->results_hash, canonical);
out:
    nod_json_free(j);
    nod_strbuf_done(&text);
    nod_free(canonical);
    nod_free(thresholds);
    nod_free(folder);
    nod_free(json_path);
    nod_free(text_path);
    nod_free(csv_path);
    nod_free(images_path);
    nod_free(split_path);
    return rc;
}

static int compare_runs(const look_session *s, nod_strbuf *text, nod_json *list, nod_error *err)
{
    nod_results_options ro = nod_results_options_default();
    for (size_t i = 0; i < s->o->n_runs; i++)
        for (size_t k = i + 1; k < s->o->n_runs; k++) {
            const tested_run *a = &s->runs[i], *b = &s->runs[k];
            nod_comparison c;
            name_unit(s, a, &ro);
            int rc =
                nod_compare(nod_path_base(a->folder), &a->predictions, a->points,
                            nod_path_base(b->folder), &b->predictions, b->points, &ro, &c, err);
            if (rc) return rc;
            nod_strbuf_addc(text, '\n');
            nod_comparison_text(&c, text);
            nod_json_push(list, nod_comparison_json(&c));
        }
    return 0;
}

static int look_at_all(look_session *s, nod_strbuf *text, nod_json *out, nod_error *err)
{
    int rc = 0;
    char hash[NOD_SHA256_HEX];
    nod_json *runs = nod_json_array(), *comparisons = nod_json_array();
    for (size_t i = 0; i < s->o->n_runs; i++) {
        tested_run *r = &s->runs[i];
        for (size_t m = 0; m < r->models.n; m++)
            NOD_TRY(predict_model(s, r, m, err));
        NOD_TRY(note_follow_ups(s, r, err));
        NOD_TRY(compute_results(s, r, i, err));
        NOD_TRY(write_results(s, r, err));
        nod_strbuf_printf(text, "%s%s\n", i ? "\n" : "", r->folder);
        results_text(s, r, text);
        nod_json_push(runs, results_json(s, r));
    }
    NOD_TRY(compare_runs(s, text, comparisons, err));
    nod_sha256_hex(s->results_hash, hash);
    NOD_TRY(nod_look_finish(s->look, hash, err));
    nod_json_set(out, "runs", runs);
    nod_json_set(out, "comparisons", comparisons);
    return 0;
out:
    nod_json_free(runs);
    nod_json_free(comparisons);
    return rc;
}

int nod_sealed_test(const nod_sealed_test_options *o, nod_strbuf *text, nod_json **json,
                    nod_error *err)
{
    int rc = 0;
    look_session s = {.o = o};
    nod_json *out = nod_json_object();
    s.runs = nod_calloc(o->n_runs, sizeof *s.runs);
    if (!s.runs) {
        rc = nod_fail_memory(err, "runs", o->n_runs * sizeof *s.runs);
        goto out;
    }
    for (size_t i = 0; i < o->n_runs; i++) {
        s.runs[i].stamp = s.runs[i].by = s.runs[i].audit = s.runs[i].copies =
            s.runs[i].follow_ups = (nod_strbuf)NOD_STRBUF_INIT;
        s.runs[i].external = (nod_strlist)NOD_STRLIST_INIT;
        s.runs[i].lock = -1;
    }
    NOD_TRY(open_runs(&s, err));
    NOD_TRY(open_external(&s, err));
    NOD_TRY(nod_sha256_new(&s.results_hash, err));
    NOD_TRY(begin_look(&s, err));
    NOD_TRY(look_at_all(&s, text, out, err));
    *json = out;
    out = NULL;
out:
    nod_look_close(s.look);
    nod_ledger_close(s.ledger);
    nod_sha256_free(s.results_hash);
    for (size_t i = 0; s.runs && i < o->n_runs; i++)
        close_run(&s.runs[i]);
    nod_free(s.runs);
    nod_external_done(&s.external);
    nod_json_free(out);
    return rc;
}
