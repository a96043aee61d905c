/* phantom.c: the model of a head.
 *
 * The field of view is the cube [-1,1]^3: x to the left, y to the back, z to the feet. A head is
 * nested ellipsoids (skin, bone, fluid, grey and white matter) with ventricles, a cleft between
 * the hemispheres, smooth texture, and a few harmless spots; a receiver's uneven gain lies over
 * it. Intensities are drawn per head, so that brightness says nothing about a tumour. A tumour is
 * a blob with an uneven border, brighter or darker than what it grows in, some with a rim, some
 * hardly visible. Every head has a place where a tumour would be, and slices are laid there in
 * both classes, so that the level of a slice says nothing either.
 * An image adds a small shift and turn, its own gain, and Rician noise (Gudbjartsson and Patz,
 * Magn Reson Med 1995: the magnitude of a complex signal with normal noise). */
#include "data/phantom.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/phantom_tissue.h"

#define N_SPOTS 6
#define N_LOBES 5
/* Streams of one patient: the head, its tumour, its texture; images come after. */
enum { STREAM_HEAD, STREAM_TUMOUR, STREAM_TEXTURE, STREAM_IMAGE = 16 };
#define STREAMS_PER_PATIENT 4096

typedef struct spot {
    nod_vec at; /* head coordinates */
    double radius, change;
} spot;

typedef struct tumour {
    nod_vec at, lobe[N_LOBES];
    double radius, change, halo, rim;
    double amplitude[N_LOBES], phase[N_LOBES];
} tumour;

struct nod_phantom {
    uint64_t seed;
    int64_t i_patient;
    bool has_tumour;
    nod_vec centre, half; /* of the head, in field coordinates */
    double turn_rad;
    double skin, bone, fluid, grey, white; /* intensities, about 0..1 */
    double texture;                        /* amplitude */
    nod_vec ventricle, ventricle_half;     /* the right one; the left is its mirror image */
    double asymmetry;                      /* of the left ventricle's size */
    double bias[6], noise;
    spot spots[N_SPOTS];
    tumour tumour;
    nod_texture texture_field;
};

static nod_rng stream(const nod_phantom *p, uint64_t k)
{
    return nod_rng_make(p->seed, NOD_RNG_SYNTH,
                        (uint64_t)p->i_patient * STREAMS_PER_PATIENT + k);
}

/* --- drawing a head --------------------------------------------------------------------- */

static void draw_head(nod_phantom *p, bool enhanced)
{
    nod_rng r = stream(p, STREAM_HEAD);
    p->centre = (nod_vec){0.03 * nod_rng_normal(&r), 0.03 * nod_rng_normal(&r), 0};
    p->half = (nod_vec){nod_rng_range(&r, 0.66, 0.78), nod_rng_range(&r, 0.78, 0.92),
                        nod_rng_range(&r, 0.78, 0.92)};
    p->turn_rad = 0.1 * nod_rng_normal(&r);
    bool bright_fluid = nod_rng_uniform(&r) < 0.4 && !enhanced; /* T2-like, else T1-like */
    double gain = nod_rng_range(&r, 0.8, 1.15);
    p->skin = gain * nod_rng_range(&r, 0.55, 0.9);
    p->bone = gain * nod_rng_range(&r, 0.05, 0.15);
    p->fluid =
        gain * (bright_fluid ? nod_rng_range(&r, 0.7, 0.9) : nod_rng_range(&r, 0.1, 0.2));
    p->grey = gain * nod_rng_range(&r, 0.36, 0.46);
    p->white = p->grey + gain * (bright_fluid ? -1 : 1) * nod_rng_range(&r, 0.05, 0.14);
    p->texture = gain * nod_rng_range(&r, 0.02, 0.04);
    p->ventricle = (nod_vec){nod_rng_range(&r, 0.12, 0.2), nod_rng_range(&r, -0.1, 0.1),
                             nod_rng_range(&r, -0.1, 0.1)};
    p->ventricle_half = (nod_vec){nod_rng_range(&r, 0.05, 0.11), nod_rng_range(&r, 0.2, 0.4),
                                  nod_rng_range(&r, 0.2, 0.35)};
    p->asymmetry = exp(0.15 * nod_rng_normal(&r));
    for (int k = 0; k < 6; k++)
        p->bias[k] = (k < 3 ? 0.10 : 0.06) * nod_rng_normal(&r);
    p->noise = gain * nod_rng_range(&r, 0.02, 0.05);
    /* Vessels, perivascular spaces, calcifications: small; and one broad harmless shade. */
    for (int k = 0; k < N_SPOTS; k++) {
        spot *s = &p->spots[k];
        nod_vec d = nod_vec_draw(&r);
        double at = 0.75 * cbrt(nod_rng_uniform(&r));
        s->at = (nod_vec){d.x * at, d.y * at, d.z * at};
        s->radius = k == 0 ? nod_rng_range(&r, 0.25, 0.45) : nod_rng_range(&r, 0.02, 0.06);
        s->change = gain * (nod_rng_uniform(&r) < 0.5 ? -1 : 1) *
                    (k == 0 ? nod_rng_range(&r, 0, 0.06) : nod_rng_range(&r, 0.1, 0.35));
    }
}

static void draw_tumour(nod_phantom *p, const nod_phantom_options *o)
{
    nod_rng r = stream(p, STREAM_TUMOUR);
    tumour *t = &p->tumour;
    nod_vec d = nod_vec_draw(&r), lobe = {0.38, 0.12, 0.08};
    double at = (o->regional ? 0.14 : 0.62) * cbrt(nod_rng_uniform(&r));
    t->at = (nod_vec){d.x * at, d.y * at, d.z * at};
    if (o->regional) t->at = (nod_vec){t->at.x + lobe.x, t->at.y + lobe.y, t->at.z + lobe.z};
    double radius = 0.17 * exp(0.35 * nod_rng_normal(&r));
    t->radius = o->radius_scale * NOD_MIN(0.34, NOD_MAX(0.09, radius));
    double change = nod_rng_range(&r, 0.07, 0.30);
    bool is_dark = nod_rng_uniform(&r) < (o->regional ? 0.05 : 0.35);
    if (is_dark && !o->enhanced) change = -0.7 * change;
    t->change = o->contrast * p->grey / 0.41 * change;
    t->rim = nod_rng_uniform(&r) < 0.3 ? nod_rng_range(&r, 0.5, 1.2) : 0;
    t->halo = nod_rng_range(&r, 0, 0.35);
    for (int k = 0; k < N_LOBES; k++) {
        t->lobe[k] = nod_vec_draw(&r);
        t->amplitude[k] = nod_rng_range(&r, 0.05, 0.16);
        t->phase[k] = nod_rng_range(&r, 0, 6.283185307179586);
    }
}

int nod_phantom_new(uint64_t seed, int64_t i_patient, const nod_phantom_options *options,
                    nod_phantom **out, nod_error *err)
{
    nod_phantom *p = nod_calloc(1, sizeof *p);
    if (p == NULL) return nod_fail_memory(err, "a phantom", sizeof *p);
    p->seed = seed;
    p->i_patient = i_patient;
    p->has_tumour = options->has_tumour;
    draw_head(p, options->enhanced);
    draw_tumour(p, options);
    nod_rng r = stream(p, STREAM_TEXTURE);
    int rc = nod_texture_init(&p->texture_field, &r, err);
    if (rc != 0) {
        nod_phantom_free(p);
        return rc;
    }
    *out = p;
    return 0;
}

void nod_phantom_free(nod_phantom *p)
{
    if (p == NULL) return;
    nod_texture_done(&p->texture_field);
    nod_free(p);
}

/* --- intensity at a point --------------------------------------------------------------- */

static double ventricles(const nod_phantom *p, nod_vec u, double w)
{
    double most = 0;
    for (int side = -1; side <= 1; side += 2) {
        double s = side < 0 ? p->asymmetry : 1;
        nod_vec h = p->ventricle_half;
        /* They spread apart towards the back. */
        double x = u.x - side * (p->ventricle.x + 0.25 * (u.y - p->ventricle.y));
        nod_vec q = {x / (h.x * s), (u.y - p->ventricle.y) / (h.y * s),
                     (u.z - p->ventricle.z) / (h.z * s)};
        most = NOD_MAX(most, nod_soft_inside((1 - nod_vec_length(q)) * h.x * s, w));
    }
    return most;
}

/* How far the tumour reaches in the direction of d, which has length r. */
static double tumour_border(const tumour *t, nod_vec d, double r)
{
    double border = t->radius;
    for (int k = 0; k < N_LOBES && r > 0; k++) {
        double along = (d.x * t->lobe[k].x + d.y * t->lobe[k].y + d.z * t->lobe[k].z) / r;
        border += t->radius * t->amplitude[k] * cos(3 * along + t->phase[k]);
    }
    return border;
}

/* What the tumour adds to the tissue. */
static double tumour_change(const tumour *t, nod_vec u, double w)
{
    nod_vec d = nod_vec_minus(u, t->at);
    double r = nod_vec_length(d);
    if (r > 2.2 * t->radius) return 0;
    double border = tumour_border(t, d, r);
    double core = nod_soft_inside(border - r, w + 0.25 * border);
    double rim = t->rim * exp(-pow((r - 0.8 * border) / (0.18 * border), 2));
    double halo = t->halo * nod_soft_inside(1.7 * border - r, border);
    return t->change * (core * (t->rim > 0 ? 0.55 : 1) + rim + halo * (1 - core));
}

/* From the field of view to the head, whose skin is the unit sphere. */
static nod_vec to_head(const nod_phantom *p, nod_vec x)
{
    double c = cos(p->turn_rad), s = sin(p->turn_rad);
    nod_vec d = nod_vec_minus(x, p->centre);
    return (nod_vec){(c * d.x + s * d.y) / p->half.x, (c * d.y - s * d.x) / p->half.y,
                     d.z / p->half.z};
}

double nod_phantom_signal(const nod_phantom *p, nod_vec x, double w)
{
    nod_vec u = to_head(p, x);
    double r = nod_vec_length(u);
    w /= p->half.x; /* from here on all is in head coordinates */
    if (r > 1 + w) return 0;
    double v = nod_mix(0, p->skin, nod_soft_inside(1 - r, w));
    v = nod_mix(v, p->bone, nod_soft_inside(0.955 - r, w));
    v = nod_mix(v, p->fluid, nod_soft_inside(0.885 - r, w));
    double brain = nod_soft_inside(0.86 - r, w);
    if (brain > 0) {
        double t = nod_texture_at(&p->texture_field, u);
        double tissue =
            nod_mix(p->grey, p->white, nod_soft_inside(0.70 + 0.07 * t - r, w + 0.05));
        tissue += p->texture * t;
        double cleft = nod_soft_inside(0.012 - fabs(u.x), w) *
                       nod_soft_inside(fabs(u.y) + r - 0.9, w + 0.1);
        double hollow = NOD_MAX(ventricles(p, u, w), 0.7 * cleft);
        tissue = nod_mix(tissue, p->fluid, hollow);
        for (int k = 0; k < N_SPOTS; k++) {
            double q = nod_vec_length(nod_vec_minus(u, p->spots[k].at)) / p->spots[k].radius;
            if (q < 3) tissue += p->spots[k].change * exp(-q * q);
        }
        if (p->has_tumour) tissue += tumour_change(&p->tumour, u, w);
        v = nod_mix(v, tissue, brain);
    }
    double uneven = p->bias[0] * x.x + p->bias[1] * x.y + p->bias[2] * x.z +
                    p->bias[3] * x.x * x.x + p->bias[4] * x.y * x.y + p->bias[5] * x.x * x.y;
    return v * exp(uneven);
}

double nod_phantom_noise(const nod_phantom *p)
{
    return p->noise;
}

bool nod_phantom_is_tumour(const nod_phantom *p, nod_vec x)
{
    nod_vec u = to_head(p, x), d = nod_vec_minus(u, p->tumour.at);
    double r = nod_vec_length(d);
    return p->has_tumour && nod_vec_length(u) < 0.86 && r < tumour_border(&p->tumour, d, r);
}

/* --- images ----------------------------------------------------------------------------- */

/* How one image lies in the field of view. */
typedef struct pose {
    double shift_x, shift_y, turn_c, turn_s, gain;
} pose;

static pose draw_pose(nod_rng *r)
{
    pose q = {.shift_x = 0.03 * nod_rng_normal(r), .shift_y = 0.03 * nod_rng_normal(r)};
    double turn_rad = 0.05 * nod_rng_normal(r);
    q.turn_c = cos(turn_rad);
    q.turn_s = sin(turn_rad);
    q.gain = exp(0.05 * nod_rng_normal(r));
    return q;
}

static uint8_t sample(const nod_phantom *p, const pose *q, double x, double y, double z,
                      double w, double noise, nod_rng *r)
{
    nod_vec at = {q->turn_c * x + q->turn_s * y + q->shift_x,
                  q->turn_c * y - q->turn_s * x + q->shift_y, z};
    double re = q->gain * nod_phantom_signal(p, at, w) + noise * nod_rng_normal(r);
    double im = noise * nod_rng_normal(r);
    double v = 255 * 0.95 * sqrt(re * re + im * im) + 0.5;
    return (uint8_t)NOD_MIN(v, 255);
}

void nod_phantom_slice(const nod_phantom *p, int64_t i_image, int64_t size, uint8_t *dst)
{
    nod_rng r = stream(p, STREAM_IMAGE + (uint64_t)i_image);
    pose q = draw_pose(&r);
    const tumour *t = &p->tumour;
    double z = p->half.z * (t->at.z + t->radius * nod_rng_range(&r, -0.6, 0.6));
    double w = 2 / (double)size;
    for (int64_t iy = 0; iy < size; iy++)
        for (int64_t ix = 0; ix < size; ix++)
            *dst++ = sample(p, &q, ((double)ix + 0.5) * w - 1, ((double)iy + 0.5) * w - 1, z, w,
                            p->noise, &r);
}

void nod_phantom_volume(const nod_phantom *p, int64_t i_image, int64_t size, uint8_t *dst)
{
    nod_rng r = stream(p, STREAM_IMAGE + (uint64_t)i_image);
    pose q = draw_pose(&r);
    double w = 2 / (double)size;
    for (int64_t iz = 0; iz < size; iz++)
        for (int64_t iy = 0; iy < size; iy++)
            for (int64_t ix = 0; ix < size; ix++)
                *dst++ = sample(p, &q, ((double)ix + 0.5) * w - 1, ((double)iy + 0.5) * w - 1,
                                ((double)iz + 0.5) * w - 1, w, p->noise, &r);
}
