/* jpeg.c: JPEG to nod_image, over TurboJPEG.
 *
 * The frame header (SOF) is found and read here, before the library sees a byte: limits come
 * first, and TurboJPEG's own header call refuses unusual sub-sampling that its decoder can do.
 * Grey stays grey, YCbCr and RGB become RGB, CMYK and YCCK become RGB by the Adobe convention
 * (inverted samples: R = C K / 255), as every common program takes them.
 * The library completes a damaged picture with grey and only warns; here a warning that means
 * lost pixels is an error. A picture whose data are complete and which lacks only its end
 * marker is accepted: it is decoded again with the marker added, and must then be clean. That
 * says nothing where the picture comes in several scans, since whole ones may be missing.
 * Source: ITU-T T.81 annex B. Exif orientation is not applied. */
#include <string.h>
#include <turbojpeg.h>

#include "base/memory.h"
#include "imaging/raster/raster.h"

/* Pixels that one byte can make: a block of 8x8 takes at least one bit in Huffman coding; the
 * arithmetic coder has no such bound, so it is given eight times that. */
#define HUFFMAN_RATIO    (64 * 8)
#define ARITHMETIC_RATIO (HUFFMAN_RATIO * 8)

typedef struct frame {
    int64_t height, width;
    int channels; /* in the file: 1, 3 or 4 */
    bool arithmetic;
    bool one_scan; /* sequential, and the first scan has all components */
} frame;

static bool is_jpeg(const uint8_t *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

static size_t u16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static int parse_sof(const uint8_t *p, size_t n, unsigned code, const char *name, frame *out,
                     nod_error *err)
{
    if (n < 6) return nod_fail(err, NOD_EFORMAT, "%s: JPEG frame header is too short", name);
    if (code == 0xc3 || (code > 0xc4 && code != 0xc9 && code != 0xca))
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: JPEG of type SOF%u (lossless or hierarchical) is not read", name,
                        code - 0xc0);
    if (p[0] != 8)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: JPEG with %u bits a sample is not read",
                        name, p[0]);
    frame f = {.height = (int64_t)u16(p + 1),
               .width = (int64_t)u16(p + 3),
               .channels = p[5],
               .arithmetic = code >= 0xc9,
               .one_scan = code != 0xc2 && code != 0xca};
    if (f.height == 0 || f.width == 0)
        return nod_fail(err, NOD_EFORMAT, "%s: JPEG of %lld x %lld pixels", name,
                        (long long)f.width, (long long)f.height);
    if (f.channels != 1 && f.channels != 3 && f.channels != 4)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: JPEG with %d components is not read", name,
                        f.channels);
    *out = f;
    return 0;
}

/* Walks over the marker segments to the first scan; the frame header must come before it. */
static int find_frame(const uint8_t *bytes, size_t size, const char *name, frame *out,
                      nod_error *err)
{
    size_t at = 2;
    frame f = {0};
    while (at + 4 <= size) {
        if (bytes[at] != 0xff) { /* rubbish between segments: the library skips it too */
            at++;
            continue;
        }
        unsigned code = bytes[at + 1];
        if (code == 0xff) {
            at++;
            continue;
        }
        if (code == 0 || code == 1 || (code >= 0xd0 && code <= 0xd8)) { /* no length follows */
            at += 2;
            continue;
        }
        if (code == 0xd9) break;
        size_t n = u16(bytes + at + 2);
        if (n < 2 || n > size - at - 2)
            return nod_fail(
                err, NOD_EFORMAT,
                "%s: JPEG segment FF%02X at byte %zu claims %zu bytes, %zu are left", name,
                code, at, n, size - at - 2);
        if (code == 0xda) {
            if (f.channels == 0) break;
            f.one_scan = f.one_scan && n > 2 && bytes[at + 4] == f.channels;
            *out = f;
            return 0;
        }
        if (code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc) {
            if (f.channels != 0)
                return nod_fail(err, NOD_EFORMAT, "%s: JPEG with two frame headers", name);
            int rc = parse_sof(bytes + at + 4, n - 2, code, name, &f, err);
            if (rc != 0) return rc;
        }
        at += 2 + n;
    }
    return nod_fail(err, NOD_EFORMAT, "%s: JPEG without a %s (cut off?)", name,
                    f.channels == 0 ? "frame header" : "scan");
}

/* The warnings after which the picture is whole. TurboJPEG keeps the first one only, so what
 * may have come after it is judged by the end of the file. */
static bool is_harmless(const char *warning, const uint8_t *bytes, size_t size)
{
    if (strstr(warning, "extraneous bytes") == NULL &&
        strstr(warning, "unknown JFIF revision") == NULL &&
        strstr(warning, "Unknown Adobe color transform") == NULL)
        return false;
    for (size_t i = 2; i <= NOD_MIN(size, (size_t)4096); i++)
        if (bytes[size - i] == 0xff && bytes[size - i + 1] == 0xd9) return true;
    return false;
}

/* 0: clean; 1: with a warning, left in tj; -1: not at all. */
static int decode(tjhandle tj, const uint8_t *bytes, size_t size, const nod_image *im)
{
    static const int format[] = {0, TJPF_GRAY, 0, TJPF_RGB, TJPF_CMYK};
    static const int flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS;
    if (tjDecompress2(tj, bytes, size, im->data, (int)im->width, (int)im->width * im->channels,
                      (int)im->height, format[im->channels], flags) == 0)
        return 0;
    return tjGetErrorCode(tj) == TJERR_WARNING ? 1 : -1;
}

/* The pixels are all there and only the end marker is missing. */
static bool is_whole_with_end(tjhandle tj, const uint8_t *bytes, size_t size,
                              const nod_image *im)
{
    uint8_t *longer = nod_malloc(size + 2);
    if (longer == NULL) return false;
    memcpy(longer, bytes, size);
    longer[size] = 0xff;
    longer[size + 1] = 0xd9;
    bool whole = decode(tj, longer, size + 2, im) == 0;
    nod_free(longer);
    return whole;
}

/* Adobe CMYK, four bytes a pixel, to RGB in place. */
static void cmyk_to_rgb(nod_image *im)
{
    uint8_t *dst = im->data;
    const uint8_t *src = im->data;
    for (int64_t i = im->height * im->width; i > 0; i--, src += 4, dst += 3)
        for (int c = 0; c < 3; c++)
            dst[c] = (uint8_t)((src[c] * src[3] + 127) / 255);
    im->channels = 3;
}

static int parse(const uint8_t *bytes, size_t size, const char *name, nod_image *out,
                 nod_error *err)
{
    frame f = {0};
    nod_image im = {0};
    tjhandle tj = NULL;
    int rc;
    NOD_TRY(find_frame(bytes, size, name, &f, err));
    NOD_TRY(nod_raster_check_size(name, f.width, f.height, (uint64_t)(f.width * f.height), size,
                                  f.arithmetic ? ARITHMETIC_RATIO : HUFFMAN_RATIO, err));
    rc = nod_image_init(&im, 1, f.height, f.width, f.channels, NOD_SAMPLE_U8, err);
    if (rc != 0) {
        nod_error_prefix(err, "%s", name);
        goto out;
    }
    tj = tjInitDecompress();
    if (tj == NULL) {
        rc = nod_fail_memory(err, "reading a JPEG", size);
        goto out;
    }
    int verdict = decode(tj, bytes, size, &im);
    if (verdict != 0) {
        char why[256];
        strncpy(why, tjGetErrorStr2(tj), sizeof why - 1);
        why[sizeof why - 1] = '\0';
        bool whole =
            verdict == 1 && (is_harmless(why, bytes, size) ||
                             (f.one_scan && strstr(why, "Premature end of JPEG file") != NULL &&
                              is_whole_with_end(tj, bytes, size, &im)));
        if (!whole) {
            rc = nod_fail(err, NOD_EFORMAT, "%s: JPEG is damaged or cut off: %s", name, why);
            goto out;
        }
    }
    if (im.channels == 4) cmyk_to_rgb(&im);
    *out = im;
    im = (nod_image){0};
out:
    if (tj != NULL) tjDestroy(tj);
    nod_image_done(&im);
    return rc;
}

static int read_jpeg(const nod_encoded *in, nod_image *out, nod_error *err)
{
    return parse(in->bytes, in->size, in->name, out, err);
}

static const char *const endings[] = {".jpg", ".jpeg", NULL};
const nod_image_format nod_raster_jpeg = {
    .name = "JPEG", .endings = endings, .is = is_jpeg, .read = read_jpeg};
