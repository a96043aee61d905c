/* label_table.c: rows sorted by their key. */
#include "data/label_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

typedef struct entry {
    const char *key, *label; /* of the CSV */
    size_t line;
    nod_part official;
    bool used;
} entry;

struct nod_label_table {
    nod_csv *csv;
    nod_label_level level;
    entry *entries; /* sorted by key */
    size_t n;
};

static const char *const level_names[NOD_LABEL_LEVELS] = {"patient", "study", "series"};

const char *nod_label_level_name(nod_label_level level)
{
    return level_names[level];
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int find_level(nod_label_table *t, const char *path, int64_t *key, nod_error *err)
{
    int found = 0;
    for (int i = 0; i < NOD_LABEL_LEVELS; i++) {
        int64_t at = nod_csv_find(t->csv, level_names[i]);
        if (at < 0) continue;
        *key = at;
        t->level = (nod_label_level)i;
        found++;
    }
    if (found == 1) return 0;
    return nod_fail(err, NOD_EFORMAT,
                    "%s: %s of the columns patient, study, series; a table of labels has "
                    "exactly one of them, and the column label",
                    path, found == 0 ? "none" : "several");
}

static int read_rows(nod_label_table *t, const char *path, nod_error *err)
{
    int64_t key = -1, label = nod_csv_find(t->csv, "label"), part;
    int rc = find_level(t, path, &key, err);
    if (rc) return rc;
    if (label < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: column 'label' is missing beside '%s'", path,
                        level_names[t->level]);
    part = nod_csv_find(t->csv, "part");
    t->n = nod_csv_rows(t->csv);
    t->entries = nod_calloc(t->n + 1, sizeof *t->entries);
    if (t->entries == NULL) return nod_fail_memory(err, "labels", t->n * sizeof *t->entries);
    for (size_t i = 0; i < t->n; i++) {
        entry *e = &t->entries[i];
        const char *p = part < 0 ? "" : nod_csv_get(t->csv, i, (size_t)part);
        *e = (entry){.key = nod_csv_get(t->csv, i, (size_t)key),
                     .label = nod_csv_get(t->csv, i, (size_t)label),
                     .line = nod_csv_line(t->csv, i),
                     .official = NOD_PART_OUT};
        if (*e->key == '\0' || *e->label == '\0')
            return nod_fail(err, NOD_EDATA, "%s:%zu: the %s is empty", path, e->line,
                            *e->key ? "label" : level_names[t->level]);
        if (*p && !nod_part_parse(p, &e->official))
            return nod_fail(err, NOD_EDATA, "%s:%zu: part '%.40s' is not train, val or test",
                            path, e->line, p);
    }
    return 0;
}

/* The same row again is one; another label for the same key is a contradiction. */
static int merge_rows(nod_label_table *t, const char *path, nod_error *err)
{
    size_t kept = 0;
    qsort(t->entries, t->n, sizeof *t->entries, compare_entries);
    for (size_t i = 0; i < t->n; i++) {
        const entry *last = kept > 0 ? &t->entries[kept - 1] : NULL, *e = &t->entries[i];
        if (!last || strcmp(last->key, e->key) != 0)
            t->entries[kept++] = *e;
        else if (strcmp(last->label, e->label) != 0 || last->official != e->official)
            return nod_fail(err, NOD_EDATA, "%s:%zu: this %s has another label on line %zu",
                            path, e->line, level_names[t->level], last->line);
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
                   level_names[t->level]);
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

nod_label_level nod_label_table_level(const nod_label_table *t)
{
    return t->level;
}

const char *nod_label_table_find(nod_label_table *t, const char *key, nod_part *official)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(t->entries[mid].key, key);
        if (order == 0) {
            t->entries[mid].used = true;
            *official = t->entries[mid].official;
            return t->entries[mid].label;
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
