/* cost.c: multiply-adds of a node, from its op's row. */
#include "graph/op_def.h"

int64_t nod_node_macs(const nod_graph *g, const nod_node *n)
{
    const nod_op_def *def = nod_op_def_of(n->op);
    return def->macs == NULL ? 0 : def->macs(g, n);
}
