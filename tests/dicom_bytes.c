/* dicom_bytes.c: see dicom_bytes.h. Encodings: PS3.5 7.1 and A. */
#include "dicom_bytes.h"

#include <stdlib.h>
#include <string.h>

void dicom_bytes_done(dicom_bytes *b)
{
    free(b->data);
    *b = (dicom_bytes){0};
}

void dicom_raw(dicom_bytes *b, const void *bytes, size_t n)
{
    if (b->size + n > b->capacity) {
        b->capacity = 2 * (b->size + n);
        b->data = realloc(b->data, b->capacity);
        if (b->data == NULL) abort();
    }
    if (n > 0) memcpy(b->data + b->size, bytes, n);
    b->size += n;
}

void dicom_u16(dicom_bytes *b, unsigned v)
{
    uint8_t little[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    uint8_t big[2] = {little[1], little[0]};

    dicom_raw(b, b->big ? big : little, 2);
}

void dicom_u32(dicom_bytes *b, uint32_t v)
{
    dicom_u16(b, b->big ? v >> 16 : v & 0xffff);
    dicom_u16(b, b->big ? v & 0xffff : v >> 16);
}

void dicom_head(dicom_bytes *b, uint32_t tag, const char *vr, uint32_t length)
{
    static const char longs[] = "OB OD OF OL OV OW SQ UC UN UR UT";

    dicom_u16(b, tag >> 16);
    dicom_u16(b, tag & 0xffff);
    if (b->implicit) {
        dicom_u32(b, length);
        return;
    }
    dicom_raw(b, vr, 2);
    if (strstr(longs, vr) != NULL) {
        dicom_u16(b, 0);
        dicom_u32(b, length);
    } else {
        dicom_u16(b, length);
    }
}

void dicom_text(dicom_bytes *b, uint32_t tag, const char *vr, const char *text)
{
    size_t n = strlen(text), odd = n % 2;

    dicom_head(b, tag, vr, (uint32_t)(n + odd));
    dicom_raw(b, text, n);
    dicom_raw(b, strcmp(vr, "UI") == 0 ? "\0" : " ", odd);
}

void dicom_us(dicom_bytes *b, uint32_t tag, unsigned v)
{
    dicom_head(b, tag, "US", 2);
    dicom_u16(b, v);
}

void dicom_meta(dicom_bytes *b, const char *syntax)
{
    static const uint8_t preamble[128];
    bool big = b->big, implicit = b->implicit;
    size_t n = (strlen(syntax) + 1) & ~(size_t)1;

    b->big = b->implicit = false;
    dicom_raw(b, preamble, sizeof preamble);
    dicom_raw(b, "DICM", 4);
    dicom_head(b, 0x00020000, "UL", 4);
    dicom_u32(b, (uint32_t)(8 + n));
    dicom_text(b, 0x00020010, "UI", syntax);
    b->big = big;
    b->implicit = implicit;
}

void dicom_grey(dicom_bytes *b, unsigned rows, unsigned columns, unsigned bits)
{
    dicom_text(b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
    dicom_text(b, 0x00080060, "CS", "CT");
    dicom_us(b, 0x00280002, 1);
    dicom_text(b, 0x00280004, "CS", "MONOCHROME2");
    dicom_us(b, 0x00280010, rows);
    dicom_us(b, 0x00280011, columns);
    dicom_us(b, 0x00280100, bits <= 8 ? 8 : bits <= 16 ? 16 : 32);
    dicom_us(b, 0x00280101, bits);
    dicom_us(b, 0x00280102, bits - 1);
    dicom_us(b, 0x00280103, 0);
}
