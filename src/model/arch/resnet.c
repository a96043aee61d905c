/* resnet.c: residual networks 18, 34 (basic blocks) and 50 (bottlenecks, stride in the 3x3), in
 * 2-D and 3-D, with torchvision's parameter names. stem: small = 3x3 stride 1 without pooling,
 * for images of a few dozen pixels (MedMNIST's); imagenet = 7x7 stride 2, max pool 3x3
 * stride 2. Source: He et al., CVPR 2016; torchvision.models.resnet for names. */
#include "model/arch/arch.h"

static void parse(nod_network *n, nod_spec *s)
{
    static const char *const stems[] = {"small", "imagenet", NULL};
    n->stem = nod_spec_choice(s, "stem", "small", stems);
    n->width = nod_spec_i64(s, "width", 64, 1, 1024);
    n->zero_init_residual = nod_spec_bool(s, "zero_init_residual", false);
}

static int stem(const nod_builder *b, int x)
{
    bool small = b->net->stem == 0;
    x = nod_block_conv(b, "conv1", x, b->net->width, small ? 3 : 7, small ? 1 : 2, false);
    x = nod_block_norm(b, "bn1", x);
    x = nod_block_act(b, "act1", x);
    return small ? x : nod_block_pool(b, "maxpool", x, true, 3, 2, 1);
}

/* The shortcut: the input itself, or a strided 1x1 convolution where shapes change. */
static int shortcut(const nod_builder *b, int x, int64_t channels, int64_t stride)
{
    const nod_shape *shape = nod_graph_shape(b->g, x);
    if (!shape || (stride == 1 && shape->dim[1] == channels)) return x;
    nod_graph_push(b->g, "downsample");
    x = nod_block_conv(b, "0", x, channels, 1, stride, false);
    x = nod_block_norm(b, "1", x);
    nod_graph_pop(b->g);
    return x;
}

/* With zero_init_residual the last norm of a block starts at 0, so that the block is the
 * identity at first (Goyal et al. 2017). */
static int last_norm(const nod_builder *b, const char *name, int x)
{
    size_t before = b->g->n_values;
    x = nod_block_norm(b, name, x);
    if (b->net->zero_init_residual)
        for (size_t i = before; i < b->g->n_values; i++)
            if (b->g->values[i].kind == NOD_VALUE_PARAM &&
                b->g->values[i].init.kind == NOD_INIT_ONES)
                b->g->values[i].init.kind = NOD_INIT_ZEROS;
    return x;
}

static int join(const nod_builder *b, const char *act, int y, int skip)
{
    return nod_block_act(b, act, nod_graph_bin(b->g, NOD_OP_ADD, "add", y, skip));
}

static int basic(const nod_builder *b, int x, int64_t channels, int64_t stride)
{
    int y = nod_block_conv(b, "conv1", x, channels, 3, stride, false);
    y = nod_block_act(b, "act1", nod_block_norm(b, "bn1", y));
    y = last_norm(b, "bn2", nod_block_conv(b, "conv2", y, channels, 3, 1, false));
    return join(b, "act2", y, shortcut(b, x, channels, stride));
}

static int bottleneck(const nod_builder *b, int x, int64_t channels, int64_t stride)
{
    int y = nod_block_conv(b, "conv1", x, channels, 1, 1, false);
    y = nod_block_act(b, "act1", nod_block_norm(b, "bn1", y));
    y = nod_block_conv(b, "conv2", y, channels, 3, stride, false);
    y = nod_block_act(b, "act2", nod_block_norm(b, "bn2", y));
    y = last_norm(b, "bn3", nod_block_conv(b, "conv3", y, channels * 4, 1, 1, false));
    return join(b, "act3", y, shortcut(b, x, channels * 4, stride));
}

static int build_stages(const nod_builder *b, int image, const int blocks[4],
                        int (*block)(const nod_builder *, int, int64_t, int64_t))
{
    int x = stem(b, image);
    for (int stage = 0; stage < 4; stage++) {
        int64_t channels = b->net->width << stage;
        for (int k = 0; k < blocks[stage]; k++) {
            nod_graph_push(b->g, "layer%d", stage + 1);
            nod_graph_push(b->g, "%d", k);
            x = block(b, x, channels, stage > 0 && k == 0 ? 2 : 1);
            nod_graph_pop(b->g);
            nod_graph_pop(b->g);
        }
    }
    x = nod_graph_global_pool(b->g, "avgpool", x, false);
    return nod_block_head(b, "fc", nod_block_dropout(b, "dropout", x), true);
}

static int build18(const nod_builder *b, int image, nod_error *err)
{
    (void)err;
    return build_stages(b, image, (const int[4]){2, 2, 2, 2}, basic);
}

static int build34(const nod_builder *b, int image, nod_error *err)
{
    (void)err;
    return build_stages(b, image, (const int[4]){3, 4, 6, 3}, basic);
}

static int build50(const nod_builder *b, int image, nod_error *err)
{
    (void)err;
    return build_stages(b, image, (const int[4]){3, 4, 6, 3}, bottleneck);
}

const nod_arch nod_arch_resnet18 = {"resnet18", "batch", parse, build18};
const nod_arch nod_arch_resnet34 = {"resnet34", "batch", parse, build34};
const nod_arch nod_arch_resnet50 = {"resnet50", "batch", parse, build50};
