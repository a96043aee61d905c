/* survey_dicom.c: the stacks of a scan as images of a survey, and running numbers for whose they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/patient.h"
#include "data/survey_internal.h"

/* --- one stack ---------------------------------------------------------------------------- */

static void set_facts(const nod_dicom_header *h, const nod_dicom_stack *k, nod_image_facts *f)
{
    snprintf(f->modality, sizeof f->modality, "%s", h->modality);
    snprintf(f->photometric, sizeof f->photometric, "%s", h->photometric);
    snprintf(f->intent, sizeof f->intent, "%s", h->intent);
    snprintf(f->view, sizeof f->view, "%s", h->view);
    f->laterality = h->laterality[0];
    f->axis = k->axis;
}

/* The names of the transfer syntaxes of a stack's files, each once. */
static char *list_syntaxes(const nod_dicom_scan *scan, const nod_dicom_series *series,
                           const nod_dicom_stack *k)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_strbuf text = NOD_STRBUF_INIT;
    const char *last = NULL;
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++) {
        if (k->slices[i].file == NOD_DICOM_NO_FILE) continue;
        const char *uid =
            scan->entries[series->first + k->slices[i].file].header.transfer_syntax;
        if (last && strcmp(last, uid) == 0) continue;
        last = uid;
        const char *name = nod_dicom_syntax_name(uid);
        if (nod_strlist_find(&names, name) >= 0) continue;
        if (!nod_strlist_add(&names, name)) text.failed = true;
        nod_strbuf_printf(&text, "%s%s", text.len ? "; " : "", name);
    }
    nod_strlist_done(&names);
    char *list = text.failed ? NULL : nod_strdup(text.data);
    nod_strbuf_done(&text);
    return list;
}

static char *folder_of(const nod_survey_work *w, const char *root, const char *file)
{
    char *name = nod_survey_name(w, root, file);
    char *folder = name ? nod_path_dir(name) : NULL;
    nod_free(name);
    return folder;
}

static int set_ids(const nod_survey_work *w, const nod_dicom_scan *scan,
                   const nod_dicom_series *series, const nod_dicom_header *h,
                   nod_survey_image *im, nod_error *err)
{
    bool shown = w->o->show_ids;
    im->name =
        shown ? folder_of(w, scan->root, scan->entries[series->first].name) : nod_strdup("");
    im->patient_id = nod_strdup(shown ? h->patient_id : "");
    im->study_uid = nod_strdup(shown ? h->study_uid : "");
    im->series_uid = nod_strdup(shown ? h->series_uid : "");
    im->description = nod_strdup(shown ? h->series_description : "");
    bool ok = im->name && im->patient_id && im->study_uid && im->series_uid && im->description;
    return ok ? 0 : nod_fail_memory(err, "ids", sizeof *h);
}

static int add_stack(nod_survey_work *w, size_t i_scan, size_t i_series, size_t i_stack,
                     nod_error *err)
{
    const nod_dicom_scan *scan = &w->scans[i_scan];
    const nod_dicom_series *series = &scan->series[i_series];
    const nod_dicom_stack *k = &series->stacks.items[i_stack];
    const nod_dicom_header *h = nod_dicom_stack_header(scan, i_series, i_stack);
    nod_strlist files = NOD_STRLIST_INIT;
    nod_survey_image *im;
    nod_survey_origin *origin;
    int rc = nod_survey_add_image(w, &im, &origin, err);
    if (rc) return rc;
    *origin = (nod_survey_origin){.scan = scan, .i_series = i_series, .i_stack = i_stack};
    im->patient = (int64_t)scan->studies[series->study].patient;
    im->study = (int64_t)series->study;
    im->series = (int64_t)i_series;
    im->stack = (int64_t)i_stack + 1;
    im->n_stacks = (int64_t)series->stacks.n;
    im->format = "DICOM";
    im->geometry = k->geometry;
    im->frames = k->n_phases;
    im->channels = strcmp(h->photometric, "PALETTE COLOR") == 0 ? 3 : h->samples;
    set_facts(h, k, &im->facts);
    /* Samples of 4 bytes (colours less), a byte a pixel while padding is gathered. */
    origin->bytes =
        (size_t)h->rows * (size_t)h->columns * (size_t)(k->n_slices * k->n_phases) * 5;
    NOD_TRY(set_ids(w, scan, series, h, im, err));
    NOD_TRY(nod_dicom_stack_files(scan, i_series, i_stack, &files, err));
    im->n_files = files.n;
    im->coding = list_syntaxes(scan, series, k);
    if (im->coding == NULL) rc = nod_fail_memory(err, "transfer syntaxes", 64);
    if (rc == 0)
        rc = nod_dicom_stack_judge(scan, i_series, i_stack, &w->policies, "", &im->findings,
                                   err);
out:
    nod_strlist_done(&files);
    return rc;
}

/* --- all of a scan ------------------------------------------------------------------------ */

static int count_silent(nod_survey *s, const nod_dicom_header *h, nod_error *err)
{
    size_t i = 0;
    while (i < s->n_silent && strcmp(s->silent[i].modality, h->modality) != 0)
        i++;
    if (i == s->n_silent) {
        if (!nod_grow((void **)&s->silent, &s->silent_cap, i + 1, sizeof *s->silent))
            return nod_fail_memory(err, "counts", (i + 1) * sizeof *s->silent);
        s->silent[i] = (nod_survey_silent){.n = 0};
        snprintf(s->silent[i].modality, sizeof s->silent[i].modality, "%s", h->modality);
        s->n_silent++;
    }
    s->silent[i].n++;
    return 0;
}

int nod_survey_add_dicom(nod_survey_work *w, size_t i_scan, nod_error *err)
{
    const nod_dicom_scan *scan = &w->scans[i_scan];
    nod_survey *s = w->s;
    int rc = 0;
    s->n_files += scan->n_files;
    s->n_dicom += scan->n_entries;
    for (size_t i = 0; i < scan->n_series && rc == 0; i++)
        for (size_t k = 0; k < scan->series[i].stacks.n && rc == 0; k++)
            rc = add_stack(w, i_scan, i, k, err);
    for (size_t i = 0; i < scan->n_entries && rc == 0; i++)
        if (!scan->entries[i].header.is_image)
            rc = count_silent(s, &scan->entries[i].header, err);
    for (size_t i = 0; i < scan->findings.n && rc == 0; i++)
        rc = nod_findings_add(&s->findings, err, scan->findings.items[i].kind, "%s",
                              scan->findings.items[i].detail);
    for (size_t i = 0; i < scan->n_problems && rc == 0; i++)
        rc = nod_survey_add_problem(w, scan->root, scan->problems[i].name,
                                    scan->problems[i].message, scan->problems[i].code, err);
    return rc;
}

/* --- running numbers ---------------------------------------------------------------------- */

/* Something that several scans may have: equal texts get one number. */
typedef struct key {
    const char *text[4];
    size_t i_scan, index;
    int64_t number;
} key;

static int compare_keys(const void *a, const void *b)
{
    const key *x = a, *y = b;
    for (size_t i = 0; i < NOD_COUNT(x->text); i++) {
        int c = strcmp(x->text[i], y->text[i]);
        if (c) return c;
    }
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const key *x = a, *y = b;
    if (x->i_scan != y->i_scan) return x->i_scan < y->i_scan ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Numbers from 1; returns how many. Afterwards keys are in the order of scans and indices. */
static size_t number_keys(key *keys, size_t n)
{
    int64_t number = 0;
    if (n > 1) qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || compare_keys(&keys[i - 1], &keys[i]) != 0) number++;
        keys[i].number = number;
    }
    if (n > 1) qsort(keys, n, sizeof *keys, compare_places);
    return (size_t)number;
}

/* Keys of one level of all scans: 0 patients, 1 studies, 2 series. */
static size_t fill_keys(const nod_survey_work *w, int level, key *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_scans; i++) {
        const nod_dicom_scan *scan = &w->scans[i];
        size_t last = SIZE_MAX;
        for (size_t k = 0; k < scan->n_series; k++) {
            const nod_dicom_header *h = &scan->entries[scan->series[k].first].header;
            size_t study = scan->series[k].study, patient = scan->studies[study].patient;
            size_t index = level == 0 ? patient : level == 1 ? study : k;
            if (index == last) continue;
            last = index;
            keys[n++] = (key){{h->patient_id, h->patient_issuer, level >= 1 ? h->study_uid : "",
                               level == 2 ? h->series_uid : ""},
                              i,
                              index,
                              0};
        }
    }
    return n;
}

/* Replaces a scan's own index in every image. */
static void put_numbers(nod_survey_work *w, int level, const key *keys, size_t n)
{
    size_t i_scan = 0, first = 0;
    for (size_t i = 0; i < w->s->n_images; i++) {
        nod_survey_image *im = &w->s->images[i];
        int64_t *number = level == 0 ? &im->patient : level == 1 ? &im->study : &im->series;
        while (&w->scans[i_scan] != w->origins[i].scan) {
            while (first < n && keys[first].i_scan == i_scan)
                first++;
            i_scan++;
        }
        *number = keys[first + (size_t)*number].number;
    }
}

int nod_survey_number(nod_survey_work *w, nod_error *err)
{
    size_t n_most = 0, n_found[3];
    for (size_t i = 0; i < w->n_scans; i++)
        n_most += w->scans[i].n_series;
    key *keys = nod_calloc(n_most + 1, sizeof *keys);
    if (keys == NULL) return nod_fail_memory(err, "running numbers", n_most * sizeof *keys);
    for (int level = 2; level >= 0; level--) {
        size_t n = fill_keys(w, level, keys);
        n_found[level] = number_keys(keys, n);
        put_numbers(w, level, keys, n);
    }
    w->s->n_patients = n_found[0];
    w->s->n_studies = n_found[1];
    w->s->n_series = n_found[2];
    nod_free(keys);
    return 0;
}

/* --- names under the site's key --------------------------------------------------------------- */

/* Ids that stand for nobody are nobody's. */
static int show_patient(const nod_site_key *site_key, const nod_dicom_header *h,
                        char out[NOD_SHOWN_PATIENT], nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_patient_add_key(&b, h->patient_issuer, h->patient_id);
    int rc = b.failed ? nod_fail_memory(err, "a patient's key", NOD_DICOM_ID) : 0;
    bool is_nobody = *h->patient_id == '\0' || nod_patient_is_dummy(b.data, true);
    if (rc == 0) rc = nod_site_key_patient(site_key, is_nobody ? "" : b.data, out, err);
    nod_strbuf_done(&b);
    return rc;
}

int nod_survey_show_patients(nod_survey_work *w, nod_error *err)
{
    const nod_survey_image *last = NULL;
    int rc = 0;
    for (size_t i = 0; i < w->s->n_images && rc == 0 && w->o->key; i++) {
        nod_survey_image *im = &w->s->images[i];
        const nod_survey_origin *o = &w->origins[i];
        if (last && last->patient == im->patient)
            memcpy(im->shown, last->shown, sizeof im->shown);
        else
            rc = show_patient(w->o->key,
                              nod_dicom_stack_header(o->scan, o->i_series, o->i_stack),
                              im->shown, err);
        last = im;
    }
    return rc;
}
