/* samples.c: see samples.h. */
#include "imaging/dicom/samples.h"

#include <math.h>
#include <string.h>

void nod_dicom_unpack_bits(const uint8_t *bits, size_t first, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = first + i;
        out[i] = bits[at / 8] >> (at % 8) & 1;
    }
}

void nod_dicom_interleave(const uint8_t *planes, size_t n, size_t channels, size_t width,
                          uint8_t *out)
{
    for (size_t c = 0; c < channels; c++) {
        const uint8_t *from = planes + c * n * width;
        for (size_t i = 0; i < n; i++)
            memcpy(out + (i * channels + c) * width, from + i * width, width);
    }
}

void nod_dicom_unpack_422(const uint8_t *in, size_t rows, size_t columns, uint8_t *out)
{
    for (size_t i = 0; i < rows * columns / 2; i++) {
        const uint8_t *p = in + 4 * i;
        uint8_t pair[6] = {p[0], p[2], p[3], p[1], p[2], p[3]};
        memcpy(out + 6 * i, pair, sizeof pair);
    }
}

static uint8_t to_byte(double v)
{
    return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)lround(v);
}

/* PS3.3 C.7.6.3.1.2, solved for R, G, B (ITU-T T.871). */
void nod_dicom_ybr_to_rgb(uint8_t *pixels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = pixels + 3 * i;
        double y = p[0], cb = p[1] - 128.0, cr = p[2] - 128.0;
        p[0] = to_byte(y + 1.402 * cr);
        p[1] = to_byte(y - (0.114 * 1.772 / 0.587) * cb - (0.299 * 1.402 / 0.587) * cr);
        p[2] = to_byte(y + 1.772 * cb);
    }
}

void nod_dicom_settle_bits(void *samples, size_t n, size_t width, int shift, int bits_stored,
                           bool is_signed)
{
    int spare = (int)(8 * width) - bits_stored, above = spare - shift;

    if (spare <= 0 || above < 0) return;
#define SETTLE(unsigned_type, signed_type)                                \
    do {                                                                  \
        unsigned_type *v = samples;                                       \
        if (is_signed) {                                                  \
            _Pragma("omp simd") for (size_t i = 0; i < n; i++) v[i] =     \
                (unsigned_type)((signed_type)(v[i] << above) >> spare);   \
        } else {                                                          \
            _Pragma("omp simd") for (size_t i = 0; i < n; i++) v[i] =     \
                (unsigned_type)((unsigned_type)(v[i] << above) >> spare); \
        }                                                                 \
    } while (0)
    if (width == 1)
        SETTLE(uint8_t, int8_t);
    else if (width == 2)
        SETTLE(uint16_t, int16_t);
    else
        SETTLE(uint32_t, int32_t);
#undef SETTLE
}

void nod_dicom_swap_halves(void *samples, size_t n)
{
    uint32_t *v = samples;

    for (size_t i = 0; i < n; i++)
        v[i] = v[i] >> 16 | v[i] << 16;
}
