/* policy_option.c: the words of --policy. */
#include "cli/policy_option.h"

#include <stdio.h>
#include <string.h>

int nod_policies_from_words(const nod_strlist *words, nod_policies *out, nod_error *err)
{
    nod_json *j = nod_json_object();
    int rc = 0;
    *out = nod_policies_preset();
    for (size_t i = 0; i < words->n && rc == 0; i++) {
        const char *word = words->items[i], *sign = strchr(word, '=');
        char kind[64];
        snprintf(kind, sizeof kind, "%.*s", (int)(sign ? sign - word : 0), word);
        if (sign == NULL)
            rc = nod_fail(err, NOD_EINVAL, "--policy %s: write FINDING=POLICY", word);
        else
            nod_json_set_str(j, kind, sign + 1);
    }
    if (rc == 0) rc = nod_policies_from_json(j, "--policy", out, err);
    if (rc == NOD_ERECIPE) err->code = rc = NOD_EINVAL;
    nod_json_free(j);
    return rc;
}
