/* cnn.c: plain convolutional networks: stages of (convolution, norm, activation), halved by max
 * pooling between stages, pooled over the plane, then dense layers. VGG's shape with a
 * configurable width. `global_pool: max` asks whether a feature is anywhere in the image, avg how
 * much of it there is: a small finding in a large image is diluted by the average. */
#include <stdio.h>

#include "model/arch/arch.h"

static void parse(nod_network *n, nod_spec *s)
{
    static const int64_t channels[] = {16, 32, 64};
    static const char *const pools[] = {"avg", "max", NULL};
    n->n_stages = nod_spec_list(s, "channels", channels, 3, 1, n->stages, NOD_ARCH_STAGES_MAX);
    n->repeat = nod_spec_i64(s, "convs_per_stage", 1, 1, 8);
    n->max_pool = nod_spec_choice(s, "global_pool", "avg", pools) == 1;
    n->n_head = nod_spec_list(s, "head", NULL, 0, 1, n->head, NOD_ARCH_STAGES_MAX);
    if (!n->n_stages) nod_spec_fail(s, "channels", "needs at least one stage");
}

/* Halves the sides that can be halved; a plane of 1 stays. */
static int halve(const nod_builder *b, int x)
{
    const nod_shape *shape = nod_graph_shape(b->g, x);
    int64_t k[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
    bool any = false;
    if (!shape) return -1;
    for (int d = 2; d < shape->rank; d++) {
        int axis = d + 3 - shape->rank;
        k[axis] = shape->dim[d] >= 2 ? 2 : 1;
        any |= k[axis] == 2;
    }
    return any ? nod_graph_pool(b->g, "pool", x, true, k, k, pad, true) : x;
}

static int build(const nod_builder *b, int image, nod_error *err)
{
    const nod_network *n = b->net;
    bool bias = n->style.norm == NOD_NORM_NONE;
    char name[32];
    int x = image;
    (void)err;
    for (size_t i = 0; i < n->n_stages; i++) {
        nod_graph_push(b->g, "stage%zu", i + 1);
        if (i > 0) x = halve(b, x);
        for (int64_t k = 1; k <= n->repeat; k++) {
            snprintf(name, sizeof name, "conv%d", (int)k);
            x = nod_block_conv(b, name, x, n->stages[i], 3, 1, bias);
            snprintf(name, sizeof name, "norm%d", (int)k);
            x = nod_block_norm(b, name, x);
            snprintf(name, sizeof name, "act%d", (int)k);
            x = nod_block_act(b, name, x);
        }
        nod_graph_pop(b->g);
    }
    x = nod_graph_global_pool(b->g, "pool", x, n->max_pool);
    for (size_t i = 0; i < n->n_head; i++) {
        nod_graph_push(b->g, "head%zu", i + 1);
        x = nod_block_dropout(b, "dropout", x);
        x = nod_graph_dense(b->g, "dense", x, n->head[i], true, nod_style_init(&n->style));
        x = nod_block_act(b, "act", x);
        nod_graph_pop(b->g);
    }
    x = nod_block_dropout(b, "dropout", x);
    return nod_block_head(b, "output", x, true);
}

const nod_arch nod_arch_cnn = {"cnn", "batch", parse, build};
