/* test_unreadable.c: ids of files that cannot be read. Source of the expected ids: Python's hashlib over the
 * framed hashes of the files' bytes, as in unreadable.c ("abc", nothing, and both as a series). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/source.h"
#include "data/unreadable.h"
#include "temp_folder.h"

static nod_error err = NOD_ERROR_INIT;

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    assert_int_equal(nod_file_write(temp_path(path, folder, name), text, strlen(text), &err),
                     0);
}

static void test_ids(void **state)
{
    nod_unreadable_file files[] = {
        {.name = "SMITH.dcm", .files = ""},   {.name = "JONES.dcm", .files = ""},
        {.name = "nowhere", .files = ""},     {.name = "copy.dcm", .files = ""},
        {.name = "SMITH/again", .files = ""}, {.name = "", .files = "SMITH.dcm|JONES.dcm"},
    };
    char path[512];
    write_text(*state, "SMITH.dcm", "abc");
    write_text(*state, "copy.dcm", "abc");
    write_text(*state, "JONES.dcm", "");
    assert_int_equal(nod_dir_make(temp_path(path, *state, "SMITH"), &err), 0);
    write_text(*state, "SMITH/again", "abc");
    assert_int_equal(nod_unreadable_name(*state, files, NOD_COUNT(files), &err), 0);
    assert_string_equal(files[0].id, "u-60ab6dbe4550");
    assert_string_equal(files[1].id, "u-ba5bc186df7b");
    assert_string_equal(files[2].id, "u-3"); /* its bytes cannot be read either */
    assert_string_equal(files[3].id, "u-60ab6dbe4550-2");
    assert_string_equal(files[4].id, "u-60ab6dbe4550-3");
    assert_string_equal(files[5].id, "u-a9f488f0dd7d");
    assert_int_equal(nod_unreadable_name(*state, files, 0, &err), 0);
}

/* What the readers say of a place, without its names (data/source.h). */
static void test_hides_a_place(void **state)
{
    const nod_place series = {"/d/SMITH", "a.dcm|JONES/b.dcm", "", -1};
    const nod_place file = {"/d/SMITH.png", "", "", -1};
    (void)state;
    nod_fail(&err, NOD_EFORMAT, "/d/SMITH/JONES/b.dcm: cut off after /d/SMITH/a.dcm");
    nod_place_hide(&series, &err);
    assert_string_equal(err.message, "file 2: cut off after file 1");
    nod_fail(&err, NOD_EDATA, "/d/SMITH: files of 2 series, /d/SMITH/c.dcm: odd");
    nod_place_hide(&series, &err);
    assert_string_equal(err.message, "files of 2 series, the file: odd");
    nod_fail(&err, NOD_EDATA, "/d/SMITH.png: the file is empty");
    nod_place_hide(&file, &err);
    assert_string_equal(err.message, "the file is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids),
                                       cmocka_unit_test(test_hides_a_place)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
