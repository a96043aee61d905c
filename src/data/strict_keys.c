/* strict_keys.c: comparing an object's keys with a list. */
#include "data/strict_keys.h"

#include <string.h>

int nod_strict_keys(const nod_json *j, const char *where, const char *const *keys,
                    nod_error *err)
{
    size_t n = 0;
    if (!nod_json_is_object(j))
        return nod_fail(err, NOD_EFORMAT, "%s: an object with the key '%s' is missing", where,
                        keys[0]);
    for (; keys[n]; n++)
        if (nod_json_get(j, keys[n]) == NULL)
            return nod_fail(err, NOD_EFORMAT, "%s: key '%s' is missing", where, keys[n]);
    for (const char *key = NULL; (key = nod_json_next_key(j, key)) != NULL;) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = strcmp(key, keys[k]) == 0;
        if (!known) return nod_fail(err, NOD_EFORMAT, "%s: unknown key '%.80s'", where, key);
    }
    return 0;
}
