/* itk.h: the two formats of ITK's world: MetaImage (.mha, .mhd + data) and NRRD (.nrrd, .nhdr +
 * data). docs/formats/itk.md says what is read. */
#ifndef NOD_IMAGING_ITK_ITK_H
#define NOD_IMAGING_ITK_ITK_H

#include "imaging/reader.h"

extern const nod_image_format nod_mha_format;
extern const nod_image_format nod_nrrd_format;

#endif
