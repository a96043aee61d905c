/* geometry.h: where a grid of voxels lies in the patient.
 *
 * One convention everywhere: millimetres in LPS, x to the patient's left, y to the back
 * (posterior), z to the head (superior). Readers of formats that are RAS turn at their border.
 *   world = origin_mm + sum over a of index[a] * spacing_mm[a] * direction[a]
 * Axes of the grid are i (columns, the fastest in memory), j (rows), k (slices).
 *
 * Orientation codes are three letters, one for each of i, j, k: the side of the patient that the
 * axis goes TO, of L R (left, right), P A (posterior, anterior), S I (superior, inferior). "LPS" is
 * a grid along the world's axes. nibabel means the same; MetaImage's AnatomicalOrientation names
 * the side an axis comes FROM, so that it says RAI for LPS. */
#ifndef NOD_IMAGING_GEOMETRY_H
#define NOD_IMAGING_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Axes whose cosine exceeds this are sheared, not merely rounded: at the end of 100 voxels the
 * fault is a tenth of a voxel. Headers keep 4 to 7 digits. */
#define NOD_GEOMETRY_SHEAR_MAX 1e-3
/* Image and mask agree if their corners lie within this part of the smallest spacing. */
#define NOD_GEOMETRY_AGREE 0.1
/* Bytes that the text of a geometry needs at most. */
#define NOD_GEOMETRY_TEXT 320

typedef enum nod_space {
    NOD_SPACE_NONE,    /* neither spacing nor place is known: a PNG */
    NOD_SPACE_SPACING, /* spacing_mm alone is known: a radiograph, a NIfTI without forms */
    NOD_SPACE_PATIENT  /* everything is known */
} nod_space;

/* Which way x and y of world coordinates go; z goes to the head in both. */
typedef enum nod_world {
    NOD_WORLD_LPS, /* DICOM, ITK, and everything in here */
    NOD_WORLD_RAS  /* NIfTI, nibabel */
} nod_world;

typedef struct nod_geometry {
    nod_space space;
    int64_t size[3];        /* voxels along i, j, k; each at least 1 */
    double spacing_mm[3];   /* along i, j, k; positive */
    double direction[3][3]; /* direction[a]: unit vector of axis a in LPS */
    double origin_mm[3];    /* LPS of the centre of voxel (0,0,0) */
} nod_geometry;

/* Nothing known of a grid of this size: 1 mm, axes along LPS, origin 0, NOD_SPACE_NONE. */
nod_geometry nod_geometry_unknown(int64_t width, int64_t height, int64_t depth);
/* LPS millimetres of a (fractional) index i, j, k. */
void nod_geometry_world(const nod_geometry *g, const double index[3], double world_mm[3]);
/* The reverse; the axes of `g` must span space, as those of every image that was read do. */
void nod_geometry_index(const nod_geometry *g, const double world_mm[3], double index[3]);

/* The affine from (i, j, k, 1) to (x, y, z, 1) in millimetres of `world`. */
void nod_geometry_to_affine(const nod_geometry *g, nod_world world, double out[4][4]);
/* NOD_SPACE_PATIENT of an affine; axes may be sheared (nod_geometry_shear). EDATA, naming the
 * numbers: not finite, a spacing of zero, axes that lie in one plane; `name` begins the message. */
int nod_geometry_from_affine(const double affine[4][4], nod_world world, const int64_t size[3],
                             const char *name, nod_geometry *out,
                             nod_error *err) NOD_MUST_CHECK;

/* The code of the nearest orientation; for an oblique grid that of the assignment of axes to
 * patient axes with the largest sum of cosines. */
void nod_geometry_codes(const nod_geometry *g, char out[4]);
/* Three letters that name each of the three axes once, in capitals. */
bool nod_orientation_is_valid(const char *codes);
/* Largest angle between an axis and the patient axis that its code names. */
double nod_geometry_obliquity_deg(const nod_geometry *g);
/* Largest |cosine| between two axes: 0 for right angles. */
double nod_geometry_shear(const nod_geometry *g);
bool nod_geometry_is_sheared(const nod_geometry *g);

/* LPS of the eight outer corners, half a voxel beyond the centres; corner n lies at the high end of
 * axis a where bit a of n is set. */
void nod_geometry_corners(const nod_geometry *g, double out_mm[8][3]);
/* Largest distance between equal corners. */
double nod_geometry_distance_mm(const nod_geometry *a, const nod_geometry *b);
/* EDATA with both geometries unless the sizes are equal and everything that both know of place and
 * spacing agrees within NOD_GEOMETRY_AGREE of the smallest spacing. */
int nod_geometry_agree(const nod_geometry *a, const char *name_a, const nod_geometry *b,
                       const char *name_b, nod_error *err) NOD_MUST_CHECK;
/* "35x51x35 voxels of 1x1x1 mm, RAS, origin (-1, 2, 3)": returns `out` of NOD_GEOMETRY_TEXT bytes. */
const char *nod_geometry_text(const nod_geometry *g, char out[NOD_GEOMETRY_TEXT]);

#endif
