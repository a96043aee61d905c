/* values.h: what the pixels of a DICOM image mean: real values in f32, colours as integers.
 *
 * From stored values, in this order: padding is told apart (on stored values); Modality LUT, else
 * rescale, of each frame; VOI LUT or window, only for projection images FOR PRESENTATION, whose
 * stored values mean nothing before it; MONOCHROME1 turned over within the representable range.
 * docs/formats/dicom.md says what each step takes from the header. */
#ifndef NOD_IMAGING_DICOM_VALUES_H
#define NOD_IMAGING_DICOM_VALUES_H

#include "imaging/dicom/pixels.h"
#include "imaging/image.h"

typedef struct nod_dicom_meaning {
    int64_t frames, rows, columns;
    int channels;         /* 1 grey, 3 RGB */
    nod_sample sample;    /* F32 for grey; of colours U8, U16, or F32 for 32 bits */
    char photometric[17]; /* of the result: MONOCHROME2 or RGB */
    nod_units units;      /* HU only where the values are */
    char unit[17];        /* as the file has it: "HU", "BQML" ...; "" */
    bool has_padding;     /* the header names padding values */
    bool has_window;      /* VOI LUT or window is applied */
    bool is_rounded;      /* integers of more than 24 bits, which f32 does not hold */
} nod_dicom_meaning;

/* One object is used by one thread; the file must outlive it. */
typedef struct nod_dicom_values nod_dicom_values;

/* Errors: as nod_dicom_pixels_open; EFORMAT for impossible tables and windows. */
int nod_dicom_values_open(const nod_dicom_file *file, nod_dicom_values **out,
                          nod_error *err) NOD_MUST_CHECK;
void nod_dicom_values_close(nod_dicom_values *v); /* NULL is allowed */
const nod_dicom_meaning *nod_dicom_values_meaning(const nod_dicom_values *v);
/* Frames first .. first+n-1: dst [n][rows][columns][channels] of `sample`. `padding`
 * [n][rows][columns], may be NULL: 1 where the pixel is padding, whose value in dst means nothing
 * then (nod_dicom_fill_padding). Errors: as nod_dicom_pixels_read; ENUMERIC: not finite. */
int nod_dicom_values_read(nod_dicom_values *v, int64_t first, int64_t n, void *dst,
                          uint8_t *padding, nod_error *err) NOD_MUST_CHECK;

/* Gives padding a value that no network will take for tissue: air (-1000) where the values are HU,
 * else the lowest value of the image outside padding. After the whole image was read. */
void nod_dicom_fill_padding(nod_image *im);

/* One DICOM file alone: its frames are the planes of the image. Geometry and the place of frames are
 * the business of a series (series.h). Errors: as above. */
int nod_dicom_image_read(const char *path, nod_image *out, nod_error *err) NOD_MUST_CHECK;
int nod_dicom_image_parse(const void *bytes, size_t size, const char *name, nod_image *out,
                          nod_error *err) NOD_MUST_CHECK;

#endif
