/* synth_dicom.c: a cohort of phantoms as a tree of DICOM series with its tables.
 *
 *     dicom/p0001/1/brain/IM0001.dcm   patient, study, series
 *     masks/p0001_1_brain.nii.gz       where the finding is
 *     labels.csv                       what `nodule index --labels` takes
 *     truth.csv                        every series with its label, mask and defects; comes last
 *
 * Patients are written side by side on several threads; each fills rows of its own, which are put
 * together in the order of the patients. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/synth_cohort.h"
#include "data/synth_study.h"
#include "data/workers.h"

/* Numbers of scans lie beyond those of the bodies (phantom*.c). */
#define STREAM_SCANS  ((uint64_t)1 << 50)
#define DEFECT_SHARE  10 /* one patient in so many */
#define IDS_OF_NOBODY 3
#define SITE_NOISE    0.75 /* that the scanners of a site have more than those of the one before */

/* --- a study ------------------------------------------------------------------------------ */

nod_rng nod_synth_study_rng(const nod_synth_study *s, int drawer)
{
    uint64_t k = (uint64_t)s->i_patient * NOD_SYNTH_MAX_IMAGES * 2 + (uint64_t)s->i_study;
    return nod_rng_make(s->o->seed, NOD_RNG_SYNTH,
                        STREAM_SCANS + k * SYNTH_DRAWERS + (uint64_t)drawer);
}

/* A UID that follows from all that the pixels follow from, and from what it stands for. */
static int make_uid(const nod_synth_study *s, const char *what, char out[NOD_DICOM_UID_BYTES],
                    nod_error *err)
{
    const nod_synth_options *o = s->o;
    char name[320];
    snprintf(
        name, sizeof name, "nodule synth 1/%s/%llu/%lld/%lld/%lld/%.17g/%.17g/%x/p%lld/%lld/%s",
        nod_synth_kind_name(o->kind), (unsigned long long)o->seed, (long long)o->n_patients,
        (long long)o->images_per_patient, (long long)o->size, o->prevalence, o->contrast,
        o->defects, (long long)s->number, (long long)s->i_study, what);
    size_t at = strlen(name);
    if (o->n_sites > 0)
        snprintf(name + at, sizeof name - at, "/%lld sites", (long long)o->n_sites);
    return nod_dicom_uid_of(name, out, err);
}

int nod_synth_series_open(nod_synth_series *s, const nod_synth_study *study, int number,
                          const char *name, nod_error *err)
{
    *s = (nod_synth_series){.study = study, .description = name, .number = number};
    char below[128], what[32];
    snprintf(below, sizeof below, "%s/%s", study->folder, name);
    snprintf(what, sizeof what, "series %d", number);
    int rc = make_uid(study, what, s->uid, err);
    s->folder = nod_path_join(study->root, below);
    if (s->folder == NULL) return nod_fail_memory(err, "a path", strlen(below));
    return rc != 0 ? rc : nod_dir_make(s->folder, err);
}

void nod_synth_series_close(nod_synth_series *s)
{
    nod_free(s->folder);
    s->folder = NULL;
}

int nod_synth_series_add(nod_synth_series *s, nod_dicom_image *im, nod_error *err)
{
    const nod_synth_study *study = s->study;
    char sop_uid[NOD_DICOM_UID_BYTES], what[48], name[24], id[24];
    s->n_images++;
    snprintf(what, sizeof what, "series %d image %d", s->number, s->n_images);
    snprintf(name, sizeof name, "IM%04d.dcm", s->n_images);
    snprintf(id, sizeof id, "%lld", (long long)study->i_study + 1);
    int rc = make_uid(study, what, sop_uid, err);
    if (rc != 0) return rc;
    im->patient_id = study->patient_id;
    im->patient_name = study->patient_name;
    im->patient_sex = *study->sex ? study->sex : "O";
    if (*study->site) {
        im->patient_age = study->age;
        im->institution = study->site;
        im->manufacturer = study->vendor;
    }
    im->study_uid = study->study_uid;
    im->series_uid = s->uid;
    im->sop_uid = sop_uid;
    im->frame_of_reference_uid = study->frame_uid;
    im->study_date = study->date;
    im->study_time = "101000";
    im->study_id = id;
    im->study_description = "phantom";
    im->series_description = s->description;
    im->series_number = s->number;
    im->instance_number = s->n_images;
    char *path = nod_path_join(s->folder, name);
    rc = path == NULL ? nod_fail_memory(err, "a path", strlen(name))
                      : nod_dicom_image_write(path, im, err);
    nod_free(path);
    return rc;
}

static void add_defects(nod_strbuf *b, unsigned defects)
{
    bool first = true;
    for (int d = 0; d < NOD_SYNTH_DEFECTS; d++) {
        if (!(defects >> d & 1)) continue;
        nod_strbuf_printf(b, "%s%s", first ? "" : "|", nod_synth_defect_name(d));
        first = false;
    }
}

void nod_synth_series_tell(const nod_synth_series *s, const char *name, int label,
                           const char *mask)
{
    const nod_synth_study *study = s->study;
    const nod_synth_options *o = study->o;
    const char *label_name = nod_synth_class_name(o->kind, label);
    bool of_series = o->kind == NOD_SYNTH_MAMMO,
         of_study = o->defects >> NOD_SYNTH_DUMMY_IDS & 1;
    nod_csv_add_field(study->truth, study->patient_id, 1);
    nod_strbuf_printf(study->truth, ",%s,%s,%s/%s,%s,%s,", study->study_uid, s->uid,
                      study->folder, name, label_name, mask);
    add_defects(study->truth, study->defects);
    nod_strbuf_addc(study->truth, '\n');
    if (of_series || of_study || study->i_study == 0) /* a patient has one row */
        nod_strbuf_printf(study->labels, "%s,%s\n",
                          of_series  ? s->uid
                          : of_study ? study->study_uid
                                     : study->patient_id,
                          label_name);
}

/* --- patients ----------------------------------------------------------------------------- */

typedef struct tree {
    const nod_synth_cohort *c;
    const char *root;
    int64_t *order;             /* patients, shuffled: who gets which defect */
    int64_t n_hit;              /* patients of one defect */
    int64_t n_copies;           /* patients that are there twice */
    nod_strbuf *truth, *labels; /* of each patient, copies after all others */
} tree;

/* Rank of a defect among those that hit single patients, or -1. */
static int rank_of(unsigned defects, nod_synth_defect d)
{
    int rank = 0;
    if (!(defects >> d & 1)) return -1;
    for (int k = 0; k < (int)d; k++)
        rank += defects >> k & 1;
    return rank;
}

static bool is_hit(const tree *t, int64_t i_patient, nod_synth_defect d)
{
    int rank = rank_of(t->c->o->defects, d);
    for (int64_t k = 0; rank >= 0 && k < t->n_hit; k++)
        if (t->order[(rank * t->n_hit + k) % t->c->o->n_patients] == i_patient) return true;
    return false;
}

/* Geometry is bad in the first study only; what is wrong with an id is so in all. */
static unsigned defects_of(const tree *t, int64_t i_patient, int64_t i_study)
{
    unsigned defects =
        t->c->o->defects & (1u << NOD_SYNTH_LOCALIZER | 1u << NOD_SYNTH_BURNED_IN);
    for (int d = 0; d <= NOD_SYNTH_DUMMY_IDS; d++)
        if ((d > NOD_SYNTH_TILT || i_study == 0) && is_hit(t, i_patient, d)) defects |= 1u << d;
    return defects;
}

static void name_patient(nod_synth_study *s)
{
    static const char *const nobody[IDS_OF_NOBODY] = {"", "ANONYMOUS", "0"};
    long long n = (long long)s->number;
    snprintf(s->patient_id, sizeof s->patient_id, "p%04lld", n);
    snprintf(s->patient_name, sizeof s->patient_name, "PHANTOM^P%04lld", n);
    if (s->defects >> NOD_SYNTH_DUMMY_IDS & 1)
        snprintf(s->patient_id, sizeof s->patient_id, "%s", nobody[n % IDS_OF_NOBODY]);
    snprintf(s->folder, sizeof s->folder, "dicom/p%04lld/%lld", n, (long long)s->i_study + 1);
    snprintf(s->date, sizeof s->date, "%04d%02d%02d", (int)(2020 + s->i_study % 8),
             (int)(1 + n * 7 % 12), (int)(1 + n * 13 % 28));
}

/* Where and of whom the study is. */
static void place_study(nod_synth_study *s, const nod_synth_patient *p)
{
    s->noise = 1;
    if (p->site < 0) return;
    nod_synth_site_name(p->site, s->site);
    nod_synth_vendor_name(p->site, s->vendor);
    s->sex[0] = p->sex;
    snprintf(s->age, sizeof s->age, "%03dY", (int)(p->age + s->i_study % 8));
    s->noise += SITE_NOISE * p->site;
}

static int write_patient(void *context, size_t i, nod_error *err)
{
    const tree *t = context;
    const nod_synth_options *o = t->c->o;
    int64_t n = o->n_patients, number = (int64_t)i + 1;
    int64_t source = (int64_t)i;
    if (source >= n) /* a copy: of the patients that the defect hits */
        source = t->order[(rank_of(o->defects, NOD_SYNTH_LEAK) * t->n_hit + source - n) % n];
    const nod_synth_patient *p = &t->c->patients[source];
    int rc = 0;
    for (int64_t k = 0; rc == 0 && k < p->n_images; k++) {
        nod_synth_study s = {.o = o,
                             .root = t->root,
                             .i_patient = source,
                             .number = number,
                             .i_study = k,
                             .label = p->label,
                             .defects = defects_of(t, source, k),
                             .truth = &t->truth[i],
                             .labels = &t->labels[i]};
        name_patient(&s);
        place_study(&s, p);
        rc = make_uid(&s, "study", s.study_uid, err);
        if (rc == 0) rc = make_uid(&s, "frame", s.frame_uid, err);
        bool planes = o->kind != NOD_SYNTH_XRAY && o->kind != NOD_SYNTH_MAMMO;
        if (rc == 0)
            rc =
                planes ? nod_synth_write_planes(&s, err) : nod_synth_write_projections(&s, err);
    }
    if (rc == 0 && (t->truth[i].failed || t->labels[i].failed))
        rc = nod_fail_memory(err, "the table of the truth", t->truth[i].len);
    return rc;
}

/* --- tables ------------------------------------------------------------------------------- */

static int write_table(const tree *t, const char *name, const char *header,
                       const nod_strbuf *rows, nod_error *err)
{
    size_t n = (size_t)(t->c->o->n_patients + t->n_copies);
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_add(&b, header);
    for (size_t i = 0; i < n; i++)
        nod_strbuf_addn(&b, rows[i].data, rows[i].len);
    char *path = nod_path_join(t->root, name);
    int rc = path == NULL || b.failed ? nod_fail_memory(err, name, b.len)
                                      : nod_file_write(path, b.data, b.len, err);
    nod_free(path);
    nod_strbuf_done(&b);
    return rc;
}

static int tree_init(tree *t, const nod_synth_cohort *c, const char *path, nod_error *err)
{
    int64_t n = c->o->n_patients;
    *t = (tree){.c = c, .root = path, .n_hit = NOD_MAX(n / DEFECT_SHARE, 1)};
    if (c->o->defects >> NOD_SYNTH_LEAK & 1) t->n_copies = t->n_hit;
    size_t n_all = (size_t)(n + t->n_copies);
    t->order = nod_calloc((size_t)n, sizeof *t->order);
    t->truth = nod_calloc(n_all, sizeof *t->truth);
    t->labels = nod_calloc(n_all, sizeof *t->labels);
    if (t->order == NULL || t->truth == NULL || t->labels == NULL)
        return nod_fail_memory(err, "a cohort", n_all * sizeof *t->truth);
    for (size_t i = 0; i < n_all; i++)
        t->truth[i] = t->labels[i] = (nod_strbuf)NOD_STRBUF_INIT;
    for (int64_t i = 0; i < n; i++)
        t->order[i] = i;
    nod_rng r = nod_rng_make(c->o->seed, NOD_RNG_SYNTH, STREAM_SCANS - 1);
    nod_rng_shuffle(&r, t->order, (size_t)n, sizeof *t->order);
    return 0;
}

static void tree_done(tree *t)
{
    size_t n = t->truth && t->labels ? (size_t)(t->c->o->n_patients + t->n_copies) : 0;
    for (size_t i = 0; i < n; i++) {
        nod_strbuf_done(&t->truth[i]);
        nod_strbuf_done(&t->labels[i]);
    }
    nod_free(t->truth);
    nod_free(t->labels);
    nod_free(t->order);
}

static int make_folders(const char *path, nod_error *err)
{
    int rc = nod_synth_make_folder(path, err);
    char *masks = nod_path_join(path, "masks");
    if (rc == 0)
        rc = masks == NULL ? nod_fail_memory(err, "a path", 6) : nod_dir_make(masks, err);
    nod_free(masks);
    return rc;
}

int nod_synth_write_dicom(const nod_synth_cohort *c, const char *path, nod_error *err)
{
    const nod_synth_options *o = c->o;
    const char *key = o->kind == NOD_SYNTH_MAMMO              ? "series,label\n"
                      : o->defects >> NOD_SYNTH_DUMMY_IDS & 1 ? "study,label\n"
                                                              : "patient,label\n";
    tree t;
    int rc = tree_init(&t, c, path, err);
    if (rc == 0) rc = make_folders(path, err);
    if (rc == 0)
        rc = nod_workers_run((size_t)(o->n_patients + t.n_copies), nod_threads_get(),
                             write_patient, &t, err);
    if (rc == 0) rc = write_table(&t, "labels.csv", key, t.labels, err);
    if (rc == 0)
        rc = write_table(&t, "truth.csv", "patient,study,series,folder,label,mask,defects\n",
                         t.truth, err);
    tree_done(&t);
    return rc;
}
