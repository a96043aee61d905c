/* policy_option.h: the option --policy FINDING=POLICY of the verbs that read images. */
#ifndef NOD_CLI_POLICY_OPTION_H
#define NOD_CLI_POLICY_OPTION_H

#include "base/text.h"
#include "imaging/finding.h"

/* Preset policies with those of "gantry-tilt=shear" and its like in their place. EINVAL. */
int nod_policies_from_words(const nod_strlist *words, nod_policies *out,
                            nod_error *err) NOD_MUST_CHECK;

#endif
