/* test_summary.c: the figures of a network for one image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/text.h"
#include "model/network.h"

static nod_json *summary_of(const char *network, const nod_network_io *io)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *spec = NULL, *out = NULL;
    nod_network *n = NULL;
    nod_strbuf text = NOD_STRBUF_INIT;
    assert_int_equal(nod_json_parse(network, strlen(network), "network", &spec, &err), 0);
    assert_int_equal(nod_network_from_json(spec, &n, &err), 0);
    if (nod_network_summary(n, io, &text, &out, &err) != 0) fail_msg("%s", err.message);
    nod_strbuf_done(&text);
    nod_network_free(n);
    nod_json_free(spec);
    return out;
}

static int64_t figure(const nod_json *j, const char *key)
{
    return nod_json_i64(nod_json_get(j, key));
}

/* Parameters and multiply-adds: torchvision, ResNet18_Weights.IMAGENET1K_V1.meta: num_params
 * 11689512, _ops 1.814 (1e9). The exact sum over convolutions and the dense layer is the closed
 * form: stem 64 x 3 x 49 x 112^2; layer1 4 x 64 x 64 x 9 x 56^2; each later layer with c channels
 * on s^2 pixels (c/2 + 3 c) x c x 9 x s^2 and the shortcut c/2 x c x s^2; dense 512 x 1000. */
static void test_resnet18(void **state)
{
    (void)state;
    nod_network_io io = {.channels = 3, .nd = 2, .size = {1, 224, 224}, .n_outputs = 1000};
    nod_json *j =
        summary_of("{\"name\": \"resnet18\", \"stem\": \"imagenet\", \"width\": 64}", &io);
    int64_t macs = 64LL * 3 * 49 * 112 * 112 + 4LL * 64 * 64 * 9 * 56 * 56 + 512LL * 1000;
    for (int64_t c = 128, s = 28; c <= 512; c *= 2, s /= 2)
        macs += (c / 2 + 3 * c) * c * 9 * s * s + c / 2 * c * s * s;
    assert_int_equal(figure(j, "parameters"), 11689512);
    assert_int_equal(figure(j, "multiply_adds"), macs);
    assert_int_equal(macs / 1000000, 1814);
    nod_json_free(j);
}

/* Activations: 4 bytes for each output of a layer, here 2 channels on 4 x 4 from convolution, norm
 * and activation, 2 from the pooling and from dropout, 2 logits. */
static void test_memory(void **state)
{
    (void)state;
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, 4, 4}, .n_outputs = 2};
    nod_json *j = summary_of("{\"name\": \"cnn\", \"channels\": [2], \"dropout\": 0.5}", &io);
    assert_int_equal(figure(j, "activation_bytes"), 4 * (3 * 2 * 16 + 2 + 2 + 2));
    assert_int_equal(figure(j, "multiply_adds"), 2 * 9 * 16 + 2 * 2);
    nod_json_free(j);
}

/* 28^3 behind the large stem ends at one voxel, where batch norm has a value per image. */
static void test_one_voxel(void **state)
{
    (void)state;
    nod_network_io io = {.channels = 1, .nd = 3, .size = {28, 28, 28}, .n_outputs = 2};
    nod_json *j =
        summary_of("{\"name\": \"resnet18\", \"stem\": \"imagenet\", \"width\": 8}", &io);
    const nod_json *layers = nod_json_get(j, "layers");
    bool found = false;
    for (size_t i = 0; i < nod_json_count(layers); i++) {
        const nod_json *row = nod_json_at(layers, i);
        if (strcmp(nod_json_str(nod_json_get(row, "layer")), "layer4.1.conv2") != 0) continue;
        found = true;
        assert_int_equal(figure(row, "multiply_adds"), 64 * 64 * 27);
        assert_int_equal(figure(row, "memory_bytes"), 64 * 4);
    }
    assert_true(found);
    nod_json_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resnet18),
                                       cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_one_voxel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
