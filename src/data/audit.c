/* audit.c: the audit as JSON and as text. */
#include "data/audit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/strict_keys.h"

#define COUNT_MAX  ((int64_t)1 << 53)
#define NOTE_NAMES 3 /* factors that the sentence names, at most */

bool nod_audit_is_notable(const nod_audit *a)
{
    return a->lo > NOD_AUDIT_NOTABLE;
}

/* --- JSON --------------------------------------------------------------------------------- */

static double round4(double v)
{
    return round(v * 1e4) / 1e4;
}

nod_json *nod_audit_to_json(const nod_audit *a)
{
    nod_json *j = nod_json_object(), *list = nod_json_array();
    for (size_t i = 0; i < a->n_factors; i++) {
        nod_json *e = nod_json_object();
        nod_json_set_str(e, "factor", a->factors[i].name);
        nod_json_set_real(e, "alone", round4(a->factors[i].alone));
        nod_json_set_real(e, "fall", round4(a->factors[i].fall));
        nod_json_push(list, e);
    }
    nod_json_set_int(j, "images", (int64_t)a->images);
    nod_json_set_int(j, "groups", (int64_t)a->groups);
    nod_json_set_real(j, "auc", round4(a->auc));
    nod_json_set_real(j, "lo", round4(a->lo));
    nod_json_set_real(j, "hi", round4(a->hi));
    nod_json_set_str(j, "method", a->method);
    nod_json_set(j, "factors", list);
    return j;
}

/* A number from -1 to 1, or null. */
static int read_share(const nod_json *j, const char *where, const char *key, double *out,
                      nod_error *err)
{
    const nod_json *v = nod_json_get(j, key);
    *out = v && nod_json_is_number(v) ? nod_json_f64(v) : (double)NAN;
    if (v && (nod_json_is_null(v) || (*out >= -1 && *out <= 1))) return 0;
    return nod_fail(err, NOD_EFORMAT,
                    "%s: '%s' of the audit is not a number from -1 to 1, or null", where, key);
}

static int read_count(const nod_json *j, const char *where, const char *key, size_t *out,
                      nod_error *err)
{
    int64_t n;
    int rc = nod_json_need_i64(j, where, key, &n, err);
    if (rc) return rc;
    if (n < 0 || n > COUNT_MAX)
        return nod_fail(err, NOD_EFORMAT, "%s: '%s' of the audit is %lld, not a count", where,
                        key, (long long)n);
    *out = (size_t)n;
    return 0;
}

static int read_text(const nod_json *j, const char *where, const char *key, char *out,
                     size_t size, nod_error *err)
{
    const char *text;
    int rc = nod_json_need_str(j, where, key, &text, err);
    if (rc) return rc;
    if (strlen(text) >= size)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: '%s' of the audit has %zu bytes, at most %zu are read", where, key,
                        strlen(text), size - 1);
    snprintf(out, size, "%s", text);
    nod_text_tidy(out);
    return 0;
}

static int read_factor(const nod_json *j, const char *where, nod_audit_factor *f,
                       nod_error *err)
{
    static const char *const keys[] = {"factor", "alone", "fall", NULL};
    int rc = 0;
    NOD_TRY(nod_strict_keys(j, where, keys, err));
    NOD_TRY(read_text(j, where, "factor", f->name, sizeof f->name, err));
    NOD_TRY(read_share(j, where, "alone", &f->alone, err));
    NOD_TRY(read_share(j, where, "fall", &f->fall, err));
out:
    return rc;
}

int nod_audit_from_json(const nod_json *j, const char *where, nod_audit *out, nod_error *err)
{
    static const char *const keys[] = {"images", "groups", "auc",     "lo",
                                       "hi",     "method", "factors", NULL};
    nod_audit a = {0};
    nod_json *list;
    int rc = 0;
    NOD_TRY(nod_strict_keys(j, where, keys, err));
    NOD_TRY(read_count(j, where, "images", &a.images, err));
    NOD_TRY(read_count(j, where, "groups", &a.groups, err));
    NOD_TRY(read_share(j, where, "auc", &a.auc, err));
    NOD_TRY(read_share(j, where, "lo", &a.lo, err));
    NOD_TRY(read_share(j, where, "hi", &a.hi, err));
    NOD_TRY(read_text(j, where, "method", a.method, sizeof a.method, err));
    NOD_TRY(nod_json_need_array(j, where, "factors", &list, err));
    a.n_factors = nod_json_count(list);
    if (a.n_factors > NOD_AUDIT_FACTORS)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu factors of the audit, at most %d are read",
                        where, a.n_factors, NOD_AUDIT_FACTORS);
    for (size_t i = 0; i < a.n_factors; i++)
        NOD_TRY(read_factor(nod_json_at(list, i), where, &a.factors[i], err));
    *out = a;
out:
    return rc;
}

/* --- text --------------------------------------------------------------------------------- */

void nod_audit_add_text(const nod_audit *a, nod_strbuf *out)
{
    nod_strbuf_printf(out, "shortcut audit of the training part (%zu images, %zu groups): ",
                      a->images, a->groups);
    if (isnan(a->auc)) {
        nod_strbuf_printf(out, "not estimable, %s\n", a->method);
        return;
    }
    nod_strbuf_printf(out, "label from metadata alone, AUC %.3f", a->auc);
    if (isnan(a->lo))
        nod_strbuf_printf(out, " (%s)\n", a->method);
    else
        nod_strbuf_printf(out, " (%.3f to %.3f)\n", a->lo, a->hi);
    if (a->n_factors == 0) return;
    nod_strbuf_printf(out, "  %-14s %10s %20s\n", "factor", "AUC alone", "fall when shuffled");
    for (size_t i = 0; i < a->n_factors; i++)
        nod_strbuf_printf(out, "  %-14s %10.3f %20.3f\n", a->factors[i].name,
                          a->factors[i].alone, a->factors[i].fall);
}

void nod_audit_add_note(const nod_audit *a, nod_strbuf *out)
{
    nod_strbuf_printf(
        out,
        "metadata alone tells the label of the training part with AUC %.3f (%.3f to "
        "%.3f)",
        a->auc, a->lo, a->hi);
    for (size_t i = 0; i < a->n_factors && i < NOTE_NAMES; i++)
        if (a->factors[i].alone > NOD_AUDIT_NOTABLE)
            nod_strbuf_printf(out, "%s%s", i ? ", " : ", most by ", a->factors[i].name);
    nod_strbuf_add(out, ": a model may have learned where images come from");
}
