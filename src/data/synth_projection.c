/* synth_projection.c: radiographs and mammograms of a study. A radiograph comes from one of two
 * devices, which differ in object (CR, DX), photometric interpretation and gain, as in a hospital:
 * the study decides. A mammography is four images in four series, each with the label of its own
 * breast. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/phantom_breast.h"
#include "data/phantom_chest.h"
#include "data/synth_study.h"

#define FULL_SCALE 4095 /* 12 bits */

/* How a device turns attenuation into stored values. */
typedef struct device {
    double dark, gain, noise;
    bool is_monochrome1;
} device;

static uint16_t store(const device *d, double attenuation, nod_rng *noise)
{
    double v = d->dark + d->gain * attenuation;
    v += d->noise * sqrt(0.3 + attenuation) *
         nod_rng_normal(noise); /* fewer quanta, more noise */
    v = NOD_MIN(FULL_SCALE, NOD_MAX(0, d->is_monochrome1 ? FULL_SCALE - v : v));
    return (uint16_t)(v + 0.5);
}

int nod_synth_write_capture(const nod_synth_study *study, const uint16_t *picture, int rows,
                            int columns, nod_error *err)
{
    size_t n = (size_t)rows * (size_t)columns;
    nod_synth_series series;
    uint16_t *px = nod_malloc(n * sizeof *px);
    if (px == NULL) return nod_fail_memory(err, "a picture", n * sizeof *px);
    memcpy(px, picture, n * sizeof *px);
    for (int y = 1; y + 1 < rows / 4; y++) /* three lines of "text" in a corner */
        for (int x = 2; y % 4 != 3 && x < columns / 2 - y; x++)
            px[(size_t)y * (size_t)columns + (size_t)x] = x % 3 == 2 ? 0 : FULL_SCALE;
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_SC);
    im.image_type = "DERIVED\\SECONDARY";
    im.burned_in = true;
    im.rows = rows;
    im.columns = columns;
    im.pixels = px;
    int rc = nod_synth_series_open(&series, study, 99, "capture", err);
    if (rc == 0) rc = nod_synth_series_add(&series, &im, err);
    nod_synth_series_close(&series);
    nod_free(px);
    return rc;
}

/* --- chest -------------------------------------------------------------------------------- */

static int write_chest(const nod_synth_study *study, uint16_t *px, nod_error *err)
{
    nod_rng scan = nod_synth_study_rng(study, SYNTH_DRAW_SCAN);
    nod_rng noise = nod_synth_study_rng(study, SYNTH_DRAW_NOISE);
    bool is_digital = nod_rng_uniform(&scan) < 0.5;
    device d = {.dark = nod_rng_range(&scan, 100, 300),
                .gain = nod_rng_range(&scan, 2400, 3000),
                .noise = study->noise * nod_rng_range(&scan, 12, 30),
                .is_monochrome1 = !is_digital};
    double shift_x = 8 * nod_rng_normal(&scan), shift_y = 8 * nod_rng_normal(&scan);
    int size = (int)study->o->size;
    nod_chest *chest = NULL;
    nod_synth_series series = {0};
    int rc = nod_chest_new(study->o->seed, study->i_patient, study->label == 1,
                           study->o->contrast, &chest, err);
    if (rc != 0) return rc;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            double x_mm = ((x + 0.5) / size - 0.5) * NOD_CHEST_MM + shift_x;
            double y_mm = ((y + 0.5) / size - 0.5) * NOD_CHEST_MM + shift_y;
            *px++ = store(&d, nod_chest_attenuation(chest, x_mm, y_mm), &noise);
        }
    px -= (ptrdiff_t)size * size;
    nod_dicom_image im = nod_dicom_image_defaults(is_digital ? NOD_DICOM_DX : NOD_DICOM_CR);
    im.image_type = is_digital ? "ORIGINAL\\PRIMARY\\" : "ORIGINAL\\PRIMARY";
    im.body_part = "CHEST";
    im.view = "PA";
    im.patient_orientation = "L\\F";
    im.is_monochrome1 = d.is_monochrome1;
    im.rows = im.columns = size;
    im.pixels = px;
    im.spacing_mm[0] = im.spacing_mm[1] = NOD_CHEST_MM / size;
    if (is_digital) {
        im.window_center = d.dark + 0.5 * d.gain;
        im.window_width = 1.2 * d.gain;
    }
    NOD_TRY(nod_synth_series_open(&series, study, 1, "chest", err));
    NOD_TRY(nod_synth_series_add(&series, &im, err));
    nod_synth_series_tell(&series, "chest", study->label, "");
    if (study->defects >> NOD_SYNTH_BURNED_IN & 1)
        NOD_TRY(nod_synth_write_capture(study, px, size, size, err));
out:
    nod_synth_series_close(&series);
    nod_chest_free(chest);
    return rc;
}

/* --- breasts ------------------------------------------------------------------------------ */

/* A picture of a left breast has the chest wall at its left border, of a right one at its right. */
static void draw_view(const nod_breast *b, const device *d, char side, bool is_mlo, int rows,
                      int columns, nod_rng *noise, uint16_t *px)
{
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns; x++) {
            int from_wall = side == 'L' ? x : columns - 1 - x;
            double depth_mm = (from_wall + 0.5) / columns * NOD_MAMMOGRAM_COLUMNS_MM;
            double along_mm = ((y + 0.5) / rows - 0.5) * NOD_MAMMOGRAM_ROWS_MM;
            double v = nod_breast_attenuation(b, side, is_mlo, depth_mm, along_mm);
            *px++ = store(d, v, noise);
        }
}

static int write_view(const nod_synth_study *study, const nod_breast *b, int i_view,
                      uint16_t *px, nod_rng *noise, nod_error *err)
{
    static const char *const names[] = {"r-cc", "l-cc", "r-mlo", "l-mlo"};
    static const char *const orientations[] = {"P\\L", "A\\R", "P\\FL", "A\\FR"};
    nod_rng scan = nod_synth_study_rng(study, SYNTH_DRAW_SCAN);
    device d = {.dark = nod_rng_range(&scan, 150, 300),
                .gain = nod_rng_range(&scan, 3000, 3600),
                .noise = study->noise * nod_rng_range(&scan, 10, 25)};
    int rows = (int)study->o->size, columns = rows * 3 / 4;
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_MG);
    im.image_type = "ORIGINAL\\PRIMARY\\";
    im.body_part = "BREAST";
    im.laterality = i_view % 2 == 0 ? 'R' : 'L';
    im.view = i_view >= 2 ? "MLO" : "CC";
    im.patient_orientation = orientations[i_view];
    im.rows = rows;
    im.columns = columns;
    im.pixels = px;
    im.spacing_mm[0] = NOD_MAMMOGRAM_ROWS_MM / rows;
    im.spacing_mm[1] = NOD_MAMMOGRAM_COLUMNS_MM / columns;
    im.window_center = d.dark + 0.5 * d.gain;
    im.window_width = 1.1 * d.gain;
    draw_view(b, &d, im.laterality, i_view >= 2, rows, columns, noise, px);
    nod_synth_series series;
    int rc = nod_synth_series_open(&series, study, i_view + 1, names[i_view], err);
    if (rc == 0) rc = nod_synth_series_add(&series, &im, err);
    if (rc == 0)
        nod_synth_series_tell(&series, names[i_view],
                              study->label == 1 && im.laterality == nod_breast_side(b), "");
    nod_synth_series_close(&series);
    return rc;
}

static int write_breasts(const nod_synth_study *study, uint16_t *px, nod_error *err)
{
    const nod_breast_options o = {.has_mass = study->label == 1,
                                  .contrast = study->o->contrast};
    nod_rng noise = nod_synth_study_rng(study, SYNTH_DRAW_NOISE);
    nod_breast *b = NULL;
    int rows = (int)study->o->size;
    int rc = nod_breast_new(study->o->seed, study->i_patient, &o, &b, err);
    for (int k = 0; rc == 0 && k < 4; k++)
        rc = write_view(study, b, k, px, &noise, err);
    if (rc == 0 && study->defects >> NOD_SYNTH_BURNED_IN & 1)
        rc = nod_synth_write_capture(study, px, rows, rows * 3 / 4, err);
    nod_breast_free(b);
    return rc;
}

int nod_synth_write_projections(const nod_synth_study *study, nod_error *err)
{
    size_t n = (size_t)study->o->size * (size_t)study->o->size;
    uint16_t *px = nod_malloc(n * sizeof *px);
    if (px == NULL) return nod_fail_memory(err, "a picture", n * sizeof *px);
    int rc = study->o->kind == NOD_SYNTH_XRAY ? write_chest(study, px, err)
                                              : write_breasts(study, px, err);
    nod_free(px);
    return rc;
}
