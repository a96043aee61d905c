/* bench_reading.c: files to read, and reading them. */
#include "cli/bench_reading.h"

#include <stdint.h>

#include "base/file.h"
#include "base/memory.h"
#include "imaging/nifti/nifti.h"

#define SIDE   256
#define SLICES 180

/* A soft ball in noise, in integers so that any program makes the same: about as compressible as a
 * head MR. Value of voxel i of n, at x, y, z from the middle. */
static int voxel(uint32_t i, int x, int y, int z)
{
    uint32_t noise = i * 2654435761u;
    noise ^= noise >> 15;
    noise *= 2246822519u;
    noise ^= noise >> 13;
    int r2 = x * x + y * y + 2 * z * z;
    int inside = r2 < 14000 ? (14000 - r2) / 16 : 0;
    return inside + (int)(noise >> 27) * (inside ? 2 : 1) - 16;
}

static int make_nifti(const char *folder, nod_error *err)
{
    nod_image im = {0};
    char *path = nod_path_join(folder, "volume.nii.gz");
    int rc = path ? nod_image_init(&im, SLICES, SIDE, SIDE, 1, NOD_SAMPLE_F32, err)
                  : nod_fail_memory(err, "a path", 256);
    if (rc == 0) {
        float *v = im.data;
        for (int k = 0; k < SLICES; k++)
            for (int j = 0; j < SIDE; j++)
                for (int i = 0; i < SIDE; i++, v++)
                    *v = (float)voxel((uint32_t)(v - (float *)im.data), i - SIDE / 2,
                                      j - SIDE / 2, k - SLICES / 2);
        im.geometry.space = NOD_SPACE_PATIENT;
        rc = nod_nifti_write(path, &im, err);
    }
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

static int read_nifti(const char *folder, nod_error *err)
{
    nod_image im = {0};
    char *path = nod_path_join(folder, "volume.nii.gz");
    int rc =
        path ? nod_image_read(path, NULL, NULL, &im, err) : nod_fail_memory(err, "a path", 256);
    if (rc == 0 && im.sample != NOD_SAMPLE_F32)
        rc = nod_fail(err, NOD_EINTERNAL, "%s: not read as floats", path);
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

const nod_bench_reading nod_bench_reading_nifti = {make_nifti, read_nifti};
