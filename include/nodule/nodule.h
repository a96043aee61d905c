/* nodule.h: the public C API: load a trained model, ask it about images.
 *
 * C99, opaque types, no global state; a model serves one thread at a time. Functions that can fail
 * return 0 or a negative number and write one line into `message` (may be NULL).
 *
 * A program that handles signals does so on another stack (sigaltstack, SA_ONSTACK): oneDNN lends the
 * stack pointer to its data while it computes, and the frame of a handler would overwrite memory. */
#ifndef NODULE_NODULE_H
#define NODULE_NODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nodule_model nodule_model;

/* Kind of the samples handed to nodule_predict_pixels. */
typedef enum nodule_sample { NODULE_U8 = 0, NODULE_U16 = 1, NODULE_F32 = 2 } nodule_sample;

/* Opens a model file (model.safetensors of a run). *out is untouched on failure. */
int nodule_open(const char *path, nodule_model **out, char *message, size_t message_size);
void nodule_close(nodule_model *m); /* NULL is allowed */

/* Number of classes, their names, and of a binary task the positive class (else -1). */
size_t nodule_class_count(const nodule_model *m);
const char *nodule_class_name(const nodule_model *m, size_t i);
int nodule_positive_class(const nodule_model *m);
/* Frozen operating point of a binary task: positive if its probability >= this; NaN otherwise. */
double nodule_threshold(const nodule_model *m);

/* What the model judges: "image", "series", "study", "breast" or "patient". */
const char *nodule_unit(const nodule_model *m);

/* Calibrated probabilities [nodule_class_count] of an image file (PNG, JPEG, TIFF), preprocessed by
 * the model's own contract. */
int nodule_predict_file(nodule_model *m, const char *image, double *probabilities,
                        char *message, size_t message_size);
/* The same for all images (n >= 1) of one unit, joined as the model was trained to. */
int nodule_predict_files(nodule_model *m, const char *const *images, size_t n,
                         double *probabilities, char *message, size_t message_size);
/* nodule_predict_file for samples in memory, [depth][height][width][channels]; depth 1 for a plane. */
int nodule_predict_pixels(nodule_model *m, const void *samples, nodule_sample kind,
                          int64_t depth, int64_t height, int64_t width, int channels,
                          double *probabilities, char *message, size_t message_size);

const char *nodule_version(void);

#ifdef __cplusplus
}
#endif

#endif
