/* spec.h: reading one JSON object with strict keys: every key that is asked for is known, has a
 * default, and is rendered into the completed object; what nobody asked for is an error that
 * names the nearest key. Errors begin with the key's path. */
#ifndef NOD_BASE_SPEC_H
#define NOD_BASE_SPEC_H

#include "base/json.h"

#define NOD_SPEC_KEYS_MAX 48
/* Most of a size, a stride, a padding: what is above is a mistake, and would overflow products. */
#define NOD_SPEC_SIZE_MAX ((int64_t)1 << 24)

typedef struct nod_spec {
    const nod_json *in; /* may be NULL: all defaults */
    nod_json *out;      /* completed copy, owned until nod_spec_end */
    char path[256];
    const char *asked[NOD_SPEC_KEYS_MAX];
    size_t n_asked;
    nod_error *err;
    int rc; /* first failure; later calls return defaults */
} nod_spec;

void nod_spec_begin(nod_spec *s, const nod_json *in, const char *path, nod_error *err);
/* Checks for unknown keys, hands out the completed object (or frees it on failure). */
int nod_spec_end(nod_spec *s, nod_json **out) NOD_MUST_CHECK;
int nod_spec_fail(nod_spec *s, const char *key, const char *fmt, ...) NOD_PRINTF(3, 4);

bool nod_spec_has(const nod_spec *s, const char *key);
/* Each returns the value, or the default where the key is absent. Ranges are inclusive. */
int64_t nod_spec_i64(nod_spec *s, const char *key, int64_t def, int64_t lo, int64_t hi);
double nod_spec_f64(nod_spec *s, const char *key, double def, double lo, double hi);
bool nod_spec_bool(nod_spec *s, const char *key, bool def);
/* NULL default: required. The string is borrowed from `out`. */
const char *nod_spec_str(nod_spec *s, const char *key, const char *def);
/* Index of the string in the NULL-terminated list. */
int nod_spec_choice(nod_spec *s, const char *key, const char *def, const char *const *choices);
/* 1 to 3 sizes from `lo` to NOD_SPEC_SIZE_MAX: a number means the same for all n; a list must
 * have n entries. Written to out[3-n..2] (D,H,W order); other entries get `other`. */
void nod_spec_sizes(nod_spec *s, const char *key, int n, int64_t def, int64_t lo, int64_t other,
                    int64_t out[3]);
/* A list of whole numbers; returns how many (at most max). */
size_t nod_spec_list(nod_spec *s, const char *key, const int64_t *def, size_t n_def, int64_t lo,
                     int64_t *out, size_t max);
/* A child object or array as it is (borrowed from in), or NULL; counts as asked. */
const nod_json *nod_spec_child(nod_spec *s, const char *key);
/* Puts a completed child. */
void nod_spec_set(nod_spec *s, const char *key, nod_json *value_take);

#endif
