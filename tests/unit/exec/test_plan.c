/* test_plan.c: what a plan decides and promises: steps, views, constants, kinds of storage,
 * kernel tables and keys, bound memory, checked runs, and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

static const nod_run_context ctx = {.seed = 1, .step = 2};

static nod_graph *new_graph(void)
{
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    return g;
}

static nod_plan *make_with(const nod_graph *g, nod_plan_options o)
{
    nod_plan *p = NULL;
    nod_error err = NOD_ERROR_INIT;
    if (o.backend == NULL) o.backend = nod_backend_ref();
    if (nod_plan_make(g, &o, &p, &err) != 0) fail_msg("%s", err.message);
    return p;
}

static nod_plan_options options(void)
{
    return (nod_plan_options)NOD_PLAN_OPTIONS_INIT;
}

static void run(nod_plan *p)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_plan_run(p, &ctx, &err) != 0) fail_msg("%s", err.message);
}

static void prepare(nod_plan *p)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_plan_prepare(p, &err) != 0) fail_msg("%s", err.message);
}

static const nod_conv_spec conv1 = {.out_channels = 2, .kernel = {1, 1, 1}, .bias = true};

/* --- views ---------------------------------------------------------------------------------- */

/* flatten of an input and of a computed value cost no step; of an output it is a copy. */
static void reshape_is_a_view(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_attrs a = nod_attrs_default();
    float x[6] = {1, -2, 3, -4, 5, -6};
    int v = nod_graph_input(g, "x", nod_shape_of(3, 1, 2, 3), false);
    int flat = nod_graph_flatten(g, "f1", v);
    int y = nod_graph_act(g, "relu", flat, NOD_ACT_RELU, 0);
    a.shape = nod_shape_of(3, 1, 3, 2);
    int z = nod_graph_out(g, nod_graph_add_node(g, NOD_OP_RESHAPE, "f2", &y, 1, &a), 0);
    z = nod_graph_act(g, "leaky", z, NOD_ACT_LEAKY_RELU, 0.5);
    nod_graph_output(g, z);
    nod_plan *p = make_with(g, options());
    assert_int_equal(nod_plan_steps(p), 2);
    nod_plan_bind(p, v, x);
    prepare(p);
    run(p);
    const float *out = nod_plan_data(p, z);
    for (int i = 0; i < 6; i++)
        assert_true(out[i] == (x[i] > 0 ? x[i] : 0));
    assert_null(nod_plan_data(p, y)); /* inside: nobody can ask for it */
    assert_ptr_equal(nod_plan_data(p, v), x);
    nod_plan_free(p);
    nod_graph_output(g, flat);
    p = make_with(g, options());
    assert_int_equal(nod_plan_steps(p), 3);
    float mine[6] = {0};
    nod_plan_bind(p, v, x);
    nod_plan_bind(p, flat, mine);
    prepare(p);
    run(p);
    assert_memory_equal(mine, x, sizeof x);
    nod_plan_free(p);
    nod_graph_free(g);
}

/* --- memory --------------------------------------------------------------------------------- */

/* 16 values in a row, each in place of the one before: one buffer. */
static void a_chain_needs_one_buffer(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    int x = nod_graph_input(g, "x", nod_shape_of(2, 10, 100), false);
    for (int i = 0; i < 16; i++)
        x = nod_graph_act(g, "act", x, NOD_ACT_TANH, 0);
    nod_graph_output(g, x);
    nod_plan *p = make_with(g, options());
    size_t buffer = (4000 + 63) / 64 * 64;
    assert_int_equal(p->arena_bytes, buffer);
    assert_int_equal(nod_plan_memory_of(p).arena, 2 * buffer); /* and the output's own */
    assert_int_equal(nod_plan_memory_of(p).bound, 4000);
    float *mine = nod_aligned_calloc(4000), *in = nod_aligned_calloc(4000);
    nod_plan_bind(p, x, mine);
    assert_int_equal(nod_plan_memory_of(p).arena, buffer); /* bound: no room taken */
    assert_int_equal(nod_plan_memory_of(p).bound, 8000);
    nod_plan_bind(p, nod_graph_find(g, "x"), in);
    in[0] = 1;
    prepare(p);
    run(p);
    assert_true(mine[0] > 0.2F && mine[0] < 0.4F);
    assert_ptr_equal(nod_plan_data(p, x), mine);
    /* another buffer between two runs */
    float *other = nod_aligned_calloc(4000);
    nod_plan_bind(p, x, other);
    run(p);
    assert_memory_equal(other, mine, 4000);
    nod_free(mine);
    nod_free(other);
    nod_free(in);
    nod_plan_free(p);
    nod_graph_free(g);
}

static void too_much_memory_is_refused(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    /* 2^38 floats, the most of a value: 1 TiB; the input is only described */
    int x = nod_graph_input(g, "x", nod_shape_of(2, (int64_t)1 << 18, (int64_t)1 << 20), false);
    nod_graph_output(g, nod_graph_act(g, "act", x, NOD_ACT_TANH, 0));
    nod_plan *p = make_with(g, options());
    assert_true(nod_plan_memory_of(p).arena >= (size_t)1 << 40);
    assert_int_equal(nod_plan_prepare(p, &err), NOD_ENOMEM);
    assert_non_null(strstr(err.message, "TiB"));
    assert_non_null(strstr(err.message, "batch_size"));
    nod_plan_free(p);
    nod_graph_free(g);
}

static void unbound_values_are_named(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    float x[4] = {0};
    int v = nod_graph_input(g, "x", nod_shape_of(2, 2, 2), false);
    nod_graph_input(g, "never used", nod_shape_of(2, 2, 2), false);
    nod_graph_output(g, nod_graph_dense(g, "fc", v, 1, false, (nod_init){0}));
    nod_plan *p = make_with(g, options());
    nod_plan_bind(p, v, x);
    prepare(p);
    assert_int_equal(nod_plan_run(p, &ctx, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "'fc.weight'"));
    nod_plan_free(p);
    nod_graph_free(g);
}

/* --- constants ------------------------------------------------------------------------------ */

static int64_t runs_of[NOD_OP_COUNT];
static const nod_kernel_def *counting_rows[256];
static nod_kernel_def counting_defs[256];
static nod_op first_op[256];

#define COUNTED(label, OP)                                                           \
    static int label(nod_kernel *k, const nod_kernel_args *a, nod_error *err)        \
    {                                                                                \
        runs_of[OP]++;                                                               \
        const nod_backend *ref = nod_backend_ref();                                  \
        for (size_t i = 0; ref->kernels[i] != NULL; i++)                             \
            if (ref->kernels[i]->op == (OP)) return ref->kernels[i]->run(k, a, err); \
        return NOD_EINTERNAL;                                                        \
    }
COUNTED(count_conv, NOD_OP_CONV)
COUNTED(count_weights, NOD_OP_FOLD_NORM_WEIGHTS)
COUNTED(count_fill, NOD_OP_FILL)

/* ref, counting the runs of three ops. */
static nod_backend counting(void)
{
    nod_backend b = *nod_backend_ref();
    size_t n = 0;
    memset(runs_of, 0, sizeof runs_of);
    for (; b.kernels[n] != NULL; n++) {
        counting_defs[n] = *b.kernels[n];
        first_op[n] = b.kernels[n]->op;
        if (first_op[n] == NOD_OP_CONV) counting_defs[n].run = count_conv;
        if (first_op[n] == NOD_OP_FOLD_NORM_WEIGHTS) counting_defs[n].run = count_weights;
        if (first_op[n] == NOD_OP_FILL) counting_defs[n].run = count_fill;
        counting_rows[n] = &counting_defs[n];
    }
    counting_rows[n] = NULL;
    b.kernels = counting_rows;
    return b;
}

/* Folded weights are computed at the first run and after a refresh; binding another input does
 * not compute them again. */
static void constants_run_once(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = options();
    nod_backend b = counting();
    float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, x2[8] = {0};
    float w[4] = {1, 0, 0, 1}, bias[2] = {0}, gamma[2] = {2, 3}, beta[2] = {1, 1};
    float mean[2] = {0}, var[2] = {1, 1};
    int v = nod_graph_input(g, "x", nod_shape_of(4, 1, 2, 2, 2), false);
    int y = nod_graph_conv(g, "conv", v, &conv1);
    y = nod_graph_batch_norm(g, "bn", y, 0, 0.1, false);
    nod_graph_output(g, y);
    assert_int_equal(nod_graph_fuse(g, true, &err), 0);
    o.backend = &b;
    o.frozen = true;
    nod_plan *p = make_with(g, o);
    nod_plan_bind(p, v, x);
    nod_plan_bind(p, nod_graph_find(g, "conv.weight"), w);
    nod_plan_bind(p, nod_graph_find(g, "conv.bias"), bias);
    nod_plan_bind(p, nod_graph_find(g, "bn.weight"), gamma);
    nod_plan_bind(p, nod_graph_find(g, "bn.bias"), beta);
    nod_plan_bind(p, nod_graph_find(g, "bn.running_mean"), mean);
    nod_plan_bind(p, nod_graph_find(g, "bn.running_var"), var);
    prepare(p);
    run(p);
    run(p);
    nod_plan_bind(p, v, x2);
    run(p);
    nod_plan_bind(p, v, x);
    run(p);
    assert_int_equal(runs_of[NOD_OP_CONV], 4);
    assert_int_equal(runs_of[NOD_OP_FOLD_NORM_WEIGHTS], 1);
    const float *out = nod_plan_data(p, y);
    assert_true(out[0] == 3 && out[7] == 25); /* gamma x + beta */
    gamma[1] = 4;
    nod_plan_refresh(p);
    run(p);
    assert_int_equal(runs_of[NOD_OP_FOLD_NORM_WEIGHTS], 2);
    assert_true(out[0] == 3 && out[7] == 33);
    assert_int_equal(nod_plan_run_checked(p, &ctx, &err), 0);
    nod_plan_free(p);
    /* not frozen: parameters may change, so nothing is constant */
    o.frozen = false;
    p = make_with(g, o);
    assert_false(p->steps[0].constant);
    nod_plan_free(p);
    nod_graph_free(g);
}

/* The 1 that a backward pass starts from has no inputs: it is constant in every plan. */
static void fill_runs_once(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = options();
    nod_backend b = counting();
    float x[2] = {1, 3}, t[2] = {0};
    int v = nod_graph_input(g, "x", nod_shape_of(1, 2), false), grad;
    int target = nod_graph_input(g, "t", nod_shape_of(1, 2), false);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "mse", (int[]){v, target}, 2, NULL), 0);
    assert_int_equal(nod_graph_backward(g, loss, &v, 1, &grad, &err), 0);
    nod_graph_output(g, grad);
    o.backend = &b;
    nod_plan *p = make_with(g, o);
    nod_plan_bind(p, v, x);
    nod_plan_bind(p, target, t);
    prepare(p);
    for (int i = 0; i < 3; i++)
        run(p);
    assert_int_equal(runs_of[NOD_OP_FILL], 1);
    const float *d = nod_plan_data(p, grad);
    assert_true(d[0] == 1 && d[1] == 3); /* 2 x / n */
    nod_plan_free(p);
    nod_graph_free(g);
}

/* --- kernels and keys ----------------------------------------------------------------------- */

static void keys_and_choices(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    nod_conv_spec spec = {.out_channels = 64, .kernel = {1, 3, 3}, .pad = {0, 1, 1}};
    int x = nod_graph_input(g, "x", nod_shape_of(4, 32, 64, 28, 28), false), grads[1];
    int y = nod_graph_conv(g, "conv", x, &spec);
    int t = nod_graph_input(g, "t", *nod_graph_shape(g, y), false);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "mse", (int[]){y, t}, 2, NULL), 0);
    int w = nod_graph_find(g, "conv.weight");
    assert_int_equal(nod_graph_backward(g, loss, &w, 1, grads, &err), 0);
    nod_graph_output(g, grads[0]);
    nod_plan *p = make_with(g, options());
    const nod_kernel_table *c = nod_plan_choices(p);
    assert_string_equal(
        nod_kernel_table_get(
            c, "c/f32/conv_bwd_weights/x32,64,28,28/w64,64,3,3/k1,3,3/s1,1,1/p0,1,1/g1"),
        "ref");
    assert_string_equal(
        nod_kernel_table_get(c, "c/f32/conv/x32,64,28,28/w64,64,3,3/k1,3,3/s1,1,1/p0,1,1/g1"),
        "ref");
    assert_string_equal(nod_kernel_table_get(c, "c/f32/layout"), "plain");
    /* to JSON and back */
    nod_json *j = nod_kernel_table_to_json(c);
    nod_kernel_table *back = NULL;
    assert_int_equal(nod_kernel_table_from_json(j, "table", &back, &err), 0);
    assert_string_equal(nod_kernel_table_get(back, "c/f32/layout"), "plain");
    nod_kernel_table_free(back);
    nod_json_set_int(j, "c/f32/layout", 3);
    assert_int_equal(nod_kernel_table_from_json(j, "run.json", &back, &err), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "run.json"));
    assert_non_null(strstr(err.message, "c/f32/layout"));
    nod_json_free(j);
    nod_plan_free(p);
    nod_graph_free(g);
}

/* Two kernels for one op: order, table, only_kernel, and what an equal node got. */
static bool odd_layer(const nod_kernel_query *q)
{
    size_t n = strlen(q->node->name);
    return (q->node->name[n - 1] - '0') % 2 == 1;
}

static int picky_match(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)fit;
    return !odd_layer(q);
}

static int easy_match(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)q;
    (void)fit;
    return 1;
}

static size_t two_layouts(nod_precision precision, nod_layout out[NOD_LAYOUT_COUNT])
{
    (void)precision;
    out[0] = NOD_LAYOUT_BLOCK16;
    out[1] = NOD_LAYOUT_LAST;
    return 2;
}

static const nod_kernel_def picky = {.name = "picky", .op = NOD_OP_ACT, .match = picky_match};
static const nod_kernel_def easy = {.name = "easy", .op = NOD_OP_ACT, .match = easy_match};
static const nod_kernel_def *const two_rows[] = {&picky, &easy, NULL};

static nod_backend two_kernels(void)
{
    nod_backend b = *nod_backend_ref();
    b.kernels = two_rows;
    b.layouts = two_layouts;
    b.fallback = nod_backend_ref;
    return b;
}

/* Kernels of the steps, by first letters. */
static void expect_kernels(const nod_plan *p, const char *want)
{
    char got[16] = "";
    for (size_t i = 0; i < nod_plan_steps(p); i++)
        got[i] = nod_plan_step_at(p, i).kernel[0];
    assert_string_equal(got, want);
}

static void kernels_are_chosen_in_order(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = options();
    nod_backend b = two_kernels();
    nod_kernel_table *t = NULL;
    int x = nod_graph_input(g, "x", nod_shape_of(2, 2, 2), false);
    for (int i = 0; i < 4; i++) {
        char name[2] = {(char)('0' + i), '\0'};
        x = nod_graph_act(g, name, x, NOD_ACT_RELU, 0);
    }
    x = nod_graph_softmax(g, "s", x); /* only the fallback has it */
    nod_graph_output(g, x);
    o.backend = &b;
    nod_plan *p = make_with(g, o);
    expect_kernels(p, "peper");
    nod_plan_free(p);
    o.only_kernel = "easy";
    p = make_with(g, o);
    expect_kernels(p, "eeeer");
    nod_plan_free(p);
    o.only_kernel = NULL;
    assert_int_equal(nod_kernel_table_new(&t, &err), 0);
    assert_int_equal(nod_kernel_table_set(t, "c/f32/act/i0:2,2/relu", "easy", &err), 0);
    assert_int_equal(nod_kernel_table_set(t, "c/f32/layout", "last", &err), 0);
    o.table = t;
    p = make_with(g, o);
    expect_kernels(p, "eeeer");
    assert_int_equal(p->preferred, NOD_LAYOUT_LAST);
    assert_string_equal(nod_kernel_table_get(nod_plan_choices(p), "c/f32/layout"), "last");
    /* a plan made from the choices of another makes the same ones */
    nod_plan_options again = o;
    again.table = nod_plan_choices(p);
    nod_plan *q = make_with(g, again);
    expect_kernels(q, "eeeer");
    nod_plan_free(q);
    nod_plan_free(p);
    nod_kernel_table_free(t);
    nod_graph_free(g);
}

/* The first node of a kind did not take the picky kernel; so the second does not either: else a
 * plan made from the table would differ. */
static void equal_nodes_choose_alike(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_plan_options o = options();
    nod_backend b = two_kernels();
    int x = nod_graph_input(g, "x", nod_shape_of(2, 2, 2), false);
    x = nod_graph_act(g, "1", x, NOD_ACT_RELU, 0);
    x = nod_graph_act(g, "2", x, NOD_ACT_RELU, 0);
    nod_graph_output(g, nod_graph_act(g, "4", x, NOD_ACT_TANH, 0));
    o.backend = &b;
    nod_plan *p = make_with(g, o);
    expect_kernels(p, "eep");
    assert_int_equal(p->preferred, NOD_LAYOUT_BLOCK16);
    nod_plan_free(p);
    nod_graph_free(g);
}

static bool no_precision(nod_precision precision)
{
    return precision != NOD_PRECISION_BF16;
}

static void refusals(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = options();
    nod_backend b = two_kernels();
    nod_plan *p = NULL;
    int x = nod_graph_input(g, "x", nod_shape_of(2, 2, 2), false);
    nod_graph_push(g, "block");
    nod_graph_output(g, nod_graph_softmax(g, "out", x));
    nod_graph_pop(g);
    b.fallback = NULL;
    b.has_precision = no_precision;
    o.backend = &b;
    assert_int_equal(nod_plan_make(g, &o, &p, &err), NOD_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "layer 'block.out'"));
    assert_non_null(strstr(err.message, "softmax on [2, 2] in f32"));
    o.precision = NOD_PRECISION_BF16;
    assert_int_equal(nod_plan_make(g, &o, &p, &err), NOD_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "bf16"));
    assert_non_null(strstr(err.message, "f32 or auto"));
    o = options();
    o.backend = nod_backend_ref();
    nod_graph_dense(g, "broken", nod_graph_input(g, "y", nod_shape_of(1, 4), false), 3, false,
                    (nod_init){0});
    assert_int_equal(nod_plan_make(g, &o, &p, &err), NOD_ESHAPE);
    assert_null(p);
    nod_graph_free(g);
}

/* --- storage in bf16 plans ------------------------------------------------------------------ */

static void bf16_storage(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    int x = nod_graph_input(g, "x", nod_shape_of(4, 2, 2, 4, 4), false), grads[3];
    nod_attrs pad = nod_attrs_default();
    pad.lo[3] = 1;
    int padded = nod_graph_out(g, nod_graph_add_node(g, NOD_OP_PAD, "pad", &x, 1, &pad), 0);
    int c = nod_graph_conv(g, "conv", padded, &conv1);
    int n = nod_graph_batch_norm(g, "bn", c, 1e-5, 0.1, true);
    int pooled = nod_graph_global_pool(g, "pool", n, false);
    int labels = nod_graph_input(g, "labels", nod_shape_of(1, 2), true);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_CE, "ce", (int[]){pooled, labels}, 2, NULL), 0);
    int wrt[3] = {nod_graph_find(g, "conv.weight"), nod_graph_find(g, "bn.weight"), c};
    assert_int_equal(nod_graph_backward(g, loss, wrt, 3, grads, &err), 0);
    nod_graph_output(g, loss);
    nod_plan p = {.graph = g, .options = options()};
    p.options.precision = NOD_PRECISION_BF16;
    assert_int_equal(nod_plan_find_dtypes(&p, &err), 0);
    assert_int_equal(p.dtype[x], NOD_DTYPE_F32);
    assert_int_equal(p.dtype[labels], NOD_DTYPE_I32);
    assert_int_equal(p.dtype[padded], NOD_DTYPE_F32); /* an f32 image stays exact */
    assert_int_equal(p.dtype[c], NOD_DTYPE_BF16);
    assert_int_equal(p.dtype[n], NOD_DTYPE_BF16);
    int node = g->values[n].node;
    assert_int_equal(p.dtype[g->nodes[node].out[1]], NOD_DTYPE_F32); /* statistics */
    assert_int_equal(p.dtype[pooled], NOD_DTYPE_F32);
    assert_int_equal(p.dtype[loss], NOD_DTYPE_F32);
    assert_int_equal(p.dtype[grads[0]], NOD_DTYPE_F32); /* of a parameter */
    assert_int_equal(p.dtype[grads[1]], NOD_DTYPE_F32);
    assert_int_equal(p.dtype[grads[2]], NOD_DTYPE_BF16); /* of an activation */
    nod_free(p.dtype);
    nod_graph_output(g, grads[2]);
    assert_int_equal(nod_plan_find_dtypes(&p, &err), 0);
    assert_int_equal(p.dtype[grads[2]], NOD_DTYPE_F32); /* what is delivered */
    nod_free(p.dtype);
    p.options.precision = NOD_PRECISION_F64;
    assert_int_equal(nod_plan_find_dtypes(&p, &err), 0);
    assert_int_equal(p.dtype[x], NOD_DTYPE_F64);
    assert_int_equal(p.dtype[labels], NOD_DTYPE_I32);
    nod_free(p.dtype);
    nod_graph_free(g);
}

/* --- checked runs and profiles -------------------------------------------------------------- */

static void checked_runs_name_the_layer(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    float x[2] = {1, 2}, w[2] = {1e30F, 1e30F}, w2[1] = {1e30F};
    int v = nod_graph_input(g, "x", nod_shape_of(2, 1, 2), false);
    int y = nod_graph_dense(g, "fc1", v, 1, false, (nod_init){0});
    y = nod_graph_dense(g, "fc2", y, 1, false, (nod_init){0});
    nod_graph_output(g, nod_graph_act(g, "act", y, NOD_ACT_TANH, 0));
    nod_plan *p = make_with(g, options());
    nod_plan_bind(p, v, x);
    nod_plan_bind(p, nod_graph_find(g, "fc1.weight"), w);
    nod_plan_bind(p, nod_graph_find(g, "fc2.weight"), w2);
    prepare(p);
    run(p); /* does not look */
    assert_int_equal(nod_plan_run_checked(p, &ctx, &err), NOD_ENUMERIC);
    assert_non_null(strstr(err.message, "'fc2' (dense)"));
    w[0] = w[1] = 1;
    assert_int_equal(nod_plan_run_checked(p, &ctx, &err), 0);
    w2[0] = NAN;
    assert_int_equal(nod_plan_run_checked(p, &ctx, &err), NOD_ENUMERIC);
    assert_non_null(strstr(err.message, "parameter 'fc2.weight'"));
    w2[0] = 1;
    x[1] = INFINITY;
    assert_int_equal(nod_plan_run_checked(p, &ctx, &err), NOD_ENUMERIC);
    assert_non_null(strstr(err.message, "input 'x'"));
    x[1] = 0;
    assert_int_equal(nod_plan_profile(p, &ctx, 3, &err), 0);
    nod_plan_step s = nod_plan_step_at(p, 0);
    assert_string_equal(s.layer, "fc1");
    assert_string_equal(s.kernel, "ref");
    assert_int_equal(s.op, NOD_OP_DENSE);
    assert_int_equal(s.macs, 2);
    assert_true(s.time_s > 0);
    nod_plan_free(p);
    nod_graph_free(g);
}

static void layouts(void **state)
{
    (void)state;
    nod_shape image = nod_shape_of(4, 2, 16, 4, 4), pixel = nod_shape_of(4, 2, 16, 1, 1);
    nod_shape grey = nod_shape_of(4, 2, 1, 4, 4), odd = nod_shape_of(5, 2, 24, 2, 2, 2);
    nod_shape flat = nod_shape_of(2, 2, 16);
    assert_true(nod_layout_allowed(NOD_LAYOUT_BLOCK16, &image));
    assert_false(nod_layout_allowed(NOD_LAYOUT_BLOCK16, &odd));
    assert_true(nod_layout_allowed(NOD_LAYOUT_BLOCK8, &odd));
    assert_false(nod_layout_allowed(NOD_LAYOUT_LAST, &flat));
    assert_true(nod_layout_allowed(NOD_LAYOUT_PLAIN, &flat));
    assert_false(nod_layout_equal(NOD_LAYOUT_PLAIN, NOD_LAYOUT_LAST, &image));
    assert_true(nod_layout_equal(NOD_LAYOUT_BLOCK8, NOD_LAYOUT_LAST, &pixel));
    assert_true(nod_layout_equal(NOD_LAYOUT_PLAIN, NOD_LAYOUT_LAST, &grey));
    assert_false(nod_layout_equal(NOD_LAYOUT_PLAIN, NOD_LAYOUT_BLOCK8, &grey));
    for (int l = 0; l < NOD_LAYOUT_COUNT; l++)
        assert_true(nod_layout_equal((nod_layout)l, (nod_layout)l, &image));
    assert_ptr_equal(nod_backend_find("ref"), nod_backend_ref());
    assert_null(nod_backend_find("abacus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reshape_is_a_view),
        cmocka_unit_test(a_chain_needs_one_buffer),
        cmocka_unit_test(too_much_memory_is_refused),
        cmocka_unit_test(unbound_values_are_named),
        cmocka_unit_test(constants_run_once),
        cmocka_unit_test(fill_runs_once),
        cmocka_unit_test(keys_and_choices),
        cmocka_unit_test(kernels_are_chosen_in_order),
        cmocka_unit_test(equal_nodes_choose_alike),
        cmocka_unit_test(refusals),
        cmocka_unit_test(bf16_storage),
        cmocka_unit_test(checked_runs_name_the_layer),
        cmocka_unit_test(layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
