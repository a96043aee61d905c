/* rewrite.c: fusing rewrites on the forward graph, and pruning.
 *
 * A rewrite joins two nodes by letting the first produce the second's output value; values keep
 * their ids, and the value between the two is left without a producer. Removed nodes are marked
 * by n_in = -1 until the end, when the rest is put into an order in which every value stands
 * before its users, with as few moves as possible.
 *
 *   conv|dense -> batch_norm_infer        conv with folded weight and bias  (frozen)
 *   batch_norm -> add(., r)               batch_norm with residual r
 *   conv|conv_t|dense|norm|add -> act     the op with attr.act */
#include <string.h>

#include "base/memory.h"
#include "graph/op_def.h"

#define REMOVED (-1)

typedef struct rewrite {
    nod_graph *g;
    int *users;   /* per value: nodes that take it, a marked output counts as one more */
    size_t n_old; /* nodes before the rewrites appended any */
    bool frozen;
} rewrite;

static void count_users(rewrite *r)
{
    nod_graph *g = r->g;
    memset(r->users, 0, g->n_values * sizeof *r->users);
    for (size_t i = 0; i < g->n_nodes; i++) {
        const nod_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) r->users[n->in[k]]++;
    }
    for (size_t i = 0; i < g->n_outputs; i++)
        r->users[g->outputs[i]] += 2;
}

static void remove_node(nod_graph *g, int index)
{
    nod_node *n = &g->nodes[index];
    n->n_in = REMOVED;
    n->n_out = 0;
}

/* The node that makes `value`, if it is of one of the ops in `mask` and nobody but one node
 * takes the value. */
static nod_node *sole_producer(rewrite *r, int value, uint64_t mask)
{
    if (value < 0 || r->users[value] != 1) return NULL;
    const nod_value *v = &r->g->values[value];
    if (v->kind != NOD_VALUE_NODE || v->node < 0 || v->out_index != 0) return NULL;
    nod_node *n = &r->g->nodes[v->node];
    return n->n_in >= 0 && (mask >> n->op & 1) != 0 ? n : NULL;
}

/* `n` makes `value` from now on. */
static void take_over(nod_graph *g, nod_node *n, int value)
{
    g->values[n->out[0]].node = -1;
    n->out[0] = value;
    g->values[value].node = (int)(n - g->nodes);
    g->values[value].out_index = 0;
}

#define BIT(op) ((uint64_t)1 << (op))

/* --- frozen: conv|dense -> batch_norm_infer ------------------------------------------------
 */

static int fold_norm(rewrite *r, int index)
{
    nod_graph *g = r->g;
    nod_node *norm = &g->nodes[index];
    nod_node *conv = sole_producer(r, norm->in[0], BIT(NOD_OP_CONV) | BIT(NOD_OP_DENSE));
    if (conv == NULL || conv->attr.act != NOD_ACT_IDENTITY || norm->attr.residual) return 0;
    int conv_index = (int)(conv - g->nodes);
    nod_attrs a = nod_attrs_default();
    a.eps = norm->attr.eps;
    const int *in = norm->in;
    int w = nod_graph_append(g, NOD_OP_FOLD_NORM_WEIGHTS, conv->name,
                             (int[]){conv->in[1], in[1], in[4]}, 3, &a);
    int b = nod_graph_append(g, NOD_OP_FOLD_NORM_BIAS, g->nodes[conv_index].name,
                             (int[]){g->nodes[conv_index].in[2], in[1], in[2], in[3], in[4]}, 5,
                             &a);
    if (g->error.code != 0) return g->error.code;
    conv = &g->nodes[conv_index]; /* appending moves the array */
    norm = &g->nodes[index];
    conv->in[1] = nod_graph_out(g, w, 0);
    conv->in[2] = nod_graph_out(g, b, 0);
    conv->attr.act = norm->attr.act;
    conv->attr.alpha = norm->attr.alpha;
    take_over(g, conv, norm->out[0]);
    remove_node(g, index);
    return 0;
}

/* --- batch_norm -> add ---------------------------------------------------------------------
 */

static int fuse_residual(rewrite *r, int index)
{
    nod_graph *g = r->g;
    nod_node *add = &g->nodes[index];
    if (add->in[0] == add->in[1]) return 0;
    for (int side = 0; side < 2; side++) {
        nod_node *n = sole_producer(r, add->in[side],
                                    BIT(NOD_OP_BATCH_NORM) | BIT(NOD_OP_BATCH_NORM_INFER));
        if (n == NULL || n->attr.act != NOD_ACT_IDENTITY || n->attr.residual) continue;
        n->in[n->n_in - 1] = add->in[1 - side];
        n->attr.residual = true;
        n->attr.act = add->attr.act;
        n->attr.alpha = add->attr.alpha;
        take_over(g, n, add->out[0]);
        remove_node(g, index);
        return 0;
    }
    return 0;
}

/* --- any -> act ----------------------------------------------------------------------------
 */

static int fuse_act(rewrite *r, int index)
{
    nod_graph *g = r->g;
    nod_node *act = &g->nodes[index];
    if (!r->frozen && !nod_act_from_output(act->attr.act)) return 0;
    nod_node *n = sole_producer(r, act->in[0],
                                BIT(NOD_OP_CONV) | BIT(NOD_OP_CONV_T) | BIT(NOD_OP_DENSE) |
                                    BIT(NOD_OP_BATCH_NORM) | BIT(NOD_OP_BATCH_NORM_INFER) |
                                    BIT(NOD_OP_GROUP_NORM) | BIT(NOD_OP_ADD));
    if (n == NULL || n->attr.act != NOD_ACT_IDENTITY) return 0;
    n->attr.act = act->attr.act;
    n->attr.alpha = act->attr.alpha;
    take_over(g, n, act->out[0]);
    remove_node(g, index);
    return 0;
}

/* --- order ---------------------------------------------------------------------------------
 */

/* Puts node `root` behind everything it needs; `stack` holds one entry per node. */
static void place(const nod_graph *g, int root, int *stack, signed char *state, int *order,
                  size_t *n_order)
{
    size_t depth = 0;
    if (state[root] != 0) return;
    stack[depth++] = root;
    state[root] = 1;
    while (depth > 0) {
        int i = stack[depth - 1];
        const nod_node *n = &g->nodes[i];
        int next = -1;
        for (int k = 0; next < 0 && k < n->n_in; k++) {
            int p = n->in[k] < 0 ? -1 : g->values[n->in[k]].node;
            if (p >= 0 && state[p] == 0) next = p;
        }
        if (next >= 0) {
            NOD_ASSERT(depth < g->n_nodes);
            state[next] = 1;
            stack[depth++] = next;
            continue;
        }
        depth--;
        order[(*n_order)++] = i;
    }
}

/* Drops removed nodes, orders the rest, and renumbers the producers of values. keep[i] false
 * drops node i too; NULL keeps all. */
static int settle(nod_graph *g, const bool *keep, nod_error *err)
{
    size_t n = g->n_nodes, n_order = 0;
    int rc = 0;
    int *order = nod_calloc(n + 1, sizeof *order), *stack = nod_calloc(n + 1, sizeof *stack);
    signed char *state = nod_calloc(n + 1, 1);
    nod_node *nodes = nod_calloc(n + 1, sizeof *nodes);
    if (order == NULL || stack == NULL || state == NULL || nodes == NULL) {
        rc = nod_fail_memory(err, "ordering a graph", n * sizeof *nodes);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        if (g->nodes[i].n_in >= 0 && (keep == NULL || keep[i]))
            place(g, (int)i, stack, state, order, &n_order);
    for (size_t v = 0; v < g->n_values; v++)
        g->values[v].node = -1;
    for (size_t i = 0; i < n_order; i++) {
        nodes[i] = g->nodes[order[i]];
        for (int k = 0; k < nodes[i].n_out; k++)
            if (nodes[i].out[k] >= 0) g->values[nodes[i].out[k]].node = (int)i;
    }
    memcpy(g->nodes, nodes, n_order * sizeof *nodes);
    g->n_nodes = n_order;
out:
    nod_free(order);
    nod_free(stack);
    nod_free(state);
    nod_free(nodes);
    return rc;
}

/* The nodes of an op in execution order; rewrites append nodes, which are not visited. */
static int each(rewrite *r, uint64_t mask, int (*fn)(rewrite *r, int index))
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->n_old; i++)
        if (r->g->nodes[i].n_in >= 0 && (mask >> r->g->nodes[i].op & 1) != 0) {
            rc = fn(r, (int)i);
        }
    return rc;
}

int nod_graph_fuse(nod_graph *g, bool frozen, nod_error *err)
{
    int rc = nod_graph_check(g, err);
    if (rc != 0) return rc;
    rewrite r = {.g = g, .n_old = g->n_nodes, .frozen = frozen};
    /* Folding appends two values and two nodes per norm; those are never asked about. */
    size_t room = g->n_values + 2 * g->n_nodes + 1;
    r.users = nod_calloc(room, sizeof *r.users);
    if (r.users == NULL) {
        rc = nod_fail_memory(err, "fusing a graph", room * sizeof *r.users);
        goto out;
    }
    count_users(&r);
    if (frozen) rc = each(&r, BIT(NOD_OP_BATCH_NORM_INFER), fold_norm);
    if (rc == 0) rc = each(&r, BIT(NOD_OP_ADD), fuse_residual);
    if (rc == 0) rc = each(&r, BIT(NOD_OP_ACT), fuse_act);
    if (rc != 0) *err = g->error;
    if (rc == 0) rc = settle(g, NULL, err);
out:
    nod_free(r.users);
    return rc;
}

int nod_graph_prune(nod_graph *g, nod_error *err)
{
    int rc = nod_graph_check(g, err);
    if (rc != 0) return rc;
    bool *keep = nod_calloc(g->n_nodes + 1, sizeof *keep);
    if (keep == NULL) return nod_fail_memory(err, "pruning a graph", g->n_nodes);
    for (size_t i = 0; i < g->n_outputs; i++)
        if (g->values[g->outputs[i]].node >= 0) keep[g->values[g->outputs[i]].node] = true;
    for (size_t i = g->n_nodes; i-- > 0;) {
        const nod_node *n = &g->nodes[i];
        if (n->op == NOD_OP_BATCH_NORM_TRACK) keep[i] = true;
        for (int k = 0; keep[i] && k < n->n_in; k++) {
            int p = n->in[k] < 0 ? -1 : g->values[n->in[k]].node;
            if (p >= 0) keep[p] = true;
        }
    }
    rc = settle(g, keep, err);
    nod_free(keep);
    return rc;
}
