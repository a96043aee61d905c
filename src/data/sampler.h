/* sampler.h: the order in which an epoch visits the cases.
 *
 * An order depends on (seed, epoch) alone (Philox NOD_RNG_ORDER), never on threads or time, so
 * that a resumed training continues with it. */
#ifndef NOD_DATA_SAMPLER_H
#define NOD_DATA_SAMPLER_H

#include "data/labels.h"

typedef enum nod_sampling {
    NOD_SAMPLING_SHUFFLED,
    NOD_SAMPLING_BALANCED, /* each class equally often: rare cases repeat, common ones rest */
    NOD_SAMPLING_SEQUENTIAL
} nod_sampling;

typedef struct nod_sampler_options {
    nod_sampling kind;
    uint64_t seed;
    int64_t batch;  /* cases a batch, at least 1 */
    bool drop_last; /* leave out an incomplete last batch; default: keep it */
} nod_sampler_options;

typedef struct nod_sampler nod_sampler;

/* Labels are read now and not kept. EDATA: balanced with multi-label, or without cases. */
int nod_sampler_new(const nod_labels *l, const nod_sampler_options *o, nod_sampler **out,
                    nod_error *err) NOD_MUST_CHECK;
void nod_sampler_free(nod_sampler *s);

int64_t nod_sampler_batch(const nod_sampler *s);   /* cases a batch */
int64_t nod_sampler_batches(const nod_sampler *s); /* per epoch */
int64_t nod_sampler_visits(const nod_sampler *s);  /* cases per epoch: with drop_last whole
                                                      batches only */
/* Writes nod_sampler_visits positions (0..n-1 of the labels) of epoch `epoch`. */
int nod_sampler_order(const nod_sampler *s, int64_t epoch, int64_t *out,
                      nod_error *err) NOD_MUST_CHECK;
/* Cases of class k, and its share [0,1] in the data and in what the sampler visits (expected
 * over epochs); multi-label: of each label. */
int64_t nod_sampler_class_count(const nod_sampler *s, size_t k);
double nod_sampler_natural(const nod_sampler *s, size_t k);
double nod_sampler_effective(const nod_sampler *s, size_t k);

#endif
