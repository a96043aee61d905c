/* level.h: the levels at which images can be labelled and judged, from the finest. */
#ifndef NOD_DATA_LEVEL_H
#define NOD_DATA_LEVEL_H

#include <stdbool.h>

typedef enum nod_level {
    NOD_LEVEL_IMAGE, /* a case of the cohort */
    NOD_LEVEL_SERIES,
    NOD_LEVEL_STUDY,
    NOD_LEVEL_BREAST, /* a side of a patient */
    NOD_LEVEL_PATIENT,
    NOD_LEVELS
} nod_level;

const char *nod_level_name(nod_level level);   /* "image", "series" ... */
const char *nod_level_plural(nod_level level); /* "images", "series" ... */
bool nod_level_parse(const char *name, nod_level *out);

#endif
