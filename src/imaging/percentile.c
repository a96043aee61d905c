/* percentile.c: order statistics without sorting: floats are mapped to integers of the same order, and
 * three histograms of 11, 11 and 10 bits narrow the rank down to one value. */
#include "imaging/percentile.h"

#include <math.h>
#include <string.h>

#define BINS 2048

/* Ascending with the float; equal zeros differ, which no rank can tell. */
static uint32_t key_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static float value_of(uint32_t key)
{
    uint32_t bits = key >> 31 ? key & 0x7fffffffu : ~key;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Value number `rank` from 0 of those that are not padding. */
static double select_rank(const nod_image *work, int64_t rank)
{
    static const int shifts[] = {21, 10, 0};
    const float *v = work->data;
    uint32_t prefix = 0, mask = 0;
    for (int pass = 0; pass < 3; pass++) {
        int64_t histogram[BINS] = {0};
        uint32_t bins = pass == 2 ? BINS / 2 : BINS, bin = 0;
        for (int64_t i = 0; i < nod_image_samples(work); i++) {
            uint32_t key = key_of(v[i]);
            if ((key & mask) == prefix && !nod_image_is_padding(work, i))
                histogram[key >> shifts[pass] & (bins - 1)]++;
        }
        while (bin + 1 < bins && rank >= histogram[bin])
            rank -= histogram[bin++];
        prefix |= bin << shifts[pass];
        mask |= (bins - 1) << shifts[pass];
    }
    return (double)value_of(prefix);
}

/* The definition of numpy's percentile (linear). */
void nod_image_percentiles(const nod_image *work, const double percent[2], double out[2])
{
    int64_t n = 0;
    for (int64_t i = 0; i < nod_image_samples(work); i++)
        n += !nod_image_is_padding(work, i);
    for (int k = 0; k < 2; k++) {
        double at = percent[k] / 100 * (double)(n - 1), low = floor(at);
        out[k] = 0;
        if (n == 0) continue;
        out[k] = select_rank(work, (int64_t)low);
        if (at > low) out[k] += (at - low) * (select_rank(work, (int64_t)low + 1) - out[k]);
    }
}
