/* loader.h: threads that put batches together ahead of the trainer.
 *
 * Batches come out in order, the same for any number of threads; at most `ahead` wait. They run
 * over the end of an epoch into the next, so that no epoch begins cold. One consumer. */
#ifndef NOD_DATA_LOADER_H
#define NOD_DATA_LOADER_H

#include "data/dataset.h"
#include "data/sampler.h"

typedef struct nod_loader_options {
    int threads;          /* 1 to 16; default 1 */
    int ahead;            /* batches held ready, 1 to 64; default 4 */
    int64_t epoch, batch; /* first to come: where a resumed training stands */
    int64_t epochs;       /* the stream ends before this epoch */
} nod_loader_options;
#define NOD_LOADER_OPTIONS_INIT  \
    {                            \
        .threads = 1, .ahead = 4 \
    }

/* Memory is the loader's and valid until the next call of nod_loader_next. */
typedef struct nod_batch {
    int64_t epoch, i;      /* batch i of the epoch */
    int64_t n;             /* cases; fewer than B only in an incomplete last batch */
    nod_tensor images;     /* f32 [B,C,(D,)H,W]; zero beyond n */
    const int32_t *labels; /* [B], or [B][n_classes]; zero beyond n */
    const int64_t *cases;  /* [B] position in the dataset; -1 beyond n */
} nod_batch;

typedef struct nod_loader nod_loader;

/* Dataset and sampler are borrowed and must live and stay unchanged as long. */
int nod_loader_open(const nod_dataset *d, const nod_sampler *s, const nod_loader_options *o,
                    nod_loader **out, nod_error *err) NOD_MUST_CHECK;
void nod_loader_close(nod_loader *l); /* stops the threads */
/* The next batch, waiting for it; *out NULL at the end of the stream. */
int nod_loader_next(nod_loader *l, const nod_batch **out, nod_error *err) NOD_MUST_CHECK;

#endif
