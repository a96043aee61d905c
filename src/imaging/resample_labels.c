/* resample_labels.c: masks onto another grid, by the largest share of each label. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/resample.h"

static double label_at(const nod_image *im, int64_t n)
{
    switch (im->sample) {
    case NOD_SAMPLE_U8:
        return ((const uint8_t *)im->data)[n];
    case NOD_SAMPLE_U16:
        return ((const uint16_t *)im->data)[n];
    default:
        return (double)((const float *)im->data)[n];
    }
}

static void set_label(nod_image *im, int64_t n, double label)
{
    switch (im->sample) {
    case NOD_SAMPLE_U8:
        ((uint8_t *)im->data)[n] = (uint8_t)label;
        break;
    case NOD_SAMPLE_U16:
        ((uint16_t *)im->data)[n] = (uint16_t)label;
        break;
    default:
        ((float *)im->data)[n] = (float)label;
    }
}

/* The labels in ascending order; near-whole ones (scaled masks) are rounded. */
static int list_labels(const nod_image *im, double out[NOD_RESAMPLE_LABELS_MAX], size_t *n_out,
                       nod_error *err)
{
    size_t n = 0, at = 0;
    for (int64_t i = 0; i < nod_image_samples(im); i++) {
        double v = label_at(im, i), label = round(v);
        if (!(fabs(v - label) <= 1e-3))
            return nod_fail(err, NOD_EDATA, "%g is not a label: masks have whole numbers", v);
        if (n && out[at] == label) continue; /* runs of one label are the rule */
        for (at = 0; at < n && out[at] < label; at++)
            ;
        if (at < n && out[at] == label) continue;
        if (n == NOD_RESAMPLE_LABELS_MAX)
            return nod_fail(err, NOD_EDATA, "more than %d labels: this is an image, not a mask",
                            NOD_RESAMPLE_LABELS_MAX);
        memmove(out + at + 1, out + at, (n - at) * sizeof *out);
        out[at] = label;
        n++;
    }
    *n_out = n;
    return 0;
}

/* Adds the share of `label` to the contest. */
static int compete(const nod_image *im, double label, nod_image *indicator, nod_image *out,
                   float *best, nod_error *err)
{
    nod_image share = {0};
    float *v = indicator->data;
    for (int64_t i = 0; i < nod_image_samples(im); i++)
        v[i] = round(label_at(im, i)) == label;
    int rc = nod_image_resample(indicator, &out->geometry, NOD_INTERP_LINEAR, 0, &share, err);
    if (rc) return rc;
    for (int64_t i = 0; i < nod_image_samples(&share); i++) {
        float s = ((const float *)share.data)[i];
        if (!(s > best[i])) continue;
        best[i] = s;
        set_label(out, i, label);
    }
    nod_image_done(&share);
    return 0;
}

int nod_image_resample_labels(const nod_image *im, const nod_geometry *target, nod_image *out,
                              nod_error *err)
{
    double labels[NOD_RESAMPLE_LABELS_MAX];
    size_t n = 0;
    nod_image indicator = {0}, to = {0};
    float *best = NULL;
    int rc = 0;
    if (im->channels != 1)
        return nod_fail(err, NOD_EDATA, "a mask has one channel, not %d", im->channels);
    NOD_TRY(list_labels(im, labels, &n, err));
    /* Padding, geometry and facts, and the labels themselves where nothing is resampled. */
    NOD_TRY(nod_image_resample(im, target, NOD_INTERP_NEAREST, 0, &to, err));
    NOD_TRY(nod_image_init_frames(&indicator, im->frames, im->depth, im->height, im->width, 1,
                                  NOD_SAMPLE_F32, err));
    indicator.geometry = im->geometry;
    best = nod_calloc((size_t)nod_image_samples(&to), sizeof *best);
    if (!best) {
        rc = nod_fail_memory(err, "resampling a mask", (size_t)nod_image_samples(&to) * 4);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        NOD_TRY(compete(im, labels[i], &indicator, &to, best, err));
    *out = to;
    to = (nod_image){0};
out:
    nod_free(best);
    nod_image_done(&indicator);
    nod_image_done(&to);
    return rc;
}
