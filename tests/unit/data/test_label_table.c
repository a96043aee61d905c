/* test_label_table.c: labels by patient, study or series, and tables that contradict themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/label_table.h"
#include "temp_folder.h"

static nod_error err;

static int read_text(const char *folder, const char *text, nod_label_table **out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/labels.csv", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return nod_label_table_read(path, NULL, out, &err);
}

static void test_finds_labels(void **state)
{
    nod_label_table *t = NULL;
    const char *text =
        "age,study,label,part\n70,1.2.3,yes,test\n71,1.2.10,no,\n70,1.2.3,yes,test\n";
    assert_int_equal(read_text(*state, text, &t), 0);
    assert_int_equal(nod_label_table_level(t), NOD_LEVEL_STUDY);
    assert_int_equal(nod_label_table_rows(t), 2); /* the same row twice is one */
    assert_int_equal(nod_label_table_unused(t), 2);
    const nod_label_row *row = nod_label_table_find(t, "1.2.3");
    assert_string_equal(row->label, "yes");
    assert_string_equal(row->facts[NOD_FACT_AGE], "70");
    assert_string_equal(row->facts[NOD_FACT_SITE], "");
    assert_int_equal(row->official, NOD_PART_TEST);
    row = nod_label_table_find(t, "1.2.10");
    assert_string_equal(row->label, "no");
    assert_int_equal(row->official, NOD_PART_OUT);
    assert_null(nod_label_table_find(t, "1.2"));
    assert_int_equal(nod_label_table_unused(t), 0);
    nod_label_table_free(t);
}

static void test_bad_tables(void **state)
{
    static const struct {
        const char *text, *message;
        int code;
    } bad[] = {
        {"label\nyes\n", "none of the columns patient, study, series", NOD_EFORMAT},
        {"patient,study,label\na,b,yes\n", "several of the columns", NOD_EFORMAT},
        {"patient,diagnosis\na,yes\n", "column 'label' is missing beside 'patient'",
         NOD_EFORMAT},
        {"patient,label\na,yes\na,no\n",
         "labels.csv:3: this patient has another label or other facts on line 2", NOD_EDATA},
        {"patient,label,sex\na,yes,M\na,yes,F\n",
         "labels.csv:3: this patient has another label", NOD_EDATA},
        {"patient,label,sex\na,yes,male\n", "labels.csv:2: sex: a value is not M, F or O",
         NOD_EDATA},
        {"patient,label\na,\n", "labels.csv:2: the label is empty", NOD_EDATA},
        {"series,label\n,yes\n", "labels.csv:2: the series is empty", NOD_EDATA},
        {"patient,label,part\na,yes,dev\n", "the part is not train, val or test", NOD_EDATA},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_label_table *t = NULL;
        assert_int_equal(read_text(*state, bad[i].text, &t), bad[i].code);
        if (!strstr(err.message, bad[i].message)) fail_msg("%s", err.message);
        assert_null(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_labels),
        cmocka_unit_test(test_bad_tables),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
