/* test_params.c: the flat buffers of parameters and statistics: where slices lie, what they begin
 * with, and binding by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "model/params.h"

enum { FAN_IN = 60, FAN_OUT = 40 };

/* Adds one parameter [FAN_OUT, FAN_IN] of the kind. */
static void add(nod_graph *g, const char *name, nod_init_kind kind, double a, double gain)
{
    nod_init init = {kind, a, gain};
    nod_graph_param(g, name, nod_shape_of(2, FAN_OUT, FAN_IN), init, NOD_GROUP_WEIGHT, FAN_IN,
                    FAN_OUT);
}

static nod_graph *new_graph(void)
{
    nod_error err = NOD_ERROR_INIT;
    nod_graph *g = NULL;
    assert_int_equal(nod_graph_new(&g, &err), 0);
    return g;
}

static nod_params *new_params(const nod_graph *g)
{
    nod_error err = NOD_ERROR_INIT;
    nod_params *p = NULL;
    if (nod_params_new(g, &p, &err) != 0) fail_msg("%s", err.message);
    return p;
}

/* x [1,3] -> dense of 2 -> batch norm: parameters 6, 2, 2, 2, states 2, 2. */
static nod_graph *small_graph(void)
{
    nod_graph *g = new_graph();
    int x = nod_graph_input(g, "x", nod_shape_of(2, 4, 3), false);
    int y = nod_graph_dense(g, "d", x, 2, true, (nod_init){NOD_INIT_HE_NORMAL, 0, 1});
    nod_graph_output(g, nod_graph_batch_norm(g, "n", y, 1e-5, 0.1, false));
    nod_error err = NOD_ERROR_INIT;
    if (nod_graph_check(g, &err) != 0) fail_msg("%s", err.message);
    return g;
}

/* Each slice begins on 64 bytes, 16 floats; none overlaps; gaps are 0 also after drawing. */
static void test_layout(void **state)
{
    nod_graph *g = small_graph();
    nod_params *p = new_params(g);
    (void)state;
    nod_params_init(p, 3);
    assert_int_equal(p->n_params, 4);
    assert_int_equal(p->n_states, 2);
    assert_int_equal(p->size, 4 * 16);
    assert_int_equal(p->state_size, 2 * 16);
    assert_int_equal((uintptr_t)p->data % 64, 0);
    for (size_t i = 0; i < p->n_params; i++) {
        assert_int_equal(p->params[i].offset, 16 * (int64_t)i);
        for (int64_t k = p->params[i].count; k < 16; k++)
            assert_true(p->data[p->params[i].offset + k] == 0);
    }
    assert_int_equal(nod_params_count(p, NOD_GROUP_WEIGHT), 6);
    assert_int_equal(nod_params_count(p, NOD_GROUP_BIAS), 2);
    assert_int_equal(nod_params_count(p, NOD_GROUP_NORM), 4);
    nod_params_free(p);
    nod_graph_free(g);
}

/* A norm begins as the identity: gamma 1, beta 0, running mean 0 and variance 1. */
static void test_norm_begins_as_identity(void **state)
{
    nod_graph *g = small_graph();
    nod_params *p = new_params(g);
    (void)state;
    nod_params_init(p, 3);
    for (size_t i = 0; i < p->n_params + p->n_states; i++) {
        const nod_param *q = i < p->n_params ? &p->params[i] : &p->states[i - p->n_params];
        if (strncmp(q->name, "n.", 2) != 0) continue;
        const float *v = nod_params_data(p, q->name);
        bool one = strcmp(q->name, "n.weight") == 0 || strcmp(q->name, "n.running_var") == 0;
        for (int64_t k = 0; k < q->count; k++)
            if (v[k] != (one ? 1 : 0)) fail_msg("%s: %g", q->name, (double)v[k]);
    }
    nod_params_free(p);
    nod_graph_free(g);
}

static void moments(const nod_params *p, const char *name, double *sd, double *largest)
{
    const float *v = nod_params_data(p, name);
    const int64_t n = FAN_IN * FAN_OUT;
    double sum = 0, squares = 0;
    *largest = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)v[i];
        squares += (double)v[i] * (double)v[i];
        *largest = fmax(*largest, fabs((double)v[i]));
    }
    *sd = sqrt(squares / (double)n);
    /* the mean of n numbers of mean 0 is within 5 of its standard errors of 0 */
    assert_true(fabs(sum / (double)n) < 5 * *sd / sqrt((double)n));
}

/* Standard deviations: Glorot and Bengio 2010 eq. 16 and 12, He et al. 2015 eq. 10 with gain
 * sqrt(2); a uniform [-b, b] has sd b / sqrt(3). Of 2400 numbers the sd is known to 1.5 % (one
 * standard error, normal) or less; 6 % is four of them. */
static void test_spread(void **state)
{
    static const double in = FAN_IN, both = FAN_IN + FAN_OUT;
    const struct {
        const char *name;
        nod_init_kind kind;
        double a, gain, sd;
        bool uniform;
    } kinds[] = {
        {"u", NOD_INIT_UNIFORM, 0.3, 1, 0.3 / sqrt(3), true},
        {"n", NOD_INIT_NORMAL, 0.2, 1, 0.2, false},
        {"xu", NOD_INIT_XAVIER_UNIFORM, 0, 5.0 / 3, 5.0 / 3 * sqrt(2 / both), true},
        {"xn", NOD_INIT_XAVIER_NORMAL, 0, 1, sqrt(2 / both), false},
        {"hu", NOD_INIT_HE_UNIFORM, 0, sqrt(2), sqrt(2 / in), true},
        {"hn", NOD_INIT_HE_NORMAL, 0, sqrt(2), sqrt(2 / in), false},
    };
    nod_graph *g = new_graph();
    double sd, largest;
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(kinds); i++)
        add(g, kinds[i].name, kinds[i].kind, kinds[i].a, kinds[i].gain);
    nod_params *p = new_params(g);
    nod_params_init(p, 11);
    for (size_t i = 0; i < NOD_COUNT(kinds); i++) {
        moments(p, kinds[i].name, &sd, &largest);
        if (fabs(sd / kinds[i].sd - 1) > 0.06)
            fail_msg("%s: sd %g, not %g", kinds[i].name, sd, kinds[i].sd);
        double bound = kinds[i].sd * sqrt(3);
        if (kinds[i].uniform)
            assert_true(largest <= bound * (1 + 1e-6) && largest > 0.99 * bound);
        else
            assert_true(largest > bound);
    }
    nod_params_free(p);
    nod_graph_free(g);
}

static void hash(const nod_params *p, char out[65])
{
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_params_hash(p, out, &err), 0);
}

/* Equal seeds, equal bits; a copy is equal and its own; one changed number changes the hash. */
static void test_seed_copy_hash(void **state)
{
    nod_graph *g = small_graph();
    nod_params *a = new_params(g), *b = new_params(g), *copy = NULL;
    nod_error err = NOD_ERROR_INIT;
    char ha[65], hb[65], hc[65];
    (void)state;
    nod_params_init(a, 5);
    nod_params_init(b, 5);
    hash(a, ha);
    hash(b, hb);
    assert_string_equal(ha, hb);
    nod_params_init(b, 6);
    hash(b, hb);
    assert_string_not_equal(ha, hb);
    assert_int_equal(nod_params_copy(a, &copy, &err), 0);
    hash(copy, hc);
    assert_string_equal(ha, hc);
    a->state_data[1] += 1;
    hash(a, ha);
    assert_string_not_equal(ha, hc);
    hash(copy, hb);
    assert_string_equal(hb, hc);
    nod_params_free(copy);
    nod_params_free(b);
    nod_params_free(a);
    nod_params_free(NULL);
    nod_graph_free(g);
}

static void test_find(void **state)
{
    nod_graph *g = small_graph();
    nod_params *p = new_params(g);
    (void)state;
    assert_ptr_equal(nod_params_find(p, "d.weight"), &p->params[0]);
    assert_ptr_equal(nod_params_data(p, "d.bias"), p->data + 16);
    assert_null(nod_params_find(p, "d"));
    assert_null(nod_params_data(p, "d"));
    nod_params_free(p);
    nod_graph_free(g);
}

/* Binding the graph of one dense layer with parameters made for another. */
static void assert_unbound(const char *name, int64_t units, const char *words)
{
    nod_graph *mine = small_graph(), *g = new_graph();
    nod_params *p = new_params(mine);
    nod_error err = NOD_ERROR_INIT;
    nod_plan *plan = NULL;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    int x = nod_graph_input(g, "x", nod_shape_of(2, 1, 3), false);
    nod_graph_output(g, nod_graph_dense(g, name, x, units, false, (nod_init){0}));
    if (nod_plan_make(g, &o, &plan, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_params_bind(p, g, plan, &err), NOD_ESHAPE);
    assert_string_equal(err.message, words);
    nod_plan_free(plan);
    nod_params_free(p);
    nod_graph_free(g);
    nod_graph_free(mine);
}

static void test_bind_refuses(void **state)
{
    (void)state;
    assert_unbound("e", 2, "parameter 'e.weight' of the network is not in the model");
    assert_unbound("d", 5,
                   "parameter 'd.weight' is [2, 3] in the model, [5, 3] in the network");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout), cmocka_unit_test(test_norm_begins_as_identity),
        cmocka_unit_test(test_spread), cmocka_unit_test(test_seed_copy_hash),
        cmocka_unit_test(test_find),   cmocka_unit_test(test_bind_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
