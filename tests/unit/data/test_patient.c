/* test_patient.c: which ids stand for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/patient.h"

static void test_dummies(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",    "REMOVED", "Anonymous", "anonymized", "De-Identified",
        "N/A", "unknown", "Test",      " none ",     "H1^REMOVED"};
    static const char *const machine[] = {"123456", "12345678", "0",       "0000",
                                          "99999",  "XXX",      "H1^1234", "1234567890"};
    static const char *const people[] = {"7",    "11",     "222",      "123",
                                         "P001", "124356", "Testa",    "ANON_0412",
                                         "H1^7", "654321", "patient12"};
    for (size_t i = 0; i < NOD_COUNT(words); i++)
        if (!nod_patient_is_dummy(words[i], false)) fail_msg("'%s' is a dummy", words[i]);
    for (size_t i = 0; i < NOD_COUNT(machine); i++) {
        if (!nod_patient_is_dummy(machine[i], true)) fail_msg("'%s' is a dummy", machine[i]);
        if (nod_patient_is_dummy(machine[i], false))
            fail_msg("'%s' may be a number", machine[i]);
    }
    for (size_t i = 0; i < NOD_COUNT(people); i++)
        if (nod_patient_is_dummy(people[i], true)) fail_msg("'%s' is a patient", people[i]);
}

static void test_keys(void **state)
{
    (void)state;
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_patient_add_key(&b, "H1", "7");
    nod_strbuf_addc(&b, '|');
    nod_patient_add_key(&b, "", "7");
    assert_string_equal(b.data, "H1^7|7");
    nod_strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dummies),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
