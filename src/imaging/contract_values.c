/* contract_values.c: windows and clips. */
#include <math.h>
#include <string.h>

#include "imaging/contract_internal.h"
#include "imaging/statistics.h"

static int find_range(const nod_contract *k, const nod_image *im, const nod_image *work,
                      double range[2], nod_error *err)
{
    if (k->intensity == NOD_INTENSITY_WINDOW) {
        bool silent = im->facts.units == NOD_UNITS_NONE && !im->facts.modality[0];
        if (im->facts.units != NOD_UNITS_HU && !(silent && k->takes_hu))
            return nod_fail(
                err, NOD_EDATA,
                "the recipe's window is in Hounsfield units, the image's values are "
                "not known to be%s",
                silent ? "; input: {units: hu} says so of files that cannot"
                       : "; use clip for other modalities");
        range[0] = k->window[0] - k->window[1] / 2;
        range[1] = k->window[0] + k->window[1] / 2;
    } else if (k->clip_by_dataset) {
        if (!k->clip_fitted)
            return nod_fail(err, NOD_EINVAL, "the input's clip_range is not fitted yet");
        memcpy(range, k->clip_range, sizeof k->clip_range);
    } else {
        nod_image_statistics all;
        return nod_image_measure(work, k->clip, 2, &all, range, err);
    }
    return 0;
}

int nod_contract_map_values(const nod_contract *k, const nod_image *im, nod_image *work,
                            nod_error *err)
{
    double range[2] = {0, 0};
    float *v = work->data;
    if (k->intensity == NOD_INTENSITY_ALL) return 0;
    int rc = find_range(k, im, work, range, err);
    if (rc) return rc;
    double width = range[1] - range[0];
    for (int64_t i = 0; i < nod_image_samples(work); i++) {
        double x = width > 0 ? ((double)v[i] - range[0]) / width : 0;
        if (!isnan(x)) v[i] = (float)fmin(fmax(x, 0), 1); /* NaN is told to the caller */
    }
    return 0;
}
