/* pixels.cc: stored values, see pixels.h: what the header says of Pixel Data, where each frame lies,
 * and the way from there to samples in native order. */
#include <cmath>
#include <cstring>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include "imaging/dicom/shim/frames.hh"
#include "imaging/dicom/shim/shim.hh"

extern "C" {
#include "base/memory.h"
#include "imaging/dicom/pixels.h"
#include "imaging/dicom/samples.h"
#include "imaging/dicom/shim/codec.h"
}

struct nod_dicom_pixels {
    const nod_dicom_file *file = nullptr;
    nod_dicom_layout layout = {};
    DcmElement *data = nullptr;   /* the element with the pixels */
    bool is_encapsulated = false; /* then `frames` says where */
    nod_dicom::Frames frames;
    int bits_allocated = 0; /* 1, 8, 16, 32, 64 */
    int shift = 0;          /* High Bit above where it belongs */
    bool is_signed = false, is_planar = false, is_ybr = false, is_422 = false;
    bool halves_swapped = false;        /* 32 bits in big-endian words of 16 */
    std::vector<uint8_t> packed, spare; /* kept from frame to frame */
};

namespace nod_dicom
{

static int read_u16(nod_dicom_pixels &p, const DcmTagKey &tag, int absent)
{
    Uint16 v = 0;
    return p.file->dataset->findAndGetUint16(tag, v).good() ? v : absent;
}

static int find_data(nod_dicom_pixels &p, nod_error *err)
{
    DcmDataset &d = *p.file->dataset;
    const char *name = p.file->name.c_str();
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter *parameter = nullptr;
    DcmPixelSequence *sequence = nullptr;

    if (p.file->extent != NOD_DICOM_WHOLE)
        return nod_fail(err, NOD_EINVAL, "%s: opened for its header only", name);
    if (d.findAndGetElement(DCM_FloatPixelData, p.data).good() ||
        d.findAndGetElement(DCM_DoubleFloatPixelData, p.data).good())
        return 0;
    if (d.findAndGetElement(DCM_PixelData, p.data).bad())
        return nod_fail(err, NOD_EDATA, "%s: no pixel data in it", name);
    auto *pixels = dynamic_cast<DcmPixelData *>(p.data);
    if (pixels == nullptr)
        return nod_fail(err, NOD_EFORMAT, "%s: Pixel Data (7fe0,0010) is a %s", name,
                        DcmVR(p.data->ident()).getVRName());
    pixels->getCurrentRepresentationKey(syntax, parameter);
    if (!DcmXfer(syntax).isEncapsulated()) return 0;
    if (pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).bad() ||
        sequence == nullptr)
        return nod_fail(err, NOD_EFORMAT, "%s: compressed pixels without fragments", name);
    p.is_encapsulated = true;
    return p.frames.find(*p.file, *sequence, p.layout.frames, err);
}

/* Number of Frames is a text of digits (IS). */
static int read_frames(nod_dicom_pixels &p, nod_error *err)
{
    OFString text;

    p.layout.frames = 1;
    if (p.file->dataset->findAndGetOFString(DCM_NumberOfFrames, text).bad() || text.empty())
        return 0;
    long long n = std::strtoll(text.c_str(), nullptr, 10);
    if (n > NOD_DICOM_FRAMES_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: %lld frames, %d allowed", p.file->name.c_str(), n,
                        NOD_DICOM_FRAMES_MAX);
    if (n < 0) return nod_fail(err, NOD_EFORMAT, "%s: %lld frames", p.file->name.c_str(), n);
    if (n > 0) p.layout.frames = n;
    return 0;
}

/* Type and bits, from the header; for float data from the element. */
static int read_type(nod_dicom_pixels &p, nod_error *err)
{
    nod_dicom_layout &l = p.layout;
    const char *name = p.file->name.c_str();

    if (p.data->getTag() == DCM_FloatPixelData ||
        p.data->getTag() == DCM_DoubleFloatPixelData) {
        bool is_double = p.data->getTag() == DCM_DoubleFloatPixelData;
        l.type = is_double ? NOD_DICOM_F64 : NOD_DICOM_F32;
        p.bits_allocated = l.bits_stored = is_double ? 64 : 32;
        return 0;
    }
    p.bits_allocated = read_u16(p, DCM_BitsAllocated, 0);
    l.bits_stored = read_u16(p, DCM_BitsStored, p.bits_allocated);
    p.is_signed = read_u16(p, DCM_PixelRepresentation, 0) == 1;
    switch (p.bits_allocated) {
    case 1:
    case 8:
        l.type = p.is_signed && p.bits_allocated == 8 ? NOD_DICOM_I8 : NOD_DICOM_U8;
        break;
    case 16:
        l.type = p.is_signed ? NOD_DICOM_I16 : NOD_DICOM_U16;
        break;
    case 32:
        l.type = p.is_signed ? NOD_DICOM_I32 : NOD_DICOM_U32;
        break;
    case 0:
        return nod_fail(err, NOD_EFORMAT, "%s: no Bits Allocated (0028,0100)", name);
    default:
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: samples of %d bits; 1, 8, 16, 32 are read",
                        name, p.bits_allocated);
    }
    if (l.bits_stored < 1 || l.bits_stored > p.bits_allocated)
        return nod_fail(err, NOD_EFORMAT, "%s: %d bits stored in %d allocated", name,
                        l.bits_stored, p.bits_allocated);
    int high = read_u16(p, DCM_HighBit, l.bits_stored - 1);
    if (high >= p.bits_allocated || high < l.bits_stored - 1)
        return nod_fail(err, NOD_EFORMAT, "%s: high bit %d of %d stored in %d allocated", name,
                        high, l.bits_stored, p.bits_allocated);
    p.shift = high - (l.bits_stored - 1);
    p.halves_swapped =
        p.bits_allocated == 32 && DcmXfer(p.file->read_as).getByteOrder() == EBO_BigEndian;
    return 0;
}

static int read_colours(nod_dicom_pixels &p, nod_error *err)
{
    nod_dicom_layout &l = p.layout;
    const char *name = p.file->name.c_str();
    OFString text;

    (void)p.file->dataset->findAndGetOFString(DCM_PhotometricInterpretation, text);
    l.channels = read_u16(p, DCM_SamplesPerPixel, 1);
    if (l.channels != 1 && l.channels != 3)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: %d samples a pixel; 1 and 3 are read", name,
                        l.channels);
    if (l.channels == 3 && p.bits_allocated == 1)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: colours of one bit", name);
    std::string photometric(text.c_str(), text.size());
    if (l.channels == 3 && photometric.rfind("YBR_", 0) == 0) {
        bool by_codec = photometric == "YBR_ICT" || photometric == "YBR_RCT";
        bool known = photometric == "YBR_FULL" || photometric == "YBR_FULL_422";
        if (!by_codec && !known)
            return nod_fail(err, NOD_EUNSUPPORTED, "%s: colours as %s", name,
                            photometric.c_str());
        if (known && p.bits_allocated != 8)
            return nod_fail(err, NOD_EUNSUPPORTED, "%s: %s of %d bits", name,
                            photometric.c_str(), p.bits_allocated);
        p.is_ybr = known;
        p.is_422 = photometric == "YBR_FULL_422" && !p.is_encapsulated;
        photometric = "RGB";
    }
    if (p.is_422 && l.columns % 2 != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: YBR_FULL_422 of %lld columns", name,
                        static_cast<long long>(l.columns));
    p.is_planar = l.channels == 3 && !p.is_422 && !p.is_encapsulated &&
                  read_u16(p, DCM_PlanarConfiguration, 0) == 1;
    std::strncpy(l.photometric, photometric.c_str(), sizeof l.photometric - 1);
    return 0;
}

/* Bytes of one uncompressed frame in the file; of one-bit data, rounded up. */
static size_t native_bytes(const nod_dicom_pixels &p)
{
    size_t n = static_cast<size_t>(p.layout.rows * p.layout.columns);

    if (p.bits_allocated == 1) return (n + 7) / 8;
    if (p.is_422) return 2 * n;
    return n * static_cast<size_t>(p.layout.channels) * static_cast<size_t>(p.bits_allocated) /
           8;
}

static int check_length(nod_dicom_pixels &p, nod_error *err)
{
    size_t length = p.data->getLength(), n = static_cast<size_t>(p.layout.frames), need;

    if (p.is_encapsulated) return 0;
    if (length > p.file->source->size()) length = p.file->source->size(); /* it is cut off */
    if (p.bits_allocated == 1)
        need = (static_cast<size_t>(p.layout.rows * p.layout.columns) * n + 7) / 8;
    else
        need = native_bytes(p) * n;
    if (length >= need) return 0;
    return nod_fail(
        err, NOD_EFORMAT,
        "%s: %zu bytes of pixels where %lld frames of %lld x %lld x %d with %d bits "
        "need %zu",
        p.file->name.c_str(), length, static_cast<long long>(p.layout.frames),
        static_cast<long long>(p.layout.rows), static_cast<long long>(p.layout.columns),
        p.layout.channels, p.bits_allocated, need);
}

static int describe(nod_dicom_pixels &p, nod_error *err)
{
    nod_dicom_layout &l = p.layout;
    const char *name = p.file->name.c_str();
    int rc;

    if ((rc = read_frames(p, err)) != 0 || (rc = find_data(p, err)) != 0 ||
        (rc = read_type(p, err)) != 0)
        return rc;
    l.rows = read_u16(p, DCM_Rows, 0);
    l.columns = read_u16(p, DCM_Columns, 0);
    if (l.rows < 1 || l.columns < 1)
        return nod_fail(err, NOD_EFORMAT, "%s: an image of %lld rows and %lld columns", name,
                        static_cast<long long>(l.rows), static_cast<long long>(l.columns));
    if ((rc = read_colours(p, err)) != 0) return rc;
    l.frame_bytes = static_cast<size_t>(l.rows * l.columns) * static_cast<size_t>(l.channels) *
                    nod_dicom_type_bytes(l.type);
    if (l.frame_bytes > NOD_DICOM_FRAME_BYTES_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: a frame of %zu bytes, %zu allowed", name,
                        l.frame_bytes, NOD_DICOM_FRAME_BYTES_MAX);
    return check_length(p, err);
}

static int cut_off(const nod_dicom_pixels &p, int64_t i, nod_error *err)
{
    return nod_fail(err, NOD_EFORMAT, "%s: frame %lld of the pixels is cut off",
                    p.file->name.c_str(), static_cast<long long>(i));
}

static int read_native(nod_dicom_pixels &p, int64_t i, uint8_t *dst, nod_error *err)
{
    const nod_dicom_layout &l = p.layout;
    size_t n = static_cast<size_t>(l.rows * l.columns), bytes = native_bytes(p);
    size_t from = static_cast<size_t>(i) * bytes, first_bit = 0;
    bool direct = p.bits_allocated != 1 && !p.is_422 && !p.is_planar;

    if (p.bits_allocated == 1) {
        from = static_cast<size_t>(i) * n / 8;
        first_bit = static_cast<size_t>(i) * n % 8;
        bytes = (first_bit + n + 7) / 8;
    }
    if (!direct) p.spare.resize(bytes);
    uint8_t *to = direct ? dst : p.spare.data();
    /* A short value is read at once; of one that is cut off the end is whatever was in memory. */
    if (p.file->is_cut && p.data->valueLoaded()) return cut_off(p, i, err);
    if (p.data->getPartialValue(to, static_cast<Uint32>(from), static_cast<Uint32>(bytes))
            .bad())
        return cut_off(p, i, err);
    if (p.halves_swapped) nod_dicom_swap_halves(to, bytes / 4);
    if (p.bits_allocated == 1)
        nod_dicom_unpack_bits(to, first_bit, n, dst);
    else if (p.is_422)
        nod_dicom_unpack_422(to, static_cast<size_t>(l.rows), static_cast<size_t>(l.columns),
                             dst);
    else if (p.is_planar)
        nod_dicom_interleave(to, n, static_cast<size_t>(l.channels),
                             nod_dicom_type_bytes(l.type), dst);
    return 0;
}

static int read_compressed(nod_dicom_pixels &p, int64_t i, uint8_t *dst, bool &is_ybr,
                           nod_error *err)
{
    const nod_dicom_layout &l = p.layout;
    const char *name = p.file->name.c_str();
    nod_codec_frame frame = {
        name, i, l.rows, l.columns, l.channels, p.bits_allocated, l.bits_stored, p.is_ybr};
    int rc = p.frames.read(*p.file, i, p.packed, err);

    if (rc != 0) return rc;
    const nod_codec *codec = nod_codec_find(p.packed.data(), p.packed.size());
    if (codec == nullptr)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: frame %lld: %s: no codestream of RLE, JPEG, JPEG-LS or JPEG 2000",
                        name, static_cast<long long>(i),
                        nod_dicom_syntax_name(p.file->syntax.c_str()));
    if (p.bits_allocated == 1 || l.type == NOD_DICOM_F32 || l.type == NOD_DICOM_F64)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: %s of samples of %d bits", name,
                        codec->name, p.bits_allocated);
    return codec->decode(&frame, p.packed.data(), p.packed.size(), dst, &is_ybr, err);
}

static int read_frame(nod_dicom_pixels &p, int64_t i, uint8_t *dst, nod_error *err)
{
    const nod_dicom_layout &l = p.layout;
    size_t n = static_cast<size_t>(l.rows * l.columns);
    bool is_ybr = p.is_ybr;
    int rc = p.is_encapsulated ? read_compressed(p, i, dst, is_ybr, err)
                               : read_native(p, i, dst, err);

    if (rc != 0) return rc;
    if (is_ybr && l.channels == 3) nod_dicom_ybr_to_rgb(dst, n);
    if (p.bits_allocated >= 8 && l.type < NOD_DICOM_F32)
        nod_dicom_settle_bits(dst, n * static_cast<size_t>(l.channels),
                              nod_dicom_type_bytes(l.type), p.is_encapsulated ? 0 : p.shift,
                              l.bits_stored, p.is_signed);
    return 0;
}

} // namespace nod_dicom

extern "C" {

size_t nod_dicom_type_bytes(nod_dicom_type type)
{
    static const size_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 8};
    return bytes[type];
}

int nod_dicom_pixels_open(const nod_dicom_file *file, nod_dicom_pixels **out, nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err, [=] {
        auto p = std::make_unique<nod_dicom_pixels>();
        p->file = file;
        int rc = nod_dicom::describe(*p, err);
        if (rc == 0) *out = p.release();
        return rc;
    });
}

void nod_dicom_pixels_close(nod_dicom_pixels *p)
{
    delete p;
}

const nod_dicom_layout *nod_dicom_pixels_layout(const nod_dicom_pixels *p)
{
    return &p->layout;
}

int nod_dicom_pixels_read(nod_dicom_pixels *p, int64_t first, int64_t n, void *dst,
                          nod_error *err)
{
    return nod_dicom::guarded(p->file->name.c_str(), err, [=] {
        uint8_t *to = static_cast<uint8_t *>(dst);
        if (first < 0 || n < 0 || first > p->layout.frames - n)
            return nod_fail(err, NOD_EINVAL, "%s: frames %lld to %lld of %lld",
                            p->file->name.c_str(), static_cast<long long>(first),
                            static_cast<long long>(first + n - 1),
                            static_cast<long long>(p->layout.frames));
        for (int64_t i = first; i < first + n; i++, to += p->layout.frame_bytes) {
            int rc = nod_dicom::read_frame(*p, i, to, err);
            if (rc != 0) return rc;
        }
        return 0;
    });
}

} // extern "C"
