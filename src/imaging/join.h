/* join.h: images of one place as the channels of one image: its fourth axis. */
#ifndef NOD_IMAGING_JOIN_H
#define NOD_IMAGING_JOIN_H

#include "imaging/image.h"

/* Frame i is parts[i], in the finest sample type that holds them all; geometry and facts are those of
 * the first. `names` begin messages. EDATA: a part has frames of its own, other channels, or lies
 * elsewhere. ELIMIT, ENOMEM. */
int nod_image_join(const nod_image *parts, const char *const *names, size_t n, nod_image *out,
                   nod_error *err) NOD_MUST_CHECK;

#endif
