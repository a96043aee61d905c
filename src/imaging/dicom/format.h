/* format.h: DICOM's line in the table of file formats (imaging/reader.h). */
#ifndef NOD_IMAGING_DICOM_FORMAT_H
#define NOD_IMAGING_DICOM_FORMAT_H

#include "imaging/reader.h"

extern const nod_image_format nod_dicom_format;

#endif
