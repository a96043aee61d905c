/* write.h: the border between write.c and write.cc. */
#ifndef NOD_IMAGING_DICOM_SHIM_WRITE_H
#define NOD_IMAGING_DICOM_SHIM_WRITE_H

#include <stddef.h>

#include "base/error.h"
#include "imaging/dicom/write.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of the file, preamble and meta header included, of an image that was checked. `name`
 * begins messages. *bytes is the caller's (nod_free). */
int nod_dicom_image_encode(const char *name, const nod_dicom_image *image, void **bytes,
                           size_t *size, nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
