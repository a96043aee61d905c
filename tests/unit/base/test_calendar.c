/* test_calendar.c: days as numbers. Counts are those of Python's datetime.date.toordinal(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"

/* Every day of 9999 years comes back, and follows the one before. */
static void test_all_days(void **state)
{
    (void)state;
    const int first = nod_date_to_days((nod_date){1, 1, 1});
    const int last = nod_date_to_days((nod_date){9999, 12, 31});
    assert_int_equal(last - first + 1, 3652059); /* date.max.toordinal() */
    nod_date before = {0, 12, 31};
    for (int day = first; day <= last; day++) {
        nod_date d = nod_date_from_days(day);
        if (!nod_date_exists(d) || nod_date_to_days(d) != day) fail_msg("day %d", day);
        bool follows = d.day == before.day + 1
                           ? d.month == before.month && d.year == before.year
                           : d.day == 1 && d.month == before.month % 12 + 1 &&
                                 d.year == before.year + (d.month == 1);
        if (!follows) fail_msg("%d-%d-%d", d.year, d.month, d.day);
        before = d;
    }
}

static void test_no_such_days(void **state)
{
    (void)state;
    static const nod_date none[] = {{2023, 2, 29}, {1900, 2, 29}, {2024, 4, 31}, {2024, 13, 1},
                                    {2024, 0, 1},  {2024, 1, 0},  {2024, 1, 32}, {0, 1, 1}};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(nod_date_exists(none[i]));
    assert_true(nod_date_exists((nod_date){2000, 2, 29}));
    assert_true(nod_date_exists((nod_date){2024, 2, 29}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_days),
        cmocka_unit_test(test_no_such_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
