/* test_plan_oom.c: every allocation of building, fusing, differentiating, planning and checking
 * refused in turn; and that a run allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "exec/gradcheck.h"
#include "fail_alloc.h"

typedef struct work {
    nod_graph *g, *copy;
    nod_plan *p;
    int x, labels, logits;
} work;

static const nod_conv_spec conv3 = {.out_channels = 4, .kernel = {1, 3, 3}, .pad = {0, 1, 1}};

/* All that happens before the first run. */
static int build(work *w, nod_error *err)
{
    int rc = 0, wrt[2], grads[2];
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    NOD_TRY(nod_graph_new(&w->g, err));
    w->x = nod_graph_input(w->g, "x", nod_shape_of(4, 2, 4, 3, 3), false);
    w->labels = nod_graph_input(w->g, "labels", nod_shape_of(1, 2), true);
    nod_graph_push(w->g, "layer1");
    int y = nod_graph_batch_norm(w->g, "bn", nod_graph_conv(w->g, "conv", w->x, &conv3), 1e-5,
                                 0.1, true);
    nod_graph_pop(w->g);
    y = nod_graph_act(w->g, "act", nod_graph_bin(w->g, NOD_OP_ADD, "add", y, w->x),
                      NOD_ACT_RELU, 0);
    w->logits = nod_graph_global_pool(w->g, "pool", y, false);
    int node = nod_graph_add_node(w->g, NOD_OP_LOSS_CE, "loss", (int[]){w->logits, w->labels},
                                  2, NULL);
    int loss = nod_graph_out(w->g, node, 0);
    nod_graph_output(w->g, loss);
    NOD_TRY(nod_graph_check(w->g, err));
    NOD_TRY(nod_graph_fuse(w->g, false, err));
    wrt[0] = nod_graph_find(w->g, "layer1.conv.weight");
    wrt[1] = nod_graph_find(w->g, "layer1.bn.weight");
    NOD_TRY(nod_graph_backward(w->g, loss, wrt, 2, grads, err));
    nod_graph_output(w->g, grads[0]);
    nod_graph_output(w->g, grads[1]);
    NOD_TRY(nod_graph_prune(w->g, err));
    NOD_TRY(nod_graph_copy(w->g, &w->copy, err));
    NOD_TRY(nod_plan_make(w->copy, &o, &w->p, err));
    NOD_TRY(nod_plan_prepare(w->p, err));
out:
    return rc;
}

static void done(work *w)
{
    nod_plan_free(w->p);
    nod_graph_free(w->g);
    nod_graph_free(w->copy);
}

static void each_refused(void **state)
{
    (void)state;
    for (int only_one = 0; only_one < 2; only_one++) {
        fail_alloc_only_one(only_one == 1);
        long n = 0;
        for (; fail_alloc_round(n); n++) {
            work w = {0};
            nod_error err = NOD_ERROR_INIT;
            int rc = build(&w, &err);
            bool refused = fail_alloc_stop();
            if (refused)
                assert_int_equal(rc, NOD_ENOMEM);
            else if (rc != 0)
                fail_msg("%s", err.message);
            if (refused) assert_true(strlen(err.message) > 0);
            done(&w);
        }
        assert_true(n > 50);
    }
    fail_alloc_only_one(false);
}

static void gradcheck_refused(void **state)
{
    (void)state;
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    nod_gradcheck_options o = NOD_GRADCHECK_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    o.elements = 2;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    int x = nod_graph_input(g, "x", nod_shape_of(2, 2, 3), false);
    int t = nod_graph_input(g, "t", nod_shape_of(2, 2, 3), false);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "mse", (int[]){x, t}, 2, NULL), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_gradcheck_report r;
        int rc = nod_gradcheck(g, loss, &o, &r, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
    }
    nod_graph_free(g);
}

/* With every allocation refused, runs still work: they make none. */
static void runs_allocate_nothing(void **state)
{
    (void)state;
    work w = {0};
    nod_error err = NOD_ERROR_INIT;
    const nod_run_context ctx = {.seed = 1};
    float *data[512] = {0};
    if (build(&w, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < w.g->n_values; i++) {
        if (w.g->values[i].kind == NOD_VALUE_NODE) continue;
        data[i] = nod_aligned_calloc((size_t)nod_shape_count(&w.g->values[i].shape) * 4);
        assert_non_null(data[i]);
        nod_plan_bind(w.p, (int)i, data[i]);
    }
    assert_true(fail_alloc_round(0));
    int rc = nod_plan_run(w.p, &ctx, &err);
    for (int i = 0; i < 3 && rc == 0; i++) {
        nod_plan_bind(w.p, w.x, data[w.x]);
        rc = nod_plan_run(w.p, &ctx, &err);
        if (rc == 0) rc = nod_plan_run_checked(w.p, &ctx, &err);
        if (rc == 0) rc = nod_plan_profile(w.p, &ctx, 1, &err);
    }
    assert_false(fail_alloc_stop());
    if (rc != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < w.g->n_values; i++)
        nod_free(data[i]);
    done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refused),
        cmocka_unit_test(gradcheck_refused),
        cmocka_unit_test(runs_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
