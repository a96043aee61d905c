/* json.c: JSON values are jansson's. Every value here has exactly one owner, so a reference
 * count is always 1 (or the largest number, for jansson's shared true, false and null). An
 * object or array that lost a value because memory was refused is marked by the count LOST; a
 * dump looks for the mark anywhere in the tree, and freeing takes it away first. */
#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define LOST ((size_t)1 << 62)

/* --- lost values -------------------------------------------------------------------------- */

static bool is_marked(const json_t *j)
{
    return j->refcount == LOST;
}

static void mark(json_t *j)
{
    j->refcount = LOST;
}

/* Whether `j` or anything below it has lost a value; `unmark` takes the marks away. */
static bool has_lost(json_t *j, bool unmark)
{
    if (j == NULL) return true;
    bool lost = is_marked(j);
    if (lost && unmark) j->refcount = 1;
    const char *key;
    json_t *child;
    size_t i;
    json_object_foreach(j, key, child)
    {
        lost |= has_lost(child, unmark);
    }
    json_array_foreach(j, i, child)
    {
        lost |= has_lost(child, unmark);
    }
    return lost;
}

int nod_json_copy(const nod_json *j, nod_json **out, nod_error *err)
{
    json_t *copy = has_lost((json_t *)(uintptr_t)j, false) ? NULL : json_deep_copy(j);
    if (copy == NULL) return nod_fail_memory(err, "a copy of JSON", sizeof *copy);
    *out = copy;
    return 0;
}

void nod_json_free(nod_json *j)
{
    if (j == NULL) return;
    has_lost(j, true);
    json_decref(j);
}

/* --- reading ------------------------------------------------------------------------------ */

int nod_json_parse(const char *text, size_t size, const char *name, nod_json **out,
                   nod_error *err)
{
    json_error_t e;
    json_t *j = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (j == NULL) {
        /* Without memory, jansson most often fails without a word. */
        if (json_error_code(&e) == json_error_out_of_memory || e.text[0] == '\0')
            return nod_fail(err, NOD_ENOMEM, "out of memory: JSON of %zu bytes in %s", size,
                            name);
        char *near = strstr(e.text, " near '"); /* what stands there may be anything: a name */
        if (near) *near = '\0';
        return nod_fail(err, NOD_EFORMAT, "%s:%d:%d: %s", name, e.line, e.column, e.text);
    }
    *out = j;
    return 0;
}

int nod_json_read(const char *path, size_t limit, nod_json **out, nod_error *err)
{
    nod_bytes bytes;
    int rc = nod_file_read(path, limit, &bytes, err);
    if (rc != 0) return rc;
    rc = nod_json_parse((const char *)bytes.data, bytes.size, path, out, err);
    nod_bytes_done(&bytes);
    return rc;
}

/* --- building ----------------------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at s, 0 if it is not one. Source: RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80) return 1;
    unsigned char lo = 0x80, hi = 0xbf;
    size_t n;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        n = 3;
        if (s[0] == 0xe0) lo = 0xa0;
        if (s[0] == 0xed) hi = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        if (s[0] == 0xf0) lo = 0x90;
        if (s[0] == 0xf4) hi = 0x8f;
    } else {
        return 0;
    }
    if (s[1] < lo || s[1] > hi) return 0;
    for (size_t i = 2; i < n; i++)
        if (s[i] < 0x80 || s[i] > 0xbf) return 0;
    return n;
}

/* A copy with '?' for each byte that is not UTF-8; NULL: no memory. */
static char *utf8_copy(const char *s)
{
    char *copy = nod_strdup(s);
    if (copy == NULL) return NULL;
    for (unsigned char *p = (unsigned char *)copy; *p != '\0';) {
        size_t n = utf8_length(p);
        if (n == 0) *p = '?';
        p += n > 0 ? n : 1;
    }
    return copy;
}

nod_json *nod_json_object(void)
{
    return json_object();
}

nod_json *nod_json_array(void)
{
    return json_array();
}

nod_json *nod_json_string(const char *s)
{
    if (s == NULL) return json_null();
    char *copy = utf8_copy(s);
    if (copy == NULL) return NULL;
    json_t *j = json_string_nocheck(copy);
    nod_free(copy);
    return j;
}

nod_json *nod_json_int(int64_t v)
{
    return json_integer(v);
}

nod_json *nod_json_real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

nod_json *nod_json_bool(bool v)
{
    return json_boolean(v);
}

nod_json *nod_json_null(void)
{
    return json_null();
}

void nod_json_set(nod_json *obj, const char *key, nod_json *value_take)
{
    NOD_ASSERT(obj == NULL || json_is_object(obj));
    if (obj == NULL || value_take == NULL || is_marked(obj)) {
        nod_json_free(value_take);
        if (obj != NULL) mark(obj);
        return;
    }
    bool lost = has_lost(value_take, true);
    char *copy = utf8_copy(key);
    if (copy == NULL) {
        json_decref(value_take);
        lost = true;
    } else {
        json_t *old = json_object_get(obj, copy);
        if (old != NULL) has_lost(old, true); /* it goes, and its mark would keep it */
        /* On failure jansson has freed the value. */
        lost |= json_object_set_new_nocheck(obj, copy, value_take) != 0;
    }
    nod_free(copy);
    if (lost) mark(obj);
}

void nod_json_set_str(nod_json *obj, const char *key, const char *v)
{
    nod_json_set(obj, key, nod_json_string(v));
}

void nod_json_set_int(nod_json *obj, const char *key, int64_t v)
{
    nod_json_set(obj, key, nod_json_int(v));
}

void nod_json_set_real(nod_json *obj, const char *key, double v)
{
    nod_json_set(obj, key, nod_json_real(v));
}

void nod_json_set_bool(nod_json *obj, const char *key, bool v)
{
    nod_json_set(obj, key, nod_json_bool(v));
}

void nod_json_push(nod_json *array, nod_json *value_take)
{
    NOD_ASSERT(array == NULL || json_is_array(array));
    if (array == NULL || value_take == NULL || is_marked(array)) {
        nod_json_free(value_take);
        if (array != NULL) mark(array);
        return;
    }
    bool lost = has_lost(value_take, true);
    if (json_array_append_new(array, value_take) != 0 || lost) mark(array);
}

/* --- looking ------------------------------------------------------------------------------ */

nod_json *nod_json_get(const nod_json *obj, const char *key)
{
    return json_object_get(obj, key);
}

nod_json *nod_json_at(const nod_json *array, size_t i)
{
    return json_array_get(array, i);
}

size_t nod_json_count(const nod_json *array_or_object)
{
    return json_is_array(array_or_object) ? json_array_size(array_or_object)
                                          : json_object_size(array_or_object);
}

bool nod_json_is_object(const nod_json *j)
{
    return json_is_object(j);
}

bool nod_json_is_array(const nod_json *j)
{
    return json_is_array(j);
}

bool nod_json_is_string(const nod_json *j)
{
    return json_is_string(j);
}

bool nod_json_is_number(const nod_json *j)
{
    return json_is_number(j);
}

bool nod_json_is_int(const nod_json *j)
{
    return json_is_integer(j);
}

bool nod_json_is_bool(const nod_json *j)
{
    return json_is_boolean(j);
}

bool nod_json_is_null(const nod_json *j)
{
    return json_is_null(j);
}

const char *nod_json_str(const nod_json *j)
{
    return json_is_string(j) ? json_string_value(j) : "";
}

int64_t nod_json_i64(const nod_json *j)
{
    if (json_is_integer(j)) return json_integer_value(j);
    double v = json_is_real(j) ? json_real_value(j) : 0;
    /* Both bounds are powers of two, so they are exact. */
    return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : 0;
}

double nod_json_f64(const nod_json *j)
{
    return json_is_number(j) ? json_number_value(j) : NAN;
}

bool nod_json_truth(const nod_json *j)
{
    return json_is_true(j);
}

const char *nod_json_next_key(const nod_json *obj, const char *key)
{
    if (!json_is_object(obj)) return NULL;
    json_t *o = (json_t *)(uintptr_t)obj; /* jansson's iterators take no const */
    void *it = key == NULL ? json_object_iter(o)
                           : json_object_iter_next(o, json_object_key_to_iter(key));
    return it != NULL ? json_object_iter_key(it) : NULL;
}

const char *nod_json_key(const nod_json *obj, size_t i)
{
    const char *key = nod_json_next_key(obj, NULL);
    while (key != NULL && i-- > 0)
        key = nod_json_next_key(obj, key);
    return key;
}

/* --- strict getters ----------------------------------------------------------------------- */

static const char *type_name(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a real number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

/* The value of `key` if `is` accepts it. */
static int need(const nod_json *obj, const char *where, const char *key,
                bool (*is)(const nod_json *), const char *what, nod_json **out, nod_error *err)
{
    if (!json_is_object(obj))
        return nod_fail(err, NOD_EFORMAT, "%s: an object with '%s' is expected, not %s", where,
                        key, obj != NULL ? type_name(obj) : "nothing");
    json_t *j = json_object_get(obj, key);
    if (j == NULL) return nod_fail(err, NOD_EFORMAT, "%s: '%s' is missing", where, key);
    if (!is(j))
        return nod_fail(err, NOD_EFORMAT, "%s: '%s' must be %s, not %s", where, key, what,
                        type_name(j));
    *out = j;
    return 0;
}

int nod_json_need_str(const nod_json *obj, const char *where, const char *key, const char **out,
                      nod_error *err)
{
    nod_json *j;
    int rc = need(obj, where, key, nod_json_is_string, "a string", &j, err);
    if (rc == 0) *out = json_string_value(j);
    return rc;
}

int nod_json_need_i64(const nod_json *obj, const char *where, const char *key, int64_t *out,
                      nod_error *err)
{
    nod_json *j;
    int rc = need(obj, where, key, nod_json_is_int, "an integer", &j, err);
    if (rc == 0) *out = json_integer_value(j);
    return rc;
}

int nod_json_need_f64(const nod_json *obj, const char *where, const char *key, double *out,
                      nod_error *err)
{
    nod_json *j;
    int rc = need(obj, where, key, nod_json_is_number, "a number", &j, err);
    if (rc == 0) *out = json_number_value(j);
    return rc;
}

int nod_json_need_bool(const nod_json *obj, const char *where, const char *key, bool *out,
                       nod_error *err)
{
    nod_json *j;
    int rc = need(obj, where, key, nod_json_is_bool, "true or false", &j, err);
    if (rc == 0) *out = json_is_true(j);
    return rc;
}

int nod_json_need_object(const nod_json *obj, const char *where, const char *key,
                         nod_json **out, nod_error *err)
{
    return need(obj, where, key, nod_json_is_object, "an object", out, err);
}

int nod_json_need_array(const nod_json *obj, const char *where, const char *key, nod_json **out,
                        nod_error *err)
{
    return need(obj, where, key, nod_json_is_array, "an array", out, err);
}

/* --- writing ------------------------------------------------------------------------------ */

/* Not json_dumps: jansson 2.14 goes on after a key that could not be written, and returns text
 * without it. A strbuf remembers. */
static int add_piece(const char *piece, size_t size, void *strbuf)
{
    nod_strbuf *b = strbuf;
    nod_strbuf_addn(b, piece, size);
    return b->failed ? -1 : 0;
}

static int dump(const nod_json *j, size_t flags, char **out, nod_error *err)
{
    if (has_lost((json_t *)(uintptr_t)j, false))
        return nod_fail(err, NOD_ENOMEM, "out of memory: a JSON value could not be built");
    nod_strbuf b = NOD_STRBUF_INIT;
    flags |= JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    int rc = json_dump_callback(j, add_piece, &b, flags);
    char *text = rc == 0 ? nod_strbuf_take(&b) : NULL;
    nod_strbuf_done(&b);
    if (text == NULL) return nod_fail(err, NOD_ENOMEM, "out of memory: text of a JSON value");
    *out = text;
    return 0;
}

int nod_json_dump(const nod_json *j, bool indent, char **out, nod_error *err)
{
    return dump(j, indent ? JSON_INDENT(2) : JSON_COMPACT, out, err);
}

int nod_json_dump_canonical(const nod_json *j, char **out, nod_error *err)
{
    return dump(j, JSON_COMPACT | JSON_SORT_KEYS, out, err);
}

int nod_json_write(const nod_json *j, const char *path, nod_error *err)
{
    char *text = NULL;
    nod_file_out out;
    int rc = nod_json_dump(j, true, &text, err);
    if (rc != 0) return nod_error_prefix(err, "cannot write %s", path);
    rc = nod_file_out_open(path, &out, err);
    if (rc == 0) {
        fputs(text, out.stream);
        fputc('\n', out.stream);
        rc = nod_file_out_commit(&out, err);
    }
    nod_free(text);
    return rc;
}
