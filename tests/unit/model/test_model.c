/* test_model.c: the model file: what is written is read back with its bits, answers the same for any
 * batch, and a file whose parts do not fit each other is refused with the reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "temp_folder.h"

static const nod_network_io plane = {.channels = 1, .nd = 2, .size = {1, 1, 2}, .n_outputs = 2};

/* Logits of x: (x0 - x1 + 1/2, 2 x0 + 3 x1). */
static nod_model *linear_model(void)
{
    static const char text[] = "{\"name\": \"mlp\", \"hidden\": []}";
    nod_error err = NOD_ERROR_INIT;
    nod_json *spec = NULL;
    nod_model *m = NULL;
    assert_int_equal(nod_json_parse(text, sizeof text - 1, "text", &spec, &err), 0);
    if (nod_model_new(spec, &plane, 9, &m, &err) != 0) fail_msg("%s", err.message);
    nod_json_free(spec);
    memcpy(nod_params_data(m->params, "output.weight"), (float[]){1, -1, 2, 3},
           4 * sizeof(float));
    memcpy(nod_params_data(m->params, "output.bias"), (float[]){0.5F, 0}, 2 * sizeof(float));
    nod_json_set_str(m->provenance, "command", "test");
    return m;
}

static const char *written(void **state, char path[512])
{
    nod_error err = NOD_ERROR_INIT;
    nod_model *m = linear_model();
    temp_path(path, *state, "m");
    if (nod_model_write(m, path, &err) != 0) fail_msg("%s", err.message);
    nod_model_free(m);
    return path;
}

static void test_read_back(void **state)
{
    char path[512], a[65], b[65];
    nod_error err = NOD_ERROR_INIT;
    nod_model *m = linear_model(), *r = NULL;
    if (nod_model_read(written(state, path), &r, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_params_hash(m->params, a, &err), 0);
    assert_int_equal(nod_params_hash(r->params, b, &err), 0);
    assert_string_equal(a, b);
    assert_memory_equal(&r->io, &plane, sizeof plane);
    assert_string_equal(nod_json_str(nod_json_get(r->provenance, "command")), "test");
    assert_int_equal(nod_json_count(r->answer), 0);
    nod_model_free(r);
    nod_model_free(m);
}

/* x = (1, 2) and (-1, 0) give (-1/2, 8) and (-1/2, -2), alone and together. */
static void test_forward(void **state)
{
    const float x[4] = {1, 2, -1, 0}, want[4] = {-0.5F, 8, -0.5F, -2};
    nod_model *m = linear_model();
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    const nod_run_context context = {.seed = 0};
    (void)state;
    o.backend = nod_backend_ref();
    for (int64_t batch = 1; batch <= 2; batch++) {
        nod_error err = NOD_ERROR_INIT;
        nod_forward f;
        if (nod_model_forward(m, batch, &o, &f, &err) != 0) fail_msg("%s", err.message);
        for (int64_t i = 0; i < 2; i += batch) {
            float in[4] = {0}, out[4];
            memcpy(in, x + 2 * i, (size_t)(2 * batch) * sizeof *in);
            nod_plan_bind(f.plan, f.image, in);
            nod_plan_bind(f.plan, f.logits, out);
            assert_int_equal(nod_plan_run(f.plan, &context, &err), 0);
            assert_memory_equal(out, want + 2 * i, (size_t)(2 * batch) * sizeof *out);
        }
        nod_forward_done(&f);
    }
    nod_model_free(m);
}

/* --- files that do not fit themselves ------------------------------------------------------- */

/* Changes one text of the header, or a tensor's name, writes the file anew with its right hash, and
 * says why it is refused. */
static void assert_refused(void **state, const char *key, const char *value, int code,
                           const char *words)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_safetensors *s = NULL;
    nod_model *m = NULL;
    assert_int_equal(nod_safetensors_read(written(state, path), &s, &err), 0);
    const char *names[2] = {s->names[0], s->names[1]};
    if (strcmp(key, "tensor") == 0)
        names[0] = value;
    else
        nod_json_set_str(s->metadata, key, value);
    assert_int_equal(nod_safetensors_write(path, names, s->tensors, 2, s->metadata, &err), 0);
    nod_safetensors_free(s);
    assert_int_equal(nod_model_read(path, &m, &err), code);
    assert_null(m);
    if (strstr(err.message, words) == NULL || strstr(err.message, path) == NULL)
        fail_msg("no '%s' in: %s", words, err.message);
}

static void test_refusals(void **state)
{
    assert_refused(state, "format", "other", NOD_EFORMAT, "not a Nodule model");
    assert_refused(state, "format_version", "2", NOD_EUNSUPPORTED,
                   "model format 2; this program reads format 1: use a newer program");
    assert_refused(state, "tensor", "output.wight", NOD_EFORMAT,
                   "tensor 'output.weight' is missing");
    assert_refused(state, "network", "{\"name\":\"mlp\",\"hidden\":[1000]}", NOD_EFORMAT,
                   "the network needs 5002 weights, the file holds 6"); /* 2k + k + 2k + 2 */
    assert_refused(state, "network", "{\"name\":\"mlp\",\"hidden\":[],\"bias\":false}",
                   NOD_EFORMAT, "has 2 tensors, the network needs 1");
    assert_refused(state, "network", "{\"name\":\"mpl\"}", NOD_EFORMAT, "did you mean 'mlp'");
    assert_refused(state, "network", "[]", NOD_EFORMAT, "'network' is not an object");
    assert_refused(state, "input", "{\"channels\":1,\"size\":[2,1],\"outputs\":0}", NOD_EFORMAT,
                   "'input' is not a size this program can use");
    assert_refused(state, "input", "{\"channels\":1,\"size\":[1,1],\"outputs\":2}", NOD_EFORMAT,
                   "tensor 'output.weight' is f32 [2, 2], the network needs f32 [2, 1]");
    assert_refused(state, "answer", "7", NOD_EFORMAT, "");
}

static int setup(void **state)
{
    return temp_folder_make(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, setup, temp_folder_remove);
}
