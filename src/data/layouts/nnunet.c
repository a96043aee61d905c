/* nnunet.c: nnU-Net's raw data sets: dataset.json, imagesTr/CASE_0000.nii.gz (a file for each channel),
 * labelsTr/CASE.nii.gz; imagesTs, whose cases count where labelsTs has their label maps; maybe
 * splits_final.json with folds. Both its versions: 2 (channel_names, file_ending, maybe a list of files
 * as `dataset`) and 1 (modality). docs/formats/layouts.md. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/folds.h"
#include "data/layouts/item.h"
#include "data/layouts/label_names.h"
#include "data/layouts/table.h"

#define CHANNEL_DIGITS 4 /* in _0000 */

/* A file of imagesTr. */
typedef struct channel_file {
    const char *id, *name; /* the case's, and the file's below the data set */
    int64_t channel;
} channel_file;

typedef struct nnunet {
    const nod_index_options *o;
    nod_listing *out;
    char *folder, *json_path;
    nod_json *json;
    nod_folds *folds; /* NULL: none are asked for */
    const char *ending;
    size_t n_channels;
    channel_file *files;
    size_t n_files, files_cap;
    size_t n_train, n_test;
    nod_error *err;
} nnunet;

/* --- detection ---------------------------------------------------------------------------- */

/* DIR/dataset.json of DIR, or the file itself. NULL: no memory. */
static char *find_json(const char *path)
{
    return nod_path_is_dir(path) ? nod_path_join(path, NOD_DATASET_JSON) : nod_strdup(path);
}

/* Whether a folder has a file whose name ends with a channel's number. */
static bool has_channel_file(const char *folder)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error err = NOD_ERROR_INIT;
    char *path = nod_path_join(folder, "imagesTr");
    bool found = false;
    if (path && nod_dir_list(path, &names, &err) == 0)
        for (size_t i = 0; i < names.n && !found; i++)
            found = names.items[i][0] != '.' && strstr(names.items[i], "_0000.") != NULL;
    nod_strlist_done(&names);
    nod_free(path);
    return found;
}

static bool detect(const char *path, const nod_index_options *o)
{
    (void)o;
    nod_json *j = NULL;
    nod_error err = NOD_ERROR_INIT;
    char *json = find_json(path), *folder = json ? nod_path_dir(json) : NULL;
    bool is = false;
    if (folder && strcmp(nod_path_base(json), NOD_DATASET_JSON) == 0 &&
        nod_json_read(json, NOD_LAYOUT_MAX_JSON, &j, &err) == 0)
        is = nod_json_is_object(j) &&
             (nod_json_get(j, "channel_names") != NULL || has_channel_file(folder));
    nod_json_free(j);
    nod_free(folder);
    nod_free(json);
    return is;
}

/* --- dataset.json ------------------------------------------------------------------------- */

static int read_json(nnunet *n)
{
    int rc = 0;
    NOD_TRY(nod_json_read(n->json_path, NOD_LAYOUT_MAX_JSON, &n->json, n->err));
    if (!nod_json_is_object(n->json))
        return nod_fail(n->err, NOD_EFORMAT, "%s: is not a JSON object", n->json_path);
    const nod_json *channels = nod_json_get(n->json, "channel_names");
    const char *key = channels ? "channel_names" : "modality";
    if (channels == NULL) channels = nod_json_get(n->json, key);
    if (channels == NULL || !nod_json_is_object(channels) || nod_json_count(channels) == 0 ||
        nod_json_count(channels) > NOD_LAYOUT_MAX_CHANNELS)
        return nod_fail(
            n->err, NOD_EDATA,
            "%s: %s is not an object with 1 to %d channels, such as {\"0\": \"T2\"}",
            n->json_path, key, NOD_LAYOUT_MAX_CHANNELS);
    n->n_channels = nod_json_count(channels);
    const nod_json *ending = nod_json_get(n->json, "file_ending");
    n->ending = ending ? nod_json_str(ending) : ".nii.gz";
    if (n->ending[0] != '.')
        return nod_fail(n->err, NOD_EDATA,
                        "%s: file_ending is not an ending such as \".nii.gz\"", n->json_path);
    if (nod_json_get(n->json, "labels") == NULL)
        return nod_fail(n->err, NOD_EDATA,
                        "%s: labels is missing: names and values of what the "
                        "label maps hold",
                        n->json_path);
    NOD_TRY(nod_label_names_add(nod_json_get(n->json, "labels"), n->json_path, &n->out->classes,
                                n->err));
out:
    return rc;
}

/* --- cases -------------------------------------------------------------------------------- */

/* `label` is the label map below the data set, in the arena. */
static int add_case(nnunet *n, const char *id, const nod_strlist *names, const char *label,
                    nod_part part)
{
    nod_item item = {.array = "", .index = -1, .label = "", .patient = "", .official = part};
    nod_error why = NOD_ERROR_INIT;
    NOD_ASSERT(names->items != NULL); /* there is a channel */
    char *path = nod_path_join(n->folder, label);
    if (path == NULL) return nod_fail_memory(n->err, "a path", strlen(label));
    bool labelled = nod_path_is_file(path);
    nod_free(path);
    if (!labelled)
        return nod_listing_add_problem(n->out, names->items[0],
                                       "there is no label map of its name", n->err);
    int rc = nod_item_set_files(n->out, &item, names, &why);
    if (rc == NOD_EDATA)
        return nod_listing_add_problem(n->out, names->items[0], why.message, n->err);
    if (rc) {
        *n->err = why;
        return rc;
    }
    item.mask = label;
    item.line = n->n_train + n->n_test + 1;
    if (n->folds && part != NOD_PART_TEST) item.official = nod_folds_part(n->folds, id);
    if (part == NOD_PART_TEST)
        n->n_test++;
    else
        n->n_train++;
    return nod_listing_add(n->out, &item, n->err);
}

/* Channels 0 .. n_channels-1, each once. */
static bool is_complete(const nnunet *n, const channel_file *files, size_t n_files)
{
    if (n_files != n->n_channels) return false;
    for (size_t i = 0; i < n_files; i++)
        if (files[i].channel != (int64_t)i) return false;
    return true;
}

/* The files of one case; `labels` is the folder of the label maps. */
static int add_files(nnunet *n, const channel_file *files, size_t n_files, const char *labels,
                     nod_part part)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = 0;
    if (!is_complete(n, files, n_files)) {
        nod_error why = NOD_ERROR_INIT;
        nod_fail(&why, NOD_EDATA,
                 "the %zu files of its case are not the channels 0000 to %04zu that "
                 "dataset.json names",
                 n_files, n->n_channels - 1);
        return nod_listing_add_problem(n->out, files[0].name, why.message, n->err);
    }
    for (size_t i = 0; i < n_files && rc == 0; i++)
        if (!nod_strlist_add(&names, files[i].name))
            rc = nod_fail_memory(n->err, "names of files", n_files);
    const char *label =
        nod_arena_printf(&n->out->arena, "%s/%s%s", labels, files[0].id, n->ending);
    if (rc == 0 && label == NULL) rc = nod_fail_memory(n->err, "a name", strlen(labels));
    if (rc == 0) rc = add_case(n, files[0].id, &names, label, part);
    nod_strlist_done(&names);
    return rc;
}

/* --- folders ------------------------------------------------------------------------------ */

/* "CASE_0000.nii.gz": false where a name is not like that. */
static bool cut_name(const nnunet *n, const char *name, size_t *id_length, int64_t *channel)
{
    size_t len = strlen(name), end = strlen(n->ending), tail = end + CHANNEL_DIGITS + 1;
    char digits[CHANNEL_DIGITS + 1] = "";
    if (len <= tail || name[len - tail] != '_') return false;
    memcpy(digits, name + len - tail + 1, CHANNEL_DIGITS);
    if (strspn(digits, "0123456789") != CHANNEL_DIGITS) return false;
    *id_length = len - tail;
    return nod_parse_i64(digits, channel);
}

static int note_file(nnunet *n, const char *folder, const char *name)
{
    nod_arena *a = &n->out->arena;
    channel_file f = {0};
    size_t id_length = 0;
    f.name = nod_arena_printf(a, "%s/%s", folder, name);
    if (f.name == NULL) return nod_fail_memory(n->err, "a name", strlen(name));
    if (!cut_name(n, name, &id_length, &f.channel))
        return nod_listing_add_problem(n->out, f.name,
                                       "its name does not end with a channel's number, as in "
                                       "CASE_0000",
                                       n->err);
    f.id = nod_arena_printf(a, "%.*s", (int)id_length, name);
    if (f.id == NULL ||
        !nod_grow((void **)&n->files, &n->files_cap, n->n_files + 1, sizeof *n->files))
        return nod_fail_memory(n->err, "a list of files", n->n_files * sizeof f);
    n->files[n->n_files++] = f;
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    const channel_file *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->channel > y->channel) - (x->channel < y->channel);
}

static int read_folder(nnunet *n, const char *folder)
{
    nod_strlist names = NOD_STRLIST_INIT;
    char *path = nod_path_join(n->folder, folder);
    int rc = path ? nod_dir_list(path, &names, n->err) : nod_fail_memory(n->err, "a path", 1);
    n->n_files = 0;
    for (size_t i = 0; i < names.n && rc == 0; i++)
        if (names.items[i][0] != '.' && nod_has_suffix_nocase(names.items[i], n->ending))
            rc = note_file(n, folder, names.items[i]);
    if (rc == 0 && n->n_files > 0) qsort(n->files, n->n_files, sizeof *n->files, compare_files);
    nod_strlist_done(&names);
    nod_free(path);
    return rc;
}

static int has_folder(const nnunet *n, const char *name, bool *out)
{
    char *path = nod_path_join(n->folder, name);
    if (path == NULL) return nod_fail_memory(n->err, "a path", strlen(name));
    *out = nod_path_is_dir(path);
    nod_free(path);
    return 0;
}

static int list_folder(nnunet *n, const char *images, const char *labels, nod_part part)
{
    size_t n_cases = 0;
    bool labelled = false;
    int rc = read_folder(n, images);
    if (rc == 0) rc = has_folder(n, labels, &labelled);
    for (size_t i = 0, end; i < n->n_files && rc == 0; i = end) {
        for (end = i + 1; end < n->n_files && strcmp(n->files[i].id, n->files[end].id) == 0;)
            end++;
        n_cases++;
        if (labelled) rc = add_files(n, &n->files[i], end - i, labels, part);
    }
    if (rc || labelled || n_cases == 0) return rc;
    if (part != NOD_PART_TEST)
        return nod_fail(n->err, NOD_EDATA,
                        "%s has images in %s, but no folder %s of label maps", n->folder,
                        images, labels);
    nod_listing_exclude(n->out, "no label map", n_cases);
    return 0;
}

/* Case number i of the list of files of version 2. */
static int add_listed(nnunet *n, const char *id, const nod_json *c, size_t i)
{
    const nod_json *images = nod_json_get(c, "images"), *label = nod_json_get(c, "label");
    nod_strlist names = NOD_STRLIST_INIT;
    const char *mask = nod_json_is_string(label) ? nod_json_str(label) : "";
    bool listed =
        images && nod_json_is_array(images) && nod_json_count(images) == n->n_channels;
    int rc = 0;
    for (size_t k = 0; k < n->n_channels && listed; k++)
        listed = nod_json_is_string(nod_json_at(images, k)) &&
                 *nod_json_str(nod_json_at(images, k)) != '\0';
    if (!listed || *mask == '\0')
        return nod_fail(n->err, NOD_EDATA,
                        "%s: dataset: case %zu has not the names of %zu images, as there are "
                        "channels, and of a label map",
                        n->json_path, i + 1, n->n_channels);
    for (size_t k = 0; k < n->n_channels && rc == 0; k++) {
        const char *name = nod_listing_clean_name(n->out, nod_json_str(nod_json_at(images, k)));
        if (name == NULL || !nod_strlist_add(&names, name))
            rc = nod_fail_memory(n->err, "names of files", n->n_channels);
    }
    mask = nod_listing_clean_name(n->out, mask);
    if (rc == 0 && mask == NULL) rc = nod_fail_memory(n->err, "a name", 1);
    if (rc == 0) rc = add_case(n, id, &names, mask, NOD_PART_OUT);
    nod_strlist_done(&names);
    return rc;
}

/* {"CASE": {"images": ["a.nii.gz"], "label": "b.nii.gz"}, ...} */
static int list_dataset(nnunet *n, const nod_json *dataset)
{
    size_t i = 0;
    int rc = 0;
    for (const char *id = nod_json_next_key(dataset, NULL); id && rc == 0;
         id = nod_json_next_key(dataset, id))
        rc = add_listed(n, id, nod_json_get(dataset, id), i++);
    return rc;
}

/* --- together ----------------------------------------------------------------------------- */

static int list_cases(nnunet *n)
{
    const nod_json *dataset = nod_json_get(n->json, "dataset");
    bool has_images = false, has_tests = false;
    int rc = 0;
    NOD_TRY(has_folder(n, "imagesTr", &has_images));
    NOD_TRY(has_folder(n, "imagesTs", &has_tests));
    if (dataset && nod_json_is_object(dataset))
        NOD_TRY(list_dataset(n, dataset));
    else if (has_images)
        NOD_TRY(list_folder(n, "imagesTr", "labelsTr", NOD_PART_OUT));
    else
        return nod_fail(n->err, NOD_EDATA,
                        "%s has no folder imagesTr; images of nnU-Net lie there as CASE_0000%s",
                        n->folder, n->ending);
    if (has_tests) NOD_TRY(list_folder(n, "imagesTs", "labelsTs", NOD_PART_TEST));
out:
    return rc;
}

/* Where there are test cases, the others are for training: an official division has all of them. */
static void divide(nnunet *n)
{
    for (size_t i = 0; i < n->out->n && n->n_test > 0 && n->folds == NULL; i++)
        if (n->out->items[i].official == NOD_PART_OUT)
            n->out->items[i].official = NOD_PART_TRAIN;
}

static int open_folds(nnunet *n)
{
    char *beside = nod_path_join(n->folder, "splits_final.json");
    const char *path = n->o->fold_file ? n->o->fold_file : beside;
    int rc = beside ? 0 : nod_fail_memory(n->err, "a path", strlen(n->folder));
    if (rc == 0 && n->o->fold >= 0)
        rc = nod_folds_read(path, n->o->fold, &n->folds, n->err);
    else if (rc == 0 && nod_path_is_file(path))
        nod_info(n->o->log, "%s has folds; --fold N keeps one of them", path);
    nod_free(beside);
    return rc;
}

static void warn_count(const nnunet *n)
{
    const nod_json *claimed = nod_json_get(n->json, "numTraining");
    if (claimed && nod_json_is_int(claimed) && nod_json_i64(claimed) != (int64_t)n->n_train)
        nod_warn(n->o->log,
                 "%s: numTraining is %lld, %zu cases with images and label map are there",
                 n->json_path, (long long)nod_json_i64(claimed), n->n_train);
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    nnunet n = {.o = o, .out = out, .err = err};
    int rc = 0;
    n.json_path = find_json(path);
    if (n.json_path == NULL) return nod_fail_memory(err, "a path", strlen(path));
    NOD_TRY(nod_listing_root_of(out, n.json_path, err));
    n.folder = nod_strdup(out->root);
    if (n.folder == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    out->segmentation = true;
    NOD_TRY(read_json(&n));
    NOD_TRY(open_folds(&n));
    NOD_TRY(list_cases(&n));
    if (n.folds) NOD_TRY(nod_folds_check(n.folds, n.n_train, err));
    divide(&n);
    warn_count(&n);
    NOD_TRY(nod_listing_sort(out, err));
    NOD_TRY(nod_listing_check_twice(out, n.json_path, "cases", err));
out:
    nod_folds_free(n.folds);
    nod_json_free(n.json);
    nod_free(n.files);
    nod_free(n.json_path);
    nod_free(n.folder);
    return rc;
}

const nod_source_layout nod_source_layout_nnunet = {
    .name = "nnunet",
    .about = "nnU-Net raw: dataset.json, imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz",
    .takes = NOD_LAYOUT_TAKES_FOLD | NOD_LAYOUT_TAKES_FOLD_FILE,
    .detect = detect,
    .list = list,
};
