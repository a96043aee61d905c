/* test_unit_label.c: labels of units: what must be asked for, ten images joined by hand, splits that count
 * and deal units, follow-ups. */
#include "base/memory.h"
#include "cohort_maker.h"
#include "data/labels.h"
#include "data/unit_label.h"

typedef struct labelled {
    const char *label, *patient, *study, *side, *date;
} labelled;

static nod_cohort_info judged_by(nod_level unit, nod_unit_label rule)
{
    nod_cohort_info info = made_info("dicom");
    info.unit = unit;
    info.unit_label = rule;
    return info;
}

static nod_cohort *cohort_in(const char *folder, const nod_cohort_info *info,
                             const labelled *cases, size_t n)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    if (nod_cohort_new(info, folder, &c, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "c%zu", i);
        nod_case k = made_file(id);
        k.patient = cases[i].patient;
        k.study = cases[i].study;
        k.facts[NOD_FACT_SIDE] = cases[i].side;
        k.facts[NOD_FACT_DATE] = cases[i].date;
        made_add(c, k, cases[i].label);
    }
    return made_end(c);
}

static nod_cohort *cohort_of(const nod_cohort_info *info, const labelled *cases, size_t n)
{
    return cohort_in(".", info, cases, n);
}

/* --- what was asked for ------------------------------------------------------------------- */

static void expect_request(nod_level labels, const char *unit, bool spread, const char *joined,
                           int code, const char *text)
{
    const nod_unit_request q = {labels, unit, joined, spread, false, true};
    nod_error err = NOD_ERROR_INIT;
    nod_unit_label rule = NOD_UNIT_LABEL_ANY;
    nod_level level = NOD_LEVELS;
    int rc = nod_unit_request_check(&q, &level, &rule, &err);
    if (rc != code) fail_msg("%d instead of %d: %s", rc, code, err.message);
    if (rc) {
        expect_in(err.message, text);
        return;
    }
    assert_string_equal(nod_unit_label_name(rule), text);
    assert_string_equal(nod_level_name(level), unit ? unit : nod_level_name(labels));
}

static void test_other_levels_are_asked_for(void **state)
{
    (void)state;
    const nod_level image = NOD_LEVEL_IMAGE, study = NOD_LEVEL_STUDY,
                    patient = NOD_LEVEL_PATIENT;
    expect_request(study, NULL, false, NULL, 0, "same");
    expect_request(patient, "study", false, NULL, NOD_EINVAL, "--spread-labels");
    expect_request(patient, "study", true, NULL, 0, "same");
    expect_request(image, "patient", false, NULL, NOD_EINVAL, "--unit-label same");
    expect_request(image, "patient", false, "any", 0, "any");
    expect_request(image, "patient", false, "some", NOD_EINVAL, "there are same and any");
    expect_request(image, "person", false, "any", NOD_EINVAL, "there are image, series");
    /* A study shows both breasts, a breast is in several studies: both have to be said. */
    expect_request(study, "breast", false, "same", NOD_EINVAL, "--spread-labels");
    expect_request(study, "breast", true, NULL, NOD_EINVAL, "--unit-label");
    expect_request(study, "breast", true, "any", 0, "any");
}

static void test_what_cannot_be_judged(void **state)
{
    nod_unit_request q = {NOD_LEVEL_PATIENT, NULL, NULL, false, true, true};
    nod_error err = NOD_ERROR_INIT;
    nod_level level = NOD_LEVELS;
    nod_unit_label rule;
    (void)state;
    assert_int_equal(nod_unit_request_check(&q, &level, &rule, &err), 0);
    assert_int_equal(level, NOD_LEVEL_IMAGE); /* of masks, wherever a table has its labels */
    q.unit = "patient";
    assert_int_equal(nod_unit_request_check(&q, &level, &rule, &err), NOD_EINVAL);
    expect_in(err.message, "masks are judged image by image");
    q.masks = q.patients_known = false;
    assert_int_equal(nod_unit_request_check(&q, &level, &rule, &err), NOD_EINVAL);
    expect_in(err.message, "no patient is known");
}

/* --- ten images by hand ------------------------------------------------------------------- */

/* A: 2 studies, one with the finding; B: none; C: in both; D: in one of two images; E: one image. */
static const labelled ten[] = {
    {"no", "A", "1", "L", ""},  {"yes", "A", "1", "R", ""}, {"no", "A", "2", "L", ""},
    {"no", "B", "3", "L", ""},  {"no", "B", "3", "R", ""},  {"yes", "C", "4", "L", ""},
    {"yes", "C", "5", "L", ""}, {"no", "D", "6", "L", ""},  {"yes", "D", "6", "R", ""},
    {"no", "E", "7", "L", ""},
};

static void expect_labels(nod_level unit, const int32_t *want, size_t n)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_cohort_info info = judged_by(unit, NOD_UNIT_LABEL_ANY);
    nod_cohort *c = cohort_of(&info, ten, NOD_COUNT(ten));
    nod_units_of_cases u;
    int32_t *got = NULL;
    assert_int_equal(nod_units_of_cases_make(c, unit, &u, &err), 0);
    assert_int_equal(nod_unit_labels_make(c, &u, &got, &err), 0);
    assert_int_equal(u.n_units, n);
    assert_memory_equal(got, want, n * sizeof *want);
    nod_free(got);
    nod_units_of_cases_done(&u);
    nod_cohort_free(c);
}

static void test_one_with_the_finding_suffices(void **state)
{
    (void)state;
    expect_labels(NOD_LEVEL_PATIENT, (int32_t[]){1, 0, 1, 1, 0}, 5);
    expect_labels(NOD_LEVEL_STUDY, (int32_t[]){1, 0, 0, 1, 1, 1, 0}, 7);
    /* AL, AR, BL, BR, CL, DL, DR, EL */
    expect_labels(NOD_LEVEL_BREAST, (int32_t[]){0, 1, 0, 0, 1, 0, 1, 0}, 8);
    expect_labels(NOD_LEVEL_IMAGE, (int32_t[]){0, 1, 0, 0, 0, 1, 1, 0, 1, 0}, 10);
}

static void test_the_same_or_an_error(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort_info info = judged_by(NOD_LEVEL_PATIENT, NOD_UNIT_LABEL_SAME);
    nod_cohort *c = cohort_of(&info, ten, NOD_COUNT(ten));
    nod_units_of_cases u;
    int32_t *got = NULL;
    (void)state;
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_PATIENT, &u, &err), 0);
    assert_int_equal(nod_unit_labels_make(c, &u, &got, &err), NOD_EDATA);
    expect_in(err.message, "cases c0 and c1 are of one patient and have different labels");
    assert_null(got);
    nod_units_of_cases_done(&u);
    nod_cohort_free(c);
    c = cohort_of(&info, ten + 3, 4); /* B no, C yes throughout */
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_PATIENT, &u, &err), 0);
    assert_int_equal(nod_unit_labels_make(c, &u, &got, &err), 0);
    assert_true(u.n_units == 2 && got[0] == 0 && got[1] == 1);
    nod_free(got);
    nod_units_of_cases_done(&u);
    nod_cohort_free(c);
}

static void test_labels_of_several(void **state)
{
    static const char *const three[] = {"mass", "fluid", "air"};
    static const labelled cases[] = {{"mass|air", "A", "1", "", ""},
                                     {"fluid", "A", "1", "", ""},
                                     {"", "B", "2", "", ""},
                                     {"", "B", "2", "", ""}};
    static const int32_t want[] = {1, 1, 1, 0, 0, 0};
    nod_error err = NOD_ERROR_INIT;
    nod_cohort_info info = judged_by(NOD_LEVEL_PATIENT, NOD_UNIT_LABEL_ANY);
    nod_units_of_cases u;
    int32_t *got = NULL;
    (void)state;
    info.classes = three;
    info.n_classes = 3;
    info.positive = -1;
    info.positive_origin = NOD_POSITIVE_NONE;
    info.multilabel = true;
    nod_cohort *c = cohort_of(&info, cases, 4);
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_PATIENT, &u, &err), 0);
    assert_int_equal(nod_unit_labels_make(c, &u, &got, &err), 0);
    assert_memory_equal(got, want, sizeof want);
    nod_free(got);
    nod_cohort_free(c);
    /* Several classes, one a case: no class is what "any" would be. */
    info.multilabel = false;
    static const labelled single[] = {
        {"mass", "A", "1", "", ""}, {"fluid", "A", "1", "", ""}, {"air", "B", "2", "", ""}};
    c = cohort_of(&info, single, 3);
    nod_units_of_cases_done(&u);
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_PATIENT, &u, &err), 0);
    assert_int_equal(nod_unit_labels_make(c, &u, &got, &err), NOD_EINVAL);
    expect_in(err.message, "needs a positive class");
    nod_units_of_cases_done(&u);
    nod_cohort_free(c);
}

/* A cohort whose file was edited says what its units lack when it is read. */
static void test_files_are_checked(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    const nod_cohort_info info = judged_by(NOD_LEVEL_PATIENT, NOD_UNIT_LABEL_ANY);
    nod_cohort *c = cohort_in(*state, &info, ten, NOD_COUNT(ten)), *back = NULL;
    char path[600], *text = NULL;
    temp_path(path, *state, "ten.csv");
    if (nod_cohort_write(c, path, &err) != 0) fail_msg("%s", err.message);
    if (nod_cohort_read(path, &back, &err) != 0) fail_msg("%s", err.message);
    assert_string_equal(nod_cohort_hash(back), nod_cohort_hash(c));
    assert_int_equal(nod_cohort_get_info(back)->unit_label, NOD_UNIT_LABEL_ANY);
    nod_cohort_free(back);
    back = NULL;
    static const char *const edits[][3] = {
        {"\"unit_label\": \"any\"", "\"unit_label\": \"same\"", "have different labels"},
        {"\"unit\": \"patient\"", "\"unit\": \"series\"",
         "10 of 10 cases do not say their series"},
        {"\"unit_label\": \"any\"", "\"unit_label\": \"one\"", "'one' is not known"},
    };
    for (size_t i = 0; i < NOD_COUNT(edits); i++) {
        nod_bytes b = {0}, csv = {0};
        nod_strbuf meta = NOD_STRBUF_INIT;
        char json[620];
        snprintf(json, sizeof json, "%s.json", path);
        assert_int_equal(nod_file_read(json, 1 << 20, &b, &err), 0);
        assert_int_equal(nod_file_read(path, 1 << 20, &csv, &err), 0);
        nod_strbuf_addn(&meta, (const char *)b.data, b.size);
        text = strstr(meta.data, edits[i][0]);
        assert_non_null(text);
        nod_strbuf edited = NOD_STRBUF_INIT;
        nod_strbuf_addn(&edited, meta.data, (size_t)(text - meta.data));
        nod_strbuf_printf(&edited, "%s%s", edits[i][1], text + strlen(edits[i][0]));
        int rc = nod_cohort_parse((const char *)csv.data, csv.size, edited.data, edited.len,
                                  path, &back, &err);
        assert_true(rc == NOD_EDATA || rc == NOD_EFORMAT);
        expect_in(err.message, edits[i][2]);
        nod_strbuf_done(&edited);
        nod_strbuf_done(&meta);
        nod_bytes_done(&csv);
        nod_bytes_done(&b);
    }
    nod_cohort_free(c);
}

/* --- splits ------------------------------------------------------------------------------- */

/* 20 patients, p00 .. p19: patient i has 1 + i % 7 images, the even ones have the finding in their last.
 * Of the ten patients of each class Adams' method with .7, .15, .15 deals one to each part, then four to
 * training (5/.7 passes 1/.15), one to each of the others (2/.15), one to training: 6, 2, 2. */
static size_t fill_twenty(labelled *cases, char (*names)[32])
{
    size_t n = 0;
    for (size_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "p%02zu", i);
        for (size_t k = 0; k <= i % 7; k++)
            cases[n++] = (labelled){.label = i % 2 == 0 && k == i % 7 ? "yes" : "no",
                                    .patient = names[i],
                                    .study = names[i],
                                    .side = "",
                                    .date = ""};
    }
    return n;
}

static void test_split_counts_and_deals_units(void **state)
{
    static const size_t want[NOD_PARTS] = {6, 2, 2};
    labelled cases[20 * 7];
    char names[20][32];
    size_t n = fill_twenty(cases, names), images = 0;
    nod_error err = NOD_ERROR_INIT;
    const nod_cohort_info info = judged_by(NOD_LEVEL_PATIENT, NOD_UNIT_LABEL_ANY);
    nod_cohort *c = cohort_of(&info, cases, n);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    (void)state;
    if (nod_split_make(c, &o, &s, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_split_unit(s), NOD_LEVEL_PATIENT);
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_part_counts k = nod_split_counts(s, (nod_part)p);
        assert_int_equal(k.units, 2 * want[p]);
        assert_int_equal(k.groups, 2 * want[p]);
        for (size_t m = 0; m < 2; m++) {
            assert_int_equal(k.class_units[m], want[p]);
            assert_int_equal(k.class_groups[m], want[p]);
        }
        assert_int_equal(k.class_images[1], want[p]); /* one image each shows it */
        images += k.images;
    }
    assert_int_equal(images, n);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* Units of the training part with their labels, once more by hand from the cases. */
static void test_labels_serve_units(void **state)
{
    labelled cases[20 * 7];
    char names[20][32], id[NOD_UNIT_ID_MAX];
    size_t n = fill_twenty(cases, names);
    nod_error err = NOD_ERROR_INIT;
    const nod_cohort_info info = judged_by(NOD_LEVEL_PATIENT, NOD_UNIT_LABEL_ANY);
    nod_cohort *c = cohort_of(&info, cases, n);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    nod_labels l;
    (void)state;
    assert_int_equal(nod_split_make(c, &o, &s, &err), 0);
    assert_int_equal(nod_labels_serve(c, s, NOD_PART_TRAIN, NULL, &l, &err), 0);
    assert_int_equal(l.n_units, 12);
    for (size_t i = 0; i < l.n; i++) {
        const labelled *first = &cases[l.first[l.unit[i]]], *own = &cases[l.cases[i]];
        int patient = (own->patient[1] - 48) * 10 + own->patient[2] - 48;
        assert_string_equal(first->patient, own->patient);
        assert_int_equal(l.unit_values[l.unit[i]], patient % 2 == 0);
        assert_int_equal(l.values[i], strcmp(own->label, "yes") == 0);
    }
    nod_unit_id(c, l.first[0], id);
    snprintf(names[0], sizeof names[0], "c%zu", l.first[0]);
    assert_true(strncmp(id, "patient-", 8) == 0 && strcmp(id + 8, names[0]) == 0);
    nod_labels_done(&l);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* --- follow-ups --------------------------------------------------------------------------- */

/* A has two studies, B two days without study ids, C one study of two images, D is not known. */
static void test_follow_ups(void **state)
{
    static const labelled cases[] = {
        {"yes", "A", "1", "", ""},
        {"yes", "A", "2", "", ""},
        {"no", "B", "", "", "2020-01-02"},
        {"no", "B", "", "", "2021-01-02"},
        {"no", "B", "", "", "2021-01-02"},
        {"yes", "C", "3", "", "2020-01-02"},
        {"yes", "C", "3", "", "2020-01-03"},
        {"no", "", "4", "", ""},
        {"no", "", "5", "", ""},
    };
    nod_error err = NOD_ERROR_INIT;
    nod_cohort_info info = judged_by(NOD_LEVEL_STUDY, NOD_UNIT_LABEL_SAME);
    nod_follow_ups f;
    nod_cohort_findings all;
    info.unit = NOD_LEVEL_IMAGE;
    info.label_level = NOD_LEVEL_PATIENT;
    static const bool want[] = {true, true, true, true, true, false, false, false, false};
    bool marked[NOD_COUNT(cases)] = {false};
    char path[600];
    nod_bytes b;
    nod_cohort *c = cohort_in(*state, &info, cases, NOD_COUNT(cases));
    assert_int_equal(nod_follow_ups_find(c, marked, &f, &err), 0);
    assert_true(f.patients == 2 && f.studies == 4);
    assert_memory_equal(marked, want, sizeof want);
    temp_path(path, *state, "follow.csv");
    assert_int_equal(nod_cohort_write(c, path, &err), 0);
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    size_t said = 0;
    for (const char *at = (const char *)b.data; (at = strstr(at, "follow-up label")); at++)
        said++;
    assert_int_equal(said, 5);
    nod_bytes_done(&b);
    assert_int_equal(nod_cohort_find_all(c, &all, &err), 0);
    assert_true(all.follow_up_patients == 2 && all.follow_up_studies == 4 && all.units == 9);
    nod_cohort_free(c);
    info.label_level = NOD_LEVEL_STUDY; /* each study was labelled by itself */
    c = cohort_of(&info, cases, NOD_COUNT(cases));
    assert_int_equal(nod_follow_ups_find(c, NULL, &f, &err), 0);
    assert_true(f.patients == 0 && f.studies == 0);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_levels_are_asked_for),
        cmocka_unit_test(test_what_cannot_be_judged),
        cmocka_unit_test(test_one_with_the_finding_suffices),
        cmocka_unit_test(test_the_same_or_an_error),
        cmocka_unit_test(test_labels_of_several),
        cmocka_unit_test(test_files_are_checked),
        cmocka_unit_test(test_split_counts_and_deals_units),
        cmocka_unit_test(test_labels_serve_units),
        cmocka_unit_test(test_follow_ups),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
