/* contract.c: the contract as a whole: applying and fitting it. The steps are in contract_take.c,
 * contract_values.c and contract_place.c. */
#include "imaging/contract.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/contract_internal.h"
#include "imaging/statistics.h"

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
                        .normalisation = NOD_NORMALISATION_DATASET,
                        .policies = nod_policies_preset()};
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

/* --- applying ----------------------------------------------------------------------------- */

static int check_kind(const nod_contract *k, const nod_image *im, nod_error *err)
{
    char list[160] = "";
    size_t at = 0;
    if ((k->dims == 2) != (im->depth == 1))
        return nod_fail(err, NOD_EDATA,
                        "%lldx%lldx%lld voxels where the recipe's input wants %s",
                        (long long)im->depth, (long long)im->height, (long long)im->width,
                        k->dims == 2 ? "planes: input size [H, W]" : "volumes: [D, H, W]");
    for (size_t i = 0; i < k->modality.n; i++) {
        if (strcmp(k->modality.term[i], im->facts.modality) == 0) return 0;
        if (at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "",
                                   k->modality.term[i]);
    }
    if (k->modality.n == 0) return 0;
    return nod_fail(err, NOD_EDATA, "modality %s where the recipe's input wants %s",
                    im->facts.modality[0] ? im->facts.modality : "unknown", list);
}

/* Everything before normalisation; the caller clears `work`, on failure too. */
static int prepare(const nod_contract *k, const nod_image *im, nod_image *work, nod_error *err)
{
    int rc = 0;
    *work = (nod_image){0};
    NOD_TRY(check_kind(k, im, err));
    NOD_TRY(nod_contract_take(k, im, work, err));
    NOD_TRY(nod_contract_map_values(k, im, work, err));
    NOD_TRY(nod_contract_place(k, work, err));
    const float *v = work->data;
    for (int64_t i = 0; i < nod_contract_samples(k); i++)
        if (!isfinite(v[i]))
            return nod_fail(err, NOD_ENUMERIC, "a sample is not finite after preprocessing");
out:
    return rc;
}

/* What one channel's statistics are taken over. */
typedef struct sieve {
    const nod_image *work;
    int64_t first; /* voxel of the channel's first */
    bool above;
    double floor; /* with `above`: voxels higher than this alone */
} sieve;

static bool passes(const sieve *s, int64_t i, double v)
{
    if (nod_image_is_padding(s->work, s->first + i)) return false;
    return !s->above || v > s->floor;
}

/* Two passes: mean, then sum of squares about it. */
static void measure_voxels(const sieve *s, const float *v, int64_t n, double *count,
                           double *mean, double *m2)
{
    double sum = 0, squares = 0, taken = 0;
    for (int64_t i = 0; i < n; i++)
        if (passes(s, i, (double)v[i])) {
            sum += (double)v[i];
            taken++;
        }
    *count = taken;
    *mean = taken > 0 ? sum / taken : 0;
    for (int64_t i = 0; i < n; i++)
        if (passes(s, i, (double)v[i]))
            squares += ((double)v[i] - *mean) * ((double)v[i] - *mean);
    *m2 = squares;
}

/* Channel c of the result; the foreground is what lies above the mean of all. */
static void measure_channel(const nod_contract *k, const nod_image *work, int c, double *count,
                            double *mean, double *m2)
{
    int64_t n = nod_contract_samples(k) / k->channels;
    const float *v = (const float *)work->data + c * n;
    sieve s = {.work = work, .first = c * n};
    measure_voxels(&s, v, n, count, mean, m2);
    if (!k->foreground || *m2 <= 0) return;
    s.above = true;
    s.floor = *mean;
    measure_voxels(&s, v, n, count, mean, m2);
}

static bool is_flat(double mean, double sd)
{
    return !(sd > 1e-6 * fmax(1e-3, fabs(mean)));
}

static void normalise_channel(const float *src, int64_t n, double mean, double sd, float *dst)
{
    for (int64_t i = 0; i < n; i++)
        dst[i] = (float)(((double)src[i] - mean) / sd);
}

/* By the image's own mean and sd, or not at all. */
static void normalise_alone(const nod_contract *k, const nod_image *work, float *dst)
{
    int64_t n = nod_contract_samples(k) / k->channels;
    const float *src = work->data;
    if (k->normalisation == NOD_NORMALISATION_IMAGE) {
        for (int c = 0; c < k->channels; c++, src += n, dst += n) {
            double count, mean, m2;
            measure_channel(k, work, c, &count, &mean, &m2);
            double sd = sqrt(m2 / fmax(count, 1));
            if (is_flat(mean, sd)) sd = 1; /* a constant image becomes zeros */
            normalise_channel(src, n, mean, sd, dst);
        }
    } else {
        memcpy(dst, src, (size_t)(n * k->channels) * sizeof *dst);
    }
}

void nod_contract_normalise(const nod_contract *k, const float *src, float *dst)
{
    int64_t n = nod_contract_samples(k) / k->channels;
    if (k->normalisation == NOD_NORMALISATION_DATASET) {
        for (int c = 0; c < k->channels; c++)
            normalise_channel(src + c * n, n, k->mean[c], k->sd[c], dst + c * n);
    } else if (dst != src) {
        memcpy(dst, src, (size_t)(n * k->channels) * sizeof *dst);
    }
}

int nod_contract_apply(const nod_contract *k, const nod_image *im, float *dst, nod_error *err)
{
    nod_image work = {0};
    if (k->normalisation == NOD_NORMALISATION_DATASET && !k->fitted)
        return nod_fail(err, NOD_EINVAL, "the input's mean and sd are not fitted yet");
    int rc = prepare(k, im, &work, err);
    if (rc == 0) normalise_alone(k, &work, dst);
    if (rc == 0) nod_contract_normalise(k, dst, dst);
    nod_image_done(&work);
    return rc;
}

int nod_contract_check(const nod_contract *k, const nod_image *im, const char *name,
                       nod_error *err)
{
    nod_strlist why = NOD_STRLIST_INIT;
    nod_strbuf b = NOD_STRBUF_INIT;
    int rc = 0;
    if (nod_acceptance_judge(&k->accepts, im, k->orientation[0] != 0, &why)) {
        for (size_t i = 0; i < why.n; i++)
            nod_strbuf_printf(&b, "%s%s", i ? "; " : "", why.items[i]);
        rc = nod_fail(err, NOD_EDATA, "%s: not like the images of the training part: %s", name,
                      b.data ? b.data : "");
    }
    nod_strbuf_done(&b);
    nod_strlist_done(&why);
    return rc;
}

/* --- fitting ------------------------------------------------------------------------------ */

static bool needs_clip(const nod_contract *k)
{
    return k->intensity == NOD_INTENSITY_CLIP && k->clip_by_dataset && !k->clip_fitted;
}

bool nod_contract_is_fitted(const nod_contract *k)
{
    return !needs_clip(k) && (k->normalisation != NOD_NORMALISATION_DATASET || k->fitted);
}

static int measure_clip(const nod_contract *k, const nod_image *im, nod_contract_sums *sums,
                        nod_error *err)
{
    nod_image work = {0};
    nod_image_statistics all;
    double range[2] = {0, 0};
    int rc = check_kind(k, im, err);
    if (!rc) rc = nod_contract_take(k, im, &work, err);
    if (!rc) rc = nod_image_measure(&work, k->clip, 2, &all, range, err);
    sums->clip_low = range[0];
    sums->clip_high = range[1];
    nod_image_done(&work);
    return rc;
}

int nod_contract_measure(const nod_contract *k, const nod_image *im, nod_contract_sums *out,
                         nod_error *err)
{
    nod_image work = {0};
    nod_contract_sums sums = {0};
    int rc = 0;
    nod_acceptance_measure(im, &sums.accepts);
    if (needs_clip(k)) {
        rc = measure_clip(k, im, &sums, err);
    } else if (!nod_contract_is_fitted(k)) {
        rc = prepare(k, im, &work, err);
        for (int c = 0; c < k->channels && rc == 0; c++)
            measure_channel(k, &work, c, &sums.n[c], &sums.mean[c], &sums.m2[c]);
    }
    if (rc == 0) *out = sums;
    nod_image_done(&work);
    return rc;
}

bool nod_contract_can_prepare(const nod_contract *k)
{
    return !needs_clip(k);
}

int nod_contract_prepare(const nod_contract *k, const nod_image *im, float *dst,
                         nod_contract_sums *out, nod_error *err)
{
    nod_image work = {0};
    NOD_ASSERT(nod_contract_can_prepare(k));
    int rc = prepare(k, im, &work, err);
    if (rc == 0) {
        *out = (nod_contract_sums){0};
        nod_acceptance_measure(im, &out->accepts);
        if (k->normalisation == NOD_NORMALISATION_DATASET)
            for (int c = 0; c < k->channels; c++)
                measure_channel(k, &work, c, &out->n[c], &out->mean[c], &out->m2[c]);
        normalise_alone(k, &work, dst);
    }
    nod_image_done(&work);
    return rc;
}

/* Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979, eq. 2.1. */
void nod_contract_merge(nod_contract_sums *into, const nod_contract_sums *of, int channels)
{
    into->clip_low += of->clip_low;
    into->clip_high += of->clip_high;
    nod_acceptance_merge(&into->accepts, &of->accepts);
    for (int c = 0; c < channels; c++) {
        double n = into->n[c] + of->n[c];
        if (of->n[c] == 0) continue;
        double d = of->mean[c] - into->mean[c];
        into->mean[c] += d * of->n[c] / n;
        into->m2[c] += of->m2[c] + d * d * into->n[c] * of->n[c] / n;
        into->n[c] = n;
    }
}

static int fit_clip(nod_contract *k, const nod_contract_sums *sums, nod_error *err)
{
    double n = (double)NOD_MAX(sums->accepts.n_images, 1);
    double low = sums->clip_low / n, high = sums->clip_high / n;
    if (!(high > low))
        return nod_fail(
            err, NOD_EDATA,
            "percentiles %g and %g of the training images are %g and %g on average: "
            "nothing lies between",
            k->clip[0], k->clip[1], low, high);
    k->clip_range[0] = low;
    k->clip_range[1] = high;
    k->clip_fitted = true;
    return 0;
}

int nod_contract_fit(nod_contract *k, const nod_contract_sums *sums, nod_error *err)
{
    if (sums->accepts.n_images > 0) k->accepts = sums->accepts;
    if (needs_clip(k)) return fit_clip(k, sums, err);
    if (k->normalisation != NOD_NORMALISATION_DATASET || k->fitted) return 0;
    double sd[NOD_CONTRACT_CHANNELS_MAX] = {0};
    for (int c = 0; c < k->channels; c++) {
        sd[c] = sums->n[c] > 0 ? sqrt(sums->m2[c] / sums->n[c]) : 0;
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
