/* label_table.c: rows sorted by their key. */
#include "data/label_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

typedef struct entry {
    nod_label_row row; /* texts of the CSV */
    size_t line;
    bool used;
} entry;

struct nod_label_table {
    nod_csv *csv;
    nod_level level;
    entry *entries; /* sorted by key */
    size_t n;
};

static const nod_level levels[] = {NOD_LEVEL_PATIENT, NOD_LEVEL_STUDY, NOD_LEVEL_SERIES};

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->row.key, y->row.key);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int find_level(nod_label_table *t, const char *path, int64_t *key, nod_error *err)
{
    int found = 0;
    for (size_t i = 0; i < NOD_COUNT(levels); i++) {
        int64_t at = nod_csv_find(t->csv, nod_level_name(levels[i]));
        if (at < 0) continue;
        *key = at;
        t->level = levels[i];
        found++;
    }
    if (found == 1) return 0;
    return nod_fail(err, NOD_EFORMAT,
                    "%s: %s of the columns patient, study, series; a table of labels has "
                    "exactly one of them, and the column label",
                    path, found == 0 ? "none" : "several");
}

static const char *cell(const nod_label_table *t, size_t row, int64_t column)
{
    return column < 0 ? "" : nod_csv_get(t->csv, row, (size_t)column);
}

static int take_facts(const nod_label_table *t, size_t row, const int64_t at[NOD_FACTS],
                      nod_label_row *out, nod_error *err)
{
    int rc = 0;
    for (int f = 0; f < NOD_FACTS && rc == 0; f++) {
        out->facts[f] = cell(t, row, at[f]);
        rc = nod_fact_check((nod_fact)f, out->facts[f], err);
        if (rc) err->code = rc = NOD_EDATA;
    }
    return rc;
}

/* Columns of a table; -1: absent. */
typedef struct columns {
    int64_t key, label, part, facts[NOD_FACTS];
} columns;

static int read_row(const nod_label_table *t, size_t row, const columns *at, nod_label_row *out,
                    nod_error *err)
{
    const char *part = cell(t, row, at->part);
    int rc = take_facts(t, row, at->facts, out, err);
    if (rc) return rc;
    out->key = cell(t, row, at->key);
    out->label = cell(t, row, at->label);
    out->official = NOD_PART_OUT;
    if (*out->key == '\0' || *out->label == '\0')
        return nod_fail(err, NOD_EDATA, "the %s is empty",
                        *out->key ? "label" : nod_level_name(t->level));
    if (*part && !nod_part_parse(part, &out->official))
        return nod_fail(err, NOD_EDATA, "the part is not train, val or test");
    return 0;
}

static int read_rows(nod_label_table *t, const char *path, nod_error *err)
{
    columns at = {.label = nod_csv_find(t->csv, "label"), .part = nod_csv_find(t->csv, "part")};
    int rc = find_level(t, path, &at.key, err);
    if (rc) return rc;
    if (at.label < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: column 'label' is missing beside '%s'", path,
                        nod_level_name(t->level));
    for (int f = 0; f < NOD_FACTS; f++)
        at.facts[f] = nod_csv_find(t->csv, nod_fact_get_info((nod_fact)f)->name);
    t->n = nod_csv_rows(t->csv);
    t->entries = nod_calloc(t->n + 1, sizeof *t->entries);
    if (t->entries == NULL) return nod_fail_memory(err, "labels", t->n * sizeof *t->entries);
    for (size_t i = 0; i < t->n && rc == 0; i++) {
        entry *e = &t->entries[i];
        e->line = nod_csv_line(t->csv, i);
        rc = read_row(t, i, &at, &e->row, err);
        if (rc) nod_error_prefix(err, "%s:%zu", path, e->line);
    }
    return rc;
}

static bool same_row(const nod_label_row *a, const nod_label_row *b)
{
    bool same = strcmp(a->label, b->label) == 0 && a->official == b->official;
    for (int f = 0; f < NOD_FACTS && same; f++)
        same = strcmp(a->facts[f], b->facts[f]) == 0;
    return same;
}

/* The same row again is one; another label for the same key is a contradiction. */
static int merge_rows(nod_label_table *t, const char *path, nod_error *err)
{
    size_t kept = 0;
    qsort(t->entries, t->n, sizeof *t->entries, compare_entries);
    for (size_t i = 0; i < t->n; i++) {
        const entry *last = kept > 0 ? &t->entries[kept - 1] : NULL, *e = &t->entries[i];
        if (!last || strcmp(last->row.key, e->row.key) != 0)
            t->entries[kept++] = *e;
        else if (!same_row(&last->row, &e->row))
            return nod_fail(err, NOD_EDATA,
                            "%s:%zu: this %s has another label or other facts on line %zu",
                            path, e->line, nod_level_name(t->level), last->line);
    }
    t->n = kept;
    return 0;
}

int nod_label_table_read(const char *path, const nod_log *log, nod_label_table **out,
                         nod_error *err)
{
    int rc = 0;
    nod_label_table *t = nod_calloc(1, sizeof *t);
    if (t == NULL) return nod_fail_memory(err, "a table of labels", sizeof *t);
    NOD_TRY(nod_csv_read(path, &t->csv, err));
    NOD_TRY(read_rows(t, path, err));
    NOD_TRY(merge_rows(t, path, err));
    nod_log_printf(log, NOD_LOG_DEBUG, "%s: labels of %zu keys at the level %s", path, t->n,
                   nod_level_name(t->level));
    *out = t;
    t = NULL;
out:
    nod_label_table_free(t);
    return rc;
}

void nod_label_table_free(nod_label_table *t)
{
    if (t == NULL) return;
    nod_csv_free(t->csv);
    nod_free(t->entries);
    nod_free(t);
}

nod_level nod_label_table_level(const nod_label_table *t)
{
    return t->level;
}

const nod_label_row *nod_label_table_find(nod_label_table *t, const char *key)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        entry *e = &t->entries[mid];
        int order = strcmp(e->row.key, key);
        if (order == 0) {
            e->used = true;
            return &e->row;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

size_t nod_label_table_rows(const nod_label_table *t)
{
    return t->n;
}

size_t nod_label_table_unused(const nod_label_table *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += !t->entries[i].used;
    return n;
}
