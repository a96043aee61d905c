/* phantom_tissue.h: what all phantoms are drawn with: points, soft edges, smooth texture. */
#ifndef NOD_DATA_PHANTOM_TISSUE_H
#define NOD_DATA_PHANTOM_TISSUE_H

#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"

typedef struct nod_vec {
    double x, y, z;
} nod_vec;

double nod_vec_length(nod_vec v);
nod_vec nod_vec_minus(nod_vec a, nod_vec b);
/* A direction, evenly over the sphere. */
nod_vec nod_vec_draw(nod_rng *r);

/* 1 inside (d > 0), 0 outside, a smooth step of width w between: partial volume. */
double nod_soft_inside(double d, double w);
/* a where t is 0, b where it is 1. */
double nod_mix(double a, double b, double t);

/* --- texture: three octaves of value noise over the cube [-1,1]^3 -------------------------- */

#define NOD_TEXTURE_OCTAVES 3

typedef struct nod_texture {
    float *lattice[NOD_TEXTURE_OCTAVES]; /* owned; [side+1]^3 standard normal numbers */
} nod_texture;

int nod_texture_init(nod_texture *t, nod_rng *r, nod_error *err) NOD_MUST_CHECK;
void nod_texture_done(nod_texture *t);
/* About standard normal, divided by two; outside the cube: the value at its edge. */
double nod_texture_at(const nod_texture *t, nod_vec u);

#endif
