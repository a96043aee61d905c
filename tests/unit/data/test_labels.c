/* test_labels.c: labels come by part, the test part only with the right, and there is no other
 * way to them. */
#include <dirent.h>

#include "base/memory.h"
#include "data/labels.h"
#include "sealed_world.h"

static void test_parts_are_served(void **state)
{
    sealed_world w = sealed_world_make(*state, "parts", 20);
    nod_error err = NOD_ERROR_INIT;
    nod_look *look = sealed_world_look(&w);
    size_t total = 0;
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_labels l;
        nod_look *right = p == NOD_PART_TEST ? look : NULL;
        assert_int_equal(nod_labels_serve(w.cohort, w.split, (nod_part)p, right, &l, &err), 0);
        assert_int_equal(l.n, nod_split_counts(w.split, (nod_part)p).images);
        assert_int_equal(l.n_classes, 2);
        for (size_t i = 0; i < l.n; i++) {
            const nod_case *k = nod_cohort_get(w.cohort, l.cases[i]);
            assert_int_equal(nod_split_part(w.split, l.cases[i]), p);
            assert_int_equal(l.values[i], strncmp(k->file, "yes", 3) == 0);
        }
        total += l.n;
        nod_labels_done(&l);
    }
    assert_int_equal(total, 40);
    nod_look_close(look);
    sealed_world_done(&w);
}

static void test_test_part_needs_an_open_look(void **state)
{
    sealed_world w = sealed_world_make(*state, "sealed", 20);
    sealed_world other = sealed_world_make(*state, "other", 21);
    nod_error err = NOD_ERROR_INIT;
    nod_labels l = {.n = 77};
    assert_int_equal(nod_labels_serve(w.cohort, w.split, NOD_PART_TEST, NULL, &l, &err),
                     NOD_ESEAL);
    expect_in(err.message, "sealed");
    /* A look at another split is no right to this one. */
    nod_look *wrong = sealed_world_look(&other);
    assert_int_equal(nod_labels_serve(w.cohort, w.split, NOD_PART_TEST, wrong, &l, &err),
                     NOD_ESEAL);
    nod_look_close(wrong);
    /* The right ends with the result. */
    nod_look *look = sealed_world_look(&w);
    assert_int_equal(nod_look_finish(look, nod_split_hash(w.split), &err), 0);
    assert_int_equal(nod_labels_serve(w.cohort, w.split, NOD_PART_TEST, look, &l, &err),
                     NOD_ESEAL);
    nod_look_close(look);
    assert_int_equal(nod_labels_serve(w.cohort, other.split, NOD_PART_TRAIN, NULL, &l, &err),
                     NOD_EDATA);
    assert_int_equal(l.n, 77); /* untouched by all of them */
    sealed_world_done(&w);
    sealed_world_done(&other);
}

static void test_multilabel_values(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    const char *const classes[] = {"a", "b", "c"};
    nod_cohort_info info = {
        .multilabel = true, .classes = classes, .n_classes = 3, .positive = -1};
    const made_case cases[] = {{"a|c", NULL, NULL, NOD_PART_TRAIN, false},
                               {"", NULL, NULL, NOD_PART_VAL, false},
                               {"b", NULL, NULL, NOD_PART_TEST, false},
                               {"a|b|c", NULL, NULL, NOD_PART_TRAIN, false}};
    nod_cohort *c = make_cohort_info(&info, cases, 4);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    nod_labels l;
    assert_int_equal(nod_split_make(c, &o, &s, &err), 0);
    assert_int_equal(nod_labels_serve(c, s, NOD_PART_TRAIN, NULL, &l, &err), 0);
    static const int32_t want[] = {1, 0, 1, 1, 1, 1};
    assert_int_equal(l.n, 2);
    assert_true(l.multilabel);
    assert_memory_equal(l.values, want, sizeof want);
    nod_labels_done(&l);
    nod_split_free(s);
    nod_cohort_free(c);
}

/* No file outside src/data includes cohort_label.h or unit_label.h, which show labels without asking. */
static void check_folder(const char *folder, size_t *n_files)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    if (nod_dir_list(folder, &names, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < names.n; i++) {
        char *path = nod_path_join(folder, names.items[i]);
        nod_bytes b = {0};
        if (nod_path_is_dir(path)) {
            if (strcmp(path, "src/data") != 0) check_folder(path, n_files);
        } else if (nod_file_read(path, 1 << 24, &b, &err) == 0) {
            (*n_files)++;
            if (memmem(b.data, b.size, "cohort_label.h", 14) ||
                memmem(b.data, b.size, "unit_label.h", 12))
                fail_msg("%s includes a header of labels", path);
            nod_bytes_done(&b);
        }
        free(path);
    }
    nod_strlist_done(&names);
}

static void test_no_other_way(void **state)
{
    (void)state;
    size_t n_files = 0;
    check_folder("src", &n_files); /* tests run in the project's folder */
    assert_true(n_files > 20);
}

/* The classes of another list: its second and its first; of three labels the second and third. */
static void test_rename(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    static const int32_t values[] = {0, 1, 1, 0}, to[] = {2, 0};
    nod_labels l = {.n = 4, .n_classes = 2, .values = nod_memdup(values, sizeof values)};
    assert_int_equal(nod_labels_rename(&l, to, 3, &err), 0);
    static const int32_t single[] = {2, 0, 0, 2};
    assert_memory_equal(l.values, single, sizeof single);
    assert_int_equal(l.n_classes, 3);
    nod_labels_done(&l);
    l = (nod_labels){.n = 2,
                     .n_classes = 2,
                     .multilabel = true,
                     .values = nod_memdup(values, sizeof values)};
    assert_int_equal(nod_labels_rename(&l, to, 3, &err), 0);
    static const int32_t several[] = {1, 0, 0, 0, 0, 1}; /* 01 -> 100, 10 -> 001 */
    assert_memory_equal(l.values, several, sizeof several);
    nod_labels_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_served),
        cmocka_unit_test(test_test_part_needs_an_open_look),
        cmocka_unit_test(test_multilabel_values),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_no_other_way),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
