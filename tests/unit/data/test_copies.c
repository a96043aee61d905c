/* test_copies.c: what a split does about near-duplicates. Six pictures of class "yes" are those of class
 * "no" with noise; each decision is tried on them. */
#include "data/copies.h"

#include "base/memory.h"
#include "data/layout.h"
#include "data/split.h"
#include "ledger/ledger.h"
#include "picture_maker.h"

#define EACH    20
#define PLANTED 6

static nod_error err;
static nod_cohort *cohort;

static int plant(void **state)
{
    if (temp_folder_make(state) != 0) return -1;
    float *v = nod_calloc(SIDE * SIDE, sizeof *v);
    char name[32];
    for (int k = 0; k < 2 * EACH; k++) {
        bool copy = k >= EACH && k < EACH + PLANTED;
        nod_rng r = nod_rng_make((uint64_t)k, NOD_RNG_TEST, 3);
        paint((uint64_t)(copy ? k - EACH : k), v);
        for (int i = 0; i < SIDE * SIDE && copy; i++)
            v[i] += (float)nod_rng_range(&r, -3, 3);
        snprintf(name, sizeof name, "%s/%02d.png", k < EACH ? "no" : "yes", k % EACH);
        save(*state, name, v, SIDE, SIDE);
    }
    nod_free(v);
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    return nod_index(*state, &o, &cohort, &err);
}

static int clear(void **state)
{
    nod_cohort_free(cohort);
    return temp_folder_remove(state);
}

/* Search, split and judgement as the program does them. */
static int divide(const nod_copies_rule *rule, nod_split **out, nod_copies *copies)
{
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    const nod_near_options no = {.threads = 1};
    nod_case_pair *pairs = NULL;
    nod_near rest = {0};
    int rc = 0;
    NOD_TRY(nod_copies_find(cohort, rule, &no, &pairs, &so.n_pairs, &rest, copies, &err));
    so.pairs = pairs;
    NOD_TRY(nod_split_make(cohort, &so, out, &err));
    NOD_TRY(nod_copies_judge(cohort, *out, &rest, rule, copies, &err));
    rc = nod_split_set_copies(*out, copies, &err);
out:
    nod_near_done(&rest);
    nod_free(pairs);
    return rc;
}

static size_t case_of(const char *file)
{
    for (size_t i = 0; i < nod_cohort_size(cohort); i++)
        if (strcmp(nod_cohort_get(cohort, i)->file, file) == 0) return i;
    fail_msg("no case %s", file);
    return 0;
}

static size_t count_across(const nod_split *s)
{
    char a[32], b[32];
    size_t n = 0;
    for (int k = 0; k < PLANTED; k++) {
        snprintf(a, sizeof a, "no/%02d.png", k);
        snprintf(b, sizeof b, "yes/%02d.png", k);
        n += nod_split_part(s, case_of(a)) != nod_split_part(s, case_of(b));
    }
    return n;
}

static void test_refused(void **state)
{
    (void)state;
    nod_split *s = NULL;
    nod_copies k;
    assert_int_equal(divide(&(nod_copies_rule){0}, &s, &k), NOD_EDATA);
    assert_true(count_across(s) > 0); /* so there was something to refuse */
    char text[64];
    snprintf(text, sizeof text, "%zu near-duplicates lie across parts", count_across(s));
    expect_in(err.message, text);
    expect_in(err.message, "re-encoded, correlation");
    nod_split_free(s);
}

static void test_grouped(void **state)
{
    (void)state;
    nod_split *s = NULL;
    nod_copies k;
    if (divide(&(nod_copies_rule){.group = true}, &s, &k) != 0) fail_msg("%s", err.message);
    assert_int_equal(k.found, PLANTED);
    assert_int_equal(k.joined, PLANTED);
    assert_int_equal(k.across, 0);
    assert_int_equal(count_across(s), 0);
    assert_false(nod_copies_is_notable(&k));
    nod_split_free(s);
}

/* A table of the pairs from `first` on; the other case first in every second row. */
static char *write_table(const char *folder, int first)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    char no[32], yes[32];
    nod_strbuf_add(&b, "what,case,other\n");
    for (int k = first; k < PLANTED; k++) {
        snprintf(no, sizeof no, "no/%02d.png", k);
        snprintf(yes, sizeof yes, "yes/%02d.png", k);
        const char *i = nod_cohort_get(cohort, case_of(k % 2 ? yes : no))->id;
        const char *j = nod_cohort_get(cohort, case_of(k % 2 ? no : yes))->id;
        nod_strbuf_printf(&b, "near-duplicate,%s,%s\nequal pixels,%s,%s\n", i, j, i, i);
    }
    write_text(folder, "distinct.csv", b.data);
    nod_strbuf_done(&b);
    return nod_path_join(folder, "distinct.csv");
}

static void test_distinct(void **state)
{
    nod_split *s = NULL;
    nod_copies k;
    char *path = write_table(*state, 0);
    if (divide(&(nod_copies_rule){.distinct = path}, &s, &k) != 0) fail_msg("%s", err.message);
    assert_int_equal(k.distinct, PLANTED);
    assert_int_equal(k.across, 0);
    assert_true(count_across(s) > 0);
    nod_split_free(s);
    s = NULL;
    free(path);
    path = write_table(*state, 2); /* the other two are joined */
    if (divide(&(nod_copies_rule){.distinct = path, .group = true}, &s, &k) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(k.distinct, PLANTED - 2);
    assert_int_equal(k.joined, 2);
    nod_split_free(s);
    free(path);
}

static void test_bad_tables(void **state)
{
    static const struct {
        const char *text, *message;
        int code;
    } bad[] = {
        {"case,with\n", "column 'other' is missing", NOD_EFORMAT},
        {"case,other\nnobody,someone\n", "distinct.csv:2: the cohort has no case 'nobody'",
         NOD_EDATA},
    };
    char *path = nod_path_join(*state, "distinct.csv");
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_split *s = NULL;
        nod_copies k;
        write_text(*state, "distinct.csv", bad[i].text);
        assert_int_equal(divide(&(nod_copies_rule){.distinct = path}, &s, &k), bad[i].code);
        expect_in(err.message, bad[i].message);
        nod_split_free(s);
    }
    char text[100];
    snprintf(text, sizeof text, "case,other\n%s,%s\n",
             nod_cohort_get(cohort, case_of("no/10.png"))->id,
             nod_cohort_get(cohort, case_of("no/11.png"))->id);
    write_text(*state, "distinct.csv", text);
    nod_split *s = NULL;
    nod_copies k;
    assert_int_equal(divide(&(nod_copies_rule){.distinct = path}, &s, &k), NOD_EDATA);
    expect_in(err.message, "1 of its 1 pairs are no near-duplicates here");
    nod_split_free(s);
    free(path);
}

/* The reason is in the file, in the ledger and in the note of every result. */
static void test_forced(void **state)
{
    nod_split *s = NULL, *back = NULL;
    nod_copies k;
    nod_ledger *l = NULL;
    nod_bytes rows = {0};
    nod_strbuf note = NOD_STRBUF_INIT;
    char *path = nod_path_join(*state, "split.json"),
         *ledger = nod_path_join(*state, "l.sqlite");
    assert_int_equal(divide(&(nod_copies_rule){.force = ""}, &s, &k), NOD_EINVAL);
    nod_split_free(s);
    s = NULL;
    if (divide(&(nod_copies_rule){.force = "as published"}, &s, &k) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(k.across, count_across(s));
    assert_int_equal(nod_ledger_open(ledger, NOD_LEDGER_CREATE, &l, &err), 0);
    assert_int_equal(nod_split_seal(s, cohort, l, NULL, NULL, &err), 0);
    nod_ledger_close(l);
    assert_int_equal(nod_file_read(ledger, 1 << 20, &rows, &err), 0);
    assert_non_null(memmem(rows.data, rows.size, "\"forced\":\"as published\"", 23));
    nod_bytes_done(&rows);
    assert_int_equal(nod_split_write(s, path, &err), 0);
    if (nod_split_read(path, cohort, &back, &err) != 0) fail_msg("%s", err.message);
    const nod_copies *kept = nod_split_copies(back);
    assert_int_equal(kept->across, k.across);
    assert_true(nod_copies_is_notable(kept));
    nod_copies_add_note(kept, &note);
    expect_in(note.data, "forced: ");
    expect_in(note.data, "near-duplicates lie across parts: as published");
    nod_strbuf_done(&note);
    nod_split_free(s);
    nod_split_free(back);
    free(path);
    free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_grouped),
        cmocka_unit_test(test_distinct), cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_forced),
    };
    return cmocka_run_group_tests(tests, plant, clear);
}
