/* nifti.h: NIfTI-1 and NIfTI-2 files: .nii, .nii.gz, and pairs .hdr + .img. docs/formats/nifti.md
 * says what is read, what is a finding, and what is refused. */
#ifndef NOD_IMAGING_NIFTI_NIFTI_H
#define NOD_IMAGING_NIFTI_NIFTI_H

#include "imaging/stored.h"

extern const nod_image_format nod_nifti_format;

/* Where `path` holds the voxels of a pair (x.img, x.img.gz) and a header lies beside it: *header is
 * the header's path, else NULL. ENOMEM. */
int nod_nifti_find_header(const char *path, char **header, nod_error *err) NOD_MUST_CHECK;

/* Writes .nii or .nii.gz, as the name ends (EINVAL: another ending), atomically; equal input, equal
 * bytes. NIfTI-2 where a side has more than 32 767 voxels. Samples keep their type; floats that all
 * are integers of 16 bits become such, so that every value reads back equal. qform and sform hold
 * the place in the patient, millimetres the unit. EINVAL: grey with alpha, colour of 16 bits. */
int nod_nifti_write(const char *path, const nod_image *im, nod_error *err) NOD_MUST_CHECK;

#endif
