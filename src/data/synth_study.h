/* synth_study.h: one visit of a phantom patient, and the DICOM series that are written of it.
 *
 * What the writers of planes (synth_planes.c) and of projections (synth_projection.c) have in
 * common: identity, numbering, UIDs, random numbers, files, and the rows of truth.csv. */
#ifndef NOD_DATA_SYNTH_STUDY_H
#define NOD_DATA_SYNTH_STUDY_H

#include "base/rng.h"
#include "base/text.h"
#include "data/synth_cohort.h"
#include "imaging/dicom/write.h"

typedef struct nod_synth_study {
    const nod_synth_options *o;
    const char *root;  /* of the cohort */
    int64_t i_patient; /* whose body it is */
    int64_t number;    /* of the patient in the cohort, from 1: a copy has one of its own */
    int64_t i_study;
    int label;
    unsigned defects; /* of this study */
    char patient_id[32], patient_name[32], date[12];
    /* with sites; else "" */
    char site[NOD_SYNTH_PLACE], vendor[NOD_SYNTH_PLACE], sex[4], age[8];
    double noise;    /* of the site's scanners, 1: as of the first */
    char folder[64]; /* "dicom/p0001/1" below the root */
    char study_uid[NOD_DICOM_UID_BYTES], frame_uid[NOD_DICOM_UID_BYTES];
    nod_strbuf *truth, *labels; /* rows that go into the tables */
} nod_synth_study;

/* Who draws from a study's numbers. */
enum { SYNTH_DRAW_SCAN, SYNTH_DRAW_NOISE, SYNTH_DRAW_LOCALIZER, SYNTH_DRAWERS = 16 };
nod_rng nod_synth_study_rng(const nod_synth_study *s, int drawer);

typedef struct nod_synth_series {
    const nod_synth_study *study;
    const char *description;
    char *folder; /* owned; where its files are */
    char uid[NOD_DICOM_UID_BYTES];
    int number, n_images;
} nod_synth_series;

/* Makes the folder `name` in the study's. `number` is the SeriesNumber, unique in the study.
 * nod_synth_series_close takes what is left after a failure too. */
int nod_synth_series_open(nod_synth_series *s, const nod_synth_study *study, int number,
                          const char *name, nod_error *err) NOD_MUST_CHECK;
void nod_synth_series_close(nod_synth_series *s);
/* Writes im as the next file; identity, UIDs and file number are filled in. */
int nod_synth_series_add(nod_synth_series *s, nod_dicom_image *im,
                         nod_error *err) NOD_MUST_CHECK;
/* The series' row of truth.csv. `mask` is a path below the root, or "". */
void nod_synth_series_tell(const nod_synth_series *s, const char *name, int label,
                           const char *mask);

int nod_synth_write_planes(const nod_synth_study *study, nod_error *err) NOD_MUST_CHECK;
int nod_synth_write_projections(const nod_synth_study *study, nod_error *err) NOD_MUST_CHECK;
/* A Secondary Capture of this picture with bars like lines of text in it, in a series of its own. */
int nod_synth_write_capture(const nod_synth_study *study, const uint16_t *picture, int rows,
                            int columns, nod_error *err) NOD_MUST_CHECK;

#endif
