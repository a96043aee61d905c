/* stored.h: voxels as a file stores them, turned into an image.
 *
 * Shared by the volume formats (NIfTI, MetaImage, NRRD): sizes are checked against the limits and
 * against the bytes that are there, numbers turned from any type and byte order, scaled, and looked
 * at for NaN, infinity, and integers that a float cannot hold. */
#ifndef NOD_IMAGING_STORED_H
#define NOD_IMAGING_STORED_H

#include "imaging/reader.h"

typedef enum nod_stored {
    NOD_STORED_U8,
    NOD_STORED_I8,
    NOD_STORED_U16,
    NOD_STORED_I16,
    NOD_STORED_U32,
    NOD_STORED_I32,
    NOD_STORED_U64,
    NOD_STORED_I64,
    NOD_STORED_F32,
    NOD_STORED_F64,
    NOD_STORED_TYPES
} nod_stored;

size_t nod_stored_size(nod_stored type); /* bytes of one number */

/* A block of voxels in a file: components fastest, then i, j, k, then frames. */
typedef struct nod_stored_grid {
    nod_stored type;
    bool big_endian;
    double slope, intercept; /* real value = slope * stored + intercept; 1 and 0: as stored */
    int64_t size[3];         /* i, j, k */
    int64_t frames;
    int64_t components;
} nod_stored_grid;

/* Bytes of the block. ELIMIT: more than an image may have; `name` begins the message. */
int nod_stored_bytes(const nod_stored_grid *g, const char *name, size_t *out,
                     nod_error *err) NOD_MUST_CHECK;

/* An image of unknown geometry out of the block's bytes, exactly nod_stored_bytes of them, at any
 * address. 3 or 4 components of 8 or 16 unsigned bits are colour; any other number of components
 * becomes frames, all frames of one component after the other. U8 and U16 without scaling stay as
 * they are, the rest becomes f32. Findings: not-finite (accepted: such voxels become padding with
 * the lowest value), rounded. */
int nod_stored_read(const nod_encoded *in, const nod_stored_grid *g, const uint8_t *bytes,
                    nod_image *out, nod_error *err) NOD_MUST_CHECK;

#endif
