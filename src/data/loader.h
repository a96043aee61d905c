/* loader.h: batches in the order of a sampler, put together by threads ahead of the trainer.
 *
 * Batches come out in order, the same for any number of threads; at most `ahead` wait. They run
 * over the end of an epoch into the next, so that no epoch begins cold. One consumer. */
#ifndef NOD_DATA_LOADER_H
#define NOD_DATA_LOADER_H

#include "data/examples.h"
#include "data/sampler.h"

/* From the preprocessed image of a case to what the batch holds of it in this epoch: a window, a
 * turned image. Depends on its arguments alone (random numbers: Philox keyed by epoch and case), so
 * that a resumed training sees the same; safe from any number of threads. */
typedef int (*nod_loader_transform)(const void *ctx, int64_t epoch, int64_t i_case,
                                    const float *image, float *dst, nod_error *err);

typedef struct nod_loader_options {
    int threads;          /* 0 to 16; default 1; 0: nod_loader_next fills its batch itself */
    int ahead;            /* batches held ready, 1 to 64; default 4; without threads one */
    int64_t epoch, batch; /* first to come: where a resumed training stands */
    int64_t epochs;       /* the stream ends before this epoch; 0: it has no end */
    int64_t image_size;   /* floats of an image */
    int64_t n_labels;     /* numbers a case; default 1 */
    nod_loader_transform transform; /* NULL: images as they are */
    const void *transform_ctx;
    int64_t out_size; /* floats that the transform writes for a case */
} nod_loader_options;
#define NOD_LOADER_OPTIONS_INIT                 \
    {                                           \
        .threads = 1, .ahead = 4, .n_labels = 1 \
    }

/* Memory is the loader's and valid until the next call of nod_loader_next. */
typedef struct nod_batch {
    int64_t epoch, i;     /* batch i of the epoch */
    int64_t n;            /* cases; fewer than B only in an incomplete last batch */
    float *images;        /* [B][image_size or out_size], aligned; zero beyond n */
    int32_t *labels;      /* [B], or [B][n_labels]; zero beyond n */
    const int64_t *cases; /* [B] position among the examples; -1 beyond n */
} nod_batch;

typedef struct nod_loader nod_loader;

/* Examples and sampler are borrowed and must live and stay unchanged as long. */
int nod_loader_open(const nod_examples *e, const nod_sampler *s, const nod_loader_options *o,
                    nod_loader **out, nod_error *err) NOD_MUST_CHECK;
void nod_loader_close(nod_loader *l); /* stops the threads */
/* The next batch, waiting for it; *out NULL at the end of the stream. Errors are those of fetch
 * and transform; a failed batch is passed over by the next call. */
int nod_loader_next(nod_loader *l, const nod_batch **out, nod_error *err) NOD_MUST_CHECK;
/* Seconds that the consumer has spent in nod_loader_next so far. */
double nod_loader_waited_s(const nod_loader *l);

#endif
