/* samples.h: arithmetic on the samples of one decoded DICOM frame, in place or between buffers. */
#ifndef NOD_IMAGING_DICOM_SAMPLES_H
#define NOD_IMAGING_DICOM_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bits from bit `first` of `bits`, lowest bit first (PS3.5 8.1.1), to bytes 0 and 1. */
void nod_dicom_unpack_bits(const uint8_t *bits, size_t first, size_t n, uint8_t *out);
/* [channels][n] to [n][channels], samples of `width` bytes. */
void nod_dicom_interleave(const uint8_t *planes, size_t n, size_t channels, size_t width,
                          uint8_t *out);
/* YBR_FULL_422 (PS3.3 C.7.6.3.1.2): Y Y Cb Cr for two pixels of a row, to Y Cb Cr for each.
 * `columns` is even. */
void nod_dicom_unpack_422(const uint8_t *in, size_t rows, size_t columns, uint8_t *out);
/* YBR_FULL to RGB in place, n pixels of 8 bits. Rounded to nearest and clamped. */
void nod_dicom_ybr_to_rgb(uint8_t *pixels, size_t n);
/* Takes bits `shift` to shift+bits_stored-1 of n samples of `width` bytes; what lay outside is
 * gone, bits above are 0 or the sign. */
void nod_dicom_settle_bits(void *samples, size_t n, size_t width, int shift, int bits_stored,
                           bool is_signed);
/* Exchanges the 16-bit halves of n 32-bit samples: what is left to do after big-endian words were
 * turned. */
void nod_dicom_swap_halves(void *samples, size_t n);

#endif
