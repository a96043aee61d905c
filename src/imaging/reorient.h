/* reorient.h: turning the axes of a grid: permutation and flips, exact for every voxel.
 *
 * The place of each voxel in the patient stays; what changes is the order in memory. */
#ifndef NOD_IMAGING_REORIENT_H
#define NOD_IMAGING_REORIENT_H

#include "imaging/image.h"

/* Axis a of the result runs along axis from[a] of the source, backwards where flip[a]. */
typedef struct nod_turn {
    int from[3];
    bool flip[3];
} nod_turn;

/* The turn after which the codes of `g` are `codes` ("LPS"). EDATA: the place of `g` in the patient
 * is not known; EINVAL: not a code. */
int nod_turn_find(const nod_geometry *g, const char *codes, nod_turn *out,
                  nod_error *err) NOD_MUST_CHECK;
bool nod_turn_is_identity(const nod_turn *t);
nod_turn nod_turn_inverse(const nod_turn *t);
nod_geometry nod_turn_geometry(const nod_turn *t, const nod_geometry *g);
/* Voxels, padding and geometry of every frame; samples and facts stay. */
int nod_turn_image(const nod_turn *t, const nod_image *im, nod_image *out,
                   nod_error *err) NOD_MUST_CHECK;

/* find and image in one. */
int nod_image_reorient(const nod_image *im, const char *codes, nod_image *out,
                       nod_error *err) NOD_MUST_CHECK;

#endif
