/* phantom_chest.c: the chest as a sum of attenuations on the detector's plane: the body's outline,
 * less the two lungs above their domes of diaphragm, plus heart, spine, ribs from behind and from
 * the front, clavicles, vessels that branch from the hilum, and the nodule: the projection of a
 * ball, somewhere in the lungs, often behind a rib. Harmless rounded shadows (vessels end on, in
 * both classes) are smaller than nodules. */
#include "data/phantom_chest.h"

#include <math.h>

#include "base/memory.h"

#define N_RIBS    9
#define N_SHADOWS 5
enum { STREAM_BODY, STREAM_NODULE, STREAM_TEXTURE };
#define STREAMS_PER_PATIENT 4096
#define STREAM_CHEST        1024 /* beside those of the head */

typedef struct ball {
    double x, y, radius, change; /* mm; attenuation through its centre */
} ball;

struct nod_chest {
    double half_width, lung_x, lung_half_x, lung_top, lung_half_y;
    double dome[2]; /* y of the diaphragm, patient's right and left */
    double heart_x, heart_y, heart_half_x, heart_half_y;
    double rib_y, rib_step, rib_drop, turn;
    double soft, bone, vessel;
    ball shadow[N_SHADOWS], nodule;
    bool has_nodule;
    nod_texture texture;
};

static nod_rng stream(uint64_t seed, int64_t i_patient, uint64_t k)
{
    return nod_rng_make(seed, NOD_RNG_SYNTH,
                        (uint64_t)i_patient * STREAMS_PER_PATIENT + STREAM_CHEST + k);
}

static void draw_body(nod_chest *c, nod_rng *r)
{
    c->half_width = nod_rng_range(r, 150, 172);
    c->lung_x = nod_rng_range(r, 68, 78);
    c->lung_half_x = nod_rng_range(r, 54, 64);
    c->lung_top = nod_rng_range(r, -135, -118);
    c->lung_half_y = nod_rng_range(r, 125, 145);
    c->dome[0] = nod_rng_range(r, 70, 95);
    c->dome[1] = c->dome[0] + nod_rng_range(r, 5, 15); /* the left one is lower */
    c->heart_x = nod_rng_range(r, 18, 32);
    c->heart_y = c->dome[0] - nod_rng_range(r, 25, 40);
    c->heart_half_x = nod_rng_range(r, 50, 68);
    c->heart_half_y = nod_rng_range(r, 52, 66);
    c->rib_y = c->lung_top + nod_rng_range(r, 2, 12);
    c->rib_step = nod_rng_range(r, 23, 27);
    c->rib_drop = nod_rng_range(r, 30, 50);
    c->turn = 0.03 * nod_rng_normal(r);
    c->soft = nod_rng_range(r, 0.55, 0.7);
    c->bone = nod_rng_range(r, 0.07, 0.12);
    c->vessel = nod_rng_range(r, 0.04, 0.07);
}

/* A place in one of the lungs, away from their borders. */
static ball draw_ball(const nod_chest *c, nod_rng *r)
{
    int side = nod_rng_uniform(r) < 0.5 ? -1 : 1;
    double angle = nod_rng_range(r, 0, 6.283185307179586), at = sqrt(nod_rng_uniform(r));
    double middle = 0.5 * (c->lung_top + c->dome[side > 0]);
    double half_y = 0.5 * (c->dome[side > 0] - c->lung_top);
    return (ball){.x = side * (c->lung_x + 0.62 * c->lung_half_x * at * cos(angle)),
                  .y = middle + 0.7 * half_y * at * sin(angle)};
}

static void draw_balls(nod_chest *c, nod_rng *body, nod_rng *nodule, double contrast)
{
    for (int k = 0; k < N_SHADOWS; k++) {
        c->shadow[k] = draw_ball(c, body);
        c->shadow[k].radius = nod_rng_range(body, 2, 4.5);
        c->shadow[k].change = nod_rng_range(body, 0.03, 0.09);
    }
    c->nodule = draw_ball(c, nodule);
    c->nodule.radius = nod_rng_range(nodule, 9, 20);
    c->nodule.change = contrast * nod_rng_range(nodule, 0.10, 0.22);
}

int nod_chest_new(uint64_t seed, int64_t i_patient, bool has_nodule, double contrast,
                  nod_chest **out, nod_error *err)
{
    nod_chest *c = nod_calloc(1, sizeof *c);
    if (c == NULL) return nod_fail_memory(err, "a phantom", sizeof *c);
    nod_rng body = stream(seed, i_patient, STREAM_BODY);
    nod_rng nodule = stream(seed, i_patient, STREAM_NODULE);
    nod_rng texture = stream(seed, i_patient, STREAM_TEXTURE);
    draw_body(c, &body);
    draw_balls(c, &body, &nodule, contrast);
    c->has_nodule = has_nodule;
    int rc = nod_texture_init(&c->texture, &texture, err);
    if (rc != 0) {
        nod_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

void nod_chest_free(nod_chest *c)
{
    if (c == NULL) return;
    nod_texture_done(&c->texture);
    nod_free(c);
}

/* --- attenuation at a point --------------------------------------------------------------- */

/* How much lung the ray passes, 0 to 1. */
static double lung(const nod_chest *c, double x, double y)
{
    int left = x > 0;
    double side = fabs(x), qx = (side - c->lung_x) / c->lung_half_x;
    double qy = (y - c->lung_top - c->lung_half_y) / c->lung_half_y;
    double rim = 1 - pow(fabs(qx), 2.5) - pow(fabs(qy), 2.5);
    double across = (side - c->lung_x + 8) / (c->lung_half_x + 10);
    double floor_y = c->dome[left] + 34 * across * across;
    double depth = nod_soft_inside(rim, 0.22) * nod_soft_inside(floor_y - y, 3);
    return depth * (0.75 + 0.25 * sqrt(NOD_MAX(rim, 0)));
}

/* A band of half width h about 0, brighter at its borders, as a tube's cortex is. */
static double tube(double d, double h)
{
    double in = nod_soft_inside(h - fabs(d), 1.5);
    return in * (0.7 + 0.5 * (d / h) * (d / h));
}

static double ribs(const nod_chest *c, double x, double y)
{
    double side = fabs(x), across = (side - 14) / (c->half_width - 24), v = 0;
    if (across < 0 || across > 1) return 0;
    for (int k = 0; k < N_RIBS; k++) {
        double root = c->rib_y + k * c->rib_step;
        double behind =
            root - 14 * sin(3.14159 * across) + 0.55 * c->rib_drop * across * across;
        double front = root + c->rib_drop * (1.9 - across * across);
        v += tube(y - behind, 5);
        if (across > 0.25) v += 0.6 * tube(y - front, 6);
    }
    return c->bone * v;
}

static double bones(const nod_chest *c, double x, double y)
{
    double vertebra = 0.85 + 0.15 * cos(6.283185307179586 * y / 26);
    double spine = 2.2 * vertebra * nod_soft_inside(17 - fabs(x), 4);
    double side = fabs(x), root = c->lung_top + 14;
    double collar = side > 14 && side < 140 ? tube(y - root + 0.26 * side, 6) : 0;
    return ribs(c, x, y) + c->bone * (spine + collar);
}

/* What a ball adds: the length of the ray inside it. */
static double in_ball(const ball *b, double x, double y)
{
    double q = ((x - b->x) * (x - b->x) + (y - b->y) * (y - b->y)) / (b->radius * b->radius);
    return q < 1 ? b->change * sqrt(1 - q) : 0;
}

double nod_chest_attenuation(const nod_chest *c, double x_mm, double y_mm)
{
    double x = x_mm + c->turn * y_mm, y = y_mm - c->turn * x_mm;
    double across = x / c->half_width;
    if (fabs(across) >= 1) return 0;
    double air = lung(c, x, y);
    double hx = (x - c->heart_x) / c->heart_half_x, hy = (y - c->heart_y) / c->heart_half_y;
    double heart = nod_soft_inside(1 - sqrt(hx * hx + hy * hy), 0.12);
    double mediastinum = nod_soft_inside(24 + 0.05 * fabs(y) - fabs(x), 10);
    double soft = c->soft * sqrt(1 - across * across * across * across);
    double v = soft * (1 - 0.68 * air * (1 - NOD_MAX(heart, mediastinum)));
    v += 0.12 * NOD_MAX(heart, mediastinum);
    nod_vec u = {x / 180, y / 180, x > 0 ? 0.5 : -0.5};
    double grain = nod_texture_at(&c->texture, u);
    double hilum = exp(-(pow(fabs(x) - 32, 2) + pow(y + 8, 2)) / (2 * 42 * 42));
    v += air * c->vessel * (0.35 + 1.3 * hilum) * grain + 0.01 * grain;
    v += bones(c, x, y);
    for (int k = 0; k < N_SHADOWS; k++)
        v += air * in_ball(&c->shadow[k], x, y);
    if (c->has_nodule) v += in_ball(&c->nodule, x, y);
    return NOD_MAX(v, 0);
}
