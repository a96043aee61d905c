/* pixels.h: the stored values of a DICOM image: what Pixel Data holds once it is decompressed.
 *
 * Integers as the file stores them, in native order, pixel after pixel (PS3.3 C.7.6.3): bits above
 * Bits Stored are gone (old overlays lie there), signs extended; one-bit data is one byte a pixel;
 * colours are RGB, whatever they were stored as, palettes stay indices. Frames are decoded one at a
 * time, so that a file of thousands of frames needs the memory of one. What the values mean is
 * values.h's business. */
#ifndef NOD_IMAGING_DICOM_PIXELS_H
#define NOD_IMAGING_DICOM_PIXELS_H

#include <stdint.h>

#include "imaging/dicom/file.h"

typedef enum nod_dicom_type {
    NOD_DICOM_U8,
    NOD_DICOM_I8,
    NOD_DICOM_U16,
    NOD_DICOM_I16,
    NOD_DICOM_U32,
    NOD_DICOM_I32,
    NOD_DICOM_F32, /* Float Pixel Data */
    NOD_DICOM_F64  /* Double Float Pixel Data */
} nod_dicom_type;

typedef struct nod_dicom_layout {
    int64_t frames, rows, columns;
    int channels; /* 1, or 3: RGB */
    nod_dicom_type type;
    int bits_stored;      /* significant bits of an integer; 1 for one-bit data */
    size_t frame_bytes;   /* rows * columns * channels * bytes of the type */
    char photometric[17]; /* as stored, except that YBR_... became RGB */
} nod_dicom_layout;

size_t nod_dicom_type_bytes(nod_dicom_type type);

/* One object is used by one thread; the file must outlive it. */
typedef struct nod_dicom_pixels nod_dicom_pixels;

/* Of a file that was opened WHOLE. Nothing is decoded yet. Errors: EDATA (no pixels in it),
 * EFORMAT (the header contradicts itself or the length of the data), ELIMIT, EUNSUPPORTED. */
int nod_dicom_pixels_open(const nod_dicom_file *file, nod_dicom_pixels **out,
                          nod_error *err) NOD_MUST_CHECK;
void nod_dicom_pixels_close(nod_dicom_pixels *p); /* NULL is allowed */
const nod_dicom_layout *nod_dicom_pixels_layout(const nod_dicom_pixels *p);
/* Frames first .. first+n-1 into dst (n * frame_bytes). Errors: EFORMAT (broken or missing data),
 * EUNSUPPORTED (the reason is in the message), ENOMEM. dst is undefined then. */
int nod_dicom_pixels_read(nod_dicom_pixels *p, int64_t first, int64_t n, void *dst,
                          nod_error *err) NOD_MUST_CHECK;

#endif
