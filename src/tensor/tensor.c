/* tensor.c: dtypes, shapes, plain dense arrays, their hash, and conversion to float. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[NOD_DTYPE_COUNT] = {
    [NOD_DTYPE_F32] = {"f32", 4}, [NOD_DTYPE_F64] = {"f64", 8}, [NOD_DTYPE_BF16] = {"bf16", 2},
    [NOD_DTYPE_U8] = {"u8", 1},   [NOD_DTYPE_I8] = {"i8", 1},   [NOD_DTYPE_U16] = {"u16", 2},
    [NOD_DTYPE_I16] = {"i16", 2}, [NOD_DTYPE_U32] = {"u32", 4}, [NOD_DTYPE_I32] = {"i32", 4},
    [NOD_DTYPE_U64] = {"u64", 8}, [NOD_DTYPE_I64] = {"i64", 8}, [NOD_DTYPE_BOOL] = {"bool", 1},
};

size_t nod_dtype_size(nod_dtype t)
{
    NOD_ASSERT((unsigned)t < NOD_DTYPE_COUNT);
    return dtypes[t].size;
}

const char *nod_dtype_name(nod_dtype t)
{
    NOD_ASSERT((unsigned)t < NOD_DTYPE_COUNT);
    return dtypes[t].name;
}

/* --- shapes ------------------------------------------------------------------------------- */

nod_shape nod_shape_from(int rank, size_t n_dims, const int64_t *dims)
{
    NOD_ASSERT(rank >= 0 && rank <= NOD_RANK_MAX && (size_t)rank == n_dims);
    nod_shape s = {.rank = rank};
    for (int i = 0; i < rank; i++)
        s.dim[i] = dims[i];
    return s;
}

bool nod_shape_equal(const nod_shape *a, const nod_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

int64_t nod_shape_count(const nod_shape *s)
{
    if (s->rank < 0 || s->rank > NOD_RANK_MAX) return -1;
    bool empty = false;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] < 0) return -1;
        if (s->dim[i] == 0) empty = true;
    }
    if (empty) return 0;
    int64_t count = 1;
    for (int i = 0; i < s->rank; i++)
        if (__builtin_mul_overflow(count, s->dim[i], &count)) return -1;
    return count;
}

bool nod_shape_bytes(const nod_shape *s, nod_dtype t, size_t *out)
{
    int64_t count = nod_shape_count(s);
    size_t bytes;
    if (count < 0 || !nod_size_mul((size_t)count, nod_dtype_size(t), &bytes)) return false;
    if (bytes > PTRDIFF_MAX) return false;
    *out = bytes;
    return true;
}

const char *nod_shape_text(const nod_shape *s, char *out, size_t size)
{
    size_t at = 0;
    int n = snprintf(out, size, "[");
    for (int i = 0; i < s->rank && i < NOD_RANK_MAX && n >= 0; i++) {
        at += (size_t)n;
        if (at >= size) return out;
        n = snprintf(out + at, size - at, "%s%lld", i > 0 ? ", " : "", (long long)s->dim[i]);
    }
    at += (size_t)NOD_MAX(n, 0);
    if (at < size) snprintf(out + at, size - at, "]");
    return out;
}

/* --- tensors ------------------------------------------------------------------------------ */

int nod_tensor_init(nod_tensor *t, nod_dtype dtype, const nod_shape *shape, nod_error *err)
{
    char text[128];
    size_t bytes;
    if (!nod_shape_bytes(shape, dtype, &bytes))
        return nod_fail(err, NOD_ESHAPE, "a tensor %s of %s cannot be: negative or too large",
                        nod_shape_text(shape, text, sizeof text), nod_dtype_name(dtype));
    void *data = nod_aligned_calloc(bytes);
    if (data == NULL)
        return nod_fail(err, NOD_ENOMEM, "out of memory: a tensor %s of %s needs %zu bytes",
                        nod_shape_text(shape, text, sizeof text), nod_dtype_name(dtype), bytes);
    *t = (nod_tensor){.dtype = dtype, .shape = *shape, .data = data, .owned = true};
    return 0;
}

nod_tensor nod_tensor_view(void *data, nod_dtype dtype, const nod_shape *shape)
{
    return (nod_tensor){.dtype = dtype, .shape = *shape, .data = data, .owned = false};
}

void nod_tensor_done(nod_tensor *t)
{
    if (t->owned) nod_free(t->data);
    t->data = NULL;
    t->owned = false;
}

int64_t nod_tensor_count(const nod_tensor *t)
{
    return nod_shape_count(&t->shape);
}

size_t nod_tensor_bytes(const nod_tensor *t)
{
    size_t bytes = 0;
    bool ok = nod_shape_bytes(&t->shape, t->dtype, &bytes);
    NOD_ASSERT(ok);
    return bytes;
}

int nod_tensor_hash(const nod_tensor *t, char out[65], nod_error *err)
{
    nod_sha256 *h;
    int rc = nod_sha256_new(&h, err);
    if (rc != 0) return rc;
    nod_sha256_add_str(h, nod_dtype_name(t->dtype));
    nod_sha256_add_i64(h, t->shape.rank);
    for (int i = 0; i < t->shape.rank; i++)
        nod_sha256_add_i64(h, t->shape.dim[i]);
    nod_sha256_add(h, t->data, nod_tensor_bytes(t));
    nod_sha256_hex(h, out);
    nod_sha256_free(h);
    return 0;
}

/* One loop per dtype; `get` turns element v into the destination type. */
#define CONVERT(ctype, expr)              \
    do {                                  \
        const ctype *p = src->data;       \
        for (int64_t i = 0; i < n; i++) { \
            ctype v = p[i];               \
            dst[i] = (expr);              \
        }                                 \
    } while (0)

#define CONVERT_ALL(dtype, out)                       \
    switch (dtype) {                                  \
    case NOD_DTYPE_F32:                               \
        CONVERT(float, (out)v);                       \
        break;                                        \
    case NOD_DTYPE_F64:                               \
        CONVERT(double, (out)v);                      \
        break;                                        \
    case NOD_DTYPE_BF16:                              \
        CONVERT(uint16_t, (out)nod_f32_from_bf16(v)); \
        break;                                        \
    case NOD_DTYPE_U8:                                \
        CONVERT(uint8_t, (out)v);                     \
        break;                                        \
    case NOD_DTYPE_I8:                                \
        CONVERT(int8_t, (out)v);                      \
        break;                                        \
    case NOD_DTYPE_U16:                               \
        CONVERT(uint16_t, (out)v);                    \
        break;                                        \
    case NOD_DTYPE_I16:                               \
        CONVERT(int16_t, (out)v);                     \
        break;                                        \
    case NOD_DTYPE_U32:                               \
        CONVERT(uint32_t, (out)v);                    \
        break;                                        \
    case NOD_DTYPE_I32:                               \
        CONVERT(int32_t, (out)v);                     \
        break;                                        \
    case NOD_DTYPE_U64:                               \
        CONVERT(uint64_t, (out)v);                    \
        break;                                        \
    case NOD_DTYPE_I64:                               \
        CONVERT(int64_t, (out)v);                     \
        break;                                        \
    case NOD_DTYPE_BOOL:                              \
        CONVERT(uint8_t, (out)(v != 0));              \
        break;                                        \
    default:                                          \
        NOD_ASSERT((dtype) < NOD_DTYPE_COUNT);        \
    }

void nod_tensor_to_f32(const nod_tensor *src, float *dst)
{
    int64_t n = nod_tensor_count(src);
    CONVERT_ALL(src->dtype, float)
}

void nod_tensor_to_f64(const nod_tensor *src, double *dst)
{
    int64_t n = nod_tensor_count(src);
    CONVERT_ALL(src->dtype, double)
}

/* --- bf16 --------------------------------------------------------------------------------- */

uint16_t nod_bf16_from_f32(float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    /* Rounding up a NaN's payload could carry into an infinity; make it a quiet NaN instead. */
    if ((u & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(u >> 16 | 0x40u);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

float nod_f32_from_bf16(uint16_t v)
{
    uint32_t u = (uint32_t)v << 16;
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
