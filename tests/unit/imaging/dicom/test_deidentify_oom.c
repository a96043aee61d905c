/* test_deidentify_oom.c: de-identification when memory is refused at any point: an error, nothing leaked,
 * nothing written. DCMTK and C++ allocate by themselves; what is refused here is what our own C code asks
 * for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fail_alloc.h"
#include "imaging/dicom/deidentify.h"
#include "temp_folder.h"

static int work(const char *path, nod_error *err)
{
    const nod_deid_subject subject = {
        .patient = "P-1", .shift_days = -1000, .key = "key", .key_size = 3};
    nod_deid_outcome outcome = {0}, sum = {0};
    nod_dicom_file *file = NULL;
    int rc = nod_dicom_file_open("tests/fuzz/corpus/deidentify/planted.dcm", NOD_DICOM_WHOLE,
                                 &file, err);
    if (rc == 0) rc = nod_dicom_deidentify(file, &subject, &outcome, err);
    if (rc == 0) rc = nod_deid_outcome_add(&sum, &outcome, err);
    if (rc == 0) rc = nod_dicom_write(file, path, err);
    nod_dicom_file_close(file);
    nod_deid_outcome_done(&outcome);
    nod_deid_outcome_done(&sum);
    return rc;
}

static void test_refused(void **state)
{
    char path[512];
    long n = 0;
    temp_path(path, *state, "copy.dcm");
    for (; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        int rc = work(path, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        if (refused && nod_path_exists(path)) fail_msg("allocation %ld: a file was written", n);
    }
    assert_true(n > 50); /* terms, texts, counts, codes, the file */
    assert_true(nod_path_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
