/* overlap.h: cases of one cohort that a model trained on another has met already.
 *
 * Known are the cases of training and validation part of a split: weights, thresholds and calibration
 * rest on them. A case of the other cohort is met where its decoded pixels, its study or its patient
 * are among theirs. Constant images are nobody's copy, dummy ids nobody's (data/patient.h); patients
 * are compared only where both cohorts name them in the same way, declared or by the same rule.
 *
 * Equal name, birth date and sex under other ids, or an equal frame of reference, make a suspect: it is
 * counted and proves nothing (data/groups.h). */
#ifndef NOD_DATA_OVERLAP_H
#define NOD_DATA_OVERLAP_H

#include "data/split.h"

typedef enum nod_overlap_kind {
    NOD_OVERLAP_PIXELS,
    NOD_OVERLAP_STUDY,
    NOD_OVERLAP_PATIENT,
    NOD_OVERLAP_PERSON, /* a suspect: name, birth date and sex */
    NOD_OVERLAP_FRAME   /* a suspect: frame of reference */
} nod_overlap_kind;
const char *nod_overlap_name(nod_overlap_kind kind); /* "same pixels" ... */
static inline bool nod_overlap_is_suspect(nod_overlap_kind kind)
{
    return kind >= NOD_OVERLAP_PERSON;
}

typedef struct nod_overlap {
    size_t i_case;         /* in the cohort that is looked at */
    size_t i_known;        /* in the one that was trained on */
    nod_overlap_kind kind; /* the strongest: pixels, study, patient, then suspicions */
} nod_overlap;

typedef struct nod_overlaps {
    nod_overlap *items; /* in the order of the cases, at most one for each */
    size_t n, cap;
    size_t n_suspects; /* among them */
    bool patients_compared;
} nod_overlaps;

int nod_overlaps_find(const nod_cohort *known, const nod_split *split, const nod_cohort *c,
                      nod_overlaps *out, nod_error *err) NOD_MUST_CHECK;
void nod_overlaps_done(nod_overlaps *o);

#endif
