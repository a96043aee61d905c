/* test_positive.c: which class is positive, by name. */
#include "cohort_maker.h"
#include "data/positive.h"

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int positive;
        nod_positive_origin origin;
    } table[] = {
        {"no", "yes", 1, NOD_POSITIVE_DERIVED},
        {"yes", "zno", 0, NOD_POSITIVE_DERIVED},
        {"NORMAL", "PNEUMONIA", 1, NOD_POSITIVE_DERIVED},
        {"benign", "malignant", 1, NOD_POSITIVE_DERIVED},
        {"malignant", "normal", 0, NOD_POSITIVE_DERIVED},
        {"negative", "positive", 1, NOD_POSITIVE_DERIVED},
        {"covid", "non-covid", 0, NOD_POSITIVE_DERIVED},
        {"glioma", "no_tumor", 0, NOD_POSITIVE_DERIVED},
        {"cancer", "fibrosis", 0, NOD_POSITIVE_DERIVED},
        {"0", "1", 1, NOD_POSITIVE_ASSUMED},
        {"left", "right", 1, NOD_POSITIVE_ASSUMED},
        {"benign", "normal", 1, NOD_POSITIVE_ASSUMED},
        {"nose", "nostril", 1, NOD_POSITIVE_ASSUMED},
    };
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < NOD_COUNT(table); i++) {
        const char *const classes[] = {table[i].a, table[i].b};
        nod_cohort_info info = {.classes = classes, .n_classes = 2};
        assert_int_equal(nod_positive_find(&info, NULL, &err), 0);
        if (info.positive != table[i].positive || info.positive_origin != table[i].origin)
            fail_msg("%s, %s: %d, %s", table[i].a, table[i].b, (int)info.positive,
                     nod_positive_origin_name(info.positive_origin));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
