/* limits.h: what a DICOM file may ask of us. Everything here comes from bytes that nobody vouches
 * for, so each count is compared with its limit before anything is allocated for it. */
#ifndef NOD_IMAGING_DICOM_LIMITS_H
#define NOD_IMAGING_DICOM_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* A file on disk. Its large values stay there until they are asked for. */
#define NOD_DICOM_FILE_MAX ((int64_t)64 << 30)
/* What a deflated dataset may grow to. */
#define NOD_DICOM_INFLATED_MAX ((size_t)1 << 30)
/* Elements and items of a dataset, all levels together; each costs some 200 bytes. */
#define NOD_DICOM_ELEMENTS_MAX 4000000
/* Stack that reading nested sequences may use: some thousand levels. */
#define NOD_DICOM_STACK_MAX ((size_t)1 << 20)
/* A value of more bytes is left in the file until it is asked for. */
#define NOD_DICOM_VALUE_KEPT 4096
/* Rows, columns, and frames of an image (Rows and Columns have 16 bits). */
#define NOD_DICOM_SIDE_MAX   65535
#define NOD_DICOM_FRAMES_MAX 1000000
/* One frame, decoded. */
#define NOD_DICOM_FRAME_BYTES_MAX ((size_t)1 << 31)

#endif
