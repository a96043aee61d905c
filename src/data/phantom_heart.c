/* phantom_heart.c: the left ventricle is half an ellipsoid of blood, open at the base, in a wall
 * whose volume stays when it contracts: wall thickens as the cavity shrinks. The right ventricle
 * lies around its right side. Both lie in a chest of fat, muscle, lungs and liver. A beat: the
 * cavity's radius falls by a raised cosine to the end of systole at 0.35 of the cycle, and comes
 * back until 0.75. */
#include "data/phantom_heart.h"

#include <math.h>

#include "base/memory.h"

enum { STREAM_BODY, STREAM_EJECTION, STREAM_TEXTURE };
#define STREAMS_PER_PATIENT 4096
#define STREAM_HEART        3072 /* beside those of head, chest and breast */
#define SYSTOLE             0.35
#define DIASTOLE            0.75
#define PI                  3.141592653589793
#define HEALTHY_MIDDLE      0.615
#define REDUCED_MIDDLE      0.275

struct nod_heart {
    nod_vec axis, across,
        down; /* unit vectors: base to apex; to the right ventricle; their third */
    double radius, wall, length; /* mm, at the end of diastole: cavity, wall, base to apex */
    double ejection, rate_bpm;
    double blood, muscle, fat, lung, liver;
    double chest_x, chest_y;
    nod_texture texture;
};

static nod_rng stream(uint64_t seed, int64_t i_patient, uint64_t k)
{
    return nod_rng_make(seed, NOD_RNG_SYNTH,
                        (uint64_t)i_patient * STREAMS_PER_PATIENT + STREAM_HEART + k);
}

static nod_vec unit(nod_vec v)
{
    double n = nod_vec_length(v);
    return (nod_vec){v.x / n, v.y / n, v.z / n};
}

static double dot(nod_vec a, nod_vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static void draw_body(nod_heart *h, nod_rng *r)
{
    h->axis = unit((nod_vec){0.62 + 0.08 * nod_rng_normal(r), -0.58 + 0.08 * nod_rng_normal(r),
                             -0.52 + 0.08 * nod_rng_normal(r)});
    nod_vec right = {-1, -0.25, 0};
    double along = dot(right, h->axis);
    h->across = unit((nod_vec){right.x - along * h->axis.x, right.y - along * h->axis.y,
                               right.z - along * h->axis.z});
    h->down = (nod_vec){h->axis.y * h->across.z - h->axis.z * h->across.y,
                        h->axis.z * h->across.x - h->axis.x * h->across.z,
                        h->axis.x * h->across.y - h->axis.y * h->across.x};
    h->radius = nod_rng_range(r, 22, 28);
    h->wall = nod_rng_range(r, 8, 11);
    h->length = nod_rng_range(r, 78, 95);
    h->rate_bpm = nod_rng_range(r, 55, 90);
    h->blood = nod_rng_range(r, 0.8, 1);
    h->muscle = nod_rng_range(r, 0.28, 0.38);
    h->fat = nod_rng_range(r, 0.55, 0.75);
    h->lung = nod_rng_range(r, 0.04, 0.08);
    h->liver = nod_rng_range(r, 0.35, 0.45);
    h->chest_x = nod_rng_range(r, 155, 180);
    h->chest_y = nod_rng_range(r, 105, 125);
}

int nod_heart_new(uint64_t seed, int64_t i_patient, bool is_reduced, double contrast,
                  nod_heart **out, nod_error *err)
{
    nod_heart *h = nod_calloc(1, sizeof *h);
    if (h == NULL) return nod_fail_memory(err, "a phantom", sizeof *h);
    nod_rng body = stream(seed, i_patient, STREAM_BODY);
    nod_rng ejection = stream(seed, i_patient, STREAM_EJECTION);
    nod_rng texture = stream(seed, i_patient, STREAM_TEXTURE);
    draw_body(h, &body);
    double u = nod_rng_range(&ejection, -1, 1), half = 0.5 * NOD_MIN(contrast, 1);
    double middle = 0.5 * (HEALTHY_MIDDLE + REDUCED_MIDDLE);
    double away = HEALTHY_MIDDLE - REDUCED_MIDDLE;
    h->ejection =
        middle + (is_reduced ? -half : half) * away + (is_reduced ? 0.075 : 0.065) * u;
    int rc = nod_texture_init(&h->texture, &texture, err);
    if (rc != 0) {
        nod_free(h);
        return rc;
    }
    *out = h;
    return 0;
}

void nod_heart_free(nod_heart *h)
{
    if (h == NULL) return;
    nod_texture_done(&h->texture);
    nod_free(h);
}

double nod_heart_rate_bpm(const nod_heart *h)
{
    return h->rate_bpm;
}

double nod_heart_ejection_fraction(const nod_heart *h)
{
    return h->ejection;
}

nod_vec nod_heart_axis(const nod_heart *h)
{
    return h->axis;
}

/* --- a beat ------------------------------------------------------------------------------- */

/* 0 at the end of diastole, 1 at the end of systole. */
static double contraction(double phase)
{
    double t = phase - floor(phase);
    if (t < SYSTOLE) return 0.5 - 0.5 * cos(PI * t / SYSTOLE);
    if (t < DIASTOLE) return 0.5 + 0.5 * cos(PI * (t - SYSTOLE) / (DIASTOLE - SYSTOLE));
    return 0;
}

/* Cavity and outer radius of the left ventricle at its widest. The length stays, so the volume goes
 * with the square of the radius. */
static void radii(const nod_heart *h, double phase, double *cavity, double *outer)
{
    double at_systole = sqrt(1 - h->ejection);
    *cavity = h->radius * nod_mix(1, at_systole, contraction(phase));
    double wall_area = (h->radius + h->wall) * (h->radius + h->wall) - h->radius * h->radius;
    *outer = sqrt(*cavity * *cavity + wall_area);
}

/* Place in the heart's axes: x towards the right ventricle, z from base (0) to apex (length). */
static nod_vec in_heart(const nod_heart *h, nod_vec at)
{
    return (nod_vec){dot(at, h->across), dot(at, h->down), dot(at, h->axis) + 0.5 * h->length};
}

/* How far inside half an ellipsoid of this radius and length, open at the base, in mm. */
static double in_half(nod_vec q, double radius, double length)
{
    double r = sqrt(q.x * q.x + q.y * q.y) / radius, s = NOD_MAX(q.z, 0) / length;
    double in = (1 - sqrt(r * r + s * s)) * radius;
    return q.z < 0 ? NOD_MIN(in, q.z) : in;
}

bool nod_heart_is_blood(const nod_heart *h, nod_vec at, double phase)
{
    double cavity, outer;
    radii(h, phase, &cavity, &outer);
    return in_half(in_heart(h, at), cavity, h->length - h->wall) > 0;
}

/* --- signal ------------------------------------------------------------------------------- */

static double in_chest(const nod_heart *h, nod_vec at, double w)
{
    double x = at.x + 45, y = at.y - 15; /* the heart lies left of and before the middle */
    double q = sqrt(x * x / (h->chest_x * h->chest_x) + y * y / (h->chest_y * h->chest_y));
    double in = (1 - q) * h->chest_y;
    double lx = (fabs(x) - 70) / 68, ly = (y - 5) / 85;
    double lung = nod_soft_inside((1 - sqrt(lx * lx + ly * ly)) * 60, w + 2);
    double liver = nod_soft_inside(-62 + 0.25 * x - at.z, w + 3);
    nod_vec u = {x / 180, y / 130, at.z / 120};
    double grain = nod_texture_at(&h->texture, u);
    double v = nod_mix(h->fat, h->muscle, nod_soft_inside(in - 14, w + 2));
    v = nod_mix(v, h->lung * (1 + 0.5 * grain), lung);
    v = nod_mix(v, h->liver * (1 + 0.1 * grain), liver * nod_soft_inside(in - 16, w + 2));
    return v * nod_soft_inside(in, w + 1);
}

double nod_heart_signal(const nod_heart *h, nod_vec at, double width_mm, double phase)
{
    double cavity, outer, w = width_mm + 0.5, beat = contraction(phase);
    nod_vec q = in_heart(h, at);
    radii(h, phase, &cavity, &outer);
    double v = in_chest(h, at, width_mm);
    nod_vec right = {q.x - 1.05 * (h->radius + h->wall), q.y + 4, q.z};
    double right_radius = (h->radius + 8) * (1 - 0.16 * beat);
    double sac = NOD_MAX(in_half(q, outer + 5, h->length + 5),
                         in_half(right, right_radius + 6, 0.85 * h->length));
    v = nod_mix(v, h->fat, nod_soft_inside(sac, w));
    v = nod_mix(v, h->muscle,
                nod_soft_inside(in_half(right, right_radius + 3, 0.82 * h->length), w));
    v = nod_mix(v, h->blood, nod_soft_inside(in_half(right, right_radius, 0.8 * h->length), w));
    v = nod_mix(v, h->muscle, nod_soft_inside(in_half(q, outer, h->length), w));
    v = nod_mix(v, h->blood, nod_soft_inside(in_half(q, cavity, h->length - h->wall), w));
    for (int side = -1; side <= 1; side += 2) { /* papillary muscles, on the cavity's wall */
        double px = 0.62 * cavity * side * 0.7, py = 0.62 * cavity * 0.7;
        double r = hypot(q.x - px, q.y - py), s = fabs(q.z - 0.5 * h->length) - 0.2 * h->length;
        v = nod_mix(v, h->muscle,
                    nod_soft_inside(0.14 * h->radius - r, w) * nod_soft_inside(-s, 6));
    }
    return v;
}
