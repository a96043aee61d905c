/* test_names.c: what the layouts read out of JSON and out of names of files: label names, folds, names of
 * BIDS, names of files and their order. Examples of formats are those of their documentation: nnU-Net's
 * dataset_format.md and region_based_training.md, the Decathlon's dataset.json, BIDS 1.10. */
#include "../cohort_maker.h"
#include "data/layouts/bids_name.h"
#include "data/layouts/folds.h"
#include "data/layouts/item.h"
#include "data/layouts/label_names.h"

/* --- names of labels ---------------------------------------------------------------------- */

/* "a|b|c", or the error. */
static void check_names(const char *json, const char *want)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    nod_strlist names = NOD_STRLIST_INIT;
    nod_strbuf b = NOD_STRBUF_INIT;
    if (nod_json_parse(json, strlen(json), "test", &j, &err) != 0) fail_msg("%s", err.message);
    if (nod_label_names_add(j, "d.json", &names, &err) == 0) {
        for (size_t i = 0; i < names.n; i++)
            nod_strbuf_printf(&b, "%s%s", i ? "|" : "", names.items[i]);
        assert_string_equal(b.data, want);
    } else {
        assert_int_equal(err.code, NOD_EDATA);
        expect_in(err.message, want);
    }
    nod_strbuf_done(&b);
    nod_strlist_done(&names);
    nod_json_free(j);
}

static void test_label_names(void **state)
{
    (void)state;
    check_names("{\"0\": \"background\", \"1\": \"Anterior\", \"2\": \"Posterior\"}",
                "background|Anterior|Posterior");
    check_names("{\"2\": \"b\", \"1\": \"a\"}", "background|a|b");
    check_names("{\"background\": 0, \"PZ\": 1, \"TZ\": 2}", "background|PZ|TZ");
    check_names("{\"background\": \"0\", \"PZ\": \"1\"}", "background|PZ");
    /* Names that look like numbers: the values decide. */
    check_names("{\"0\": 0, \"1\": 1}", "0|1");
    /* BraTS as regions: 1 edema, 2 necrosis, 3 enhancing. */
    check_names(
        "{\"background\": 0, \"whole\": [1, 2, 3], \"core\": [2, 3], \"enhancing\": [3]}",
        "background|whole|whole+core|whole+core+enhancing");
    check_names("{\"background\": 0, \"whole\": [1, 2], \"core\": 2, \"ignore\": 3}",
                "background|whole|whole+core|ignore");
}

static void test_label_names_that_do_not_fit(void **state)
{
    (void)state;
    check_names("{}", "labels is not an object with a name and a value");
    check_names("[1]", "labels is not an object");
    check_names("{\"background\": 0}", "names nothing but the background");
    check_names("{\"a\": 1, \"b\": 3}", "the value 2 has no name, though 3 has");
    check_names("{\"a\": 1, \"b\": 1}", "'a' and 'b' both have the value 1");
    check_names("{\"1\": \"a\", \"01\": \"b\"}", "'a' and 'b' both have the value 1");
    check_names("{\"a\": 1.5}", "the value of 'a' is not a whole number from 0 to 1023");
    check_names("{\"a\": -1}", "the value of 'a' is not a whole number");
    check_names("{\"a\": 1024}", "the value of 'a' is not a whole number");
    check_names("{\"a\": [1, \"x\"]}", "the value of 'a' is not a whole number");
    check_names("{\"9999\": \"a\"}", "the value '9999' is not a whole number");
    check_names("{\"a\": null}", "the value of 'a' is not a whole number");
}

/* --- folds -------------------------------------------------------------------------------- */

static nod_folds *read_folds(const char *folder, const char *json, int64_t fold, nod_error *err)
{
    char path[512];
    nod_folds *f = NULL;
    write_text(folder, "splits_final.json", json);
    temp_path(path, folder, "splits_final.json");
    *err = (nod_error)NOD_ERROR_INIT;
    if (nod_folds_read(path, fold, &f, err) != 0) assert_null(f);
    return f;
}

static void test_folds(void **state)
{
    static const char json[] = "[{\"train\": [\"b\", \"c\"], \"val\": [\"a\"]},"
                               " {\"train\": [\"a\", \"b\"], \"val\": [\"c\"]}]";
    nod_error err;
    nod_folds *f = read_folds(*state, json, 1, &err);
    assert_non_null(f);
    assert_int_equal(nod_folds_part(f, "c"), NOD_PART_VAL);
    assert_int_equal(nod_folds_part(f, "a"), NOD_PART_TRAIN);
    assert_int_equal(nod_folds_part(f, "d"), NOD_PART_OUT);
    assert_int_equal(nod_folds_check(f, 3, &err), NOD_EDATA);
    expect_in(err.message, "fold 1 lacks 1 of the 3 cases");
    expect_in(err.message, "and names 1 that are not");
    assert_int_equal(nod_folds_part(f, "b"), NOD_PART_TRAIN);
    assert_int_equal(nod_folds_check(f, 4, &err), NOD_EDATA);
    assert_int_equal(nod_folds_check(f, 3, &err), 0);
    nod_folds_free(f);
}

static void test_folds_that_do_not_fit(void **state)
{
    static const struct {
        const char *json;
        int64_t fold;
        int code;
        const char *want;
    } cases[] = {
        {"[]", 0, NOD_EFORMAT, "is not a list of folds"},
        {"{\"train\": []}", 0, NOD_EFORMAT, "is not a list of folds"},
        {"[{\"train\": [], \"val\": []}]", 1, NOD_EINVAL,
         "there is no fold 1; it has 1, from 0"},
        {"[{\"train\": [\"a\"]}]", 0, NOD_EFORMAT, "fold 0 has no list 'val'"},
        {"[3]", 0, NOD_EFORMAT, "fold 0 has no list 'train'"},
        {"[{\"train\": [1], \"val\": []}]", 0, NOD_EFORMAT,
         "train[0] is not the name of a case"},
        {"[{\"train\": [\"a\"], \"val\": [\"a\"]}]", 0, NOD_EDATA,
         "fold 0 names a case twice, in train and in val"},
        {"[{\"train\":", 0, NOD_EFORMAT, "splits_final.json:1"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err;
        assert_null(read_folds(*state, cases[i].json, cases[i].fold, &err));
        assert_int_equal(err.code, cases[i].code);
        expect_in(err.message, cases[i].want);
    }
}

/* --- names of BIDS ------------------------------------------------------------------------ */

static void test_bids_names(void **state)
{
    static const char *const bad[] = {
        "",           ".nii.gz", "sub-01.nii",      "sub-01_.nii",
        "-1_T1w.nii", "a b.tsv", "sub-_T1w.nii.gz", "sub-0/1_T1w.nii"};
    nod_bids_name n;
    (void)state;
    assert_true(nod_bids_name_parse("sub-01_ses-2_run-03_T1w.nii.gz", &n));
    assert_int_equal(n.n_entities, 3);
    assert_true(nod_bids_piece_is(n.suffix, "T1w"));
    assert_string_equal(n.ending, ".nii.gz");
    assert_true(nod_bids_piece_is(nod_bids_name_get(&n, "ses"), "2"));
    assert_int_equal(nod_bids_name_get(&n, "acq").n, 0);
    assert_true(nod_bids_name_parse("dseg.tsv", &n));
    assert_int_equal(n.n_entities, 0);
    assert_true(nod_bids_name_parse("README", &n)); /* a suffix alone */
    for (size_t i = 0; i < NOD_COUNT(bad); i++)
        if (nod_bids_name_parse(bad[i], &n)) fail_msg("'%s' is no name", bad[i]);
}

static size_t fit(const char *image, const char *mask)
{
    nod_bids_name a, b;
    assert_true(nod_bids_name_parse(image, &a) && nod_bids_name_parse(mask, &b));
    return nod_bids_name_fit(&a, &b);
}

static void test_bids_masks_fit_their_images(void **state)
{
    (void)state;
    assert_int_equal(fit("sub-01_T1w.nii", "sub-01_dseg.nii"), 1);
    assert_int_equal(fit("sub-01_T1w.nii", "sub-01_space-orig_desc-manual_label-L_dseg.nii"),
                     1);
    assert_int_equal(fit("sub-01_ses-1_run-1_T1w.nii", "sub-01_ses-1_run-1_mask.nii"), 3);
    assert_int_equal(fit("sub-01_ses-1_run-1_T1w.nii", "sub-01_ses-1_mask.nii"), 2);
    assert_int_equal(fit("sub-01_T1w.nii", "sub-02_dseg.nii"), 0);
    assert_int_equal(fit("sub-1_T1w.nii", "sub-10_dseg.nii"), 0);
    assert_int_equal(fit("sub-01_ses-1_T1w.nii", "sub-01_ses-2_dseg.nii"), 0);
    assert_int_equal(fit("sub-01_ses-1_T1w.nii", "sub-01_dseg.nii"), 0);
    assert_int_equal(fit("sub-01_T1w.nii", "sub-01_ses-1_dseg.nii"), 0);
    assert_int_equal(fit("sub-01_run-1_T1w.nii", "sub-01_run-2_dseg.nii"), 0);
    assert_int_equal(fit("sub-01_T1w.nii", "sub-01_run-1_dseg.nii"), 0);
}

/* --- items -------------------------------------------------------------------------------- */

static void set_files(nod_listing *l, const char *const *names, const char *name,
                      const char *files, const char *first)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist list = NOD_STRLIST_INIT;
    nod_item item = {.array = "", .index = -1};
    for (; *names; names++)
        assert_true(nod_strlist_add(&list, *names));
    assert_int_equal(nod_item_set_files(l, &item, &list, &err), 0);
    assert_string_equal(item.name, name);
    if (files)
        assert_string_equal(item.files, files);
    else
        assert_null(item.files);
    char *path = nod_item_first_file(&item);
    assert_string_equal(path, first);
    free(path);
    nod_strlist_done(&list);
}

static void test_files_of_an_item(void **state)
{
    static const char *const one[] = {"a/b.nii", NULL}, *const two[] = {"a/b/1", "a/b/2", NULL},
                             *const apart[] = {"a/x/1", "a/y/2", NULL},
                             *const none[] = {"1", "2", NULL},
                             *const near[] = {"a/b1", "a/b2", NULL},
                             *const zip[] = {"c/a.zip!/d/1", "c/a.zip!/d/2", NULL},
                             *const one_zip[] = {"c/a.zip!/1", NULL};
    nod_error err = NOD_ERROR_INIT;
    nod_strlist bar = NOD_STRLIST_INIT;
    nod_item item = {0};
    nod_listing l = {0};
    (void)state;
    nod_arena_init(&l.arena);
    set_files(&l, one, "a/b.nii", NULL, "a/b.nii");
    set_files(&l, two, "a/b", "1|2", "a/b/1");
    set_files(&l, apart, "a", "x/1|y/2", "a/x/1");
    set_files(&l, none, "", "1|2", "1");
    set_files(&l, near, "a", "b1|b2", "a/b1");
    set_files(&l, zip, "c", "a.zip!/d/1|a.zip!/d/2", "c/a.zip!/d/1");
    set_files(&l, one_zip, "c", "a.zip!/1", "c/a.zip!/1");
    assert_true(nod_strlist_add(&bar, "a|b.nii"));
    assert_int_equal(nod_item_set_files(&l, &item, &bar, &err), NOD_EDATA);
    expect_in(err.message, "'|'");
    nod_strlist_done(&bar);
    static const char *const names[][2] = {
        {"./a/b", "a/b"}, {"a/./b", "a/b"},   {"a//b", "a/b"},         {"././/a", "a"},
        {"../a", "../a"}, {"/a/./b", "/a/b"}, {"a/..b/.c", "a/..b/.c"}};
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        assert_string_equal(nod_listing_clean_name(&l, names[i][0]), names[i][1]);
    nod_listing_done(&l);
}

static void test_order_of_items(void **state)
{
    /* By the last part of the name and numbers in it; DICOM after them, by its ids. */
    static const char *const names[] = {"z/a10.nii", "y/a2.nii", "x/a2.nii", "q", "p", "r"};
    static const char *const want[] = {"x/a2.nii", "y/a2.nii", "z/a10.nii", "r", "p", "q"};
    static const char *const study[] = {NULL, NULL, NULL, "2", "2", "1"};
    static const char *const series[] = {NULL, NULL, NULL, "9", "8", "9"};
    nod_error err = NOD_ERROR_INIT;
    nod_listing l = {0};
    (void)state;
    nod_arena_init(&l.arena);
    for (size_t i = 0; i < NOD_COUNT(names); i++) {
        nod_item item = {.name = names[i],
                         .array = "",
                         .index = -1,
                         .patient = "p",
                         .study = study[i],
                         .series = series[i],
                         .line = i + 1};
        assert_int_equal(nod_listing_add(&l, &item, &err), 0);
    }
    assert_int_equal(nod_listing_sort(&l, &err), 0);
    for (size_t i = 0; i < l.n; i++)
        assert_string_equal(l.items[i].name, want[i]);
    assert_int_equal(nod_listing_check_twice(&l, "list.json", "images", &err), 0);
    nod_item again = {.name = "q", .array = "", .index = -1, .patient = "", .line = 7};
    assert_int_equal(nod_listing_add(&l, &again, &err), 0);
    assert_int_equal(nod_listing_check_twice(&l, "list.json", "images", &err), NOD_EDATA);
    expect_in(err.message, "list.json: images 4 and 7 are the same file");
    nod_listing_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_names),
        cmocka_unit_test(test_label_names_that_do_not_fit),
        cmocka_unit_test_setup_teardown(test_folds, temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_folds_that_do_not_fit, temp_folder_make,
                                        temp_folder_remove),
        cmocka_unit_test(test_bids_names),
        cmocka_unit_test(test_bids_masks_fit_their_images),
        cmocka_unit_test(test_files_of_an_item),
        cmocka_unit_test(test_order_of_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
