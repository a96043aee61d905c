/* test_seg.c: segmentations that highdicom wrote (tools/oracles/seg.py), whose masks are functions of
 * place and segment. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/dicom/seg.h"

#define GOLDEN "tests/golden/dicom/"
enum { COLUMNS = 20, ROWS = 16, SLICES = 6 };

static nod_error err;

/* The same as `inside` in tools/oracles/seg.py. */
static bool inside(int segment, int64_t x, int64_t y, int64_t z)
{
    if (segment == 1)
        return (x - 6) * (x - 6) + (y - 8) * (y - 8) < 25 && (z == 1 || z == 2 || z == 4);
    if (segment == 2) return x >= 8 && x < 14 && y >= 5 && y < 11 && z >= 2 && z <= 5;
    return x >= 15 && y == z + 2;
}

static void read_golden(const char *name, nod_dicom_seg *s)
{
    char path[100];
    snprintf(path, sizeof path, GOLDEN "seg_%s.dcm", name);
    if (nod_dicom_seg_read(path, NULL, s, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(s->n, 3);
}

static void assert_grid(const nod_geometry *g)
{
    const double position[3] = {10, -20, 30}, row[3] = {0.8, 0.6, 0},
                 column[3] = {-0.6, 0.8, 0};
    const double spacing[3] = {0.75, 1.5, 2.5};
    assert_int_equal(g->size[0], COLUMNS);
    assert_int_equal(g->size[1], ROWS);
    assert_int_equal(g->size[2], SLICES);
    for (int c = 0; c < 3; c++) {
        assert_true(fabs(g->origin_mm[c] - position[c]) < 1e-5);
        assert_true(fabs(g->direction[0][c] - row[c]) < 1e-9);
        assert_true(fabs(g->direction[1][c] - column[c]) < 1e-9);
        assert_true(fabs(g->spacing_mm[c] - spacing[c]) < 1e-5);
    }
}

#define FOR_EACH_VOXEL(i)                       \
    for (int64_t i = 0, z = 0; z < SLICES; z++) \
        for (int64_t y = 0; y < ROWS; y++)      \
            for (int64_t x = 0; x < COLUMNS; x++, i++)

static void test_binary(void **state)
{
    (void)state;
    nod_dicom_seg s;
    read_golden("binary", &s);
    assert_int_equal(s.type, NOD_DICOM_SEG_BINARY);
    for (int n = 1; n <= 3; n++) {
        const nod_dicom_segment *one = &s.segments[n - 1];
        char label[20];
        snprintf(label, sizeof label, "segment %d", n);
        assert_int_equal(one->number, n);
        assert_string_equal(one->label, label);
        assert_grid(&one->mask.geometry);
        FOR_EACH_VOXEL(i)
        assert_int_equal(((uint8_t *)one->mask.data)[i], inside(n, x, y, z));
    }
    nod_dicom_seg_done(&s);
}

/* .25, .75 and 1 of a maximum of 200 are stored as 50, 150, 200. */
static void test_fractional(void **state)
{
    (void)state;
    nod_dicom_seg s;
    const float fraction[3] = {0.25f, 0.75f, 1.0f};
    read_golden("fractional", &s);
    assert_int_equal(s.type, NOD_DICOM_SEG_FRACTIONAL);
    assert_true(s.fractional_max == 200);
    for (int n = 1; n <= 3; n++) {
        const float *v = s.segments[n - 1].mask.data;
        FOR_EACH_VOXEL(i)
        assert_true(v[i] == (inside(n, x, y, z) ? fraction[n - 1] : 0));
    }
    nod_dicom_seg_done(&s);
}

/* In the label map segment 2 took what it shares with 1; segment 0, the background, is none. */
static void test_label_map(void **state)
{
    (void)state;
    nod_dicom_seg s;
    read_golden("labelmap", &s);
    assert_int_equal(s.type, NOD_DICOM_SEG_LABELMAP);
    for (int n = 1; n <= 3; n++) {
        assert_int_equal(s.segments[n - 1].number, n);
        FOR_EACH_VOXEL(i)
        assert_int_equal(((uint8_t *)s.segments[n - 1].mask.data)[i],
                         inside(n, x, y, z) && !(n == 1 && inside(2, x, y, z)));
    }
    nod_dicom_seg_done(&s);
}

static int label_of(const int32_t order[2], int64_t x, int64_t y, int64_t z)
{
    if (inside(3, x, y, z)) return 3;
    for (int i = 0; i < 2; i++)
        if (inside(order[i], x, y, z)) return order[i];
    return 0;
}

static void test_labels_by_priority(void **state)
{
    (void)state;
    nod_dicom_seg s;
    nod_image labels;
    static const int32_t orders[2][2] = {{1, 2}, {2, 1}}, none[1] = {7};
    read_golden("binary", &s);
    assert_int_equal(nod_dicom_seg_labels(&s, NULL, 0, &labels, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "segments 1 and 2 overlap"));
    assert_int_equal(nod_dicom_seg_labels(&s, orders[0], 1, &labels, &err), NOD_EDATA);
    assert_int_equal(nod_dicom_seg_labels(&s, none, 1, &labels, &err), NOD_EINVAL);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(nod_dicom_seg_labels(&s, orders[k], 2, &labels, &err), 0);
        assert_int_equal(labels.sample, NOD_SAMPLE_U8);
        assert_grid(&labels.geometry);
        FOR_EACH_VOXEL(i)
        assert_int_equal(((uint8_t *)labels.data)[i], label_of(orders[k], x, y, z));
        nod_image_done(&labels);
    }
    nod_dicom_seg_done(&s);
}

/* On the grid of the image, here with two more slices below, one above, and turned over: empty planes
 * stay empty, and each frame is where it was in the patient. */
static void test_on_the_grid_of_the_image(void **state)
{
    (void)state;
    nod_dicom_seg s;
    nod_geometry grid, moved;
    read_golden("binary", &s);
    grid = s.segments[0].mask.geometry;
    nod_dicom_seg_done(&s);
    for (int turned = 0; turned < 2; turned++) {
        nod_geometry on = grid;
        const double first[3] = {0, 0, turned ? SLICES : -2}; /* one above, or two below */
        nod_geometry_world(&grid, first, on.origin_mm);
        on.size[2] = SLICES + 3;
        for (int c = 0; c < 3 && turned; c++)
            on.direction[2][c] = -on.direction[2][c];
        assert_int_equal(nod_dicom_seg_read(GOLDEN "seg_binary.dcm", &on, &s, &err), 0);
        const uint8_t *v = s.segments[1].mask.data;
        for (int64_t i = 0, k = 0; k < SLICES + 3; k++)
            for (int64_t y = 0; y < ROWS; y++)
                for (int64_t x = 0; x < COLUMNS; x++, i++)
                    assert_int_equal(v[i], inside(2, x, y, turned ? SLICES - k : k - 2));
        nod_dicom_seg_done(&s);
    }
    moved = grid;
    moved.origin_mm[0] += 0.3;
    assert_int_equal(nod_dicom_seg_read(GOLDEN "seg_binary.dcm", &moved, &s, &err), NOD_EDATA);
    moved = grid;
    moved.size[2] = 3;
    assert_int_equal(nod_dicom_seg_read(GOLDEN "seg_binary.dcm", &moved, &s, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "on none of 3 planes"));
}

static void test_no_segmentation(void **state)
{
    (void)state;
    nod_dicom_seg s;
    assert_int_equal(nod_dicom_seg_read(GOLDEN "enhanced_ct.dcm", NULL, &s, &err), NOD_EDATA);
    assert_int_equal(nod_dicom_seg_read(GOLDEN "none.dcm", NULL, &s, &err), NOD_ENOENT);
    assert_true(nod_dicom_seg_is("1.2.840.10008.5.1.4.1.1.66.4"));
    assert_false(nod_dicom_seg_is("1.2.840.10008.5.1.4.1.1.66.40"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_fractional),
        cmocka_unit_test(test_label_map),
        cmocka_unit_test(test_labels_by_priority),
        cmocka_unit_test(test_on_the_grid_of_the_image),
        cmocka_unit_test(test_no_segmentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
