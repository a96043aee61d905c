/* bench_reading.c: files to read, and reading them. */
#include "cli/bench_reading.h"

#include <stdint.h>
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/survey.h"
#include "imaging/dicom/write.h"
#include "imaging/nifti/nifti.h"

#define SIDE      256
#define SLICES    180
#define CT_SIDE   512
#define CT_SLICES 100

#define TREE_SERIES 100
#define TREE_SLICES 100
#define TREE_SIDE   16

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

/* --- NIfTI ------------------------------------------------------------------------------------ */

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

/* --- a CT series ------------------------------------------------------------------------------ */

/* Writes slice k of the ball of `voxel`, in stored values of CT. */
static int make_slice(const char *folder, nod_dicom_image *im, uint16_t *pixels, int k,
                      nod_error *err)
{
    char name[24], uid_name[32], uid[NOD_DICOM_UID_BYTES];
    for (int j = 0; j < CT_SIDE; j++)
        for (int i = 0; i < CT_SIDE; i++) {
            uint32_t at = (uint32_t)((k * CT_SIDE + j) * CT_SIDE + i);
            int v = voxel(at, (i - CT_SIDE / 2) / 2, (j - CT_SIDE / 2) / 2, k - CT_SLICES / 2);
            pixels[j * CT_SIDE + i] = (uint16_t)(v + 16);
        }
    snprintf(name, sizeof name, "IM%04d.dcm", k + 1);
    snprintf(uid_name, sizeof uid_name, "benchmark slice %d", k);
    int rc = nod_dicom_uid_of(uid_name, uid, err);
    if (rc) return rc;
    im->sop_uid = uid;
    im->instance_number = k + 1;
    im->position_mm[2] = 2.5 * k;
    char *path = nod_path_join(folder, name);
    rc = path ? nod_dicom_image_write(path, im, err) : nod_fail_memory(err, "a path", 256);
    nod_free(path);
    return rc;
}

/* A CT image of `side` pixels of 0.8 mm but for its UIDs, number, and place. */
static nod_dicom_image ct_image(int side, const uint16_t *pixels)
{
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_CT);
    im.patient_id = "benchmark";
    im.image_type = "ORIGINAL\\PRIMARY\\AXIAL";
    im.rows = im.columns = side;
    im.bits_stored = 12;
    im.pixels = pixels;
    im.slope = 1;
    im.intercept = -1024;
    im.orientation[0][0] = im.orientation[1][1] = 1;
    im.spacing_mm[0] = im.spacing_mm[1] = 0.8;
    im.thickness_mm = 2.5;
    return im;
}

static int make_ct(const char *folder, nod_error *err)
{
    static const char *const names[] = {"benchmark study", "benchmark series",
                                        "benchmark frame"};
    char uids[3][NOD_DICOM_UID_BYTES];
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = nod_dicom_uid_of(names[i], uids[i], err);
    uint16_t *pixels = nod_calloc((size_t)CT_SIDE * CT_SIDE, sizeof *pixels);
    if (rc == 0 && pixels == NULL)
        rc = nod_fail_memory(err, "a slice", (size_t)CT_SIDE * CT_SIDE * sizeof *pixels);
    nod_dicom_image im = ct_image(CT_SIDE, pixels);
    im.study_uid = uids[0];
    im.series_uid = uids[1];
    im.frame_of_reference_uid = uids[2];
    for (int k = 0; k < CT_SLICES && rc == 0; k++)
        rc = make_slice(folder, &im, pixels, k, err);
    nod_free(pixels);
    return rc;
}

static int read_ct(const char *folder, nod_error *err)
{
    nod_image im = {0};
    int rc = nod_image_read(folder, NULL, NULL, &im, err);
    nod_image_done(&im);
    return rc;
}

const nod_bench_reading nod_bench_reading_ct = {make_ct, read_ct};

/* --- a tree of headers ------------------------------------------------------------------------ */

/* Slice k of series s, which is a study and a patient of its own. */
static int make_leaf(const char *folder, nod_dicom_image *im, int s, int k, nod_error *err)
{
    static const char *const kinds[] = {"study", "series", "frame", "slice"};
    char text[64], uids[4][NOD_DICOM_UID_BYTES], patient[24];
    int rc = 0;
    for (int i = 0; i < 4 && rc == 0; i++) {
        snprintf(text, sizeof text, "benchmark %s %d %d", kinds[i], s, i < 3 ? 0 : k);
        rc = nod_dicom_uid_of(text, uids[i], err);
    }
    if (rc) return rc;
    snprintf(patient, sizeof patient, "bench%03d", s);
    snprintf(text, sizeof text, "S%03dI%03d.dcm", s, k);
    char *path = nod_path_join(folder, text);
    im->patient_id = patient;
    im->study_uid = uids[0];
    im->series_uid = uids[1];
    im->frame_of_reference_uid = uids[2];
    im->sop_uid = uids[3];
    im->series_number = 1;
    im->instance_number = k + 1;
    im->position_mm[2] = 2.5 * k;
    rc = path ? nod_dicom_image_write(path, im, err) : nod_fail_memory(err, "a path", 256);
    nod_free(path);
    return rc;
}

static int make_tree(const char *folder, nod_error *err)
{
    static const uint16_t pixels[TREE_SIDE * TREE_SIDE];
    nod_dicom_image im = ct_image(TREE_SIDE, pixels);
    int rc = 0;
    for (int s = 0; s < TREE_SERIES && rc == 0; s++)
        for (int k = 0; k < TREE_SLICES && rc == 0; k++)
            rc = make_leaf(folder, &im, s, k, err);
    return rc;
}

static int read_tree(const char *folder, nod_error *err)
{
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    nod_survey *s = NULL;
    o.headers_only = true;
    int rc = nod_survey_new(&folder, 1, &o, &s, err);
    if (rc == 0) rc = nod_survey_check(s, err);
    nod_survey_free(s);
    return rc;
}

const nod_bench_reading nod_bench_reading_tree = {make_tree, read_tree};
