/* npy.c: .npy headers and elements.
 *
 * The header is a Python dict literal with the keys descr, fortran_order and shape in any
 * order. A cursor walks over it and knows nothing else of Python: quoted strings, True, False,
 * and tuples of integers. Elements are swapped and transposed in place after they were read,
 * so that the reader can put them straight into the tensor. */
#include "tensor/npy.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "tensor/npz.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "npy.c takes the host to be little endian"
#endif

#define MAGIC   "\x93NUMPY"
#define N_MAGIC 6

/* numpy's letter and item size of each dtype. bf16 has none. */
static const struct {
    nod_dtype dtype;
    char kind, size;
} kinds[] = {
    {NOD_DTYPE_F32, 'f', '4'}, {NOD_DTYPE_F64, 'f', '8'},  {NOD_DTYPE_U8, 'u', '1'},
    {NOD_DTYPE_I8, 'i', '1'},  {NOD_DTYPE_U16, 'u', '2'},  {NOD_DTYPE_I16, 'i', '2'},
    {NOD_DTYPE_U32, 'u', '4'}, {NOD_DTYPE_I32, 'i', '4'},  {NOD_DTYPE_U64, 'u', '8'},
    {NOD_DTYPE_I64, 'i', '8'}, {NOD_DTYPE_BOOL, 'b', '1'},
};

int nod_npy_header_size(const uint8_t *bytes, size_t size, const char *name, size_t *out,
                        nod_error *err)
{
    if (size < N_MAGIC + 4)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu bytes are too few for a .npy header", name,
                        size);
    if (memcmp(bytes, MAGIC, N_MAGIC) != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: does not begin with the .npy magic", name);
    unsigned major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: .npy version %u.%u is not known (1.0 to 3.0 are)", name, major,
                        minor);
    size_t n_before = major == 1 ? 10 : 12;
    if (size < n_before)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu bytes are too few for a .npy header", name,
                        size);
    size_t n_text = bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1) n_text |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (n_text > NOD_NPY_MAX_HEADER)
        return nod_fail(err, NOD_ELIMIT, "%s: .npy header claims %zu bytes, the limit is %zu",
                        name, n_text, NOD_NPY_MAX_HEADER);
    *out = n_before + n_text;
    return 0;
}

/* --- the dict literal ------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

/* true if `ch` stood next and was passed. */
static bool take(cursor *c, char ch)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != ch) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0) return false;
    c->at += n;
    return true;
}

/* A quoted string without escapes, shorter than `size`. */
static bool take_string(cursor *c, char *out, size_t size)
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return false;
    char quote = *c->at++;
    size_t n = 0;
    while (c->at < c->end && *c->at != quote) {
        if (*c->at == '\\' || n + 1 >= size) return false;
        out[n++] = *c->at++;
    }
    if (c->at == c->end) return false;
    c->at++;
    out[n] = '\0';
    return true;
}

static bool take_size(cursor *c, int64_t *out)
{
    skip_blanks(c);
    int64_t v = 0;
    const char *begin = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *c->at - '0', &v))
            return false;
    if (c->at == begin) return false;
    if (c->at < c->end && *c->at == 'L') c->at++; /* Python 2 wrote (3L, 4L) */
    *out = v;
    return true;
}

static int parse_shape(cursor *c, const char *name, nod_shape *out, nod_error *err)
{
    nod_shape s = {0};
    if (!take(c, '(')) goto bad;
    bool closed = take(c, ')');
    while (!closed) {
        int64_t v;
        if (!take_size(c, &v)) goto bad;
        if (s.rank == NOD_RANK_MAX)
            return nod_fail(err, NOD_ELIMIT, "%s: array has more than %d dimensions", name,
                            NOD_RANK_MAX);
        s.dim[s.rank++] = v;
        bool comma = take(c, ',');
        closed = take(c, ')');
        if (!closed && !comma) goto bad;
    }
    *out = s;
    return 0;
bad:
    return nod_fail(err, NOD_EFORMAT,
                    "%s: shape in the .npy header is not a tuple of whole numbers", name);
}

/* "<f4", "|u1", ">i8", "f8" -> dtype and byte order. */
static int parse_descr(cursor *c, const char *name, nod_npy *out, nod_error *err)
{
    char text[32] = "";
    if (!take_string(c, text, sizeof text))
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: dtype in the .npy header is not one plain type; structured arrays "
                        "are not read",
                        name);
    for (char *s = text; *s != '\0'; s++)
        if (*s < ' ' || *s > '~') *s = '?';
    const char *s = text;
    char order = '=';
    if (*s == '<' || *s == '>' || *s == '=' || *s == '|') order = *s++;
    for (size_t i = 0; i < NOD_COUNT(kinds); i++) {
        if (s[0] != kinds[i].kind || s[1] != kinds[i].size || s[2] != '\0') continue;
        if (order == '|' && s[1] != '1') break;
        out->dtype = kinds[i].dtype;
        out->swapped = order == '>' && s[1] != '1';
        return 0;
    }
    if (s[0] == '?' && s[1] == '\0') { /* numpy's other spelling of bool */
        out->dtype = NOD_DTYPE_BOOL;
        return 0;
    }
    if (s[0] == 'O')
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: array of Python objects (pickle) is never read; save numbers",
                        name);
    return nod_fail(err, NOD_EUNSUPPORTED,
                    "%s: dtype '%s' is not read; convert it, e.g. a.astype('float32')", name,
                    text);
}

static int parse_bool(cursor *c, const char *name, bool *out, nod_error *err)
{
    if (take_word(c, "True"))
        *out = true;
    else if (take_word(c, "False"))
        *out = false;
    else
        return nod_fail(err, NOD_EFORMAT,
                        "%s: fortran_order in the .npy header is not True or False", name);
    return 0;
}

int nod_npy_header_parse(const uint8_t *bytes, size_t n_header, const char *name, nod_npy *out,
                         nod_error *err)
{
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    size_t n_before = bytes[6] == 1 ? 10 : 12;
    NOD_ASSERT(n_header >= n_before);
    cursor c = {(const char *)bytes + n_before, (const char *)bytes + n_header};
    nod_npy a = {.n_header = n_header};
    int rc = 0, seen = 0;
    bool closed = false;
    if (!take(&c, '{')) goto bad;
    closed = take(&c, '}');
    while (!closed) {
        char key[32];
        if (!take_string(&c, key, sizeof key) || !take(&c, ':')) goto bad;
        int bit = strcmp(key, "descr") == 0           ? DESCR
                  : strcmp(key, "fortran_order") == 0 ? ORDER
                  : strcmp(key, "shape") == 0         ? SHAPE
                                                      : 0;
        if (bit == 0 || (seen & bit) != 0) goto bad;
        seen |= bit;
        if (bit == DESCR)
            rc = parse_descr(&c, name, &a, err);
        else if (bit == ORDER)
            rc = parse_bool(&c, name, &a.fortran, err);
        else
            rc = parse_shape(&c, name, &a.shape, err);
        if (rc != 0) return rc;
        bool comma = take(&c, ',');
        closed = take(&c, '}');
        if (!closed && !comma) goto bad;
    }
    skip_blanks(&c);
    if (seen != (DESCR | ORDER | SHAPE) || c.at != c.end) goto bad;
    if (!nod_shape_bytes(&a.shape, a.dtype, &a.n_data))
        return nod_fail(err, NOD_EFORMAT, "%s: the array's shape is too large to exist", name);
    *out = a;
    return 0;
bad:
    return nod_fail(err, NOD_EFORMAT,
                    "%s: .npy header is not a dict of descr, fortran_order and shape", name);
}

/* --- elements --------------------------------------------------------------------------- */

int nod_npy_check_memory(const nod_npy *a, const char *name, nod_error *err)
{
    char need[32], have[32], shape[128];
    nod_format_bytes((double)a->n_data, need, sizeof need);
    nod_shape_text(&a->shape, shape, sizeof shape);
    if (a->n_data > NOD_NPZ_MAX_BYTES) {
        nod_format_bytes((double)NOD_NPZ_MAX_BYTES, have, sizeof have);
        return nod_fail(err, NOD_ELIMIT, "%s: %s array %s needs %s, the limit is %s", name,
                        nod_dtype_name(a->dtype), shape, need, have);
    }
    if (a->n_data < (size_t)64 << 20) return 0; /* asking the system costs more than this */
    int64_t available = nod_available_memory_bytes();
    if (available <= 0 || a->n_data <= (size_t)available) return 0;
    nod_format_bytes((double)available, have, sizeof have);
    return nod_fail(err, NOD_ENOMEM, "%s: %s array %s needs %s, the system has %s left", name,
                    nod_dtype_name(a->dtype), shape, need, have);
}

static void swap_bytes(void *data, size_t count, size_t size)
{
    uint8_t *p = data;
    for (size_t i = 0; i < count; i++, p += size)
        for (size_t k = 0; k < size / 2; k++) {
            uint8_t b = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = b;
        }
}

/* dst in C order from src in Fortran order. */
static void transpose(uint8_t *dst, const uint8_t *src, const nod_shape *s, size_t size)
{
    int64_t index[NOD_RANK_MAX] = {0};
    size_t stride[NOD_RANK_MAX], step = size, count = (size_t)nod_shape_count(s), at = 0;
    for (int d = 0; d < s->rank; d++) {
        stride[d] = step;
        step *= (size_t)s->dim[d];
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(dst + i * size, src + at, size);
        for (int d = s->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < s->dim[d]) break;
            at -= stride[d] * (size_t)s->dim[d];
            index[d] = 0;
        }
    }
}

int nod_npy_settle(const nod_npy *a, nod_tensor *t, const char *name, nod_error *err)
{
    size_t size = nod_dtype_size(a->dtype), count = (size_t)nod_tensor_count(t);
    if (count == 0) return 0;
    if (a->fortran && a->shape.rank > 1) {
        void *copy = nod_memdup(t->data, a->n_data);
        if (copy == NULL) {
            nod_fail_memory(err, "putting a Fortran array in C order", a->n_data);
            return nod_error_prefix(err, "%s", name);
        }
        transpose(t->data, copy, &a->shape, size);
        nod_free(copy);
    }
    if (a->swapped) swap_bytes(t->data, count, size);
    if (a->dtype == NOD_DTYPE_BOOL) { /* C allows 0 and 1 only */
        uint8_t *p = t->data;
        for (size_t i = 0; i < count; i++)
            p[i] = p[i] != 0;
    }
    return 0;
}

int nod_npy_parse(const void *bytes, size_t size, const char *name, nod_tensor *out,
                  nod_error *err)
{
    size_t n_header;
    nod_npy a;
    nod_tensor t = {0};
    int rc = 0;
    NOD_TRY(nod_npy_header_size(bytes, size, name, &n_header, err));
    if (n_header > size) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: .npy header claims %zu bytes, %zu are there", name,
                      n_header, size);
        goto out;
    }
    NOD_TRY(nod_npy_header_parse(bytes, n_header, name, &a, err));
    if (a.n_data != size - n_header) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: the array needs %zu bytes, %zu are there", name,
                      a.n_data, size - n_header);
        goto out;
    }
    NOD_TRY(nod_npy_check_memory(&a, name, err));
    NOD_TRY(nod_tensor_init(&t, a.dtype, &a.shape, err));
    if (a.n_data > 0) memcpy(t.data, (const uint8_t *)bytes + n_header, a.n_data);
    NOD_TRY(nod_npy_settle(&a, &t, name, err));
    *out = t;
    t = (nod_tensor){0};
out:
    nod_tensor_done(&t);
    return rc;
}

/* --- writing ---------------------------------------------------------------------------- */

int nod_npy_header_write(const nod_tensor *t, const char *name, char out[NOD_NPY_MAX_WRITE],
                         size_t *n_out, nod_error *err)
{
    size_t k = 0;
    while (k < NOD_COUNT(kinds) && kinds[k].dtype != t->dtype)
        k++;
    if (k == NOD_COUNT(kinds))
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: numpy has no %s; convert it to f32 first",
                        name, nod_dtype_name(t->dtype));
    char dict[NOD_NPY_MAX_WRITE], shape[160] = "";
    size_t n = 0;
    for (int d = 0; d < t->shape.rank; d++)
        n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%lld", d > 0 ? ", " : "",
                              (long long)t->shape.dim[d]);
    if (t->shape.rank == 1) snprintf(shape + n, sizeof shape - n, ",");
    int n_dict = snprintf(
        dict, sizeof dict, "{'descr': '%c%c%c', 'fortran_order': False, 'shape': (%s), }",
        kinds[k].size == '1' ? '|' : '<', kinds[k].kind, kinds[k].size, shape);
    NOD_ASSERT(n_dict > 0 && (size_t)n_dict < sizeof dict);
    /* As numpy does: room for a first dimension of 21 digits, then at least one blank up to a
     * multiple of 64, the last byte a newline. */
    size_t text = (size_t)n_dict + 1, n_first = strcspn(shape, ",");
    if (t->shape.rank > 0) text += 21 - n_first;
    size_t total = ((10 + text) / 64 + 1) * 64;
    NOD_ASSERT(total <= NOD_NPY_MAX_WRITE);
    memset(out, ' ', total);
    memcpy(out, MAGIC "\x01", N_MAGIC + 1);
    out[7] = 0;
    out[8] = (char)((total - 10) & 0xff);
    out[9] = (char)((total - 10) >> 8);
    memcpy(out + 10, dict, (size_t)n_dict);
    out[total - 1] = '\n';
    *n_out = total;
    return 0;
}
