/* reorient.c: permuting and flipping axes; see reorient.h.
 *
 * The result is written row by row; its rows are taken in small tiles, so that a source whose
 * fastest axis becomes another one is still read by whole cache lines. */
#include "imaging/reorient.h"

#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define TILE 32

int nod_turn_find(const nod_geometry *g, const char *codes, nod_turn *out, nod_error *err)
{
    static const char pairs[] = "LRPASI"; /* the other side is at index ^ 1 */
    char have[4];
    nod_turn t = {0};
    if (!nod_orientation_is_valid(codes))
        return nod_fail(err, NOD_EINVAL,
                        "'%.8s' is not an orientation; take one of L R, P A, S I for each of "
                        "the three axes, e.g. LPS",
                        codes);
    if (g->space != NOD_SPACE_PATIENT)
        return nod_fail(err, NOD_EDATA,
                        "cannot be turned to %s: its place in the patient is not known", codes);
    nod_geometry_codes(g, have);
    for (int a = 0; a < 3; a++) {
        int to = (int)(strchr(pairs, codes[a]) - pairs);
        for (int b = 0; b < 3; b++) {
            int is = (int)(strchr(pairs, have[b]) - pairs);
            if (to >> 1 != is >> 1) continue;
            t.from[a] = b;
            t.flip[a] = to != is;
        }
    }
    *out = t;
    return 0;
}

bool nod_turn_is_identity(const nod_turn *t)
{
    for (int a = 0; a < 3; a++)
        if (t->from[a] != a || t->flip[a]) return false;
    return true;
}

nod_turn nod_turn_inverse(const nod_turn *t)
{
    nod_turn back = {0};
    for (int a = 0; a < 3; a++) {
        back.from[t->from[a]] = a;
        back.flip[t->from[a]] = t->flip[a];
    }
    return back;
}

nod_geometry nod_turn_geometry(const nod_turn *t, const nod_geometry *g)
{
    nod_geometry to = *g;
    double first[3] = {0}; /* source index of the result's voxel 0,0,0 */
    for (int a = 0; a < 3; a++) {
        int b = t->from[a];
        to.size[a] = g->size[b];
        to.spacing_mm[a] = g->spacing_mm[b];
        for (int r = 0; r < 3; r++)
            to.direction[a][r] = t->flip[a] ? -g->direction[b][r] : g->direction[b][r];
        if (t->flip[a]) first[b] = (double)(g->size[b] - 1);
    }
    nod_geometry_world(g, first, to.origin_mm);
    return to;
}

/* --- voxels ----------------------------------------------------------------------------------- */

typedef struct turning {
    const char *src;
    char *dst;
    int64_t size[3],
        step[3];   /* of the result along i,j,k; source voxels for one step along each */
    int64_t first; /* source voxel of the result's first */
    int64_t frame; /* voxels */
    size_t voxel;  /* bytes */
} turning;

/* Voxels x0..x1 of one row. */
static void copy_row(const turning *t, const char *from, char *to, int64_t x0, int64_t x1)
{
    int64_t step = t->step[0];
    size_t n = t->voxel;
    if (step == 1)
        memcpy(to + (size_t)x0 * n, from + (size_t)x0 * n, (size_t)(x1 - x0) * n);
    else if (n == 1)
        for (int64_t x = x0; x < x1; x++)
            to[x] = from[x * step];
    else if (n == 2)
        for (int64_t x = x0; x < x1; x++)
            memcpy(to + x * 2, from + x * step * 2, 2);
    else if (n == 4)
        for (int64_t x = x0; x < x1; x++)
            memcpy(to + x * 4, from + x * step * 4, 4);
    else
        for (int64_t x = x0; x < x1; x++)
            memcpy(to + (size_t)x * n, from + x * step * (int64_t)n, n);
}

/* Plane i of all planes of all frames. */
static void turn_plane(void *ctx, int64_t i)
{
    const turning *t = ctx;
    int64_t k = i % t->size[2], f = i / t->size[2], bytes = (int64_t)t->voxel;
    const char *from = t->src + (f * t->frame + t->first + k * t->step[2]) * bytes;
    char *to = t->dst + i * t->size[1] * t->size[0] * bytes;
    for (int64_t y0 = 0; y0 < t->size[1]; y0 += TILE)
        for (int64_t x0 = 0; x0 < t->size[0]; x0 += TILE)
            for (int64_t y = y0; y < NOD_MIN(y0 + TILE, t->size[1]); y++)
                copy_row(t, from + y * t->step[1] * bytes, to + y * t->size[0] * bytes, x0,
                         NOD_MIN(x0 + TILE, t->size[0]));
}

/* Bits lie across the cuts between planes, so this goes through them in order. */
static int turn_padding(const turning *t, const nod_image *im, nod_image *out, nod_error *err)
{
    int64_t n = 0;
    if (!im->padding) return 0;
    for (int64_t f = 0; f < im->frames; f++)
        for (int64_t k = 0; k < t->size[2]; k++)
            for (int64_t j = 0; j < t->size[1]; j++)
                for (int64_t i = 0; i < t->size[0]; i++, n++) {
                    int64_t from = f * t->frame + t->first + k * t->step[2] + j * t->step[1] +
                                   i * t->step[0];
                    int rc =
                        nod_image_is_padding(im, from) ? nod_image_set_padding(out, n, err) : 0;
                    if (rc) return rc;
                }
    return 0;
}

int nod_turn_image(const nod_turn *t, const nod_image *im, nod_image *out, nod_error *err)
{
    nod_image to = {0};
    nod_geometry g = nod_turn_geometry(t, &im->geometry);
    const int64_t stride[3] = {1, im->width, im->width * im->height};
    turning job = {.frame = im->width * im->height * im->depth};
    int rc = nod_image_init_frames(&to, im->frames, g.size[2], g.size[1], g.size[0],
                                   im->channels, im->sample, err);
    if (rc) return rc;
    to.geometry = g;
    to.facts = im->facts;
    for (int a = 0; a < 3; a++) {
        int b = t->from[a];
        job.size[a] = g.size[a];
        job.step[a] = t->flip[a] ? -stride[b] : stride[b];
        if (t->flip[a]) job.first += (im->geometry.size[b] - 1) * stride[b];
    }
    job.src = im->data;
    job.dst = to.data;
    job.voxel = nod_image_bytes(im) / (size_t)nod_image_voxels(im);
    nod_parallel_for(im->frames * g.size[2], turn_plane, &job);
    rc = turn_padding(&job, im, &to, err);
    if (rc)
        nod_image_done(&to);
    else
        *out = to;
    return rc;
}

int nod_image_reorient(const nod_image *im, const char *codes, nod_image *out, nod_error *err)
{
    nod_turn t;
    int rc = nod_turn_find(&im->geometry, codes, &t, err);
    return rc ? rc : nod_turn_image(&t, im, out, err);
}
