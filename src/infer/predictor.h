/* predictor.h: from images in memory to one row of logits per image, whole or by patches.
 *
 * With patches the network sees windows of the image on a regular grid (the last window of an
 * axis is moved back to the border); their scores are aggregated per class: log-probabilities
 * of a softmax answer, logits of a multi-label one. */
#ifndef NOD_INFER_PREDICTOR_H
#define NOD_INFER_PREDICTOR_H

#include "model/model.h"

typedef enum nod_aggregate {
    NOD_AGGREGATE_MEAN,
    NOD_AGGREGATE_MAX,
    NOD_AGGREGATE_TOP_K
} nod_aggregate;

typedef struct nod_patching {
    int64_t image[3]; /* D,H,W of an image */
    int64_t size[3];  /* of a window; 0: the whole image */
    int64_t stride[3];
    nod_aggregate how;
    int64_t k;       /* top_k: mean of the k highest */
    bool multilabel; /* aggregate logits, not log-probabilities */
} nod_patching;

/* Windows per image; 1 for whole images. */
int64_t nod_patching_count(const nod_patching *p);
/* Origin D,H,W of window i. */
void nod_patching_origin(const nod_patching *p, int64_t i, int64_t origin[3]);
/* Copies one window of `channels` planes out of an image [C,D,H,W]. */
void nod_patching_cut(const nod_patching *p, int64_t channels, const float *image,
                      const int64_t origin[3], float *dst);
/* Checks that windows fit the image and the network's input. */
int nod_patching_check(const nod_patching *p, const nod_network_io *io,
                       nod_error *err) NOD_MUST_CHECK;

typedef struct nod_predictor nod_predictor;

/* `batch` windows per run. The model is borrowed and must live as long. */
int nod_predictor_new(const nod_model *m, const nod_patching *p, int64_t batch,
                      const nod_plan_options *o, nod_predictor **out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_predictor_free(nod_predictor *p);
/* images [n][C,D,H,W] of patching.image's size; logits [n][n_outputs]. */
int nod_predictor_run(nod_predictor *p, const float *images, int64_t n, float *logits,
                      nod_error *err) NOD_MUST_CHECK;
/* The model's parameters changed. */
void nod_predictor_refresh(nod_predictor *p);
nod_plan_memory nod_predictor_memory(const nod_predictor *p);
const nod_plan *nod_predictor_plan(const nod_predictor *p);
/* Times each step of the plan over `runs` runs on the last windows. */
int nod_predictor_profile(nod_predictor *p, int runs, nod_error *err) NOD_MUST_CHECK;

#endif
