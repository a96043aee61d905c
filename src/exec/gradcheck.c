/* gradcheck.c: finite differences against symbolic gradients, in f64. */
#include "exec/gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

typedef struct check {
    nod_graph *g; /* own copy, with gradients */
    int loss;
    const nod_gradcheck_options *o;
    nod_plan *forward, *both; /* the loss alone; with the gradients */
    void **data;              /* per value of the original graph: its buffer */
    int *wrt, *grads;
    size_t n_wrt;
    double value; /* of the loss */
} check;

/* --- data --------------------------------------------------------------------------------- */

/* Labels of a value are below the smallest number of classes of the losses that take it. */
static uint64_t classes_of(const nod_graph *g, int labels)
{
    int64_t k = INT32_MAX;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const nod_node *n = &g->nodes[i];
        if (n->n_in > 1 && n->in[1] == labels)
            k = NOD_MIN(k, nod_graph_shape(g, n->in[0])->dim[1]);
    }
    return (uint64_t)k;
}

/* Variances and class weights must be positive: what a norm or a loss takes as such. */
static bool must_be_positive(const nod_graph *g, int value)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const nod_node *n = &g->nodes[i];
        int variance = n->op == NOD_OP_BATCH_NORM_INFER    ? 4
                       : n->op == NOD_OP_FOLD_NORM_WEIGHTS ? 2
                       : n->op == NOD_OP_FOLD_NORM_BIAS    ? 4
                       : n->op == NOD_OP_BATCH_NORM_TRACK  ? 1
                       : n->op == NOD_OP_LOSS_CE           ? 2
                       : n->op == NOD_OP_LOSS_BCE          ? 2
                       : n->op == NOD_OP_LOSS_FOCAL        ? 2
                                                           : -1;
        if (variance >= 0 && n->in[variance] == value) return true;
    }
    return false;
}

/* BCE targets are probabilities. */
static bool is_probability(const nod_graph *g, int value)
{
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == NOD_OP_LOSS_BCE && g->nodes[i].in[1] == value) return true;
    return false;
}

static int fill_value(check *c, int value, nod_error *err)
{
    const nod_value *v = &c->g->values[value];
    nod_rng rng = nod_rng_make(c->o->seed, NOD_RNG_TEST, (uint64_t)value);
    int64_t n = nod_shape_count(&v->shape);
    void *data = nod_aligned_calloc((size_t)n * sizeof(double));
    if (data == NULL) return nod_fail_memory(err, "a gradient check", (size_t)n * 8);
    c->data[value] = data;
    if (v->is_int) {
        uint64_t k = classes_of(c->g, value);
        for (int64_t i = 0; i < n; i++)
            ((int32_t *)data)[i] = (int32_t)nod_rng_below(&rng, k);
        return 0;
    }
    bool positive = must_be_positive(c->g, value), probability = is_probability(c->g, value);
    for (int64_t i = 0; i < n; i++)
        ((double *)data)[i] = positive      ? nod_rng_range(&rng, 0.5, 1.5)
                              : probability ? nod_rng_uniform(&rng)
                                            : c->o->spread * nod_rng_normal(&rng);
    return 0;
}

/* --- plans -------------------------------------------------------------------------------- */

static bool is_wanted(const nod_value *v)
{
    return !v->is_int && (v->kind == NOD_VALUE_INPUT || v->kind == NOD_VALUE_PARAM);
}

static int choose_values(check *c, nod_error *err)
{
    size_t n = c->g->n_values;
    c->wrt = nod_calloc(n + 1, sizeof *c->wrt);
    c->grads = nod_calloc(n + 1, sizeof *c->grads);
    c->data = nod_calloc(n + 1, sizeof *c->data);
    if (c->wrt == NULL || c->grads == NULL || c->data == NULL)
        return nod_fail_memory(err, "a gradient check", n * sizeof(void *));
    for (size_t i = 0; i < c->o->n_values && c->o->values != NULL; i++)
        c->wrt[c->n_wrt++] = c->o->values[i];
    for (size_t i = 0; i < n && c->o->values == NULL; i++)
        if (is_wanted(&c->g->values[i]) && !must_be_positive(c->g, (int)i) &&
            !is_probability(c->g, (int)i))
            c->wrt[c->n_wrt++] = (int)i;
    return 0;
}

static int make_plan(const check *c, const nod_graph *g, nod_plan **out, nod_error *err)
{
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = c->o->backend;
    o.precision = NOD_PRECISION_F64;
    return nod_plan_make(g, &o, out, err);
}

static int prepare(check *c, size_t n_sources, nod_error *err)
{
    int rc = 0;
    nod_plan *plans[2] = {c->forward, c->both};
    for (int p = 0; p < 2 && rc == 0; p++) {
        for (size_t i = 0; i < n_sources; i++)
            if (c->data[i] != NULL) nod_plan_bind(plans[p], (int)i, c->data[i]);
        nod_plan_bind(plans[p], c->loss, &c->value);
        rc = nod_plan_prepare(plans[p], err);
    }
    return rc;
}

/* Two plans on the same buffers. Tracking of averages is not part of a loss: the forward plan
 * runs thousands of times, and nothing reads what it tracks. */
static int build(check *c, const nod_graph *g, nod_error *err)
{
    nod_graph *forward = NULL;
    int rc = 0;
    size_t n = g->n_values;
    NOD_TRY(nod_graph_copy(g, &c->g, err));
    c->g->n_outputs = 0;
    nod_graph_output(c->g, c->loss);
    NOD_TRY(nod_graph_copy(c->g, &forward, err));
    NOD_TRY(make_plan(c, forward, &c->forward, err));
    NOD_TRY(choose_values(c, err));
    NOD_TRY(nod_graph_backward(c->g, c->loss, c->wrt, c->n_wrt, c->grads, err));
    for (size_t i = 0; i < c->n_wrt; i++)
        nod_graph_output(c->g, c->grads[i]);
    NOD_TRY(make_plan(c, c->g, &c->both, err));
    for (size_t i = 0; i < n && rc == 0; i++)
        if (g->values[i].kind != NOD_VALUE_NODE) rc = fill_value(c, (int)i, err);
    if (rc == 0) rc = prepare(c, n, err);
out:
    nod_graph_free(forward);
    return rc;
}

static void done(check *c)
{
    size_t n = c->g != NULL ? c->g->n_values : 0;
    nod_plan_free(c->forward);
    nod_plan_free(c->both);
    /* data has an entry for each value there was before backward added its own */
    for (size_t i = 0; c->data != NULL && i < n; i++)
        if (c->g->values[i].kind != NOD_VALUE_NODE) nod_free(c->data[i]);
    nod_free(c->data);
    nod_free(c->wrt);
    nod_free(c->grads);
    nod_graph_free(c->g);
}

/* --- differences -------------------------------------------------------------------------- */

static int loss_at(check *c, double *x, double at, double *out, nod_error *err)
{
    const nod_run_context ctx = {.seed = c->o->seed, .step = 3};
    double was = *x;
    *x = at;
    int rc = nod_plan_run(c->forward, &ctx, err);
    *x = was;
    *out = c->value;
    if (rc == 0 && !isfinite(c->value))
        rc = nod_fail(err, NOD_ENUMERIC, "the loss of the gradient check is not finite");
    return rc;
}

/* Central difference of step h, by the two points that are h apart from *x in binary. */
static int difference(check *c, double *x, double h, double *out, nod_error *err)
{
    double up = *x + h, down = *x - h, a, b;
    int rc = loss_at(c, x, up, &a, err);
    if (rc == 0) rc = loss_at(c, x, down, &b, err);
    if (rc == 0) *out = (a - b) / (up - down);
    return rc;
}

static int check_element(check *c, size_t i, int64_t e, const double *grad, double least,
                         nod_gradcheck_report *r, nod_error *err)
{
    double *x = (double *)c->data[c->wrt[i]] + e, coarse, fine;
    double h = c->o->step * fmax(1, fabs(*x));
    int rc = difference(c, x, h, &coarse, err);
    if (rc == 0) rc = difference(c, x, h / 8, &fine, err);
    if (rc != 0) return rc;
    double size = fmax(fmax(fabs(grad[e]), fabs(fine)), least);
    double error = size > 0 ? fabs(grad[e] - fine) / size : 0;
    r->checked++;
    if (size > 0 && fabs(coarse - fine) > 1e-3 * size) {
        r->kinks++;
        return 0;
    }
    /* The coarse one has less rounding, the fine one less curvature. */
    if (size > 0) error = fmin(error, fabs(grad[e] - coarse) / size);
    if (error <= r->worst && r->checked - r->kinks > 1) return 0;
    r->worst = error;
    r->element = e;
    r->gradient = grad[e];
    r->difference = fine;
    snprintf(r->value, sizeof r->value, "%s", c->g->values[c->wrt[i]].name);
    return 0;
}

/* The largest gradient of value i. */
static int find_scale(const check *c, size_t i, double *scale, nod_error *err)
{
    int64_t n = nod_shape_count(nod_graph_shape(c->g, c->wrt[i]));
    const double *grad = nod_plan_data(c->both, c->grads[i]);
    *scale = 0;
    for (int64_t e = 0; e < n; e++) {
        if (!isfinite(grad[e]))
            return nod_fail(err, NOD_ENUMERIC, "the gradient of '%s' is not finite at %lld",
                            c->g->values[c->wrt[i]].name, (long long)e);
        *scale = fmax(*scale, fabs(grad[e]));
    }
    return 0;
}

static int check_value(check *c, size_t i, double floor_all, nod_gradcheck_report *r,
                       nod_error *err)
{
    int64_t n = nod_shape_count(nod_graph_shape(c->g, c->wrt[i]));
    int64_t checks = NOD_MIN(n, c->o->elements);
    const double *grad = nod_plan_data(c->both, c->grads[i]);
    double scale;
    int rc = find_scale(c, i, &scale, err);
    for (int64_t k = 0; k < checks && rc == 0; k++) {
        int64_t e = checks == n ? k : k * (n - 1) / NOD_MAX(checks - 1, 1);
        rc = check_element(c, i, e, grad, fmax(1e-3 * scale, floor_all), r, err);
    }
    return rc;
}

int nod_gradcheck(const nod_graph *g, int loss, const nod_gradcheck_options *o,
                  nod_gradcheck_report *out, nod_error *err)
{
    int rc = 0;
    check c = {.loss = loss, .o = o};
    nod_gradcheck_report r = {.element = -1};
    const nod_run_context ctx = {.seed = o->seed, .step = 3};
    NOD_TRY(build(&c, g, err));
    NOD_TRY(nod_plan_run(c.both, &ctx, err));
    double largest = 0, scale;
    for (size_t i = 0; i < c.n_wrt; i++) {
        if (c.grads[i] < 0) continue;
        NOD_TRY(find_scale(&c, i, &scale, err));
        largest = fmax(largest, scale);
    }
    for (size_t i = 0; i < c.n_wrt; i++)
        if (c.grads[i] >= 0) NOD_TRY(check_value(&c, i, 1e-5 * largest, &r, err));
    if (4 * r.kinks > r.checked)
        rc = nod_fail(err, NOD_ENUMERIC,
                      "%lld of %lld elements lie at kinks: check with another seed or step",
                      (long long)r.kinks, (long long)r.checked);
    if (rc == 0) *out = r;
out:
    done(&c);
    return rc;
}
