/* sampler.c: orders of epochs. Balanced: the epoch has as many visits as there are cases, dealt to
 * the classes in turn; a class goes through a fresh shuffle of its cases as often as needed. */
#include "data/sampler.h"

#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

struct nod_sampler {
    nod_sampler_options o;
    int64_t n;
    size_t n_classes, n_present;
    int64_t *by_class; /* [n] positions, class by class; balanced only */
    int64_t *start;    /* [n_classes + 1] into by_class */
    int64_t *count;    /* [n_classes] */
};

static void count_classes(nod_sampler *s, const nod_labels *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->n_classes; k++)
            s->count[k] += l->multilabel ? l->values[i * l->n_classes + k] != 0
                                         : l->values[i] == (int32_t)k;
    for (size_t k = 0; k < l->n_classes; k++)
        s->n_present += s->count[k] > 0;
}

static void sort_by_class(nod_sampler *s, const nod_labels *l)
{
    int64_t at = 0;
    for (size_t k = 0; k < l->n_classes; k++) {
        s->start[k] = at;
        for (size_t i = 0; i < l->n; i++)
            if (l->values[i] == (int32_t)k) s->by_class[at++] = (int64_t)i;
    }
    s->start[l->n_classes] = at;
}

int nod_sampler_new(const nod_labels *l, const nod_sampler_options *o, nod_sampler **out,
                    nod_error *err)
{
    if (l->n == 0) return nod_fail(err, NOD_EDATA, "there are no cases to draw from");
    if (o->batch < 1)
        return nod_fail(err, NOD_EINVAL, "a batch of %lld cases", (long long)o->batch);
    if (o->kind == NOD_SAMPLING_BALANCED && l->multilabel)
        return nod_fail(err, NOD_EDATA,
                        "balanced sampling needs one class a case; with several labels a case "
                        "use class weights");
    if (o->drop_last && o->batch > (int64_t)l->n)
        return nod_fail(
            err, NOD_EINVAL,
            "a batch of %lld is more than the %zu cases, and incomplete batches are "
            "left out",
            (long long)o->batch, l->n);
    nod_sampler *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "a sampler", sizeof *s);
    s->o = *o;
    s->n = (int64_t)l->n;
    s->n_classes = l->n_classes;
    s->count = nod_calloc(l->n_classes, sizeof *s->count);
    s->start = nod_calloc(l->n_classes + 1, sizeof *s->start);
    s->by_class = nod_calloc(l->n, sizeof *s->by_class);
    if (!s->count || !s->start || !s->by_class) {
        nod_sampler_free(s);
        return nod_fail_memory(err, "a sampler", l->n * sizeof(int64_t));
    }
    count_classes(s, l);
    if (!l->multilabel) sort_by_class(s, l);
    *out = s;
    return 0;
}

void nod_sampler_free(nod_sampler *s)
{
    if (s == NULL) return;
    nod_free(s->count);
    nod_free(s->start);
    nod_free(s->by_class);
    nod_free(s);
}

int64_t nod_sampler_batches(const nod_sampler *s)
{
    return s->o.drop_last ? s->n / s->o.batch : (s->n + s->o.batch - 1) / s->o.batch;
}

int64_t nod_sampler_visits(const nod_sampler *s)
{
    return s->o.drop_last ? s->n / s->o.batch * s->o.batch : s->n;
}

int64_t nod_sampler_batch(const nod_sampler *s)
{
    return s->o.batch;
}

/* n positions: classes take turns. Where they do not divide evenly, the epoch chooses who is first, so
 * that the rest goes round. */
static void order_balanced(const nod_sampler *s, nod_rng *rng, int64_t epoch, int64_t *pool,
                           int64_t *used, int64_t *out)
{
    memcpy(pool, s->by_class, (size_t)s->n * sizeof *pool);
    bool rest = s->n % (int64_t)s->n_present != 0;
    size_t k = rest ? (size_t)((uint64_t)epoch % s->n_classes) : 0;
    for (int64_t made = 0; made < s->n; k = (k + 1) % s->n_classes) {
        int64_t size = s->count[k];
        if (size == 0) continue;
        if (used[k] % size == 0)
            nod_rng_shuffle(rng, pool + s->start[k], (size_t)size, sizeof *pool);
        out[made++] = pool[s->start[k] + used[k]++ % size];
    }
    nod_rng_shuffle(rng, out, (size_t)s->n, sizeof *out);
}

int nod_sampler_order(const nod_sampler *s, int64_t epoch, int64_t *out, nod_error *err)
{
    int64_t visits = nod_sampler_visits(s);
    int64_t *order = nod_calloc((size_t)s->n * 2 + s->n_classes, sizeof *order);
    if (order == NULL) return nod_fail_memory(err, "an order", (size_t)s->n * sizeof *order);
    nod_rng rng = nod_rng_make(s->o.seed, NOD_RNG_ORDER, (uint64_t)epoch);
    if (s->o.kind == NOD_SAMPLING_BALANCED) {
        order_balanced(s, &rng, epoch, order + s->n, order + 2 * s->n, order);
    } else {
        for (int64_t i = 0; i < s->n; i++)
            order[i] = i;
        if (s->o.kind == NOD_SAMPLING_SHUFFLED)
            nod_rng_shuffle(&rng, order, (size_t)s->n, sizeof *order);
    }
    memcpy(out, order, (size_t)visits * sizeof *out);
    nod_free(order);
    return 0;
}

int64_t nod_sampler_class_count(const nod_sampler *s, size_t k)
{
    NOD_ASSERT(k < s->n_classes);
    return s->count[k];
}

double nod_sampler_natural(const nod_sampler *s, size_t k)
{
    return (double)nod_sampler_class_count(s, k) / (double)s->n;
}

double nod_sampler_effective(const nod_sampler *s, size_t k)
{
    if (s->o.kind != NOD_SAMPLING_BALANCED) return nod_sampler_natural(s, k);
    return nod_sampler_class_count(s, k) > 0 ? 1.0 / (double)s->n_present : 0;
}
