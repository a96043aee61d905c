/* test_nifti_data.c: real NIfTI files, where they are: $NODULE_DATA or ../shared/data. Each malformed
 * one gets the verdict of its MANIFEST.tsv, and one volume in all 48 orders of axes is the same
 * volume after turning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "imaging/reader.h"
#include "imaging/reorient.h"

/* The folder of that name, the caller's; or NULL, and then says so. */
static char *data_folder(const char *name)
{
    const char *dir = getenv("NODULE_DATA");
    if (dir == NULL || !nod_path_is_dir(dir)) dir = "../shared/data";
    char *out = nod_path_join(dir, name);
    if (nod_path_is_dir(out)) return out;
    nod_free(out);
    print_message("SKIPPED: %s is not here (set NODULE_DATA)\n", name);
    return NULL;
}

/* "accept", "reject", "warn or reject", "accept with warning or reject". */
static void check_verdict(const char *folder, const char *file, const char *verdict)
{
    nod_error err = NOD_ERROR_INIT;
    nod_findings f = {0};
    nod_image im = {0};
    char *path = nod_path_join(folder, file);
    bool accepted = nod_image_read(path, NULL, &f, &im, &err) == 0;
    if (strcmp(verdict, "accept") == 0 && !accepted) fail_msg("%s: %s", file, err.message);
    if (strcmp(verdict, "reject") == 0 && accepted) fail_msg("%s was accepted", file);
    if (strstr(verdict, "warn") && accepted && f.n == 0) fail_msg("%s: no finding", file);
    nod_findings_done(&f);
    nod_image_done(&im);
    nod_free(path);
}

static void test_manifest(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char *folder = data_folder("nifti/malformed");
    nod_bytes b;
    size_t n = 0;
    (void)state;
    if (folder == NULL) return;
    char *path = nod_path_join(folder, "MANIFEST.tsv");
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    char *next = (char *)b.data;
    for (char *line = strsep(&next, "\n"); line && *line; line = strsep(&next, "\n")) {
        char *file = strsep(&line, "\t"), *verdict = strsep(&line, "\t");
        char *pair = strstr(file, ".hdr/.img");
        assert_non_null(verdict);
        if (strcmp(file, "file") == 0) continue;
        if (pair) pair[4] = 0;
        check_verdict(folder, file, verdict);
        if (pair) memcpy(pair, ".img", 4);
        if (pair) check_verdict(folder, file, verdict);
        n++;
    }
    assert_int_equal(n, 35);
    nod_bytes_done(&b);
    nod_free(path);
    nod_free(folder);
}

static void test_orientations(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist files = NOD_STRLIST_INIT;
    nod_geometry first = {0};
    char *folder = data_folder("nifti/orientations"), hash[65], first_hash[65] = "";
    (void)state;
    if (folder == NULL) return;
    assert_int_equal(nod_dir_list(folder, &files, &err), 0);
    assert_int_equal(files.n, 48);
    for (size_t i = 0; i < files.n; i++) {
        nod_image im = {0}, lps = {0};
        char codes[4];
        char *path = nod_path_join(folder, files.items[i]);
        if (nod_image_read(path, NULL, NULL, &im, &err) != 0) fail_msg("%s", err.message);
        nod_geometry_codes(&im.geometry, codes);
        assert_memory_equal(codes, files.items[i], 3);
        assert_int_equal(nod_image_reorient(&im, "LPS", &lps, &err), 0);
        assert_int_equal(nod_image_pixel_hash(&lps, hash, &err), 0);
        if (i == 0) memcpy(first_hash, hash, sizeof hash);
        if (i == 0) first = lps.geometry;
        assert_string_equal(hash, first_hash);
        assert_true(nod_geometry_distance_mm(&first, &lps.geometry) < 1e-3);
        nod_image_done(&im);
        nod_image_done(&lps);
        nod_free(path);
    }
    nod_strlist_done(&files);
    nod_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifest),
                                       cmocka_unit_test(test_orientations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
