/* test_ref.c: what the shared cases (tests/ops) do not show of the reference backend: labels out
 * of range, folding of norms, layouts, storage in f32 and bf16, NaN through a maximum, and that
 * every op has a kernel. Expected numbers are closed forms, stated where they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "backend/act.h"
#include "base/memory.h"
#include "base/rng.h"
#include "exec/plan.h"

#define INPUTS_MAX 6

/* One node, its inputs and outputs, run by ref. */
typedef struct bench {
    nod_graph *g;
    int in[INPUTS_MAX], n_in;
    nod_plan *plan;
} bench;

static int input(bench *b, nod_shape shape, bool is_int)
{
    char name[16] = "in0";
    name[2] = (char)('0' + b->n_in);
    return b->in[b->n_in++] = nod_graph_input(b->g, name, shape, is_int);
}

static void bench_init(bench *b)
{
    nod_error err = NOD_ERROR_INIT;
    *b = (bench){.g = NULL};
    assert_int_equal(nod_graph_new(&b->g, &err), 0);
}

static void bench_done(bench *b)
{
    nod_plan_free(b->plan);
    nod_graph_free(b->g);
}

static void prepare(bench *b, nod_precision p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    o.precision = p;
    if (nod_graph_check(b->g, &err) != 0 || nod_plan_make(b->g, &o, &b->plan, &err) != 0 ||
        nod_plan_prepare(b->plan, &err) != 0)
        fail_msg("%s", err.message);
}

static int run(bench *b, nod_error *err)
{
    nod_run_context context = {.seed = 1};
    return nod_plan_run(b->plan, &context, err);
}

/* --- labels ------------------------------------------------------------------------------- */

static void check_label(nod_op op, int32_t bad, const char *text)
{
    bench b;
    nod_error err = NOD_ERROR_INIT;
    float logits[6] = {0};
    int32_t labels[3] = {0, 1, bad};
    bench_init(&b);
    input(&b, nod_shape_of(2, 3, 2), false);
    input(&b, nod_shape_of(1, 3), true);
    int node = nod_graph_add_node(b.g, op, "head", b.in, 2, NULL);
    nod_graph_output(b.g, nod_graph_out(b.g, node, 0));
    prepare(&b, NOD_PRECISION_F32);
    nod_plan_bind(b.plan, b.in[0], logits);
    nod_plan_bind(b.plan, b.in[1], labels);
    assert_int_equal(run(&b, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, text));
    assert_non_null(strstr(err.message, "head"));
    labels[2] = 1;
    assert_int_equal(run(&b, &err), 0);
    bench_done(&b);
}

static void test_labels_out_of_range(void **state)
{
    (void)state;
    check_label(NOD_OP_LOSS_CE, 2, "label 2 at index 2 is outside 0..1");
    check_label(NOD_OP_LOSS_CE, -1, "label -1 at index 2");
    check_label(NOD_OP_LOSS_FOCAL, INT32_MAX, "label 2147483647 at index 2");
}

/* --- folding: norm(conv(x)) = conv with folded weights and bias --------------------------- */

static void fill_random(double *x, int64_t n, uint64_t index, double lo, double hi)
{
    nod_rng r = nod_rng_make(3, NOD_RNG_TEST, index);
    for (int64_t i = 0; i < n; i++)
        x[i] = nod_rng_range(&r, lo, hi);
}

static void test_fold(void **state)
{
    (void)state;
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        bench b;
        nod_error err = NOD_ERROR_INIT;
        double x[2 * 3 * 25], w[4 * 3 * 9], bias[4], gamma[4], beta[4], mean[4], var[4];
        nod_attrs conv = nod_attrs_default(), norm = nod_attrs_default();
        norm.eps = 1e-3;
        bench_init(&b);
        int vx = nod_graph_input(b.g, "x", nod_shape_of(4, 2, 3, 5, 5), false);
        int vw = nod_graph_input(b.g, "w", nod_shape_of(4, 4, 3, 3, 3), false);
        int v[5];
        const char *const names[] = {"bias", "gamma", "beta", "mean", "var"};
        for (int i = 0; i < 5; i++)
            v[i] = nod_graph_input(b.g, names[i], nod_shape_of(1, 4), false);
        int vb = with_bias ? v[0] : -1;
        int y = nod_graph_out(
            b.g, nod_graph_add_node(b.g, NOD_OP_CONV, "c", (int[]){vx, vw, vb}, 3, &conv), 0);
        y = nod_graph_out(b.g,
                          nod_graph_add_node(b.g, NOD_OP_BATCH_NORM_INFER, "n",
                                             (int[]){y, v[1], v[2], v[3], v[4]}, 5, &norm),
                          0);
        int fw = nod_graph_out(b.g,
                               nod_graph_add_node(b.g, NOD_OP_FOLD_NORM_WEIGHTS, "fw",
                                                  (int[]){vw, v[1], v[4]}, 3, &norm),
                               0);
        int fb =
            nod_graph_out(b.g,
                          nod_graph_add_node(b.g, NOD_OP_FOLD_NORM_BIAS, "fb",
                                             (int[]){vb, v[1], v[2], v[3], v[4]}, 5, &norm),
                          0);
        int folded = nod_graph_out(
            b.g, nod_graph_add_node(b.g, NOD_OP_CONV, "f", (int[]){vx, fw, fb}, 3, &conv), 0);
        nod_graph_output(b.g, y);
        nod_graph_output(b.g, folded);
        prepare(&b, NOD_PRECISION_F64);
        fill_random(x, NOD_COUNT(x), 1, -1, 1);
        fill_random(w, NOD_COUNT(w), 2, -1, 1);
        double *vectors[] = {bias, gamma, beta, mean, var};
        for (int i = 0; i < 5; i++) {
            fill_random(vectors[i], 4, 3 + (uint64_t)i, i == 4 ? 0.1 : -1, 2);
            nod_plan_bind(b.plan, v[i], vectors[i]);
        }
        nod_plan_bind(b.plan, vx, x);
        nod_plan_bind(b.plan, vw, w);
        assert_int_equal(run(&b, &err), 0);
        const double *a = nod_plan_data(b.plan, y), *f = nod_plan_data(b.plan, folded);
        for (int i = 0; i < 2 * 4 * 9; i++)
            assert_true(fabs(a[i] - f[i]) < 1e-12);
        bench_done(&b);
    }
}

/* --- layouts ------------------------------------------------------------------------------ */

static const nod_kernel_def *kernel_of(nod_op op)
{
    for (const nod_kernel_def *const *k = nod_backend_ref()->kernels; *k != NULL; k++)
        if ((*k)->op == op) return *k;
    return NULL;
}

static int reorder(bench *b, nod_layout from, nod_layout to, void *src, void *dst)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dtype dtype[1] = {NOD_DTYPE_F32};
    nod_node n = {.op = NOD_OP_REORDER,
                  .n_in = 1,
                  .n_out = 1,
                  .in = b->in,
                  .out = {b->in[0], -1, -1, -1}};
    nod_kernel_query q = {
        .graph = b->g, .node = &n, .preferred = to, .in = &from, .dtype = dtype};
    nod_kernel_fit fit;
    nod_kernel *k = NULL;
    const nod_kernel_def *def = kernel_of(NOD_OP_REORDER);
    if (def->match(&q, &fit) == 0) return 0;
    assert_int_equal(fit.in[0], from);
    assert_int_equal(fit.out[0], to);
    assert_int_equal(def->create(&q, &fit, &k, &err), 0);
    nod_kernel_args a = {&src, &dst, NULL, NULL};
    assert_int_equal(def->run(k, &a, &err), 0);
    def->free(k);
    return 1;
}

/* x[n,c,h,w] = 1000 n + 10 c + (h w index) lands where the layout's definition says. */
static void test_reorder(void **state)
{
    (void)state;
    enum { N = 2, C = 16, P = 6, COUNT = N * C * P };
    bench b;
    float plain[COUNT], other[COUNT], back[COUNT];
    bench_init(&b);
    input(&b, nod_shape_of(4, N, C, 2, 3), false);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            for (int s = 0; s < P; s++)
                plain[(n * C + c) * P + s] = (float)(1000 * n + 10 * c + s);
    assert_int_equal(reorder(&b, NOD_LAYOUT_PLAIN, NOD_LAYOUT_BLOCK8, plain, other), 1);
    assert_true(other[((1 * 2 + 1) * P + 4) * 8 + 3] == 1000 + 10 * 11 + 4);
    assert_int_equal(reorder(&b, NOD_LAYOUT_BLOCK8, NOD_LAYOUT_BLOCK16, other, back), 1);
    assert_true(back[(1 * P + 5) * 16 + 13] == 1000 + 10 * 13 + 5);
    assert_int_equal(reorder(&b, NOD_LAYOUT_BLOCK16, NOD_LAYOUT_LAST, back, other), 1);
    assert_true(other[(0 * P + 2) * C + 7] == 10 * 7 + 2);
    assert_int_equal(reorder(&b, NOD_LAYOUT_LAST, NOD_LAYOUT_PLAIN, other, back), 1);
    assert_memory_equal(plain, back, sizeof plain);
    bench_done(&b);
    bench_init(&b);
    input(&b, nod_shape_of(4, 1, 12, 2, 2), false); /* 12 channels are no whole blocks */
    assert_int_equal(reorder(&b, NOD_LAYOUT_PLAIN, NOD_LAYOUT_BLOCK8, plain, other), 0);
    bench_done(&b);
}

/* --- storage ------------------------------------------------------------------------------ */

/* Sum of 2^24 and 1024 ones: f32 accumulation would stay at 2^24. */
static void test_f32_accumulates_in_double(void **state)
{
    (void)state;
    enum { I = 1025 };
    bench b;
    nod_error err = NOD_ERROR_INIT;
    float x[I], w[I];
    bench_init(&b);
    input(&b, nod_shape_of(2, 1, I), false);
    input(&b, nod_shape_of(2, 1, I), false);
    int node = nod_graph_add_node(b.g, NOD_OP_DENSE, "d", b.in, 2, NULL);
    nod_graph_output(b.g, nod_graph_out(b.g, node, 0));
    prepare(&b, NOD_PRECISION_F32);
    for (int i = 0; i < I; i++) {
        x[i] = i == 0 ? 0x1p24F : 1;
        w[i] = 1;
    }
    nod_plan_bind(b.plan, b.in[0], x);
    nod_plan_bind(b.plan, b.in[1], w);
    assert_int_equal(run(&b, &err), 0);
    assert_true(*(float *)nod_plan_data(b.plan, nod_graph_out(b.g, node, 0)) == 0x1p24F + 1024);
    bench_done(&b);
}

/* In a bf16 plan the value between two nodes is rounded to 8 bits: (1 + 2^-9) * 1 becomes 1, and
 * 1 + 2^-7 stays. */
static void test_bf16_storage(void **state)
{
    (void)state;
    bench b;
    nod_error err = NOD_ERROR_INIT;
    float x[2] = {1 + 0x1p-9F, 1 + 0x1p-7F};
    nod_attrs a = nod_attrs_default();
    a.act = NOD_ACT_RELU;
    bench_init(&b);
    input(&b, nod_shape_of(4, 1, 2, 1, 1), false);
    int inner = nod_graph_add_node(b.g, NOD_OP_ACT, "a", b.in, 1, &a);
    int between = nod_graph_out(b.g, inner, 0);
    int node = nod_graph_add_node(b.g, NOD_OP_ACT, "b", &between, 1, &a);
    int y = nod_graph_out(b.g, node, 0);
    nod_graph_output(b.g, y);
    prepare(&b, NOD_PRECISION_BF16);
    nod_plan_bind(b.plan, b.in[0], x);
    assert_int_equal(run(&b, &err), 0);
    const float *have = nod_plan_data(b.plan, y);
    assert_true(have[0] == 1);
    assert_true(have[1] == x[1]);
    bench_done(&b);
}

/* --- the rest ----------------------------------------------------------------------------- */

/* A divergence must not hide behind a pooling or an activation. */
static void test_nan_stays(void **state)
{
    (void)state;
    bench b;
    nod_error err = NOD_ERROR_INIT;
    float x[4] = {1, NAN, 3, 2};
    nod_attrs a = nod_attrs_default();
    a.kernel[1] = a.kernel[2] = 2;
    bench_init(&b);
    input(&b, nod_shape_of(4, 1, 1, 2, 2), false);
    int node = nod_graph_add_node(b.g, NOD_OP_POOL_MAX, "p", b.in, 1, &a);
    nod_graph_output(b.g, nod_graph_out(b.g, node, 0));
    prepare(&b, NOD_PRECISION_F32);
    nod_plan_bind(b.plan, b.in[0], x);
    assert_int_equal(run(&b, &err), 0);
    assert_true(isnan(*(float *)nod_plan_data(b.plan, nod_graph_out(b.g, node, 0))));
    bench_done(&b);
    for (int act = 0; act < NOD_ACT_COUNT; act++)
        assert_true(isnan(nod_act_value((nod_act)act, 0.1, NAN)));
}

/* Far from 0 nothing overflows: sigmoid is 0 or 1, silu and gelu are 0 or x. */
static void test_activations_far_out(void **state)
{
    (void)state;
    assert_true(nod_act_value(NOD_ACT_SIGMOID, 0, -1e4) == 0);
    assert_true(nod_act_value(NOD_ACT_SIGMOID, 0, 1e4) == 1);
    assert_true(nod_act_value(NOD_ACT_SILU, 0, 1e4) == 1e4);
    assert_true(fabs(nod_act_value(NOD_ACT_SILU, 0, -1e4)) == 0);
    assert_true(nod_act_value(NOD_ACT_GELU, 0, 1e4) == 1e4);
    assert_true(fabs(nod_act_value(NOD_ACT_GELU, 0, -1e4)) == 0);
    assert_true(nod_act_slope_at(NOD_ACT_GELU, 0, 1e4) == 1);
    assert_true(nod_act_slope_at(NOD_ACT_SILU, 0, -1e4) == 0);
}

/* Where the derivative comes from the output, it is the one at the input. */
static void test_slopes_agree(void **state)
{
    (void)state;
    for (int act = 0; act < NOD_ACT_COUNT; act++) {
        if (!nod_act_from_output((nod_act)act)) continue;
        for (int i = 0; i <= 16; i++) {
            double x = -3 + 0.37 * i;
            double y = nod_act_value((nod_act)act, 0.3, x);
            double from = nod_act_slope_from((nod_act)act, 0.3, y);
            assert_true(fabs(from - nod_act_slope_at((nod_act)act, 0.3, x)) < 1e-12);
        }
    }
}

static void test_complete(void **state)
{
    (void)state;
    for (int op = 0; op < NOD_OP_COUNT; op++)
        if (kernel_of((nod_op)op) == NULL)
            fail_msg("no kernel for %s", nod_op_name((nod_op)op));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_out_of_range),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_f32_accumulates_in_double),
        cmocka_unit_test(test_bf16_storage),
        cmocka_unit_test(test_nan_stays),
        cmocka_unit_test(test_activations_far_out),
        cmocka_unit_test(test_slopes_agree),
        cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
