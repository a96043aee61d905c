/* test_person.c: what of a person leaves a header. Days and ages by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/dicom/person.h"

static void test_days(void **state)
{
    (void)state;
    char day[11];
    nod_dicom_day("20240131", day);
    assert_string_equal(day, "2024-01-31");
    nod_dicom_day("2024.01.31", day);
    assert_string_equal(day, "2024-01-31");
    static const char *const none[] = {"",         "2024",      "20241301",
                                       "2024013x", "202401311", "00000000"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        nod_dicom_day(none[i], day);
        assert_string_equal(day, "");
    }
}

static void test_ages(void **state)
{
    (void)state;
    assert_true(nod_dicom_age("042Y", "", "") == 42);
    assert_true(nod_dicom_age("006M", "", "") == 0.5);
    assert_true(fabs(nod_dicom_age("010D", "", "") - 10 / 365.2425) < 1e-12);
    assert_true(nod_dicom_age("", "19800615", "20240614") == 43 + 11 / 12.0);
    assert_true(nod_dicom_age("", "19800615", "20240615") == 44);
    assert_true(isnan(nod_dicom_age("", "20250101", "20240101")));
    assert_true(isnan(nod_dicom_age("42", "", "20240101")));
}

static void test_persons(void **state)
{
    (void)state;
    char a[17], b[17];
    nod_dicom_person("Doe^Jane^^Dr", "19800615", "F", a, sizeof a);
    assert_int_equal(strlen(a), 16);
    nod_dicom_person("DOE^JANE^^DR.^^", "1980.06.15", "F", b, sizeof b);
    assert_string_equal(a, b);
    nod_dicom_person("Doe^Jane^^Dr", "19800616", "F", b, sizeof b);
    assert_string_not_equal(a, b);
    static const char *const nobody[][3] = {{"", "19800615", "F"},
                                            {"Doe^Jane", "", "F"},
                                            {"Doe^Jane", "19800615", ""},
                                            {"Anonymous^^", "19800615", "F"}};
    for (size_t i = 0; i < 4; i++) {
        nod_dicom_person(nobody[i][0], nobody[i][1], nobody[i][2], b, sizeof b);
        assert_string_equal(b, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_persons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
