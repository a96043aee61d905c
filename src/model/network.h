/* network.h: architectures by name or as a list of layers, from a JSON description to a graph.
 *
 * The description is the recipe's `network:` block, complete with every default; it is stored
 * in the model file, and is all that is needed to build the graph again for any batch size. */
#ifndef NOD_MODEL_NETWORK_H
#define NOD_MODEL_NETWORK_H

#include "base/json.h"
#include "graph/graph.h"

typedef struct nod_network nod_network;

/* What the network is fed and what it answers. */
typedef struct nod_network_io {
    int64_t channels;
    int nd;            /* 2 or 3 */
    int64_t size[3];   /* D,H,W; D = 1 for 2-D */
    int64_t n_outputs; /* logits */
} nod_network_io;

/* Parses and completes a description. Keys are strict; an error's message begins with the key's
 * path ("network.layers[2].units: ..."), so that the recipe can add line and column. */
int nod_network_from_json(const nod_json *spec, nod_network **out,
                          nod_error *err) NOD_MUST_CHECK;
void nod_network_free(nod_network *n);
/* The completed description, every default rendered; the caller frees it. */
nod_json *nod_network_to_json(const nod_network *n);
const char *nod_network_name(const nod_network *n); /* "resnet18" ... */

/* Builds input "image" [batch,C,(D,)H,W] up to the logits [batch, n_outputs]. `training` sets
 * dropout and batch statistics. Errors name the layer and both shapes (ESHAPE). */
int nod_network_build(const nod_network *n, const nod_network_io *io, int64_t batch,
                      bool training, nod_graph *g, int *image, int *logits,
                      nod_error *err) NOD_MUST_CHECK;

/* Names of the architectures, NULL-terminated, for messages and help. */
const char *const *nod_network_names(void);

/* Layer by layer: name, kind, output shape, weights, biases, multiply-adds and activation
 * memory for one image; totals last. As text for a terminal, or JSON. */
int nod_network_summary(const nod_network *n, const nod_network_io *io, nod_strbuf *text,
                        nod_json **json, nod_error *err) NOD_MUST_CHECK;

#endif
