/* mask.c: samples are looked at once for what they are, then copied into the smallest type. */
#include "data/mask.h"

#include <math.h>

#include "data/cohort.h"
#include "imaging/reader.h"

static int check_shape(const nod_image *im, const char *path, nod_error *err)
{
    if (im->channels != 1)
        return nod_fail(err, NOD_EDATA,
                        "%s: a label map has one value a voxel, this has %d (save it "
                        "as grey levels)",
                        path, im->channels);
    if (im->frames != 1)
        return nod_fail(err, NOD_EDATA,
                        "%s: a label map has no fourth axis, this has %lld frames", path,
                        (long long)im->frames);
    return 0;
}

/* The largest value, and whether all are 0 or 255. */
static int check_values(const nod_image *im, const char *path, double *largest, bool *picture,
                        nod_error *err)
{
    double top = 0;
    *picture = true;
    for (int64_t k = 0; k < nod_image_samples(im); k++) {
        double v = nod_image_value(im, k);
        if (!(v >= 0) || v != floor(v))
            return nod_fail(err, NOD_EDATA,
                            "%s: voxel %lld is %g; label maps hold whole numbers from 0", path,
                            (long long)k, v);
        if (v > top) top = v;
        *picture = *picture && (v == 0 || v == 255);
    }
    if (top >= NOD_COHORT_MAX_CLASSES)
        return nod_fail(err, NOD_EDATA, "%s: has the value %g; a label map has %d at most",
                        path, top, NOD_COHORT_MAX_CLASSES - 1);
    *picture = *picture && top == 255;
    *largest = *picture ? 1 : top;
    return 0;
}

static int to_whole(const nod_image *im, double largest, bool picture, nod_image *out,
                    nod_error *err)
{
    nod_image whole = {0};
    nod_sample sample = largest > 255 ? NOD_SAMPLE_U16 : NOD_SAMPLE_U8;
    int rc = nod_image_init(&whole, im->depth, im->height, im->width, 1, sample, err);
    if (rc) return rc;
    whole.geometry = im->geometry;
    whole.facts = im->facts;
    for (int64_t k = 0; k < nod_image_samples(im); k++) {
        double v = nod_image_value(im, k);
        if (picture && v > 0) v = 1;
        if (sample == NOD_SAMPLE_U8)
            ((uint8_t *)whole.data)[k] = (uint8_t)v;
        else
            ((uint16_t *)whole.data)[k] = (uint16_t)v;
    }
    *out = whole;
    return 0;
}

int nod_mask_read(const char *path, const nod_policies *policies, nod_image *out,
                  int64_t *largest, nod_error *err)
{
    nod_image im = {0};
    double top = 0;
    bool picture = false;
    int rc = 0;
    NOD_TRY(nod_image_read(path, policies, NULL, &im, err));
    NOD_TRY(check_shape(&im, path, err));
    NOD_TRY(check_values(&im, path, &top, &picture, err));
    rc = to_whole(&im, top, picture, out, err);
    if (rc) {
        nod_error_prefix(err, "%s", path);
        goto out;
    }
    *largest = (int64_t)top;
out:
    nod_image_done(&im);
    return rc;
}
