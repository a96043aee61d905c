/* montage.c: turn, window, scale to square pixels, and lay out as tiles. */
#include "imaging/montage.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/reorient.h"
#include "imaging/resize.h"
#include "imaging/statistics.h"

/* The orientation whose i runs to the right of the picture and j down. */
static const char *const codes[] = {
    [NOD_PLANE_AXIAL] = "LPS", [NOD_PLANE_CORONAL] = "LIP", [NOD_PLANE_SAGITTAL] = "PIL"};

/* One frame as floats: grey with one channel, colour as [3] planes in 0..255. */
typedef struct stage {
    nod_image work; /* f32, frames: channels */
    bool colour;
} stage;

/* --- values ------------------------------------------------------------------------------------ */

static int take_frame(const nod_image *im, int64_t frame, stage *s, nod_error *err)
{
    s->colour = im->channels >= 3;
    int n_planes = s->colour ? 3 : 1;
    int rc = nod_image_init_frames(&s->work, n_planes, im->depth, im->height, im->width, 1,
                                   NOD_SAMPLE_F32, err);
    if (rc) return rc;
    double full = im->sample == NOD_SAMPLE_U16 ? 257 : 1;
    int64_t n = im->depth * im->height * im->width;
    float *v = s->work.data;
    s->work.geometry = im->geometry;
    for (int c = 0; c < n_planes; c++)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = frame * n + i;
            double value = nod_image_value(im, at * im->channels + c);
            v[c * n + i] = (float)(s->colour ? value / full : value);
            if (nod_image_is_padding(im, at) &&
                (rc = nod_image_set_padding(&s->work, c * n + i, err)) != 0)
                return rc;
        }
    return 0;
}

/* To 0..255; what is padding is black. */
static int map_window(const nod_montage_options *o, stage *s, double window[2], nod_error *err)
{
    float *v = s->work.data;
    if (s->colour) {
        window[0] = 0;
        window[1] = 255;
        return 0;
    }
    if (o->has_window) {
        window[0] = o->low;
        window[1] = o->high;
    } else {
        nod_image_statistics all;
        int rc = nod_image_measure(&s->work, o->percent, 2, &all, window, err);
        if (rc) return rc;
        if (!(window[1] > window[0])) window[1] = window[0] + 1;
    }
    double width = window[1] - window[0];
    if (!(width > 0) || !isfinite(width))
        return nod_fail(err, NOD_EINVAL, "a window from %g to %g shows nothing", window[0],
                        window[1]);
    for (int64_t i = 0; i < nod_image_samples(&s->work); i++) {
        double x = nod_image_is_padding(&s->work, i) ? 0 : ((double)v[i] - window[0]) / width;
        v[i] = (float)(255 * fmin(fmax(x, 0), 1));
    }
    return 0;
}

static int turn(const nod_montage_options *o, stage *s, nod_error *err)
{
    nod_image turned = {0};
    if (o->plane == NOD_PLANE_STORED) return 0;
    int rc = nod_image_reorient(&s->work, codes[o->plane], &turned, err);
    if (rc) return rc;
    nod_image_done(&s->work);
    s->work = turned;
    return 0;
}

/* --- tiles ------------------------------------------------------------------------------------- */

/* Pixels of a tile, square in millimetres: the finer spacing stays. */
static void tile_size(const nod_geometry *g, int64_t side_max, int64_t size[2])
{
    const double *mm = g->spacing_mm;
    double finest = fmin(mm[0], mm[1]), factor[2];
    for (int a = 0; a < 2; a++)
        factor[a] = g->space == NOD_SPACE_NONE ? 1 : mm[a] / finest;
    double longest = fmax((double)g->size[0] * factor[0], (double)g->size[1] * factor[1]);
    double shrink = fmin(1, (double)side_max / longest);
    for (int a = 0; a < 2; a++)
        size[a] = (int64_t)fmax(1, round((double)g->size[a] * factor[a] * shrink));
}

typedef struct layout {
    int64_t n, columns, rows;
    int64_t width, height; /* of a tile */
} layout;

static layout make_layout(const nod_montage_options *o, const nod_geometry *g)
{
    layout l = {.n = g->size[2]};
    int64_t size[2];
    if (o->slices > 0) l.n = NOD_MIN(o->slices, l.n);
    tile_size(g, o->side_max, size);
    l.width = size[0];
    l.height = size[1];
    double square = sqrt((double)l.n * (double)l.height / (double)l.width);
    l.columns = o->columns > 0 ? o->columns : (int64_t)fmax(1, round(square));
    l.columns = NOD_MIN(l.columns, l.n);
    l.rows = (l.n + l.columns - 1) / l.columns;
    return l;
}

/* Slice shown in tile i of n: the middles of n equal parts. */
static int64_t slice_of(int64_t i, int64_t n, int64_t depth)
{
    return (2 * i + 1) * depth / (2 * n);
}

nod_plane nod_plane_across(const nod_geometry *g)
{
    char to[4];
    if (g->space != NOD_SPACE_PATIENT) return NOD_PLANE_STORED;
    nod_geometry_codes(g, to);
    return to[2] == 'S' || to[2] == 'I'   ? NOD_PLANE_AXIAL
           : to[2] == 'P' || to[2] == 'A' ? NOD_PLANE_CORONAL
                                          : NOD_PLANE_SAGITTAL;
}

static int put_tile(const stage *s, const layout *l, int64_t i, float *tile, nod_image *out,
                    nod_error *err)
{
    const nod_image *w = &s->work;
    const int64_t from[3] = {1, w->height, w->width}, to[3] = {1, l->height, l->width};
    int64_t n_slice = w->height * w->width, k = slice_of(i, l->n, w->depth);
    uint8_t *pixels = out->data;
    for (int64_t c = 0; c < w->frames; c++) {
        const float *src = (const float *)w->data + (c * w->depth + k) * n_slice;
        int rc = nod_resize_f32(src, from, tile, to, NOD_INTERP_LINEAR, err);
        if (rc) return rc;
        for (int64_t y = 0; y < l->height; y++)
            for (int64_t x = 0; x < l->width; x++) {
                int64_t at = (i / l->columns * l->height + y) * out->width +
                             i % l->columns * l->width + x;
                float v = fminf(fmaxf(tile[y * l->width + x], 0), 255);
                pixels[at * out->channels + c] = (uint8_t)lrintf(v);
            }
    }
    return 0;
}

static int lay_out(const nod_montage_options *o, const stage *s, nod_image *out, nod_error *err)
{
    layout l = make_layout(o, &s->work.geometry);
    nod_image picture = {0};
    int rc = nod_image_init(&picture, 1, l.rows * l.height, l.columns * l.width,
                            s->colour ? 3 : 1, NOD_SAMPLE_U8, err);
    if (rc) return rc;
    float *tile = nod_calloc((size_t)(l.height * l.width), sizeof *tile);
    if (tile == NULL) rc = nod_fail_memory(err, "a tile", (size_t)(l.height * l.width) * 4);
    for (int64_t i = 0; i < l.n && rc == 0; i++)
        rc = put_tile(s, &l, i, tile, &picture, err);
    nod_free(tile);
    if (rc)
        nod_image_done(&picture);
    else
        *out = picture;
    return rc;
}

int nod_image_montage(const nod_image *im, const nod_montage_options *o, nod_image *out,
                      double window[2], nod_error *err)
{
    stage s = {0};
    int rc = 0;
    if (o->frame < 0 || o->frame >= im->frames || o->side_max < 1)
        return nod_fail(err, NOD_EINVAL, "frame %lld of %lld, tiles of %lld pixels",
                        (long long)o->frame, (long long)im->frames, (long long)o->side_max);
    NOD_TRY(take_frame(im, o->frame, &s, err));
    NOD_TRY(map_window(o, &s, window, err));
    NOD_TRY(turn(o, &s, err));
    NOD_TRY(lay_out(o, &s, out, err));
out:
    nod_image_done(&s.work);
    return rc;
}
