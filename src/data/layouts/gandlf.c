/* gandlf.c: the CSV tables of GaNDLF: SubjectID, Channel_0 .. Channel_n, and Label (label maps) or
 * ValueToPredict (classes).
 *
 * Columns are found as that program finds them, by words in their names, letter case ignored; columns
 * that are facts by name (data/fact.h) are facts. Paths are relative to the table. A channel may be a
 * folder or a file of DICOM: then the header names the study, the series and facts. */
#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "data/layouts/dicom_case.h"
#include "data/layouts/item.h"
#include "data/layouts/table.h"

#define HEAD_BYTES 65536 /* of a table that is looked at before it is read */

typedef enum column_kind {
    KIND_OTHER,
    KIND_FACT,
    KIND_CHANNEL,
    KIND_VALUE,
    KIND_SUBJECT,
    KIND_MASK
} column_kind;

typedef struct gandlf {
    const nod_index_options *o;
    nod_listing *out;
    const char *path;
    nod_csv *csv;
    size_t channels[NOD_LAYOUT_MAX_CHANNELS], n_channels;
    int64_t subject, mask, value; /* columns; -1: absent */
    int64_t facts[NOD_FACTS];
    size_t n_unlabelled;
    nod_error *err;
} gandlf;

/* --- columns ------------------------------------------------------------------------------ */

static bool has_word(const char *header, const char *const *words)
{
    char lower[128];
    size_t n = NOD_MIN(strlen(header), sizeof lower - 1);
    for (size_t i = 0; i < n; i++)
        lower[i] =
            (char)(header[i] >= 'A' && header[i] <= 'Z' ? header[i] - 'A' + 'a' : header[i]);
    lower[n] = '\0';
    for (; *words; words++)
        if (strstr(lower, *words)) return true;
    return false;
}

/* In the order in which GaNDLF asks (GANDLF/utils/write_parse.py). */
static column_kind kind_of(const char *header)
{
    static const struct {
        column_kind kind;
        const char *words[7];
    } kinds[] = {
        {KIND_CHANNEL, {"channel", "modality", "image", NULL}},
        {KIND_VALUE, {"valuetopredict", NULL}},
        {KIND_SUBJECT, {"subject", "patient", "pid", NULL}},
        {KIND_MASK, {"label", "mask", "segmentation", "ground_truth", "groundtruth", NULL}},
    };
    if (nod_fact_from_name(header) >= 0) return KIND_FACT;
    for (size_t i = 0; i < NOD_COUNT(kinds); i++)
        if (has_word(header, kinds[i].words)) return kinds[i].kind;
    return KIND_OTHER;
}

/* A table with channels and subjects, and without the column `path` of a manifest: its first line
 * decides. */
static bool detect(const char *path, const nod_index_options *o)
{
    (void)o;
    nod_error err = NOD_ERROR_INIT;
    nod_csv *head = NULL;
    bool channel = false, subject = false;
    if (!nod_path_is_file(path) || !nod_has_suffix_nocase(path, ".csv")) return false;
    char *text = nod_calloc(1, HEAD_BYTES + 1);
    size_t n = text ? nod_file_peek(path, text, HEAD_BYTES) : 0;
    if (n > 0 && nod_csv_parse(text, strcspn(text, "\n"), path, &head, &err) == 0) {
        for (size_t i = 0; i < nod_csv_columns(head); i++) {
            channel |= kind_of(nod_csv_header(head, i)) == KIND_CHANNEL;
            subject |= kind_of(nod_csv_header(head, i)) == KIND_SUBJECT;
        }
        channel &= nod_csv_find(head, "path") < 0;
    }
    nod_csv_free(head);
    nod_free(text);
    return channel && subject;
}

static int once(gandlf *g, int64_t *at, size_t column, const char *what)
{
    if (*at >= 0)
        return nod_fail(
            g->err, NOD_EDATA, "%s: columns '%.60s' and '%.60s' both are %s; one is used",
            g->path, nod_csv_header(g->csv, (size_t)*at), nod_csv_header(g->csv, column), what);
    *at = (int64_t)column;
    return 0;
}

static int find_column(gandlf *g, size_t column)
{
    const char *header = nod_csv_header(g->csv, column);
    switch (kind_of(header)) {
    case KIND_FACT:
        g->facts[nod_fact_from_name(header)] = (int64_t)column;
        return 0;
    case KIND_CHANNEL:
        if (g->n_channels == NOD_LAYOUT_MAX_CHANNELS)
            return nod_fail(g->err, NOD_ELIMIT, "%s: more than %d columns of channels", g->path,
                            NOD_LAYOUT_MAX_CHANNELS);
        g->channels[g->n_channels++] = column;
        return 0;
    case KIND_VALUE:
        return once(g, &g->value, column, "the value to predict");
    case KIND_SUBJECT:
        return once(g, &g->subject, column, "the subject");
    case KIND_MASK:
        return once(g, &g->mask, column, "label maps");
    default:
        nod_info(g->o->log, "%s: column %zu is ignored", g->path, (size_t)column + 1);
        return 0;
    }
}

static int find_columns(gandlf *g)
{
    int rc = 0;
    g->subject = g->mask = g->value = -1;
    for (int f = 0; f < NOD_FACTS; f++)
        g->facts[f] = -1;
    for (size_t i = 0; i < nod_csv_columns(g->csv) && rc == 0; i++)
        rc = find_column(g, i);
    if (rc) return rc;
    if (g->n_channels == 0 || g->subject < 0)
        return nod_fail(
            g->err, NOD_EFORMAT,
            "%s: column '%s' is missing; a table of GaNDLF has SubjectID, Channel_0 "
            "..., and Label or ValueToPredict",
            g->path, g->n_channels == 0 ? "Channel_0" : "SubjectID");
    if ((g->mask < 0) == (g->value < 0))
        return nod_fail(g->err, NOD_EFORMAT, "%s: %s; a cohort has one of them as its truth",
                        g->path,
                        g->mask < 0 ? "neither Label nor ValueToPredict is there"
                                    : "Label and ValueToPredict are both there");
    return 0;
}

/* --- rows --------------------------------------------------------------------------------- */

static const char *cell(const gandlf *g, size_t row, int64_t column)
{
    return column < 0 ? "" : nod_csv_get(g->csv, row, (size_t)column);
}

static int fail_row(const gandlf *g, size_t row, const char *what)
{
    return nod_fail(g->err, NOD_EDATA, "%s:%zu: %s", g->path, nod_csv_line(g->csv, row), what);
}

static int read_channels(gandlf *g, size_t row, nod_item *item)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = 0;
    for (size_t i = 0; i < g->n_channels && rc == 0; i++) {
        const char *name = nod_csv_get(g->csv, row, g->channels[i]);
        const char *clean = nod_listing_clean_name(g->out, name);
        if (*name == '\0')
            rc = fail_row(g, row, "the name of a channel's file is empty");
        else if (clean == NULL || !nod_strlist_add(&names, clean))
            rc = nod_fail_memory(g->err, "names of files", g->n_channels);
    }
    if (rc == 0) {
        rc = names.n == 1 ? nod_item_set_image(g->out, g->o, item, names.items[0], g->err)
                          : nod_item_set_files(g->out, item, &names, g->err);
        if (rc == NOD_EDATA)
            nod_error_prefix(g->err, "%s:%zu", g->path, nod_csv_line(g->csv, row));
    }
    nod_strlist_done(&names);
    return rc;
}

/* GaNDLF's classes are numbers, which tables write as 1 or 1.0; words are taken as well. */
static int read_value(gandlf *g, size_t row, nod_item *item)
{
    const char *text = cell(g, row, g->value);
    double v;
    if (nod_parse_f64(text, &v)) {
        if (v != floor(v) || fabs(v) > NOD_COHORT_MAX_CLASSES)
            return fail_row(g, row,
                            "ValueToPredict is a measurement, not a class; classes are "
                            "whole numbers or words");
        item->label = nod_arena_printf(&g->out->arena, "%.0f", v);
    } else {
        item->label = nod_arena_strdup(&g->out->arena, text);
        g->out->multilabel |= strchr(text, '|') != NULL;
    }
    return item->label ? 0 : nod_fail_memory(g->err, "a label", strlen(text));
}

static int read_facts(gandlf *g, size_t row, nod_item *item)
{
    int rc = 0;
    for (int f = 0; f < NOD_FACTS && rc == 0; f++) {
        const char *text = cell(g, row, g->facts[f]);
        if (*text) rc = nod_item_set_fact(g->out, item, (nod_fact)f, text, g->err);
    }
    if (rc == NOD_EDATA) nod_error_prefix(g->err, "%s:%zu", g->path, nod_csv_line(g->csv, row));
    return rc;
}

static int read_row(gandlf *g, size_t row)
{
    nod_item item = {.array = "",
                     .index = -1,
                     .label = "",
                     .patient = "",
                     .official = NOD_PART_OUT,
                     .line = nod_csv_line(g->csv, row)};
    const char *mask = cell(g, row, g->mask);
    int rc = 0;
    if (*cell(g, row, g->mask >= 0 ? g->mask : g->value) == '\0') {
        g->n_unlabelled++;
        return 0;
    }
    NOD_TRY(read_channels(g, row, &item));
    if (g->value >= 0) NOD_TRY(read_value(g, row, &item));
    NOD_TRY(read_facts(g, row, &item));
    item.patient = nod_arena_strdup(&g->out->arena, cell(g, row, g->subject));
    if (g->mask >= 0) item.mask = nod_listing_clean_name(g->out, mask);
    if (!item.patient || (g->mask >= 0 && !item.mask))
        return nod_fail_memory(g->err, "a row", sizeof item);
    g->out->has_patients |= *item.patient != '\0';
    rc = nod_listing_add(g->out, &item, g->err);
out:
    return rc;
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    gandlf g = {.o = o, .out = out, .path = path, .err = err};
    int rc = 0;
    NOD_TRY(nod_listing_set_root(out, o, path, err));
    NOD_TRY(nod_csv_read(path, &g.csv, err));
    NOD_TRY(find_columns(&g));
    out->segmentation = g.mask >= 0;
    for (size_t row = 0; row < nod_csv_rows(g.csv); row++)
        NOD_TRY(read_row(&g, row));
    if (g.n_unlabelled) nod_listing_exclude(out, "no label", g.n_unlabelled);
    NOD_TRY(nod_listing_sort(out, err));
    NOD_TRY(nod_listing_check_twice(out, path, "lines", err));
out:
    nod_csv_free(g.csv);
    return rc;
}

const nod_source_layout nod_source_layout_gandlf = {
    .name = "gandlf",
    .about = "GaNDLF: a CSV table with SubjectID, Channel_0 ..., and Label or ValueToPredict",
    .takes = NOD_LAYOUT_TAKES_DATA_ROOT | NOD_LAYOUT_TAKES_SERIES,
    .detect = detect,
    .list = list,
};
