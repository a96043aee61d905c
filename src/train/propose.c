/* propose.c: the rules by which a recipe is chosen; see propose.h. */
#include "train/propose.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct facts {
    size_t n; /* training cases */
    int dims;
    int64_t size[3]; /* median D,H,W of the training part */
    int channels;
} facts;

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int gather(const nod_cohort *c, const nod_split *s, facts *out, nod_error *err)
{
    size_t total = nod_cohort_size(c), n = 0;
    int64_t *sides[3] = {nod_calloc(total + 1, 8), nod_calloc(total + 1, 8),
                         nod_calloc(total + 1, 8)};
    int rc = 0;
    facts f = {.dims = 2, .channels = 1};
    if (!sides[0] || !sides[1] || !sides[2]) {
        rc = nod_fail_memory(err, "sizes of the cases", total * 24);
        goto out;
    }
    for (size_t i = 0; i < total; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        if (nod_split_part(s, i) != NOD_PART_TRAIN) continue;
        sides[0][n] = k->depth;
        sides[1][n] = k->height;
        sides[2][n++] = k->width;
        if (k->depth > 1) f.dims = 3;
    }
    if (n == 0) {
        rc = nod_fail(err, NOD_EDATA, "the training part is empty");
        goto out;
    }
    f.n = n;
    for (int d = 0; d < 3; d++) {
        qsort(sides[d], n, sizeof(int64_t), by_value);
        f.size[d] = sides[d][n / 2];
    }
    *out = f;
out:
    for (int d = 0; d < 3; d++)
        nod_free(sides[d]);
    return rc;
}

/* Small images as they are; larger ones reduced to what two cores train in minutes: a plane to a
 * square of 96, a volume to at most 40 a side, in multiples of 8. */
static void choose_size(const facts *f, int64_t out[3])
{
    int64_t limit = f->dims == 3 ? 40 : 96;
    int64_t largest = NOD_MAX(NOD_MAX(f->size[0], f->size[1]), f->size[2]);
    for (int d = 0; d < 3; d++) {
        int64_t side = f->size[d];
        if (largest > limit)
            side = f->dims == 2 ? limit : NOD_MAX(side * limit / largest, 8) / 8 * 8;
        out[d] = f->dims == 2 && d == 0 ? 1 : NOD_MAX(side, 1);
    }
}

static bool is_small(const int64_t size[3])
{
    return size[1] <= 32 && size[2] <= 32;
}

/* Photographs of the screen and slices of different scanners differ in gain: each image of a large
 * plane is normalised by itself. Small ones come from collections made in one way. */
static void write_input(const facts *f, const int64_t size[3], nod_strbuf *b)
{
    nod_strbuf_printf(b, "input: {channels: %d, size: [", f->channels);
    for (int d = 3 - f->dims; d < 3; d++)
        nod_strbuf_printf(b, "%s%lld", d > 3 - f->dims ? ", " : "", (long long)size[d]);
    nod_strbuf_printf(b, "], normalisation: %s}\n",
                      f->dims == 2 && !is_small(size) ? "image" : "dataset");
}

static void write_recipe(const facts *f, const nod_cohort_info *info, const char *cohort_path,
                         const char *split_path, nod_strbuf *b)
{
    int64_t size[3];
    bool few = f->n < 1000;
    choose_size(f, size);
    bool large_plane = f->dims == 2 && !is_small(size);
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
        nod_strbuf_printf(b, "network: {name: cnn, channels: [16, 32, 64], dropout: 0.3}\n");
    nod_strbuf_printf(b, "batch_size: %d\nepochs: %d\n", few ? 16 : 64,
                      !few          ? 25
                      : large_plane ? 40
                                    : 60);
    nod_strbuf_printf(b,
                      "optimiser: {name: adamw, lr: %s}\n"
                      "schedule: {name: one_cycle}\n"
                      "regularisation: {weights: {decay: 0.05}}\n"
                      "validation: {monitor: loss, patience: %d}\n",
                      large_plane ? "0.002" : "0.001", few ? 20 : 10);
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
