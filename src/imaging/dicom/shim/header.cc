/* header.cc: one walk over a dataset fills a nod_dicom_header.
 *
 * Each element is looked up in one table that says where its value goes; what is no plain copy has
 * a case of its own. The groups that enhanced files keep for all frames and for each frame hold the
 * same elements one sequence deeper, so they go through the same table for frames.
 * An element that cannot be read as what its tag says is as good as absent: real files have such,
 * and nothing is guessed from them. */
#include "imaging/dicom/shim/element.hh"
#include "imaging/dicom/shim/shim.hh"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcitem.h>
#include <dcmtk/dcmdata/dcsequen.h>

extern "C" {
#include "base/memory.h"
#include "base/text.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/person.h"
}

namespace
{

using namespace nod_dicom::element;

/* --- where values go ---------------------------------------------------------------------- */

enum class Kind { text, code_yes, lossy, integer, real };

struct Field {
    uint32_t tag;
    Kind kind;
    size_t offset, size;
};

#define TEXT(tag, field)                                                                    \
    {                                                                                       \
        tag, Kind::text, offsetof(nod_dicom_header, field), sizeof(nod_dicom_header::field) \
    }
#define YES(tag, field)                                           \
    {                                                             \
        tag, Kind::code_yes, offsetof(nod_dicom_header, field), 0 \
    }
#define INT(tag, field)                                          \
    {                                                            \
        tag, Kind::integer, offsetof(nod_dicom_header, field), 0 \
    }
#define REAL(tag, field)                                      \
    {                                                         \
        tag, Kind::real, offsetof(nod_dicom_header, field), 0 \
    }

/* Sorted by tag. */
const Field fields[] = {
    TEXT(0x00080008, image_type),
    TEXT(0x00080016, sop_class),
    TEXT(0x00080018, sop_uid),
    TEXT(0x00080060, modality),
    TEXT(0x00080068, intent),
    TEXT(0x00080070, manufacturer),
    TEXT(0x00080080, institution),
    TEXT(0x0008103e, series_description),
    TEXT(0x00081090, model),
    TEXT(0x00100020, patient_id),
    TEXT(0x00100021, patient_issuer),
    TEXT(0x00100040, patient_sex),
    TEXT(0x00101000, other_patient_ids),
    YES(0x00120062, identity_removed),
    TEXT(0x00180010, contrast),
    TEXT(0x00180015, body_part),
    TEXT(0x00180024, sequence),
    REAL(0x00180050, slice_thickness_mm),
    REAL(0x00180060, kvp),
    REAL(0x00180080, repetition_time_ms),
    REAL(0x00180087, field_strength_t),
    TEXT(0x00181030, protocol),
    REAL(0x00181120, gantry_tilt_deg),
    TEXT(0x00181210, kernel),
    TEXT(0x00185101, view),
    TEXT(0x0020000d, study_uid),
    TEXT(0x0020000e, series_uid),
    INT(0x00200011, series_number),
    INT(0x00200013, instance_number),
    TEXT(0x00200052, frame_of_reference_uid),
    TEXT(0x00200060, laterality),
    TEXT(0x00200062, laterality), /* ImageLaterality comes later and wins */
    INT(0x00280002, samples),
    TEXT(0x00280004, photometric),
    INT(0x00280008, n_frames),
    INT(0x00280010, rows),
    INT(0x00280011, columns),
    INT(0x00280100, bits_allocated),
    YES(0x00280301, burned_in),
    {0x00282110, Kind::lossy, offsetof(nod_dicom_header, lossy), 0},
    TEXT(0x00541001, units),
};

void put_field(const Field &field, DcmElement &e, nod_dicom_header &h)
{
    char *at = reinterpret_cast<char *>(&h) + field.offset;
    double v;
    switch (field.kind) {
    case Kind::text: {
        std::string s = text_of(e);
        if (!s.empty()) put_text(s, at, field.size);
        break;
    }
    case Kind::code_yes:
        *reinterpret_cast<bool *>(at) = text_of(e) == "YES";
        break;
    case Kind::lossy:
        *reinterpret_cast<bool *>(at) = text_of(e) == "01";
        break;
    case Kind::integer:
        *reinterpret_cast<int32_t *>(at) = int_of(e);
        break;
    case Kind::real:
        if (number_of(e, 0, v)) *reinterpret_cast<double *>(at) = v;
        break;
    }
}

/* What the walk over the dataset gathers beside the header itself. */
struct Gathered {
    nod_dicom_frame base{};
    std::string component, ge_type;
    double imager_spacing[2] = {0, 0}, scanned_spacing[2] = {0, 0};
    double spacing_between_mm = NAN;
    bool is_calibrated = false; /* PixelSpacingCalibrationType or a description of it */
    DcmSequenceOfItems *shared = nullptr, *per_frame = nullptr, *regions = nullptr;
    DcmSequenceOfItems *detectors = nullptr, *other_ids = nullptr;
    DcmElement *grid_offsets = nullptr;
    std::string name, birth_date, age, study_date,
        acquisition_date;   /* put_person alone sees them */
    std::string creator[3]; /* of (0019,10xx), (0043,10xx), (2001,10xx) */
};

void add_type(nod_dicom_frame &f, const std::string &s)
{
    if (s.empty()) return;
    std::string type = f.type;
    if (!type.empty()) type += "\\";
    put_text(type + s, f.type, sizeof f.type);
}

void put_indices(DcmElement &e, nod_dicom_frame &f)
{
    f.n_indices = 0;
    for (unsigned long i = 0; i < NOD_DICOM_INDICES && i < e.getVM(); i++)
        f.indices[f.n_indices++] = int_of(e, i);
}

bool are_spacings(const double v[2])
{
    return v[0] > 0 && v[1] > 0 && v[0] < 1e5 && v[1] < 1e5;
}

/* Two unit vectors at right angles, within what decimals lose. */
bool are_axes(const double v[6])
{
    double rr = 0, cc = 0, rc = 0;
    for (int i = 0; i < 3; i++) {
        rr += v[i] * v[i];
        cc += v[i + 3] * v[i + 3];
        rc += v[i] * v[i + 3];
    }
    return std::fabs(rr - 1) < 1e-2 && std::fabs(cc - 1) < 1e-2 && std::fabs(rc) < 1e-2;
}

/* Makes the axes exactly perpendicular unit vectors: files round them to a few decimals. */
void put_axes(const double v[6], nod_dicom_frame &f)
{
    double row = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), along = 0, column = 0;
    for (int i = 0; i < 3; i++)
        f.orientation[0][i] = v[i] / row;
    for (int i = 0; i < 3; i++)
        along += v[i + 3] * f.orientation[0][i];
    for (int i = 0; i < 3; i++) {
        f.orientation[1][i] = v[i + 3] - along * f.orientation[0][i];
        column += f.orientation[1][i] * f.orientation[1][i];
    }
    for (int i = 0; i < 3; i++)
        f.orientation[1][i] /= std::sqrt(column);
    f.has_orientation = true;
}

/* Elements that belong to a frame, in the dataset or in a functional group. */
void take_frame_element(DcmElement &e, nod_dicom_frame &f)
{
    double v[6];
    switch (tag_of(e)) {
    case 0x00200032:
        if (numbers_of(e, v, 3)) {
            std::copy(v, v + 3, f.position_mm);
            f.has_position = true;
        }
        break;
    case 0x00200037:
        if (numbers_of(e, v, 6) && are_axes(v)) put_axes(v, f);
        break;
    case 0x00280030:
        if (numbers_of(e, v, 2) && are_spacings(v)) {
            std::copy(v, v + 2, f.spacing_mm);
            f.has_spacing = true;
        }
        break;
    case 0x00281052:
        number_of(e, 0, f.intercept);
        break;
    case 0x00281053:
        number_of(e, 0, f.slope);
        break;
    case 0x00180081: /* EchoTime */
    case 0x00189082: /* EffectiveEchoTime */
        number_of(e, 0, f.echo_time_ms);
        break;
    case 0x00189087:
        number_of(e, 0, f.b_value);
        break;
    case 0x00189089:
        numbers_of(e, f.gradient, 3);
        break;
    case 0x00181060: /* TriggerTime */
    case 0x00209153: /* NominalCardiacTriggerDelayTime */
        number_of(e, 0, f.trigger_time_ms);
        break;
    case 0x00080032:
        f.acquisition_time_s = seconds_of(text_of(e), 0);
        break;
    case 0x00189074: /* FrameAcquisitionDateTime */
    case 0x0008002a: /* AcquisitionDateTime */
        if (std::isnan(f.acquisition_time_s)) f.acquisition_time_s = seconds_of(text_of(e), 8);
        break;
    case 0x00200100: /* TemporalPositionIdentifier */
    case 0x00209128: /* TemporalPositionIndex */
        f.temporal_position = int_of(e);
        break;
    case 0x00200012: /* AcquisitionNumber */
    case 0x00209156: /* FrameAcquisitionNumber */
        f.acquisition_number = int_of(e);
        break;
    case 0x0062000b:
        f.segment = int_of(e);
        break;
    case 0x00209157:
        put_indices(e, f);
        break;
    case 0x00209056:
        put_text(text_of(e), f.stack, sizeof f.stack);
        break;
    case 0x00089007: /* FrameType */
        f.type[0] = '\0';
        add_type(f, text_of(e));
        break;
    case 0x00089208:
        add_type(f, text_of(e));
        break; /* ComplexImageComponent */
    default:
        break;
    }
}

/* b-values where makers put them before there was a tag: as text, or FL of Philips. */
void take_private(DcmElement &e, Gathered &g)
{
    double v;
    const uint32_t tag = tag_of(e);
    switch (tag) {
    case 0x00190010:
        g.creator[0] = text_of(e);
        break;
    case 0x00430010:
        g.creator[1] = text_of(e);
        break;
    case 0x20010010:
        g.creator[2] = text_of(e);
        break;
    case 0x0019100c:
        if (g.creator[0] == "SIEMENS MR HEADER" && number_of(e, 0, v)) g.base.b_value = v;
        break;
    case 0x00431039: /* the first of four; some versions add a multiple of 1e9 to mark it */
        if (g.creator[1] == "GEMS_PARM_01" && number_of(e, 0, v))
            g.base.b_value = std::fmod(v, 100000);
        break;
    case 0x0043102f: /* 0 magnitude, 1 phase, 2 real, 3 imaginary */
        if (g.creator[1] == "GEMS_PARM_01" && int_of(e) >= 0 && int_of(e) < 4)
            g.ge_type = std::to_string(int_of(e));
        break;
    case 0x20011003:
        if (g.creator[2] == "Philips Imaging DD 001" && number_of(e, 0, v)) g.base.b_value = v;
        break;
    default:
        break;
    }
}

void take_element(DcmElement &e, nod_dicom_header &h, Gathered &g)
{
    const uint32_t tag = tag_of(e);
    const Field *end = fields + sizeof fields / sizeof *fields;
    const Field *at = std::lower_bound(fields, end, tag,
                                       [](const Field &f, uint32_t t) { return f.tag < t; });
    if (at != end && at->tag == tag) {
        put_field(*at, e, h);
        return;
    }
    auto *sequence = dynamic_cast<DcmSequenceOfItems *>(&e);
    switch (tag) {
    case 0x00080020:
        g.study_date = text_of(e);
        return;
    case 0x00080022:
        g.acquisition_date = text_of(e);
        return;
    case 0x00100010:
        g.name = text_of(e);
        return;
    case 0x00100030:
        g.birth_date = text_of(e);
        return;
    case 0x00101002:
        g.other_ids = sequence;
        return;
    case 0x00101010:
        g.age = text_of(e);
        return;
    case 0x00180088:
        number_of(e, 0, g.spacing_between_mm);
        return;
    case 0x00181164:
        numbers_of(e, g.imager_spacing, 2);
        return;
    case 0x00182010:
        numbers_of(e, g.scanned_spacing, 2);
        return;
    case 0x00280a02:
        g.is_calibrated = !text_of(e).empty();
        return;
    case 0x00089208:
        g.component = text_of(e);
        return;
    case 0x00186011:
        g.regions = sequence;
        return;
    case 0x00540022:
        g.detectors = sequence;
        return;
    case 0x52009229:
        g.shared = sequence;
        return;
    case 0x52009230:
        g.per_frame = sequence;
        return;
    case 0x3004000c:
        g.grid_offsets = &e;
        return;
    default:
        break;
    }
    if ((tag >> 16) % 2 == 1)
        take_private(e, g);
    else if (sequence == nullptr)
        take_frame_element(e, g.base);
}

/* Calls `take` for every element of an item. */
template <class Take> void for_elements(DcmItem &item, Take &&take)
{
    for (DcmObject *o = item.nextInContainer(nullptr); o != nullptr;
         o = item.nextInContainer(o))
        if (auto *e = dynamic_cast<DcmElement *>(o)) take(*e);
}

/* --- functional groups -------------------------------------------------------------------- */

bool is_frame_group(uint32_t tag)
{
    switch (tag) {
    case 0x00209113: /* Plane Position */
    case 0x00209116: /* Plane Orientation */
    case 0x00289110: /* Pixel Measures */
    case 0x00209111: /* Frame Content */
    case 0x00289145: /* Pixel Value Transformation */
    case 0x00189114: /* MR Echo */
    case 0x00189117: /* MR Diffusion */
    case 0x00189076: /* its Gradient Direction */
    case 0x00189226: /* MR Image Frame Type */
    case 0x00189329: /* CT Image Frame Type */
    case 0x00189118: /* Cardiac Synchronization */
    case 0x0062000a: /* Segment Identification */
        return true;
    default:
        return false;
    }
}

void take_groups(DcmItem &item, nod_dicom_frame &f, int depth)
{
    for_elements(item, [&](DcmElement &e) {
        auto *sequence = dynamic_cast<DcmSequenceOfItems *>(&e);
        if (sequence == nullptr) {
            if (depth > 0) take_frame_element(e, f);
        } else if (depth < 3 && is_frame_group(tag_of(e)) && sequence->card() > 0) {
            take_groups(*sequence->getItem(0), f, depth + 1);
        }
    });
}

/* --- frames ------------------------------------------------------------------------------- */

void shift_along_normal(nod_dicom_frame &f, double distance_mm)
{
    const double(*o)[3] = f.orientation;
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        f.position_mm[i] += distance_mm * (o[0][j] * o[1][k] - o[0][k] * o[1][j]);
    }
}

/* Frames whose places follow from the first one's: of a dose grid, or of a reconstructed NM. */
void place_frames(nod_dicom_header &h, Gathered &g)
{
    double offset;
    bool tomo = nod_dicom_header_has_type(&h, "RECON TOMO") &&
                std::isfinite(g.spacing_between_mm) && std::fabs(g.spacing_between_mm) > 0;
    if (g.per_frame != nullptr || h.n_frames < 2) return;
    for (int32_t i = 0; i < h.n_frames; i++) {
        nod_dicom_frame &f = h.frames[i];
        if (f.has_position && f.has_orientation && g.grid_offsets != nullptr &&
            number_of(*g.grid_offsets, static_cast<unsigned long>(i), offset)) {
            shift_along_normal(f, offset);
        } else if (f.has_position && f.has_orientation && tomo) {
            shift_along_normal(f, i * g.spacing_between_mm);
        } else { /* nothing tells one frame's place from another's */
            f.has_position = false;
        }
    }
}

int make_frames(const nod_dicom_file &file, nod_dicom_header &h, Gathered &g, nod_error *err)
{
    const uint64_t size = file.source->size();
    const auto n = static_cast<size_t>(h.n_frames);
    if (n > NOD_DICOM_FRAMES_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: %d frames; the limit is %d", file.name.c_str(),
                        h.n_frames, NOD_DICOM_FRAMES_MAX);
    if (n > 1 && n > size / 4)
        return nod_fail(err, NOD_EFORMAT, "%s: claims %d frames in a file of %llu bytes",
                        file.name.c_str(), h.n_frames, static_cast<unsigned long long>(size));
    h.frames = static_cast<nod_dicom_frame *>(nod_calloc(n, sizeof *h.frames));
    if (h.frames == nullptr) return nod_fail_memory(err, "frames", n * sizeof *h.frames);
    if (g.detectors != nullptr && g.detectors->card() > 0)
        for_elements(*g.detectors->getItem(0),
                     [&](DcmElement &e) { take_frame_element(e, g.base); });
    if (g.base.type[0] == '\0') put_text(h.image_type, g.base.type, sizeof g.base.type);
    add_type(g.base, g.component);
    add_type(g.base, g.ge_type);
    if (g.shared != nullptr && g.shared->card() > 0)
        take_groups(*g.shared->getItem(0), g.base, 0);
    for (size_t i = 0; i < n; i++) {
        h.frames[i] = g.base;
        h.frames[i].instance_number = n > 1 ? static_cast<int32_t>(i) + 1 : h.instance_number;
    }
    if (g.per_frame != nullptr) {
        if (g.per_frame->card() < n)
            return nod_fail(err, NOD_EFORMAT, "%s: %d frames, but functional groups for %lu",
                            file.name.c_str(), h.n_frames, g.per_frame->card());
        size_t i = 0;
        for (DcmObject *o = g.per_frame->nextInContainer(nullptr); o != nullptr && i < n;
             o = g.per_frame->nextInContainer(o), i++)
            if (auto *item = dynamic_cast<DcmItem *>(o)) take_groups(*item, h.frames[i], 0);
    }
    place_frames(h, g);
    return 0;
}

/* --- spacing of projections --------------------------------------------------------------- */

/* The one scale of all two-dimensional regions in centimetres; false if they differ. */
bool scale_of_regions(DcmSequenceOfItems &regions, double out[2])
{
    bool found = false;
    for (unsigned long i = 0; i < regions.card() && i < 64; i++) {
        double unit[2] = {0, 0}, delta[2] = {0, 0}, format = 0;
        for_elements(*regions.getItem(i), [&](DcmElement &e) {
            switch (tag_of(e)) {
            case 0x00186012:
                number_of(e, 0, format);
                break;
            case 0x00186024:
                number_of(e, 0, unit[1]);
                break;
            case 0x00186026:
                number_of(e, 0, unit[0]);
                break;
            case 0x0018602c:
                number_of(e, 0, delta[1]);
                break;
            case 0x0018602e:
                number_of(e, 0, delta[0]);
                break;
            default:
                break;
            }
        });
        if (std::lround(format) != 1 || std::lround(unit[0]) != 3 || std::lround(unit[1]) != 3)
            continue; /* not 2-D, or not in centimetres */
        double mm[2] = {std::fabs(delta[0]) * 10, std::fabs(delta[1]) * 10};
        if (!are_spacings(mm)) continue;
        if (found && (std::fabs(mm[0] - out[0]) > 1e-6 || std::fabs(mm[1] - out[1]) > 1e-6))
            return false;
        std::copy(mm, mm + 2, out);
        found = true;
    }
    return found;
}

void find_spacing(nod_dicom_header &h, const Gathered &g)
{
    const nod_dicom_frame &f = h.frames[0];
    double mm[2];
    bool imager = are_spacings(g.imager_spacing);
    if (g.regions != nullptr && scale_of_regions(*g.regions, mm)) {
        h.calibration = NOD_DICOM_SPACING_CALIBRATED;
    } else if (f.has_spacing) {
        std::copy(f.spacing_mm, f.spacing_mm + 2, mm);
        bool same = imager && std::fabs(mm[0] - g.imager_spacing[0]) < 1e-6 &&
                    std::fabs(mm[1] - g.imager_spacing[1]) < 1e-6;
        h.calibration = same && !g.is_calibrated ? NOD_DICOM_SPACING_DETECTOR
                                                 : NOD_DICOM_SPACING_CALIBRATED;
    } else if (imager) {
        std::copy(g.imager_spacing, g.imager_spacing + 2, mm);
        h.calibration = NOD_DICOM_SPACING_DETECTOR;
    } else if (are_spacings(
                   g.scanned_spacing)) { /* on the film, which is where a detector is */
        std::copy(g.scanned_spacing, g.scanned_spacing + 2, mm);
        h.calibration = NOD_DICOM_SPACING_DETECTOR;
    } else {
        return;
    }
    std::copy(mm, mm + 2, h.projection_spacing_mm);
}

/* --- the person --------------------------------------------------------------------------- */

/* OtherPatientIDsSequence, after OtherPatientIDs: "ISSUER^ID" each, as keys of patients are. */
void take_other_ids(DcmSequenceOfItems &items, nod_dicom_header &h)
{
    std::string all = h.other_patient_ids;
    for (unsigned long i = 0; i < items.card() && i < 16; i++) {
        std::string id, issuer;
        for_elements(*items.getItem(i), [&](DcmElement &e) {
            if (tag_of(e) == 0x00100020) id = text_of(e);
            if (tag_of(e) == 0x00100021) issuer = text_of(e);
        });
        if (id.empty()) continue;
        if (!issuer.empty()) issuer += '^';
        if (all.size() + issuer.size() + id.size() + 2 >= sizeof h.other_patient_ids) break;
        if (!all.empty()) all += '\\';
        all += issuer;
        all += id;
    }
    put_text(all, h.other_patient_ids, sizeof h.other_patient_ids);
}

/* What leaves of name and dates. */
void put_person(const Gathered &g, nod_dicom_header &h)
{
    const std::string &date = g.study_date.empty() ? g.acquisition_date : g.study_date;
    nod_dicom_day(date.c_str(), h.study_date);
    h.patient_age_years = nod_dicom_age(g.age.c_str(), g.birth_date.c_str(), date.c_str());
    if (!h.identity_removed)
        nod_dicom_person(g.name.c_str(), g.birth_date.c_str(), h.patient_sex, h.person,
                         sizeof h.person);
}

int read_header(const nod_dicom_file &file, nod_dicom_header &h, nod_error *err)
{
    Gathered g;
    nod_dicom_frame_clear(&g.base);
    for_elements(*file.dataset, [&](DcmElement &e) { take_element(e, h, g); });
    if (g.other_ids != nullptr) take_other_ids(*g.other_ids, h);
    put_person(g, h);
    put_text(file.syntax, h.transfer_syntax, sizeof h.transfer_syntax);
    if (h.samples < 1) h.samples = 1;
    h.is_image = h.rows > 0 && h.columns > 0 && h.bits_allocated > 0;
    if (!h.is_image) {
        h.n_frames = 0;
        return 0;
    }
    if (h.n_frames < 1) h.n_frames = 1;
    int rc = make_frames(file, h, g, err);
    if (rc == 0) find_spacing(h, g);
    return rc;
}

} // namespace

extern "C" int nod_dicom_header_read(const nod_dicom_file *file, nod_dicom_header *out,
                                     nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err, [&] {
        struct Holder {
            nod_dicom_header h;
            Holder()
            {
                nod_dicom_header_clear(&h);
            }
            ~Holder()
            {
                nod_dicom_header_done(&h);
            }
        } made;
        int rc = read_header(*file, made.h, err);
        if (rc == 0) {
            *out = made.h;
            made.h.frames = nullptr;
        }
        return rc;
    });
}
