/* item.c: names of files, and the order of items. */
#include "data/layouts/item.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "imaging/dicom/archive.h"

/* --- names -------------------------------------------------------------------------------- */

/* Length of the folder that all names share, without its '/'; never inside of a zip archive. */
static size_t common_folder(const nod_strlist *names)
{
    size_t n = strlen(names->items[0]), end = 0;
    for (size_t i = 0; i < names->n; i++) {
        size_t k = 0;
        while (k < n && names->items[i][k] == names->items[0][k])
            k++;
        n = k;
    }
    for (size_t i = 0; i < n; i++) {
        if (names->items[0][i] != '/') continue;
        if (i > 0 && names->items[0][i - 1] == '!') break;
        end = i;
    }
    return end;
}

int nod_item_set_files(nod_listing *l, nod_item *item, const nod_strlist *names, nod_error *err)
{
    nod_arena *a = &l->arena;
    const char *first = names->items[0];
    for (size_t i = 0; i < names->n; i++)
        if (strchr(names->items[i], '|'))
            return nod_fail(err, NOD_EDATA,
                            "its name has a '|', which separates names in a cohort; rename it");
    if (names->n == 1 && strstr(first, NOD_ARCHIVE_MARK) == NULL) {
        item->name = nod_arena_strdup(a, first);
        return item->name ? 0 : nod_fail_memory(err, "a name", strlen(first));
    }
    size_t n_folder = common_folder(names), skip = n_folder ? n_folder + 1 : 0;
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = 0; i < names->n; i++)
        nod_strbuf_printf(&b, "%s%s", i ? "|" : "", names->items[i] + skip);
    item->name = nod_arena_printf(a, "%.*s", (int)n_folder, first);
    item->files = nod_arena_strdup(a, b.data);
    bool ok = item->name && item->files && !b.failed;
    nod_strbuf_done(&b);
    return ok ? 0 : nod_fail_memory(err, "names of files", names->n);
}

/* Length of the first of `files`. */
static size_t first_length(const nod_item *item)
{
    return item->files ? strcspn(item->files, "|") : 0;
}

char *nod_item_first_file(const nod_item *item)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_add(&b, item->name);
    if (first_length(item) > 0) {
        if (b.len > 0) nod_strbuf_addc(&b, '/');
        nod_strbuf_addn(&b, item->files, first_length(item));
    }
    return nod_strbuf_take(&b);
}

const char *nod_listing_clean_name(nod_listing *l, const char *name)
{
    char *out = nod_arena_strdup(&l->arena, name), *to = out;
    if (out == NULL) return NULL;
    for (const char *from = name; *from;) {
        bool at_start = to == out || to[-1] == '/';
        if (at_start && from[0] == '.' && from[1] == '/') {
            from += 2;
            while (*from == '/')
                from++;
        } else if (at_start && to != out && *from == '/') {
            from++;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return out;
}

int nod_item_set_fact(nod_listing *l, nod_item *item, nod_fact fact, const char *text,
                      nod_error *err)
{
    if (nod_fact_check(fact, text, err) != 0) return err->code = NOD_EDATA;
    item->facts[fact] = nod_arena_strdup(&l->arena, text);
    if (item->facts[fact] == NULL) return nod_fail_memory(err, "a fact", strlen(text));
    l->phi |= *text && nod_fact_get_info(fact)->phi;
    return 0;
}

/* --- order -------------------------------------------------------------------------------- */

typedef struct keyed {
    nod_item item;
    char *path; /* of the first file */
    size_t place;
} keyed;

static const char *text(const char *s)
{
    return s ? s : "";
}

static int compare_keyed(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const char *study_x = text(x->item.study), *study_y = text(y->item.study);
    int order = (*study_x != '\0') - (*study_y != '\0'); /* DICOM comes last */
    if (order) return order;
    if (*study_x) {
        order = strcmp(text(x->item.patient), text(y->item.patient));
        if (order == 0) order = strcmp(study_x, study_y);
        if (order == 0) order = strcmp(text(x->item.series), text(y->item.series));
    } else {
        order = nod_compare_natural(nod_path_base(x->path), nod_path_base(y->path));
    }
    if (order == 0) order = strcmp(x->path, y->path);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void free_keyed(keyed *k, size_t n)
{
    for (size_t i = 0; k && i < n; i++)
        nod_free(k[i].path);
    nod_free(k);
}

static int compare_paths(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The items with the paths of their first files. */
static int make_keyed(const nod_listing *l, keyed **out, nod_error *err)
{
    keyed *k = nod_calloc(l->n + 1, sizeof *k);
    bool ok = k != NULL;
    for (size_t i = 0; i < l->n && ok; i++) {
        k[i] =
            (keyed){.item = l->items[i], .path = nod_item_first_file(&l->items[i]), .place = i};
        ok = k[i].path != NULL;
    }
    if (ok) {
        *out = k;
        return 0;
    }
    free_keyed(k, l->n);
    return nod_fail_memory(err, "the order of images", l->n * sizeof *k);
}

int nod_listing_sort(nod_listing *l, nod_error *err)
{
    keyed *k = NULL;
    int rc = make_keyed(l, &k, err);
    if (rc) return rc;
    qsort(k, l->n, sizeof *k, compare_keyed);
    for (size_t i = 0; i < l->n; i++)
        l->items[i] = k[i].item;
    free_keyed(k, l->n);
    return 0;
}

int nod_listing_check_twice(const nod_listing *l, const char *where, const char *what,
                            nod_error *err)
{
    keyed *k = NULL;
    int rc = make_keyed(l, &k, err);
    if (rc) return rc;
    qsort(k, l->n, sizeof *k, compare_paths);
    for (size_t i = 1; i < l->n && rc == 0; i++) {
        size_t a = k[i - 1].item.line, b = k[i].item.line;
        if (strcmp(k[i - 1].path, k[i].path) == 0)
            rc = nod_fail(err, NOD_EDATA, "%s: %s %zu and %zu are the same file; a case is one",
                          where, what, NOD_MIN(a, b), NOD_MAX(a, b));
    }
    free_keyed(k, l->n);
    return rc;
}
