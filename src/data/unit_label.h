/* unit_label.h: labels of units: how they come from labels that were given at another level.
 *
 * Where labels stand at a coarser level than what is judged, they are spread: each study of a patient gets
 * the patient's. Where they stand at a finer one, they are joined: all images of a patient must say the
 * same, or one that shows the finding suffices. Neither is done unless it was asked for.
 *
 * Private to src/data, as cohort_label.h is: labels are served by labels.h alone. */
#ifndef NOD_DATA_UNIT_LABEL_H
#define NOD_DATA_UNIT_LABEL_H

#include "data/unit.h"

/* What was asked for when a cohort was indexed, and what it has. */
typedef struct nod_unit_request {
    nod_level labels;
    const char *unit;   /* name of a level; NULL: that of the labels, of masks the image */
    const char *joined; /* "same", "any"; NULL: not said */
    bool spread;        /* coarser labels are those of each unit */
    bool masks, patients_known;
} nod_unit_request;

/* The unit and the rule that joins labels. EINVAL: the option that is missing, or a word that is not
 * known. */
int nod_unit_request_check(const nod_unit_request *q, nod_level *unit, nod_unit_label *rule,
                           nod_error *err) NOD_MUST_CHECK;

/* Labels of the units: [n_units] class index, multi-label [n_units][n_classes] of 0/1; the caller's.
 * EDATA: cases of one unit contradict each other. */
int nod_unit_labels_make(const nod_cohort *c, const nod_units_of_cases *u, int32_t **out,
                         nod_error *err) NOD_MUST_CHECK;
/* Whether all cases of a finished cohort say which unit they are of, and each unit has a label (of masks:
 * nothing to be said). */
int nod_unit_labels_check(const nod_cohort *c, nod_error *err) NOD_MUST_CHECK;

/* Patients whose one label stands on several of their studies: at an earlier one the finding may not
 * have been there yet. 0 where labels were not given by patient. */
typedef struct nod_follow_ups {
    size_t patients, studies;
} nod_follow_ups;
/* `marked` [cases], all false, may be NULL: those whose label stands on several studies become true. */
int nod_follow_ups_find(const nod_cohort *c, bool *marked, nod_follow_ups *out,
                        nod_error *err) NOD_MUST_CHECK;

#endif
