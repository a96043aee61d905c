/* png.c: PNG to and from nod_image, over libpng's classic interface.
 *
 * The simplified interface is not used because it applies gamma; here the stored integers come
 * out as they are. Palettes are expanded, a tRNS chunk becomes alpha, 1, 2 and 4 bits of grey
 * are stretched to 8, 16 bits stay. Every ancillary chunk but tRNS is skipped unread: profiles
 * and texts are compressed and could be made to burst.
 * libpng reports errors by longjmp; everything that must outlive the jump stands in a struct
 * that is made before setjmp. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "imaging/raster/raster.h"

#define DEFLATE_RATIO 1032 /* no deflate stream grows more */

typedef struct reader {
    const uint8_t *bytes;
    size_t size, at;
    const char *name;
    nod_image image;
    png_bytep *rows;
    nod_error *err;
    int rc; /* set before a jump that is not libpng's own error */
} reader;

static bool is_png(const uint8_t *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

/* --- reading ---------------------------------------------------------------------------- */

static void on_error(png_structp png, png_const_charp message)
{
    reader *r = png_get_error_ptr(png);
    r->rc = nod_fail(r->err, NOD_EFORMAT, "%s: PNG: %s", r->name, message);
    png_longjmp(png, 1);
}

static void on_warning(NOD_UNUSED png_structp png, NOD_UNUSED png_const_charp message)
{
}

/* What our own checks found: `rc` is set already. */
NOD_NORETURN static void stop(png_structp png, int rc)
{
    reader *r = png_get_error_ptr(png);
    r->rc = rc;
    png_longjmp(png, 1);
}

static void read_bytes(png_structp png, png_bytep data, size_t size)
{
    reader *r = png_get_io_ptr(png);
    if (size > r->size - r->at)
        stop(png, nod_fail(r->err, NOD_EFORMAT,
                           "%s: PNG is cut off: %zu bytes wanted at byte %zu, %zu are left",
                           r->name, size, r->at, r->size - r->at));
    memcpy(data, r->bytes + r->at, size);
    r->at += size;
}

static void set_limits(png_structp png)
{
    /* Chunks that libpng knows and we have no use for. */
    static const png_byte unused[] =
        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
        "tEXt\0tIME\0zTXt";
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, unused, (int)sizeof unused / 5);
    png_set_user_limits(png, NOD_IMAGE_MAX_SIDE, NOD_IMAGE_MAX_SIDE);
    png_set_chunk_cache_max(png, 64);
    png_set_chunk_malloc_max(png, (size_t)4 << 20);
}

/* The transformations, before png_read_update_info. */
static void set_expansion(png_structp png, png_infop info)
{
    int colour = png_get_color_type(png, info);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (colour == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
    if (png_get_bit_depth(png, info) == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        png_set_swap(png);
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static void read_picture(png_structp png, png_infop info, reader *r)
{
    png_read_info(png, info);
    size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    uint64_t n_raw = (uint64_t)png_get_rowbytes(png, info) * height; /* as stored */
    int rc = nod_raster_check_size(r->name, (int64_t)width, (int64_t)height, n_raw, r->size,
                                   DEFLATE_RATIO, r->err);
    if (rc != 0) stop(png, rc);
    set_expansion(png, info);

    bool deep = png_get_bit_depth(png, info) == 16;
    int channels = png_get_channels(png, info);
    rc = nod_image_init(&r->image, 1, (int64_t)height, (int64_t)width, channels,
                        deep ? NOD_SAMPLE_U16 : NOD_SAMPLE_U8, r->err);
    if (rc != 0) {
        nod_error_prefix(r->err, "%s", r->name);
        stop(png, rc);
    }
    size_t n_row = png_get_rowbytes(png, info);
    NOD_ASSERT(n_row * height == nod_image_bytes(&r->image));
    r->rows = nod_calloc(height, sizeof *r->rows);
    if (r->rows == NULL)
        stop(png, nod_fail_memory(r->err, "the rows of a PNG", height * sizeof *r->rows));
    for (size_t y = 0; y < height; y++)
        r->rows[y] = (png_bytep)r->image.data + y * n_row;
    png_read_image(png, r->rows);
    png_read_end(png, NULL);
}

static int parse(const uint8_t *bytes, size_t size, const char *name, nod_image *out,
                 nod_error *err)
{
    reader r = {.bytes = bytes, .size = size, .name = name, .err = err};
    png_infop info = NULL;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    if (png != NULL) info = png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        return nod_fail_memory(err, "reading a PNG", size);
    }
    if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_read_fn(png, &r, read_bytes);
        set_limits(png);
        read_picture(png, info, &r);
        *out = r.image;
        r.image = (nod_image){0};
    }
    png_destroy_read_struct(&png, &info, NULL);
    nod_free(r.rows);
    nod_image_done(&r.image);
    return r.rc;
}

static int read_png(const nod_encoded *in, nod_image *out, nod_error *err)
{
    return parse(in->bytes, in->size, in->name, out, err);
}

static const char *const endings[] = {".png", NULL};
const nod_image_format nod_raster_png = {
    .name = "PNG", .endings = endings, .is = is_png, .read = read_png};

/* --- writing ---------------------------------------------------------------------------- */

typedef struct writer {
    nod_bytes bytes;
    size_t cap;
    nod_error *err;
    int rc;
} writer;

static void on_write_error(png_structp png, png_const_charp message)
{
    writer *w = png_get_error_ptr(png);
    if (w->rc == 0) w->rc = nod_fail(w->err, NOD_EINTERNAL, "PNG: %s", message);
    png_longjmp(png, 1);
}

static void write_bytes(png_structp png, png_bytep data, size_t size)
{
    writer *w = png_get_error_ptr(png);
    if (!nod_grow((void **)&w->bytes.data, &w->cap, w->bytes.size + size, 1)) {
        w->rc = nod_fail_memory(w->err, "writing a PNG", w->bytes.size + size);
        png_error(png, "memory");
    }
    memcpy(w->bytes.data + w->bytes.size, data, size);
    w->bytes.size += size;
}

static void flush_bytes(NOD_UNUSED png_structp png)
{
}

static void write_picture(png_structp png, png_infop info, const nod_image *im)
{
    static const int colour[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                 PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    int bits = im->sample == NOD_SAMPLE_U16 ? 16 : 8;
    png_set_IHDR(png, info, (png_uint_32)im->width, (png_uint_32)im->height, bits,
                 colour[im->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 6);
    png_write_info(png, info);
    if (bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
    size_t n_row = nod_image_bytes(im) / (size_t)im->height;
    for (int64_t y = 0; y < im->height; y++)
        png_write_row(png, (png_const_bytep)im->data + (size_t)y * n_row);
    png_write_end(png, NULL);
}

int nod_image_encode_png(const nod_image *im, nod_bytes *out, nod_error *err)
{
    if (im->depth != 1 || im->sample == NOD_SAMPLE_F32)
        return nod_fail(err, NOD_EINVAL, "a PNG holds one plane of 8 or 16 bit, not %s",
                        im->depth != 1 ? "a volume" : "f32");
    writer w = {.err = err};
    png_infop info = NULL;
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_write_error, on_warning);
    if (png != NULL) info = png_create_info_struct(png);
    if (info == NULL) {
        w.rc = nod_fail_memory(err, "writing a PNG", nod_image_bytes(im));
    } else if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, &w, write_bytes, flush_bytes);
        write_picture(png, info, im);
    }
    png_destroy_write_struct(&png, &info);
    if (w.rc == 0)
        *out = w.bytes;
    else
        nod_bytes_done(&w.bytes);
    return w.rc;
}

int nod_image_write_png(const char *path, const nod_image *im, nod_error *err)
{
    nod_bytes bytes = {0};
    int rc = nod_image_encode_png(im, &bytes, err);
    if (rc != 0) return nod_error_prefix(err, "%s", path);
    rc = nod_file_write(path, bytes.data, bytes.size, err);
    nod_bytes_done(&bytes);
    return rc;
}
