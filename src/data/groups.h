/* groups.h: which cases belong together: equal decoded pixels, the same patient, the same study.
 *
 * Constant images are nobody's copy and are ignored. A group is what must never be parted: the
 * union of "same pixels", "same patient" (also by another id that a file names: OtherPatientIDs), "same
 * study", and of the pairs that the caller joins, near-duplicates. Dummy ids are nobody's
 * (data/patient.h). */
#ifndef NOD_DATA_GROUPS_H
#define NOD_DATA_GROUPS_H

#include "data/cohort.h"

typedef struct nod_groups {
    size_t n;            /* cases */
    size_t *twin;        /* [n] first case with the same pixels; itself where there is none */
    bool *contradictory; /* [n] a case with the same pixels has another label */
    size_t *group;       /* [n] group number, 0.. in the order of the cases */
    size_t n_groups;
} nod_groups;

/* Two cases, the lower first. */
typedef struct nod_case_pair {
    size_t i, j;
} nod_case_pair;

/* `pairs` are joined too; NULL where n_pairs is 0. */
int nod_groups_make(const nod_cohort *c, const nod_case_pair *pairs, size_t n_pairs,
                    nod_groups *out, nod_error *err) NOD_MUST_CHECK;
void nod_groups_done(nod_groups *g);

/* first[i] [cases]: the first case of the patient of case i, by any id that they have in common; i itself
 * where no patient is known. */
int nod_patients_find(const nod_cohort *c, size_t *first, nod_error *err) NOD_MUST_CHECK;

/* What makes one patient of two groups likely, and proves nothing: it is listed, never joined. */
typedef enum nod_suspicion {
    NOD_SUSPECT_PERSON, /* equal name, birth date and sex */
    NOD_SUSPECT_FRAME   /* equal frame of reference: one position on one scanner */
} nod_suspicion;

typedef struct nod_suspect {
    nod_case_pair cases; /* one of each group */
    nod_suspicion why;
} nod_suspect;

typedef struct nod_suspects {
    nod_suspect *items;
    size_t n, cap;
} nod_suspects;

/* For each value that several groups share: the first group with it beside each other one. */
int nod_suspects_find(const nod_cohort *c, const nod_groups *g, nod_suspects *out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_suspects_done(nod_suspects *s);

#endif
