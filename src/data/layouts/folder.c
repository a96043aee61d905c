/* folder.c: class-per-folder images: DIR/CLASS/..., or DIR/{train,val,test}/CLASS/....
 *
 * Below a class folder images may lie at any depth (one folder a patient is common). A file counts as
 * an image by its name's ending or by its first bytes; others are skipped. DICOM files become series,
 * and their headers name the patients. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/dicom_case.h"
#include "data/layouts/item.h"
#include "data/layouts/table.h"
#include "imaging/reader.h"

#define DEPTH_MAX 16

typedef struct walk {
    nod_listing *out;
    const char *label; /* class of what is found */
    nod_part official;
    size_t skipped, n_dicom; /* files of DICOM, and archives that may hold some */
    nod_dicom_met met;
    const nod_index_options *o;
    nod_error *err;
} walk;

typedef enum what { WHAT_OTHER, WHAT_IMAGE, WHAT_DICOM } what;

static what look_at(const char *path)
{
    unsigned char head[NOD_IMAGE_SNIFF_BYTES];
    if (!nod_path_is_file(path)) return WHAT_OTHER;
    size_t n = nod_file_peek(path, head, sizeof head);
    if (nod_dicom_is(head, n) || nod_has_suffix_nocase(path, ".zip")) return WHAT_DICOM;
    return nod_image_has_ending(path) || nod_image_is_known(head, n) ? WHAT_IMAGE : WHAT_OTHER;
}

/* "" + b is b. */
static char *join(nod_arena *a, const char *folder, const char *name)
{
    return nod_arena_printf(a, "%s%s%s", folder, *folder ? "/" : "", name);
}

/* The entries of root/folder that are not hidden. */
static int list_visible(const nod_listing *l, const char *folder, nod_strlist *out,
                        nod_error *err)
{
    nod_strlist all = NOD_STRLIST_INIT;
    char *path = *folder ? nod_path_join(l->root, folder) : nod_strdup(l->root);
    int rc = path ? nod_dir_list(path, &all, err) : nod_fail_memory(err, "a path", 1);
    for (size_t i = 0; i < all.n && rc == 0; i++)
        if (all.items[i][0] != '.' && !nod_strlist_add(out, all.items[i]))
            rc = nod_fail_memory(err, "a list of files", all.n);
    nod_strlist_done(&all);
    nod_free(path);
    return rc;
}

static int walk_folder(walk *w, const char *folder, int depth);

static int walk_entry(walk *w, const char *folder, const char *entry, int depth)
{
    nod_listing *l = w->out;
    int rc = 0;
    char *name = join(&l->arena, folder, entry);
    char *path = name ? nod_path_join(l->root, name) : NULL;
    if (path == NULL) return nod_fail_memory(w->err, "a path", strlen(entry));
    what is = nod_path_is_dir(path) ? WHAT_OTHER : look_at(path);
    if (nod_path_is_dir(path)) {
        rc = walk_folder(w, name, depth + 1);
    } else if (is == WHAT_DICOM) {
        w->n_dicom++;
    } else if (is == WHAT_IMAGE) {
        nod_item item = {.name = name,
                         .array = "",
                         .index = -1,
                         .label = w->label,
                         .patient = "",
                         .official = w->official};
        rc = nod_listing_add(l, &item, w->err);
    } else {
        w->skipped++;
        nod_log_printf(w->o->log, NOD_LOG_DEBUG, "%s is not an image, skipped", name);
    }
    nod_free(path);
    return rc;
}

static int walk_folder(walk *w, const char *folder, int depth)
{
    nod_strlist names = NOD_STRLIST_INIT;
    if (depth > DEPTH_MAX)
        return nod_fail(w->err, NOD_ELIMIT,
                        "%s: folders are nested more than %d deep (a link in a circle?)",
                        folder, DEPTH_MAX);
    int rc = list_visible(w->out, folder, &names, w->err);
    for (size_t i = 0; i < names.n && rc == 0; i++)
        rc = walk_entry(w, folder, names.items[i], depth);
    nod_strlist_done(&names);
    return rc;
}

/* The sub-folders of root/folder that are not hidden. */
static int list_folders(const nod_listing *l, const char *folder, nod_strlist *out,
                        nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = list_visible(l, folder, &names, err);
    for (size_t i = 0; i < names.n && rc == 0; i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%s/%s%s%s", l->root, folder, *folder ? "/" : "", names.items[i]);
        if (b.failed || (nod_path_is_dir(b.data) && !nod_strlist_add(out, names.items[i])))
            rc = nod_fail_memory(err, "a list of folders", names.n);
        nod_strbuf_done(&b);
    }
    nod_strlist_done(&names);
    return rc;
}

/* What is DICOM in a class folder. */
static bool take(void *ctx, const nod_dicom_header *h, nod_item *item)
{
    const walk *w = ctx;
    (void)h;
    item->label = w->label;
    item->official = w->official;
    return true;
}

static int list_class(walk *w, const char *folder)
{
    const nod_dicom_labeller labeller = {take, w};
    size_t before = w->n_dicom;
    int rc = walk_folder(w, folder, 1);
    if (rc || w->n_dicom == before) return rc;
    return nod_dicom_cases_add(w->out, w->o, folder, false, &labeller, &w->met, w->err);
}

/* Class folders below root/folder; `folder` is "" or the folder of a part. */
static int list_classes(walk *w, const char *folder)
{
    nod_listing *l = w->out;
    nod_strlist classes = NOD_STRLIST_INIT;
    int rc = list_folders(l, folder, &classes, w->err);
    for (size_t i = 0; i < classes.n && rc == 0; i++) {
        const char *name = classes.items[i];
        char *sub = join(&l->arena, folder, name);
        w->label = nod_arena_strdup(&l->arena, name);
        if (sub == NULL || w->label == NULL ||
            (nod_strlist_find(&l->classes, name) < 0 && !nod_strlist_add(&l->classes, name)))
            rc = nod_fail_memory(w->err, "a class", strlen(name));
        else
            rc = list_class(w, sub);
    }
    nod_strlist_done(&classes);
    return rc;
}

/* Whether the folders are parts: all of them, and one is train. */
static bool are_parts(const nod_strlist *folders)
{
    bool train = false;
    for (size_t i = 0; i < folders->n; i++) {
        nod_part p;
        if (!nod_part_parse(folders->items[i], &p)) return false;
        train |= p == NOD_PART_TRAIN;
    }
    return train;
}

static int compare_names(const void *a, const void *b)
{
    return nod_compare_natural(*(char *const *)a, *(char *const *)b);
}

/* Folders of other layouts are no classes: what is missing for those is said. */
static int check_folders(const char *path, const nod_strlist *folders, nod_error *err)
{
    for (size_t i = 0; i < folders->n; i++) {
        const char *name = folders->items[i];
        nod_strbuf json = NOD_STRBUF_INIT;
        nod_strbuf_printf(&json, "%s/%s/%s", path, name, NOD_DATASET_JSON);
        bool holds_set = !json.failed && nod_path_is_file(json.data);
        nod_strbuf_done(&json);
        if (strcmp(name, "imagesTr") == 0 || strcmp(name, "labelsTr") == 0)
            return nod_fail(err, NOD_EDATA,
                            "%s has a folder %s, as nnU-Net and the Decathlon have, but no "
                            "dataset.json, which names the labels",
                            path, name);
        if (holds_set)
            return nod_fail(err, NOD_EDATA,
                            "%s holds data sets of nnU-Net or the Decathlon, folders with a "
                            "dataset.json; name one of them",
                            path);
    }
    return 0;
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    nod_strlist folders = NOD_STRLIST_INIT;
    walk w = {.out = out, .official = NOD_PART_OUT, .o = o, .err = err};
    int rc = 0;
    out->root = nod_arena_strdup(&out->arena, path);
    if (out->root == NULL) return nod_fail_memory(err, "a path", strlen(path));
    NOD_TRY(list_folders(out, "", &folders, err));
    NOD_TRY(check_folders(path, &folders, err));
    if (are_parts(&folders)) {
        for (size_t i = 0; i < folders.n; i++) {
            (void)!nod_part_parse(folders.items[i], &w.official);
            NOD_TRY(list_classes(&w, folders.items[i]));
        }
    } else {
        NOD_TRY(list_classes(&w, ""));
    }
    if (out->classes.n < 2) {
        rc = nod_fail(
            err, NOD_EDATA,
            "%s has %zu class folders, two or more are needed: DIR/CLASS/image.png; or "
            "write a CSV manifest with the columns path,label",
            path, out->classes.n);
        goto out;
    }
    qsort(out->classes.items, out->classes.n, sizeof *out->classes.items, compare_names);
    if (w.skipped > 0) nod_info(o->log, "%zu files are not images and were skipped", w.skipped);
    nod_dicom_met_warn(&w.met, o->log);
    if (w.n_dicom > 0) NOD_TRY(nod_listing_sort(out, err));
out:
    nod_strlist_done(&folders);
    return rc;
}

/* --- detection ---------------------------------------------------------------------------- */

/* A file of DICOM below root/folder, the first or the last by name, added to `out`. */
static void find_dicom(const nod_listing *l, const char *folder, bool last, int depth,
                       nod_strlist *out)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error ignored = NOD_ERROR_INIT;
    size_t before = out->n;
    if (depth > DEPTH_MAX || list_visible(l, folder, &names, &ignored) != 0) return;
    for (size_t i = 0; i < names.n && out->n == before; i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%s/%s", folder, names.items[last ? names.n - 1 - i : i]);
        char *path = b.failed ? NULL : nod_path_join(l->root, b.data);
        if (path && nod_path_is_dir(path))
            find_dicom(l, b.data, last, depth + 1, out);
        else if (path && look_at(path) == WHAT_DICOM)
            (void)!nod_strlist_add(out, b.data);
        nod_free(path);
        nod_strbuf_done(&b);
    }
    nod_strlist_done(&names);
}

/* Whether the first and the last file of DICOM below a folder are of two patients. */
static bool has_two_patients(const nod_listing *l, const char *folder)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_dicom_scan scan = {0};
    nod_error ignored = NOD_ERROR_INIT;
    bool two = false;
    find_dicom(l, folder, false, 1, &names);
    find_dicom(l, folder, true, 1, &names);
    if (names.n == 2 && strcmp(names.items[0], names.items[1]) != 0 &&
        nod_dicom_scan_files(l->root, &names, &scan, &ignored) == 0)
        two = scan.n_patients == 2;
    nod_dicom_scan_done(&scan);
    nod_strlist_done(&names);
    return two;
}

static bool has_class_below(const nod_listing *l, const char *folder)
{
    nod_strlist folders = NOD_STRLIST_INIT;
    nod_error ignored = NOD_ERROR_INIT;
    bool found = false;
    if (list_folders(l, folder, &folders, &ignored) == 0 && folders.n >= 2)
        for (size_t i = 0; i < folders.n && !found; i++) {
            nod_strbuf b = NOD_STRBUF_INIT;
            nod_strbuf_printf(&b, "%s%s%s", folder, *folder ? "/" : "", folders.items[i]);
            found = !b.failed && has_two_patients(l, b.data);
            nod_strbuf_done(&b);
        }
    nod_strlist_done(&folders);
    return found;
}

bool nod_folder_has_dicom_classes(const char *path)
{
    const nod_listing l = {.root = path};
    nod_strlist folders = NOD_STRLIST_INIT;
    nod_error ignored = NOD_ERROR_INIT;
    bool found = false;
    if (list_folders(&l, "", &folders, &ignored) == 0 && are_parts(&folders)) {
        for (size_t i = 0; i < folders.n && !found; i++)
            found = has_class_below(&l, folders.items[i]);
    } else {
        found = has_class_below(&l, "");
    }
    nod_strlist_done(&folders);
    return found;
}

static bool detect(const char *path, const nod_index_options *o)
{
    (void)o;
    return nod_path_is_dir(path);
}

const nod_source_layout nod_source_layout_folder = {
    .name = "folder",
    .about = "images in one folder a class: DIR/CLASS/..., or DIR/{train,val,test}/CLASS/...",
    .takes = NOD_LAYOUT_TAKES_SERIES,
    .detect = detect,
    .list = list,
};
