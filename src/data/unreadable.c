/* unreadable.c: see unreadable.h. */
#include "data/unreadable.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

#define DIGITS 12

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
