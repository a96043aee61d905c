/* contract_take.c: which frames of an image, which channels, and in which scale. */
#include <string.h>

#include "base/memory.h"
#include "imaging/contract_internal.h"

/* How many frames of the image are looked at. */
static int count_frames(const nod_contract *k, const nod_image *im, int64_t *out,
                        nod_error *err)
{
    *out = k->frames == NOD_FRAMES_MEAN || k->frames == NOD_FRAMES_ALL ? im->frames : 1;
    if (k->frames == NOD_FRAMES_ONE && im->frames != 1)
        return nod_fail(err, NOD_EDATA,
                        "%lld frames along the axis '%s'; say which in the recipe: input: "
                        "{frames: first}, mean, or all (each a channel)",
                        (long long)im->frames, nod_axis_name(im->facts.axis));
    if (k->frames == NOD_FRAMES_ALL && im->frames != k->channels)
        return nod_fail(err, NOD_EDATA,
                        "%lld frames along the axis '%s' where the recipe's input has %d "
                        "channels for them",
                        (long long)im->frames, nod_axis_name(im->facts.axis), k->channels);
    return 0;
}

/* Voxel n of a frame goes to every plane that is made of it. */
static int take_padding(const nod_image *seen, int64_t planes, nod_image *out, nod_error *err)
{
    int64_t n_frame = out->depth * out->height * out->width;
    if (!seen->padding) return 0;
    for (int64_t i = 0; i < nod_image_voxels(seen); i++) {
        if (!nod_image_is_padding(seen, i)) continue;
        for (int64_t p = 0; p < planes; p++) {
            int rc = nod_image_set_padding(
                out, (i / n_frame * planes + p) * n_frame + i % n_frame, err);
            if (rc) return rc;
        }
    }
    return 0;
}

/* The mean over frames of each plane; padding is what is padding in all of them. */
static int average(const nod_image *all, int64_t frames, int64_t planes, nod_image *out,
                   nod_error *err)
{
    int64_t n = planes * all->depth * all->height * all->width;
    const float *src = all->data;
    float *dst = out->data;
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        int64_t n_padding = 0;
        for (int64_t f = 0; f < frames; f++) {
            sum += (double)src[f * n + i];
            n_padding += nod_image_is_padding(all, f * n + i);
        }
        dst[i] = (float)(sum / (double)frames);
        int rc = n_padding == frames ? nod_image_set_padding(out, i, err) : 0;
        if (rc) return rc;
    }
    return 0;
}

static int new_work(const nod_image *im, int64_t planes, nod_image *out, nod_error *err)
{
    int rc = nod_image_init_frames(out, planes, im->depth, im->height, im->width, 1,
                                   NOD_SAMPLE_F32, err);
    if (rc) return rc;
    out->geometry = im->geometry;
    return 0;
}

int nod_contract_take(const nod_contract *k, const nod_image *im, nod_image *out,
                      nod_error *err)
{
    nod_image seen = *im, all = {0}, mean = {0}; /* seen: borrowed */
    int64_t frames = 1, planes = k->frames == NOD_FRAMES_ALL ? 1 : k->channels;
    int rc = 0;
    NOD_TRY(count_frames(k, im, &frames, err));
    seen.frames = frames;
    NOD_TRY(new_work(im, frames * planes, &all, err));
    NOD_TRY(nod_image_to_f32(&seen, (int)planes, all.data, err));
    bool stored = k->scaling == NOD_SCALING_STORED || k->intensity != NOD_INTENSITY_ALL;
    if (stored && im->sample != NOD_SAMPLE_F32) {
        float largest = im->sample == NOD_SAMPLE_U8 ? 255.0f : 65535.0f, *v = all.data;
        for (int64_t i = 0; i < nod_image_samples(&all); i++)
            v[i] *= largest;
    }
    NOD_TRY(take_padding(&seen, planes, &all, err));
    if (k->frames == NOD_FRAMES_MEAN && frames > 1) {
        NOD_TRY(new_work(im, planes, &mean, err));
        NOD_TRY(average(&all, frames, planes, &mean, err));
        nod_image_done(&all);
        all = mean;
        mean = (nod_image){0};
    }
    *out = all;
    all = (nod_image){0};
out:
    nod_image_done(&all);
    nod_image_done(&mean);
    return rc;
}
