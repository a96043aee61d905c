/* test_resize.c: resampling against the formula evaluated directly.
 *
 * tests/golden/images/resize.npz: tools/oracles/images.py (numpy 2.4.6; there also checked
 * against Pillow 13.0.0 away from the borders). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imaging/resize.h"
#include "tensor/npz.h"

static void test_golden(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    nod_tensor src = {0};
    size_t n_cases = 0;
    (void)state;
    assert_int_equal(nod_npz_open("tests/golden/images/resize.npz", &z, &err), 0);
    assert_int_equal(nod_npz_read(z, "src", &src, &err), 0);
    for (size_t i = 0; i < nod_npz_count(z); i++) {
        const char *name = nod_npz_name(z, i);
        char kind[32];
        nod_tensor want = {0};
        if (sscanf(name, "%31[a-z]_", kind) != 1 || strcmp(kind, "src") == 0) continue;
        int interp = nod_interp_from_name(kind);
        assert_true(interp >= 0);
        assert_string_equal(nod_interp_name((nod_interp)interp), kind);
        assert_int_equal(nod_npz_read(z, name, &want, &err), 0);
        size_t n = (size_t)nod_tensor_count(&want);
        float *dst = nod_calloc(n + 2, sizeof *dst), *w = want.data;
        dst[0] = dst[n + 1] = -99; /* canaries */
        assert_int_equal(nod_resize_f32(src.data, src.shape.dim, dst + 1, want.shape.dim,
                                        (nod_interp)interp, &err),
                         0);
        /* f32 between the passes: a few eps of the values, which reach 4. */
        for (size_t k = 0; k < n; k++)
            if (!(fabsf(dst[k + 1] - w[k]) <= 3e-6f))
                fail_msg("%s: %zu is %g, not %g", name, k, (double)dst[k + 1], (double)w[k]);
        assert_true(dst[0] == -99 && dst[n + 1] == -99);
        nod_free(dst);
        nod_tensor_done(&want);
        n_cases++;
    }
    assert_int_equal(n_cases, 20);
    nod_tensor_done(&src);
    nod_npz_close(z);
}

/* Closed forms: constants stay, a ramp stays a ramp inside, blocks of 3 become their mean. */
static void test_closed_forms(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    float src[30 * 30], dst[61 * 61];
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (int64_t n = 1; n <= 61; n += 6) {
            for (int i = 0; i < 900; i++)
                src[i] = 7.25f;
            const int64_t in[3] = {1, 30, 30}, out[3] = {1, n, 62 - n};
            assert_int_equal(nod_resize_f32(src, in, dst, out, (nod_interp)kind, &err), 0);
            for (int64_t i = 0; i < n * (62 - n); i++)
                assert_true(fabsf(dst[i] - 7.25f) <= 1e-6f);
        }
    /* Output i of a ramp 0..29 sits at (i + .5) * 30 / n - .5. Where a widened kernel stands
     * askew over the samples a ramp is not kept, so shrinking is by whole numbers here. */
    static const nod_interp smooth[] = {NOD_INTERP_LINEAR, NOD_INTERP_CUBIC, NOD_INTERP_AREA};
    static const int64_t sizes[] = {6, 10, 15, 30, 31, 45, 60};
    for (int i = 0; i < 30; i++)
        src[i] = (float)i;
    for (int k = 0; k < 3; k++)
        for (size_t s = 0; s < NOD_COUNT(sizes); s++) {
            const int64_t n = sizes[s], in[3] = {1, 1, 30}, out[3] = {1, 1, n};
            assert_int_equal(nod_resize_f32(src, in, dst, out, smooth[k], &err), 0);
            for (int64_t i = n * 2 / 5; i < n * 3 / 5; i++)
                assert_true(fabs(dst[i] - (((double)i + 0.5) * 30 / (double)n - 0.5)) < 2e-5);
        }
    for (int i = 0; i < 27; i++)
        src[i] = (float)(i * i);
    const int64_t in[3] = {3, 3, 3}, out[3] = {1, 1, 1};
    assert_int_equal(nod_resize_f32(src, in, dst, out, NOD_INTERP_AREA, &err), 0);
    assert_true(fabsf(dst[0] - 6201.0f / 27) < 1e-4f); /* sum of squares 0..26 */
    const int64_t same[3] = {1, 1, 27};
    assert_int_equal(nod_resize_f32(src, same, dst, same, NOD_INTERP_CUBIC, &err), 0);
    assert_memory_equal(src, dst, 27 * sizeof *src);
}

static void test_refusals(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    float src[4] = {1, 2, 3, 4}, dst[4] = {9, 9, 9, 9};
    const int64_t good[3] = {1, 2, 2};
    static const int64_t bad[][3] = {{0, 2, 2}, {1, -1, 2}, {1, 2, INT64_MAX}};
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nod_resize_f32(src, good, dst, bad[i], NOD_INTERP_LINEAR, &err),
                         NOD_ESHAPE);
        assert_int_equal(nod_resize_f32(src, bad[i], dst, good, NOD_INTERP_LINEAR, &err),
                         NOD_ESHAPE);
    }
    assert_true(dst[0] == 9 && dst[3] == 9);
    assert_int_equal(nod_interp_from_name("lanczos"), -1);
    assert_int_equal(nod_interp_from_name(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
