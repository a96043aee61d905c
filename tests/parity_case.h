/* parity_case.h: a training made of numbers that PyTorch can make again: weights, images and
 * labels are functions of a seed and an index, and no file holds them.
 *
 *   labels  floor(u * classes)                                  seed + 1
 *   images  v, and 0.3 * label more in the first half           seed + 2
 *   weights sqrt(6 / fan_in) * v                                seed + 16 + number of the tensor
 *   biases  v / sqrt(fan_in);  scale of norms 1 + v/4, their shift v/4
 *
 * with u in [0,1) and v = 2u - 1 from op_fill_value, computed in f64 and rounded to f32 once;
 * half of each sign in the images makes classes that can be learnt. The same formulas stand in
 * tools/oracles/torch_parity.py. */
#ifndef NOD_TESTS_PARITY_CASE_H
#define NOD_TESTS_PARITY_CASE_H

#include "base/json.h"
#include "train/trainer.h"

#define PARITY_PROJECTIONS 16

typedef struct parity_case {
    const char *name; /* borrowed from the JSON, like the recipe's text */
    nod_recipe *recipe;
    nod_model *model;
    nod_examples examples;
    float *images;
    int32_t *labels;
} parity_case;

/* From {"name", "recipe": YAML, "channels", "size": [D,H,W] (2-D: [H,W]), "classes", "n",
 * "seed"}. */
int parity_case_open(const nod_json *j, parity_case *out, nod_error *err) NOD_MUST_CHECK;
void parity_case_done(parity_case *c);

/* The gradients of the first batch, by the graph that the trainer builds. `grads` has the layout
 * of model->params->data, `states` (after the step) that of state_data. */
int parity_gradients(const parity_case *c, const nod_plan_options *o, double *loss,
                     double *grads, double *states, nod_error *err) NOD_MUST_CHECK;

/* The losses of the trainer's first `steps` steps (no more than one epoch has), which change
 * the model, and then the logits [batch][classes] of the first batch in evaluation mode. */
int parity_curve(parity_case *c, const nod_plan_options *o, int64_t steps, double *losses,
                 float *logits, nod_error *err) NOD_MUST_CHECK;

/* Sums of v with PARITY_PROJECTIONS vectors of random signs: bit k of the hash of (seed, j) is
 * the sign of element j in sum k. The root mean square of the projections of a vector estimates
 * its length, for 16 of them within 18 % (one standard deviation). */
void parity_project(const double *v, int64_t n, uint32_t seed, double out[PARITY_PROJECTIONS]);

#endif
