/* test_restore_data.c: masks of real volumes (hippocampus of the Medical Segmentation Decathlon, NIfTI),
 * where they are: $NODULE_DATA or ../shared/data. Onto the grid of a contract and back on the
 * image's: equal voxel by voxel where nothing was resampled. Else the centre of mass of a probability
 * map stays within a tenth of a voxel for each case, and the centroid of a mask on average: its tails
 * of one voxel come and go with the sampling, in either direction. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "imaging/contract.h"
#include "imaging/reader.h"
#include "imaging/resample.h"

#define EVERY 8 /* cases; all of them take minutes and differ little */

static void must(int rc, const nod_error *err)
{
    if (rc != 0) fail_msg("%s", err->message);
}

static nod_contract parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    nod_contract k;
    must(nod_json_parse(text, strlen(text), "t", &j, &err), &err);
    must(nod_contract_from_json(j, "input", &k, &err), &err);
    nod_json_free(j);
    return k;
}

/* Labels 1 and 2 together, as u8 or as the probability 1. */
static nod_image whole(const nod_image *labels, nod_sample sample)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    must(nod_image_init(&im, labels->depth, labels->height, labels->width, 1, sample, &err),
         &err);
    im.geometry = labels->geometry;
    for (int64_t n = 0; n < nod_image_voxels(labels); n++) {
        bool in = ((const uint8_t *)labels->data)[n] > 0;
        if (sample == NOD_SAMPLE_U8)
            ((uint8_t *)im.data)[n] = in;
        else
            ((float *)im.data)[n] = in;
    }
    return im;
}

/* Centre of mass in voxels of `on` along i, j, k. */
static void centroid(const nod_image *im, const nod_geometry *on, double out[3])
{
    double sum[3] = {0}, mass = 0, world[3];
    for (int64_t n = 0; n < nod_image_voxels(im); n++) {
        double v = im->sample == NOD_SAMPLE_U8 ? ((uint8_t *)im->data)[n]
                                               : (double)((float *)im->data)[n];
        sum[0] += v * (double)(n % im->width);
        sum[1] += v * (double)(n / im->width % im->height);
        sum[2] += v * (double)(n / im->width / im->height);
        mass += v;
    }
    for (int a = 0; a < 3; a++)
        sum[a] /= mass;
    nod_geometry_world(&im->geometry, sum, world);
    nod_geometry_index(on, world, out);
}

static double distance(const nod_image *a, const nod_image *b, const nod_geometry *on)
{
    double was[3], is[3], largest = 0;
    centroid(a, on, was);
    centroid(b, on, is);
    for (int i = 0; i < 3; i++)
        largest = fmax(largest, fabs(is[i] - was[i]));
    return largest;
}

static const struct {
    const char *contract;
    bool exact;
} ways[] = {
    {"{\"size\":[64,64,64],\"fit\":\"crop\",\"orientation\":\"LPS\"}", true},
    {"{\"size\":[64,64,64],\"fit\":\"crop\",\"orientation\":\"SAR\",\"pad\":70}", true},
    {"{\"size\":[96,96,96],\"fit\":\"crop\",\"spacing\":0.7,\"orientation\":\"LPS\"}", false},
    {"{\"size\":[64,64,64]}", false},
};

/* By how much a centroid moves on the way back, and there and back. */
typedef struct shifts {
    double back, circle;
} shifts;

static shifts there_and_back(const nod_image *im, size_t way)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = parse(ways[way].contract);
    bool is_labels = im->sample == NOD_SAMPLE_U8;
    nod_image seen = {0}, back = {0};
    nod_geometry g;
    must(nod_contract_grid(&k, &im->geometry, &g, &err), &err);
    must(is_labels ? nod_image_resample_labels(im, &g, &seen, &err)
                   : nod_image_resample(im, &g, NOD_INTERP_LINEAR, 0, &seen, &err),
         &err);
    must(nod_contract_restore(&k, &im->geometry, &seen, is_labels, &back, &err), &err);
    must(nod_geometry_agree(&im->geometry, "image", &back.geometry, "restored", &err), &err);
    if (ways[way].exact) assert_memory_equal(back.data, im->data, nod_image_bytes(im));
    shifts s = {distance(&seen, &back, &im->geometry), distance(im, &back, &im->geometry)};
    nod_image_done(&seen);
    nod_image_done(&back);
    return s;
}

typedef struct totals {
    double n, mean_back, mean_circle, most_back, most_circle;
} totals;

static void add(totals *t, shifts s)
{
    t->n++;
    t->mean_back += s.back;
    t->mean_circle += s.circle;
    t->most_back = fmax(t->most_back, s.back);
    t->most_circle = fmax(t->most_circle, s.circle);
}

static void check(const totals *t, size_t way, bool is_labels)
{
    double back = t->mean_back / t->n, circle = t->mean_circle / t->n;
    print_message(
        "%g %s, %s: centroids move by %.4f voxels back (at most %.4f), %.4f there and "
        "back (%.4f)\n",
        t->n, is_labels ? "masks" : "maps", ways[way].contract, back, t->most_back, circle,
        t->most_circle);
    if (ways[way].exact) {
        assert_true(t->most_back < 1e-9 && t->most_circle < 1e-9);
    } else if (is_labels) {
        assert_true(back < 0.1 && circle < 0.1);
    } else {
        assert_true(t->most_back < 0.1 && t->most_circle < 0.1);
    }
}

static void test_hippocampus(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    const char *dir = getenv("NODULE_DATA");
    if (dir == NULL || !nod_path_is_dir(dir)) dir = "../shared/data";
    char *images = nod_path_join(dir, "hippocampus/images"),
         *labels = nod_path_join(dir, "hippocampus/labels");
    nod_strlist names = NOD_STRLIST_INIT;
    totals of[NOD_COUNT(ways)][2] = {{{0}}};
    if (!nod_path_is_dir(images)) {
        print_message("SKIPPED: hippocampus is not here (set NODULE_DATA)\n");
        nod_free(images);
        nod_free(labels);
        return;
    }
    must(nod_dir_list(images, &names, &err), &err);
    for (size_t i = 0; i < names.n; i += EVERY) {
        nod_image image = {0}, mask = {0};
        char *a = nod_path_join(images, names.items[i]),
             *b = nod_path_join(labels, names.items[i]);
        must(nod_image_read(a, NULL, NULL, &image, &err), &err);
        must(nod_image_read(b, NULL, NULL, &mask, &err), &err);
        must(nod_geometry_agree(&image.geometry, a, &mask.geometry, b, &err), &err);
        assert_int_equal(mask.sample, NOD_SAMPLE_U8);
        for (int soft = 0; soft < 2; soft++) {
            nod_image im = whole(&mask, soft ? NOD_SAMPLE_F32 : NOD_SAMPLE_U8);
            for (size_t w = 0; w < NOD_COUNT(ways); w++)
                add(&of[w][soft], there_and_back(&im, w));
            nod_image_done(&im);
        }
        nod_image_done(&image);
        nod_image_done(&mask);
        nod_free(a);
        nod_free(b);
    }
    for (size_t w = 0; w < NOD_COUNT(ways); w++)
        for (int soft = 0; soft < 2; soft++)
            check(&of[w][soft], w, soft == 0);
    nod_strlist_done(&names);
    nod_free(images);
    nod_free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hippocampus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
