/* header.c: the fields of a NIfTI header at their offsets, read with their checks, and written.
 *
 * Byte order is that in which the first field, the header's size, makes sense. */
#include "imaging/nifti/header.h"

#include <math.h>
#include <string.h>

#define DIM_MAX 7

static const uint8_t magic2[8] = {'n', '+', '2', 0, '\r', '\n', 032, '\n'};

static const nod_nifti_type types[] = {
    {1, 1, "binary", 0, NOD_STORED_U8},           {2, 8, "uint8", 1, NOD_STORED_U8},
    {4, 16, "int16", 1, NOD_STORED_I16},          {8, 32, "int32", 1, NOD_STORED_I32},
    {16, 32, "float32", 1, NOD_STORED_F32},       {32, 64, "complex64", 0, NOD_STORED_F32},
    {64, 64, "float64", 1, NOD_STORED_F64},       {128, 24, "RGB24", 3, NOD_STORED_U8},
    {256, 8, "int8", 1, NOD_STORED_I8},           {512, 16, "uint16", 1, NOD_STORED_U16},
    {768, 32, "uint32", 1, NOD_STORED_U32},       {1024, 64, "int64", 1, NOD_STORED_I64},
    {1280, 64, "uint64", 1, NOD_STORED_U64},      {1536, 128, "float128", 0, NOD_STORED_F64},
    {1792, 128, "complex128", 0, NOD_STORED_F64}, {2048, 256, "complex256", 0, NOD_STORED_F64},
    {2304, 32, "RGBA32", 4, NOD_STORED_U8},
};

const nod_nifti_type *nod_nifti_type_find(int code)
{
    for (size_t i = 0; i < NOD_COUNT(types); i++)
        if (types[i].code == code) return &types[i];
    return NULL;
}

/* --- numbers in bytes ----------------------------------------------------------------------- */

static uint64_t get(const uint8_t *p, size_t n, bool big_endian)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << 8 * (big_endian ? n - 1 - i : i);
    return v;
}

static int get_i16(const uint8_t *p, bool big_endian)
{
    return (int16_t)(uint16_t)get(p, 2, big_endian);
}

static int get_i32(const uint8_t *p, bool big_endian)
{
    return (int32_t)(uint32_t)get(p, 4, big_endian);
}

static double get_f32(const uint8_t *p, bool big_endian)
{
    uint32_t bits = (uint32_t)get(p, 4, big_endian);
    float v;
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

static double get_f64(const uint8_t *p, bool big_endian)
{
    uint64_t bits = get(p, 8, big_endian);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void put(uint8_t *p, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void put_f32(uint8_t *p, double v)
{
    float f = (float)v;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    put(p, 4, bits);
}

static void put_f64(uint8_t *p, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put(p, 8, bits);
}

/* --- reading -------------------------------------------------------------------------------- */

/* The header's own size in the byte order that makes it one of the two; 0: neither. */
static int header_size(const uint8_t *bytes, size_t size, bool *big_endian)
{
    for (int order = 0; size >= 4 && order < 2; order++) {
        uint64_t n = get(bytes, 4, order == 1);
        *big_endian = order == 1;
        if (n == NOD_NIFTI1_BYTES || n == NOD_NIFTI2_BYTES) return (int)n;
    }
    return 0;
}

bool nod_nifti_header_is(const uint8_t *bytes, size_t size)
{
    bool big_endian;
    return header_size(bytes, size, &big_endian) != 0;
}

/* NIfTI-1 keeps the offset as a float. */
static int get_offset1(const uint8_t *p, bool big_endian, const char *name, int64_t *out,
                       nod_error *err)
{
    double v = get_f32(p, big_endian);
    if (!(v >= 0 && v < 0x1p62) || v != floor(v))
        return nod_fail(err, NOD_EFORMAT, "%s: vox_offset is %g, which is no place in a file",
                        name, v);
    *out = (int64_t)v;
    return 0;
}

static int parse1(const uint8_t *b, const char *name, nod_nifti_header *h, nod_error *err)
{
    bool be = h->big_endian;
    for (int i = 0; i < 8; i++) {
        h->dim[i] = get_i16(b + 40 + 2 * i, be);
        h->pixdim[i] = get_f32(b + 76 + 4 * i, be);
    }
    h->datatype = get_i16(b + 70, be);
    h->bitpix = get_i16(b + 72, be);
    h->slope = get_f32(b + 112, be);
    h->inter = get_f32(b + 116, be);
    h->units = b[123];
    h->qform_code = get_i16(b + 252, be);
    h->sform_code = get_i16(b + 254, be);
    for (int i = 0; i < 3; i++) {
        h->quatern[i] = get_f32(b + 256 + 4 * i, be);
        h->qoffset[i] = get_f32(b + 268 + 4 * i, be);
        for (int c = 0; c < 4; c++)
            h->srow[i][c] = get_f32(b + 280 + 16 * i + 4 * c, be);
    }
    return get_offset1(b + 108, be, name, &h->vox_offset, err);
}

static void parse2(const uint8_t *b, nod_nifti_header *h)
{
    bool be = h->big_endian;
    for (int i = 0; i < 8; i++) {
        h->dim[i] = (int64_t)get(b + 16 + 8 * i, 8, be);
        h->pixdim[i] = get_f64(b + 104 + 8 * i, be);
    }
    h->datatype = get_i16(b + 12, be);
    h->bitpix = get_i16(b + 14, be);
    h->vox_offset = (int64_t)get(b + 168, 8, be);
    h->slope = get_f64(b + 176, be);
    h->inter = get_f64(b + 184, be);
    h->qform_code = get_i32(b + 344, be);
    h->sform_code = get_i32(b + 348, be);
    for (int i = 0; i < 3; i++) {
        h->quatern[i] = get_f64(b + 352 + 8 * i, be);
        h->qoffset[i] = get_f64(b + 376 + 8 * i, be);
        for (int c = 0; c < 4; c++)
            h->srow[i][c] = get_f64(b + 400 + 32 * i + 8 * c, be);
    }
    h->units = get_i32(b + 500, be);
}

static int check_magic(const uint8_t *b, const char *name, nod_nifti_header *h, nod_error *err)
{
    const uint8_t *magic = h->version == 1 ? b + 344 : b + 4;
    char single[4] = {'n', '+', (char)('0' + h->version), 0};
    char pair[4] = {'n', 'i', (char)('0' + h->version), 0};
    h->pair = memcmp(magic, pair, 4) == 0;
    if (h->version == 1 && memcmp(magic, "\0\0\0\0", 4) == 0)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: Analyze 7.5, not NIfTI (no magic): which side is left it does not "
                        "say; convert it to NIfTI with a program that knows where it is from",
                        name);
    if ((memcmp(magic, single, 4) != 0 && !h->pair) ||
        (h->version == 2 && memcmp(magic + 4, magic2 + 4, 4) != 0))
        return nod_fail(err, NOD_EFORMAT, "%s: NIfTI-%d header with a wrong magic", name,
                        h->version);
    return 0;
}

static int check_fields(const nod_nifti_header *h, const char *name, nod_error *err)
{
    int64_t least = h->pair ? 0 : h->version == 1 ? NOD_NIFTI1_BYTES : NOD_NIFTI2_BYTES;
    if (h->dim[0] < 1 || h->dim[0] > DIM_MAX)
        return nod_fail(err, NOD_EFORMAT, "%s: dim[0] is %lld; an image has 1 to %d dimensions",
                        name, (long long)h->dim[0], DIM_MAX);
    for (int i = 1; i <= h->dim[0]; i++)
        if (h->dim[i] < 1)
            return nod_fail(err, NOD_EFORMAT, "%s: dim[%d] is %lld", name, i,
                            (long long)h->dim[i]);
    if (h->vox_offset < least)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: vox_offset is %lld, inside the header of %lld bytes", name,
                        (long long)h->vox_offset, (long long)least);
    return 0;
}

int nod_nifti_header_parse(const uint8_t *bytes, size_t size, const char *name,
                           nod_nifti_header *out, nod_error *err)
{
    nod_nifti_header h = {0};
    int n = header_size(bytes, size, &h.big_endian);
    if (n == 0) return nod_fail(err, NOD_EFORMAT, "%s: not a NIfTI header", name);
    if (size < (size_t)n)
        return nod_fail(err, NOD_EFORMAT, "%s: its header has %zu of %d bytes: cut off", name,
                        size, n);
    h.version = n == NOD_NIFTI1_BYTES ? 1 : 2;
    int rc = check_magic(bytes, name, &h, err);
    if (rc) return rc;
    if (h.version == 1)
        rc = parse1(bytes, name, &h, err);
    else
        parse2(bytes, &h);
    if (rc == 0) rc = check_fields(&h, name, err);
    if (rc == 0) *out = h;
    return rc;
}

/* --- writing -------------------------------------------------------------------------------- */

static void encode1(const nod_nifti_header *h, uint8_t *b)
{
    put(b, 4, NOD_NIFTI1_BYTES);
    b[38] = 'r'; /* regular, as every program since Analyze expects */
    for (int i = 0; i < 8; i++) {
        put(b + 40 + 2 * i, 2, (uint64_t)h->dim[i]);
        put_f32(b + 76 + 4 * i, h->pixdim[i]);
    }
    put(b + 70, 2, (uint64_t)h->datatype);
    put(b + 72, 2, (uint64_t)h->bitpix);
    put_f32(b + 108, (double)h->vox_offset);
    put_f32(b + 112, h->slope);
    put_f32(b + 116, h->inter);
    b[123] = (uint8_t)h->units;
    put(b + 252, 2, (uint64_t)h->qform_code);
    put(b + 254, 2, (uint64_t)h->sform_code);
    for (int i = 0; i < 3; i++) {
        put_f32(b + 256 + 4 * i, h->quatern[i]);
        put_f32(b + 268 + 4 * i, h->qoffset[i]);
        for (int c = 0; c < 4; c++)
            put_f32(b + 280 + 16 * i + 4 * c, h->srow[i][c]);
    }
    memcpy(b + 344, "n+1", 4);
}

static void encode2(const nod_nifti_header *h, uint8_t *b)
{
    put(b, 4, NOD_NIFTI2_BYTES);
    memcpy(b + 4, magic2, sizeof magic2);
    put(b + 12, 2, (uint64_t)h->datatype);
    put(b + 14, 2, (uint64_t)h->bitpix);
    for (int i = 0; i < 8; i++) {
        put(b + 16 + 8 * i, 8, (uint64_t)h->dim[i]);
        put_f64(b + 104 + 8 * i, h->pixdim[i]);
    }
    put(b + 168, 8, (uint64_t)h->vox_offset);
    put_f64(b + 176, h->slope);
    put_f64(b + 184, h->inter);
    put(b + 344, 4, (uint64_t)h->qform_code);
    put(b + 348, 4, (uint64_t)h->sform_code);
    for (int i = 0; i < 3; i++) {
        put_f64(b + 352 + 8 * i, h->quatern[i]);
        put_f64(b + 376 + 8 * i, h->qoffset[i]);
        for (int c = 0; c < 4; c++)
            put_f64(b + 400 + 32 * i + 8 * c, h->srow[i][c]);
    }
    put(b + 500, 4, (uint64_t)h->units);
}

size_t nod_nifti_header_encode(const nod_nifti_header *h, uint8_t out[NOD_NIFTI2_OFFSET])
{
    memset(out, 0, NOD_NIFTI2_OFFSET);
    if (h->version == 1)
        encode1(h, out);
    else
        encode2(h, out);
    return h->version == 1 ? NOD_NIFTI1_OFFSET : NOD_NIFTI2_OFFSET;
}
