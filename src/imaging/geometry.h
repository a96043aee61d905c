/* geometry.h: where a grid of voxels lies in the patient.
 *
 * One convention everywhere: millimetres in LPS, x to the patient's left, y to the back
 * (posterior), z to the head (superior). Readers of formats that are RAS turn at their border.
 *   world = origin_mm + sum over a of index[a] * spacing_mm[a] * direction[a]
 * Axes of the grid are i (columns, the fastest in memory), j (rows), k (slices). */
#ifndef NOD_IMAGING_GEOMETRY_H
#define NOD_IMAGING_GEOMETRY_H

#include <stdint.h>

typedef enum nod_space {
    NOD_SPACE_NONE,    /* neither spacing nor place is known: a PNG */
    NOD_SPACE_SPACING, /* spacing_mm alone is known: a radiograph, a NIfTI without forms */
    NOD_SPACE_PATIENT  /* everything is known */
} nod_space;

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

#endif
