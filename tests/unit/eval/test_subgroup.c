/* test_subgroup.c: metrics of groups of cases: counts by hand, intervals in closed form (Wilson,
 * DeLong of the group alone), groups that are not known, too many groups, seeds, refusals. */
#include "golden.h"

#include "base/memory.h"
#include "eval/interval.h"
#include "eval/subgroup.h"

#define ROWS_MAX 400

typedef struct table {
    nod_predictions p;
    const char *site[ROWS_MAX];
    char *memory[ROWS_MAX];
} table;

static void begin(table *t)
{
    memset(t, 0, sizeof *t);
    golden_table(&t->p, NOD_TASK_BINARY, 2);
}

/* One image of a patient of its own; `called` at 0.5. */
static void add(table *t, const char *site, int32_t y, bool called, int32_t seed)
{
    nod_error err = NOD_ERROR_INIT;
    char id[32];
    size_t row = t->p.n, case_number = row;
    if (seed > 0) case_number = row % (ROWS_MAX / 2);
    double logits[2] = {0, (called ? 1 : -1) * (0.5 + 0.01 * (double)case_number)};
    snprintf(id, sizeof id, "c%03zu", case_number);
    t->site[row] = site;
    if (nod_predictions_add(&t->p, id, id, seed, &y, logits, &err)) fail_msg("%s", err.message);
}

static void add_many(table *t, const char *site, int n, int32_t y, bool called)
{
    for (int i = 0; i < n; i++)
        add(t, site, y, called, 0);
}

static nod_subgroups *make(const table *t, const nod_operating_point *points)
{
    nod_error err = NOD_ERROR_INIT;
    nod_subgroups *s;
    nod_results_options o = nod_results_options_default();
    const nod_factor f = {"site", t->site};
    if (nod_subgroups_new(&t->p, points, &f, 1, &o, &s, &err)) fail_msg("%s", err.message);
    return s;
}

static void end(table *t, nod_subgroups *s)
{
    nod_subgroups_free(s);
    nod_predictions_done(&t->p);
    for (size_t i = 0; i < ROWS_MAX; i++)
        nod_free(t->memory[i]);
}

static const nod_result_row *row_of(const nod_subgroups *s, size_t g, nod_metric m)
{
    return nod_results_find(nod_subgroups_get(s, 0, g).results, m, NULL);
}

/* Site A: 20 positives, 16 called; 30 negatives, 3 called. Site B: 10 positives, 4 called, 12
 * negatives, 6 called. Expected by hand; intervals: Wilson on the group's own cases. */
static void test_two_sites(void **state)
{
    (void)state;
    table t;
    begin(&t);
    add_many(&t, "B", 4, 1, true);
    add_many(&t, "A", 16, 1, true);
    add_many(&t, "A", 4, 1, false);
    add_many(&t, "A", 3, 0, true);
    add_many(&t, "B", 6, 1, false);
    add_many(&t, "B", 6, 0, true);
    add_many(&t, "A", 27, 0, false);
    add_many(&t, "B", 6, 0, false);
    nod_subgroups *s = make(&t, NULL);
    assert_int_equal(nod_subgroups_count(s, 0), 2);
    assert_string_equal(nod_subgroups_get(s, 0, 0).name, "A");
    assert_string_equal(nod_subgroups_get(s, 0, 1).name, "B");
    const nod_result_row *a = row_of(s, 0, NOD_METRIC_SENSITIVITY),
                         *b = row_of(s, 1, NOD_METRIC_SENSITIVITY);
    nod_interval want = nod_interval_wilson(0.4, 10, 0.95, NOD_INTERVAL_WILSON);
    assert_near(a->value.value, 0.8, 1e-15, "sensitivity of A");
    assert_near(b->value.value, 0.4, 1e-15, "sensitivity of B");
    assert_true(b->n_images == 10 && b->n_patients == 10);
    assert_true(b->interval.lo == want.lo && b->interval.hi == want.hi);
    assert_near(row_of(s, 0, NOD_METRIC_SPECIFICITY)->value.value, 0.9, 1e-15, "specificity");
    assert_near(row_of(s, 1, NOD_METRIC_ACCURACY)->value.value, 10.0 / 22, 1e-15, "accuracy");
    assert_int_equal(row_of(s, 1, NOD_METRIC_ROC_AUC)->interval.method, NOD_INTERVAL_DELONG);
    assert_null(row_of(s, 1, NOD_METRIC_CALIBRATION_IN_THE_LARGE)->value.undefined);
    assert_null(nod_results_find(nod_subgroups_get(s, 0, 0).results, NOD_METRIC_MCC, NULL));
    end(&t, s);
}

/* The frozen point decides, not 0.5: with a threshold of 1 nobody is called. */
static void test_frozen_point(void **state)
{
    (void)state;
    table t;
    nod_operating_point frozen = nod_operating_point_fixed(1.0);
    begin(&t);
    add_many(&t, "A", 5, 1, true);
    add_many(&t, "A", 5, 0, false);
    nod_subgroups *s = make(&t, &frozen);
    assert_near(row_of(s, 0, NOD_METRIC_SENSITIVITY)->value.value, 0, 0, "sensitivity");
    end(&t, s);
}

static void test_unknown(void **state)
{
    (void)state;
    table t;
    begin(&t);
    add_many(&t, "A", 6, 1, true);
    add_many(&t, "A", 6, 0, false);
    add_many(&t, NULL, 3, 1, true);
    add_many(&t, "", 2, 1, false);
    nod_subgroups *s = make(&t, NULL);
    nod_strbuf text = NOD_STRBUF_INIT;
    assert_int_equal(nod_subgroups_count(s, 0), 2);
    assert_null(nod_subgroups_get(s, 0, 1).name);
    assert_near(row_of(s, 1, NOD_METRIC_SENSITIVITY)->value.value, 0.6, 1e-15, "sensitivity");
    /* One class: a state with its reason. */
    assert_non_null(row_of(s, 1, NOD_METRIC_ROC_AUC)->value.undefined);
    nod_subgroups_text(s, &text);
    assert_non_null(strstr(text.data, "unknown"));
    assert_non_null(strstr(text.data, "not estimable"));
    nod_json *j = nod_subgroups_json(s);
    const nod_json *groups = nod_json_get(nod_json_at(j, 0), "groups");
    assert_string_equal(nod_json_str(nod_json_get(nod_json_at(groups, 0), "group")), "A");
    assert_true(nod_json_is_null(nod_json_get(nod_json_at(groups, 1), "group")));
    assert_int_equal(nod_json_i64(nod_json_get(nod_json_at(groups, 1), "images")), 5);
    nod_json_free(j);
    nod_strbuf_done(&text);
    end(&t, s);
    /* Known for no case: no groups, but it is said. */
    begin(&t);
    add_many(&t, NULL, 3, 1, true);
    s = make(&t, NULL);
    assert_int_equal(nod_subgroups_count(s, 0), 0);
    nod_subgroups_text(s, &text);
    assert_string_equal(text.data, "\nno groups by site: not known for any case\n");
    nod_strbuf_done(&text);
    end(&t, s);
}

/* 40 sites, of which number i has i+2 images: the 31 largest are shown, the others taken together. */
static void test_many_groups(void **state)
{
    (void)state;
    table t;
    size_t small = 0, n = 0;
    begin(&t);
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%02d", i);
        t.memory[i] = nod_strdup(name);
        int images = i < 9 ? 2 : 4;
        if (i < 9) small += (size_t)images;
        add_many(&t, t.memory[i], images / 2, 1, true);
        add_many(&t, t.memory[i], images / 2, 0, i % 2 == 0);
    }
    nod_subgroups *s = make(&t, NULL);
    assert_int_equal(nod_subgroups_count(s, 0), NOD_SUBGROUP_MAX);
    nod_subgroup others = nod_subgroups_get(s, 0, NOD_SUBGROUP_MAX - 1);
    assert_string_equal(others.name, "9 smaller groups");
    assert_string_equal(nod_subgroups_get(s, 0, 0).name, "s09");
    nod_json *j = nod_subgroups_json(s);
    const nod_json *groups = nod_json_get(nod_json_at(j, 0), "groups");
    for (size_t i = 0; i < NOD_SUBGROUP_MAX; i++)
        n += (size_t)nod_json_i64(nod_json_get(nod_json_at(groups, i), "images"));
    assert_int_equal(n, t.p.n);
    assert_int_equal(
        nod_json_i64(nod_json_get(nod_json_at(groups, NOD_SUBGROUP_MAX - 1), "images")), small);
    nod_json_free(j);
    end(&t, s);
}

/* Mean over two seeds: .75 and .25 of four positives. */
static void test_seeds(void **state)
{
    (void)state;
    table t;
    begin(&t);
    for (int32_t seed = 0; seed < 2; seed++)
        for (int i = 0; i < ROWS_MAX / 2; i++)
            add(&t, i < 8 ? "A" : "B", i % 2 == 0, i % 8 < (seed ? 2 : 6), seed);
    nod_subgroups *s = make(&t, NULL);
    const nod_result_row *a = row_of(s, 0, NOD_METRIC_SENSITIVITY);
    assert_near(a->seeds[0], 0.75, 1e-15, "first seed");
    assert_near(a->seeds[1], 0.25, 1e-15, "second seed");
    assert_near(a->value.value, 0.5, 1e-15, "mean");
    assert_int_equal(a->n_images, 4);
    nod_subgroups_free(s);
    /* A case that changes its site between the seeds. */
    nod_error err = NOD_ERROR_INIT;
    nod_results_options o = nod_results_options_default();
    const nod_factor f = {"site", t.site};
    t.site[ROWS_MAX / 2] = "B";
    assert_int_equal(nod_subgroups_new(&t.p, NULL, &f, 1, &o, &s, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "of site"));
    end(&t, NULL);
}

static void test_age_bands(void **state)
{
    (void)state;
    assert_string_equal(nod_age_band(0), "0-17");
    assert_string_equal(nod_age_band(17.99), "0-17");
    assert_string_equal(nod_age_band(18), "18-39");
    assert_string_equal(nod_age_band(59.5), "40-59");
    assert_string_equal(nod_age_band(79), "60-79");
    assert_string_equal(nod_age_band(80), "80+");
    assert_string_equal(nod_age_band(-1), "");
    assert_string_equal(nod_age_band(NAN), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sites), cmocka_unit_test(test_frozen_point),
        cmocka_unit_test(test_unknown),   cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_seeds),     cmocka_unit_test(test_age_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
