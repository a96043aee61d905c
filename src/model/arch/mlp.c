/* mlp.c: fully connected networks: the seed's nodes, weights and activations. */
#include <stdio.h>

#include "model/arch/arch.h"

static void parse(nod_network *n, nod_spec *s)
{
    static const int64_t hidden[] = {12, 12};
    n->n_stages = nod_spec_list(s, "hidden", hidden, 2, 1, n->stages, NOD_ARCH_STAGES_MAX);
    n->bias = nod_spec_bool(s, "bias", true);
}

static int build(const nod_builder *b, int image, nod_error *err)
{
    const nod_network *n = b->net;
    char name[32];
    (void)err;
    int x = nod_graph_flatten(b->g, "flatten", image);
    for (size_t i = 0; i < n->n_stages; i++) {
        snprintf(name, sizeof name, "hidden%zu", i + 1);
        nod_graph_push(b->g, "%s", name);
        x = nod_graph_dense(b->g, "dense", x, n->stages[i], n->bias, nod_style_init(&n->style));
        x = nod_block_norm(b, "norm", x);
        x = nod_block_act(b, "act", x);
        x = nod_block_dropout(b, "dropout", x);
        nod_graph_pop(b->g);
    }
    return nod_block_head(b, "output", x, n->bias);
}

const nod_arch nod_arch_mlp = {"mlp", "none", parse, build};
