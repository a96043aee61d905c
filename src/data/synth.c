/* synth.c: a cohort of phantoms as a folder of slices or as arrays. Who is in it is drawn in
 * synth_cohort.c; a patient's number and the options then determine every pixel (phantom.c). DICOM
 * is written by synth_dicom.c. */
#include "data/synth.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "data/phantom.h"
#include "data/synth_cohort.h"
#include "imaging/image.h"
#include "tensor/npz.h"

/* Ten voxels an edge cannot show a lump of two: tumours in scans are larger and clearer than in
 * slices, and grow in one lobe, so that a small network of dense layers, which knows places and
 * no shapes, has something to find. */
#define VOLUME_RADIUS   1.8
#define VOLUME_CONTRAST 1.4
/* So that a small network learns it from some hundred patients, in a minute on two cores. */
#define SLICE_CONTRAST 2.5

static int head_of(const nod_synth_cohort *c, int64_t i_patient, nod_phantom **out,
                   nod_error *err)
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

int nod_synth_make_folder(const char *path, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_make(path, err);
    if (rc == 0) rc = nod_dir_list(path, &names, err);
    if (rc == 0 && names.n > 0)
        rc = nod_fail(err, NOD_EINVAL,
                      "%s holds %zu files already; remove it, or name another folder", path,
                      names.n);
    nod_strlist_done(&names);
    return rc;
}

static int make_folders(const char *path, nod_error *err)
{
    int rc = nod_synth_make_folder(path, err);
    for (int k = 0; rc == 0 && k < 2; k++) {
        char *dir = nod_path_join(path, nod_synth_class_name(NOD_SYNTH_SLICES, k));
        rc =
            dir == NULL ? nod_fail_memory(err, "a path", strlen(path)) : nod_dir_make(dir, err);
        nod_free(dir);
    }
    return rc;
}

/* ",Site A,Vendor 1,F,63", the columns of the manifest that are there with sites. */
static void describe_patient(const nod_synth_patient *p, char *out, size_t size)
{
    char site[NOD_SYNTH_PLACE], vendor[NOD_SYNTH_PLACE];
    *out = '\0';
    if (p->site < 0) return;
    nod_synth_site_name(p->site, site);
    nod_synth_vendor_name(p->site, vendor);
    snprintf(out, size, ",%s,%s,%c,%d", site, vendor, p->sex, p->age);
}

/* The images of one patient, and their rows of the manifest. */
static int write_slices(const nod_synth_cohort *c, const char *path, int64_t i, nod_image *im,
                        nod_strbuf *manifest, nod_error *err)
{
    nod_phantom *head = NULL;
    char facts[64];
    int rc = head_of(c, i, &head, err);
    describe_patient(&c->patients[i], facts, sizeof facts);
    const char *label = nod_synth_class_name(NOD_SYNTH_SLICES, c->patients[i].label);
    for (int64_t j = 0; rc == 0 && j < c->patients[i].n_images; j++) {
        char name[96];
        snprintf(name, sizeof name, "%s/p%04lld_s%02lld.png", label, (long long)i + 1,
                 (long long)j + 1);
        nod_phantom_slice(head, j, c->o->size, im->data);
        char *file = nod_path_join(path, name);
        rc = file == NULL ? nod_fail_memory(err, "a path", strlen(path))
                          : nod_image_write_png(file, im, err);
        nod_free(file);
        nod_strbuf_printf(manifest, "%s,%s,p%04lld%s\n", name, label, (long long)i + 1, facts);
    }
    nod_phantom_free(head);
    return rc;
}

static int write_folder(const nod_synth_cohort *c, const char *path, nod_error *err)
{
    nod_image im = {0};
    nod_strbuf manifest = NOD_STRBUF_INIT;
    char *file = NULL;
    int rc = 0;
    NOD_TRY(make_folders(path, err));
    NOD_TRY(nod_image_init(&im, 1, c->o->size, c->o->size, 1, NOD_SAMPLE_U8, err));
    nod_strbuf_printf(&manifest, "path,label,patient%s\n",
                      c->o->n_sites > 0 ? ",site,vendor,sex,age" : "");
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

static int init_arrays(const nod_synth_cohort *c, int part, nod_tensor t[ARRAYS],
                       nod_error *err)
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
static int fill_arrays(const nod_synth_cohort *c, int part, nod_tensor t[ARRAYS],
                       nod_error *err)
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
    nod_rng r = nod_synth_cohort_order(c, part);
    nod_rng_shuffle(&r, place, (size_t)n, sizeof *place);
    int rc = 0;
    for (int64_t k = 0; k < n; k++) {
        nod_synth_item it = c->items[part][k];
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

static int write_arrays(const nod_synth_cohort *c, const char *path, nod_error *err)
{
    static const char *const names[2][SYNTH_PARTS * ARRAYS] = {
        {"images", "labels", "patients"},
        {"train_images", "train_labels", "train_patients", "val_images", "val_labels",
         "val_patients", "test_images", "test_labels", "test_patients"}};
    nod_tensor t[SYNTH_PARTS * ARRAYS] = {0};
    int n_parts = c->o->has_parts ? SYNTH_PARTS : 1, rc = 0;
    for (int k = 0; k < n_parts; k++) {
        if (c->n_items[k] == 0) {
            rc = nod_fail(err, NOD_EINVAL,
                          "synth: %lld patients leave the %s part empty; take more patients or "
                          "another share",
                          (long long)c->o->n_patients,
                          k == SYNTH_TRAIN ? "training"
                          : k == SYNTH_VAL ? "validation"
                                           : "test");
            goto out;
        }
        NOD_TRY(init_arrays(c, k, t + k * ARRAYS, err));
    }
    for (int k = 0; k < n_parts; k++)
        NOD_TRY(fill_arrays(c, k, t + k * ARRAYS, err));
    rc = nod_npz_write(path, names[n_parts == SYNTH_PARTS], t, (size_t)n_parts * ARRAYS,
                       c->o->deflate, err);
out:
    for (int k = 0; k < SYNTH_PARTS * ARRAYS; k++)
        nod_tensor_done(&t[k]);
    return rc;
}

/* --- all of it -------------------------------------------------------------------------- */

int nod_synth_write(const char *path, const nod_synth_options *options, const nod_log *log,
                    nod_error *err)
{
    static const char *const part_names[SYNTH_PARTS] = {"training", "validation", "test"};
    nod_synth_cohort c;
    int rc = nod_synth_cohort_init(&c, options, err);
    if (rc == 0)
        rc = nod_synth_is_dicom(options->kind)   ? nod_synth_write_dicom(&c, path, err)
             : options->kind == NOD_SYNTH_SLICES ? write_folder(&c, path, err)
                                                 : write_arrays(&c, path, err);
    if (rc == 0) {
        bool parts = options->kind == NOD_SYNTH_IMAGES || options->kind == NOD_SYNTH_VOLUMES;
        const char *finding = nod_synth_class_name(options->kind, 1);
        int64_t n = 0, n_positive = 0;
        for (int k = 0; k < SYNTH_PARTS; k++) {
            n += c.n_items[k];
            n_positive += c.n_positive[k];
            if (parts && options->has_parts)
                nod_info(log, "%s: %lld images, %lld %s", part_names[k],
                         (long long)c.n_items[k], (long long)c.n_positive[k], finding);
        }
        nod_info(log, "%s: %lld %s, %lld %s, of %lld patients", path, (long long)n,
                 nod_synth_is_dicom(options->kind) ? "studies" : "phantoms",
                 (long long)n_positive, finding, (long long)options->n_patients);
    }
    nod_synth_cohort_done(&c);
    return rc;
}
