/* straighten.h: sheared images onto a grid at right angles, what the policy `resample` does. */
#ifndef NOD_IMAGING_STRAIGHTEN_H
#define NOD_IMAGING_STRAIGHTEN_H

#include "imaging/image.h"

/* The grid at right angles around a sheared one: i stays, k is the normal of i and j, spacings are
 * distances along the new axes, so that slices of a sheared stack stay slices. */
nod_geometry nod_geometry_straight(const nod_geometry *g);
/* Linear interpolation onto that grid where axes are sheared; outside lies padding with the image's
 * lowest value. An image at right angles stays as it is. ELIMIT: that grid would have
 * 16 times as many voxels. */
int nod_image_straighten(nod_image *im, nod_error *err) NOD_MUST_CHECK;

#endif
