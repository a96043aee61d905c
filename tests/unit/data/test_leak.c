/* test_leak.c: planted copies in a folder of images are found, with their kind, and nothing else is.
 * Expected: what was planted. */
#include "data/leak.h"

#include <math.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/layout.h"
#include "imaging/resize.h"
#include "picture_maker.h"

#define ORIGINALS 24

enum { EQUAL, NOISY, SMALLER, MIRRORED, TURNED, CROPPED, INVERTED, WAYS };
static const char *const kinds[WAYS] = {"",        "re-encoded", "resized", "mirrored",
                                        "rotated", "cropped",    "inverted"};

/* A copy of one of the ways; returns its sides. */
static void change(int way, uint64_t seed, const float *v, float *out, int64_t size[2])
{
    nod_error err = NOD_ERROR_INIT;
    nod_rng r = nod_rng_make(seed, NOD_RNG_TEST, 2);
    const int64_t from[3] = {1, SIDE, SIDE}, to[3] = {1, 70, 80};
    size[0] = size[1] = SIDE;
    if (way == CROPPED) {
        size[0] = SIDE - 6; /* four rows above, two below, five columns on the left */
        size[1] = SIDE - 5;
    }
    if (way == SMALLER) {
        if (nod_resize_f32(v, from, out, to, NOD_INTERP_AREA, &err))
            fail_msg("%s", err.message);
        size[0] = to[1];
        size[1] = to[2];
        return;
    }
    for (int64_t y = 0; y < size[0]; y++)
        for (int64_t x = 0; x < size[1]; x++) {
            float *o = &out[y * size[1] + x];
            *o = v[y * SIDE + x];
            if (way == NOISY) *o += (float)nod_rng_range(&r, -3, 3);
            if (way == MIRRORED) *o = v[y * SIDE + SIDE - 1 - x];
            if (way == TURNED) *o = v[x * SIDE + SIDE - 1 - y];
            if (way == CROPPED) *o = v[(y + 4) * SIDE + x + 5];
            if (way == INVERTED) *o = 255 - v[y * SIDE + x];
        }
}

/* ORIGINALS pictures in class "no"; a copy of picture k by way k in class "yes", for k below WAYS. */
static void plant(const char *folder)
{
    float *v = nod_calloc(SIDE * SIDE, sizeof *v),
          *copy = nod_calloc(SIDE * SIDE, sizeof *copy);
    char name[32];
    for (int k = 0; k < ORIGINALS; k++) {
        int64_t size[2];
        paint((uint64_t)k, v);
        snprintf(name, sizeof name, "no/%02d.png", k);
        save(folder, name, v, SIDE, SIDE);
        if (k >= WAYS) continue;
        change(k, (uint64_t)k, v, copy, size);
        snprintf(name, sizeof name, "yes/%02d.png", k);
        save(folder, name, copy, size[0], size[1]);
    }
    nod_free(v);
    nod_free(copy);
}

static nod_cohort *indexed(const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    nod_cohort *c = NULL;
    o.folder = folder;
    if (nod_index(folder, &o, &c, &err)) fail_msg("%s", err.message);
    return c;
}

/* 7 of ".../no/07.png". */
static int picture_of(const nod_cohort *c, size_t i)
{
    const char *file = nod_cohort_get(c, i)->file, *digits = file + strlen(file) - 6;
    return 10 * (digits[0] - '0') + digits[1] - '0';
}

static void check_rows(const nod_cohort *c, const nod_leaks *l)
{
    bool met[WAYS] = {false};
    for (size_t k = 0; k < l->n; k++) {
        const nod_leak_row *r = &l->rows[k];
        char kind[64];
        int picture = picture_of(c, r->i);
        assert_int_equal(picture, picture_of(c, r->j));
        assert_in_range(picture, 0, WAYS - 1);
        assert_true(r->other_label);
        assert_int_equal(r->kind, picture == EQUAL ? NOD_LEAK_PIXELS : NOD_LEAK_NEAR);
        met[picture] = true;
        if (picture == EQUAL) continue;
        nod_similar_kind(&r->near, kind, sizeof kind);
        assert_string_equal(kind, kinds[picture]);
        assert_int_equal(r->near.correlation < 0, picture == INVERTED);
    }
    for (int k = 0; k < WAYS; k++)
        if (!met[k]) fail_msg("the copy %s was not found", kinds[k]);
}

static void test_planted_copies(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    const char *folder = *state;
    plant(folder);
    nod_cohort *c = indexed(folder);
    for (int threads = 1; threads <= 3; threads += 2) {
        nod_near_options o = {.threads = threads};
        nod_leaks l = {0};
        nod_strbuf csv = NOD_STRBUF_INIT;
        if (nod_leaks_find(c, NULL, &o, &l, &err)) fail_msg("%s", err.message);
        assert_int_equal(l.n, WAYS);
        check_rows(c, &l);
        assert_int_equal(l.n_sets[NOD_LEAK_NEAR], WAYS - 1);
        assert_int_equal(l.n_equal_cases, 2);
        assert_int_equal(l.n_contradictory_sets, 1);
        assert_int_equal(l.n_parted[NOD_LEAK_NEAR], 0);
        nod_leaks_add_csv(&l, c, NULL, &csv);
        expect_in(csv.data, "near-duplicate,");
        expect_in(csv.data, ",differ,");
        nod_strbuf_done(&csv);
        nod_leaks_done(&l);
    }
    nod_cohort_free(c);
}

/* Another cohort with two pictures of the first, one of them mirrored, and two new ones. */
static void test_between_two(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    const char *parent = *state;
    char *folder = nod_path_join(parent, "one"), *other = nod_path_join(parent, "two");
    float *v = nod_calloc(SIDE * SIDE, sizeof *v),
          *copy = nod_calloc(SIDE * SIDE, sizeof *copy);
    int64_t size[2];
    plant(folder);
    for (int k = 0; k < 4; k++) {
        char name[32];
        paint((uint64_t)(k < 2 ? 10 + k : 100 + k),
              v); /* two that the first has, two new ones */
        snprintf(name, sizeof name, "%s/%02d.png", k % 2 ? "a" : "b", k);
        change(k == 0 ? EQUAL : MIRRORED, 0, v, copy, size);
        save(other, name, copy, size[0], size[1]);
    }
    nod_cohort *c = indexed(folder), *d = indexed(other);
    nod_near_options o = {.threads = 1};
    nod_leaks l = {0};
    if (nod_leaks_find_between(c, NULL, d, &o, &l, &err)) fail_msg("%s", err.message);
    assert_int_equal(l.n_rows[NOD_LEAK_PIXELS], 1);
    assert_int_equal(l.n_rows[NOD_LEAK_NEAR], 1);
    for (size_t k = 0; k < l.n; k++)
        assert_int_equal(picture_of(c, l.rows[k].i), 10 + picture_of(d, l.rows[k].j));
    nod_leaks_done(&l);
    nod_cohort_free(c);
    nod_cohort_free(d);
    nod_free(v);
    nod_free(copy);
    nod_free(folder);
    nod_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_planted_copies, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_between_two, temp_folder_make, temp_folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
