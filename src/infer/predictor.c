/* predictor.c: batches of windows through one frozen forward plan; see predictor.h. */
#include "infer/predictor.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct nod_predictor {
    nod_forward forward;
    nod_patching patching;
    int64_t channels, n_outputs;
    int64_t windows;     /* per image */
    int64_t window_size; /* floats */
    int64_t image_size;  /* floats */
    float *input, *output;
    double *scores; /* [windows][n_outputs] of the image at hand */
    double *sorted; /* [windows] */
};

int nod_predictor_new(const nod_model *m, const nod_patching *p, int64_t batch,
                      const nod_plan_options *o, nod_predictor **out, nod_error *err)
{
    int rc = 0;
    const nod_network_io *io = &m->io;
    nod_predictor *q = NULL;
    NOD_TRY(nod_patching_check(p, io, err));
    q = nod_calloc(1, sizeof *q);
    if (!q) return nod_fail_memory(err, "predictor", sizeof *q);
    q->patching = *p;
    q->channels = io->channels;
    q->n_outputs = io->n_outputs;
    q->windows = nod_patching_count(p);
    q->window_size = io->channels * io->size[0] * io->size[1] * io->size[2];
    q->image_size = io->channels * p->image[0] * p->image[1] * p->image[2];
    size_t in_bytes = (size_t)(batch * q->window_size) * sizeof(float);
    q->input = nod_aligned_calloc(in_bytes);
    q->output = nod_aligned_calloc((size_t)(batch * io->n_outputs) * sizeof(float));
    q->scores = nod_calloc((size_t)(q->windows * io->n_outputs), sizeof *q->scores);
    q->sorted = nod_calloc((size_t)q->windows, sizeof *q->sorted);
    if (!q->input || !q->output || !q->scores || !q->sorted) {
        rc = nod_fail_memory(err, "a batch of images", in_bytes);
        goto out;
    }
    NOD_TRY(nod_model_forward(m, batch, o, &q->forward, err));
    nod_plan_bind(q->forward.plan, q->forward.image, q->input);
    nod_plan_bind(q->forward.plan, q->forward.logits, q->output);
    *out = q;
    return 0;
out:
    nod_predictor_free(q);
    return rc;
}

void nod_predictor_free(nod_predictor *p)
{
    if (!p) return;
    nod_forward_done(&p->forward);
    nod_free(p->input);
    nod_free(p->output);
    nod_free(p->scores);
    nod_free(p->sorted);
    nod_free(p);
}

void nod_predictor_refresh(nod_predictor *p)
{
    nod_plan_refresh(p->forward.plan);
}

nod_plan_memory nod_predictor_memory(const nod_predictor *p)
{
    return nod_plan_memory_of(p->forward.plan);
}

const nod_plan *nod_predictor_plan(const nod_predictor *p)
{
    return p->forward.plan;
}

int nod_predictor_profile(nod_predictor *p, int runs, nod_error *err)
{
    const nod_run_context context = {.seed = 0};
    return nod_plan_profile(p->forward.plan, &context, runs, err);
}

/* --- aggregation
 * ------------------------------------------------------------------------------ */

static void to_log_probabilities(double *row, int64_t n)
{
    double max = row[0], sum = 0;
    for (int64_t k = 1; k < n; k++)
        max = NOD_MAX(max, row[k]);
    for (int64_t k = 0; k < n; k++)
        sum += exp(row[k] - max);
    for (int64_t k = 0; k < n; k++)
        row[k] -= max + log(sum);
}

/* Mean of the `k` largest of n numbers; partial selection sort, k is small. */
static double top_mean(double *v, int64_t n, int64_t k)
{
    double sum = 0;
    k = NOD_MIN(k, n);
    for (int64_t i = 0; i < k; i++) {
        int64_t best = i;
        for (int64_t j = i + 1; j < n; j++)
            if (v[j] > v[best]) best = j;
        double t = v[i];
        v[i] = v[best];
        v[best] = t;
        sum += v[i];
    }
    return sum / (double)k;
}

static void aggregate(nod_predictor *p, float *logits)
{
    int64_t n = p->windows, m = p->n_outputs;
    int64_t k = p->patching.how == NOD_AGGREGATE_MEAN  ? n
                : p->patching.how == NOD_AGGREGATE_MAX ? 1
                                                       : p->patching.k;
    if (!p->patching.multilabel)
        for (int64_t i = 0; i < n; i++)
            to_log_probabilities(p->scores + i * m, m);
    for (int64_t c = 0; c < m; c++) {
        for (int64_t i = 0; i < n; i++)
            p->sorted[i] = p->scores[i * m + c];
        logits[c] = (float)top_mean(p->sorted, n, k);
    }
}

/* --- running
 * -------------------------------------------------------------------------------------- */

/* Gives the finished window `at` (counted over all images) to its image. */
static void deliver(nod_predictor *p, int64_t at, const float *row, float *logits)
{
    int64_t m = p->n_outputs, image = at / p->windows, window = at % p->windows;
    if (p->windows == 1) {
        memcpy(logits + image * m, row, (size_t)m * sizeof *row);
        return;
    }
    for (int64_t c = 0; c < m; c++)
        p->scores[window * m + c] = row[c];
    if (window == p->windows - 1) aggregate(p, logits + image * m);
}

int nod_predictor_run(nod_predictor *p, const float *images, int64_t n, float *logits,
                      nod_error *err)
{
    const nod_run_context context = {.seed = 0};
    int64_t total = n * p->windows, batch = p->forward.batch;
    for (int64_t first = 0; first < total; first += batch) {
        int64_t count = NOD_MIN(batch, total - first);
        for (int64_t i = 0; i < count; i++) {
            int64_t origin[3], at = first + i;
            nod_patching_origin(&p->patching, at % p->windows, origin);
            nod_patching_cut(&p->patching, p->channels,
                             images + at / p->windows * p->image_size, origin,
                             p->input + i * p->window_size);
        }
        /* What is left of an earlier, fuller batch is computed again and not read. */
        int rc = nod_plan_run(p->forward.plan, &context, err);
        if (rc) return rc;
        for (int64_t i = 0; i < count; i++)
            deliver(p, first + i, p->output + i * p->n_outputs, logits);
    }
    return 0;
}
