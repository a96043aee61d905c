/* dicom.c: a tree of DICOM files, and a table of labels by patient, study or series. Patients are the
 * files' own: issuer and PatientID. */
#include <string.h>

#include "base/file.h"
#include "data/label_table.h"
#include "data/layouts/dicom_case.h"
#include "data/layouts/item.h"
#include "data/layouts/table.h"
#include "imaging/dicom/header.h"

#define DETECT_FILES 32 /* looked at before a tree is said not to be DICOM */
#define DETECT_DEPTH 8

typedef struct listing_dicom {
    const nod_index_options *o;
    nod_listing *out;
    nod_label_table *labels;
    nod_dicom_met met;
    size_t n_unlabelled;
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

static bool detect(const char *path, const nod_index_options *o)
{
    int left = DETECT_FILES;
    if (!nod_path_is_dir(path)) return is_dicom(path);
    return detect_below(path, 0, &left) && (o->labels || !nod_folder_has_dicom_classes(path));
}

/* --- cases -------------------------------------------------------------------------------- */

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

/* What the row of the table says; it stays until the listing is complete. */
static bool take(void *ctx, const nod_dicom_header *h, nod_item *item)
{
    listing_dicom *l = ctx;
    const nod_label_row *row = nod_label_table_find(l->labels, key_of(l, h));
    if (row == NULL) {
        l->n_unlabelled++;
        nod_listing_exclude(l->out, "no label", 1);
        return false;
    }
    item->official = row->official;
    item->label = row->label;
    for (int f = 0; f < NOD_FACTS; f++)
        item->facts[f] = row->facts[f];
    return true;
}

/* Strings of the table become the listing's own. */
static int keep_rows(listing_dicom *l)
{
    for (size_t i = 0; i < l->out->n; i++) {
        nod_item *item = &l->out->items[i];
        item->label = nod_arena_strdup(&l->out->arena, item->label);
        bool ok = item->label != NULL;
        for (int f = 0; f < NOD_FACTS && ok; f++)
            if (item->facts[f] && *item->facts[f])
                ok =
                    (item->facts[f] = nod_arena_strdup(&l->out->arena, item->facts[f])) != NULL;
        if (!ok) return nod_fail_memory(l->err, "labels", l->out->n);
    }
    return 0;
}

static void say_labels(const listing_dicom *l)
{
    const char *level = nod_level_name(nod_label_table_level(l->labels));
    size_t unused = nod_label_table_unused(l->labels);
    if (l->n_unlabelled)
        nod_warn(l->o->log, "%zu series or images have no label in %s and are left out",
                 l->n_unlabelled, l->o->labels);
    nod_dicom_met_warn(&l->met, l->o->log);
    if (unused)
        nod_warn(l->o->log, "%zu of %zu rows of %s name a %s that is not there, or not chosen",
                 unused, nod_label_table_rows(l->labels), l->o->labels, level);
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    listing_dicom l = {.o = o, .out = out, .err = err};
    const nod_dicom_labeller labeller = {take, &l};
    int rc = 0;
    if (o->labels == NULL)
        return nod_fail(err, NOD_EINVAL,
                        "%s is a DICOM tree; its labels come from a table: --labels TABLE.csv "
                        "with the columns patient, study or series, and label; or, where each "
                        "folder in it is a class, from their names: --layout folder",
                        path);
    NOD_TRY(nod_label_table_read(o->labels, o->log, &l.labels, err));
    out->root = nod_arena_strdup(&out->arena, path);
    if (out->root == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(nod_dicom_cases_add(out, o, "", nod_label_table_level(l.labels) == NOD_LEVEL_SERIES,
                                &labeller, &l.met, err));
    NOD_TRY(keep_rows(&l));
    NOD_TRY(nod_listing_sort(out, err));
    out->label_level = nod_label_table_level(l.labels);
    out->phi = true;
    say_labels(&l);
out:
    nod_label_table_free(l.labels);
    return rc;
}

const nod_source_layout nod_source_layout_dicom = {
    .name = "dicom",
    .about = "a tree of DICOM files, and a table of labels by patient, study or series",
    .takes = NOD_LAYOUT_TAKES_LABELS | NOD_LAYOUT_TAKES_SERIES,
    .detect = detect,
    .list = list,
};
