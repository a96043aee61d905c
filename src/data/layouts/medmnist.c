/* medmnist.c: .npz files as MedMNIST has them: {train,val,test}_images and _labels; also plain
 * images and labels. Labels are [N] or [N,1] class numbers, or [N,L] zeros and ones (multi-label).
 * An array of whole numbers named {train,val,test}_patients or patients names the patients. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/table.h"
#include "data/source.h"
#include "tensor/npz.h"

#define LABEL_MAX 1000000 /* class numbers */

/* One set of arrays: prefix "" or "train_" ... */
typedef struct part_arrays {
    char images[32], labels[32], patients[32];
    const char *id; /* of a case: "train-17" */
    nod_part official;
    int64_t n, n_labels; /* n_labels 0: one class a case */
    double *label;       /* [n] or [n][n_labels] */
    double *patient;     /* [n] or NULL */
} part_arrays;

static bool detect(const char *path, const nod_index_options *o)
{
    (void)o;
    unsigned char head[4] = {0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) return false;
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return nod_has_suffix_nocase(path, ".npz") || (n == 4 && memcmp(head, "PK\3\4", 4) == 0);
}

static bool is_whole(nod_dtype t)
{
    return t != NOD_DTYPE_F32 && t != NOD_DTYPE_F64 && t != NOD_DTYPE_BF16;
}

/* An array of whole numbers as doubles. */
static int read_whole(nod_npz *z, const char *path, const char *name, nod_shape *shape,
                      double **out, nod_error *err)
{
    nod_tensor t = {0};
    int rc = nod_npz_read(z, name, &t, err);
    if (rc) return rc;
    if (!is_whole(t.dtype)) {
        rc = nod_fail(err, NOD_EDATA, "%s: %s has dtype %s; whole numbers are needed, e.g. u8",
                      path, name, nod_dtype_name(t.dtype));
        goto out;
    }
    double *v = nod_calloc((size_t)nod_tensor_count(&t) + 1, sizeof *v);
    if (v == NULL) {
        rc = nod_fail_memory(err, name, (size_t)nod_tensor_count(&t) * sizeof *v);
        goto out;
    }
    nod_tensor_to_f64(&t, v);
    *shape = t.shape;
    *out = v;
out:
    nod_tensor_done(&t);
    return rc;
}

static int read_labels(nod_npz *z, const char *path, part_arrays *a, nod_error *err)
{
    nod_shape shape;
    char text[160];
    if (!nod_npz_has(z, a->labels))
        return nod_fail(err, NOD_EDATA, "%s: %s has no labels: the array %s is missing", path,
                        a->images, a->labels);
    int rc = read_whole(z, path, a->labels, &shape, &a->label, err);
    if (rc) return rc;
    bool flat = shape.rank == 1 || (shape.rank == 2 && shape.dim[1] == 1);
    if (!flat && (shape.rank != 2 || shape.dim[1] > NOD_COHORT_MAX_CLASSES || shape.dim[1] < 1))
        return nod_fail(err, NOD_EDATA,
                        "%s: %s has shape %s; [N], [N,1] or [N,labels] is needed", path,
                        a->labels, nod_shape_text(&shape, text, sizeof text));
    if (shape.dim[0] != a->n)
        return nod_fail(err, NOD_EDATA,
                        "%s: labels do not match images: %s has %lld rows, %s has %lld images",
                        path, a->labels, (long long)shape.dim[0], a->images, (long long)a->n);
    a->n_labels = flat ? 0 : shape.dim[1];
    double largest = flat ? LABEL_MAX : 1;
    for (int64_t i = 0; i < nod_shape_count(&shape); i++)
        if (!(a->label[i] >= 0 && a->label[i] <= largest))
            return nod_fail(err, NOD_EDATA, "%s: %s holds %g at %lld; 0 to %g is allowed", path,
                            a->labels, a->label[i], (long long)i, largest);
    return 0;
}

static int read_part(nod_npz *z, const char *path, part_arrays *a, nod_error *err)
{
    nod_dtype dtype;
    nod_shape shape;
    int64_t d, h, w;
    int channels, rc = 0;
    NOD_TRY(nod_npz_peek(z, a->images, &dtype, &shape, err));
    rc = nod_source_shape(&shape, &a->n, &d, &h, &w, &channels, err);
    if (rc) {
        nod_error_prefix(err, "%s: array %s", path, a->images);
        goto out;
    }
    NOD_TRY(read_labels(z, path, a, err));
    if (!nod_npz_has(z, a->patients)) goto out;
    NOD_TRY(read_whole(z, path, a->patients, &shape, &a->patient, err));
    if (nod_shape_count(&shape) != a->n)
        rc = nod_fail(err, NOD_EDATA, "%s: %s has %lld entries, %s has %lld images", path,
                      a->patients, (long long)nod_shape_count(&shape), a->images,
                      (long long)a->n);
out:
    return rc;
}

/* The label of case i as text in the arena. */
static const char *label_text(nod_arena *arena, const part_arrays *a, int64_t i)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_add(&b, "");
    if (a->n_labels == 0) {
        nod_strbuf_printf(&b, "%.0f", a->label[i]);
    } else {
        for (int64_t k = 0; k < a->n_labels; k++)
            if (a->label[i * a->n_labels + k] != 0)
                nod_strbuf_printf(&b, "%s%lld", b.len ? "|" : "", (long long)k);
    }
    const char *s = b.failed ? NULL : nod_arena_strdup(arena, b.data);
    nod_strbuf_done(&b);
    return s;
}

static int add_part(nod_listing *out, const char *name, const part_arrays *a, nod_error *err)
{
    const char *array = nod_arena_strdup(&out->arena, a->images);
    if (array == NULL) return nod_fail_memory(err, "a name", sizeof a->images);
    for (int64_t i = 0; i < a->n; i++) {
        nod_item item = {
            .name = name, .array = array, .index = i, .patient = "", .official = a->official};
        item.label = label_text(&out->arena, a, i);
        item.id = nod_arena_printf(&out->arena, "%s-%lld", a->id, (long long)i);
        if (a->patient) item.patient = nod_arena_printf(&out->arena, "%.0f", a->patient[i]);
        if (!item.label || !item.id || !item.patient)
            return nod_fail_memory(err, "a list of images", (size_t)a->n * sizeof item);
        int rc = nod_listing_add(out, &item, err);
        if (rc) return rc;
    }
    return 0;
}

/* Which sets of arrays the file has; 0: none. */
static size_t find_parts(const nod_npz *z, part_arrays parts[NOD_PARTS])
{
    size_t n = 0;
    for (int p = 0; p < NOD_PARTS; p++) {
        const char *name = nod_part_name((nod_part)p);
        part_arrays a = {.id = name, .official = (nod_part)p};
        snprintf(a.images, sizeof a.images, "%s_images", name);
        snprintf(a.labels, sizeof a.labels, "%s_labels", name);
        snprintf(a.patients, sizeof a.patients, "%s_patients", name);
        if (nod_npz_has(z, a.images)) parts[n++] = a;
    }
    if (n == 0 && nod_npz_has(z, "images"))
        parts[n++] = (part_arrays){.images = "images",
                                   .labels = "labels",
                                   .patients = "patients",
                                   .id = "image",
                                   .official = NOD_PART_OUT};
    return n;
}

static int fail_no_images(const nod_npz *z, const char *path, nod_error *err)
{
    nod_strbuf names = NOD_STRBUF_INIT;
    for (size_t i = 0; i < nod_npz_count(z) && i < 20; i++)
        nod_strbuf_printf(&names, "%s%s", i ? ", " : "", nod_npz_name(z, i));
    nod_fail(err, NOD_EDATA,
             "%s has neither train_images nor images; it has: %s. Name the arrays in a CSV "
             "manifest: path,array,index,label",
             path, names.len ? names.data : "nothing");
    nod_strbuf_done(&names);
    return err->code;
}

/* Parts agree in the number of labels; multi-label classes are named by their number. */
static int set_classes(nod_listing *out, const char *path, const part_arrays *parts, size_t n,
                       nod_error *err)
{
    for (size_t p = 1; p < n; p++)
        if (parts[p].n_labels != parts[0].n_labels)
            return nod_fail(err, NOD_EDATA, "%s: %s and %s differ in the number of labels",
                            path, parts[0].labels, parts[p].labels);
    out->multilabel = parts[0].n_labels > 0;
    for (int64_t k = 0; k < parts[0].n_labels; k++) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)k);
        if (!nod_strlist_add(&out->classes, name)) return nod_fail_memory(err, "a class", 24);
    }
    return 0;
}

static int list(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err)
{
    const nod_log *log = o->log;
    nod_npz *z = NULL;
    part_arrays parts[NOD_PARTS] = {0};
    size_t n = 0;
    int rc = 0;
    (void)log;
    NOD_TRY(nod_listing_root_of(out, path, err));
    const char *name = nod_arena_strdup(&out->arena, nod_path_base(path));
    if (name == NULL) return nod_fail_memory(err, "a path", strlen(path));
    NOD_TRY(nod_npz_open(path, &z, err));
    n = find_parts(z, parts);
    if (n == 0) {
        rc = fail_no_images(z, path, err);
        goto out;
    }
    for (size_t p = 0; p < n; p++) {
        NOD_TRY(read_part(z, path, &parts[p], err));
        if ((parts[p].patient != NULL) != (parts[0].patient != NULL)) {
            rc = nod_fail(err, NOD_EDATA, "%s: %s and %s: only one of them names patients",
                          path, parts[0].images, parts[p].images);
            goto out;
        }
    }
    NOD_TRY(set_classes(out, path, parts, n, err));
    out->has_patients = parts[0].patient != NULL;
    for (size_t p = 0; p < n; p++)
        NOD_TRY(add_part(out, name, &parts[p], err));
out:
    for (size_t p = 0; p < n; p++) {
        nod_free(parts[p].label);
        nod_free(parts[p].patient);
    }
    nod_npz_close(z);
    return rc;
}

const nod_source_layout nod_source_layout_medmnist = {
    .name = "medmnist",
    .about =
        "an .npz with {train,val,test}_images and _labels (MedMNIST), or images and labels",
    .detect = detect,
    .list = list,
};
