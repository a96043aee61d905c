/* fuzz_model.c: any bytes as a model file, as they are and with header size and hash put right.
 * A model that is read and small is asked about an image. */
#include <stdlib.h>

#include "base/memory.h"
#include "infer/answer.h"
#include "mend_tensors.h"

#define FLOATS_MAX  (1 << 14) /* of a network's input, of an image, of windows' scores */
#define MEMORY_MAX  ((size_t)64 << 20)
#define MACS_MAX    ((int64_t)10000000)
#define NODES_MAX   512 /* of a graph that is planned: planning is quadratic */
#define IMAGE_SIDE  5
#define CLASSES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* a[0] a[1] a[2] n, or more than FLOATS_MAX. */
static bool is_small(const int64_t a[3], int64_t n)
{
    for (int i = 0; i < 3; i++)
        if (n > FLOATS_MAX || a[i] > FLOATS_MAX || (n *= a[i]) > FLOATS_MAX) return false;
    return true;
}

/* Whether the network's plan for one image is worth the time. */
static bool is_cheap(const nod_model *m)
{
    nod_error err = NOD_ERROR_INIT;
    nod_graph *g = NULL;
    nod_plan *plan = NULL;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    int image, logits;
    int64_t macs = 0;
    bool cheap = false;
    o.backend = nod_backend_find("ref");
    NOD_ASSERT(nod_graph_new(&g, &err) == 0);
    NOD_ASSERT(nod_network_build(m->network, &m->io, 1, false, g, &image, &logits, &err) == 0);
    for (size_t i = 0; i < g->n_nodes && macs <= MACS_MAX; i++)
        macs += NOD_MIN(nod_node_macs(g, &g->nodes[i]), MACS_MAX + 1);
    if (macs <= MACS_MAX && g->n_nodes <= NODES_MAX && nod_plan_make(g, &o, &plan, &err) == 0) {
        nod_plan_memory need = nod_plan_memory_of(plan);
        cheap = need.arena <= MEMORY_MAX && need.scratch <= MEMORY_MAX;
    }
    nod_plan_free(plan);
    nod_graph_free(g);
    return cheap;
}

static void ask(nod_reader *r)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    double logits[CLASSES_MAX], log_odds[CLASSES_MAX], probabilities[CLASSES_MAX];
    int depth = r->contract.dims == 3 ? IMAGE_SIDE : 1;
    if (nod_image_init(&im, depth, IMAGE_SIDE, IMAGE_SIDE, (int)r->contract.channels,
                       NOD_SAMPLE_U8, &err) != 0)
        return; /* more channels than an image has */
    for (size_t i = 0; i < nod_image_bytes(&im); i++)
        ((uint8_t *)im.data)[i] = (uint8_t)(37 * i);
    int rc = nod_reader_answer(r, &im, logits, log_odds, probabilities, &err);
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    nod_image_done(&im);
}

static void use(nod_model *m_take)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_answer a;
    nod_reader r;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_find("cpu");
    int64_t size[3];
    bool small = is_small(m_take->io.size, m_take->io.channels) && is_cheap(m_take) &&
                 nod_contract_from_json(m_take->contract, "model", &k, &err) == 0;
    if (small) {
        nod_contract_result(&k, size);
        small = is_small(k.size, k.channels) && is_small(k.pad, k.channels) &&
                is_small(size, k.channels);
    }
    if (small && nod_answer_from_json(m_take->answer, "model", &a, &err) == 0) {
        small = a.classes.n <= CLASSES_MAX && is_small(a.patching.image, 1) &&
                (nod_patching_check(&a.patching, &m_take->io, &err) != 0 ||
                 nod_patching_count(&a.patching) <= FLOATS_MAX / CLASSES_MAX);
        nod_answer_done(&a);
    }
    if (!small) {
        nod_model_free(m_take);
        return;
    }
    int rc = nod_reader_from_model(m_take, "model", &o, 2, &r, &err);
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    if (rc == 0) {
        ask(&r);
        nod_reader_done(&r);
    }
}

static void try_bytes(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_model *m = NULL;
    int rc = nod_model_parse(data, size, "model", &m, &err);
    NOD_ASSERT((rc == 0) == (m != NULL));
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    if (m != NULL) use(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size + 1);
    NOD_ASSERT(mended != NULL);
    if (size > 0) memcpy(mended, data, size);
    mend_tensors(mended, size);
    try_bytes(data, size);
    if (size > 0 && memcmp(mended, data, size) != 0) try_bytes(mended, size);
    free(mended);
    return 0;
}
