/* cmd_summary.c: `nodule summary`: a network layer by layer. */
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "cli/verb.h"
#include "imaging/contract.h"
#include "model/model.h"
#include "train/run_folder.h"

typedef struct summary_options {
    int64_t outputs;
} summary_options;

static const summary_options defaults = {.outputs = 2};
static const nod_option options[] = {
    NOD_OPTION_INT(summary_options, outputs, "outputs", 0, "N",
                   "outputs of a recipe's network (the cohort's classes)", 1, 1024),
    NOD_OPTION_END};

static bool is_model(const char *path)
{
    return nod_has_suffix_nocase(path, ".safetensors");
}

/* The network where `text` is still empty, and the hash of the weights. */
static int add_model(const char *path, nod_strbuf *text, nod_json **json, nod_json *hashes,
                     nod_error *err)
{
    nod_model *m = NULL;
    char hash[NOD_SHA256_HEX];
    int rc = nod_model_read(path, &m, err);
    if (!rc && !*json) rc = nod_network_summary(m->network, &m->io, text, json, err);
    if (!rc) rc = nod_params_hash(m->params, hash, err);
    if (!rc) {
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "file", path);
        nod_json_set_str(j, "weights_sha256", hash);
        nod_json_push(hashes, j);
        nod_strbuf_printf(text, "weights %s  %s\n", hash, path);
    }
    nod_model_free(m);
    return rc;
}

/* A model, or all models of a run, which have one network. */
static int of_models(const char *path, nod_strbuf *text, nod_json **json, nod_error *err)
{
    int rc = 0;
    nod_strlist models = NOD_STRLIST_INIT;
    nod_json *hashes = nod_json_array();
    if (is_model(path)) {
        NOD_TRY(add_model(path, text, json, hashes, err));
    } else {
        NOD_TRY(nod_run_models(path, &models, err));
        for (size_t i = 0; i < models.n; i++)
            NOD_TRY(add_model(models.items[i], text, json, hashes, err));
    }
    nod_json_set(*json, "models", hashes);
    hashes = NULL;
out:
    nod_json_free(hashes);
    nod_strlist_done(&models);
    return rc;
}

static int of_recipe(const char *path, int64_t outputs, nod_strbuf *text, nod_json **json,
                     nod_error *err)
{
    nod_recipe *r = NULL;
    nod_network *n = NULL;
    nod_contract k;
    int rc = 0;
    NOD_TRY(nod_recipe_read(path, &r, err));
    NOD_TRY(nod_network_from_json(r->network, &n, err));
    NOD_TRY(nod_contract_from_json(r->input, "input", &k, err));
    nod_network_io io = {.channels = k.channels, .nd = k.dims, .n_outputs = outputs};
    nod_contract_result(&k, io.size);
    if (r->patch_size[1]) memcpy(io.size, r->patch_size, sizeof io.size);
    NOD_TRY(nod_network_summary(n, &io, text, json, err));
out:
    nod_network_free(n);
    nod_recipe_free(r);
    return rc;
}

static int run(nod_cli *cli, const void *options_void, nod_error *err)
{
    const summary_options *o = options_void;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_json *json = NULL;
    const char *path = cli->args[0];
    int rc = is_model(path) || nod_path_is_dir(path)
                 ? of_models(path, &text, &json, err)
                 : of_recipe(path, o->outputs, &text, &json, err);
    if (!rc && cli->json) {
        rc = nod_cli_put_json(cli, json, err);
        json = NULL;
    } else if (!rc) {
        fputs(text.data, cli->out);
    }
    nod_json_free(json);
    nod_strbuf_done(&text);
    return rc;
}

const nod_verb nod_verb_summary = {
    .name = "summary",
    .summary = "a network layer by layer",
    .args = "RECIPE.yaml|RUN|MODEL.safetensors",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Prints each layer's output shape, weights, biases, multiply-adds and memory, and the "
        "totals; of models also the SHA-256 of their weights, by which two trainings can be "
        "compared.",
    .examples = "  nodule summary recipes/figure4.yaml\n"
                "  nodule summary run\n"
                "  nodule summary run/seed_0/model.safetensors\n",
    .takes = NOD_TAKES_JSON,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof defaults,
    .run = run,
};
