/* tiff_samples.h: the forms that samples of a TIFF page come in, for tiff.c only. */
#ifndef NOD_IMAGING_RASTER_TIFF_SAMPLES_H
#define NOD_IMAGING_RASTER_TIFF_SAMPLES_H

#include <stdbool.h>
#include <tiffio.h>

#include "imaging/image.h"

typedef struct nod_tiff_page {
    int64_t width, height;
    int n_samples; /* a pixel, in the file */
    int bits;      /* a sample, in the file */
    int format;    /* SAMPLEFORMAT_* */
    int channels;  /* of the image: unspecified extra samples are left out */
    nod_sample sample;
    bool separate; /* channel after channel instead of pixel after pixel */
    bool inverted; /* 0 is white */
    bool palette, premultiplied, flip_x, flip_y;
    const uint16_t *map[3]; /* palette; libtiff's, valid until the next directory */
    uint64_t ratio, n_raw;  /* of the compression; bytes when decoded */
} nod_tiff_page;

/* Fills what follows from bits, formats, colours and extra samples of the current directory;
 * `is_jpeg`: libtiff turns YCbCr into RGB. */
int nod_tiff_read_form(nod_tiff_page *p, TIFF *tif, bool is_jpeg, const char *name,
                       int64_t i_page, nod_error *err) NOD_MUST_CHECK;
/* Puts samples first_src, first_src + step_src, ... of a decoded row into one channel of n
 * pixels of `im`, beginning at sample index `first_dst`. false: an integer did not fit f32. */
bool nod_tiff_put_channel(const nod_tiff_page *p, const uint8_t *row, size_t first_src,
                          size_t step_src, size_t n, nod_image *im, size_t first_dst);
/* What is done when a page is complete: alpha divided out, picture turned upright. */
void nod_tiff_finish_page(const nod_tiff_page *p, nod_image *im, int64_t i_page);

#endif
