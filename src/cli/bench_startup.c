/* bench_startup.c: a model file and an image that `nodule predict` can be timed with; the model
 * has everything that a trained one has, but random weights. */
#include "cli/bench_startup.h"

#include <string.h>

#include "base/rng.h"
#include "imaging/contract.h"
#include "infer/answer.h"

#define HEIGHT 25
#define WIDTH  40

static int write_image(const char *path, nod_error *err)
{
    nod_image im;
    int rc = nod_image_init(&im, 1, HEIGHT, WIDTH, 1, NOD_SAMPLE_U8, err);
    if (rc) return rc;
    uint8_t *pixels = im.data;
    nod_rng rng = nod_rng_make(0, NOD_RNG_ORDER, 0);
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        pixels[i] = (uint8_t)nod_rng_below(&rng, 256);
    rc = nod_image_write_png(path, &im, err);
    nod_image_done(&im);
    return rc;
}

static int fill_answer(nod_model *m, nod_error *err)
{
    int rc = 0;
    nod_operating_point point = nod_operating_point_fixed(0.5);
    nod_answer a = {.task = NOD_TASK_BINARY,
                    .positive = 1,
                    .positive_origin = "declared",
                    .points = &point,
                    .n_points = 1,
                    .patching = {.image = {1, HEIGHT, WIDTH}, .k = 1}};
    NOD_TRY(nod_calibration_init(&a.calibration, 2, err));
    if (!nod_strlist_add(&a.classes, "benign") || !nod_strlist_add(&a.classes, "malignant")) {
        rc = nod_fail_memory(err, "class names", 64);
        goto out;
    }
    nod_json_free(m->answer);
    m->answer = nod_answer_to_json(&a);
out:
    a.points = NULL; /* not the answer's own */
    nod_answer_done(&a);
    return rc;
}

static int write_model(const char *path, nod_error *err)
{
    static const char spec[] = "{\"name\": \"mlp\", \"hidden\": [12, 12], \"bias\": false}";
    nod_network_io io = {.channels = 1, .nd = 2, .size = {1, HEIGHT, WIDTH}, .n_outputs = 2};
    nod_json *network = NULL;
    nod_model *m = NULL;
    nod_contract contract;
    int rc = 0;
    NOD_TRY(nod_json_parse(spec, strlen(spec), "figure 4", &network, err));
    NOD_TRY(nod_model_new(network, &io, 0, &m, err));
    nod_contract_init(&contract, 2, 1, HEIGHT, WIDTH);
    contract.normalisation = NOD_NORMALISATION_NONE;
    nod_json_free(m->contract);
    m->contract = nod_contract_to_json(&contract);
    NOD_TRY(fill_answer(m, err));
    NOD_TRY(nod_model_write(m, path, err));
out:
    nod_json_free(network);
    nod_model_free(m);
    return rc;
}

int nod_bench_write_figure4(const char *model_path, const char *image_path, nod_error *err)
{
    int rc = write_model(model_path, err);
    return rc ? rc : write_image(image_path, err);
}
