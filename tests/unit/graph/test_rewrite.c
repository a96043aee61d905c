/* test_rewrite.c: which nodes fuse, which must not, and what pruning keeps. That fused and
 * unfused graphs compute the same is shown in tests/unit/exec/test_fused.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "graph/graph.h"

static nod_graph *new_graph(int *x)
{
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    *x = nod_graph_input(g, "image", nod_shape_of(4, 2, 4, 8, 8), false);
    return g;
}

/* Every input of every node is made before it, and producers are where values say. */
static void check_order(const nod_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const nod_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] < 0) continue;
            const nod_value *v = &g->values[n->in[k]];
            if (v->kind == NOD_VALUE_NODE) assert_true(v->node >= 0 && v->node < (int)i);
        }
        for (int k = 0; k < n->n_out; k++)
            if (n->out[k] >= 0) {
                assert_int_equal(g->values[n->out[k]].node, i);
                assert_int_equal(g->values[n->out[k]].out_index, k);
            }
    }
}

static void expect_ops(const nod_graph *g, const char *want)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const nod_node *n = &g->nodes[i];
        nod_strbuf_printf(&b, "%s%s", i > 0 ? " " : "", nod_op_name(n->op));
        if (n->op != NOD_OP_ACT && n->attr.act != NOD_ACT_IDENTITY)
            nod_strbuf_printf(&b, "+%s", nod_act_name(n->attr.act));
        if (n->attr.residual) nod_strbuf_add(&b, "+r");
    }
    assert_string_equal(b.data, want);
    nod_strbuf_done(&b);
    check_order(g);
}

static void fuse(nod_graph *g, bool frozen)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_graph_fuse(g, frozen, &err) != 0) fail_msg("%s", err.message);
}

static const nod_conv_spec conv3 = {.out_channels = 4, .kernel = {1, 3, 3}, .pad = {0, 1, 1}};

/* conv bn act conv bn (+ conv bn) add act, as in a ResNet */
static int block(nod_graph *g, int x, nod_act act, bool training, bool down)
{
    int y = nod_graph_conv(g, "conv1", x, &conv3), r = x;
    y = nod_graph_batch_norm(g, "bn1", y, 1e-5, 0.1, training);
    y = nod_graph_act(g, "act1", y, act, 0.1);
    y = nod_graph_conv(g, "conv2", y, &conv3);
    y = nod_graph_batch_norm(g, "bn2", y, 1e-5, 0.1, training);
    if (down) {
        r = nod_graph_conv(g, "conv3", x, &conv3);
        r = nod_graph_batch_norm(g, "bn3", r, 1e-5, 0.1, training);
    }
    y = nod_graph_bin(g, NOD_OP_ADD, "add", y, r);
    return nod_graph_act(g, "act2", y, act, 0.1);
}

static void training_block(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    int y = block(g, x, NOD_ACT_RELU, true, false);
    nod_graph_output(g, y);
    fuse(g, false);
    expect_ops(g, "conv batch_norm+relu batch_norm_track conv batch_norm+relu+r "
                  "batch_norm_track");
    assert_int_equal(g->nodes[4].in[3], x);
    assert_int_equal(g->nodes[4].out[0], y);
    nod_graph_free(g);
}

/* The tracking of the fused norm must stay behind it although its residual comes later. */
static void training_block_down(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    nod_graph_output(g, block(g, x, NOD_ACT_LEAKY_RELU, true, true));
    fuse(g, false);
    expect_ops(g, "conv batch_norm+leaky_relu batch_norm_track conv conv batch_norm "
                  "batch_norm+leaky_relu+r batch_norm_track batch_norm_track");
    assert_true(g->nodes[6].attr.alpha == 0.1);
    nod_graph_free(g);
}

/* SiLU's derivative needs its input: not fused in training, fused when frozen. */
static void silu(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    nod_graph_output(g, block(g, x, NOD_ACT_SILU, true, false));
    fuse(g, false);
    expect_ops(g,
               "conv batch_norm batch_norm_track act conv batch_norm+r batch_norm_track act");
    nod_graph_free(g);
    g = new_graph(&x);
    nod_graph_output(g, block(g, x, NOD_ACT_SILU, false, false));
    fuse(g, true);
    expect_ops(g, "fold_norm_weights fold_norm_bias conv+silu fold_norm_weights fold_norm_bias "
                  "conv add+silu");
    nod_graph_free(g);
}

static void inference_not_frozen(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    nod_graph_output(g, block(g, x, NOD_ACT_RELU, false, true));
    fuse(g, false);
    expect_ops(g, "conv batch_norm_infer+relu conv conv batch_norm_infer "
                  "batch_norm_infer+relu+r");
    nod_graph_free(g);
}

static void others_fuse(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    x = nod_graph_act(g, "a1", nod_graph_conv_t(g, "up", x, &conv3), NOD_ACT_TANH, 0);
    x = nod_graph_act(g, "a2", nod_graph_group_norm(g, "gn", x, 2, 1e-5), NOD_ACT_ELU, 1);
    x = nod_graph_flatten(g, "flat", x);
    x = nod_graph_act(g, "a3", nod_graph_dense(g, "fc", x, 3, true, (nod_init){0}),
                      NOD_ACT_SIGMOID, 0);
    x = nod_graph_batch_norm(g, "bn", nod_graph_act(g, "a4", x, NOD_ACT_RELU, 0), 1e-5, 0.1,
                             false);
    nod_graph_output(g, x);
    fuse(g, true); /* sigmoid and relu: only one activation fits; so the norm cannot fold */
    expect_ops(g, "conv_t+tanh group_norm+elu reshape dense+sigmoid act batch_norm_infer");
    nod_graph_free(g);
}

/* A value that is an output, or has two users, keeps its node. */
static void values_in_use_stay(void **state)
{
    (void)state;
    int x;
    nod_graph *g = new_graph(&x);
    int c = nod_graph_conv(g, "conv", x, &conv3);
    nod_graph_output(g, c);
    nod_graph_output(g, nod_graph_act(g, "act", c, NOD_ACT_RELU, 0));
    fuse(g, true);
    expect_ops(g, "conv act");
    nod_graph_free(g);
    g = new_graph(&x);
    c = nod_graph_batch_norm(g, "bn", x, 1e-5, 0.1, true);
    int a = nod_graph_act(g, "act", c, NOD_ACT_RELU, 0);
    nod_graph_output(g, nod_graph_bin(g, NOD_OP_ADD, "add", c, a));
    fuse(g, false);
    expect_ops(g, "batch_norm batch_norm_track act add");
    nod_graph_free(g);
    g = new_graph(&x);
    c = nod_graph_batch_norm(g, "bn", x, 1e-5, 0.1, true);
    nod_graph_output(g, nod_graph_bin(g, NOD_OP_ADD, "add", c, c));
    fuse(g, false);
    expect_ops(g, "batch_norm batch_norm_track add");
    nod_graph_free(g);
}

static void prune(void **state)
{
    (void)state;
    int x;
    nod_error err = NOD_ERROR_INIT;
    nod_graph *g = new_graph(&x);
    int y = nod_graph_conv(g, "conv1", x, &conv3);
    int dead = nod_graph_conv(g, "conv2", y, &conv3);
    nod_graph_act(g, "act", dead, NOD_ACT_RELU, 0);
    int tracked = nod_graph_conv(g, "conv3", x, &conv3);
    nod_graph_batch_norm(g, "bn", tracked, 1e-5, 0.1, true);
    nod_graph_output(g, y);
    assert_int_equal(nod_graph_prune(g, &err), 0);
    expect_ops(g, "conv conv batch_norm batch_norm_track");
    assert_int_equal(g->values[dead].node, -1);
    nod_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_block),
        cmocka_unit_test(training_block_down),
        cmocka_unit_test(silu),
        cmocka_unit_test(others_fuse),
        cmocka_unit_test(inference_not_frozen),
        cmocka_unit_test(values_in_use_stay),
        cmocka_unit_test(prune),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
