/* cmd_explain.c: `nodule explain`: one node of the user's network on the user's image. */
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/verb.h"
#include "explain/node.h"
#include "infer/answer.h"
#include "train/run_folder.h"

typedef struct explain_options {
    const char *input, *node, *truth;
    int64_t most;
} explain_options;

static const explain_options defaults = {.most = 20};
static const nod_option options[] = {
    NOD_OPTION_TEXT(explain_options, input, "input", 'i', "IMAGE", "image file"),
    NOD_OPTION_TEXT(explain_options, node, "node", 0, "LAYER:k",
                    "node k of a layer, e.g. hidden1:3"),
    NOD_OPTION_TEXT(explain_options, truth, "truth", 0, "CLASS",
                    "true class of the image; gives the gradient of the error for each weight"),
    NOD_OPTION_INT(explain_options, most, "most", 0, "N", "list the N largest products; 0: all",
                   0, INT32_MAX),
    NOD_OPTION_END};

static int parse_node(const char *text, char *layer, size_t size, int64_t *unit, nod_error *err)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon || colon == text || (size_t)(colon - text) >= size ||
        !nod_parse_i64(colon + 1, unit))
        return nod_fail(err, NOD_EINVAL, "--node takes LAYER:k, e.g. hidden1:3");
    memcpy(layer, text, (size_t)(colon - text));
    layer[colon - text] = 0;
    return 0;
}

static int find_class(const nod_answer *a, const char *name, int64_t *out, nod_error *err)
{
    if (!name) return 0;
    *out = nod_strlist_find(&a->classes, name);
    if (*out >= 0) return 0;
    return nod_fail(err, NOD_EINVAL, "--truth: the model has no class '%s'", name);
}

static int explain(nod_cli *cli, const explain_options *o, const char *model,
                   nod_node_request *q, nod_error *err)
{
    nod_reader r = {0};
    nod_image im = {0};
    nod_plan_options po = NOD_PLAN_OPTIONS_INIT;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_json *json = NULL;
    float *x = NULL, *window = NULL;
    int64_t origin[3] = {0};
    int rc = 0;
    po.backend = nod_backend_cpu();
    NOD_TRY(nod_reader_open(model, &po, 1, &r, err));
    NOD_TRY(find_class(&r.answer, o->truth, &q->truth, err));
    NOD_TRY(nod_reader_read(&r, o->input, NULL, &im, err));
    x = nod_aligned_calloc((size_t)nod_contract_samples(&r.contract) * sizeof *x);
    window = nod_aligned_calloc((size_t)nod_contract_samples(&r.contract) * sizeof *x);
    if (!x || !window) {
        rc = nod_fail_memory(err, "an image",
                             (size_t)nod_contract_samples(&r.contract) * sizeof *x);
        goto out;
    }
    NOD_TRY(nod_contract_apply(&r.contract, &im, x, err));
    nod_patching_cut(&r.answer.patching, r.model->io.channels, x, origin, window);
    NOD_TRY(nod_explain_node(r.model, window, q, &text, &json, err));
    if (cli->json) {
        rc = nod_cli_put_json(cli, json, err);
        json = NULL;
    } else {
        fputs(text.data, cli->out);
    }
out:
    nod_json_free(json);
    nod_strbuf_done(&text);
    nod_image_done(&im);
    nod_free(x);
    nod_free(window);
    nod_reader_done(&r);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const explain_options *o = options_void;
    char layer[256];
    nod_node_request q = {.layer = layer, .truth = -1, .most = o->most};
    nod_strlist models = NOD_STRLIST_INIT;
    const char *model = cli->args[0];
    int rc = parse_node(o->node, layer, sizeof layer, &q.unit, err);
    if (!rc && !o->input) rc = nod_fail(err, NOD_EINVAL, "give an image with -i");
    if (!rc && nod_path_is_dir(model)) {
        rc = nod_run_models(model, &models, err);
        if (!rc) model = models.items[0];
    }
    if (!rc) {
        rc = explain(cli, o, model, &q, err);
        nod_cli_hide_input(cli, o->input, "the image", err);
    }
    nod_strlist_done(&models);
    return rc;
}

const nod_verb nod_verb_explain = {
    .name = "explain",
    .summary = "inside the black box: one node on one image",
    .args = "RUN|MODEL.safetensors",
    .min_args = 1,
    .max_args = 1,
    .about = "Lists a node's inputs times its weights, their sum and the activation; with\n"
             "the true class also the gradient of the error with respect to each weight.",
    .examples = "  nodule explain run -i scan.png --node hidden1:3\n"
                "  nodule explain run -i scan.png --node output:1 --truth tumor --most 12\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_SHOW_IDS,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
