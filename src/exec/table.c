/* table.c: which kernel for which node: a sorted list of key and name. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

typedef struct entry {
    char *key, *kernel;
} entry;

struct nod_kernel_table {
    entry *entries; /* by key */
    size_t n, cap;
};

int nod_kernel_table_new(nod_kernel_table **out, nod_error *err)
{
    nod_kernel_table *t = nod_calloc(1, sizeof *t);
    if (!t) return nod_fail_memory(err, "kernel table", sizeof *t);
    *out = t;
    return 0;
}

void nod_kernel_table_free(nod_kernel_table *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n; i++) {
        nod_free(t->entries[i].key);
        nod_free(t->entries[i].kernel);
    }
    nod_free(t->entries);
    nod_free(t);
}

/* Index of the key, or where it belongs. */
static size_t search(const nod_kernel_table *t, const char *key, bool *found)
{
    size_t lo = 0, hi = t->n;
    *found = false;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(t->entries[mid].key, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int nod_kernel_table_set(nod_kernel_table *t, const char *key, const char *kernel,
                         nod_error *err)
{
    bool found;
    size_t at = search(t, key, &found);
    char *copy = nod_strdup(kernel);
    if (!copy) return nod_fail_memory(err, "kernel table", strlen(kernel));
    if (found) {
        nod_free(t->entries[at].kernel);
        t->entries[at].kernel = copy;
        return 0;
    }
    char *name = nod_strdup(key);
    if (!name || !nod_grow((void **)&t->entries, &t->cap, t->n + 1, sizeof *t->entries)) {
        nod_free(copy);
        nod_free(name);
        return nod_fail_memory(err, "kernel table", strlen(key));
    }
    memmove(t->entries + at + 1, t->entries + at, (t->n - at) * sizeof *t->entries);
    t->entries[at] = (entry){name, copy};
    t->n++;
    return 0;
}

const char *nod_kernel_table_get(const nod_kernel_table *t, const char *key)
{
    bool found = false;
    size_t at = t ? search(t, key, &found) : 0;
    return found ? t->entries[at].kernel : NULL;
}

int nod_kernel_table_add(nod_kernel_table *t, const nod_kernel_table *from, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; from != NULL && i < from->n && rc == 0; i++)
        rc = nod_kernel_table_set(t, from->entries[i].key, from->entries[i].kernel, err);
    return rc;
}

size_t nod_kernel_table_count(const nod_kernel_table *t)
{
    return t->n;
}

int nod_kernel_table_from_json(const nod_json *j, const char *where, nod_kernel_table **out,
                               nod_error *err)
{
    nod_kernel_table *t = NULL;
    int rc = nod_kernel_table_new(&t, err);
    if (rc) return rc;
    if (!nod_json_is_object(j))
        rc = nod_fail(err, NOD_EFORMAT, "%s: a kernel table is an object of names", where);
    for (const char *key = NULL; !rc && (key = nod_json_next_key(j, key)) != NULL;) {
        const nod_json *v = nod_json_get(j, key);
        if (!nod_json_is_string(v))
            rc = nod_fail(err, NOD_EFORMAT, "%s: kernel of '%s' is not a name", where, key);
        else
            rc = nod_kernel_table_set(t, key, nod_json_str(v), err);
    }
    if (rc)
        nod_kernel_table_free(t);
    else
        *out = t;
    return rc;
}

nod_json *nod_kernel_table_to_json(const nod_kernel_table *t)
{
    nod_json *j = nod_json_object();
    for (size_t i = 0; i < t->n; i++)
        nod_json_set_str(j, t->entries[i].key, t->entries[i].kernel);
    return j;
}

/* --- keys --------------------------------------------------------------------------------- */

const char *nod_precision_name(nod_precision precision)
{
    static const char *const names[] = {"f32", "f64", "bf16"};
    NOD_ASSERT((size_t)precision < NOD_COUNT(names));
    return names[precision];
}

static void add_dims(nod_strbuf *b, const char *name, const int64_t *v, int n)
{
    nod_strbuf_printf(b, "/%s", name);
    for (int i = 0; i < n; i++)
        nod_strbuf_printf(b, "%s%lld", i > 0 ? "," : "", (long long)v[i]);
}

/* Left out where every entry is `neutral`. */
static void add_attr(nod_strbuf *b, const char *name, const int64_t *v, int n, int64_t neutral)
{
    bool plain = true;
    for (int i = 0; i < n; i++)
        plain = plain && v[i] == neutral;
    if (!plain) add_dims(b, name, v, n);
}

static bool is_windowed(nod_op op)
{
    return op == NOD_OP_CONV || op == NOD_OP_CONV_T || op == NOD_OP_CONV_BWD_DATA ||
           op == NOD_OP_CONV_BWD_WEIGHTS || op == NOD_OP_POOL_MAX || op == NOD_OP_POOL_AVG ||
           op == NOD_OP_POOL_MAX_BWD || op == NOD_OP_POOL_AVG_BWD;
}

static void add_window(nod_strbuf *b, const nod_attrs *a)
{
    add_dims(b, "k", a->kernel, 3);
    add_dims(b, "s", a->stride, 3);
    add_dims(b, "p", a->pad_lo, 3);
    if (memcmp(a->pad_lo, a->pad_hi, sizeof a->pad_lo) != 0) add_dims(b, "q", a->pad_hi, 3);
    add_attr(b, "d", a->dilation, 3, 1);
    add_attr(b, "o", a->out_pad, 3, 0);
}

/* "x" and "w" for what convolutions and dense layers call so, i0, i1 ... otherwise. A gradient
 * is named by the shapes of its forward op, so that x is the input there too. */
static void add_shapes(nod_strbuf *b, const nod_graph *g, const nod_node *n)
{
    const nod_shape *x = NULL, *w = NULL;
    if (n->op == NOD_OP_CONV_BWD_DATA) {
        x = &n->attr.shape;
        w = nod_graph_shape(g, n->in[1]);
    } else if (n->op == NOD_OP_CONV_BWD_WEIGHTS) {
        x = nod_graph_shape(g, n->in[0]);
        w = &n->attr.shape;
    } else if (n->op == NOD_OP_CONV || n->op == NOD_OP_CONV_T || n->op == NOD_OP_DENSE) {
        x = nod_graph_shape(g, n->in[0]);
        w = nod_graph_shape(g, n->in[1]);
    }
    if (x != NULL) {
        add_dims(b, "x", x->dim, x->rank);
        add_dims(b, "w", w->dim, w->rank);
        if (n->n_in > 2 && n->in[2] >= 0) nod_strbuf_add(b, "/bias");
        return;
    }
    for (int i = 0; i < n->n_in; i++) {
        char name[16];
        if (n->in[i] < 0) continue;
        snprintf(name, sizeof name, "i%d:", i);
        add_dims(b, name, nod_graph_shape(g, n->in[i])->dim,
                 nod_graph_shape(g, n->in[i])->rank);
    }
    if (n->attr.shape.rank > 0) add_dims(b, "to", n->attr.shape.dim, n->attr.shape.rank);
}

static void add_prefix(const nod_plan *p, nod_strbuf *out)
{
    nod_strbuf_clear(out);
    nod_strbuf_printf(out, "%s/%s", p->options.backend->isa(),
                      nod_precision_name(p->options.precision));
}

void nod_plan_key(const nod_plan *p, const nod_node *n, nod_strbuf *out)
{
    const nod_attrs *a = &n->attr;
    add_prefix(p, out);
    nod_strbuf_printf(out, "/%s", nod_op_name(n->op));
    add_shapes(out, p->graph, n);
    if (is_windowed(n->op)) add_window(out, a);
    add_attr(out, "g", &a->groups, 1, is_windowed(n->op) ? 0 : 1);
    add_attr(out, "scale", a->scale, 3, 1);
    add_attr(out, "lo", a->lo, NOD_RANK_MAX, 0);
    add_attr(out, "hi", a->hi, NOD_RANK_MAX, 0);
    if (a->act != NOD_ACT_IDENTITY) nod_strbuf_printf(out, "/%s", nod_act_name(a->act));
    if (a->bias) nod_strbuf_add(out, "/bias");
    if (a->residual) nod_strbuf_add(out, "/residual");
    if (a->per_channel) nod_strbuf_add(out, "/channel");
    if (a->include_pad) nod_strbuf_add(out, "/include_pad");
    if (p->options.frozen) nod_strbuf_add(out, "/frozen");
}

void nod_plan_layout_key(const nod_plan *p, nod_strbuf *out)
{
    add_prefix(p, out);
    nod_strbuf_add(out, "/layout");
}

/* --- precision ---------------------------------------------------------------------------- */

static void precision_key(const nod_backend *backend, char key[64])
{
    snprintf(key, 64, "%s/precision", backend->isa());
}

/* The rule, where the table has no word on it: bf16 where the processor multiplies it. On Zen 4 it
 * takes a sixth off a step of ResNet-18 in 2-D and 3-D, and a quarter of the memory; small networks gain
 * nothing, and lose nothing. */
nod_precision nod_precision_auto(const nod_backend *backend, const nod_kernel_table *table)
{
    char key[64];
    precision_key(backend, key);
    const char *name = nod_kernel_table_get(table, key);
    bool bf16 = name != NULL ? strcmp(name, nod_precision_name(NOD_PRECISION_BF16)) == 0
                             : strcmp(backend->isa(), "avx512_bf16") == 0 ||
                                   strcmp(backend->isa(), "amx") == 0;
    return bf16 && backend->has_precision(NOD_PRECISION_BF16) ? NOD_PRECISION_BF16
                                                              : NOD_PRECISION_F32;
}

int nod_precision_settle(nod_kernel_table *t, const nod_backend *backend, nod_precision p,
                         nod_error *err)
{
    char key[64];
    precision_key(backend, key);
    return nod_kernel_table_set(t, key, nod_precision_name(p), err);
}
