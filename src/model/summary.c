/* summary.c: the network layer by layer, counted on the graph that is really run. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/network.h"

/* Batch norm in training needs more than one value per channel, which a network that reduces its
 * input to one pixel has from two images on: it is built for two, and the figures halved. */
#define BATCH 2

/* Of one image. */
typedef struct row {
    const char *layer, *kind;
    nod_shape shape;
    int64_t weights, biases, macs, memory;
} row;

/* Parameters that this node reads: into weights (and norm scales, slopes) or biases. */
static void count_params(const nod_graph *g, const nod_node *n, row *r)
{
    for (int k = 0; k < n->n_in; k++) {
        if (n->in[k] < 0 || g->values[n->in[k]].kind != NOD_VALUE_PARAM) continue;
        const nod_value *v = &g->values[n->in[k]];
        size_t len = strlen(v->name);
        bool bias = len >= 5 && strcmp(v->name + len - 5, ".bias") == 0;
        *(bias ? &r->biases : &r->weights) += nod_shape_count(&v->shape);
    }
}

static row row_of(const nod_graph *g, const nod_node *n)
{
    row r = {.layer = n->name, .kind = nod_op_name(n->op), .macs = nod_node_macs(g, n) / BATCH};
    r.shape = g->values[n->out[0]].shape;
    r.memory = nod_shape_count(&r.shape) / BATCH * (int64_t)sizeof(float);
    count_params(g, n, &r);
    return r;
}

static const char *shape_text(const nod_shape *s, char *out, size_t size)
{
    nod_shape one = {.rank = s->rank - 1};
    for (int i = 1; i < s->rank; i++)
        one.dim[i - 1] = s->dim[i];
    return nod_shape_text(&one, out, size);
}

/* 12168 -> "12 168" */
static const char *grouped(int64_t v, char *out)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)v), k = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[k++] = ' ';
        out[k++] = digits[i];
    }
    out[k] = 0;
    return out;
}

static void add_row(nod_strbuf *b, nod_json *list, const row *r)
{
    char shape[128], w[48], bi[48], m[48], mem[32];
    shape_text(&r->shape, shape, sizeof shape);
    nod_format_bytes((double)r->memory, mem, sizeof mem);
    nod_strbuf_printf(b, "%-38s %-18s %-22s %12s %8s %15s %10s\n", r->layer, r->kind, shape,
                      grouped(r->weights, w), grouped(r->biases, bi), grouped(r->macs, m), mem);
    nod_json *j = nod_json_object(), *dims = nod_json_array();
    for (int i = 1; i < r->shape.rank; i++)
        nod_json_push(dims, nod_json_int(r->shape.dim[i]));
    nod_json_set_str(j, "layer", r->layer);
    nod_json_set_str(j, "kind", r->kind);
    nod_json_set(j, "shape", dims);
    nod_json_set_int(j, "weights", r->weights);
    nod_json_set_int(j, "biases", r->biases);
    nod_json_set_int(j, "multiply_adds", r->macs);
    nod_json_set_int(j, "memory_bytes", r->memory);
    nod_json_push(list, j);
}

static void add_totals(nod_strbuf *b, nod_json *out, const row *t)
{
    char w[48], m[48], mem[32];
    nod_format_bytes((double)t->memory, mem, sizeof mem);
    nod_strbuf_printf(b, "\nweights       %s\n", grouped(t->weights, w));
    nod_strbuf_printf(b, "biases        %s\n", grouped(t->biases, w));
    nod_strbuf_printf(b, "parameters    %s\n", grouped(t->weights + t->biases, w));
    nod_strbuf_printf(b, "multiply-adds %s for one image\n", grouped(t->macs, m));
    nod_strbuf_printf(b, "activations   %s for one image\n", mem);
    nod_json_set_int(out, "weights", t->weights);
    nod_json_set_int(out, "biases", t->biases);
    nod_json_set_int(out, "parameters", t->weights + t->biases);
    nod_json_set_int(out, "multiply_adds", t->macs);
    nod_json_set_int(out, "activation_bytes", t->memory);
}

int nod_network_summary(const nod_network *n, const nod_network_io *io, nod_strbuf *text,
                        nod_json **json, nod_error *err)
{
    int rc = 0, image, logits;
    nod_graph *g = NULL;
    nod_json *out = nod_json_object(), *list = nod_json_array();
    row total = {0};
    NOD_TRY(nod_graph_new(&g, err));
    NOD_TRY(nod_network_build(n, io, BATCH, true, g, &image, &logits, err));
    nod_strbuf_printf(text, "%-38s %-18s %-22s %12s %8s %15s %10s\n", "layer", "kind", "output",
                      "weights", "biases", "multiply-adds", "memory");
    char shape[128];
    nod_strbuf_printf(text, "%-38s %-18s %s\n", "image", "input",
                      shape_text(nod_graph_shape(g, image), shape, sizeof shape));
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].op == NOD_OP_BATCH_NORM_TRACK || g->nodes[i].op == NOD_OP_RESHAPE)
            continue;
        row r = row_of(g, &g->nodes[i]);
        add_row(text, list, &r);
        total.weights += r.weights;
        total.biases += r.biases;
        if (__builtin_add_overflow(total.macs, r.macs, &total.macs)) total.macs = INT64_MAX;
        total.memory += r.memory;
    }
    nod_json_set_str(out, "network", nod_network_name(n));
    nod_json_set(out, "layers", list);
    list = NULL;
    add_totals(text, out, &total);
    if (json) {
        *json = out;
        out = NULL;
    }
out:
    nod_json_free(list);
    nod_json_free(out);
    nod_graph_free(g);
    return rc;
}
