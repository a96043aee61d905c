/* test_bench_report.c: medians, what counts as a sample, the best peer, and the table.
 * Source of every number: closed form (medians and quotients of a few round numbers). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/bench_report.h"

static void test_median_of_clean_samples(void **state)
{
    nod_bench_times t = {0};
    (void)state;
    assert_true(isnan(nod_bench_times_median(&t)));
    nod_bench_times_add(&t, 3, true);
    nod_bench_times_add(&t, 1, true);
    nod_bench_times_add(&t, 100, false);
    nod_bench_times_add(&t, 2, true);
    assert_int_equal(t.n_clean, 3);
    assert_int_equal(t.n_noisy, 1);
    assert_true(nod_bench_times_median(&t) == 2);
    nod_bench_times_add(&t, 4, true);
    assert_true(nod_bench_times_median(&t) == 2.5);
    assert_true(nod_bench_times_min(&t) == 1);
}

static void test_too_few_clean_samples_count_all(void **state)
{
    nod_bench_times t = {0};
    (void)state;
    nod_bench_times_add(&t, 1, true);
    nod_bench_times_add(&t, 2, true);
    nod_bench_times_add(&t, 7, false);
    assert_true(nod_bench_times_median(&t) == 2);
    nod_bench_times_add(&t, 8, false);
    nod_bench_times_add(&t, 9, false);
    assert_true(nod_bench_times_median(&t) == 7);
}

static void test_samples_beyond_the_limit_are_dropped(void **state)
{
    nod_bench_times t = {0};
    (void)state;
    for (int i = 0; i < NOD_BENCH_SAMPLES_MAX + 10; i++) {
        nod_bench_times_add(&t, 1, true);
        nod_bench_times_add(&t, 1, false);
    }
    assert_int_equal(t.n_clean, NOD_BENCH_SAMPLES_MAX);
    assert_int_equal(t.n_noisy, NOD_BENCH_SAMPLES_MAX);
}

static nod_bench_pair *new_pair(const char *name, double ours, double peer)
{
    nod_bench_pair *p = nod_calloc(1, sizeof *p);
    assert_non_null(p);
    snprintf(p->name, sizeof p->name, "%s", name);
    if (peer > 0) nod_bench_times_add(&p->peer, peer, true);
    nod_bench_times_add(&p->ours, ours, true);
    return p;
}

/* Three peers: 4 times, twice as slow as we are, and one that could not be measured. */
static void fill(nod_bench_report *r)
{
    nod_bench_report_init(r, 2);
    nod_bench_row *row = nod_bench_report_add(r);
    assert_non_null(row);
    row->workload = nod_bench_workload_find("mlp-step");
    assert_non_null(row->workload);
    row->title = row->workload->title;
    row->wanted = 3;
    row->peak_rss_bytes = 10 << 20;
    nod_bench_times_add(&row->ours, 0.001, true);
    row->pairs[0] = new_pair("slow", 0.001, 0.004);
    row->pairs[1] = new_pair("fast", 0.001, 0.002);
    row->pairs[2] = new_pair("broken", 0.001, 0);
    snprintf(row->pairs[2]->missing, sizeof row->pairs[2]->missing, "no compiler");
    row->n_pairs = 3;
}

static void test_best_peer_is_the_fastest_one(void **state)
{
    nod_bench_report r;
    (void)state;
    fill(&r);
    const nod_bench_pair *best = nod_bench_row_best(&r.rows[0]);
    assert_non_null(best);
    assert_string_equal(best->name, "fast");
    assert_true(fabs(nod_bench_pair_ratio(best) - 2) < 1e-12);
    assert_true(isnan(nod_bench_pair_ratio(r.rows[0].pairs[2])));
    nod_bench_report_done(&r);
}

static void test_table_says_what_is_reached_and_what_is_absent(void **state)
{
    nod_bench_report r;
    nod_strbuf text = NOD_STRBUF_INIT;
    (void)state;
    fill(&r);
    nod_bench_report_text(&r, &text);
    assert_false(text.failed);
    assert_non_null(strstr(text.data, r.processor));
    assert_non_null(strstr(text.data, "2 threads"));
    assert_non_null(strstr(text.data, "2.00x *"));
    assert_non_null(strstr(text.data, "wanted 3.0x: NOT reached"));
    assert_non_null(strstr(text.data, "absent: no compiler"));
    nod_strbuf_clear(&text);
    r.rows[0].wanted = 1.5;
    nod_bench_report_text(&r, &text);
    assert_non_null(strstr(text.data, "wanted 1.5x: reached"));
    nod_strbuf_done(&text);
    nod_bench_report_done(&r);
}

static void test_json_has_the_same(void **state)
{
    nod_bench_report r;
    (void)state;
    fill(&r);
    nod_json *j = nod_bench_report_json(&r);
    const nod_json *row = nod_json_at(nod_json_get(j, "rows"), 0);
    assert_string_equal(nod_json_str(nod_json_get(row, "best_peer")), "fast");
    assert_true(fabs(nod_json_f64(nod_json_get(row, "ratio")) - 2) < 1e-12);
    assert_int_equal(nod_json_count(nod_json_get(row, "peers")), 3);
    nod_json_free(j);
    nod_bench_report_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_median_of_clean_samples),
        cmocka_unit_test(test_too_few_clean_samples_count_all),
        cmocka_unit_test(test_samples_beyond_the_limit_are_dropped),
        cmocka_unit_test(test_best_peer_is_the_fastest_one),
        cmocka_unit_test(test_table_says_what_is_reached_and_what_is_absent),
        cmocka_unit_test(test_json_has_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
