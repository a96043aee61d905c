/* level.c: names of levels. */
#include "data/level.h"

#include <string.h>

static const char *const names[NOD_LEVELS] = {"image", "series", "study", "breast", "patient"};

const char *nod_level_name(nod_level level)
{
    return names[level];
}

const char *nod_level_plural(nod_level level)
{
    static const char *const plurals[NOD_LEVELS] = {"images", "series", "studies", "breasts",
                                                    "patients"};
    return plurals[level];
}

bool nod_level_parse(const char *name, nod_level *out)
{
    for (int i = 0; i < NOD_LEVELS; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = (nod_level)i;
        return true;
    }
    return false;
}
