/* volume_checks.h: a volume as it was read beside what another program reads from the file: arrays in
 * an .npz, NAME the voxels [frames,k,j,i,channels], NAME.affine the place where it is known. */
#ifndef TESTS_UNIT_IMAGING_VOLUME_CHECKS_H
#define TESTS_UNIT_IMAGING_VOLUME_CHECKS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imaging/reader.h"
#include "temp_folder.h"
#include "tensor/npz.h"

static inline double sample(const nod_image *im, int64_t k)
{
    return im->sample == NOD_SAMPLE_U8    ? ((uint8_t *)im->data)[k]
           : im->sample == NOD_SAMPLE_U16 ? ((uint16_t *)im->data)[k]
                                          : (double)((float *)im->data)[k];
}

static inline void assert_values(const char *name, const nod_image *im, const nod_tensor *want)
{
    static const nod_dtype dtypes[] = {NOD_DTYPE_U8, NOD_DTYPE_U16, NOD_DTYPE_F32};
    nod_shape got =
        nod_shape_of(5, im->frames, im->depth, im->height, im->width, (int64_t)im->channels);
    if (!nod_shape_equal(&got, &want->shape) || dtypes[im->sample] != want->dtype)
        fail_msg("%s: wrong shape or sample type", name);
    double *w = nod_calloc((size_t)nod_tensor_count(want), sizeof *w);
    nod_tensor_to_f64(want, w);
    for (int64_t k = 0; k < nod_image_samples(im); k++)
        if (sample(im, k) != w[k])
            fail_msg("%s: sample %lld is %.9g, not %.9g", name, (long long)k, sample(im, k),
                     w[k]);
    nod_free(w);
}

static inline void assert_affine(const char *name, const nod_image *im, const nod_tensor *want,
                                 nod_world in)
{
    const double *w = want->data;
    double got[4][4], largest = 0;
    assert_int_equal(im->geometry.space, NOD_SPACE_PATIENT);
    assert_int_equal(im->geometry.size[0], im->width);
    assert_int_equal(im->geometry.size[1], im->height);
    assert_int_equal(im->geometry.size[2], im->depth);
    nod_geometry_to_affine(&im->geometry, in, got);
    for (int i = 0; i < 12; i++)
        largest = fmax(largest, fabs(w[i]));
    for (int i = 0; i < 16; i++)
        if (!(fabs(got[i / 4][i % 4] - w[i]) <= 1e-5 * largest))
            fail_msg("%s: entry %d of the affine is %.9g, not %.9g", name, i, got[i / 4][i % 4],
                     w[i]);
}

/* One file of the folder; returns whether its place was compared. Without a place there may be a
 * finding that says so, and there is no other. */
static inline bool check_golden(const char *folder, nod_npz *z, const char *name, nod_world in)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512], affine[128];
    nod_image im = {0};
    nod_findings f = {0};
    nod_tensor values = {0}, a = {0};
    snprintf(affine, sizeof affine, "%s.affine", name);
    temp_path(path, folder, name);
    if (nod_image_read(path, NULL, &f, &im, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_npz_read(z, name, &values, &err), 0);
    assert_values(name, &im, &values);
    bool placed = nod_npz_read(z, affine, &a, &err) == 0;
    if (placed) assert_affine(name, &im, &a, in);
    if (!placed) assert_int_equal(im.geometry.space, NOD_SPACE_SPACING);
    if (f.n > (placed ? 0 : nod_findings_has(&f, NOD_FINDING_NO_ORIENTATION)))
        fail_msg("%s: %s", name, f.items[0].detail);
    nod_tensor_done(&values);
    nod_tensor_done(&a);
    nod_findings_done(&f);
    nod_image_done(&im);
    return placed;
}

/* All files of FOLDER/expected.npz; returns how many, and of how many the place was compared. */
static inline size_t check_golden_folder(const char *folder, nod_world in, size_t *n_placed)
{
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    char path[512];
    size_t n = 0;
    *n_placed = 0;
    assert_int_equal(nod_npz_open(temp_path(path, folder, "expected.npz"), &z, &err), 0);
    for (size_t i = 0; i < nod_npz_count(z); i++) {
        if (strstr(nod_npz_name(z, i), ".affine")) continue;
        *n_placed += check_golden(folder, z, nod_npz_name(z, i), in);
        n++;
    }
    nod_npz_close(z);
    return n;
}

#endif
