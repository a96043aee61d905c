/* feed.c: the training part in batches: order by data/sampler.h, put together by data/loader.h, a
 * window of each image by a draw for (epoch, case). The plan reads the loader's own memory. */
#include "base/memory.h"
#include "base/rng.h"
#include "train/trainer_internal.h"

#define AHEAD \
    4 /* batches: a few steps' worth, so that one slow image does not stop the trainer */

/* The sampler only reads them. */
static nod_labels labels_of(const nod_trainer *t, const nod_examples *e)
{
    return (nod_labels){.n = (size_t)e->n,
                        .n_classes = (size_t)t->n_outputs,
                        .multilabel = t->recipe->task == NOD_TASK_MULTILABEL,
                        .values = (int32_t *)e->labels};
}

int nod_trainer_feed_init(nod_trainer *t, nod_error *err)
{
    const nod_labels labels = labels_of(t, &t->train);
    nod_sampler_options o = {.kind = t->recipe->balanced_sampling && !labels.multilabel
                                         ? NOD_SAMPLING_BALANCED
                                         : NOD_SAMPLING_SHUFFLED,
                             .seed = t->recipe->seed,
                             .batch = t->batch,
                             .drop_last = true};
    return nod_sampler_new(&labels, &o, &t->sampler, err);
}

void nod_trainer_feed_done(nod_trainer *t)
{
    t->waited_s = nod_trainer_waited_s(t);
    nod_loader_close(t->loader);
    t->loader = NULL;
}

double nod_trainer_waited_s(const nod_trainer *t)
{
    return t->waited_s + (t->loader ? nod_loader_waited_s(t->loader) : 0);
}

/* One of the image's windows, drawn for this epoch. */
static int cut_window(const void *ctx, int64_t epoch, int64_t i_case, const float *image,
                      float *dst, nod_error *err)
{
    (void)err;
    const nod_trainer *t = ctx;
    int64_t origin[3], windows = nod_patching_count(&t->patching);
    uint64_t index = (uint64_t)epoch << 32 | (uint64_t)i_case;
    nod_rng rng = nod_rng_make(t->recipe->seed, NOD_RNG_AUGMENT, index);
    nod_patching_origin(&t->patching, (int64_t)nod_rng_below(&rng, (uint64_t)windows), origin);
    nod_patching_cut(&t->patching, t->model->io.channels, image, origin, dst);
    return 0;
}

static nod_loader_options options_for(const nod_trainer *t, const nod_examples *e)
{
    return (nod_loader_options){.threads = e->images ? 0 : t->options.loading_threads,
                                .ahead = AHEAD,
                                .image_size = t->image_size,
                                .n_labels =
                                    t->recipe->task == NOD_TASK_MULTILABEL ? t->n_outputs : 1};
}

static int open_loader(nod_trainer *t, nod_error *err)
{
    nod_loader_options o = options_for(t, &t->train);
    o.epoch = t->epochs_done;
    o.batch = t->step_in_epoch;
    if (nod_patching_count(&t->patching) > 1) {
        o.transform = cut_window;
        o.transform_ctx = t;
        o.out_size = t->window_size;
    }
    return nod_loader_open(&t->train, t->sampler, &o, &t->loader, err);
}

/* Class indices as rows of 0 and 1, for losses over elements. */
static void set_targets(nod_trainer *t, const nod_batch *b)
{
    int64_t k = t->n_outputs;
    bool multilabel = t->recipe->task == NOD_TASK_MULTILABEL;
    for (int64_t i = 0; i < t->batch; i++)
        for (int64_t c = 0; c < k; c++) {
            bool on = multilabel ? b->labels[i * k + c] != 0 : b->labels[i] == c;
            t->batch_targets[i * k + c] = on ? 1.0F : 0.0F;
        }
}

int nod_trainer_feed(nod_trainer *t, nod_error *err)
{
    int rc = t->loader ? 0 : open_loader(t, err);
    const nod_batch *b = NULL;
    if (!rc) rc = nod_loader_next(t->loader, &b, err);
    if (rc) return rc;
    if (t->batch_targets) set_targets(t, b);
    nod_plan_bind(t->plan, t->image, b->images);
    nod_plan_bind(t->plan, t->labels,
                  t->batch_targets ? (void *)t->batch_targets : (void *)b->labels);
    return 0;
}

/* In pieces that fill whole runs of the predictor, loaded ahead. */
int nod_trainer_fetched_logits(nod_trainer *t, const nod_examples *e, float *logits,
                               nod_error *err)
{
    int rc = 0;
    nod_sampler *sampler = NULL;
    nod_loader *l = NULL;
    const nod_labels labels = labels_of(t, e);
    nod_sampler_options so = {.kind = NOD_SAMPLING_SEQUENTIAL, .batch = NOD_TRAINER_EVAL_BATCH};
    nod_loader_options lo = options_for(t, e);
    lo.epochs = 1;
    NOD_TRY(nod_sampler_new(&labels, &so, &sampler, err));
    NOD_TRY(nod_loader_open(e, sampler, &lo, &l, err));
    for (const nod_batch *b = NULL;;) {
        NOD_TRY(nod_loader_next(l, &b, err));
        if (!b) break;
        NOD_TRY(nod_predictor_run(t->predictor, b->images, b->n,
                                  logits + b->i * so.batch * t->n_outputs, err));
    }
out:
    nod_loader_close(l);
    nod_sampler_free(sampler);
    return rc;
}
