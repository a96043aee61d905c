/* header.h: the header of a NIfTI file, out of its bytes and back, and the grid it describes.
 *
 * Sources: nifti1.h and nifti2.h of the NIfTI Data Format Working Group. */
#ifndef NOD_IMAGING_NIFTI_HEADER_H
#define NOD_IMAGING_NIFTI_HEADER_H

#include "imaging/stored.h"

#define NOD_NIFTI1_BYTES    348
#define NOD_NIFTI2_BYTES    540
#define NOD_NIFTI1_OFFSET   352 /* where voxels begin: header and four bytes of extension flags */
#define NOD_NIFTI2_OFFSET   544
#define NOD_NIFTI1_SIDE_MAX 32767

typedef struct nod_nifti_header {
    int version;     /* 1 or 2 */
    bool big_endian; /* header and voxels */
    bool pair;       /* voxels lie in a file of their own */
    int64_t dim[8];
    int datatype, bitpix;
    double pixdim[8];
    int64_t vox_offset;
    double slope, inter;
    int units; /* xyzt_units */
    int qform_code, sform_code;
    double quatern[3], qoffset[3];
    double srow[3][4];
} nod_nifti_header;

typedef struct nod_nifti_type {
    int code, bits;
    const char *name;
    int components;  /* 0: not read */
    nod_stored type; /* of one component */
} nod_nifti_type;

const nod_nifti_type *nod_nifti_type_find(int code); /* NULL: not known */

/* Whether bytes begin like a header: its size in either byte order. */
bool nod_nifti_header_is(const uint8_t *bytes, size_t size);
/* Checks everything that is wrong by itself: size, magic, dimensions, offset. EFORMAT, EUNSUPPORTED
 * (Analyze 7.5). */
int nod_nifti_header_parse(const uint8_t *bytes, size_t size, const char *name,
                           nod_nifti_header *out, nod_error *err) NOD_MUST_CHECK;
/* Little endian, with the four bytes behind it: returns NOD_NIFTI1_OFFSET or NOD_NIFTI2_OFFSET. */
size_t nod_nifti_header_encode(const nod_nifti_header *h, uint8_t out[NOD_NIFTI2_OFFSET]);

/* Where the grid of `size` lies, with its findings: forms-differ, no-orientation, sheared,
 * bad-spacing. */
int nod_nifti_place(const nod_encoded *in, const nod_nifti_header *h, const int64_t size[3],
                    nod_geometry *out, nod_error *err) NOD_MUST_CHECK;
/* Sets pixdim, units and both forms from a grid; qform only where the axes are at right angles. */
void nod_nifti_set_place(nod_nifti_header *h, const nod_geometry *g);

#endif
