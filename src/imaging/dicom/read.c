/* read.c: the voxels of one stack: decoded on all threads straight into the one volume, then
 * repaired as the policies say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/format.h"
#include "imaging/dicom/series.h"
#include "imaging/dicom/values.h"
#include "imaging/resample.h"

#define PIECE 16 /* frames of one file that one task decodes */

/* One frame on its way: from where to where. */
typedef struct move {
    uint32_t file, frame;
    int64_t to; /* plane of the image, counted over phases and slices */
} move;

typedef struct piece {
    size_t first, n; /* moves of one file */
} piece;

typedef struct reading {
    const nod_dicom_scan *scan;
    const nod_dicom_series *series;
    const nod_dicom_stack *stack;
    move *moves; /* by file, then frame */
    size_t n_moves;
    piece *pieces;
    size_t n_pieces;
    nod_dicom_meaning meaning; /* of the first file; all must agree */
    nod_image im;
    uint8_t *padding;  /* one byte a voxel, or NULL */
    nod_error *errors; /* [n_pieces] */
} reading;

/* --- what is to be read ------------------------------------------------------------------- */

static int compare_moves(const void *a, const void *b)
{
    const move *x = a, *y = b;
    if (x->file != y->file) return x->file > y->file ? 1 : -1;
    return (x->frame > y->frame) - (x->frame < y->frame);
}

static int plan(reading *r, nod_error *err)
{
    const nod_dicom_stack *k = r->stack;
    size_t n = (size_t)(k->n_slices * k->n_phases);
    r->moves = nod_calloc(n + 1, sizeof *r->moves);
    r->pieces = nod_calloc(n + 1, sizeof *r->pieces);
    r->errors = nod_calloc(n + 1, sizeof *r->errors);
    if (!r->moves || !r->pieces || !r->errors)
        return nod_fail_memory(err, "a plan of slices", n * sizeof *r->errors);
    for (size_t i = 0; i < n; i++)
        if (k->slices[i].file != NOD_DICOM_NO_FILE)
            r->moves[r->n_moves++] = (move){k->slices[i].file, k->slices[i].frame, (int64_t)i};
    qsort(r->moves, r->n_moves, sizeof *r->moves, compare_moves);
    for (size_t i = 0; i < r->n_moves; i++) {
        piece *last = r->n_pieces ? &r->pieces[r->n_pieces - 1] : NULL;
        if (last && last->n < PIECE && r->moves[last->first].file == r->moves[i].file)
            last->n++;
        else
            r->pieces[r->n_pieces++] = (piece){i, 1};
    }
    return 0;
}

static int open_values(const reading *r, nod_archive_reader *a, uint32_t i_file,
                       nod_dicom_file **file, nod_dicom_values **values, nod_error *err)
{
    bool is_dicom = false;
    const char *name = r->scan->entries[r->series->first + i_file].name;
    int rc = nod_archive_open(a, name, NOD_DICOM_WHOLE, &is_dicom, file, err);
    if (!rc && !is_dicom)
        rc = nod_fail(err, NOD_EFORMAT, "%s/%s: is no longer a DICOM file", a->root, name);
    return rc ? rc : nod_dicom_values_open(*file, values, err);
}

/* --- decoding ----------------------------------------------------------------------------- */

static int check_meaning(const reading *r, const nod_dicom_meaning *m, const char *name,
                         nod_error *err)
{
    const nod_dicom_meaning *f = &r->meaning;
    if (m->rows == f->rows && m->columns == f->columns && m->channels == f->channels &&
        m->sample == f->sample && m->units == f->units)
        return 0;
    return nod_fail(
        err, NOD_EDATA,
        "%s: %lldx%lld pixels of %d channels, unlike the first slice with %lldx%lld "
        "of %d, or values of another kind",
        name, (long long)m->columns, (long long)m->rows, m->channels, (long long)f->columns,
        (long long)f->rows, f->channels);
}

static int read_piece(reading *r, const piece *p, nod_error *err)
{
    nod_archive_reader archive;
    nod_dicom_file *file = NULL;
    nod_dicom_values *values = NULL;
    int64_t n_plane = r->meaning.rows * r->meaning.columns;
    size_t plane_bytes = nod_image_bytes(&r->im) / (size_t)(r->im.frames * r->im.depth);
    int rc = 0;
    nod_archive_reader_init(&archive, r->scan->root);
    NOD_TRY(open_values(r, &archive, r->moves[p->first].file, &file, &values, err));
    NOD_TRY(check_meaning(r, nod_dicom_values_meaning(values), nod_dicom_file_name(file), err));
    for (size_t i = p->first; i < p->first + p->n; i++) {
        const move *m = &r->moves[i];
        uint8_t *padding = r->padding ? r->padding + m->to * n_plane : NULL;
        NOD_TRY(nod_dicom_values_read(values, m->frame, 1,
                                      (char *)r->im.data + (size_t)m->to * plane_bytes, padding,
                                      err));
    }
out:
    nod_dicom_values_close(values);
    nod_dicom_file_close(file);
    nod_archive_reader_done(&archive);
    return rc;
}

static void read_one(void *ctx, int64_t i)
{
    reading *r = ctx;
    r->errors[i].code = read_piece(r, &r->pieces[i], &r->errors[i]);
}

/* What the values of the first file are, and whether padding is to be expected. */
static int look_at_first(reading *r, nod_error *err)
{
    nod_archive_reader archive;
    nod_dicom_file *file = NULL;
    nod_dicom_values *values = NULL;
    nod_archive_reader_init(&archive, r->scan->root);
    int rc = open_values(r, &archive, r->moves[0].file, &file, &values, err);
    if (!rc) r->meaning = *nod_dicom_values_meaning(values);
    nod_dicom_values_close(values);
    nod_dicom_file_close(file);
    nod_archive_reader_done(&archive);
    return rc;
}

/* Padding that was read, and slices that are not there. */
static int gather_padding(reading *r, nod_error *err)
{
    const nod_dicom_stack *k = r->stack;
    int64_t n = nod_image_voxels(&r->im), n_planes = k->n_slices * k->n_phases;
    int rc = 0;
    for (int64_t i = 0; r->padding && i < n && rc == 0; i++)
        if (r->padding[i]) rc = nod_image_set_padding(&r->im, i, err);
    for (int64_t p = 0; p < n_planes; p++)
        for (int64_t i = 0; k->slices[p].file == NOD_DICOM_NO_FILE && i < n / n_planes; i++) {
            rc = rc ? rc : nod_image_set_padding(&r->im, p * (n / n_planes) + i, err);
        }
    return rc;
}

static int decode(reading *r, nod_error *err)
{
    const nod_dicom_stack *k = r->stack;
    int rc = look_at_first(r, err);
    if (rc) return rc;
    NOD_TRY(nod_image_init_frames(&r->im, k->n_phases, k->n_slices, r->meaning.rows,
                                  r->meaning.columns, r->meaning.channels, r->meaning.sample,
                                  err));
    if (r->meaning.has_padding) {
        size_t n = (size_t)nod_image_voxels(&r->im);
        r->padding = nod_calloc(n, 1);
        if (r->padding == NULL) return nod_fail_memory(err, "which voxels are padding", n);
    }
    nod_parallel_for((int64_t)r->n_pieces, read_one, r);
    for (size_t i = 0; i < r->n_pieces; i++) {
        if (r->errors[i].code == 0) continue;
        *err = r->errors[i]; /* the first by file, whatever the threads did */
        return err->code;
    }
    rc = gather_padding(r, err);
out:
    return rc;
}

/* --- what the file says, and repairs ------------------------------------------------------ */

static void set_facts(reading *r, const nod_dicom_header *h)
{
    nod_image_facts *f = &r->im.facts;
    snprintf(f->modality, sizeof f->modality, "%s", h->modality);
    snprintf(f->photometric, sizeof f->photometric, "%s", r->meaning.photometric);
    snprintf(f->intent, sizeof f->intent, "%s", h->intent);
    snprintf(f->view, sizeof f->view, "%s", h->view);
    f->laterality = h->laterality[0];
    f->units = r->meaning.units;
    f->axis = r->stack->axis;
    f->format = nod_dicom_format.name;
    r->im.geometry = r->stack->geometry;
}

static bool is_to_repair(const nod_dicom_stack *k, const nod_policies *policies)
{
    static const nod_finding_kind kinds[] = {NOD_FINDING_GAP, NOD_FINDING_UNEVEN_SPACING,
                                             NOD_FINDING_GANTRY_TILT};
    for (size_t i = 0; i < NOD_COUNT(kinds); i++)
        if (nod_findings_has(&k->findings, kinds[i]) &&
            policies->of[kinds[i]] != NOD_POLICY_ACCEPT)
            return true;
    return false;
}

/* Where voxel (0,0) of each slice lies. */
static void place_slices(const nod_dicom_stack *k, double (*origin_mm)[3])
{
    const nod_geometry *g = &k->geometry;
    for (int64_t i = 0; i < k->n_slices; i++)
        for (int c = 0; c < 3; c++)
            origin_mm[i][c] = g->origin_mm[c] + k->along_mm[i] * g->direction[2][c] +
                              k->shift_mm[i][0] * g->direction[0][c] +
                              k->shift_mm[i][1] * g->direction[1][c];
}

static double air_of(const nod_image *im)
{
    const float *v = im->data;
    if (im->facts.units == NOD_UNITS_HU) return -1000;
    if (im->sample != NOD_SAMPLE_F32) return 0;
    double low = INFINITY;
    for (int64_t i = 0; i < nod_image_samples(im); i++)
        low = NOD_MIN(low, (double)v[i]);
    return low;
}

static int repair(reading *r, const nod_policies *policies, nod_error *err)
{
    const nod_dicom_stack *k = r->stack;
    nod_image even = {0};
    if (k->projection || !is_to_repair(k, policies)) return 0;
    double(*origin_mm)[3] = nod_calloc((size_t)k->n_slices, sizeof *origin_mm);
    if (origin_mm == NULL)
        return nod_fail_memory(err, "places of slices",
                               (size_t)k->n_slices * sizeof *origin_mm);
    place_slices(k, origin_mm);
    int rc = nod_image_resample_slices(&r->im, (const double(*)[3])origin_mm,
                                       k->geometry.spacing_mm[2], air_of(&r->im), &even, err);
    nod_free(origin_mm);
    if (rc) return rc;
    nod_image_done(&r->im);
    r->im = even;
    return 0;
}

int nod_dicom_stack_read(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                         const nod_policies *policies, nod_image *out, nod_findings *findings,
                         nod_error *err)
{
    reading r = {.scan = scan,
                 .series = &scan->series[i_series],
                 .stack = &scan->series[i_series].stacks.items[i_stack]};
    const nod_policies preset = nod_policies_preset();
    int rc = 0;
    if (policies == NULL) policies = &preset;
    NOD_TRY(
        nod_dicom_stack_judge(scan, i_series, i_stack, policies, scan->root, findings, err));
    NOD_TRY(plan(&r, err));
    NOD_TRY(decode(&r, err));
    set_facts(&r, nod_dicom_stack_header(scan, i_series, i_stack));
    nod_dicom_fill_padding(&r.im);
    if (r.meaning.is_rounded)
        NOD_TRY(nod_policies_judge(policies, findings, scan->root, NOD_FINDING_ROUNDED,
                                   "integers of more than 24 bits", err));
    NOD_TRY(repair(&r, policies, err));
    *out = r.im;
    r.im = (nod_image){0};
out:
    nod_image_done(&r.im);
    nod_free(r.moves);
    nod_free(r.pieces);
    nod_free(r.errors);
    nod_free(r.padding);
    return rc;
}

int nod_dicom_series_read(const nod_dicom_scan *scan, size_t i_series,
                          const nod_policies *policies, nod_image *out, nod_findings *findings,
                          nod_error *err)
{
    const nod_dicom_stacks *s = &scan->series[i_series].stacks;
    bool split = policies && policies->of[NOD_FINDING_SEVERAL_STACKS] == NOD_POLICY_SPLIT;
    if (s->n == 0)
        return nod_fail(err, NOD_EDATA, "%s: no images, only reports, plans or the like",
                        scan->root);
    if (s->n > 1 && (s->items[0].projection || split))
        return nod_fail(err, NOD_EDATA, "%s: %zu images or stacks where one is wanted",
                        scan->root, s->n);
    return nod_dicom_stack_read(scan, i_series, 0, policies, out, findings, err);
}

int nod_dicom_files_read(const char *root, const nod_strlist *names,
                         const nod_policies *policies, nod_image *out, nod_findings *findings,
                         nod_error *err)
{
    nod_dicom_scan scan;
    int rc = nod_dicom_scan_files(root, names, &scan, err);
    if (rc) return rc;
    if (scan.n_series == 1)
        rc = nod_dicom_series_read(&scan, 0, policies, out, findings, err);
    else
        rc = nod_fail(err, NOD_EDATA, "%s: files of %zu series where one is wanted", root,
                      scan.n_series);
    nod_dicom_scan_done(&scan);
    return rc;
}
