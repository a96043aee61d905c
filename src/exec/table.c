/* table.c: which kernel for which node: a sorted list of key and name. */
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

int nod_kernel_table_from_json(const nod_json *j, const char *where, nod_kernel_table **out,
                               nod_error *err)
{
    nod_kernel_table *t = NULL;
    int rc = nod_kernel_table_new(&t, err);
    if (rc) return rc;
    if (!nod_json_is_object(j))
        rc = nod_fail(err, NOD_EFORMAT, "%s: a kernel table is an object of names", where);
    for (size_t i = 0; !rc && i < nod_json_count(j); i++) {
        const char *key = nod_json_key(j, i);
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

/* --- keys ------------------------------------------------------------------------------------- */

static void add_dims(nod_strbuf *b, const char *name, const int64_t *v, int n)
{
    nod_strbuf_printf(b, "/%s", name);
    for (int i = 0; i < n; i++)
        nod_strbuf_printf(b, "%s%lld", i ? "," : "", (long long)v[i]);
}

void nod_plan_key(const nod_plan *p, const nod_node *n, nod_strbuf *out)
{
    static const char *const precisions[] = {"f32", "f64", "bf16"};
    const nod_attrs *a = &n->attr;
    nod_strbuf_clear(out);
    nod_strbuf_printf(out, "%s/%s/%s", p->options.backend->isa(),
                      precisions[p->options.precision], nod_op_name(n->op));
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] < 0) continue;
        const nod_shape *s = &p->graph->values[n->in[i]].shape;
        add_dims(out, i == 0 ? "x" : "", s->dim, s->rank);
    }
    switch (n->op) {
    case NOD_OP_CONV:
    case NOD_OP_CONV_T:
    case NOD_OP_CONV_BWD_DATA:
    case NOD_OP_CONV_BWD_WEIGHTS:
    case NOD_OP_POOL_MAX:
    case NOD_OP_POOL_AVG:
    case NOD_OP_POOL_MAX_BWD:
    case NOD_OP_POOL_AVG_BWD:
        add_dims(out, "k", a->kernel, 3);
        add_dims(out, "s", a->stride, 3);
        add_dims(out, "p", a->pad_lo, 3);
        add_dims(out, "q", a->pad_hi, 3);
        add_dims(out, "d", a->dilation, 3);
        nod_strbuf_printf(out, "/g%lld", (long long)a->groups);
        break;
    default:
        break;
    }
    if (a->act != NOD_ACT_IDENTITY) nod_strbuf_printf(out, "/%s", nod_act_name(a->act));
}
