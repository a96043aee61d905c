/* op_graph.h: a case as a graph that can be run and differentiated:
 *
 *   inputs -> node -> y;  loss = mean((y - target)^2), or, where the node is a loss itself,
 *   1.7 * y (so that a gradient that forgets dloss is seen);  then d loss / d input.
 *
 * The mean squared error gives every element of y a gradient of its own. */
#ifndef NOD_TESTS_OPS_OP_GRAPH_H
#define NOD_TESTS_OPS_OP_GRAPH_H

#include "backend/backend.h"
#include "ops/cases.h"

typedef struct op_graph {
    nod_graph *graph;
    int node;                 /* of the case */
    int in[OP_CASE_IN_MAX];   /* values; -1 absent */
    int target;               /* value, -1 for losses */
    int y, loss;              /* values */
    int grad[OP_CASE_IN_MAX]; /* values; -1 where none is wanted */
} op_graph;

/* Without `backward` grad[] is -1. loss and gradients (and y) are marked as outputs. */
int op_graph_build(const op_case *c, bool backward, op_graph *out, nod_error *err);
void op_graph_done(op_graph *g);

/* The numbers of every input, target and label, by value id: f64, or f32, labels i32. */
typedef struct op_data {
    void **of; /* [n_values], NULL where the graph computes it */
    size_t n;
} op_data;
void op_data_init(op_data *d, const op_graph *g, const op_case *c, nod_precision p);
void op_data_done(op_data *d);

#endif
