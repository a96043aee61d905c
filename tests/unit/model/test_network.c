/* test_network.c: descriptions become graphs: sizes by hand and as published, names that stay (model
 * files are read by them), and what is said of a description that cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/network.h"
#include "model/params.h"

static int network_of(const char *text, nod_network **out, nod_error *err)
{
    nod_json *spec = NULL;
    assert_int_equal(nod_json_parse(text, strlen(text), "text", &spec, err), 0);
    int rc = nod_network_from_json(spec, out, err);
    nod_json_free(spec);
    return rc;
}

typedef struct built {
    nod_network *network;
    nod_graph *graph;
    nod_params *params;
    int image, logits;
} built;

static built build(const char *text, const nod_network_io *io, int64_t batch)
{
    nod_error err = NOD_ERROR_INIT;
    built b = {0};
    if (network_of(text, &b.network, &err) != 0 || nod_graph_new(&b.graph, &err) != 0 ||
        nod_network_build(b.network, io, batch, true, b.graph, &b.image, &b.logits, &err) !=
            0 ||
        nod_params_new(b.graph, &b.params, &err) != 0)
        fail_msg("%s", err.message);
    return b;
}

static void built_done(built *b)
{
    nod_params_free(b->params);
    nod_graph_free(b->graph);
    nod_network_free(b->network);
}

static int64_t n_params(const nod_params *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n_params; i++)
        n += p->params[i].count;
    return n;
}

static const nod_network_io plane = {.channels = 1, .nd = 2, .size = {1, 2, 2}, .n_outputs = 3};

/* 4 inputs, 3 and 2 hidden nodes, 3 outputs: weights 12 + 6 + 6, biases 3 + 2 + 3. */
static void test_mlp(void **state)
{
    static const char *const names[] = {"hidden1.dense.weight", "hidden1.dense.bias",
                                        "hidden2.dense.weight", "hidden2.dense.bias",
                                        "output.weight",        "output.bias"};
    built b = build("{\"name\": \"mlp\", \"hidden\": [3, 2]}", &plane, 5);
    (void)state;
    assert_int_equal(b.params->n_params, NOD_COUNT(names));
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        assert_string_equal(b.params->params[i].name, names[i]);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_WEIGHT), 24);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_BIAS), 8);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_NORM), 0);
    const nod_shape *logits = nod_graph_shape(b.graph, b.logits);
    assert_true(logits->rank == 2 && logits->dim[0] == 5 && logits->dim[1] == 3);
    assert_string_equal(nod_network_name(b.network), "mlp");
    built_done(&b);
}

/* Two stages of one 3 x 3 convolution, 1 -> 2 -> 4 channels, no bias before batch norm: weights
 * 18 + 72, norms 2 (2 + 4), head 4 x 3 + 3. Running mean and variance are states, not parameters.
 * In 3-D the kernels are 27. */
static void test_cnn(void **state)
{
    static const char text[] = "{\"name\": \"cnn\", \"channels\": [2, 4]}";
    nod_network_io volume = {.channels = 1, .nd = 3, .size = {2, 2, 2}, .n_outputs = 3};
    built b = build(text, &plane, 2);
    (void)state;
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_WEIGHT), 18 + 72 + 12);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_NORM), 12);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_BIAS), 3);
    assert_int_equal(b.params->n_states, 4);
    assert_non_null(nod_params_find(b.params, "stage2.conv1.weight"));
    built_done(&b);
    b = build(text, &volume, 2);
    assert_int_equal(nod_params_count(b.params, NOD_GROUP_WEIGHT), 54 + 216 + 12);
    built_done(&b);
}

/* num_params of torchvision's weights IMAGENET1K_V1 (resnet34, resnet50, densenet121). resnet18
 * stands in test_summary.c. */
static void test_published_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } published[] = {
        {"{\"name\": \"resnet34\", \"stem\": \"imagenet\", \"width\": 64}", 21797672},
        {"{\"name\": \"resnet50\", \"stem\": \"imagenet\", \"width\": 64}", 25557032},
        {"{\"name\": \"densenet121\", \"stem\": \"imagenet\"}", 7978856},
    };
    nod_network_io io = {.channels = 3, .nd = 2, .size = {1, 224, 224}, .n_outputs = 1000};
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(published); i++) {
        built b = build(published[i].text, &io, 1);
        assert_int_equal(n_params(b.params), published[i].n);
        built_done(&b);
    }
}

/* A layer that reads another than the one before it: a(x), b(a), c = conv(a) by `from`, c + b. */
static void test_layers_join(void **state)
{
    built b = build("{\"name\": \"layers\", \"layers\": ["
                    "{\"type\": \"conv\", \"channels\": 2, \"kernel\": 1, \"name\": \"a\"},"
                    "{\"type\": \"conv\", \"channels\": 3, \"kernel\": 1, \"name\": \"b\"},"
                    "{\"type\": \"conv\", \"channels\": 3, \"kernel\": 1, \"from\": \"a\"},"
                    "{\"type\": \"add\", \"with\": \"b\"},"
                    "{\"type\": \"concat\", \"with\": \"a\"},"
                    "{\"type\": \"global_max_pool\"}, {\"type\": \"dense\"}]}",
                    &plane, 1);
    (void)state;
    const nod_param *c = nod_params_find(b.params, "2.conv.weight");
    assert_non_null(c);
    assert_int_equal(c->shape.dim[1], 2); /* channels of a, not of b */
    const nod_param *d = nod_params_find(b.params, "6.dense.weight");
    assert_non_null(d);
    assert_int_equal(d->shape.dim[1], 3 + 2); /* concat: of the sum and of a */
    built_done(&b);
}

/* The completed description is complete: read again it gives itself. */
static void test_completed_description(void **state)
{
    const char *const *names = nod_network_names();
    nod_error err = NOD_ERROR_INIT;
    (void)state;
    for (size_t i = 0; names[i]; i++) {
        char text[128], *once = NULL, *twice = NULL;
        nod_network *n = NULL, *again = NULL;
        snprintf(text, sizeof text, "{\"name\": \"%s\"%s}", names[i],
                 strcmp(names[i], "layers") ? "" : ", \"layers\": [{\"type\": \"dense\"}]");
        assert_int_equal(network_of(text, &n, &err), 0);
        nod_json *j = nod_network_to_json(n);
        assert_int_equal(nod_network_from_json(j, &again, &err), 0);
        nod_json *k = nod_network_to_json(again);
        assert_int_equal(nod_json_dump(j, false, &once, &err), 0);
        assert_int_equal(nod_json_dump(k, false, &twice, &err), 0);
        assert_string_equal(once, twice);
        assert_non_null(strstr(once, "\"activation\":\"relu\""));
        nod_json_free(j);
        nod_json_free(k);
        nod_free(once);
        nod_free(twice);
        nod_network_free(n);
        nod_network_free(again);
    }
}

/* --- refusals ----------------------------------------------------------------------------- */

static void assert_refused(const char *text, const char *words)
{
    nod_error err = NOD_ERROR_INIT;
    nod_network *n = NULL;
    assert_int_equal(network_of(text, &n, &err), NOD_ERECIPE);
    assert_null(n);
    if (strstr(err.message, words) == NULL) fail_msg("no '%s' in: %s", words, err.message);
}

static void test_refused_descriptions(void **state)
{
    (void)state;
    assert_refused("{}", "network.name: is missing");
    assert_refused("{\"name\": \"resnet19\"}", "did you mean 'resnet18'");
    assert_refused("{\"name\": \"mlp\", \"hiden\": [3]}", "hidden");
    assert_refused("{\"name\": \"mlp\", \"hidden\": [0]}",
                   "network.hidden: entry 0 is 0, the least is 1");
    assert_refused("{\"name\": \"cnn\", \"channels\": []}",
                   "network.channels: needs at least one stage");
    assert_refused("{\"name\": \"mlp\", \"dropout\": 1}",
                   "network.dropout: 1 is not between 0 and 0.99");
    assert_refused("{\"name\": \"layers\"}", "network.layers: must be a list of 1 to 4096");
}

/* Descriptions that only the graph can judge: the message names the layer, and both shapes. */
static void assert_misfit(const char *layers, int code, const char *words)
{
    char text[512];
    nod_error err = NOD_ERROR_INIT;
    nod_network *n = NULL;
    nod_graph *g = NULL;
    int image = -7, logits = -7;
    snprintf(text, sizeof text, "{\"name\": \"layers\", \"layers\": [%s]}", layers);
    assert_int_equal(network_of(text, &n, &err), 0);
    assert_int_equal(nod_graph_new(&g, &err), 0);
    assert_int_equal(nod_network_build(n, &plane, 4, false, g, &image, &logits, &err), code);
    if (strstr(err.message, words) == NULL) fail_msg("no '%s' in: %s", words, err.message);
    assert_true(image == -7 && logits == -7);
    nod_graph_free(g);
    nod_network_free(n);
}

static void test_misfits(void **state)
{
    (void)state;
    assert_misfit("{\"type\": \"dense\", \"units\": 2}", NOD_ESHAPE,
                  "ends with shape [4, 2], the task needs [4, 3]: end it with a dense layer of "
                  "3 units");
    assert_misfit("{\"type\": \"conv\"}, {\"type\": \"add\", \"with\": \"b\"}", NOD_ERECIPE,
                  "network.layers[1].with: no earlier layer is named 'b'");
    assert_misfit("{\"type\": \"dense\", \"name\": \"a\"}, {\"type\": \"dense\", \"name\": "
                  "\"a\"}",
                  NOD_ERECIPE, "network.layers[1].name: two layers are named 'a'");
    assert_misfit("{\"type\": \"conv\", \"kernel\": [3, 3, 3]}", NOD_ERECIPE,
                  "network.layers[0].kernel: has 3 entries, the input has 2 dimensions");
    assert_misfit("{\"type\": \"dens\"}", NOD_ERECIPE, "did you mean 'dense'");
    assert_misfit("{\"type\": \"conv\", \"channels\": 2, \"name\": \"a\"}, "
                  "{\"type\": \"conv\", \"channels\": 3, \"name\": \"b\"}, "
                  "{\"type\": \"add\", \"with\": \"a\", \"name\": \"sum\"}",
                  NOD_ESHAPE, "layer 'sum.add'");
}

/* A size over the limit is refused, and nothing is computed with it: 2 (2^63 - 1) is too much. */
static void test_huge_dilation(void **state)
{
    (void)state;
    assert_misfit("{\"type\": \"conv\", \"dilation\": 9223372036854775807}", NOD_ERECIPE,
                  "network.layers[0].dilation: 9223372036854775807 is not between 1 and "
                  "16777216");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mlp),
        cmocka_unit_test(test_cnn),
        cmocka_unit_test(test_published_sizes),
        cmocka_unit_test(test_layers_join),
        cmocka_unit_test(test_completed_description),
        cmocka_unit_test(test_refused_descriptions),
        cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_huge_dilation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
