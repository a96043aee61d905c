/* test_finding.c: findings by name, policies from recipes, and what refusing says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imaging/finding.h"

static nod_error err;

/* Every kind has a name of its own, a line for people, and its preset among its policies. */
static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < NOD_FINDING_KINDS; i++) {
        const nod_finding_info *info = nod_finding_get_info((nod_finding_kind)i);
        assert_non_null(info->name);
        assert_true(strlen(info->about) > 10);
        assert_int_equal(nod_finding_from_name(info->name), i);
        assert_true(info->policies >> info->preset & 1);
        assert_true(info->policies >> NOD_POLICY_REFUSE & 1);
    }
    for (int p = 0; p < NOD_POLICIES; p++)
        assert_int_equal(nod_policy_from_name(nod_policy_name((nod_policy)p)), p);
    assert_int_equal(nod_finding_from_name("tilt"), -1);
}

static void test_list(void **state)
{
    (void)state;
    nod_findings f = {0};
    assert_int_equal(nod_findings_add(&f, &err, NOD_FINDING_GAP, "%d of %d", 1, 20), 0);
    assert_int_equal(nod_findings_add(&f, &err, NOD_FINDING_GAP, "another"), 0);
    assert_int_equal(nod_findings_add(&f, &err, NOD_FINDING_DERIVED, "x"), 0);
    assert_int_equal(nod_findings_add(NULL, &err, NOD_FINDING_GAP, "nobody asked"), 0);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.items[0].detail, "1 of 20");
    assert_true(nod_findings_has(&f, NOD_FINDING_DERIVED));
    assert_false(nod_findings_has(&f, NOD_FINDING_LOSSY));
    nod_findings_done(&f);
}

static int parse(const char *text, nod_policies *p)
{
    nod_json *j;
    int rc = nod_json_parse(text, strlen(text), "test", &j, &err);
    assert_int_equal(rc, 0);
    rc = nod_policies_from_json(j, "recipe.yaml:3: policies", p, &err);
    nod_json_free(j);
    return rc;
}

static void test_policies(void **state)
{
    (void)state;
    nod_policies p = nod_policies_preset();
    char *text;
    assert_int_equal(parse("{\"gantry-tilt\": \"shear\", \"lossy\": \"refuse\"}", &p), 0);
    assert_int_equal(p.of[NOD_FINDING_GANTRY_TILT], NOD_POLICY_SHEAR);
    assert_int_equal(p.of[NOD_FINDING_GAP], NOD_POLICY_REFUSE);
    nod_json *j = nod_policies_to_json(&p);
    assert_int_equal(nod_json_dump(j, false, &text, &err), 0);
    assert_string_equal(text, "{\"gantry-tilt\":\"shear\",\"lossy\":\"refuse\"}");
    nod_free(text);
    nod_json_free(j);

    nod_policies before = p;
    assert_int_equal(parse("{\"gap\": \"resample\", \"gantry-tild\": \"shear\"}", &p),
                     NOD_ERECIPE);
    assert_non_null(strstr(err.message, "did you mean 'gantry-tilt'?"));
    assert_int_equal(parse("{\"gap\": \"shear\"}", &p), NOD_ERECIPE);
    assert_non_null(strstr(err.message, "choose from: refuse, resample"));
    assert_int_equal(parse("[]", &p), NOD_ERECIPE);
    assert_memory_equal(&p, &before, sizeof p); /* untouched on failure */
}

static void test_judge(void **state)
{
    (void)state;
    nod_policies p = nod_policies_preset();
    nod_findings f = {0};
    assert_int_equal(
        nod_policies_judge(&p, &f, "case-1", NOD_FINDING_GANTRY_TILT, "18.5 degrees", &err),
        NOD_EDATA);
    assert_string_equal(
        err.message,
        "case-1: gantry-tilt: 18.5 degrees (each slice is shifted along its plane); "
        "refused unless its policy is one of: shear");
    assert_true(nod_findings_has(&f, NOD_FINDING_GANTRY_TILT));
    p.of[NOD_FINDING_GANTRY_TILT] = NOD_POLICY_SHEAR;
    assert_int_equal(
        nod_policies_judge(&p, &f, "case-1", NOD_FINDING_GANTRY_TILT, "18.5 degrees", &err), 0);
    nod_findings_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
