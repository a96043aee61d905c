/* header.c: absent values of a header, and its end. What fills it is shim/header.cc. */
#include "imaging/dicom/header.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

void nod_dicom_frame_clear(nod_dicom_frame *f)
{
    *f = (nod_dicom_frame){.slope = 1,
                           .echo_time_ms = NAN,
                           .b_value = NAN,
                           .gradient = {NAN, NAN, NAN},
                           .trigger_time_ms = NAN,
                           .acquisition_time_s = NAN,
                           .temporal_position = NOD_DICOM_NO_INT,
                           .acquisition_number = NOD_DICOM_NO_INT,
                           .instance_number = NOD_DICOM_NO_INT,
                           .segment = NOD_DICOM_NO_INT};
}

void nod_dicom_header_clear(nod_dicom_header *h)
{
    *h = (nod_dicom_header){.patient_age_years = NAN,
                            .field_strength_t = NAN,
                            .series_number = NOD_DICOM_NO_INT,
                            .instance_number = NOD_DICOM_NO_INT,
                            .slice_thickness_mm = NAN,
                            .gantry_tilt_deg = NAN,
                            .kvp = NAN,
                            .repetition_time_ms = NAN};
}

void nod_dicom_header_done(nod_dicom_header *h)
{
    nod_free(h->frames);
    nod_dicom_header_clear(h);
}

bool nod_dicom_header_is_capture(const nod_dicom_header *h)
{
    static const char uid[] = "1.2.840.10008.5.1.4.1.1.7";
    size_t n = sizeof uid - 1;
    return strncmp(h->sop_class, uid, n) == 0 &&
           (h->sop_class[n] == '\0' || h->sop_class[n] == '.');
}

bool nod_dicom_header_has_type(const nod_dicom_header *h, const char *value)
{
    size_t n = strlen(value);
    for (const char *at = h->image_type; *at != '\0';) {
        size_t length = strcspn(at, "\\");
        if (length == n && memcmp(at, value, n) == 0) return true;
        at += length + (at[length] == '\\');
    }
    return false;
}
