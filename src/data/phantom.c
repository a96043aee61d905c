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

#define N_OCTAVES 3
#define N_SPOTS   6
#define N_LOBES   5
/* Streams of one patient: the head, its tumour, its texture; images come after. */
enum { STREAM_HEAD, STREAM_TUMOUR, STREAM_TEXTURE, STREAM_IMAGE = 16 };
#define STREAMS_PER_PATIENT 4096

static const int octave_side[N_OCTAVES] = {6, 12, 24}; /* cells over [-1,1] */
static const double octave_weight[N_OCTAVES] = {0.6, 0.5, 0.35};

typedef struct vec {
    double x, y, z;
} vec;

typedef struct spot {
    vec at; /* head coordinates */
    double radius, change;
} spot;

typedef struct tumour {
    vec at, lobe[N_LOBES];
    double radius, change, halo, rim;
    double amplitude[N_LOBES], phase[N_LOBES];
} tumour;

struct nod_phantom {
    uint64_t seed;
    int64_t i_patient;
    bool has_tumour;
    vec centre, half; /* of the head, in field coordinates */
    double turn_rad;
    double skin, bone, fluid, grey, white; /* intensities, about 0..1 */
    double texture;                        /* amplitude */
    vec ventricle, ventricle_half;         /* the right one; the left is its mirror image */
    double asymmetry;                      /* of the left ventricle's size */
    double bias[6], noise;
    spot spots[N_SPOTS];
    tumour tumour;
    float *lattice[N_OCTAVES]; /* [side+1]^3 standard normal numbers */
};

static nod_rng stream(const nod_phantom *p, uint64_t k)
{
    return nod_rng_make(p->seed, NOD_RNG_SYNTH,
                        (uint64_t)p->i_patient * STREAMS_PER_PATIENT + k);
}

static double length(vec v)
{
    return sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
}

static vec minus(vec a, vec b)
{
    return (vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

/* A direction, evenly over the sphere. */
static vec draw_direction(nod_rng *r)
{
    for (;;) {
        vec v = {nod_rng_range(r, -1, 1), nod_rng_range(r, -1, 1), nod_rng_range(r, -1, 1)};
        double n = length(v);
        if (n > 0.1 && n <= 1) return (vec){v.x / n, v.y / n, v.z / n};
    }
}

/* --- drawing a head --------------------------------------------------------------------- */

static void draw_head(nod_phantom *p)
{
    nod_rng r = stream(p, STREAM_HEAD);
    p->centre = (vec){0.03 * nod_rng_normal(&r), 0.03 * nod_rng_normal(&r), 0};
    p->half = (vec){nod_rng_range(&r, 0.66, 0.78), nod_rng_range(&r, 0.78, 0.92),
                    nod_rng_range(&r, 0.78, 0.92)};
    p->turn_rad = 0.1 * nod_rng_normal(&r);
    bool bright_fluid = nod_rng_uniform(&r) < 0.4; /* T2-like, else T1-like */
    double gain = nod_rng_range(&r, 0.8, 1.15);
    p->skin = gain * nod_rng_range(&r, 0.55, 0.9);
    p->bone = gain * nod_rng_range(&r, 0.05, 0.15);
    p->fluid =
        gain * (bright_fluid ? nod_rng_range(&r, 0.7, 0.9) : nod_rng_range(&r, 0.1, 0.2));
    p->grey = gain * nod_rng_range(&r, 0.36, 0.46);
    p->white = p->grey + gain * (bright_fluid ? -1 : 1) * nod_rng_range(&r, 0.05, 0.14);
    p->texture = gain * nod_rng_range(&r, 0.02, 0.04);
    p->ventricle = (vec){nod_rng_range(&r, 0.12, 0.2), nod_rng_range(&r, -0.1, 0.1),
                         nod_rng_range(&r, -0.1, 0.1)};
    p->ventricle_half = (vec){nod_rng_range(&r, 0.05, 0.11), nod_rng_range(&r, 0.2, 0.4),
                              nod_rng_range(&r, 0.2, 0.35)};
    p->asymmetry = exp(0.15 * nod_rng_normal(&r));
    for (int k = 0; k < 6; k++)
        p->bias[k] = (k < 3 ? 0.10 : 0.06) * nod_rng_normal(&r);
    p->noise = gain * nod_rng_range(&r, 0.02, 0.05);
    /* Vessels, perivascular spaces, calcifications: small; and one broad harmless shade. */
    for (int k = 0; k < N_SPOTS; k++) {
        spot *s = &p->spots[k];
        vec d = draw_direction(&r);
        double at = 0.75 * cbrt(nod_rng_uniform(&r));
        s->at = (vec){d.x * at, d.y * at, d.z * at};
        s->radius = k == 0 ? nod_rng_range(&r, 0.25, 0.45) : nod_rng_range(&r, 0.02, 0.06);
        s->change = gain * (nod_rng_uniform(&r) < 0.5 ? -1 : 1) *
                    (k == 0 ? nod_rng_range(&r, 0, 0.06) : nod_rng_range(&r, 0.1, 0.35));
    }
}

static void draw_tumour(nod_phantom *p, const nod_phantom_options *o)
{
    nod_rng r = stream(p, STREAM_TUMOUR);
    tumour *t = &p->tumour;
    vec d = draw_direction(&r), lobe = {0.38, 0.12, 0.08};
    double at = (o->regional ? 0.14 : 0.62) * cbrt(nod_rng_uniform(&r));
    t->at = (vec){d.x * at, d.y * at, d.z * at};
    if (o->regional) t->at = (vec){t->at.x + lobe.x, t->at.y + lobe.y, t->at.z + lobe.z};
    double radius = 0.17 * exp(0.35 * nod_rng_normal(&r));
    t->radius = o->radius_scale * NOD_MIN(0.34, NOD_MAX(0.09, radius));
    double change = nod_rng_range(&r, 0.07, 0.30);
    if (nod_rng_uniform(&r) < (o->regional ? 0.05 : 0.35)) change = -0.7 * change;
    t->change = o->contrast * p->grey / 0.41 * change;
    t->rim = nod_rng_uniform(&r) < 0.3 ? nod_rng_range(&r, 0.5, 1.2) : 0;
    t->halo = nod_rng_range(&r, 0, 0.35);
    for (int k = 0; k < N_LOBES; k++) {
        t->lobe[k] = draw_direction(&r);
        t->amplitude[k] = nod_rng_range(&r, 0.05, 0.16);
        t->phase[k] = nod_rng_range(&r, 0, 6.283185307179586);
    }
}

static int draw_texture(nod_phantom *p, nod_error *err)
{
    nod_rng r = stream(p, STREAM_TEXTURE);
    for (int o = 0; o < N_OCTAVES; o++) {
        size_t side = (size_t)octave_side[o] + 1, n = side * side * side;
        p->lattice[o] = nod_calloc(n, sizeof(float));
        if (p->lattice[o] == NULL)
            return nod_fail_memory(err, "a phantom's texture", n * sizeof(float));
        for (size_t i = 0; i < n; i++)
            p->lattice[o][i] = (float)nod_rng_normal(&r);
    }
    return 0;
}

int nod_phantom_new(uint64_t seed, int64_t i_patient, const nod_phantom_options *options,
                    nod_phantom **out, nod_error *err)
{
    nod_phantom *p = nod_calloc(1, sizeof *p);
    if (p == NULL) return nod_fail_memory(err, "a phantom", sizeof *p);
    p->seed = seed;
    p->i_patient = i_patient;
    p->has_tumour = options->has_tumour;
    draw_head(p);
    draw_tumour(p, options);
    int rc = draw_texture(p, err);
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
    for (int o = 0; o < N_OCTAVES; o++)
        nod_free(p->lattice[o]);
    nod_free(p);
}

/* --- intensity at a point --------------------------------------------------------------- */

/* 1 inside (d > 0), 0 outside, a smooth step of width w between: partial volume. */
static double inside(double d, double w)
{
    double t = d / w + 0.5;
    if (t <= 0) return 0;
    if (t >= 1) return 1;
    return t * t * (3 - 2 * t);
}

static double mix(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* One octave of value noise at u in [-1,1]^3 (outside: the edge's value). */
static double octave(const nod_phantom *p, int o, vec u)
{
    const int n = octave_side[o], s = n + 1;
    const double c[3] = {u.x, u.y, u.z};
    int i[3];
    double f[3];
    for (int d = 0; d < 3; d++) {
        double g = NOD_MAX(0, NOD_MIN(n - 1e-9, (c[d] + 1) * 0.5 * n));
        i[d] = (int)g;
        f[d] = g - i[d];
        f[d] = f[d] * f[d] * (3 - 2 * f[d]);
    }
    const float *at = p->lattice[o] + ((size_t)i[2] * s + (size_t)i[1]) * s + (size_t)i[0];
    double v[2];
    for (int z = 0; z < 2; z++, at += s * s)
        v[z] = mix(mix(at[0], at[1], f[0]), mix(at[s], at[s + 1], f[0]), f[1]);
    return mix(v[0], v[1], f[2]);
}

static double texture(const nod_phantom *p, vec u)
{
    double v = 0;
    for (int o = 0; o < N_OCTAVES; o++)
        v += octave_weight[o] * octave(p, o, u);
    return v;
}

static double ventricles(const nod_phantom *p, vec u, double w)
{
    double most = 0;
    for (int side = -1; side <= 1; side += 2) {
        double s = side < 0 ? p->asymmetry : 1;
        vec h = p->ventricle_half;
        /* They spread apart towards the back. */
        double x = u.x - side * (p->ventricle.x + 0.25 * (u.y - p->ventricle.y));
        vec q = {x / (h.x * s), (u.y - p->ventricle.y) / (h.y * s),
                 (u.z - p->ventricle.z) / (h.z * s)};
        most = NOD_MAX(most, inside((1 - length(q)) * h.x * s, w));
    }
    return most;
}

/* What the tumour adds where the tissue has intensity v. */
static double tumour_change(const tumour *t, vec u, double w)
{
    vec d = minus(u, t->at);
    double r = length(d), border = t->radius;
    if (r > 2.2 * t->radius) return 0;
    for (int k = 0; k < N_LOBES && r > 0; k++) {
        double along = (d.x * t->lobe[k].x + d.y * t->lobe[k].y + d.z * t->lobe[k].z) / r;
        border += t->radius * t->amplitude[k] * cos(3 * along + t->phase[k]);
    }
    double core = inside(border - r, w + 0.25 * border);
    double rim = t->rim * exp(-pow((r - 0.8 * border) / (0.18 * border), 2));
    double halo = t->halo * inside(1.7 * border - r, border);
    return t->change * (core * (t->rim > 0 ? 0.55 : 1) + rim + halo * (1 - core));
}

/* At x of the field of view, for voxels of edge w. */
static double intensity(const nod_phantom *p, vec x, double w)
{
    const vec h = p->half;
    double c = cos(p->turn_rad), s = sin(p->turn_rad);
    vec d = minus(x, p->centre);
    vec u = {(c * d.x + s * d.y) / h.x, (c * d.y - s * d.x) / h.y, d.z / h.z};
    double r = length(u);
    w /= h.x; /* from here on all is in head coordinates */
    if (r > 1 + w) return 0;
    double v = mix(0, p->skin, inside(1 - r, w));
    v = mix(v, p->bone, inside(0.955 - r, w));
    v = mix(v, p->fluid, inside(0.885 - r, w));
    double brain = inside(0.86 - r, w);
    if (brain > 0) {
        double t = texture(p, u);
        double tissue = mix(p->grey, p->white, inside(0.70 + 0.07 * t - r, w + 0.05));
        tissue += p->texture * t;
        double cleft = inside(0.012 - fabs(u.x), w) * inside(fabs(u.y) + r - 0.9, w + 0.1);
        double hollow = NOD_MAX(ventricles(p, u, w), 0.7 * cleft);
        tissue = mix(tissue, p->fluid, hollow);
        for (int k = 0; k < N_SPOTS; k++) {
            double q = length(minus(u, p->spots[k].at)) / p->spots[k].radius;
            if (q < 3) tissue += p->spots[k].change * exp(-q * q);
        }
        if (p->has_tumour) tissue += tumour_change(&p->tumour, u, w);
        v = mix(v, tissue, brain);
    }
    double uneven = p->bias[0] * x.x + p->bias[1] * x.y + p->bias[2] * x.z +
                    p->bias[3] * x.x * x.x + p->bias[4] * x.y * x.y + p->bias[5] * x.x * x.y;
    return v * exp(uneven);
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
    vec at = {q->turn_c * x + q->turn_s * y + q->shift_x,
              q->turn_c * y - q->turn_s * x + q->shift_y, z};
    double re = q->gain * intensity(p, at, w) + noise * nod_rng_normal(r);
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
