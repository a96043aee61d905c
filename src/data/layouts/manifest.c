/* manifest.c: a CSV table path,label[,patient][,part][,array][,index][,facts], one image a row; or
 * path,mask for label maps.
 *
 * Paths are relative to the table. With `index` (and `array`, default "images") a path is an
 * .npz; a path of DICOM may be a folder or an archive with one series, whose header adds what the
 * table does not say. A label with '|' makes the task multi-label. Other columns are ignored, with a
 * warning where one is nearly a known name. */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "data/layouts/dicom_case.h"
#include "data/layouts/item.h"
#include "data/layouts/table.h"

enum column {
    COL_PATH,
    COL_LABEL,
    COL_MASK,
    COL_PATIENT,
    COL_PART,
    COL_ARRAY,
    COL_INDEX,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {"path", "label", "mask", "patient",
                                                  "part", "array", "index"};

typedef struct table {
    nod_csv *csv;
    const nod_index_options *o;
    const char *path;
    int64_t at[COLUMNS]; /* -1: absent */
    int64_t facts[NOD_FACTS];
    nod_error *err;
} table;

static bool detect(const char *path, const nod_index_options *o)
{
    (void)o;
    return nod_path_is_file(path) && nod_has_suffix_nocase(path, ".csv");
}

static const char *next_column(const void *ctx, size_t i)
{
    (void)ctx;
    if (i < COLUMNS) return column_names[i];
    return i < COLUMNS + NOD_FACTS ? nod_fact_get_info((nod_fact)(i - COLUMNS))->name : NULL;
}

static int find_columns(table *t, const nod_log *log)
{
    for (int i = 0; i < COLUMNS; i++)
        t->at[i] = nod_csv_find(t->csv, column_names[i]);
    for (int f = 0; f < NOD_FACTS; f++)
        t->facts[f] = nod_csv_find(t->csv, nod_fact_get_info((nod_fact)f)->name);
    for (size_t i = 0; i < nod_csv_columns(t->csv); i++) {
        const char *header = nod_csv_header(t->csv, i);
        bool known = nod_fact_from_name(header) >= 0;
        for (int k = 0; k < COLUMNS; k++)
            known |= t->at[k] == (int64_t)i;
        const char *near = known ? NULL : nod_nearest(header, next_column, NULL);
        if (near)
            nod_warn(log, "%s: column '%s' is ignored (is '%s' meant?)", t->path, header, near);
        else if (!known)
            nod_info(log, "%s: column %zu is ignored", t->path, i + 1);
    }
    if (t->at[COL_LABEL] >= 0 && t->at[COL_MASK] >= 0)
        return nod_fail(
            t->err, NOD_EFORMAT,
            "%s: columns 'label' and 'mask' are both there; a cohort has one of them "
            "as its truth",
            t->path);
    for (int i = COL_PATH; i <= COL_LABEL; i++)
        if (t->at[i] < 0 && !(i == COL_LABEL && t->at[COL_MASK] >= 0))
            return nod_fail(t->err, NOD_EFORMAT,
                            "%s: column '%s' is missing; a manifest has the columns path,label "
                            "and may have patient,part,array,index",
                            t->path, column_names[i]);
    if (t->at[COL_ARRAY] >= 0 && t->at[COL_INDEX] < 0)
        return nod_fail(t->err, NOD_EFORMAT, "%s: column 'array' needs the column 'index'",
                        t->path);
    return 0;
}

static const char *field(const table *t, size_t row, enum column c)
{
    return t->at[c] < 0 ? "" : nod_csv_get(t->csv, row, (size_t)t->at[c]);
}

static int take_facts(const table *t, size_t row, nod_listing *out, nod_item *item)
{
    int rc = 0;
    for (int f = 0; f < NOD_FACTS && rc == 0; f++) {
        if (t->facts[f] < 0) continue;
        const char *text = nod_csv_get(t->csv, row, (size_t)t->facts[f]);
        rc = nod_item_set_fact(out, item, (nod_fact)f, text, t->err);
    }
    if (rc) nod_error_prefix(t->err, "%s:%zu", t->path, nod_csv_line(t->csv, row));
    return rc;
}

/* The array's file, or the image that the row names. */
static int set_image(const table *t, size_t row, nod_listing *out, nod_item *item)
{
    const char *name = field(t, row, COL_PATH);
    if (*item->array) {
        item->name = nod_arena_strdup(&out->arena, name);
        return item->name ? 0 : nod_fail_memory(t->err, "a name", strlen(name));
    }
    int rc = nod_item_set_image(out, t->o, item, name, t->err);
    if (rc == NOD_EDATA) nod_error_prefix(t->err, "%s:%zu", t->path, item->line);
    return rc;
}

static int read_row(const table *t, size_t row, nod_listing *out)
{
    size_t line = nod_csv_line(t->csv, row);
    nod_arena *a = &out->arena;
    const char *index = field(t, row, COL_INDEX), *part = field(t, row, COL_PART);
    const char *array = field(t, row, COL_ARRAY);
    nod_item item = {.index = -1, .official = NOD_PART_OUT, .line = line};
    if (*field(t, row, COL_PATH) == '\0')
        return nod_fail(t->err, NOD_EDATA, "%s:%zu: the path is empty", t->path, line);
    if (*index && (!nod_parse_i64(index, &item.index) || item.index < 0))
        return nod_fail(t->err, NOD_EDATA, "%s:%zu: the index is not a number from 0", t->path,
                        line);
    if (*index == '\0' && *array)
        return nod_fail(t->err, NOD_EDATA, "%s:%zu: an array without an index", t->path, line);
    if (*part && !nod_part_parse(part, &item.official))
        return nod_fail(t->err, NOD_EDATA, "%s:%zu: the part is not train, val or test",
                        t->path, line);
    if (*index && t->at[COL_MASK] >= 0)
        return nod_fail(t->err, NOD_EDATA,
                        "%s:%zu: a label map belongs to a file, not to an array", t->path,
                        line);
    if (*index && *array == '\0') array = "images";
    item.array = nod_arena_strdup(a, array);
    item.label = nod_arena_strdup(a, field(t, row, COL_LABEL));
    item.patient = nod_arena_strdup(a, field(t, row, COL_PATIENT));
    if (t->at[COL_MASK] >= 0) item.mask = nod_arena_strdup(a, field(t, row, COL_MASK));
    if (!item.array || !item.label || !item.patient || (t->at[COL_MASK] >= 0 && !item.mask))
        return nod_fail_memory(t->err, "a row of a manifest", sizeof item);
    int rc = take_facts(t, row, out, &item);
    if (rc == 0) rc = set_image(t, row, out, &item);
    if (rc) return rc;
    out->has_patients |= *item.patient != '\0';
    out->multilabel |= strchr(item.label, '|') != NULL;
    return nod_listing_add(out, &item, t->err);
}

static int compare_places(const nod_item *x, const nod_item *y)
{
    int order = strcmp(x->name, y->name);
    if (order == 0) order = strcmp(x->array, y->array);
    if (order == 0) order = strcmp(x->files ? x->files : "", y->files ? y->files : "");
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int compare_images(const void *a, const void *b)
{
    const nod_item *x = *(const nod_item *const *)a, *y = *(const nod_item *const *)b;
    int order = compare_places(x, y);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* No image twice, and a label each. */
static int check_items(const table *t, const nod_listing *l)
{
    int rc = 0;
    for (size_t i = 0; i < l->n && !l->multilabel; i++) {
        const nod_item *item = &l->items[i];
        if (*(item->mask ? item->mask : item->label) == '\0')
            return nod_fail(t->err, NOD_EDATA, "%s:%zu: the %s is empty", t->path, item->line,
                            item->mask ? "name of the label map" : "label");
    }
    const nod_item **sorted = nod_calloc(l->n + 1, sizeof(*sorted));
    if (sorted == NULL) return nod_fail_memory(t->err, "a list of images", l->n);
    for (size_t i = 0; i < l->n; i++)
        sorted[i] = &l->items[i];
    qsort(sorted, l->n, sizeof(*sorted), compare_images);
    for (size_t i = 1; i < l->n && rc == 0; i++) {
        const nod_item *x = sorted[i - 1], *y = sorted[i];
        if (compare_places(x, y) == 0)
            rc = nod_fail(t->err, NOD_EDATA, "%s:%zu: this image stands on line %zu already",
                          t->path, y->line, x->line);
    }
    nod_free(sorted);
    return rc;
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    table t = {.o = o, .path = path, .err = err};
    int rc = 0;
    NOD_TRY(nod_listing_set_root(out, o, path, err));
    NOD_TRY(nod_csv_read(path, &t.csv, err));
    NOD_TRY(find_columns(&t, o->log));
    out->segmentation = t.at[COL_MASK] >= 0;
    for (size_t row = 0; row < nod_csv_rows(t.csv); row++)
        NOD_TRY(read_row(&t, row, out));
    NOD_TRY(check_items(&t, out));
out:
    nod_csv_free(t.csv);
    return rc;
}

const nod_source_layout nod_source_layout_manifest = {
    .name = "manifest",
    .about =
        "a CSV table with the columns path, label or mask, and maybe patient,part,array,index",
    .takes = NOD_LAYOUT_TAKES_DATA_ROOT | NOD_LAYOUT_TAKES_SERIES,
    .detect = detect,
    .list = list,
};
