/* codec_rle.c: RLE of PS3.5 G: a header of segment offsets, then each byte of the samples as a
 * plane of its own, most significant first, packed by PackBits. */
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/shim/codec.h"

#define HEADER_BYTES 64
#define SEGMENTS_MAX 15

static uint32_t little32(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Unpacks n bytes to out[0], out[step] ...; bytes that are left over are padding. Returns how many
 * were there. */
static size_t unpack(const uint8_t *b, size_t size, uint8_t *out, size_t step, size_t n)
{
    size_t at = 0, done = 0;

    while (at < size && done < n) {
        int8_t code = (int8_t)b[at++];
        if (code >= 0) {
            size_t count = (size_t)code + 1;
            if (count > size - at) count = size - at;
            if (count > n - done) count = n - done;
            for (size_t i = 0; i < count; i++)
                out[(done + i) * step] = b[at + i];
            at += (size_t)code + 1;
            done += count;
        } else if (code != -128) {
            size_t count = (size_t)(1 - code);
            if (at >= size) break;
            if (count > n - done) count = n - done;
            for (size_t i = 0; i < count; i++)
                out[(done + i) * step] = b[at];
            at++;
            done += count;
        }
    }
    return done;
}

static int decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  bool *is_ybr, nod_error *err)
{
    size_t width = (size_t)f->bits_allocated / 8, n = (size_t)(f->rows * f->columns);
    size_t n_segments = width * (size_t)f->channels;
    size_t n_promised = size >= HEADER_BYTES ? little32(bytes) : 0;

    if (n_promised != n_segments || n_segments > SEGMENTS_MAX)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: frame %lld: RLE of %zu segments where %d channels of %d bits need "
                        "%zu",
                        f->name, (long long)f->i_frame, n_promised, f->channels,
                        f->bits_allocated, n_segments);
    for (size_t s = 0; s < n_segments; s++) {
        size_t from = little32(bytes + 4 + 4 * s);
        size_t to = s + 1 < n_segments ? little32(bytes + 8 + 4 * s) : size;
        size_t channel = s / width, byte = width - 1 - s % width;
        if (from < HEADER_BYTES || from > to || to > size)
            return nod_fail(err, NOD_EFORMAT,
                            "%s: frame %lld: RLE segment %zu from byte %zu to %zu of %zu",
                            f->name, (long long)f->i_frame, s, from, to, size);
        uint8_t *plane = (uint8_t *)out + channel * width + byte;
        size_t got = unpack(bytes + from, to - from, plane, width * (size_t)f->channels, n);
        if (got != n)
            return nod_fail(err, NOD_EFORMAT,
                            "%s: frame %lld: RLE segment %zu ends after %zu of %zu samples",
                            f->name, (long long)f->i_frame, s, got, n);
    }
    *is_ybr = f->is_ybr;
    return 0;
}

static bool is(const uint8_t *bytes, size_t size)
{
    return size >= HEADER_BYTES && little32(bytes) <= SEGMENTS_MAX &&
           little32(bytes + 4) == HEADER_BYTES;
}

const nod_codec nod_codec_rle = {"RLE", is, decode};
