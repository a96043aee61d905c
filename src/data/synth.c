/* synth.c: who is in a cohort of phantoms, and how it is written.
 *
 * Classes are dealt over the patients by a seeded shuffle, so exactly the wanted share has a
 * tumour; the parts of an .npz are cut from each class separately, by patient. A patient's number
 * and the options then determine every pixel (phantom.c). */
#include "data/synth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/phantom.h"
#include "imaging/image.h"
#include "tensor/npz.h"

/* Streams beside those of the patients (phantom.c counts up from 0). */
#define STREAM_CLASSES UINT64_MAX
#define STREAM_COUNTS  (UINT64_MAX - 1)
#define STREAM_PARTS   (UINT64_MAX - 2)
#define STREAM_ORDER   (UINT64_MAX - 3)
/* Ten voxels an edge cannot show a lump of two: tumours in scans are larger and clearer than in
 * slices, and grow in one lobe, so that a small network of dense layers, which knows places and
 * no shapes, has something to find. */
#define VOLUME_RADIUS   1.8
#define VOLUME_CONTRAST 1.4
/* So that a small network learns it from some hundred patients, in a minute on two cores. */
#define SLICE_CONTRAST 2.5

enum { TRAIN, VAL, TEST, PARTS };

static const char *const kind_names[NOD_SYNTH_KINDS] = {"slices", "images", "volumes"};
static const char *const class_names[2] = {"normal", "tumor"};

typedef struct patient {
    int label, part;
    int64_t n_images;
} patient;

/* One image of the cohort. */
typedef struct item {
    int64_t i_patient, i_image;
} item;

typedef struct cohort {
    const nod_synth_options *o;
    patient *patients;
    item *items[PARTS];
    int64_t n_items[PARTS], n_positive[PARTS];
} cohort;

nod_synth_options nod_synth_defaults(nod_synth_kind kind)
{
    bool volumes = kind == NOD_SYNTH_VOLUMES;
    return (nod_synth_options){.kind = kind,
                               .n_patients = volumes ? 200 : 400,
                               .images_per_patient = volumes ? 1 : 3,
                               .size = volumes ? 28 : 64,
                               .prevalence = 0.4,
                               .contrast = 1,
                               .seed = 1,
                               .has_parts = true,
                               .part_val = 0.15,
                               .part_test = 0.25,
                               .deflate = true};
}

int nod_synth_kind_from_name(const char *name)
{
    for (int i = 0; i < NOD_SYNTH_KINDS; i++)
        if (strcmp(name, kind_names[i]) == 0) return i;
    return -1;
}

const char *nod_synth_kind_name(nod_synth_kind kind)
{
    NOD_ASSERT((unsigned)kind < NOD_SYNTH_KINDS);
    return kind_names[kind];
}

/* --- who is in it ----------------------------------------------------------------------- */

static int check_options(const nod_synth_options *o, nod_error *err)
{
    int64_t max_size = o->kind == NOD_SYNTH_VOLUMES ? 128 : 1024;
    if ((unsigned)o->kind >= NOD_SYNTH_KINDS)
        return nod_fail(err, NOD_EINVAL, "synth: kind %d does not exist", (int)o->kind);
    if (o->n_patients < 2 || o->n_patients > NOD_SYNTH_MAX_PATIENTS)
        return nod_fail(err, NOD_EINVAL, "synth: %lld patients; 2 to %d are possible",
                        (long long)o->n_patients, NOD_SYNTH_MAX_PATIENTS);
    if (o->images_per_patient < 1 || o->images_per_patient > NOD_SYNTH_MAX_IMAGES)
        return nod_fail(err, NOD_EINVAL, "synth: %lld images a patient; 1 to %d are possible",
                        (long long)o->images_per_patient, NOD_SYNTH_MAX_IMAGES);
    if (o->size < 8 || o->size > max_size)
        return nod_fail(err, NOD_EINVAL, "synth: size %lld; %s are 8 to %lld %s a side",
                        (long long)o->size, kind_names[o->kind], (long long)max_size,
                        o->kind == NOD_SYNTH_VOLUMES ? "voxels" : "pixels");
    if (!(o->prevalence > 0 && o->prevalence < 1))
        return nod_fail(err, NOD_EINVAL, "synth: prevalence %g; it lies between 0 and 1",
                        o->prevalence);
    if (!(o->contrast > 0 && o->contrast <= 100))
        return nod_fail(err, NOD_EINVAL, "synth: contrast %g; it lies above 0, at most 100",
                        o->contrast);
    if (!(o->part_val >= 0 && o->part_test >= 0 && o->part_val + o->part_test < 1))
        return nod_fail(err, NOD_EINVAL,
                        "synth: parts %g for validation and %g for test leave nothing to train",
                        o->part_val, o->part_test);
    return 0;
}

/* Deals the classes: exactly round(n * prevalence) tumours, at least one patient of each. */
static void draw_classes(cohort *c)
{
    int64_t n = c->o->n_patients;
    int64_t n_positive = llround((double)n * c->o->prevalence);
    n_positive = NOD_MAX((int64_t)1, NOD_MIN(n_positive, n - 1));
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_CLASSES);
    for (int64_t i = 0; i < n; i++)
        c->patients[i].label = i < n_positive;
    nod_rng_shuffle(&r, c->patients, (size_t)n, sizeof *c->patients);
}

static void draw_counts(cohort *c)
{
    int64_t mean = c->o->images_per_patient, spread = mean / 2;
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_COUNTS);
    for (int64_t i = 0; i < c->o->n_patients; i++)
        c->patients[i].n_images =
            mean - spread + (int64_t)nod_rng_below(&r, (uint64_t)(2 * spread + 1));
}

/* Cuts each class into parts, by patient. */
static int draw_parts(cohort *c, nod_error *err)
{
    int64_t n = c->o->n_patients, n_class;
    int64_t *order = nod_calloc((size_t)n, sizeof *order);
    if (order == NULL) return nod_fail_memory(err, "a cohort", (size_t)n * sizeof *order);
    for (int label = 0; label < 2; label++) {
        n_class = 0;
        for (int64_t i = 0; i < n; i++)
            if (c->patients[i].label == label) order[n_class++] = i;
        nod_rng r =
            nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_PARTS - (uint64_t)label * 16);
        nod_rng_shuffle(&r, order, (size_t)n_class, sizeof *order);
        int64_t n_test = llround((double)n_class * c->o->part_test);
        int64_t n_val = llround((double)n_class * c->o->part_val);
        for (int64_t k = 0; k < n_class; k++)
            c->patients[order[k]].part = !c->o->has_parts     ? TRAIN
                                         : k < n_test         ? TEST
                                         : k < n_test + n_val ? VAL
                                                              : TRAIN;
    }
    nod_free(order);
    return 0;
}

static int list_items(cohort *c, nod_error *err)
{
    const patient *end = c->patients + c->o->n_patients;
    for (const patient *p = c->patients; p < end; p++) {
        c->n_items[p->part] += p->n_images;
        if (p->label == 1) c->n_positive[p->part] += p->n_images;
    }
    for (int k = 0; k < PARTS; k++) {
        size_t n = (size_t)c->n_items[k], at = 0;
        c->items[k] = nod_calloc(n, sizeof *c->items[k]);
        if (c->items[k] == NULL) return nod_fail_memory(err, "a cohort", n * sizeof(item));
        for (int64_t i = 0; i < c->o->n_patients; i++)
            for (int64_t j = 0; c->patients[i].part == k && j < c->patients[i].n_images; j++)
                c->items[k][at++] = (item){i, j};
    }
    return 0;
}

static void cohort_done(cohort *c)
{
    nod_free(c->patients);
    for (int k = 0; k < PARTS; k++)
        nod_free(c->items[k]);
}

static int cohort_init(cohort *c, const nod_synth_options *o, nod_error *err)
{
    *c = (cohort){.o = o};
    int rc = check_options(o, err);
    if (rc != 0) return rc;
    c->patients = nod_calloc((size_t)o->n_patients, sizeof *c->patients);
    if (c->patients == NULL)
        return nod_fail_memory(err, "a cohort", (size_t)o->n_patients * sizeof *c->patients);
    draw_classes(c);
    draw_counts(c);
    rc = draw_parts(c, err);
    return rc != 0 ? rc : list_items(c, err);
}

static int head_of(const cohort *c, int64_t i_patient, nod_phantom **out, nod_error *err)
{
    bool volumes = c->o->kind == NOD_SYNTH_VOLUMES;
    const nod_phantom_options o = {.has_tumour = c->patients[i_patient].label == 1,
                                   .contrast = c->o->contrast *
                                               (volumes ? VOLUME_CONTRAST : SLICE_CONTRAST),
                                   .radius_scale = volumes ? VOLUME_RADIUS : 1,
                                   .regional = volumes};
    return nod_phantom_new(c->o->seed, i_patient, &o, out, err);
}

/* --- as a folder ------------------------------------------------------------------------ */

static int make_folders(const char *path, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_make(path, err);
    if (rc == 0) rc = nod_dir_list(path, &names, err);
    if (rc == 0 && names.n > 0)
        rc = nod_fail(err, NOD_EINVAL,
                      "%s holds %zu files already; remove it, or name another folder", path,
                      names.n);
    nod_strlist_done(&names);
    for (int k = 0; rc == 0 && k < 2; k++) {
        char *dir = nod_path_join(path, class_names[k]);
        rc =
            dir == NULL ? nod_fail_memory(err, "a path", strlen(path)) : nod_dir_make(dir, err);
        nod_free(dir);
    }
    return rc;
}

/* The images of one patient, and their rows of the manifest. */
static int write_slices(const cohort *c, const char *path, int64_t i, nod_image *im,
                        nod_strbuf *manifest, nod_error *err)
{
    nod_phantom *head = NULL;
    int rc = head_of(c, i, &head, err);
    const char *label = class_names[c->patients[i].label];
    for (int64_t j = 0; rc == 0 && j < c->patients[i].n_images; j++) {
        char name[96];
        snprintf(name, sizeof name, "%s/p%04lld_s%02lld.png", label, (long long)i + 1,
                 (long long)j + 1);
        nod_phantom_slice(head, j, c->o->size, im->data);
        char *file = nod_path_join(path, name);
        rc = file == NULL ? nod_fail_memory(err, "a path", strlen(path))
                          : nod_image_write_png(file, im, err);
        nod_free(file);
        nod_strbuf_printf(manifest, "%s,%s,p%04lld\n", name, label, (long long)i + 1);
    }
    nod_phantom_free(head);
    return rc;
}

static int write_folder(const cohort *c, const char *path, nod_error *err)
{
    nod_image im = {0};
    nod_strbuf manifest = NOD_STRBUF_INIT;
    char *file = NULL;
    int rc = 0;
    NOD_TRY(make_folders(path, err));
    NOD_TRY(nod_image_init(&im, 1, c->o->size, c->o->size, 1, NOD_SAMPLE_U8, err));
    nod_strbuf_add(&manifest, "path,label,patient\n");
    for (int64_t i = 0; i < c->o->n_patients; i++)
        NOD_TRY(write_slices(c, path, i, &im, &manifest, err));
    file = nod_path_join(path, "manifest.csv");
    if (file == NULL || manifest.failed)
        rc = nod_fail_memory(err, "the manifest", manifest.len);
    else
        rc = nod_file_write(file, manifest.data, manifest.len, err);
out:
    nod_free(file);
    nod_strbuf_done(&manifest);
    nod_image_done(&im);
    return rc;
}

/* --- as arrays -------------------------------------------------------------------------- */

enum { IMAGES, LABELS, PATIENTS, ARRAYS };

static int init_arrays(const cohort *c, int part, nod_tensor t[ARRAYS], nod_error *err)
{
    int64_t n = c->n_items[part], s = c->o->size;
    nod_shape images = c->o->kind == NOD_SYNTH_VOLUMES ? nod_shape_of(4, n, s, s, s)
                                                       : nod_shape_of(3, n, s, s);
    nod_shape labels = nod_shape_of(2, n, (int64_t)1), patients = nod_shape_of(1, n);
    int rc = nod_tensor_init(&t[IMAGES], NOD_DTYPE_U8, &images, err);
    if (rc == 0) rc = nod_tensor_init(&t[LABELS], NOD_DTYPE_U8, &labels, err);
    if (rc == 0) rc = nod_tensor_init(&t[PATIENTS], NOD_DTYPE_I64, &patients, err);
    return rc;
}

/* Images of a part in shuffled order, as published sets have them. */
static int fill_arrays(const cohort *c, int part, nod_tensor t[ARRAYS], nod_error *err)
{
    int64_t n = c->n_items[part], i_head = -1;
    bool volumes = c->o->kind == NOD_SYNTH_VOLUMES;
    if (n == 0) return 0;
    size_t n_bytes = nod_tensor_bytes(&t[IMAGES]) / (size_t)n;
    nod_phantom *head = NULL;
    int64_t *place = nod_calloc((size_t)n, sizeof *place);
    if (place == NULL) return nod_fail_memory(err, "a cohort", (size_t)n * sizeof *place);
    for (int64_t k = 0; k < n; k++)
        place[k] = k;
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_ORDER - (uint64_t)part * 16);
    nod_rng_shuffle(&r, place, (size_t)n, sizeof *place);
    int rc = 0;
    for (int64_t k = 0; k < n; k++) {
        item it = c->items[part][k];
        if (it.i_patient != i_head) {
            nod_phantom_free(head);
            head = NULL;
            NOD_TRY(head_of(c, it.i_patient, &head, err));
            i_head = it.i_patient;
        }
        uint8_t *dst = (uint8_t *)t[IMAGES].data + (size_t)place[k] * n_bytes;
        if (volumes)
            nod_phantom_volume(head, it.i_image, c->o->size, dst);
        else
            nod_phantom_slice(head, it.i_image, c->o->size, dst);
        ((uint8_t *)t[LABELS].data)[place[k]] = (uint8_t)c->patients[it.i_patient].label;
        ((int64_t *)t[PATIENTS].data)[place[k]] = it.i_patient + 1;
    }
out:
    nod_phantom_free(head);
    nod_free(place);
    return rc;
}

static int write_arrays(const cohort *c, const char *path, nod_error *err)
{
    static const char *const names[2][PARTS * ARRAYS] = {
        {"images", "labels", "patients"},
        {"train_images", "train_labels", "train_patients", "val_images", "val_labels",
         "val_patients", "test_images", "test_labels", "test_patients"}};
    nod_tensor t[PARTS * ARRAYS] = {0};
    int n_parts = c->o->has_parts ? PARTS : 1, rc = 0;
    for (int k = 0; k < n_parts; k++) {
        if (c->n_items[k] == 0) {
            rc = nod_fail(err, NOD_EINVAL,
                          "synth: %lld patients leave the %s part empty; take more patients or "
                          "another share",
                          (long long)c->o->n_patients,
                          k == TRAIN ? "training"
                          : k == VAL ? "validation"
                                     : "test");
            goto out;
        }
        NOD_TRY(init_arrays(c, k, t + k * ARRAYS, err));
    }
    for (int k = 0; k < n_parts; k++)
        NOD_TRY(fill_arrays(c, k, t + k * ARRAYS, err));
    rc = nod_npz_write(path, names[n_parts == PARTS], t, (size_t)n_parts * ARRAYS,
                       c->o->deflate, err);
out:
    for (int k = 0; k < PARTS * ARRAYS; k++)
        nod_tensor_done(&t[k]);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------- */

int nod_synth_write(const char *path, const nod_synth_options *options, const nod_log *log,
                    nod_error *err)
{
    static const char *const part_names[PARTS] = {"training", "validation", "test"};
    cohort c;
    int rc = cohort_init(&c, options, err);
    if (rc == 0)
        rc = options->kind == NOD_SYNTH_SLICES ? write_folder(&c, path, err)
                                               : write_arrays(&c, path, err);
    if (rc == 0) {
        bool parts = options->has_parts && options->kind != NOD_SYNTH_SLICES;
        for (int k = 0; parts && k < PARTS; k++)
            nod_info(log, "%s: %lld images, %lld with a tumour", part_names[k],
                     (long long)c.n_items[k], (long long)c.n_positive[k]);
        int64_t n = 0, n_positive = 0;
        for (int k = 0; k < PARTS; k++) {
            n += c.n_items[k];
            n_positive += c.n_positive[k];
        }
        nod_info(log, "%s: %lld phantoms, %lld with a tumour, of %lld patients", path,
                 (long long)n, (long long)n_positive, (long long)options->n_patients);
    }
    cohort_done(&c);
    return rc;
}
