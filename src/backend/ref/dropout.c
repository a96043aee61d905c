/* dropout.c: zeroes elements or whole channels and scales up what is kept. Which ones:
 * backend/dropout.h. The gradient is the same function of the same mask. */
#include "backend/dropout.h"
#include "backend/ref/ref.h"

/* x -> x*mask/(1-p) */
int nod_ref_dropout(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    NOD_ASSERT(a->context != NULL);
    const nod_shape *shape = &k->in[0];
    int64_t count = nod_shape_count(shape);
    const double *x = a->in[0];
    double *y = a->out[0], p = k->attr.p;
    int64_t n_draws = k->attr.per_channel ? shape->dim[0] * shape->dim[1] : count;
    int64_t per_draw = count / n_draws;
    uint32_t words[4];
    for (int64_t i = 0; i < n_draws; i++) {
        if (i % 4 == 0) nod_dropout_words(a->context, k->attr.stream, i / 4, words);
        bool keeps = nod_dropout_keeps(words[i % 4], p);
        for (int64_t s = i * per_draw; s < (i + 1) * per_draw; s++)
            y[s] = keeps ? x[s] / (1.0 - p) : 0;
    }
    return 0;
}
