/* examples.h: the cases of a part as a network is trained and scored on them: preprocessed images,
 * wherever they lie, and labels. */
#ifndef NOD_DATA_EXAMPLES_H
#define NOD_DATA_EXAMPLES_H

#include <stdint.h>

#include "base/error.h"

/* Writes the preprocessed image i to dst; safe from any number of threads. */
typedef int (*nod_image_fetch)(const void *ctx, int64_t i, float *dst, nod_error *err);

/* Everything is borrowed. */
typedef struct nod_examples {
    int64_t n;
    const float *images;   /* [n][C,D,H,W] in memory; NULL: `fetch` gives them one by one */
    const int32_t *labels; /* [n] class index; multi-label [n][L] of 0/1 */
    nod_image_fetch fetch;
    const void *fetch_ctx;
} nod_examples;

#endif
