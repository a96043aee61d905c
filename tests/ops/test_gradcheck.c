/* test_gradcheck.c: every gradient of every case against finite differences in f64 on `ref`.
 *
 * With f(t) = loss(x + t u) along a direction u of one input,
 *     (f(h) - f(-h)) / 2h = <gradient, u> + O(h^2).
 * Directions: DIRECTIONS random ones (which move every element), and up to ELEMENTS single
 * elements. h = 1e-5 leaves about 1e-10 of truncation and 1e-11 of rounding at losses near 1;
 * the tolerance is 1e-7 of the gradient's length. Kinks (ReLU at 0, ties of a maximum) do not
 * lie within h of these fixed inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "exec/plan.h"
#include "ops/op_graph.h"

#define STEP       1e-5
#define TOLERANCE  1e-7
#define DIRECTIONS 3
#define ELEMENTS   6

/* The case twice: forward alone, and with its gradients. Inputs have the same ids in both. */
typedef struct checker {
    const op_case *c;
    op_graph forward, g;
    nod_plan *forward_plan, *plan;
    op_data data;
} checker;

static void run(const checker *k, nod_plan *plan)
{
    nod_error err = NOD_ERROR_INIT;
    nod_run_context context = {.seed = 5, .step = 2};
    if (nod_plan_run(plan, &context, &err) != 0)
        fail_msg("case '%s': %s", k->c->name, err.message);
}

static double loss_at(const checker *k)
{
    run(k, k->forward_plan);
    return *(double *)nod_plan_data(k->forward_plan, k->forward.loss);
}

static nod_plan *plan_of(const checker *k, const op_graph *g)
{
    nod_error err = NOD_ERROR_INIT;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nod_plan *plan = NULL;
    o.backend = nod_backend_ref();
    o.precision = NOD_PRECISION_F64;
    if (nod_plan_make(g->graph, &o, &plan, &err) != 0 || nod_plan_prepare(plan, &err) != 0)
        fail_msg("case '%s': %s", k->c->name, err.message);
    for (size_t i = 0; i < k->data.n; i++)
        if (k->data.of[i] != NULL) nod_plan_bind(plan, (int)i, k->data.of[i]);
    return plan;
}

static void start(checker *k, const op_case *c)
{
    nod_error err = NOD_ERROR_INIT;
    k->c = c;
    if (op_graph_build(c, false, &k->forward, &err) != 0 ||
        op_graph_build(c, true, &k->g, &err) != 0)
        fail_msg("%s", err.message);
    op_data_init(&k->data, &k->forward, c, NOD_PRECISION_F64);
    k->forward_plan = plan_of(k, &k->forward);
    k->plan = plan_of(k, &k->g);
}

static void stop(checker *k)
{
    nod_plan_free(k->forward_plan);
    nod_plan_free(k->plan);
    op_data_done(&k->data);
    op_graph_done(&k->forward);
    op_graph_done(&k->g);
}

/* u: random, or 1 at one element. */
static void set_direction(double *u, int64_t count, int which)
{
    for (int64_t j = 0; j < count; j++)
        u[j] =
            which < DIRECTIONS ? op_fill_value(OP_FILL_SIGNED, 77u + (uint32_t)which, j, 1) : 0;
    if (which >= DIRECTIONS) u[(which - DIRECTIONS) * 2654435761 % count] = 1;
}

static void check_input(const checker *k, int i)
{
    double *x = k->data.of[k->g.in[i]];
    int64_t count = nod_shape_count(&k->c->in[i]);
    double *u = nod_calloc((size_t)count, sizeof *u),
           *at = nod_memdup(x, (size_t)count * sizeof *x);
    assert_non_null(u);
    assert_non_null(at);
    run(k, k->plan);
    double *gradient =
        nod_memdup(nod_plan_data(k->plan, k->g.grad[i]), (size_t)count * sizeof *x);
    assert_non_null(gradient);
    int n_single = count < ELEMENTS ? (int)count : ELEMENTS;
    for (int which = 0; which < DIRECTIONS + n_single; which++) {
        double analytic = 0, length = 0, u_length = 0, side[2];
        set_direction(u, count, which);
        for (int64_t j = 0; j < count; j++) {
            analytic += gradient[j] * u[j];
            length += gradient[j] * gradient[j];
            u_length += u[j] * u[j];
        }
        for (int s = 0; s < 2; s++) {
            for (int64_t j = 0; j < count; j++)
                x[j] = at[j] + (s ? STEP : -STEP) * u[j];
            side[s] = loss_at(k);
        }
        memcpy(x, at, (size_t)count * sizeof *x);
        double numeric = (side[1] - side[0]) / (2 * STEP);
        double scale = sqrt(length * u_length) + 1e-3;
        if (!(fabs(numeric - analytic) <= TOLERANCE * scale))
            fail_msg(
                "case '%s', input %d, direction %d: gradient says %.12g, differences %.12g",
                k->c->name, i, which, analytic, numeric);
    }
    nod_free(u);
    nod_free(at);
    nod_free(gradient);
}

static void test_all(void **state)
{
    (void)state;
    size_t n, n_checked = 0;
    op_case *cases = op_cases_new(&n);
    assert_non_null(cases);
    for (size_t c = 0; c < n; c++) {
        checker k;
        if (cases[c].fill[0] == OP_FILL_COARSE) continue; /* no derivative at a tie */
        start(&k, &cases[c]);
        for (int i = 0; i < cases[c].n_in; i++) {
            if (k.g.grad[i] < 0) {
                assert_false(cases[c].has_grad[i]);
                continue;
            }
            check_input(&k, i);
            n_checked++;
        }
        stop(&k);
    }
    printf("%zu gradients of %zu cases\n", n_checked, n);
    nod_free(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
