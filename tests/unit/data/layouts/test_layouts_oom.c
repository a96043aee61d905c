/* test_layouts_oom.c: listing each layout when memory is refused at any point: that is said, nothing is
 * leaked, and no shorter list passes for the whole. */
#include "../cohort_maker.h"
#include "base/threads.h"
#include "data/layout.h"
#include "fail_alloc.h"

static void list(const char *folder, const char *layout, const char *source, int64_t fold,
                 size_t want)
{
    char path[512];
    const nod_source_layout *l = nod_source_layout_find(layout);
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    assert_non_null(l);
    o.fold = fold;
    temp_path(path, folder, source);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        nod_listing out = {0};
        nod_arena_init(&out.arena);
        int rc = l->list(path, &o, &out, &err);
        if (fail_alloc_stop()) {
            if (rc != NOD_ENOMEM)
                fail_msg("%s, allocation %ld: %d, %s", layout, n, rc, err.message);
        } else {
            if (rc != 0) fail_msg("%s: %s", layout, err.message);
            assert_int_equal(out.n, want);
        }
        nod_listing_done(&out);
    }
}

static void test_all(void **state)
{
    const char *dir = *state;
    static const char *const files[] = {"nnunet/imagesTr/a_0000.nii",
                                        "nnunet/imagesTr/a_0001.nii",
                                        "nnunet/imagesTr/b_0000.nii",
                                        "nnunet/imagesTr/b_0001.nii",
                                        "nnunet/labelsTr/a.nii",
                                        "nnunet/labelsTr/b.nii",
                                        "nnunet/imagesTs/c_0000.nii",
                                        "nnunet/imagesTs/c_0001.nii",
                                        "nnunet/labelsTs/c.nii",
                                        "bids/sub-1/sub-1_T1w.nii",
                                        "bids/sub-2/sub-2_T1w.nii",
                                        "bids/derivatives/p/sub-1/sub-1_dseg.nii",
                                        "bids/derivatives/p/sub-2/sub-2_dseg.nii"};
    for (size_t i = 0; i < NOD_COUNT(files); i++)
        write_text(dir, files[i], "");
    write_text(dir, "nnunet/dataset.json",
               "{\"channel_names\": {\"0\": \"A\", \"1\": \"B\"}, \"file_ending\": \".nii\", "
               "\"labels\": {\"background\": 0, \"x\": [1, 2], \"y\": 2}}");
    write_text(dir, "nnunet/splits_final.json", "[{\"train\": [\"a\"], \"val\": [\"b\"]}]");
    write_text(dir, "list.json",
               "{\"labels\": {\"0\": \"background\", \"1\": \"x\"}, \"training\": [{\"image\": "
               "[\"a.nii\", \"b.nii\"], \"label\": \"c.nii\", \"age\": 3, \"patient\": \"p\"}, "
               "{\"image\": \"d.nii\", \"label\": \"e.nii\"}]}");
    write_text(dir, "flags.json",
               "{\"training\": [{\"image\": \"a.nii\", \"label\": [0, 1]}, "
               "{\"image\": \"d.nii\", \"label\": [1, 1]}]}");
    write_text(dir, "table.csv",
               "SubjectID,Channel_0,ValueToPredict,sex\n1,a.nii,1.0,F\n2,b.nii,x,\n");
    write_text(dir, "bids/participants.tsv", "participant_id\tage\nsub-1\t4\nsub-2\tn/a\n");
    write_text(dir, "bids/dseg.tsv", "index\tname\n1\tx\n");
    write_text(dir, "bids/sub-1/sub-1_T1w.json", "{\"Manufacturer\": \"M\"}");
    write_png(dir, "folder/a/1.png", 3, 3, 1, false);
    write_png(dir, "folder/b/2.png", 3, 3, 2, false);
    list(dir, "nnunet", "nnunet", -1, 3);
    list(dir, "nnunet", "nnunet", 0, 3);
    list(dir, "monai", "list.json", -1, 2);
    list(dir, "monai", "flags.json", -1, 2);
    list(dir, "gandlf", "table.csv", -1, 2);
    list(dir, "bids", "bids", -1, 2);
    list(dir, "folder", "folder", -1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    nod_threads_set(1); /* fail_alloc.h counts one thread */
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
