/* scan.c: the headers of many files, read on all threads, and what belongs together.
 *
 * Files are read in pieces of a fixed number; each thread has a reader of its own. Results are
 * gathered in the order of the names, so that they do not depend on the threads. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/series.h"

#define PIECE 32 /* files that one task reads */

/* --- reading ------------------------------------------------------------------------------ */

typedef enum outcome { OUTCOME_FOREIGN, OUTCOME_HEADER, OUTCOME_PROBLEM } outcome;

typedef struct result {
    outcome outcome;
    int code;
    char *message; /* NULL where memory was refused for it */
    nod_dicom_header header;
} result;

typedef struct reading {
    const char *root;
    const nod_strlist *names;
    result *results;
    const nod_dicom_watch *watch;
    atomic_size_t n_done;
    atomic_flag in_watch;
} reading;

static int read_one(nod_archive_reader *r, const char *name, result *out, nod_error *err)
{
    nod_dicom_file *file = NULL;
    bool is_dicom = false;
    int rc = nod_archive_open(r, name, NOD_DICOM_HEADER, &is_dicom, &file, err);
    if (!rc && file != NULL) rc = nod_dicom_header_read(file, &out->header, err);
    nod_dicom_file_close(file);
    out->outcome = is_dicom ? OUTCOME_HEADER : OUTCOME_FOREIGN;
    if (!rc && !is_dicom && nod_has_suffix_nocase(name, ".dcm"))
        rc = nod_fail(err, NOD_EFORMAT, "%s/%s: not a DICOM file, in spite of its name",
                      r->root, name);
    return rc;
}

static void tell(reading *r, size_t n)
{
    size_t done = atomic_fetch_add(&r->n_done, n) + n;
    if (r->watch == NULL || atomic_flag_test_and_set(&r->in_watch)) return;
    r->watch->progress(r->watch->ctx, done, r->names->n);
    atomic_flag_clear(&r->in_watch);
}

static void read_piece(void *ctx, int64_t i_piece)
{
    reading *r = ctx;
    nod_archive_reader reader;
    size_t first = (size_t)i_piece * PIECE, end = NOD_MIN(first + PIECE, r->names->n);
    nod_archive_reader_init(&reader, r->root);
    for (size_t i = first; i < end; i++) {
        nod_error err = NOD_ERROR_INIT;
        result *out = &r->results[i];
        nod_dicom_header_clear(&out->header);
        out->code = read_one(&reader, r->names->items[i], out, &err);
        if (out->code == 0) continue;
        out->outcome = OUTCOME_PROBLEM;
        out->message = nod_strdup(err.message);
    }
    nod_archive_reader_done(&reader);
    tell(r, end - first);
}

static int add_problem(nod_dicom_scan *scan, size_t *cap, const char *name, int code,
                       char *message_take, /* NOLINT(readability-non-const-parameter): taken */
                       nod_error *err)
{
    nod_dicom_problem p = {nod_strdup(name), code, message_take};
    if (p.name == NULL || p.message == NULL ||
        !nod_grow((void **)&scan->problems, cap, scan->n_problems + 1, sizeof p)) {
        nod_free(p.name);
        nod_free(p.message);
        return nod_fail_memory(err, "the list of bad files", sizeof p);
    }
    scan->problems[scan->n_problems++] = p;
    return 0;
}

static int gather(reading *r, nod_dicom_scan *scan, size_t *cap_problems, nod_error *err)
{
    size_t cap = 0;
    int rc = 0;
    scan->n_files = r->names->n;
    for (size_t i = 0; !rc && i < r->names->n; i++) {
        result *from = &r->results[i];
        const char *name = r->names->items[i];
        if (from->outcome == OUTCOME_FOREIGN) {
            if (!nod_strlist_add(&scan->foreign, name))
                rc = nod_fail_memory(err, "file names", strlen(name));
        } else if (from->outcome == OUTCOME_PROBLEM) {
            rc = add_problem(scan, cap_problems, name, from->code, from->message, err);
            from->message = NULL;
        } else if (!nod_grow((void **)&scan->entries, &cap, scan->n_entries + 1,
                             sizeof *scan->entries)) {
            rc = nod_fail_memory(err, "headers", sizeof *scan->entries);
        } else {
            nod_dicom_entry *e = &scan->entries[scan->n_entries];
            e->name = nod_strdup(name);
            if (e->name == NULL) {
                rc = nod_fail_memory(err, "file names", strlen(name));
                break;
            }
            e->header = from->header;
            from->header.frames = NULL;
            scan->n_entries++;
        }
    }
    return rc;
}

/* --- what belongs together ---------------------------------------------------------------- */

static int compare_patients(const nod_dicom_header *a, const nod_dicom_header *b)
{
    int c = strcmp(a->patient_id, b->patient_id);
    return c ? c : strcmp(a->patient_issuer, b->patient_issuer);
}

static int compare_studies(const nod_dicom_header *a, const nod_dicom_header *b)
{
    int c = compare_patients(a, b);
    return c ? c : strcmp(a->study_uid, b->study_uid);
}

static int compare_series(const nod_dicom_header *a, const nod_dicom_header *b)
{
    int c = compare_studies(a, b);
    return c ? c : strcmp(a->series_uid, b->series_uid);
}

static int compare_entries(const void *a, const void *b)
{
    const nod_dicom_entry *x = a, *y = b;
    int c = compare_series(&x->header, &y->header);
    return c ? c : nod_compare_natural(x->name, y->name);
}

static int group_entries(nod_dicom_scan *s, nod_error *err)
{
    size_t n = NOD_MAX(s->n_entries, 1);
    s->patients = nod_calloc(n, sizeof *s->patients);
    s->studies = nod_calloc(n, sizeof *s->studies);
    s->series = nod_calloc(n, sizeof *s->series);
    if (!s->patients || !s->studies || !s->series)
        return nod_fail_memory(err, "the list of series", n * sizeof *s->series);
    if (s->n_entries > 1) qsort(s->entries, s->n_entries, sizeof *s->entries, compare_entries);
    for (size_t i = 0; i < s->n_entries; i++) {
        const nod_dicom_header *h = &s->entries[i].header;
        const nod_dicom_header *before = i ? &s->entries[i - 1].header : NULL;
        if (!before || compare_patients(before, h) != 0)
            s->patients[s->n_patients++] = (nod_dicom_patient){.first = s->n_studies};
        if (!before || compare_studies(before, h) != 0) {
            s->patients[s->n_patients - 1].n++;
            s->studies[s->n_studies++] =
                (nod_dicom_study){.patient = s->n_patients - 1, .first = s->n_series};
        }
        if (!before || compare_series(before, h) != 0) {
            s->studies[s->n_studies - 1].n++;
            s->series[s->n_series++] =
                (nod_dicom_series){.study = s->n_studies - 1, .first = i};
        }
        s->series[s->n_series - 1].n++;
    }
    return 0;
}

/* Stacks of all series. One that cannot be sorted out becomes a problem. */
static int build_stacks(nod_dicom_scan *s, size_t *cap_problems, nod_error *err)
{
    const nod_dicom_header **headers =
        nod_calloc(NOD_MAX(s->n_entries, 1), sizeof(const nod_dicom_header *));
    int rc = headers ? 0 : nod_fail_memory(err, "headers", s->n_entries * sizeof *headers);
    for (size_t i = 0; !rc && i < s->n_entries; i++)
        headers[i] = &s->entries[i].header;
    for (size_t i = 0; !rc && i < s->n_series; i++) {
        nod_dicom_series *series = &s->series[i];
        nod_error why = NOD_ERROR_INIT;
        rc = nod_dicom_stacks_build(headers + series->first, series->n, &series->stacks, &why);
        if (rc == NOD_ENOMEM) *err = why;
        if (rc && rc != NOD_ENOMEM)
            rc = add_problem(s, cap_problems, s->entries[series->first].name, rc,
                             nod_strdup(why.message), err);
    }
    nod_free(headers);
    return rc;
}

/* FOR PRESENTATION beside FOR PROCESSING, over everything that has an intent. */
static int check_intents(nod_dicom_scan *s, nod_error *err)
{
    const char *first = NULL;
    for (size_t i = 0; i < s->n_entries; i++) {
        const nod_dicom_header *h = &s->entries[i].header;
        if (!h->is_image || h->intent[0] == '\0') continue;
        if (first == NULL) first = h->intent;
        if (strcmp(first, h->intent) != 0)
            return nod_findings_add(&s->findings, err, NOD_FINDING_MIXED_INTENT,
                                    "'%s' beside '%s'", first, h->intent);
    }
    return 0;
}

static int compare_problems(const void *a, const void *b)
{
    return nod_compare_natural(((const nod_dicom_problem *)a)->name,
                               ((const nod_dicom_problem *)b)->name);
}

static int sort_out(nod_dicom_scan *s, size_t *cap_problems, nod_error *err)
{
    int rc = group_entries(s, err);
    if (!rc) rc = build_stacks(s, cap_problems, err);
    if (!rc) rc = check_intents(s, err);
    if (!rc && s->n_problems > 1)
        qsort(s->problems, s->n_problems, sizeof *s->problems, compare_problems);
    return rc;
}

/* --- scans -------------------------------------------------------------------------------- */

static int scan_names(const char *root, const nod_strlist *names, const nod_dicom_watch *watch,
                      nod_dicom_scan *out, nod_error *err)
{
    nod_dicom_scan scan = {.root = nod_strdup(root)};
    reading r = {.root = root, .names = names, .watch = watch, .in_watch = ATOMIC_FLAG_INIT};
    size_t cap_problems = 0;
    int rc = 0;
    r.results = nod_calloc(NOD_MAX(names->n, 1), sizeof *r.results);
    if (scan.root == NULL || r.results == NULL)
        rc = nod_fail_memory(err, "headers", names->n * sizeof *r.results);
    if (rc) goto out;
    nod_parallel_for((int64_t)((names->n + PIECE - 1) / PIECE), read_piece, &r);
    rc = gather(&r, &scan, &cap_problems, err);
    if (!rc) rc = sort_out(&scan, &cap_problems, err);
out:
    for (size_t i = 0; r.results != NULL && i < names->n; i++) {
        nod_dicom_header_done(&r.results[i].header);
        nod_free(r.results[i].message);
    }
    nod_free(r.results);
    if (rc)
        nod_dicom_scan_done(&scan);
    else
        *out = scan;
    return rc;
}

int nod_dicom_scan_tree(const char *path, const nod_dicom_watch *watch, nod_dicom_scan *out,
                        nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_archive_list(path, &names, err);
    if (!rc) rc = scan_names(path, &names, watch, out, err);
    nod_strlist_done(&names);
    return rc;
}

int nod_dicom_scan_files(const char *root, const nod_strlist *names, nod_dicom_scan *out,
                         nod_error *err)
{
    nod_dicom_scan scan;
    int rc = scan_names(root, names, NULL, &scan, err);
    if (rc) return rc;
    if (scan.n_problems > 0)
        rc = nod_fail(err, scan.problems[0].code, "%s", scan.problems[0].message);
    else if (scan.foreign.n > 0)
        rc = nod_fail(err, NOD_EFORMAT, "%s: %zu of %zu files are not DICOM", root,
                      scan.foreign.n, scan.n_files);
    if (rc)
        nod_dicom_scan_done(&scan);
    else
        *out = scan;
    return rc;
}

void nod_dicom_scan_done(nod_dicom_scan *s)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        nod_free(s->entries[i].name);
        nod_dicom_header_done(&s->entries[i].header);
    }
    for (size_t i = 0; i < s->n_series; i++)
        nod_dicom_stacks_done(&s->series[i].stacks);
    for (size_t i = 0; i < s->n_problems; i++) {
        nod_free(s->problems[i].name);
        nod_free(s->problems[i].message);
    }
    nod_free(s->root);
    nod_free(s->entries);
    nod_free(s->patients);
    nod_free(s->studies);
    nod_free(s->series);
    nod_free(s->problems);
    nod_strlist_done(&s->foreign);
    nod_findings_done(&s->findings);
    *s = (nod_dicom_scan){0};
}
