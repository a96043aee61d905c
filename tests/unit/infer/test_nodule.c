/* test_nodule.c: the public API on a model whose answers are known: the network is the mean of the
 * plane times (0, 2), plus (1, 0), so of a plane with mean m its logits are (1, 2 m), and the
 * probability of class 1 is 1 / (1 + e^(1 - 2 m)). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "imaging/image.h"
#include "model/model.h"
#include "nodule/nodule.h"
#include "temp_folder.h"

static const char network[] = "{\"name\": \"layers\", \"layers\": ["
                              "{\"type\": \"global_average_pool\"},"
                              "{\"type\": \"dense\", \"name\": \"d\"}]}";
static const char contract[] =
    "{\"channels\": 1, \"size\": [2, 2], \"normalisation\": \"none\"}";
static const char binary[] =
    "{\"task\": \"binary\", \"classes\": [\"benign\", \"malignant\"], \"positive\": 1,"
    " \"positive_origin\": \"declared\","
    " \"calibration\": {\"kind\": \"none\", \"prior_shift\": [0, 0], \"slope\": [1, 1],"
    " \"intercept\": [0, 0], \"fitted_on_cases\": 0, \"loss_before\": null,"
    " \"loss_after\": null, \"at_bound\": false},"
    " \"operating_points\": [{\"rule\": \"fixed\", \"threshold\": 0.25}],"
    " \"patches\": {\"image\": [1, 2, 2], \"size\": [0, 0, 0], \"stride\": [0, 0, 0],"
    " \"aggregate\": \"mean\", \"k\": 1}}";

static nod_json *parsed(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    if (nod_json_parse(text, strlen(text), "text", &j, &err) != 0) fail_msg("%s", err.message);
    return j;
}

/* Writes the model; `path` becomes its place. */
static void write_model(void **state, const char *answer, char path[512])
{
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, 2, 2}, .n_outputs = 2};
    nod_error err = NOD_ERROR_INIT;
    nod_model *m = NULL;
    nod_json *spec = parsed(network);
    assert_int_equal(nod_model_new(spec, &io, 1, &m, &err), 0);
    memcpy(nod_params_data(m->params, "d.dense.weight"), (float[]){0, 2}, 2 * sizeof(float));
    memcpy(nod_params_data(m->params, "d.dense.bias"), (float[]){1, 0}, 2 * sizeof(float));
    nod_json_free(m->contract);
    nod_json_free(m->answer);
    m->contract = parsed(contract);
    m->answer = parsed(answer);
    temp_path(path, *state, "model.safetensors");
    if (nod_model_write(m, path, &err) != 0) fail_msg("%s", err.message);
    nod_model_free(m);
    nod_json_free(spec);
}

static nodule_model *open_answer(void **state, const char *answer)
{
    char path[512], message[256] = "";
    nodule_model *m = NULL;
    write_model(state, answer, path);
    if (nodule_open(path, &m, message, sizeof message) != 0) fail_msg("%s", message);
    return m;
}

static nodule_model *open_model(void **state)
{
    return open_answer(state, binary);
}

static double of_mean(double mean)
{
    return 1 / (1 + exp(1 - 2 * mean));
}

static void assert_near(const double p[2], double want)
{
    if (!(fabs(p[1] - want) < 1e-6 && fabs(p[0] + p[1] - 1) < 1e-12))
        fail_msg("%.9g %.9g, not %.9g", p[0], p[1], want);
}

static void test_what_a_model_says_of_itself(void **state)
{
    nodule_model *m = open_model(state);
    assert_int_equal(nodule_class_count(m), 2);
    assert_string_equal(nodule_class_name(m, 0), "benign");
    assert_string_equal(nodule_class_name(m, 1), "malignant");
    assert_null(nodule_class_name(m, 2));
    assert_int_equal(nodule_positive_class(m), 1);
    assert_true(nodule_threshold(m) == 0.25);
    assert_string_equal(nodule_version(), NODULE_VERSION);
    nodule_close(m);
    nodule_close(NULL);
}

/* 8 and 16 bit scale to 1 by 255 and 65535; f32 is taken as it is. */
static void test_pixels_of_all_kinds(void **state)
{
    const uint8_t bytes[4] = {255, 0, 51, 204};         /* mean 0.5 */
    const uint16_t words[4] = {65535, 65535, 65535, 0}; /* mean 0.75 */
    const float reals[4] = {-1, 0, 0.5F, 0.5F};         /* mean 0 */
    nodule_model *m = open_model(state);
    double p[2];
    assert_int_equal(nodule_predict_pixels(m, bytes, NODULE_U8, 1, 2, 2, 1, p, NULL, 0), 0);
    assert_near(p, of_mean(0.5));
    assert_int_equal(nodule_predict_pixels(m, words, NODULE_U16, 1, 2, 2, 1, p, NULL, 0), 0);
    assert_near(p, of_mean(0.75));
    assert_int_equal(nodule_predict_pixels(m, reals, NODULE_F32, 1, 2, 2, 1, p, NULL, 0), 0);
    assert_near(p, of_mean(0));
    nodule_close(m);
}

static void test_file_equals_pixels(void **state)
{
    nodule_model *m = open_model(state);
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    char path[512], message[256] = "";
    double p[2];
    assert_int_equal(nod_image_init(&im, 1, 2, 2, 1, NOD_SAMPLE_U8, &err), 0);
    memcpy(im.data, (uint8_t[]){255, 255, 51, 51}, 4); /* mean 0.6 */
    temp_path(path, *state, "image.png");
    assert_int_equal(nod_image_write_png(path, &im, &err), 0);
    nod_image_done(&im);
    if (nodule_predict_file(m, path, p, message, sizeof message) != 0) fail_msg("%s", message);
    assert_near(p, of_mean(0.6));
    nodule_close(m);
}

/* Two images of one patient, means 0.6 and 0.2, so log-odds of class 1 of 0.2 and -0.6: their mean is
 * -0.2, the most positive 0.2. A model that says nothing of units judges images. */
static void test_images_of_a_unit(void **state)
{
    static const uint8_t planes[2][4] = {{255, 255, 51, 51}, {51, 51, 51, 51}};
    char path[2][512], text[1024], message[256] = "";
    const char *const files[] = {path[0], path[1]};
    double p[2];
    for (int i = 0; i < 2; i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_image im = {0};
        assert_int_equal(nod_image_init(&im, 1, 2, 2, 1, NOD_SAMPLE_U8, &err), 0);
        memcpy(im.data, planes[i], 4);
        temp_path(path[i], *state, i ? "second.png" : "first.png");
        assert_int_equal(nod_image_write_png(path[i], &im, &err), 0);
        nod_image_done(&im);
    }
    nodule_model *m = open_model(state);
    assert_string_equal(nodule_unit(m), "image");
    nodule_close(m);
    for (int max = 0; max < 2; max++) {
        snprintf(text, sizeof text,
                 "{\"unit\": {\"level\": \"patient\", \"aggregation\": \"%s\","
                 " \"chosen_on_units\": 0}, %s",
                 max ? "max" : "mean", binary + 1);
        m = open_answer(state, text);
        assert_string_equal(nodule_unit(m), "patient");
        if (nodule_predict_files(m, files, 2, p, message, sizeof message) != 0)
            fail_msg("%s", message);
        assert_near(p, of_mean(max ? 0.6 : 0.4)); /* 1 - 2 * 0.4 = 0.2 */
        assert_int_equal(nodule_predict_files(m, files, 0, p, message, sizeof message),
                         NOD_EINVAL);
        assert_string_equal(message, "no image to predict from");
        nodule_close(m);
    }
}

static void test_refusals_of_images(void **state)
{
    const uint8_t bytes[4] = {0};
    nodule_model *m = open_model(state);
    char message[256] = "", path[512];
    double p[2] = {-1, -1};
    assert_int_equal(nodule_predict_pixels(m, bytes, (nodule_sample)7, 1, 2, 2, 1, p, message,
                                           sizeof message),
                     NOD_EINVAL);
    assert_string_equal(message, "sample kind 7 is not known");
    assert_true(
        nodule_predict_pixels(m, bytes, NODULE_U8, 1, 0, 2, 1, p, message, sizeof message) < 0);
    assert_true(nodule_predict_pixels(m, bytes, NODULE_U8, 2, 1, 2, 1, p, message,
                                      sizeof message) < 0); /* a volume for planes */
    temp_path(path, *state, "none.png");
    assert_int_equal(nodule_predict_file(m, path, p, message, sizeof message), NOD_ENOENT);
    assert_non_null(strstr(message, path));
    assert_int_equal(nodule_predict_file(m, path, p, NULL, 0), NOD_ENOENT);
    assert_true(p[0] == -1 && p[1] == -1);
    nodule_close(m);
}

static void assert_closed(const char *path, int code, const char *words)
{
    char message[512] = "";
    nodule_model *m = NULL;
    assert_int_equal(nodule_open(path, &m, message, sizeof message), code);
    assert_null(m);
    if (strstr(message, words) == NULL) fail_msg("no '%s' in: %s", words, message);
}

static void test_refusals_of_models(void **state)
{
    char path[512], short_message[8] = "";
    nodule_model *m = NULL;
    nod_error err = NOD_ERROR_INIT;
    temp_path(path, *state, "none.safetensors");
    assert_closed(path, NOD_ENOENT, path);
    assert_int_equal(nodule_open(path, &m, short_message, sizeof short_message), NOD_ENOENT);
    assert_int_equal(strlen(short_message), sizeof short_message - 1);
    write_model(state, "{}", path);
    assert_closed(path, NOD_EFORMAT, "task");
    write_model(state, binary, path);
    nod_bytes b = {0};
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    b.data[b.size - 1] ^= 1;
    assert_int_equal(nod_file_write(path, b.data, b.size, &err), 0);
    nod_bytes_done(&b);
    assert_closed(path, NOD_EFORMAT, "changed or cut after writing");
}

static int setup(void **state)
{
    return temp_folder_make(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_model_says_of_itself),
        cmocka_unit_test(test_pixels_of_all_kinds),
        cmocka_unit_test(test_file_equals_pixels),
        cmocka_unit_test(test_images_of_a_unit),
        cmocka_unit_test(test_refusals_of_images),
        cmocka_unit_test(test_refusals_of_models),
    };
    return cmocka_run_group_tests(tests, setup, temp_folder_remove);
}
