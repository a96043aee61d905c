/* file.h: a DICOM file, opened: meta header read, dataset parsed, large values left where they are.
 *
 * With or without preamble and meta header, implicit or explicit, little or big endian, deflated
 * (docs/formats/dicom.md). What the dataset says is read by header.h, its pixels by pixels.h. The
 * parser is DCMTK's; it and the codecs live behind imaging/dicom/shim/, which is C++. The limits
 * are in limits.h. */
#ifndef NOD_IMAGING_DICOM_FILE_H
#define NOD_IMAGING_DICOM_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* One object is used by one thread; several objects by several. */
typedef struct nod_dicom_file nod_dicom_file;

typedef enum nod_dicom_extent {
    NOD_DICOM_HEADER, /* all that stands before Pixel Data */
    NOD_DICOM_WHOLE   /* with Pixel Data */
} nod_dicom_extent;

/* True if these first bytes (256 are enough) look like a DICOM file: "DICM" after the preamble, or
 * a first element of group 0002 or 0008. */
bool nod_dicom_is(const void *bytes, size_t size);

/* Errors: ENOENT, EIO, EFORMAT (no DICOM file, or a broken one), ELIMIT, ENOMEM. */
int nod_dicom_file_open(const char *path, nod_dicom_extent extent, nod_dicom_file **out,
                        nod_error *err) NOD_MUST_CHECK;
/* The same for a file that is in memory. The bytes must stay until the file is closed; `name`
 * stands for the path in messages. */
int nod_dicom_file_open_memory(const void *bytes, size_t size, const char *name,
                               nod_dicom_extent extent, nod_dicom_file **out,
                               nod_error *err) NOD_MUST_CHECK;
void nod_dicom_file_close(nod_dicom_file *file); /* NULL is allowed */

const char *nod_dicom_file_name(const nod_dicom_file *file); /* as it was opened */
/* UID of the transfer syntax as the meta header has it, or of the one that was found by looking
 * where the header has none. */
const char *nod_dicom_file_syntax(const nod_dicom_file *file);
/* The file ends inside its pixels, or is broken behind them; what is there of them can be read. */
bool nod_dicom_file_is_partial(const nod_dicom_file *file);
/* "JPEG 2000, lossless" for a transfer syntax of PS3.6 A; the UID itself where unknown. */
const char *nod_dicom_syntax_name(const char *uid);

#endif
