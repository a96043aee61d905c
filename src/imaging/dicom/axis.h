/* axis.h: which tag tells apart the slices that lie at one place. */
#ifndef NOD_IMAGING_DICOM_AXIS_H
#define NOD_IMAGING_DICOM_AXIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/stack.h"

#define NOD_DICOM_NO_PHASE UINT32_MAX

/* One frame on its way into a stack. */
typedef struct nod_dicom_item {
    nod_dicom_slice slice;
    const nod_dicom_header *header;
    const nod_dicom_frame *frame;
    double along_mm, in_plane_mm[2]; /* position on the axes of its group */
    uint32_t place;                  /* 0 .. n_places-1, along the normal */
    uint32_t phase; /* on the fourth axis, or NOD_DICOM_NO_PHASE: a duplicate */
} nod_dicom_item;

typedef struct nod_dicom_phases {
    nod_axis axis;
    uint32_t n;
    double *values;     /* n of them; owned */
    size_t n_duplicate; /* items that nothing tells apart from another at their place */
    size_t n_missing;   /* places that lack at least one phase */
} nod_dicom_phases;

/* Gives each item its phase. `items` are sorted by place, and within one by the order of their
 * headers. One tag is tried after the other, then pairs of them; the first that gives every place
 * the same set of values wins, else the first under which some are missing. */
int nod_dicom_axis_find(nod_dicom_item *items, size_t n, uint32_t n_places,
                        nod_dicom_phases *out, nod_error *err) NOD_MUST_CHECK;

#endif
