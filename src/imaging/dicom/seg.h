/* seg.h: a DICOM segmentation: one mask for each segment.
 *
 * Segments may overlap, so each is a mask of its own; labels are made of them only where the caller
 * says which segment wins. Frames lie where their position says; a plane without a frame of a segment
 * is empty. BINARY gives 0 and 1, FRACTIONAL the fraction by its maximum, LABELMAP is split into its
 * segments. Source: DICOM PS3.3 A.51, C.8.20. */
#ifndef NOD_IMAGING_DICOM_SEG_H
#define NOD_IMAGING_DICOM_SEG_H

#include <stddef.h>
#include <stdint.h>

#include "imaging/dicom/file.h"
#include "imaging/image.h"

#define NOD_DICOM_SEGMENTS_MAX   65535
#define NOD_DICOM_SEG_PLANES_MAX 65535
/* All masks together, in bytes. */
#define NOD_DICOM_SEG_BYTES_MAX ((size_t)8 << 30)

typedef enum nod_dicom_seg_type {
    NOD_DICOM_SEG_BINARY,
    NOD_DICOM_SEG_FRACTIONAL,
    NOD_DICOM_SEG_LABELMAP
} nod_dicom_seg_type;

typedef struct nod_dicom_segment {
    int32_t number; /* Segment Number; in labels the value of its voxels */
    char label[65]; /* Segment Label */
    nod_image mask; /* U8 0 and 1; FRACTIONAL: F32 in [0,1] */
} nod_dicom_segment;

typedef struct nod_dicom_seg {
    nod_dicom_seg_type type;
    double fractional_max;       /* of FRACTIONAL: the stored value that means 1 */
    nod_dicom_segment *segments; /* by number; owned */
    size_t n;
} nod_dicom_seg;

/* True for the SOP classes of segmentations. */
int nod_dicom_seg_is(const char *sop_class);

/* All masks lie on one grid: `on` (that of the image which was segmented; frames must fit it), or,
 * where `on` is NULL, the smallest grid that holds all frames.
 * Errors: EDATA (not a segmentation; frames that lie on no common grid, or not on `on`: both are
 * named), EFORMAT, ELIMIT, EUNSUPPORTED (tiles of a slide), ENOMEM. */
int nod_dicom_seg_read(const char *path, const nod_geometry *on, nod_dicom_seg *out,
                       nod_error *err) NOD_MUST_CHECK;
void nod_dicom_seg_done(nod_dicom_seg *s);

/* Segment numbers as labels: where segments overlap the one that stands first in `priority` wins.
 * Fractions of at least one half count. U8, or U16 where numbers pass 255. Errors: EDATA (segments overlap
 * of which one is not in `priority`; both are named), EINVAL (a number that is no segment). */
int nod_dicom_seg_labels(const nod_dicom_seg *s, const int32_t *priority, size_t n_priority,
                         nod_image *out, nod_error *err) NOD_MUST_CHECK;

/* --- from the shim ------------------------------------------------------------------------ */

/* Type, maximum, numbers and labels; masks are not made yet. */
int nod_dicom_seg_describe(const nod_dicom_file *file, nod_dicom_seg *out,
                           nod_error *err) NOD_MUST_CHECK;

#endif
