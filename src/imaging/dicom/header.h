/* header.h: what one DICOM file says of itself, as a plain struct.
 *
 * Everything but the pixels: who and what it belongs to, where its frames lie in the patient, and
 * the tags that tell slices, phases and kinds of images apart. A file of one image has one frame;
 * enhanced multi-frame files have the per-frame functional groups here. Names and dates of birth go
 * no further than into `person`, a digest. A value that the file lacks is "", NaN, or NOD_DICOM_NO_INT.
 * Source: DICOM PS3.3 (modules), PS3.6 (tags). */
#ifndef NOD_IMAGING_DICOM_HEADER_H
#define NOD_IMAGING_DICOM_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "imaging/dicom/file.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOD_DICOM_NO_INT  INT32_MIN
#define NOD_DICOM_UID     65  /* bytes with the NUL: UI has 64 at most */
#define NOD_DICOM_ID      193 /* LO: 64 characters of up to 3 bytes */
#define NOD_DICOM_CODE    17  /* CS: 16 */
#define NOD_DICOM_PERSON  17  /* 16 hex digits */
#define NOD_DICOM_INDICES 8   /* dimensions that are kept */

/* One frame: its place and what may tell it from others at the same place. */
typedef struct nod_dicom_frame {
    bool has_position, has_orientation, has_spacing;
    double position_mm[3];    /* ImagePositionPatient: LPS of the centre of the first pixel */
    double orientation[2][3]; /* ImageOrientationPatient: along a row, along a column */
    double spacing_mm[2];     /* PixelSpacing: between rows, between columns */
    double slope, intercept;  /* rescale; 1 and 0 where absent */
    double echo_time_ms, b_value, gradient[3];
    double trigger_time_ms;
    double acquisition_time_s;  /* seconds of the day: only for order */
    int32_t temporal_position;  /* TemporalPositionIdentifier or TemporalPositionIndex */
    int32_t acquisition_number; /* may differ by slice, by phase, or not at all */
    int32_t instance_number;    /* InstanceNumber, or the frame's number in the file from 1 */
    int32_t segment;            /* ReferencedSegmentNumber of a SEG */
    int32_t n_indices, indices[NOD_DICOM_INDICES]; /* DimensionIndexValues */
    char stack[NOD_DICOM_CODE];                    /* StackID */
    char type[NOD_DICOM_UID];                      /* ImageType or FrameType, with component */
} nod_dicom_frame;

/* How far a millimetre of a projection image can be believed. */
typedef enum nod_dicom_calibration {
    NOD_DICOM_SPACING_NONE,      /* no spacing at all */
    NOD_DICOM_SPACING_DETECTOR,  /* ImagerPixelSpacing: at the detector, magnified */
    NOD_DICOM_SPACING_CALIBRATED /* PixelSpacing, or an ultrasound region in centimetres */
} nod_dicom_calibration;

typedef struct nod_dicom_header {
    /* whose it is */
    char patient_id[NOD_DICOM_ID], patient_issuer[NOD_DICOM_ID];
    char other_patient_ids[NOD_DICOM_ID]; /* joined by '\' */
    bool identity_removed;                /* PatientIdentityRemoved YES */
    char patient_sex[NOD_DICOM_CODE];     /* as in the file */
    double patient_age_years;             /* PatientAge, else from birth and study date */
    char person[NOD_DICOM_PERSON]; /* digest of name, birth date and sex: equal, where all of
                                             them are; "" where one is missing or identity was removed */
    char study_date[11];           /* "2024-01-31", also AcquisitionDate's */
    /* what it belongs to */
    char study_uid[NOD_DICOM_UID], series_uid[NOD_DICOM_UID], sop_uid[NOD_DICOM_UID];
    char sop_class[NOD_DICOM_UID], frame_of_reference_uid[NOD_DICOM_UID];
    char transfer_syntax[NOD_DICOM_UID];
    int32_t series_number, instance_number;
    /* what kind of image */
    bool is_image; /* it has pixels: rows, columns and frames are at least 1 */
    char modality[NOD_DICOM_CODE], photometric[NOD_DICOM_CODE];
    char image_type[NOD_DICOM_UID * 2]; /* values joined by '\' */
    char intent[NOD_DICOM_CODE];        /* PresentationIntentType */
    char laterality[NOD_DICOM_CODE], view[NOD_DICOM_CODE], body_part[NOD_DICOM_CODE];
    bool burned_in, lossy;
    int32_t rows, columns, n_frames, samples, bits_allocated;
    /* spacing of a projection image, rows then columns; and how it was found */
    nod_dicom_calibration calibration;
    double projection_spacing_mm[2];
    /* what rules of selection ask for; never used for geometry */
    char series_description[NOD_DICOM_ID], protocol[NOD_DICOM_ID], sequence[NOD_DICOM_ID];
    char institution[NOD_DICOM_ID], manufacturer[NOD_DICOM_ID], model[NOD_DICOM_ID],
        kernel[NOD_DICOM_ID];
    char contrast[NOD_DICOM_ID], units[NOD_DICOM_CODE];
    double slice_thickness_mm, gantry_tilt_deg, kvp, field_strength_t, repetition_time_ms;
    nod_dicom_frame *frames; /* n_frames of them; owned */
} nod_dicom_header;

/* Reads the header of an open file. Objects without pixels (reports, plans) are headers too, with
 * is_image false and no frames. Errors: EFORMAT where values cannot be what they claim to be,
 * ELIMIT. May run on several threads, each with its own file. */
int nod_dicom_header_read(const nod_dicom_file *file, nod_dicom_header *out,
                          nod_error *err) NOD_MUST_CHECK;
void nod_dicom_header_done(nod_dicom_header *h);
/* Sets every field to what an absent one has. */
void nod_dicom_header_clear(nod_dicom_header *h);
void nod_dicom_frame_clear(nod_dicom_frame *f);
/* Captured from a screen or film: Secondary Capture Image Storage and its multi-frame kin. PS3.6 A. */
bool nod_dicom_header_is_capture(const nod_dicom_header *h);
/* ImageType has this value ("LOCALIZER", "DERIVED"). */
bool nod_dicom_header_has_type(const nod_dicom_header *h, const char *value);

#ifdef __cplusplus
}
#endif
#endif
