/* unreadable.c: see unreadable.h. */
#include "data/unreadable.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hide.h"
#include "base/memory.h"
#include "base/text.h"

#define DIGITS    12
#define LOG_LINES 20 /* files named in the log */

/* The hash of a file's bytes; false where they cannot be read. */
static bool add_file(const char *path, nod_sha256 *h)
{
    char hex[NOD_SHA256_HEX];
    nod_error err = NOD_ERROR_INIT;
    if (nod_sha256_of_file(path, hex, &err) != 0) return false;
    nod_sha256_add_str(h, hex);
    return true;
}

/* Of several files: the hash of their hashes. */
static bool add_files(const char *folder, const char *files, nod_sha256 *h)
{
    bool ok = true;
    for (const char *p = files; *p && ok;) {
        size_t n = strcspn(p, "|");
        nod_strbuf path = NOD_STRBUF_INIT;
        nod_strbuf_printf(&path, "%s/%.*s", folder, (int)n, p);
        ok = !path.failed && add_file(path.data, h);
        nod_strbuf_done(&path);
        p += n + (p[n] == '|');
    }
    return ok;
}

static int name_one(const char *root, nod_unreadable_file *f, size_t number, nod_error *err)
{
    char hex[NOD_SHA256_HEX];
    nod_sha256 *h = NULL;
    char *path = nod_path_join(root, f->name);
    int rc = path ? nod_sha256_new(&h, err) : nod_fail_memory(err, "a path", strlen(f->name));
    if (rc == 0) {
        bool is_read = *f->files ? add_files(path, f->files, h) : add_file(path, h);
        nod_sha256_hex(h, hex);
        if (is_read)
            snprintf(f->id, sizeof f->id, "u-%.*s", DIGITS, hex);
        else
            snprintf(f->id, sizeof f->id, "u-%zu", number);
    }
    nod_sha256_free(h);
    nod_free(path);
    return rc;
}

static int compare_ids(const void *a, const void *b)
{
    const nod_unreadable_file *x = *(nod_unreadable_file *const *)a;
    const nod_unreadable_file *y = *(nod_unreadable_file *const *)b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x > y) - (x < y);
}

/* The k-th file of the same bytes gets "-k". */
static int part_equals(nod_unreadable_file *files, size_t n, nod_error *err)
{
    char plain[NOD_UNREADABLE_ID] = "";
    size_t copy = 0;
    nod_unreadable_file **order = nod_calloc(n + 1, sizeof *order);
    if (order == NULL) return nod_fail_memory(err, "ids of files", n * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = &files[i];
    qsort(order, n, sizeof *order, compare_ids);
    for (size_t i = 0; i < n; i++) {
        char *id = order[i]->id;
        copy = strcmp(id, plain) == 0 ? copy + 1 : 1;
        if (copy == 1)
            memcpy(plain, id, sizeof plain);
        else
            snprintf(id + strlen(plain), sizeof plain - strlen(plain), "-%zu", copy);
    }
    nod_free(order);
    return 0;
}

int nod_unreadable_name(const char *root, nod_unreadable_file *files, size_t n, nod_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int rc = name_one(root, &files[i], i + 1, err);
        if (rc) return rc;
    }
    return part_equals(files, n, err);
}

/* --- of a listing ----------------------------------------------------------------------------- */

/* A problem's reason without the names of its file; in the arena. */
static const char *hide_problem(nod_listing *l, const struct nod_item_problem *p)
{
    nod_error text = NOD_ERROR_INIT;
    char *path = nod_path_join(l->root, p->name);
    if (path == NULL) return NULL;
    nod_fail(&text, NOD_EDATA, "%s", p->reason);
    nod_error_hide(&text, path, "");
    nod_error_hide(&text, p->name, "");
    nod_free(path);
    return nod_arena_strdup(&l->arena, text.message);
}

int nod_unreadable_gather(nod_listing *l, char *const *reasons, nod_unreadable_file **out,
                          size_t *n, nod_error *err)
{
    size_t count = 0;
    nod_unreadable_file *files = nod_calloc(l->n + l->n_problems + 1, sizeof *files);
    int rc = files ? 0 : nod_fail_memory(err, "ids of files", l->n * sizeof *files);
    for (size_t i = 0; i < l->n && rc == 0; i++) {
        const nod_item *item = &l->items[i];
        if (reasons[i] == NULL) continue;
        files[count].name = item->name;
        files[count].files = item->files ? item->files : "";
        files[count].reason = item->line
                                  ? nod_arena_printf(&l->arena, "line %zu of the table: %s",
                                                     item->line, reasons[i])
                                  : reasons[i];
        if (files[count++].reason == NULL) rc = nod_fail_memory(err, "a reason", NOD_ERROR_MAX);
    }
    for (size_t i = 0; i < l->n_problems && rc == 0; i++) {
        files[count].name = l->problems[i].name;
        files[count].files = "";
        files[count].reason = hide_problem(l, &l->problems[i]);
        if (files[count++].reason == NULL) rc = nod_fail_memory(err, "a reason", NOD_ERROR_MAX);
    }
    if (rc == 0) rc = nod_unreadable_name(l->root, files, count, err);
    if (rc == 0) {
        *out = files;
        *n = count;
        files = NULL;
    }
    nod_free(files);
    return rc;
}

int nod_unreadable_judge(const nod_unreadable_file *files, size_t n, const nod_listing *l,
                         const nod_index_options *o, const char *source, nod_error *err)
{
    size_t n_all = l->n + l->n_problems;
    for (size_t i = 0; i < NOD_MIN(n, (size_t)LOG_LINES); i++)
        nod_warn(o->log, "left out: %s: %s", o->show_ids ? files[i].name : files[i].id,
                 files[i].reason);
    if (n > LOG_LINES) nod_warn(o->log, "left out: %zu more unreadable images", n - LOG_LINES);
    if (n == 0) return 0;
    const char *first = o->show_ids ? files[0].name : files[0].id;
    if (n == n_all)
        return nod_fail(err, NOD_EDATA,
                        "none of the %zu images in %s can be read; the first: %s: %s", n,
                        source, first, files[0].reason);
    if ((double)n > o->max_unreadable * (double)n_all)
        return nod_fail(err, NOD_EDATA,
                        "%zu of %zu images cannot be read, more than the fraction %g that "
                        "--max-unreadable allows; mend or remove them; the first: %s: %s",
                        n, n_all, o->max_unreadable, first, files[0].reason);
    return 0;
}

/* A few digits are no name, and numbers are in every message. */
static bool is_name(const char *name)
{
    return strlen(name) > 3 || name[strspn(name, "0123456789")] != '\0';
}

/* An image as messages may name it: below the root, or by its name alone. */
static void hide_image(const nod_listing *l, const char *name, nod_error *err)
{
    char *path = l->root ? nod_path_join(l->root, name) : NULL;
    if (path) nod_error_hide(err, path, "an image");
    if (is_name(name)) nod_error_hide(err, name, "an image");
    nod_free(path);
}

/* Files that layouts call so: nobody's names. */
static const char *const of_layouts[] = {"dataset.json", "dataset_description.json",
                                         "participants.tsv", "splits_final.json", NULL};

void nod_listing_hide(const nod_listing *l, const char *source, nod_error *err)
{
    const nod_error before = *err;
    bool is_file =
        nod_path_is_file(source); /* which may itself be what an item names: an .npz */
    if (!is_file) nod_error_hide_below(err, source, of_layouts);
    for (size_t i = 0; i < l->n + l->n_problems; i++) {
        const char *name = i < l->n ? l->items[i].name : l->problems[i - l->n].name;
        if (!is_file || strcmp(nod_path_base(name), nod_path_base(source)) != 0)
            hide_image(l, name, err);
    }
    size_t length = strlen(err->message);
    if (strcmp(before.message, err->message) != 0)
        snprintf(err->message + length, sizeof err->message - length,
                 "; --show-ids names files");
}
