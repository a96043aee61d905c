/* stack.c: frames grouped into volumes, and what is odd about each.
 *
 * A series goes through five steps: frames become items with a group; the items of a group get
 * their distance along its normal and become places; axis.c gives the items at a place their
 * phase; the places are cut into runs where their distance changes; each run is a stack, in which
 * gaps, uneven distances and tilt are looked for. */
#include "imaging/dicom/stack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/axis.h"
#include "imaging/dicom/stack_check.h"
#include "imaging/vec3.h"

#define COSINE_TOLERANCE  1e-3 /* orientations are written with three to six decimals */
#define SPACING_TOLERANCE 1e-3 /* relative */

/* --- groups: what may be one volume ------------------------------------------------------- */

typedef enum kind {
    KIND_VOLUME,
    KIND_NO_PLACE,   /* a slice of a scanner that does not say where it lies */
    KIND_PROJECTION, /* a picture of its own */
    KINDS
} kind;

/* Modalities whose single images are slices of a volume, so that a place must be there. */
static bool is_sliced(const nod_dicom_header *h)
{
    static const char *const modalities[] = {"CT", "MR", "PT", "SEG"};
    for (size_t i = 0; i < NOD_COUNT(modalities); i++)
        if (strcmp(h->modality, modalities[i]) == 0) return true;
    return false;
}

static kind kind_of(const nod_dicom_header *h)
{
    bool placed = true;
    for (int32_t i = 0; placed && i < h->n_frames; i++)
        placed = h->frames[i].has_position && h->frames[i].has_orientation;
    if (placed) return KIND_VOLUME;
    return is_sliced(h) ? KIND_NO_PLACE : KIND_PROJECTION;
}

typedef struct group {
    kind kind;
    nod_dicom_item *items; /* owned */
    size_t n, cap;
} group;

typedef struct builder {
    const nod_dicom_header *const *headers;
    group *groups;
    size_t n_groups, cap_groups, n_of[KINDS];
    nod_dicom_stacks *out;
    nod_error *err;
} builder;

static bool is_near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

static bool is_same_plane(const nod_dicom_frame *a, const nod_dicom_frame *b)
{
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 3; c++)
            if (!is_near(a->orientation[r][c], b->orientation[r][c], COSINE_TOLERANCE))
                return false;
    return true;
}

static bool is_same_spacing(const nod_dicom_frame *a, const nod_dicom_frame *b)
{
    if (a->has_spacing != b->has_spacing) return false;
    for (int i = 0; a->has_spacing && i < 2; i++)
        if (!is_near(a->spacing_mm[i], b->spacing_mm[i], SPACING_TOLERANCE * a->spacing_mm[i]))
            return false;
    return true;
}

static bool belongs(const group *g, kind k, const nod_dicom_item *item)
{
    const nod_dicom_header *a = g->items[0].header, *b = item->header;
    if (g->kind != k || k == KIND_PROJECTION || a->rows != b->rows ||
        a->columns != b->columns || a->samples != b->samples ||
        !is_same_spacing(g->items[0].frame, item->frame))
        return false;
    return k == KIND_NO_PLACE ||
           (strcmp(a->frame_of_reference_uid, b->frame_of_reference_uid) == 0 &&
            is_same_plane(g->items[0].frame, item->frame));
}

static int add_group(builder *b, kind k, group **out)
{
    size_t limit = k == KIND_PROJECTION ? NOD_DICOM_MAX_PROJECTIONS : NOD_DICOM_MAX_VOLUMES;
    if (b->n_of[k] == limit)
        return nod_fail(b->err, NOD_ELIMIT,
                        "a series of more than %zu images, orientations or sizes", limit);
    if (!nod_grow((void **)&b->groups, &b->cap_groups, b->n_groups + 1, sizeof *b->groups))
        return nod_fail_memory(b->err, "stacks", sizeof *b->groups);
    *out = &b->groups[b->n_groups++];
    **out = (group){.kind = k};
    b->n_of[k]++;
    return 0;
}

static int add_item(builder *b, kind k, nod_dicom_item item)
{
    group *g = NULL;
    /* Neighbours in the list are mostly neighbours in the volume: the last group first. */
    for (size_t i = b->n_groups; g == NULL && i-- > 0;)
        if (belongs(&b->groups[i], k, &item)) g = &b->groups[i];
    if (g == NULL) {
        int rc = add_group(b, k, &g);
        if (rc) return rc;
    }
    if (!nod_grow((void **)&g->items, &g->cap, g->n + 1, sizeof *g->items))
        return nod_fail_memory(b->err, "slices", sizeof item);
    g->items[g->n++] = item;
    return 0;
}

/* --- places along the normal -------------------------------------------------------------- */

static int compare_along(const void *a, const void *b)
{
    const nod_dicom_item *x = a, *y = b;
    if (x->along_mm < y->along_mm || x->along_mm > y->along_mm)
        return x->along_mm < y->along_mm ? -1 : 1;
    if (x->slice.file != y->slice.file) return x->slice.file < y->slice.file ? -1 : 1;
    return (x->slice.frame > y->slice.frame) - (x->slice.frame < y->slice.frame);
}

static int compare_place(const void *a, const void *b)
{
    const nod_dicom_item *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    if (x->slice.file != y->slice.file) return x->slice.file < y->slice.file ? -1 : 1;
    return (x->slice.frame > y->slice.frame) - (x->slice.frame < y->slice.frame);
}

/* The smaller of the pixel's sides; 1 where it is not known. */
static double pixel_mm(const nod_dicom_frame *f)
{
    return f->has_spacing ? fmin(f->spacing_mm[0], f->spacing_mm[1]) : 1;
}

/* Coordinates of all items on the axes of the first one's plane. */
static void project(group *g)
{
    double row[3], column[3], normal[3];
    memcpy(row, g->items[0].frame->orientation[0], sizeof row);
    memcpy(column, g->items[0].frame->orientation[1], sizeof column);
    nod_vec3_cross(row, column, normal);
    for (size_t i = 0; i < g->n; i++) {
        const double *p = g->items[i].frame->position_mm;
        g->items[i].along_mm = nod_vec3_dot(p, normal);
        g->items[i].in_plane_mm[0] = nod_vec3_dot(p, row);
        g->items[i].in_plane_mm[1] = nod_vec3_dot(p, column);
    }
    qsort(g->items, g->n, sizeof *g->items, compare_along);
}

/* Numbers the places: items nearer than a hundredth of a millimetre (or a tenth of a small pixel)
 * to the one before lie at one. */
static uint32_t number_places(group *g)
{
    double near = fmin(0.01, 0.1 * pixel_mm(g->items[0].frame));
    uint32_t place = 0;
    double first_mm = g->items[0].along_mm;
    for (size_t i = 0; i < g->n; i++) {
        if (g->items[i].along_mm - first_mm > near) {
            first_mm = g->items[i].along_mm;
            place++;
        }
        g->items[i].place = place;
    }
    qsort(g->items, g->n, sizeof *g->items, compare_place);
    return place + 1;
}

/* Slices at one place along the normal, but beside each other: the two breasts, say. Those that do
 * not lie over the first item go to a group of their own. */
static int part_neighbours(builder *b, size_t i_group, bool *parted)
{
    group *g = &b->groups[i_group];
    double near = 0.5 * pixel_mm(g->items[0].frame);
    bool beside = false;
    *parted = false;
    for (size_t i = 1; !beside && i < g->n; i++) {
        const nod_dicom_item *a = &g->items[i - 1], *c = &g->items[i];
        beside = a->place == c->place && hypot(a->in_plane_mm[0] - c->in_plane_mm[0],
                                               a->in_plane_mm[1] - c->in_plane_mm[1]) > near;
    }
    if (!beside) return 0;
    group *other;
    int rc = add_group(b, g->kind, &other);
    if (rc) return rc;
    g = &b->groups[i_group]; /* the table may have moved */
    size_t kept = 0;
    double home[2] = {g->items[0].in_plane_mm[0], g->items[0].in_plane_mm[1]};
    for (size_t i = 0; i < g->n; i++) {
        nod_dicom_item item = g->items[i];
        if (hypot(item.in_plane_mm[0] - home[0], item.in_plane_mm[1] - home[1]) <= near) {
            g->items[kept++] = item;
            continue;
        }
        if (!nod_grow((void **)&other->items, &other->cap, other->n + 1, sizeof item))
            return nod_fail_memory(b->err, "slices", sizeof item);
        other->items[other->n++] = item;
    }
    g->n = kept;
    *parted = other->n > 0;
    return 0;
}

/* --- stacks ------------------------------------------------------------------------------- */

static int add_stack(builder *b, int64_t n_slices, int64_t n_phases, nod_dicom_stack **out)
{
    nod_dicom_stacks *s = b->out;
    size_t total = (size_t)n_slices * (size_t)n_phases;
    if (s->n == NOD_DICOM_MAX_PROJECTIONS)
        return nod_fail(b->err, NOD_ELIMIT, "a series of more than %d images or volumes",
                        NOD_DICOM_MAX_PROJECTIONS);
    if (!nod_grow((void **)&s->items, &s->cap, s->n + 1, sizeof *s->items))
        return nod_fail_memory(b->err, "stacks", sizeof *s->items);
    nod_dicom_stack *k = &s->items[s->n++];
    *k = (nod_dicom_stack){.n_slices = n_slices, .n_phases = n_phases};
    k->slices = nod_calloc(total, sizeof *k->slices);
    k->axis_values = nod_calloc((size_t)n_phases, sizeof *k->axis_values);
    k->along_mm = nod_calloc((size_t)n_slices, sizeof *k->along_mm);
    k->shift_mm = nod_calloc((size_t)n_slices, sizeof *k->shift_mm);
    if (!k->slices || !k->axis_values || !k->along_mm || !k->shift_mm)
        return nod_fail_memory(b->err, "slices", total * sizeof *k->slices);
    for (int64_t i = 0; i < n_phases; i++)
        k->axis_values[i] = NAN;
    *out = k;
    return 0;
}

static nod_geometry plane_of(const nod_dicom_item *item)
{
    const nod_dicom_frame *f = item->frame;
    const nod_dicom_header *h = item->header;
    nod_geometry g = nod_geometry_unknown(h->columns, h->rows, 1);
    if (f->has_spacing) {
        g.spacing_mm[0] = f->spacing_mm[1];
        g.spacing_mm[1] = f->spacing_mm[0];
        g.space = NOD_SPACE_SPACING;
    }
    /* How thick one slice is says nothing of where others are; it is all a single one has. */
    if (h->slice_thickness_mm > 0) g.spacing_mm[2] = h->slice_thickness_mm;
    return g;
}

/* Slices from place `first` on, as a stack with the phases that axis.c found. Items are sorted by
 * place. */
static int make_volume(builder *b, const group *g, const nod_dicom_phases *phases,
                       const double *along_mm, uint32_t first, uint32_t n)
{
    nod_dicom_stack *k;
    int rc = add_stack(b, n, phases->n, &k);
    if (rc) return rc;
    const nod_dicom_item *home = NULL;
    for (size_t i = 0; i < (size_t)n * phases->n; i++)
        k->slices[i] = (nod_dicom_slice){NOD_DICOM_NO_FILE, 0};
    for (size_t i = 0; i < g->n; i++) {
        const nod_dicom_item *item = &g->items[i];
        if (item->place < first || item->place - first >= n) continue;
        if (item->phase == NOD_DICOM_NO_PHASE) continue;
        uint32_t slice = item->place - first;
        if (home == NULL) home = item;
        k->slices[(size_t)item->phase * n + slice] = item->slice;
        k->along_mm[slice] = along_mm[item->place] - along_mm[first];
        for (int a = 0; a < 2; a++)
            k->shift_mm[slice][a] = item->in_plane_mm[a] - home->in_plane_mm[a];
    }
    NOD_ASSERT(home != NULL); /* the first item of each place has a phase */
    memcpy(k->axis_values, phases->values, phases->n * sizeof *k->axis_values);
    k->axis = phases->n > 1 ? phases->axis : NOD_AXIS_NONE;
    k->geometry = plane_of(home);
    k->geometry.size[2] = n;
    for (int c = 0; c < 3; c++) {
        k->geometry.direction[0][c] = home->frame->orientation[0][c];
        k->geometry.direction[1][c] = home->frame->orientation[1][c];
        k->geometry.origin_mm[c] = home->frame->position_mm[c];
    }
    nod_vec3_cross(k->geometry.direction[0], k->geometry.direction[1],
                   k->geometry.direction[2]);
    if (home->frame->has_spacing) k->geometry.space = NOD_SPACE_PATIENT;
    rc = nod_dicom_stack_check_places(k, b->err);
    if (!rc) rc = nod_dicom_stack_check_phases(k, phases, b->err);
    return rc;
}

static int make_volumes(builder *b, const group *g, uint32_t n_places)
{
    nod_dicom_phases phases = {0};
    size_t n_runs = 0;
    int rc = nod_dicom_axis_find(g->items, g->n, n_places, &phases, b->err);
    double *along_mm = rc ? NULL : nod_calloc(n_places, sizeof *along_mm);
    uint32_t *runs = rc ? NULL : nod_calloc((size_t)n_places + 1, sizeof *runs);
    if (!rc && (along_mm == NULL || runs == NULL))
        rc = nod_fail_memory(b->err, "places", n_places * sizeof *along_mm);
    if (rc) goto out;
    for (size_t i = g->n; i-- > 0;)
        along_mm[g->items[i].place] = g->items[i].along_mm;
    n_runs = nod_dicom_cut_runs(along_mm, n_places, runs);
    for (size_t r = 0; !rc && r < n_runs; r++)
        rc = make_volume(b, g, &phases, along_mm, runs[r], runs[r + 1] - runs[r]);
out:
    nod_free(phases.values);
    nod_free(along_mm);
    nod_free(runs);
    return rc;
}

/* A picture without a place: its frames, if it has several, follow in time. */
static int make_projection(builder *b, const group *g)
{
    nod_dicom_stack *k;
    const nod_dicom_header *h = g->items[0].header;
    int rc = add_stack(b, 1, (int64_t)g->n, &k);
    if (rc) return rc;
    k->projection = true;
    k->axis = g->n > 1 ? NOD_AXIS_TIME : NOD_AXIS_NONE;
    for (size_t i = 0; i < g->n; i++)
        k->slices[i] = g->items[i].slice;
    k->geometry = nod_geometry_unknown(h->columns, h->rows, 1);
    k->calibration = h->calibration;
    if (h->calibration != NOD_DICOM_SPACING_NONE) {
        k->geometry.space = NOD_SPACE_SPACING;
        k->geometry.spacing_mm[0] = h->projection_spacing_mm[1];
        k->geometry.spacing_mm[1] = h->projection_spacing_mm[0];
    }
    return 0;
}

static int compare_numbered(const void *a, const void *b)
{
    const nod_dicom_item *x = a, *y = b;
    int32_t i = x->frame->instance_number, j = y->frame->instance_number;
    return i != j ? (i < j ? -1 : 1) : compare_place(a, b);
}

/* Slices that do not say where they lie, in the order of their numbers. */
static int make_unplaced(builder *b, group *g)
{
    nod_dicom_stack *k;
    int rc = add_stack(b, (int64_t)g->n, 1, &k);
    if (rc) return rc;
    qsort(g->items, g->n, sizeof *g->items, compare_numbered);
    for (size_t i = 0; i < g->n; i++)
        k->slices[i] = g->items[i].slice;
    k->geometry = plane_of(&g->items[0]);
    k->geometry.size[2] = (int64_t)g->n;
    for (size_t i = 0; i < g->n; i++)
        k->along_mm[i] = (double)i * k->geometry.spacing_mm[2];
    return nod_findings_add(&k->findings, b->err, NOD_FINDING_MISSING_POSITION,
                            "%zu slices, in the order of their numbers", g->n);
}

static int make_stacks(builder *b, size_t i_group)
{
    group *g = &b->groups[i_group];
    uint32_t n_places = 0;
    bool parted = false;
    if (g->kind == KIND_PROJECTION) return make_projection(b, g);
    if (g->kind == KIND_NO_PLACE) return make_unplaced(b, g);
    project(g);
    n_places = number_places(g);
    int rc = part_neighbours(b, i_group, &parted);
    if (rc) return rc;
    g = &b->groups[i_group];
    if (parted) {
        qsort(g->items, g->n, sizeof *g->items, compare_along);
        n_places = number_places(g);
    }
    return make_volumes(b, g, n_places);
}

/* --- the series --------------------------------------------------------------------------- */

static int add_header(builder *b, uint32_t file)
{
    const nod_dicom_header *h = b->headers[file];
    kind k = kind_of(h);
    int rc = 0;
    for (int32_t i = 0; !rc && i < h->n_frames; i++) {
        nod_dicom_item item = {
            .slice = {file, (uint32_t)i}, .header = h, .frame = &h->frames[i]};
        group *g = i ? &b->groups[b->n_groups - 1] : NULL;
        if (k != KIND_PROJECTION) {
            rc = add_item(b, k, item);
            continue;
        }
        if (g == NULL) rc = add_group(b, k, &g);
        if (rc) break;
        if (!nod_grow((void **)&g->items, &g->cap, g->n + 1, sizeof item))
            return nod_fail_memory(b->err, "slices", sizeof item);
        g->items[g->n++] = item;
    }
    return rc;
}

int nod_dicom_stacks_build(const nod_dicom_header *const *headers, size_t n,
                           nod_dicom_stacks *out, nod_error *err)
{
    nod_dicom_stacks stacks = {0};
    builder b = {.headers = headers, .out = &stacks, .err = err};
    int rc = n > UINT32_MAX - 1 ? nod_fail(err, NOD_ELIMIT, "a series of %zu files", n) : 0;
    for (uint32_t i = 0; !rc && i < n; i++)
        if (headers[i]->is_image) rc = add_header(&b, i);
    for (size_t i = 0; !rc && i < b.n_groups; i++) /* grows while neighbours are parted */
        rc = make_stacks(&b, i);
    for (size_t i = 0; !rc && i < stacks.n; i++)
        rc = nod_dicom_stack_check_headers(&stacks.items[i], headers, err);
    if (!rc) rc = nod_dicom_stacks_check(&stacks, err);
    for (size_t i = 0; i < b.n_groups; i++)
        nod_free(b.groups[i].items);
    nod_free(b.groups);
    if (rc)
        nod_dicom_stacks_done(&stacks);
    else
        *out = stacks;
    return rc;
}

void nod_dicom_stacks_done(nod_dicom_stacks *s)
{
    for (size_t i = 0; i < s->n; i++) {
        nod_dicom_stack *k = &s->items[i];
        nod_free(k->slices);
        nod_free(k->axis_values);
        nod_free(k->along_mm);
        nod_free(k->shift_mm);
        nod_findings_done(&k->findings);
    }
    nod_free(s->items);
    nod_findings_done(&s->findings);
    *s = (nod_dicom_stacks){0};
}
