/* parity_case.c: see parity_case.h. */
#include "parity_case.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "ops/cases.h"

#define SEED_LABELS  1
#define SEED_IMAGES  2
#define SEED_WEIGHTS 16

static double draw(uint32_t seed, int64_t j)
{
    return op_fill_value(OP_FILL_SIGNED, seed, j, 1);
}

/* --- making ------------------------------------------------------------------------------- */

static void fill_param(const nod_param *q, uint32_t seed, float *w)
{
    const char *last = strrchr(q->name, '.');
    bool shift = last != NULL && strcmp(last, ".bias") == 0;
    double start = 0, scale = sqrt(6 / (double)q->fan_in);
    if (q->group == NOD_GROUP_BIAS) scale = 1 / sqrt((double)q->fan_in);
    if (q->group == NOD_GROUP_NORM) {
        start = shift ? 0 : 1;
        scale = 0.25;
    }
    for (int64_t j = 0; j < q->count; j++)
        w[j] = (float)(start + scale * draw(seed, j));
}

static int fill_examples(parity_case *c, int64_t n, int64_t classes, uint32_t seed,
                         nod_error *err)
{
    const nod_network_io *io = &c->model->io;
    int64_t plane = io->size[0] * io->size[1] * io->size[2], size = io->channels * plane;
    c->images = nod_aligned_calloc((size_t)(n * size) * sizeof(float));
    c->labels = nod_calloc((size_t)n, sizeof *c->labels);
    if (c->images == NULL || c->labels == NULL)
        return nod_fail_memory(err, "images of a case", (size_t)(n * size) * sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        c->labels[i] = (int32_t)op_fill_value(OP_FILL_LABEL, seed + SEED_LABELS, i, classes);
        for (int64_t p = 0; p < size; p++) {
            double on = p % plane < plane / 2 ? 0.3 * c->labels[i] : 0;
            c->images[i * size + p] = (float)(draw(seed + SEED_IMAGES, i * size + p) + on);
        }
    }
    c->examples = (nod_examples){.n = n, .images = c->images, .labels = c->labels};
    return 0;
}

static int64_t read_i64(const nod_json *j, const char *key)
{
    return nod_json_i64(nod_json_get(j, key));
}

int parity_case_open(const nod_json *j, parity_case *out, nod_error *err)
{
    int rc = 0;
    parity_case c = {.name = nod_json_str(nod_json_get(j, "name"))};
    const char *recipe = nod_json_str(nod_json_get(j, "recipe"));
    const nod_json *size = nod_json_get(j, "size");
    int nd = (int)nod_json_count(size);
    uint32_t seed = (uint32_t)read_i64(j, "seed");
    nod_network_io io = {.channels = read_i64(j, "channels"),
                         .nd = nd,
                         .size = {1, 1, 1},
                         .n_outputs = read_i64(j, "classes")};
    for (int i = 0; i < nd && i < 3; i++)
        io.size[3 - nd + i] = nod_json_i64(nod_json_at(size, (size_t)i));
    NOD_TRY(nod_recipe_parse(recipe, strlen(recipe), c.name, &c.recipe, err));
    NOD_TRY(nod_model_new(c.recipe->network, &io, 0, &c.model, err));
    nod_params *p = c.model->params;
    for (size_t i = 0; i < p->n_params; i++)
        fill_param(&p->params[i], seed + SEED_WEIGHTS + (uint32_t)i,
                   p->data + p->params[i].offset);
    NOD_TRY(fill_examples(&c, read_i64(j, "n"), io.n_outputs, seed, err));
    *out = c;
    return 0;
out:
    parity_case_done(&c);
    return rc;
}

void parity_case_done(parity_case *c)
{
    nod_free(c->images);
    nod_free(c->labels);
    nod_model_free(c->model);
    nod_recipe_free(c->recipe);
}

/* --- gradients ---------------------------------------------------------------------------- */

/* One plan on buffers of its own: f32 or f64 copies of what the case holds. */
typedef struct gradient_run {
    nod_graph *g;
    nod_plan *plan;
    int image, labels, loss;
    int *wrt, *grads;
    size_t n;
    bool f64;
    void *images, *params, *states, *dparams, *loss_data;
} gradient_run;

static void *at(const gradient_run *r, void *base, int64_t i)
{
    return (char *)base + (size_t)i * (r->f64 ? sizeof(double) : sizeof(float));
}

static double number_at(const gradient_run *r, const void *base, int64_t i)
{
    return r->f64 ? ((const double *)base)[i] : (double)((const float *)base)[i];
}

static int copy_of(const gradient_run *r, const float *src, int64_t n, void **out,
                   nod_error *err)
{
    size_t bytes = (size_t)n * (r->f64 ? sizeof(double) : sizeof(float));
    *out = nod_aligned_calloc(bytes);
    if (*out == NULL) return nod_fail_memory(err, "buffers of a case", bytes);
    for (int64_t i = 0; src != NULL && i < n; i++) {
        if (r->f64)
            ((double *)*out)[i] = (double)src[i];
        else
            ((float *)*out)[i] = src[i];
    }
    return 0;
}

static int build_graph(const parity_case *c, gradient_run *r, nod_error *err)
{
    int rc = 0, logits;
    nod_attrs attr = nod_attrs_default();
    int64_t batch = c->recipe->batch_size;
    NOD_TRY(nod_graph_new(&r->g, err));
    NOD_TRY(nod_network_build(c->model->network, &c->model->io, batch, true, r->g, &r->image,
                              &logits, err));
    NOD_TRY(nod_graph_fuse(r->g, false, err));
    r->labels = nod_graph_input(r->g, "labels", nod_shape_of(1, batch), true);
    r->loss = nod_graph_out(r->g,
                            nod_graph_add_node(r->g, NOD_OP_LOSS_CE, "loss",
                                               (int[]){logits, r->labels, -1}, 3, &attr),
                            0);
    NOD_TRY(nod_graph_check(r->g, err));
    nod_graph_output(r->g, r->loss);
    r->wrt = nod_calloc(r->g->n_values, sizeof *r->wrt);
    r->grads = nod_calloc(r->g->n_values, sizeof *r->grads);
    if (r->wrt == NULL || r->grads == NULL)
        return nod_fail_memory(err, "gradients of a case", r->g->n_values * sizeof(int));
    for (size_t i = 0; i < r->g->n_values; i++)
        if (r->g->values[i].kind == NOD_VALUE_PARAM) r->wrt[r->n++] = (int)i;
    NOD_TRY(nod_graph_backward(r->g, r->loss, r->wrt, r->n, r->grads, err));
    for (size_t i = 0; i < r->n; i++)
        nod_graph_output(r->g, r->grads[i]);
out:
    return rc;
}

/* Parameters and states come in the order of their slices. */
static void bind(const parity_case *c, gradient_run *r)
{
    const nod_params *p = c->model->params;
    size_t n_params = 0, n_states = 0;
    for (size_t i = 0; i < r->g->n_values; i++) {
        nod_value_kind kind = r->g->values[i].kind;
        if (kind == NOD_VALUE_PARAM) {
            int64_t offset = p->params[n_params].offset;
            nod_plan_bind(r->plan, (int)i, at(r, r->params, offset));
            nod_plan_bind(r->plan, r->grads[n_params], at(r, r->dparams, offset));
            n_params++;
        } else if (kind == NOD_VALUE_STATE) {
            nod_plan_bind(r->plan, (int)i, at(r, r->states, p->states[n_states++].offset));
        }
    }
    nod_plan_bind(r->plan, r->image, r->images);
    nod_plan_bind(r->plan, r->labels, c->labels);
    nod_plan_bind(r->plan, r->loss, r->loss_data);
}

static void gradient_run_done(gradient_run *r)
{
    nod_plan_free(r->plan);
    nod_graph_free(r->g);
    nod_free(r->wrt);
    nod_free(r->grads);
    nod_free(r->images);
    nod_free(r->params);
    nod_free(r->states);
    nod_free(r->dparams);
    nod_free(r->loss_data);
}

int parity_gradients(const parity_case *c, const nod_plan_options *o, double *loss,
                     double *grads, double *states, nod_error *err)
{
    int rc = 0;
    gradient_run r = {.f64 = o->precision == NOD_PRECISION_F64};
    const nod_run_context context = {.seed = c->recipe->seed};
    const nod_params *p = c->model->params;
    const nod_network_io *io = &c->model->io;
    int64_t size = io->channels * io->size[0] * io->size[1] * io->size[2];
    NOD_TRY(build_graph(c, &r, err));
    NOD_TRY(nod_plan_make(r.g, o, &r.plan, err));
    NOD_TRY(copy_of(&r, c->images, c->recipe->batch_size * size, &r.images, err));
    NOD_TRY(copy_of(&r, p->data, p->size, &r.params, err));
    NOD_TRY(copy_of(&r, p->state_data, p->state_size, &r.states, err));
    NOD_TRY(copy_of(&r, NULL, p->size, &r.dparams, err));
    NOD_TRY(copy_of(&r, NULL, 1, &r.loss_data, err));
    bind(c, &r);
    NOD_TRY(nod_plan_prepare(r.plan, err));
    NOD_TRY(nod_plan_run(r.plan, &context, err));
    *loss = number_at(&r, r.loss_data, 0);
    for (int64_t i = 0; i < p->size; i++)
        grads[i] = number_at(&r, r.dparams, i);
    for (int64_t i = 0; i < p->state_size; i++)
        states[i] = number_at(&r, r.states, i);
out:
    gradient_run_done(&r);
    return rc;
}

/* --- curves ------------------------------------------------------------------------------- */

int parity_curve(parity_case *c, const nod_plan_options *o, int64_t steps, double *losses,
                 float *logits, nod_error *err)
{
    int rc = 0;
    const int64_t *size = c->model->io.size;
    nod_trainer *t = NULL;
    nod_trainer_options options = {.plan = *o};
    nod_patching whole = {.image = {size[0], size[1], size[2]}};
    nod_examples first = {.n = c->recipe->batch_size, .images = c->images, .labels = c->labels};
    NOD_TRY(
        nod_trainer_new(c->recipe, c->model, &whole, &c->examples, &first, &options, &t, err));
    NOD_ASSERT(steps <= nod_trainer_steps_per_epoch(t));
    for (int64_t i = 0; i < steps; i++)
        NOD_TRY(nod_trainer_step(t, &losses[i], err));
    NOD_TRY(nod_trainer_logits(t, &first, logits, err));
out:
    nod_trainer_free(t);
    return rc;
}

void parity_project(const double *v, int64_t n, uint32_t seed, double out[PARITY_PROJECTIONS])
{
    memset(out, 0, PARITY_PROJECTIONS * sizeof *out);
    for (int64_t j = 0; j < n; j++) {
        uint32_t bits = (uint32_t)(op_fill_value(OP_FILL_UNIT, seed, j, 1) * 0x1p24);
        for (int k = 0; k < PARITY_PROJECTIONS; k++)
            out[k] += v[j] * (2.0 * (bits >> k & 1) - 1); /* no branch: random signs */
    }
}
