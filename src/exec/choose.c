/* choose.c: a kernel for every node, a layout for every value, and reorders where they disagree.
 *
 * Nodes are visited in execution order. Kernels are asked in this order: the one that a test
 * forces, the table's choice, what an equal node of this plan got, the backend's order, the
 * fallback backend's. A kernel sees the layouts its inputs already have and the plan's preferred
 * layout, and answers with what it wants. A value may live in several layouts at once: each is a
 * slot, made by one REORDER step that all its readers share. A RESHAPE of a plain value is a
 * view and costs no step. */
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

typedef struct chooser {
    nod_plan *p;
    int *slots;       /* [n_values][NOD_LAYOUT_COUNT] slot of a value in a layout, -1 */
    nod_layout *home; /* [n_values] layout it was made in */
    bool *constant;   /* [n_values] */
    bool *output;     /* [n_values] */
    nod_strbuf key;
} chooser;

static const nod_shape *shape_of(const chooser *c, int value)
{
    return &c->p->graph->values[value].shape;
}

/* --- slots -------------------------------------------------------------------------------- */

static int *slot_in(const chooser *c, int value, nod_layout layout)
{
    return &c->slots[(size_t)value * NOD_LAYOUT_COUNT + (size_t)layout];
}

/* A new slot, its id in *out; alias: -1, or the slot it is a view of. */
static int add_slot(chooser *c, int value, nod_layout layout, int alias, int *out,
                    nod_error *err)
{
    nod_plan *p = c->p;
    if (!nod_grow((void **)&p->slots, &p->cap_slots, p->n_slots + 1, sizeof *p->slots))
        return nod_fail_memory(err, "buffers of a plan", p->n_slots * sizeof *p->slots);
    int id = (int)p->n_slots++;
    size_t count = (size_t)nod_shape_count(shape_of(c, value));
    p->slots[id] = (nod_slot){.value = value,
                              .layout = layout,
                              .bytes = count * nod_dtype_size(p->dtype[value]),
                              .constant = c->constant[value],
                              .alias = alias,
                              .root = alias < 0 ? id : p->slots[alias].root,
                              .first = -1,
                              .last = -1};
    *slot_in(c, value, layout) = *out = id;
    return 0;
}

/* --- kernels ------------------------------------------------------------------------------ */

/* The layout a value has, told in terms of the preferred one where the bytes are the same. */
static nod_layout layout_now(const chooser *c, int value)
{
    nod_layout home = c->home[value], preferred = c->p->preferred;
    return nod_layout_equal(home, preferred, shape_of(c, value)) ? preferred : home;
}

bool nod_kernel_fits(const nod_kernel_def *k, const nod_kernel_query *q, nod_kernel_fit *fit)
{
    if (k->op != q->node->op) return false;
    memset(fit, 0, sizeof *fit);
    for (int i = 0; i < NOD_NODE_OUT_MAX; i++)
        fit->inplace[i] = -1;
    return k->match(q, fit) != 0;
}

/* The first kernel that fits, of the backend and those it falls back on; of this name, if name
 * is not NULL. */
static const nod_kernel_def *first_fit(const nod_backend *backend, const char *name,
                                       const nod_kernel_query *q, nod_kernel_fit *fit)
{
    while (backend != NULL) {
        for (size_t i = 0; backend->kernels[i] != NULL; i++)
            if ((name == NULL || strcmp(backend->kernels[i]->name, name) == 0) &&
                nod_kernel_fits(backend->kernels[i], q, fit))
                return backend->kernels[i];
        backend = backend->fallback != NULL ? backend->fallback() : NULL;
    }
    return NULL;
}

/* Needs the node's key in c->key. */
static const nod_kernel_def *find_kernel(const chooser *c, const nod_kernel_query *q,
                                         nod_kernel_fit *fit)
{
    const nod_plan_options *o = &c->p->options;
    const nod_kernel_def *def = NULL;
    const char *wanted[3] = {
        o->only_kernel, o->table == NULL ? NULL : nod_kernel_table_get(o->table, c->key.data),
        nod_kernel_table_get(c->p->choices, c->key.data)};
    for (int w = 0; w < 3 && def == NULL; w++)
        if (wanted[w] != NULL) def = first_fit(o->backend, wanted[w], q, fit);
    return def != NULL ? def : first_fit(o->backend, NULL, q, fit);
}

static int no_kernel(const chooser *c, const nod_node *n, nod_error *err)
{
    char shape[160] = "";
    if (n->n_in > 0 && n->in[0] >= 0)
        nod_shape_text(shape_of(c, n->in[0]), shape, sizeof shape);
    return nod_fail(err, NOD_EUNSUPPORTED,
                    "layer '%s': no kernel of backend '%s' computes %s on %s in %s", n->name,
                    c->p->options.backend->name, nod_op_name(n->op), shape,
                    nod_precision_name(c->p->options.precision));
}

/* --- steps -------------------------------------------------------------------------------- */

static int add_step(chooser *c, const nod_step *step, const int *in, const int *out,
                    nod_error *err)
{
    nod_plan *p = c->p;
    size_t n = (size_t)step->node.n_in + (size_t)step->node.n_out;
    if (!nod_grow((void **)&p->steps, &p->cap_steps, p->n_steps + 1, sizeof *p->steps) ||
        !nod_grow((void **)&p->io, &p->cap_io, p->n_io + n, sizeof *p->io))
        return nod_fail_memory(err, "steps of a plan", p->n_steps * sizeof *p->steps);
    nod_step *s = &p->steps[p->n_steps++];
    *s = *step;
    s->io = p->n_io;
    for (int k = 0; k < s->node.n_in; k++) {
        p->io[p->n_io++] = in[k];
        if (in[k] >= 0) p->slots[in[k]].read = true;
    }
    for (int k = 0; k < s->node.n_out; k++)
        p->io[p->n_io++] = out[k];
    return 0;
}

static int add_reorder(chooser *c, int value, nod_layout to, int from_slot, int *slot,
                       nod_error *err)
{
    nod_plan *p = c->p;
    nod_layout from = c->home[value];
    nod_node n = {.op = NOD_OP_REORDER,
                  .name = p->graph->values[value].name,
                  .n_in = 1,
                  .n_out = 1,
                  .in = nod_arena_memdup(p->graph->arena, &value, sizeof value),
                  .out = {value, -1, -1, -1},
                  .attr = nod_attrs_default()};
    if (n.in == NULL) return nod_fail_memory(err, "steps of a plan", sizeof value);
    nod_step s = {.node = n, .preferred = to, .constant = c->constant[value]};
    nod_kernel_query q = nod_plan_query(p, &n, to, &from);
    s.def = first_fit(p->options.backend, NULL, &q, &s.fit);
    if (s.def == NULL || s.fit.in[0] != from || s.fit.out[0] != to)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "layer '%s': backend '%s' cannot take the layout %s to %s", n.name,
                        p->options.backend->name, nod_layout_name(from), nod_layout_name(to));
    s.fit.inplace[0] = -1;
    int rc = add_slot(c, value, to, -1, slot, err);
    return rc != 0 ? rc : add_step(c, &s, &from_slot, slot, err);
}

/* The slot of `value` in `layout`, made by a reorder where there is none yet. */
static int require(chooser *c, int value, nod_layout layout, int *slot, nod_error *err)
{
    int *found = slot_in(c, value, layout);
    if (*found < 0) {
        int home = *slot_in(c, value, c->home[value]);
        NOD_ASSERT(home >= 0 && nod_layout_allowed(layout, shape_of(c, value)));
        if (!nod_layout_equal(layout, c->home[value], shape_of(c, value)))
            return add_reorder(c, value, layout, home, slot, err);
        *found = home;
    }
    *slot = *found;
    return 0;
}

/* The same in every run: no inputs (FILL), or constants alone. */
static bool is_constant(const chooser *c, const nod_node *n)
{
    if (n->n_out == 0 || n->op == NOD_OP_DROPOUT) return false;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && !c->constant[n->in[i]]) return false;
    return true;
}

static int add_view(chooser *c, const nod_node *n, nod_error *err)
{
    int in, out, rc = require(c, n->in[0], NOD_LAYOUT_PLAIN, &in, err);
    c->home[n->out[0]] = NOD_LAYOUT_PLAIN;
    return rc != 0 ? rc : add_slot(c, n->out[0], NOD_LAYOUT_PLAIN, in, &out, err);
}

static int add_kernel(chooser *c, const nod_node *n, nod_error *err)
{
    nod_plan *p = c->p;
    nod_layout now[NOD_NODE_IN_MAX];
    int in[NOD_NODE_IN_MAX], out[NOD_NODE_OUT_MAX], rc = 0;
    nod_step s = {.node = *n, .preferred = p->preferred, .constant = is_constant(c, n)};
    for (int i = 0; i < n->n_in; i++)
        now[i] = n->in[i] < 0 ? NOD_LAYOUT_PLAIN : layout_now(c, n->in[i]);
    nod_kernel_query q = nod_plan_query(p, n, p->preferred, now);
    nod_plan_key(p, n, &c->key);
    if (c->key.failed) return nod_fail_memory(err, "the key of a kernel", 256);
    s.def = find_kernel(c, &q, &s.fit);
    if (s.def == NULL) return no_kernel(c, n, err);
    memset(in, 0xff, sizeof in); /* -1 */
    memset(out, 0xff, sizeof out);
    for (int i = 0; i < n->n_in && rc == 0; i++) {
        if (n->in[i] >= 0) rc = require(c, n->in[i], s.fit.in[i], &in[i], err);
    }
    for (int k = 0; k < n->n_out && rc == 0; k++) {
        if (n->out[k] < 0) continue;
        NOD_ASSERT(nod_layout_allowed(s.fit.out[k], shape_of(c, n->out[k])));
        c->home[n->out[k]] = s.fit.out[k];
        rc = add_slot(c, n->out[k], s.fit.out[k], -1, &out[k], err);
    }
    if (rc == 0) rc = add_step(c, &s, in, out, err);
    if (rc != 0 || nod_kernel_table_get(p->choices, c->key.data) != NULL) return rc;
    return nod_kernel_table_set(p->choices, c->key.data, s.def->name, err);
}

static int add_node(chooser *c, const nod_node *n, nod_error *err)
{
    bool constant = is_constant(c, n);
    for (int k = 0; k < n->n_out; k++)
        if (n->out[k] >= 0) c->constant[n->out[k]] = constant;
    if (n->op == NOD_OP_RESHAPE && !c->output[n->out[0]] &&
        c->p->dtype[n->in[0]] == c->p->dtype[n->out[0]])
        return add_view(c, n, err);
    return add_kernel(c, n, err);
}

/* --- the whole ---------------------------------------------------------------------------- */

static int add_sources(chooser *c, nod_error *err)
{
    nod_graph *g = c->p->graph;
    for (size_t i = 0; i < g->n_values; i++) {
        nod_value_kind kind = g->values[i].kind;
        int slot, rc;
        if (kind == NOD_VALUE_NODE) continue;
        c->constant[i] = c->p->options.frozen && kind != NOD_VALUE_INPUT;
        rc = add_slot(c, (int)i, NOD_LAYOUT_PLAIN, -1, &slot, err);
        if (rc != 0) return rc;
        c->p->slots[slot].source = true;
    }
    return 0;
}

/* Outputs are delivered PLAIN. */
static int add_outputs(chooser *c, nod_error *err)
{
    nod_graph *g = c->p->graph;
    for (size_t i = 0; i < g->n_outputs; i++) {
        int slot = -1, v = g->outputs[i];
        if (g->values[v].kind == NOD_VALUE_NODE && g->values[v].node < 0)
            return nod_fail(err, NOD_EINVAL, "output '%s' is not computed by any node",
                            g->values[v].name);
        int rc = require(c, v, NOD_LAYOUT_PLAIN, &slot, err);
        if (rc != 0) return rc;
        c->p->slots[slot].kept = !c->p->slots[slot].source;
    }
    return 0;
}

/* The table's layout, or the forced one, or the backend's first. */
static int choose_layout(chooser *c, nod_error *err)
{
    nod_plan *p = c->p;
    const nod_plan_options *o = &p->options;
    nod_layout layouts[NOD_LAYOUT_COUNT];
    size_t n = o->backend->layouts(o->precision, layouts);
    p->preferred = n > 0 ? layouts[0] : NOD_LAYOUT_PLAIN;
    nod_plan_layout_key(p, &c->key);
    if (c->key.failed) return nod_fail_memory(err, "the key of a layout", 64);
    const char *name = o->table == NULL ? NULL : nod_kernel_table_get(o->table, c->key.data);
    for (size_t i = 0; name != NULL && i < n; i++)
        if (strcmp(nod_layout_name(layouts[i]), name) == 0) p->preferred = layouts[i];
    if (o->layout >= 0) p->preferred = (nod_layout)o->layout;
    return nod_kernel_table_set(p->choices, c->key.data, nod_layout_name(p->preferred), err);
}

int nod_plan_choose(nod_plan *p, nod_error *err)
{
    int rc = 0;
    size_t n = p->graph->n_values;
    chooser c = {.p = p, .key = NOD_STRBUF_INIT};
    c.slots = nod_calloc(n * NOD_LAYOUT_COUNT + 1, sizeof *c.slots);
    c.home = nod_calloc(n + 1, sizeof *c.home);
    c.constant = nod_calloc(n + 1, sizeof *c.constant);
    c.output = nod_calloc(n + 1, sizeof *c.output);
    if (c.slots == NULL || c.home == NULL || c.constant == NULL || c.output == NULL) {
        rc = nod_fail_memory(err, "a plan", n * sizeof(int) * NOD_LAYOUT_COUNT);
        goto out;
    }
    memset(c.slots, 0xff, n * NOD_LAYOUT_COUNT * sizeof *c.slots); /* -1 */
    for (size_t i = 0; i < p->graph->n_outputs; i++)
        c.output[p->graph->outputs[i]] = true;
    NOD_TRY(choose_layout(&c, err));
    NOD_TRY(add_sources(&c, err));
    for (size_t i = 0; i < p->graph->n_nodes; i++)
        NOD_TRY(add_node(&c, &p->graph->nodes[i], err));
    NOD_TRY(add_outputs(&c, err));
    for (size_t i = 0; i < n; i++)
        p->slot_of[i] = *slot_in(&c, (int)i, NOD_LAYOUT_PLAIN);
out:
    nod_free(c.slots);
    nod_free(c.home);
    nod_free(c.constant);
    nod_free(c.output);
    nod_strbuf_done(&c.key);
    return rc;
}
