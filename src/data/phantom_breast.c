/* phantom_breast.c: a breast is half an ellipsoid of fat on the chest wall with a cone of gland
 * towards the nipple, whose density is drawn per patient; a mass is a ball with an uneven border.
 * A mammogram is a projection: fat and gland by the thickness that is left under compression, the
 * mass by the length of the ray in it. The oblique view looks along the diagonal of lateral and
 * upwards and shows the pectoral muscle. Uptake of contrast follows
 *   e(t) = amplitude * (1 - exp(-t / rise)) * exp(-washout * t),
 * the shape of the empirical models of breast kinetics (Fan et al., Magn Reson Med 2004). */
#include "data/phantom_breast.h"

#include <math.h>

#include "base/memory.h"

enum { STREAM_BODY, STREAM_MASS, STREAM_TEXTURE };
#define STREAMS_PER_PATIENT 4096
#define STREAM_BREAST       2048 /* beside those of head and chest */
#define CENTRE_X_MM         78.0 /* of a breast from the middle of the body */

typedef struct mass {
    nod_vec at; /* depth from the chest wall, lateral, up; mm */
    double radius, change, amplitude, rise_s, washout_hz, phase;
} mass;

struct nod_breast {
    nod_breast_options o;
    char side;
    double depth, half_across, half_up; /* mm */
    double density, asymmetry, muscle;
    double fat, gland, tissue; /* signals */
    mass mass;
    nod_texture texture;
};

static nod_rng stream(uint64_t seed, int64_t i_patient, uint64_t k)
{
    return nod_rng_make(seed, NOD_RNG_SYNTH,
                        (uint64_t)i_patient * STREAMS_PER_PATIENT + STREAM_BREAST + k);
}

static void draw_body(nod_breast *b, nod_rng *r)
{
    b->side = nod_rng_uniform(r) < 0.5 ? 'L' : 'R';
    b->depth = nod_rng_range(r, 70, 125);
    b->half_across = nod_rng_range(r, 62, 82);
    b->half_up = nod_rng_range(r, 62, 88);
    b->density = nod_rng_range(r, 0.15, 0.55);
    b->asymmetry = exp(0.06 * nod_rng_normal(r));
    b->muscle = nod_rng_range(r, 35, 60);
    b->fat = nod_rng_range(r, 0.10, 0.18);
    b->gland = nod_rng_range(r, 0.30, 0.42);
    b->tissue = nod_rng_range(r, 0.26, 0.34);
}

static void draw_mass(nod_breast *b, nod_rng *r)
{
    mass *m = &b->mass;
    double at = cbrt(nod_rng_uniform(r));
    nod_vec d = nod_vec_draw(r);
    m->at = (nod_vec){b->depth * (0.42 + 0.22 * at * d.x), 0.45 * b->half_across * at * d.y,
                      0.45 * b->half_up * at * d.z};
    m->radius = nod_rng_range(r, 6, 14);
    m->change = b->o.contrast * nod_rng_range(r, 0.14, 0.3);
    m->amplitude = b->o.contrast * nod_rng_range(r, 0.9, 1.5);
    m->phase = nod_rng_range(r, 0, 6.283185307179586);
    double fast = nod_rng_range(r, 20, 40), slow = nod_rng_range(r, 90, 180);
    m->rise_s = b->o.washes_out ? fast : slow;
    m->washout_hz = b->o.washes_out ? nod_rng_range(r, 0.0012, 0.0025) : 0;
}

int nod_breast_new(uint64_t seed, int64_t i_patient, const nod_breast_options *options,
                   nod_breast **out, nod_error *err)
{
    nod_breast *b = nod_calloc(1, sizeof *b);
    if (b == NULL) return nod_fail_memory(err, "a phantom", sizeof *b);
    nod_rng body = stream(seed, i_patient, STREAM_BODY);
    nod_rng at_mass = stream(seed, i_patient, STREAM_MASS);
    nod_rng texture = stream(seed, i_patient, STREAM_TEXTURE);
    b->o = *options;
    draw_body(b, &body);
    draw_mass(b, &at_mass);
    int rc = nod_texture_init(&b->texture, &texture, err);
    if (rc != 0) {
        nod_free(b);
        return rc;
    }
    *out = b;
    return 0;
}

void nod_breast_free(nod_breast *b)
{
    if (b == NULL) return;
    nod_texture_done(&b->texture);
    nod_free(b);
}

char nod_breast_side(const nod_breast *b)
{
    return b->side;
}

/* How far inside the border a place d from the mass's centre is, in mm. */
static double in_mass(const mass *m, nod_vec d)
{
    double r = nod_vec_length(d);
    double border = m->radius * (1 + 0.10 * cos(3 * atan2(d.z, d.y) + m->phase) +
                                 0.07 * cos(5 * atan2(d.y, d.x + 1e-9) - m->phase));
    return border - r;
}

/* --- mammography -------------------------------------------------------------------------- */

double nod_breast_attenuation(const nod_breast *b, char side, bool is_mlo, double depth_mm,
                              double along_mm)
{
    double half = is_mlo ? 1.18 * b->half_up : b->half_across;
    double depth = b->depth * (side == 'L' ? b->asymmetry : 1);
    double sag = is_mlo ? 12 : 0; /* the nipple points a little downwards */
    double qd = depth_mm / depth, qa = (along_mm - sag * NOD_MAX(qd, 0)) / half;
    double rim = 1 - sqrt(qd * qd + qa * qa);
    double v = 0;
    if (rim > -0.1 && depth_mm >= 0) {
        double thick = nod_soft_inside(rim, 0.03) * NOD_MIN(1, 0.35 + 3.5 * NOD_MAX(rim, 0));
        nod_vec u = {qd * 1.6 - 0.8, qa, (side == 'L' ? 0.5 : -0.5) + (is_mlo ? 0.25 : -0.25)};
        double t = nod_texture_at(&b->texture, u);
        double cone = nod_soft_inside(0.78 - fabs(qa) * 1.5 + 0.25 * qd, 0.7) *
                      nod_soft_inside(0.92 - qd, 0.35) * nod_soft_inside(qd - 0.02, 0.2);
        double gland = cone * NOD_MAX(0, b->density + 0.55 * t);
        v = thick * (0.42 + 0.4 * gland + 0.015 * t);
        v += 0.05 * nod_soft_inside(0.018 - fabs(rim - 0.018), 0.02); /* skin */
    }
    if (is_mlo && depth_mm >= 0) { /* down to the level of the nipple at most */
        double edge = b->muscle * (0.15 - (along_mm + 20) / 110);
        v += 0.28 * nod_soft_inside(edge - depth_mm, 4) * nod_soft_inside(40 - along_mm, 30);
    }
    if (b->o.has_mass && side == b->side) {
        const mass *m = &b->mass;
        double along = is_mlo ? -0.7071 * m->at.z + 0.7071 * m->at.y : -m->at.y;
        nod_vec d = {depth_mm - m->at.x, along_mm - along, 0};
        double in = in_mass(m, d) / m->radius;
        if (in > 0) v += m->change * sqrt(in * (2 - NOD_MIN(in, 1)));
    }
    return v;
}

/* --- magnetic resonance ------------------------------------------------------------------- */

/* Where the mass is in LPS from the middle of the chest wall, and a place seen from there. */
static nod_vec from_mass(const nod_breast *b, nod_vec at)
{
    double sign = b->side == 'L' ? 1 : -1;
    const mass *m = &b->mass;
    return (nod_vec){at.x - sign * (CENTRE_X_MM + m->at.y), at.y + m->at.x, at.z - m->at.z};
}

bool nod_breast_is_mass(const nod_breast *b, nod_vec at)
{
    return b->o.has_mass && in_mass(&b->mass, from_mass(b, at)) > 0;
}

/* Signal before contrast, and how much of it the agent adds at its highest. */
static double in_breast(const nod_breast *b, nod_vec at, double w, double *uptake)
{
    double across = (fabs(at.x) - CENTRE_X_MM) / b->half_across, up = at.z / b->half_up;
    double front = -at.y / b->depth;
    double rim = 1 - sqrt(across * across + up * up + front * front);
    double in = nod_soft_inside(rim * b->half_across, w + 1);
    nod_vec u = {across, 2 * front - 1, at.x > 0 ? 0.5 * up + 0.5 : 0.5 * up - 0.5};
    double t = nod_texture_at(&b->texture, u);
    double gland =
        nod_soft_inside(rim - 0.12, 0.25) * NOD_MIN(1, NOD_MAX(0, b->density + 0.8 * t));
    double skin = nod_soft_inside(1.5 - fabs(rim * b->half_across - 1.5), w + 1);
    *uptake = in * 0.12 * gland;
    return in * (nod_mix(b->fat, b->gland, gland) + 0.15 * skin);
}

/* The body behind the chest wall: muscle, lungs, and the heart, which fills with contrast. */
static double in_body(const nod_breast *b, nod_vec at, double w, double *uptake)
{
    double across = at.x / 165, back = (at.y - 105) / 110;
    double in = nod_soft_inside((1 - sqrt(across * across + back * back)) * 110, w + 2);
    double lx = (fabs(at.x) - 72) / 52, ly = (at.y - 95) / 72;
    double lung = nod_soft_inside((1 - sqrt(lx * lx + ly * ly)) * 52, w + 2);
    double hx = (at.x - 22) / 48, hy = (at.y - 62) / 38, hz = (at.z + 20) / 55;
    double heart = nod_soft_inside((1 - sqrt(hx * hx + hy * hy + hz * hz)) * 40, w + 2);
    *uptake = in * nod_mix(0.05 * (1 - lung), 0.6, heart);
    return in * nod_mix(nod_mix(b->tissue, 0.03, lung), b->tissue + 0.05, heart);
}

double nod_breast_signal(const nod_breast *b, nod_vec at, double width_mm, double time_s)
{
    double more = 0, behind = nod_soft_inside(at.y, width_mm + 1), v;
    double body_more = 0, breast_more = 0;
    v = nod_mix(at.y < 2 + width_mm ? in_breast(b, at, width_mm, &breast_more) : 0,
                at.y > -2 - width_mm ? in_body(b, at, width_mm, &body_more) : 0, behind);
    double t = NOD_MAX(time_s, 0);
    more = nod_mix(breast_more * (1 - exp(-t / 150)), body_more * (1 - exp(-t / 15)), behind);
    nod_vec d = from_mass(b, at);
    if (b->o.has_mass && nod_vec_length(d) < 2 * b->mass.radius) {
        const mass *m = &b->mass;
        double in = nod_soft_inside(in_mass(m, d), width_mm + 1);
        double e = m->amplitude * (1 - exp(-t / m->rise_s)) * exp(-m->washout_hz * t);
        v = nod_mix(v, 0.95 * b->gland, in);
        more = nod_mix(more, 0.95 * b->gland * e, in);
    }
    return v + more;
}
