/* test_fused.c: a fused graph computes what the unfused one does, forwards and backwards, on the
 * reference backend in f64 (a fused op rounds elsewhere: 1e-12 of the scale). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "exec/plan_internal.h"

static const nod_conv_spec conv3 = {
    .out_channels = 4, .kernel = {1, 3, 3}, .pad = {0, 1, 1}, .bias = true};

/* Everything that fuses: conv/dense/norms/add with activations, residuals on either side. */
static int network(nod_graph *g, int x, nod_act act, bool training)
{
    int y = nod_graph_conv(g, "c1", x, &conv3);
    y = nod_graph_act(g, "a1", nod_graph_batch_norm(g, "b1", y, 1e-3, 0.1, training), act, 0.2);
    int r =
        nod_graph_batch_norm(g, "b2", nod_graph_conv(g, "c2", y, &conv3), 1e-3, 0.1, training);
    y = nod_graph_act(g, "a2", nod_graph_bin(g, NOD_OP_ADD, "s1", y, r), act, 0.2);
    r = nod_graph_batch_norm(g, "b3", nod_graph_conv(g, "c3", y, &conv3), 1e-3, 0.1, training);
    y = nod_graph_batch_norm(g, "b4", nod_graph_conv(g, "c4", y, &conv3), 1e-3, 0.1, training);
    y = nod_graph_act(g, "a3", nod_graph_bin(g, NOD_OP_ADD, "s2", y, r), act, 0.2);
    y = nod_graph_act(g, "a4", nod_graph_conv_t(g, "t", y, &conv3), act, 0.2);
    y = nod_graph_act(g, "a5", nod_graph_group_norm(g, "gn", y, 2, 1e-3), act, 0.2);
    y = nod_graph_bin(g, NOD_OP_ADD, "s3", y, nod_graph_act(g, "a6", y, act, 0.2));
    y = nod_graph_dense(g, "fc1", nod_graph_flatten(g, "flat", y), 5, true, (nod_init){0});
    y = nod_graph_batch_norm(g, "b5", nod_graph_act(g, "a7", y, act, 0.2), 1e-3, 0.1, training);
    return nod_graph_act(g, "a8", nod_graph_dense(g, "fc2", y, 3, true, (nod_init){0}), act,
                         0.2);
}

typedef struct result {
    double *data[512];
    size_t n[512];
    size_t count;
} result;

/* Builds, fuses or not, differentiates, runs; results: outputs, then states. */
static void compute(nod_act act, bool training, bool fuse, result *out, size_t *n_steps)
{
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    nod_plan *p = NULL;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    const nod_run_context ctx = {.seed = 1};
    int wrt[64], grads[64];
    size_t n_wrt = 0;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    int x = nod_graph_input(g, "x", nod_shape_of(4, 3, 4, 5, 4), false);
    int y = network(g, x, act, training);
    nod_graph_output(g, y);
    if (nod_graph_check(g, &err) != 0) fail_msg("%s", err.message);
    if (fuse) assert_int_equal(nod_graph_fuse(g, !training, &err), 0);
    if (training) {
        int t = nod_graph_input(g, "t", *nod_graph_shape(g, y), false);
        int loss = nod_graph_out(
            g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "mse", (int[]){y, t}, 2, NULL), 0);
        for (size_t i = 0; i < g->n_values; i++)
            if (g->values[i].kind == NOD_VALUE_PARAM) wrt[n_wrt++] = (int)i;
        wrt[n_wrt++] = x;
        if (nod_graph_backward(g, loss, wrt, n_wrt, grads, &err) != 0)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < n_wrt; i++)
            nod_graph_output(g, grads[i]);
    }
    o.backend = nod_backend_ref();
    o.precision = NOD_PRECISION_F64;
    o.frozen = !training;
    if (nod_plan_make(g, &o, &p, &err) != 0) fail_msg("%s", err.message);
    double *data[512] = {0};
    for (size_t i = 0; i < g->n_values; i++) {
        if (g->values[i].kind == NOD_VALUE_NODE) continue;
        size_t n = (size_t)nod_shape_count(&g->values[i].shape);
        nod_rng r = nod_rng_make(3, NOD_RNG_TEST, 0);
        for (const char *c = g->values[i].name; *c != '\0'; c++)
            r = nod_rng_make(r.seed * 31 + (uint64_t)*c, NOD_RNG_TEST, 0);
        data[i] = nod_aligned_calloc(n * sizeof(double));
        bool state = g->values[i].kind == NOD_VALUE_STATE;
        for (size_t k = 0; k < n; k++)
            data[i][k] = state ? nod_rng_range(&r, 0.5, 1.5) : nod_rng_normal(&r) * 0.5;
        nod_plan_bind(p, (int)i, data[i]);
    }
    if (nod_plan_prepare(p, &err) != 0) fail_msg("%s", err.message);
    memset(p->memory, 0xff, p->arena_bytes);
    if (nod_plan_run(p, &ctx, &err) != 0) fail_msg("%s", err.message);
    *n_steps = nod_plan_steps(p);
    out->count = 0;
    for (size_t i = 0; i < g->n_outputs; i++) {
        size_t n = (size_t)nod_shape_count(nod_graph_shape(g, g->outputs[i]));
        out->data[out->count] = nod_memdup(nod_plan_data(p, g->outputs[i]), n * sizeof(double));
        out->n[out->count++] = n;
    }
    for (size_t i = 0; i < g->n_values; i++) {
        if (g->values[i].kind == NOD_VALUE_STATE) {
            out->data[out->count] = data[i];
            out->n[out->count++] = (size_t)nod_shape_count(&g->values[i].shape);
        } else {
            nod_free(data[i]);
        }
    }
    nod_plan_free(p);
    nod_graph_free(g);
}

static void compare(nod_act act, bool training)
{
    result a = {.count = 0}, b = {.count = 0};
    size_t plain = 0, fused = 0;
    compute(act, training, false, &a, &plain);
    compute(act, training, true, &b, &fused);
    assert_true(fused < plain);
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        double scale = 0;
        if (a.data[i] == NULL || b.data[i] == NULL) {
            fail_msg("no result %zu", i);
            return;
        }
        assert_int_equal(a.n[i], b.n[i]);
        for (size_t k = 0; k < a.n[i]; k++)
            scale = fmax(scale, fabs(a.data[i][k]));
        for (size_t k = 0; k < a.n[i]; k++)
            if (!(fabs(a.data[i][k] - b.data[i][k]) <= 1e-12 * fmax(scale, 1e-3)))
                fail_msg("%s, result %zu[%zu]: %.17g, fused %.17g", nod_act_name(act), i, k,
                         a.data[i][k], b.data[i][k]);
        nod_free(a.data[i]);
        nod_free(b.data[i]);
    }
}

static void training(void **state)
{
    (void)state;
    for (int act = 1; act < NOD_ACT_COUNT; act++)
        compare((nod_act)act, true);
}

static void frozen(void **state)
{
    (void)state;
    for (int act = 1; act < NOD_ACT_COUNT; act++)
        compare((nod_act)act, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training),
        cmocka_unit_test(frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
