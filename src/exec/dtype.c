/* dtype.c: how each value of a plan is stored.
 *
 * Everything is f32 or f64, but in a bf16 plan, where activations and their gradients are bf16
 * and everything that is summed over many terms or crosses the plan's border stays f32: see
 * nod_kernel_query in backend.h. */
#include "base/memory.h"
#include "exec/plan_internal.h"

/* Outputs that stay f32 in a bf16 plan: bit k for output k. */
static uint32_t f32_outputs(nod_op op)
{
    switch (op) {
    case NOD_OP_BATCH_NORM:
    case NOD_OP_GROUP_NORM:
    case NOD_OP_BATCH_NORM_BWD:
    case NOD_OP_GROUP_NORM_BWD:
        return 0x6; /* statistics; gradients of gamma and beta */
    case NOD_OP_PRELU_BWD:
        return 0x2;
    case NOD_OP_DENSE_BWD_WEIGHTS:
    case NOD_OP_CONV_BWD_WEIGHTS:
    case NOD_OP_BIAS_BWD:
    case NOD_OP_FOLD_NORM_WEIGHTS:
    case NOD_OP_FOLD_NORM_BIAS:
        return 0xf;
    default:
        return 0;
    }
}

/* Ops that pass values on: the result is f32 where all inputs are (an image that is padded, two
 * weight gradients that are added). */
static bool passes_on(nod_op op)
{
    return op == NOD_OP_ADD || op == NOD_OP_MUL || op == NOD_OP_SCALE || op == NOD_OP_PAD ||
           op == NOD_OP_CROP || op == NOD_OP_CONCAT;
}

static nod_dtype bf16_plan_output(const nod_plan *p, const nod_node *n, int k)
{
    const nod_value *v = &p->graph->values[n->out[k]];
    if (v->shape.rank < 4 || (f32_outputs(n->op) >> k & 1) != 0) return NOD_DTYPE_F32;
    if (!passes_on(n->op)) return NOD_DTYPE_BF16;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && p->dtype[n->in[i]] == NOD_DTYPE_BF16) return NOD_DTYPE_BF16;
    return NOD_DTYPE_F32;
}

int nod_plan_find_dtypes(nod_plan *p, nod_error *err)
{
    const nod_graph *g = p->graph;
    bool bf16 = p->options.precision == NOD_PRECISION_BF16;
    nod_dtype real = p->options.precision == NOD_PRECISION_F64 ? NOD_DTYPE_F64 : NOD_DTYPE_F32;
    p->dtype = nod_calloc(g->n_values + 1, sizeof *p->dtype);
    if (p->dtype == NULL) return nod_fail_memory(err, "a plan", g->n_values);
    for (size_t i = 0; i < g->n_values; i++)
        p->dtype[i] = g->values[i].is_int ? NOD_DTYPE_I32 : real;
    for (size_t i = 0; bf16 && i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_out; k++)
            if (g->nodes[i].out[k] >= 0)
                p->dtype[g->nodes[i].out[k]] = bf16_plan_output(p, &g->nodes[i], k);
    for (size_t i = 0; i < g->n_outputs; i++)
        if (p->dtype[g->outputs[i]] == NOD_DTYPE_BF16) p->dtype[g->outputs[i]] = NOD_DTYPE_F32;
    return 0;
}
