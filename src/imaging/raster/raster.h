/* raster.h: one entry per picture format, and the check that all of them share.
 *
 * A format is one file in this folder and one line in the table of imaging/reader.c. */
#ifndef NOD_IMAGING_RASTER_RASTER_H
#define NOD_IMAGING_RASTER_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imaging/reader.h"

extern const nod_image_format nod_raster_png;
extern const nod_image_format nod_raster_jpeg;
extern const nod_image_format nod_raster_tiff;

/* Refuses a picture that its file cannot hold: `n_raw` bytes unpacked from `size` bytes in the
 * file, where one byte gives at most `ratio`. The slack is for headers that are their own
 * content. Called before anything is allocated. */
int nod_raster_check_size(const char *name, int64_t width, int64_t height, uint64_t n_raw,
                          size_t size, uint64_t ratio, nod_error *err) NOD_MUST_CHECK;

#endif
