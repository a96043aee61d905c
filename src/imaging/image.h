/* image.h: one decoded picture or volume of samples, as stored in its file.
 *
 * Samples are interleaved by channel: data[((d*height + y)*width + x)*channels + c], in the
 * file's own integers (8 or 16 bit) or f32. Palette images arrive expanded. World geometry
 * comes with the DICOM and NIfTI readers. */
#ifndef NOD_IMAGING_IMAGE_H
#define NOD_IMAGING_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Limits for untrusted files. */
#define NOD_IMAGE_MAX_SIDE    65500
#define NOD_IMAGE_MAX_SAMPLES ((int64_t)1 << 31)

typedef enum nod_sample { NOD_SAMPLE_U8, NOD_SAMPLE_U16, NOD_SAMPLE_F32 } nod_sample;

typedef struct nod_image {
    int64_t depth, height, width; /* depth 1 for a plane */
    int channels;                 /* 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA */
    nod_sample sample;
    void *data; /* owned */
} nod_image;

int nod_image_init(nod_image *im, int64_t depth, int64_t height, int64_t width, int channels,
                   nod_sample sample, nod_error *err) NOD_MUST_CHECK; /* zeroed */
void nod_image_done(nod_image *im);
int64_t nod_image_samples(const nod_image *im);
size_t nod_image_bytes(const nod_image *im);

/* PNG, JPEG or TIFF, chosen by the first bytes, never by the name. Alpha is kept. */
int nod_image_read(const char *path, nod_image *out, nod_error *err) NOD_MUST_CHECK;
int nod_image_parse(const void *bytes, size_t size, const char *name, nod_image *out,
                    nod_error *err) NOD_MUST_CHECK;
/* true if the first bytes look like one of the formats above. */
int nod_image_is_known(const void *bytes, size_t size);
/* 8- or 16-bit PNG (depth 1), atomically, without time stamps: equal input, equal bytes. */
int nod_image_write_png(const char *path, const nod_image *im, nod_error *err) NOD_MUST_CHECK;

/* Identity of the decoded pixels: SHA-256 over size and samples after making equal pictures
 * equal: alpha that is everywhere opaque is dropped, RGB with equal channels becomes grey, and
 * 16-bit samples that are all multiples of 257 become 8-bit. */
int nod_image_pixel_hash(const nod_image *im, char out[65], nod_error *err) NOD_MUST_CHECK;
/* 1 if every pixel has the same value. */
int nod_image_is_constant(const nod_image *im);

/* To f32 planes [channels_out][depth][height][width], scaled to [0,1] for integers; f32 as it
 * is. channels_out is 1 (luma Rec. 601 0.299 R + 0.587 G + 0.114 B; alpha composited on black)
 * or 3 (grey repeated). dst has channels_out*depth*height*width floats. */
int nod_image_to_f32(const nod_image *im, int channels_out, float *dst,
                     nod_error *err) NOD_MUST_CHECK;

#endif
