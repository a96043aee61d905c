/* test_gradcheck.c: symbolic gradients of composite networks against finite differences in f64
 * on the reference backend, fused and unfused; and that the check finds a wrong gradient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exec/gradcheck.h"

/* Central differences in f64 with h = 1e-4: truncation about h^2, 1e-8, times third derivatives
 * of some tens relative to the gradient. */
#define TOLERANCE 2e-5

typedef struct net {
    nod_graph *g;
    int x, loss;
} net;

static net begin(int rank, int64_t n, int64_t c, int64_t size)
{
    net t = {0};
    nod_error err = NOD_ERROR_INIT;
    nod_shape s = nod_shape_of(2, n, c);
    s.rank = rank;
    for (int i = 2; i < rank; i++)
        s.dim[i] = size + i - 2;
    assert_int_equal(nod_graph_new(&t.g, &err), 0);
    t.x = nod_graph_input(t.g, "x", s, false);
    return t;
}

static void ce(net *t, int y)
{
    if (y >= 0 && nod_graph_shape(t->g, y)->rank > 2)
        y = nod_graph_global_pool(t->g, "pool", y, false);
    y = nod_graph_dense(t->g, "head", y, 3, true, (nod_init){0});
    int64_t n = y < 0 ? 1 : nod_graph_shape(t->g, y)->dim[0];
    int labels = nod_graph_input(t->g, "labels", nod_shape_of(1, n), true);
    nod_attrs a = nod_attrs_default();
    a.smoothing = 0.1;
    t->loss = nod_graph_out(
        t->g, nod_graph_add_node(t->g, NOD_OP_LOSS_CE, "loss", (int[]){y, labels}, 2, &a), 0);
}

/* Checks the graph as it is, then fused; frees it. */
static void check_net(net *t)
{
    nod_error err = NOD_ERROR_INIT;
    nod_gradcheck_options o = NOD_GRADCHECK_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    if (nod_graph_check(t->g, &err) != 0) fail_msg("%s", err.message);
    nod_graph_output(t->g, t->loss);
    for (int fused = 0; fused < 2; fused++) {
        nod_gradcheck_report r;
        if (fused && nod_graph_fuse(t->g, false, &err) != 0) fail_msg("%s", err.message);
        if (nod_gradcheck(t->g, t->loss, &o, &r, &err) != 0) fail_msg("%s", err.message);
        if (r.worst > TOLERANCE)
            fail_msg("%s: %s[%lld]: gradient %.9g, difference %.9g, error %.2g",
                     fused ? "fused" : "unfused", r.value, (long long)r.element, r.gradient,
                     r.difference, r.worst);
        assert_true(r.checked > 20);
        assert_true(r.element >= 0);
    }
    nod_graph_free(t->g);
}

static const nod_conv_spec conv3 = {
    .out_channels = 4, .kernel = {1, 3, 3}, .pad = {0, 1, 1}, .bias = true};

static void mlp(void **state)
{
    (void)state;
    static const nod_act acts[] = {NOD_ACT_RELU, NOD_ACT_LEAKY_RELU, NOD_ACT_ELU, NOD_ACT_GELU,
                                   NOD_ACT_SILU, NOD_ACT_SIGMOID,    NOD_ACT_TANH};
    for (size_t i = 0; i < NOD_COUNT(acts); i++) {
        net t = begin(2, 4, 6, 0);
        int y = nod_graph_dense(t.g, "fc1", t.x, 5, true, (nod_init){0});
        y = nod_graph_act(t.g, "act", y, acts[i], 0.3);
        y = nod_graph_dense(t.g, "fc2", y, 4, false, (nod_init){0});
        ce(&t, nod_graph_act(t.g, "act2", y, acts[i], 0.3));
        check_net(&t);
    }
}

static int residual(net *t, int x, const char *name, nod_act act, bool down)
{
    nod_graph_push(t->g, "%s", name);
    nod_conv_spec spec = conv3, skip = {.out_channels = 4, .kernel = {1, 1, 1}};
    if (down) spec.stride[1] = spec.stride[2] = skip.stride[1] = skip.stride[2] = 2;
    int y = nod_graph_conv(t->g, "conv1", x, &spec), r = x;
    y = nod_graph_act(t->g, "act1", nod_graph_batch_norm(t->g, "bn1", y, 1e-5, 0.1, true), act,
                      0);
    y = nod_graph_conv(t->g, "conv2", y, &conv3);
    y = nod_graph_batch_norm(t->g, "bn2", y, 1e-5, 0.1, true);
    if (down)
        r = nod_graph_batch_norm(t->g, "bn3", nod_graph_conv(t->g, "conv3", x, &skip), 1e-5,
                                 0.1, true);
    y = nod_graph_act(t->g, "act2", nod_graph_bin(t->g, NOD_OP_ADD, "add", y, r), act, 0);
    nod_graph_pop(t->g);
    return y;
}

static void residual_blocks(void **state)
{
    (void)state;
    static const nod_act acts[] = {NOD_ACT_SILU, NOD_ACT_TANH, NOD_ACT_RELU};
    for (size_t i = 0; i < NOD_COUNT(acts); i++) {
        net t = begin(4, 3, 4, 6);
        int y = residual(&t, t.x, "a", acts[i], false);
        ce(&t, residual(&t, y, "b", acts[i], true));
        check_net(&t);
    }
}

/* Pre-activation dense block with concat: every value is used by all later layers. */
static void dense_block(void **state)
{
    (void)state;
    net t = begin(4, 2, 3, 5);
    int parts[4] = {t.x};
    for (int i = 1; i < 4; i++) {
        nod_graph_push(t.g, "l%d", i);
        int y = nod_graph_concat(t.g, "cat", parts, i);
        y = nod_graph_batch_norm(t.g, "bn", y, 1e-5, 0.1, true);
        y = nod_graph_act(t.g, "act", y, NOD_ACT_ELU, 1);
        parts[i] = nod_graph_conv(t.g, "conv", y, &conv3);
        nod_graph_pop(t.g);
    }
    ce(&t, nod_graph_concat(t.g, "cat", parts, 4));
    check_net(&t);
}

static void norms_and_slopes(void **state)
{
    (void)state;
    net t = begin(5, 2, 4, 3);
    nod_conv_spec spec = {
        .out_channels = 6, .kernel = {3, 3, 2}, .pad = {1, 1, 0}, .groups = 2};
    int y = nod_graph_conv(t.g, "conv", t.x, &spec);
    y = nod_graph_group_norm(t.g, "gn", y, 3, 1e-5);
    y = nod_graph_prelu(t.g, "prelu", y, true);
    y = nod_graph_group_norm(t.g, "in", y, 6, 1e-3);
    y = nod_graph_prelu(t.g, "prelu1", y, false);
    y = nod_graph_group_norm(t.g, "ln", y, 1, 1e-5);
    ce(&t, nod_graph_act(t.g, "act", y, NOD_ACT_SIGMOID, 0));
    check_net(&t);
}

/* Down and up again, as in a U-Net: pooling, transposed convolution, upsampling, skip. */
static void encoder_decoder(void **state)
{
    (void)state;
    for (int rank = 4; rank <= 5; rank++) {
        net t = begin(rank, 2, 2, 4);
        int64_t k[3] = {2, 2, 2};
        nod_conv_spec down = {.out_channels = 3, .kernel = {3, 3, 3}, .pad = {1, 1, 1}};
        nod_conv_spec up = {
            .out_channels = 3, .kernel = {2, 3, 2}, .stride = {2, 2, 2}, .bias = true};
        int a = nod_graph_act(t.g, "a", nod_graph_conv(t.g, "c1", t.x, &down), NOD_ACT_TANH, 0);
        int b = nod_graph_pool(t.g, "max", a, true, k, NULL, NULL, false);
        b = nod_graph_conv_t(t.g, "up", b, &up);
        int c = nod_graph_pool(t.g, "avg", a, false, k, NULL, NULL, false);
        c = nod_graph_upsample(t.g, "linear", c, true, k);
        c = nod_graph_upsample(t.g, "nearest", c, false, (int64_t[]){1, 1, 1});
        nod_attrs fit = nod_attrs_default();
        const nod_shape *bs = nod_graph_shape(t.g, b), *cs = nod_graph_shape(t.g, c);
        nod_attrs cut = nod_attrs_default();
        for (int i = 2; i < rank; i++) { /* both to the smaller size, then padded by one */
            int64_t n = NOD_MIN(bs->dim[i], cs->dim[i]);
            cut.hi[i] = bs->dim[i] - n;
            fit.hi[i] = cs->dim[i] - n;
        }
        b = nod_graph_out(t.g, nod_graph_add_node(t.g, NOD_OP_CROP, "crop", &b, 1, &cut), 0);
        c = nod_graph_out(t.g, nod_graph_add_node(t.g, NOD_OP_CROP, "fit", &c, 1, &fit), 0);
        nod_attrs pad = nod_attrs_default();
        pad.lo[rank - 1] = 1;
        c = nod_graph_bin(t.g, NOD_OP_MUL, "mul", b, c);
        c = nod_graph_out(t.g, nod_graph_add_node(t.g, NOD_OP_PAD, "pad", &c, 1, &pad), 0);
        ce(&t, nod_graph_act(t.g, "silu", c, NOD_ACT_SILU, 0));
        check_net(&t);
    }
}

static void dropout_and_softmax(void **state)
{
    (void)state;
    net t = begin(4, 2, 4, 3);
    int y =
        nod_graph_dropout(t.g, "d1", nod_graph_conv(t.g, "conv", t.x, &conv3), 0.4, true, true);
    y = nod_graph_flatten(t.g, "flat", nod_graph_act(t.g, "a", y, NOD_ACT_TANH, 0));
    y = nod_graph_dropout(t.g, "d2", y, 0.3, false, true);
    ce(&t, nod_graph_softmax(t.g, "softmax",
                             nod_graph_dense(t.g, "fc", y, 5, true, (nod_init){0})));
    check_net(&t);
}

/* A weighted sum of every loss, on a frozen norm. */
static void losses(void **state)
{
    (void)state;
    net t = begin(2, 4, 3, 0);
    int y = nod_graph_batch_norm(t.g, "bn", t.x, 1e-5, 0.1, false);
    y = nod_graph_dense(t.g, "fc", nod_graph_act(t.g, "tanh", y, NOD_ACT_TANH, 0), 3, true,
                        (nod_init){0});
    int labels = nod_graph_input(t.g, "labels", nod_shape_of(1, (int64_t)4), true);
    int weight = nod_graph_input(t.g, "w", nod_shape_of(1, (int64_t)3), false);
    int target = nod_graph_input(t.g, "p", nod_shape_of(2, (int64_t)4, (int64_t)3), false);
    int real = nod_graph_input(t.g, "r", nod_shape_of(2, (int64_t)4, (int64_t)3), false);
    static const nod_op ops[] = {NOD_OP_LOSS_CE, NOD_OP_LOSS_FOCAL, NOD_OP_LOSS_BCE,
                                 NOD_OP_LOSS_MSE, NOD_OP_LOSS_MAE};
    nod_attrs a = nod_attrs_default();
    a.gamma = 2;
    a.smoothing = 0.05;
    t.loss = -1;
    for (size_t i = 0; i < NOD_COUNT(ops); i++) {
        int in[3] = {y, i < 2 ? labels : i == 2 ? target : real, i < 3 ? weight : -1};
        nod_attrs scale = nod_attrs_default();
        scale.alpha = 0.5 + (double)i;
        if (ops[i] == NOD_OP_LOSS_FOCAL) a.smoothing = 0;
        nod_graph_push(t.g, "%d", (int)i);
        int l = nod_graph_out(
            t.g, nod_graph_add_node(t.g, ops[i], NULL, in, in[2] < 0 ? 2 : 3, &a), 0);
        l = nod_graph_out(t.g, nod_graph_add_node(t.g, NOD_OP_SCALE, NULL, &l, 1, &scale), 0);
        t.loss = t.loss < 0 ? l : nod_graph_bin(t.g, NOD_OP_ADD, "sum", t.loss, l);
        nod_graph_pop(t.g);
    }
    /* gamma and beta of a frozen norm have no gradient: ask for the others */
    nod_error err = NOD_ERROR_INIT;
    nod_gradcheck_options o = NOD_GRADCHECK_OPTIONS_INIT;
    nod_gradcheck_report r;
    int values[3] = {t.x, nod_graph_find(t.g, "fc.weight"), real};
    o.backend = nod_backend_ref();
    o.values = values;
    o.n_values = 3;
    if (nod_gradcheck(t.g, t.loss, &o, &r, &err) != 0) fail_msg("%s", err.message);
    if (r.worst > TOLERANCE) fail_msg("%s: %g", r.value, r.worst);
    o.values = NULL;
    assert_int_equal(nod_gradcheck(t.g, t.loss, &o, &r, &err), NOD_EUNSUPPORTED);
    nod_graph_free(t.g);
}

/* --- the check itself --------------------------------------------------------------------- */

/* A backend like ref whose SILU derivative is 1 % wrong. */
static const nod_kernel_def *wrong_rows[512];
static nod_kernel_def wrong_def;

static int wrong_run(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const nod_backend *ref = nod_backend_ref();
    for (size_t i = 0; ref->kernels[i] != NULL; i++)
        if (ref->kernels[i]->op == NOD_OP_SCALE) {
            int rc = ref->kernels[i]->run(k, a, err);
            ((double *)a->out[0])[0] *= 1.01;
            return rc;
        }
    return NOD_EINTERNAL;
}

/* d(x^2)/dx through MUL is right; through a SCALE that lies in its backward run only it is not:
 * so the check must name the value and an error of about 1 %. */
static void finds_a_wrong_gradient(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_gradcheck_report r;
    nod_gradcheck_options o = NOD_GRADCHECK_OPTIONS_INIT;
    nod_backend wrong = *nod_backend_ref();
    size_t n = 0;
    for (; wrong.kernels[n] != NULL; n++) {
        wrong_rows[n] = wrong.kernels[n];
        if (wrong_rows[n]->op != NOD_OP_SCALE) continue;
        wrong_def = *wrong_rows[n];
        wrong_def.run = wrong_run;
        wrong_rows[n] = &wrong_def;
    }
    wrong.kernels = wrong_rows;
    o.backend = &wrong;
    net t = begin(2, 4, 3, 0);
    int y = nod_graph_input(t.g, "y", nod_shape_of(2, (int64_t)4, (int64_t)3), false);
    t.loss = nod_graph_out(
        t.g, nod_graph_add_node(t.g, NOD_OP_LOSS_MSE, "mse", (int[]){t.x, y}, 2, NULL), 0);
    assert_int_equal(nod_gradcheck(t.g, t.loss, &o, &r, &err), 0);
    assert_string_equal(r.value, "y"); /* its gradient goes through SCALE(-1) */
    assert_int_equal(r.element, 0);
    assert_true(r.worst > 0.005 && r.worst < 0.02);
    o.backend = nod_backend_ref();
    assert_int_equal(nod_gradcheck(t.g, t.loss, &o, &r, &err), 0);
    assert_true(r.worst < 1e-8); /* a quadratic has no truncation */
    assert_int_equal(r.kinks, 0);
    nod_graph_free(t.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp),
        cmocka_unit_test(residual_blocks),
        cmocka_unit_test(dense_block),
        cmocka_unit_test(norms_and_slopes),
        cmocka_unit_test(encoder_decoder),
        cmocka_unit_test(dropout_and_softmax),
        cmocka_unit_test(losses),
        cmocka_unit_test(finds_a_wrong_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
