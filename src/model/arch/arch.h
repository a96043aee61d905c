/* arch.h: what the architectures share: one table row each, the common style, and the small
 * blocks (convolution, norm, activation) that they are made of. Inside src/model only. */
#ifndef NOD_MODEL_ARCH_ARCH_H
#define NOD_MODEL_ARCH_ARCH_H

#include "base/spec.h"
#include "model/network.h"

#define NOD_ARCH_STAGES_MAX 16

typedef enum nod_norm_kind {
    NOD_NORM_BATCH,
    NOD_NORM_INSTANCE,
    NOD_NORM_GROUP,
    NOD_NORM_LAYER,
    NOD_NORM_NONE
} nod_norm_kind;

/* Keys that every architecture understands. */
typedef struct nod_style {
    nod_act act;
    double alpha;
    nod_norm_kind norm;
    int64_t norm_groups;
    double eps, momentum;
    nod_init init;     /* convolutions and hidden dense layers */
    bool init_is_auto; /* He normal with the gain of the activation */
    double dropout;
} nod_style;

typedef struct nod_arch nod_arch;

struct nod_network {
    const nod_arch *arch;
    nod_json *spec; /* completed */
    nod_style style;
    int64_t stages[NOD_ARCH_STAGES_MAX]; /* hidden units or channels */
    size_t n_stages;
    int64_t head[NOD_ARCH_STAGES_MAX];
    size_t n_head;
    int64_t width, repeat;
    int stem; /* 0 small, 1 imagenet */
    bool bias, zero_init_residual;
    bool max_pool; /* over the plane, before the head; else the average */
};

/* One build in progress. */
typedef struct nod_builder {
    const nod_network *net;
    const nod_network_io *io;
    nod_graph *g;
    bool training;
} nod_builder;

struct nod_arch {
    const char *name;
    const char *norm; /* the norm it uses where the description names none */
    /* Reads the keys of its own; the common ones are read already. */
    void (*parse)(nod_network *n, nod_spec *s);
    /* From the image value to the logits value; shape errors stay in the graph. */
    int (*build)(const nod_builder *b, int image, nod_error *err);
};

extern const nod_arch nod_arch_mlp, nod_arch_cnn, nod_arch_resnet18, nod_arch_resnet34,
    nod_arch_resnet50, nod_arch_densenet121, nod_arch_layers;

/* --- blocks (blocks.c) -------------------------------------------------------------------- */
/* Reads the common keys; `norm` is the default of the key norm. */
void nod_style_parse(nod_style *style, nod_spec *s, const char *norm);
nod_init nod_style_init(const nod_style *style);
/* Cubic kernel of side k, padding k/2, no bias. */
int nod_block_conv(const nod_builder *b, const char *name, int x, int64_t channels, int64_t k,
                   int64_t stride, bool bias);
int nod_block_norm(const nod_builder *b, const char *name, int x);
int nod_block_act(const nod_builder *b, const char *name, int x);
int nod_block_dropout(const nod_builder *b, const char *name, int x);
/* Square or cubic pooling window. */
int nod_block_pool(const nod_builder *b, const char *name, int x, bool max, int64_t k,
                   int64_t stride, int64_t pad);
/* The last dense layer: units = io->n_outputs, PyTorch's default initialisation. */
int nod_block_head(const nod_builder *b, const char *name, int x, bool bias);

#endif
