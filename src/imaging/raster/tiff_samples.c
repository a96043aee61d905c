/* tiff_samples.c: from the samples of a TIFF page to those of a nod_image.
 *
 * 8- and 16-bit unsigned integers stay; 1, 2 and 4 bits are stretched to 8; a palette is
 * expanded to 8-bit RGB; signed and 32-bit integers and doubles become f32, as long as that is
 * exact for the integers. Where 0 is white, integers are inverted. */
#include "imaging/raster/tiff_samples.h"

#include <string.h>

#include "base/memory.h"

#define FAIL_PAGE(code, ...) fail_page(err, code, name, i_page, __VA_ARGS__)
#define F32_EXACT            (1 << 24)

NOD_PRINTF(5, 6)
static int fail_page(nod_error *err, int code, const char *name, int64_t i_page,
                     const char *fmt, ...)
{
    char what[256];
    va_list list;
    va_start(list, fmt);
    vsnprintf(what, sizeof what, fmt, list);
    va_end(list);
    return nod_fail(err, code, "%s: TIFF page %lld: %s", name, (long long)i_page + 1, what);
}

static int read_sample_form(nod_tiff_page *p, const char *name, int64_t i_page, nod_error *err)
{
    bool integer = p->format == SAMPLEFORMAT_UINT || p->format == SAMPLEFORMAT_INT ||
                   p->format == SAMPLEFORMAT_VOID;
    if (p->format == SAMPLEFORMAT_VOID) p->format = SAMPLEFORMAT_UINT;
    if (p->format == SAMPLEFORMAT_IEEEFP && (p->bits == 32 || p->bits == 64))
        p->sample = NOD_SAMPLE_F32;
    else if (integer && p->format == SAMPLEFORMAT_UINT &&
             (p->bits == 1 || p->bits == 2 || p->bits == 4 || p->bits == 8))
        p->sample = NOD_SAMPLE_U8;
    else if (integer && p->format == SAMPLEFORMAT_UINT && p->bits == 16)
        p->sample = NOD_SAMPLE_U16;
    else if (integer && (p->bits == 8 || p->bits == 16 || p->bits == 32))
        p->sample = NOD_SAMPLE_F32;
    else
        return FAIL_PAGE(NOD_EUNSUPPORTED,
                         "samples of %d bit in format %d are not read; save 8 or 16 bit or f32",
                         p->bits, p->format);
    return 0;
}

static int read_colours(nod_tiff_page *p, TIFF *tif, bool is_jpeg, const char *name,
                        int64_t i_page, nod_error *err)
{
    uint16_t photometric = PHOTOMETRIC_MINISBLACK, n_extra = 0, *extra = NULL, *map[3];
    if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &photometric) && p->n_samples >= 3)
        photometric = PHOTOMETRIC_RGB;
    TIFFGetFieldDefaulted(tif, TIFFTAG_EXTRASAMPLES, &n_extra, &extra);
    if (photometric == PHOTOMETRIC_YCBCR && is_jpeg) photometric = PHOTOMETRIC_RGB;
    p->inverted = photometric == PHOTOMETRIC_MINISWHITE;
    p->palette = photometric == PHOTOMETRIC_PALETTE;
    if (photometric != PHOTOMETRIC_RGB && photometric > PHOTOMETRIC_PALETTE)
        return FAIL_PAGE(NOD_EUNSUPPORTED,
                         "colours of photometric type %u are not read; save grey or RGB",
                         photometric);
    p->channels = photometric == PHOTOMETRIC_RGB ? 3 : 1;
    if (p->n_samples < p->channels)
        return FAIL_PAGE(NOD_EFORMAT, "%d samples a pixel are too few for its colours",
                         p->n_samples);
    if (p->n_samples > p->channels && n_extra > 0 && !p->palette &&
        (extra[0] == EXTRASAMPLE_ASSOCALPHA || extra[0] == EXTRASAMPLE_UNASSALPHA)) {
        p->premultiplied = extra[0] == EXTRASAMPLE_ASSOCALPHA;
        p->channels++;
    }
    if (p->inverted && (p->sample == NOD_SAMPLE_F32 || p->channels != 1))
        return FAIL_PAGE(NOD_EUNSUPPORTED, "0 is white, but samples are no plain integers");
    if (!p->palette) return 0;
    if (p->sample != NOD_SAMPLE_U8 || p->separate)
        return FAIL_PAGE(NOD_EUNSUPPORTED, "a palette with indices of %d bit is not read",
                         p->bits);
    if (!TIFFGetField(tif, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]))
        return FAIL_PAGE(NOD_EFORMAT, "the palette is missing");
    p->channels = 3;
    for (int c = 0; c < 3; c++)
        p->map[c] = map[c];
    return 0;
}

int nod_tiff_read_form(nod_tiff_page *p, TIFF *tif, bool is_jpeg, const char *name,
                       int64_t i_page, nod_error *err)
{
    uint16_t n_samples, bits, format, planar;
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &n_samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &planar);
    if (n_samples == 0 || n_samples > 16)
        return FAIL_PAGE(NOD_ELIMIT, "%u samples a pixel; 1 to 16 are read", n_samples);
    p->n_samples = n_samples;
    p->bits = bits;
    p->format = format;
    p->separate = planar == PLANARCONFIG_SEPARATE && n_samples > 1;
    int rc = read_sample_form(p, name, i_page, err);
    return rc != 0 ? rc : read_colours(p, tif, is_jpeg, name, i_page, err);
}

/* --- samples ---------------------------------------------------------------------------- */

/* Sample k of a row of 1, 2, 4 or 8 bits a sample. */
static unsigned small_sample(const uint8_t *row, size_t k, unsigned bits)
{
    size_t at = k * bits;
    return ((unsigned)row[at / 8] >> (8 - bits - at % 8)) & ((1u << bits) - 1);
}

static void put_u8(const nod_tiff_page *p, const uint8_t *row, size_t k, size_t step, size_t n,
                   uint8_t *dst, size_t step_dst)
{
    unsigned bits = (unsigned)p->bits, scale = 255 / ((1u << bits) - 1);
    unsigned flip = p->inverted ? 255 : 0;
    for (size_t i = 0; i < n; i++, k += step)
        dst[i * step_dst] = (uint8_t)((small_sample(row, k, bits) * scale) ^ flip);
}

static void put_palette(const nod_tiff_page *p, const uint8_t *row, size_t k, size_t step,
                        size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i++, k += step) {
        unsigned v = small_sample(row, k, (unsigned)p->bits);
        for (int c = 0; c < 3; c++)
            *dst++ = (uint8_t)(p->map[c][v] >> 8);
    }
}

static void put_u16(const nod_tiff_page *p, const uint8_t *row, size_t k, size_t step, size_t n,
                    uint16_t *dst, size_t step_dst)
{
    for (size_t i = 0; i < n; i++, k += step) {
        uint16_t v;
        memcpy(&v, row + k * sizeof v, sizeof v);
        dst[i * step_dst] = p->inverted ? (uint16_t)(UINT16_MAX - v) : v;
    }
}

/* One sample of any form that becomes f32. */
static double wide_sample(const nod_tiff_page *p, const uint8_t *row, size_t k)
{
    const uint8_t *at = row + k * (size_t)(p->bits / 8);
    union {
        int8_t i8;
        int16_t i16;
        int32_t i32;
        uint32_t u32;
        float f32;
        double f64;
    } v;
    memcpy(&v, at, (size_t)(p->bits / 8));
    if (p->format == SAMPLEFORMAT_IEEEFP) return p->bits == 32 ? (double)v.f32 : v.f64;
    if (p->format == SAMPLEFORMAT_UINT) return v.u32;
    return p->bits == 8 ? v.i8 : p->bits == 16 ? v.i16 : v.i32;
}

/* Doubles beyond f32 become infinite, as in any conversion; integers must fit. */
static bool put_f32(const nod_tiff_page *p, const uint8_t *row, size_t k, size_t step, size_t n,
                    float *dst, size_t step_dst)
{
    bool exact = true;
    for (size_t i = 0; i < n; i++, k += step) {
        double v = wide_sample(p, row, k);
        if (p->format != SAMPLEFORMAT_IEEEFP && (v > F32_EXACT || v < -F32_EXACT))
            exact = false;
        dst[i * step_dst] = (float)v;
    }
    return exact;
}

bool nod_tiff_put_channel(const nod_tiff_page *p, const uint8_t *row, size_t first_src,
                          size_t step_src, size_t n, nod_image *im, size_t first_dst)
{
    size_t step_dst = (size_t)im->channels;
    switch (p->sample) {
    case NOD_SAMPLE_U8:
        if (p->palette)
            put_palette(p, row, first_src, step_src, n, (uint8_t *)im->data + first_dst);
        else
            put_u8(p, row, first_src, step_src, n, (uint8_t *)im->data + first_dst, step_dst);
        return true;
    case NOD_SAMPLE_U16:
        put_u16(p, row, first_src, step_src, n, (uint16_t *)im->data + first_dst, step_dst);
        return true;
    case NOD_SAMPLE_F32:
        return put_f32(p, row, first_src, step_src, n, (float *)im->data + first_dst, step_dst);
    }
    return true;
}

/* --- whole pages ------------------------------------------------------------------------ */

/* Colour times alpha back to colour; where alpha is 0 nothing is known and it stays. */
static void divide_alpha(nod_image *im, size_t first, size_t n_pixels)
{
    size_t channels = (size_t)im->channels, n_colours = channels - 1;
    for (size_t i = first; i < first + n_pixels; i++)
        for (size_t c = 0; c < n_colours; c++) {
            size_t k = i * channels + c, a = i * channels + n_colours;
            if (im->sample == NOD_SAMPLE_U8) {
                uint8_t *d = im->data;
                if (d[a] > 0) d[k] = (uint8_t)NOD_MIN(255u, 255u * d[k] / d[a]);
            } else if (im->sample == NOD_SAMPLE_U16) {
                uint16_t *d = im->data;
                if (d[a] > 0) d[k] = (uint16_t)NOD_MIN(65535u, 65535u * d[k] / d[a]);
            } else {
                float *d = im->data;
                if (d[a] > 0) d[k] /= d[a];
            }
        }
}

static void swap_blocks(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

void nod_tiff_finish_page(const nod_tiff_page *p, nod_image *im, int64_t i_page)
{
    size_t width = (size_t)im->width, height = (size_t)im->height;
    size_t n_pixel = nod_image_bytes(im) / ((size_t)im->depth * width * height);
    size_t n_row = n_pixel * width;
    uint8_t *page = (uint8_t *)im->data + (size_t)i_page * height * n_row;
    if (p->premultiplied) divide_alpha(im, (size_t)i_page * width * height, width * height);
    for (size_t y = 0; p->flip_y && y < height / 2; y++)
        swap_blocks(page + y * n_row, page + (height - 1 - y) * n_row, n_row);
    for (size_t y = 0; p->flip_x && y < height; y++)
        for (size_t x = 0; x < width / 2; x++)
            swap_blocks(page + y * n_row + x * n_pixel,
                        page + y * n_row + (width - 1 - x) * n_pixel, n_pixel);
}
