/* choose.c: a kernel for every node, a layout for every value, and reorders where they disagree.
 *
 * Nodes are visited in execution order. The kernels of the backend are asked in order (the table's
 * choice first); a kernel sees the layouts its inputs already have and the plan's preferred layout,
 * and answers with what it wants. A value may live in several layouts at once: each is a slot, made
 * by one REORDER step that all its readers share. */
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

typedef struct chooser {
    nod_plan *p;
    nod_layout preferred;
    int *slots;       /* [n_values][NOD_LAYOUT_COUNT] slot of a value in a layout, -1 */
    nod_layout *home; /* [n_values] layout it was made in */
    bool *constant;   /* [n_values] */
    nod_strbuf key;
} chooser;

size_t nod_plan_value_bytes(const nod_plan *p, int value)
{
    const nod_value *v = &p->graph->values[value];
    bool inside = v->kind == NOD_VALUE_NODE;
    size_t size = v->is_int                                   ? sizeof(int32_t)
                  : p->options.precision == NOD_PRECISION_F64 ? sizeof(double)
                  : p->options.precision == NOD_PRECISION_BF16 && inside && v->shape.rank >= 4
                      ? sizeof(uint16_t)
                      : sizeof(float);
    return (size_t)nod_shape_count(&v->shape) * size;
}

static int add_slot(chooser *c, int value, nod_layout layout, nod_error *err)
{
    nod_plan *p = c->p;
    if (!nod_grow((void **)&p->slots, &p->cap_slots, p->n_slots + 1, sizeof *p->slots))
        return nod_fail_memory(err, "buffers of a plan", p->n_slots * sizeof *p->slots);
    p->slots[p->n_slots] = (nod_slot){.value = value,
                                      .layout = layout,
                                      .bytes = nod_plan_value_bytes(p, value),
                                      .constant = c->constant[value],
                                      .alias = -1,
                                      .first = -1,
                                      .last = -1};
    c->slots[value * NOD_LAYOUT_COUNT + (int)layout] = (int)p->n_slots++;
    return 0;
}

static int slot_in(const chooser *c, int value, nod_layout layout)
{
    return c->slots[value * NOD_LAYOUT_COUNT + (int)layout];
}

/* --- kernels ------------------------------------------------------------------------------------ */

static nod_kernel_query query_of(const chooser *c, const nod_node *n, nod_layout *in)
{
    const nod_plan *p = c->p;
    for (int i = 0; i < n->n_in; i++)
        in[i] = n->in[i] < 0 ? NOD_LAYOUT_PLAIN : c->home[n->in[i]];
    return (nod_kernel_query){p->graph,     n,  p->options.precision,
                              c->preferred, in, p->options.frozen};
}

static bool fits(const nod_kernel_def *k, const nod_kernel_query *q, nod_kernel_fit *fit)
{
    if (k->op != q->node->op) return false;
    memset(fit, 0, sizeof *fit);
    for (int i = 0; i < NOD_NODE_OUT_MAX; i++)
        fit->inplace[i] = -1;
    return k->match(q, fit) != 0;
}

/* First of: the forced kernel, the table's choice, the backend's order. */
static const nod_kernel_def *find_kernel(chooser *c, const nod_kernel_query *q,
                                         nod_kernel_fit *fit)
{
    const nod_plan_options *o = &c->p->options;
    const char *wanted[2] = {o->only_kernel, NULL};
    nod_plan_key(c->p, q->node, &c->key);
    if (!c->key.failed) wanted[1] = nod_kernel_table_get(o->table, c->key.data);
    for (int w = 0; w < 2; w++)
        for (size_t i = 0; wanted[w] && o->backend->kernels[i]; i++)
            if (strcmp(o->backend->kernels[i]->name, wanted[w]) == 0 &&
                fits(o->backend->kernels[i], q, fit))
                return o->backend->kernels[i];
    const nod_backend *backend = o->backend;
    while (backend) {
        for (size_t i = 0; backend->kernels[i]; i++)
            if (fits(backend->kernels[i], q, fit)) return backend->kernels[i];
        backend = backend->fallback ? backend->fallback() : NULL;
    }
    return NULL;
}

static int no_kernel(const chooser *c, const nod_node *n, nod_error *err)
{
    static const char *const precisions[] = {"f32", "f64", "bf16"};
    char shape[160] = "";
    if (n->n_in > 0 && n->in[0] >= 0)
        nod_shape_text(&c->p->graph->values[n->in[0]].shape, shape, sizeof shape);
    return nod_fail(err, NOD_EUNSUPPORTED,
                    "layer '%s': no kernel of backend '%s' computes %s on %s in %s", n->name,
                    c->p->options.backend->name, nod_op_name(n->op), shape,
                    precisions[c->p->options.precision]);
}

/* --- steps ------------------------------------------------------------------------------------ */

static nod_step *new_step(chooser *c, const nod_node *n, nod_error *err)
{
    nod_plan *p = c->p;
    if (!nod_grow((void **)&p->steps, &p->cap_steps, p->n_steps + 1, sizeof *p->steps)) {
        nod_fail_memory(err, "steps of a plan", p->n_steps * sizeof *p->steps);
        return NULL;
    }
    nod_step *s = &p->steps[p->n_steps];
    size_t n_in = (size_t)NOD_MAX(n->n_in, 1), n_out = (size_t)NOD_MAX(n->n_out, 1);
    *s = (nod_step){.op = n->op, .node = *n, .macs = nod_node_macs(p->graph, n)};
    s->layer = nod_strdup(n->name);
    s->node.in = nod_memdup(n->in, n_in * sizeof(int));
    s->in = nod_calloc(n_in, sizeof(int));
    s->out = nod_calloc(n_out, sizeof(int));
    s->in_data = nod_calloc(n_in, sizeof(void *));
    s->out_data = nod_calloc(n_out, sizeof(void *));
    p->n_steps++;
    if (!s->layer || !s->node.in || !s->in || !s->out || !s->in_data || !s->out_data) {
        nod_fail_memory(err, "steps of a plan", sizeof *s);
        return NULL;
    }
    s->node.name = s->layer;
    return s;
}

/* Makes `value` exist in `layout`; its slot in *slot. */
static int require(chooser *c, int value, nod_layout layout, int *slot, nod_error *err)
{
    int found = slot_in(c, value, layout);
    if (found >= 0) {
        *slot = found;
        return 0;
    }
    int from = slot_in(c, value, c->home[value]), in[1] = {value};
    NOD_ASSERT(from >= 0);
    nod_node n = {.op = NOD_OP_REORDER,
                  .name = c->p->graph->values[value].name,
                  .n_in = 1,
                  .n_out = 1,
                  .in = in,
                  .out = {value, -1, -1, -1},
                  .attr = nod_attrs_default()};
    nod_layout have[1] = {c->home[value]};
    nod_kernel_query q = {c->p->graph, &n, c->p->options.precision, layout, have, false};
    nod_kernel_fit fit;
    const nod_kernel_def *def = NULL;
    const nod_backend *backend = c->p->options.backend;
    while (backend && !def) {
        for (size_t i = 0; backend->kernels[i] && !def; i++)
            if (fits(backend->kernels[i], &q, &fit) && fit.in[0] == have[0] &&
                fit.out[0] == layout)
                def = backend->kernels[i];
        backend = backend->fallback ? backend->fallback() : NULL;
    }
    if (!def) return no_kernel(c, &n, err);
    int rc = add_slot(c, value, layout, err);
    if (rc) return rc;
    nod_step *s = new_step(c, &n, err);
    if (!s) return err->code;
    s->def = def;
    s->fit = fit;
    s->constant = c->constant[value];
    s->in[0] = from;
    s->out[0] = *slot = slot_in(c, value, layout);
    return 0;
}

static bool is_constant_node(const chooser *c, const nod_node *n)
{
    bool any = false;
    if (!c->p->options.frozen || n->op == NOD_OP_BATCH_NORM_TRACK) return false;
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] < 0) continue;
        any = true;
        if (!c->constant[n->in[i]]) return false;
    }
    return any;
}

static bool is_output(const nod_graph *g, int value)
{
    for (size_t i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == value) return true;
    return false;
}

/* A RESHAPE is another view of the same memory and needs no step. */
static int add_view(chooser *c, const nod_node *n, nod_error *err)
{
    int from, to = n->out[0];
    c->constant[to] = is_constant_node(c, n);
    c->home[to] = NOD_LAYOUT_PLAIN;
    int rc = require(c, n->in[0], NOD_LAYOUT_PLAIN, &from, err);
    if (!rc) rc = add_slot(c, to, NOD_LAYOUT_PLAIN, err);
    if (rc) return rc;
    nod_slot *view = &c->p->slots[slot_in(c, to, NOD_LAYOUT_PLAIN)];
    view->alias = from;
    view->shared = c->p->slots[from].shared = true;
    return 0;
}

static int add_node(chooser *c, const nod_node *n, nod_error *err)
{
    if (n->op == NOD_OP_RESHAPE && !is_output(c->p->graph, n->out[0]))
        return add_view(c, n, err);

    nod_layout in[NOD_NODE_IN_MAX];
    nod_kernel_fit fit;
    nod_kernel_query q = query_of(c, n, in);
    const nod_kernel_def *def = find_kernel(c, &q, &fit);
    int slots[NOD_NODE_IN_MAX], rc = 0;
    if (!def) return no_kernel(c, n, err);
    bool constant = is_constant_node(c, n);
    for (int k = 0; k < n->n_out && !rc; k++) {
        if (n->out[k] < 0) continue;
        c->constant[n->out[k]] = constant;
        c->home[n->out[k]] = fit.out[k];
    }
    for (int i = 0; i < n->n_in && !rc; i++) {
        slots[i] = -1;
        if (n->in[i] >= 0) rc = require(c, n->in[i], fit.in[i], &slots[i], err);
    }
    for (int k = 0; k < n->n_out && !rc; k++)
        if (n->out[k] >= 0) rc = add_slot(c, n->out[k], fit.out[k], err);
    nod_step *s = rc ? NULL : new_step(c, n, err);
    if (!s) return err->code;
    s->def = def;
    s->fit = fit;
    s->constant = constant;
    for (int i = 0; i < n->n_in; i++)
        s->in[i] = slots[i];
    for (int k = 0; k < n->n_out; k++)
        s->out[k] = n->out[k] < 0 ? -1 : slot_in(c, n->out[k], fit.out[k]);
    nod_plan_key(c->p, n, &c->key);
    if (c->key.failed) return nod_fail_memory(err, "key of a kernel", 256);
    return nod_kernel_table_set(c->p->choices, c->key.data, def->name, err);
}

/* --- the whole ---------------------------------------------------------------------------------- */

static int add_sources(chooser *c, nod_error *err)
{
    nod_graph *g = c->p->graph;
    for (size_t i = 0; i < g->n_values; i++) {
        nod_value_kind kind = g->values[i].kind;
        if (kind == NOD_VALUE_NODE) continue;
        c->constant[i] = kind == NOD_VALUE_PARAM || kind == NOD_VALUE_STATE;
        c->home[i] = NOD_LAYOUT_PLAIN;
        int rc = add_slot(c, (int)i, NOD_LAYOUT_PLAIN, err);
        if (rc) return rc;
        c->p->slots[c->p->n_slots - 1].bound = true;
    }
    return 0;
}

/* Outputs are delivered PLAIN. */
static int add_outputs(chooser *c, nod_error *err)
{
    nod_graph *g = c->p->graph;
    for (size_t i = 0; i < g->n_outputs; i++) {
        int slot, rc = require(c, g->outputs[i], NOD_LAYOUT_PLAIN, &slot, err);
        if (rc) return rc;
        c->p->slots[slot].kept = true;
    }
    return 0;
}

int nod_plan_choose(nod_plan *p, nod_error *err)
{
    int rc = 0;
    size_t n = p->graph->n_values;
    nod_layout layouts[NOD_LAYOUT_COUNT];
    chooser c = {.p = p, .key = NOD_STRBUF_INIT};
    size_t n_layouts = p->options.backend->layouts(p->options.precision, layouts);
    c.preferred = p->options.layout >= 0 ? (nod_layout)p->options.layout
                  : n_layouts            ? layouts[0]
                                         : NOD_LAYOUT_PLAIN;
    c.slots = nod_calloc(n * NOD_LAYOUT_COUNT + 1, sizeof(int));
    c.home = nod_calloc(n + 1, sizeof *c.home);
    c.constant = nod_calloc(n + 1, sizeof(bool));
    if (!c.slots || !c.home || !c.constant) {
        rc = nod_fail_memory(err, "a plan", n * sizeof(int) * NOD_LAYOUT_COUNT);
        goto out;
    }
    memset(c.slots, 0xff, n * NOD_LAYOUT_COUNT * sizeof(int));
    NOD_TRY(add_sources(&c, err));
    for (size_t i = 0; i < p->graph->n_nodes; i++)
        NOD_TRY(add_node(&c, &p->graph->nodes[i], err));
    NOD_TRY(add_outputs(&c, err));
    for (size_t i = 0; i < n; i++)
        p->slot_of[i] = slot_in(&c, (int)i, NOD_LAYOUT_PLAIN);
out:
    nod_free(c.slots);
    nod_free(c.home);
    nod_free(c.constant);
    nod_strbuf_done(&c.key);
    return rc;
}
