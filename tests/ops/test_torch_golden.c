/* test_torch_golden.c: `ref` in f64 against PyTorch's float64, forward and all gradients.
 *
 * tests/golden/ops.json says the cases, ops.bin their numbers; tools/oracles/ops_golden.py
 * (PyTorch 2.13.0) made both. Both sides sum in f64, in another order: 1e-12 of the largest
 * number of each tensor. f32 plans are compared with the same numbers: their inputs are exact in
 * f32, and each op rounds once, so 1e-6 of the largest number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "exec/plan.h"
#include "ops/op_graph.h"

#define CASES_PATH   "tests/golden/ops.json"
#define NUMBERS_PATH "tests/golden/ops.bin"
#define LIMIT        ((size_t)1 << 20)

typedef struct golden {
    nod_json *cases;
    nod_bytes numbers;
    size_t at; /* bytes read */
} golden;

static void open_golden(golden *g)
{
    nod_error err = NOD_ERROR_INIT;
    g->at = 0;
    if (nod_json_read(CASES_PATH, LIMIT, &g->cases, &err) != 0 ||
        nod_file_read(NUMBERS_PATH, LIMIT, &g->numbers, &err) != 0)
        fail_msg("%s", err.message);
}

static void close_golden(golden *g)
{
    nod_json_free(g->cases);
    nod_bytes_done(&g->numbers);
}

/* --- a case from JSON --------------------------------------------------------------------- */

static nod_shape shape_from(const nod_json *j)
{
    nod_shape s = {.rank = (int)nod_json_count(j)};
    assert_in_range(s.rank, 0, NOD_RANK_MAX);
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = nod_json_i64(nod_json_at(j, (size_t)i));
    return s;
}

static void list_from(const nod_json *attr, const char *key, int64_t *out, size_t max)
{
    const nod_json *j = nod_json_get(attr, key);
    for (size_t i = 0; i < nod_json_count(j) && i < max; i++)
        out[i] = nod_json_i64(nod_json_at(j, i));
}

static void real_from(const nod_json *attr, const char *key, double *out)
{
    const nod_json *j = nod_json_get(attr, key);
    if (j != NULL) *out = nod_json_f64(j);
}

static nod_attrs attrs_from(const nod_json *j)
{
    nod_attrs a = nod_attrs_default();
    list_from(j, "kernel", a.kernel, 3);
    list_from(j, "stride", a.stride, 3);
    list_from(j, "dilation", a.dilation, 3);
    list_from(j, "out_pad", a.out_pad, 3);
    list_from(j, "scale", a.scale, 3);
    list_from(j, "pad", a.pad_lo, 3);
    memcpy(a.pad_hi, a.pad_lo, sizeof a.pad_hi);
    list_from(j, "pad_hi", a.pad_hi, 3);
    list_from(j, "lo", a.lo, NOD_RANK_MAX);
    list_from(j, "hi", a.hi, NOD_RANK_MAX);
    if (nod_json_get(j, "groups") != NULL) a.groups = nod_json_i64(nod_json_get(j, "groups"));
    if (nod_json_get(j, "shape") != NULL) a.shape = shape_from(nod_json_get(j, "shape"));
    if (nod_json_get(j, "stream") != NULL)
        a.stream = (uint32_t)nod_json_i64(nod_json_get(j, "stream"));
    if (nod_json_get(j, "act") != NULL)
        a.act = (nod_act)nod_act_from_name(nod_json_str(nod_json_get(j, "act")));
    real_from(j, "alpha", &a.alpha);
    real_from(j, "eps", &a.eps);
    real_from(j, "momentum", &a.momentum);
    real_from(j, "p", &a.p);
    real_from(j, "smoothing", &a.smoothing);
    real_from(j, "gamma", &a.gamma);
    a.per_channel = nod_json_truth(nod_json_get(j, "per_channel"));
    a.include_pad = nod_json_truth(nod_json_get(j, "include_pad"));
    a.global = nod_json_truth(nod_json_get(j, "global"));
    return a;
}

static op_fill fill_from(const char *name)
{
    static const char *const names[] = {"signed", "positive", "unit", "label", "coarse"};
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        if (strcmp(names[i], name) == 0) return (op_fill)i;
    fail_msg("unknown kind of numbers '%s'", name);
    return OP_FILL_SIGNED;
}

static void case_from(const nod_json *j, op_case *c)
{
    const nod_json *inputs = nod_json_get(j, "inputs");
    const char *op = nod_json_str(nod_json_get(j, "op"));
    *c = (op_case){.n_in = (int)nod_json_count(inputs),
                   .seed = (uint32_t)nod_json_i64(nod_json_get(j, "seed")),
                   .attr = attrs_from(nod_json_get(j, "attr"))};
    snprintf(c->name, sizeof c->name, "%s %s", op, nod_json_str(nod_json_get(j, "name")));
    c->op = (nod_op)(strcmp(op, "batch_norm_track") == 0 ? (int)NOD_OP_BATCH_NORM_TRACK
                                                         : nod_op_from_name(op));
    assert_in_range(c->n_in, 1, OP_CASE_IN_MAX);
    assert_in_range(c->op, 0, NOD_OP_COUNT - 1);
    for (int i = 0; i < c->n_in; i++) {
        const nod_json *in = nod_json_at(inputs, (size_t)i);
        c->in[i] = shape_from(nod_json_get(in, "shape"));
        c->fill[i] = fill_from(nod_json_str(nod_json_get(in, "fill")));
        c->has_grad[i] = nod_json_truth(nod_json_get(in, "grad"));
    }
}

/* --- comparing ---------------------------------------------------------------------------- */

/* The next tensor of the file against a value of the plan. */
static void compare(golden *gold, const op_case *c, const nod_graph *g, const nod_plan *plan,
                    int value, nod_precision p, const char *what)
{
    int64_t count = nod_shape_count(nod_graph_shape(g, value));
    const void *data = nod_plan_data(plan, value);
    double scale = 0, worst = 0;
    assert_non_null(data);
    assert_true(gold->at + (size_t)count * sizeof(double) <= gold->numbers.size);
    for (int64_t i = 0; i < count; i++) {
        double want, have = p == NOD_PRECISION_F64 ? ((const double *)data)[i]
                                                   : (double)((const float *)data)[i];
        memcpy(&want, gold->numbers.data + gold->at + (size_t)i * sizeof want, sizeof want);
        double d = fabs(have - want);
        if (isnan(d)) fail_msg("case '%s': %s is not a number", c->name, what);
        worst = fmax(worst, d);
        scale = fmax(scale, fabs(want));
    }
    gold->at += (size_t)count * sizeof(double);
    double allowed = (p == NOD_PRECISION_F64 ? 1e-12 : 1e-6) * scale;
    if (worst > allowed)
        fail_msg("case '%s': %s differs by %g, allowed %g", c->name, what, worst, allowed);
}

static nod_plan *run(const op_case *c, const op_graph *g, const op_data *d, nod_precision p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_run_context context = {.seed = 5, .step = 2};
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    nod_plan *plan = NULL;
    o.backend = nod_backend_ref();
    o.precision = p;
    if (nod_plan_make(g->graph, &o, &plan, &err) != 0 || nod_plan_prepare(plan, &err) != 0)
        fail_msg("case '%s': %s", c->name, err.message);
    for (size_t i = 0; i < d->n; i++)
        if (d->of[i] != NULL) nod_plan_bind(plan, (int)i, d->of[i]);
    if (nod_plan_run(plan, &context, &err) != 0) fail_msg("%s: %s", c->name, err.message);
    return plan;
}

static void check_case(golden *gold, const op_case *c, nod_precision p)
{
    nod_error err = NOD_ERROR_INIT;
    op_graph g;
    op_data d;
    if (op_graph_build(c, true, &g, &err) != 0) fail_msg("%s", err.message);
    op_data_init(&d, &g, c, p);
    nod_plan *plan = run(c, &g, &d, p);
    compare(gold, c, g.graph, plan, g.y, p, "output");
    compare(gold, c, g.graph, plan, g.loss, p, "loss");
    for (int i = 0; i < c->n_in; i++) {
        char what[32];
        snprintf(what, sizeof what, "gradient of input %d", i);
        if (c->has_grad[i]) compare(gold, c, g.graph, plan, g.grad[i], p, what);
    }
    nod_plan_free(plan);
    op_data_done(&d);
    op_graph_done(&g);
}

/* x gamma beta run_mean run_var: a training batch norm whose statistics are tracked. */
static void check_track(golden *gold, const op_case *c, nod_precision p)
{
    nod_error err = NOD_ERROR_INIT;
    op_graph g = {.target = -1};
    op_data d;
    nod_attrs a = c->attr;
    int64_t channels = c->in[0].dim[1];
    NOD_ASSERT(channels > 0);
    a.count = nod_shape_count(&c->in[0]) / channels;
    assert_int_equal(nod_graph_new(&g.graph, &err), 0);
    for (int i = 0; i < c->n_in; i++) {
        char name[16];
        snprintf(name, sizeof name, "in%d", i);
        g.in[i] = i < 3 ? nod_graph_input(g.graph, name, c->in[i], false)
                        : nod_graph_state(g.graph, name, c->in[i], 0);
    }
    int bn = nod_graph_add_node(g.graph, NOD_OP_BATCH_NORM, "bn", g.in, 3, &a);
    int track[4] = {g.in[3], g.in[4], nod_graph_out(g.graph, bn, 1),
                    nod_graph_out(g.graph, bn, 2)};
    nod_graph_add_node(g.graph, NOD_OP_BATCH_NORM_TRACK, "bn", track, 4, &a);
    nod_graph_output(g.graph, nod_graph_out(g.graph, bn, 0));
    if (nod_graph_check(g.graph, &err) != 0) fail_msg("%s", err.message);
    op_data_init(&d, &g, c, p);
    nod_plan *plan = run(c, &g, &d, p);
    compare(gold, c, g.graph, plan, g.in[3], p, "running mean");
    compare(gold, c, g.graph, plan, g.in[4], p, "running variance");
    nod_plan_free(plan);
    op_data_done(&d);
    op_graph_done(&g);
}

static void check_all(nod_precision p)
{
    golden gold;
    open_golden(&gold);
    bool seen[NOD_OP_COUNT] = {false};
    for (size_t i = 0; i < nod_json_count(gold.cases); i++) {
        op_case c;
        case_from(nod_json_at(gold.cases, i), &c);
        seen[c.op] = true;
        if (c.op == NOD_OP_BATCH_NORM_TRACK)
            check_track(&gold, &c, p);
        else
            check_case(&gold, &c, p);
    }
    assert_int_equal(gold.at, gold.numbers.size);
    for (int op = 0; op < NOD_OP_DENSE_BWD_DATA; op++)
        if (!seen[op]) fail_msg("no PyTorch case for %s", nod_op_name((nod_op)op));
    close_golden(&gold);
}

static void test_f64(void **state)
{
    (void)state;
    check_all(NOD_PRECISION_F64);
}

static void test_f32(void **state)
{
    (void)state;
    check_all(NOD_PRECISION_F32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f64), cmocka_unit_test(test_f32)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
