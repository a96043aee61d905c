/* json.h: JSON values behind an opaque type (jansson stays inside base/json.c).
 *
 * Builders never fail one by one: setting into an object after memory was refused does nothing
 * and nod_json_dump* reports NOD_ENOMEM. Setters that take a `nod_json *` value consume it.
 * Getters are strict: a missing key or a wrong type is NOD_EFORMAT naming the key. */
#ifndef NOD_BASE_JSON_H
#define NOD_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

typedef struct json_t nod_json;

/* Parses text; duplicate keys and trailing bytes are errors "NAME:LINE:COLUMN: ...". `name` is
 * the file's name for messages. */
int nod_json_parse(const char *text, size_t size, const char *name, nod_json **out,
                   nod_error *err) NOD_MUST_CHECK;
int nod_json_read(const char *path, size_t limit, nod_json **out,
                  nod_error *err) NOD_MUST_CHECK;
/* A deep copy; ENOMEM also where `j` lost a value because memory was refused. */
int nod_json_copy(const nod_json *j, nod_json **out, nod_error *err) NOD_MUST_CHECK;
void nod_json_free(nod_json *j); /* NULL is allowed; only for roots that were not consumed */

nod_json *nod_json_object(void);
nod_json *nod_json_array(void);
nod_json *nod_json_string(const char *s); /* NULL -> null; bad UTF-8 -> replaced by '?' */
nod_json *nod_json_int(int64_t v);
nod_json *nod_json_real(double v); /* NaN and infinities -> null */
nod_json *nod_json_bool(bool v);
nod_json *nod_json_null(void);

void nod_json_set(nod_json *obj, const char *key, nod_json *value_take);
void nod_json_set_str(nod_json *obj, const char *key, const char *v);
void nod_json_set_int(nod_json *obj, const char *key, int64_t v);
void nod_json_set_real(nod_json *obj, const char *key, double v);
void nod_json_set_bool(nod_json *obj, const char *key, bool v);
void nod_json_push(nod_json *array, nod_json *value_take);

/* Borrowed children. NULL when absent. */
nod_json *nod_json_get(const nod_json *obj, const char *key);
nod_json *nod_json_at(const nod_json *array, size_t i);
size_t nod_json_count(const nod_json *array_or_object);
bool nod_json_is_object(const nod_json *j);
bool nod_json_is_array(const nod_json *j);
bool nod_json_is_string(const nod_json *j);
bool nod_json_is_number(const nod_json *j);
bool nod_json_is_int(const nod_json *j);
bool nod_json_is_bool(const nod_json *j);
bool nod_json_is_null(const nod_json *j);
const char *nod_json_str(const nod_json *j); /* "" if not a string */
int64_t nod_json_i64(const nod_json *j);     /* 0 if not a number */
double nod_json_f64(const nod_json *j);      /* NaN if not a number */
bool nod_json_truth(const nod_json *j);
/* Iteration in insertion order: the key after `key`, a pointer this function returned (NULL:
 * the first key); NULL at the end. */
const char *nod_json_next_key(const nod_json *obj, const char *key);
/* The i-th key in insertion order, by counting from the first; NULL past the end. */
const char *nod_json_key(const nod_json *obj, size_t i);

/* Strict getters for artefacts: error names `where` and the key. Strings are borrowed. */
int nod_json_need_str(const nod_json *obj, const char *where, const char *key, const char **out,
                      nod_error *err) NOD_MUST_CHECK;
int nod_json_need_i64(const nod_json *obj, const char *where, const char *key, int64_t *out,
                      nod_error *err) NOD_MUST_CHECK;
int nod_json_need_f64(const nod_json *obj, const char *where, const char *key, double *out,
                      nod_error *err) NOD_MUST_CHECK;
int nod_json_need_bool(const nod_json *obj, const char *where, const char *key, bool *out,
                       nod_error *err) NOD_MUST_CHECK;
int nod_json_need_object(const nod_json *obj, const char *where, const char *key,
                         nod_json **out, nod_error *err) NOD_MUST_CHECK;
int nod_json_need_array(const nod_json *obj, const char *where, const char *key, nod_json **out,
                        nod_error *err) NOD_MUST_CHECK;

/* Text: indented (two spaces, insertion order) or compact; reals keep 17 digits. */
int nod_json_dump(const nod_json *j, bool indent, char **out, nod_error *err) NOD_MUST_CHECK;
/* Compact with sorted keys: the form that is hashed. */
int nod_json_dump_canonical(const nod_json *j, char **out, nod_error *err) NOD_MUST_CHECK;
/* Atomically writes the indented form and a newline. */
int nod_json_write(const nod_json *j, const char *path, nod_error *err) NOD_MUST_CHECK;

#endif
