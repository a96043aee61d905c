/* patient_rule.h: patients by a rule about the names of files. */
#ifndef NOD_DATA_PATIENT_RULE_H
#define NOD_DATA_PATIENT_RULE_H

#include "data/layout.h"

/* Sets the patient of every item by `patient_regex` and `patient_divide` of the options; *rule, which
 * says how, is in the listing's arena or borrowed from the options. `path` is what is indexed, for
 * messages. Errors: EINVAL (the source names patients itself, or has no names of files; the rule cannot
 * be read); EDATA (it does not fit an image, or finds no number where one is to be divided). */
int nod_patient_rule_apply(nod_listing *l, const nod_index_options *o, const char *path,
                           const char **rule, nod_error *err) NOD_MUST_CHECK;

#endif
