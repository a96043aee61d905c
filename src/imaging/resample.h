/* resample.h: an image onto another grid of voxels.
 *
 * Values are taken at the place in the patient. Where the axes of both grids run along each other
 * the work is separable, and a grid that lies on the source's own voxels (crops, turns, padding) is
 * copied exactly; oblique and sheared grids are interpolated in three dimensions. Going to larger
 * voxels is anti-aliased. Voxels whose centre lies outside the source are padding. */
#ifndef NOD_IMAGING_RESAMPLE_H
#define NOD_IMAGING_RESAMPLE_H

#include "imaging/image.h"
#include "imaging/resize.h"

/* Grids closer than this, in voxels of the source and anywhere on the target, are taken as equal, so
 * that what headers round does not blur. */
#define NOD_RESAMPLE_SAME 1e-3
/* Labels that a mask may have when it is interpolated. */
#define NOD_RESAMPLE_LABELS_MAX 256

/* The same extent in voxels of `spacing_mm` (i,j,k): the low outer corner stays where it is,
 * origin' = origin + D(s' - s)/2, and the size is the nearest whole number of voxels. */
nod_geometry nod_geometry_with_spacing(const nod_geometry *g, const double spacing_mm[3]);
/* The same outer corners with another number of voxels (i,j,k). */
nod_geometry nod_geometry_with_size(const nod_geometry *g, const int64_t size[3]);
/* `size` voxels (i,j,k) of the grid of `g`, cropped or extended about its middle; the larger half of
 * an odd difference is at the high end. */
nod_geometry nod_geometry_centred(const nod_geometry *g, const int64_t size[3]);

/* Frames, channels and facts stay. NEAREST keeps the samples' type, other kinds give f32; AREA is for
 * shrinking along the axes (else linear). What lies outside becomes `fill` and is marked as padding;
 * padding of the source goes to the voxels nearest to it. EDATA: the place of one of the two grids in
 * the patient is known and of the other is not. */
int nod_image_resample(const nod_image *im, const nod_geometry *target, nod_interp interp,
                       double fill, nod_image *out, nod_error *err) NOD_MUST_CHECK;

/* `size` voxels (i,j,k) between the same outer corners: the bits of nod_resize_f32 for each channel and
 * frame. The samples' type is as above. */
int nod_image_resize(const nod_image *im, const int64_t size[3], nod_interp interp,
                     nod_image *out, nod_error *err) NOD_MUST_CHECK;

/* A mask: each voxel gets the label with the largest share by linear interpolation, of equal ones the
 * smallest; 0 outside. The samples' type stays. EDATA: labels that are not whole numbers, or more
 * than NOD_RESAMPLE_LABELS_MAX of them. */
int nod_image_resample_labels(const nod_image *im, const nod_geometry *target, nod_image *out,
                              nod_error *err) NOD_MUST_CHECK;

/* Slices that lie where they lie: uneven, or shifted along their plane by a tilted gantry.
 * origin_mm[k] is the LPS centre of voxel (0,0) of slice k; rows and columns run along the image's own
 * axes. The result has right angles and even slices of `spacing_mm` along the normal (0: the median
 * distance), linear between true neighbours; columns and rows are added so that nothing is lost. Where
 * all shifts are whole voxels and distances even, values are copied. EDATA: slices that do not go on in
 * one direction along the normal. */
int nod_image_resample_slices(const nod_image *im, const double (*origin_mm)[3],
                              double spacing_mm, double fill, nod_image *out,
                              nod_error *err) NOD_MUST_CHECK;

#endif
