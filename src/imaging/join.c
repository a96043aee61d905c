/* join.c: parts are checked against the first, then copied one behind the other. */
#include "imaging/join.h"

#include <string.h>

static int check_part(const nod_image *first, const char *name_first, const nod_image *part,
                      const char *name, nod_error *err)
{
    if (part->frames != 1)
        return nod_fail(err, NOD_EDATA, "%s: has %lld frames; a file of one channel has one",
                        name, (long long)part->frames);
    if (part->channels != first->channels)
        return nod_fail(err, NOD_EDATA, "%s: has %d values a voxel, %s has %d", name,
                        part->channels, name_first, first->channels);
    return nod_geometry_agree(&first->geometry, name_first, &part->geometry, name, err);
}

/* The type of all parts; of different ones f32, which holds every sample exactly. */
static nod_sample common_sample(const nod_image *parts, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (parts[i].sample != parts[0].sample) return NOD_SAMPLE_F32;
    return parts[0].sample;
}

static void copy_samples(nod_image *out, size_t frame, const nod_image *part)
{
    size_t n = (size_t)nod_image_samples(part);
    if (out->sample == part->sample) {
        size_t bytes = nod_image_bytes(part);
        memcpy((char *)out->data + frame * bytes, part->data, bytes);
        return;
    }
    float *to = (float *)out->data + frame * n;
    for (size_t k = 0; k < n; k++)
        to[k] = (float)nod_image_value(part, (int64_t)k);
}

static int copy_padding(nod_image *out, size_t frame, const nod_image *part, nod_error *err)
{
    int64_t n = nod_image_voxels(part);
    int rc = 0;
    for (int64_t v = 0; part->padding && v < n && rc == 0; v++)
        if (nod_image_is_padding(part, v))
            rc = nod_image_set_padding(out, (int64_t)frame * n + v, err);
    return rc;
}

int nod_image_join(const nod_image *parts, const char *const *names, size_t n, nod_image *out,
                   nod_error *err)
{
    const nod_image *first = &parts[0];
    nod_image im = {0};
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        NOD_TRY(check_part(first, names[0], &parts[i], names[i], err));
    NOD_TRY(nod_image_init_frames(&im, (int64_t)n, first->depth, first->height, first->width,
                                  first->channels, common_sample(parts, n), err));
    im.geometry = first->geometry;
    im.facts = first->facts;
    im.facts.axis = n > 1 ? NOD_AXIS_CHANNEL : NOD_AXIS_NONE;
    for (size_t i = 0; i < n; i++) {
        copy_samples(&im, i, &parts[i]);
        NOD_TRY(copy_padding(&im, i, &parts[i], err));
    }
    *out = im;
    im = (nod_image){0};
out:
    nod_image_done(&im);
    return rc;
}
