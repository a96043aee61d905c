/* cost.c: multiply-adds of a node, from its op's row. */
#include "graph/op_def.h"

int64_t nod_cost_product(int64_t a, int64_t b)
{
    int64_t p;
    return __builtin_mul_overflow(a, b, &p) ? INT64_MAX : p;
}

int64_t nod_node_macs(const nod_graph *g, const nod_node *n)
{
    const nod_op_def *def = nod_op_def_of(n->op);
    return def->macs == NULL ? 0 : def->macs(g, n);
}
