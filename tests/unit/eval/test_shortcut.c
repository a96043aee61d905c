/* test_shortcut.c: what facts tell of the label, where that is known.
 *
 * Sources: tables drawn here whose AUC follows from how they are drawn; .5 where nothing is told.
 * LABELS: tsan */
#include "golden.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/shortcut.h"

#define N_MAX 600

/* A table of up to four features, each a factor of its own unless a test says otherwise. */
typedef struct drawn_table {
    double x[4][N_MAX];
    uint8_t y[3 * N_MAX];
    size_t group[N_MAX], factor[4];
    nod_feature features[4];
    nod_shortcut_data data;
    nod_rng rng;
} drawn_table;

static drawn_table *new_table(size_t n, size_t k, size_t n_features, uint64_t seed)
{
    drawn_table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->rng = nod_rng_make(seed, NOD_RNG_TEST, 7);
    for (size_t j = 0; j < n_features; j++) {
        t->features[j].values = t->x[j];
        t->factor[j] = j;
    }
    for (size_t i = 0; i < n; i++)
        t->group[i] = i;
    t->data = (nod_shortcut_data){n,          k,           t->y,      t->group,
                                  n_features, t->features, t->factor, n_features};
    return t;
}

static nod_shortcut_options options(void)
{
    nod_shortcut_options o = NOD_SHORTCUT_OPTIONS_INIT;
    o.repetitions = 1;
    return o;
}

static nod_shortcut found(const drawn_table *t, const nod_shortcut_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_shortcut s;
    if (nod_shortcut_find(&t->data, o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

/* Noise tells nothing: over 40 tables the mean is .5 within four standard errors, and the interval
 * holds .5 in nearly all (of 40 at 95 % fewer than 33 have a probability of 0.001). */
static void test_noise(void **state)
{
    (void)state;
    double sum = 0, squares = 0;
    size_t held = 0;
    nod_shortcut_options o = options();
    for (uint64_t seed = 0; seed < 40; seed++) {
        drawn_table *t = new_table(120, 1, 3, seed);
        for (size_t i = 0; i < 120; i++) {
            t->y[i] = nod_rng_uniform(&t->rng) < 0.4;
            t->x[0][i] = nod_rng_normal(&t->rng);
            t->x[1][i] = floor(4 * nod_rng_uniform(&t->rng));
            t->x[2][i] = nod_rng_uniform(&t->rng) < 0.5 ? NAN : nod_rng_normal(&t->rng);
        }
        t->features[1].n_categories = 4;
        nod_shortcut s = found(t, &o);
        assert_true(s.n == 120 && s.n_groups == 120 && s.n_questions == 1);
        sum += s.auc.value;
        squares += s.auc.value * s.auc.value;
        held += s.interval.lo < 0.5 && s.interval.hi > 0.5;
        assert_int_equal(s.interval.method, NOD_INTERVAL_INFLUENCE);
        free(t);
    }
    double mean = sum / 40, sd = sqrt((squares / 40 - mean * mean) * 40 / 39);
    if (fabs(mean - 0.5) > 4 * sd / sqrt(40)) fail_msg("mean %.4f, sd %.4f", mean, sd);
    if (held < 33) fail_msg("%zu of 40 intervals hold .5", held);
}

/* One fact is the label in 80 % of the cases, a second is noise, a third is the first again. The best
 * AUC by the first is that of one threshold: (0.8 + 0.8)/2. */
static void test_planted(void **state)
{
    (void)state;
    drawn_table *t = new_table(500, 1, 3, 1);
    for (size_t i = 0; i < 500; i++) {
        t->y[i] = nod_rng_uniform(&t->rng) < 0.5;
        t->x[0][i] = nod_rng_uniform(&t->rng) < 0.8 ? t->y[i] : !t->y[i];
        t->x[1][i] = nod_rng_normal(&t->rng);
        t->x[2][i] = 3 - t->x[0][i];
    }
    t->features[0].n_categories = 2;
    nod_shortcut_options o = options();
    nod_shortcut s = found(t, &o);
    assert_near(s.factors[0].alone, 0.8, 0.04, "alone");
    assert_near(s.factors[1].alone, 0.5, 0.06, "noise alone");
    assert_near(s.factors[2].alone, s.factors[0].alone, 0.01, "the same again");
    assert_true(s.auc.value > 0.74 && s.auc.value < 0.84);
    assert_true(s.interval.lo < s.auc.value && s.interval.hi > s.auc.value);
    assert_true(s.interval.lo > 0.65 && s.interval.hi - s.interval.lo < 0.15);
    assert_true(fabs(s.factors[1].fall) < 0.03);
    double with_twin = s.factors[0].fall;
    /* Judged together, the two fall further than each of them. */
    t->factor[2] = 0;
    s = found(t, &o);
    assert_true(s.factors[0].fall > with_twin + 0.05);
    assert_true(s.factors[0].fall > 0.2);
    assert_false(s.factors[2].varies);
    free(t);
}

/* A feature that names the patient tells nothing of another patient's label: .5 on the mean of six
 * tables (of sd .08 each: 60 patients). Were a patient's images parted, it would tell all. */
static void test_groups(void **state)
{
    (void)state;
    double sum = 0;
    nod_shortcut_options o = options();
    for (uint64_t seed = 0; seed < 6; seed++) {
        drawn_table *t = new_table(600, 1, 1, seed);
        for (size_t i = 0; i < 600; i++) {
            t->group[i] = 1000 - i / 10;
            t->x[0][i] = (double)(i / 10);
            t->y[i] = i % 10 == 0 ? nod_rng_uniform(&t->rng) < 0.5 : t->y[i - 1];
        }
        nod_shortcut s = found(t, &o);
        assert_int_equal(s.n_groups, 60);
        sum += s.auc.value / 6;
        for (size_t i = 0; i < 600; i++)
            t->group[i] = i;
        s = found(t, &o);
        assert_true(s.auc.value > 0.95);
        free(t);
    }
    assert_near(sum, 0.5, 0.13, "patients kept together");
}

/* Three classes as one-hot columns: the first fact tells the first class from the others, who are
 * alike: AUCs 1, and .75 for each of the others (a case of the first class is below for sure, one
 * of the other class as likely below as above). */
static void test_classes(void **state)
{
    (void)state;
    drawn_table *t = new_table(600, 3, 1, 4);
    for (size_t i = 0; i < 600; i++) {
        size_t c = i % 3;
        t->y[3 * i + c] = 1;
        t->x[0][i] = c == 0;
    }
    nod_shortcut_options o = options();
    nod_shortcut s = found(t, &o);
    assert_int_equal(s.n_questions, 3);
    assert_near(s.auc.value, (1 + 0.75 + 0.75) / 3, 0.02, "macro average");
    free(t);
}

/* Everything is told: the interval has width by Newcombe's method 5. */
static void test_told(void **state)
{
    (void)state;
    drawn_table *t = new_table(60, 1, 1, 5);
    for (size_t i = 0; i < 60; i++) {
        t->y[i] = i % 2;
        t->x[0][i] = (double)(i % 2);
    }
    nod_shortcut_options o = options();
    nod_shortcut s = found(t, &o);
    assert_true(s.auc.value == 1);
    assert_int_equal(s.interval.method, NOD_INTERVAL_NEWCOMBE5);
    assert_true(s.interval.hi == 1 && s.interval.lo > 0.85 && s.interval.lo < 0.99);
    free(t);
}

static void test_not_estimable(void **state)
{
    (void)state;
    drawn_table *t = new_table(60, 1, 1, 6);
    nod_shortcut_options o = options();
    for (size_t i = 0; i < 60; i++) {
        t->x[0][i] = (double)i;
        t->y[i] = i < 4; /* a positive for four of five folds */
    }
    nod_shortcut s = found(t, &o);
    assert_non_null(s.auc.undefined);
    assert_non_null(s.interval.undefined);
    assert_int_equal(s.n_questions, 0);
    for (size_t i = 0; i < 60; i++) {
        t->x[0][i] = 3;
        t->y[i] = i < 30;
    }
    s = found(t, &o);
    assert_null(s.auc.undefined);
    assert_true(s.auc.value == 0.5 && !s.factors[0].varies && s.factors[0].alone == 0.5);
    assert_string_equal(s.interval.undefined, "nothing varies");
    free(t);
}

/* Of too many cases whole groups are drawn; threads change nothing. */
static void test_large(void **state)
{
    (void)state;
    drawn_table *t = new_table(600, 1, 1, 8);
    for (size_t i = 0; i < 600; i++) {
        t->group[i] = i / 3;
        t->y[i] = i / 3 % 2;
        t->x[0][i] = t->y[i] + nod_rng_normal(&t->rng);
    }
    nod_shortcut_options o = options();
    o.max_cases = 200;
    int threads = nod_threads_get();
    nod_threads_set(1);
    nod_shortcut a = found(t, &o);
    nod_threads_set(3);
    nod_shortcut b = found(t, &o);
    nod_threads_set(threads);
    assert_int_equal(a.n, 201);
    assert_int_equal(a.n_groups, 67);
    assert_memory_equal(&a, &b, sizeof a);
    o.forest.seed = 1;
    b = found(t, &o);
    assert_true(a.auc.value != b.auc.value);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise),  cmocka_unit_test(test_planted),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_told),   cmocka_unit_test(test_not_estimable),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
