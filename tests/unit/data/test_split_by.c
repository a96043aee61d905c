/* test_split_by.c: dividing by a site or by time, and cohorts that are tested and not divided.
 *
 * Which part a case belongs to is counted by hand from the rules in docs/formats/split.md. */
#include "data/split.h"

#include <unistd.h>

#include "base/memory.h"
#include "cohort_maker.h"

/* One image of a patient of its own unless `patient` says otherwise. */
typedef struct placed {
    const char *site, *date, *patient;
} placed;

static nod_cohort *make(const placed *cases, size_t n)
{
    const nod_cohort_info info = made_info("manifest");
    nod_cohort *c = made_begin(&info);
    for (size_t i = 0; i < n; i++) {
        char id[32], patient[32];
        snprintf(id, sizeof id, "c%zu", i);
        snprintf(patient, sizeof patient, "q%zu", i);
        nod_case k = made_file(id);
        k.patient = cases[i].patient ? cases[i].patient : patient;
        k.facts[NOD_FACT_SITE] = cases[i].site;
        k.facts[NOD_FACT_DATE] = cases[i].date;
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

/* n cases: of each letter as many as `counts` says, in turn; '-' has no site. */
static nod_cohort *of_sites(const char *letters, const size_t *counts)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    placed cases[200] = {{0}};
    size_t n = 0;
    for (size_t k = 0; letters[k]; k++)
        for (size_t i = 0; i < counts[k]; i++)
            cases[n++].site = letters[k] == '-' ? NULL : names[letters[k] - 'A'];
    return make(cases, n);
}

static nod_split_options by(nod_fact fact)
{
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    static nod_fact facts[NOD_FACTS];
    facts[fact] = fact;
    o.by = &facts[fact];
    return o;
}

static nod_split *split(const nod_cohort *c, const nod_split_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_split *s = NULL;
    if (nod_split_make(c, o, &s, &err)) fail_msg("%s", err.message);
    return s;
}

/* Which sites the test part holds, as "BD". */
static void expect_test(const nod_cohort *c, const nod_split *s, const char *sites)
{
    char got[8] = "";
    size_t n = 0;
    for (int letter = 'A'; letter <= 'D'; letter++) {
        size_t in = 0, all = 0;
        for (size_t i = 0; i < nod_cohort_size(c); i++) {
            if (*nod_cohort_get(c, i)->facts[NOD_FACT_SITE] != letter) continue;
            all++;
            in += nod_split_part(s, i) == NOD_PART_TEST;
        }
        assert_true(in == 0 || in == all);
        if (in) got[n++] = (char)letter;
    }
    assert_string_equal(got, sites);
}

/* The share of the test is .15. */
static void test_which_sites(void **state)
{
    (void)state;
    static const struct {
        const char *letters;
        size_t counts[4];
        const char *test;
    } worlds[] = {{"AB", {60, 40}, "B"},          /* neither fits: the smaller one */
                  {"ABCD", {60, 26, 8, 6}, "CD"}, /* 14 of 100 fit */
                  {"ABCD", {60, 14, 20, 6}, "B"}, /* 14, not 14 + 6 */
                  {"ABC", {70, 15, 15}, NULL}};   /* one of two: drawn */
    nod_split_options o = by(NOD_FACT_SITE);
    for (size_t i = 0; i < 3; i++) {
        nod_cohort *c = of_sites(worlds[i].letters, worlds[i].counts);
        nod_split *s = split(c, &o);
        expect_test(c, s, worlds[i].test);
        /* Validation is dealt out of the other sites: 15 of 85 of them. */
        size_t n_train = nod_split_counts(s, NOD_PART_TRAIN).images,
               n_val = nod_split_counts(s, NOD_PART_VAL).images;
        size_t want = (n_train + n_val) * 15 / 85;
        assert_in_range(n_val, want - 1, want + 2);
        nod_split_free(s);
        nod_cohort_free(c);
    }
    nod_cohort *c = of_sites(worlds[3].letters, worlds[3].counts);
    bool met[2] = {false, false};
    for (o.seed = 0; o.seed < 20; o.seed++) {
        nod_split *s = split(c, &o);
        assert_int_equal(nod_split_counts(s, NOD_PART_TEST).images, 15);
        met[nod_split_part(s, 99) == NOD_PART_TEST] = true;
        nod_split_free(s);
    }
    assert_true(met[0] && met[1]);
    nod_cohort_free(c);
}

static void test_hold_out(void **state)
{
    (void)state;
    static const size_t counts[] = {40, 30, 30};
    static const char *const two[] = {"C", "A"}, *const typo[] = {"Ab"},
                             *const all[] = {"A", "B", "C"};
    nod_error err = NOD_ERROR_INIT;
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_cohort *c = of_sites("ABC", counts);
    nod_split_options o = by(NOD_FACT_SITE);
    nod_split *s;
    o.hold_out = two;
    o.n_hold_out = 2;
    s = split(c, &o);
    expect_test(c, s, "AC");
    nod_split_say_by(s, &text);
    assert_string_equal(text.data, "divided by site: the test part is 'A', 'C'");
    nod_split_free(s);
    o.hold_out = typo;
    o.n_hold_out = 1;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EDATA);
    expect_in(err.message, "no case has the site 'Ab'");
    o.hold_out = all;
    o.n_hold_out = 3;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EDATA);
    expect_in(err.message, "nothing is left to train on");
    o.by = NULL;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EINVAL);
    o = by(NOD_FACT_AGE);
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EINVAL);
    expect_in(err.message, "not by age");
    o = by(NOD_FACT_VENDOR);
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EDATA);
    expect_in(err.message, "no case says its vendor");
    nod_strbuf_done(&text);
    nod_cohort_free(c);
}

/* Cases 0-29 of site A, 30-39 of B, 40-44 nowhere; the patient of 39 was at A too, as case 0. */
static void test_left_out(void **state)
{
    (void)state;
    placed cases[45] = {{0}};
    nod_split_options o = by(NOD_FACT_SITE);
    size_t n_unknown = 0, n_patient = 0;
    for (size_t i = 0; i < 40; i++)
        cases[i].site = i < 30 ? "A" : "B";
    cases[0].patient = cases[39].patient = "both";
    nod_cohort *c = make(cases, NOD_COUNT(cases));
    nod_split *s = split(c, &o);
    assert_int_equal(nod_split_part(s, 39), NOD_PART_TEST);
    assert_int_equal(nod_split_part(s, 0), NOD_PART_OUT);
    for (size_t i = 40; i < 45; i++)
        assert_int_equal(nod_split_part(s, i), NOD_PART_OUT);
    for (size_t i = 0; i < nod_split_notes(s); i++) {
        const nod_split_note *n = nod_split_get_note(s, i);
        n_unknown += n->kind == NOD_NOTE_UNKNOWN && n->i_case >= 40;
        n_patient +=
            n->kind == NOD_NOTE_PATIENT_IN_HIGHER && n->i_case == 0 && n->i_other == 39;
    }
    assert_true(n_unknown == 5 && n_patient == 1 && nod_split_notes(s) == 6);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* Twenty cases on ten days in a row, two a day. .15 of 20 is 3: the cut falls into a day, which stays
 * whole, so that 4 are the test part. */
static void test_newest(void **state)
{
    (void)state;
    placed cases[21] = {{0}};
    char days[20][16];
    nod_error err = NOD_ERROR_INIT;
    nod_split_options o = by(NOD_FACT_DATE);
    nod_strbuf text = NOD_STRBUF_INIT;
    for (size_t i = 0; i < 20; i++) {
        snprintf(days[i], sizeof days[i], "2024-03-%02zu", 25 - i / 2); /* newest first */
        cases[i].date = days[i];
    }
    nod_cohort *c = make(cases, NOD_COUNT(cases)); /* the last without a date */
    nod_split *s = split(c, &o);
    for (size_t i = 0; i < 20; i++)
        assert_true((nod_split_part(s, i) == NOD_PART_TEST) == (i < 4));
    assert_int_equal(nod_split_part(s, 20), NOD_PART_OUT);
    nod_split_say_by(s, &text);
    assert_string_equal(text.data, "divided by date: the test part is the newest");
    nod_split_free(s);

    static const char *const first[] = {"2024-03-20"}, *const none[] = {"2025-01-01"},
                             *const every[] = {"2020-01-01"}, *const bad[] = {"20.3.2024"};
    o.n_hold_out = 1;
    o.hold_out = first;
    s = split(c, &o);
    assert_int_equal(nod_split_counts(s, NOD_PART_TEST).images, 12); /* 20 to 25 March */
    nod_strbuf_clear(&text);
    nod_split_say_by(s, &text);
    expect_in(text.data, "from 2024-03-20 on");
    nod_split_free(s);
    o.hold_out = none;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EDATA);
    expect_in(err.message, "the test part is empty");
    o.hold_out = every;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EDATA);
    expect_in(err.message, "nothing is left to train on");
    assert_null(strstr(err.message, "2024"));
    o.hold_out = bad;
    assert_int_equal(nod_split_make(c, &o, &s, &err), NOD_EINVAL);
    nod_strbuf_done(&text);
    nod_cohort_free(c);
}

static nod_ledger *ledger_in(const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = NULL;
    char path[600];
    temp_path(path, folder, "by.sqlite");
    unlink(path);
    if (nod_ledger_open(path, NOD_LEDGER_CREATE, &l, &err)) fail_msg("%s", err.message);
    return l;
}

/* The file holds what it was divided by, but no date of a case. */
static void test_file(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    static const size_t counts[] = {40, 10};
    nod_ledger *l = ledger_in(*state);
    nod_cohort *c = of_sites("AB", counts);
    nod_split_options o = by(NOD_FACT_SITE);
    nod_split *s = split(c, &o), *back = NULL;
    nod_strbuf text = NOD_STRBUF_INIT;
    char path[600];
    temp_path(path, *state, "by.json");
    assert_int_equal(nod_split_seal(s, c, l, NULL, NULL, &err), 0);
    assert_int_equal(nod_split_write(s, path, &err), 0);
    if (nod_split_read(path, c, &back, &err)) fail_msg("%s", err.message);
    assert_string_equal(nod_split_hash(back), nod_split_hash(s));
    nod_split_say_by(back, &text);
    assert_string_equal(text.data, "divided by site: the test part is 'B'");
    nod_split_free(back);

    nod_bytes b = {0};
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    char *at = strstr((char *)b.data, "\"B\"");
    assert_non_null(at);
    at[1] = 'A';
    assert_int_equal(nod_split_parse((char *)b.data, b.size, "by.json", c, &back, &err),
                     NOD_ESEAL);
    nod_bytes_done(&b);
    nod_strbuf_done(&text);
    nod_split_free(s);
    nod_cohort_free(c);
    nod_ledger_close(l);
}

static void test_external(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    static const size_t counts[] = {4, 3};
    nod_ledger *l = ledger_in(*state);
    nod_cohort *c = of_sites("AB", counts);
    nod_split *s = NULL, *again = NULL;
    assert_int_equal(nod_split_make_external(c, &s, &err), 0);
    assert_int_equal(nod_split_make_external(c, &again, &err), 0);
    assert_int_equal(nod_split_counts(s, NOD_PART_TEST).images, 7);
    assert_int_equal(nod_split_counts(s, NOD_PART_TRAIN).images, 0);
    assert_int_equal(nod_split_seal(s, c, l, NULL, NULL, &err), 0);
    assert_int_equal(nod_split_seal(again, c, l, NULL, NULL, &err), 0);
    assert_int_equal(nod_ledger_length(l), 2); /* its own row, and one seal */
    assert_int_equal(nod_split_anchor(s).length, nod_split_anchor(again).length);
    nod_split_free(s);
    nod_split_free(again);
    nod_cohort_free(c);
    nod_ledger_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_sites), cmocka_unit_test(test_hold_out),
        cmocka_unit_test(test_left_out),    cmocka_unit_test(test_newest),
        cmocka_unit_test(test_file),        cmocka_unit_test(test_external),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
