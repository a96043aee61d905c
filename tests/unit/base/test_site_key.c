/* test_site_key.c: the key's file and the names made with it. Expected names: HMAC-SHA-256 of "patient",
 * a NUL and the text by Python's hmac module (`hmac.new(bytes(range(32)), b"patient\0" + b"...",
 * "sha256").hexdigest()[:8]`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/site_key.h"
#include "temp_folder.h"

static int setup(void **state)
{
    return temp_folder_make(state);
}

static void test_names(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_site_key k;
    char name[NOD_SHOWN_PATIENT];
    for (size_t i = 0; i < sizeof k.bytes; i++)
        k.bytes[i] = (uint8_t)i;
    assert_int_equal(nod_site_key_patient(&k, "12345", name, &err), 0);
    assert_string_equal(name, "P-91bd7d71");
    assert_int_equal(nod_site_key_patient(&k, "HOSPITAL^12345", name, &err), 0);
    assert_string_equal(name, "P-64e9529e");
    assert_int_equal(nod_site_key_patient(&k, "", name, &err), 0);
    assert_string_equal(name, "P-unknown");
    k.bytes[31] ^= 1; /* under another key everybody has another name */
    assert_int_equal(nod_site_key_patient(&k, "12345", name, &err), 0);
    assert_string_not_equal(name, "P-91bd7d71");
    nod_site_key_clear(&k);
    assert_int_equal(k.bytes[0] | k.bytes[31], 0);
}

static void test_is_made_once(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_site_key a, b;
    struct stat st;
    char path[512];
    temp_path(path, *state, "settings/nodule/site.key");
    assert_int_equal(nod_site_key_open(path, false, &a, &err), NOD_ENOENT);
    assert_int_equal(nod_site_key_open(path, true, &a, &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 65);
    assert_int_equal(nod_site_key_open(path, true, &b, &err), 0);
    assert_memory_equal(&a, &b, sizeof a);
    char other[512];
    assert_int_equal(nod_site_key_open(temp_path(other, *state, "other.key"), true, &b, &err),
                     0);
    assert_memory_not_equal(&a, &b, sizeof a);
}

/* Processes that all find no key agree on one, and leave nothing beside it. */
static void test_is_made_by_many(void **state)
{
    enum { N = 8 };
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    nod_site_key k, own;
    char path[512], folder[512];
    pid_t pids[N];
    int pipes[2];
    temp_path(folder, *state, "many");
    temp_path(path, *state, "many/site.key");
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < N; i++) {
        pids[i] = fork();
        if (pids[i] != 0) continue;
        nod_site_key mine;
        int rc = nod_site_key_open(path, true, &mine, &err);
        if (rc == 0 && write(pipes[1], &mine, sizeof mine) != (ssize_t)sizeof mine) rc = 1;
        _Exit(rc != 0);
    }
    for (int i = 0; i < N; i++) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(nod_site_key_open(path, false, &k, &err), 0);
    for (int i = 0; i < N; i++) {
        assert_int_equal(read(pipes[0], &own, sizeof own), sizeof own);
        assert_memory_equal(&own, &k, sizeof k);
    }
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(nod_dir_list(folder, &names, &err), 0);
    assert_int_equal(names.n, 1);
    nod_strlist_done(&names);
}

static void test_refuses(void **state)
{
    static const char *const bad[] = {
        "", "0123\n", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\n",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\n",
        "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n"};
    nod_error err = NOD_ERROR_INIT;
    nod_site_key k;
    char path[512];
    temp_path(path, *state, "bad.key");
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        assert_int_equal(nod_file_write(path, bad[i], strlen(bad[i]), &err), 0);
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(nod_site_key_open(path, true, &k, &err), NOD_EFORMAT);
    }
    temp_path(path, *state, "open.key");
    assert_int_equal(nod_site_key_open(path, true, &k, &err), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(nod_site_key_open(path, true, &k, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "chmod 600"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_is_made_once),
        cmocka_unit_test(test_is_made_by_many),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, setup, temp_folder_remove);
}
