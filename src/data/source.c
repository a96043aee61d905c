/* source.c: a short list of loaded arrays, and images cut out of them. */
#include "data/source.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/hide.h"
#include "base/memory.h"
#include "base/text.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/file.h"
#include "imaging/dicom/series.h"
#include "imaging/join.h"
#include "imaging/reader.h"
#include "tensor/npz.h"

typedef struct loaded {
    char *path, *array;
    nod_tensor t;
    int64_t n, d, h, w;
    int channels;
    nod_sample sample;
} loaded;

struct nod_source {
    nod_policies policies;
    loaded *items;
    size_t n, cap;
};

int nod_source_new(const nod_policies *policies, nod_source **out, nod_error *err)
{
    nod_source *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "a source of images", sizeof *s);
    s->policies = policies ? *policies : nod_policies_preset();
    *out = s;
    return 0;
}

static void loaded_done(loaded *a)
{
    nod_free(a->path);
    nod_free(a->array);
    nod_tensor_done(&a->t);
}

void nod_source_free(nod_source *s)
{
    if (s == NULL) return;
    for (size_t i = 0; i < s->n; i++)
        loaded_done(&s->items[i]);
    nod_free(s->items);
    nod_free(s);
}

static const loaded *find(const nod_source *s, const char *path, const char *array)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i].array, array) == 0 && strcmp(s->items[i].path, path) == 0)
            return &s->items[i];
    return NULL;
}

static bool is_channels(int64_t n)
{
    return n == 1 || n == 3 || n == 4;
}

int nod_source_shape(const nod_shape *shape, int64_t *n, int64_t *d, int64_t *h, int64_t *w,
                     int *channels, nod_error *err)
{
    const int64_t *dim = shape->dim;
    int rank = shape->rank;
    /* [N,28,28,3] is colour, [N,28,28,28] a volume. */
    bool colour = rank >= 4 && is_channels(dim[rank - 1]);
    int spatial = rank - 1 - colour;
    char text[160];
    if (rank > 5 || spatial < 2 || spatial > 3)
        return nod_fail(err, NOD_ESHAPE,
                        "shape %s is not one of images: [N,H,W], [N,H,W,C], [N,D,H,W] or "
                        "[N,D,H,W,C] with C 1, 3 or 4",
                        nod_shape_text(shape, text, sizeof text));
    for (int i = 0; i < rank; i++)
        if (dim[i] < 1 || (i > 0 && dim[i] > NOD_IMAGE_MAX_SIDE))
            return nod_fail(err, NOD_ESHAPE, "shape %s: dimension %d is out of range",
                            nod_shape_text(shape, text, sizeof text), i);
    *n = dim[0];
    *d = spatial == 3 ? dim[1] : 1;
    *h = dim[spatial == 3 ? 2 : 1];
    *w = dim[spatial == 3 ? 3 : 2];
    *channels = colour ? (int)dim[rank - 1] : 1;
    return 0;
}

static int sample_of(nod_dtype t, nod_sample *out)
{
    switch (t) {
    case NOD_DTYPE_U8:
        *out = NOD_SAMPLE_U8;
        return 0;
    case NOD_DTYPE_U16:
        *out = NOD_SAMPLE_U16;
        return 0;
    case NOD_DTYPE_F32:
        *out = NOD_SAMPLE_F32;
        return 0;
    default:
        return -1;
    }
}

/* Shape and dtype are looked at before the data are read. */
static int load(nod_npz *z, loaded *a, nod_error *err)
{
    nod_dtype dtype;
    nod_shape shape;
    int rc = 0;
    NOD_TRY(nod_npz_peek(z, a->array, &dtype, &shape, err));
    rc = nod_source_shape(&shape, &a->n, &a->d, &a->h, &a->w, &a->channels, err);
    if (rc == 0 && sample_of(dtype, &a->sample) != 0)
        rc = nod_fail(err, NOD_ESHAPE,
                      "dtype %s is not one of images; store u8, u16 or f32 (e.g. "
                      "a.astype('float32'))",
                      nod_dtype_name(dtype));
    if (rc) {
        nod_error_prefix(err, "%s: array %s", a->path, a->array);
        goto out;
    }
    NOD_TRY(nod_npz_read(z, a->array, &a->t, err));
out:
    return rc;
}

int nod_source_load(nod_source *s, const char *path, const char *array, nod_error *err)
{
    nod_npz *z = NULL;
    loaded a = {0};
    int rc = 0;
    if (find(s, path, array)) return 0;
    a.path = nod_strdup(path);
    a.array = nod_strdup(array);
    if (!a.path || !a.array ||
        !nod_grow((void **)&s->items, &s->cap, s->n + 1, sizeof *s->items)) {
        rc = nod_fail_memory(err, "a list of arrays", sizeof a);
        goto out;
    }
    NOD_TRY(nod_npz_open(path, &z, err));
    NOD_TRY(load(z, &a, err));
    s->items[s->n++] = a;
    a = (loaded){0};
out:
    nod_npz_close(z);
    loaded_done(&a);
    return rc;
}

int nod_source_load_cases(nod_source *s, const nod_cohort *c, const size_t *cases, size_t n,
                          const bool *skip, nod_error *err)
{
    const nod_case *last = NULL;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const size_t i_case = cases ? cases[i] : i;
        const nod_case *k = nod_cohort_get(c, i_case);
        if (*k->array == '\0' || (skip && skip[i])) continue;
        /* Cases of one array share its strings. */
        if (last && last->file == k->file && last->array == k->array) continue;
        char *path = nod_cohort_case_path(c, i_case);
        rc = path ? nod_source_load(s, path, k->array, err)
                  : nod_fail_memory(err, "a path", strlen(k->file));
        if (rc) nod_case_blame(k, path, err);
        nod_free(path);
        last = k;
    }
    return rc;
}

int64_t nod_source_count(const nod_source *s, const char *path, const char *array)
{
    const loaded *a = find(s, path, array);
    NOD_ASSERT(a != NULL);
    return a->n;
}

static int check_finite(const nod_image *im, nod_error *err)
{
    const float *v = im->data;
    if (im->sample != NOD_SAMPLE_F32) return 0;
    for (int64_t i = 0; i < nod_image_samples(im); i++)
        if (!isfinite(v[i]))
            return nod_fail(err, NOD_ENUMERIC, "sample %lld is not finite", (long long)i);
    return 0;
}

static int read_array(const nod_source *s, const nod_place *at, nod_image *im, nod_error *err)
{
    const loaded *a = find(s, at->path, at->array);
    NOD_ASSERT(a != NULL);
    if (at->index < 0 || at->index >= a->n)
        return nod_fail(err, NOD_EDATA, "%s: array %s has %lld images, none at index %lld",
                        at->path, at->array, (long long)a->n, (long long)at->index);
    int rc = nod_image_init(im, a->d, a->h, a->w, a->channels, a->sample, err);
    if (rc) return rc;
    size_t size = nod_image_bytes(im);
    im->facts.format = "NumPy";
    memcpy(im->data, (const char *)a->t.data + (size_t)at->index * size, size);
    return 0;
}

/* Files of one channel each. */
static int read_channels(const nod_source *s, const nod_place *at, const nod_strlist *names,
                         nod_findings *findings, nod_image *im, nod_error *err)
{
    nod_image *parts = nod_calloc(names->n, sizeof *parts);
    char **paths = nod_calloc(names->n, sizeof *paths);
    int rc = parts && paths ? 0 : nod_fail_memory(err, "channels of an image", names->n);
    for (size_t i = 0; i < names->n && rc == 0; i++) {
        paths[i] = nod_path_join(at->path, names->items[i]);
        rc = paths[i] ? nod_image_read(paths[i], &s->policies, findings, &parts[i], err)
                      : nod_fail_memory(err, "a path", strlen(at->path));
    }
    if (rc == 0) rc = nod_image_join(parts, (const char *const *)paths, names->n, im, err);
    for (size_t i = 0; i < names->n && parts && paths; i++) {
        nod_image_done(&parts[i]);
        nod_free(paths[i]);
    }
    nod_free(parts);
    nod_free(paths);
    return rc;
}

/* Whether the first of several files is DICOM; nothing else is read from a zip archive. */
static int is_series(const nod_place *at, const char *first, bool *out, nod_error *err)
{
    unsigned char head[NOD_IMAGE_SNIFF_BYTES];
    char *path = nod_path_join(at->path, first);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(at->path));
    *out = strstr(first, NOD_ARCHIVE_MARK) != NULL || !nod_path_is_dir(at->path) ||
           nod_dicom_is(head, nod_file_peek(path, head, sizeof head));
    nod_free(path);
    return 0;
}

static int read_files(const nod_source *s, const nod_place *at, nod_findings *findings,
                      nod_image *im, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    bool series = false;
    int rc = 0;
    for (const char *p = at->files; rc == 0;) {
        size_t n = strcspn(p, "|");
        char *name = nod_strndup(p, n);
        if (name == NULL || !nod_strlist_add(&names, name))
            rc = nod_fail_memory(err, "names of files", strlen(at->files));
        nod_free(name);
        if (p[n] == '\0') break;
        p += n + 1;
    }
    if (rc == 0) rc = is_series(at, names.items[0], &series, err);
    if (rc == 0 && series)
        rc = nod_dicom_files_read(at->path, &names, &s->policies, im, findings, err);
    else if (rc == 0)
        rc = read_channels(s, at, &names, findings, im, err);
    nod_strlist_done(&names);
    return rc;
}

int nod_source_decode(const nod_source *s, const nod_place *at, nod_findings *findings,
                      nod_image *out, nod_error *err)
{
    nod_image im = {0};
    int rc;
    if (*at->array)
        rc = read_array(s, at, &im, err);
    else if (*at->files)
        rc = read_files(s, at, findings, &im, err);
    else
        rc = nod_image_read(at->path, &s->policies, findings, &im, err);
    if (rc) goto out;
    rc = check_finite(&im, err);
    if (rc) {
        nod_error_prefix(err, "%s%s%s", at->path, *at->array ? ": array " : "", at->array);
        goto out;
    }
    *out = im;
    im = (nod_image){0};
out:
    nod_image_done(&im);
    return rc;
}

void nod_place_hide(const nod_place *at, nod_error *err)
{
    size_t i = 0;
    for (const char *p = at->files; *p; i++) {
        nod_strbuf path = NOD_STRBUF_INIT;
        char shown[32];
        size_t n = strcspn(p, "|");
        nod_strbuf_printf(&path, "%s/%.*s", at->path, (int)n, p);
        snprintf(shown, sizeof shown, "file %zu", i + 1);
        if (!path.failed) nod_error_hide(err, path.data, shown);
        nod_strbuf_done(&path);
        p += n + (p[n] == '|');
    }
    nod_error_hide(err, at->path, "");
}

void nod_case_blame(const nod_case *k, const char *path, nod_error *err)
{
    if (path) nod_place_hide(&(nod_place){path, k->files, k->array, k->index}, err);
    nod_error_prefix(err, "case %s ('nodule where' names its file)", k->id);
}
