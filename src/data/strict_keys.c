/* strict_keys.c: comparing an object's keys with a list. */
#include "data/strict_keys.h"

#include <string.h>

static bool is_among(const char *const *keys, const char *key)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0) return true;
    return false;
}

int nod_strict_keys_and(const nod_json *j, const char *where, const char *const *keys,
                        const char *const *optional, nod_error *err)
{
    if (!nod_json_is_object(j))
        return nod_fail(err, NOD_EFORMAT, "%s: an object with the key '%s' is missing", where,
                        keys[0]);
    for (size_t n = 0; keys[n]; n++)
        if (nod_json_get(j, keys[n]) == NULL)
            return nod_fail(err, NOD_EFORMAT, "%s: key '%s' is missing", where, keys[n]);
    for (const char *key = NULL; (key = nod_json_next_key(j, key)) != NULL;)
        if (!is_among(keys, key) && !is_among(optional, key))
            return nod_fail(err, NOD_EFORMAT, "%s: unknown key '%.80s'", where, key);
    return 0;
}

int nod_strict_keys(const nod_json *j, const char *where, const char *const *keys,
                    nod_error *err)
{
    static const char *const none[] = {NULL};
    return nod_strict_keys_and(j, where, keys, none, err);
}
