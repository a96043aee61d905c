/* node.c: runs the network unfused on the reference backend, keeps what one node saw, and lists it. */
#include "explain/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct term {
    int64_t weight; /* index among the unit's weights */
    float x, w, dw;
    bool has_dw;
} term;

typedef struct look {
    const nod_model *model;
    const nod_node_request *q;
    nod_graph *g;
    nod_plan *plan;
    int image, logits, labels, loss;
    int node; /* index of the dense or convolution node */
    int act;  /* value behind its activation, -1 none */
    nod_act act_kind;
    int dw, dz;       /* gradients: of the weights, of the sum; -1 none */
    int64_t position; /* of a convolution: point of the output plane */
    term *terms;
    int64_t n_terms;
} look;

static bool is_weighted(const nod_node *n)
{
    return n->op == NOD_OP_DENSE || n->op == NOD_OP_CONV;
}

/* "hidden1" names the node "hidden1.dense" too. */
static bool is_layer(const char *name, const char *layer)
{
    size_t n = strlen(layer);
    return strncmp(name, layer, n) == 0 && (name[n] == 0 || name[n] == '.');
}

static int no_layer(const look *k, nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = 0; i < k->g->n_nodes && b.len < 700; i++)
        if (is_weighted(&k->g->nodes[i]))
            nod_strbuf_printf(&b, "%s%s", b.len ? ", " : "", k->g->nodes[i].name);
    int rc = nod_fail(err, NOD_EINVAL, "no layer '%s' with weights; there are %s", k->q->layer,
                      b.len ? b.data : "none");
    nod_strbuf_done(&b);
    return rc;
}

static bool is_norm(const nod_node *n)
{
    return n->op == NOD_OP_BATCH_NORM_INFER || n->op == NOD_OP_GROUP_NORM;
}

/* The activation that follows, directly or behind a norm. */
static void find_activation(look *k, int value)
{
    k->act = -1;
    for (size_t i = 0; i < k->g->n_nodes && k->act < 0; i++) {
        const nod_node *n = &k->g->nodes[i];
        if (n->in[0] != value) continue;
        if (is_norm(n)) value = n->out[0];
        if (n->op != NOD_OP_ACT) continue;
        k->act = n->out[0];
        k->act_kind = n->attr.act;
    }
}

static int find_node(look *k, nod_error *err)
{
    k->node = -1;
    for (size_t i = 0; i < k->g->n_nodes && k->node < 0; i++)
        if (is_weighted(&k->g->nodes[i]) && is_layer(k->g->nodes[i].name, k->q->layer))
            k->node = (int)i;
    if (k->node < 0) return no_layer(k, err);
    const nod_node *n = &k->g->nodes[k->node];
    int64_t units = nod_graph_shape(k->g, n->in[1])->dim[0];
    if (k->q->unit < 0 || k->q->unit >= units)
        return nod_fail(err, NOD_EINVAL, "layer '%s' has nodes 0 to %lld, not %lld", n->name,
                        (long long)units - 1, (long long)k->q->unit);
    find_activation(k, n->out[0]);
    return 0;
}

static int add_gradients(look *k, nod_error *err)
{
    const nod_node *n = &k->g->nodes[k->node];
    int wrt[2] = {n->in[1], n->out[0]}, grads[2] = {-1, -1};
    nod_attrs attr = nod_attrs_default();
    k->dw = k->dz = k->labels = k->loss = -1;
    if (k->q->truth < 0) return 0;
    k->labels = nod_graph_input(k->g, "labels", nod_shape_of(1, 1), true);
    int in[3] = {k->logits, k->labels, -1};
    k->loss =
        nod_graph_out(k->g, nod_graph_add_node(k->g, NOD_OP_LOSS_CE, "error", in, 3, &attr), 0);
    nod_graph_output(k->g, k->loss);
    int rc = nod_graph_check(k->g, err);
    if (!rc) rc = nod_graph_backward(k->g, k->loss, wrt, 2, grads, err);
    if (rc) return rc;
    k->dw = grads[0];
    k->dz = grads[1];
    if (k->dw >= 0) nod_graph_output(k->g, k->dw);
    if (k->dz >= 0) nod_graph_output(k->g, k->dz);
    return 0;
}

static int run(look *k, const float *image, nod_error *err)
{
    int rc = 0;
    int32_t label = (int32_t)k->q->truth;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nod_run_context context = {0};
    o.backend = nod_backend_ref();
    NOD_TRY(nod_graph_new(&k->g, err));
    NOD_TRY(nod_network_build(k->model->network, &k->model->io, 1, false, k->g, &k->image,
                              &k->logits, err));
    NOD_TRY(find_node(k, err));
    const nod_node *n = &k->g->nodes[k->node];
    nod_graph_output(k->g, n->in[0]);
    nod_graph_output(k->g, n->out[0]);
    if (k->act >= 0) nod_graph_output(k->g, k->act);
    NOD_TRY(add_gradients(k, err));
    NOD_TRY(nod_plan_make(k->g, &o, &k->plan, err));
    NOD_TRY(nod_params_bind(k->model->params, k->g, k->plan, err));
    NOD_TRY(nod_plan_prepare(k->plan, err));
    nod_plan_bind(k->plan, k->image, (void *)(uintptr_t)image);
    if (k->labels >= 0) nod_plan_bind(k->plan, k->labels, &label);
    NOD_TRY(nod_plan_run(k->plan, &context, err));
out:
    return rc;
}

/* --- what the node saw ------------------------------------------------------------------------- */

static int64_t points_of(const nod_shape *s)
{
    int64_t n = 1;
    for (int d = 2; d < s->rank; d++)
        n *= s->dim[d];
    return n;
}

static int64_t largest_position(const look *k)
{
    const nod_node *n = &k->g->nodes[k->node];
    int64_t points = points_of(nod_graph_shape(k->g, n->out[0])), best = 0;
    const float *z = (const float *)nod_plan_data(k->plan, n->out[0]) + k->q->unit * points;
    for (int64_t p = 1; p < points; p++)
        if (z[p] > z[best]) best = p;
    return best;
}

/* Input under weight i of the unit at the position; 0 outside the image. */
static float input_under(const look *k, int64_t i)
{
    const nod_node *n = &k->g->nodes[k->node];
    const float *x = nod_plan_data(k->plan, n->in[0]);
    if (n->op == NOD_OP_DENSE) return x[i];
    const nod_shape *xs = nod_graph_shape(k->g, n->in[0]),
                    *ys = nod_graph_shape(k->g, n->out[0]);
    const nod_shape *ws = nod_graph_shape(k->g, n->in[1]);
    int64_t rest = i, pos = k->position, at = 0, stride = 1, channels = ws->dim[1];
    int64_t group = k->q->unit / (ws->dim[0] / n->attr.groups);
    for (int d = xs->rank - 1; d >= 2; d--) {
        int axis = d + 3 - xs->rank;
        int64_t tap = rest % ws->dim[d], out = pos % ys->dim[d];
        int64_t c =
            out * n->attr.stride[axis] - n->attr.pad_lo[axis] + tap * n->attr.dilation[axis];
        rest /= ws->dim[d];
        pos /= ys->dim[d];
        if (c < 0 || c >= xs->dim[d]) return 0;
        at += c * stride;
        stride *= xs->dim[d];
    }
    return x[(group * channels + rest) * stride + at];
}

static int by_contribution(const void *a, const void *b)
{
    const term *x = a, *y = b;
    float p = fabsf(x->x * x->w), q = fabsf(y->x * y->w);
    if (p != q) return p < q ? 1 : -1;
    return x->weight < y->weight ? -1 : x->weight > y->weight;
}

static int collect(look *k, nod_error *err)
{
    const nod_node *n = &k->g->nodes[k->node];
    const nod_shape *ws = nod_graph_shape(k->g, n->in[1]);
    const float *w = nod_params_data(k->model->params, k->g->values[n->in[1]].name);
    const float *dw = k->dw >= 0 ? nod_plan_data(k->plan, k->dw) : NULL;
    k->n_terms = nod_shape_count(ws) / ws->dim[0];
    k->position = n->op == NOD_OP_CONV ? largest_position(k) : 0;
    k->terms = nod_calloc((size_t)k->n_terms + 1, sizeof *k->terms);
    if (!k->terms)
        return nod_fail_memory(err, "terms of a node", (size_t)k->n_terms * sizeof *k->terms);
    for (int64_t i = 0; i < k->n_terms; i++) {
        int64_t at = k->q->unit * k->n_terms + i;
        k->terms[i] = (term){i, input_under(k, i), w[at], dw ? dw[at] : 0, dw != NULL};
    }
    return 0;
}

/* --- telling ------------------------------------------------------------------------------------- */

typedef struct facts {
    double sum, bias, activation;
    bool has_bias, has_act;
} facts;

static facts facts_of(const look *k)
{
    const nod_node *n = &k->g->nodes[k->node];
    int64_t at = k->q->unit * points_of(nod_graph_shape(k->g, n->out[0])) + k->position;
    facts f = {0};
    f.sum = (double)((const float *)nod_plan_data(k->plan, n->out[0]))[at];
    if (n->in[2] >= 0) {
        f.has_bias = true;
        f.bias =
            (double)nod_params_data(k->model->params, k->g->values[n->in[2]].name)[k->q->unit];
    }
    f.has_act = k->act >= 0;
    if (f.has_act) f.activation = (double)((const float *)nod_plan_data(k->plan, k->act))[at];
    return f;
}

static void tell(const look *k, const facts *f, nod_strbuf *b)
{
    const nod_node *n = &k->g->nodes[k->node];
    int64_t shown = k->q->most > 0 ? NOD_MIN(k->q->most, k->n_terms) : k->n_terms;
    nod_strbuf_printf(b, "layer %s (%s), node %lld", n->name, nod_op_name(n->op),
                      (long long)k->q->unit);
    if (n->op == NOD_OP_CONV)
        nod_strbuf_printf(b, ", at point %lld of its plane (the largest)",
                          (long long)k->position);
    nod_strbuf_printf(b, "\n\n%10s %14s %14s %14s", "weight", "input", "weight", "product");
    if (k->dw >= 0) nod_strbuf_printf(b, " %16s", "d error/d weight");
    nod_strbuf_addc(b, '\n');
    for (int64_t i = 0; i < shown; i++) {
        const term *t = &k->terms[i];
        nod_strbuf_printf(b, "%10lld %14.6g %14.6g %14.6g", (long long)t->weight, (double)t->x,
                          (double)t->w, (double)t->x * (double)t->w);
        if (t->has_dw) nod_strbuf_printf(b, " %16.6g", (double)t->dw);
        nod_strbuf_addc(b, '\n');
    }
    if (shown < k->n_terms)
        nod_strbuf_printf(b, "%10s (%lld more, smaller)\n", "...",
                          (long long)(k->n_terms - shown));
    if (f->has_bias) nod_strbuf_printf(b, "%40s %14.6g\n", "bias", f->bias);
    nod_strbuf_printf(b, "%40s %14.6g\n", "sum", f->sum);
    if (f->has_act)
        nod_strbuf_printf(b, "%40s %14.6g\n", nod_act_name(k->act_kind), f->activation);
    if (k->loss >= 0)
        nod_strbuf_printf(b, "%40s %14.6g\n", "error of the image (cross-entropy)",
                          (double)*(const float *)nod_plan_data(k->plan, k->loss));
}

static nod_json *to_json(const look *k, const facts *f)
{
    const nod_node *n = &k->g->nodes[k->node];
    nod_json *j = nod_json_object(), *terms = nod_json_array();
    int64_t shown = k->q->most > 0 ? NOD_MIN(k->q->most, k->n_terms) : k->n_terms;
    for (int64_t i = 0; i < shown; i++) {
        const term *t = &k->terms[i];
        nod_json *e = nod_json_object();
        nod_json_set_int(e, "index", t->weight);
        nod_json_set_real(e, "input", (double)t->x);
        nod_json_set_real(e, "weight", (double)t->w);
        if (t->has_dw) nod_json_set_real(e, "gradient", (double)t->dw);
        nod_json_push(terms, e);
    }
    nod_json_set_str(j, "layer", n->name);
    nod_json_set_int(j, "unit", k->q->unit);
    nod_json_set(j, "terms", terms);
    if (f->has_bias) nod_json_set_real(j, "bias", f->bias);
    nod_json_set_real(j, "sum", f->sum);
    if (f->has_act) nod_json_set_real(j, "activation", f->activation);
    return j;
}

int nod_explain_node(const nod_model *m, const float *image, const nod_node_request *q,
                     nod_strbuf *text, nod_json **json, nod_error *err)
{
    int rc = 0;
    look k = {.model = m, .q = q, .dw = -1, .dz = -1, .loss = -1, .labels = -1};
    if (q->truth >= m->io.n_outputs)
        return nod_fail(err, NOD_EINVAL, "class %lld; the network has %lld",
                        (long long)q->truth, (long long)m->io.n_outputs);
    NOD_TRY(run(&k, image, err));
    NOD_TRY(collect(&k, err));
    if (q->most > 0) qsort(k.terms, (size_t)k.n_terms, sizeof *k.terms, by_contribution);
    facts f = facts_of(&k);
    tell(&k, &f, text);
    if (json) *json = to_json(&k, &f);
out:
    nod_free(k.terms);
    nod_plan_free(k.plan);
    nod_graph_free(k.g);
    return rc;
}
