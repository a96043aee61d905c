/* tiff.c: TIFF to nod_image, over libtiff.
 *
 * The bytes are in memory and libtiff sees them through TIFFClientOpenExt, with handlers of its
 * own per file: the library's global ones, which print, are never changed nor reached. Every
 * directory is a page, and pages of one form become the planes of a volume; reduced images
 * (thumbnails) and transparency masks are passed over. A first walk over the directories checks
 * forms and sizes, then memory is taken once, then a second walk decodes strips or tiles and
 * hands each row, channel by channel, to tiff_samples.c.
 * Source: TIFF 6.0; supplement 3 for floating point. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/raster/raster.h"
#include "imaging/raster/tiff_samples.h"

#define MAX_TILE_BYTES  ((uint64_t)256 << 20)
#define MAX_TIFF_MALLOC ((tmsize_t)256 << 20) /* one block inside libtiff */

typedef struct source {
    const uint8_t *bytes;
    uint64_t size, at;
    const char *name;
    char why[256]; /* the first thing libtiff complained of */
    bool damaged;  /* a JPEG inside warned of lost pixels */
} source;

static bool is_tiff(const uint8_t *b, size_t size)
{
    return size >= 4 && (memcmp(b, "II*\0", 4) == 0 || memcmp(b, "MM\0*", 4) == 0 ||
                         memcmp(b, "II+\0", 4) == 0 || memcmp(b, "MM\0+", 4) == 0);
}

/* --- libtiff's view of the bytes -------------------------------------------------------- */

static tmsize_t on_read(thandle_t h, void *data, tmsize_t n)
{
    source *s = h;
    uint64_t left = s->at < s->size ? s->size - s->at : 0;
    uint64_t want = n > 0 ? NOD_MIN((uint64_t)n, left) : 0;
    if (want > 0) memcpy(data, s->bytes + s->at, want);
    s->at += want;
    return (tmsize_t)want;
}

static tmsize_t on_write(NOD_UNUSED thandle_t h, NOD_UNUSED void *data, NOD_UNUSED tmsize_t n)
{
    return 0;
}

static toff_t on_seek(thandle_t h, toff_t offset, int whence)
{
    source *s = h;
    uint64_t base = whence == SEEK_CUR ? s->at : whence == SEEK_END ? s->size : 0;
    s->at = base + offset; /* unsigned: a negative offset wraps as it should */
    return s->at;
}

static int on_close(NOD_UNUSED thandle_t h)
{
    return 0;
}

static toff_t on_size(thandle_t h)
{
    return ((source *)h)->size;
}

static void keep(source *s, const char *format, va_list list)
{
    if (s->why[0] == '\0') vsnprintf(s->why, sizeof s->why, format, list);
}

static int on_error(NOD_UNUSED TIFF *tif, void *ctx, NOD_UNUSED const char *module,
                    const char *format, va_list list) NOD_PRINTF(4, 0);
static int on_error(NOD_UNUSED TIFF *tif, void *ctx, NOD_UNUSED const char *module,
                    const char *format, va_list list)
{
    keep(ctx, format, list);
    return 1; /* done: the global handler is not called */
}

static int on_warning(NOD_UNUSED TIFF *tif, void *ctx, const char *module, const char *format,
                      va_list list) NOD_PRINTF(4, 0);
static int on_warning(NOD_UNUSED TIFF *tif, void *ctx, const char *module, const char *format,
                      va_list list)
{
    if (module != NULL && strcmp(module, "JPEGLib") == 0) {
        ((source *)ctx)->damaged = true;
        keep(ctx, format, list);
    }
    return 1;
}

static TIFF *open_tiff(source *s)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_TIFF_MALLOC);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, s);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, s);
    /* "m": not memory-mapped; libtiff then checks each read. */
    TIFF *tif = TIFFClientOpenExt(s->name, "rm", s, on_read, on_write, on_seek, on_close,
                                  on_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tif;
}

static int fail_tiff(const source *s, int64_t i_page, const char *what, nod_error *err)
{
    return nod_fail(err, NOD_EFORMAT, "%s: TIFF page %lld: %s: %s", s->name,
                    (long long)i_page + 1, what,
                    s->why[0] != '\0' ? s->why : "damaged or cut off");
}

/* --- pages ------------------------------------------------------------------------------ */

/* Most bytes that one compressed byte can make; 0 for what is not read. */
static uint64_t compression_ratio(uint16_t compression)
{
    switch (compression) {
    case COMPRESSION_NONE:
        return 1;
    case COMPRESSION_PACKBITS:
        return 64;
    case COMPRESSION_LZW: /* a 9 to 12 bit code stands for a string of at most 4096 bytes */
        return 4096;
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
        return 1032;
    case COMPRESSION_JPEG: /* 8x8 pixels of three channels for one bit */
        return 64 * 8 * 3;
    default:
        return 0;
    }
}

static bool is_extra_page(TIFF *tif)
{
    uint32_t type = 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_SUBFILETYPE, &type);
    return (type & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
}

/* Reads the sizes and the form of the current directory and refuses what is not read. */
static int read_page(TIFF *tif, const source *s, int64_t i_page, nod_tiff_page *out,
                     nod_error *err)
{
    nod_tiff_page p = {0};
    uint32_t width = 0, height = 0, image_depth = 1, tile_depth = 1;
    uint16_t compression, orientation;
    if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width) ||
        !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height) || width == 0 || height == 0)
        return fail_tiff(s, i_page, "no width or height", err);
    p.width = width;
    p.height = height;
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetField(tif, TIFFTAG_IMAGEDEPTH, &image_depth);
    TIFFGetField(tif, TIFFTAG_TILEDEPTH, &tile_depth);
    p.ratio = compression_ratio(compression);
    if (p.ratio == 0)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: TIFF page %lld: compression %u is not read; save it uncompressed, "
                        "or with LZW, deflate, PackBits or JPEG",
                        s->name, (long long)i_page + 1, compression);
    if (orientation > ORIENTATION_BOTLEFT || image_depth != 1 || tile_depth != 1)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: TIFF page %lld: %s is not read; save it upright as plain pages",
                        s->name, (long long)i_page + 1,
                        orientation > ORIENTATION_BOTLEFT ? "a transposed orientation"
                                                          : "an image depth tag");
    p.flip_x = orientation == ORIENTATION_TOPRIGHT || orientation == ORIENTATION_BOTRIGHT;
    p.flip_y = orientation == ORIENTATION_BOTRIGHT || orientation == ORIENTATION_BOTLEFT;
    if (compression == COMPRESSION_JPEG)
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    int rc = nod_raster_check_size(s->name, p.width, p.height, 0, s->size, p.ratio, err);
    if (rc != 0) return rc;
    rc = nod_tiff_read_form(&p, tif, compression == COMPRESSION_JPEG, s->name, i_page, err);
    if (rc != 0) return rc;
    p.n_raw = (uint64_t)((p.width * p.n_samples * p.bits + 7) / 8) * (uint64_t)p.height;
    *out = p;
    return 0;
}

static uint64_t get_uint(const source *s, uint64_t at, int n, bool big_endian)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)s->bytes[at + (uint64_t)i] << 8 * (big_endian ? n - 1 - i : i);
    return v;
}

/* The link to the next directory lies inside the file. libtiff takes one that was cut off for
 * the end of the list, and the pages behind it would be lost without a word. */
static bool has_link(TIFF *tif, const source *s)
{
    bool big_endian = s->bytes[0] == 'M', big_tiff = s->bytes[2] == 43 || s->bytes[3] == 43;
    uint64_t at = TIFFCurrentDirOffset(tif), n_count = big_tiff ? 8 : 2;
    uint64_t n_entry = big_tiff ? 20 : 12, n_link = big_tiff ? 8 : 4;
    if (at > s->size || s->size - at < n_count + n_link) return false;
    uint64_t n = get_uint(s, at, (int)n_count, big_endian);
    return n <= (s->size - at - n_count - n_link) / n_entry;
}

/* The next directory, passing over thumbnails and masks: 1 if there is one, 0 at the end. */
static int next_page(TIFF *tif, const source *s, int64_t i_page, nod_error *err)
{
    for (;;) {
        if (!has_link(tif, s)) return fail_tiff(s, i_page - 1, "directory is cut off", err);
        if (TIFFLastDirectory(tif)) break;
        if (!TIFFReadDirectory(tif)) return fail_tiff(s, i_page, "unreadable", err);
        if (!is_extra_page(tif)) return 1;
    }
    return 0;
}

/* First walk: all pages have one form. */
static int check_pages(TIFF *tif, const source *s, nod_tiff_page *first, int64_t *n_pages,
                       nod_error *err)
{
    int rc = read_page(tif, s, 0, first, err);
    if (rc != 0) return rc;
    uint64_t n_raw = first->n_raw;
    int64_t n = 1;
    while (rc == 0) {
        int more = next_page(tif, s, n, err);
        if (more < 0) return more;
        /* Pages may share bytes, which no writer does but a malicious one: n_raw says so. */
        rc = nod_raster_check_size(s->name, first->width, first->height, n_raw, s->size,
                                   first->ratio, err);
        if (rc != 0 || more == 0) break;
        if (n == NOD_IMAGE_MAX_SIDE)
            return nod_fail(err, NOD_ELIMIT, "%s: TIFF has more than %d pages", s->name,
                            NOD_IMAGE_MAX_SIDE);
        nod_tiff_page page;
        if ((rc = read_page(tif, s, n, &page, err)) != 0) break;
        if (page.width != first->width || page.height != first->height ||
            page.channels != first->channels || page.sample != first->sample)
            return nod_fail(
                err, NOD_EFORMAT,
                "%s: TIFF page %lld is %lld x %lld with %d channels, page 1 is %lld "
                "x %lld with %d: they are no volume",
                s->name, (long long)n + 1, (long long)page.width, (long long)page.height,
                page.channels, (long long)first->width, (long long)first->height,
                first->channels);
        first->ratio = NOD_MAX(first->ratio, page.ratio);
        n_raw += page.n_raw;
        n++;
    }
    *n_pages = n;
    return rc;
}

/* --- pixels ----------------------------------------------------------------------------- */

/* One row of decoded samples at (x, y), `n` pixels of it inside the picture. */
static void put_row(const nod_tiff_page *p, int plane, const uint8_t *row, int64_t x, int64_t y,
                    int64_t n, nod_image *im, int64_t i_page, bool *exact)
{
    int64_t first = ((i_page * p->height + y) * p->width + x) * p->channels;
    if (p->separate) {
        if (plane < p->channels)
            *exact &=
                nod_tiff_put_channel(p, row, 0, 1, (size_t)n, im, (size_t)(first + plane));
        return;
    }
    int n_channels = p->palette ? 1 : p->channels;
    for (int c = 0; c < n_channels; c++)
        *exact &= nod_tiff_put_channel(p, row, (size_t)c, (size_t)p->n_samples, (size_t)n, im,
                                       (size_t)(first + c));
}

static int read_strips(TIFF *tif, const nod_tiff_page *p, const source *s, int64_t i_page,
                       nod_image *im, bool *exact, nod_error *err)
{
    uint32_t rows_per_strip = 0;
    TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &rows_per_strip);
    int64_t n_rows = NOD_MIN((int64_t)rows_per_strip, p->height);
    tmsize_t n_strip = TIFFStripSize(tif), n_row = TIFFScanlineSize(tif);
    int64_t row_bits = p->width * (p->separate ? 1 : p->n_samples) * p->bits;
    if (n_rows <= 0 || n_strip <= 0 || n_row < (row_bits + 7) / 8)
        return fail_tiff(s, i_page, "impossible strips", err);
    uint8_t *buffer = nod_calloc(1, (size_t)n_strip);
    if (buffer == NULL) return nod_fail_memory(err, "a TIFF strip", (size_t)n_strip);
    int rc = 0;
    for (int plane = 0; rc == 0 && plane < (p->separate ? p->n_samples : 1); plane++)
        for (int64_t y = 0; rc == 0 && y < p->height; y += n_rows) {
            int64_t rows = NOD_MIN(n_rows, p->height - y);
            uint32_t strip = TIFFComputeStrip(tif, (uint32_t)y, (uint16_t)plane);
            tmsize_t n = rows * n_row;
            if (n > n_strip || TIFFReadEncodedStrip(tif, strip, buffer, n) != n || s->damaged) {
                rc = fail_tiff(s, i_page, "a strip cannot be decoded", err);
                break;
            }
            for (int64_t r = 0; r < rows; r++)
                put_row(p, plane, buffer + r * n_row, 0, y + r, p->width, im, i_page, exact);
        }
    nod_free(buffer);
    return rc;
}

static int read_tiles(TIFF *tif, const nod_tiff_page *p, const source *s, int64_t i_page,
                      nod_image *im, bool *exact, nod_error *err)
{
    uint32_t tile_w = 0, tile_h = 0;
    TIFFGetField(tif, TIFFTAG_TILEWIDTH, &tile_w);
    TIFFGetField(tif, TIFFTAG_TILELENGTH, &tile_h);
    tmsize_t n_tile = TIFFTileSize(tif), n_row = TIFFTileRowSize(tif);
    if (tile_w == 0 || tile_h == 0 || n_tile <= 0 || n_row <= 0 || n_row > n_tile / tile_h ||
        (uint64_t)n_row <
            ((uint64_t)tile_w * (uint64_t)(p->separate ? 1 : p->n_samples) * (uint64_t)p->bits +
             7) /
                8)
        return fail_tiff(s, i_page, "impossible tiles", err);
    if ((uint64_t)n_tile > MAX_TILE_BYTES ||
        (uint64_t)n_tile / p->ratio > (uint64_t)s->size + 4096)
        return nod_fail(err, NOD_ELIMIT, "%s: TIFF page %lld: tiles of %u x %u are too large",
                        s->name, (long long)i_page + 1, tile_w, tile_h);
    uint8_t *buffer = nod_calloc(1, (size_t)n_tile);
    if (buffer == NULL) return nod_fail_memory(err, "a TIFF tile", (size_t)n_tile);
    int rc = 0;
    for (int plane = 0; rc == 0 && plane < (p->separate ? p->n_samples : 1); plane++)
        for (int64_t y = 0; rc == 0 && y < p->height; y += tile_h)
            for (int64_t x = 0; rc == 0 && x < p->width; x += tile_w) {
                uint32_t tile =
                    TIFFComputeTile(tif, (uint32_t)x, (uint32_t)y, 0, (uint16_t)plane);
                if (TIFFReadEncodedTile(tif, tile, buffer, n_tile) != n_tile || s->damaged) {
                    rc = fail_tiff(s, i_page, "a tile cannot be decoded", err);
                    break;
                }
                int64_t w = NOD_MIN((int64_t)tile_w, p->width - x);
                int64_t h = NOD_MIN((int64_t)tile_h, p->height - y);
                for (int64_t r = 0; r < h; r++)
                    put_row(p, plane, buffer + r * n_row, x, y + r, w, im, i_page, exact);
            }
    nod_free(buffer);
    return rc;
}

/* Second walk. */
static int read_pixels(TIFF *tif, source *s, int64_t n_pages, nod_image *im, nod_error *err)
{
    if (!TIFFSetDirectory(tif, 0)) return fail_tiff(s, 0, "unreadable", err);
    for (int64_t i = 0; i < n_pages; i++) {
        nod_tiff_page p;
        bool exact = true;
        s->why[0] = '\0';
        int rc = i == 0 ? 1 : next_page(tif, s, i, err);
        if (rc <= 0) return rc < 0 ? rc : fail_tiff(s, i, "vanished", err);
        if ((rc = read_page(tif, s, i, &p, err)) != 0) return rc;
        rc = TIFFIsTiled(tif) ? read_tiles(tif, &p, s, i, im, &exact, err)
                              : read_strips(tif, &p, s, i, im, &exact, err);
        if (rc != 0) return rc;
        if (!exact)
            return nod_fail(
                err, NOD_EUNSUPPORTED,
                "%s: TIFF page %lld: 32-bit integers above 2^24 do not fit into f32; "
                "save 16-bit integers or f32",
                s->name, (long long)i + 1);
        nod_tiff_finish_page(&p, im, i);
    }
    return 0;
}

static int parse(const uint8_t *bytes, size_t size, const char *name, nod_image *out,
                 nod_error *err)
{
    source s = {.bytes = bytes, .size = size, .name = name};
    nod_image im = {0};
    nod_tiff_page first;
    int64_t n_pages = 0;
    int rc = 0;
    TIFF *tif = open_tiff(&s);
    if (tif == NULL) {
        rc = fail_tiff(&s, 0, "cannot be opened", err);
        goto out;
    }
    NOD_TRY(check_pages(tif, &s, &first, &n_pages, err));
    rc = nod_image_init(&im, n_pages, first.height, first.width, first.channels, first.sample,
                        err);
    if (rc != 0) {
        nod_error_prefix(err, "%s", name);
        goto out;
    }
    NOD_TRY(read_pixels(tif, &s, n_pages, &im, err));
    *out = im;
    im = (nod_image){0};
out:
    if (tif != NULL) TIFFClose(tif);
    nod_image_done(&im);
    return rc;
}

static int read_tiff(const nod_encoded *in, nod_image *out, nod_error *err)
{
    return parse(in->bytes, in->size, in->name, out, err);
}

static const char *const endings[] = {".tif", ".tiff", NULL};
const nod_image_format nod_raster_tiff = {
    .name = "TIFF", .endings = endings, .is = is_tiff, .read = read_tiff};
