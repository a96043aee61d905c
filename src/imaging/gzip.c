/* gzip.c: libdeflate for whole streams, which it unpacks twice as fast as zlib; zlib where only the
 * first bytes are wanted, which libdeflate does not do.
 *
 * Sources: RFC 1950 (zlib), RFC 1952 (gzip). */
#include "imaging/gzip.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"

#define SLACK ((size_t)1 << 20) /* that a stream may hold beyond twice what is expected */

bool nod_gzip_is(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0x1f && bytes[1] == 0x8b && bytes[2] == 8;
}

/* RFC 1950: method 8, window up to 32 KiB, no dictionary, the two bytes a multiple of 31. */
static bool is_zlib(const uint8_t *bytes, size_t size)
{
    return size >= 2 && (bytes[0] & 15) == 8 && bytes[0] >> 4 <= 7 && (bytes[1] & 32) == 0 &&
           (bytes[0] * 256 + bytes[1]) % 31 == 0;
}

size_t nod_gzip_peek(const uint8_t *bytes, size_t size, uint8_t *out, size_t n)
{
    z_stream z = {.next_in = (z_const Bytef *)bytes,
                  .avail_in = (uInt)NOD_MIN(size, (size_t)1 << 20),
                  .avail_out = (uInt)n};
    z.next_out = out;
    if (inflateInit2(&z, 15 + 32) != Z_OK) return 0;
    while (z.avail_out > 0 && inflate(&z, Z_SYNC_FLUSH) == Z_STREAM_END)
        if (!nod_gzip_is(z.next_in, z.avail_in) || inflateReset(&z) != Z_OK) break;
    size_t got = n - z.avail_out;
    inflateEnd(&z);
    return got;
}

/* --- unpacking -------------------------------------------------------------------------------- */

typedef struct stream {
    const uint8_t *bytes;
    size_t size, at; /* compressed */
    size_t limit;    /* unpacked bytes that are allowed */
    const char *name;
    uint8_t *out;
    size_t n, cap; /* unpacked */
} stream;

static int fail_large(const stream *s, size_t expected, nod_error *err)
{
    return nod_fail(err, NOD_ELIMIT,
                    "%s: unpacks to more than %zu bytes where its header explains %zu", s->name,
                    s->limit, expected);
}

static int grow(stream *s, size_t cap, nod_error *err)
{
    uint8_t *out = nod_realloc(s->out, cap + 1, 1);
    if (out == NULL) return nod_fail_memory(err, "an unpacked file", cap + 1);
    s->out = out;
    s->cap = cap;
    return 0;
}

/* One member, or the whole zlib stream, onto the end of what is there. */
static int unpack_member(stream *s, struct libdeflate_decompressor *d, bool gzip,
                         size_t expected, nod_error *err)
{
    for (;;) {
        size_t used = 0, made = 0;
        const uint8_t *from = s->bytes + s->at;
        size_t left = s->size - s->at, room = s->cap - s->n;
        enum libdeflate_result r = gzip ? libdeflate_gzip_decompress_ex(
                                              d, from, left, s->out + s->n, room, &used, &made)
                                        : libdeflate_zlib_decompress_ex(
                                              d, from, left, s->out + s->n, room, &used, &made);
        if (r == LIBDEFLATE_SUCCESS) {
            s->at += used;
            s->n += made;
            return 0;
        }
        if (r != LIBDEFLATE_INSUFFICIENT_SPACE)
            return nod_fail(err, NOD_EFORMAT,
                            "%s: its compressed bytes are damaged or cut off (%zu bytes from "
                            "byte %zu)",
                            s->name, left, s->at);
        if (s->cap == s->limit) return fail_large(s, expected, err);
        int rc = grow(s, s->limit, err);
        if (rc) return rc;
    }
}

int nod_gzip_unpack(const uint8_t *bytes, size_t size, size_t expected, const char *name,
                    nod_bytes *out, size_t *n_rest, nod_error *err)
{
    stream s = {.bytes = bytes, .size = size, .name = name};
    struct libdeflate_decompressor *d = NULL;
    bool gzip = nod_gzip_is(bytes, size);
    int rc = 0;
    if (!gzip && !is_zlib(bytes, size))
        return nod_fail(err, NOD_EFORMAT, "%s: what should be compressed is not", name);
    if (expected / NOD_DEFLATE_RATIO > size)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: claims %zu bytes, which %zu compressed ones cannot hold: cut off "
                        "or made to exhaust memory",
                        name, expected, size);
    s.limit = expected < SIZE_MAX / 4 ? 2 * expected + SLACK : expected;
    NOD_TRY(grow(&s, expected, err));
    d = libdeflate_alloc_decompressor();
    if (d == NULL) {
        rc = nod_fail_memory(err, "a decompressor", 1 << 16);
        goto out;
    }
    do
        NOD_TRY(unpack_member(&s, d, gzip, expected, err));
    while (gzip && nod_gzip_is(bytes + s.at, size - s.at));
    if (s.n < expected) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: claims %zu bytes, its compressed ones hold %zu",
                      name, expected, s.n);
        goto out;
    }
    s.out[s.n] = 0;
    *out = (nod_bytes){s.out, s.n};
    *n_rest = size - s.at;
    s.out = NULL;
out:
    if (d) libdeflate_free_decompressor(d);
    nod_free(s.out);
    return rc;
}

int nod_gzip_pack(const void *data, size_t size, int level, nod_bytes *out, nod_error *err)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
    size_t bound = c ? libdeflate_gzip_compress_bound(c, size) : 0;
    uint8_t *packed = c ? nod_malloc(bound + 1) : NULL;
    size_t n = packed ? libdeflate_gzip_compress(c, data, size, packed, bound) : 0;
    if (c) libdeflate_free_compressor(c);
    if (n == 0) {
        nod_free(packed);
        return nod_fail_memory(err, "a compressed file", bound);
    }
    packed[n] = 0;
    *out = (nod_bytes){packed, n};
    return 0;
}
