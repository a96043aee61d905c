/* loader.c: a ring of slots. Batch number t of the stream (counted over epochs) lives in slot
 * t % ahead. A thread takes the next number under the lock once its slot is free, fills the slot
 * without the lock, and marks it ready; the consumer takes numbers in order. So any number of
 * threads gives the same batches. */
#include "data/loader.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"

#define THREADS_MAX 16
#define AHEAD_MAX   64

typedef enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_READY } slot_state;

typedef struct slot {
    slot_state state;
    nod_batch batch;
    int32_t *labels;
    int64_t *cases;
    nod_error err; /* why it could not be filled */
} slot;

struct nod_loader {
    const nod_dataset *d;
    const nod_sampler *s;
    nod_loader_options o;
    int64_t batch, per_epoch, visits;
    int64_t total;         /* batches in the stream */
    size_t image, n_label; /* floats of an image, labels of a case */
    slot *slots;           /* [o.ahead] */
    pthread_t threads[THREADS_MAX];
    int n_threads;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* any state below */
    int64_t next_fill, next_out;
    bool held; /* slot of next_out - 1 is with the consumer */
    bool stop;

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

/* Fills the slot with batch number t of the stream. */
static int fill(nod_loader *l, slot *s, int64_t t, nod_error *err)
{
    int64_t at = l->o.epoch * l->per_epoch + l->o.batch + t;
    int64_t epoch = at / l->per_epoch, i = at % l->per_epoch;
    int64_t first = i * l->batch, n = NOD_MIN(l->batch, l->visits - first);
    int rc = get_positions(l, epoch, first, n, s->cases, err);
    if (rc) return rc;
    float *dst = s->batch.images.data;
    const float *src = l->d->images.data;
    for (int64_t b = 0; b < n; b++) {
        size_t from = (size_t)s->cases[b];
        memcpy(dst + (size_t)b * l->image, src + from * l->image, l->image * sizeof *dst);
        memcpy(s->labels + (size_t)b * l->n_label, l->d->labels.values + from * l->n_label,
               l->n_label * sizeof *s->labels);
    }
    size_t rest = (size_t)(l->batch - n);
    memset(dst + (size_t)n * l->image, 0, rest * l->image * sizeof *dst);
    memset(s->labels + (size_t)n * l->n_label, 0, rest * l->n_label * sizeof *s->labels);
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
    nod_shape shape = l->d->images.shape;
    shape.dim[0] = l->batch;
    int rc = nod_tensor_init(&s->batch.images, NOD_DTYPE_F32, &shape, err);
    if (rc) return rc;
    s->labels = nod_calloc((size_t)l->batch * l->n_label, sizeof *s->labels);
    s->cases = nod_calloc((size_t)l->batch, sizeof *s->cases);
    if (!s->labels || !s->cases)
        return nod_fail_memory(err, "batches", (size_t)l->batch * sizeof *s->cases);
    s->batch.labels = s->labels;
    s->batch.cases = s->cases;
    return 0;
}

static int check_options(const nod_loader *l, nod_error *err)
{
    const nod_loader_options *o = &l->o;
    if (o->threads < 1 || o->threads > THREADS_MAX || o->ahead < 1 || o->ahead > AHEAD_MAX)
        return nod_fail(err, NOD_EINVAL,
                        "a loader has 1 to %d threads and 1 to %d batches ahead", THREADS_MAX,
                        AHEAD_MAX);
    if (o->epoch < 0 || o->batch < 0 || o->batch > l->per_epoch ||
        o->epochs > INT64_MAX / NOD_MAX(l->per_epoch, 1) - 1)
        return nod_fail(err, NOD_EINVAL, "epoch %lld, batch %lld is no place in the stream",
                        (long long)o->epoch, (long long)o->batch);
    return 0;
}

int nod_loader_open(const nod_dataset *d, const nod_sampler *s, const nod_loader_options *o,
                    nod_loader **out, nod_error *err)
{
    nod_loader *l = nod_calloc(1, sizeof *l);
    int rc = 0;
    if (l == NULL) return nod_fail_memory(err, "a loader", sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->order_lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    l->d = d;
    l->s = s;
    l->o = *o;
    l->batch = nod_sampler_batch(s);
    l->per_epoch = nod_sampler_batches(s);
    l->visits = nod_sampler_visits(s);
    l->order_epoch = -1;
    l->image = (size_t)(nod_tensor_count(&d->images) / d->images.shape.dim[0]);
    l->n_label = d->labels.multilabel ? d->labels.n_classes : 1;
    NOD_TRY(check_options(l, err));
    l->total = NOD_MAX((o->epochs - o->epoch) * l->per_epoch - o->batch, 0);
    l->order = nod_calloc((size_t)l->visits, sizeof *l->order);
    l->slots = nod_calloc((size_t)o->ahead, sizeof *l->slots);
    if (!l->order || !l->slots) {
        rc = nod_fail_memory(err, "a loader", (size_t)l->visits * sizeof *l->order);
        goto out;
    }
    for (int i = 0; i < o->ahead; i++)
        NOD_TRY(init_slot(l, &l->slots[i], err));
    while (l->n_threads < o->threads &&
           pthread_create(&l->threads[l->n_threads], NULL, work, l) == 0)
        l->n_threads++;
    if (l->n_threads == 0) {
        rc = nod_fail(err, NOD_EIO, "the system gives no thread for loading");
        goto out;
    }
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
        nod_tensor_done(&l->slots[i].batch.images);
        nod_free(l->slots[i].labels);
        nod_free(l->slots[i].cases);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->order_lock);
    pthread_mutex_destroy(&l->lock);
    nod_free(l->slots);
    nod_free(l->order);
    nod_free(l);
}

int nod_loader_next(nod_loader *l, const nod_batch **out, nod_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&l->lock);
    if (l->held) {
        l->slots[(l->next_out - 1) % l->o.ahead].state = SLOT_FREE;
        l->held = false;
        pthread_cond_broadcast(&l->changed);
    }
    if (l->next_out >= l->total) {
        *out = NULL;
    } else {
        slot *s = &l->slots[l->next_out % l->o.ahead];
        while (s->state != SLOT_READY)
            pthread_cond_wait(&l->changed, &l->lock);
        l->next_out++;
        l->held = true;
        rc = s->err.code;
        if (rc)
            *err = s->err;
        else
            *out = &s->batch;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}
