/* write.cc: a plain struct becomes a dataset of DCMTK, module by module as PS3.3 lists them for its
 * object, and the dataset becomes bytes in memory. Elements of type 2 that nobody knows are there
 * and empty. */
#include "imaging/dicom/shim/emit.hh"

#include <cmath>
#include <cstdio>
#include <cstring>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcuid.h>

extern "C" {
#include "base/memory.h"
#include "imaging/dicom/shim/write.h"
}

namespace
{

struct Object {
    const char *sop_class, *modality;
};

const Object objects[NOD_DICOM_OBJECTS] = {
    {UID_CTImageStorage, "CT"},
    {UID_MRImageStorage, "MR"},
    {UID_ComputedRadiographyImageStorage, "CR"},
    {UID_DigitalXRayImageStorageForPresentation, "DX"},
    {UID_DigitalMammographyXRayImageStorageForPresentation, "MG"},
    {UID_SecondaryCaptureImageStorage, "OT"},
};

/* SNOMED CT's codes of views (PS3.16 CID 4010 and 4014). */
struct View {
    const char *position, *code, *meaning;
};

const View views[] = {
    {"PA", "272479007", "postero-anterior"},
    {"AP", "399348003", "antero-posterior"},
    {"CC", "399162004", "cranio-caudal"},
    {"MLO", "399368009", "medio-lateral oblique"},
};

const View *find_view(const char *position)
{
    for (const View &v : views)
        if (position && std::strcmp(v.position, position) == 0) return &v;
    return nullptr;
}

/* An item that is filled element by element. */
class Writer
{
  public:
    explicit Writer(DcmItem &item) : item_(item)
    {
    }
    void text(const DcmTagKey &tag, const char *value) /* NULL: there and empty */
    {
        check(tag, item_.putAndInsertString(DcmTag(tag), value ? value : ""));
    }
    void text_if(const DcmTagKey &tag, const char *value)
    {
        if (value) text(tag, value);
    }
    void word(const DcmTagKey &tag, unsigned value)
    {
        check(tag, item_.putAndInsertUint16(DcmTag(tag), static_cast<Uint16>(value)));
    }
    void signed_word(const DcmTagKey &tag, int value)
    {
        check(tag, item_.putAndInsertSint16(DcmTag(tag), static_cast<Sint16>(value)));
    }
    void number(const DcmTagKey &tag, int value)
    {
        char s[16];
        std::snprintf(s, sizeof s, "%d", value);
        text(tag, s);
    }
    /* Decimal strings have 16 characters at most. */
    void reals(const DcmTagKey &tag, const double *v, int n)
    {
        std::string s;
        for (int i = 0; i < n; i++) {
            char one[40];
            for (int digits = 10; digits > 0; digits--) {
                std::snprintf(one, sizeof one, "%.*g", digits, v[i] == 0 ? 0.0 : v[i]);
                if (std::strlen(one) <= 16) break;
            }
            s += (i > 0 ? "\\" : "") + std::string(one);
        }
        text(tag, s.c_str());
    }
    void real(const DcmTagKey &tag, double v)
    {
        reals(tag, &v, 1);
    }
    void empty_sequence(const DcmTagKey &tag)
    {
        check(tag, item_.insertEmptyElement(DcmTag(tag)));
    }
    /* A code (PS3.3 8.8) as the only item of a sequence; returned for what belongs into it. */
    Writer code(const DcmTagKey &tag, const char *value, const char *meaning)
    {
        DcmItem *item = nullptr;
        check(tag, item_.findOrCreateSequenceItem(DcmTag(tag), item, 0));
        Writer w(*item);
        w.text(DCM_CodeValue, value);
        w.text(DCM_CodingSchemeDesignator, "SCT");
        w.text(DCM_CodeMeaning, meaning);
        return w;
    }
    void pixels(const Uint16 *v, unsigned long n)
    {
        check(DCM_PixelData, item_.putAndInsertUint16Array(DCM_PixelData, v, n));
    }

  private:
    static void check(const DcmTagKey &tag, const OFCondition &c)
    {
        if (c.bad()) throw nod_dicom::Refused(tag, c);
    }
    DcmItem &item_;
};

bool is_projection(nod_dicom_object o)
{
    return o == NOD_DICOM_CR || o == NOD_DICOM_DX || o == NOD_DICOM_MG;
}

bool is_digital(nod_dicom_object o) /* the family of DX objects */
{
    return o == NOD_DICOM_DX || o == NOD_DICOM_MG;
}

/* Seconds of the day as TM. */
void put_time(Writer &w, const DcmTagKey &tag, double s)
{
    char text[24];
    int whole = static_cast<int>(s) % 86400;
    std::snprintf(text, sizeof text, "%02d%02d%02d.%03d", whole / 3600, whole / 60 % 60,
                  whole % 60,
                  static_cast<int>(lround((s - static_cast<int>(s)) * 1000)) % 1000);
    w.text(tag, text);
}

/* Patient, General Study, General Series, Frame of Reference, General Equipment, SOP Common. */
void put_identity(Writer &w, const nod_dicom_image &im)
{
    const Object &o = objects[im.object];
    w.text(DCM_SOPClassUID, o.sop_class);
    w.text(DCM_SOPInstanceUID, im.sop_uid);
    w.text(DCM_PatientName, im.patient_name);
    w.text(DCM_PatientID, im.patient_id);
    w.text(DCM_PatientBirthDate, nullptr);
    w.text(DCM_PatientSex, im.patient_sex);
    w.text_if(DCM_PatientAge, im.patient_age);
    w.text(DCM_StudyInstanceUID, im.study_uid);
    w.text(DCM_StudyDate, im.study_date);
    w.text(DCM_StudyTime, im.study_time);
    w.text(DCM_ReferringPhysicianName, nullptr);
    w.text(DCM_StudyID, im.study_id);
    w.text(DCM_AccessionNumber, nullptr);
    w.text_if(DCM_StudyDescription, im.study_description);
    w.text(DCM_Modality, o.modality);
    w.text(DCM_SeriesInstanceUID, im.series_uid);
    w.number(DCM_SeriesNumber, im.series_number);
    w.text_if(DCM_SeriesDescription, im.series_description);
    w.text_if(DCM_BodyPartExamined, im.body_part);
    if (im.object == NOD_DICOM_CT || im.object == NOD_DICOM_MR) {
        w.text(DCM_PatientPosition, "HFS");
        w.text(DCM_FrameOfReferenceUID, im.frame_of_reference_uid);
        w.text(DCM_PositionReferenceIndicator, nullptr);
    }
    /* Digital radiography has ImageLaterality instead; what is not paired has none. */
    bool is_paired = !im.body_part || std::strcmp(im.body_part, "BREAST") == 0;
    if (!is_digital(im.object) && (im.laterality || is_paired)) {
        char side[2] = {im.laterality, '\0'};
        w.text(DCM_Laterality, side);
    }
    if (im.object == NOD_DICOM_SC) w.text(DCM_ConversionType, "WSD");
    w.text_if(DCM_InstitutionName, im.institution);
    w.text(DCM_Manufacturer, im.manufacturer ? im.manufacturer : "Nodule");
    w.text(DCM_ManufacturerModelName, im.model ? im.model : "phantom");
    w.number(DCM_InstanceNumber, im.instance_number);
}

/* General Image, Image Plane, Image Pixel, VOI LUT. */
void put_image(Writer &w, const nod_dicom_image &im)
{
    w.text(DCM_ImageType, im.image_type);
    w.text(DCM_PatientOrientation, im.patient_orientation);
    w.text(DCM_BurnedInAnnotation, im.burned_in ? "YES" : "NO");
    w.word(DCM_SamplesPerPixel, 1);
    w.text(DCM_PhotometricInterpretation, im.is_monochrome1 ? "MONOCHROME1" : "MONOCHROME2");
    w.word(DCM_Rows, static_cast<unsigned>(im.rows));
    w.word(DCM_Columns, static_cast<unsigned>(im.columns));
    w.word(DCM_BitsAllocated, 16);
    w.word(DCM_BitsStored, static_cast<unsigned>(im.bits_stored));
    w.word(DCM_HighBit, static_cast<unsigned>(im.bits_stored - 1));
    w.word(DCM_PixelRepresentation, im.is_signed);
    if (im.window_width > 0) {
        w.real(DCM_WindowCenter, im.window_center);
        w.real(DCM_WindowWidth, im.window_width);
    }
    w.pixels(im.pixels, static_cast<unsigned long>(im.rows) * im.columns);
}

void put_place(Writer &w, const nod_dicom_image &im)
{
    w.number(DCM_AcquisitionNumber, im.acquisition_number);
    if (im.acquisition_time_s >= 0) {
        w.text(DCM_AcquisitionDate, im.study_date);
        put_time(w, DCM_AcquisitionTime, im.acquisition_time_s);
    }
    w.reals(DCM_ImagePositionPatient, im.position_mm, 3);
    w.reals(DCM_ImageOrientationPatient, im.orientation[0], 6);
    w.reals(DCM_PixelSpacing, im.spacing_mm, 2);
    w.real(DCM_SliceThickness, im.thickness_mm);
    if (im.contrast_agent) w.text(DCM_ContrastBolusAgent, im.contrast_agent);
}

void put_ct(Writer &w, const nod_dicom_image &im)
{
    put_place(w, im);
    w.real(DCM_RescaleIntercept, im.intercept);
    w.real(DCM_RescaleSlope, im.slope);
    w.text(DCM_RescaleType, "HU");
    w.text(DCM_KVP, nullptr);
}

void put_mr(Writer &w, const nod_dicom_image &im)
{
    put_place(w, im);
    bool is_cine = im.trigger_time_ms >= 0, is_gradient = is_cine || im.contrast_agent;
    w.text(DCM_ScanningSequence, is_gradient ? "GR" : "SE");
    w.text(DCM_SequenceVariant, is_cine ? "SS" : is_gradient ? "SP" : "NONE");
    w.text(DCM_ScanOptions, is_cine ? "CG" : nullptr);
    w.text(DCM_MRAcquisitionType, "2D");
    w.text(DCM_RepetitionTime, is_cine ? "40" : is_gradient ? "5" : "600");
    w.text(DCM_EchoTime, is_gradient ? "1.5" : "12");
    w.text(DCM_EchoTrainLength, "1");
    if (im.spacing_between_mm > 0) w.real(DCM_SpacingBetweenSlices, im.spacing_between_mm);
    if (is_cine) {
        w.real(DCM_TriggerTime, im.trigger_time_ms);
        w.number(DCM_NominalInterval, static_cast<int>(lround(im.cycle_ms)));
        w.number(DCM_CardiacNumberOfImages, im.n_phases);
    }
    if (im.temporal_position > 0) {
        w.number(DCM_TemporalPositionIdentifier, im.temporal_position);
        w.number(DCM_NumberOfTemporalPositions, im.n_temporal_positions);
    }
}

/* DX Series, Anatomy, Image, Detector: also those of a mammogram. */
void put_digital(Writer &w, const nod_dicom_image &im)
{
    bool is_breast = im.object == NOD_DICOM_MG;
    char side[2] = {im.laterality ? im.laterality : 'U', '\0'};
    w.text(DCM_PresentationIntentType, "FOR PRESENTATION");
    w.text(DCM_ImageLaterality, side);
    w.code(DCM_AnatomicRegionSequence, is_breast ? "76752008" : "51185008",
           is_breast ? "Breast" : "Chest");
    w.text(DCM_PixelIntensityRelationship, "LOG");
    w.signed_word(DCM_PixelIntensityRelationshipSign, -1); /* more X-rays, lower values */
    w.text(DCM_RescaleIntercept, "0");
    w.text(DCM_RescaleSlope, "1");
    w.text(DCM_RescaleType, "US");
    w.text(DCM_PresentationLUTShape, im.is_monochrome1 ? "INVERSE" : "IDENTITY");
    w.text(DCM_LossyImageCompression, "00");
    w.empty_sequence(DCM_AcquisitionContextSequence);
    w.text(DCM_DetectorType, "DIRECT");
}

void put_projection(Writer &w, const nod_dicom_image &im)
{
    w.reals(DCM_ImagerPixelSpacing, im.spacing_mm, 2);
    w.text(DCM_ViewPosition, im.view);
    if (is_digital(im.object)) put_digital(w, im);
    if (im.object == NOD_DICOM_CR) w.text(DCM_KVP, nullptr);
    if (!is_digital(im.object)) return;
    const View *view = find_view(im.view);
    Writer coded = view ? w.code(DCM_ViewCodeSequence, view->code, view->meaning) : w;
    bool is_breast = im.object == NOD_DICOM_MG;
    w.text(DCM_PositionerType, is_breast ? "MAMMOGRAPHIC" : "NONE");
    if (!is_breast) return;
    w.text(DCM_OrganExposed, "BREAST");
    if (view) coded.empty_sequence(DCM_ViewModifierCodeSequence);
}

/* --- bytes -------------------------------------------------------------------------------- */

/* Meta header and dataset one after the other, as they stand in a file. */
template <class Part>
size_t write_part(Part &part, E_TransferSyntax syntax, char *to, size_t left)
{
    DcmOutputBufferStream stream(to, static_cast<offile_off_t>(left));
    part.transferInit();
    OFCondition c = part.write(stream, syntax, EET_ExplicitLength, nullptr);
    part.transferEnd();
    if (c.bad()) throw nod_dicom::Refused(DCM_Item, c);
    void *begin = nullptr;
    offile_off_t n = 0;
    stream.flushBuffer(begin, n);
    return static_cast<size_t>(n);
}

int encode(const nod_dicom_image &im, void **bytes, size_t *size, nod_error *err)
{
    const E_TransferSyntax syntax = EXS_LittleEndianExplicit;
    DcmMetaInfo meta;
    DcmDataset dataset;
    Writer w(dataset);
    nod_dicom::fill_meta(meta, objects[im.object].sop_class, im.sop_uid,
                         UID_LittleEndianExplicitTransferSyntax);
    put_identity(w, im);
    put_image(w, im);
    if (im.object == NOD_DICOM_CT) put_ct(w, im);
    if (im.object == NOD_DICOM_MR) put_mr(w, im);
    if (is_projection(im.object)) put_projection(w, im);
    size_t n_max = 4096 + meta.calcElementLength(syntax, EET_ExplicitLength) +
                   dataset.calcElementLength(syntax, EET_ExplicitLength);
    std::unique_ptr<char, decltype(&nod_free)> to(static_cast<char *>(nod_malloc(n_max)),
                                                  nod_free);
    if (!to) return nod_fail_memory(err, "a DICOM file", n_max);
    size_t n = write_part(meta, syntax, to.get(), n_max);
    n += write_part(dataset, syntax, to.get() + n, n_max - n);
    *bytes = to.release();
    *size = n;
    return 0;
}

} // namespace

extern "C" int nod_dicom_image_encode(const char *name, const nod_dicom_image *image,
                                      void **bytes, size_t *size, nod_error *err)
{
    return nod_dicom::guarded(name, err, [&] { return encode(*image, bytes, size, err); });
}
