/* tensor.h: dtype, shape, and a plain dense array in C order.
 *
 * A tensor is host memory in the plain layout (N,C,D,H,W or whatever its rank means); the
 * blocked layouts of the compute backends live inside an execution plan and never leave it. */
#ifndef NOD_TENSOR_TENSOR_H
#define NOD_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum nod_dtype {
    NOD_DTYPE_F32,
    NOD_DTYPE_F64,
    NOD_DTYPE_BF16,
    NOD_DTYPE_U8,
    NOD_DTYPE_I8,
    NOD_DTYPE_U16,
    NOD_DTYPE_I16,
    NOD_DTYPE_U32,
    NOD_DTYPE_I32,
    NOD_DTYPE_U64,
    NOD_DTYPE_I64,
    NOD_DTYPE_BOOL,
    NOD_DTYPE_COUNT
} nod_dtype;

size_t nod_dtype_size(nod_dtype t);      /* bytes */
const char *nod_dtype_name(nod_dtype t); /* "f32" ... */

#define NOD_RANK_MAX 6

typedef struct nod_shape {
    int rank; /* 0 = scalar */
    int64_t dim[NOD_RANK_MAX];
} nod_shape;

/* nod_shape_of(3, a, b, c): a macro, so that plain ints are widened rather than misread. */
#define nod_shape_of(rank, ...)                                                         \
    nod_shape_from((rank), sizeof((int64_t[]){0, ##__VA_ARGS__}) / sizeof(int64_t) - 1, \
                   (const int64_t[]){0, ##__VA_ARGS__} + 1)
nod_shape nod_shape_from(int rank, size_t n_dims, const int64_t *dims);
bool nod_shape_equal(const nod_shape *a, const nod_shape *b);
int64_t nod_shape_count(const nod_shape *s); /* product of dims; 1 for a scalar;
                                                 -1: a dim is negative, or it overflows */
/* Product and byte size with overflow checks; false if a dim is negative or it overflows. */
bool nod_shape_bytes(const nod_shape *s, nod_dtype t, size_t *out) NOD_MUST_CHECK;
/* "[2, 3, 28, 28]" into out (>= 128 bytes); returns out. */
const char *nod_shape_text(const nod_shape *s, char *out, size_t size);

typedef struct nod_tensor {
    nod_dtype dtype;
    nod_shape shape;
    void *data; /* 64-byte aligned when owned */
    bool owned; /* done() frees data */
} nod_tensor;

/* Zeroed. Errors: ESHAPE (negative, overflow), ENOMEM. */
int nod_tensor_init(nod_tensor *t, nod_dtype dtype, const nod_shape *shape,
                    nod_error *err) NOD_MUST_CHECK;
/* A view on memory the caller keeps alive. */
nod_tensor nod_tensor_view(void *data, nod_dtype dtype, const nod_shape *shape);
void nod_tensor_done(nod_tensor *t);
int64_t nod_tensor_count(const nod_tensor *t);
size_t nod_tensor_bytes(const nod_tensor *t);
/* SHA-256 over dtype, shape and bytes, hex. */
int nod_tensor_hash(const nod_tensor *t, char out[65], nod_error *err) NOD_MUST_CHECK;
/* Any dtype to f32 / f64 elementwise; dst has the same count. */
void nod_tensor_to_f32(const nod_tensor *src, float *dst);
void nod_tensor_to_f64(const nod_tensor *src, double *dst);

/* bf16 <-> f32, round to nearest even; NaN stays NaN. */
uint16_t nod_bf16_from_f32(float v);
float nod_f32_from_bf16(uint16_t v);

#endif
