/* test_error.c: messages of nod_error: content, cutting, prefixes, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static void test_fail_writes_code_and_message(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_fail(&err, NOD_ESHAPE, "a %d b %s", 3, "x"), NOD_ESHAPE);
    assert_int_equal(err.code, NOD_ESHAPE);
    assert_string_equal(err.message, "a 3 b x");
}

static void test_message_may_quote_itself(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_fail(&err, NOD_EIO, "inner");
    nod_fail(&err, NOD_EINVAL, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
}

static void test_errno_chooses_code(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_fail_errno(&err, ENOENT, "cannot open %s", "f"), NOD_ENOENT);
    assert_string_equal(err.message, "cannot open f: No such file or directory");
    assert_int_equal(nod_fail_errno(&err, ENOMEM, "x"), NOD_ENOMEM);
    assert_int_equal(nod_fail_errno(&err, EIO, "x"), NOD_EIO);
    assert_string_equal(err.message, "x: Input/output error");
    assert_int_equal(nod_fail_errno(&err, EROFS, "cannot write f"), NOD_EIO);
    assert_string_equal(err.message,
                        "cannot write f: Read-only file system; write to another folder");
}

static void test_errno_reason_survives_long_path(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    char path[3000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    nod_fail_errno(&err, ENOSPC, "cannot write %s", path);
    assert_true(strlen(err.message) < NOD_ERROR_MAX);
    assert_non_null(strstr(err.message, ": No space left on device; make room"));
}

static void test_memory_names_what_and_bytes(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_fail_memory(&err, "a table", 123), NOD_ENOMEM);
    assert_string_equal(err.message, "out of memory: a table needs 123 bytes");
}

static void test_prefix_keeps_code_and_cuts_end(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_fail(&err, NOD_EFORMAT, "row 3");
    assert_int_equal(nod_error_prefix(&err, "reading %s", "t.csv"), NOD_EFORMAT);
    assert_string_equal(err.message, "reading t.csv: row 3");

    char full[NOD_ERROR_MAX];
    memset(full, 'm', sizeof full - 1);
    full[sizeof full - 1] = '\0';
    nod_fail(&err, NOD_EFORMAT, "%s", full);
    assert_int_equal(strlen(err.message), NOD_ERROR_MAX - 1);
    nod_error_prefix(&err, "where");
    assert_int_equal(strlen(err.message), NOD_ERROR_MAX - 1);
    assert_memory_equal(err.message, "where: mmm", 10);
}

/* A file may put a terminal's escape sequences or half a character into a message. */
static void test_message_is_one_clean_line(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_fail(&err, NOD_EFORMAT, "a\nb\x1b[31mc\n");
    assert_string_equal(err.message, "a b?[31mc");

    char text[NOD_ERROR_MAX + 8];
    memset(text, 'x', NOD_ERROR_MAX - 2);
    memcpy(text + NOD_ERROR_MAX - 2, "\xc3\xa4",
           3); /* cut between the two bytes of an umlaut */
    nod_fail(&err, NOD_EFORMAT, "%s", text);
    assert_int_equal(strlen(err.message), NOD_ERROR_MAX - 2);
    assert_int_equal(err.message[NOD_ERROR_MAX - 3], 'x');
}

static void test_names_are_distinct(void **state)
{
    (void)state;
    assert_string_equal(nod_error_name(NOD_OK), "ok");
    assert_string_equal(nod_error_name(NOD_EFORMAT), "format");
    assert_string_equal(nod_error_name(NOD_ESHAPE), "shape");
    assert_string_equal(nod_error_name(NOD_EINTERNAL), "internal");
    assert_string_equal(nod_error_name(1), "unknown");
    assert_string_equal(nod_error_name(-99), "unknown");
    for (int a = NOD_EINTERNAL; a <= 0; a++)
        for (int b = NOD_EINTERNAL; b < a; b++)
            assert_string_not_equal(nod_error_name(a), nod_error_name(b));
}

static int three_calls(int failing, int *calls)
{
    int rc = 0;
    for (int i = 1; i <= 3; i++) {
        ++*calls;
        NOD_TRY(i == failing ? NOD_EDATA : 0);
    }
out:
    return rc;
}

static void test_try_stops_at_first_failure(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(three_calls(2, &calls), NOD_EDATA);
    assert_int_equal(calls, 2);
    calls = 0;
    assert_int_equal(three_calls(0, &calls), 0);
    assert_int_equal(calls, 3);
}

static void test_assert_aborts_and_names_the_place(void **state)
{
    (void)state;
    int out[2], status;
    char said[512] = {0};
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(out[1], STDERR_FILENO);
        NOD_ASSERT(1 + 1 == 2);
        NOD_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    close(out[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_true(read(out[0], said, sizeof said - 1) > 0);
    close(out[0]);
    assert_non_null(strstr(said, "1 + 1 == 3"));
    assert_non_null(strstr(said, "test_error.c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_writes_code_and_message),
        cmocka_unit_test(test_message_may_quote_itself),
        cmocka_unit_test(test_errno_chooses_code),
        cmocka_unit_test(test_errno_reason_survives_long_path),
        cmocka_unit_test(test_memory_names_what_and_bytes),
        cmocka_unit_test(test_prefix_keeps_code_and_cuts_end),
        cmocka_unit_test(test_message_is_one_clean_line),
        cmocka_unit_test(test_names_are_distinct),
        cmocka_unit_test(test_try_stops_at_first_failure),
        cmocka_unit_test(test_assert_aborts_and_names_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
