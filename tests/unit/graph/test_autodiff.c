/* test_autodiff.c: the structure of gradients: which nodes appear, in which order, and which do
 * not. Their numbers are checked by finite differences (tests/unit/exec/test_gradcheck.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "graph/graph.h"

static nod_graph *new_graph(void)
{
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    return g;
}

/* Ops from node `first` on, separated by blanks. */
static void expect_ops(const nod_graph *g, size_t first, const char *want)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = first; i < g->n_nodes; i++)
        nod_strbuf_printf(&b, "%s%s", i > first ? " " : "", nod_op_name(g->nodes[i].op));
    assert_string_equal(b.data != NULL ? b.data : "", want);
    nod_strbuf_done(&b);
}

static void backward(nod_graph *g, int loss, const int *wrt, size_t n, int *grads)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_graph_backward(g, loss, wrt, n, grads, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++)
        if (grads[i] >= 0)
            assert_true(
                nod_shape_equal(nod_graph_shape(g, grads[i]), nod_graph_shape(g, wrt[i])));
}

static int ce(nod_graph *g, int logits)
{
    int64_t n = nod_graph_shape(g, logits)->dim[0];
    int labels = nod_graph_input(g, "labels", nod_shape_of(1, n), true);
    int node = nod_graph_add_node(g, NOD_OP_LOSS_CE, "loss", (int[]){logits, labels}, 2, NULL);
    return nod_graph_out(g, node, 0);
}

/* The first layer's input gradient is not computed. */
static void mlp(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    int x = nod_graph_input(g, "image", nod_shape_of(2, 4, 10), false);
    int h = nod_graph_dense(g, "fc1", x, 5, true, (nod_init){0});
    h = nod_graph_act(g, "act", h, NOD_ACT_SIGMOID, 0);
    int loss = ce(g, nod_graph_dense(g, "fc2", h, 3, false, (nod_init){0}));
    int wrt[3] = {nod_graph_find(g, "fc1.weight"), nod_graph_find(g, "fc1.bias"),
                  nod_graph_find(g, "fc2.weight")};
    int grads[3];
    size_t first = g->n_nodes;
    backward(g, loss, wrt, 3, grads);
    expect_ops(g, first,
               "fill loss_ce_bwd dense_bwd_data dense_bwd_weights act_bwd dense_bwd_weights");
    assert_string_equal(g->values[grads[0]].name, "d(fc1.weight)");
    assert_string_equal(g->values[grads[1]].name, "d(fc1.bias)");
    const nod_node *act = &g->nodes[first + 4];
    assert_true(act->attr.from_output);
    assert_string_equal(act->name, "act");
    assert_true(g->nodes[first + 5].attr.bias);
    assert_false(g->nodes[first + 3].attr.bias);
    nod_graph_free(g);
}

/* x used twice: one ADD; SiLU takes its input, ReLU its output. */
static void residual_block(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_conv_spec spec = {.out_channels = 3, .kernel = {1, 3, 3}, .pad = {0, 1, 1}};
    int x = nod_graph_input(g, "image", nod_shape_of(4, 2, 3, 8, 8), false);
    int y = nod_graph_conv(g, "conv1", x, &spec);
    y = nod_graph_batch_norm(g, "bn", y, 1e-5, 0.1, true);
    y = nod_graph_act(g, "silu", y, NOD_ACT_SILU, 0);
    y = nod_graph_bin(g, NOD_OP_ADD, "add", y, x);
    y = nod_graph_act(g, "relu", y, NOD_ACT_RELU, 0);
    int loss = ce(g, nod_graph_global_pool(g, "pool", y, false));
    int wrt[2] = {x, nod_graph_find(g, "conv1.weight")}, grads[2];
    size_t first = g->n_nodes;
    backward(g, loss, wrt, 2, grads);
    expect_ops(g, first,
               "fill loss_ce_bwd reshape pool_avg_bwd act_bwd act_bwd batch_norm_bwd "
               "conv_bwd_data conv_bwd_weights add");
    assert_true(g->nodes[first + 4].attr.from_output);
    assert_false(g->nodes[first + 5].attr.from_output);
    const nod_node *add = &g->nodes[first + 9];
    /* first the gradient met first: through the skip, then through the convolution */
    assert_int_equal(g->values[add->in[0]].node, first + 4);
    assert_int_equal(g->values[add->in[1]].node, first + 7);
    assert_string_equal(g->values[grads[0]].name, "d(image)");
    nod_graph_free(g);
}

static void fused_act(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    int x = nod_graph_input(g, "image", nod_shape_of(2, 4, 10), false);
    int h = nod_graph_dense(g, "fc1", x, 3, true, (nod_init){0});
    int loss = ce(g, nod_graph_act(g, "act", h, NOD_ACT_RELU, 0));
    assert_int_equal(nod_graph_fuse(g, false, &err), 0);
    size_t first = g->n_nodes;
    int wrt = nod_graph_find(g, "fc1.weight"), grad;
    backward(g, loss, &wrt, 1, &grad);
    expect_ops(g, first, "fill loss_ce_bwd act_bwd dense_bwd_weights");
    nod_graph_free(g);
}

/* conv_t's gradients are conv and conv_bwd_weights with the roles exchanged. */
static void transposed(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_conv_spec spec = {.out_channels = 6,
                          .kernel = {2, 3, 3},
                          .stride = {2, 2, 2},
                          .pad = {0, 1, 1},
                          .bias = true};
    int x = nod_graph_input(g, "image", nod_shape_of(5, 2, 4, 3, 5, 5), false);
    int y = nod_graph_conv_t(g, "up", x, &spec);
    int t = nod_graph_input(g, "t", *nod_graph_shape(g, y), false);
    int loss = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "loss", (int[]){y, t}, 2, NULL), 0);
    int wrt[4] = {x, nod_graph_find(g, "up.weight"), nod_graph_find(g, "up.bias"), t};
    int grads[4];
    size_t first = g->n_nodes;
    backward(g, loss, wrt, 4, grads);
    expect_ops(g, first, "fill loss_mse_bwd scale conv conv_bwd_weights bias_bwd");
    nod_graph_free(g);
}

static void arrangements(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_attrs pad = nod_attrs_default();
    pad.lo[2] = 1;
    int x = nod_graph_input(g, "x", nod_shape_of(4, 2, 3, 4, 4), false);
    int y = nod_graph_input(g, "y", nod_shape_of(4, 2, 2, 5, 4), false);
    int a = nod_graph_out(g, nod_graph_add_node(g, NOD_OP_PAD, "pad", &x, 1, &pad), 0);
    int c = nod_graph_concat(g, "concat", (int[]){a, y, a}, 3);
    c = nod_graph_dropout(g, "drop", c, 0.5, true, true);
    c = nod_graph_bin(g, NOD_OP_MUL, "mul", c, c);
    int loss = ce(g, nod_graph_global_pool(g, "pool", c, true));
    int wrt[2] = {x, y}, grads[2];
    size_t first = g->n_nodes;
    backward(g, loss, wrt, 2, grads);
    expect_ops(g, first,
               "fill loss_ce_bwd reshape pool_max_bwd mul mul add dropout crop crop crop add "
               "crop");
    const nod_node *crop_y = &g->nodes[first + 9];
    assert_int_equal(crop_y->attr.lo[1], 3);
    assert_int_equal(crop_y->attr.hi[1], 3);
    const nod_node *drop = &g->nodes[first + 7];
    assert_int_equal(drop->attr.stream, 0);
    assert_true(drop->attr.per_channel && drop->attr.p == 0.5);
    nod_graph_free(g);
}

/* What the loss does not depend on gets -1 and no nodes. */
static void independent(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    int x = nod_graph_input(g, "x", nod_shape_of(2, 4, 3), false);
    int other =
        nod_graph_param(g, "other", nod_shape_of(1, 3), (nod_init){0}, NOD_GROUP_WEIGHT, 1, 1);
    int loss = ce(g, x), grad = 7;
    size_t first = g->n_nodes;
    backward(g, loss, &other, 1, &grad);
    assert_int_equal(grad, -1);
    assert_int_equal(g->n_nodes, first);
    nod_graph_free(g);
}

static void scaled_sum_of_losses(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_attrs half = nod_attrs_default();
    half.alpha = 0.5;
    int x = nod_graph_input(g, "x", nod_shape_of(2, 4, 3), false);
    int t = nod_graph_input(g, "t", nod_shape_of(2, 4, 3), false);
    int a = ce(g, x);
    int b = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MAE, "mae", (int[]){x, t}, 2, NULL), 0);
    b = nod_graph_out(g, nod_graph_add_node(g, NOD_OP_SCALE, "half", &b, 1, &half), 0);
    int loss = nod_graph_bin(g, NOD_OP_ADD, "sum", a, b), grad;
    size_t first = g->n_nodes;
    backward(g, loss, &x, 1, &grad);
    expect_ops(g, first, "fill scale loss_mae_bwd loss_ce_bwd add");
    nod_graph_free(g);
}

/* On failure the graph is as it was, and stays usable. */
static void refusals(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    int x = nod_graph_input(g, "x", nod_shape_of(2, 4, 3), false);
    int y = nod_graph_batch_norm(g, "bn", x, 1e-5, 0.1, false);
    int loss = ce(g, y), wrt[2] = {x, nod_graph_find(g, "bn.weight")}, grads[2] = {7, 7};
    size_t nodes = g->n_nodes, values = g->n_values;
    assert_int_equal(nod_graph_backward(g, loss, wrt, 2, grads, &err), NOD_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "layer 'bn'"));
    assert_non_null(strstr(err.message, "bn.weight"));
    assert_int_equal(grads[0], 7);
    assert_int_equal(g->n_nodes, nodes);
    assert_int_equal(g->n_values, values);
    backward(g, loss, wrt, 1, grads);
    assert_int_equal(nod_graph_backward(g, y, wrt, 1, grads, &err), NOD_ESHAPE);
    assert_non_null(strstr(err.message, "[4, 3]"));
    /* gradients have no gradients */
    int sum = nod_graph_out(
        g, nod_graph_add_node(g, NOD_OP_LOSS_MSE, "mse", (int[]){grads[0], x}, 2, NULL), 0);
    assert_int_equal(nod_graph_backward(g, sum, wrt, 1, grads, &err), NOD_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "has no gradient"));
    nod_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp),          cmocka_unit_test(residual_block),
        cmocka_unit_test(fused_act),    cmocka_unit_test(transposed),
        cmocka_unit_test(arrangements), cmocka_unit_test(independent),
        cmocka_unit_test(refusals),     cmocka_unit_test(scaled_sum_of_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
