/* part.h: the parts of a split and their names. */
#ifndef NOD_DATA_PART_H
#define NOD_DATA_PART_H

#include <stdbool.h>

#include "base/compiler.h"

typedef enum nod_part {
    NOD_PART_TRAIN,
    NOD_PART_VAL,
    NOD_PART_TEST,
    NOD_PART_OUT /* left out of the split; as an official part: none was given */
} nod_part;

#define NOD_PARTS 3 /* the real ones */

const char *nod_part_name(nod_part p); /* "train", "val", "test", "out" */
/* Also the field's other names: training, valid, validation, testing; any case. */
bool nod_part_parse(const char *s, nod_part *out) NOD_MUST_CHECK;

#endif
