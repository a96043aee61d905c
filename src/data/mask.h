/* mask.h: label maps: images whose voxels are the numbers of classes.
 *
 * They come from any format that is read. One value a voxel, whole numbers from 0; a map of 0 and 255
 * alone, as programs for pictures write them, is one of 0 and 1. */
#ifndef NOD_DATA_MASK_H
#define NOD_DATA_MASK_H

#include "imaging/finding.h"
#include "imaging/image.h"

/* Reads a label map as u8, or u16 where a value is above 255; *largest is its largest value.
 * Errors: those of the reader; EDATA (not whole numbers from 0 to 1023, several values a voxel, a
 * fourth axis). */
int nod_mask_read(const char *path, const nod_policies *policies, nod_image *out,
                  int64_t *largest, nod_error *err) NOD_MUST_CHECK;
#endif
