/* test_tune.c: the faster kernel is found by measuring, kept only where the whole gains, and never
 * one that computes between other layouts. Two kernels of a known number of sleeps stand for a slow
 * and a fast one, so no time is compared that the test did not make itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "exec/plan_internal.h"
#include "exec/tune.h"
#include "temp_folder.h"

/* --- a backend of three kernels ---------------------------------------------------------------- */

static int fits_anywhere(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)q;
    (void)fit;
    return 1;
}

static int fits_last(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)q;
    fit->in[0] = fit->out[0] = NOD_LAYOUT_LAST;
    return 1;
}

static const nod_kernel_def rule = {.name = "rule", .op = NOD_OP_ACT, .match = fits_anywhere};
static const nod_kernel_def other = {.name = "other", .op = NOD_OP_ACT, .match = fits_anywhere};
static const nod_kernel_def last = {.name = "last", .op = NOD_OP_ACT, .match = fits_last};
static const nod_kernel_def *const rows[] = {&rule, &other, &last, NULL};

/* --- the work: times are told, not measured ---------------------------------------------------- */

typedef struct work {
    nod_graph *graph;
    nod_backend backend;
    nod_plan *plan;
    double other_s; /* of one step by `other`; `rule` takes 1 s */
    double drift_s; /* of every further round */
    int n_calls;
} work;

static int measure(void *ctx, const nod_kernel_table *table, const nod_plan **plan,
                   nod_error *err)
{
    work *w = ctx;
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = &w->backend;
    o.table = table;
    nod_plan_free(w->plan);
    w->plan = NULL;
    int rc = nod_plan_make(w->graph, &o, &w->plan, err);
    if (rc) return rc;
    for (size_t i = 0; i < w->plan->n_steps; i++) {
        nod_step *s = &w->plan->steps[i];
        assert_ptr_not_equal(s->def, &last);
        s->time_s = s->def == &other ? w->other_s : 1;
        s->time_s += w->n_calls * w->drift_s;
    }
    w->n_calls++;
    *plan = w->plan;
    return 0;
}

static work new_work(double other_s)
{
    nod_error err = NOD_ERROR_INIT;
    work w = {.other_s = other_s, .backend = *nod_backend_ref()};
    w.backend.kernels = rows;
    w.backend.fallback = nod_backend_ref;
    assert_int_equal(nod_graph_new(&w.graph, &err), 0);
    int x = nod_graph_input(w.graph, "x", nod_shape_of(2, 2, 2), false);
    x = nod_graph_act(w.graph, "1", x, NOD_ACT_RELU, 0);
    x = nod_graph_act(w.graph, "2", x, NOD_ACT_RELU, 0);
    x = nod_graph_act(w.graph, "3", x, NOD_ACT_TANH, 0);
    nod_graph_output(w.graph, nod_graph_softmax(w.graph, "s", x));
    return w;
}

static nod_tune_result tune(work *w, nod_kernel_table *t)
{
    nod_error err = NOD_ERROR_INIT;
    nod_tune_result r;
    nod_tune_work tw = {measure, w};
    if (nod_tune(&tw, t, &r, &err)) fail_msg("%s", err.message);
    return r;
}

static void done(work *w)
{
    nod_plan_free(w->plan);
    nod_graph_free(w->graph);
}

/* Three kinds: two equal ReLUs, a tanh, the softmax of the fallback. One round for `other`, one for
 * the result: 4 s by the rule, 3 x .25 + 1 with `other`. */
static void test_the_faster_one_is_kept(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_table *t = NULL;
    assert_int_equal(nod_kernel_table_new(&t, &err), 0);
    work w = new_work(0.25);
    nod_tune_result r = tune(&w, t);
    assert_int_equal(r.n_keys, 3);
    assert_int_equal(r.n_candidates, 2);
    assert_int_equal(r.n_changed, 2);
    assert_int_equal(w.n_calls, 3);
    assert_float_equal(r.before_s, 4, 1e-9);
    assert_float_equal(r.after_s, 1.75, 1e-9);
    assert_int_equal(nod_kernel_table_count(t), 2);
    assert_string_equal(nod_kernel_table_get(t, "c/f32/act/i0:2,2/relu"), "other");
    assert_string_equal(nod_kernel_table_get(t, "c/f32/act/i0:2,2/tanh"), "other");
    /* what a table leads to is the next tuning's rule */
    r = tune(&w, t);
    assert_int_equal(r.n_changed, 0);
    assert_float_equal(r.before_s, 1.75, 1e-9);
    assert_int_equal(nod_kernel_table_count(t), 2);
    done(&w);
    nod_kernel_table_free(t);
}

static void test_noise_is_not_kept(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_table *t = NULL;
    assert_int_equal(nod_kernel_table_new(&t, &err), 0);
    work w = new_work(1 - NOD_TUNE_GAIN + 0.01);
    nod_tune_result r = tune(&w, t);
    assert_int_equal(r.n_changed, 0);
    assert_int_equal(w.n_calls, 2);
    done(&w);
    /* faster alone, but not as a whole: the machine slows down from round to round */
    w = new_work(0.5);
    w.drift_s = 0.3;
    r = tune(&w, t);
    assert_int_equal(w.n_calls, 3);
    assert_int_equal(r.n_changed, 0);
    assert_int_equal(nod_kernel_table_count(t), 0);
    done(&w);
    nod_kernel_table_free(t);
}

/* --- files ------------------------------------------------------------------------------------- */

static void expect_refused(const char *path, const char *text, int code, const char *words)
{
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_table *t = NULL;
    assert_int_equal(nod_file_write(path, text, strlen(text), &err), 0);
    assert_int_equal(nod_kernel_table_read(path, &t, &err), code);
    assert_null(t);
    if (!strstr(err.message, words) || !strstr(err.message, path))
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void test_files(void **state)
{
    const char *folder = *state;
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_table *t = NULL, *back = NULL;
    snprintf(path, sizeof path, "%s/kernels.json", folder);
    assert_int_equal(nod_kernel_table_new(&t, &err), 0);
    assert_int_equal(nod_kernel_table_set(t, "c/f32/layout", "last", &err), 0);
    assert_int_equal(nod_precision_settle(t, nod_backend_ref(), NOD_PRECISION_F32, &err), 0);
    assert_int_equal(nod_kernel_table_write(t, path, &err), 0);
    assert_int_equal(nod_kernel_table_read(path, &back, &err), 0);
    assert_int_equal(nod_kernel_table_count(back), 2);
    assert_string_equal(nod_kernel_table_get(back, "c/f32/layout"), "last");
    assert_string_equal(nod_kernel_table_get(back, "c/precision"), "f32");
    nod_kernel_table_free(back);
    nod_kernel_table_free(t);
    expect_refused(path, "{", NOD_EFORMAT, "kernels.json");
    expect_refused(path, "{}", NOD_EFORMAT, "format");
    expect_refused(path, "{\"format\": \"nodule-run\", \"format_version\": 1}", NOD_EFORMAT,
                   "not a kernel table");
    expect_refused(path, "{\"format\": \"nodule-kernels\", \"format_version\": 2}",
                   NOD_EUNSUPPORTED, "newer");
    expect_refused(path, "{\"format\": \"nodule-kernels\", \"format_version\": 1}", NOD_EFORMAT,
                   "object");
}

/* The table has the last word, but not on a processor without bf16. */
static void test_precision_auto(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_kernel_table *t = NULL;
    const nod_backend *cpu = nod_backend_find("cpu"), *ref = nod_backend_ref();
    bool half = cpu->has_precision(NOD_PRECISION_BF16);
    assert_int_equal(nod_precision_auto(ref, NULL), NOD_PRECISION_F32);
    assert_int_equal(nod_precision_auto(cpu, NULL),
                     half ? NOD_PRECISION_BF16 : NOD_PRECISION_F32);
    assert_int_equal(nod_kernel_table_new(&t, &err), 0);
    assert_int_equal(nod_precision_settle(t, cpu, NOD_PRECISION_BF16, &err), 0);
    assert_int_equal(nod_precision_auto(cpu, t), half ? NOD_PRECISION_BF16 : NOD_PRECISION_F32);
    assert_int_equal(nod_precision_settle(t, cpu, NOD_PRECISION_F32, &err), 0);
    assert_int_equal(nod_precision_auto(cpu, t), NOD_PRECISION_F32);
    nod_kernel_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_faster_one_is_kept),
        cmocka_unit_test(test_noise_is_not_kept),
        cmocka_unit_test_setup_teardown(test_files, temp_folder_make, temp_folder_remove),
        cmocka_unit_test(test_precision_auto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
