/* image.c: images in memory, and what their pixels are taken to mean. */
#include "imaging/image.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

#define HASH_CHUNK 4096 /* samples turned at a time */

static const size_t sample_size[] = {
    [NOD_SAMPLE_U8] = 1, [NOD_SAMPLE_U16] = 2, [NOD_SAMPLE_F32] = 4};

/* --- life ------------------------------------------------------------------------------- */

int nod_image_init_frames(nod_image *im, int64_t frames, int64_t depth, int64_t height,
                          int64_t width, int channels, nod_sample sample, nod_error *err)
{
    const int64_t side[] = {frames, depth, height, width};
    bool is_too_large = false;
    for (size_t i = 0; i < NOD_COUNT(side); i++)
        if (side[i] < 1 || channels < 1 || channels > 4)
            return nod_fail(err, NOD_ESHAPE,
                            "image of %lld frames of %lld x %lld x %lld with %d channels",
                            (long long)frames, (long long)depth, (long long)height,
                            (long long)width, channels);
    for (size_t i = 0; i < NOD_COUNT(side); i++)
        is_too_large = is_too_large || side[i] > NOD_IMAGE_MAX_SIDE;
    if (is_too_large || width * height > NOD_IMAGE_MAX_SAMPLES / channels / depth / frames)
        return nod_fail(err, NOD_ELIMIT,
                        "image of %lld frames of %lld x %lld x %lld with %d channels is too "
                        "large; the limits are %d a side and %lld samples",
                        (long long)frames, (long long)depth, (long long)height,
                        (long long)width, channels, NOD_IMAGE_MAX_SIDE,
                        (long long)NOD_IMAGE_MAX_SAMPLES);
    size_t count = (size_t)(frames * depth * height * width * channels);
    void *data = nod_calloc_large(count, sample_size[sample]);
    if (data == NULL) return nod_fail_memory(err, "an image", count * sample_size[sample]);
    *im = (nod_image){.frames = frames,
                      .depth = depth,
                      .height = height,
                      .width = width,
                      .channels = channels,
                      .sample = sample,
                      .data = data,
                      .geometry = nod_geometry_unknown(width, height, depth),
                      .facts.axis = frames > 1 ? NOD_AXIS_UNNAMED : NOD_AXIS_NONE};
    return 0;
}

int nod_image_init(nod_image *im, int64_t depth, int64_t height, int64_t width, int channels,
                   nod_sample sample, nod_error *err)
{
    return nod_image_init_frames(im, 1, depth, height, width, channels, sample, err);
}

void nod_image_done(nod_image *im)
{
    nod_free(im->data);
    nod_free(im->padding);
    *im = (nod_image){0};
}

int64_t nod_image_voxels(const nod_image *im)
{
    return im->frames * im->depth * im->height * im->width;
}

int64_t nod_image_samples(const nod_image *im)
{
    return nod_image_voxels(im) * im->channels;
}

int nod_image_set_padding(nod_image *im, int64_t n, nod_error *err)
{
    size_t size = (size_t)(nod_image_voxels(im) + 7) / 8;
    if (im->padding == NULL && (im->padding = nod_calloc(size, 1)) == NULL)
        return nod_fail_memory(err, "which voxels are padding", size);
    im->padding[n >> 3] = (uint8_t)(im->padding[n >> 3] | 1 << (n & 7));
    return 0;
}

const char *nod_axis_name(nod_axis axis)
{
    static const char *const names[NOD_AXES] = {[NOD_AXIS_NONE] = "none",
                                                [NOD_AXIS_UNNAMED] = "unnamed",
                                                [NOD_AXIS_TIME] = "time",
                                                [NOD_AXIS_TRIGGER] = "trigger",
                                                [NOD_AXIS_ACQUISITION] = "acquisition",
                                                [NOD_AXIS_ECHO] = "echo",
                                                [NOD_AXIS_DIFFUSION] = "diffusion",
                                                [NOD_AXIS_COMPONENT] = "component",
                                                [NOD_AXIS_STACK] = "stack",
                                                [NOD_AXIS_CHANNEL] = "channel"};
    return names[axis];
}

size_t nod_image_bytes(const nod_image *im)
{
    return (size_t)nod_image_samples(im) * sample_size[im->sample];
}

/* --- identity --------------------------------------------------------------------------- */

static bool has_alpha(const nod_image *im)
{
    return im->channels == 2 || im->channels == 4;
}

static bool is_opaque(const nod_image *im)
{
    size_t n = (size_t)nod_image_samples(im), step = (size_t)im->channels;
    double full = im->sample == NOD_SAMPLE_U8 ? 255 : im->sample == NOD_SAMPLE_U16 ? 65535 : 1;
    for (size_t k = step - 1; k < n; k += step)
        if (nod_image_value(im, (int64_t)k) != full) return false;
    return true;
}

static bool is_grey(const nod_image *im)
{
    size_t n = (size_t)nod_image_samples(im), step = (size_t)im->channels;
    for (size_t k = 0; k < n; k += step)
        if (nod_image_value(im, (int64_t)k) != nod_image_value(im, (int64_t)(k + 1)) ||
            nod_image_value(im, (int64_t)k) != nod_image_value(im, (int64_t)(k + 2)))
            return false;
    return true;
}

static bool is_narrow(const nod_image *im)
{
    size_t n = (size_t)nod_image_samples(im);
    const uint16_t *p = im->data;
    if (im->sample != NOD_SAMPLE_U16) return false;
    for (size_t k = 0; k < n; k++)
        if (p[k] % 257 != 0) return false;
    return true;
}

int nod_image_pixel_hash(const nod_image *im, char out[65], nod_error *err)
{
    bool alpha = has_alpha(im) && !is_opaque(im);
    bool grey = im->channels < 3 || is_grey(im);
    bool narrow = is_narrow(im);
    nod_sample sample = narrow ? NOD_SAMPLE_U8 : im->sample;
    int n_colours = grey ? 1 : 3, channels = n_colours + (alpha ? 1 : 0);

    nod_sha256 *h;
    int rc = nod_sha256_new(&h, err);
    if (rc != 0) return rc;
    const int64_t head[] = {im->depth, im->height, im->width, channels, (int64_t)sample};
    nod_sha256_add_str(h, "nodule pixels 1");
    for (size_t i = 0; i < NOD_COUNT(head); i++)
        nod_sha256_add_i64(h, head[i]);
    if (im->frames > 1) nod_sha256_add_i64(h, im->frames);

    uint8_t chunk[HASH_CHUNK * 4];
    size_t n_pixels = (size_t)nod_image_voxels(im), filled = 0;
    size_t size_in = sample_size[im->sample], size_out = sample_size[sample];
    for (size_t i = 0; i < n_pixels; i++) {
        for (int c = 0; c < channels; c++) {
            int from = c < n_colours ? c : im->channels - 1;
            const uint8_t *p =
                (const uint8_t *)im->data + (i * (size_t)im->channels + (size_t)from) * size_in;
            memcpy(chunk + filled, p, size_out); /* of v * 257 either byte is v */
            filled += size_out;
        }
        if (filled > sizeof chunk - 16 || i + 1 == n_pixels) {
            nod_sha256_add(h, chunk, filled);
            filled = 0;
        }
    }
    nod_sha256_hex(h, out);
    nod_sha256_free(h);
    return 0;
}

int nod_image_is_constant(const nod_image *im)
{
    size_t n_pixels = (size_t)nod_image_voxels(im);
    size_t n_pixel = nod_image_bytes(im) / n_pixels;
    const uint8_t *p = im->data;
    for (size_t i = 1; i < n_pixels; i++)
        if (memcmp(p, p + i * n_pixel, n_pixel) != 0) return 0;
    return 1;
}

/* --- to floats -------------------------------------------------------------------------- */

/* Grey of one pixel; equal channels give exactly their value, as the same grey file would. */
static double luma(double r, double g, double b)
{
    if (r == g && g == b) return r;
    return 0.299 * r + 0.587 * g + 0.114 * b;
}

int nod_image_to_f32(const nod_image *im, int channels_out, float *dst, nod_error *err)
{
    if (channels_out != 1 && channels_out != 3)
        return nod_fail(err, NOD_EINVAL, "an image becomes 1 or 3 channels, not %d",
                        channels_out);
    size_t n = (size_t)(im->depth * im->height * im->width), step = (size_t)im->channels;
    size_t n_all = n * (size_t)im->frames;
    double full = im->sample == NOD_SAMPLE_U8 ? 255 : im->sample == NOD_SAMPLE_U16 ? 65535 : 1;
    bool alpha = has_alpha(im), colour = im->channels >= 3;
    for (size_t i = 0; i < n_all; i++) {
        size_t k = i * step;
        float *to = dst + i % n + i / n * n * (size_t)channels_out;
        double r = nod_image_value(im, (int64_t)k) / full;
        double g = colour ? nod_image_value(im, (int64_t)(k + 1)) / full : r;
        double b = colour ? nod_image_value(im, (int64_t)(k + 2)) / full : r;
        if (alpha) { /* composited on black */
            double a = nod_image_value(im, (int64_t)(k + step - 1)) / full;
            r *= a;
            g *= a;
            b *= a;
        }
        if (channels_out == 1) {
            to[0] = (float)luma(r, g, b);
        } else {
            to[0] = (float)r;
            to[n] = (float)g;
            to[2 * n] = (float)b;
        }
    }
    return 0;
}
