/* test_flow.c: what became of the cases, counted by hand. */
#include "data/flow.h"

#include "base/memory.h"
#include "cohort_maker.h"

/* 14 cases: one official test image again in training; a contradictory pair in training; 3 could not be
 * read, 5 had no label. */
static nod_cohort *made(void)
{
    made_case cases[14];
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < 14; i++)
        cases[i] = (made_case){.label = i % 2 ? "yes" : "no",
                               .official = i < 6    ? NOD_PART_TRAIN
                                           : i < 10 ? NOD_PART_VAL
                                                    : NOD_PART_TEST};
    cases[0].pixels = "twin of a test image";
    cases[10].pixels = "twin of a test image";
    cases[2].pixels = cases[3].pixels = "two labels";
    nod_cohort *c = make_cohort(cases, 14);
    if (nod_cohort_add_exclusion(c, "no label", 5, &err) != 0) fail_msg("%s", err.message);
    for (int i = 0; i < 3; i++) {
        const nod_unreadable u = {"u-1", "x.png", "bad"};
        if (nod_cohort_add_unreadable(c, &u, &err) != 0) fail_msg("%s", err.message);
    }
    return c;
}

static void test_flow(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = made();
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s;
    nod_strbuf text = NOD_STRBUF_INIT;
    char *json;
    if (nod_split_make(c, &o, &s, &err) != 0) fail_msg("%s", err.message);
    nod_flow_add_text(c, s, &text);
    assert_string_equal(
        text.data, "cases: 22 found; 8 excluded (5 no label, 3 unreadable); 3 left out by the "
                   "split (1 same pixels in a higher part, 2 same pixels with another label, "
                   "left out of training); train 3, val 4, test 4\n");
    nod_json *j = nod_flow_to_json(c, s);
    assert_int_equal(nod_json_dump(j, false, &json, &err), 0);
    assert_string_equal(
        json,
        "{\"found\":22,\"excluded\":[{\"reason\":\"no label\",\"n\":5},{\"reason\":"
        "\"unreadable\",\"n\":3}],\"indexed\":14,\"left_out\":[{\"reason\":\"same pixels in a "
        "higher part\",\"n\":1},{\"reason\":\"same pixels with another label, left out of "
        "training\",\"n\":2}],\"parts\":{\"train\":3,\"val\":4,\"test\":4}}");
    nod_free(json);
    nod_json_free(j);
    nod_strbuf_done(&text);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* Adams' method gives each part 2 of the 10 cases of a class before training has 7. */
static void test_nothing_lost(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    made_case cases[20];
    for (size_t i = 0; i < 20; i++)
        cases[i] = (made_case){.label = i % 2 ? "yes" : "no", .official = NOD_PART_OUT};
    nod_cohort *c = make_cohort(cases, 20);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s;
    nod_strbuf text = NOD_STRBUF_INIT;
    if (nod_split_make(c, &o, &s, &err) != 0) fail_msg("%s", err.message);
    nod_flow_add_text(c, s, &text);
    assert_string_equal(text.data, "cases: 20 found; train 12, val 4, test 4\n");
    nod_strbuf_done(&text);
    nod_split_free(s);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
