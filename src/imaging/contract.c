/* contract.c: the preprocessing contract, applied and fitted; contract_json.c writes it. */
#include "imaging/contract.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Floats of one stage: [channels][d][h][w]. */
typedef struct stage {
    float *v;
    int64_t size[3];
} stage;

static int64_t voxels(const int64_t size[3])
{
    return size[0] * size[1] * size[2];
}

void nod_contract_init(nod_contract *k, int dims, int64_t depth, int64_t height, int64_t width)
{
    *k = (nod_contract){.dims = dims,
                        .channels = 1,
                        .size = {depth, height, width},
                        .interpolation = NOD_INTERP_LINEAR,
                        .pad = {depth, height, width},
                        .pool = {1, 1, 1},
                        .normalisation = NOD_NORMALISATION_DATASET};
}

void nod_contract_result(const nod_contract *k, int64_t out[3])
{
    for (int i = 0; i < 3; i++)
        out[i] = k->pad[i] / k->pool[i];
}

int64_t nod_contract_samples(const nod_contract *k)
{
    int64_t size[3];
    nod_contract_result(k, size);
    return k->channels * voxels(size);
}

/* Replaces `s` by an empty stage of another size. */
static int next_stage(stage *s, const int64_t size[3], int channels, float **old,
                      nod_error *err)
{
    int64_t n = 0;
    if (__builtin_mul_overflow(size[0], size[1], &n) ||
        __builtin_mul_overflow(n, size[2], &n) || __builtin_mul_overflow(n, channels, &n) ||
        n > NOD_IMAGE_MAX_SAMPLES)
        return nod_fail(err, NOD_ELIMIT, "%lldx%lldx%lld voxels are too many to preprocess",
                        (long long)size[0], (long long)size[1], (long long)size[2]);
    float *v = nod_calloc((size_t)n, sizeof *v);
    if (v == NULL) return nod_fail_memory(err, "preprocessing", (size_t)n * sizeof *v);
    *old = s->v;
    s->v = v;
    memcpy(s->size, size, sizeof s->size);
    return 0;
}

/* Zeros around, the centre kept; an odd rest goes behind. */
static int pad_stage(stage *s, const int64_t size[3], int channels, nod_error *err)
{
    int64_t from[3], lead[3];
    float *old;
    memcpy(from, s->size, sizeof from);
    if (memcmp(from, size, sizeof from) == 0) return 0;
    int rc = next_stage(s, size, channels, &old, err);
    if (rc) return rc;
    for (int i = 0; i < 3; i++)
        lead[i] = (size[i] - from[i]) / 2;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t z = 0; z < from[0]; z++)
            for (int64_t y = 0; y < from[1]; y++) {
                const float *src = old + ((c * from[0] + z) * from[1] + y) * from[2];
                float *dst = s->v +
                             ((c * size[0] + z + lead[0]) * size[1] + y + lead[1]) * size[2] +
                             lead[2];
                memcpy(dst, src, (size_t)from[2] * sizeof *dst);
            }
    nod_free(old);
    return 0;
}

static int resize_stage(stage *s, const nod_contract *k, nod_error *err)
{
    int64_t from[3];
    float *old;
    memcpy(from, s->size, sizeof from);
    if (memcmp(from, k->size, sizeof from) == 0) return 0;
    int rc = next_stage(s, k->size, k->channels, &old, err);
    if (rc) return rc;
    for (int c = 0; c < k->channels && rc == 0; c++)
        rc = nod_resize_f32(old + c * voxels(from), from, s->v + c * voxels(s->size), s->size,
                            k->interpolation, err);
    nod_free(old);
    return rc;
}

/* Mean over one block, in double. */
static float block_mean(const float *src, const int64_t size[3], const int64_t at[3],
                        const int64_t pool[3])
{
    double sum = 0;
    for (int64_t z = 0; z < pool[0]; z++)
        for (int64_t y = 0; y < pool[1]; y++) {
            const float *row =
                src + ((at[0] * pool[0] + z) * size[1] + at[1] * pool[1] + y) * size[2] +
                at[2] * pool[2];
            for (int64_t x = 0; x < pool[2]; x++)
                sum += (double)row[x];
        }
    return (float)(sum / (double)voxels(pool));
}

static int pool_stage(stage *s, const nod_contract *k, nod_error *err)
{
    int64_t from[3], size[3], at[3];
    float *old;
    if (voxels(k->pool) == 1) return 0;
    memcpy(from, s->size, sizeof from);
    nod_contract_result(k, size);
    int rc = next_stage(s, size, k->channels, &old, err);
    if (rc) return rc;
    float *dst = s->v;
    for (int c = 0; c < k->channels; c++)
        for (at[0] = 0; at[0] < size[0]; at[0]++)
            for (at[1] = 0; at[1] < size[1]; at[1]++)
                for (at[2] = 0; at[2] < size[2]; at[2]++)
                    *dst++ = block_mean(old + c * voxels(from), from, at, k->pool);
    nod_free(old);
    return 0;
}

static int scale_stage(stage *s, const nod_contract *k, const nod_image *im, nod_error *err)
{
    float *old;
    const int64_t size[3] = {im->depth, im->height, im->width};
    int rc = next_stage(s, size, k->channels, &old, err);
    if (rc) return rc;
    nod_free(old);
    rc = nod_image_to_f32(im, k->channels, s->v, err);
    if (rc || k->scaling != NOD_SCALING_STORED || im->sample == NOD_SAMPLE_F32) return rc;
    float largest = im->sample == NOD_SAMPLE_U8 ? 255.0f : 65535.0f;
    for (int64_t i = 0; i < k->channels * voxels(size); i++)
        s->v[i] *= largest;
    return 0;
}

/* Everything before normalisation; the caller frees s->v, on failure too. */
static int prepare(const nod_contract *k, const nod_image *im, stage *s, nod_error *err)
{
    int rc = 0;
    *s = (stage){0};
    if (im->frames != 1)
        return nod_fail(err, NOD_EDATA, "%lld frames along the axis '%s' where one is wanted",
                        (long long)im->frames, nod_axis_name(im->facts.axis));
    if ((k->dims == 2) != (im->depth == 1))
        return nod_fail(err, NOD_EDATA,
                        "%lldx%lldx%lld voxels where the recipe's input wants %s",
                        (long long)im->depth, (long long)im->height, (long long)im->width,
                        k->dims == 2 ? "planes: input size [H, W]" : "volumes: [D, H, W]");
    NOD_TRY(scale_stage(s, k, im, err));
    if (k->square) {
        int64_t side = NOD_MAX(im->height, im->width);
        if (k->dims == 3) side = NOD_MAX(side, im->depth);
        const int64_t square[3] = {k->dims == 3 ? side : 1, side, side};
        NOD_TRY(pad_stage(s, square, k->channels, err));
    }
    NOD_TRY(resize_stage(s, k, err));
    NOD_TRY(pad_stage(s, k->pad, k->channels, err));
    NOD_TRY(pool_stage(s, k, err));
    for (int64_t i = 0; i < nod_contract_samples(k); i++)
        if (!isfinite(s->v[i]))
            return nod_fail(err, NOD_ENUMERIC, "a sample is not finite after preprocessing");
out:
    return rc;
}

/* Two passes: mean, then sum of squares about it. */
static void measure_channel(const float *v, int64_t n, double *mean, double *m2)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)v[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += ((double)v[i] - *mean) * ((double)v[i] - *mean);
    *m2 = squares;
}

static bool is_flat(double mean, double sd)
{
    return !(sd > 1e-6 * fmax(1e-3, fabs(mean)));
}

static void normalise(const nod_contract *k, const float *src, float *dst)
{
    int64_t n = nod_contract_samples(k) / k->channels;
    for (int c = 0; c < k->channels; c++, src += n, dst += n) {
        double mean = 0, sd = 1;
        if (k->normalisation == NOD_NORMALISATION_DATASET) {
            mean = k->mean[c];
            sd = k->sd[c];
        } else if (k->normalisation == NOD_NORMALISATION_IMAGE) {
            double m2;
            measure_channel(src, n, &mean, &m2);
            sd = sqrt(m2 / (double)n);
            if (is_flat(mean, sd)) sd = 1; /* a constant image becomes zeros */
        }
        for (int64_t i = 0; i < n; i++)
            dst[i] = (float)(((double)src[i] - mean) / sd);
    }
}

int nod_contract_apply(const nod_contract *k, const nod_image *im, float *dst, nod_error *err)
{
    stage s = {0};
    if (k->normalisation == NOD_NORMALISATION_DATASET && !k->fitted)
        return nod_fail(err, NOD_EINVAL, "the input's mean and sd are not fitted yet");
    int rc = prepare(k, im, &s, err);
    if (rc == 0) normalise(k, s.v, dst);
    nod_free(s.v);
    return rc;
}

/* --- fitting ------------------------------------------------------------------------------ */

int nod_contract_measure(const nod_contract *k, const nod_image *im, nod_contract_sums *out,
                         nod_error *err)
{
    stage s = {0};
    int64_t n = nod_contract_samples(k) / k->channels;
    int rc = prepare(k, im, &s, err);
    if (rc == 0) {
        *out = (nod_contract_sums){.n = (double)n};
        for (int c = 0; c < k->channels; c++)
            measure_channel(s.v + c * n, n, &out->mean[c], &out->m2[c]);
    }
    nod_free(s.v);
    return rc;
}

/* Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979, eq. 2.1. */
void nod_contract_merge(nod_contract_sums *into, const nod_contract_sums *of, int channels)
{
    double n = into->n + of->n;
    if (of->n == 0) return;
    for (int c = 0; c < channels; c++) {
        double d = of->mean[c] - into->mean[c];
        into->mean[c] += d * of->n / n;
        into->m2[c] += of->m2[c] + d * d * into->n * of->n / n;
    }
    into->n = n;
}

int nod_contract_fit(nod_contract *k, const nod_contract_sums *sums, nod_error *err)
{
    if (k->normalisation != NOD_NORMALISATION_DATASET) return 0;
    double sd[NOD_CONTRACT_CHANNELS_MAX] = {0};
    for (int c = 0; c < k->channels; c++) {
        sd[c] = sums->n > 0 ? sqrt(sums->m2[c] / sums->n) : 0;
        if (is_flat(sums->mean[c], sd[c]))
            return nod_fail(
                err, NOD_EDATA,
                "channel %d of the training images has no variation (mean %g, sd %g)", c,
                sums->mean[c], sd[c]);
    }
    memcpy(k->mean, sums->mean, sizeof k->mean);
    memcpy(k->sd, sd, sizeof k->sd);
    k->fitted = true;
    return 0;
}
