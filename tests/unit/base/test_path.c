/* test_path.c: paths, folders, clocks and memory figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "temp_folder.h"

static void test_parts_of_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *path, *dir, *base;
    } cases[] = {
        {"a", ".", "a"},         {"a/b", "a", "b"},  {"/a", "/", "a"},
        {"/a/b.c", "/a", "b.c"}, {"a//b", "a", "b"}, {"a/b/", "a/b", ""},
        {"", ".", ""},           {"/", "/", ""},     {"//x", "/", "x"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char *dir = nod_path_dir(cases[i].path);
        assert_string_equal(dir, cases[i].dir);
        assert_string_equal(nod_path_base(cases[i].path), cases[i].base);
        nod_free(dir);
    }
}

static void test_join(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *want;
    } cases[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"},
                 {"", "b", "b"},    {"/", "b", "/b"},   {"a", "", "a/"}};
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char *joined = nod_path_join(cases[i].a, cases[i].b);
        assert_string_equal(joined, cases[i].want);
        nod_free(joined);
    }
}

static void test_relative(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *path, *want;
    } cases[] = {
        {"/a/run", "/a/cohort.csv", "../cohort.csv"},
        {"/a/runs/one", "/a/data/c.csv", "../../data/c.csv"},
        {"/a", "/a/cohort.csv", "cohort.csv"},
        {"/a", "/a/b/c.csv", "b/c.csv"},
        {"/a/b", "/a/bc/c.csv", "../bc/c.csv"},
        {"/a/bc", "/a/b/c.csv", "../b/c.csv"},
        /* Nothing but the root in common: they do not move together. */
        {"/scratch/run", "/data/cohort.csv", "/data/cohort.csv"},
        {"/", "/data/cohort.csv", "/data/cohort.csv"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char *seen = nod_path_relative(cases[i].folder, cases[i].path);
        assert_string_equal(seen, cases[i].want);
        nod_free(seen);
    }
}

/* The lock holds against other processes (and other opens), and ends with its owner. */
static void test_lock_of_a_folder(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    int lock = -1, second = -1, status;
    char path[512];
    temp_path(path, *state, "none");
    pid_t child = fork();
    if (child == 0) {
        if (nod_dir_lock(*state, &lock, &err) != 0) _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(nod_dir_lock(*state, &lock, &err), 0);
    assert_int_equal(nod_dir_lock(*state, &second, &err), NOD_EIO);
    assert_non_null(strstr(err.message, "another process"));
    assert_int_equal(second, -1);
    nod_dir_unlock(lock);
    assert_int_equal(nod_dir_lock(*state, &lock, &err), 0);
    nod_dir_unlock(lock);
    assert_int_equal(nod_dir_lock(path, &lock, &err), NOD_ENOENT);
    nod_dir_unlock(-1);
}

static void test_what_is_there(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    temp_path(path, *state, "f");
    assert_false(nod_path_exists(path));
    assert_int_equal(nod_path_size(path), -1);
    assert_int_equal(nod_file_write(path, "1234", 4, &err), 0);
    assert_true(nod_path_exists(path));
    assert_true(nod_path_is_file(path));
    assert_false(nod_path_is_dir(path));
    assert_true(nod_path_is_dir(*state));
    assert_false(nod_path_is_file(*state));
    assert_int_equal(nod_path_size(path), 4);

    char link_path[512];
    temp_path(link_path, *state, "link");
    assert_int_equal(symlink("f", link_path), 0);
    char *real = nod_path_real(link_path), *direct = nod_path_real(path);
    assert_non_null(real);
    assert_string_equal(real, direct);
    assert_int_equal(real[0], '/');
    nod_free(real);
    nod_free(direct);
    assert_null(nod_path_real("/no/such/path"));
}

static void test_make_folders(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    temp_path(path, *state, "x//y/z/");
    assert_int_equal(nod_dir_make(path, &err), 0);
    assert_true(nod_path_is_dir(path));
    assert_int_equal(nod_dir_make(path, &err), 0); /* again is fine */
    assert_int_equal(nod_dir_make("/", &err), 0);
    assert_int_equal(nod_dir_make("", &err), NOD_EINVAL);
    temp_path(path, *state, "file");
    assert_int_equal(nod_file_write(path, "", 0, &err), 0);
    assert_int_equal(nod_dir_make(path, &err), NOD_EIO);
    assert_non_null(strstr(err.message, "a file has that name"));
    temp_path(path, *state, "file/below");
    assert_int_equal(nod_dir_make(path, &err), NOD_EIO);
}

static void test_list_is_sorted(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char folder[512], path[1100];
    temp_path(folder, *state, "list");
    assert_int_equal(nod_dir_make(folder, &err), 0);
    static const char *const made[] = {"b", ".hidden", "a10", "a2", "B"};
    static const char *const want[] = {".hidden", "B", "a10", "a2", "b"};
    for (size_t i = 0; i < NOD_COUNT(made); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        assert_int_equal(nod_file_write(path, "", 0, &err), 0);
    }
    nod_strlist names = NOD_STRLIST_INIT;
    assert_int_equal(nod_dir_list(folder, &names, &err), 0);
    assert_int_equal(names.n, NOD_COUNT(want));
    for (size_t i = 0; i < names.n; i++)
        assert_string_equal(names.items[i], want[i]);
    nod_strlist_done(&names);
    assert_int_equal(nod_dir_list("/no/such/folder", &names, &err), NOD_ENOENT);
    assert_int_equal(nod_dir_list(path, &names, &err), NOD_EIO);
    assert_int_equal(names.n, 0);
}

static void test_clocks(void **state)
{
    (void)state;
    double a = nod_time_monotonic_s();
    assert_true(a > 0);
    assert_true(nod_time_monotonic_s() >= a);
    char text[24];
    nod_time_utc(text, sizeof text);
    assert_int_equal(strlen(text), 20);
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    assert_true(end != NULL && *end == '\0');
    double off = difftime(time(NULL), timegm(&tm));
    assert_true(off >= 0 && off < 3600);
}

static void test_memory_figures(void **state)
{
    (void)state;
    int64_t before = nod_peak_rss_bytes();
    assert_true(before > 0);
    size_t size = (size_t)64 << 20;
    char *block = nod_malloc(size);
    assert_non_null(block);
    for (size_t i = 0; i < size; i += 512)
        ((volatile char *)block)[i] = 1;
    int64_t after = nod_peak_rss_bytes();
    nod_free(block);
    assert_true(after >= before + (int64_t)(size * 3 / 4));
    /* A peak does not fall; the kernel counts per thread, so give it 1 MiB. */
    assert_true(nod_peak_rss_bytes() >= after - (1 << 20));
    int64_t available = nod_available_memory_bytes();
    assert_true(available > 0);
    assert_true(available < (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_a_path), cmocka_unit_test(test_join),
        cmocka_unit_test(test_relative),        cmocka_unit_test(test_lock_of_a_folder),
        cmocka_unit_test(test_what_is_there),   cmocka_unit_test(test_make_folders),
        cmocka_unit_test(test_list_is_sorted),  cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_memory_figures),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
