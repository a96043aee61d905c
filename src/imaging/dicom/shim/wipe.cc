/* wipe.cc: what can be hidden beside the pixels, where no viewer shows it: comments in codestreams, overlays
 * in bits that no sample uses, bytes behind the last frame, less than another one. */
#include "imaging/dicom/shim/emit.hh"

#include <algorithm>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcxfer.h>

extern "C" {
#include "imaging/dicom/codestream.h"
#include "imaging/dicom/edit.h"
}

namespace nod_dicom
{

static uint64_t word_of(DcmDataset &d, const DcmTagKey &tag, uint64_t absent)
{
    Uint16 v = 0;
    return d.findAndGetUint16(tag, v).good() ? v : absent;
}

static uint64_t count_frames(DcmDataset &d)
{
    Sint32 frames = 1;
    return d.findAndGetSint32(DCM_NumberOfFrames, frames).good() && frames > 0
               ? static_cast<uint64_t>(frames)
               : 1;
}

/* --- codestreams -------------------------------------------------------------------------- */

/* Wipes one codestream, or several that follow each other, in the bytes of these fragments. */
static size_t wipe(std::vector<DcmPixelItem *> &fragments)
{
    std::vector<uint8_t> all;
    std::vector<Uint8 *> parts;

    for (DcmPixelItem *fragment : fragments) {
        Uint8 *bytes = nullptr;
        check(fragment->getTag(), fragment->getUint8Array(bytes));
        parts.push_back(bytes);
        if (bytes != nullptr) all.insert(all.end(), bytes, bytes + fragment->getLength());
    }
    size_t n = nod_codestream_wipe(all.data(), all.size());
    if (n == 0) {
        for (DcmPixelItem *fragment : fragments)
            fragment->compact();
        return 0;
    }
    const uint8_t *from = all.data();
    for (size_t i = 0; i < fragments.size(); i++) {
        size_t length = parts[i] != nullptr ? fragments[i]->getLength() : 0;
        std::vector<uint8_t> part(from, from + length);
        check(fragments[i]->getTag(), fragments[i]->putUint8Array(part.data(), length));
        from += length;
    }
    return n;
}

static size_t wipe_comments(DcmDataset &d, DcmPixelSequence &sequence)
{
    std::vector<DcmPixelItem *> fragments;
    size_t n = 0;

    for (DcmObject *member : members(sequence))
        if (auto *item = dynamic_cast<DcmPixelItem *>(member)) fragments.push_back(item);
    if (!fragments.empty()) fragments.erase(fragments.begin()); /* the offset table */
    if (fragments.size() != count_frames(d)) return wipe(fragments);
    for (DcmPixelItem *fragment : fragments) {
        std::vector<DcmPixelItem *> one(1, fragment);
        n += wipe(one);
    }
    return n;
}

/* --- samples ------------------------------------------------------------------------------ */

/* Bits of overlays that lie in the samples (PS3.3 C.9.2, retired: Overlay Bit Position, no Overlay Data)
 * and not among those that are stored. */
static unsigned overlay_bits(DcmDataset &d)
{
    uint64_t stored = word_of(d, DCM_BitsStored, 16),
             high = word_of(d, DCM_HighBit, stored - 1);
    unsigned mask = 0;

    for (unsigned group = 0x6000; group <= 0x601e; group += 2) {
        const Uint16 g = static_cast<Uint16>(group);
        uint64_t bit = word_of(d, DcmTagKey(g, 0x0102), 16);
        if (bit > 15 || d.tagExists(DcmTagKey(g, 0x3000))) continue;
        if (bit > high || bit + stored <= high) mask |= 1u << bit;
    }
    return mask;
}

/* In memory as the machine has it; changed there, it is written so. */
template <class Sample> static uint64_t clear_bits(Sample *samples, uint64_t n, unsigned mask)
{
    uint64_t found = 0;
    const Sample keep = static_cast<Sample>(~mask);

    for (uint64_t i = 0; i < n; i++) {
        found += (samples[i] & ~keep) != 0;
        samples[i] = samples[i] & keep;
    }
    return found;
}

/* Bytes that rows, columns and frames need; 0: the file does not say. */
static uint64_t bytes_of_frames(DcmDataset &d)
{
    uint64_t bits = word_of(d, DCM_Rows, 0) * word_of(d, DCM_Columns, 0) *
                    word_of(d, DCM_SamplesPerPixel, 1) * word_of(d, DCM_BitsAllocated, 0);
    OFString photometric;

    (void)d.findAndGetOFString(DCM_PhotometricInterpretation, photometric);
    if (photometric == "YBR_FULL_422") bits = bits / 3 * 2;
    return (bits * count_frames(d) + 7) / 8;
}

static int wipe_samples(const nod_dicom_file &f, DcmPixelData &pixels, nod_dicom_wiped &out,
                        nod_error *err)
{
    DcmDataset &d = *f.dataset;
    const unsigned mask = overlay_bits(d);
    const uint64_t bits = word_of(d, DCM_BitsAllocated, 0), n = pixels.getLength();
    uint64_t used = bytes_of_frames(d);
    Uint8 *bytes = nullptr;
    Uint16 *words = nullptr;

    if (used > 0 && n >= used + std::max<uint64_t>(used / count_frames(d), 2))
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: %llu bytes of pixels where its frames need %llu: what do the others "
            "show?",
            f.name.c_str(), static_cast<unsigned long long>(n),
            static_cast<unsigned long long>(used));
    used = used == 0 || used > n ? n : std::min(n, used + used % 2);
    if (mask == 0 && used == n) return 0;
    if (pixels.getUint16Array(words).good() && words != nullptr) {
        if (bits == 16) out.overlay_samples = clear_bits(words, used / 2, mask);
        if (bits == 8) /* two in a word, the first one low */
            out.overlay_samples =
                clear_bits(words, used / 2, (mask & 0xff) | (mask & 0xff) << 8);
        for (uint64_t i = used / 2; i < n / 2; i++) {
            out.trailing_bytes += words[i] != 0 ? 2 : 0;
            words[i] = 0;
        }
    } else if (pixels.getUint8Array(bytes).good() && bytes != nullptr) {
        if (bits == 8) out.overlay_samples = clear_bits(bytes, used, mask);
        for (uint64_t i = used; i < n; i++) {
            out.trailing_bytes += bytes[i] != 0 ? 1 : 0;
            bytes[i] = 0;
        }
    }
    return 0;
}

static int wipe_hidden(nod_dicom_file &f, nod_dicom_wiped &out, nod_error *err)
{
    DcmElement *element = nullptr;
    DcmPixelSequence *sequence = nullptr;
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter *parameter = nullptr;

    out = {};
    if (f.dataset->findAndGetElement(DCM_PixelData, element).bad()) return 0;
    auto *pixels = dynamic_cast<DcmPixelData *>(element);
    if (pixels == nullptr) return 0;
    pixels->getOriginalRepresentationKey(syntax, parameter);
    if (!DcmXfer(syntax).isEncapsulated()) return wipe_samples(f, *pixels, out, err);
    if (overlay_bits(*f.dataset) != 0)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: overlays in the unused bits of compressed pixels", f.name.c_str());
    if (syntax != EXS_RLELossless &&
        pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).good() &&
        sequence != nullptr)
        out.comments = wipe_comments(*f.dataset, *sequence);
    return 0;
}

} // namespace nod_dicom

extern "C" int nod_dicom_wipe_hidden(nod_dicom_file *file, nod_dicom_wiped *out, nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err,
                              [=] { return nod_dicom::wipe_hidden(*file, *out, err); });
}
