/* dicom.c: a tree of DICOM files, and a table of labels by patient, study or series.
 *
 * Headers are scanned, series chosen by rules, and each stack that is chosen becomes a case: a
 * volume with its fourth axis, or one projection image. Patients are the files' own: issuer and
 * PatientID. Nothing here looks at pixels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/label_table.h"
#include "data/layouts/table.h"
#include "data/patient.h"
#include "imaging/dicom/select.h"
#include "imaging/dicom/series.h"

#define DETECT_FILES 32 /* looked at before a tree is said not to be DICOM */
#define DETECT_DEPTH 8

typedef struct listing_dicom {
    const nod_index_options *o;
    nod_listing *out;
    nod_dicom_scan scan;
    nod_label_table *labels;
    size_t n_unlabelled, n_dummies;
    nod_error *err;
} listing_dicom;

/* --- detection ---------------------------------------------------------------------------- */

static bool is_dicom(const char *path)
{
    unsigned char head[256];
    return nod_dicom_is(head, nod_file_peek(path, head, sizeof head));
}

/* Whether one of the first files below a folder is DICOM. */
static bool detect_below(const char *folder, int depth, int *left)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error err = NOD_ERROR_INIT;
    bool found = false;
    if (depth > DETECT_DEPTH || nod_dir_list(folder, &names, &err) != 0) return false;
    for (size_t i = 0; i < names.n && !found && *left > 0; i++) {
        char *path = nod_path_join(folder, names.items[i]);
        if (path == NULL) break;
        if (nod_path_is_dir(path))
            found = detect_below(path, depth + 1, left);
        else if (--*left >= 0)
            found = is_dicom(path);
        nod_free(path);
    }
    nod_strlist_done(&names);
    return found;
}

static bool detect(const char *path)
{
    int left = DETECT_FILES;
    return nod_path_is_dir(path) ? detect_below(path, 0, &left) : is_dicom(path);
}

/* --- names -------------------------------------------------------------------------------- */

/* Length of the folder that all names share, without its '/'; never inside of a zip archive. */
static size_t common_folder(const nod_strlist *names)
{
    size_t n = strlen(names->items[0]), end = 0;
    for (size_t i = 0; i < names->n; i++) {
        size_t k = 0;
        while (k < n && names->items[i][k] == names->items[0][k])
            k++;
        n = k;
    }
    for (size_t i = 0; i < n; i++) {
        if (names->items[0][i] != '/') continue;
        if (i > 0 && names->items[0][i - 1] == '!') break;
        end = i;
    }
    return end;
}

/* One file stands for itself; of several, `name` is the folder and `files` what is in it. */
static int name_files(listing_dicom *l, const nod_strlist *names, nod_item *item)
{
    nod_arena *a = &l->out->arena;
    const char *first = names->items[0];
    bool in_zip = strstr(first, "!/") != NULL;
    if (names->n == 1 && !in_zip) {
        item->name = nod_arena_strdup(a, first);
        return item->name ? 0 : nod_fail_memory(l->err, "a name", strlen(first));
    }
    size_t n_folder = common_folder(names), skip = n_folder ? n_folder + 1 : 0;
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = 0; i < names->n; i++)
        nod_strbuf_printf(&b, "%s%s", i ? "|" : "", names->items[i] + skip);
    item->name = nod_arena_printf(a, "%.*s", (int)n_folder, first);
    item->files = nod_arena_strdup(a, b.data);
    bool ok = item->name && item->files && !b.failed;
    nod_strbuf_done(&b);
    return ok ? 0 : nod_fail_memory(l->err, "names of a series", names->n);
}

static bool has_bar(const nod_strlist *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (strchr(names->items[i], '|')) return true;
    return false;
}

/* --- cases -------------------------------------------------------------------------------- */

static const char *keep(listing_dicom *l, nod_strbuf *b)
{
    const char *text = b->failed ? NULL : nod_arena_strdup(&l->out->arena, b->data);
    nod_strbuf_done(b);
    return text;
}

/* "" where the file does not say, or says nobody. */
static const char *patient_of(listing_dicom *l, const nod_dicom_header *h)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    if (nod_patient_is_dummy(h->patient_id, true)) {
        l->n_dummies += *h->patient_id != '\0';
        return "";
    }
    nod_patient_add_key(&b, h->patient_issuer, h->patient_id);
    return keep(l, &b);
}

/* OtherPatientIDs are of the same issuer as far as a file says. */
static const char *other_ids_of(listing_dicom *l, const nod_dicom_header *h)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (const char *id = h->other_patient_ids; *id;) {
        char one[NOD_DICOM_ID];
        size_t n = strcspn(id, "\\");
        snprintf(one, sizeof one, "%.*s", (int)n, id);
        if (!nod_patient_is_dummy(one, true) && strchr(one, '|') == NULL) {
            if (b.len) nod_strbuf_addc(&b, '|');
            bool has_issuer = strchr(one, NOD_PATIENT_SEPARATOR) != NULL;
            nod_patient_add_key(&b, has_issuer ? "" : h->patient_issuer, one);
        }
        id += n + (id[n] == '\\');
    }
    return keep(l, &b);
}

static const char *number_text(listing_dicom *l, double v)
{
    return isfinite(v) ? nod_arena_printf(&l->out->arena, "%.4g", v) : "";
}

/* What the header says; the table's row goes before it. Values of a kind that no fact can have are as
 * good as absent. */
static int take_facts(listing_dicom *l, const nod_dicom_header *h, const nod_label_row *row,
                      nod_item *item)
{
    nod_arena *a = &l->out->arena;
    const char *said[NOD_FACTS] = {[NOD_FACT_SITE] = nod_arena_strdup(a, h->institution),
                                   [NOD_FACT_VENDOR] = nod_arena_strdup(a, h->manufacturer),
                                   [NOD_FACT_MODEL] = nod_arena_strdup(a, h->model),
                                   [NOD_FACT_SEX] = nod_arena_strdup(a, h->patient_sex),
                                   [NOD_FACT_AGE] = number_text(l, h->patient_age_years),
                                   [NOD_FACT_DATE] = nod_arena_strdup(a, h->study_date),
                                   [NOD_FACT_KVP] = number_text(l, h->kvp),
                                   [NOD_FACT_FIELD] = number_text(l, h->field_strength_t)};
    nod_error ignored = NOD_ERROR_INIT;
    for (int f = 0; f < NOD_FACTS; f++) {
        bool from_file = f <= (int)NOD_FACT_FIELD;
        if (*row->facts[f])
            item->facts[f] = nod_arena_strdup(a, row->facts[f]);
        else if (from_file && said[f] && nod_fact_check((nod_fact)f, said[f], &ignored) == 0)
            item->facts[f] = said[f];
        if ((from_file && !said[f]) || (*row->facts[f] && !item->facts[f]))
            return nod_fail_memory(l->err, "facts of a case", sizeof said);
    }
    return 0;
}

static const char *key_of(const listing_dicom *l, const nod_dicom_header *h)
{
    switch (nod_label_table_level(l->labels)) {
    case NOD_LEVEL_PATIENT:
        return h->patient_id;
    case NOD_LEVEL_STUDY:
        return h->study_uid;
    default:
        return h->series_uid;
    }
}

static int add_stack(listing_dicom *l, const nod_dicom_header *h, const nod_strlist *names)
{
    nod_item item = {.array = "", .index = -1, .official = NOD_PART_OUT};
    const nod_label_row *row = nod_label_table_find(l->labels, key_of(l, h));
    if (row == NULL) {
        l->n_unlabelled++;
        nod_listing_exclude(l->out, "no label", 1);
        return 0;
    }
    if (has_bar(names))
        return nod_listing_add_problem(l->out, names->items[0],
                                       "its name has a '|', which separates names in a cohort; "
                                       "rename it",
                                       l->err);
    int rc = name_files(l, names, &item);
    if (rc == 0) rc = take_facts(l, h, row, &item);
    if (rc) return rc;
    nod_arena *a = &l->out->arena;
    item.official = row->official;
    item.label = nod_arena_strdup(a, row->label);
    item.patient = patient_of(l, h);
    item.other_ids = other_ids_of(l, h);
    item.person = nod_arena_strdup(a, h->person);
    item.study = nod_arena_strdup(a, h->study_uid);
    item.series = nod_arena_strdup(a, h->series_uid);
    item.frame_of_reference =
        nod_arena_strdup(a, h->identity_removed ? "" : h->frame_of_reference_uid);
    if (!item.label || !item.patient || !item.other_ids || !item.person || !item.study ||
        !item.series || !item.frame_of_reference)
        return nod_fail_memory(l->err, "a case", sizeof item);
    l->out->has_patients |= *item.patient != '\0';
    l->out->multilabel |= strchr(item.label, '|') != NULL;
    return nod_listing_add(l->out, &item, l->err);
}

/* A series of several stacks is one case, which its policy refuses by name, or a case each. */
static bool is_split(const listing_dicom *l)
{
    return l->o->policies && l->o->policies->of[NOD_FINDING_SEVERAL_STACKS] == NOD_POLICY_SPLIT;
}

static int add_series(listing_dicom *l, size_t i_series)
{
    const nod_dicom_series *s = &l->scan.series[i_series];
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = 0;
    for (size_t k = 0; k < s->stacks.n && rc == 0; k++) {
        NOD_TRY(nod_dicom_stack_files(&l->scan, i_series, k, &names, l->err));
        bool alone = is_split(l) || s->stacks.items[k].projection || k + 1 == s->stacks.n;
        if (!alone) continue; /* its files join those of the stacks that follow */
        rc = add_stack(l, nod_dicom_stack_header(&l->scan, i_series, k), &names);
        nod_strlist_done(&names);
        names = (nod_strlist)NOD_STRLIST_INIT;
    }
out:
    nod_strlist_done(&names);
    return rc;
}

static int add_problems(listing_dicom *l)
{
    int rc = 0;
    for (size_t i = 0; i < l->scan.n_problems && rc == 0; i++)
        rc = nod_listing_add_problem(l->out, l->scan.problems[i].name,
                                     l->scan.problems[i].message, l->err);
    return rc;
}

static void say_labels(const listing_dicom *l)
{
    const char *level = nod_level_name(nod_label_table_level(l->labels));
    size_t unused = nod_label_table_unused(l->labels);
    if (l->n_unlabelled)
        nod_warn(l->o->log, "%zu series or images have no label in %s and are left out",
                 l->n_unlabelled, l->o->labels);
    if (l->n_dummies)
        nod_warn(l->o->log,
                 "%zu series or images have a patient id that stands for nobody (removed, "
                 "anonymous, 123456 ...); their patients count as unknown",
                 l->n_dummies);
    if (unused)
        nod_warn(l->o->log, "%zu of %zu rows of %s name a %s that is not there, or not chosen",
                 unused, nod_label_table_rows(l->labels), l->o->labels, level);
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    listing_dicom l = {.o = o, .out = out, .err = err};
    nod_dicom_choice choice = {0};
    int rc = 0;
    if (o->labels == NULL)
        return nod_fail(err, NOD_EINVAL,
                        "%s is a DICOM tree; its labels come from a table: --labels TABLE.csv "
                        "with the columns patient, study or series, and label",
                        path);
    NOD_TRY(nod_label_table_read(o->labels, o->log, &l.labels, err));
    NOD_TRY(nod_dicom_scan_tree(path, NULL, &l.scan, err));
    out->root = nod_arena_strdup(&out->arena, path);
    if (out->root == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(nod_dicom_choose(
        &l.scan, o->series, nod_label_table_level(l.labels) == NOD_LEVEL_SERIES, &choice, err));
    for (size_t i = 0; i < choice.n; i++)
        NOD_TRY(add_series(&l, choice.series[i]));
    NOD_TRY(add_problems(&l));
    out->label_level = nod_label_table_level(l.labels);
    out->phi = true;
    say_labels(&l);
out:
    nod_dicom_choice_done(&choice);
    nod_dicom_scan_done(&l.scan);
    nod_label_table_free(l.labels);
    return rc;
}

const nod_source_layout nod_source_layout_dicom = {
    .name = "dicom",
    .about = "a tree of DICOM files, and a table of labels by patient, study or series",
    .detect = detect,
    .list = list,
};
