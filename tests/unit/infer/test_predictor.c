/* test_predictor.c: windows of an image and what is made of their scores, by hand.
 *
 * The network is the mean of its input times (1, -1), plus (0, 1): of an input with mean m its
 * logits are (m, 1 - m). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "infer/predictor.h"

static nod_model *mean_network(int64_t height, int64_t width)
{
    static const char network[] = "{\"name\": \"layers\", \"layers\": ["
                                  "{\"type\": \"global_average_pool\"},"
                                  "{\"type\": \"dense\", \"name\": \"d\"}]}";
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, height, width}, .n_outputs = 2};
    nod_error err = NOD_ERROR_INIT;
    nod_json *spec = NULL;
    nod_model *m = NULL;
    assert_int_equal(nod_json_parse(network, strlen(network), "network", &spec, &err), 0);
    if (nod_model_new(spec, &io, 1, &m, &err) != 0) fail_msg("%s", err.message);
    nod_json_free(spec);
    memcpy(nod_params_data(m->params, "d.dense.weight"), (float[]){1, -1}, 2 * sizeof(float));
    memcpy(nod_params_data(m->params, "d.dense.bias"), (float[]){0, 1}, 2 * sizeof(float));
    return m;
}

static nod_predictor *start(const nod_model *m, const nod_patching *p, int64_t batch)
{
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nod_predictor *q = NULL;
    o.backend = nod_backend_ref();
    if (nod_predictor_new(m, p, batch, &o, &q, &err) != 0) fail_msg("%s", err.message);
    return q;
}

static void run(nod_predictor *q, const float *images, int64_t n, float *logits)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_predictor_run(q, images, n, logits, &err) != 0) fail_msg("%s", err.message);
}

static void assert_near(float got, double want)
{
    if (!(fabs((double)got - want) < 1e-6)) fail_msg("%.9g, not %.9g", (double)got, want);
}

/* --- the grid ----------------------------------------------------------------------------- */

/* Height 5, windows of 2 every 2: at 0, 2, and the last moved back to 3. Width 4, windows of 4: one.
 */
static void test_grid(void **state)
{
    nod_patching p = {.image = {1, 5, 4}, .size = {1, 2, 4}, .stride = {1, 2, 3}};
    const int64_t want[3] = {0, 2, 3};
    int64_t origin[3];
    (void)state;
    assert_int_equal(nod_patching_count(&p), 3);
    for (int64_t i = 0; i < 3; i++) {
        nod_patching_origin(&p, i, origin);
        assert_int_equal(origin[0], 0);
        assert_int_equal(origin[1], want[i]);
        assert_int_equal(origin[2], 0);
    }
    nod_patching whole = {.image = {1, 5, 4}};
    assert_int_equal(nod_patching_count(&whole), 1);
    nod_patching_origin(&whole, 0, origin);
    assert_true(origin[0] == 0 && origin[1] == 0 && origin[2] == 0);
}

/* The last axis runs fastest: 3 x 2 x 2 windows of a volume. */
static void test_order_of_windows(void **state)
{
    nod_patching p = {.image = {3, 4, 4}, .size = {1, 2, 2}, .stride = {1, 2, 2}};
    int64_t origin[3];
    (void)state;
    assert_int_equal(nod_patching_count(&p), 12);
    nod_patching_origin(&p, 7, origin); /* 7 = 1 * 4 + 1 * 2 + 1 */
    assert_true(origin[0] == 1 && origin[1] == 2 && origin[2] == 2);
}

/* Two channels of 2 x 3, counted from 0: rows 0..1, columns 1..2 of each. */
static void test_cut(void **state)
{
    nod_patching p = {.image = {1, 2, 3}, .size = {1, 2, 2}, .stride = {1, 1, 1}};
    const int64_t origin[3] = {0, 0, 1};
    const float want[8] = {1, 2, 4, 5, 7, 8, 10, 11};
    float image[12], got[8];
    (void)state;
    for (int i = 0; i < 12; i++)
        image[i] = (float)i;
    nod_patching_cut(&p, 2, image, origin, got);
    assert_memory_equal(got, want, sizeof want);
}

static void assert_misfit(const nod_patching *p, const char *words)
{
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, 2, 2}, .n_outputs = 2};
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_patching_check(p, &io, &err), NOD_ESHAPE);
    assert_string_equal(err.message, words);
}

static void test_misfits(void **state)
{
    (void)state;
    assert_misfit(&(nod_patching){.image = {1, 2, 3}},
                  "width of the input is 3, the network takes 2");
    assert_misfit(
        &(nod_patching){.image = {1, 1, 4}, .size = {1, 2, 2}, .stride = {1, 1, 1}},
        "patches.size: height 2 is larger than the image's 1: take smaller patches or "
        "larger images");
    assert_misfit(&(nod_patching){.image = {1, 4, 4}, .size = {1, 2, 2}, .stride = {1, 0, 1}},
                  "patches.stride: height 0 must be at least 1");
}

/* --- scores ------------------------------------------------------------------------------- */

/* Five images in batches of two: the odd one out and its neighbours get their own means. */
static void test_whole_images(void **state)
{
    nod_model *m = mean_network(1, 2);
    nod_patching whole = {.image = {1, 1, 2}};
    nod_predictor *q = start(m, &whole, 2);
    const float images[10] = {0, 0, 1, 3, -2, 0, 4, 4, 0.5F, 0};
    const double mean[5] = {0, 2, -1, 4, 0.25};
    float logits[10];
    (void)state;
    run(q, images, 5, logits);
    for (int i = 0; i < 5; i++) {
        assert_near(logits[2 * i], mean[i]);
        assert_near(logits[2 * i + 1], 1 - mean[i]);
    }
    nod_predictor_free(q);
    nod_model_free(m);
}

/* An image 1 x 4 in windows of 2, means 0, 1, 3 by stride 1; batches of two cross images. The
 * log-probability of class 0 is -ln(1 + e^(1 - 2 m)), of class 1 -ln(1 + e^(2 m - 1)). */
static void check_aggregate(nod_aggregate how, int64_t k, bool multilabel, const double want[2])
{
    nod_model *m = mean_network(1, 2);
    nod_patching p = {.image = {1, 1, 4},
                      .size = {1, 1, 2},
                      .stride = {1, 1, 1},
                      .how = how,
                      .k = k,
                      .multilabel = multilabel};
    nod_predictor *q = start(m, &p, 2);
    const float images[8] = {-1, 1, 1, 5, -1, 1, 1, 5};
    float logits[4];
    run(q, images, 2, logits);
    for (int i = 0; i < 4; i++)
        assert_near(logits[i], want[i % 2]);
    nod_predictor_free(q);
    nod_model_free(m);
}

static void test_aggregates(void **state)
{
    double a[3], b[3];
    const double mean[3] = {0, 1, 3};
    (void)state;
    for (int i = 0; i < 3; i++) {
        a[i] = -log(1 + exp(1 - 2 * mean[i]));
        b[i] = -log(1 + exp(2 * mean[i] - 1));
    }
    check_aggregate(NOD_AGGREGATE_MEAN, 1, false,
                    (double[]){(a[0] + a[1] + a[2]) / 3, (b[0] + b[1] + b[2]) / 3});
    check_aggregate(NOD_AGGREGATE_MAX, 1, false, (double[]){a[2], b[0]});
    check_aggregate(NOD_AGGREGATE_TOP_K, 2, false,
                    (double[]){(a[2] + a[1]) / 2, (b[0] + b[1]) / 2});
    /* more than there are: all */
    check_aggregate(NOD_AGGREGATE_TOP_K, 9, false,
                    (double[]){(a[0] + a[1] + a[2]) / 3, (b[0] + b[1] + b[2]) / 3});
    /* logits m and 1 - m themselves */
    check_aggregate(NOD_AGGREGATE_MEAN, 1, true, (double[]){4.0 / 3, -1.0 / 3});
    check_aggregate(NOD_AGGREGATE_MAX, 1, true, (double[]){3, 1});
}

/* Weights that changed are seen after nod_predictor_refresh. */
static void test_refresh(void **state)
{
    nod_model *m = mean_network(1, 2);
    nod_patching whole = {.image = {1, 1, 2}};
    nod_predictor *q = start(m, &whole, 1);
    const float image[2] = {1, 3};
    float logits[2];
    (void)state;
    run(q, image, 1, logits);
    nod_params_data(m->params, "d.dense.weight")[0] = 10;
    nod_predictor_refresh(q);
    run(q, image, 1, logits);
    assert_near(logits[0], 20);
    assert_near(logits[1], -1);
    nod_predictor_free(q);
    nod_model_free(m);
}

static void test_new_refuses_misfit(void **state)
{
    nod_model *m = mean_network(1, 2);
    nod_patching p = {.image = {1, 2, 2}};
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nod_predictor *q = NULL;
    (void)state;
    o.backend = nod_backend_ref();
    assert_int_equal(nod_predictor_new(m, &p, 1, &o, &q, &err), NOD_ESHAPE);
    assert_null(q);
    assert_string_equal(err.message, "height of the input is 2, the network takes 1");
    nod_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),         cmocka_unit_test(test_order_of_windows),
        cmocka_unit_test(test_cut),          cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_whole_images), cmocka_unit_test(test_aggregates),
        cmocka_unit_test(test_refresh),      cmocka_unit_test(test_new_refuses_misfit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
