/* write.h: one image as a DICOM file, from a plain struct.
 *
 * Single-frame grey images of the classic objects: CT, MR, CR, DX, MG and Secondary Capture, 16 bits
 * a pixel, explicit little endian. Each carries what its object's definition (PS3.3 A) demands, so
 * that dciodvfy finds no error. Nothing in a file comes from the clock or the machine: equal structs
 * give equal bytes. */
#ifndef NOD_IMAGING_DICOM_WRITE_H
#define NOD_IMAGING_DICOM_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nod_dicom_object {
    NOD_DICOM_CT,
    NOD_DICOM_MR,
    NOD_DICOM_CR, /* computed radiography */
    NOD_DICOM_DX, /* digital radiography, FOR PRESENTATION */
    NOD_DICOM_MG, /* digital mammography, FOR PRESENTATION */
    NOD_DICOM_SC, /* Secondary Capture: a picture of a screen */
    NOD_DICOM_OBJECTS
} nod_dicom_object;

/* Text is borrowed, NULL is an empty or absent value; values of one element are joined by '\'. */
typedef struct nod_dicom_image {
    nod_dicom_object object;
    /* whose it is and what it belongs to; the UIDs are needed */
    const char *patient_id, *patient_name;
    const char *patient_sex;          /* "F", "M", "O" */
    const char *patient_age;          /* "045Y"; NULL: no element */
    const char *institution;          /* NULL: no element */
    const char *manufacturer, *model; /* NULL: "Nodule" and "phantom" */
    const char *study_uid, *series_uid, *sop_uid;
    const char *frame_of_reference_uid;  /* CT and MR only, and needed there */
    const char *study_date, *study_time; /* "20240131", "101500" */
    const char *study_id, *study_description, *series_description;
    int series_number, acquisition_number, instance_number;
    /* what kind of image */
    const char *image_type; /* "ORIGINAL\PRIMARY\M"; needed */
    const char *body_part;  /* "BRAIN", "CHEST", "BREAST" */
    bool burned_in;         /* BurnedInAnnotation YES */
    /* pixels */
    int rows, columns;
    int bits_stored;         /* 1 to 16 */
    bool is_signed;          /* the pixels are int16_t, else uint16_t */
    bool is_monochrome1;     /* the lowest value is white */
    const uint16_t *pixels;  /* rows x columns */
    double slope, intercept; /* of CT: HU = slope * stored + intercept; others: 1 and 0 */
    double window_center, window_width; /* width 0: none */
    /* place of CT and MR in LPS millimetres */
    double position_mm[3];    /* centre of the first pixel */
    double orientation[2][3]; /* unit vectors along a row and along a column */
    double spacing_mm[2]; /* between rows, between columns; of projections at the detector */
    double thickness_mm, spacing_between_mm; /* the second is left out where it is 0 */
    /* what tells images at one place apart; CT and MR */
    double acquisition_time_s; /* of the day; negative: none */
    double trigger_time_ms;    /* MR; negative: none */
    double cycle_ms;           /* with trigger_time_ms: from one R wave to the next */
    int n_phases;              /* with trigger_time_ms: of the cycle */
    int temporal_position, n_temporal_positions; /* MR; 0: none */
    const char *contrast_agent;
    /* projections */
    char laterality;                 /* 'L' or 'R'; 0: unpaired */
    const char *view;                /* "PA", "CC", "MLO" */
    const char *patient_orientation; /* "L\F": where the row and the column point */
} nod_dicom_image;

/* MR image of nobody with `slope` 1 and the optional times left out. */
nod_dicom_image nod_dicom_image_defaults(nod_dicom_object object);

/* Replaces `path`, atomically. Errors: EINVAL names what is missing or out of range; EIO; ENOMEM. */
int nod_dicom_image_write(const char *path, const nod_dicom_image *image,
                          nod_error *err) NOD_MUST_CHECK;

/* UID below 2.25 (PS3.5 B.2) that follows from `name`: a version 8 UUID of its SHA-256. `out` has
 * NOD_DICOM_UID_BYTES. */
#define NOD_DICOM_UID_BYTES 65
int nod_dicom_uid_of(const char *name, char out[NOD_DICOM_UID_BYTES],
                     nod_error *err) NOD_MUST_CHECK;
/* The same of another UID under a key, by HMAC-SHA-256: the same one each time, and nobody without the
 * key finds it or goes back. */
int nod_dicom_uid_under_key(const void *key, size_t key_size, const char *uid,
                            char out[NOD_DICOM_UID_BYTES], nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
