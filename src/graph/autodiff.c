/* autodiff.c: symbolic reverse-mode differentiation: the gradient of a scalar as ordinary
 * nodes.
 *
 * Walks the nodes from the last to the first. Where a node's output has a gradient and one of
 * its inputs leads to a wanted value, the op's gradient rule appends nodes; a value used k
 * times gets k gradients, added two by two in the order in which the walk meets them, so that
 * the sum has the same bits each time. Values that do not lead to a wanted value get no
 * gradient: a first layer's input gradient is never computed. */
#include <string.h>

#include "base/memory.h"
#include "graph/op_def.h"

/* --- words for gradient rules --------------------------------------------------------------
 */

void nod_grad_nodes(nod_grad_query *q, nod_op op, const int *in, int n_in,
                    const nod_attrs *attr, int out[NOD_NODE_OUT_MAX])
{
    int node = nod_graph_append(q->graph, op, q->node.name, in, n_in, attr);
    for (int k = 0; k < NOD_NODE_OUT_MAX; k++)
        out[k] = nod_graph_out(q->graph, node, k);
}

int nod_grad_node(nod_grad_query *q, nod_op op, const int *in, int n_in, const nod_attrs *attr)
{
    int out[NOD_NODE_OUT_MAX];
    nod_grad_nodes(q, op, in, n_in, attr, out);
    return out[0];
}

int nod_grad_before_act(nod_grad_query *q)
{
    nod_attrs a = nod_attrs_default();
    a.act = q->node.attr.act;
    a.alpha = q->node.attr.alpha;
    a.from_output = true;
    if (a.act == NOD_ACT_IDENTITY) return q->dy;
    return nod_grad_node(q, NOD_OP_ACT_BWD, (int[]){q->node.out[0], q->dy}, 2, &a);
}

nod_shape nod_grad_shape(const nod_grad_query *q, int input)
{
    return *nod_graph_shape(q->graph, q->node.in[input]);
}

/* --- the walk ------------------------------------------------------------------------------
 */

typedef struct walk {
    nod_graph *g;
    size_t n_values, n_nodes; /* of the forward graph */
    bool *needs;              /* per value: leads from a wanted value */
    int *grad;                /* per value: its gradient so far, -1 */
} walk;

/* needs[v]: v is wanted, or computed from a wanted value. */
static void mark_needs(walk *w, const int *wrt, size_t n_wrt)
{
    for (size_t i = 0; i < n_wrt; i++)
        if (wrt[i] >= 0) w->needs[wrt[i]] = true;
    for (size_t i = 0; i < w->n_nodes; i++) {
        const nod_node *n = &w->g->nodes[i];
        bool any = false;
        for (int k = 0; k < n->n_in; k++)
            any = any || (n->in[k] >= 0 && w->needs[n->in[k]]);
        for (int k = 0; any && k < n->n_out; k++)
            if (n->out[k] >= 0) w->needs[n->out[k]] = true;
    }
}

static void accumulate(walk *w, const char *layer, int value, int d)
{
    if (w->grad[value] < 0)
        w->grad[value] = d;
    else
        w->grad[value] = nod_graph_out(
            w->g,
            nod_graph_append(w->g, NOD_OP_ADD, layer, (int[]){w->grad[value], d}, 2, NULL), 0);
}

static int differentiate(walk *w, size_t index, nod_error *err)
{
    const nod_node n = w->g->nodes[index];
    const nod_op_def *def = nod_op_def_of(n.op);
    bool need[NOD_NODE_IN_MAX], any = false;
    int dx[NOD_NODE_IN_MAX];
    for (int k = 0; k < n.n_in; k++) {
        need[k] = n.in[k] >= 0 && w->needs[n.in[k]];
        any = any || need[k];
        dx[k] = -1;
    }
    for (int k = 1; any && k < n.n_out; k++)
        if (n.out[k] >= 0 && w->grad[n.out[k]] >= 0)
            return nod_fail(err, NOD_EUNSUPPORTED,
                            "layer '%s': output %d of %s cannot be differentiated", n.name, k,
                            def->name);
    if (!any || n.n_out == 0 || n.out[0] < 0 || w->grad[n.out[0]] < 0) return 0;
    if (def->gradient == NULL)
        return nod_fail(err, NOD_EUNSUPPORTED, "layer '%s': %s has no gradient", n.name,
                        def->name);
    nod_grad_query q = {
        .graph = w->g, .node = n, .dy = w->grad[n.out[0]], .need = need, .dx = dx};
    def->gradient(&q);
    if (nod_graph_check(w->g, err) != 0) return err->code;
    for (int k = 0; k < n.n_in; k++) {
        if (!need[k]) continue;
        if (dx[k] < 0)
            return nod_fail(err, NOD_EUNSUPPORTED,
                            "layer '%s': %s has no gradient with respect to input %d ('%s')",
                            n.name, def->name, k, w->g->values[n.in[k]].name);
        accumulate(w, n.name, n.in[k], dx[k]);
    }
    return nod_graph_check(w->g, err);
}

static int run_walk(walk *w, int loss, nod_error *err)
{
    nod_attrs one = nod_attrs_default();
    one.shape = *nod_graph_shape(w->g, loss);
    one.alpha = 1;
    if (!w->needs[loss]) return 0; /* depends on nothing that is wanted */
    int seed = nod_graph_append(w->g, NOD_OP_FILL, w->g->values[loss].name, NULL, 0, &one);
    w->grad[loss] = nod_graph_out(w->g, seed, 0);
    int rc = nod_graph_check(w->g, err);
    for (size_t i = w->n_nodes; rc == 0 && i-- > 0;)
        rc = differentiate(w, i, err);
    return rc;
}

int nod_graph_backward(nod_graph *g, int loss, const int *wrt, size_t n_wrt, int *grads,
                       nod_error *err)
{
    char text[160];
    int rc = nod_graph_check(g, err);
    if (rc != 0) return rc;
    NOD_ASSERT(loss >= 0 && (size_t)loss < g->n_values);
    if (nod_shape_count(nod_graph_shape(g, loss)) != 1)
        return nod_fail(err, NOD_ESHAPE, "only a scalar has a gradient, '%s' is %s",
                        g->values[loss].name,
                        nod_shape_text(nod_graph_shape(g, loss), text, sizeof text));
    walk w = {.g = g, .n_values = g->n_values, .n_nodes = g->n_nodes};
    uint32_t next_stream = g->next_stream;
    w.needs = nod_calloc(g->n_values, sizeof *w.needs);
    w.grad = nod_calloc(g->n_values, sizeof *w.grad);
    if (w.needs == NULL || w.grad == NULL) {
        rc = nod_fail_memory(err, "differentiating a graph", g->n_values * sizeof *w.grad);
        goto out;
    }
    memset(w.grad, 0xff, g->n_values * sizeof *w.grad); /* -1 */
    mark_needs(&w, wrt, n_wrt);
    rc = run_walk(&w, loss, err);
    if (rc != 0) goto out;
    for (size_t i = 0; i < n_wrt; i++)
        if (wrt[i] >= 0 && w.grad[wrt[i]] >= 0)
            nod_graph_rename(g, w.grad[wrt[i]], "d(%s)", g->values[wrt[i]].name);
    rc = nod_graph_check(g, err);
    for (size_t i = 0; rc == 0 && i < n_wrt; i++)
        grads[i] = wrt[i] < 0 ? -1 : w.grad[wrt[i]];
out:
    if (rc != 0) { /* the graph as it was */
        g->n_nodes = w.n_nodes;
        g->n_values = w.n_values;
        g->next_stream = next_stream;
        g->error = (nod_error)NOD_ERROR_INIT;
    }
    nod_free(w.needs);
    nod_free(w.grad);
    return rc;
}
