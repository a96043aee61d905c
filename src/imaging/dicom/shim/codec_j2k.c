/* codec_j2k.c: JPEG 2000 (ISO 15444-1) and HTJ2K (15444-15) with OpenJPEG. */
#include <openjpeg.h>
#include <string.h>

#include "imaging/dicom/shim/codec.h"

static const uint8_t codestream[] = {0xff, 0x4f, 0xff, 0x51};
static const uint8_t jp2[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};

#define SIZ_BYTES (4 + 36) /* from SOC to the number of components */
#define TILES_MAX 16384

typedef struct input {
    const uint8_t *bytes;
    size_t size, at;
} input;

static OPJ_SIZE_T input_read(void *to, OPJ_SIZE_T n, void *ctx)
{
    input *in = ctx;

    if (in->at >= in->size) return (OPJ_SIZE_T)-1;
    if (n > in->size - in->at) n = in->size - in->at;
    memcpy(to, in->bytes + in->at, n);
    in->at += n;
    return n;
}

static OPJ_OFF_T input_skip(OPJ_OFF_T n, void *ctx)
{
    input *in = ctx;

    if (n < 0 || in->at >= in->size) return -1;
    if ((uint64_t)n > in->size - in->at) n = (OPJ_OFF_T)(in->size - in->at);
    in->at += (size_t)n;
    return n;
}

static OPJ_BOOL input_seek(OPJ_OFF_T to, void *ctx)
{
    input *in = ctx;

    if (to < 0 || (uint64_t)to > in->size) return OPJ_FALSE;
    in->at = (size_t)to;
    return OPJ_TRUE;
}

/* Keeps the first thing that the library complains about. */
static void keep_message(const char *message, void *ctx)
{
    char *kept = ctx;
    size_t n = strcspn(message, "\r\n");

    if (kept[0] != '\0') return;
    if (n > NOD_ERROR_MAX / 4) n = NOD_ERROR_MAX / 4;
    memcpy(kept, message, n);
    kept[n] = '\0';
}

static void ignore_message(const char *message, void *ctx)
{
    (void)message;
    (void)ctx;
}

static uint32_t big32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The SIZ segment (15444-1 A.5.1), before the library takes memory for what it promises: a record
 * of some kilobytes for each tile. */
static int check_size(const nod_codec_frame *f, const uint8_t *bytes, size_t size,
                      nod_error *err)
{
    const uint8_t *p = memmem(bytes, size, codestream, sizeof codestream);
    size_t left = p != NULL ? size - (size_t)(p - bytes) : 0;

    if (left < SIZ_BYTES + 3)
        return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG 2000: no image size",
                        f->name, (long long)f->i_frame);
    p += sizeof codestream + 4; /* length and capabilities */
    int64_t columns = (int64_t)big32(p) - big32(p + 8),
            rows = (int64_t)big32(p + 4) - big32(p + 12);
    int64_t tile_columns = big32(p + 16), tile_rows = big32(p + 20);
    int rc = nod_codec_check(f, "JPEG 2000", rows, columns, p[32] << 8 | p[33],
                             (p[34] & 127) + 1, err);
    if (rc != 0) return rc;
    if (tile_columns > 0 && tile_rows > 0 &&
        (columns / tile_columns + 1) * (rows / tile_rows + 1) <= TILES_MAX)
        return 0;
    return nod_fail(err, NOD_ELIMIT, "%s: frame %lld: JPEG 2000 in tiles of %lld x %lld",
                    f->name, (long long)f->i_frame, (long long)tile_columns,
                    (long long)tile_rows);
}

static int check(const nod_codec_frame *f, const opj_image_t *im, nod_error *err)
{
    for (OPJ_UINT32 c = 0; c < im->numcomps; c++) {
        const opj_image_comp_t *comp = &im->comps[c];
        if (comp->dx != im->comps[0].dx || comp->dy != im->comps[0].dy ||
            comp->w != im->comps[0].w || comp->h != im->comps[0].h)
            return nod_fail(err, NOD_EUNSUPPORTED,
                            "%s: frame %lld: JPEG 2000 with colours of fewer samples", f->name,
                            (long long)f->i_frame);
        int rc = nod_codec_check(f, "JPEG 2000", comp->h, comp->w, (int)im->numcomps,
                                 (int)comp->prec, err);
        if (rc != 0) return rc;
    }
    return 0;
}

static void take(const nod_codec_frame *f, const opj_image_t *im, void *out)
{
    size_t n = (size_t)(f->rows * f->columns), step = (size_t)f->channels;

    for (size_t c = 0; c < step; c++) {
        const OPJ_INT32 *from = im->comps[c].data;
        if (f->bits_allocated == 8) {
            uint8_t *to = (uint8_t *)out + c;
            for (size_t i = 0; i < n; i++)
                to[i * step] = (uint8_t)from[i];
        } else if (f->bits_allocated == 16) {
            uint16_t *to = (uint16_t *)out + c;
            for (size_t i = 0; i < n; i++)
                to[i * step] = (uint16_t)from[i];
        } else {
            uint32_t *to = (uint32_t *)out + c;
            for (size_t i = 0; i < n; i++)
                to[i * step] = (uint32_t)from[i];
        }
    }
}

static int decode_with(opj_codec_t *codec, opj_stream_t *stream, const nod_codec_frame *f,
                       const char *why, void *out, nod_error *err)
{
    opj_dparameters_t parameters;
    opj_image_t *im = NULL;
    int rc = 0;

    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(codec, &parameters) ||
        !opj_decoder_set_strict_mode(codec, OPJ_TRUE) || !opj_read_header(stream, codec, &im))
        rc = nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG 2000: %s", f->name,
                      (long long)f->i_frame, why);
    if (rc == 0) rc = check(f, im, err);
    if (rc == 0 && !opj_decode(codec, stream, im))
        rc = nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG 2000: %s", f->name,
                      (long long)f->i_frame, why);
    for (OPJ_UINT32 c = 0; rc == 0 && c < im->numcomps; c++)
        if (im->comps[c].data == NULL)
            rc = nod_fail(err, NOD_EFORMAT, "%s: frame %lld: JPEG 2000 without samples",
                          f->name, (long long)f->i_frame);
    if (rc == 0) rc = check(f, im, err); /* what was decoded, too */
    if (rc == 0) take(f, im, out);
    opj_image_destroy(im);
    return rc;
}

static int decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  bool *is_ybr, nod_error *err)
{
    input in = {bytes, size, 0};
    char why[NOD_ERROR_MAX / 4 + 1] = "";
    bool is_file = size >= sizeof jp2 && memcmp(bytes, jp2, sizeof jp2) == 0;
    int rc = check_size(f, bytes, size, err);

    if (rc != 0) return rc;
    opj_codec_t *codec = opj_create_decompress(is_file ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    opj_stream_t *stream = opj_stream_create(size < 65536 ? size : 65536, OPJ_TRUE);
    if (codec == NULL || stream == NULL) {
        rc = nod_fail_memory(err, "the JPEG 2000 decoder", 0);
    } else {
        opj_set_error_handler(codec, keep_message, why);
        opj_set_warning_handler(codec, ignore_message, NULL);
        opj_set_info_handler(codec, ignore_message, NULL);
        opj_stream_set_read_function(stream, input_read);
        opj_stream_set_skip_function(stream, input_skip);
        opj_stream_set_seek_function(stream, input_seek);
        opj_stream_set_user_data(stream, &in, NULL);
        opj_stream_set_user_data_length(stream, size);
        rc = decode_with(codec, stream, f, why, out, err);
    }
    if (stream != NULL) opj_stream_destroy(stream);
    if (codec != NULL) opj_destroy_codec(codec);
    if (rc == 0) *is_ybr = f->is_ybr; /* YBR_ICT and YBR_RCT are not: undone by the decoder */
    return rc;
}

static bool is(const uint8_t *bytes, size_t size)
{
    return size >= sizeof jp2 && (memcmp(bytes, codestream, sizeof codestream) == 0 ||
                                  memcmp(bytes, jp2, sizeof jp2) == 0);
}

const nod_codec nod_codec_j2k = {"JPEG 2000", is, decode};
