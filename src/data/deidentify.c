/* deidentify.c: the headers of a tree are scanned, every file gets the name of its copy, and the copies are
 * made by several threads in pieces. What is counted does not depend on their order. */
#include "data/deidentify.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/hide.h"
#include "base/hmac.h"
#include "base/memory.h"
#include "data/patient.h"
#include "data/workers.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/series.h"
#include "imaging/dicom/write.h"

#define PIECE         16   /* files that one thread takes at a time */
#define SHIFT_LEAST   366  /* days that dates go back, at least */
#define SHIFT_CHOICES 3287 /* and up to nine years more */
#define PATIENT_CHARS 19   /* "P-", 16 hex digits, NUL */

/* One file and its copy. */
typedef struct copy {
    const nod_dicom_entry *entry;
    char patient[PATIENT_CHARS]; /* "" for nobody */
    int shift_days;
    char *series; /* folder below out; owned */
    char *name;   /* of the copy below out; owned */
    bool is_made;
    char *reason; /* why not; owned */
} copy;

typedef struct tree {
    const char *in, *out;
    const nod_deid_options *o;
    nod_deid_result *result;
    nod_dicom_scan scan;
    copy *copies;       /* as scan.entries */
    const char **names; /* of scan.entries, sorted; borrowed */
    pthread_mutex_t lock;
    size_t n_done;
} tree;

/* --- names under the key ------------------------------------------------------------------------ */

static int code_of(const tree *t, const char *purpose, const char *text,
                   uint8_t code[NOD_SHA256_BYTES], nod_error *err)
{
    return nod_hmac_sha256_text(t->o->key->bytes, sizeof t->o->key->bytes, purpose, text, code,
                                err);
}

static void put_hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* Pseudonym and shift of a file's patient; where there is none, a shift for its study. */
static int find_subject(const tree *t, const nod_dicom_header *h, copy *c, nod_error *err)
{
    uint8_t code[NOD_SHA256_BYTES];
    nod_strbuf key = NOD_STRBUF_INIT;
    nod_patient_add_key(&key, h->patient_issuer, h->patient_id);
    int rc = key.failed ? nod_fail_memory(err, "a patient", key.len) : 0;
    bool is_nobody = rc == 0 && nod_patient_is_dummy(key.data, true);
    if (rc == 0 && !is_nobody) {
        rc = code_of(t, "deidentified patient", key.data, code, err);
        memcpy(c->patient, "P-", 3);
        if (rc == 0) put_hex(code, 8, c->patient + 2);
    }
    if (rc == 0)
        rc = code_of(t, is_nobody ? "date shift of a study" : "date shift",
                     is_nobody ? h->study_uid : key.data, code, err);
    nod_strbuf_done(&key);
    if (rc != 0) return rc;
    uint32_t draw = (uint32_t)code[0] << 16 | (uint32_t)code[1] << 8 | code[2];
    c->shift_days = -(SHIFT_LEAST + (int)(draw % SHIFT_CHOICES));
    return 0;
}

/* The hash of a new UID as a name of 2 n characters. */
static int name_of(const tree *t, const char *uid, size_t n, char *out, nod_error *err)
{
    uint8_t code[NOD_SHA256_BYTES];
    int rc = code_of(t, "name of a copy", uid, code, err);
    if (rc == 0) put_hex(code, n, out);
    return rc;
}

static int name_copy(const tree *t, copy *c, nod_error *err)
{
    const nod_dicom_header *h = &c->entry->header;
    char study[13], series[13], object[17];
    int rc = find_subject(t, h, c, err);
    if (rc == 0) rc = name_of(t, h->study_uid, 6, study, err);
    if (rc == 0) rc = name_of(t, h->series_uid, 6, series, err);
    if (rc == 0) rc = name_of(t, h->sop_uid, 8, object, err);
    if (rc != 0) return rc;
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_printf(&b, "%s/%s/%s", c->patient[0] ? c->patient : "P-unknown", study, series);
    c->series = nod_strbuf_take(&b);
    nod_strbuf_done(&b);
    nod_strbuf_printf(&b, "%s/%s.dcm", c->series ? c->series : "", object);
    c->name = nod_strbuf_take(&b);
    nod_strbuf_done(&b);
    return c->series && c->name ? 0 : nod_fail_memory(err, "names of copies", 128);
}

static int by_name(const void *a, const void *b)
{
    const copy *x = *(const copy *const *)a, *y = *(const copy *const *)b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->entry->name, y->entry->name);
}

/* Files with one SOP Instance UID are copied as often as they are there: "x.dcm", "x-2.dcm". */
static int tell_apart(tree *t, nod_error *err)
{
    size_t n = t->scan.n_entries, run = 0;
    copy **order = nod_calloc(n + 1, sizeof(copy *));
    if (order == NULL) return nod_fail_memory(err, "names of copies", n * sizeof(copy *));
    for (size_t i = 0; i < n; i++)
        order[i] = &t->copies[i];
    qsort(order, n, sizeof(copy *), by_name);
    int rc = 0;
    for (size_t i = n; rc == 0 && i-- > 1;) { /* from behind: names before are still whole */
        run = 0;
        for (size_t k = i; k > 0 && strcmp(order[k - 1]->name, order[i]->name) == 0; k--)
            run++;
        if (run == 0) continue;
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_addn(&b, order[i]->name, strlen(order[i]->name) - strlen(".dcm"));
        nod_strbuf_printf(&b, "-%zu.dcm", run + 1);
        char *name = nod_strbuf_take(&b);
        nod_strbuf_done(&b);
        if (name == NULL) rc = nod_fail_memory(err, "names of copies", 128);
        if (name != NULL) nod_free(order[i]->name);
        if (name != NULL) order[i]->name = name;
    }
    nod_free(order);
    return rc;
}

/* --- one file ----------------------------------------------------------------------------------- */

/* No path of the source in it. */
static void hide_source(const tree *t, const char *name, nod_error *err)
{
    const char *mark = strstr(name, NOD_ARCHIVE_MARK);
    char *path = *name ? nod_path_join(t->in, name) : nod_strdup(t->in);
    if (path != NULL) nod_error_hide(err, path, "");
    if (*name) nod_error_hide(err, name, "");
    if (mark) nod_error_hide(err, mark + strlen(NOD_ARCHIVE_MARK), "");
    nod_error_hide(err, t->in, "");
    nod_free(path);
}

static int write_copy(const tree *t, const copy *c, const nod_dicom_file *file, nod_error *err)
{
    char *path = nod_path_join(t->out, c->name), *folder = nod_path_join(t->out, c->series);
    int rc = path && folder ? nod_dir_make(folder, err) : nod_fail_memory(err, "a path", 256);
    if (rc == 0) rc = nod_dicom_write(file, path, err);
    nod_free(path);
    nod_free(folder);
    return rc;
}

/* *passed: what went wrong is the file's own fault. */
static int copy_file(const tree *t, nod_archive_reader *reader, const copy *c,
                     nod_deid_outcome *outcome, bool *passed, nod_error *err)
{
    nod_deid_subject subject = {.patient = c->patient,
                                .shift_days = c->shift_days,
                                .key = t->o->key->bytes,
                                .key_size = sizeof t->o->key->bytes};
    nod_dicom_file *file = NULL;
    bool is_dicom = false;
    int rc = nod_archive_open(reader, c->entry->name, NOD_DICOM_WHOLE, &is_dicom, &file, err);
    if (rc == 0 && file == NULL) rc = nod_fail(err, NOD_EFORMAT, "no DICOM file any more");
    if (rc == 0) rc = nod_dicom_deidentify(file, &subject, outcome, err);
    *passed = rc != 0 && rc != NOD_ENOMEM;
    if (rc == 0) {
        rc = write_copy(t, c, file, err);
        *passed = rc == NOD_EFORMAT;
    }
    nod_dicom_file_close(file);
    return rc;
}

static int keep_name(nod_strlist *list, const char *series, nod_error *err)
{
    if (nod_strlist_find(list, series) >= 0 || nod_strlist_add(list, series)) return 0;
    return nod_fail_memory(err, "names of series", strlen(series));
}

static int keep_outcome(nod_deid_result *r, const copy *c, const nod_deid_outcome *o,
                        nod_error *err)
{
    int rc = nod_deid_outcome_add(&r->sum, o, err);
    r->n_copied++;
    r->n_nobody += c->patient[0] == '\0';
    if (rc == 0 && o->burned_in == NOD_DEID_BURNED_IN_YES)
        rc = keep_name(&r->burned_in, c->series, err);
    if (rc == 0 && o->burned_in == NOD_DEID_BURNED_IN_LIKELY)
        rc = keep_name(&r->likely_burned_in, c->series, err);
    if (rc == 0 && o->has_face) rc = keep_name(&r->faces, c->series, err);
    return rc;
}

static int do_one(tree *t, nod_archive_reader *reader, copy *c, nod_error *err)
{
    nod_deid_outcome outcome = {0};
    bool passed = false;
    int rc = copy_file(t, reader, c, &outcome, &passed, err);
    if (rc != 0) hide_source(t, c->entry->name, err);
    pthread_mutex_lock(&t->lock);
    if (rc == 0) {
        c->is_made = true;
        rc = keep_outcome(t->result, c, &outcome, err);
    } else if (passed) {
        c->reason = nod_strdup(err->message);
        rc = c->reason ? 0 : nod_fail_memory(err, "a reason", sizeof err->message);
    }
    t->n_done++;
    if (t->o->progress) t->o->progress(t->o->ctx, "copying", t->n_done, t->scan.n_entries);
    pthread_mutex_unlock(&t->lock);
    nod_deid_outcome_done(&outcome);
    return rc;
}

static int do_piece(void *ctx, size_t i_piece, nod_error *err)
{
    tree *t = ctx;
    nod_archive_reader reader;
    size_t first = i_piece * PIECE, end = NOD_MIN(first + PIECE, t->scan.n_entries);
    int rc = 0;
    nod_archive_reader_init(&reader, t->in);
    for (size_t i = first; rc == 0 && i < end; i++)
        rc = do_one(t, &reader, &t->copies[i], err);
    nod_archive_reader_done(&reader);
    return rc;
}

/* --- the whole ---------------------------------------------------------------------------------- */

/* One path within the other, or the same. */
static bool is_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static int check_map(const tree *t, const char *out, nod_error *err)
{
    char *folder = nod_path_dir(t->o->map);
    char *real = folder ? nod_path_real(folder) : NULL;
    int rc = 0;
    if (real == NULL)
        rc = nod_fail(err, NOD_ENOENT, "%s: its folder does not exist", t->o->map);
    else if (is_within(real, out))
        rc = nod_fail(err, NOD_EINVAL,
                      "%s: the map names the sources, so it must not lie among the copies",
                      t->o->map);
    nod_free(real);
    nod_free(folder);
    return rc;
}

static int check_places(const tree *t, nod_error *err)
{
    nod_strlist there = NOD_STRLIST_INIT;
    int rc = nod_dir_make(t->out, err);
    char *in = rc == 0 ? nod_path_real(t->in) : NULL,
         *out = rc == 0 ? nod_path_real(t->out) : NULL;
    if (rc == 0 && in == NULL)
        rc = nod_fail(err, NOD_ENOENT, "%s: no such file or folder", t->in);
    if (rc == 0 && out == NULL) rc = nod_fail_memory(err, "a path", 256);
    if (rc == 0 && (is_within(out, in) || (nod_path_is_dir(in) && is_within(in, out))))
        rc = nod_fail(
            err, NOD_EINVAL,
            "%s: copies and sources must lie apart, so that neither is taken for the other",
            t->out);
    if (rc == 0 && t->o->map != NULL) rc = check_map(t, out, err);
    if (rc == 0 && !t->o->overwrite) rc = nod_dir_list(t->out, &there, err);
    if (rc == 0 && there.n > 0)
        rc = nod_fail(
            err, NOD_EINVAL,
            "%s is not empty; --overwrite adds copies and replaces those of the same name",
            t->out);
    nod_strlist_done(&there);
    nod_free(in);
    nod_free(out);
    return rc;
}

static int refuse(nod_deid_result *r, const char *reason, nod_error *err)
{
    for (size_t i = 0; i < r->n_refusals; i++)
        if (strcmp(r->refusals[i].reason, reason) == 0) {
            r->refusals[i].n++;
            return 0;
        }
    if (!nod_grow((void **)&r->refusals, &r->cap_refusals, r->n_refusals + 1,
                  sizeof *r->refusals))
        return nod_fail_memory(err, "reasons", sizeof *r->refusals);
    char *copied = nod_strdup(reason);
    if (copied == NULL) return nod_fail_memory(err, "reasons", strlen(reason));
    r->refusals[r->n_refusals++] = (nod_deid_refusal){copied, 1};
    return 0;
}

static int by_count(const void *a, const void *b)
{
    const nod_deid_refusal *x = a, *y = b;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    return strcmp(x->reason, y->reason);
}

/* A problem of the scan in words without its name. */
static void reason_of(const tree *t, const nod_dicom_problem *p, nod_error *e)
{
    nod_fail(e, p->code, "%s", p->message ? p->message : "it cannot be read");
    hide_source(t, p->name, e);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files that could be read, by name. */
static int list_names(tree *t, nod_error *err)
{
    size_t n = t->scan.n_entries;
    t->names = nod_calloc(n + 1, sizeof(char *));
    if (t->names == NULL) return nod_fail_memory(err, "file names", n * sizeof(char *));
    for (size_t i = 0; i < n; i++)
        t->names[i] = t->scan.entries[i].name;
    qsort(t->names, n, sizeof(char *), by_text);
    return 0;
}

/* Series that cannot be sorted out are problems of the scan too; their files are copied. */
static bool is_entry(const tree *t, const char *name)
{
    return bsearch(&name, t->names, t->scan.n_entries, sizeof(char *), by_text) != NULL;
}

static int gather_refusals(tree *t, nod_error *err)
{
    nod_deid_result *r = t->result;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < t->scan.n_entries; i++)
        if (t->copies[i].reason) rc = refuse(r, t->copies[i].reason, err);
    for (size_t i = 0; rc == 0 && i < t->scan.n_problems; i++) {
        nod_error e = NOD_ERROR_INIT;
        if (is_entry(t, t->scan.problems[i].name)) continue;
        reason_of(t, &t->scan.problems[i], &e);
        rc = refuse(r, e.message, err);
    }
    if (r->n_refusals > 0) qsort(r->refusals, r->n_refusals, sizeof *r->refusals, by_count);
    return rc;
}

/* A UID of the source and that of the copy; two empty fields where there is none. */
static int add_uids(const tree *t, nod_strbuf *b, const char *uid, nod_error *err)
{
    char made[NOD_DICOM_UID_BYTES] = "";
    int rc = uid[0] ? nod_dicom_uid_under_key(t->o->key->bytes, sizeof t->o->key->bytes, uid,
                                              made, err)
                    : 0;
    nod_csv_add_field(b, uid, 0);
    nod_csv_add_field(b, made, 0);
    return rc;
}

/* Columns as in write_map; h NULL: nobody could read the header. */
static int add_row(const tree *t, nod_strbuf *b, const char *source, const copy *c,
                   const char *reason, nod_error *err)
{
    const nod_dicom_header *h = c ? &c->entry->header : NULL;
    nod_csv_add_field(b, source, 1);
    nod_csv_add_field(b, c && c->is_made ? c->name : "", 0);
    nod_csv_add_field(b, h ? h->patient_id : "", 0);
    nod_csv_add_field(b, c ? c->patient : "", 0);
    int rc = add_uids(t, b, h ? h->study_uid : "", err);
    if (rc == 0) rc = add_uids(t, b, h ? h->series_uid : "", err);
    nod_csv_add_field(b, reason ? reason : "", 0);
    nod_strbuf_addc(b, '\n');
    return rc;
}

static int add_rows(const tree *t, nod_strbuf *b, nod_error *err)
{
    int rc = 0;
    nod_strbuf_add(b, "source,copy,patient,copied_patient,study,copied_study,series,"
                      "copied_series,reason\n");
    for (size_t i = 0; rc == 0 && i < t->scan.n_entries; i++) {
        const copy *c = &t->copies[i];
        rc = add_row(t, b, c->entry->name, c, c->reason, err);
    }
    for (size_t i = 0; rc == 0 && i < t->scan.n_problems; i++) {
        nod_error e = NOD_ERROR_INIT;
        if (is_entry(t, t->scan.problems[i].name)) continue;
        reason_of(t, &t->scan.problems[i], &e);
        rc = add_row(t, b, t->scan.problems[i].name, NULL, e.message, err);
    }
    return rc;
}

/* Readable by its owner alone from the first byte on. */
static int write_map(const tree *t, nod_error *err)
{
    const char *path = t->o->map;
    nod_strbuf b = NOD_STRBUF_INIT;
    int rc = add_rows(t, &b, err);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!fchmod(fd, 0600);
        (void)close(fd);
    }
    if (rc == 0)
        rc = b.failed ? nod_fail_memory(err, "the map", b.len)
                      : nod_file_write(path, b.data, b.len, err);
    nod_strbuf_done(&b);
    return rc;
}

static int write_report(const tree *t, nod_error *err)
{
    char *path = nod_path_join(t->out, NOD_DEID_REPORT);
    nod_json *j = nod_deid_result_json(t->result);
    int rc = path ? nod_json_write(j, path, err) : nod_fail_memory(err, "a path", 256);
    nod_json_free(j);
    nod_free(path);
    return rc;
}

static int name_copies(tree *t, nod_error *err)
{
    size_t n = t->scan.n_entries;
    t->copies = nod_calloc(n + 1, sizeof *t->copies);
    int rc = t->copies ? 0 : nod_fail_memory(err, "names of copies", n * sizeof *t->copies);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        t->copies[i].entry = &t->scan.entries[i];
        rc = name_copy(t, &t->copies[i], err);
    }
    return rc == 0 ? tell_apart(t, err) : rc;
}

/* Distinct patients, studies and series of what was copied: folders, which are sorted as the scan is. */
static void count_groups(tree *t)
{
    nod_deid_result *r = t->result;
    const copy *last = NULL;
    for (size_t i = 0; i < t->scan.n_entries; i++) {
        const copy *c = &t->copies[i];
        if (!c->is_made) continue;
        bool same_study =
            last && strcmp(last->entry->header.study_uid, c->entry->header.study_uid) == 0;
        r->n_patients += c->patient[0] && !(last && strcmp(last->patient, c->patient) == 0);
        r->n_studies += !same_study;
        r->n_series += !(last && strcmp(last->series, c->series) == 0);
        last = c;
    }
}

static void on_scan(void *ctx, size_t done, size_t total)
{
    const tree *t = ctx;
    if (t->o->progress) t->o->progress(t->o->ctx, "reading headers", done, total);
}

static int run(tree *t, nod_error *err)
{
    nod_dicom_watch watch = {on_scan, t};
    nod_deid_result *r = t->result;
    int rc;
    NOD_TRY(check_places(t, err));
    NOD_TRY(nod_dicom_scan_tree(t->in, &watch, &t->scan, err));
    r->n_files = t->scan.n_files;
    r->n_foreign = t->scan.foreign.n;
    NOD_TRY(list_names(t, err));
    NOD_TRY(name_copies(t, err));
    NOD_TRY(nod_workers_run((t->scan.n_entries + PIECE - 1) / PIECE, 0, do_piece, t, err));
    NOD_TRY(gather_refusals(t, err));
    count_groups(t);
    nod_strlist_sort(&r->burned_in);
    nod_strlist_sort(&r->likely_burned_in);
    nod_strlist_sort(&r->faces);
    if (t->o->map) NOD_TRY(write_map(t, err));
    if (r->n_copied == 0)
        rc = nod_fail(
            err, NOD_EDATA,
            "nothing was copied: %zu files, %zu of them not DICOM, %zu for another reason%s%s",
            r->n_files, r->n_foreign, r->n_files - r->n_foreign,
            r->n_refusals ? ", such as: " : "", r->n_refusals ? r->refusals[0].reason : "");
    if (rc == 0) rc = write_report(t, err);
out:
    return rc;
}

int nod_deid_tree(const char *in, const char *out, const nod_deid_options *options,
                  nod_deid_result *result, nod_error *err)
{
    tree t = {.in = in, .out = out, .o = options, .result = result};
    *result = (nod_deid_result){0};
    pthread_mutex_init(&t.lock, NULL);
    int rc = run(&t, err);
    for (size_t i = 0; t.copies && i < t.scan.n_entries; i++) {
        nod_free(t.copies[i].series);
        nod_free(t.copies[i].name);
        nod_free(t.copies[i].reason);
    }
    nod_free(t.copies);
    nod_free(t.names);
    nod_dicom_scan_done(&t.scan);
    pthread_mutex_destroy(&t.lock);
    return rc;
}

void nod_deid_result_done(nod_deid_result *r)
{
    for (size_t i = 0; i < r->n_refusals; i++)
        nod_free(r->refusals[i].reason);
    nod_free(r->refusals);
    nod_deid_outcome_done(&r->sum);
    nod_strlist_done(&r->burned_in);
    nod_strlist_done(&r->likely_burned_in);
    nod_strlist_done(&r->faces);
    *r = (nod_deid_result){0};
}
