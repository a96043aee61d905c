/* geometry.c: grids of voxels in LPS millimetres. */
#include "imaging/geometry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "imaging/vec3.h"

/* Below this a triple product of unit vectors spans no volume that could be inverted. */
#define FLAT 1e-6

static const char letters[3][2] = {{'R', 'L'}, {'A', 'P'}, {'I', 'S'}}; /* down, up in LPS */

nod_geometry nod_geometry_unknown(int64_t width, int64_t height, int64_t depth)
{
    return (nod_geometry){.space = NOD_SPACE_NONE,
                          .size = {width, height, depth},
                          .spacing_mm = {1, 1, 1},
                          .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

/* --- index and world -------------------------------------------------------------------------- */

void nod_geometry_world(const nod_geometry *g, const double index[3], double world_mm[3])
{
    for (int r = 0; r < 3; r++) {
        world_mm[r] = g->origin_mm[r];
        for (int a = 0; a < 3; a++)
            world_mm[r] += index[a] * g->spacing_mm[a] * g->direction[a][r];
    }
}

/* Cramer's rule: also for axes that are not at right angles. */
void nod_geometry_index(const nod_geometry *g, const double world_mm[3], double index[3])
{
    double from[3], normal[3];
    for (int r = 0; r < 3; r++)
        from[r] = world_mm[r] - g->origin_mm[r];
    for (int a = 0; a < 3; a++) {
        nod_vec3_cross(g->direction[(a + 1) % 3], g->direction[(a + 2) % 3], normal);
        double volume = nod_vec3_dot(g->direction[a], normal);
        NOD_ASSERT(fabs(volume) > FLAT / 2);
        index[a] = nod_vec3_dot(from, normal) / (volume * g->spacing_mm[a]);
    }
}

void nod_geometry_to_affine(const nod_geometry *g, nod_world world, double out[4][4])
{
    for (int r = 0; r < 3; r++) {
        double sign = world == NOD_WORLD_RAS && r < 2 ? -1 : 1;
        for (int a = 0; a < 3; a++)
            out[r][a] = sign * g->direction[a][r] * g->spacing_mm[a];
        out[r][3] = sign * g->origin_mm[r];
    }
    out[3][0] = out[3][1] = out[3][2] = 0;
    out[3][3] = 1;
}

int nod_geometry_from_affine(const double affine[4][4], nod_world world, const int64_t size[3],
                             const char *name, nod_geometry *out, nod_error *err)
{
    nod_geometry g = {.space = NOD_SPACE_PATIENT, .size = {size[0], size[1], size[2]}};
    double normal[3];
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++) {
            double v = world == NOD_WORLD_RAS && r < 2 ? -affine[r][c] : affine[r][c];
            if (!isfinite(v))
                return nod_fail(err, NOD_EDATA, "%s: entry %d, %d of the affine is not finite",
                                name, r, c);
            *(c == 3 ? &g.origin_mm[r] : &g.direction[c][r]) = v;
        }
    for (int a = 0; a < 3; a++) {
        double length = sqrt(nod_vec3_dot(g.direction[a], g.direction[a]));
        if (!(length > 0) || !isfinite(length) || !isfinite(1 / length))
            return nod_fail(err, NOD_EDATA, "%s: the spacing along %c is %g mm", name, 'i' + a,
                            length);
        g.spacing_mm[a] = length;
        for (int r = 0; r < 3; r++)
            g.direction[a][r] /= length;
    }
    nod_vec3_cross(g.direction[1], g.direction[2], normal);
    if (!(fabs(nod_vec3_dot(g.direction[0], normal)) > FLAT))
        return nod_fail(err, NOD_EDATA, "%s: the three axes of the affine lie in one plane",
                        name);
    *out = g;
    return 0;
}

/* --- orientation ------------------------------------------------------------------------------ */

/* world[a]: the patient axis of grid axis a, by the largest sum of cosines; the first of equals. */
static void assign_axes(const nod_geometry *g, int world[3])
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    double best = -1;
    for (int o = 0; o < 6; o++) {
        double sum = 0;
        for (int a = 0; a < 3; a++)
            sum += fabs(g->direction[a][orders[o][a]]);
        if (sum <= best + 1e-9) continue;
        best = sum;
        memcpy(world, orders[o], sizeof orders[o]);
    }
}

void nod_geometry_codes(const nod_geometry *g, char out[4])
{
    int world[3];
    assign_axes(g, world);
    for (int a = 0; a < 3; a++)
        out[a] = letters[world[a]][g->direction[a][world[a]] > 0];
    out[3] = 0;
}

bool nod_orientation_is_valid(const char *codes)
{
    int seen = 0;
    if (strlen(codes) != 3) return false;
    for (int a = 0; a < 3; a++)
        for (int w = 0; w < 3; w++)
            if (codes[a] == letters[w][0] || codes[a] == letters[w][1]) seen |= 1 << w;
    return seen == 7;
}

double nod_geometry_obliquity_deg(const nod_geometry *g)
{
    int world[3];
    double cosine = 1;
    assign_axes(g, world);
    for (int a = 0; a < 3; a++)
        cosine = fmin(cosine, fabs(g->direction[a][world[a]]));
    return acos(fmin(cosine, 1)) * 180 / acos(-1);
}

double nod_geometry_shear(const nod_geometry *g)
{
    double largest = 0;
    for (int a = 0; a < 3; a++)
        largest = fmax(largest, fabs(nod_vec3_dot(g->direction[a], g->direction[(a + 1) % 3])));
    return largest;
}

bool nod_geometry_is_sheared(const nod_geometry *g)
{
    return nod_geometry_shear(g) > NOD_GEOMETRY_SHEAR_MAX;
}

/* --- agreement -------------------------------------------------------------------------------- */

void nod_geometry_corners(const nod_geometry *g, double out_mm[8][3])
{
    for (int n = 0; n < 8; n++) {
        double index[3];
        for (int a = 0; a < 3; a++)
            index[a] = n >> a & 1 ? (double)g->size[a] - 0.5 : -0.5;
        nod_geometry_world(g, index, out_mm[n]);
    }
}

double nod_geometry_distance_mm(const nod_geometry *a, const nod_geometry *b)
{
    double at[8][3], bt[8][3], largest = 0;
    nod_geometry_corners(a, at);
    nod_geometry_corners(b, bt);
    for (int n = 0; n < 8; n++) {
        const double d[3] = {at[n][0] - bt[n][0], at[n][1] - bt[n][1], at[n][2] - bt[n][2]};
        largest = fmax(largest, sqrt(nod_vec3_dot(d, d)));
    }
    return largest;
}

/* Where only the spacing is common knowledge, the grids are laid upon each other. */
static nod_geometry placeless(const nod_geometry *g)
{
    nod_geometry p = nod_geometry_unknown(g->size[0], g->size[1], g->size[2]);
    memcpy(p.spacing_mm, g->spacing_mm, sizeof p.spacing_mm);
    return p;
}

int nod_geometry_agree(const nod_geometry *a, const char *name_a, const nod_geometry *b,
                       const char *name_b, nod_error *err)
{
    char text_a[NOD_GEOMETRY_TEXT], text_b[NOD_GEOMETRY_TEXT], why[96];
    nod_space common = NOD_MIN(a->space, b->space);
    if (memcmp(a->size, b->size, sizeof a->size) != 0) {
        snprintf(why, sizeof why, "their sizes differ");
    } else if (common == NOD_SPACE_NONE) {
        return 0;
    } else {
        nod_geometry pa = placeless(a), pb = placeless(b);
        bool placed = common == NOD_SPACE_PATIENT;
        double smallest = HUGE_VAL;
        for (int i = 0; i < 3; i++)
            smallest = fmin(smallest, fmin(a->spacing_mm[i], b->spacing_mm[i]));
        double apart = nod_geometry_distance_mm(placed ? a : &pa, placed ? b : &pb);
        if (apart <= NOD_GEOMETRY_AGREE * smallest) return 0;
        snprintf(why, sizeof why, "their corners are up to %.4g mm apart, allowed are %.4g mm",
                 apart, NOD_GEOMETRY_AGREE * smallest);
    }
    return nod_fail(err, NOD_EDATA, "%s and %s are not on one grid: %s; %s: %s; %s: %s", name_a,
                    name_b, why, name_a, nod_geometry_text(a, text_a), name_b,
                    nod_geometry_text(b, text_b));
}

const char *nod_geometry_text(const nod_geometry *g, char out[NOD_GEOMETRY_TEXT])
{
    char codes[4];
    int n = snprintf(out, NOD_GEOMETRY_TEXT, "%lldx%lldx%lld voxels", (long long)g->size[0],
                     (long long)g->size[1], (long long)g->size[2]);
    size_t at = (size_t)n, left = NOD_GEOMETRY_TEXT - at;
    if (g->space == NOD_SPACE_NONE) {
        snprintf(out + at, left, " of unknown spacing");
        return out;
    }
    n = snprintf(out + at, left, " of %.6gx%.6gx%.6g mm", g->spacing_mm[0], g->spacing_mm[1],
                 g->spacing_mm[2]);
    at += (size_t)n;
    left -= (size_t)n;
    if (g->space != NOD_SPACE_PATIENT) return out;
    nod_geometry_codes(g, codes);
    n = snprintf(out + at, left, ", %s, origin (%.6g, %.6g, %.6g)", codes, g->origin_mm[0],
                 g->origin_mm[1], g->origin_mm[2]);
    at += (size_t)n;
    left -= (size_t)n;
    double angle = nod_geometry_obliquity_deg(g);
    if (angle > 0.01) n = snprintf(out + at, left, ", oblique by %.3g degrees", angle);
    if (angle > 0.01) at += (size_t)n;
    left = NOD_GEOMETRY_TEXT - at;
    if (nod_geometry_is_sheared(g)) snprintf(out + at, left, ", sheared");
    return out;
}
