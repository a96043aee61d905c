/* dicom_bytes.h: DICOM files made byte by byte, for tests of what no decent writer writes. */
#ifndef TESTS_DICOM_BYTES_H
#define TESTS_DICOM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dicom_bytes {
    uint8_t *data;
    size_t size, capacity;
    bool big, implicit; /* how elements are written from now on */
} dicom_bytes;

void dicom_bytes_done(dicom_bytes *b);
void dicom_raw(dicom_bytes *b, const void *bytes, size_t n);
void dicom_u16(dicom_bytes *b, unsigned v); /* in the byte order of b */
void dicom_u32(dicom_bytes *b, uint32_t v);
/* 128 zeros, "DICM", group length and transfer syntax. */
void dicom_meta(dicom_bytes *b, const char *syntax);
/* Tag, VR ("OW", "SQ" ... get the long form) and length, no value. */
void dicom_head(dicom_bytes *b, uint32_t tag, const char *vr, uint32_t length);
/* A text, padded to even length. */
void dicom_text(dicom_bytes *b, uint32_t tag, const char *vr, const char *text);
void dicom_us(dicom_bytes *b, uint32_t tag, unsigned v);
/* Rows, columns, bits ... of one grey image without pixels: SOP class SC, modality CT. */
void dicom_grey(dicom_bytes *b, unsigned rows, unsigned columns, unsigned bits);

#endif
