/* seg.c: frames of a segmentation onto one grid, segment by segment. */
#include "imaging/dicom/seg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/pixels.h"
#include "imaging/vec3.h"

#define ALONG_MM 0.01 /* planes closer than this along the normal are one */
#define PARALLEL 1e-4 /* difference of direction cosines that is rounding */

typedef struct reading {
    const char *name;
    nod_dicom_header header;
    nod_dicom_pixels *pixels;
    const nod_dicom_layout *layout;
    double *along_mm; /* of each frame, along the normal from the first frame */
    int64_t *plane;   /* of each frame, on the grid */
    nod_geometry grid;
    nod_dicom_seg seg;
    void *frame; /* one frame of stored values */
    nod_error *err;
} reading;

int nod_dicom_seg_is(const char *sop_class)
{
    return strcmp(sop_class, "1.2.840.10008.5.1.4.1.1.66.4") == 0 || /* Segmentation Storage */
           strcmp(sop_class, "1.2.840.10008.5.1.4.1.1.66.7") == 0; /* Label Map Segmentation */
}

/* --- where the frames lie ----------------------------------------------------------------- */

/* Rows and columns of the first frame, its normal, its place; all others must be parallel. */
static int find_axes(reading *r)
{
    const nod_dicom_header *h = &r->header;
    const nod_dicom_frame *f = &h->frames[0];
    if (!f->has_position || !f->has_orientation || !f->has_spacing)
        return nod_fail(
            r->err, NOD_EUNSUPPORTED,
            "%s: its frames do not say where they lie in the patient, as tiles of a "
            "slide",
            r->name);
    r->grid = nod_geometry_unknown(h->columns, h->rows, 1);
    r->grid.space = NOD_SPACE_PATIENT;
    memcpy(r->grid.direction[0], f->orientation[0], sizeof r->grid.direction[0]);
    memcpy(r->grid.direction[1], f->orientation[1], sizeof r->grid.direction[1]);
    nod_vec3_cross(f->orientation[0], f->orientation[1], r->grid.direction[2]);
    memcpy(r->grid.origin_mm, f->position_mm, sizeof r->grid.origin_mm);
    r->grid.spacing_mm[0] = f->spacing_mm[1];
    r->grid.spacing_mm[1] = f->spacing_mm[0];
    return 0;
}

static bool is_parallel(const nod_dicom_frame *a, const nod_dicom_frame *b)
{
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++)
            if (fabs(a->orientation[i][c] - b->orientation[i][c]) > PARALLEL) return false;
    return fabs(a->spacing_mm[0] - b->spacing_mm[0]) <= PARALLEL * a->spacing_mm[0] &&
           fabs(a->spacing_mm[1] - b->spacing_mm[1]) <= PARALLEL * a->spacing_mm[1];
}

static int measure_frames(reading *r)
{
    const nod_dicom_frame *first = &r->header.frames[0];
    for (int32_t i = 0; i < r->header.n_frames; i++) {
        const nod_dicom_frame *f = &r->header.frames[i];
        double d[3];
        if (!f->has_position || !f->has_orientation || !f->has_spacing ||
            !is_parallel(first, f))
            return nod_fail(
                r->err, NOD_EDATA,
                "%s: frame %d is not parallel to the first, of other pixels, or without "
                "a place",
                r->name, (int)i + 1);
        for (int c = 0; c < 3; c++)
            d[c] = f->position_mm[c] - first->position_mm[c];
        for (int a = 0; a < 2; a++)
            if (fabs(nod_vec3_dot(d, r->grid.direction[a])) >
                NOD_GEOMETRY_AGREE * r->grid.spacing_mm[a])
                return nod_fail(r->err, NOD_EDATA,
                                "%s: frame %d is moved along its plane against the first",
                                r->name, (int)i + 1);
        r->along_mm[i] = nod_vec3_dot(d, r->grid.direction[2]);
    }
    return 0;
}

static int compare_f64(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distance between planes: the smallest there is, of which all must be multiples. */
static int find_planes(reading *r)
{
    size_t n = (size_t)r->header.n_frames;
    double *sorted = nod_memdup(r->along_mm, n * sizeof *sorted), step = INFINITY;
    if (sorted == NULL) return nod_fail_memory(r->err, "planes", n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_f64);
    double low = sorted[0], high = sorted[n - 1];
    for (size_t i = 1; i < n; i++)
        if (sorted[i] - sorted[i - 1] > ALONG_MM)
            step = NOD_MIN(step, sorted[i] - sorted[i - 1]);
    nod_free(sorted);
    if (isinf(step)) step = r->header.slice_thickness_mm > 0 ? r->header.slice_thickness_mm : 1;
    double planes = round((high - low) / step) + 1;
    if (planes > NOD_DICOM_SEG_PLANES_MAX)
        return nod_fail(r->err, NOD_ELIMIT, "%s: frames over %.4g mm, %.4g mm apart", r->name,
                        high - low, step);
    if (planes > 1) step = (high - low) / (planes - 1);
    r->grid.size[2] = (int64_t)planes;
    r->grid.spacing_mm[2] = step;
    for (int c = 0; c < 3; c++)
        r->grid.origin_mm[c] += low * r->grid.direction[2][c];
    for (size_t i = 0; i < n; i++)
        r->along_mm[i] -= low;
    return 0;
}

/* The grid that was asked for: the same columns and rows, and a plane for each frame. */
static int fit_grid(reading *r, const nod_geometry *on)
{
    nod_geometry ours = r->grid, theirs = *on;
    double d[3], sign = nod_vec3_dot(on->direction[2], r->grid.direction[2]) < 0 ? -1 : 1;
    ours.size[2] = theirs.size[2] = 1;
    ours.spacing_mm[2] = theirs.spacing_mm[2];
    for (int c = 0; c < 3; c++) {
        d[c] = r->grid.origin_mm[c] - on->origin_mm[c];
        ours.direction[2][c] *= sign;
    }
    double along = nod_vec3_dot(d, on->direction[2]);
    for (int c = 0; c < 3; c++)
        theirs.origin_mm[c] += along * on->direction[2][c];
    int rc = nod_geometry_agree(&ours, r->name, &theirs, "the image", r->err);
    if (rc) return rc;
    for (int32_t i = 0; i < r->header.n_frames; i++)
        r->along_mm[i] = along + sign * r->along_mm[i];
    r->grid = *on;
    return 0;
}

static int place_frames(reading *r)
{
    for (int32_t i = 0; i < r->header.n_frames; i++) {
        double k = r->along_mm[i] / r->grid.spacing_mm[2], nearest = round(k);
        if (fabs(k - nearest) > NOD_GEOMETRY_AGREE || nearest < 0 ||
            nearest >= (double)r->grid.size[2])
            return nod_fail(
                r->err, NOD_EDATA,
                "%s: frame %d lies at %.4g mm, on none of %lld planes %.4g mm apart", r->name,
                (int)i + 1, r->along_mm[i], (long long)r->grid.size[2], r->grid.spacing_mm[2]);
        r->plane[i] = (int64_t)nearest;
    }
    return 0;
}

static int find_grid(reading *r, const nod_geometry *on)
{
    size_t n = (size_t)r->header.n_frames;
    int rc = 0;
    r->along_mm = nod_calloc(n, sizeof *r->along_mm);
    r->plane = nod_calloc(n, sizeof *r->plane);
    if (!r->along_mm || !r->plane)
        return nod_fail_memory(r->err, "places of frames", n * sizeof *r->along_mm);
    NOD_TRY(find_axes(r));
    NOD_TRY(measure_frames(r));
    NOD_TRY(find_planes(r));
    if (on) NOD_TRY(fit_grid(r, on));
    rc = place_frames(r);
out:
    return rc;
}

/* --- masks -------------------------------------------------------------------------------- */

static int make_masks(reading *r)
{
    bool fractional = r->seg.type == NOD_DICOM_SEG_FRACTIONAL;
    const int64_t *size = r->grid.size;
    size_t bytes;
    if (!nod_size_mul((size_t)(size[0] * size[1] * size[2]), r->seg.n * (fractional ? 4 : 1),
                      &bytes) ||
        bytes > NOD_DICOM_SEG_BYTES_MAX)
        return nod_fail(r->err, NOD_ELIMIT, "%s: %zu masks of %lldx%lldx%lld voxels", r->name,
                        r->seg.n, (long long)size[0], (long long)size[1], (long long)size[2]);
    for (size_t i = 0; i < r->seg.n; i++) {
        nod_image *m = &r->seg.segments[i].mask;
        int rc = nod_image_init(m, size[2], size[1], size[0], 1,
                                fractional ? NOD_SAMPLE_F32 : NOD_SAMPLE_U8, r->err);
        if (rc) return rc;
        m->geometry = r->grid;
        snprintf(m->facts.modality, sizeof m->facts.modality, "SEG");
    }
    return 0;
}

static nod_dicom_segment *find_segment(nod_dicom_seg *s, int32_t number)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->segments[i].number == number) return &s->segments[i];
    return NULL;
}

static unsigned stored_at(const reading *r, size_t i)
{
    return r->layout->type == NOD_DICOM_U8 ? ((const uint8_t *)r->frame)[i]
                                           : ((const uint16_t *)r->frame)[i];
}

/* Two frames of one segment in one plane (as some writers split them) are joined. */
static int add_frame(reading *r, int32_t i_frame)
{
    size_t n = (size_t)(r->grid.size[0] * r->grid.size[1]);
    size_t at = (size_t)r->plane[i_frame] * n;
    int32_t number = r->header.frames[i_frame].segment;
    nod_dicom_segment *s = find_segment(&r->seg, number);
    if (s == NULL)
        return nod_fail(r->err, NOD_EFORMAT,
                        "%s: frame %d is of segment %d, which is not described", r->name,
                        (int)i_frame + 1, (int)number);
    for (size_t i = 0; i < n; i++) {
        unsigned v = stored_at(r, i);
        if (v == 0) continue;
        if (r->seg.type == NOD_DICOM_SEG_BINARY) {
            ((uint8_t *)s->mask.data)[at + i] = 1;
            continue;
        }
        float *x = (float *)s->mask.data + at + i;
        *x = fmaxf(*x, (float)NOD_MIN(v / r->seg.fractional_max, 1.0));
    }
    return 0;
}

static int add_labels(reading *r, int32_t i_frame)
{
    size_t n = (size_t)(r->grid.size[0] * r->grid.size[1]);
    size_t at = (size_t)r->plane[i_frame] * n;
    nod_dicom_segment *s = NULL;
    for (size_t i = 0; i < n; i++) {
        int32_t v = (int32_t)stored_at(r, i);
        if (v == 0) continue;
        if (s == NULL || s->number != v) s = find_segment(&r->seg, v);
        if (s == NULL)
            return nod_fail(r->err, NOD_EFORMAT,
                            "%s: frame %d has the label %d, which is not described", r->name,
                            (int)i_frame + 1, (int)v);
        ((uint8_t *)s->mask.data)[at + i] = 1;
    }
    return 0;
}

static int read_frames(reading *r)
{
    int rc = 0;
    r->layout = nod_dicom_pixels_layout(r->pixels);
    if (r->layout->channels != 1 || r->layout->frames != r->header.n_frames ||
        (r->layout->type != NOD_DICOM_U8 && r->layout->type != NOD_DICOM_U16))
        return nod_fail(r->err, NOD_EFORMAT,
                        "%s: %lld frames of %d channels are no segmentation's", r->name,
                        (long long)r->layout->frames, r->layout->channels);
    r->frame = nod_malloc(r->layout->frame_bytes);
    if (r->frame == NULL) return nod_fail_memory(r->err, "a frame", r->layout->frame_bytes);
    NOD_TRY(make_masks(r));
    for (int32_t i = 0; i < r->header.n_frames; i++) {
        NOD_TRY(nod_dicom_pixels_read(r->pixels, i, 1, r->frame, r->err));
        NOD_TRY(r->seg.type == NOD_DICOM_SEG_LABELMAP ? add_labels(r, i) : add_frame(r, i));
    }
out:
    return rc;
}

int nod_dicom_seg_read(const char *path, const nod_geometry *on, nod_dicom_seg *out,
                       nod_error *err)
{
    reading r = {.name = path, .err = err};
    nod_dicom_file *file = NULL;
    int rc = 0;
    nod_dicom_header_clear(&r.header);
    NOD_TRY(nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, err));
    NOD_TRY(nod_dicom_header_read(file, &r.header, err));
    if (!nod_dicom_seg_is(r.header.sop_class) || r.header.n_frames < 1) {
        rc = nod_fail(err, NOD_EDATA, "%s: is no DICOM segmentation (modality '%s')", path,
                      r.header.modality);
        goto out;
    }
    NOD_TRY(nod_dicom_seg_describe(file, &r.seg, err));
    NOD_TRY(find_grid(&r, on));
    NOD_TRY(nod_dicom_pixels_open(file, &r.pixels, err));
    NOD_TRY(read_frames(&r));
    *out = r.seg;
    r.seg = (nod_dicom_seg){0};
out:
    nod_dicom_seg_done(&r.seg);
    nod_dicom_pixels_close(r.pixels);
    nod_dicom_file_close(file);
    nod_dicom_header_done(&r.header);
    nod_free(r.along_mm);
    nod_free(r.plane);
    nod_free(r.frame);
    return rc;
}

void nod_dicom_seg_done(nod_dicom_seg *s)
{
    for (size_t i = 0; i < s->n; i++)
        nod_image_done(&s->segments[i].mask);
    nod_free(s->segments);
    *s = (nod_dicom_seg){0};
}

/* --- labels ------------------------------------------------------------------------------- */

static bool is_in(const nod_dicom_segment *s, size_t i)
{
    if (s->mask.sample == NOD_SAMPLE_F32) return ((const float *)s->mask.data)[i] >= 0.5f;
    return ((const uint8_t *)s->mask.data)[i] != 0;
}

static void set_label(nod_image *im, size_t i, int32_t number)
{
    if (im->sample == NOD_SAMPLE_U8)
        ((uint8_t *)im->data)[i] = (uint8_t)number;
    else
        ((uint16_t *)im->data)[i] = (uint16_t)number;
}

static int32_t label_at(const nod_image *im, size_t i)
{
    return im->sample == NOD_SAMPLE_U8 ? ((const uint8_t *)im->data)[i]
                                       : ((const uint16_t *)im->data)[i];
}

static bool stands_in(const int32_t *priority, size_t n, int32_t number)
{
    for (size_t i = 0; i < n; i++)
        if (priority[i] == number) return true;
    return false;
}

static int put_segment(const nod_dicom_segment *s, const int32_t *priority, size_t n_priority,
                       nod_image *im, nod_error *err)
{
    bool ranked = stands_in(priority, n_priority, s->number);
    for (size_t i = 0; i < (size_t)nod_image_voxels(im); i++) {
        int32_t before = is_in(s, i) ? label_at(im, i) : 0;
        if (before != 0 && !(ranked && stands_in(priority, n_priority, before)))
            return nod_fail(err, NOD_EDATA,
                            "segments %d and %d overlap; say which of them wins by an order of "
                            "priority with both",
                            (int)before, (int)s->number);
        if (is_in(s, i)) set_label(im, i, s->number);
    }
    return 0;
}

int nod_dicom_seg_labels(const nod_dicom_seg *s, const int32_t *priority, size_t n_priority,
                         nod_image *out, nod_error *err)
{
    nod_image im = {0};
    const nod_image *m = &s->segments[0].mask;
    int rc = 0;
    for (size_t i = 0; i < n_priority; i++) {
        bool known = false;
        for (size_t k = 0; k < s->n; k++)
            known = known || s->segments[k].number == priority[i];
        if (!known)
            return nod_fail(err, NOD_EINVAL, "priority: there is no segment %d",
                            (int)priority[i]);
    }
    rc = nod_image_init(&im, m->depth, m->height, m->width, 1,
                        s->segments[s->n - 1].number > 255 ? NOD_SAMPLE_U16 : NOD_SAMPLE_U8,
                        err);
    if (rc) return rc;
    im.geometry = m->geometry;
    im.facts = m->facts;
    /* Later ones cover: first those that overlap nothing, then the ranked from last to first. */
    for (size_t i = 0; i < s->n; i++)
        if (!stands_in(priority, n_priority, s->segments[i].number))
            NOD_TRY(put_segment(&s->segments[i], priority, n_priority, &im, err));
    for (size_t p = n_priority; p-- > 0;)
        for (size_t i = 0; i < s->n; i++)
            if (s->segments[i].number == priority[p])
                NOD_TRY(put_segment(&s->segments[i], priority, n_priority, &im, err));
    *out = im;
    im = (nod_image){0};
out:
    nod_image_done(&im);
    return rc;
}
