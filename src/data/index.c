/* index.c: from a layout's listing to a cohort: decode and hash every image in parallel, then
 * name cases, classes, positive class and patients. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hide.h"
#include "data/layout.h"
#include "data/layouts/label_names.h"
#include "data/mask.h"
#include "data/patient_rule.h"
#include "data/positive.h"
#include "data/source.h"
#include "data/unit_label.h"
#include "data/unreadable.h"
#include "data/workers.h"
#include "imaging/geometry.h"

/* What decoding found out about an item. */
typedef struct seen {
    char *reason; /* why it is unreadable, or NULL */
    char pixels[NOD_SHA256_HEX], mask_pixels[NOD_SHA256_HEX];
    int64_t largest; /* value in the mask */
    int64_t frames, depth, height, width;
    int channels;
    const char *sample;
    char modality[17], orientation[4];
    double spacing_mm[3];
    char side[2], view[17]; /* facts that the image itself says */
    const char *format;
    char *oddities; /* names of findings, joined by ';' */
    bool constant;
} seen;

typedef struct indexing {
    const char *path;
    const nod_index_options *o;
    nod_listing list;
    nod_source *source;
    seen *seen; /* [list.n] */
    nod_unreadable_file *bad;
    size_t n_bad;
    nod_cohort_info info;
    const char **classes;
    char *file_prefix; /* what goes before an item's relative name in the cohort */
    char *source_name;
    nod_error *err;
} indexing;

/* --- listing ------------------------------------------------------------------------------ */

static const char *next_layout(const void *ctx, size_t i)
{
    (void)ctx;
    const nod_source_layout *l = nod_source_layout_at(i);
    return l ? l->name : NULL;
}

static int fail_layout(const char *name, nod_error *err)
{
    const char *near = nod_nearest(name, next_layout, NULL), *known;
    nod_strbuf names = NOD_STRBUF_INIT;
    for (size_t i = 0; (known = next_layout(NULL, i)) != NULL; i++)
        nod_strbuf_printf(&names, "%s%s", i ? ", " : "", known);
    nod_fail(err, NOD_EINVAL, "layout '%.40s' is not known%s%s%s; known: %s", name,
             near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", names.data);
    nod_strbuf_done(&names);
    return err->code;
}

/* Options that mean nothing to the layout are mistakes. */
static int check_takes(const nod_source_layout *l, const nod_index_options *o, nod_error *err)
{
    const struct {
        bool given;
        unsigned bit;
        const char *option;
    } options[] = {
        {o->labels != NULL, NOD_LAYOUT_TAKES_LABELS, "labels"},
        {o->series && o->series->n > 0, NOD_LAYOUT_TAKES_SERIES, "series"},
        {o->fold >= 0, NOD_LAYOUT_TAKES_FOLD, "fold"},
        {o->fold_file != NULL, NOD_LAYOUT_TAKES_FOLD_FILE, "fold-file"},
        {o->data_root != NULL, NOD_LAYOUT_TAKES_DATA_ROOT, "data-root"},
        {o->label_column != NULL, NOD_LAYOUT_TAKES_LABEL_COLUMN, "label-column"},
        {o->images != NULL, NOD_LAYOUT_TAKES_CHOICE, "images"},
        {o->masks != NULL, NOD_LAYOUT_TAKES_CHOICE, "masks"},
    };
    for (size_t i = 0; i < NOD_COUNT(options); i++)
        if (options[i].given && !(l->takes & options[i].bit))
            return nod_fail(err, NOD_EINVAL, "the layout '%s' does not take --%s", l->name,
                            options[i].option);
    return 0;
}

static int choose_layout(const char *path, const nod_index_options *o,
                         const nod_source_layout **out, nod_error *err)
{
    const nod_source_layout *l = NULL;
    if (!nod_path_exists(path))
        return nod_fail(err, NOD_ENOENT, "there is no file or folder %s", path);
    if (o->layout) {
        l = nod_source_layout_find(o->layout);
        if (l == NULL) return fail_layout(o->layout, err);
    }
    for (size_t i = 0; l == NULL && nod_source_layout_at(i) != NULL; i++)
        if (nod_source_layout_at(i)->detect(path, o)) l = nod_source_layout_at(i);
    if (l == NULL)
        return nod_fail(
            err, NOD_EFORMAT,
            "%s is none of the layouts known (docs/formats/layouts.md), such as an "
            ".npz of MedMNIST, a table (.csv), a list (.json), a tree of DICOM files, or "
            "a folder with one folder a class",
            path);
    *out = l;
    return check_takes(l, o, err);
}

/* --- patients ----------------------------------------------------------------------------- */

static int find_patients(indexing *x)
{
    x->info.grouping = x->list.has_patients ? NOD_GROUPING_DECLARED : NOD_GROUPING_NONE;
    x->info.grouping_rule = "";
    if (x->o->patient_regex == NULL && x->o->patient_divide == 1) return 0;
    x->info.grouping = NOD_GROUPING_DERIVED;
    return nod_patient_rule_apply(&x->list, x->o, x->path, &x->info.grouping_rule, x->err);
}

/* --- classes ------------------------------------------------------------------------------ */

static int compare_natural(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = nod_compare_natural(x, y);
    return order ? order : strcmp(x, y);
}

static int add_class(nod_strlist *l, const char *name, nod_error *err)
{
    if (nod_strlist_find(l, name) >= 0) return 0;
    if (l->n >= NOD_COHORT_MAX_CLASSES)
        return nod_fail(err, NOD_EDATA,
                        "more than %d different labels; labels are class names, not values",
                        NOD_COHORT_MAX_CLASSES);
    return nod_strlist_add(l, name) ? 0 : nod_fail_memory(err, "a class", strlen(name));
}

/* The labels that occur, in natural order. */
static int collect_classes(indexing *x)
{
    nod_strlist *l = &x->list.classes;
    int rc = 0;
    for (size_t i = 0; i < x->list.n && rc == 0; i++) {
        const char *label = x->list.items[i].label;
        if (!x->list.multilabel) {
            rc = add_class(l, label, x->err);
            continue;
        }
        while (*label && rc == 0) {
            size_t len = strcspn(label, "|");
            char *name = nod_strndup(label, len);
            rc = name ? add_class(l, name, x->err) : nod_fail_memory(x->err, "a class", len);
            nod_free(name);
            label += len + (label[len] == '|');
        }
    }
    if (rc == 0 && l->n > 0) qsort(l->items, l->n, sizeof *l->items, compare_natural);
    return rc;
}

/* Label maps whose values nobody names: the largest of all says how many there are. */
static int number_classes(indexing *x)
{
    int64_t largest = 1;
    int rc = 0;
    for (size_t i = 0; i < x->list.n; i++)
        if (!x->seen[i].reason) largest = NOD_MAX(largest, x->seen[i].largest);
    for (int64_t v = 0; v <= largest && rc == 0; v++) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)v);
        rc = add_class(&x->list.classes, v == 0 ? "background" : name, x->err);
    }
    return rc;
}

static int find_classes(indexing *x)
{
    int rc = 0;
    if (x->list.classes.n == 0)
        rc = x->list.segmentation ? number_classes(x) : collect_classes(x);
    if (rc) return rc;
    size_t n = x->list.classes.n;
    x->classes = nod_calloc(n + 1, sizeof *x->classes);
    if (x->classes == NULL) return nod_fail_memory(x->err, "class names", n);
    for (size_t i = 0; i < n; i++)
        x->classes[i] = x->list.classes.items[i];
    x->info.classes = x->classes;
    x->info.n_classes = n;
    x->info.multilabel = x->list.multilabel;
    x->info.segmentation = x->list.segmentation;
    x->info.positive = -1;
    if (x->info.segmentation) return 0;
    return nod_positive_find(&x->info, x->o->positive, x->err);
}

static int find_unit(indexing *x)
{
    const nod_unit_request q = {.labels = x->list.label_level,
                                .unit = x->o->unit,
                                .joined = x->o->unit_label,
                                .spread = x->o->spread_labels,
                                .masks = x->list.segmentation,
                                .patients_known = x->info.grouping != NOD_GROUPING_NONE};
    x->info.label_level = q.labels;
    return nod_unit_request_check(&q, &x->info.unit, &x->info.unit_label, x->err);
}

/* --- decoding ----------------------------------------------------------------------------- */

static const char *sample_name(nod_sample s)
{
    return s == NOD_SAMPLE_U8 ? "u8" : s == NOD_SAMPLE_U16 ? "u16" : "f32";
}

/* "FOLDER/a.png"; arrays are known to the source by the same name. */
static char *item_path(const indexing *x, const nod_item *item)
{
    return nod_path_join(x->list.root, item->name);
}

/* What is kept of a decoded image. */
static int note_image(seen *s, const nod_image *im, const nod_findings *f, nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    s->frames = im->frames;
    s->depth = im->depth;
    s->height = im->height;
    s->width = im->width;
    s->channels = im->channels;
    s->sample = sample_name(im->sample);
    s->constant = nod_image_is_constant(im);
    snprintf(s->modality, sizeof s->modality, "%s", im->facts.modality);
    snprintf(s->view, sizeof s->view, "%s", im->facts.view);
    s->format = im->facts.format;
    if (im->facts.laterality && strchr("LRB", im->facts.laterality))
        s->side[0] = im->facts.laterality;
    if (im->geometry.space != NOD_SPACE_NONE)
        memcpy(s->spacing_mm, im->geometry.spacing_mm, sizeof s->spacing_mm);
    if (im->geometry.space == NOD_SPACE_PATIENT)
        nod_geometry_codes(&im->geometry, s->orientation);
    for (size_t i = 0; i < f->n; i++)
        nod_strbuf_printf(&b, "%s%s", i ? ";" : "",
                          nod_finding_get_info(f->items[i].kind)->name);
    s->oddities = nod_strbuf_take(&b);
    return s->oddities ? 0 : nod_fail_memory(err, "findings", f->n);
}

/* The mask must lie where the image does, and hold no other values than those that have names. */
static int look_at_mask(const indexing *x, const nod_item *item, const nod_image *im, seen *s,
                        nod_error *err)
{
    nod_image mask = {0};
    int64_t n_classes = (int64_t)x->list.classes.n;
    int rc = 0;
    if (item->mask == NULL) return 0;
    char *path = nod_path_join(x->list.root, item->mask);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(item->mask));
    NOD_TRY(nod_mask_read(path, x->o->policies, &mask, &s->largest, err));
    NOD_TRY(
        nod_geometry_agree(&im->geometry, "the image", &mask.geometry, "its label map", err));
    if (n_classes == 0 && s->largest == 255) {
        rc =
            nod_fail(err, NOD_EDATA,
                     "its label map has grey levels up to 255, as a mask that was resized with "
                     "interpolation has; make it 0 and 1, or 0 and 255");
        goto out;
    }
    if (n_classes > 0 && s->largest >= n_classes) {
        rc = nod_fail(err, NOD_EDATA,
                      "%s: the label map has the value %lld; the data set names 0 to %lld",
                      path, (long long)s->largest, (long long)n_classes - 1);
        goto out;
    }
    NOD_TRY(nod_image_pixel_hash(&mask, s->mask_pixels, err));
out:
    if (rc) nod_error_hide(err, path, "its label map");
    nod_image_done(&mask);
    nod_free(path);
    return rc;
}

/* Looks at one image; only a lack of memory is an error here. */
static int look_at(void *ctx, size_t i, nod_error *err)
{
    indexing *x = ctx;
    const nod_item *item = &x->list.items[i];
    seen *s = &x->seen[i];
    nod_image im = {0};
    nod_findings findings = {0};
    nod_error why = NOD_ERROR_INIT;
    char *path = item_path(x, item);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(item->name));
    const nod_place at = {path, item->files ? item->files : "", item->array, item->index};
    int rc = nod_source_decode(x->source, &at, &findings, &im, &why);
    if (rc == 0) rc = nod_image_pixel_hash(&im, s->pixels, &why);
    if (rc == 0) rc = look_at_mask(x, item, &im, s, &why);
    if (rc == 0) rc = note_image(s, &im, &findings, &why);
    if (rc == NOD_ENOMEM) {
        *err = why;
    } else if (rc != 0) {
        rc = 0;
        nod_place_hide(&at, &why);
        s->reason = nod_strdup(why.message);
        if (s->reason == NULL) rc = nod_fail_memory(err, "a reason", strlen(why.message));
    }
    nod_findings_done(&findings);
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

static int load_arrays(indexing *x)
{
    int rc = 0;
    for (size_t i = 0; i < x->list.n && rc == 0; i++) {
        const nod_item *item = &x->list.items[i], *last = i > 0 ? item - 1 : NULL;
        if (*item->array == '\0') continue;
        if (last && last->array == item->array && last->name == item->name) continue;
        char *path = item_path(x, item);
        rc = path ? nod_source_load(x->source, path, item->array, x->err)
                  : nod_fail_memory(x->err, "a path", strlen(item->name));
        nod_free(path);
    }
    return rc;
}

/* What cannot be read gets ids; a little of it is left out, more is an error. */
static int judge_unreadable(indexing *x)
{
    int rc = 0;
    char **reasons = nod_calloc(x->list.n + 1, sizeof *reasons);
    if (reasons == NULL) return nod_fail_memory(x->err, "reasons", x->list.n * sizeof *reasons);
    for (size_t i = 0; i < x->list.n; i++)
        reasons[i] = x->seen[i].reason;
    rc = nod_unreadable_gather(&x->list, reasons, &x->bad, &x->n_bad, x->err);
    if (rc == 0) rc = nod_unreadable_judge(x->bad, x->n_bad, &x->list, x->o, x->path, x->err);
    nod_free(reasons);
    return rc;
}

static int decode_all(indexing *x)
{
    int rc = nod_source_new(x->o->policies, &x->source, x->err);
    if (rc) return rc;
    rc = load_arrays(x);
    if (rc) return rc;
    x->seen = nod_calloc(x->list.n, sizeof *x->seen);
    if (x->seen == NULL) return nod_fail_memory(x->err, "images", x->list.n * sizeof *x->seen);
    rc = nod_workers_run(x->list.n, x->o->threads, look_at, x, x->err);
    return rc ? rc : judge_unreadable(x);
}

/* --- names -------------------------------------------------------------------------------- */

/* Path of something real as seen from the folder: the rest below it, or absolute. */
static char *relative_to(const char *folder, const char *path)
{
    char *from = nod_path_real(*folder ? folder : "."), *to = nod_path_real(path), *out = NULL;
    if (from && to) {
        size_t n = strlen(from);
        if (strcmp(from, to) == 0)
            out = nod_strdup("");
        else if (strncmp(from, to, n) == 0 && to[n] == '/')
            out = nod_strdup(to + n + 1);
        else
            out = nod_strdup(to);
    }
    nod_free(from);
    nod_free(to);
    return out;
}

static int find_names(indexing *x)
{
    const char *folder = x->o->folder ? x->o->folder : ".";
    if (!nod_path_is_dir(folder))
        return nod_fail(x->err, NOD_ENOENT, "there is no folder %s for the cohort", folder);
    x->file_prefix = relative_to(folder, x->list.root);
    x->source_name = relative_to(folder, x->path);
    if (!x->file_prefix || !x->source_name)
        return nod_fail(x->err, NOD_EIO, "cannot find the real path of %s", x->path);
    x->info.source = *x->source_name ? x->source_name : ".";
    return 0;
}

static int compare_pixels(const void *a, const void *b, void *ctx)
{
    const seen *s = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int order = strncmp(s[i].pixels, s[j].pixels, NOD_CASE_DIGITS);
    return order ? order : (i > j) - (i < j);
}

/* Ids from the pixels: they carry no name, and stay when files are renamed or added. The k-th
 * copy of the same pixels gets "-k". */
static int name_cases(indexing *x)
{
    size_t n = x->list.n, copy = 0;
    size_t *order = nod_calloc(n, sizeof *order);
    if (order == NULL) return nod_fail_memory(x->err, "case ids", n * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, compare_pixels, x->seen);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *pixels = x->seen[order[i]].pixels;
        nod_item *item = &x->list.items[order[i]];
        bool same =
            i > 0 && strncmp(pixels, x->seen[order[i - 1]].pixels, NOD_CASE_DIGITS) == 0;
        copy = same ? copy + 1 : 1;
        if (item->id) continue;
        item->id = copy == 1 ? nod_arena_printf(&x->list.arena, "%.*s", NOD_CASE_DIGITS, pixels)
                             : nod_arena_printf(&x->list.arena, "%.*s-%zu", NOD_CASE_DIGITS,
                                                pixels, copy);
        if (item->id == NULL) rc = nod_fail_memory(x->err, "a case id", NOD_ID_MAX);
    }
    nod_free(order);
    return rc;
}

/* --- the cohort --------------------------------------------------------------------------- */

/* What a table says goes before what the image says. */
static void put_fact(nod_case *k, nod_fact f, const char *text)
{
    if (!k->facts[f] || !*k->facts[f]) k->facts[f] = text;
}

/* A name below the listing's root as seen from the cohort; the root itself is "". */
static char *cohort_name(const indexing *x, const char *name)
{
    if (*name) return nod_path_join(x->file_prefix, name);
    return nod_strdup(*x->file_prefix ? x->file_prefix : ".");
}

static int add_item(indexing *x, size_t i, nod_cohort *c)
{
    const nod_item *item = &x->list.items[i];
    const seen *s = &x->seen[i];
    if (s->reason) return 0;
    char *file = cohort_name(x, item->name);
    char *mask = item->mask ? cohort_name(x, item->mask) : NULL;
    int rc = 0;
    if (file == NULL || (item->mask && mask == NULL)) {
        rc = nod_fail_memory(x->err, "a path", strlen(item->name));
        goto out;
    }
    nod_case k = {.id = item->id,
                  .file = file,
                  .files = item->files,
                  .array = item->array,
                  .index = item->index,
                  .mask = mask,
                  .patient = item->patient,
                  .other_ids = item->other_ids,
                  .person = item->person,
                  .study = item->study,
                  .series = item->series,
                  .frame_of_reference = item->frame_of_reference,
                  .official = item->official,
                  .frames = s->frames,
                  .depth = s->depth,
                  .height = s->height,
                  .width = s->width,
                  .channels = s->channels,
                  .sample = s->sample,
                  .modality = s->modality,
                  .orientation = s->orientation,
                  .oddities = s->oddities,
                  .constant = s->constant};
    memcpy(k.facts, item->facts, sizeof k.facts);
    put_fact(&k, NOD_FACT_VIEW, s->view);
    put_fact(&k, NOD_FACT_SIDE, s->side);
    put_fact(&k, NOD_FACT_FORMAT, s->format);
    memcpy(k.spacing_mm, s->spacing_mm, sizeof k.spacing_mm);
    memcpy(k.pixels, s->pixels, sizeof k.pixels);
    memcpy(k.mask_pixels, s->mask_pixels, sizeof k.mask_pixels);
    rc = nod_cohort_add(c, &k, item->label, x->err);
    if (rc) nod_error_prefix(x->err, "%s", item->name);
out:
    nod_free(file);
    nod_free(mask);
    return rc;
}

static int add_unreadable(indexing *x, const nod_unreadable_file *f, nod_cohort *c)
{
    char *file = cohort_name(x, f->name);
    if (file == NULL) return nod_fail_memory(x->err, "a path", strlen(f->name));
    int rc = nod_cohort_add_unreadable(c, &(nod_unreadable){f->id, file, f->reason}, x->err);
    nod_free(file);
    return rc;
}

static int make_cohort(indexing *x, nod_cohort **out)
{
    nod_cohort *c = NULL;
    int rc = 0;
    NOD_TRY(nod_cohort_new(&x->info, x->o->folder ? x->o->folder : ".", &c, x->err));
    for (size_t i = 0; i < x->list.n; i++)
        NOD_TRY(add_item(x, i, c));
    for (size_t i = 0; i < x->n_bad; i++)
        NOD_TRY(add_unreadable(x, &x->bad[i], c));
    for (size_t i = 0; i < x->list.n_exclusions; i++)
        NOD_TRY(nod_cohort_add_exclusion(c, x->list.exclusions[i].reason,
                                         x->list.exclusions[i].n, x->err));
    NOD_TRY(nod_cohort_finish(c, x->err));
    NOD_TRY(nod_unit_labels_check(c, x->err));
    *out = c;
    c = NULL;
out:
    nod_cohort_free(c);
    return rc;
}

/* There is something to decode. */
static int check_listing(const indexing *x)
{
    const nod_listing *l = &x->list;
    if (l->n > 0) return 0;
    if (l->n_problems > 0)
        return nod_fail(x->err, NOD_EDATA,
                        "none of the %zu cases in %s can be used; the first: %s", l->n_problems,
                        x->path, l->problems[0].reason);
    if (l->n_exclusions > 0)
        return nod_fail(x->err, NOD_EDATA, "all of the %zu images in %s are left out: %s",
                        l->exclusions[0].n, x->path, l->exclusions[0].reason);
    return nod_fail(x->err, NOD_EDATA, "%s holds no images", x->path);
}

static int check_options(const nod_index_options *o, nod_error *err)
{
    if (!(o->max_unreadable >= 0 && o->max_unreadable <= 1))
        return nod_fail(err, NOD_EINVAL,
                        "the fraction of unreadable images, %g, is not in [0,1]",
                        o->max_unreadable);
    if (o->patient_divide < 1)
        return nod_fail(err, NOD_EINVAL, "patients divided by %lld; 1 or more is needed",
                        (long long)o->patient_divide);
    return 0;
}

int nod_index(const char *source, const nod_index_options *o, nod_cohort **out, nod_error *err)
{
    indexing x = {.path = source, .o = o, .err = err};
    const nod_source_layout *layout = NULL;
    int rc = check_options(o, err);
    if (rc) return rc;
    nod_arena_init(&x.list.arena);
    NOD_TRY(choose_layout(source, o, &layout, err));
    NOD_TRY(layout->list(source, o, &x.list, err));
    NOD_TRY(check_listing(&x));
    if (o->mask_names) NOD_TRY(nod_label_names_declare(&x.list, o->mask_names, source, err));
    x.info.layout = layout->name;
    x.info.policies = o->policies;
    x.info.phi = x.list.phi || x.list.has_patients;
    NOD_TRY(find_patients(&x));
    NOD_TRY(find_unit(&x));
    if (!x.list.segmentation) NOD_TRY(find_classes(&x));
    NOD_TRY(find_names(&x));
    NOD_TRY(decode_all(&x));
    if (x.list.segmentation) NOD_TRY(find_classes(&x));
    NOD_TRY(name_cases(&x));
    rc = make_cohort(&x, out);
    if (rc) {
        nod_error_prefix(err, "%s", source);
        goto out;
    }
    if (x.info.positive_origin == NOD_POSITIVE_ASSUMED)
        nod_warn(o->log,
                 "the positive class is taken to be the highest, '%s'; say which it is "
                 "with --positive CLASS",
                 x.info.classes[1]);
out:
    if (rc && !o->show_ids) nod_listing_hide(&x.list, source, err);
    for (size_t i = 0; x.seen && i < x.list.n; i++) {
        nod_free(x.seen[i].reason);
        nod_free(x.seen[i].oddities);
    }
    nod_free(x.seen);
    nod_free(x.bad);
    nod_source_free(x.source);
    nod_free(x.classes);
    nod_free(x.file_prefix);
    nod_free(x.source_name);
    nod_listing_done(&x.list);
    return rc;
}
