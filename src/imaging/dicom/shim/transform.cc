/* transform.cc: reads nod_dicom_transform from a dataset. */
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcsequen.h>

#include "imaging/dicom/shim/shim.hh"

extern "C" {
#include "base/memory.h"
#include "imaging/dicom/transform.h"
}

namespace nod_dicom
{

/* What a reading needs all the way down. */
struct Reading {
    const nod_dicom_file &file;
    const nod_dicom_layout &layout;
    nod_dicom_transform &out;
    nod_error *err;
    bool is_signed;

    const char *name() const
    {
        return file.name.c_str();
    }
};

static std::string text_of(DcmItem &item, const DcmTagKey &tag)
{
    OFString text;

    if (item.findAndGetOFString(tag, text).bad()) return "";
    std::string s(text.c_str());
    size_t end = s.find_last_not_of(' ');
    return end == std::string::npos ? "" : s.substr(0, end + 1);
}

/* A decimal string, binary float or integer; false: absent. NaN and infinity count as absent. */
static bool number_of(DcmItem &item, const DcmTagKey &tag, double &out)
{
    DcmElement *element = nullptr;
    Float64 v = 0;

    if (item.findAndGetElement(tag, element).bad() || element->getLength() == 0) return false;
    if (item.findAndGetFloat64(tag, v).bad()) {
        std::string text = text_of(item, tag);
        char *end = nullptr;
        v = std::strtod(text.c_str(), &end);
        if (text.empty() || *end != '\0') return false;
    }
    if (!std::isfinite(v)) return false;
    out = v;
    return true;
}

/* One value of an element that is US or SS by the Pixel Representation, whatever VR it was read
 * with. */
static bool word_of(DcmItem &item, const DcmTagKey &tag, unsigned long i, uint16_t &out)
{
    Uint16 u = 0;
    Sint16 s = 0;
    DcmElement *element = nullptr;

    if (item.findAndGetElement(tag, element).bad()) return false;
    if (element->getUint16(u, i).good()) {
        out = u;
        return true;
    }
    if (element->getSint16(s, i).bad()) return false;
    out = static_cast<uint16_t>(s);
    return true;
}

static DcmItem *first_item(DcmItem &item, const DcmTagKey &tag)
{
    DcmItem *found = nullptr;
    return item.findAndGetSequenceItem(tag, found, 0).good() ? found : nullptr;
}

/* Descriptor and data of one table. `is_signed`: of the values that are looked up. */
static int read_lut(Reading &r, DcmItem &item, const DcmTagKey &descriptor,
                    const DcmTagKey &data, bool is_signed, nod_dicom_lut &out)
{
    uint16_t n = 0, first = 0, bits = 0;
    DcmElement *element = nullptr;

    if (!word_of(item, descriptor, 0, n) || !word_of(item, descriptor, 1, first) ||
        !word_of(item, descriptor, 2, bits) || item.findAndGetElement(data, element).bad())
        return nod_fail(r.err, NOD_EFORMAT, "%s: table (%04x,%04x) is incomplete", r.name(),
                        descriptor.getGroup(), descriptor.getElement());
    size_t count = n == 0 ? 65536 : n, length = element->getLength();
    bool bytes = length < 2 * count; /* entries of 8 bits, two in a word */
    if (bits < 1 || bits > 16 || length < count)
        return nod_fail(
            r.err, NOD_EFORMAT, "%s: table (%04x,%04x) of %zu entries of %u bits in %zu bytes",
            r.name(), descriptor.getGroup(), descriptor.getElement(), count, bits, length);
    std::vector<uint8_t> raw(bytes ? count + count % 2 : 2 * count);
    if (raw.size() > length) raw.resize(length);
    if (element
            ->getPartialValue(raw.data(), 0, static_cast<Uint32>(raw.size()), nullptr,
                              EBO_LittleEndian)
            .bad())
        return nod_fail(r.err, NOD_EFORMAT, "%s: table (%04x,%04x) is cut off", r.name(),
                        data.getGroup(), data.getElement());
    out.data = static_cast<uint16_t *>(nod_calloc(count, sizeof *out.data));
    if (out.data == nullptr) throw std::bad_alloc();
    for (size_t i = 0; i < count; i++)
        out.data[i] = static_cast<uint16_t>(bytes ? raw[i] : raw[2 * i] | raw[2 * i + 1] << 8);
    out.n = static_cast<int64_t>(count);
    out.first = is_signed ? static_cast<int16_t>(first) : first;
    out.bits = bits;
    return 0;
}

static void read_padding(Reading &r)
{
    DcmDataset &d = *r.file.dataset;
    nod_dicom_transform &t = r.out;
    uint16_t word = 0;
    auto value = [&](uint16_t w) {
        return r.is_signed ? static_cast<double>(static_cast<int16_t>(w)) : w;
    };

    if (r.layout.type == NOD_DICOM_F32 || r.layout.type == NOD_DICOM_F64) {
        bool is_double = r.layout.type == NOD_DICOM_F64;
        t.has_padding = number_of(
            d, is_double ? DCM_DoubleFloatPixelPaddingValue : DCM_FloatPixelPaddingValue,
            t.padding_low);
        t.padding_high = t.padding_low;
        (void)number_of(d,
                        is_double ? DCM_DoubleFloatPixelPaddingRangeLimit
                                  : DCM_FloatPixelPaddingRangeLimit,
                        t.padding_high);
    } else if (word_of(d, DCM_PixelPaddingValue, 0, word)) {
        t.has_padding = true;
        t.padding_low = t.padding_high = value(word);
        if (word_of(d, DCM_PixelPaddingRangeLimit, 0, word)) t.padding_high = value(word);
    }
    if (t.padding_high < t.padding_low) std::swap(t.padding_low, t.padding_high);
}

/* One function group of one frame: slope, intercept, unit. */
static void take_rescale(DcmItem &item, nod_dicom_rescale &rescale, std::string &unit)
{
    double v;

    if (number_of(item, DCM_RescaleSlope, v)) rescale.slope = v;
    if (number_of(item, DCM_RescaleIntercept, v)) rescale.intercept = v;
    std::string type = text_of(item, DCM_RescaleType);
    if (!type.empty()) unit = type;
}

static bool take_window(DcmItem &item, nod_dicom_window &window)
{
    return number_of(item, DCM_WindowCenter, window.centre) &&
           number_of(item, DCM_WindowWidth, window.width);
}

template <class T> static T *to_array(const std::vector<T> &v)
{
    T *a = static_cast<T *>(nod_malloc(v.size() * sizeof(T)));
    if (a == nullptr) throw std::bad_alloc();
    std::memcpy(a, v.data(), v.size() * sizeof(T));
    return a;
}

/* Rescale and window of every frame; one for all where the frames do not differ. */
static void read_groups(Reading &r, std::string &unit)
{
    DcmDataset &d = *r.file.dataset;
    std::vector<nod_dicom_rescale> rescales(1, {1, 0});
    std::vector<nod_dicom_window> windows;
    nod_dicom_window window = {0, 0};
    DcmSequenceOfItems *frames = nullptr;
    DcmObject *object = nullptr;

    take_rescale(d, rescales[0], unit);
    bool has_window = take_window(d, window);
    auto take_groups = [&](DcmItem &groups, nod_dicom_rescale &rescale) {
        if (DcmItem *item = first_item(groups, DCM_PixelValueTransformationSequence))
            take_rescale(*item, rescale, unit);
        if (DcmItem *item = first_item(groups, DCM_FrameVOILUTSequence))
            has_window = take_window(*item, window) || has_window;
    };
    if (DcmItem *shared = first_item(d, DCM_SharedFunctionalGroupsSequence))
        take_groups(*shared, rescales[0]);
    windows.push_back(window);
    if (d.findAndGetSequence(DCM_PerFrameFunctionalGroupsSequence, frames).good() &&
        static_cast<int64_t>(frames->card()) == r.layout.frames) {
        nod_dicom_rescale shared = rescales[0];
        rescales.clear();
        windows.clear();
        while ((object = frames->nextInContainer(object)) != nullptr) {
            nod_dicom_rescale rescale = shared;
            if (auto *groups = dynamic_cast<DcmItem *>(object)) take_groups(*groups, rescale);
            rescales.push_back(rescale);
            windows.push_back(window);
        }
    }
    r.out.rescale = to_array(rescales);
    r.out.n_rescale = static_cast<int64_t>(rescales.size());
    if (!has_window) return;
    r.out.window = to_array(windows);
    r.out.n_window = static_cast<int64_t>(windows.size());
}

/* Stored values of projection images FOR PRESENTATION have no meaning of their own. CR came before
 * Presentation Intent Type and has none: it counts as for presentation. */
static bool is_presented(DcmItem &d, const std::string &modality)
{
    std::string intent = text_of(d, DCM_PresentationIntentType);

    for (const char *projection : {"DX", "MG", "IO", "PX"})
        if (modality == projection) return intent == "FOR PRESENTATION";
    return (modality == "CR" || modality == "RG") && intent != "FOR PROCESSING";
}

static int read_voi(Reading &r, const std::string &modality)
{
    DcmDataset &d = *r.file.dataset;
    nod_dicom_transform &t = r.out;

    if (!is_presented(d, modality)) return 0;
    if (DcmItem *item = first_item(d, DCM_VOILUTSequence)) {
        bool is_signed = t.modality_lut.n == 0 && (r.is_signed || t.rescale[0].intercept < 0);
        t.voi = NOD_DICOM_VOI_LUT;
        return read_lut(r, *item, DCM_LUTDescriptor, DCM_LUTData, is_signed, t.voi_lut);
    }
    if (t.n_window == 0) return 0;
    std::string function = text_of(d, DCM_VOILUTFunction);
    t.voi = function == "SIGMOID"        ? NOD_DICOM_VOI_SIGMOID
            : function == "LINEAR_EXACT" ? NOD_DICOM_VOI_EXACT
                                         : NOD_DICOM_VOI_LINEAR;
    for (int64_t i = 0; i < t.n_window; i++) {
        double least = t.voi == NOD_DICOM_VOI_LINEAR ? 1 : 0;
        if (t.window[i].width > least || (least > 0 && t.window[i].width == least)) continue;
        return nod_fail(r.err, NOD_EFORMAT, "%s: window of width %g", r.name(),
                        t.window[i].width);
    }
    return 0;
}

static int read_palette(Reading &r)
{
    DcmDataset &d = *r.file.dataset;
    static const DcmTagKey tags[3][2] = {
        {DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData},
        {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData},
        {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData}};

    if (d.tagExists(DCM_SegmentedRedPaletteColorLookupTableData))
        return nod_fail(r.err, NOD_EUNSUPPORTED, "%s: a palette in segments", r.name());
    for (int i = 0; i < 3; i++) {
        int rc = read_lut(r, d, tags[i][0], tags[i][1], r.is_signed, r.out.palette[i]);
        if (rc != 0) return rc;
    }
    return 0;
}

static int read_transform(Reading &r)
{
    DcmDataset &d = *r.file.dataset;
    nod_dicom_transform &t = r.out;
    std::string modality = text_of(d, DCM_Modality), unit = text_of(d, DCM_Units);

    if (std::strcmp(r.layout.photometric, "PALETTE COLOR") == 0) return read_palette(r);
    if (r.layout.channels != 1) return 0;
    read_padding(r);
    read_groups(r, unit);
    t.is_ct = modality == "CT";
    if (DcmItem *item = first_item(d, DCM_ModalityLUTSequence)) {
        int rc =
            read_lut(r, *item, DCM_LUTDescriptor, DCM_LUTData, r.is_signed, t.modality_lut);
        if (rc != 0) return rc;
        std::string type = text_of(*item, DCM_ModalityLUTType);
        if (!type.empty()) unit = type;
    }
    t.inverted = std::strcmp(r.layout.photometric, "MONOCHROME1") == 0;
    /* CT without Rescale Type is in HU, unless it is a localizer's or lacks the rescale
     * (PS3.3 C.11.1.1.2). */
    bool rescaled = d.tagExists(DCM_RescaleIntercept) || t.n_rescale > 1 || unit == "HU";
    bool is_hu = unit == "HU" || (unit.empty() && rescaled);
    if (t.is_ct && is_hu) t.units = NOD_UNITS_HU;
    std::strncpy(t.unit, unit.c_str(), sizeof t.unit - 1);
    return read_voi(r, modality);
}

} // namespace nod_dicom

extern "C" {

int nod_dicom_transform_read(const nod_dicom_file *file, const nod_dicom_layout *layout,
                             nod_dicom_transform *out, nod_error *err)
{
    std::memset(out, 0, sizeof *out);
    return nod_dicom::guarded(file->name.c_str(), err, [=] {
        bool is_signed = layout->type == NOD_DICOM_I8 || layout->type == NOD_DICOM_I16 ||
                         layout->type == NOD_DICOM_I32;
        nod_dicom::Reading r = {*file, *layout, *out, err, is_signed};
        return nod_dicom::read_transform(r);
    });
}

void nod_dicom_transform_done(nod_dicom_transform *t)
{
    nod_free(t->modality_lut.data);
    nod_free(t->rescale);
    nod_free(t->window);
    nod_free(t->voi_lut.data);
    for (nod_dicom_lut &lut : t->palette)
        nod_free(lut.data);
    *t = {};
}

} // extern "C"
