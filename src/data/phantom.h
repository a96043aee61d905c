/* phantom.h: a simulated head in magnetic resonance, with or without a tumour, as a function of
 * position; slices and volumes are samples of it.
 *
 * Everything that a head is follows from (seed, patient) and everything that an image is from
 * (seed, patient, image), so any image can be drawn alone and in any order. */
#ifndef NOD_DATA_PHANTOM_H
#define NOD_DATA_PHANTOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "data/phantom_tissue.h"

typedef struct nod_phantom nod_phantom;

typedef struct nod_phantom_options {
    bool has_tumour;
    double contrast;     /* how far the tumour stands out; 1: as the demo has it */
    double radius_scale; /* of the tumour */
    bool regional;       /* tumours grow in one lobe, mostly bright; else anywhere */
    bool enhanced; /* T1-weighted after contrast: fluid is dark, every tumour bright; else both
                            weightings occur, and a third of the tumours is dark */
} nod_phantom_options;

/* The head of one patient. With and without a tumour the same (seed, patient) gives the same
 * head. */
int nod_phantom_new(uint64_t seed, int64_t i_patient, const nod_phantom_options *options,
                    nod_phantom **out, nod_error *err) NOD_MUST_CHECK;
void nod_phantom_free(nod_phantom *p);

/* One slice of size x size pixels, through the place where the tumour is, or would be. */
void nod_phantom_slice(const nod_phantom *p, int64_t i_image, int64_t size, uint8_t *dst);
/* One scan of size^3 voxels, [z][y][x]. */
void nod_phantom_volume(const nod_phantom *p, int64_t i_image, int64_t size, uint8_t *dst);

/* --- the same head for a scanner that lays its own planes ----------------------------------- */

#define NOD_PHANTOM_MM 105.0 /* of the field of view's unit: its edge is 210 mm */

/* Signal without noise, about 0 to 1, at a place of the field of view [-1,1]^3, as a voxel of edge
 * `width` sees it. */
double nod_phantom_signal(const nod_phantom *p, nod_vec at, double width);
double nod_phantom_noise(const nod_phantom *p); /* sd, in the signal's unit */
/* Whether this place lies inside the tumour's border; never in a head without one. */
bool nod_phantom_is_tumour(const nod_phantom *p, nod_vec at);

#endif
