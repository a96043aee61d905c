/* spec.c: strict reading of JSON objects with defaults; see spec.h. */
#include "base/spec.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void nod_spec_begin(nod_spec *s, const nod_json *in, const char *path, nod_error *err)
{
    *s = (nod_spec){.in = in, .out = nod_json_object(), .err = err};
    snprintf(s->path, sizeof s->path, "%s", path);
    if (in && !nod_json_is_object(in))
        s->rc = nod_fail(err, NOD_ERECIPE, "%s: must be a mapping of keys to values", path);
}

int nod_spec_fail(nod_spec *s, const char *key, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (s->rc) return s->rc;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->rc = nod_fail(s->err, NOD_ERECIPE, "%s%s%s: %s", s->path, *s->path && *key ? "." : "",
                     key, text);
    return s->rc;
}

static const char *next_asked(const void *ctx, size_t i)
{
    const nod_spec *s = ctx;
    return i < s->n_asked ? s->asked[i] : NULL;
}

static bool was_asked(const nod_spec *s, const char *key)
{
    for (size_t i = 0; i < s->n_asked; i++)
        if (strcmp(s->asked[i], key) == 0) return true;
    return false;
}

static void check_unknown(nod_spec *s)
{
    for (const char *key = NULL;
         !s->rc && s->in && (key = nod_json_next_key(s->in, key)) != NULL;) {
        if (was_asked(s, key)) continue;
        const char *near = nod_nearest(key, next_asked, s);
        if (near)
            nod_spec_fail(s, key, "unknown key (did you mean '%s'?)", near);
        else
            nod_spec_fail(s, key, "unknown key");
    }
}

int nod_spec_end(nod_spec *s, nod_json **out)
{
    if (!s->rc) check_unknown(s);
    if (s->rc) {
        nod_json_free(s->out);
        s->out = NULL;
        return s->rc;
    }
    *out = s->out;
    s->out = NULL;
    return 0;
}

static const nod_json *ask(nod_spec *s, const char *key)
{
    if (!was_asked(s, key)) {
        NOD_ASSERT(s->n_asked < NOD_SPEC_KEYS_MAX);
        s->asked[s->n_asked++] = key;
    }
    if (s->rc || !s->in) return NULL;
    const nod_json *v = nod_json_get(s->in, key);
    return v && !nod_json_is_null(v) ? v : NULL;
}

bool nod_spec_has(const nod_spec *s, const char *key)
{
    const nod_json *v = s->in && nod_json_is_object(s->in) ? nod_json_get(s->in, key) : NULL;
    return v && !nod_json_is_null(v);
}

int64_t nod_spec_i64(nod_spec *s, const char *key, int64_t def, int64_t lo, int64_t hi)
{
    const nod_json *v = ask(s, key);
    int64_t value = def;
    if (v && !nod_json_is_int(v))
        nod_spec_fail(s, key, "must be a whole number");
    else if (v)
        value = nod_json_i64(v);
    if (v && !s->rc && (value < lo || value > hi)) {
        if (hi == INT64_MAX)
            nod_spec_fail(s, key, "%lld is too small, the least is %lld", (long long)value,
                          (long long)lo);
        else
            nod_spec_fail(s, key, "%lld is not between %lld and %lld", (long long)value,
                          (long long)lo, (long long)hi);
    }
    if (s->rc) return def;
    nod_json_set_int(s->out, key, value);
    return value;
}

double nod_spec_f64(nod_spec *s, const char *key, double def, double lo, double hi)
{
    const nod_json *v = ask(s, key);
    double value = def;
    if (v && !nod_json_is_number(v))
        nod_spec_fail(s, key, "must be a number");
    else if (v)
        value = nod_json_f64(v);
    if (v && !s->rc && !(value >= lo && value <= hi))
        nod_spec_fail(s, key, "%g is not between %g and %g", value, lo, hi);
    if (s->rc) return def;
    nod_json_set_real(s->out, key, value);
    return value;
}

bool nod_spec_bool(nod_spec *s, const char *key, bool def)
{
    const nod_json *v = ask(s, key);
    bool value = def;
    if (v && !nod_json_is_bool(v))
        nod_spec_fail(s, key, "must be true or false");
    else if (v)
        value = nod_json_truth(v);
    if (s->rc) return def;
    nod_json_set_bool(s->out, key, value);
    return value;
}

const char *nod_spec_str(nod_spec *s, const char *key, const char *def)
{
    const nod_json *v = ask(s, key);
    const char *value = def;
    if (v && !nod_json_is_string(v))
        nod_spec_fail(s, key, "must be text");
    else if (v)
        value = nod_json_str(v);
    if (!s->rc && !value) nod_spec_fail(s, key, "is missing");
    if (s->rc) return def ? def : "";
    nod_json_set_str(s->out, key, value);
    return nod_json_str(nod_json_get(s->out, key));
}

static const char *next_choice(const void *ctx, size_t i)
{
    const char *const *choices = ctx;
    return choices[i];
}

int nod_spec_choice(nod_spec *s, const char *key, const char *def, const char *const *choices)
{
    const char *value = nod_spec_str(s, key, def);
    if (s->rc) return 0;
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], value) == 0) return i;
    nod_strbuf all = NOD_STRBUF_INIT;
    for (int i = 0; choices[i]; i++)
        nod_strbuf_printf(&all, "%s%s", i ? ", " : "", choices[i]);
    const char *near = nod_nearest(value, next_choice, choices);
    nod_spec_fail(s, key, "'%s' is not known%s%s%s; known: %s", value,
                  near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
                  all.data ? all.data : "");
    nod_strbuf_done(&all);
    return 0;
}

void nod_spec_sizes(nod_spec *s, const char *key, int n, int64_t def, int64_t lo, int64_t other,
                    int64_t out[3])
{
    const nod_json *v = ask(s, key);
    for (int i = 0; i < 3; i++)
        out[i] = i < 3 - n ? other : def;
    if (v && nod_json_is_array(v) && nod_json_count(v) != (size_t)n)
        nod_spec_fail(s, key, "has %zu entries, the input has %d dimensions", nod_json_count(v),
                      n);
    nod_json *list = nod_json_array();
    for (int i = 0; i < n && !s->rc; i++) {
        const nod_json *e = v && nod_json_is_array(v) ? nod_json_at(v, (size_t)i) : v;
        int64_t size = e ? nod_json_i64(e) : def;
        if (e && !nod_json_is_int(e))
            nod_spec_fail(s, key, "must be a whole number or a list of %d", n);
        else if (e && (size < lo || size > NOD_SPEC_SIZE_MAX))
            nod_spec_fail(s, key, "%lld is not between %lld and %lld", (long long)size,
                          (long long)lo, (long long)NOD_SPEC_SIZE_MAX);
        else {
            out[3 - n + i] = size;
            nod_json_push(list, nod_json_int(size));
        }
    }
    if (s->rc)
        nod_json_free(list);
    else
        nod_json_set(s->out, key, list);
}

size_t nod_spec_list(nod_spec *s, const char *key, const int64_t *def, size_t n_def, int64_t lo,
                     int64_t *out, size_t max)
{
    const nod_json *v = ask(s, key);
    size_t n = v ? nod_json_count(v) : n_def;
    if (v && !nod_json_is_array(v)) nod_spec_fail(s, key, "must be a list of whole numbers");
    if (!s->rc && n > max)
        nod_spec_fail(s, key, "has %zu entries, at most %zu are allowed", n, max);
    if (s->rc) return 0;
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < n && !s->rc; i++) {
        const nod_json *e = v ? nod_json_at(v, i) : NULL;
        if (e && !nod_json_is_int(e))
            nod_spec_fail(s, key, "entry %zu is not a whole number", i);
        out[i] = e ? nod_json_i64(e) : def[i];
        if (!s->rc && out[i] < lo)
            nod_spec_fail(s, key, "entry %zu is %lld, the least is %lld", i, (long long)out[i],
                          (long long)lo);
        nod_json_push(list, nod_json_int(out[i]));
    }
    if (s->rc) {
        nod_json_free(list);
        return 0;
    }
    nod_json_set(s->out, key, list);
    return n;
}

const nod_json *nod_spec_child(nod_spec *s, const char *key)
{
    return ask(s, key);
}

void nod_spec_set(nod_spec *s, const char *key, nod_json *value_take)
{
    if (s->rc)
        nod_json_free(value_take);
    else
        nod_json_set(s->out, key, value_take);
}
