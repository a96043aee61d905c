/* test_split.c: division by group, official parts, contradictions, and the frozen file. */
#include "data/split.h"

#include <math.h>

#include "base/memory.h"
#include "cohort_maker.h"
#include "data/groups.h"

/* n cases of "no" and n_yes of "yes"; every `per_patient` cases in a row are of one patient. */
static nod_cohort *many(size_t n_no, size_t n_yes, size_t per_patient)
{
    size_t n = n_no + n_yes;
    made_case *cases = nod_calloc(n, sizeof *cases);
    char(*patients)[32] = nod_calloc(n, sizeof *patients);
    for (size_t i = 0; i < n; i++) {
        snprintf(patients[i], sizeof patients[i], "p%zu", i / per_patient);
        cases[i] = (made_case){.label = i < n_no ? "no" : "yes",
                               .patient = per_patient > 1 ? patients[i] : NULL,
                               .official = NOD_PART_OUT};
    }
    nod_cohort *c = make_cohort(cases, n);
    nod_free(cases);
    nod_free(patients);
    return c;
}

static nod_split *split(const nod_cohort *c, const nod_split_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_split *s = NULL;
    if (nod_split_make(c, o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

static void test_fractions_and_strata(void **state)
{
    (void)state;
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_cohort *c = many(700, 300, 1);
    nod_split *s = split(c, &o);
    static const size_t no[] = {490, 105, 105}, yes[] = {210, 45, 45};
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_part_counts n = nod_split_counts(s, (nod_part)p);
        /* Adams' method: within one case a class of the exact share. */
        assert_in_range(n.class_images[0], no[p] - 1, no[p] + 1);
        assert_in_range(n.class_images[1], yes[p] - 1, yes[p] + 1);
        assert_int_equal(n.images, n.class_images[0] + n.class_images[1]);
        assert_int_equal(n.groups, n.images);
    }
    assert_string_equal(nod_split_grouping(s), "none");
    nod_split_free(s);
    nod_cohort_free(c);
}

static void test_patients_are_never_parted(void **state)
{
    (void)state;
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_cohort *c = many(210, 90, 5);
    for (o.seed = 0; o.seed < 20; o.seed++) {
        nod_split *s = split(c, &o);
        nod_part_counts test = nod_split_counts(s, NOD_PART_TEST);
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(nod_split_part(s, i), nod_split_part(s, i / 5 * 5));
        assert_int_equal(test.images, 5 * test.groups);
        assert_in_range(test.groups, 8, 11); /* .15 of 60 is 9; a class each may round up */
        nod_split_free(s);
    }
    nod_cohort_free(c);
}

/* A patient with any positive image counts as one, so that rare positives are spread. */
static void test_mixed_patients(void **state)
{
    (void)state;
    made_case cases[60];
    char patients[60][8];
    for (size_t i = 0; i < 60; i++) {
        snprintf(patients[i], 8, "p%zu", i / 4);
        cases[i] = (made_case){.label = i % 4 == 0 && i < 24 ? "yes" : "no",
                               .patient = patients[i],
                               .official = NOD_PART_OUT};
    }
    nod_cohort *c = make_cohort(cases, 60); /* 15 patients, 6 of them with one positive image */
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    for (o.seed = 0; o.seed < 20; o.seed++) {
        nod_split *s = split(c, &o);
        assert_int_equal(nod_split_counts(s, NOD_PART_VAL).class_groups[1], 1);
        assert_int_equal(nod_split_counts(s, NOD_PART_TEST).class_groups[1], 1);
        nod_split_free(s);
    }
    nod_cohort_free(c);
}

static void test_seed_decides(void **state)
{
    (void)state;
    nod_cohort *c = many(60, 40, 1);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *a = split(c, &o), *b = split(c, &o);
    o.seed = 1;
    nod_split *d = split(c, &o);
    assert_string_equal(nod_split_hash(a), nod_split_hash(b));
    assert_string_not_equal(nod_split_hash(a), nod_split_hash(d));
    size_t differ = 0;
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(nod_split_part(a, i), nod_split_part(b, i));
        differ += nod_split_part(a, i) != nod_split_part(d, i);
    }
    assert_in_range(differ, 20, 80);
    nod_split_free(a);
    nod_split_free(b);
    nod_split_free(d);
    nod_cohort_free(c);
}

/* Every case lands in test about as often as its fraction says. */
static void test_each_case_has_its_chance(void **state)
{
    (void)state;
    nod_cohort *c = many(28, 12, 1);
    size_t in_test[40] = {0};
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    for (o.seed = 0; o.seed < 400; o.seed++) {
        nod_split *s = split(c, &o);
        for (size_t i = 0; i < 40; i++)
            in_test[i] += nod_split_part(s, i) == NOD_PART_TEST;
        nod_split_free(s);
    }
    /* Shares are 4/28 or 5/28 of "no", 2/12 of "yes": 57 to 71 of 400; 5 sd (7.5) around. */
    for (size_t i = 0; i < 40; i++)
        assert_in_range(in_test[i], 20, 110);
    nod_cohort_free(c);
}

/* --- official parts ----------------------------------------------------------------------- */

static const nod_split_note *note_of(const nod_split *s, size_t i_case)
{
    for (size_t i = 0; i < nod_split_notes(s); i++)
        if (nod_split_get_note(s, i)->i_case == i_case) return nod_split_get_note(s, i);
    return NULL;
}

static void test_official_split_is_kept(void **state)
{
    (void)state;
    const made_case cases[] = {
        {"no", NULL, "a", NOD_PART_TRAIN, false},  /* 0: parted by 6: out */
        {"yes", NULL, "b", NOD_PART_TRAIN, false}, /* 1 */
        {"no", NULL, "c", NOD_PART_TRAIN, false},  /* 2 */
        {"no", NULL, "d", NOD_PART_VAL, false},    /* 3: parted by 7: out */
        {"no", NULL, "e", NOD_PART_VAL, false},    /* 4 */
        {"yes", NULL, "f", NOD_PART_VAL, false},   /* 5 */
        {"no", NULL, "a", NOD_PART_TEST, false},   /* 6 */
        {"no", NULL, "d", NOD_PART_TEST, false},   /* 7 */
        {"yes", NULL, "g", NOD_PART_TEST, false},  /* 8 */
        {"no", NULL, "d", NOD_PART_TRAIN, false},  /* 9: out, test outranks */
        {"no", NULL, "e", NOD_PART_TRAIN, false},  /* 10: out, validation outranks */
        {"no", NULL, "k", NOD_PART_TRAIN, true},   /* 11: constant, equal to 12: kept */
        {"no", NULL, "k", NOD_PART_TEST, true},    /* 12 */
        {"no", NULL, "c", NOD_PART_TRAIN, false},  /* 13: equal to 2, same part: kept */
    };
    static const nod_part want[] = {
        NOD_PART_OUT, NOD_PART_TRAIN, NOD_PART_TRAIN, NOD_PART_OUT,  NOD_PART_VAL,
        NOD_PART_VAL, NOD_PART_TEST,  NOD_PART_TEST,  NOD_PART_TEST, NOD_PART_OUT,
        NOD_PART_OUT, NOD_PART_TRAIN, NOD_PART_TEST,  NOD_PART_TRAIN};
    nod_cohort *c = make_cohort(cases, NOD_COUNT(cases));
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = split(c, &o);
    for (size_t i = 0; i < NOD_COUNT(cases); i++)
        if (nod_split_part(s, i) != want[i])
            fail_msg("case %zu is in %s", i, nod_part_name(nod_split_part(s, i)));
    assert_int_equal(nod_split_notes(s), 4);
    static const size_t other[][2] = {{0, 6}, {3, 7}, {9, 7}, {10, 4}};
    for (size_t k = 0; k < 4; k++) {
        const nod_split_note *n = note_of(s, other[k][0]);
        assert_non_null(n);
        assert_int_equal(n->kind, NOD_NOTE_PIXELS_IN_HIGHER);
        assert_int_equal(n->i_other, other[k][1]);
        assert_int_equal(n->from, cases[n->i_case].official);
    }
    assert_int_equal(nod_split_group(s, 2), nod_split_group(s, 13));
    assert_int_not_equal(nod_split_group(s, 11), nod_split_group(s, 12));
    nod_split_free(s);
    nod_cohort_free(c);
}

static void test_official_split_parts_a_patient(void **state)
{
    (void)state;
    const made_case cases[] = {
        {"no", "p1", "a", NOD_PART_TRAIN, false}, {"yes", "p2", "b", NOD_PART_TRAIN, false},
        {"no", "p3", "c", NOD_PART_TRAIN, false}, {"no", "p4", "d", NOD_PART_VAL, false},
        {"yes", "p5", "e", NOD_PART_VAL, false},  {"no", "p1", "f", NOD_PART_TEST, false},
        {"yes", "p6", "g", NOD_PART_TEST, false},
    };
    nod_cohort *c = make_cohort(cases, NOD_COUNT(cases));
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = split(c, &o);
    assert_int_equal(nod_split_part(s, 0), NOD_PART_OUT);
    assert_int_equal(nod_split_part(s, 5), NOD_PART_TEST);
    assert_int_equal(note_of(s, 0)->kind, NOD_NOTE_PATIENT_IN_HIGHER);
    assert_string_equal(nod_split_grouping(s), "declared");
    nod_split_free(s);
    nod_cohort_free(c);
}

static void test_contradictory_images(void **state)
{
    (void)state;
    const made_case cases[] = {
        {"no", NULL, "a", NOD_PART_TRAIN, false}, /* 0, 1: contradict each other: out */
        {"yes", NULL, "a", NOD_PART_TRAIN, false}, {"no", NULL, "b", NOD_PART_TRAIN, false},
        {"yes", NULL, "c", NOD_PART_TRAIN, false}, {"no", NULL, "d", NOD_PART_VAL, false},
        {"yes", NULL, "d", NOD_PART_VAL, false},  /* 4, 5: flagged */
        {"no", NULL, "e", NOD_PART_TRAIN, false}, /* 6: parted and contradictory: out */
        {"yes", NULL, "e", NOD_PART_TEST, false}, /* 7: flagged */
        {"no", NULL, "f", NOD_PART_TEST, false},
    };
    nod_cohort *c = make_cohort(cases, NOD_COUNT(cases));
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = split(c, &o);
    static const struct {
        size_t i, other;
        nod_part part;
        nod_split_note_kind kind;
    } want[] = {{0, 1, NOD_PART_OUT, NOD_NOTE_CONTRADICTORY_OUT},
                {1, 0, NOD_PART_OUT, NOD_NOTE_CONTRADICTORY_OUT},
                {4, 5, NOD_PART_VAL, NOD_NOTE_CONTRADICTORY},
                {5, 4, NOD_PART_VAL, NOD_NOTE_CONTRADICTORY},
                {6, 7, NOD_PART_OUT, NOD_NOTE_PIXELS_IN_HIGHER},
                {7, 6, NOD_PART_TEST, NOD_NOTE_CONTRADICTORY}};
    assert_int_equal(nod_split_notes(s), NOD_COUNT(want));
    for (size_t k = 0; k < NOD_COUNT(want); k++) {
        const nod_split_note *n = note_of(s, want[k].i);
        assert_non_null(n);
        assert_int_equal(nod_split_part(s, want[k].i), want[k].part);
        assert_int_equal(n->kind, want[k].kind);
        assert_int_equal(n->i_other, want[k].other);
    }
    assert_int_equal(nod_split_counts(s, NOD_PART_TRAIN).images, 2);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* An official split without a validation part: it is dealt out of training; test stays. */
static void test_official_split_is_completed(void **state)
{
    (void)state;
    made_case cases[130];
    for (size_t i = 0; i < 130; i++)
        cases[i] = (made_case){.label = i % 2 ? "no" : "yes",
                               .official = i < 100 ? NOD_PART_TRAIN : NOD_PART_TEST};
    nod_cohort *c = make_cohort(cases, 130);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = split(c, &o);
    for (size_t i = 100; i < 130; i++)
        assert_int_equal(nod_split_part(s, i), NOD_PART_TEST);
    assert_int_equal(nod_split_counts(s, NOD_PART_TEST).images, 30);
    /* .15 / .85 of 100 is 17.6 */
    assert_in_range(nod_split_counts(s, NOD_PART_VAL).images, 17, 19);
    nod_split_free(s);
    o.ignore_official = true;
    s = split(c, &o);
    size_t moved = 0;
    for (size_t i = 100; i < 130; i++)
        moved += nod_split_part(s, i) != NOD_PART_TEST;
    assert_in_range(moved, 10, 30);
    nod_split_free(s);
    nod_cohort_free(c);
}

static int try_split(const made_case *cases, size_t n, const nod_split_options *o,
                     nod_error *err)
{
    nod_cohort *c = make_cohort(cases, n);
    nod_split *s = NULL;
    int rc = nod_split_make(c, o, &s, err);
    assert_int_equal(s != NULL, rc == 0);
    nod_split_free(s);
    nod_cohort_free(c);
    return rc;
}

static void test_what_cannot_be_split(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    const made_case one_class_val[] = {
        {"no", NULL, "a", NOD_PART_TRAIN, false}, {"yes", NULL, "b", NOD_PART_TRAIN, false},
        {"no", NULL, "c", NOD_PART_VAL, false},   {"no", NULL, "d", NOD_PART_VAL, false},
        {"no", NULL, "e", NOD_PART_TEST, false},  {"yes", NULL, "f", NOD_PART_TEST, false}};
    assert_int_equal(try_split(one_class_val, 6, &o, &err), NOD_EDATA);
    expect_in(err.message, "the val part has no case of class 'yes'");
    o.allow_one_class = true;
    assert_int_equal(try_split(one_class_val, 6, &o, &err), 0);
    o.allow_one_class = false;

    made_case some[6];
    memcpy(some, one_class_val, sizeof some);
    some[3].label = "yes";
    assert_int_equal(try_split(some, 6, &o, &err), 0);
    some[2].official = NOD_PART_OUT;
    assert_int_equal(try_split(some, 6, &o, &err), NOD_EDATA);
    expect_in(err.message, "case c2 has no official part");

    for (size_t i = 0; i < 6; i++)
        some[i].official = NOD_PART_TEST;
    assert_int_equal(try_split(some, 6, &o, &err), NOD_EDATA);
    expect_in(err.message, "no training part");

    const made_case one_patient[] = {{"no", "p", "a", NOD_PART_OUT, false},
                                     {"yes", "p", "b", NOD_PART_OUT, false},
                                     {"yes", "p", "c", NOD_PART_OUT, false}};
    assert_int_equal(try_split(one_patient, 3, &o, &err), NOD_EDATA);
    expect_in(err.message, "would be empty");

    o.fraction[0] = 0.8;
    assert_int_equal(try_split(some, 6, &o, &err), NOD_EINVAL);
    expect_in(err.message, "sum to 1.1");
    o.fraction[0] = NAN;
    assert_int_equal(try_split(some, 6, &o, &err), NOD_EINVAL);
}

/* --- the file ----------------------------------------------------------------------------- */

static nod_ledger *open_ledger(const char *folder, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = NULL;
    char path[512];
    if (nod_ledger_open(temp_path(path, folder, name), NOD_LEDGER_CREATE, &l, &err) != 0)
        fail_msg("%s", err.message);
    return l;
}

static bool same_anchor(const nod_anchor *a, const nod_anchor *b)
{
    return strcmp(a->id, b->id) == 0 && a->length == b->length && strcmp(a->head, b->head) == 0;
}

static void test_file_round_trip(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    const made_case cases[] = {
        {"no", "p1", "a", NOD_PART_TRAIN, false}, {"yes", "p2", "b", NOD_PART_TRAIN, false},
        {"no", "p3", "c", NOD_PART_VAL, false},   {"yes", "p4", "d", NOD_PART_VAL, false},
        {"no", "p5", "e", NOD_PART_TEST, false},  {"yes", "p6", "f", NOD_PART_TEST, false},
        {"no", "p7", "f", NOD_PART_TRAIN, false}};
    nod_cohort *c = make_cohort(cases, NOD_COUNT(cases));
    /* Exact in binary, so that a changed digit is another number. */
    nod_split_options o = {.fraction = {0.5, 0.25, 0.25}};
    nod_split *s = split(c, &o), *back = NULL;
    temp_path(path, *state, "split.json");
    assert_int_equal(nod_split_write(s, path, &err), NOD_ESEAL);
    nod_ledger *l = open_ledger(*state, "a.sqlite");
    assert_int_equal(nod_split_seal(s, c, l, NULL, NULL, &err), 0);
    nod_anchor a = nod_split_anchor(s);
    assert_int_equal(nod_ledger_check_anchor(l, &a, "split", &err), 0);
    nod_ledger_close(l);
    assert_int_equal(nod_split_write(s, path, &err), 0);
    if (nod_split_read(path, c, &back, &err) != 0) fail_msg("%s", err.message);
    assert_string_equal(nod_split_hash(s), nod_split_hash(back));
    nod_anchor b = nod_split_anchor(back);
    assert_string_equal(a.head, b.head);
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        assert_int_equal(nod_split_part(s, i), nod_split_part(back, i));
        assert_int_equal(nod_split_group(s, i), nod_split_group(back, i));
    }
    assert_int_equal(nod_split_notes(back), 2);
    assert_memory_equal(nod_split_get_note(s, 0), nod_split_get_note(back, 0),
                        sizeof(nod_split_note));
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_part_counts x = nod_split_counts(s, (nod_part)p), y;
        y = nod_split_counts(back, (nod_part)p);
        assert_int_equal(x.images, y.images);
        assert_int_equal(x.class_images[1], y.class_images[1]);
        assert_int_equal(x.class_groups[1], y.class_groups[1]);
    }
    nod_split_free(back);
    back = NULL;

    /* Another cohort: one label differs. */
    made_case other[NOD_COUNT(cases)];
    memcpy(other, cases, sizeof other);
    other[0].label = "yes";
    nod_cohort *d = make_cohort(other, NOD_COUNT(other));
    assert_int_equal(nod_split_read(path, d, &back, &err), NOD_ESEAL);
    expect_in(err.message, "divides another cohort");
    nod_cohort_free(d);

    /* Every single edited character is noticed: by the syntax or by the hash. */
    nod_bytes text;
    assert_int_equal(nod_file_read(path, 1 << 20, &text, &err), 0);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t old = text.data[i];
        if (old == ' ' || old == '\n') continue;
        text.data[i] = old == '1' ? '2' : '1';
        int rc = nod_split_parse((char *)text.data, text.size, "split.json", c, &back, &err);
        text.data[i] = old;
        if (rc != 0) continue;
        /* Only the version of the program and the anchor stand outside the hash; the ledger
         * checks the anchor. */
        nod_anchor e = nod_split_anchor(back);
        const char *version = strstr((char *)text.data, "\"nodule\": \"");
        size_t from = (size_t)(version - (char *)text.data);
        bool in_version = i > from && i < from + 24;
        if (!in_version && same_anchor(&a, &e)) fail_msg("edit at byte %zu passed", i);
        nod_split_free(back);
        back = NULL;
    }
    nod_bytes_done(&text);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* After a look at the cohort's test part, splitting it anew is refused without a reason. */
static void test_seal_knows_looked_at_cases(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_cohort *c = many(40, 40, 1);
    nod_split *a = split(c, &o);
    nod_ledger *l = open_ledger(*state, "b.sqlite");
    assert_int_equal(nod_split_seal(a, c, l, NULL, NULL, &err), 0);
    nod_look_run run = {.name = "r",
                        .hash = "00000000000000000000000000000000"
                                "00000000000000000000000000000000",
                        .made = nod_split_anchor(a)};
    nod_look_request q = {.split_hash = nod_split_hash(a),
                          .split_anchor = nod_split_anchor(a),
                          .runs = &run,
                          .n_runs = 1};
    nod_look *look = NULL;
    assert_int_equal(nod_look_begin(l, &q, &look, &err), 0);
    nod_look_close(look); /* no result: it counts all the same */
    o.seed = 7;
    nod_split *b = split(c, &o);
    assert_int_equal(nod_split_seal(b, c, l, NULL, NULL, &err), NOD_ESEAL);
    assert_false(nod_split_is_sealed(b));
    assert_int_equal(nod_split_seal(b, c, l, "labels were mended", NULL, &err), 0);
    assert_true(nod_split_is_sealed(b));
    nod_ledger_close(l);
    nod_split_free(a);
    nod_split_free(b);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fractions_and_strata),
        cmocka_unit_test(test_patients_are_never_parted),
        cmocka_unit_test(test_mixed_patients),
        cmocka_unit_test(test_seed_decides),
        cmocka_unit_test(test_each_case_has_its_chance),
        cmocka_unit_test(test_official_split_is_kept),
        cmocka_unit_test(test_official_split_parts_a_patient),
        cmocka_unit_test(test_contradictory_images),
        cmocka_unit_test(test_official_split_is_completed),
        cmocka_unit_test(test_what_cannot_be_split),
        cmocka_unit_test(test_file_round_trip),
        cmocka_unit_test(test_seal_knows_looked_at_cases),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
