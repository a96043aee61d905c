/* blocks.c: the common style of a network and the blocks all architectures are made of. */
#include <math.h>
#include <string.h>

#include "model/arch/arch.h"

/* --- style ----------------------------------------------------------------------------------
 */

/* Gains as in torch.nn.init.calculate_gain; smooth rectifiers take relu's. */
static double gain_of(nod_act act, double alpha)
{
    switch (act) {
    case NOD_ACT_IDENTITY:
    case NOD_ACT_SIGMOID:
        return 1;
    case NOD_ACT_TANH:
        return 5.0 / 3;
    case NOD_ACT_LEAKY_RELU:
        return sqrt(2 / (1 + alpha * alpha));
    default:
        return sqrt(2);
    }
}

static const char *const init_names[] = {"auto",       "zeros",          "uniform",
                                         "normal",     "xavier_uniform", "xavier_normal",
                                         "he_uniform", "he_normal",      NULL};
static const nod_init_kind init_kinds[] = {
    NOD_INIT_HE_NORMAL,      NOD_INIT_ZEROS,         NOD_INIT_UNIFORM,    NOD_INIT_NORMAL,
    NOD_INIT_XAVIER_UNIFORM, NOD_INIT_XAVIER_NORMAL, NOD_INIT_HE_UNIFORM, NOD_INIT_HE_NORMAL};

void nod_style_parse(nod_style *style, nod_spec *s, const char *norm)
{
    static const char *const acts[] = {"identity", "relu",    "leaky_relu", "elu", "gelu",
                                       "silu",     "sigmoid", "tanh",       NULL};
    static const char *const norms[] = {"batch", "instance", "group", "layer", "none", NULL};
    int act = nod_act_from_name(acts[nod_spec_choice(s, "activation", "relu", acts)]);
    style->act = (nod_act)act;
    style->alpha = nod_spec_f64(s, "alpha", style->act == NOD_ACT_ELU ? 1 : 0.01, 1e-6, 100);
    style->norm = (nod_norm_kind)nod_spec_choice(s, "norm", norm, norms);
    style->norm_groups = nod_spec_i64(s, "groups", 8, 1, 1024);
    style->eps = nod_spec_f64(s, "norm_eps", 1e-5, 1e-12, 1);
    style->momentum = nod_spec_f64(s, "norm_momentum", 0.1, 0, 1);
    style->dropout = nod_spec_f64(s, "dropout", 0, 0, 0.99);
    int kind = nod_spec_choice(s, "init", "auto", init_names);
    double a = nod_spec_f64(s, "init_scale", 0.05, 0, 100);
    style->init_is_auto = kind == 0;
    style->init = (nod_init){init_kinds[kind], a, gain_of(style->act, style->alpha)};
}

nod_init nod_style_init(const nod_style *style)
{
    return style->init;
}

/* --- blocks
 * ----------------------------------------------------------------------------------- */

int nod_block_conv(const nod_builder *b, const char *name, int x, int64_t channels, int64_t k,
                   int64_t stride, bool bias)
{
    nod_conv_spec c = {.out_channels = channels,
                       .kernel = {k, k, k},
                       .stride = {stride, stride, stride},
                       .pad = {k / 2, k / 2, k / 2},
                       .bias = bias,
                       .init = nod_style_init(&b->net->style)};
    return nod_graph_conv(b->g, name, x, &c);
}

int nod_block_norm(const nod_builder *b, const char *name, int x)
{
    const nod_style *style = &b->net->style;
    const nod_shape *shape = nod_graph_shape(b->g, x);
    switch (style->norm) {
    case NOD_NORM_BATCH:
        return nod_graph_batch_norm(b->g, name, x, style->eps, style->momentum, b->training);
    case NOD_NORM_INSTANCE:
        return nod_graph_group_norm(b->g, name, x, shape ? shape->dim[1] : 1, style->eps);
    case NOD_NORM_GROUP:
        return nod_graph_group_norm(b->g, name, x, style->norm_groups, style->eps);
    case NOD_NORM_LAYER:
        return nod_graph_group_norm(b->g, name, x, 1, style->eps);
    case NOD_NORM_NONE:
        return x;
    }
    NOD_ASSERT(!"a norm of the table");
}

int nod_block_act(const nod_builder *b, const char *name, int x)
{
    if (b->net->style.act == NOD_ACT_IDENTITY) return x;
    return nod_graph_act(b->g, name, x, b->net->style.act, b->net->style.alpha);
}

int nod_block_dropout(const nod_builder *b, const char *name, int x)
{
    if (b->net->style.dropout <= 0) return x;
    return nod_graph_dropout(b->g, name, x, b->net->style.dropout, false, b->training);
}

int nod_block_pool(const nod_builder *b, const char *name, int x, bool max, int64_t k,
                   int64_t stride, int64_t pad)
{
    bool flat = b->io->nd == 2;
    int64_t kernel[3] = {flat ? 1 : k, k, k}, step[3] = {flat ? 1 : stride, stride, stride};
    int64_t padding[3] = {flat ? 0 : pad, pad, pad};
    return nod_graph_pool(b->g, name, x, max, kernel, step, padding, true);
}

int nod_block_head(const nod_builder *b, const char *name, int x, bool bias)
{
    const nod_shape *shape = nod_graph_shape(b->g, x);
    double fan_in = shape && shape->rank == 2 ? (double)shape->dim[1] : 1;
    nod_init init = {NOD_INIT_UNIFORM, 1 / sqrt(fan_in), 1};
    return nod_graph_dense(b->g, name, x, b->io->n_outputs, bias, init);
}
