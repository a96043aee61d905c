/* test_audit.c: the audit as JSON, as text, and as a part of a split.
 *
 * Source: the format in docs/formats/split.md. */
#include "cohort_maker.h"

#include <math.h>

#include "data/audit.h"
#include "data/split.h"

static nod_audit sample(void)
{
    nod_audit a = {.images = 176,
                   .groups = 160,
                   .auc = 0.83416666,
                   .lo = 0.76712,
                   .hi = 0.88491,
                   .method = "influence, logit, t",
                   .n_factors = 2,
                   .factors = {{"size", 0.8194, 0.33}, {"format", 0.52, -0.01}}};
    return a;
}

static void test_round_trip(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_audit a = sample(), b;
    nod_json *j = nod_audit_to_json(&a);
    if (nod_audit_from_json(j, "s", &b, &err) != 0) fail_msg("%s", err.message);
    assert_true(b.images == 176 && b.groups == 160 && b.n_factors == 2);
    assert_true(b.auc == 0.8342 && b.lo == 0.7671 && b.hi == 0.8849);
    assert_string_equal(b.method, a.method);
    assert_string_equal(b.factors[1].name, "format");
    assert_true(b.factors[1].alone == 0.52 && b.factors[1].fall == -0.01);
    nod_json_free(j);
    a.auc = a.lo = a.hi = NAN;
    a.n_factors = 0;
    j = nod_audit_to_json(&a);
    assert_true(nod_json_is_null(nod_json_get(j, "auc")));
    assert_int_equal(nod_audit_from_json(j, "s", &b, &err), 0);
    assert_true(isnan(b.auc) && isnan(b.lo) && !nod_audit_is_notable(&b));
    nod_json_free(j);
}

static void test_strict(void **state)
{
    (void)state;
    static const char good[] = "{\"images\":1,\"groups\":1,\"auc\":0.5,\"lo\":null,\"hi\":null,"
                               "\"method\":\"m\",\"factors\":[{\"factor\":\"a\",\"alone\":0.5,"
                               "\"fall\":0}]}";
    static const char *const bad[][2] = {
        {"\"images\":1", "\"images\":-1"},
        {"\"auc\":0.5", "\"auc\":1.5"},
        {"\"auc\":0.5", "\"auc\":\"0.5\""},
        {"\"lo\":null,", ""},
        {"\"fall\":0", "\"fall\":0,\"x\":1"},
        {"\"alone\":0.5", "\"alone\":true"},
        {"\"method\":\"m\"", "\"method\":1"},
        {"\"groups\":1", "\"groups\":1.5"},
        {"\"factor\":\"a\"", "\"factor\":\"a name of more than thirty-one bytes\""},
    };
    nod_error err = NOD_ERROR_INIT;
    nod_audit a;
    nod_json *j;
    assert_int_equal(nod_json_parse(good, strlen(good), "good", &j, &err), 0);
    assert_int_equal(nod_audit_from_json(j, "good", &a, &err), 0);
    nod_json_free(j);
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        char text[400];
        const char *at = strstr(good, bad[i][0]);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, bad[i][1],
                 at + strlen(bad[i][0]));
        assert_int_equal(nod_json_parse(text, strlen(text), "bad", &j, &err), 0);
        assert_int_equal(nod_audit_from_json(j, "bad", &a, &err), NOD_EFORMAT);
        nod_json_free(j);
    }
}

static void test_text(void **state)
{
    (void)state;
    nod_audit a = sample();
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_audit_add_text(&a, &b);
    expect_in(b.data, "(176 images, 160 groups)");
    expect_in(b.data, "AUC 0.834 (0.767 to 0.885)\n");
    expect_in(b.data, "  size                0.819                0.330\n");
    nod_strbuf_clear(&b);
    assert_true(nod_audit_is_notable(&a));
    nod_audit_add_note(&a, &b);
    expect_in(b.data, "AUC 0.834 (0.767 to 0.885), most by size: ");
    nod_strbuf_clear(&b);
    a = (nod_audit){.auc = 0.5, .lo = NAN, .hi = NAN, .method = "nothing varies"};
    nod_audit_add_text(&a, &b);
    expect_in(b.data, "AUC 0.500 (nothing varies)\n");
    assert_null(strstr(b.data, "factor"));
    nod_strbuf_clear(&b);
    a.auc = NAN;
    nod_audit_add_text(&a, &b);
    expect_in(b.data, "not estimable, nothing varies\n");
    nod_strbuf_done(&b);
}

/* The audit is part of what is hashed. */
static void test_in_split(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    made_case cases[40];
    for (size_t i = 0; i < 40; i++)
        cases[i] = (made_case){.label = i % 2 ? "yes" : "no", .official = NOD_PART_OUT};
    nod_cohort *c = make_cohort(cases, 40);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s;
    nod_audit a = sample();
    char before[NOD_SHA256_HEX], with[NOD_SHA256_HEX];
    if (nod_split_make(c, &o, &s, &err) != 0) fail_msg("%s", err.message);
    assert_null(nod_split_audit(s));
    memcpy(before, nod_split_hash(s), sizeof before);
    assert_int_equal(nod_split_set_audit(s, &a, &err), 0);
    memcpy(with, nod_split_hash(s), sizeof with);
    assert_string_not_equal(before, with);
    assert_true(nod_split_audit(s)->images == 176);
    /* What is not kept does not count. */
    a.auc += 1e-7;
    assert_int_equal(nod_split_set_audit(s, &a, &err), 0);
    assert_string_equal(nod_split_hash(s), with);
    nod_split_free(s);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_in_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
