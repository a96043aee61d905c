/* picture_maker.h: pictures that have nothing in common, as files: for tests of near-duplicates. */
#ifndef TESTS_DATA_PICTURE_MAKER_H
#define TESTS_DATA_PICTURE_MAKER_H

#include <math.h>

#include "base/rng.h"
#include "cohort_maker.h"

#define SIDE 96

/* A picture of random waves, 8 bit. */
static inline void paint(uint64_t seed, float *v)
{
    nod_rng r = nod_rng_make(seed, NOD_RNG_TEST, 1);
    for (int i = 0; i < SIDE * SIDE; i++)
        v[i] = 128;
    for (int k = 0; k < 30; k++) {
        double fy = nod_rng_range(&r, -7, 7), fx = nod_rng_range(&r, -7, 7);
        double phase = nod_rng_range(&r, 0, 6.28), size = 30 / (1 + fabs(fy) + fabs(fx));
        for (int i = 0; i < SIDE * SIDE; i++)
            v[i] += (float)(size *
                            cos(6.28318 * (fy * (i / SIDE) + fx * (i % SIDE)) / SIDE + phase));
    }
}

static inline void save(const char *folder, const char *name, const float *v, int64_t h,
                        int64_t w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    char *path = nod_path_join(folder, name), *dir = nod_path_dir(path);
    if (nod_dir_make(dir, &err) || nod_image_init(&im, 1, h, w, 1, NOD_SAMPLE_U8, &err))
        fail_msg("%s", err.message);
    uint8_t *grey = im.data;
    NOD_ASSERT(grey != NULL);
    for (int64_t i = 0; i < h * w; i++)
        grey[i] = (uint8_t)fminf(fmaxf(v[i], 0), 255);
    if (nod_image_write_png(path, &im, &err)) fail_msg("%s", err.message);
    nod_image_done(&im);
    free(path);
    free(dir);
}

#endif
