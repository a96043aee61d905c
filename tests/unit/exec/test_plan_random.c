/* test_plan_random.c: properties of plans on seeded random graphs: no two live values share
 * memory, and neither sharing memory nor the layouts change a result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "exec/plan_internal.h"

/* --- random graphs: long and short lives, values used many times, views, outputs ---------- */

#define MAX_VALUES 256

static int elementwise_node(nod_graph *g, nod_rng *r, const char *name, const int *pick)
{
    static const nod_act acts[] = {NOD_ACT_RELU, NOD_ACT_TANH, NOD_ACT_SIGMOID};
    nod_attrs a = nod_attrs_default();
    switch (nod_rng_below(r, 4)) {
    case 0:
        return nod_graph_act(g, name, pick[0], acts[nod_rng_below(r, 3)], 0);
    case 1:
        return nod_graph_bin(g, NOD_OP_ADD, name, pick[0], pick[1]);
    case 2:
        return nod_graph_bin(g, NOD_OP_MUL, name, pick[0], pick[1]);
    default:
        a.alpha = 0.7;
        return nod_graph_out(g, nod_graph_add_node(g, NOD_OP_SCALE, name, pick, 1, &a), 0);
    }
}

/* There and back: two views of one buffer. */
static int reshape_twice(nod_graph *g, const char *name, int x)
{
    nod_attrs a = nod_attrs_default();
    a.shape = *nod_graph_shape(g, x);
    x = nod_graph_flatten(g, name, x);
    if (nod_graph_shape(g, x)->dim[1] % 2 == 0) x = nod_graph_act(g, name, x, NOD_ACT_TANH, 0);
    return nod_graph_out(g, nod_graph_add_node(g, NOD_OP_RESHAPE, name, &x, 1, &a), 0);
}

static int any_node(nod_graph *g, nod_rng *r, const char *name, const int *pick)
{
    static const int64_t k[3] = {1, 3, 3}, one[3] = {1, 1, 1}, pad[3] = {0, 1, 1};
    nod_conv_spec spec = {.out_channels = 16, .kernel = {1, 1, 1}, .bias = true};
    nod_attrs crop = nod_attrs_default();
    crop.hi[1] = 16;
    int both;
    switch (nod_rng_below(r, 7)) {
    case 0:
        return nod_graph_conv(g, name, pick[0], &spec);
    case 1:
        return nod_graph_group_norm(g, name, pick[0], 4, 1e-3);
    case 2:
        return nod_graph_batch_norm(g, name, pick[0], 1e-3, 0.1, true);
    case 3:
        return nod_graph_pool(g, name, pick[0], true, k, one, pad, false);
    case 4:
        both = nod_graph_concat(g, name, pick, 2);
        return nod_graph_out(g, nod_graph_add_node(g, NOD_OP_CROP, name, &both, 1, &crop), 0);
    case 5:
        return reshape_twice(g, name, pick[0]);
    default:
        return elementwise_node(g, r, name, pick);
    }
}

static nod_graph *random_graph(uint64_t seed, int n_nodes, int every, bool elementwise)
{
    nod_graph *g;
    nod_error err = NOD_ERROR_INIT;
    nod_rng r = nod_rng_make(seed, NOD_RNG_TEST, 0);
    int values[MAX_VALUES], n = 0;
    NOD_ASSERT(n_nodes < MAX_VALUES && nod_graph_new(&g, &err) == 0);
    values[n++] = nod_graph_input(g, "x", nod_shape_of(4, 2, 16, 4, 4), false);
    while (n <= n_nodes) {
        char name[16];
        int pick[2];
        snprintf(name, sizeof name, "l%d", n);
        for (int i = 0; i < 2; i++) { /* mostly recent ones, sometimes any */
            uint64_t back = nod_rng_below(&r, 4) == 0
                                ? nod_rng_below(&r, (uint64_t)n)
                                : nod_rng_below(&r, (uint64_t)NOD_MIN(n, 3));
            pick[i] = values[n - 1 - (int)back];
        }
        values[n] =
            elementwise ? elementwise_node(g, &r, name, pick) : any_node(g, &r, name, pick);
        NOD_ASSERT(nod_graph_check(g, &err) == 0);
        if (nod_rng_below(&r, (uint64_t)every) == 0) nod_graph_output(g, values[n]);
        n++;
    }
    nod_graph_output(g, values[n - 1]);
    return g;
}

/* --- running them ------------------------------------------------------------------------- */

static nod_plan *make(const nod_graph *g, const nod_backend *backend)
{
    nod_plan *p = NULL;
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = backend;
    if (nod_plan_make(g, &o, &p, &err) != 0) fail_msg("%s", err.message);
    return p;
}

/* Buffers for every source of a graph, the same for the same seed. */
static float **make_sources(const nod_graph *g)
{
    float **data = nod_calloc(g->n_values, sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < g->n_values; i++) {
        if (g->values[i].kind == NOD_VALUE_NODE) continue;
        int64_t n = nod_shape_count(&g->values[i].shape);
        nod_rng r = nod_rng_make(7, NOD_RNG_TEST, i);
        data[i] = nod_aligned_calloc((size_t)n * sizeof(float));
        assert_non_null(data[i]);
        for (int64_t k = 0; k < n; k++)
            data[i][k] = (float)nod_rng_normal(&r) * 0.3F;
    }
    return data;
}

static void free_sources(const nod_graph *g, float **data)
{
    for (size_t i = 0; i < g->n_values; i++)
        nod_free(data[i]);
    nod_free(data);
}

/* Prepares, fills the memory for values within a run with NaN, and runs twice. */
static void run(nod_plan *p, const nod_graph *g, float **data)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_run_context ctx = {.seed = 1};
    for (size_t i = 0; i < g->n_values; i++)
        if (data[i] != NULL) nod_plan_bind(p, (int)i, data[i]);
    if (nod_plan_prepare(p, &err) != 0) fail_msg("%s", err.message);
    for (int twice = 0; twice < 2; twice++) {
        memset(p->memory, 0xff, p->arena_bytes);
        if (nod_plan_run(p, &ctx, &err) != 0) fail_msg("%s", err.message);
    }
}

/* The outputs of g, by a plan of g and by a plan in which every value is an output and so has
 * memory of its own. */
static void compare(const nod_graph *g, const nod_backend *backend, int64_t *saved)
{
    nod_graph *all = NULL;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_graph_copy(g, &all, &err), 0);
    for (size_t i = 0; i < all->n_values; i++)
        if (all->values[i].kind == NOD_VALUE_NODE) nod_graph_output(all, (int)i);
    nod_plan *shared = make(g, backend), *apart = make(all, nod_backend_ref());
    float **a = make_sources(g), **b = make_sources(g);
    assert_true(nod_plan_memory_is_sound(shared));
    assert_true(nod_plan_memory_is_sound(apart));
    assert_int_equal(apart->arena_bytes, 0); /* nothing left that could be shared */
    run(shared, g, a);
    run(apart, all, b);
    for (size_t i = 0; i < g->n_outputs; i++) {
        int v = g->outputs[i];
        size_t n = (size_t)nod_shape_count(nod_graph_shape(g, v));
        const uint32_t *x = nod_plan_data(shared, v), *y = nod_plan_data(apart, v); /* bits */
        assert_non_null(x);
        for (size_t k = 0; k < n; k++)
            if (x[k] != y[k])
                fail_msg("'%s'[%zu]: bits %08x, apart %08x", g->values[v].name, k, x[k], y[k]);
    }
    size_t with = nod_plan_memory_of(shared).arena, without = nod_plan_memory_of(apart).arena;
    *saved += (int64_t)without - (int64_t)with;
    free_sources(g, a);
    free_sources(g, b);
    nod_plan_free(shared);
    nod_plan_free(apart);
    nod_graph_free(all);
}

static void sharing_changes_nothing(void **state)
{
    (void)state;
    int64_t saved = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        nod_graph *g = random_graph(seed, 5 + (int)(seed % 40), 1 + (int)(seed % 9) * 3, false);
        int64_t before = saved;
        compare(g, nod_backend_ref(), &saved);
        assert_true(saved >= before);
        nod_graph_free(g);
    }
    assert_true(saved > 0);
}

/* --- any layout --------------------------------------------------------------------------- */

/* A backend whose elementwise kernels each want a layout of their own, by the layer's name; the
 * elements do not care, so that the reference's functions serve. */
static const nod_kernel_def *restless_rows[256];
static nod_kernel_def restless_defs[256];
static int n_reorders;

static int restless_match(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    const nod_backend *ref = nod_backend_ref();
    size_t i = 0;
    while (ref->kernels[i]->op != q->node->op)
        i++;
    if (!ref->kernels[i]->match(q, fit)) return 0;
    const nod_shape *s = nod_graph_shape(q->graph, q->node->out[0]);
    unsigned hash = 5;
    for (const char *c = q->node->name; *c != '\0'; c++)
        hash = hash * 31 + (unsigned char)*c;
    nod_layout layout = (nod_layout)(hash / 7 % NOD_LAYOUT_COUNT);
    if (!nod_layout_allowed(layout, s)) layout = NOD_LAYOUT_PLAIN;
    for (int k = 0; k < q->node->n_in; k++)
        fit->in[k] = layout;
    fit->out[0] = layout;
    return 1;
}

static nod_backend restless(void)
{
    nod_backend b = *nod_backend_ref();
    size_t n = 0;
    for (; b.kernels[n] != NULL; n++) {
        nod_op op = b.kernels[n]->op;
        restless_defs[n] = *b.kernels[n];
        if (op == NOD_OP_ACT || op == NOD_OP_ADD || op == NOD_OP_MUL || op == NOD_OP_SCALE)
            restless_defs[n].match = restless_match;
        restless_rows[n] = &restless_defs[n];
    }
    restless_rows[n] = NULL;
    b.kernels = restless_rows;
    return b;
}

static void layouts_change_nothing(void **state)
{
    (void)state;
    nod_backend b = restless();
    int64_t saved = 0;
    n_reorders = 0;
    for (uint64_t seed = 100; seed < 160; seed++) {
        nod_graph *g = random_graph(seed, 5 + (int)(seed % 40), 1 + (int)(seed % 9) * 3, true);
        nod_plan *p = make(g, &b);
        int of[512][NOD_LAYOUT_COUNT] = {{0}};
        for (size_t i = 0; i < p->n_steps; i++) {
            if (p->steps[i].node.op != NOD_OP_REORDER) continue;
            n_reorders++;
            /* each value goes into each layout at most once */
            const nod_slot *s = &p->slots[nod_step_out(p, &p->steps[i], 0)];
            assert_int_equal(of[s->value][s->layout]++, 0);
        }
        nod_plan_free(p);
        compare(g, &b, &saved);
        nod_graph_free(g);
    }
    assert_true(n_reorders > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharing_changes_nothing),
        cmocka_unit_test(layouts_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
