/* stored.c: voxels of a file to samples of an image.
 *
 * Work is cut into pieces of PIECE voxels, which threads take; each counts what it found, so that
 * the sums do not depend on threads. */
#include "imaging/stored.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define PIECE ((int64_t)1 << 17)

static const size_t sizes[NOD_STORED_TYPES] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

size_t nod_stored_size(nod_stored type)
{
    return sizes[type];
}

/* --- numbers -------------------------------------------------------------------------------- */

typedef struct counts {
    int64_t n_not_finite, n_rounded;
} counts;

/* A row of n numbers `step` bytes apart. */
typedef struct row {
    const uint8_t *src;
    size_t step, n;
    bool swap, scaled;
    double slope, intercept;
} row;

static inline uint8_t swap8(uint8_t v)
{
    return v;
}

static inline uint16_t swap16(uint16_t v)
{
    return __builtin_bswap16(v);
}

static inline uint32_t swap32(uint32_t v)
{
    return __builtin_bswap32(v);
}

static inline uint64_t swap64(uint64_t v)
{
    return __builtin_bswap64(v);
}

static inline bool never_rounded(double v)
{
    (void)v;
    return false;
}

/* Whether more than the 24 bits of a float's significand are needed. */
static inline bool is_rounded_u64(uint64_t v)
{
    return v >> 24 != 0 && v >> __builtin_ctzll(v) >> 24 != 0;
}

static inline bool is_rounded_i64(int64_t v)
{
    return is_rounded_u64(v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* turn_NAME: numbers of type T, whose bits are in a U, to floats. */
#define DEFINE_TURN(NAME, T, U, SWAP, IS_ROUNDED)                                      \
    NOD_INLINE void turn_##NAME##_as(const row *r, float *dst, counts *c, bool swap,   \
                                     bool scaled)                                      \
    {                                                                                  \
        int64_t n_not_finite = 0, n_rounded = 0;                                       \
        for (size_t i = 0; i < r->n; i++) {                                            \
            U bits;                                                                    \
            T v;                                                                       \
            memcpy(&bits, r->src + i * r->step, sizeof bits);                          \
            if (swap) bits = SWAP(bits);                                               \
            memcpy(&v, &bits, sizeof v);                                               \
            dst[i] = scaled ? (float)(r->slope * (double)v + r->intercept) : (float)v; \
            n_not_finite += !isfinite(dst[i]);                                         \
            if (!scaled) n_rounded += IS_ROUNDED(v);                                   \
        }                                                                              \
        c->n_not_finite += n_not_finite;                                               \
        c->n_rounded += n_rounded;                                                     \
    }                                                                                  \
    static void turn_##NAME(const row *r, float *dst, counts *c)                       \
    {                                                                                  \
        if (r->swap && r->scaled)                                                      \
            turn_##NAME##_as(r, dst, c, true, true);                                   \
        else if (r->swap)                                                              \
            turn_##NAME##_as(r, dst, c, true, false);                                  \
        else if (r->scaled)                                                            \
            turn_##NAME##_as(r, dst, c, false, true);                                  \
        else                                                                           \
            turn_##NAME##_as(r, dst, c, false, false);                                 \
    }

DEFINE_TURN(u8, uint8_t, uint8_t, swap8, never_rounded)
DEFINE_TURN(i8, int8_t, uint8_t, swap8, never_rounded)
DEFINE_TURN(u16, uint16_t, uint16_t, swap16, never_rounded)
DEFINE_TURN(i16, int16_t, uint16_t, swap16, never_rounded)
DEFINE_TURN(u32, uint32_t, uint32_t, swap32, is_rounded_u64)
DEFINE_TURN(i32, int32_t, uint32_t, swap32, is_rounded_i64)
DEFINE_TURN(u64, uint64_t, uint64_t, swap64, is_rounded_u64)
DEFINE_TURN(i64, int64_t, uint64_t, swap64, is_rounded_i64)
DEFINE_TURN(f32, float, uint32_t, swap32, never_rounded)
DEFINE_TURN(f64, double, uint64_t, swap64, never_rounded)

static void (*const turns[NOD_STORED_TYPES])(const row *, float *, counts *) = {
    [NOD_STORED_U8] = turn_u8,   [NOD_STORED_I8] = turn_i8,   [NOD_STORED_U16] = turn_u16,
    [NOD_STORED_I16] = turn_i16, [NOD_STORED_U32] = turn_u32, [NOD_STORED_I32] = turn_i32,
    [NOD_STORED_U64] = turn_u64, [NOD_STORED_I64] = turn_i64, [NOD_STORED_F32] = turn_f32,
    [NOD_STORED_F64] = turn_f64};

/* Numbers that stay what they are, of 1 or 2 bytes. */
static void copy_row(const row *r, size_t size, uint8_t *dst)
{
    if (r->step == size && !r->swap) {
        memcpy(dst, r->src, r->n * size);
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t b = 0; b < size; b++)
            dst[i * size + b] = r->src[i * r->step + (r->swap ? size - 1 - b : b)];
}

/* --- sizes ---------------------------------------------------------------------------------- */

static bool is_scaled(const nod_stored_grid *g)
{
    return g->slope != 1 || g->intercept != 0;
}

static bool is_colour(const nod_stored_grid *g)
{
    return (g->components == 3 || g->components == 4) && !is_scaled(g) &&
           (g->type == NOD_STORED_U8 || g->type == NOD_STORED_U16);
}

static nod_sample sample_of(const nod_stored_grid *g)
{
    if (is_scaled(g)) return NOD_SAMPLE_F32;
    return g->type == NOD_STORED_U8    ? NOD_SAMPLE_U8
           : g->type == NOD_STORED_U16 ? NOD_SAMPLE_U16
                                       : NOD_SAMPLE_F32;
}

int nod_stored_bytes(const nod_stored_grid *g, const char *name, size_t *out, nod_error *err)
{
    const int64_t all[5] = {g->size[0], g->size[1], g->size[2], g->frames, g->components};
    int64_t n = 1;
    bool fits = true;
    for (int i = 0; i < 5; i++) {
        NOD_ASSERT(all[i] >= 1);
        fits = fits && all[i] <= NOD_IMAGE_MAX_SIDE && !__builtin_mul_overflow(n, all[i], &n) &&
               n <= NOD_IMAGE_MAX_SAMPLES;
    }
    if (!fits)
        return nod_fail(err, NOD_ELIMIT,
                        "%s: %lld x %lld x %lld voxels, %lld frames, %lld components; the "
                        "limits are %d a side and %lld in all",
                        name, (long long)all[0], (long long)all[1], (long long)all[2],
                        (long long)all[3], (long long)all[4], NOD_IMAGE_MAX_SIDE,
                        (long long)NOD_IMAGE_MAX_SAMPLES);
    *out = (size_t)n * sizes[g->type];
    return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

typedef struct filling {
    const nod_stored_grid *grid;
    const uint8_t *bytes;
    nod_image *im;
    int64_t n_plane; /* numbers of one frame of one component, or all where they are in order */
    int64_t n_pieces; /* of one such plane */
    counts *found;    /* of each piece */
} filling;

static void fill_piece(void *ctx, int64_t i)
{
    const filling *f = ctx;
    const nod_stored_grid *g = f->grid;
    int64_t plane = i / f->n_pieces, from = i % f->n_pieces * PIECE;
    int64_t frame = plane % g->frames, component = plane / g->frames;
    bool in_order = f->n_plane == nod_image_samples(f->im);
    size_t size = sizes[g->type], step = in_order ? 1 : (size_t)g->components;
    size_t first = (size_t)(frame * f->n_plane + from) * step + (size_t)component;
    row r = {.src = f->bytes + first * size,
             .step = step * size,
             .n = (size_t)NOD_MIN(PIECE, f->n_plane - from),
             .swap = size > 1 && g->big_endian == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__),
             .scaled = is_scaled(g),
             .slope = g->slope,
             .intercept = g->intercept};
    size_t at = (size_t)(plane * f->n_plane + from);
    if (f->im->sample == NOD_SAMPLE_F32)
        turns[g->type](&r, (float *)f->im->data + at, &f->found[i]);
    else
        copy_row(&r, size, (uint8_t *)f->im->data + at * size);
}

/* NaN and infinity become padding with the lowest value that is a number. */
static int pad_not_finite(nod_image *im, nod_error *err)
{
    float *v = im->data, lowest = HUGE_VALF;
    int64_t n = nod_image_samples(im);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) lowest = fminf(lowest, v[i]);
    if (!isfinite(lowest)) lowest = 0;
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i])) {
            int rc = nod_image_set_padding(im, i, err);
            if (rc) return rc;
            v[i] = lowest;
        }
    return 0;
}

static int judge(const nod_encoded *in, const counts *c, nod_image *im, nod_error *err)
{
    int rc = 0;
    if (c->n_rounded > 0)
        rc = nod_encoded_judge(in, err, NOD_FINDING_ROUNDED,
                               "%lld integers need more than the 24 bits of a float",
                               (long long)c->n_rounded);
    if (rc == 0 && c->n_not_finite > 0) {
        rc = nod_encoded_judge(in, err, NOD_FINDING_NOT_FINITE,
                               "%lld of %lld values are NaN, infinite, or beyond a float",
                               (long long)c->n_not_finite, (long long)nod_image_samples(im));
        if (rc == 0) rc = pad_not_finite(im, err);
    }
    return rc;
}

static int fill(const nod_encoded *in, const nod_stored_grid *g, const uint8_t *bytes,
                nod_image *im, nod_error *err)
{
    int64_t n = nod_image_samples(im);
    bool in_order = g->components == 1 || is_colour(g);
    filling f = {.grid = g, .bytes = bytes, .im = im};
    f.n_plane = in_order ? n : n / (g->frames * g->components);
    f.n_pieces = (f.n_plane + PIECE - 1) / PIECE;
    int64_t n_all = f.n_pieces * (n / f.n_plane);
    counts sum = {0};
    f.found = nod_calloc((size_t)n_all, sizeof *f.found);
    if (f.found == NULL) return nod_fail_memory(err, "reading voxels", (size_t)n_all);
    nod_parallel_for(n_all, fill_piece, &f);
    for (int64_t i = 0; i < n_all; i++) {
        sum.n_not_finite += f.found[i].n_not_finite;
        sum.n_rounded += f.found[i].n_rounded;
    }
    nod_free(f.found);
    return judge(in, &sum, im, err);
}

int nod_stored_read(const nod_encoded *in, const nod_stored_grid *g, const uint8_t *bytes,
                    nod_image *out, nod_error *err)
{
    nod_image im = {0};
    int channels = is_colour(g) ? (int)g->components : 1;
    int rc = nod_image_init_frames(&im, g->frames * (g->components / channels), g->size[2],
                                   g->size[1], g->size[0], channels, sample_of(g), err);
    if (rc) return nod_error_prefix(err, "%s", in->name);
    rc = fill(in, g, bytes, &im, err);
    if (rc == 0) {
        *out = im;
        im = (nod_image){0};
    }
    nod_image_done(&im);
    return rc;
}
