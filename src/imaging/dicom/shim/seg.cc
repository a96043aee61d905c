/* seg.cc: what a segmentation says of its segments. */
#include "imaging/dicom/shim/shim.hh"

#include <algorithm>
#include <string>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcitem.h>
#include <dcmtk/dcmdata/dcsequen.h>

extern "C" {
#include "base/memory.h"
#include "base/text.h"
#include "imaging/dicom/seg.h"
}

namespace
{

int read_type(const nod_dicom_file &f, nod_dicom_seg &seg, nod_error *err)
{
    OFString type;
    Uint16 max = 0;

    (void)f.dataset->findAndGetOFString(DCM_SegmentationType, type);
    if (type == "BINARY") {
        seg.type = NOD_DICOM_SEG_BINARY;
        return 0;
    }
    if (type == "LABELMAP") {
        seg.type = NOD_DICOM_SEG_LABELMAP;
        return 0;
    }
    if (type != "FRACTIONAL")
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: Segmentation Type (0062,0001) '%.16s' is not BINARY, FRACTIONAL or "
            "LABELMAP",
            f.name.c_str(), type.c_str());
    seg.type = NOD_DICOM_SEG_FRACTIONAL;
    if (f.dataset->findAndGetUint16(DCM_MaximumFractionalValue, max).bad() || max == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: FRACTIONAL without a Maximum Fractional Value (0062,000E)",
                        f.name.c_str());
    seg.fractional_max = max;
    return 0;
}

int read_segment(const nod_dicom_file &f, DcmItem &item, nod_dicom_segment &out, nod_error *err)
{
    Uint16 number = 0;
    OFString label;

    if (item.findAndGetUint16(DCM_SegmentNumber, number).bad())
        return nod_fail(err, NOD_EFORMAT, "%s: a segment without a number (0062,0004)",
                        f.name.c_str());
    (void)item.findAndGetOFString(DCM_SegmentLabel, label);
    out.number = number;
    (void)snprintf(out.label, sizeof out.label, "%s", label.c_str());
    nod_text_tidy(out.label);
    return 0;
}

int describe(const nod_dicom_file &f, nod_dicom_seg &seg, nod_error *err)
{
    DcmSequenceOfItems *list = nullptr;

    int rc = read_type(f, seg, err);
    if (rc != 0) return rc;
    if (f.dataset->findAndGetSequence(DCM_SegmentSequence, list).bad() || list == nullptr ||
        list->card() == 0)
        return nod_fail(err, NOD_EFORMAT, "%s: no Segment Sequence (0062,0002)",
                        f.name.c_str());
    if (list->card() > NOD_DICOM_SEGMENTS_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: %lu segments, %d are read", f.name.c_str(),
                        list->card(), NOD_DICOM_SEGMENTS_MAX);
    size_t n = list->card();
    seg.segments = static_cast<nod_dicom_segment *>(nod_calloc(n, sizeof *seg.segments));
    if (seg.segments == nullptr)
        return nod_fail_memory(err, "segments", n * sizeof *seg.segments);
    seg.n = n;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = read_segment(f, *list->getItem(i), seg.segments[i], err);
    if (rc != 0) return rc;
    std::sort(seg.segments, seg.segments + n,
              [](const nod_dicom_segment &a, const nod_dicom_segment &b) {
                  return a.number < b.number;
              });
    /* A label map may describe what is left over, as segment 0. */
    if (seg.type == NOD_DICOM_SEG_LABELMAP && n > 1 && seg.segments[0].number == 0) {
        std::move(seg.segments + 1, seg.segments + n, seg.segments);
        seg.n = --n;
    }
    for (size_t i = 1; i < n; i++)
        if (seg.segments[i].number == seg.segments[i - 1].number)
            return nod_fail(err, NOD_EFORMAT, "%s: two segments have the number %d",
                            f.name.c_str(), static_cast<int>(seg.segments[i].number));
    return 0;
}

} // namespace

extern "C" int nod_dicom_seg_describe(const nod_dicom_file *file, nod_dicom_seg *out,
                                      nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err, [=] {
        nod_dicom_seg seg = {};
        int rc = describe(*file, seg, err);
        if (rc != 0)
            nod_free(seg.segments);
        else
            *out = seg;
        return rc;
    });
}
