/* graph.c: the graph object: values, nodes, names, the sticky error, and copies.
 *
 * Names and input lists live in the graph's arena; values and nodes in two growing arrays, so a
 * value's id and a node's index are its place. Nodes are in execution order because a node can
 * only take values that exist. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/op_def.h"

int nod_graph_new(nod_graph **out, nod_error *err)
{
    nod_graph *g = nod_calloc(1, sizeof *g);
    if (g != NULL) g->arena = nod_calloc(1, sizeof *g->arena);
    if (g == NULL || g->arena == NULL) {
        nod_free(g);
        return nod_fail_memory(err, "a graph", sizeof *g);
    }
    nod_arena_init(g->arena);
    *out = g;
    return 0;
}

void nod_graph_free(nod_graph *g)
{
    if (g == NULL) return;
    if (g->arena != NULL) nod_arena_done(g->arena);
    nod_free(g->arena);
    nod_free(g->values);
    nod_free(g->nodes);
    nod_free(g->outputs);
    nod_free(g->scope_start);
    nod_strbuf_done(&g->scope);
    nod_free(g);
}

int nod_graph_check(const nod_graph *g, nod_error *err)
{
    if (g->error.code != 0) *err = g->error;
    return g->error.code;
}

static void fail_memory(nod_graph *g)
{
    if (g->error.code == 0) nod_fail(&g->error, NOD_ENOMEM, "out of memory: building a graph");
}

/* --- names -------------------------------------------------------------------------------- */

void nod_graph_push(nod_graph *g, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    NOD_ASSERT(n >= 0);
    if (!nod_grow((void **)&g->scope_start, &g->cap_scopes, g->n_scopes + 1,
                  sizeof *g->scope_start)) {
        fail_memory(g);
        return;
    }
    g->scope_start[g->n_scopes++] = g->scope.len;
    nod_strbuf_add(&g->scope, text);
    nod_strbuf_addc(&g->scope, '.');
    if (g->scope.failed) fail_memory(g);
}

void nod_graph_pop(nod_graph *g)
{
    if (g->error.code != 0) return; /* a push may have failed */
    NOD_ASSERT(g->n_scopes > 0);
    g->scope.len = g->scope_start[--g->n_scopes];
    g->scope.data[g->scope.len] = '\0';
}

static char *full_name(nod_graph *g, const char *name)
{
    const char *scope = g->scope.data != NULL ? g->scope.data : "";
    char *s = nod_arena_printf(g->arena, "%s%s", scope, name);
    if (s == NULL) fail_memory(g);
    return s;
}

void nod_graph_rename(nod_graph *g, int value, const char *fmt, ...)
{
    if (value < 0 || g->error.code != 0) return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    char *name = nod_arena_strdup(g->arena, text);
    if (name == NULL)
        fail_memory(g);
    else
        g->values[value].name = name;
}

int nod_graph_find(const nod_graph *g, const char *name)
{
    for (size_t i = 0; i < g->n_values; i++)
        if (strcmp(g->values[i].name, name) == 0) return (int)i;
    return -1;
}

const nod_shape *nod_graph_shape(const nod_graph *g, int value)
{
    if (value < 0) return NULL;
    NOD_ASSERT((size_t)value < g->n_values);
    return &g->values[value].shape;
}

/* --- values ------------------------------------------------------------------------------- */

/* Checks that a shape can be a value: dims of at least 1, not too many elements. */
static int check_shape(nod_graph *g, const char *name, const nod_shape *s)
{
    char text[160];
    size_t bytes;
    bool fits =
        nod_shape_bytes(s, NOD_DTYPE_F64, &bytes) && nod_shape_count(s) <= NOD_VALUE_COUNT_MAX;
    for (int i = 0; fits && i < s->rank; i++)
        fits = s->dim[i] >= 1;
    if (fits) return 0;
    return nod_fail(&g->error, NOD_ESHAPE, "layer '%s': a value cannot have the shape %s", name,
                    nod_shape_text(s, text, sizeof text));
}

static int add_value(nod_graph *g, char *name, nod_value_kind kind, const nod_shape *shape)
{
    if (g->error.code != 0 || name == NULL || check_shape(g, name, shape) != 0) return -1;
    if (g->n_values >= INT32_MAX / 2 ||
        !nod_grow((void **)&g->values, &g->cap_values, g->n_values + 1, sizeof *g->values)) {
        fail_memory(g);
        return -1;
    }
    g->values[g->n_values] =
        (nod_value){.name = name, .kind = kind, .shape = *shape, .node = -1};
    return (int)g->n_values++;
}

/* Inputs, parameters and states are found by name, so a name may stand for one value only. */
static int add_named(nod_graph *g, const char *name, nod_value_kind kind,
                     const nod_shape *shape)
{
    if (g->error.code != 0) return -1;
    char *full = full_name(g, name);
    if (full == NULL) return -1;
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].kind != NOD_VALUE_NODE && strcmp(g->values[i].name, full) == 0) {
            nod_fail(&g->error, NOD_EINVAL,
                     "layer '%s': the name is taken already; give each layer its own", full);
            return -1;
        }
    return add_value(g, full, kind, shape);
}

int nod_graph_input(nod_graph *g, const char *name, nod_shape shape, bool is_int)
{
    int v = add_named(g, name, NOD_VALUE_INPUT, &shape);
    if (v >= 0) g->values[v].is_int = is_int;
    return v;
}

int nod_graph_param(nod_graph *g, const char *name, nod_shape shape, nod_init init,
                    nod_param_group group, int64_t fan_in, int64_t fan_out)
{
    int v = add_named(g, name, NOD_VALUE_PARAM, &shape);
    if (v < 0) return -1;
    nod_value *value = &g->values[v];
    value->init = init;
    value->group = group;
    value->fan_in = fan_in;
    value->fan_out = fan_out;
    return v;
}

int nod_graph_state(nod_graph *g, const char *name, nod_shape shape, double start)
{
    int v = add_named(g, name, NOD_VALUE_STATE, &shape);
    if (v >= 0)
        g->values[v].init = (nod_init){.kind = NOD_INIT_CONSTANT, .a = start, .gain = 1};
    return v;
}

void nod_graph_output(nod_graph *g, int value)
{
    if (value < 0 || g->error.code != 0) return;
    NOD_ASSERT((size_t)value < g->n_values);
    for (size_t i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == value) return;
    if (!nod_grow((void **)&g->outputs, &g->cap_outputs, g->n_outputs + 1,
                  sizeof *g->outputs)) {
        fail_memory(g);
        return;
    }
    g->outputs[g->n_outputs++] = value;
}

/* --- nodes -------------------------------------------------------------------------------- */

/* Arity, presence and kind (real or i32) of the inputs. */
static int check_inputs(nod_graph *g, const nod_op_def *def, const char *name, const int *in,
                        int n_in)
{
    if (n_in > def->n_in || n_in < (def->variadic ? 1 : 0))
        return nod_fail(&g->error, NOD_EINVAL, "layer '%s': %s takes at most %d inputs, got %d",
                        name, def->name, def->n_in, n_in);
    int n = def->variadic ? n_in : def->n_in;
    for (int i = 0; i < n; i++) {
        uint32_t bit = i < 32 ? (uint32_t)1 << i : 0;
        int v = i < n_in ? in[i] : -1;
        if (v < 0) {
            if ((def->optional & bit) != 0) continue;
            return nod_fail(&g->error, NOD_EINVAL, "layer '%s': input %d of %s is missing",
                            name, i, def->name);
        }
        NOD_ASSERT((size_t)v < g->n_values);
        bool want_int = (def->integer & bit) != 0;
        if (g->values[v].is_int != want_int)
            return nod_fail(&g->error, NOD_ESHAPE, "layer '%s': input %d of %s must be %s",
                            name, i, def->name,
                            want_int ? "integer labels" : "real numbers, not labels");
    }
    return 0;
}

/* The node and its output values, after the shape rule. */
static int make_node(nod_graph *g, const nod_op_def *def, char *name, const nod_shape_query *q)
{
    int *list = nod_arena_alloc(g->arena, sizeof *list * (size_t)NOD_MAX(q->n_in, 1));
    if (list == NULL ||
        !nod_grow((void **)&g->nodes, &g->cap_nodes, g->n_nodes + 1, sizeof *g->nodes)) {
        fail_memory(g);
        return -1;
    }
    memcpy(list, q->in, sizeof *list * (size_t)q->n_in);
    int index = (int)g->n_nodes;
    nod_node node = {.op = q->op,
                     .name = name,
                     .n_in = q->n_in,
                     .n_out = def->n_out,
                     .in = list,
                     .attr = *q->attr};
    for (int k = 0; k < NOD_NODE_OUT_MAX; k++) {
        node.out[k] = -1;
        if (k >= def->n_out || !q->has_out[k]) continue;
        char *value_name = k == 0 ? name : nod_arena_printf(g->arena, "%s:%d", name, k);
        if (value_name == NULL) fail_memory(g);
        int v = add_value(g, value_name, NOD_VALUE_NODE, &q->out[k]);
        if (v < 0) return -1;
        g->values[v].node = index;
        g->values[v].out_index = k;
        node.out[k] = v;
    }
    g->nodes[g->n_nodes++] = node;
    return index;
}

int nod_graph_append(nod_graph *g, nod_op op, const char *name, const int *in, int n_in,
                     const nod_attrs *attr)
{
    if (g->error.code != 0) return -1;
    const nod_op_def *def = nod_op_def_of(op);
    if (check_inputs(g, def, name, in, n_in) != 0) return -1;
    int list[NOD_NODE_IN_MAX];
    nod_attrs a = attr != NULL ? *attr : nod_attrs_default();
    nod_shape_query q = {.graph = g,
                         .layer = name,
                         .op = op,
                         .in = list,
                         .n_in = def->variadic ? n_in : def->n_in,
                         .attr = &a,
                         .err = &g->error};
    for (int i = 0; i < q.n_in; i++)
        list[i] = i < n_in ? in[i] : -1;
    if (def->shape(&q) != 0) return -1;
    char *kept = nod_arena_strdup(g->arena, name);
    if (kept == NULL) {
        fail_memory(g);
        return -1;
    }
    return make_node(g, def, kept, &q);
}

int nod_graph_add_node(nod_graph *g, nod_op op, const char *name, const int *in, int n_in,
                       const nod_attrs *attr)
{
    if (g->error.code != 0) return -1;
    char *full = full_name(g, name != NULL && name[0] != '\0' ? name : nod_op_name(op));
    return full == NULL ? -1 : nod_graph_append(g, op, full, in, n_in, attr);
}

int nod_graph_out(const nod_graph *g, int node, int k)
{
    if (node < 0) return -1;
    NOD_ASSERT((size_t)node < g->n_nodes && k >= 0 && k < NOD_NODE_OUT_MAX);
    return g->nodes[node].out[k];
}

/* --- copy --------------------------------------------------------------------------------- */

/* dst = copy of n items, with room for as many. */
static bool copy_array(void **dst, size_t *cap, const void *src, size_t n, size_t item)
{
    if (n == 0) return true;
    if (!nod_grow(dst, cap, n, item)) return false;
    memcpy(*dst, src, n * item);
    return true;
}

static bool copy_names(const nod_graph *src, nod_graph *dst)
{
    for (size_t i = 0; i < src->n_values; i++) {
        dst->values[i].name = nod_arena_strdup(dst->arena, src->values[i].name);
        if (dst->values[i].name == NULL) return false;
    }
    for (size_t i = 0; i < src->n_nodes; i++) {
        const nod_node *s = &src->nodes[i];
        nod_node *d = &dst->nodes[i];
        d->name = nod_arena_strdup(dst->arena, s->name);
        d->in =
            nod_arena_memdup(dst->arena, s->in, sizeof *s->in * (size_t)NOD_MAX(s->n_in, 1));
        if (d->name == NULL || d->in == NULL) return false;
    }
    return true;
}

int nod_graph_copy(const nod_graph *g, nod_graph **out, nod_error *err)
{
    nod_graph *c;
    int rc = nod_graph_new(&c, err);
    if (rc != 0) return rc;
    bool ok =
        copy_array((void **)&c->values, &c->cap_values, g->values, g->n_values,
                   sizeof *g->values) &&
        copy_array((void **)&c->nodes, &c->cap_nodes, g->nodes, g->n_nodes, sizeof *g->nodes) &&
        copy_array((void **)&c->outputs, &c->cap_outputs, g->outputs, g->n_outputs,
                   sizeof *g->outputs) &&
        copy_array((void **)&c->scope_start, &c->cap_scopes, g->scope_start, g->n_scopes,
                   sizeof *g->scope_start);
    if (ok && g->scope.len > 0) {
        nod_strbuf_addn(&c->scope, g->scope.data, g->scope.len);
        ok = !c->scope.failed;
    }
    ok = ok && copy_names(g, c);
    if (!ok) {
        nod_graph_free(c);
        return nod_fail(err, NOD_ENOMEM, "out of memory: copying a graph of %zu nodes",
                        g->n_nodes);
    }
    c->n_values = g->n_values;
    c->n_nodes = g->n_nodes;
    c->n_outputs = g->n_outputs;
    c->n_scopes = g->n_scopes;
    c->next_stream = g->next_stream;
    c->error = g->error;
    *out = c;
    return 0;
}
