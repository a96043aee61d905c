/* datalist.c: JSON lists of images: the Decathlon's dataset.json and MONAI's datalists, which are the same
 * but for what may stand in them.
 *
 *   {"labels": {"0": "background", "1": "tumor"},
 *    "training": [{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz", "fold": 0}, ...],
 *    "validation": [...], "test": ["imagesTs/b.nii.gz", ...]}
 *
 * An image is a file, or a list of files with a channel each; a label is the file of a label map, or a
 * number or name of a class. Items may have a patient and facts (data/fact.h). docs/formats/layouts.md. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/item.h"
#include "data/layouts/label_names.h"
#include "data/layouts/table.h"
#include "imaging/reader.h"

typedef struct datalist {
    const nod_index_options *o;
    nod_listing *out;
    const char *path; /* of the JSON */
    nod_json *json;
    nod_strlist names;        /* of label values, from `labels`; may be empty */
    size_t n_masks, n_labels; /* cases with a label map, with a class */
    size_t n_unlabelled;
    int64_t largest_fold; /* -1: no item has one */
    bool has_fold;        /* one item is of the fold that is asked for */
    nod_error *err;
} datalist;

/* One item while it is read. */
typedef struct entry {
    const nod_json *json;
    const char *list; /* "training" ... */
    size_t i;
    nod_part part;
} entry;

/* --- detection ---------------------------------------------------------------------------- */

static char *find_json(const char *path)
{
    return nod_path_is_dir(path) ? nod_path_join(path, NOD_DATASET_JSON) : nod_strdup(path);
}

static bool has_list(const nod_json *j)
{
    return nod_json_is_object(j) && nod_json_get(j, "training") != NULL;
}

static bool detect_json(const char *json)
{
    nod_json *j = NULL;
    nod_error err = NOD_ERROR_INIT;
    bool is = nod_json_read(json, NOD_LAYOUT_MAX_JSON, &j, &err) == 0 && has_list(j);
    nod_json_free(j);
    return is;
}

static bool detect_msd(const char *path, const nod_index_options *o)
{
    (void)o;
    char *json = find_json(path);
    bool is = json && strcmp(nod_path_base(json), NOD_DATASET_JSON) == 0 &&
              nod_path_is_file(json) && detect_json(json);
    nod_free(json);
    return is;
}

/* A file that ends with .json is taken for a list of images, so that what is wrong with it is said. */
static bool detect_monai(const char *path, const nod_index_options *o)
{
    (void)o;
    return nod_path_is_file(path) && nod_has_suffix_nocase(path, ".json");
}

/* --- one item ----------------------------------------------------------------------------- */

static int fail_item(const datalist *d, const entry *e, const char *what)
{
    return nod_fail(d->err, NOD_EDATA, "%s: %s[%zu]: %s", d->path, e->list, e->i, what);
}

static int read_image(datalist *d, const entry *e, const nod_json *image, nod_item *item)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error why = NOD_ERROR_INIT;
    bool is_list = image && nod_json_is_array(image);
    size_t n = is_list ? nod_json_count(image) : 1;
    int rc = 0;
    if (image == NULL || n == 0 || n > NOD_LAYOUT_MAX_CHANNELS)
        return fail_item(d, e, "image is missing; it is a file, or a list of files");
    for (size_t i = 0; i < n && rc == 0; i++) {
        const nod_json *name = is_list ? nod_json_at(image, i) : image;
        const char *clean = nod_listing_clean_name(d->out, nod_json_str(name));
        if (!nod_json_is_string(name) || (clean && *clean == '\0'))
            rc = fail_item(d, e, "image is not the name of a file, or a list of such names");
        else if (clean == NULL || !nod_strlist_add(&names, clean))
            rc = nod_fail_memory(d->err, "names of files", n);
    }
    if (rc == 0) rc = nod_item_set_files(d->out, item, &names, &why);
    if (rc && why.code == rc)
        rc = rc == NOD_EDATA ? fail_item(d, e, why.message)
                             : nod_fail_memory(d->err, "a name", n);
    nod_strlist_done(&names);
    return rc;
}

/* The name of a class by its number. */
static const char *class_name(datalist *d, int64_t value)
{
    if (value >= 0 && (uint64_t)value < d->names.n)
        return nod_arena_strdup(&d->out->arena, d->names.items[value]);
    return nod_arena_printf(&d->out->arena, "%lld", (long long)value);
}

static int read_number(datalist *d, const entry *e, const nod_json *label, nod_item *item)
{
    double v = nod_json_f64(label);
    if (!(v >= 0 && v < NOD_COHORT_MAX_CLASSES) || v != floor(v))
        return fail_item(d, e, "label is not the number of a class: 0, 1, 2 ...");
    if (d->names.n > 0 && v >= (double)d->names.n)
        return fail_item(d, e, "label is not among the numbers that `labels` names");
    item->label = class_name(d, (int64_t)v);
    return item->label ? 0 : nod_fail_memory(d->err, "a label", 1);
}

/* [0, 1, 1]: any number of classes. */
static int read_flags(datalist *d, const entry *e, const nod_json *label, nod_item *item)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    size_t n = nod_json_count(label), expected = d->out->classes.n;
    int rc = 0;
    if (n == 0 || n > NOD_COHORT_MAX_CLASSES || (d->out->multilabel && n != expected) ||
        (d->names.n > 0 && n != d->names.n))
        return fail_item(d, e, "label has not as many flags as the others, or `labels`, have");
    for (size_t k = 0; k < n && rc == 0; k++) {
        const nod_json *flag = nod_json_at(label, k);
        const char *name = class_name(d, (int64_t)k);
        if (!nod_json_is_number(flag) || (nod_json_f64(flag) != 0 && nod_json_f64(flag) != 1))
            rc = fail_item(d, e,
                           nod_json_is_string(flag)
                               ? "label is a list of files; join them into one label map"
                               : "label is a list, but not of zeros and ones");
        else if (!name || (!d->out->multilabel && !nod_strlist_add(&d->out->classes, name)))
            rc = nod_fail_memory(d->err, "names of classes", n);
        else if (nod_json_f64(flag) == 1)
            nod_strbuf_printf(&b, "%s%s", b.len ? "|" : "", name);
    }
    d->out->multilabel = true;
    item->label = rc == 0 ? nod_arena_strdup(&d->out->arena, b.data) : NULL;
    if (rc == 0 && (!item->label || b.failed)) rc = nod_fail_memory(d->err, "a label", n);
    nod_strbuf_done(&b);
    return rc;
}

static bool is_file_name(const char *s)
{
    return strchr(s, '/') != NULL || nod_image_has_ending(s);
}

static int read_label(datalist *d, const entry *e, const nod_json *label, nod_item *item)
{
    item->label = "";
    if (nod_json_is_string(label) && is_file_name(nod_json_str(label))) {
        item->mask = nod_listing_clean_name(d->out, nod_json_str(label));
        d->n_masks++;
        return item->mask ? 0 : nod_fail_memory(d->err, "a name", 1);
    }
    d->n_labels++;
    if (nod_json_is_number(label)) return read_number(d, e, label, item);
    if (nod_json_is_array(label)) return read_flags(d, e, label, item);
    if (!nod_json_is_string(label) || *nod_json_str(label) == '\0')
        return fail_item(d, e, "label is neither a file nor a class");
    item->label = nod_arena_strdup(&d->out->arena, nod_json_str(label));
    return item->label ? 0 : nod_fail_memory(d->err, "a label", 1);
}

/* What may stand for the patient; letter case is ignored. */
static bool is_patient_key(const char *key)
{
    static const char *const keys[] = {"patient", "patient_id", "patientid",
                                       "subject", "subject_id", "subjectid"};
    for (size_t i = 0; i < NOD_COUNT(keys); i++)
        if (nod_equal_nocase(key, keys[i])) return true;
    return false;
}

/* Text of a string or a number; "" of null. NULL: something else, or no memory. */
static const char *text_of(datalist *d, const nod_json *v)
{
    char number[32];
    if (nod_json_is_string(v)) return nod_arena_strdup(&d->out->arena, nod_json_str(v));
    if (nod_json_is_null(v)) return "";
    if (!nod_json_is_number(v)) return NULL;
    nod_format_f64(nod_json_f64(v), number, sizeof number);
    return nod_arena_strdup(&d->out->arena, number);
}

static int read_facts(datalist *d, const entry *e, nod_item *item)
{
    for (const char *k = nod_json_next_key(e->json, NULL); k;
         k = nod_json_next_key(e->json, k)) {
        bool patient = is_patient_key(k);
        int fact = nod_fact_from_name(k), rc;
        if (!patient && fact < 0) continue;
        const char *value = text_of(d, nod_json_get(e->json, k));
        if (value == NULL)
            return nod_fail(d->err, NOD_EDATA,
                            "%s: %s[%zu]: %.40s is neither text nor a number", d->path, e->list,
                            e->i, k);
        if (patient) {
            item->patient = value;
            d->out->has_patients |= *value != '\0';
            continue;
        }
        rc = nod_item_set_fact(d->out, item, (nod_fact)fact, value, d->err);
        if (rc) {
            nod_error_prefix(d->err, "%s: %s[%zu]", d->path, e->list, e->i);
            return rc;
        }
    }
    return 0;
}

/* With --fold the fold of a training item decides between training and validation. */
static int read_fold(datalist *d, entry *e)
{
    const nod_json *fold = nod_json_get(e->json, "fold");
    bool is_int = fold && nod_json_is_int(fold) && nod_json_i64(fold) >= 0;
    if (fold && !is_int) return fail_item(d, e, "fold is not a whole number from 0");
    if (is_int) d->largest_fold = NOD_MAX(d->largest_fold, nod_json_i64(fold));
    if (d->o->fold < 0) return 0;
    if (!is_int) return fail_item(d, e, "has no fold, but --fold asks for one");
    bool is_val = nod_json_i64(fold) == d->o->fold;
    d->has_fold |= is_val;
    e->part = is_val ? NOD_PART_VAL : NOD_PART_TRAIN;
    return 0;
}

static int read_item(datalist *d, const nod_json *list, const char *name, size_t i,
                     nod_part part)
{
    const nod_json *j = nod_json_at(list, i), *label = NULL;
    entry e = {.json = j, .list = name, .i = i, .part = part};
    nod_item item = {.array = "", .index = -1, .label = "", .patient = ""};
    int rc = 0;
    if (!nod_json_is_object(j) && !nod_json_is_string(j))
        return fail_item(d, &e, "is not an object with image and label");
    if (nod_json_is_object(j)) label = nod_json_get(j, "label");
    if (label == NULL || nod_json_is_null(label)) {
        d->n_unlabelled++;
        return 0;
    }
    if (part == NOD_PART_TRAIN) NOD_TRY(read_fold(d, &e));
    NOD_TRY(read_image(d, &e, nod_json_get(j, "image"), &item));
    NOD_TRY(read_label(d, &e, label, &item));
    NOD_TRY(read_facts(d, &e, &item));
    if (d->n_masks > 0 && d->n_labels > 0)
        return fail_item(d, &e,
                         "its label is of another kind than those before: label maps and "
                         "classes do not go together");
    item.official = e.part;
    item.line = d->out->n + 1;
    rc = nod_listing_add(d->out, &item, d->err);
out:
    return rc;
}

/* --- lists -------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    nod_part part;
} lists[] = {{"training", NOD_PART_TRAIN},
             {"validation", NOD_PART_VAL},
             {"testing", NOD_PART_TEST},
             {"test", NOD_PART_TEST}};

static int read_lists(datalist *d)
{
    int rc = 0;
    for (size_t k = 0; k < NOD_COUNT(lists) && rc == 0; k++) {
        const nod_json *list = nod_json_get(d->json, lists[k].key);
        if (list == NULL) continue;
        if (!nod_json_is_array(list))
            return nod_fail(d->err, NOD_EFORMAT, "%s: %s is not a list of images", d->path,
                            lists[k].key);
        for (size_t i = 0; i < nod_json_count(list) && rc == 0; i++)
            rc = read_item(d, list, lists[k].key, i, lists[k].part);
    }
    return rc;
}

/* A list of training images alone is no division. */
static int divide(datalist *d)
{
    nod_listing *l = d->out;
    size_t n_of[NOD_PART_OUT + 1] = {0};
    for (size_t i = 0; i < l->n; i++)
        n_of[l->items[i].official]++;
    if (d->o->fold >= 0 && nod_json_count(nod_json_get(d->json, "validation")) > 0)
        return nod_fail(d->err, NOD_EINVAL,
                        "%s has a list of validation images; leave --fold out, or the list",
                        d->path);
    if (d->o->fold >= 0 && !d->has_fold)
        return nod_fail(d->err, NOD_EINVAL, "%s: no training image has fold %lld; %s%lld",
                        d->path, (long long)d->o->fold,
                        d->largest_fold < 0 ? "the largest is " : "the folds are 0 to ",
                        (long long)d->largest_fold);
    if (d->o->fold < 0 && d->largest_fold >= 0)
        nod_info(d->o->log, "%s has folds 0 to %lld; --fold N keeps one of them", d->path,
                 (long long)d->largest_fold);
    if (n_of[NOD_PART_VAL] == 0 && n_of[NOD_PART_TEST] == 0)
        for (size_t i = 0; i < l->n; i++)
            l->items[i].official = NOD_PART_OUT;
    return 0;
}

/* Names of the values of label maps, or of the classes that occur. */
static int name_classes(datalist *d)
{
    nod_strlist *l = &d->out->classes;
    d->out->segmentation = d->n_masks > 0;
    if (!d->out->segmentation) return 0;
    for (size_t i = 0; i < d->names.n; i++)
        if (!nod_strlist_add(l, d->names.items[i]))
            return nod_fail_memory(d->err, "names of labels", d->names.n);
    return 0;
}

static void warn_count(const datalist *d)
{
    const nod_json *claimed = nod_json_get(d->json, "numTraining");
    size_t n = nod_json_count(nod_json_get(d->json, "training"));
    if (claimed && nod_json_is_int(claimed) && nod_json_i64(claimed) != (int64_t)n)
        nod_warn(d->o->log, "%s: numTraining is %lld, %zu images are listed", d->path,
                 (long long)nod_json_i64(claimed), n);
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    datalist d = {.o = o, .out = out, .largest_fold = -1, .err = err};
    int rc = 0;
    char *json = find_json(path);
    if (json == NULL) return nod_fail_memory(err, "a path", strlen(path));
    d.path = json;
    NOD_TRY(nod_listing_set_root(out, o, json, err));
    NOD_TRY(nod_json_read(json, NOD_LAYOUT_MAX_JSON, &d.json, err));
    if (!has_list(d.json)) {
        rc = nod_fail(err, NOD_EFORMAT,
                      "%s: has no list `training`; a datalist is {\"training\": [{\"image\": "
                      "\"a.nii.gz\", \"label\": \"b.nii.gz\"}, ...]}",
                      json);
        goto out;
    }
    if (nod_json_get(d.json, "labels"))
        NOD_TRY(nod_label_names_add(nod_json_get(d.json, "labels"), json, &d.names, err));
    NOD_TRY(read_lists(&d));
    NOD_TRY(divide(&d));
    NOD_TRY(name_classes(&d));
    warn_count(&d);
    if (d.n_unlabelled) nod_listing_exclude(out, "no label", d.n_unlabelled);
    NOD_TRY(nod_listing_sort(out, err));
    NOD_TRY(nod_listing_check_twice(out, json, "images", err));
out:
    nod_json_free(d.json);
    nod_strlist_done(&d.names);
    nod_free(json);
    return rc;
}

const nod_source_layout nod_source_layout_msd = {
    .name = "msd",
    .about = "Medical Segmentation Decathlon: dataset.json, imagesTr, labelsTr",
    .takes = NOD_LAYOUT_TAKES_FOLD | NOD_LAYOUT_TAKES_DATA_ROOT,
    .detect = detect_msd,
    .list = list,
};

const nod_source_layout nod_source_layout_monai = {
    .name = "monai",
    .about = "MONAI datalist: a JSON with training, validation, testing, and folds",
    .takes = NOD_LAYOUT_TAKES_FOLD | NOD_LAYOUT_TAKES_DATA_ROOT,
    .detect = detect_monai,
    .list = list,
};
