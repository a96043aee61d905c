/* patient_rule.c: an expression that every name must fit; its first group is the patient. */
#include "data/patient_rule.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "data/layouts/item.h"

/* The number that the digits are, divided and rounded up. */
static int divide(nod_listing *l, const nod_index_options *o, const char *name,
                  const char *digits, size_t n, const char **out, nod_error *err)
{
    char text[24];
    int64_t number, k = o->patient_divide;
    snprintf(text, sizeof text, "%.*s", (int)NOD_MIN(n, sizeof text - 1), digits);
    if (n >= sizeof text || !nod_parse_i64(text, &number) || number < 0)
        return nod_fail(err, NOD_EDATA,
                        "the patient rule '%s' finds something in %s that is no number, and "
                        "only numbers can be divided by %lld",
                        o->patient_regex, name, (long long)k);
    number = number / k + (number % k > 0);
    *out = nod_arena_printf(&l->arena, "%lld", (long long)number);
    return *out ? 0 : nod_fail_memory(err, "a patient", n);
}

static int match(nod_listing *l, const nod_index_options *o, const regex_t *re, nod_item *item,
                 nod_error *err)
{
    regmatch_t m[2];
    int rc = 0;
    char *name = nod_item_first_file(item);
    if (name == NULL) return nod_fail_memory(err, "a path", strlen(item->name));
    bool fits = regexec(re, name, 2, m, 0) == 0 && m[1].rm_so >= 0 && m[1].rm_so != m[1].rm_eo;
    size_t n = fits ? (size_t)(m[1].rm_eo - m[1].rm_so) : 0;
    if (!fits) {
        rc = nod_fail(err, NOD_EDATA,
                      "the patient rule '%s' finds no patient in %s; it must fit every image",
                      o->patient_regex, name);
    } else if (o->patient_divide > 1) {
        rc = divide(l, o, name, name + m[1].rm_so, n, &item->patient, err);
    } else {
        item->patient = nod_arena_printf(&l->arena, "%.*s", (int)n, name + m[1].rm_so);
        if (item->patient == NULL) rc = nod_fail_memory(err, "a patient", n);
    }
    nod_free(name);
    return rc;
}

static int check_use(const nod_listing *l, const nod_index_options *o, const char *path,
                     nod_error *err)
{
    if (o->patient_regex == NULL)
        return nod_fail(
            err, NOD_EINVAL,
            "--patient-divide divides the number that --patient-regex finds; give both");
    if (l->has_patients && !l->patients_in_names)
        return nod_fail(err, NOD_EINVAL,
                        "%s names the patients itself; leave the patient rule out", path);
    if (l->items[0].id)
        return nod_fail(err, NOD_EINVAL,
                        "%s has no file names for the patient rule '%s'; add an array of "
                        "patients, or write a manifest",
                        path, o->patient_regex);
    return 0;
}

/* How the patients came about, in words. */
static int describe(nod_listing *l, const nod_index_options *o, const char **rule,
                    nod_error *err)
{
    const char *text = o->patient_regex;
    if (o->patient_divide > 1)
        text = nod_arena_printf(&l->arena, "%s, divided by %lld and rounded up", text,
                                (long long)o->patient_divide);
    if (text == NULL) return nod_fail_memory(err, "a rule", strlen(o->patient_regex));
    *rule = text;
    return 0;
}

int nod_patient_rule_apply(nod_listing *l, const nod_index_options *o, const char *path,
                           const char **rule, nod_error *err)
{
    regex_t re;
    char text[200];
    int rc = check_use(l, o, path, err);
    if (rc) return rc;
    int bad = regcomp(&re, o->patient_regex, REG_EXTENDED);
    if (bad != 0) {
        regerror(bad, &re, text, sizeof text);
        return nod_fail(err, NOD_EINVAL, "the patient rule '%s': %s", o->patient_regex, text);
    }
    if (re.re_nsub < 1)
        rc = nod_fail(err, NOD_EINVAL,
                      "the patient rule '%s' has no group; put what names the patient into "
                      "parentheses, e.g. '^(P[0-9]+)_'",
                      o->patient_regex);
    for (size_t i = 0; i < l->n && rc == 0; i++)
        rc = match(l, o, &re, &l->items[i], err);
    if (rc == 0) rc = describe(l, o, rule, err);
    regfree(&re);
    return rc;
}
