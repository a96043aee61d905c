/* test_fact.c: values of facts. Days are those of Python's datetime.date.toordinal() - 719163. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/fact.h"

static void test_names(void **state)
{
    (void)state;
    for (int f = 0; f < NOD_FACTS; f++)
        assert_int_equal(nod_fact_from_name(nod_fact_get_info((nod_fact)f)->name), f);
    assert_int_equal(nod_fact_from_name("shoe"), -1);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        nod_fact fact;
        const char *text, *message; /* NULL: a value */
    } cases[] = {
        {NOD_FACT_SEX, "F", NULL},
        {NOD_FACT_SEX, "female", "M, F or O"},
        {NOD_FACT_AGE, "0.25", NULL},
        {NOD_FACT_AGE, "131", "above 130 years"},
        {NOD_FACT_AGE, "-1", "number from"},
        {NOD_FACT_AGE, "042Y", "number from"},
        {NOD_FACT_DATE, "2024-02-29", NULL},
        {NOD_FACT_DATE, "2023-02-29", "not a day"},
        {NOD_FACT_DATE, "20240229", "not a day"},
        {NOD_FACT_DATE, "2024-13-01", "not a day"},
        {NOD_FACT_SIDE, "L", NULL},
        {NOD_FACT_SIDE, "left", "L, R or B"},
        {NOD_FACT_SITE, "a\nb", "line break"},
        {NOD_FACT_SITE, "", NULL},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err = NOD_ERROR_INIT;
        int rc = nod_fact_check(cases[i].fact, cases[i].text, &err);
        assert_int_equal(rc, cases[i].message ? NOD_EINVAL : 0);
        const char *message = cases[i].message;
        if (message && !strstr(err.message, message)) fail_msg("%s", err.message);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    assert_true(nod_fact_number(NOD_FACT_KVP, "120") == 120);
    assert_true(nod_fact_number(NOD_FACT_DATE, "1970-01-01") == 0);
    assert_true(nod_fact_number(NOD_FACT_DATE, "2024-03-01") == 19783);
    assert_true(nod_fact_number(NOD_FACT_DATE, "1969-12-31") == -1);
    assert_true(nod_fact_number(NOD_FACT_DATE, "2000-12-31") == 11322);
    assert_true(isnan(nod_fact_number(NOD_FACT_SITE, "7")));
    assert_true(isnan(nod_fact_number(NOD_FACT_AGE, "")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
