/* synth_cohort.c: the table of kinds, and who is in a cohort of phantoms.
 *
 * Classes are dealt over the patients by a seeded shuffle, so exactly the wanted share has a
 * finding; the parts of an .npz are cut from each class separately, by patient. */
#include "data/synth_cohort.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Streams beside those of the patients (phantoms count up from 0). */
#define STREAM_CLASSES UINT64_MAX
#define STREAM_COUNTS  (UINT64_MAX - 1)
#define STREAM_PARTS   (UINT64_MAX - 2)
#define STREAM_ORDER   (UINT64_MAX - 3)
#define STREAM_PEOPLE  (UINT64_MAX - 64) /* beyond those of parts and orders */

static const struct kind {
    const char *name, *classes[2];
    bool is_dicom, has_planes;
    int64_t n_patients, images_per_patient, size, max_size;
} kinds[NOD_SYNTH_KINDS] = {
    [NOD_SYNTH_SLICES] = {"slices", {"normal", "tumor"}, false, false, 400, 3, 64, 1024},
    [NOD_SYNTH_IMAGES] = {"images", {"normal", "tumor"}, false, false, 400, 3, 64, 1024},
    [NOD_SYNTH_VOLUMES] = {"volumes", {"normal", "tumor"}, false, false, 200, 1, 28, 128},
    [NOD_SYNTH_MR] = {"mr", {"normal", "tumor"}, true, true, 200, 2, 64, 512},
    [NOD_SYNTH_XRAY] = {"xray", {"normal", "nodule"}, true, false, 200, 2, 256, 1024},
    [NOD_SYNTH_MAMMO] = {"mammo", {"normal", "mass"}, true, false, 60, 1, 256, 1024},
    [NOD_SYNTH_CINE] = {"cine", {"normal", "reduced"}, true, true, 20, 1, 96, 512},
    [NOD_SYNTH_DCE] = {"dce", {"benign", "malignant"}, true, true, 20, 1, 96, 512},
};

static const char *const defect_names[NOD_SYNTH_DEFECTS] = {
    "gap", "duplicate", "uneven", "tilt", "leak", "dummy-ids", "localizer", "burned-in"};

nod_synth_options nod_synth_defaults(nod_synth_kind kind)
{
    return (nod_synth_options){.kind = kind,
                               .n_patients = kinds[kind].n_patients,
                               .images_per_patient = kinds[kind].images_per_patient,
                               .size = kinds[kind].size,
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
        if (strcmp(name, kinds[i].name) == 0) return i;
    return -1;
}

const char *nod_synth_kind_name(nod_synth_kind kind)
{
    NOD_ASSERT((unsigned)kind < NOD_SYNTH_KINDS);
    return kinds[kind].name;
}

bool nod_synth_is_dicom(nod_synth_kind kind)
{
    return kinds[kind].is_dicom;
}

const char *nod_synth_class_name(nod_synth_kind kind, int label)
{
    return kinds[kind].classes[label != 0];
}

int nod_synth_defect_from_name(const char *name)
{
    for (int i = 0; i < NOD_SYNTH_DEFECTS; i++)
        if (strcmp(name, defect_names[i]) == 0) return i;
    return -1;
}

const char *nod_synth_defect_name(nod_synth_defect defect)
{
    NOD_ASSERT((unsigned)defect < NOD_SYNTH_DEFECTS);
    return defect_names[defect];
}

/* --- what is asked for -------------------------------------------------------------------- */

static int check_defects(const nod_synth_options *o, nod_error *err)
{
    const struct kind *k = &kinds[o->kind];
    for (int d = 0; d < NOD_SYNTH_DEFECTS; d++) {
        if (!(o->defects >> d & 1)) continue;
        if (!k->is_dicom)
            return nod_fail(err, NOD_EINVAL,
                            "synth: defects are those of DICOM series; %s have none", k->name);
        if (!k->has_planes && (d <= NOD_SYNTH_TILT || d == NOD_SYNTH_LOCALIZER))
            return nod_fail(err, NOD_EINVAL,
                            "synth: '%s' is a defect of slices; %s has none: take mr, cine or "
                            "dce",
                            defect_names[d], k->name);
    }
    if (o->defects >> NOD_SYNTH_DEFECTS)
        return nod_fail(err, NOD_EINVAL, "synth: defects 0x%x do not exist", o->defects);
    return 0;
}

static int check_options(const nod_synth_options *o, nod_error *err)
{
    if ((unsigned)o->kind >= NOD_SYNTH_KINDS)
        return nod_fail(err, NOD_EINVAL, "synth: kind %d does not exist", (int)o->kind);
    const struct kind *k = &kinds[o->kind];
    int64_t min_size = k->is_dicom ? 16 : 8;
    if (o->n_patients < 2 || o->n_patients > NOD_SYNTH_MAX_PATIENTS)
        return nod_fail(err, NOD_EINVAL, "synth: %lld patients; 2 to %d are possible",
                        (long long)o->n_patients, NOD_SYNTH_MAX_PATIENTS);
    if (o->images_per_patient < 1 || o->images_per_patient > NOD_SYNTH_MAX_IMAGES)
        return nod_fail(err, NOD_EINVAL, "synth: %lld images a patient; 1 to %d are possible",
                        (long long)o->images_per_patient, NOD_SYNTH_MAX_IMAGES);
    if (o->size < min_size || o->size > k->max_size)
        return nod_fail(err, NOD_EINVAL, "synth: size %lld; %s: %lld to %lld %s a side",
                        (long long)o->size, k->name, (long long)min_size,
                        (long long)k->max_size,
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
    if (o->n_sites < 0 || o->n_sites > NOD_SYNTH_MAX_SITES)
        return nod_fail(err, NOD_EINVAL, "synth: %lld sites; 0 to %d are possible",
                        (long long)o->n_sites, NOD_SYNTH_MAX_SITES);
    if (o->n_sites > 0 && !k->is_dicom && o->kind != NOD_SYNTH_SLICES)
        return nod_fail(err, NOD_EINVAL,
                        "synth: %s in an .npz say nothing of sites; take slices or DICOM",
                        k->name);
    return check_defects(o, err);
}

/* --- who is in it ------------------------------------------------------------------------ */

/* Deals the classes: exactly round(n * prevalence) tumours, at least one patient of each. */
static void draw_classes(nod_synth_cohort *c)
{
    int64_t n = c->o->n_patients;
    int64_t n_positive = llround((double)n * c->o->prevalence);
    n_positive = NOD_MAX((int64_t)1, NOD_MIN(n_positive, n - 1));
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_CLASSES);
    for (int64_t i = 0; i < n; i++)
        c->patients[i].label = i < n_positive;
    nod_rng_shuffle(&r, c->patients, (size_t)n, sizeof *c->patients);
}

static void draw_counts(nod_synth_cohort *c)
{
    int64_t mean = c->o->images_per_patient, spread = mean / 2;
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_COUNTS);
    for (int64_t i = 0; i < c->o->n_patients; i++)
        c->patients[i].n_images =
            mean - spread + (int64_t)nod_rng_below(&r, (uint64_t)(2 * spread + 1));
}

/* Cuts each class into parts, by patient. */
static int draw_parts(nod_synth_cohort *c, nod_error *err)
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
            c->patients[order[k]].part = !c->o->has_parts     ? SYNTH_TRAIN
                                         : k < n_test         ? SYNTH_TEST
                                         : k < n_test + n_val ? SYNTH_VAL
                                                              : SYNTH_TRAIN;
    }
    nod_free(order);
    return 0;
}

/* Deals the patients of each class over the sites, so that a site says nothing about the class. */
static int draw_people(nod_synth_cohort *c, nod_error *err)
{
    size_t n = (size_t)c->o->n_patients, n_class;
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_PEOPLE);
    nod_synth_patient **order = nod_calloc(n, sizeof *order);
    if (order == NULL) return nod_fail_memory(err, "a cohort", n * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        c->patients[i].site = -1;
        if (c->o->n_sites == 0) continue;
        c->patients[i].sex = nod_rng_uniform(&r) < 0.5 ? 'F' : 'M';
        c->patients[i].age = 20 + (int)nod_rng_below(&r, 70);
    }
    for (int label = 0; label < 2 && c->o->n_sites > 0; label++) {
        n_class = 0;
        for (size_t i = 0; i < n; i++)
            if (c->patients[i].label == label) order[n_class++] = &c->patients[i];
        nod_rng_shuffle(&r, order, n_class, sizeof *order);
        for (size_t k = 0; k < n_class; k++)
            order[k]->site = (int)(k % (size_t)c->o->n_sites);
    }
    nod_free(order);
    return 0;
}

void nod_synth_site_name(int site, char out[NOD_SYNTH_PLACE])
{
    snprintf(out, NOD_SYNTH_PLACE, "Site %c", 'A' + site);
}

void nod_synth_vendor_name(int site, char out[NOD_SYNTH_PLACE])
{
    snprintf(out, NOD_SYNTH_PLACE, "Vendor %d", site + 1);
}

static int list_items(nod_synth_cohort *c, nod_error *err)
{
    const nod_synth_patient *end = c->patients + c->o->n_patients;
    for (const nod_synth_patient *p = c->patients; p < end; p++) {
        c->n_items[p->part] += p->n_images;
        if (p->label == 1) c->n_positive[p->part] += p->n_images;
    }
    for (int k = 0; k < SYNTH_PARTS; k++) {
        size_t n = (size_t)c->n_items[k], at = 0;
        c->items[k] = nod_calloc(n, sizeof *c->items[k]);
        if (c->items[k] == NULL)
            return nod_fail_memory(err, "a cohort", n * sizeof(nod_synth_item));
        for (int64_t i = 0; i < c->o->n_patients; i++)
            for (int64_t j = 0; c->patients[i].part == k && j < c->patients[i].n_images; j++)
                c->items[k][at++] = (nod_synth_item){i, j};
    }
    return 0;
}

void nod_synth_cohort_done(nod_synth_cohort *c)
{
    nod_free(c->patients);
    for (int k = 0; k < SYNTH_PARTS; k++)
        nod_free(c->items[k]);
}

int nod_synth_cohort_init(nod_synth_cohort *c, const nod_synth_options *o, nod_error *err)
{
    *c = (nod_synth_cohort){.o = o};
    int rc = check_options(o, err);
    if (rc != 0) return rc;
    c->patients = nod_calloc((size_t)o->n_patients, sizeof *c->patients);
    if (c->patients == NULL)
        return nod_fail_memory(err, "a cohort", (size_t)o->n_patients * sizeof *c->patients);
    draw_classes(c);
    draw_counts(c);
    rc = draw_parts(c, err);
    if (rc == 0) rc = draw_people(c, err);
    return rc != 0 ? rc : list_items(c, err);
}

nod_rng nod_synth_cohort_order(const nod_synth_cohort *c, int part)
{
    return nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_ORDER - (uint64_t)part * 16);
}
