/* codec_jpeg.cc: JPEG (ISO 10918-1) with the three libraries of DCMTK for 8, 12 and 16 bits.
 *
 * The frame header is read here first: it says which library, and whether size and precision fit
 * before any of them sees the data. Colours: YCbCr where the codestream says so (Adobe's marker,
 * JFIF), else where the DICOM header does. */
#include <memory>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include "imaging/dicom/shim/codec.h"
#include "imaging/dicom/shim/shim.hh"

namespace nod_dicom
{

struct Jpeg_frame {
    int bits = 0, channels = 0;
    int64_t rows = 0, columns = 0;
    bool is_lossless = false, is_jfif = false;
    int adobe = -1; /* transform: 0 RGB, 1 YCbCr; -1 no marker */
    bool has_rgb_ids = false;
};

/* The markers up to the frame header. */
static bool read_frame(const uint8_t *b, size_t size, Jpeg_frame &out)
{
    size_t at = 2;

    while (at + 4 <= size && b[at] == 0xff) {
        int marker = b[at + 1];
        if (marker == 0xff) {
            at++;
            continue;
        }
        size_t length = static_cast<size_t>(b[at + 2]) << 8 | b[at + 3];
        const uint8_t *p = b + at + 4;
        if (length < 2 || length + 2 > size - at) return false;
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) {
            if (length < 8) return false;
            out.bits = p[0];
            out.rows = p[1] << 8 | p[2];
            out.columns = p[3] << 8 | p[4];
            out.channels = p[5];
            out.is_lossless = marker == 0xc3;
            if (out.channels == 3 && length >= 17)
                out.has_rgb_ids = p[6] == 'R' && p[9] == 'G' && p[12] == 'B';
            return true;
        }
        if (marker == 0xe0 && length >= 7 && std::memcmp(p, "JFIF", 5) == 0) out.is_jfif = true;
        if (marker == 0xee && length >= 14 && std::memcmp(p, "Adobe", 5) == 0)
            out.adobe = p[11];
        at += 2 + length;
    }
    return false;
}

static bool is_ycbcr(const Jpeg_frame &j, bool header_says)
{
    if (j.channels != 3) return false;
    if (j.adobe >= 0) return j.adobe == 1;
    if (j.has_rgb_ids) return false;
    if (j.is_jfif && !j.is_lossless) return true;
    return header_says;
}

static std::unique_ptr<DJDecoder> make_decoder(const Jpeg_frame &j, const DJCodecParameter &p,
                                               bool ycbcr)
{
    if (j.bits <= 8) return std::make_unique<DJDecompressIJG8Bit>(p, ycbcr);
    if (j.bits <= 12) return std::make_unique<DJDecompressIJG12Bit>(p, ycbcr);
    return std::make_unique<DJDecompressIJG16Bit>(p, ycbcr);
}

static int decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  nod_error *err)
{
    static const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_photometricInterpretation,
                                             EUC_default, EPC_default);
    Jpeg_frame j;
    long long i = f->i_frame;

    if (!read_frame(bytes, size, j))
        return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: JPEG without a frame header",
                        f->name, i);
    int rc = nod_codec_check(f, "JPEG", j.rows, j.columns, j.channels, j.bits, err);
    if (rc != 0) return rc;
    if (j.bits < 2 || j.bits > 16 || f->bits_allocated > 16)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: JPEG of %d bits in samples of %d", f->name,
                        j.bits, f->bits_allocated);
    size_t n = static_cast<size_t>(f->rows * f->columns) * static_cast<size_t>(f->channels);
    size_t width = j.bits <= 8 ? 1 : 2;
    std::unique_ptr<DJDecoder> decoder = make_decoder(j, parameters, is_ycbcr(j, f->is_ybr));
    /* Two bytes more: a codestream of odd length may lack its padding, and the library looks for
     * the marker after the last one. */
    std::vector<uint8_t> input(bytes, bytes + size), narrow;
    if (n * width > UINT32_MAX || size > UINT32_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: frame %lld: JPEG of more than 4 GiB", f->name, i);
    uint8_t *to = static_cast<uint8_t *>(out);
    if (width * 8 != static_cast<size_t>(f->bits_allocated)) {
        narrow.resize(n * width);
        to = narrow.data();
    }
    OFCondition condition = decoder->init();
    if (condition.good())
        condition = decoder->decode(input.data(), static_cast<Uint32>(size), to,
                                    static_cast<Uint32>(n * width), OFFalse);
    if (condition.bad())
        return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG: %s", f->name, i,
                        condition == EJ_Suspension ? "it ends too early" : condition.text());
    if (!narrow.empty()) /* 8 bits in 16 */
        for (size_t k = 0; k < n; k++)
            static_cast<uint16_t *>(out)[k] = narrow[k];
    return 0;
}

} // namespace nod_dicom

extern "C" {

static bool jpeg_is(const uint8_t *b, size_t size)
{
    return size >= 4 && b[0] == 0xff && b[1] == 0xd8 && !nod_codec_jls.is(b, size);
}

static int jpeg_decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                       bool *is_ybr, nod_error *err)
{
    *is_ybr = false; /* the library converts */
    return nod_dicom::guarded(f->name, err,
                              [=] { return nod_dicom::decode(f, bytes, size, out, err); });
}

extern const nod_codec nod_codec_jpeg = {"JPEG", jpeg_is, jpeg_decode};

} // extern "C"
