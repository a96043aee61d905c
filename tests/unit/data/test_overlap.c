/* test_overlap.c: cases that a model has met already, by pixels, study and patient. */
#include "data/overlap.h"

#include "cohort_maker.h"

static nod_split *divided(const nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    if (nod_split_make(c, &o, &s, &err)) fail_msg("%s", err.message);
    return s;
}

static nod_overlaps find(const nod_cohort *known, const nod_split *s, const nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_overlaps o;
    if (nod_overlaps_find(known, s, c, &o, &err)) fail_msg("%s", err.message);
    return o;
}

/* Two of training, two of validation, two of test. */
static const made_case trained[] = {
    {"no", "p1", "a", NOD_PART_TRAIN, false}, {"yes", "p2", "b", NOD_PART_TRAIN, false},
    {"no", "p3", "c", NOD_PART_VAL, false},   {"yes", "p4", "d", NOD_PART_VAL, true},
    {"no", "p5", "e", NOD_PART_TEST, false},  {"yes", "p6", "f", NOD_PART_TEST, false}};

static void test_kinds(void **state)
{
    (void)state;
    static const made_case cases[] = {
        {"no", "q1", "a", NOD_PART_OUT, false},  /* pixels of training */
        {"yes", "p2", "x", NOD_PART_OUT, false}, /* patient of training */
        {"no", "p1", "c", NOD_PART_OUT, false},  /* pixels of validation: before the patient */
        {"yes", "q4", "d", NOD_PART_OUT, true},  /* constant: nobody's copy */
        {"no", "p5", "e", NOD_PART_OUT, false}, /* of the test part: the model has not met it */
        {"yes", "unknown", "z", NOD_PART_OUT, false}};
    made_case known_cases[NOD_COUNT(trained)];
    memcpy(known_cases, trained, sizeof known_cases);
    known_cases[0].patient = "unknown"; /* nobody's id */
    nod_cohort *known = make_cohort(known_cases, NOD_COUNT(known_cases)),
               *c = make_cohort(cases, NOD_COUNT(cases));
    nod_split *s = divided(known);
    nod_overlaps o = find(known, s, c);
    assert_true(o.patients_compared);
    assert_int_equal(o.n, 3);
    static const nod_overlap want[] = {
        {0, 0, NOD_OVERLAP_PIXELS}, {1, 1, NOD_OVERLAP_PATIENT}, {2, 2, NOD_OVERLAP_PIXELS}};
    for (size_t i = 0; i < 3; i++)
        assert_true(o.items[i].i_case == want[i].i_case &&
                    o.items[i].i_known == want[i].i_known && o.items[i].kind == want[i].kind);
    nod_overlaps_done(&o);
    nod_split_free(s);
    nod_cohort_free(known);
    nod_cohort_free(c);
}

/* "1" by a rule and "1" of a table are two persons; by the same rule they are one. */
static void test_other_names(void **state)
{
    (void)state;
    static const char *const classes[] = {"no", "yes"};
    static const made_case cases[] = {{"no", "p1", "x", NOD_PART_OUT, false},
                                      {"yes", "p2", "y", NOD_PART_OUT, false}};
    nod_cohort_info info = {.classes = classes,
                            .n_classes = 2,
                            .positive = 1,
                            .positive_origin = NOD_POSITIVE_DERIVED,
                            .grouping = NOD_GROUPING_DERIVED,
                            .grouping_rule = "regex A",
                            .layout = "folder",
                            .source = "s"};
    nod_cohort *declared = make_cohort(trained, NOD_COUNT(trained)),
               *a = make_cohort_info(&info, trained, NOD_COUNT(trained)),
               *b = make_cohort_info(&info, cases, NOD_COUNT(cases)), *other;
    info.grouping_rule = "regex B";
    other = make_cohort_info(&info, cases, NOD_COUNT(cases));
    nod_split *s = divided(declared), *t = divided(a);
    nod_overlaps o = find(declared, s, b);
    assert_true(!o.patients_compared && o.n == 0);
    nod_overlaps_done(&o);
    o = find(a, t, b);
    assert_true(o.patients_compared && o.n == 2);
    nod_overlaps_done(&o);
    o = find(a, t, other);
    assert_true(!o.patients_compared && o.n == 0);
    nod_overlaps_done(&o);
    nod_split_free(s);
    nod_split_free(t);
    nod_cohort_free(declared);
    nod_cohort_free(a);
    nod_cohort_free(b);
    nod_cohort_free(other);
}

/* One case of each cohort with what DICOM says of it. */
static nod_cohort *of_dicom(const char *id, const char *study, const char *person,
                            const char *frame)
{
    const nod_cohort_info info = made_info("dicom");
    nod_cohort *c = made_begin(&info);
    for (int i = 0; i < 6; i++) { /* of three parts; the first case is the one of interest */
        char name[32], patient[32];
        snprintf(name, sizeof name, "%s%d", id, i);
        snprintf(patient, sizeof patient, "H^%s-%d", id, i);
        nod_case k = made_file(name);
        k.patient = patient;
        k.study = i ? NULL : study;
        k.person = i ? NULL : person;
        k.frame_of_reference = i ? NULL : frame;
        k.official = (nod_part)(i / 2);
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

static void test_study_and_suspects(void **state)
{
    (void)state;
    static const struct {
        const char *study, *person, *frame;
        size_t n, n_suspects;
        nod_overlap_kind kind;
    } others[] = {{"1.2.3", "0123456789abcdef", "1.4", 1, 0, NOD_OVERLAP_STUDY},
                  {"1.2.4", "0123456789abcdef", "1.4", 1, 1, NOD_OVERLAP_PERSON},
                  {"1.2.4", "", "1.4", 1, 1, NOD_OVERLAP_FRAME},
                  {"1.2.4", "", "", 0, 0, NOD_OVERLAP_PIXELS}};
    nod_cohort *known = of_dicom("a", "1.2.3", "0123456789abcdef", "1.4");
    nod_split *s = divided(known);
    for (size_t i = 0; i < NOD_COUNT(others); i++) {
        nod_cohort *c = of_dicom("b", others[i].study, others[i].person, others[i].frame);
        nod_overlaps o = find(known, s, c);
        assert_true(o.n == others[i].n && o.n_suspects == others[i].n_suspects);
        if (o.n) assert_int_equal(o.items[0].kind, others[i].kind);
        nod_overlaps_done(&o);
        nod_cohort_free(c);
    }
    nod_split_free(s);
    nod_cohort_free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_other_names),
                                       cmocka_unit_test(test_study_and_suspects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
