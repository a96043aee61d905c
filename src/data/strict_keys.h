/* strict_keys.h: JSON objects of the data artefacts have the keys of their format and no others. */
#ifndef NOD_DATA_STRICT_KEYS_H
#define NOD_DATA_STRICT_KEYS_H

#include "base/json.h"

/* EFORMAT where a key is not among `keys` (NULL-terminated), or one of them is missing. */
int nod_strict_keys(const nod_json *j, const char *where, const char *const *keys,
                    nod_error *err) NOD_MUST_CHECK;
/* The same; those of `optional` (NULL-terminated) may be there or not. */
int nod_strict_keys_and(const nod_json *j, const char *where, const char *const *keys,
                        const char *const *optional, nod_error *err) NOD_MUST_CHECK;

#endif
