/* test_node.c: one node from inside, against sums done by hand.
 *
 * The small network: inputs x = (1, 2); hidden weights ((1, -1), (2, 1)), biases (1/2, -1); relu;
 * output weights ((1, 1), (0, -1)), biases (0, 1). By hand: sums (-1/2, 3), activations (0, 3),
 * logits (3, -2). With p = 1 / (1 + e^-5) the error against class 1 is -ln(1 - p), its gradient by
 * the logits (p, -p), by hidden 2 p (1 + 1) = 2 p. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "explain/node.h"

static nod_model *model_of(const char *network, const nod_network_io *io)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *spec = NULL;
    nod_model *m = NULL;
    assert_int_equal(nod_json_parse(network, strlen(network), "network", &spec, &err), 0);
    if (nod_model_new(spec, io, 1, &m, &err) != 0) fail_msg("%s", err.message);
    nod_json_free(spec);
    return m;
}

static void set(const nod_model *m, const char *name, const float *v, size_t n)
{
    float *p = nod_params_data(m->params, name);
    NOD_ASSERT(p != NULL);
    assert_int_equal(nod_params_find(m->params, name)->count, n);
    memcpy(p, v, n * sizeof *v);
}

static nod_model *small_network(void)
{
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, 1, 2}, .n_outputs = 2};
    nod_model *m = model_of("{\"name\": \"mlp\", \"hidden\": [2]}", &io);
    set(m, "hidden1.dense.weight", (float[]){1, -1, 2, 1}, 4);
    set(m, "hidden1.dense.bias", (float[]){0.5F, -1}, 2);
    set(m, "output.weight", (float[]){1, 1, 0, -1}, 4);
    set(m, "output.bias", (float[]){0, 1}, 2);
    return m;
}

static const float image[] = {1, 2};

typedef struct told {
    nod_strbuf text;
    nod_json *json;
} told;

static told ask(const nod_model *m, const float *x, nod_node_request q)
{
    nod_error err = NOD_ERROR_INIT;
    told t = {NOD_STRBUF_INIT, NULL};
    if (nod_explain_node(m, x, &q, &t.text, &t.json, &err) != 0) fail_msg("%s", err.message);
    return t;
}

static void told_done(told *t)
{
    nod_strbuf_done(&t->text);
    nod_json_free(t->json);
}

static double real(const told *t, const char *key)
{
    return nod_json_f64(nod_json_get(t->json, key));
}

static double term(const told *t, size_t i, const char *key)
{
    return nod_json_f64(nod_json_get(nod_json_at(nod_json_get(t->json, "terms"), i), key));
}

static size_t n_terms(const told *t)
{
    return nod_json_count(nod_json_get(t->json, "terms"));
}

static void assert_told(const told *t, const char *words)
{
    if (strstr(t->text.data, words) == NULL) fail_msg("no '%s' in: %s", words, t->text.data);
}

static void test_hidden_node(void **state)
{
    nod_model *m = small_network();
    double p = 1 / (1 + exp(-5));
    (void)state;
    told t = ask(m, image, (nod_node_request){.layer = "hidden1", .unit = 1, .truth = 1});
    assert_string_equal(nod_json_str(nod_json_get(t.json, "layer")), "hidden1.dense");
    assert_int_equal(n_terms(&t), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(term(&t, i, "index") == (double)i);
        assert_true(term(&t, i, "input") == (double)image[i]);
        assert_true(term(&t, i, "weight") == (i == 0 ? 2 : 1));
        assert_true(fabs(term(&t, i, "gradient") - 2 * p * (double)image[i]) < 1e-6);
    }
    assert_true(real(&t, "bias") == -1);
    assert_true(real(&t, "sum") == 3);
    assert_true(real(&t, "activation") == 3);
    assert_told(&t, "layer hidden1.dense (dense), node 1");
    assert_told(&t, "relu              3\n");
    assert_told(&t, "(cross-entropy)        5.00672\n"); /* 5 + ln(1 + e^-5) */
    told_done(&t);
    nod_model_free(m);
}

/* The sum is below 0, so relu passes nothing on: no gradient. */
static void test_silent_node(void **state)
{
    nod_model *m = small_network();
    (void)state;
    told t = ask(m, image, (nod_node_request){.layer = "hidden1", .unit = 0, .truth = 0});
    assert_true(real(&t, "sum") == -0.5);
    assert_true(real(&t, "activation") == 0);
    assert_true(term(&t, 0, "gradient") == 0 && term(&t, 1, "gradient") == 0);
    told_done(&t);
    nod_model_free(m);
}

/* Output 0 against class 1: its gradient is p times the activations (0, 3). No activation. */
static void test_output_node(void **state)
{
    nod_model *m = small_network();
    double p = 1 / (1 + exp(-5));
    (void)state;
    told t = ask(m, image, (nod_node_request){.layer = "output", .unit = 0, .truth = 1});
    assert_true(real(&t, "sum") == 3);
    assert_true(term(&t, 0, "gradient") == 0);
    assert_true(fabs(term(&t, 1, "gradient") - 3 * p) < 1e-6);
    assert_null(nod_json_get(t.json, "activation"));
    told_done(&t);
    nod_model_free(m);
}

/* Products of node 0 are 1 and -2: the second is the larger. Without a truth, no gradients. */
static void test_largest_first(void **state)
{
    nod_model *m = small_network();
    (void)state;
    told t =
        ask(m, image,
            (nod_node_request){.layer = "hidden1.dense", .unit = 0, .truth = -1, .most = 1});
    assert_int_equal(n_terms(&t), 1);
    assert_true(term(&t, 0, "index") == 1 && term(&t, 0, "weight") == -1);
    assert_null(nod_json_get(nod_json_at(nod_json_get(t.json, "terms"), 0), "gradient"));
    assert_told(&t, "(1 more, smaller)");
    assert_null(strstr(t.text.data, "error"));
    told_done(&t);
    nod_model_free(m);
}

/* A 3 x 3 plane that is 9 in its last corner. Weights 5 in the first corner and 1 in the middle:
 * the sum is 5 * 9 nowhere (that point would lie outside), 9 in the corner itself, where five of
 * the nine weights lie on padding. */
static void test_convolution(void **state)
{
    static const char network[] =
        "{\"name\": \"layers\", \"layers\": [{\"type\": \"conv\", \"channels\": 2, \"kernel\": "
        "3,"
        " \"name\": \"c\"}, {\"type\": \"batch_norm\", \"activation\": \"relu\"},"
        " {\"type\": \"global_average_pool\"}, {\"type\": \"dense\"}]}";
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, 3, 3}, .n_outputs = 2};
    nod_model *m = model_of(network, &io);
    float w[18] = {0}, plane[9] = {0};
    (void)state;
    w[9] = 5; /* channel 1 */
    w[9 + 4] = 1;
    plane[8] = 9;
    set(m, "c.conv.weight", w, 18);
    set(m, "c.conv.bias", (float[]){0, 0.25F}, 2);
    told t = ask(m, plane, (nod_node_request){.layer = "c", .unit = 1, .truth = -1});
    assert_told(&t, "at point 8 of its plane (the largest)");
    assert_int_equal(n_terms(&t), 9);
    for (size_t i = 0; i < 9; i++)
        assert_true(term(&t, i, "input") == (i == 4 ? 9 : 0));
    assert_true(real(&t, "sum") == 9.25);
    /* behind a batch norm of mean 0, variance 1, eps 1e-5 */
    assert_true(fabs(real(&t, "activation") - 9.25 / sqrt(1 + 1e-5)) < 1e-5);
    told_done(&t);
    nod_model_free(m);
}

static void assert_refused(const nod_model *m, nod_node_request q, const char *words)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_json *json = NULL;
    assert_int_equal(nod_explain_node(m, image, &q, &text, &json, &err), NOD_EINVAL);
    assert_string_equal(err.message, words);
    assert_null(json);
    nod_strbuf_done(&text);
}

static void test_refusals(void **state)
{
    nod_model *m = small_network();
    (void)state;
    assert_refused(m, (nod_node_request){.layer = "hidden", .truth = -1},
                   "no layer 'hidden' with weights; there are hidden1.dense, output");
    assert_refused(m, (nod_node_request){.layer = "output", .unit = 2, .truth = -1},
                   "layer 'output' has nodes 0 to 1, not 2");
    assert_refused(m, (nod_node_request){.layer = "output", .unit = -1, .truth = -1},
                   "layer 'output' has nodes 0 to 1, not -1");
    assert_refused(m, (nod_node_request){.layer = "output", .truth = 2},
                   "class 2; the network has 2");
    nod_model_free(m);
}

static void test_network_without_weights(void **state)
{
    nod_network_io io = {.channels = 2, .nd = 2, .size = {1, 1, 1}, .n_outputs = 2};
    nod_model *m = model_of(
        "{\"name\": \"layers\", \"layers\": [{\"type\": \"global_average_pool\"}]}", &io);
    (void)state;
    assert_refused(m, (nod_node_request){.layer = "a", .truth = -1},
                   "no layer 'a' with weights; there are none");
    nod_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hidden_node),
        cmocka_unit_test(test_silent_node),
        cmocka_unit_test(test_output_node),
        cmocka_unit_test(test_largest_first),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_network_without_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
