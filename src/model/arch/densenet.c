/* densenet.c: DenseNet-121 in 2-D and 3-D, with torchvision's parameter names. A layer reads
 * the concatenation of all before it in its block: norm-act-conv1x1(4k)-norm-act-conv3x3(k).
 * Source: Huang et al., CVPR 2017; torchvision.models.densenet for names. */
#include "model/arch/arch.h"

static void parse(nod_network *n, nod_spec *s)
{
    static const char *const stems[] = {"small", "imagenet", NULL};
    n->stem = nod_spec_choice(s, "stem", "imagenet", stems);
    n->width = nod_spec_i64(s, "growth", 32, 1, 256);
}

static int norm_act(const nod_builder *b, const char *norm, const char *act, int x)
{
    return nod_block_act(b, act, nod_block_norm(b, norm, x));
}

static int dense_layer(const nod_builder *b, int x)
{
    int64_t growth = b->net->width;
    int y = norm_act(b, "norm1", "relu1", x);
    y = nod_block_conv(b, "conv1", y, 4 * growth, 1, 1, false);
    y = norm_act(b, "norm2", "relu2", y);
    y = nod_block_conv(b, "conv2", y, growth, 3, 1, false);
    y = nod_block_dropout(b, "dropout", y);
    return nod_graph_concat(b->g, "concat", (const int[2]){x, y}, 2);
}

static int transition(const nod_builder *b, int x)
{
    const nod_shape *shape = nod_graph_shape(b->g, x);
    int64_t half = shape ? shape->dim[1] / 2 : 1;
    x = norm_act(b, "norm", "relu", x);
    x = nod_block_conv(b, "conv", x, half, 1, 1, false);
    return nod_block_pool(b, "pool", x, false, 2, 2, 0);
}

static int build(const nod_builder *b, int image, nod_error *err)
{
    static const int layers[4] = {6, 12, 24, 16};
    bool small = b->net->stem == 0;
    (void)err;
    nod_graph_push(b->g, "features");
    int x = nod_block_conv(b, "conv0", image, 2 * b->net->width, small ? 3 : 7, small ? 1 : 2,
                           false);
    x = norm_act(b, "norm0", "relu0", x);
    if (!small) x = nod_block_pool(b, "pool0", x, true, 3, 2, 1);
    for (int block = 0; block < 4; block++) {
        for (int k = 0; k < layers[block]; k++) {
            nod_graph_push(b->g, "denseblock%d", block + 1);
            nod_graph_push(b->g, "denselayer%d", k + 1);
            x = dense_layer(b, x);
            nod_graph_pop(b->g);
            nod_graph_pop(b->g);
        }
        if (block == 3) break;
        nod_graph_push(b->g, "transition%d", block + 1);
        x = transition(b, x);
        nod_graph_pop(b->g);
    }
    x = norm_act(b, "norm5", "relu5", x);
    nod_graph_pop(b->g);
    x = nod_graph_global_pool(b->g, "pool", x, false);
    return nod_block_head(b, "classifier", x, true);
}

const nod_arch nod_arch_densenet121 = {"densenet121", "batch", parse, build};
