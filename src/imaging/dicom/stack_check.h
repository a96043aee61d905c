/* stack_check.h: what is odd about a stack. For stack.c alone. */
#ifndef NOD_IMAGING_DICOM_STACK_CHECK_H
#define NOD_IMAGING_DICOM_STACK_CHECK_H

#include "imaging/dicom/axis.h"
#include "imaging/dicom/stack.h"

/* Cuts n sorted places where the distance between them changes for good: 4, 4, 4, 1.1, 7, 7 mm are
 * two runs. runs[0..count] are the first places, with n at the end; runs has n + 1. One run unless
 * each has at least three places: odd distances here and there are gaps, not volumes. */
size_t nod_dicom_cut_runs(const double *along_mm, uint32_t n, uint32_t *runs);

/* Sets the distance between slices; finds gap, uneven-spacing, gantry-tilt. */
int nod_dicom_stack_check_places(nod_dicom_stack *k, nod_error *err) NOD_MUST_CHECK;
/* Finds duplicate and missing-phase. */
int nod_dicom_stack_check_phases(nod_dicom_stack *k, const nod_dicom_phases *phases,
                                 nod_error *err) NOD_MUST_CHECK;
/* Finds what the headers say: mixed-slopes, mixed-intent, localizer, secondary-capture, derived,
 * burned-in, lossy. */
int nod_dicom_stack_check_headers(nod_dicom_stack *k, const nod_dicom_header *const *headers,
                                  nod_error *err) NOD_MUST_CHECK;
/* Finds several-stacks, with what each is. */
int nod_dicom_stacks_check(nod_dicom_stacks *s, nod_error *err) NOD_MUST_CHECK;

#endif
