/* phantom_tissue.c: soft edges and value noise: random numbers on a lattice, between which a smooth
 * step interpolates, in three sizes of cell. */
#include "data/phantom_tissue.h"

#include <math.h>

#include "base/memory.h"

static const int octave_side[NOD_TEXTURE_OCTAVES] = {6, 12, 24}; /* cells over [-1,1] */
static const double octave_weight[NOD_TEXTURE_OCTAVES] = {0.6, 0.5, 0.35};

double nod_vec_length(nod_vec v)
{
    return sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
}

nod_vec nod_vec_minus(nod_vec a, nod_vec b)
{
    return (nod_vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

nod_vec nod_vec_draw(nod_rng *r)
{
    for (;;) {
        nod_vec v = {nod_rng_range(r, -1, 1), nod_rng_range(r, -1, 1), nod_rng_range(r, -1, 1)};
        double n = nod_vec_length(v);
        if (n > 0.1 && n <= 1) return (nod_vec){v.x / n, v.y / n, v.z / n};
    }
}

double nod_soft_inside(double d, double w)
{
    double t = d / w + 0.5;
    if (t <= 0) return 0;
    if (t >= 1) return 1;
    return t * t * (3 - 2 * t);
}

double nod_mix(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* --- texture ------------------------------------------------------------------------------ */

int nod_texture_init(nod_texture *t, nod_rng *r, nod_error *err)
{
    *t = (nod_texture){{NULL}};
    for (int o = 0; o < NOD_TEXTURE_OCTAVES; o++) {
        size_t side = (size_t)octave_side[o] + 1, n = side * side * side;
        t->lattice[o] = nod_calloc(n, sizeof(float));
        if (t->lattice[o] == NULL) {
            nod_texture_done(t);
            return nod_fail_memory(err, "a phantom's texture", n * sizeof(float));
        }
        for (size_t i = 0; i < n; i++)
            t->lattice[o][i] = (float)nod_rng_normal(r);
    }
    return 0;
}

void nod_texture_done(nod_texture *t)
{
    for (int o = 0; o < NOD_TEXTURE_OCTAVES; o++)
        nod_free(t->lattice[o]);
    *t = (nod_texture){{NULL}};
}

static double octave(const nod_texture *t, int o, nod_vec u)
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
    const float *at = t->lattice[o] + ((size_t)i[2] * s + (size_t)i[1]) * s + (size_t)i[0];
    double v[2];
    for (int z = 0; z < 2; z++, at += s * s)
        v[z] = nod_mix(nod_mix(at[0], at[1], f[0]), nod_mix(at[s], at[s + 1], f[0]), f[1]);
    return nod_mix(v[0], v[1], f[2]);
}

double nod_texture_at(const nod_texture *t, nod_vec u)
{
    double v = 0;
    for (int o = 0; o < NOD_TEXTURE_OCTAVES; o++)
        v += octave_weight[o] * octave(t, o, u);
    return v;
}
