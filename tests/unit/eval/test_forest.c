/* test_forest.c: the forest against scikit-learn's, and rules that can be seen in one tree.
 *
 * Sources: tests/golden/eval_forest.json (tools/oracles/forest_golden.py) for AUCs; counts by hand
 * for shares in leaves.
 * LABELS: tsan */
#include "golden.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/delong.h"
#include "eval/forest.h"

static nod_forest_table *table_of(size_t n, const nod_feature *features, size_t n_features)
{
    nod_error err = NOD_ERROR_INIT;
    nod_forest_table *t;
    if (nod_forest_table_new(n, features, n_features, &t, &err) != 0)
        fail_msg("%s", err.message);
    return t;
}

static nod_forest *fitted(const nod_forest_table *t, size_t n, const uint8_t *y, size_t k,
                          const nod_forest_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_forest *f;
    size_t *rows = calloc(n + 1, sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    if (nod_forest_fit(t, rows, n, y, k, o, &f, &err) != 0) fail_msg("%s", err.message);
    free(rows);
    return f;
}

/* --- against scikit-learn ----------------------------------------------------------------- */

typedef struct golden_forest {
    size_t n, k, n_features;
    double *columns; /* [n_features][n] */
    uint8_t *y;      /* [n][k] */
    nod_feature features[8];
} golden_forest;

static void open_golden(const nod_json *e, golden_forest *g)
{
    const nod_json *x = nod_json_get(e, "x"), *kinds = nod_json_get(e, "categories");
    size_t n_y;
    int32_t *y = golden_ints(nod_json_get(e, "y"), &n_y), top = 0;
    g->n = nod_json_count(x);
    g->n_features = nod_json_count(kinds);
    assert_true(n_y == g->n && g->n_features <= NOD_COUNT(g->features));
    for (size_t i = 0; i < g->n; i++)
        top = NOD_MAX(top, y[i]);
    g->k = top == 1 ? 1 : (size_t)top + 1;
    g->columns = calloc(g->n * g->n_features + 1, sizeof *g->columns);
    g->y = calloc(g->n * g->k + 1, 1);
    assert_true(g->columns && g->y);
    for (size_t i = 0; i < g->n; i++) {
        if (g->k == 1)
            g->y[i] = (uint8_t)y[i];
        else
            g->y[i * g->k + (size_t)y[i]] = 1;
        for (size_t j = 0; j < g->n_features; j++)
            g->columns[j * g->n + i] = golden_at(nod_json_at(x, i), j);
    }
    for (size_t j = 0; j < g->n_features; j++)
        g->features[j] = (nod_feature){g->columns + j * g->n, (size_t)golden_at(kinds, j)};
    free(y);
}

/* Mean over the questions of the AUC on the second half of the rows. */
static double held_out_auc(const golden_forest *g, const nod_forest_table *t,
                           const nod_forest *f)
{
    nod_error err = NOD_ERROR_INIT;
    size_t half = g->n / 2;
    double sum = 0, *p = calloc(g->k, sizeof *p), *score = calloc(half + 1, sizeof *score);
    uint8_t *y = calloc(half + 1, 1);
    size_t *own = calloc(half + 1, sizeof *own);
    assert_true(p && score && y && own);
    for (size_t q = 0; q < g->k; q++) {
        for (size_t i = 0; i < half; i++) {
            nod_forest_predict(f, nod_forest_table_row(t, half + i), p);
            score[i] = p[q];
            y[i] = g->y[(half + i) * g->k + q];
            own[i] = i;
        }
        const nod_auc_sample s = {half, 1, half, score, half, y, own};
        nod_auc_variance v;
        assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
        sum += v.auc;
    }
    free(p);
    free(score);
    free(y);
    free(own);
    return sum / (double)g->k;
}

/* Mean over ten seeds. Two forests that are the same but for their random numbers differ in it by
 * sd * sqrt(1/20 + 1/10); four of those, and 0.012 for what is not the same: bins, categories as one
 * column, and leaves whose rows are counted as often as they were drawn. */
static void test_scikit_learn(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("forest", &root);
    assert_true(nod_json_count(cases) >= 6);
    for (size_t c = 0; c < nod_json_count(cases); c++) {
        const nod_json *e = nod_json_at(cases, c);
        golden_forest g = {0};
        open_golden(e, &g);
        nod_forest_table *t = table_of(g.n, g.features, g.n_features);
        nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
        o.n_trees = (size_t)nod_json_i64(nod_json_get(e, "trees"));
        o.min_leaf = (size_t)nod_json_i64(nod_json_get(e, "min_leaf"));
        double sum = 0, want = nod_json_f64(nod_json_get(e, "auc"));
        double sd = nod_json_f64(nod_json_get(e, "sd"));
        for (o.seed = 0; o.seed < 10; o.seed++) {
            nod_forest *f = fitted(t, g.n / 2, g.y, g.k, &o);
            sum += held_out_auc(&g, t, f);
            nod_forest_free(f);
        }
        if (fabs(sum / 10 - want) > 4 * sd * sqrt(1. / 20 + 1. / 10) + 0.012)
            fail_msg("%s: AUC %.4f, scikit-learn %.4f (sd %.4f)",
                     nod_json_str(nod_json_get(e, "name")), sum / 10, want, sd);
        nod_forest_table_free(t);
        free(g.columns);
        free(g.y);
    }
    nod_json_free(root);
}

/* --- rules -------------------------------------------------------------------------------- */

static double predicted(const nod_forest *f, const nod_forest_table *t, size_t row)
{
    double p;
    nod_forest_predict(f, nod_forest_table_row(t, row), &p);
    return p;
}

/* Learned from 20 rows at 0 and 60 at 10: a value between goes to the nearer side, and one that is
 * missing, which training has not seen, with the larger side. */
static void test_unseen(void **state)
{
    (void)state;
    double x[83];
    uint8_t y[83] = {0};
    for (size_t i = 0; i < 80; i++) {
        x[i] = i < 20 ? 0 : 10;
        y[i] = i >= 20;
    }
    x[80] = 4;
    x[81] = 6;
    x[82] = NAN;
    const nod_feature feature = {x, 0};
    nod_forest_table *t = table_of(83, &feature, 1);
    nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
    nod_forest *f = fitted(t, 80, y, 1, &o);
    assert_true(predicted(f, t, 0) == 0 && predicted(f, t, 79) == 1);
    assert_true(predicted(f, t, 80) == 0 && predicted(f, t, 81) == 1);
    assert_true(predicted(f, t, 82) == 1);
    nod_forest_free(f);
    nod_forest_table_free(t);
}

/* Yes where a value is missing or above 5: one split must send the missing ones to the right. */
static void test_missing_side(void **state)
{
    (void)state;
    double x[90];
    uint8_t y[90];
    for (size_t i = 0; i < 90; i++) {
        x[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? 8 : 2;
        y[i] = i % 3 != 2;
    }
    const nod_feature feature = {x, 0};
    nod_forest_table *t = table_of(90, &feature, 1);
    nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
    nod_forest *f = fitted(t, 90, y, 1, &o);
    for (size_t i = 0; i < 90; i++)
        assert_true(predicted(f, t, i) == y[i]);
    nod_forest_free(f);
    nod_forest_table_free(t);
}

/* A hundred categories, those with an even number are yes: the 62 most frequent ones are told
 * apart, the others share a bin whose rate is one half. */
static void test_many_categories(void **state)
{
    (void)state;
    double x[100 * 8];
    uint8_t y[100 * 8];
    size_t n = 0;
    for (size_t c = 0; c < 100; c++)
        for (size_t i = 0; i < (c < 62 ? 8u : 4u); i++, n++) {
            x[n] = (double)c;
            y[n] = c % 2 == 0;
        }
    const nod_feature feature = {x, 100};
    nod_forest_table *t = table_of(n, &feature, 1);
    nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
    nod_forest *f = fitted(t, n, y, 1, &o);
    for (size_t i = 0; i < n; i++) {
        double p = predicted(f, t, i);
        if (x[i] < 62 ? fabs(p - y[i]) > 0.2 : fabs(p - 0.5) > 0.2)
            fail_msg("category %g: %g", x[i], p);
    }
    nod_forest_free(f);
    nod_forest_table_free(t);
}

/* Exclusive or of two features: no split helps at first but chance, two levels tell it all. */
static void test_interaction(void **state)
{
    (void)state;
    double x[2][400];
    uint8_t y[400];
    nod_rng rng = nod_rng_make(1, NOD_RNG_TEST, 0);
    for (size_t i = 0; i < 400; i++) {
        x[0][i] = nod_rng_uniform(&rng);
        x[1][i] = nod_rng_uniform(&rng);
        y[i] = (x[0][i] > 0.5) != (x[1][i] > 0.5);
    }
    const nod_feature features[2] = {{x[0], 0}, {x[1], 0}};
    nod_forest_table *t = table_of(400, features, 2);
    nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
    nod_forest *f = fitted(t, 400, y, 1, &o);
    size_t right = 0;
    for (size_t i = 0; i < 400; i++)
        right += (predicted(f, t, i) > 0.5) == y[i];
    assert_true(right >= 390);
    nod_forest_free(f);
    /* Without one of them there is nothing to be told, and an excluded one is not looked at. */
    const bool excluded[2] = {false, true};
    o.excluded = excluded;
    o.min_leaf = 40;
    f = fitted(t, 400, y, 1, &o);
    for (size_t i = 0; i < 400; i++) {
        uint8_t bins[2] = {nod_forest_table_row(t, i)[0], 0};
        double a, b;
        nod_forest_predict(f, bins, &a);
        bins[1] = 40;
        nod_forest_predict(f, bins, &b);
        assert_true(a == b && fabs(a - 0.5) < 0.3);
    }
    nod_forest_free(f);
    nod_forest_table_free(t);
}

static void test_varies(void **state)
{
    (void)state;
    const double same[3] = {7, 7, 7}, gone[3] = {NAN, NAN, NAN}, part[3] = {7, NAN, 7};
    const nod_feature features[4] = {{same, 0}, {gone, 0}, {part, 0}, {gone, 5}};
    nod_forest_table *t = table_of(3, features, 4);
    assert_false(nod_forest_table_varies(t, 0));
    assert_false(nod_forest_table_varies(t, 1));
    assert_true(nod_forest_table_varies(t, 2));
    assert_false(nod_forest_table_varies(t, 3));
    nod_forest_table_free(t);
}

/* The same bits for one thread and for three; others for another seed or stream. */
static void test_threads(void **state)
{
    (void)state;
    double x[3][200], p[4][200];
    uint8_t y[400];
    nod_rng rng = nod_rng_make(2, NOD_RNG_TEST, 0);
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < 3; j++)
            x[j][i] = nod_rng_normal(&rng);
        y[2 * i] = x[0][i] + nod_rng_normal(&rng) > 0;
        y[2 * i + 1] = !y[2 * i];
    }
    const nod_feature features[3] = {{x[0], 0}, {x[1], 0}, {x[2], 0}};
    nod_forest_table *t = table_of(200, features, 3);
    int threads = nod_threads_get();
    for (size_t run = 0; run < 4; run++) {
        nod_forest_options o = NOD_FOREST_OPTIONS_INIT;
        o.seed = run == 2;
        o.stream = run == 3;
        nod_threads_set(run == 1 ? 3 : 1);
        nod_forest *f = fitted(t, 200, y, 2, &o);
        for (size_t i = 0; i < 200; i++) {
            double both[2];
            nod_forest_predict(f, nod_forest_table_row(t, i), both);
            assert_near(both[0] + both[1], 1, 1e-12, "shares");
            p[run][i] = both[0];
        }
        nod_forest_free(f);
    }
    nod_threads_set(threads);
    assert_memory_equal(p[0], p[1], sizeof p[0]);
    assert_memory_not_equal(p[0], p[2], sizeof p[0]);
    assert_memory_not_equal(p[0], p[3], sizeof p[0]);
    nod_forest_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scikit_learn), cmocka_unit_test(test_unseen),
        cmocka_unit_test(test_missing_side), cmocka_unit_test(test_many_categories),
        cmocka_unit_test(test_interaction),  cmocka_unit_test(test_varies),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
