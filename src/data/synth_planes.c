/* synth_planes.c: the scanner: heads, hearts and breasts in parallel planes of magnetic resonance.
 *
 * The planes lie as a technician would lay them: heads axial, some sagittal or coronal, tilted by
 * some degrees; hearts across the long axis; breasts axial. A voxel is the mean of two points along
 * the slice's thickness; noise is Rician; the stored scale is arbitrary, as it is in MR. Slices are
 * numbered from either end. Defects of geometry move or drop slices before anything is drawn, so
 * pixels always show what lies at the position that the file claims. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/phantom.h"
#include "data/phantom_breast.h"
#include "data/phantom_heart.h"
#include "data/synth_study.h"
#include "imaging/geometry.h"
#include "imaging/nifti/nifti.h"

#define FULL_SCALE  4095 /* 12 bits */
#define MAX_TIMES   16
#define N_PHASES    16 /* of a cardiac cycle */
#define N_DCE       5
#define DEG         (3.141592653589793 / 180)
#define TILT_DEG    15
#define UNEVEN      0.4   /* of the distance between slices */
#define SCAN_TIME_S 36600 /* of the day */
/* Of tumours in heads, so that the network which `init` proposes learns them from some hundred scans
 * in a minute or two on two cores. Chosen by the AUC on validation parts, never on a test part: .95 at
 * (2.0, 1.2), .97 at (2.0, 1.35), 1.00 at (2.5, 1.5). */
#define HEAD_CONTRAST 2.2
#define HEAD_RADIUS   1.4
#define CONTRAST      "gadobutrol"

/* A body under the scanner, as a function of place (LPS millimetres from its centre) and time. */
typedef struct body {
    const void *phantom;
    double (*signal)(const void *phantom, nod_vec at_mm, double width_mm, double time);
    bool (*is_finding)(const void *phantom, nod_vec at_mm, double time);
    double noise;
} body;

/* What the scanner is told. */
typedef struct protocol {
    const char *name, *body_part;
    nod_geometry grid;
    double centre_mm[3]; /* of the body */
    double thickness_mm, scale;
    int n_times;
    double times[MAX_TIMES];
    double cycle_ms;   /* cine */
    bool has_contrast; /* dce */
    bool
        has_time_numbers; /* dce: TemporalPositionIdentifier; else only the time of acquisition */
    bool is_localizer, is_reversed, time_is_outer;
} protocol;

/* Where a slice really lies: steps along the normal, and millimetres along the columns. */
typedef struct place {
    double step, shift_mm;
} place;

/* --- bodies ------------------------------------------------------------------------------- */

static nod_vec in_field(nod_vec at)
{
    return (nod_vec){at.x / NOD_PHANTOM_MM, at.y / NOD_PHANTOM_MM, -at.z / NOD_PHANTOM_MM};
}

static double head_signal(const void *p, nod_vec at, double width, double time)
{
    (void)time;
    return nod_phantom_signal(p, in_field(at), width / NOD_PHANTOM_MM);
}

static bool head_finding(const void *p, nod_vec at, double time)
{
    (void)time;
    return nod_phantom_is_tumour(p, in_field(at));
}

static double heart_signal(const void *p, nod_vec at, double width, double time)
{
    return nod_heart_signal(p, at, width, time);
}

static bool heart_finding(const void *p, nod_vec at, double time)
{
    return nod_heart_is_blood(p, at, time);
}

static double breast_signal(const void *p, nod_vec at, double width, double time)
{
    return nod_breast_signal(p, at, width, time);
}

static bool breast_finding(const void *p, nod_vec at, double time)
{
    (void)time;
    return nod_breast_is_mass(p, at);
}

/* --- laying planes ------------------------------------------------------------------------ */

/* Turns the three axes of a grid about x, y and z of the patient by up to `most` degrees each. */
static void tilt(nod_geometry *g, nod_rng *r, double most_deg)
{
    for (int axis = 0; axis < 3; axis++) {
        double angle = DEG * nod_rng_range(r, -most_deg, most_deg);
        double c = cos(angle), s = sin(angle);
        int p = (axis + 1) % 3, q = (axis + 2) % 3;
        for (int a = 0; a < 3; a++) {
            double u = g->direction[a][p], v = g->direction[a][q];
            g->direction[a][p] = c * u - s * v;
            g->direction[a][q] = s * u + c * v;
        }
    }
}

/* Sets the directions along rows and columns, and the slices' as their product. */
static void lay(nod_geometry *g, nod_vec i, nod_vec j)
{
    const double axes[3][3] = {
        {i.x, i.y, i.z},
        {j.x, j.y, j.z},
        {i.y * j.z - i.z * j.y, i.z * j.x - i.x * j.z, i.x * j.y - i.y * j.x}};
    memcpy(g->direction, axes, sizeof axes);
}

static nod_geometry make_grid(int64_t columns, int64_t rows, int64_t slices, double pixel_mm,
                              double step_mm)
{
    nod_geometry g = nod_geometry_unknown(columns, rows, slices);
    g.space = NOD_SPACE_PATIENT;
    g.spacing_mm[0] = g.spacing_mm[1] = pixel_mm;
    g.spacing_mm[2] = step_mm;
    return g;
}

/* Puts the grid's middle at `middle_mm`. */
static void centre(nod_geometry *g, const double middle_mm[3])
{
    for (int x = 0; x < 3; x++) {
        g->origin_mm[x] = middle_mm[x];
        for (int a = 0; a < 3; a++)
            g->origin_mm[x] -=
                0.5 * (double)(g->size[a] - 1) * g->spacing_mm[a] * g->direction[a][x];
    }
}

/* The body lies somewhere on the table; the planes miss its centre by some millimetres. */
static void place_body(protocol *p, nod_rng *r, nod_vec offset, double miss_mm)
{
    const double from[3] = {offset.x, offset.y, offset.z};
    double middle[3];
    for (int x = 0; x < 3; x++) {
        p->centre_mm[x] = nod_rng_range(r, -20, 20);
        middle[x] = p->centre_mm[x] + from[x] + nod_rng_range(r, -miss_mm, miss_mm);
    }
    centre(&p->grid, middle);
}

static void plan_head(protocol *p, const nod_synth_study *study, nod_rng *r)
{
    int64_t n = study->o->size, n_slices = NOD_MAX(n * 3 / 8, 4);
    double kind = nod_rng_uniform(r), fov_mm = nod_rng_range(r, 205, 225);
    p->name = "brain";
    p->body_part = "BRAIN";
    p->grid = make_grid(n, n, n_slices, fov_mm / (double)n, 200 / (double)n_slices);
    p->thickness_mm = p->grid.spacing_mm[2] * nod_rng_range(r, 0.8, 1);
    if (kind < 0.7)
        lay(&p->grid, (nod_vec){1, 0, 0}, (nod_vec){0, 1, 0});
    else if (kind < 0.85)
        lay(&p->grid, (nod_vec){0, 1, 0}, (nod_vec){0, 0, -1});
    else
        lay(&p->grid, (nod_vec){1, 0, 0}, (nod_vec){0, 0, -1});
    tilt(&p->grid, r, 12);
    place_body(p, r, (nod_vec){0, 0, 0}, 4);
}

static void plan_heart(protocol *p, const nod_synth_study *study, const nod_heart *heart,
                       nod_rng *r)
{
    int64_t n = study->o->size, n_slices = 8;
    nod_vec k = nod_heart_axis(heart);
    double n_i = sqrt(1 - k.x * k.x);
    nod_vec i = {(1 - k.x * k.x) / n_i, -k.x * k.y / n_i, -k.x * k.z / n_i};
    nod_vec j = {k.y * i.z - k.z * i.y, k.z * i.x - k.x * i.z, k.x * i.y - k.y * i.x};
    p->name = "cine";
    p->body_part = "HEART";
    p->grid = make_grid(n, n, n_slices, nod_rng_range(r, 290, 330) / (double)n, 10);
    p->thickness_mm = 8;
    lay(&p->grid, i, j);
    tilt(&p->grid, r, 4);
    place_body(p, r, (nod_vec){0, 0, 0}, 5);
    p->cycle_ms = 60000 / nod_heart_rate_bpm(heart);
    p->n_times = N_PHASES;
    for (int t = 0; t < N_PHASES; t++)
        p->times[t] = (double)t / N_PHASES;
}

static void plan_breasts(protocol *p, const nod_synth_study *study, nod_rng *r)
{
    static const double times_s[N_DCE] = {-30, 45, 105, 165, 225}; /* from the injection */
    int64_t n = study->o->size, n_slices = NOD_MAX(n / 4, 4);
    double pixel_mm = NOD_BREAST_MR_X_MM / (double)n;
    p->name = "dce";
    p->body_part = "BREAST";
    p->grid = make_grid(n, NOD_MAX((int64_t)(NOD_BREAST_MR_Y_MM / pixel_mm), 8), n_slices,
                        pixel_mm, NOD_BREAST_MR_Z_MM / (double)n_slices);
    p->thickness_mm = p->grid.spacing_mm[2];
    lay(&p->grid, (nod_vec){1, 0, 0}, (nod_vec){0, 1, 0});
    tilt(&p->grid, r, 2);
    place_body(p, r, (nod_vec){0, -40, 0}, 3);
    p->has_contrast = p->time_is_outer = true;
    p->has_time_numbers = study->number % 2 == 1;
    p->n_times = N_DCE;
    memcpy(p->times, times_s, sizeof times_s);
}

/* --- scanning ----------------------------------------------------------------------------- */

/* LPS from the body's centre of a place in the grid. */
static nod_vec locate(const protocol *p, const place *at, double i, double j, double along_mm)
{
    const double index[3] = {i, j, at->step};
    double w[3];
    nod_geometry_world(&p->grid, index, w);
    for (int x = 0; x < 3; x++)
        w[x] += at->shift_mm * p->grid.direction[1][x] + along_mm * p->grid.direction[2][x] -
                p->centre_mm[x];
    return (nod_vec){w[0], w[1], w[2]};
}

static void scan(const body *b, const protocol *p, const place *at, double time, nod_rng *r,
                 uint16_t *px)
{
    double width = p->grid.spacing_mm[0];
    for (int64_t j = 0; j < p->grid.size[1]; j++)
        for (int64_t i = 0; i < p->grid.size[0]; i++) {
            double v = 0;
            for (int half = -1; half <= 1; half += 2)
                v += 0.5 * b->signal(b->phantom,
                                     locate(p, at, (double)i, (double)j,
                                            0.25 * half * p->thickness_mm),
                                     width, time);
            double re = v + b->noise * nod_rng_normal(r), im = b->noise * nod_rng_normal(r);
            *px++ = (uint16_t)NOD_MIN(p->scale * sqrt(re * re + im * im) + 0.5, FULL_SCALE);
        }
}

/* Returns how many slices there are; `places` has room for one more than the grid has. */
static int64_t lay_slices(const protocol *p, unsigned defects, place *places)
{
    int64_t n = p->grid.size[2], middle = n / 2, count = 0;
    for (int64_t k = 0; k < n; k++) {
        double shift_mm = 0, step = (double)k;
        if (p->is_localizer) defects = 0;
        if (defects >> NOD_SYNTH_GAP & 1 && k == middle) continue;
        if (defects >> NOD_SYNTH_UNEVEN & 1 && k == middle) step += UNEVEN;
        if (defects >> NOD_SYNTH_TILT & 1)
            shift_mm = tan(TILT_DEG * DEG) * (double)(k - middle) * p->grid.spacing_mm[2];
        places[count++] = (place){step, shift_mm};
        if (defects >> NOD_SYNTH_DUPLICATE & 1 && k == n / 3)
            places[count++] = (place){step, shift_mm};
    }
    return count;
}

static nod_dicom_image image_of(const protocol *p, const place *at, int i_time)
{
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_MR);
    const double index[3] = {0, 0, at->step};
    im.image_type =
        p->is_localizer ? "ORIGINAL\\PRIMARY\\LOCALIZER" : "ORIGINAL\\PRIMARY\\OTHER";
    im.body_part = p->body_part;
    im.columns = (int)p->grid.size[0];
    im.rows = (int)p->grid.size[1];
    memcpy(im.orientation, p->grid.direction, sizeof im.orientation);
    nod_geometry_world(&p->grid, index, im.position_mm);
    for (int x = 0; x < 3; x++)
        im.position_mm[x] += at->shift_mm * p->grid.direction[1][x];
    im.spacing_mm[0] = p->grid.spacing_mm[1];
    im.spacing_mm[1] = p->grid.spacing_mm[0];
    im.thickness_mm = p->thickness_mm;
    if (!p->is_localizer) im.spacing_between_mm = p->grid.spacing_mm[2];
    im.window_center = 0.5 * p->scale;
    im.window_width = p->scale;
    im.acquisition_number = 1;
    im.acquisition_time_s = SCAN_TIME_S;
    if (p->cycle_ms > 0) {
        im.trigger_time_ms = p->times[i_time] * p->cycle_ms;
        im.cycle_ms = p->cycle_ms;
        im.n_phases = p->n_times;
    }
    if (p->has_contrast) {
        im.contrast_agent = CONTRAST;
        im.acquisition_number = i_time + 1;
        im.acquisition_time_s = SCAN_TIME_S + p->times[i_time] - p->times[0];
        if (p->has_time_numbers) {
            im.temporal_position = i_time + 1;
            im.n_temporal_positions = p->n_times;
        }
    }
    return im;
}

/* The slices in the order of their instance numbers; the picture of the last is left in px. */
static int write_slices(nod_synth_series *series, const body *b, const protocol *p,
                        nod_rng *noise, uint16_t *px, nod_error *err)
{
    int64_t n_all = p->grid.size[2] + 1;
    place *places = nod_calloc((size_t)n_all, sizeof *places);
    if (places == NULL) return nod_fail_memory(err, "slices", (size_t)n_all * sizeof *places);
    int64_t n = lay_slices(p, series->study->defects, places), n_times = p->n_times;
    int rc = 0;
    for (int64_t q = 0; rc == 0 && q < n * n_times; q++) {
        int64_t k = p->time_is_outer ? q % n : q / n_times;
        int t = (int)(p->time_is_outer ? q / n : q % n_times);
        const place *at = &places[p->is_reversed ? n - 1 - k : k];
        scan(b, p, at, p->times[t], noise, px);
        nod_dicom_image im = image_of(p, at, t);
        im.pixels = px;
        rc = nod_synth_series_add(series, &im, err);
    }
    nod_free(places);
    return rc;
}

/* Where the finding is, on the grid of the series: masks/p0001_1_brain.nii.gz. */
static int write_mask(const nod_synth_study *study, const body *b, const protocol *p,
                      char mask[96], nod_error *err)
{
    nod_image im;
    const nod_geometry *g = &p->grid;
    int64_t frames = p->cycle_ms > 0 ? p->n_times : 1;
    int rc = nod_image_init_frames(&im, frames, g->size[2], g->size[1], g->size[0], 1,
                                   NOD_SAMPLE_U8, err);
    if (rc != 0) return rc;
    im.geometry = *g;
    uint8_t *v = im.data;
    for (int64_t f = 0; f < frames; f++)
        for (int64_t k = 0; k < g->size[2]; k++)
            for (int64_t j = 0; j < g->size[1]; j++)
                for (int64_t i = 0; i < g->size[0]; i++) {
                    const place at = {(double)k, 0};
                    *v++ = b->is_finding(b->phantom, locate(p, &at, (double)i, (double)j, 0),
                                         p->times[f]);
                }
    snprintf(mask, 96, "masks/p%04lld_%lld_%s.nii.gz", (long long)study->number,
             (long long)study->i_study + 1, p->name);
    char *path = nod_path_join(study->root, mask);
    rc = path == NULL ? nod_fail_memory(err, "a path", strlen(mask))
                      : nod_nifti_write(path, &im, err);
    nod_free(path);
    nod_image_done(&im);
    return rc;
}

/* Three planes across each other, before anything else is planned. */
static int write_localizer(const nod_synth_study *study, const body *b, const protocol *planned,
                           uint16_t *px, nod_error *err)
{
    static const nod_vec rows[3] = {{1, 0, 0}, {0, 1, 0}, {1, 0, 0}};
    static const nod_vec columns[3] = {{0, 1, 0}, {0, 0, -1}, {0, 0, -1}};
    nod_rng noise = nod_synth_study_rng(study, SYNTH_DRAW_LOCALIZER);
    nod_synth_series series;
    int rc = nod_synth_series_open(&series, study, 90, "localizer", err);
    for (int k = 0; rc == 0 && k < 3; k++) {
        protocol p = *planned;
        int64_t n = NOD_MIN(planned->grid.size[0], planned->grid.size[1]);
        p.grid = make_grid(n, n, 1, 300 / (double)n, 10);
        p.thickness_mm = 10;
        p.is_localizer = true;
        p.cycle_ms = 0;
        p.has_contrast = false;
        p.n_times = 1;
        lay(&p.grid, rows[k], columns[k]);
        centre(&p.grid, p.centre_mm);
        rc = write_slices(&series, b, &p, &noise, px, err);
    }
    nod_synth_series_close(&series);
    return rc;
}

static int write_study(const nod_synth_study *study, const body *b, protocol *p, nod_rng *r,
                       nod_error *err)
{
    const unsigned moved = 1u << NOD_SYNTH_GAP | 1u << NOD_SYNTH_DUPLICATE |
                           1u << NOD_SYNTH_UNEVEN | 1u << NOD_SYNTH_TILT;
    char mask[96] = "";
    nod_synth_series series = {0};
    nod_rng noise = nod_synth_study_rng(study, SYNTH_DRAW_NOISE);
    size_t n = (size_t)p->grid.size[0] * (size_t)p->grid.size[1];
    uint16_t *px = nod_malloc(n * sizeof *px);
    int rc = px == NULL ? nod_fail_memory(err, "a slice", n * sizeof *px) : 0;
    if (rc != 0) return rc;
    p->scale = nod_rng_range(r, 700, 2500);
    p->is_reversed = nod_rng_uniform(r) < 0.5;
    if (study->defects >> NOD_SYNTH_LOCALIZER & 1)
        NOD_TRY(write_localizer(study, b, p, px, err));
    NOD_TRY(nod_synth_series_open(&series, study, 1, p->name, err));
    NOD_TRY(write_slices(&series, b, p, &noise, px, err));
    if (!(study->defects & moved)) NOD_TRY(write_mask(study, b, p, mask, err));
    nod_synth_series_tell(&series, p->name, study->label, mask);
    if (study->defects >> NOD_SYNTH_BURNED_IN & 1)
        NOD_TRY(nod_synth_write_capture(study, px, (int)p->grid.size[1], (int)p->grid.size[0],
                                        err));
out:
    nod_synth_series_close(&series);
    nod_free(px);
    return rc;
}

/* --- kinds -------------------------------------------------------------------------------- */

static int write_head(const nod_synth_study *study, nod_rng *r, nod_error *err)
{
    const nod_phantom_options o = {.has_tumour = study->label == 1,
                                   .contrast = HEAD_CONTRAST * study->o->contrast,
                                   .radius_scale = HEAD_RADIUS,
                                   .enhanced = true};
    nod_phantom *head = NULL;
    int rc = nod_phantom_new(study->o->seed, study->i_patient, &o, &head, err);
    if (rc != 0) return rc;
    const body b = {head, head_signal, head_finding, study->noise * nod_phantom_noise(head)};
    protocol p = {.n_times = 1};
    plan_head(&p, study, r);
    rc = write_study(study, &b, &p, r, err);
    nod_phantom_free(head);
    return rc;
}

static int write_heart(const nod_synth_study *study, nod_rng *r, nod_error *err)
{
    nod_heart *heart = NULL;
    int rc = nod_heart_new(study->o->seed, study->i_patient, study->label == 1,
                           study->o->contrast, &heart, err);
    if (rc != 0) return rc;
    const body b = {heart, heart_signal, heart_finding, study->noise * 0.02};
    protocol p = {0};
    plan_heart(&p, study, heart, r);
    rc = write_study(study, &b, &p, r, err);
    nod_heart_free(heart);
    return rc;
}

static int write_breasts(const nod_synth_study *study, nod_rng *r, nod_error *err)
{
    const nod_breast_options o = {
        .has_mass = true, .washes_out = study->label == 1, .contrast = study->o->contrast};
    nod_breast *breast = NULL;
    int rc = nod_breast_new(study->o->seed, study->i_patient, &o, &breast, err);
    if (rc != 0) return rc;
    const body b = {breast, breast_signal, breast_finding, study->noise * 0.012};
    protocol p = {0};
    plan_breasts(&p, study, r);
    rc = write_study(study, &b, &p, r, err);
    nod_breast_free(breast);
    return rc;
}

int nod_synth_write_planes(const nod_synth_study *study, nod_error *err)
{
    nod_rng r = nod_synth_study_rng(study, SYNTH_DRAW_SCAN);
    switch (study->o->kind) {
    case NOD_SYNTH_CINE:
        return write_heart(study, &r, err);
    case NOD_SYNTH_DCE:
        return write_breasts(study, &r, err);
    default:
        return write_head(study, &r, err);
    }
}
