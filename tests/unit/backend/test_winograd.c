/* test_winograd.c: the Winograd kernels against plain loops in double (conv_case.h), all three
 * passes: odd sizes, paddings 0 to 2 on either side, 2-D and 3-D, bias and activation, frozen
 * weights; the same bits on one and more threads; nothing written outside the outputs and the
 * scratch memory. Instruction sets that the processor lacks are skipped, and said so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/winograd.h"
#include "base/memory.h"
#include "base/threads.h"
#include "conv_case.h"

/* Relative L2 error allowed against double: issue 3, acceptance 3. */
#define TOLERANCE 5e-5
#define CANARY    16 /* floats before and after each output */

typedef struct variant {
    const char *name;
    nod_layout layout;
    int64_t lanes;
    const nod_kernel_def *pass[3];
} variant;

static const variant variants[] = {
    {"avx2",
     NOD_LAYOUT_BLOCK8,
     8,
     {&nod_winograd_avx2_conv, &nod_winograd_avx2_conv_bwd_data,
      &nod_winograd_avx2_conv_bwd_weights}},
    {"avx512",
     NOD_LAYOUT_BLOCK16,
     16,
     {&nod_winograd_avx512_conv, &nod_winograd_avx512_conv_bwd_data,
      &nod_winograd_avx512_conv_bwd_weights}},
};

static float *floats(int64_t n)
{
    float *p = nod_aligned_calloc((size_t)n * sizeof *p);
    assert_non_null(p);
    return p;
}

static float *floats_guarded(int64_t n)
{
    float *p = floats(n + 2 * CANARY);
    for (int64_t i = 0; i < n + 2 * CANARY; i++)
        p[i] = 12345.0f;
    return p;
}

static void assert_guarded(const float *p, int64_t n)
{
    for (int64_t i = 0; i < CANARY; i++) {
        assert_true(p[i] == 12345.0f);
        assert_true(p[CANARY + n + i] == 12345.0f);
    }
}

/* Makes the kernel, runs it `runs` times with `threads`, and gives memory back. */
static void run_kernel(const nod_kernel_def *def, const conv_case_node *node, int threads,
                       int runs, void *const *in, void *const *out)
{
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_fit fit;
    nod_kernel *k = NULL;
    nod_threads_set(threads);
    assert_int_equal(def->match(&node->query, &fit), 1);
    assert_int_equal(def->create(&node->query, &fit, &k, &err), 0);
    const int64_t n = (int64_t)(fit.scratch_bytes / sizeof(float));
    float *scratch = floats_guarded(n);
    const nod_run_context context = {.fresh = false};
    const nod_kernel_args args = {in, out, scratch + CANARY, &context};
    for (int i = 0; i < runs; i++)
        assert_int_equal(def->run(k, &args, &err), 0);
    assert_guarded(scratch, n);
    nod_free(scratch);
    def->free(k);
    nod_threads_set(0);
}

static void check_size(const char *what, const conv_case *c, double error)
{
    if (error <= TOLERANCE) return;
    print_error("%s: relative error %g; rank %d n %d c %d o %d, %d %d %d pad %d %d %d\n", what,
                error, c->rank, (int)c->n, (int)c->c, (int)c->o, (int)c->size[0],
                (int)c->size[1], (int)c->size[2], (int)c->pad_lo[0], (int)c->pad_lo[1],
                (int)c->pad_lo[2]);
    assert_true(error <= TOLERANCE);
}

static int64_t spatial(const conv_case *c, bool out)
{
    int64_t n = 1;
    for (int i = 0; i < 3; i++)
        n *= out ? conv_case_out_size(c, i) : c->size[i];
    return n;
}

/* Forward with 1 and 3 threads. */
static void check_forward(const variant *v, const conv_case *c, bool frozen)
{
    const int64_t nx = conv_case_src_count(c), ny = conv_case_dst_count(c);
    const int64_t nw = conv_case_weight_count(c);
    float *x = floats(nx), *xp = floats(nx), *w = floats(nw), *b = floats(c->o);
    float *y = floats(ny), *yp[2] = {floats_guarded(ny), floats_guarded(ny)};
    double *want = malloc((size_t)ny * sizeof *want);
    conv_case_fill(x, nx, 1);
    conv_case_fill(w, nw, 2);
    conv_case_fill(b, c->o, 3);
    conv_case_pack(v->layout, c->n, c->c, spatial(c, false), x, xp);
    conv_case_node node;
    conv_case_node_init(&node, c, CONV_CASE_FORWARD, v->layout, frozen);
    for (int i = 0; i < 2; i++) {
        void *in[3] = {xp, w, c->bias ? b : NULL}, *out[1] = {yp[i] + CANARY};
        run_kernel(v->pass[0], &node, i == 0 ? 1 : 3, frozen ? 2 : 1, in, out);
        assert_guarded(yp[i], ny);
    }
    assert_memory_equal(yp[0], yp[1], (size_t)(ny + 2 * CANARY) * sizeof(float));
    conv_case_unpack(v->layout, c->n, c->o, spatial(c, true), yp[0] + CANARY, y);
    conv_case_forward(c, x, w, c->bias ? b : NULL, want);
    check_size("forward", c, conv_case_error(y, want, ny));
    nod_free(x), nod_free(xp), nod_free(w), nod_free(b), nod_free(y);
    nod_free(yp[0]), nod_free(yp[1]), free(want);
}

static void check_data(const variant *v, const conv_case *c)
{
    const int64_t nx = conv_case_src_count(c), ny = conv_case_dst_count(c);
    const int64_t nw = conv_case_weight_count(c);
    float *dy = floats(ny), *dyp = floats(ny), *w = floats(nw), *dx = floats(nx);
    float *dxp[2] = {floats_guarded(nx), floats_guarded(nx)};
    double *want = malloc((size_t)nx * sizeof *want);
    conv_case_fill(dy, ny, 4);
    conv_case_fill(w, nw, 5);
    conv_case_pack(v->layout, c->n, c->o, spatial(c, true), dy, dyp);
    conv_case_node node;
    conv_case_node_init(&node, c, CONV_CASE_DATA, v->layout, false);
    for (int i = 0; i < 2; i++) {
        void *in[2] = {dyp, w}, *out[1] = {dxp[i] + CANARY};
        run_kernel(v->pass[1], &node, i == 0 ? 1 : 3, 1, in, out);
        assert_guarded(dxp[i], nx);
    }
    assert_memory_equal(dxp[0], dxp[1], (size_t)(nx + 2 * CANARY) * sizeof(float));
    conv_case_unpack(v->layout, c->n, c->c, spatial(c, false), dxp[0] + CANARY, dx);
    conv_case_backward_data(c, dy, w, want);
    check_size("backward-data", c, conv_case_error(dx, want, nx));
    nod_free(dy), nod_free(dyp), nod_free(w), nod_free(dx);
    nod_free(dxp[0]), nod_free(dxp[1]), free(want);
}

static void check_weights(const variant *v, const conv_case *c)
{
    const int64_t nx = conv_case_src_count(c), ny = conv_case_dst_count(c);
    const int64_t nw = conv_case_weight_count(c);
    float *x = floats(nx), *xp = floats(nx), *dy = floats(ny), *dyp = floats(ny);
    float *dw[2] = {floats_guarded(nw), floats_guarded(nw)};
    float *db[2] = {floats_guarded(c->o), floats_guarded(c->o)};
    double *want = malloc((size_t)(nw + c->o) * sizeof *want);
    conv_case_fill(x, nx, 6);
    conv_case_fill(dy, ny, 7);
    conv_case_pack(v->layout, c->n, c->c, spatial(c, false), x, xp);
    conv_case_pack(v->layout, c->n, c->o, spatial(c, true), dy, dyp);
    conv_case_node node;
    conv_case_node_init(&node, c, CONV_CASE_WEIGHTS, v->layout, false);
    for (int i = 0; i < 2; i++) {
        void *in[2] = {xp, dyp}, *out[2] = {dw[i] + CANARY, c->bias ? db[i] + CANARY : NULL};
        run_kernel(v->pass[2], &node, i == 0 ? 1 : 3, 1, in, out);
        assert_guarded(dw[i], nw);
        assert_guarded(db[i], c->o);
    }
    assert_memory_equal(dw[0], dw[1], (size_t)(nw + 2 * CANARY) * sizeof(float));
    assert_memory_equal(db[0], db[1], (size_t)(c->o + 2 * CANARY) * sizeof(float));
    conv_case_backward_weights(c, x, dy, want, want + nw);
    check_size("backward-weights", c, conv_case_error(dw[0] + CANARY, want, nw));
    if (c->bias) check_size("bias", c, conv_case_error(db[0] + CANARY, want + nw, c->o));
    nod_free(x), nod_free(xp), nod_free(dy), nod_free(dyp), free(want);
    for (int i = 0; i < 2; i++)
        nod_free(dw[i]), nod_free(db[i]);
}

/* Runs `f` for each instruction set of this processor. */
static void each_variant(void (*f)(const variant *v))
{
    for (size_t i = 0; i < NOD_COUNT(variants); i++) {
        const conv_case probe = conv_case_of(4, 1, 16, 16, 8, 3, 1, 1);
        conv_case_node node;
        nod_kernel_fit fit;
        conv_case_node_init(&node, &probe, CONV_CASE_FORWARD, variants[i].layout, false);
        if (!variants[i].pass[0]->match(&node.query, &fit)) {
            print_message("%s: NOT RUN, this processor does not have it\n", variants[i].name);
            continue;
        }
        f(&variants[i]);
    }
}

static void check_all(const variant *v, const conv_case *c)
{
    check_forward(v, c, false);
    check_data(v, c);
    check_weights(v, c);
}

static void odd_sizes(const variant *v)
{
    static const int64_t sizes[][2] = {{1, 1}, {2, 3}, {3, 7},   {4, 4},   {5, 9},
                                       {7, 7}, {8, 1}, {14, 13}, {28, 17}, {6, 70}};
    for (size_t i = 0; i < NOD_COUNT(sizes); i++) {
        const int64_t n = i % 3 + 1;
        conv_case c = conv_case_of(4, n, v->lanes, 3 * v->lanes, 0, 3, 1, 1);
        c.size[0] = 1, c.size[1] = sizes[i][0], c.size[2] = sizes[i][1];
        check_all(v, &c);
    }
}

static void test_odd_sizes(void **state)
{
    (void)state;
    each_variant(odd_sizes);
}

static void paddings(const variant *v)
{
    for (int lo = 0; lo <= 2; lo++) {
        for (int hi = 0; hi <= 2; hi++) {
            conv_case c = conv_case_of(4, 2, 2 * v->lanes, v->lanes, 6, 3, 1, 0);
            c.size[2] = 5;
            c.pad_lo[1] = lo, c.pad_hi[1] = hi;
            c.pad_lo[2] = hi, c.pad_hi[2] = lo;
            check_all(v, &c);
            c = conv_case_of(5, 2, v->lanes, v->lanes, 4, 3, 1, 1);
            c.pad_lo[0] = lo, c.pad_hi[0] = hi;
            check_all(v, &c);
        }
    }
}

static void test_paddings(void **state)
{
    (void)state;
    each_variant(paddings);
}

static void volumes(const variant *v)
{
    static const int64_t sizes[][3] = {{1, 4, 4}, {2, 3, 5}, {4, 4, 4}, {5, 7, 7}, {9, 6, 11}};
    for (size_t i = 0; i < NOD_COUNT(sizes); i++) {
        conv_case c = conv_case_of(5, 2, 2 * v->lanes, 3 * v->lanes, 0, 3, 1, 1);
        memcpy(c.size, sizes[i], sizeof c.size);
        check_all(v, &c);
        c.kernel[0] = 1, c.pad_lo[0] = c.pad_hi[0] = 0; /* 1x3x3 */
        check_all(v, &c);
    }
}

static void test_volumes(void **state)
{
    (void)state;
    each_variant(volumes);
}

/* Enough channels for every way through the code: V per thread and shared, sums cut over
 * channels, one chunk and several. */
static void channels(const variant *v)
{
    const conv_case cases[] = {
        conv_case_of(4, 3, 64, 64, 12, 3, 1, 1),  conv_case_of(4, 2, 128, 48, 14, 3, 1, 1),
        conv_case_of(4, 40, 32, 32, 11, 3, 1, 1), conv_case_of(4, 5, 512, 32, 7, 3, 1, 1),
        conv_case_of(4, 2, 32, 512, 4, 3, 1, 1),  conv_case_of(4, 9, 320, 272, 4, 3, 1, 1),
        conv_case_of(5, 2, 96, 32, 6, 3, 1, 1),   conv_case_of(5, 3, 256, 48, 4, 3, 1, 1),
        conv_case_of(5, 1, 16, 16, 20, 3, 1, 1),
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++)
        check_all(v, &cases[i]);
}

static void test_channels(void **state)
{
    (void)state;
    each_variant(channels);
}

/* The cut of the work does not show: V shared by few blocks at a time gives the same bits. */
static void chunks_of_v(const variant *v)
{
    const nod_winograd_isa *isa =
        v->lanes == 8 ? &nod_winograd_isa_avx2 : &nod_winograd_isa_avx512;
    const nod_winograd_shape s = {80, 640, 32, 1, 4, 4, 1, 4, 4, 1, 0, 1, 1};
    const int64_t nx = s.n * s.c * s.h * s.w, nw = s.o * s.c * 9, ny = s.n * s.o * 16;
    float *x = floats(nx), *w = floats(nw), *y[2] = {floats(ny), floats(ny)};
    conv_case_fill(x, nx, 1);
    conv_case_fill(w, nw, 2);
    for (int i = 0; i < 2; i++) {
        nod_winograd_conv cv;
        assert_true(nod_winograd_conv_plan(&cv, &s, isa, 2, false));
        assert_true(cv.shared && cv.n_blocks > 2 && cv.chunk == cv.n_blocks);
        if (i == 1) cv.chunk = 2;
        const size_t workers = (size_t)cv.n_workers * cv.worker_floats;
        float *vs = floats((int64_t)cv.v_floats), *own = floats((int64_t)workers);
        const nod_winograd_conv_args a = {.conv = &cv,
                                          .src = x,
                                          .weights = w,
                                          .dst = y[i],
                                          .w_stride_o = s.c * 9,
                                          .w_stride_c = 9,
                                          .v = vs,
                                          .workers = own};
        isa->conv(&a);
        nod_free(vs), nod_free(own);
    }
    assert_memory_equal(y[0], y[1], (size_t)ny * sizeof(float));
    nod_free(x), nod_free(w), nod_free(y[0]), nod_free(y[1]);
}

static void test_chunks_of_v(void **state)
{
    (void)state;
    each_variant(chunks_of_v);
}

/* Sums of the weight gradient over pieces of the positions, as many as there are chunks or more
 * chunks than pieces, in 2-D and 3-D; their number does not follow the threads. */
static void pieces(const variant *v)
{
    static const struct {
        nod_winograd_shape s;
        int64_t n_blocks, n_pieces;
    } wanted[] = {
        {{62, 32, 48, 1, 11, 11, 1, 11, 11, 1, 0, 1, 1}, 5, 4},
        {{60, 16, 32, 1, 24, 24, 1, 24, 24, 1, 0, 1, 1}, 17, 16},
        {{3, 32, 16, 20, 20, 20, 20, 20, 20, 3, 1, 1, 1}, 13, 8},
        {{40, 32, 32, 1, 11, 11, 1, 11, 11, 1, 0, 1, 1}, 3, 1},
    };
    const nod_winograd_isa *isa =
        v->lanes == 8 ? &nod_winograd_isa_avx2 : &nod_winograd_isa_avx512;
    for (size_t i = 0; i < NOD_COUNT(wanted); i++) {
        const nod_winograd_shape *s = &wanted[i].s;
        for (int threads = 1; threads <= 64; threads *= 4) {
            nod_winograd_grad gr;
            assert_true(nod_winograd_grad_plan(&gr, s, isa, threads));
            assert_int_equal(gr.n_blocks, wanted[i].n_blocks);
            assert_int_equal(gr.pieces, wanted[i].n_pieces);
        }
        const conv_case c = conv_case_of(s->kd > 1 ? 5 : 4, s->n, s->c, s->o, s->h, 3, 1, 1);
        check_all(v, &c);
    }
}

static void test_pieces(void **state)
{
    (void)state;
    each_variant(pieces);
}

static void bias_and_act(const variant *v)
{
    for (int act = 0; act < NOD_ACT_COUNT; act++) {
        conv_case c = conv_case_of(4, 2, v->lanes, 2 * v->lanes, 9, 3, 1, 1);
        c.bias = act % 2 == 0;
        c.act = (nod_act)act;
        check_forward(v, &c, false);
        check_forward(v, &c, true);
    }
    conv_case c = conv_case_of(5, 2, v->lanes, 2 * v->lanes, 5, 3, 1, 1);
    c.bias = true;
    check_all(v, &c);
    check_forward(v, &c, true);
    c = conv_case_of(4, 2, 512, 64, 7, 3, 1, 1);
    check_forward(v, &c, true);
}

static void test_bias_and_act(void **state)
{
    (void)state;
    each_variant(bias_and_act);
}

/* NaN and infinity in the source reach the outputs they belong to. */
static void not_a_number(const variant *v)
{
    const conv_case c = {4,         1,         v->lanes,  v->lanes, {1, 8, 8},    {1, 3, 3},
                         {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, false,    NOD_ACT_RELU, 0};
    const int64_t n = conv_case_src_count(&c);
    float *x = floats(n), *w = floats(conv_case_weight_count(&c)), *y = floats(n);
    conv_case_fill(w, conv_case_weight_count(&c), 1);
    x[0] = (float)NAN;
    conv_case_node node;
    conv_case_node_init(&node, &c, CONV_CASE_FORWARD, v->layout, false);
    void *in[3] = {x, w, NULL}, *out[1] = {y};
    run_kernel(v->pass[0], &node, 1, 1, in, out);
    for (int64_t l = 0; l < v->lanes; l++)
        assert_true(isnan(y[l]));
    nod_free(x), nod_free(w), nod_free(y);
}

static void test_not_a_number(void **state)
{
    (void)state;
    each_variant(not_a_number);
}

static void refusals(const variant *v)
{
    const conv_case good = conv_case_of(4, 2, 16, 32, 8, 3, 1, 1);
    for (int i = 0; i < 8; i++) {
        conv_case c = good;
        nod_layout layout = v->layout;
        conv_case_node node;
        if (i == 1) c.stride[1] = 2;
        if (i == 2) c.kernel[2] = 1;
        if (i == 3) c.c = v->lanes + 1;
        if (i == 4) c.o = v->lanes - 1;
        if (i == 5) layout = NOD_LAYOUT_LAST;
        if (i == 6) c.pad_lo[1] = 3;
        conv_case_node_init(&node, &c, CONV_CASE_FORWARD, layout, false);
        if (i == 7) node.node.attr.dilation[1] = 2;
        nod_kernel_fit fit;
        assert_int_equal(v->pass[0]->match(&node.query, &fit), i == 0);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    each_variant(refusals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_sizes),    cmocka_unit_test(test_paddings),
        cmocka_unit_test(test_volumes),      cmocka_unit_test(test_channels),
        cmocka_unit_test(test_chunks_of_v),  cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_bias_and_act), cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
