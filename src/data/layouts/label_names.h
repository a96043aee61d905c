/* label_names.h: names of the values of label maps, from the `labels` of a data set's JSON. */
#ifndef NOD_DATA_LAYOUTS_LABEL_NAMES_H
#define NOD_DATA_LAYOUTS_LABEL_NAMES_H

#include "base/json.h"
#include "base/text.h"
#include "data/layout.h"

/* Adds the names of the values 0 .. K-1, in this order. `labels` goes from value to name, as in the
 * Decathlon ({"0": "background", "1": "tumor"}), or from name to value, as in nnU-Net ({"background": 0,
 * "tumor": 1}), where a name may stand for several values that overlap with those of others (regions:
 * {"whole tumor": [1, 2], "core": 2}); then a value is called by all its regions, "whole tumor+core".
 * A value 0 without a name is "background". `where` begins messages. EDATA: values with a gap or
 * twice, not whole numbers, out of range; ENOMEM. */
int nod_label_names_add(const nod_json *labels, const char *where, nod_strlist *out,
                        nod_error *err) NOD_MUST_CHECK;

/* Names "a,b,c" of the values 0, 1, 2 of a listing whose source (`path`) does not name them. EINVAL: it
 * does, there are no label maps, or fewer than two names. */
int nod_label_names_declare(nod_listing *l, const char *names, const char *path,
                            nod_error *err) NOD_MUST_CHECK;

#endif
