/* frames.cc: see frames.hh. */
#include "imaging/dicom/shim/frames.hh"

#include <algorithm>
#include <cstring>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

namespace nod_dicom
{

static constexpr size_t item_header_bytes = 8;

/* Part of a value, from where it lies. */
static bool read_value(DcmElement &element, Uint32 at, void *out, Uint32 n)
{
    return n == 0 || element.getPartialValue(out, at, n, nullptr, EBO_LittleEndian).good();
}

/* n offsets of `width` bytes; empty where the value is not just these, or not there. */
static std::vector<uint64_t> read_table(const nod_dicom_file &file, DcmElement &element,
                                        size_t n, size_t width)
{
    std::vector<uint64_t> offsets;

    if (element.getLength() != n * width || n * width > file.source->size()) return offsets;
    std::vector<uint8_t> bytes(n * width);
    if (!read_value(element, 0, bytes.data(), static_cast<Uint32>(bytes.size())))
        return offsets;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = 0;
        for (size_t b = width; b-- > 0;)
            v = v << 8 | bytes[i * width + b];
        offsets.push_back(v);
    }
    return offsets;
}

/* Each offset must be that of a fragment, and they must grow. */
bool Frames::assign_by_offsets(const std::vector<uint64_t> &offsets)
{
    std::vector<size_t> first;

    for (uint64_t offset : offsets) {
        auto found = std::lower_bound(at_.begin(), at_.end(), offset);
        if (found == at_.end() || *found != offset) return false;
        size_t i = static_cast<size_t>(found - at_.begin());
        if (!first.empty() && i <= first.back()) return false;
        first.push_back(i);
    }
    if (first.empty() || first[0] != 0) return false;
    first.push_back(fragments_.size());
    first_ = first;
    return true;
}

/* JPEG, JPEG-LS and JPEG 2000 end with FFD9, which padding may follow. */
bool Frames::ends_a_frame(size_t i_fragment) const
{
    uint8_t tail[10] = {0};
    DcmPixelItem *item = fragments_[i_fragment];
    Uint32 n = std::min<Uint32>(item->getLength(), sizeof tail);

    if (!read_value(*item, item->getLength() - n, tail, n)) return false;
    for (Uint32 i = 0; i + 1 < n; i++)
        if (tail[i] == 0xff && tail[i + 1] == 0xd9) return true;
    return false;
}

bool Frames::assign_by_ends(int64_t n_frames)
{
    std::vector<size_t> first(1, 0);

    for (size_t i = 0; i < fragments_.size(); i++)
        if (ends_a_frame(i)) first.push_back(i + 1);
    if (first.size() != static_cast<size_t>(n_frames) + 1) return false;
    first.back() = fragments_.size();
    first_ = first;
    return true;
}

int Frames::find(const nod_dicom_file &file, DcmPixelSequence &sequence, int64_t n_frames,
                 nod_error *err)
{
    uint64_t at = 0;
    std::vector<uint64_t> basic;
    DcmObject *object = nullptr;
    size_t wanted = static_cast<size_t>(n_frames);

    for (size_t i = 0; (object = sequence.nextInContainer(object)) != nullptr; i++) {
        auto *item = dynamic_cast<DcmPixelItem *>(object);
        if (item == nullptr)
            return nod_fail(err, NOD_EFORMAT, "%s: fragment %zu of its pixels is no item",
                            file.name.c_str(), i);
        if (i == 0) {
            basic = read_table(file, *item, wanted, 4);
            continue;
        }
        fragments_.push_back(item);
        at_.push_back(at);
        at += item_header_bytes + item->getLength();
    }
    DcmElement *element = nullptr;
    if (file.dataset->findAndGetElement(DCM_ExtendedOffsetTable, element).good() &&
        assign_by_offsets(read_table(file, *element, wanted, 8))) /* PS3.3 C.7.6.3.1.8 */
        return 0;
    if (assign_by_offsets(basic)) return 0;
    if (n_frames == 1 && !fragments_.empty()) {
        first_ = {0, fragments_.size()};
        return 0;
    }
    if (fragments_.size() > wanted) {
        if (assign_by_ends(n_frames)) return 0;
        return nod_fail(err, NOD_EFORMAT,
                        "%s: %zu fragments of compressed pixels for %zu frames, and neither an "
                        "offset table nor end markers say which belong together",
                        file.name.c_str(), fragments_.size(), wanted);
    }
    /* One fragment a frame; the last may be missing where the file was cut. */
    for (size_t i = 0; i <= wanted; i++)
        first_.push_back(std::min(i, fragments_.size()));
    return 0;
}

int Frames::read(const nod_dicom_file &file, int64_t i_frame, std::vector<uint8_t> &out,
                 nod_error *err) const
{
    size_t from = first_[static_cast<size_t>(i_frame)];
    size_t to = first_[static_cast<size_t>(i_frame) + 1];
    uint64_t n = 0;

    if (from == to)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: frame %lld of %zu is missing: %zu fragments of compressed pixels",
                        file.name.c_str(), static_cast<long long>(i_frame), first_.size() - 1,
                        fragments_.size());
    for (size_t i = from; i < to; i++)
        n += fragments_[i]->getLength();
    if (n > file.source->size() || n > NOD_DICOM_FRAME_BYTES_MAX)
        return nod_fail(err, NOD_EFORMAT, "%s: frame %lld claims %llu compressed bytes",
                        file.name.c_str(), static_cast<long long>(i_frame),
                        static_cast<unsigned long long>(n));
    out.resize(static_cast<size_t>(n));
    n = 0;
    for (size_t i = from; i < to; i++) {
        Uint32 length = fragments_[i]->getLength();
        if (!read_value(*fragments_[i], 0, out.data() + n, length))
            return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: fragment of %u bytes is cut off",
                            file.name.c_str(), static_cast<long long>(i_frame), length);
        n += length;
    }
    return 0;
}

} // namespace nod_dicom
