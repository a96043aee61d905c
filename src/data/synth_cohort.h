/* synth_cohort.h: who is in a cohort of phantoms: what synth.c and the writers behind it share. */
#ifndef NOD_DATA_SYNTH_COHORT_H
#define NOD_DATA_SYNTH_COHORT_H

#include "base/rng.h"
#include "data/synth.h"

enum { SYNTH_TRAIN, SYNTH_VAL, SYNTH_TEST, SYNTH_PARTS };

typedef struct nod_synth_patient {
    int label, part;
    int64_t n_images; /* studies of DICOM */
    int site;         /* from 0; -1: not known, as are sex and age */
    char sex;         /* 'F', 'M' */
    int age;          /* years, at the first study */
} nod_synth_patient;

/* One image of the cohort. */
typedef struct nod_synth_item {
    int64_t i_patient, i_image;
} nod_synth_item;

typedef struct nod_synth_cohort {
    const nod_synth_options *o; /* borrowed */
    nod_synth_patient *patients;
    nod_synth_item *items[SYNTH_PARTS];
    int64_t n_items[SYNTH_PARTS], n_positive[SYNTH_PARTS];
} nod_synth_cohort;

/* Checks the options and draws. nod_synth_cohort_done takes what is left after a failure too. */
int nod_synth_cohort_init(nod_synth_cohort *c, const nod_synth_options *o,
                          nod_error *err) NOD_MUST_CHECK;
void nod_synth_cohort_done(nod_synth_cohort *c);
/* The order of the images of a part: its numbers, shuffled by them. */
nod_rng nod_synth_cohort_order(const nod_synth_cohort *c, int part);

/* "Site A", "Vendor 1": of site 0. */
#define NOD_SYNTH_PLACE 24
void nod_synth_site_name(int site, char out[NOD_SYNTH_PLACE]);
void nod_synth_vendor_name(int site, char out[NOD_SYNTH_PLACE]);

/* Makes the folder, which must hold nothing. */
int nod_synth_make_folder(const char *path, nod_error *err) NOD_MUST_CHECK;
/* The cohort as DICOM: see docs/formats/synth.md. */
int nod_synth_write_dicom(const nod_synth_cohort *c, const char *path,
                          nod_error *err) NOD_MUST_CHECK;

#endif
