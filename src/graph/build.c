/* build.c: layers as network authors think of them: each makes its parameters, named as PyTorch
 * names them, and its node. */
#include "graph/graph.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "graph/op_def.h"

/* --- parameters ----------------------------------------------------------------------------
 */

/* "fc1" + "weight" -> value of "fc1.weight". */
static int param(nod_graph *g, const char *layer, const char *what, nod_shape shape,
                 nod_init init, nod_param_group group, int64_t fan_in, int64_t fan_out)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", layer, what);
    return nod_graph_param(g, name, shape, init, group, fan_in, fan_out);
}

static int state(nod_graph *g, const char *layer, const char *what, int64_t n, double start)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", layer, what);
    return nod_graph_state(g, name, nod_shape_of(1, n), start);
}

static nod_init constant(double v)
{
    nod_init_kind kind = v == 0 ? NOD_INIT_ZEROS : v == 1 ? NOD_INIT_ONES : NOD_INIT_CONSTANT;
    return (nod_init){.kind = kind, .a = v, .gain = 1};
}

/* A zeroed spec means He normal for the rectifier that usually follows. */
static nod_init or_default(nod_init init)
{
    if (init.kind != NOD_INIT_ZEROS || init.gain != 0) return init;
    return (nod_init){.kind = NOD_INIT_HE_NORMAL, .gain = sqrt(2)};
}

/* "fc1: wants a value [N, features], got ..." for what cannot even be asked for a weight. */
static bool has_rank(nod_graph *g, const char *name, int x, int lo, int hi, const char *form)
{
    char text[160];
    if (x < 0 && g->error.code == 0)
        nod_fail(&g->error, NOD_EINVAL, "layer '%s': the input is missing", name);
    if (g->error.code != 0) return false;
    const nod_shape *s = nod_graph_shape(g, x);
    if (s->rank >= lo && s->rank <= hi) return true;
    nod_fail(&g->error, NOD_ESHAPE, "layer '%s%s': input must be %s, not %s%s",
             g->scope.data != NULL ? g->scope.data : "", name, form,
             nod_shape_text(s, text, sizeof text),
             hi == 2 && s->rank > 2 ? ": flatten it first" : "");
    return false;
}

static int one(nod_graph *g, nod_op op, const char *name, const int *in, int n_in,
               const nod_attrs *attr)
{
    return nod_graph_out(g, nod_graph_add_node(g, op, name, in, n_in, attr), 0);
}

/* --- layers with weights -------------------------------------------------------------------
 */

int nod_graph_dense(nod_graph *g, const char *name, int x, int64_t units, bool bias,
                    nod_init init)
{
    if (!has_rank(g, name, x, 2, 2, "[N, features]")) return -1;
    int64_t features = nod_graph_shape(g, x)->dim[1];
    int in[3] = {x, -1, -1};
    in[1] = param(g, name, "weight", nod_shape_of(2, units, features), or_default(init),
                  NOD_GROUP_WEIGHT, features, units);
    if (bias)
        in[2] = param(g, name, "bias", nod_shape_of(1, units), constant(0), NOD_GROUP_BIAS,
                      features, units);
    return one(g, NOD_OP_DENSE, name, in, 3, NULL);
}

static int64_t or_one(int64_t v)
{
    return v == 0 ? 1 : v;
}

static nod_attrs conv_attrs(const nod_conv_spec *s)
{
    nod_attrs a = nod_attrs_default();
    for (int i = 0; i < 3; i++) {
        a.kernel[i] = s->kernel[i];
        a.stride[i] = or_one(s->stride[i]);
        a.dilation[i] = or_one(s->dilation[i]);
        a.pad_lo[i] = a.pad_hi[i] = s->pad[i];
    }
    a.groups = or_one(s->groups);
    return a;
}

/* [first, second, K...] and the number of taps; fails on what is no size. */
static bool conv_weight(nod_graph *g, const char *name, const nod_shape *x,
                        const nod_conv_spec *s, int64_t first, int64_t second, nod_shape *w,
                        int64_t *taps)
{
    int nd = x->rank - 2;
    size_t bytes;
    bool ok = first > 0 && second > 0 && s->groups >= 0;
    *w = nod_shape_of(2, first, second);
    w->rank = x->rank;
    *taps = 1;
    for (int i = 0; i < nd; i++) {
        int64_t k = s->kernel[3 - nd + i];
        w->dim[2 + i] = k;
        ok = ok && k > 0 && k <= 1 << 20;
        *taps *= ok ? k : 1;
    }
    ok = ok && nod_shape_bytes(w, NOD_DTYPE_F64, &bytes);
    if (!ok)
        nod_fail(&g->error, NOD_ESHAPE,
                 "layer '%s%s': channels, groups and kernel of a convolution must be above 0, "
                 "and its weights fewer than can be counted",
                 g->scope.data != NULL ? g->scope.data : "", name);
    return ok;
}

static bool divides(nod_graph *g, const char *name, int64_t channels, int64_t groups)
{
    if (groups > 0 && channels % groups == 0) return true;
    nod_fail(&g->error, NOD_ESHAPE,
             "layer '%s%s': %lld channels do not divide into %lld groups",
             g->scope.data != NULL ? g->scope.data : "", name, (long long)channels,
             (long long)groups);
    return false;
}

int nod_graph_conv(nod_graph *g, const char *name, int x, const nod_conv_spec *s)
{
    if (!has_rank(g, name, x, 4, 5, "[N,C,H,W] or [N,C,D,H,W]")) return -1;
    nod_shape w, xs = *nod_graph_shape(g, x);
    nod_attrs a = conv_attrs(s);
    int64_t taps, o = s->out_channels;
    int in[3] = {x, -1, -1};
    if (!divides(g, name, xs.dim[1], a.groups) ||
        !conv_weight(g, name, &xs, s, o, xs.dim[1] / a.groups, &w, &taps))
        return -1;
    in[1] = param(g, name, "weight", w, or_default(s->init), NOD_GROUP_WEIGHT, w.dim[1] * taps,
                  o * taps);
    if (s->bias)
        in[2] = param(g, name, "bias", nod_shape_of(1, o), constant(0), NOD_GROUP_BIAS,
                      w.dim[1] * taps, o * taps);
    return one(g, NOD_OP_CONV, name, in, 3, &a);
}

int nod_graph_conv_t(nod_graph *g, const char *name, int x, const nod_conv_spec *s)
{
    if (!has_rank(g, name, x, 4, 5, "[N,C,H,W] or [N,C,D,H,W]")) return -1;
    nod_shape w, xs = *nod_graph_shape(g, x);
    nod_attrs a = conv_attrs(s);
    int64_t taps, o = s->out_channels, c = xs.dim[1];
    int in[3] = {x, -1, -1};
    if (!divides(g, name, c, a.groups) || !divides(g, name, o, a.groups) ||
        !conv_weight(g, name, &xs, s, c, o / a.groups, &w, &taps))
        return -1;
    int64_t fan_in = c / a.groups * taps, fan_out = w.dim[1] * taps;
    in[1] = param(g, name, "weight", w, or_default(s->init), NOD_GROUP_WEIGHT, fan_in, fan_out);
    if (s->bias)
        in[2] = param(g, name, "bias", nod_shape_of(1, o), constant(0), NOD_GROUP_BIAS, fan_in,
                      fan_out);
    return one(g, NOD_OP_CONV_T, name, in, 3, &a);
}

/* --- norms ---------------------------------------------------------------------------------
 */

static void norm_params(nod_graph *g, const char *name, int64_t c, int *gamma, int *beta)
{
    *gamma = param(g, name, "weight", nod_shape_of(1, c), constant(1), NOD_GROUP_NORM, c, c);
    *beta = param(g, name, "bias", nod_shape_of(1, c), constant(0), NOD_GROUP_NORM, c, c);
}

int nod_graph_batch_norm(nod_graph *g, const char *name, int x, double eps, double momentum,
                         bool training)
{
    if (!has_rank(g, name, x, 2, 5, "[N,C] or [N,C,...]")) return -1;
    nod_shape xs = *nod_graph_shape(g, x);
    nod_attrs a = nod_attrs_default();
    int gamma, beta;
    a.eps = eps;
    norm_params(g, name, xs.dim[1], &gamma, &beta);
    int mean = state(g, name, "running_mean", xs.dim[1], 0);
    int var = state(g, name, "running_var", xs.dim[1], 1);
    if (!training)
        return one(g, NOD_OP_BATCH_NORM_INFER, name, (int[]){x, gamma, beta, mean, var}, 5, &a);
    int node = nod_graph_add_node(g, NOD_OP_BATCH_NORM, name, (int[]){x, gamma, beta}, 3, &a);
    a.momentum = momentum;
    a.count = nod_shape_count(&xs) / xs.dim[1];
    nod_graph_add_node(g, NOD_OP_BATCH_NORM_TRACK, name,
                       (int[]){mean, var, nod_graph_out(g, node, 1), nod_graph_out(g, node, 2)},
                       4, &a);
    return g->error.code != 0 ? -1 : nod_graph_out(g, node, 0);
}

int nod_graph_group_norm(nod_graph *g, const char *name, int x, int64_t groups, double eps)
{
    if (!has_rank(g, name, x, 2, 5, "[N,C] or [N,C,...]")) return -1;
    nod_attrs a = nod_attrs_default();
    int gamma, beta;
    a.groups = groups;
    a.eps = eps;
    norm_params(g, name, nod_graph_shape(g, x)->dim[1], &gamma, &beta);
    return one(g, NOD_OP_GROUP_NORM, name, (int[]){x, gamma, beta}, 3, &a);
}

/* --- activations and dropout ---------------------------------------------------------------
 */

int nod_graph_act(nod_graph *g, const char *name, int x, nod_act act, double alpha)
{
    nod_attrs a = nod_attrs_default();
    if (act == NOD_ACT_IDENTITY) return x;
    a.act = act;
    a.alpha = alpha;
    return one(g, NOD_OP_ACT, name, &x, 1, &a);
}

int nod_graph_prelu(nod_graph *g, const char *name, int x, bool per_channel)
{
    if (!has_rank(g, name, x, 2, 5, "[N,C] or [N,C,...]")) return -1;
    int64_t n = per_channel ? nod_graph_shape(g, x)->dim[1] : 1;
    int slope =
        param(g, name, "weight", nod_shape_of(1, n), constant(0.25), NOD_GROUP_SLOPE, n, n);
    return one(g, NOD_OP_PRELU, name, (int[]){x, slope}, 2, NULL);
}

int nod_graph_softmax(nod_graph *g, const char *name, int x)
{
    return one(g, NOD_OP_SOFTMAX, name, &x, 1, NULL);
}

int nod_graph_dropout(nod_graph *g, const char *name, int x, double p, bool per_channel,
                      bool training)
{
    nod_attrs a = nod_attrs_default();
    a.p = p;
    /* On [N,F] a channel is an element. */
    a.per_channel = per_channel && x >= 0 && nod_graph_shape(g, x)->rank > 2;
    a.stream = g->next_stream;
    if ((!training && p >= 0 && p < 1) || p == 0) return x;
    g->next_stream++;
    return one(g, NOD_OP_DROPOUT, name, &x, 1, &a);
}

/* --- pooling, shape, and joining -----------------------------------------------------------
 */

int nod_graph_pool(nod_graph *g, const char *name, int x, bool max, const int64_t kernel[3],
                   const int64_t stride[3], const int64_t pad[3], bool include_pad)
{
    nod_attrs a = nod_attrs_default();
    a.include_pad = include_pad;
    for (int i = 0; i < 3; i++) {
        a.kernel[i] = kernel[i];
        a.stride[i] = stride == NULL || stride[i] == 0 ? kernel[i] : stride[i];
        a.pad_lo[i] = a.pad_hi[i] = pad == NULL ? 0 : pad[i];
    }
    return one(g, max ? NOD_OP_POOL_MAX : NOD_OP_POOL_AVG, name, &x, 1, &a);
}

int nod_graph_global_pool(nod_graph *g, const char *name, int x, bool max)
{
    nod_attrs a = nod_attrs_default();
    a.global = true;
    return nod_graph_flatten(g, name,
                             one(g, max ? NOD_OP_POOL_MAX : NOD_OP_POOL_AVG, name, &x, 1, &a));
}

int nod_graph_flatten(nod_graph *g, const char *name, int x)
{
    if (!has_rank(g, name, x, 2, NOD_RANK_MAX, "[N,...]")) return -1;
    const nod_shape *s = nod_graph_shape(g, x);
    if (s->rank == 2) return x;
    nod_attrs a = nod_attrs_default();
    a.shape = nod_shape_of(2, s->dim[0], nod_rule_rest(s, 1));
    return one(g, NOD_OP_RESHAPE, name, &x, 1, &a);
}

int nod_graph_bin(nod_graph *g, nod_op op, const char *name, int a, int b)
{
    NOD_ASSERT(op == NOD_OP_ADD || op == NOD_OP_MUL);
    return one(g, op, name, (int[]){a, b}, 2, NULL);
}

int nod_graph_concat(nod_graph *g, const char *name, const int *values, int n)
{
    return n == 1 ? values[0] : one(g, NOD_OP_CONCAT, name, values, n, NULL);
}

int nod_graph_upsample(nod_graph *g, const char *name, int x, bool linear,
                       const int64_t scale[3])
{
    nod_attrs a = nod_attrs_default();
    for (int i = 0; i < 3; i++)
        a.scale[i] = scale[i] == 0 ? 1 : scale[i];
    return one(g, linear ? NOD_OP_UPSAMPLE_LINEAR : NOD_OP_UPSAMPLE_NEAREST, name, &x, 1, &a);
}
