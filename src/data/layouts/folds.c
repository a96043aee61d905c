/* folds.c: the cases of a fold, sorted by their names. */
#include "data/layouts/folds.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "data/layouts/table.h"

typedef struct fold_case {
    const char *id; /* of the JSON */
    nod_part part;
    bool used;
} fold_case;

struct nod_folds {
    nod_json *json;
    char *path;
    int64_t fold;
    fold_case *cases; /* sorted by id */
    size_t n, cap;
};

static int compare_cases(const void *a, const void *b)
{
    const fold_case *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static int add_part(nod_folds *f, const nod_json *fold, const char *key, nod_part part,
                    nod_error *err)
{
    const nod_json *ids = nod_json_is_object(fold) ? nod_json_get(fold, key) : NULL;
    if (ids == NULL || !nod_json_is_array(ids))
        return nod_fail(err, NOD_EFORMAT, "%s: fold %lld has no list '%s' of cases", f->path,
                        (long long)f->fold, key);
    for (size_t i = 0; i < nod_json_count(ids); i++) {
        const nod_json *id = nod_json_at(ids, i);
        if (!nod_json_is_string(id))
            return nod_fail(err, NOD_EFORMAT,
                            "%s: fold %lld: %s[%zu] is not the name of a case", f->path,
                            (long long)f->fold, key, i);
        if (!nod_grow((void **)&f->cases, &f->cap, f->n + 1, sizeof *f->cases))
            return nod_fail_memory(err, "cases of a fold", f->n);
        f->cases[f->n++] = (fold_case){nod_json_str(id), part, false};
    }
    return 0;
}

static int read_fold(nod_folds *f, nod_error *err)
{
    size_t n_folds = nod_json_is_array(f->json) ? nod_json_count(f->json) : 0;
    int rc = 0;
    if (n_folds == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: is not a list of folds, [{\"train\": [...], \"val\": [...]}, ...]",
                        f->path);
    if (f->fold < 0 || (uint64_t)f->fold >= n_folds)
        return nod_fail(err, NOD_EINVAL, "%s: there is no fold %lld; it has %zu, from 0",
                        f->path, (long long)f->fold, n_folds);
    const nod_json *fold = nod_json_at(f->json, (size_t)f->fold);
    NOD_TRY(add_part(f, fold, "train", NOD_PART_TRAIN, err));
    NOD_TRY(add_part(f, fold, "val", NOD_PART_VAL, err));
    if (f->n > 0) qsort(f->cases, f->n, sizeof *f->cases, compare_cases);
    for (size_t i = 1; i < f->n; i++)
        if (strcmp(f->cases[i - 1].id, f->cases[i].id) == 0)
            return nod_fail(err, NOD_EDATA, "%s: fold %lld names a case twice%s", f->path,
                            (long long)f->fold,
                            f->cases[i - 1].part == f->cases[i].part ? ""
                                                                     : ", in train and in val");
out:
    return rc;
}

int nod_folds_read(const char *path, int64_t fold, nod_folds **out, nod_error *err)
{
    int rc = 0;
    nod_folds *f = nod_calloc(1, sizeof *f);
    if (f == NULL) return nod_fail_memory(err, "folds", sizeof *f);
    f->fold = fold;
    f->path = nod_strdup(path);
    if (f->path == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(nod_json_read(path, NOD_LAYOUT_MAX_JSON, &f->json, err));
    NOD_TRY(read_fold(f, err));
    *out = f;
    f = NULL;
out:
    nod_folds_free(f);
    return rc;
}

void nod_folds_free(nod_folds *f)
{
    if (f == NULL) return;
    nod_json_free(f->json);
    nod_free(f->path);
    nod_free(f->cases);
    nod_free(f);
}

nod_part nod_folds_part(nod_folds *f, const char *id)
{
    const fold_case key = {.id = id};
    fold_case *found =
        f->n > 0 ? bsearch(&key, f->cases, f->n, sizeof *f->cases, compare_cases) : NULL;
    if (found == NULL) return NOD_PART_OUT;
    found->used = true;
    return found->part;
}

int nod_folds_check(const nod_folds *f, size_t n_cases, nod_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < f->n; i++)
        used += f->cases[i].used;
    if (used == n_cases && used == f->n) return 0;
    return nod_fail(err, NOD_EDATA,
                    "%s: fold %lld lacks %zu of the %zu cases for training that are there, and "
                    "names %zu that are not; a fold names every case as train or val",
                    f->path, (long long)f->fold, n_cases - used, n_cases, f->n - used);
}
