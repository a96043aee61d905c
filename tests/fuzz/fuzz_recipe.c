/* fuzz_recipe.c: any bytes as a recipe, and all that is built from one before data is read: the
 * preprocessing contract, the network, its graph with gradients, the plan with its memory. What
 * is accepted is the same recipe after it was rendered and read again. */
#include <string.h>

#include "base/memory.h"
#include "exec/plan.h"
#include "imaging/contract.h"
#include "train/recipe.h"

#define BATCH     2
#define NODES_MAX 512 /* of a graph that is planned: planning is quadratic */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_outputs(nod_task task)
{
    return task == NOD_TASK_BINARY ? 2 : 3;
}

static void check_rendering(const nod_recipe *r)
{
    nod_error err = NOD_ERROR_INIT;
    nod_recipe *again = NULL;
    char *text = NULL, a[65], b[65];
    NOD_ASSERT(nod_recipe_render(r, &text, &err) == 0);
    NOD_ASSERT(nod_recipe_parse(text, strlen(text), "again.yaml", &again, &err) == 0);
    NOD_ASSERT(nod_recipe_hash(r, a, &err) == 0 && nod_recipe_hash(again, b, &err) == 0);
    NOD_ASSERT(strcmp(a, b) == 0);
    nod_recipe_free(again);
    nod_free(text);
}

/* Cross-entropy on the logits, and gradients of all parameters. */
static int add_training(nod_graph *g, int logits, nod_error *err)
{
    nod_attrs attr = nod_attrs_default();
    int labels = nod_graph_input(g, "labels", nod_shape_of(1, BATCH), true);
    int in[3] = {logits, labels, -1};
    int loss = nod_graph_out(g, nod_graph_add_node(g, NOD_OP_LOSS_CE, "loss", in, 3, &attr), 0);
    int rc = nod_graph_check(g, err);
    if (rc != 0) return rc;
    nod_graph_output(g, loss);
    size_t n = 0;
    int *wrt = nod_calloc(g->n_values, sizeof *wrt);
    int *grads = nod_calloc(g->n_values, sizeof *grads);
    NOD_ASSERT(wrt != NULL && grads != NULL);
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].kind == NOD_VALUE_PARAM) wrt[n++] = (int)i;
    rc = nod_graph_backward(g, loss, wrt, n, grads, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (grads[i] >= 0) nod_graph_output(g, grads[i]);
    nod_free(wrt);
    nod_free(grads);
    return rc;
}

static void build(const nod_network *n, const nod_network_io *io, bool training)
{
    nod_error err = NOD_ERROR_INIT;
    nod_graph *g = NULL;
    nod_plan *plan = NULL;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    int image, logits;
    o.backend = nod_backend_find(training ? "cpu" : "ref");
    o.frozen = !training;
    NOD_ASSERT(nod_graph_new(&g, &err) == 0);
    int rc = nod_network_build(n, io, BATCH, training, g, &image, &logits, &err);
    if (rc == 0) rc = nod_graph_fuse(g, !training, &err);
    if (rc == 0 && training) rc = add_training(g, logits, &err);
    if (rc == 0 && g->n_nodes <= NODES_MAX) rc = nod_plan_make(g, &o, &plan, &err);
    if (rc == 0 && plan != NULL) (void)nod_plan_memory_of(plan);
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    nod_plan_free(plan);
    nod_graph_free(g);
}

/* What the program does with a recipe before the data: train/run.c. */
static void use(const nod_recipe *r)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_network *n = NULL;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_json *json = NULL;
    NOD_ASSERT(nod_contract_from_json(r->input, "input", &k, &err) == 0);
    NOD_ASSERT(nod_network_from_json(r->network, &n, &err) == 0);
    nod_network_io io = {.channels = k.channels, .nd = k.dims, .n_outputs = n_outputs(r->task)};
    nod_contract_result(&k, io.size);
    if (r->patch_size[1] != 0) memcpy(io.size, r->patch_size, sizeof io.size);
    if (nod_network_summary(n, &io, &text, &json, &err) == 0) {
        build(n, &io, true);
        build(n, &io, false);
    }
    nod_json_free(json);
    nod_strbuf_done(&text);
    nod_network_free(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_recipe *r = NULL;
    int rc = nod_recipe_parse((const char *)data, size, "fuzz.yaml", &r, &err);
    NOD_ASSERT((rc == 0) == (r != NULL));
    if (rc != 0) {
        NOD_ASSERT(err.code == rc && err.message[0] != '\0');
        return 0;
    }
    check_rendering(r);
    use(r);
    nod_recipe_free(r);
    return 0;
}
