/* loader.c: a ring of slots. Batch number t of the stream (counted over epochs) lives in slot
 * t % ahead. A thread takes the next number under the lock once its slot is free, fills the slot
 * without the lock, and marks it ready; the consumer takes numbers in order. So any number of
 * threads gives the same batches. Without threads the consumer fills the slot that it takes. */
#include "data/loader.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define THREADS_MAX 16
#define AHEAD_MAX   64

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_READY } slot_state;

typedef struct slot {
    slot_state state;
    nod_batch batch;
    int64_t *cases;
    float *image;  /* one case on its way to the transform; NULL: not needed */
    nod_error err; /* why it could not be filled */
} slot;

struct nod_loader {
    nod_examples e;
    const nod_sampler *s;
    nod_loader_options o;
    int64_t batch, per_epoch, visits;
    int64_t total;        /* batches in the stream */
    size_t out, n_labels; /* floats and labels of a case in a batch */
    double waited_s;
    slot *slots; /* [o.ahead] */
    pthread_t threads[THREADS_MAX];
    int n_threads;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* any state below */
    int64_t next_fill;
    bool stop;

    int64_t next_out; /* the consumer's */
    bool held;        /* slot of next_out - 1 is with the consumer */

    pthread_mutex_t order_lock; /* of what follows: the order of one epoch */
    int64_t order_epoch;        /* -1: none yet */
    int64_t *order;
};

/* --- filling ------------------------------------------------------------------------------ */

/* Copies the positions of one batch; computes the epoch's order where it is not the last one. */
static int get_positions(nod_loader *l, int64_t epoch, int64_t first, int64_t n, int64_t *out,
                         nod_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&l->order_lock);
    if (l->order_epoch != epoch) {
        rc = nod_sampler_order(l->s, epoch, l->order, err);
        l->order_epoch = rc == 0 ? epoch : -1;
    }
    if (rc == 0) memcpy(out, l->order + first, (size_t)n * sizeof *out);
    pthread_mutex_unlock(&l->order_lock);
    return rc;
}

/* One case of a batch: its image, or what the transform makes of it. */
static int fill_case(const nod_loader *l, slot *s, int64_t epoch, int64_t i_case, float *dst,
                     nod_error *err)
{
    const nod_loader_options *o = &l->o;
    if (!l->e.images && !o->transform) return l->e.fetch(l->e.fetch_ctx, i_case, dst, err);
    const float *image = s->image;
    if (l->e.images) {
        image = l->e.images + i_case * o->image_size;
    } else {
        int rc = l->e.fetch(l->e.fetch_ctx, i_case, s->image, err);
        if (rc) return rc;
    }
    if (o->transform) return o->transform(o->transform_ctx, epoch, i_case, image, dst, err);
    memcpy(dst, image, l->out * sizeof *dst);
    return 0;
}

/* Fills the slot with batch number t of the stream. */
static int fill(nod_loader *l, slot *s, int64_t t, nod_error *err)
{
    int64_t at = l->o.epoch * l->per_epoch + l->o.batch + t;
    int64_t epoch = at / l->per_epoch, i = at % l->per_epoch;
    int64_t first = i * l->batch, n = NOD_MIN(l->batch, l->visits - first);
    float *dst = s->batch.images;
    int32_t *labels = s->batch.labels;
    int rc = get_positions(l, epoch, first, n, s->cases, err);
    for (int64_t b = 0; rc == 0 && b < n; b++) {
        rc = fill_case(l, s, epoch, s->cases[b], dst + (size_t)b * l->out, err);
        memcpy(labels + (size_t)b * l->n_labels,
               l->e.labels + (size_t)s->cases[b] * l->n_labels, l->n_labels * sizeof *labels);
    }
    if (rc) return rc;
    size_t rest = (size_t)(l->batch - n);
    memset(dst + (size_t)n * l->out, 0, rest * l->out * sizeof *dst);
    memset(labels + (size_t)n * l->n_labels, 0, rest * l->n_labels * sizeof *labels);
    for (int64_t b = n; b < l->batch; b++)
        s->cases[b] = -1;
    s->batch.epoch = epoch;
    s->batch.i = i;
    s->batch.n = n;
    return 0;
}

static void *work(void *arg)
{
    nod_loader *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->stop && l->next_fill < l->total) {
        slot *s = &l->slots[l->next_fill % l->o.ahead];
        if (s->state != SLOT_FREE) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        int64_t t = l->next_fill++;
        s->state = SLOT_FILLING;
        pthread_mutex_unlock(&l->lock);
        s->err.code = 0;
        int rc = fill(l, s, t, &s->err);
        pthread_mutex_lock(&l->lock);
        if (rc == 0) s->err.code = 0;
        s->state = SLOT_READY;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- opening ------------------------------------------------------------------------------ */

static int init_slot(nod_loader *l, slot *s, nod_error *err)
{
    size_t cases = (size_t)l->batch, bytes = 0, n = 0;
    if (!nod_size_mul(cases, l->out, &n) || !nod_size_mul(n, sizeof(float), &bytes))
        return nod_fail_memory(err, "batches", SIZE_MAX);
    s->batch.images = nod_aligned_calloc(bytes);
    s->batch.labels = nod_aligned_calloc(cases * l->n_labels * sizeof *s->batch.labels);
    s->cases = nod_calloc(cases, sizeof *s->cases);
    if (!l->e.images && l->o.transform)
        s->image = nod_calloc((size_t)l->o.image_size, sizeof *s->image);
    if (!s->batch.images || !s->batch.labels || !s->cases ||
        (!l->e.images && l->o.transform && !s->image))
        return nod_fail_memory(err, "batches", bytes);
    s->batch.cases = s->cases;
    return 0;
}

static int check_options(const nod_loader *l, nod_error *err)
{
    const nod_loader_options *o = &l->o;
    if (o->threads < 0 || o->threads > THREADS_MAX || o->ahead < 1 || o->ahead > AHEAD_MAX)
        return nod_fail(err, NOD_EINVAL,
                        "a loader has 0 to %d threads and 1 to %d batches ahead", THREADS_MAX,
                        AHEAD_MAX);
    if (o->epoch < 0 || o->batch < 0 || o->batch > l->per_epoch ||
        NOD_MAX(o->epochs, o->epoch) > INT64_MAX / NOD_MAX(l->per_epoch, 1) - 1)
        return nod_fail(err, NOD_EINVAL, "epoch %lld, batch %lld is no place in the stream",
                        (long long)o->epoch, (long long)o->batch);
    return 0;
}

static int64_t count_batches(const nod_loader *l)
{
    const nod_loader_options *o = &l->o;
    if (o->epochs == 0) return INT64_MAX - o->epoch * l->per_epoch - o->batch;
    return NOD_MAX((o->epochs - o->epoch) * l->per_epoch - o->batch, 0);
}

int nod_loader_open(const nod_examples *e, const nod_sampler *s, const nod_loader_options *o,
                    nod_loader **out, nod_error *err)
{
    nod_loader *l = nod_calloc(1, sizeof *l);
    int rc = 0;
    if (l == NULL) return nod_fail_memory(err, "a loader", sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->order_lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->e = *e;
    l->s = s;
    l->o = *o;
    l->batch = nod_sampler_batch(s);
    l->per_epoch = nod_sampler_batches(s);
    l->visits = nod_sampler_visits(s);
    l->order_epoch = -1;
    l->out = (size_t)(o->transform ? o->out_size : o->image_size);
    l->n_labels = (size_t)o->n_labels;
    NOD_ASSERT((e->images || e->fetch) && o->image_size > 0 && l->out > 0 && o->n_labels > 0);
    NOD_TRY(check_options(l, err));
    if (o->threads == 0) l->o.ahead = 1;
    l->total = count_batches(l);
    l->order = nod_calloc((size_t)l->visits, sizeof *l->order);
    l->slots = nod_calloc((size_t)l->o.ahead, sizeof *l->slots);
    if (!l->order || !l->slots) {
        rc = nod_fail_memory(err, "a loader", (size_t)l->visits * sizeof *l->order);
        goto out;
    }
    for (int i = 0; i < l->o.ahead; i++)
        NOD_TRY(init_slot(l, &l->slots[i], err));
    /* One that the system refuses is done without; without any, the consumer fills. */
    while (l->n_threads < o->threads &&
           pthread_create(&l->threads[l->n_threads], NULL, work, l) == 0)
        l->n_threads++;
    *out = l;
    l = NULL;
out:
    nod_loader_close(l);
    return rc;
}

void nod_loader_close(nod_loader *l)
{
    if (l == NULL) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_threads; i++)
        pthread_join(l->threads[i], NULL);
    for (int i = 0; l->slots && i < l->o.ahead; i++) {
        nod_free(l->slots[i].batch.images);
        nod_free(l->slots[i].batch.labels);
        nod_free(l->slots[i].cases);
        nod_free(l->slots[i].image);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->order_lock);
    pthread_mutex_destroy(&l->lock);
    nod_free(l->slots);
    nod_free(l->order);
    nod_free(l);
}

/* Without threads: the slot of the next batch, filled here. */
static slot *fill_next(nod_loader *l)
{
    slot *s = &l->slots[l->next_out % l->o.ahead];
    s->err.code = 0;
    if (fill(l, s, l->next_out, &s->err) == 0) s->err.code = 0;
    return s;
}

/* With threads: gives back the slot that the consumer holds and waits for the next. */
static slot *wait_next(nod_loader *l)
{
    slot *s = &l->slots[l->next_out % l->o.ahead];
    pthread_mutex_lock(&l->lock);
    if (l->held) {
        l->slots[(l->next_out - 1) % l->o.ahead].state = SLOT_FREE;
        pthread_cond_broadcast(&l->changed);
    }
    while (l->next_out < l->total && s->state != SLOT_READY)
        pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return s;
}

int nod_loader_next(nod_loader *l, const nod_batch **out, nod_error *err)
{
    double start = nod_time_monotonic_s();
    bool ended = l->next_out >= l->total;
    slot *s = NULL;
    if (l->n_threads > 0)
        s = wait_next(l);
    else if (!ended)
        s = fill_next(l);
    l->held = !ended;
    l->waited_s += nod_time_monotonic_s() - start;
    if (ended) {
        *out = NULL;
        return 0;
    }
    l->next_out++;
    if (s->err.code) {
        *err = s->err;
        return err->code;
    }
    *out = &s->batch;
    return 0;
}

double nod_loader_waited_s(const nod_loader *l)
{
    return l->waited_s;
}
