/* stack.h: from the headers of one series to the volumes in it.
 *
 * Frames are grouped by size, spacing, orientation and frame of reference, then ordered along the
 * normal of their plane by dot(ImagePositionPatient, normal), never by SliceThickness, numbers or
 * names. Where each place occurs k times, the tag that tells the k apart is the fourth axis.
 * What does not form an even, upright stack is a finding with its values (imaging/finding.h); the
 * places themselves are kept, so that a repair works from what was measured.
 * Tolerances, in docs/formats/dicom.md: a hundredth of a millimetre or 2 % of the distance along
 * the normal, a tenth of a pixel along the plane. */
#ifndef NOD_IMAGING_DICOM_STACK_H
#define NOD_IMAGING_DICOM_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "imaging/dicom/header.h"
#include "imaging/finding.h"
#include "imaging/geometry.h"
#include "imaging/image.h"

#define NOD_DICOM_MAX_VOLUMES     1024  /* of one series */
#define NOD_DICOM_MAX_PROJECTIONS 65536 /* of one series */
#define NOD_DICOM_NO_FILE         UINT32_MAX

/* One frame of one file: `file` is an index into the headers that the stacks were made from;
 * NOD_DICOM_NO_FILE where a phase is missing. */
typedef struct nod_dicom_slice {
    uint32_t file, frame;
} nod_dicom_slice;

typedef struct nod_dicom_stack {
    bool projection;            /* a picture without a place in the patient */
    int64_t n_slices, n_phases; /* along k, along the fourth axis */
    nod_dicom_slice *slices;    /* [n_phases][n_slices]; owned */
    nod_axis axis;              /* NOD_AXIS_NONE if n_phases is 1 */
    double *axis_values;        /* n_phases of them, in the tag's unit; NaN without; owned */
    /* The even, upright grid: origin at the first slice, k along the normal, the usual distance.
     * Where gantry-tilt, gap or uneven-spacing is found, it holds only after the repair. */
    nod_geometry geometry;
    nod_dicom_calibration calibration; /* of a projection's spacing */
    double *along_mm;      /* n_slices: distance from the first along the normal; owned */
    double (*shift_mm)[2]; /* n_slices: shift against the first along i and j; owned */
    nod_findings findings;
} nod_dicom_stack;

typedef struct nod_dicom_stacks {
    nod_dicom_stack *items;
    size_t n, cap;
    nod_findings findings; /* of the series: several-stacks */
} nod_dicom_stacks;

/* Headers without pixels are passed over. The order of the headers decides between duplicates,
 * nothing else. Errors: ELIMIT, ENOMEM. */
int nod_dicom_stacks_build(const nod_dicom_header *const *headers, size_t n,
                           nod_dicom_stacks *out, nod_error *err) NOD_MUST_CHECK;
void nod_dicom_stacks_done(nod_dicom_stacks *s);

#endif
