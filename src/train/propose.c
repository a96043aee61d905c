/* propose.c: the rules by which a recipe is chosen; see propose.h. */
#include "train/propose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What a plane or a volume is reduced to, so that two cores train it in minutes. */
#define PLANE_SIDE  96
#define VOLUME_SIDE 40
#define PLACED_SIDE 32 /* of volumes whose millimetres are known: all of it is patient */

typedef struct facts {
    size_t n; /* training cases */
    int dims;
    int64_t size[3];      /* median D,H,W of the training part */
    bool is_placed;       /* all of them know orientation and spacing */
    double extent_mm[3];  /* placed: median D,H,W after turning to LPS */
    double finest_mm;     /* placed: median of the smallest spacing */
    int64_t frames;       /* of all of them; 0: they differ */
    const char *modality; /* of all of them; "" unknown, or they differ */
} facts;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* What is measured of each case; medians are taken of each. */
enum { DEPTH, HEIGHT, WIDTH, EXTENT, FINEST = EXTENT + 3, MEASURES };

static bool measure(const nod_case *k, double out[MEASURES])
{
    const double side[3] = {(double)k->width, (double)k->height, (double)k->depth};
    out[DEPTH] = side[2];
    out[HEIGHT] = side[1];
    out[WIDTH] = side[0];
    out[FINEST] = NOD_MIN(NOD_MIN(k->spacing_mm[0], k->spacing_mm[1]), k->spacing_mm[2]);
    if (strlen(k->orientation) != 3 || !(out[FINEST] > 0)) return false;
    for (int a = 0; a < 3; a++) { /* D is feet to head, W right to left */
        int d = strchr("SI", k->orientation[a]) ? 0 : strchr("PA", k->orientation[a]) ? 1 : 2;
        out[EXTENT + d] = side[a] * k->spacing_mm[a];
    }
    return true;
}

static int gather(const nod_cohort *c, const nod_split *s, facts *out, nod_error *err)
{
    size_t total = nod_cohort_size(c), n = 0;
    double *column[MEASURES], *all = nod_calloc((total + 1) * MEASURES, sizeof *all);
    facts f = {.dims = 2, .is_placed = true};
    if (!all) return nod_fail_memory(err, "sizes of the cases", total * MEASURES * sizeof *all);
    for (int m = 0; m < MEASURES; m++)
        column[m] = all + (size_t)m * (total + 1);
    for (size_t i = 0; i < total; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        double v[MEASURES] = {0};
        if (nod_split_part(s, i) != NOD_PART_TRAIN) continue;
        f.is_placed = measure(k, v) && f.is_placed;
        for (int m = 0; m < MEASURES; m++)
            column[m][n] = v[m];
        if (k->depth > 1) f.dims = 3;
        f.frames = n == 0 || f.frames == k->frames ? k->frames : 0;
        f.modality = n == 0 || strcmp(f.modality, k->modality) == 0 ? k->modality : "";
        n++;
    }
    for (int m = 0; m < MEASURES && n > 0; m++)
        qsort(column[m], n, sizeof(double), by_value);
    f.n = n;
    f.is_placed = f.is_placed && f.dims == 3;
    for (int d = 0; d < 3; d++) {
        f.size[d] = (int64_t)column[d][n / 2];
        f.extent_mm[d] = column[EXTENT + d][n / 2];
    }
    f.finest_mm = column[FINEST][n / 2];
    nod_free(all);
    if (n == 0) return nod_fail(err, NOD_EDATA, "the training part is empty");
    *out = f;
    return 0;
}

/* Small images as they are; larger ones reduced: a plane to a square, a volume in proportion, in
 * multiples of 8. */
static void choose_size(const facts *f, int64_t out[3])
{
    int64_t limit = f->dims == 3 ? VOLUME_SIDE : PLANE_SIDE;
    int64_t largest = NOD_MAX(NOD_MAX(f->size[0], f->size[1]), f->size[2]);
    for (int d = 0; d < 3; d++) {
        int64_t side = f->size[d];
        if (largest > limit)
            side = f->dims == 2 ? limit : NOD_MAX(side * limit / largest, 8) / 8 * 8;
        out[d] = f->dims == 2 && d == 0 ? 1 : NOD_MAX(side, 1);
    }
}

/* Cubes of voxels that take in the median patient, in tenths of a millimetre. */
static double choose_spacing(const facts *f, int64_t size[3])
{
    double largest = NOD_MAX(NOD_MAX(f->extent_mm[0], f->extent_mm[1]), f->extent_mm[2]);
    double mm = ceil(10 * NOD_MAX(largest / PLACED_SIDE, f->finest_mm)) / 10;
    for (int d = 0; d < 3; d++)
        size[d] = NOD_MAX((int64_t)((f->extent_mm[d] / mm + 7) / 8) * 8, 8);
    return mm;
}

static bool is_small(const int64_t size[3])
{
    return size[1] <= 32 && size[2] <= 32;
}

/* Photographs of the screen and slices of different scanners differ in gain: each image of a large
 * plane is normalised by itself. Small ones come from collections made in one way. Volumes with a
 * place: all in one orientation and spacing; the values of CT mean the same everywhere, others are
 * normalised by the patient alone. */
static void write_input(const facts *f, int64_t size[3], nod_strbuf *b)
{
    double mm = f->is_placed ? choose_spacing(f, size) : 0;
    bool is_ct = strcmp(f->modality, "CT") == 0;
    bool by_image = f->is_placed ? !is_ct : f->dims == 2 && !is_small(size);
    nod_strbuf_printf(b, "input: {channels: %lld, size: [",
                      (long long)(f->frames > 1 ? f->frames : 1));
    for (int d = 3 - f->dims; d < 3; d++)
        nod_strbuf_printf(b, "%s%lld", d > 3 - f->dims ? ", " : "", (long long)size[d]);
    nod_strbuf_printf(b, "], normalisation: %s", by_image ? "image" : "dataset");
    if (f->frames != 1) nod_strbuf_printf(b, ", frames: %s", f->frames > 1 ? "all" : "first");
    if (*f->modality) nod_strbuf_printf(b, ", modality: %s", f->modality);
    if (f->is_placed)
        nod_strbuf_printf(
            b, ", orientation: LPS, fit: crop, spacing: [%g, %g, %g], %s", mm, mm, mm,
            is_ct ? "clip: [0.5, 99.5], clip_by: dataset" : "statistics: foreground");
    nod_strbuf_add(b, "}\n");
}

static void write_recipe(const facts *f, const nod_cohort_info *info, const char *cohort_path,
                         const char *split_path, nod_strbuf *b)
{
    int64_t size[3];
    bool few = f->n < 1000;
    choose_size(f, size);
    bool large_plane = f->dims == 2 && !is_small(size), large = large_plane || f->is_placed;
    nod_strbuf_printf(b, "task: %s\n",
                      info->multilabel       ? "multilabel"
                      : info->n_classes == 2 ? "binary"
                                             : "multiclass");
    nod_strbuf_printf(b, "cohort: '%s'\nsplit: '%s'\n", cohort_path, split_path);
    write_input(f, size, b);
    if (large_plane) /* a finding may be small: the largest answer counts, not the mean */
        nod_strbuf_printf(b, "network: {name: cnn, channels: [16, 32, 64], convs_per_stage: 2, "
                             "global_pool: max, dropout: 0.3}\n");
    else if (f->dims == 2)
        nod_strbuf_printf(b, "network: {name: resnet18, width: 32, dropout: 0.2}\n");
    else
        nod_strbuf_printf(b, "network: {name: cnn, channels: [16, 32, 64], %sdropout: 0.3}\n",
                          f->is_placed ? "global_pool: max, " : "");
    nod_strbuf_printf(b, "batch_size: %d\nepochs: %d\n", few ? 16 : 64,
                      !few           ? 25
                      : f->is_placed ? 30
                      : large_plane  ? 40
                                     : 60);
    nod_strbuf_printf(b,
                      "optimiser: {name: adamw, lr: %s}\n"
                      "schedule: {name: one_cycle}\n"
                      "regularisation: {weights: {decay: 0.05}}\n"
                      "validation: {monitor: loss, patience: %d}\n",
                      large ? "0.002" : "0.001", few ? 20 : 10);
    if (info->unit !=
        NOD_LEVEL_IMAGE) /* the highest of several is too sure: not one scale alone */
        nod_strbuf_printf(
            b, "unit: {level: %s}\n%s", nod_level_name(info->unit),
            info->n_classes == 2 || info->multilabel ? "answer: {calibration: platt}\n" : "");
}

int nod_recipe_propose(const nod_cohort *c, const nod_split *s, const char *cohort_path,
                       const char *split_path, char **out, nod_error *err)
{
    facts f = {.dims = 2};
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_recipe *r = NULL;
    int rc = 0;
    if (strpbrk(cohort_path, "'\n") || strpbrk(split_path, "'\n"))
        return nod_fail(err, NOD_EINVAL,
                        "paths with quotes or line breaks cannot stand in a recipe");
    NOD_TRY(nod_cohort_need_labels(c, err));
    NOD_TRY(gather(c, s, &f, err));
    write_recipe(&f, nod_cohort_get_info(c), cohort_path, split_path, &b);
    if (b.failed) {
        rc = nod_fail_memory(err, "recipe", 4096);
        goto out;
    }
    NOD_TRY(nod_recipe_parse(b.data, b.len, "proposed recipe", &r, err));
    NOD_TRY(nod_recipe_render(r, out, err));
out:
    nod_recipe_free(r);
    nod_strbuf_done(&b);
    return rc;
}
