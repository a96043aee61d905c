/* nodule.c: the public API (include/nodule/nodule.h) over infer/answer.h. */
#include "nodule/nodule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "infer/answer.h"

struct nodule_model {
    nod_reader reader;
    double *logits; /* [classes] */
};

static int told(const nod_error *err, char *message, size_t size)
{
    if (message && size) snprintf(message, size, "%s", err->message);
    return err->code;
}

int nodule_open(const char *path, nodule_model **out, char *message, size_t message_size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nodule_model *m = nod_calloc(1, sizeof *m);
    o.backend = nod_backend_cpu();
    int rc = m ? nod_reader_open(path, &o, 1, &m->reader, &err)
               : nod_fail_memory(&err, "model", sizeof *m);
    if (!rc) {
        m->logits = nod_calloc(m->reader.answer.classes.n, sizeof *m->logits);
        if (!m->logits) rc = nod_fail_memory(&err, "logits", sizeof *m->logits);
    }
    if (rc) {
        nodule_close(m);
        return told(&err, message, message_size);
    }
    *out = m;
    return 0;
}

void nodule_close(nodule_model *m)
{
    if (!m) return;
    nod_reader_done(&m->reader);
    nod_free(m->logits);
    nod_free(m);
}

size_t nodule_class_count(const nodule_model *m)
{
    return m->reader.answer.classes.n;
}

const char *nodule_class_name(const nodule_model *m, size_t i)
{
    return i < m->reader.answer.classes.n ? m->reader.answer.classes.items[i] : NULL;
}

int nodule_positive_class(const nodule_model *m)
{
    return m->reader.answer.positive;
}

double nodule_threshold(const nodule_model *m)
{
    const nod_answer *a = &m->reader.answer;
    return a->task == NOD_TASK_BINARY ? a->points[0].threshold : NAN;
}

const char *nodule_unit(const nodule_model *m)
{
    return nod_level_name(m->reader.answer.unit);
}

static int answer(nodule_model *m, const nod_image *im, double *probabilities, nod_error *err)
{
    return nod_reader_answer(&m->reader, im, m->logits, NULL, probabilities, err);
}

/* Raw logits of one file. */
static int read_logits(nodule_model *m, const char *image, double *logits, nod_error *err)
{
    nod_image im = {0};
    int rc = nod_reader_read(&m->reader, image, NULL, &im, err);
    if (!rc) rc = nod_reader_answer(&m->reader, &im, logits, NULL, NULL, err);
    nod_image_done(&im);
    return rc;
}

int nodule_predict_files(nodule_model *m, const char *const *images, size_t n,
                         double *probabilities, char *message, size_t message_size)
{
    nod_error err = NOD_ERROR_INIT;
    size_t k = nodule_class_count(m);
    double *logits = nod_calloc(n + 1, k * sizeof *logits);
    int rc = 0;
    if (!logits)
        rc = nod_fail_memory(&err, "logits", n * k * sizeof *logits);
    else if (n == 0)
        rc = nod_fail(&err, NOD_EINVAL, "no image to predict from");
    for (size_t i = 0; i < n && !rc; i++)
        rc = read_logits(m, images[i], logits + i * k, &err);
    if (!rc) nod_answer_join(&m->reader.answer, n, logits, m->logits, probabilities);
    nod_free(logits);
    return rc ? told(&err, message, message_size) : 0;
}

int nodule_predict_file(nodule_model *m, const char *image, double *probabilities,
                        char *message, size_t message_size)
{
    return nodule_predict_files(m, &image, 1, probabilities, message, message_size);
}

int nodule_predict_pixels(nodule_model *m, const void *samples, nodule_sample kind,
                          int64_t depth, int64_t height, int64_t width, int channels,
                          double *probabilities, char *message, size_t message_size)
{
    static const nod_sample kinds[] = {NOD_SAMPLE_U8, NOD_SAMPLE_U16, NOD_SAMPLE_F32};
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int rc;
    if ((int)kind < 0 || (size_t)kind >= NOD_COUNT(kinds))
        rc = nod_fail(&err, NOD_EINVAL, "sample kind %d is not known", (int)kind);
    else
        rc = nod_image_init(&im, depth, height, width, channels, kinds[kind], &err);
    if (!rc) {
        memcpy(im.data, samples, nod_image_bytes(&im));
        rc = answer(m, &im, probabilities, &err);
    }
    nod_image_done(&im);
    return rc ? told(&err, message, message_size) : 0;
}

const char *nodule_version(void)
{
    return NODULE_VERSION;
}
