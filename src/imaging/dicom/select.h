/* select.h: which series of each study is meant.
 *
 * Rules are read like "SeriesDescription~^T1", "Modality=MR", "SliceThickness<=3", "ImageType!=DERIVED";
 * all of them must hold of a series' first image. Comparisons: = and != (whole value or one of several,
 * letter case ignored), ~ and !~ (POSIX extended expression found in it, case ignored), <, <=, >, >=
 * (numbers). Names are DICOM's keywords (docs/formats/dicom.md has those that are known) and Slices.
 * The word "all" takes every series that fits, without it one series a study is chosen. Localizers
 * are out unless a rule about ImageType is given. */
#ifndef NOD_IMAGING_DICOM_SELECT_H
#define NOD_IMAGING_DICOM_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "imaging/dicom/series.h"

#define NOD_DICOM_MAX_RULES 64

typedef struct nod_dicom_choice {
    size_t *series; /* indices into the scan's, ascending; owned */
    size_t n, cap;
    size_t n_without; /* studies with images of which none fits */
} nod_dicom_choice;

/* `rules` NULL: none. `every`: as the word "all". A study of projection images alone gives all
 * that fit, since each is an image of its own. Where several series of a study fit, those that are
 * not secondary captures, not burned in, not derived are preferred, in this order.
 * Errors: EINVAL (a rule that cannot be read), EDATA (several series of a study fit: they are
 * listed), ENOMEM. */
int nod_dicom_choose(const nod_dicom_scan *scan, const nod_strlist *rules, bool every,
                     nod_dicom_choice *out, nod_error *err) NOD_MUST_CHECK;
void nod_dicom_choice_done(nod_dicom_choice *c);

/* The one series that the rules choose of everything below `path`, as one image.
 * Errors: those of scan, choice and reading; EDATA where it is not exactly one. */
int nod_dicom_tree_read(const char *path, const nod_strlist *rules,
                        const nod_policies *policies, nod_image *out, nod_findings *findings,
                        nod_error *err) NOD_MUST_CHECK;

#endif
