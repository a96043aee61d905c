/* source.h: decoding of cases, from image files and from arrays in .npz files.
 *
 * Arrays are loaded once, before the threads start; then decoding is safe from any number of
 * threads. */
#ifndef NOD_DATA_SOURCE_H
#define NOD_DATA_SOURCE_H

#include "data/cohort.h"
#include "imaging/finding.h"
#include "imaging/image.h"
#include "tensor/tensor.h"

typedef struct nod_source nod_source;

/* Where one image is; borrowed. */
typedef struct nod_place {
    const char *path; /* the file; of several its folder */
    /* Of a series, or of an image with a file for each channel: names below it, joined by '|'; else "". */
    const char *files;
    const char *array; /* "" for the image file itself */
    int64_t index;     /* along the array's first axis */
} nod_place;

/* `policies` are copied; NULL: the preset ones. */
int nod_source_new(const nod_policies *policies, nod_source **out,
                   nod_error *err) NOD_MUST_CHECK;
void nod_source_free(nod_source *s);
/* Loads an array unless it is there: u8, u16 or f32 of shape [N,H,W], [N,H,W,C], [N,D,H,W] or
 * [N,D,H,W,C] with C 1, 3 or 4. Not safe beside decode. */
int nod_source_load(nod_source *s, const char *path, const char *array,
                    nod_error *err) NOD_MUST_CHECK;
/* Loads the arrays of the cohort's cases `cases` [n] (NULL: the first n) but for those marked in `skip`
 * [n] (NULL: none). Errors name the case. */
int nod_source_load_cases(nod_source *s, const nod_cohort *c, const size_t *cases, size_t n,
                          const bool *skip, nod_error *err) NOD_MUST_CHECK;
/* Number of images in a loaded array. */
int64_t nod_source_count(const nod_source *s, const char *path, const char *array);
/* `findings` may be NULL. Errors: those of the reader, EDATA (index; a finding is refused),
 * ENUMERIC (a sample is not finite). */
int nod_source_decode(const nod_source *s, const nod_place *at, nod_findings *findings,
                      nod_image *out, nod_error *err) NOD_MUST_CHECK;
/* Takes the names of the image's files out of an error of the functions above: files of a series become
 * "file 3", the third of those that `nodule where` lists. */
void nod_place_hide(const nod_place *at, nod_error *err);
/* An error about a case's files names the case instead. `path`: nod_cohort_case_path, or NULL. */
void nod_case_blame(const nod_case *k, const char *path, nod_error *err);
/* Shape of an array of images as image dimensions; ESHAPE names what is accepted. */
int nod_source_shape(const nod_shape *shape, int64_t *n, int64_t *d, int64_t *h, int64_t *w,
                     int *channels, nod_error *err) NOD_MUST_CHECK;

#endif
