/* layers.c: a network written layer by layer in the recipe.
 *
 *   layers:
 *     - {type: conv, channels: 16, kernel: 3, activation: relu, name: a}
 *     - {type: batch_norm}
 *     - {type: conv, channels: 16, kernel: 3}
 *     - {type: add, with: a}
 *
 * Each layer reads the one before it; `from: NAME` reads another, `add` and `concat` join. One
 * row of the table per type. A layer's own keys are strict too. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/arch/arch.h"

#define LAYERS_MAX 4096

/* What is known while the list is read. */
typedef struct layer_list {
    const nod_builder *b;
    nod_spec *s;      /* keys of the layer at hand */
    const char *name; /* its name */
    char **names;     /* of all layers before it */
    int *values;
    size_t n;
    int nd;
} layer_list;

typedef struct layer_type {
    const char *name;
    int (*build)(layer_list *l, int x);
} layer_type;

/* Activation key of a layer, applied to its output. */
static int activate(layer_list *l, int y, const char *def)
{
    static const char *const acts[] = {"identity", "relu",    "leaky_relu", "elu", "gelu",
                                       "silu",     "sigmoid", "tanh",       NULL};
    int k = nod_spec_choice(l->s, "activation", def, acts);
    nod_act act = (nod_act)nod_act_from_name(acts[k]);
    double alpha = nod_spec_f64(l->s, "alpha", act == NOD_ACT_ELU ? 1 : 0.01, 1e-6, 100);
    if (act == NOD_ACT_IDENTITY) return y;
    return nod_graph_act(l->b->g, "act", y, act, alpha);
}

static int build_dense(layer_list *l, int x)
{
    int64_t units = nod_spec_i64(l->s, "units", 0, 0, 1 << 20);
    bool bias = nod_spec_bool(l->s, "bias", true);
    const nod_shape *shape = nod_graph_shape(l->b->g, x);
    if (shape && shape->rank > 2) x = nod_graph_flatten(l->b->g, "flatten", x);
    int y = nod_graph_dense(l->b->g, "dense", x, units ? units : l->b->io->n_outputs, bias,
                            nod_style_init(&l->b->net->style));
    return activate(l, y, "identity");
}

static int convolution(layer_list *l, int x, bool transposed)
{
    int nd = l->nd;
    nod_conv_spec c = {.out_channels = nod_spec_i64(l->s, "channels", 16, 1, 1 << 16)};
    nod_spec_sizes(l->s, "kernel", nd, transposed ? 2 : 3, 1, 1, c.kernel);
    nod_spec_sizes(l->s, "stride", nd, transposed ? 2 : 1, 1, 1, c.stride);
    nod_spec_sizes(l->s, "dilation", nd, 1, 1, 1, c.dilation);
    c.groups = nod_spec_i64(l->s, "groups", 1, 1, 1 << 16);
    c.bias = nod_spec_bool(l->s, "bias", true);
    const nod_json *pad = l->s->in ? nod_json_get(l->s->in, "padding") : NULL;
    if (!transposed && (!pad || nod_json_is_string(pad))) {
        static const char *const modes[] = {"same", "valid", NULL};
        int mode = nod_spec_choice(l->s, "padding", "same", modes);
        for (int i = 0; i < 3; i++)
            c.pad[i] = mode ? 0 : c.dilation[i] * (c.kernel[i] - 1) / 2;
    } else {
        nod_spec_sizes(l->s, "padding", nd, 0, 0, 0, c.pad);
    }
    c.init = nod_style_init(&l->b->net->style);
    int y = transposed ? nod_graph_conv_t(l->b->g, "conv", x, &c)
                       : nod_graph_conv(l->b->g, "conv", x, &c);
    return activate(l, y, "identity");
}

static int build_conv(layer_list *l, int x)
{
    return convolution(l, x, false);
}

static int build_conv_transposed(layer_list *l, int x)
{
    return convolution(l, x, true);
}

static int pooling(layer_list *l, int x, bool max)
{
    int64_t kernel[3], stride[3], pad[3];
    nod_spec_sizes(l->s, "kernel", l->nd, 2, 1, 1, kernel);
    if (nod_spec_has(l->s, "stride"))
        nod_spec_sizes(l->s, "stride", l->nd, 2, 1, 1, stride);
    else
        memcpy(stride, kernel, sizeof stride);
    nod_spec_sizes(l->s, "padding", l->nd, 0, 0, 0, pad);
    return nod_graph_pool(l->b->g, "pool", x, max, kernel, stride, pad, true);
}

static int build_max_pool(layer_list *l, int x)
{
    return pooling(l, x, true);
}

static int build_average_pool(layer_list *l, int x)
{
    return pooling(l, x, false);
}

static int build_global_max_pool(layer_list *l, int x)
{
    return nod_graph_global_pool(l->b->g, "pool", x, true);
}

static int build_global_average_pool(layer_list *l, int x)
{
    return nod_graph_global_pool(l->b->g, "pool", x, false);
}

static int build_batch_norm(layer_list *l, int x)
{
    x = nod_graph_batch_norm(l->b->g, "norm", x, l->b->net->style.eps,
                             l->b->net->style.momentum, l->b->training);
    return activate(l, x, "identity");
}

static int grouped(layer_list *l, int x, int64_t groups)
{
    const nod_shape *shape = nod_graph_shape(l->b->g, x);
    int64_t n = groups ? groups : shape ? shape->dim[1] : 1;
    x = nod_graph_group_norm(l->b->g, "norm", x, n, l->b->net->style.eps);
    return activate(l, x, "identity");
}

static int build_instance_norm(layer_list *l, int x)
{
    return grouped(l, x, 0);
}

static int build_layer_norm(layer_list *l, int x)
{
    return grouped(l, x, 1);
}

static int build_group_norm(layer_list *l, int x)
{
    return grouped(l, x, nod_spec_i64(l->s, "groups", 8, 1, 1 << 16));
}

static int build_activation(layer_list *l, int x)
{
    return activate(l, x, "relu");
}

static int build_prelu(layer_list *l, int x)
{
    bool per_channel = nod_spec_bool(l->s, "per_channel", true);
    return nod_graph_prelu(l->b->g, "prelu", x, per_channel);
}

static int build_softmax(layer_list *l, int x)
{
    return nod_graph_softmax(l->b->g, "softmax", x);
}

static int dropping(layer_list *l, int x, bool per_channel)
{
    double p = nod_spec_f64(l->s, "p", 0.5, 0, 0.99);
    return nod_graph_dropout(l->b->g, "dropout", x, p, per_channel, l->b->training);
}

static int build_dropout(layer_list *l, int x)
{
    return dropping(l, x, false);
}

static int build_channel_dropout(layer_list *l, int x)
{
    return dropping(l, x, true);
}

static int build_flatten(layer_list *l, int x)
{
    return nod_graph_flatten(l->b->g, "flatten", x);
}

static int build_upsample(layer_list *l, int x)
{
    static const char *const modes[] = {"nearest", "linear", NULL};
    int64_t scale[3];
    int linear = nod_spec_choice(l->s, "mode", "nearest", modes);
    nod_spec_sizes(l->s, "scale", l->nd, 2, 1, 1, scale);
    return nod_graph_upsample(l->b->g, "upsample", x, linear, scale);
}

/* Zeros around (pad) or a border taken away (crop), the same on both sides of an axis. */
static int bordered(layer_list *l, int x, nod_op op)
{
    int64_t size[3];
    nod_attrs attr = nod_attrs_default();
    nod_spec_sizes(l->s, "size", l->nd, 1, 0, 0, size);
    const nod_shape *shape = nod_graph_shape(l->b->g, x);
    for (int d = 2; shape && d < shape->rank; d++)
        attr.lo[d] = attr.hi[d] = size[d + 3 - shape->rank];
    return nod_graph_out(l->b->g, nod_graph_add_node(l->b->g, op, "border", &x, 1, &attr), 0);
}

static int build_pad(layer_list *l, int x)
{
    return bordered(l, x, NOD_OP_PAD);
}

static int build_crop(layer_list *l, int x)
{
    return bordered(l, x, NOD_OP_CROP);
}

static int build_identity(layer_list *l, int x)
{
    (void)l;
    return x;
}

/* Value of an earlier layer by the name in key `key`. */
static int earlier(layer_list *l, const char *key)
{
    const char *want = nod_spec_str(l->s, key, NULL);
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->names[i], want) == 0) return l->values[i];
    nod_spec_fail(l->s, key, "no earlier layer is named '%s'", want);
    return -1;
}

static int build_add(layer_list *l, int x)
{
    int other = earlier(l, "with");
    x = nod_graph_bin(l->b->g, NOD_OP_ADD, "add", x, other);
    return activate(l, x, "identity");
}

static int build_multiply(layer_list *l, int x)
{
    int other = earlier(l, "with");
    return nod_graph_bin(l->b->g, NOD_OP_MUL, "multiply", x, other);
}

static int build_concat(layer_list *l, int x)
{
    int pair[2] = {x, earlier(l, "with")};
    return nod_graph_concat(l->b->g, "concat", pair, 2);
}

static const layer_type types[] = {
    {"dense", build_dense},
    {"conv", build_conv},
    {"conv_transposed", build_conv_transposed},
    {"max_pool", build_max_pool},
    {"average_pool", build_average_pool},
    {"global_max_pool", build_global_max_pool},
    {"global_average_pool", build_global_average_pool},
    {"batch_norm", build_batch_norm},
    {"instance_norm", build_instance_norm},
    {"layer_norm", build_layer_norm},
    {"group_norm", build_group_norm},
    {"activation", build_activation},
    {"prelu", build_prelu},
    {"softmax", build_softmax},
    {"dropout", build_dropout},
    {"channel_dropout", build_channel_dropout},
    {"flatten", build_flatten},
    {"upsample", build_upsample},
    {"pad", build_pad},
    {"crop", build_crop},
    {"identity", build_identity},
    {"add", build_add},
    {"multiply", build_multiply},
    {"concat", build_concat},
};

static const char *const *type_names(void)
{
    static const char *const all[] = {"dense",
                                      "conv",
                                      "conv_transposed",
                                      "max_pool",
                                      "average_pool",
                                      "global_max_pool",
                                      "global_average_pool",
                                      "batch_norm",
                                      "instance_norm",
                                      "layer_norm",
                                      "group_norm",
                                      "activation",
                                      "prelu",
                                      "softmax",
                                      "dropout",
                                      "channel_dropout",
                                      "flatten",
                                      "upsample",
                                      "pad",
                                      "crop",
                                      "identity",
                                      "add",
                                      "multiply",
                                      "concat",
                                      NULL};
    _Static_assert(NOD_COUNT(all) == NOD_COUNT(types) + 1, "one name per type");
    return all;
}

/* One layer: its keys, its place in the list, its output. */
static int build_one(layer_list *l, size_t i, int x, nod_spec *s)
{
    char automatic[32];
    l->s = s;
    const layer_type *type = &types[nod_spec_choice(s, "type", NULL, type_names())];
    snprintf(automatic, sizeof automatic, "%zu", i);
    l->name = nod_spec_str(s, "name", automatic);
    if (nod_spec_has(s, "from")) x = earlier(l, "from");
    for (size_t k = 0; k < l->n && !s->rc; k++)
        if (strcmp(l->names[k], l->name) == 0)
            nod_spec_fail(s, "name", "two layers are named '%s'", l->name);
    if (s->rc) return -1;
    nod_graph_push(l->b->g, "%s", l->name);
    int y = type->build(l, x);
    nod_graph_pop(l->b->g);
    l->names[l->n] = nod_strdup(l->name);
    if (!l->names[l->n]) s->rc = nod_fail_memory(s->err, "name of a layer", 0);
    l->values[l->n] = y;
    l->n++;
    return y;
}

/* Walks the list from value x; the value of the last layer, or -1. */
static int walk(layer_list *l, const nod_json *list, int x, nod_error *err)
{
    int rc = 0;
    size_t n = nod_json_count(list);
    l->names = nod_calloc(n + 1, sizeof *l->names);
    l->values = nod_calloc(n + 1, sizeof *l->values);
    if (!l->names || !l->values) rc = nod_fail_memory(err, "layers", n * sizeof *l->names);
    for (size_t i = 0; i < n && !rc; i++) {
        nod_spec s;
        char path[64];
        nod_json *done = NULL;
        snprintf(path, sizeof path, "network.layers[%zu]", i);
        nod_spec_begin(&s, nod_json_at(list, i), path, err);
        x = build_one(l, i, x, &s);
        l->s = NULL;
        rc = nod_spec_end(&s, &done);
        if (!rc) nod_json_free(done);
    }
    if (l->names)
        for (size_t i = 0; i < l->n; i++)
            nod_free(l->names[i]);
    nod_free(l->names);
    nod_free(l->values);
    return rc ? -1 : x;
}

static void parse(nod_network *net, nod_spec *s)
{
    const nod_json *list = nod_spec_child(s, "layers");
    size_t n = list ? nod_json_count(list) : 0;
    (void)net;
    if (!list || !nod_json_is_array(list) || n == 0 || n > LAYERS_MAX) {
        nod_spec_fail(s, "layers", "must be a list of 1 to %d layers", LAYERS_MAX);
        return;
    }
    /* Dimensions are not known yet: sizes given as lists are checked when the graph is built.
     */
    nod_json *copy = nod_json_array();
    for (size_t i = 0; i < n; i++) {
        char *text = NULL;
        nod_json *e = NULL;
        if (nod_json_dump(nod_json_at(list, i), false, &text, s->err) ||
            nod_json_parse(text, strlen(text), "network.layers", &e, s->err))
            s->rc = s->err->code;
        nod_free(text);
        nod_json_push(copy, e ? e : nod_json_null());
    }
    nod_spec_set(s, "layers", copy);
}

static int build(const nod_builder *b, int image, nod_error *err)
{
    layer_list l = {.b = b, .nd = b->io->nd};
    nod_error local = NOD_ERROR_INIT;
    (void)err;
    int y = walk(&l, nod_json_get(b->net->spec, "layers"), image, &local);
    /* What is wrong with the description also is the cause of what the graph then lacks. */
    if (local.code) b->g->error = local;
    return y;
}

const nod_arch nod_arch_layers = {"layers", "none", parse, build};
