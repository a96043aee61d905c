/* verbs.c: the table of verbs, in the order of the method. A new verb is its file cmd_NAME.c
 * and one line here. */
#include <string.h>

#include "cli/verb.h"

#define NOD_VERBS(VERB) \
    VERB(selftest)      \
    VERB(bench)         \
    VERB(synth)         \
    VERB(inspect)       \
    VERB(convert)       \
    VERB(index)         \
    VERB(leak)          \
    VERB(where)         \
    VERB(split)         \
    VERB(init)          \
    VERB(summary)       \
    VERB(train)         \
    VERB(test)          \
    VERB(predict)       \
    VERB(explain)       \
    VERB(version)       \
    VERB(help)

#define DECLARE(name) extern const nod_verb nod_verb_##name;
NOD_VERBS(DECLARE)

#define ENTRY(name) &nod_verb_##name,
static const nod_verb *const verbs[] = {NOD_VERBS(ENTRY)};

const nod_verb *nod_verb_at(size_t i)
{
    return i < NOD_COUNT(verbs) ? verbs[i] : NULL;
}

const nod_verb *nod_verb_find(const char *name)
{
    for (size_t i = 0; i < NOD_COUNT(verbs); i++) {
        if (strcmp(verbs[i]->name, name) == 0) return verbs[i];
    }
    return NULL;
}

static const char *verb_name_at(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_COUNT(verbs) ? verbs[i]->name : NULL;
}

int nod_verb_fail_unknown(const char *name, nod_error *err)
{
    const char *nearest = nod_nearest(name, verb_name_at, NULL);

    if (nearest != NULL)
        return nod_fail(err, NOD_EINVAL, "unknown verb '%s': did you mean '%s'?", name,
                        nearest);
    return nod_fail(err, NOD_EINVAL, "unknown verb '%s'; 'nodule help' lists them", name);
}
