/* bids.c: the Brain Imaging Data Structure: sub-01[/ses-1]/anat/sub-01[_ses-1]_T1w.nii.gz, and
 * participants.tsv.
 *
 * The truth is a column of participants.tsv, or label maps with the suffix dseg, else mask, in
 * derivatives/PIPELINE/sub-01/... or beside the images, which belong to the image whose entities they
 * have. Participants are the patients. docs/formats/layouts.md. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/bids_name.h"
#include "data/layouts/bids_tables.h"
#include "data/layouts/item.h"
#include "data/layouts/table.h"
#include "imaging/reader.h"

#define DEPTH_MAX 6  /* below a subject */
#define KINDS_MAX 16 /* suffixes that a message lists */

typedef struct bids_file {
    const char *path; /* below the root */
    nod_bids_name name;
} bids_file;

typedef struct bids_files {
    bids_file *items;
    size_t n, cap;
} bids_files;

typedef struct bids {
    const nod_index_options *o;
    nod_listing *out;
    bids_files images, masks;
    nod_strlist tables;      /* *_dseg.tsv */
    nod_bids_people *people; /* NULL: no participants.tsv */
    regex_t images_re, masks_re;
    bool has_images_re, has_masks_re, by_mask;
    bool in_derivatives;
    size_t n_unlabelled;
    nod_error *err;
} bids;

/* --- detection ---------------------------------------------------------------------------- */

static bool is_subject(const char *name)
{
    return nod_has_prefix(name, "sub-");
}

/* Folders that may stand beside those of subjects. */
static bool is_beside(const char *name)
{
    static const char *const names[] = {"derivatives", "sourcedata", "code", "phenotype",
                                        "stimuli"};
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return name[0] == '.';
}

/* Folders of subjects, and either no others or a file that only BIDS has. */
static bool detect(const char *path, const nod_index_options *o)
{
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error err = NOD_ERROR_INIT;
    bool subject = false, described = false, other = false;
    (void)o;
    if (!nod_path_is_dir(path) || nod_dir_list(path, &names, &err) != 0) return false;
    for (size_t i = 0; i < names.n; i++) {
        const char *name = names.items[i];
        char *full = nod_path_join(path, name);
        bool is_dir = full && nod_path_is_dir(full);
        subject |= is_dir && is_subject(name);
        other |= is_dir && !is_subject(name) && !is_beside(name);
        described |= strcmp(name, "dataset_description.json") == 0 ||
                     strcmp(name, "participants.tsv") == 0;
        nod_free(full);
    }
    nod_strlist_done(&names);
    return subject && (described || !other);
}

/* --- finding files ------------------------------------------------------------------------ */

static int add_file(bids *b, bids_files *to, const char *path, const nod_bids_name *name)
{
    if (to->n >= NOD_COHORT_MAX_CASES)
        return nod_fail(b->err, NOD_ELIMIT, "more than %zu files", NOD_COHORT_MAX_CASES);
    if (!nod_grow((void **)&to->items, &to->cap, to->n + 1, sizeof *to->items))
        return nod_fail_memory(b->err, "a list of files", to->n * sizeof *to->items);
    to->items[to->n++] = (bids_file){path, *name};
    return 0;
}

static bool passes(bool has, const regex_t *re, const char *path)
{
    return !has || regexec(re, path, 0, NULL, 0) == 0;
}

/* `path` is in the arena. */
static int look_at_file(bids *b, const char *path)
{
    nod_bids_name name;
    if (!nod_bids_name_parse(nod_path_base(path), &name)) return 0;
    bool dseg = nod_bids_piece_is(name.suffix, "dseg");
    if (dseg && strcmp(name.ending, ".tsv") == 0)
        return nod_strlist_add(&b->tables, path) ? 0 : nod_fail_memory(b->err, "a table", 1);
    if (!nod_image_has_ending(path)) return 0;
    if (dseg || nod_bids_piece_is(name.suffix, "mask"))
        return passes(b->has_masks_re, &b->masks_re, path) ? add_file(b, &b->masks, path, &name)
                                                           : 0;
    if (b->in_derivatives || !passes(b->has_images_re, &b->images_re, path)) return 0;
    return add_file(b, &b->images, path, &name);
}

/* Which of the entries of a folder are visited. */
typedef enum visit { VISIT_ALL, VISIT_SUBJECTS, VISIT_PIPELINES } visit;

static int walk(bids *b, const char *folder, visit what, int depth)
{
    nod_strlist names = NOD_STRLIST_INIT;
    if (depth > DEPTH_MAX) return 0;
    char *path = *folder ? nod_path_join(b->out->root, folder) : nod_strdup(b->out->root);
    int rc = path ? nod_dir_list(path, &names, b->err) : nod_fail_memory(b->err, "a path", 1);
    for (size_t i = 0; i < names.n && rc == 0; i++) {
        const char *entry = names.items[i];
        char *full = nod_path_join(path, entry);
        const char *below =
            nod_arena_printf(&b->out->arena, "%s%s%s", folder, *folder ? "/" : "", entry);
        if (full == NULL || below == NULL) {
            rc = nod_fail_memory(b->err, "a path", strlen(entry));
        } else if (entry[0] == '.') {
            rc = 0;
        } else if (!nod_path_is_dir(full)) {
            rc = look_at_file(b, below);
        } else if (what == VISIT_ALL || is_subject(entry)) {
            rc = walk(b, below, VISIT_ALL, depth + 1);
        } else if (what == VISIT_PIPELINES) {
            rc = walk(b, below, VISIT_SUBJECTS, depth + 1);
        }
        nod_free(full);
    }
    nod_strlist_done(&names);
    nod_free(path);
    return rc;
}

static int find_files(bids *b)
{
    char *derivatives = nod_path_join(b->out->root, "derivatives");
    if (derivatives == NULL) return nod_fail_memory(b->err, "a path", 1);
    int rc = walk(b, "", VISIT_SUBJECTS, 0);
    if (rc == 0 && nod_path_is_dir(derivatives)) {
        b->in_derivatives = true;
        rc = walk(b, "derivatives", VISIT_PIPELINES, 0);
    }
    nod_free(derivatives);
    return rc;
}

/* Images of one kind are one cohort: T1w and bold are not. */
static int check_kinds(const bids *b)
{
    const bids_files *f = &b->images;
    nod_bids_piece kinds[KINDS_MAX];
    size_t n_of[KINDS_MAX] = {0}, n = 0;
    if (f->n == 0)
        return nod_fail(b->err, NOD_EDATA, "%s: no images below sub-*%s", b->out->root,
                        b->has_images_re ? " fit --images" : "");
    for (size_t i = 0; i < f->n; i++) {
        size_t k = 0;
        while (k < n && !nod_bids_piece_same(kinds[k], f->items[i].name.suffix))
            k++;
        if (k == KINDS_MAX) continue;
        if (k == n) kinds[n++] = f->items[i].name.suffix;
        n_of[k]++;
    }
    if (n == 1) return 0;
    nod_strbuf list = NOD_STRBUF_INIT;
    for (size_t k = 0; k < n; k++)
        nod_strbuf_printf(&list, "%s%.*s (%zu)", k ? ", " : "", (int)kinds[k].n, kinds[k].at,
                          n_of[k]);
    nod_fail(b->err, NOD_EDATA,
             "%s holds several kinds of images: %s; choose with --images, e.g. "
             "--images '_%.*s'",
             b->out->root, list.data, (int)kinds[0].n, kinds[0].at);
    nod_strbuf_done(&list);
    return b->err->code;
}

/* --- the truth ---------------------------------------------------------------------------- */

static int read_people(bids *b)
{
    char *path = nod_path_join(b->out->root, "participants.tsv");
    int rc = 0;
    if (path == NULL) return nod_fail_memory(b->err, "a path", 1);
    if (nod_path_is_file(path))
        rc = nod_bids_people_read(path, b->o->label_column, b->o->log, &b->people, b->err);
    else if (b->o->label_column)
        rc = nod_fail(b->err, NOD_ENOENT, "%s: there is no table for --label-column", path);
    nod_free(path);
    return rc;
}

/* Of the suffixes dseg and mask the first that occurs; the other label maps are forgotten. */
static void keep_masks(bids *b)
{
    bids_files *f = &b->masks;
    bool dseg = false;
    size_t kept = 0;
    for (size_t i = 0; i < f->n; i++)
        dseg |= nod_bids_piece_is(f->items[i].name.suffix, "dseg");
    for (size_t i = 0; i < f->n; i++)
        if (nod_bids_piece_is(f->items[i].name.suffix, "dseg") == dseg)
            f->items[kept++] = f->items[i];
    f->n = kept;
}

static int choose_truth(bids *b)
{
    const char *column = b->people ? nod_bids_people_label_column(b->people) : NULL;
    keep_masks(b);
    b->by_mask = b->masks.n > 0 && b->o->label_column == NULL;
    b->out->segmentation = b->by_mask;
    if (b->by_mask) {
        nod_info(b->o->log, "the truth are the label maps *_%.*s",
                 (int)b->masks.items[0].name.suffix.n, b->masks.items[0].name.suffix.at);
        return 0;
    }
    b->out->label_level = NOD_LEVEL_PATIENT;
    if (column) {
        nod_info(b->o->log, "the truth is the column %s of participants.tsv", column);
        return 0;
    }
    return nod_fail(
        b->err, NOD_EDATA,
        "%s has neither label maps (*_dseg.nii.gz or *_mask.nii.gz in derivatives) nor a "
        "column of labels in participants.tsv; name one with --label-column",
        b->out->root);
}

/* The label that all masks share, as in "sub-01_label-lesion_mask"; n 0: none. */
static nod_bids_piece common_label(const bids *b)
{
    nod_bids_piece label = nod_bids_name_get(&b->masks.items[0].name, "label");
    for (size_t i = 1; i < b->masks.n; i++)
        if (!nod_bids_piece_same(label, nod_bids_name_get(&b->masks.items[i].name, "label")))
            label.n = 0;
    return label;
}

static int read_table(bids *b, const char *name, nod_strlist *out)
{
    char *path = nod_path_join(b->out->root, name);
    int rc =
        path ? nod_bids_names_read(path, out, b->err) : nod_fail_memory(b->err, "a path", 1);
    nod_free(path);
    return rc;
}

static bool same_names(const nod_strlist *a, const nod_strlist *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

/* Names of the values of label maps: of dseg from tables, which must agree; of masks two. Without a
 * table they stay unnamed. */
static int name_values(bids *b)
{
    nod_strlist *classes = &b->out->classes;
    int rc = 0;
    if (nod_bids_piece_is(b->masks.items[0].name.suffix, "mask")) {
        nod_bids_piece label = common_label(b);
        char *name = label.n ? nod_strndup(label.at, label.n) : nod_strdup("foreground");
        bool ok =
            name && nod_strlist_add(classes, "background") && nod_strlist_add(classes, name);
        nod_free(name);
        return ok ? 0 : nod_fail_memory(b->err, "names of labels", 1);
    }
    for (size_t i = 0; i < b->tables.n && rc == 0; i++) {
        nod_strlist names = NOD_STRLIST_INIT;
        rc = read_table(b, b->tables.items[i], i == 0 ? classes : &names);
        if (rc == 0 && i > 0 && !same_names(classes, &names))
            rc = nod_fail(b->err, NOD_EDATA,
                          "%s: its %zu tables *dseg.tsv do not agree about the names of values",
                          b->out->root, b->tables.n);
        nod_strlist_done(&names);
    }
    return rc;
}

/* --- items -------------------------------------------------------------------------------- */

static int compare_subjects(const void *x, const void *y)
{
    nod_bids_piece a = nod_bids_name_get(&((const bids_file *)x)->name, "sub");
    nod_bids_piece b = nod_bids_name_get(&((const bids_file *)y)->name, "sub");
    int order = strncmp(a.at, b.at, NOD_MIN(a.n, b.n));
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* A name without whose it is: "desc-manual_dseg". */
static void add_rest(nod_strbuf *s, const nod_bids_name *n)
{
    for (size_t i = 0; i < n->n_entities; i++) {
        nod_bids_piece k = n->entities[i].key, v = n->entities[i].value;
        if (nod_bids_piece_is(k, "sub") || nod_bids_piece_is(k, "ses")) continue;
        nod_strbuf_printf(s, "%.*s-%.*s_", (int)k.n, k.at, (int)v.n, v.at);
    }
    nod_strbuf_addn(s, n->suffix.at, n->suffix.n);
}

static int fail_several(const bids *b, const nod_bids_name *x, const nod_bids_name *y)
{
    nod_strbuf names = NOD_STRBUF_INIT;
    add_rest(&names, x);
    nod_strbuf_add(&names, " and ");
    add_rest(&names, y);
    nod_fail(
        b->err, NOD_EDATA,
        "%s: several label maps fit one image, such as %s; choose with --masks, e.g. --masks "
        "'desc-manual'",
        b->out->root, names.data);
    nod_strbuf_done(&names);
    return b->err->code;
}

/* The label map of an image, NULL: none. */
static int find_mask(const bids *b, const bids_file *image, const char **out)
{
    const bids_file *masks = b->masks.items, *best = NULL, *second = NULL;
    size_t low = 0, high = b->masks.n, most = 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_subjects(&masks[mid], image) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < b->masks.n && compare_subjects(&masks[low], image) == 0; low++) {
        size_t fit = nod_bids_name_fit(&image->name, &masks[low].name);
        if (fit == 0 || fit < most) continue;
        second = fit == most ? best : NULL;
        best = &masks[low];
        most = fit;
    }
    if (second) return fail_several(b, &second->name, &best->name);
    *out = best ? best->path : NULL;
    return 0;
}

/* "sub-01/anat/sub-01_T1w.json" of its image. */
static char *sidecar_path(const bids *b, const bids_file *image)
{
    size_t n = strlen(image->path) - strlen(image->name.ending);
    nod_strbuf s = NOD_STRBUF_INIT;
    nod_strbuf_printf(&s, "%s/%.*s.json", b->out->root, (int)n, image->path);
    return nod_strbuf_take(&s);
}

static int add_image(bids *b, const bids_file *image)
{
    nod_item item = {.array = "", .index = -1, .label = "", .official = NOD_PART_OUT};
    nod_bids_piece subject = nod_bids_name_get(&image->name, "sub");
    const char *label = "", *participant;
    nod_strlist names = NOD_STRLIST_INIT;
    nod_error why = NOD_ERROR_INIT;
    char *sidecar = sidecar_path(b, image);
    int rc = 0;
    if (sidecar == NULL || !nod_strlist_add(&names, image->path)) {
        rc = nod_fail_memory(b->err, "a path", strlen(image->path));
        goto out;
    }
    participant = nod_arena_printf(&b->out->arena, "sub-%.*s", (int)subject.n, subject.at);
    if (participant == NULL) {
        rc = nod_fail_memory(b->err, "a name", subject.n);
        goto out;
    }
    item.patient = participant + strlen("sub-");
    if (b->people)
        NOD_TRY(nod_bids_people_set(b->people, participant, b->out, &item, &label, b->err));
    NOD_TRY(nod_bids_sidecar_set(sidecar, b->out, &item, b->o->log, b->err));
    if (b->by_mask)
        NOD_TRY(find_mask(b, image, &item.mask));
    else if ((item.label = nod_arena_strdup(&b->out->arena, label)) == NULL)
        rc = nod_fail_memory(b->err, "a label", strlen(label));
    if (rc) goto out;
    if (b->by_mask ? item.mask == NULL : *label == '\0') {
        b->n_unlabelled++;
        goto out;
    }
    rc = nod_item_set_files(b->out, &item, &names, &why);
    if (rc == NOD_EDATA)
        rc = nod_listing_add_problem(b->out, image->path, why.message, b->err);
    else if (rc)
        *b->err = why;
    else
        rc = nod_listing_add(b->out, &item, b->err);
out:
    nod_strlist_done(&names);
    nod_free(sidecar);
    return rc;
}

static int list_images(bids *b)
{
    int rc = 0;
    if (b->masks.n > 0)
        qsort(b->masks.items, b->masks.n, sizeof *b->masks.items, compare_subjects);
    for (size_t i = 0; i < b->images.n && rc == 0; i++)
        rc = add_image(b, &b->images.items[i]);
    if (rc) return rc;
    if (b->n_unlabelled)
        nod_listing_exclude(b->out, b->by_mask ? "no label map" : "no label", b->n_unlabelled);
    if (b->people && nod_bids_people_unused(b->people))
        nod_warn(b->o->log, "%zu participants in participants.tsv have no image",
                 nod_bids_people_unused(b->people));
    return 0;
}

static int compile(const char *rule, const char *option, regex_t *re, bool *has, nod_error *err)
{
    char text[200];
    if (rule == NULL) return 0;
    int bad = regcomp(re, rule, REG_EXTENDED | REG_NOSUB);
    if (bad != 0) {
        regerror(bad, re, text, sizeof text);
        return nod_fail(err, NOD_EINVAL, "--%s '%.80s': %s", option, rule, text);
    }
    *has = true;
    return 0;
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    bids b = {.o = o, .out = out, .err = err};
    int rc = 0;
    out->root = nod_arena_strdup(&out->arena, path);
    if (out->root == NULL) return nod_fail_memory(err, "a path", strlen(path));
    out->has_patients = out->patients_in_names = out->phi = true;
    NOD_TRY(compile(o->images, "images", &b.images_re, &b.has_images_re, err));
    NOD_TRY(compile(o->masks, "masks", &b.masks_re, &b.has_masks_re, err));
    NOD_TRY(find_files(&b));
    NOD_TRY(check_kinds(&b));
    NOD_TRY(read_people(&b));
    NOD_TRY(choose_truth(&b));
    if (b.by_mask) NOD_TRY(name_values(&b));
    NOD_TRY(list_images(&b));
    NOD_TRY(nod_listing_sort(out, err));
out:
    if (b.has_images_re) regfree(&b.images_re);
    if (b.has_masks_re) regfree(&b.masks_re);
    nod_bids_people_free(b.people);
    nod_strlist_done(&b.tables);
    nod_free(b.images.items);
    nod_free(b.masks.items);
    return rc;
}

const nod_source_layout nod_source_layout_bids = {
    .name = "bids",
    .about = "BIDS: sub-*/, with participants.tsv or label maps in derivatives/",
    .takes = NOD_LAYOUT_TAKES_CHOICE | NOD_LAYOUT_TAKES_LABEL_COLUMN,
    .detect = detect,
    .list = list,
};
