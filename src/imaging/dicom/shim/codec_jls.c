/* codec_jls.c: JPEG-LS (ISO 14495-1) with CharLS. */
#include <charls/charls.h>

#include "base/memory.h"
#include "imaging/dicom/shim/codec.h"

static int fail(const nod_codec_frame *f, charls_jpegls_errc why, nod_error *err)
{
    return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG-LS: %s", f->name,
                    (long long)f->i_frame, charls_get_error_message(why));
}

/* Plane after plane, as CharLS leaves components that were coded apart, to pixel after pixel. */
static void interleave(const uint8_t *planes, size_t n, int channels, size_t width,
                       uint8_t *out)
{
    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            for (size_t b = 0; b < width; b++)
                out[(i * (size_t)channels + (size_t)c) * width + b] =
                    planes[((size_t)c * n + i) * width + b];
}

/* CharLS writes 8 bits where they are enough; the header may want 16. */
static void widen(const uint8_t *from, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = from[i];
}

static int decode_with(charls_jpegls_decoder *d, const nod_codec_frame *f, const uint8_t *bytes,
                       size_t size, uint8_t *out, nod_error *err)
{
    charls_frame_info info;
    charls_interleave_mode mode;
    charls_jpegls_errc why;
    size_t n = (size_t)(f->rows * f->columns), n_all = n * (size_t)f->channels, need = 0;

    if ((why = charls_jpegls_decoder_set_source_buffer(d, bytes, size)) != 0 ||
        (why = charls_jpegls_decoder_read_header(d)) != 0 ||
        (why = charls_jpegls_decoder_get_frame_info(d, &info)) != 0 ||
        (why = charls_jpegls_decoder_get_interleave_mode(d, &mode)) != 0)
        return fail(f, why, err);
    int rc = nod_codec_check(f, "JPEG-LS", info.height, info.width, info.component_count,
                             info.bits_per_sample, err);
    if (rc != 0) return rc;
    if ((why = charls_jpegls_decoder_get_destination_size(d, 0, &need)) != 0)
        return fail(f, why, err);
    size_t width = info.bits_per_sample <= 8 ? 1 : 2, wanted = (size_t)f->bits_allocated / 8;
    if (wanted > 2)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: JPEG-LS in samples of %d bits", f->name,
                        f->bits_allocated);
    bool apart = mode == CHARLS_INTERLEAVE_MODE_NONE && f->channels > 1;
    uint8_t *to = out, *planes = NULL;
    if (apart || width != wanted) {
        planes = nod_malloc(need);
        if (planes == NULL) return nod_fail_memory(err, "a frame of JPEG-LS", need);
        to = planes;
    }
    if (need != n_all * width) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: frame %lld: JPEG-LS of %zu bytes, %zu expected",
                      f->name, (long long)f->i_frame, need, n_all * width);
        goto out;
    }
    why = charls_jpegls_decoder_decode_to_buffer(d, to, need, 0);
    if (why != 0) {
        rc = fail(f, why, err);
        goto out;
    }
    if (apart && width == wanted) interleave(planes, n, f->channels, width, out);
    if (width == wanted) goto out;
    if (apart) {
        rc = nod_fail(err, NOD_EUNSUPPORTED, "%s: JPEG-LS in planes of 8 bits in 16", f->name);
        goto out;
    }
    widen(planes, n_all, (uint16_t *)out);
out:
    nod_free(planes);
    return rc;
}

static int decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  bool *is_ybr, nod_error *err)
{
    charls_jpegls_decoder *d = charls_jpegls_decoder_create();

    if (d == NULL) return nod_fail_memory(err, "the JPEG-LS decoder", 0);
    int rc = decode_with(d, f, bytes, size, out, err);
    charls_jpegls_decoder_destroy(d);
    if (rc == 0) *is_ybr = f->is_ybr;
    return rc;
}

/* The first frame header is SOF55. */
static bool is(const uint8_t *b, size_t size)
{
    size_t at = 2;

    if (size < 4 || b[0] != 0xff || b[1] != 0xd8) return false;
    while (at + 4 <= size && b[at] == 0xff) {
        if (b[at + 1] == 0xf7) return true;
        if (b[at + 1] >= 0xc0 && b[at + 1] <= 0xcf && b[at + 1] != 0xc4 && b[at + 1] != 0xcc)
            return false;
        at += b[at + 1] == 0xff ? 1 : 2 + ((size_t)b[at + 2] << 8 | b[at + 3]);
    }
    return false;
}

const nod_codec nod_codec_jls = {"JPEG-LS", is, decode};
