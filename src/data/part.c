/* part.c: names of parts. */
#include "data/part.h"

#include <stddef.h>

#include "base/text.h"

const char *nod_part_name(nod_part p)
{
    static const char *const names[] = {"train", "val", "test", "out"};
    return names[p];
}

bool nod_part_parse(const char *s, nod_part *out)
{
    static const struct {
        const char *name;
        nod_part part;
    } table[] = {{"train", NOD_PART_TRAIN},    {"training", NOD_PART_TRAIN},
                 {"val", NOD_PART_VAL},        {"valid", NOD_PART_VAL},
                 {"validation", NOD_PART_VAL}, {"test", NOD_PART_TEST},
                 {"testing", NOD_PART_TEST}};
    for (size_t i = 0; i < NOD_COUNT(table); i++) {
        if (!nod_equal_nocase(s, table[i].name)) continue;
        *out = table[i].part;
        return true;
    }
    return false;
}
