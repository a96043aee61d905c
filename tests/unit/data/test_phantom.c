/* test_phantom.c: the bodies behind `nodule synth`: what is to be found is there, and only there.
 * Expected values follow from the models as phantom*.h states them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/phantom.h"
#include "data/phantom_breast.h"
#include "data/phantom_chest.h"
#include "data/phantom_heart.h"

#define N_PATIENTS 12

static void test_head(void **state)
{
    (void)state;
    for (int64_t i = 0; i < N_PATIENTS; i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_phantom *p[2];
        for (int k = 0; k < 2; k++) {
            const nod_phantom_options o = {
                .has_tumour = k == 1, .contrast = 2, .radius_scale = 1.2, .enhanced = true};
            assert_int_equal(nod_phantom_new(3, i, &o, &p[k], &err), 0);
        }
        int n_inside = 0;
        for (double z = -1; z < 1; z += 0.05)
            for (double y = -1; y < 1; y += 0.05)
                for (double x = -1; x < 1; x += 0.05) {
                    const nod_vec at = {x, y, z};
                    assert_false(nod_phantom_is_tumour(p[0], at));
                    if (!nod_phantom_is_tumour(p[1], at)) continue;
                    n_inside++;
                    assert_true(nod_phantom_signal(p[0], at, 0.03) > 0); /* in the head */
                }
        /* Balls of radius 0.09 to 0.34 times 1.2 and 0.66 to 0.92, cells of 0.05. */
        assert_in_range(n_inside, 5, 3000);
        nod_phantom_free(p[0]);
        nod_phantom_free(p[1]);
    }
}

static void test_chest(void **state)
{
    (void)state;
    for (int64_t i = 0; i < N_PATIENTS; i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_chest *c[2];
        double most = 0;
        int n_more = 0, n = 0;
        for (int k = 0; k < 2; k++)
            assert_int_equal(nod_chest_new(3, i, k == 1, 1, &c[k], &err), 0);
        for (double y = -178; y < 180; y += 4)
            for (double x = -178; x < 180; x += 4, n++) {
                double without = nod_chest_attenuation(c[0], x, y);
                double more = nod_chest_attenuation(c[1], x, y) - without;
                assert_true(without >= 0 && without < 2 && more >= 0);
                n_more += more > 0;
                most = more > most ? more : most;
            }
        /* A disc of radius 9 to 20 mm on a grid of 4 mm, 0.10 to 0.22 through its centre. */
        assert_in_range(n_more, 12, 84);
        assert_true(most > 0.08 && most <= 0.22);
        /* The spine is denser than the lungs beside it. */
        assert_true(nod_chest_attenuation(c[0], 0, -60) >
                    1.5 * nod_chest_attenuation(c[0], 75, -60));
        for (int k = 0; k < 2; k++)
            nod_chest_free(c[k]);
    }
}

/* Mean signal of the mass at some time, over a grid of 2 mm. */
static double mass_signal(const nod_breast *b, double time_s, int *n)
{
    double sum = 0;
    *n = 0;
    for (double z = -80; z < 80; z += 2)
        for (double y = -130; y < 0; y += 2)
            for (double x = -170; x < 170; x += 2) {
                const nod_vec at = {x, y, z};
                if (!nod_breast_is_mass(b, at)) continue;
                sum += nod_breast_signal(b, at, 2, time_s);
                (*n)++;
            }
    return sum / *n;
}

static void test_breast(void **state)
{
    (void)state;
    for (int64_t i = 0; i < N_PATIENTS; i++) {
        for (int malignant = 0; malignant < 2; malignant++) {
            const nod_breast_options o = {true, malignant == 1, 1}, none = {false, false, 1};
            nod_error err = NOD_ERROR_INIT;
            nod_breast *b, *healthy;
            int n;
            assert_int_equal(nod_breast_new(3, i, &o, &b, &err), 0);
            assert_int_equal(nod_breast_new(3, i, &none, &healthy, &err), 0);
            double before = mass_signal(b, -30, &n), early = mass_signal(b, 100, &n);
            double late = mass_signal(b, 300, &n);
            assert_in_range(n, 60, 2000); /* radius 6 to 14 mm: 900 to 11 500 mm^3, 8 each */
            assert_true(early > 1.25 * before);
            assert_true(malignant ? late < 0.95 * early : late > 1.05 * early);
            /* In both views of its own breast, in none of the other. */
            for (int view = 0; view < 4; view++) {
                char side = view % 2 ? 'L' : 'R';
                double more = 0;
                for (double y = -118; y < 120; y += 3)
                    for (double x = 1; x < 180; x += 3)
                        more += nod_breast_attenuation(b, side, view > 1, x, y) -
                                nod_breast_attenuation(healthy, side, view > 1, x, y);
                assert_true(side == nod_breast_side(b) ? more > 0.5 : more == 0);
            }
            nod_breast_free(b);
            nod_breast_free(healthy);
        }
    }
}

/* Blood of the left ventricle counted over a grid of 2.5 mm. */
static int blood(const nod_heart *h, double phase)
{
    int n = 0;
    for (double z = -75; z < 75; z += 2.5)
        for (double y = -75; y < 75; y += 2.5)
            for (double x = -75; x < 75; x += 2.5)
                n += nod_heart_is_blood(h, (nod_vec){x, y, z}, phase);
    return n;
}

/* What the heart ejects is what its header says: the end of systole lies at 0.35. */
static void test_heart(void **state)
{
    (void)state;
    for (int64_t i = 0; i < N_PATIENTS; i++)
        for (int reduced = 0; reduced < 2; reduced++) {
            nod_error err = NOD_ERROR_INIT;
            nod_heart *h;
            assert_int_equal(nod_heart_new(3, i, reduced == 1, 1, &h, &err), 0);
            double said = nod_heart_ejection_fraction(h);
            double counted = 1 - (double)blood(h, 0.35) / blood(h, 0);
            assert_true(said > (reduced ? 0.20 : 0.55) && said < (reduced ? 0.35 : 0.68));
            assert_float_equal(counted, said, 0.02);
            assert_int_equal(blood(h, 1), blood(h, 0));
            nod_heart_free(h);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_chest),
        cmocka_unit_test(test_breast),
        cmocka_unit_test(test_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
