/* test_build.c: layer builders: names, parameters, scopes, copies, and the cost of nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "graph/graph.h"

static nod_graph *new_graph(void)
{
    nod_graph *g = NULL;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    return g;
}

static void ok(const nod_graph *g)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_graph_check(g, &err) != 0) fail_msg("%s", err.message);
}

static int64_t count_params(const nod_graph *g)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].kind == NOD_VALUE_PARAM) n += nod_shape_count(&g->values[i].shape);
    return n;
}

/* Figure 4 of the seed: 1000 x 12 + 12 x 12 + 2 x 12 = 12 168 weights. */
static void figure_4(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_init init = {.kind = NOD_INIT_XAVIER_UNIFORM, .gain = 1};
    int x = nod_graph_input(g, "image", nod_shape_of(5, 1, 1, 10, 10, 10), false);
    x = nod_graph_flatten(g, "flatten", x);
    x = nod_graph_act(g, "act1", nod_graph_dense(g, "fc1", x, 12, false, init), NOD_ACT_SIGMOID,
                      0);
    x = nod_graph_act(g, "act2", nod_graph_dense(g, "fc2", x, 12, false, init), NOD_ACT_SIGMOID,
                      0);
    x = nod_graph_dense(g, "fc3", x, 2, false, init);
    nod_graph_output(g, x);
    ok(g);
    assert_int_equal(count_params(g), 12168);
    int64_t macs = 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        macs += nod_node_macs(g, &g->nodes[i]);
    assert_int_equal(macs, 12168);
    const nod_value *w = &g->values[nod_graph_find(g, "fc1.weight")];
    assert_int_equal(w->fan_in, 1000);
    assert_int_equal(w->fan_out, 12);
    assert_int_equal(w->init.kind, NOD_INIT_XAVIER_UNIFORM);
    assert_int_equal(nod_graph_find(g, "fc1.bias"), -1);
    nod_graph_free(g);
}

static void scopes_and_names(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_conv_spec spec = {
        .out_channels = 8, .kernel = {1, 3, 3}, .pad = {0, 1, 1}, .bias = true};
    int x = nod_graph_input(g, "image", nod_shape_of(4, 2, 3, 8, 8), false);
    nod_graph_push(g, "layer%d", 1);
    nod_graph_push(g, "a.b");
    x = nod_graph_conv(g, "conv1", x, &spec);
    nod_graph_pop(g);
    x = nod_graph_batch_norm(g, "bn1", x, 1e-5, 0.1, true);
    nod_graph_pop(g);
    nod_graph_prelu(g, "act", x, true);
    ok(g);
    int w = nod_graph_find(g, "layer1.a.b.conv1.weight");
    assert_true(w >= 0);
    assert_int_equal(g->values[w].fan_in, 27);
    assert_int_equal(g->values[w].fan_out, 72);
    assert_int_equal(g->values[w].init.kind, NOD_INIT_HE_NORMAL);
    assert_true(fabs(g->values[w].init.gain - sqrt(2)) < 1e-15);
    assert_true(nod_graph_find(g, "layer1.a.b.conv1.bias") >= 0);
    assert_int_equal(g->values[nod_graph_find(g, "layer1.bn1.weight")].group, NOD_GROUP_NORM);
    assert_int_equal(g->values[nod_graph_find(g, "layer1.bn1.running_var")].kind,
                     NOD_VALUE_STATE);
    assert_true(g->values[nod_graph_find(g, "layer1.bn1.running_var")].init.a == 1);
    const nod_value *slope = &g->values[nod_graph_find(g, "act.weight")];
    assert_int_equal(slope->group, NOD_GROUP_SLOPE);
    assert_int_equal(slope->shape.dim[0], 8);
    assert_true(slope->init.a == 0.25);
    /* conv + batch norm + its tracking + prelu */
    assert_int_equal(g->n_nodes, 4);
    assert_int_equal(g->nodes[2].op, NOD_OP_BATCH_NORM_TRACK);
    assert_int_equal(g->nodes[2].attr.count, 2 * 8 * 8);
    /* N * out positions * weights */
    assert_int_equal(nod_node_macs(g, &g->nodes[0]), 2 * 64 * 8 * 27);
    nod_graph_free(g);
}

static void names_are_unique(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    int x = nod_graph_input(g, "image", nod_shape_of(2, 4, 10), false);
    x = nod_graph_dense(g, "fc", x, 10, true, (nod_init){0});
    x = nod_graph_dense(g, "fc", x, 10, true, (nod_init){0});
    assert_int_equal(x, -1);
    assert_int_equal(nod_graph_check(g, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "'fc.weight'"));
    nod_graph_free(g);
}

static void errors_name_scope_and_stay(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    nod_error err = NOD_ERROR_INIT;
    int64_t k[3] = {1, 2, 2};
    int x = nod_graph_input(g, "image", nod_shape_of(4, 2, 3, 8, 8), false);
    nod_graph_push(g, "head");
    int y = nod_graph_dense(g, "fc", x, 10, true, (nod_init){0});
    assert_int_equal(y, -1);
    y = nod_graph_act(g, "relu", y, NOD_ACT_RELU, 0); /* keeps the first message */
    y = nod_graph_pool(g, "pool", y, true, k, NULL, NULL, false);
    y = nod_graph_flatten(g, "flat", y);
    y = nod_graph_dropout(g, "drop", y, 0.5, true, true);
    nod_graph_output(g, y);
    nod_graph_pop(g);
    assert_int_equal(y, -1);
    assert_int_equal(nod_graph_check(g, &err), NOD_ESHAPE);
    assert_non_null(strstr(err.message, "layer 'head.fc'"));
    assert_non_null(strstr(err.message, "[2, 3, 8, 8]"));
    assert_non_null(strstr(err.message, "flatten"));
    nod_graph_free(g);
}

static void spec_errors(void **state)
{
    (void)state;
    static const struct {
        nod_conv_spec spec;
        const char *text;
        bool transposed;
    } rows[] = {
        {{.out_channels = 0, .kernel = {1, 3, 3}}, "above 0", false},
        {{.out_channels = 4, .kernel = {1, 0, 3}}, "above 0", false},
        {{.out_channels = 4, .kernel = {1, 3, 3}, .groups = 2},
         "3 channels do not divide into 2",
         false},
        {{.out_channels = 4, .kernel = {1, 9, 9}}, "kernel of 9", false},
        {{.out_channels = 4, .kernel = {1, 3, 3}, .groups = 3},
         "4 channels do not divide into 3",
         true},
        {{.out_channels = 4, .kernel = {1, 2, 2}, .stride = {1, -2, 2}}, "stride", true},
    };
    for (size_t i = 0; i < NOD_COUNT(rows); i++) {
        nod_graph *g = new_graph();
        nod_error err = NOD_ERROR_INIT;
        int x = nod_graph_input(g, "image", nod_shape_of(4, 2, 3, 8, 8), false);
        x = rows[i].transposed ? nod_graph_conv_t(g, "conv", x, &rows[i].spec)
                               : nod_graph_conv(g, "conv", x, &rows[i].spec);
        assert_int_equal(x, -1);
        assert_int_equal(nod_graph_check(g, &err), NOD_ESHAPE);
        if (strstr(err.message, rows[i].text) == NULL) fail_msg("%s", err.message);
        assert_non_null(strstr(err.message, "layer 'conv'"));
        nod_graph_free(g);
    }
}

static void pass_through(void **state)
{
    (void)state;
    nod_graph *g = new_graph();
    int x = nod_graph_input(g, "image", nod_shape_of(2, 4, 10), false);
    assert_int_equal(nod_graph_act(g, "a", x, NOD_ACT_IDENTITY, 0), x);
    assert_int_equal(nod_graph_dropout(g, "d", x, 0.5, false, false), x);
    assert_int_equal(nod_graph_dropout(g, "d", x, 0, false, true), x);
    assert_int_equal(nod_graph_flatten(g, "f", x), x);
    assert_int_equal(nod_graph_concat(g, "c", &x, 1), x);
    int a = nod_graph_dropout(g, "d1", x, 0.5, true, true);
    int b = nod_graph_dropout(g, "d2", x, 0.5, false, true);
    ok(g);
    assert_int_equal(g->n_nodes, 2);
    assert_int_equal(g->nodes[g->values[a].node].attr.stream, 0);
    assert_int_equal(g->nodes[g->values[b].node].attr.stream, 1);
    assert_false(g->nodes[g->values[a].node].attr.per_channel); /* [N,F]: the same thing */
    nod_graph_free(g);
}

static void copy_is_independent(void **state)
{
    (void)state;
    nod_graph *g = new_graph(), *c = NULL;
    nod_error err = NOD_ERROR_INIT;
    int x = nod_graph_input(g, "image", nod_shape_of(4, 2, 3, 8, 8), false);
    x = nod_graph_global_pool(g, "pool", x, false);
    x = nod_graph_dense(g, "fc", x, 10, true, (nod_init){0});
    nod_graph_output(g, x);
    assert_int_equal(nod_graph_copy(g, &c, &err), 0);
    nod_graph_free(g);
    assert_int_equal(c->n_nodes, 3);
    assert_int_equal(c->n_outputs, 1);
    assert_int_equal(c->outputs[0], x);
    assert_string_equal(c->values[nod_graph_find(c, "fc.weight")].name, "fc.weight");
    assert_int_equal(nod_graph_shape(c, x)->dim[1], 10);
    x = nod_graph_softmax(c, "softmax", x);
    ok(c);
    assert_int_equal(nod_graph_shape(c, x)->dim[1], 10);
    nod_graph_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_4),
        cmocka_unit_test(scopes_and_names),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(errors_name_scope_and_stay),
        cmocka_unit_test(spec_errors),
        cmocka_unit_test(pass_through),
        cmocka_unit_test(copy_is_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
