/* test_hide.c: names of files taken out of messages; expected texts by the rules of hide.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hide.h"
#include "base/memory.h"

typedef struct example {
    const char *message, *path, *shown, *expected;
} example;

static void test_hides(void **state)
{
    static const example examples[] = {
        /* the usual form of a reader's message, with the name gone or replaced */
        {"/d/SMITH.png: cut off", "/d/SMITH.png", "", "cut off"},
        {"/d/SMITH.png: cut off", "/d/SMITH.png", "file 3", "file 3: cut off"},
        {"cannot open /d/SMITH.png: No such file", "/d/SMITH.png", "",
         "cannot open the file: No such file"},
        {"what was done: /d/SMITH.png: cut off", "/d/SMITH.png", "", "what was done: cut off"},
        /* the name stands twice */
        {"a.png: a.png: cut off", "a.png", "", "cut off"},
        {"a.png: a.png and a.png", "a.png", "x", "x: x and x"},
        /* what lies below goes with it */
        {"/d/SMITH/JOHN/1.dcm: cut off", "/d/SMITH", "", "cut off"},
        {"/d/SMITH/JOHN/1.dcm: cut off", "/d/SMITH/", "the series", "the series: cut off"},
        {"/d/a.zip!/SMITH JOHN.dcm: cut off", "/d/a.zip", "", "cut off"},
        {"'/d/SMITH/1.dcm' is odd", "/d/SMITH", "", "'the file' is odd"},
        {"/d/SMITH/1.dcm is odd", "/d/SMITH", "", "the file"},
        /* names with spaces, and with what a message turns into something else */
        {"/d/SMITH JOHN/a b.dcm: cut off", "/d/SMITH JOHN/a b.dcm", "", "cut off"},
        {"/d/a b: cut off", "/d/a\nb", "", "cut off"},
        /* no part of a word is a name */
        {"21 slices: 1 of 2", "1", "", "21 slices: the file of 2"},
        {"a.png2: cut off", "a.png", "", "a.png2: cut off"},
        {"b/a.png: cut off", "a.png", "", "b/a.png: cut off"},
        {"nothing of it", "/d/SMITH.png", "", "nothing of it"},
        {"nothing of it", "", "", "nothing of it"},
    };
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(examples); i++) {
        const example *e = &examples[i];
        nod_error err = NOD_ERROR_INIT;
        assert_int_equal(nod_fail(&err, NOD_EFORMAT, "%s", e->message), NOD_EFORMAT);
        nod_error_hide(&err, e->path, e->shown);
        assert_string_equal(err.message, e->expected);
        assert_int_equal(err.code, NOD_EFORMAT);
    }
}

/* What the command line named stays, what was found below it goes. */
static void test_hides_below(void **state)
{
    static const example examples[] = {
        {"/d/SMITH/1.dcm: cut off", "/d", NULL, "/d/...: cut off"},
        {"in /d/: '/d/SMITH/1.dcm' is odd", "/d/", NULL, "in /d/...: '/d/...' is odd"},
        {"./SMITH/1.dcm: 2 of 3. That is all.", ".", NULL, "./...: 2 of 3. That is all."},
        {"/d is empty", "/d", NULL, "/d is empty"},
        {"/data is empty", "/d", NULL, "/data is empty"},
        {"/d/set.json:3:1: odd", "/d", NULL, "/d/set.json:3:1: odd"},
        {"/d/set.json is odd", "/d", NULL, "/d/..."},
        {"/d/SMITH/set.json: odd", "/d", NULL, "/d/...: odd"},
    };
    static const char *const kept[] = {"other.tsv", "set.json", NULL};
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(examples); i++) {
        const example *e = &examples[i];
        nod_error err = NOD_ERROR_INIT;
        assert_int_equal(nod_fail(&err, NOD_EDATA, "%s", e->message), NOD_EDATA);
        nod_error_hide_below(&err, e->path, kept);
        assert_string_equal(err.message, e->expected);
    }
}

/* A message that a long name has filled: its beginning is a name all the same. */
static void test_hides_what_was_cut_off(void **state)
{
    char path[2 * NOD_ERROR_MAX];
    (void)state;
    memset(path, 'a', sizeof path - 1);
    memcpy(path, "/d/SMITH", 8);
    path[sizeof path - 1] = '\0';
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_fail(&err, NOD_EFORMAT, "opening %s: cut off", path), NOD_EFORMAT);
    nod_error_hide(&err, path, "");
    assert_string_equal(err.message, "opening the file");
}

/* A name that is longer than the one in its place: the message stays one. */
static void test_grows(void **state)
{
    char shown[NOD_ERROR_MAX];
    (void)state;
    memset(shown, 'b', sizeof shown - 1);
    shown[sizeof shown - 1] = '\0';
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_fail(&err, NOD_EFORMAT, "see a.png and a.png"), NOD_EFORMAT);
    nod_error_hide(&err, "a.png", shown);
    assert_int_equal(strlen(err.message), NOD_ERROR_MAX - 1);
    assert_null(strstr(err.message, "a.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hides),
        cmocka_unit_test(test_hides_below),
        cmocka_unit_test(test_hides_what_was_cut_off),
        cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
