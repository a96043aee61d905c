/* montage.h: planes of a volume as one picture, for the eye. */
#ifndef NOD_IMAGING_MONTAGE_H
#define NOD_IMAGING_MONTAGE_H

#include "imaging/image.h"

typedef enum nod_plane {
    NOD_PLANE_STORED, /* as the slices lie in the file */
    NOD_PLANE_AXIAL,  /* the patient's right on the left of the picture, the front above */
    NOD_PLANE_CORONAL,
    NOD_PLANE_SAGITTAL /* the front on the left, the head above */
} nod_plane;

typedef struct nod_montage_options {
    nod_plane plane;
    int64_t frame;    /* of the fourth axis, from 0 */
    int64_t slices;   /* at most so many, evenly spread; 0: all */
    int64_t columns;  /* tiles beside each other; 0: as square as it can be */
    int64_t side_max; /* pixels of a tile's longer side after scaling */
    bool has_window;  /* else percentiles of the frame that are shown as black and white */
    double low, high;
    double percent[2];
} nod_montage_options;
#define NOD_MONTAGE_OPTIONS_INIT                                 \
    {                                                            \
        .slices = 25, .side_max = 1024, .percent = { 0.5, 99.5 } \
    }

/* The plane in which the slices along k lie nearest; STORED where the place is not known. */
nod_plane nod_plane_across(const nod_geometry *g);

/* 8-bit grey, or RGB of colour images (which have no window). Pixels are square where the spacing is
 * known; padding is black. `window` gets the values that are black and white. Errors: EINVAL (frame,
 * an empty window), EDATA (a plane of the patient, but the place is not known), ELIMIT, ENOMEM. */
int nod_image_montage(const nod_image *im, const nod_montage_options *o, nod_image *out,
                      double window[2], nod_error *err) NOD_MUST_CHECK;

#endif
