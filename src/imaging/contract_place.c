/* contract_place.c: everything of the contract that moves voxels, and its reverse. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/contract_internal.h"
#include "imaging/reorient.h"
#include "imaging/resample.h"

/* Sizes as D,H,W and as i,j,k. */
static void to_ijk(const int64_t dhw[3], int64_t ijk[3])
{
    for (int a = 0; a < 3; a++)
        ijk[a] = dhw[2 - a];
}

/* --- grids ------------------------------------------------------------------------------------ */

static void square_size(const nod_contract *k, const nod_geometry *g, int64_t ijk[3])
{
    int64_t side = NOD_MAX(g->size[0], g->size[1]);
    if (k->dims == 3) side = NOD_MAX(side, g->size[2]);
    ijk[0] = ijk[1] = side;
    ijk[2] = k->dims == 3 ? side : 1;
}

/* Voxels of the wanted spacing, `size` of them about the middle. */
static int crop_grid(const nod_contract *k, const nod_geometry *g, nod_geometry *out,
                     nod_error *err)
{
    int64_t size[3];
    double spacing_mm[3];
    bool resamples = false;
    for (int a = 0; a < 3; a++) {
        double wanted = k->spacing_mm[2 - a];
        spacing_mm[a] = wanted > 0 ? wanted : g->spacing_mm[a];
        resamples = resamples || wanted > 0;
    }
    if (resamples && g->space == NOD_SPACE_NONE)
        return nod_fail(
            err, NOD_EDATA,
            "the recipe's input has a spacing in millimetres, the image does not say "
            "its own");
    to_ijk(k->size, size);
    nod_geometry fine = nod_geometry_with_spacing(g, spacing_mm);
    *out = nod_geometry_centred(&fine, size);
    return 0;
}

int nod_contract_grid(const nod_contract *k, const nod_geometry *source, nod_geometry *out,
                      nod_error *err)
{
    nod_geometry g = *source;
    nod_turn t;
    int64_t size[3];
    int rc = 0;
    if (k->orientation[0]) {
        NOD_TRY(nod_turn_find(&g, k->orientation, &t, err));
        g = nod_turn_geometry(&t, &g);
    }
    if (k->fit == NOD_FIT_CROP) {
        NOD_TRY(crop_grid(k, &g, &g, err));
    } else {
        if (k->square) {
            square_size(k, &g, size);
            g = nod_geometry_centred(&g, size);
        }
        to_ijk(k->size, size);
        g = nod_geometry_with_size(&g, size);
    }
    to_ijk(k->pad, size);
    g = nod_geometry_centred(&g, size);
    for (int a = 0; a < 3; a++)
        size[a] /= k->pool[2 - a];
    *out = nod_geometry_with_size(&g, size);
out:
    return rc;
}

/* --- voxels ----------------------------------------------------------------------------------- */

static void replace(nod_image *work, nod_image *by)
{
    nod_image_done(work);
    *work = *by;
    *by = (nod_image){0};
}

static int turn_work(const nod_contract *k, nod_image *work, nod_error *err)
{
    nod_image to = {0};
    nod_turn t;
    if (!k->orientation[0]) return 0;
    int rc = nod_turn_find(&work->geometry, k->orientation, &t, err);
    if (rc || nod_turn_is_identity(&t)) return rc;
    rc = nod_turn_image(&t, work, &to, err);
    if (!rc) replace(work, &to);
    return rc;
}

/* What lies around a cropped image looks like its darkest voxel: air, or the dark around a head. */
static double lowest(const nod_image *work)
{
    const float *v = work->data;
    double low = HUGE_VAL;
    for (int64_t i = 0; i < nod_image_samples(work); i++)
        if (!nod_image_is_padding(work, i)) low = fmin(low, (double)v[i]);
    return isfinite(low) ? low : 0;
}

static int crop_work(const nod_contract *k, nod_image *work, nod_error *err)
{
    nod_image to = {0};
    nod_geometry g;
    int rc = crop_grid(k, &work->geometry, &g, err);
    if (!rc) rc = nod_image_resample(work, &g, k->interpolation, lowest(work), &to, err);
    if (!rc) replace(work, &to);
    return rc;
}

static int resize_work(const nod_contract *k, nod_image *work, nod_error *err)
{
    nod_image to = {0};
    int64_t size[3];
    to_ijk(k->size, size);
    if (memcmp(size, work->geometry.size, sizeof size) == 0) return 0;
    int rc = nod_image_resize(work, size, k->interpolation, &to, err);
    if (!rc) replace(work, &to);
    return rc;
}

/* Zeros around, the centre kept; an odd rest goes behind. They are no padding: `square` and `pad`
 * complete a shape, and what they add counts. */
static int pad_work(const int64_t size[3], nod_image *work, nod_error *err)
{
    nod_image to = {0};
    nod_geometry g = nod_geometry_centred(&work->geometry, size);
    int64_t lead[3], n = 0;
    if (memcmp(size, work->geometry.size, sizeof g.size) == 0) return 0;
    int rc = nod_image_init_frames(&to, work->frames, size[2], size[1], size[0], 1,
                                   NOD_SAMPLE_F32, err);
    if (rc) return rc;
    to.geometry = g;
    for (int a = 0; a < 3; a++)
        lead[a] = (size[a] - work->geometry.size[a]) / 2;
    for (int64_t f = 0; f < work->frames; f++)
        for (int64_t z = 0; z < work->depth; z++)
            for (int64_t y = 0; y < work->height; y++)
                for (int64_t x = 0; x < work->width; x++, n++) {
                    int64_t at =
                        ((f * size[2] + z + lead[2]) * size[1] + y + lead[1]) * size[0] + x +
                        lead[0];
                    ((float *)to.data)[at] = ((const float *)work->data)[n];
                    if (!nod_image_is_padding(work, n)) continue;
                    rc = nod_image_set_padding(&to, at, err);
                    if (rc) goto out;
                }
    replace(work, &to);
out:
    nod_image_done(&to);
    return rc;
}

/* Mean over one block, in double; true if all of it is padding. */
static bool pool_block(const nod_image *work, int64_t frame, const int64_t at[3],
                       const int64_t pool[3], float *out)
{
    const float *v = work->data;
    double sum = 0;
    bool padding = work->padding != NULL;
    for (int64_t z = 0; z < pool[2]; z++)
        for (int64_t y = 0; y < pool[1]; y++) {
            int64_t row = ((frame * work->depth + at[2] * pool[2] + z) * work->height +
                           at[1] * pool[1] + y) *
                              work->width +
                          at[0] * pool[0];
            for (int64_t x = 0; x < pool[0]; x++) {
                sum += (double)v[row + x];
                padding = padding && nod_image_is_padding(work, row + x);
            }
        }
    *out = (float)(sum / (double)(pool[0] * pool[1] * pool[2]));
    return padding;
}

static int pool_work(const nod_contract *k, nod_image *work, nod_error *err)
{
    nod_image to = {0};
    int64_t pool[3], size[3], at[3], n = 0;
    to_ijk(k->pool, pool);
    if (pool[0] * pool[1] * pool[2] == 1) return 0;
    for (int a = 0; a < 3; a++)
        size[a] = work->geometry.size[a] / pool[a];
    int rc = nod_image_init_frames(&to, work->frames, size[2], size[1], size[0], 1,
                                   NOD_SAMPLE_F32, err);
    if (rc) return rc;
    to.geometry = nod_geometry_with_size(&work->geometry, size);
    for (int64_t f = 0; f < work->frames; f++)
        for (at[2] = 0; at[2] < size[2]; at[2]++)
            for (at[1] = 0; at[1] < size[1]; at[1]++)
                for (at[0] = 0; at[0] < size[0]; at[0]++, n++) {
                    if (!pool_block(work, f, at, pool, (float *)to.data + n)) continue;
                    rc = nod_image_set_padding(&to, n, err);
                    if (rc) goto out;
                }
    replace(work, &to);
out:
    nod_image_done(&to);
    return rc;
}

int nod_contract_place(const nod_contract *k, nod_image *work, nod_error *err)
{
    int64_t size[3];
    int rc = 0;
    NOD_TRY(turn_work(k, work, err));
    if (k->fit == NOD_FIT_CROP) {
        NOD_TRY(crop_work(k, work, err));
    } else {
        if (k->square) {
            square_size(k, &work->geometry, size);
            NOD_TRY(pad_work(size, work, err));
        }
        NOD_TRY(resize_work(k, work, err));
    }
    to_ijk(k->pad, size);
    NOD_TRY(pad_work(size, work, err));
    NOD_TRY(pool_work(k, work, err));
out:
    return rc;
}

/* --- back ------------------------------------------------------------------------------------- */

int nod_contract_restore(const nod_contract *k, const nod_geometry *source,
                         const nod_image *result, bool is_labels, nod_image *out,
                         nod_error *err)
{
    nod_image seen = *result; /* borrowed */
    int rc = nod_contract_grid(k, source, &seen.geometry, err);
    if (rc) return rc;
    const int64_t *size = seen.geometry.size;
    if (size[0] != result->width || size[1] != result->height || size[2] != result->depth)
        return nod_fail(err, NOD_ESHAPE,
                        "%lldx%lldx%lld voxels cannot be put back: the network saw "
                        "%lldx%lldx%lld",
                        (long long)result->depth, (long long)result->height,
                        (long long)result->width, (long long)size[2], (long long)size[1],
                        (long long)size[0]);
    return is_labels ? nod_image_resample_labels(&seen, source, out, err)
                     : nod_image_resample(&seen, source, NOD_INTERP_LINEAR, 0, out, err);
}
