/* node.h: one node of a network on one image: its inputs times its weights, their sum, the activation,
 * and the gradient of the error with respect to each weight: the seed's Figure 3 in numbers. */
#ifndef NOD_EXPLAIN_NODE_H
#define NOD_EXPLAIN_NODE_H

#include "model/model.h"

typedef struct nod_node_request {
    const char
        *layer;    /* "hidden1", "layer1.0.conv1", "output" ...: a dense or convolution layer */
    int64_t unit;  /* node or channel, from 0 */
    int64_t truth; /* class that the error is measured against; -1: no gradients */
    int64_t most;  /* terms to list, largest contributions first; 0: all */
} nod_node_request;

/* `image` [C,(D,)H,W] as the network takes it (a whole image or one patch). Of a convolution the
 * position with the largest sum is taken. Text table and JSON. Errors: EINVAL names the layers there
 * are. */
int nod_explain_node(const nod_model *m, const float *image, const nod_node_request *q,
                     nod_strbuf *text, nod_json **json, nod_error *err) NOD_MUST_CHECK;

#endif
