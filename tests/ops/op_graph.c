/* op_graph.c: see op_graph.h. */
#include "ops/op_graph.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static void add_inputs(const op_case *c, nod_graph *g, int *in)
{
    for (int i = 0; i < OP_CASE_IN_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "in%d", i);
        in[i] = i < c->n_in && c->in[i].rank > 0
                    ? nod_graph_input(g, name, c->in[i], c->fill[i] == OP_FILL_LABEL)
                    : -1;
    }
}

static bool is_loss(nod_op op)
{
    return op == NOD_OP_LOSS_CE || op == NOD_OP_LOSS_BCE || op == NOD_OP_LOSS_MSE ||
           op == NOD_OP_LOSS_MAE || op == NOD_OP_LOSS_FOCAL;
}

int op_graph_build(const op_case *c, bool backward, op_graph *out, nod_error *err)
{
    int rc = 0, wrt[OP_CASE_IN_MAX], grads[OP_CASE_IN_MAX];
    size_t n_wrt = 0;
    op_graph g = {.target = -1, .node = -1};
    NOD_TRY(nod_graph_new(&g.graph, err));
    add_inputs(c, g.graph, g.in);
    g.node = nod_graph_add_node(g.graph, c->op, "case", g.in, c->n_in, &c->attr);
    g.y = nod_graph_out(g.graph, g.node, 0);
    NOD_TRY(nod_graph_check(g.graph, err));
    if (is_loss(c->op)) {
        nod_attrs a = nod_attrs_default();
        a.alpha = 1.7;
        int scaled = nod_graph_add_node(g.graph, NOD_OP_SCALE, "scaled", &g.y, 1, &a);
        g.loss = nod_graph_out(g.graph, scaled, 0);
    } else {
        g.target = nod_graph_input(g.graph, "target", *nod_graph_shape(g.graph, g.y), false);
        int mse = nod_graph_add_node(g.graph, NOD_OP_LOSS_MSE, "loss", (int[]){g.y, g.target},
                                     2, NULL);
        g.loss = nod_graph_out(g.graph, mse, 0);
    }
    NOD_TRY(nod_graph_check(g.graph, err));
    nod_graph_output(g.graph, g.y);
    nod_graph_output(g.graph, g.loss);
    for (int i = 0; i < OP_CASE_IN_MAX; i++) {
        g.grad[i] = -1;
        if (backward && i < c->n_in && g.in[i] >= 0 && c->has_grad[i]) wrt[n_wrt++] = g.in[i];
    }
    if (n_wrt > 0) NOD_TRY(nod_graph_backward(g.graph, g.loss, wrt, n_wrt, grads, err));
    for (size_t k = 0; k < n_wrt; k++)
        for (int i = 0; i < c->n_in; i++)
            if (wrt[k] == g.in[i]) {
                g.grad[i] = grads[k];
                nod_graph_output(g.graph, grads[k]);
            }
    NOD_TRY(nod_graph_check(g.graph, err));
    *out = g;
    return 0;
out:
    nod_graph_free(g.graph);
    return nod_error_prefix(err, "case '%s'", c->name);
}

void op_graph_done(op_graph *g)
{
    nod_graph_free(g->graph);
    g->graph = NULL;
}

/* --- numbers ------------------------------------------------------------------------------ */

static void *numbers(op_fill fill, uint32_t seed, const nod_shape *s, int64_t n_classes,
                     nod_precision p)
{
    int64_t count = nod_shape_count(s);
    double *wide = nod_aligned_calloc((size_t)count * sizeof(double));
    NOD_ASSERT(wide != NULL);
    for (int64_t j = 0; j < count; j++) {
        double v = op_fill_value(fill, seed, j, n_classes);
        /* Narrower elements are written over the front of the same memory. */
        if (fill == OP_FILL_LABEL) {
            int32_t label = (int32_t)v;
            memcpy((char *)wide + (size_t)j * sizeof label, &label, sizeof label);
        } else if (p == NOD_PRECISION_F64) {
            wide[j] = v;
        } else {
            float narrow = (float)v;
            memcpy((char *)wide + (size_t)j * sizeof narrow, &narrow, sizeof narrow);
        }
    }
    return wide;
}

void op_data_init(op_data *d, const op_graph *g, const op_case *c, nod_precision p)
{
    d->n = g->graph->n_values;
    d->of = nod_calloc(d->n, sizeof *d->of);
    NOD_ASSERT(d->of != NULL);
    for (int i = 0; i < c->n_in; i++)
        if (g->in[i] >= 0)
            d->of[g->in[i]] = numbers(c->fill[i], c->seed + (uint32_t)i, &c->in[i],
                                      c->in[0].rank > 1 ? c->in[0].dim[1] : 1, p);
    if (g->target >= 0)
        d->of[g->target] = numbers(OP_FILL_SIGNED, c->seed + OP_CASE_IN_MAX,
                                   nod_graph_shape(g->graph, g->target), 1, p);
}

void op_data_done(op_data *d)
{
    for (size_t i = 0; i < d->n; i++)
        nod_free(d->of[i]);
    nod_free(d->of);
}
