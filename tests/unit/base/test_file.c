/* test_file.c: reading whole files, and that a write that fails leaves the old file and nothing
 * else behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "temp_folder.h"

static void check_content(const char *path, const char *want)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b = {0};
    if (nod_file_read(path, 1 << 20, &b, &err) != 0) fail_msg("%s", err.message);
    assert_string_equal((char *)b.data, want);
    assert_int_equal(b.size, strlen(want));
    nod_bytes_done(&b);
}

static void must_write(const char *path, const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_file_write(path, text, strlen(text), &err) != 0) fail_msg("%s", err.message);
}

static size_t count_names(const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    assert_int_equal(nod_dir_list(folder, &names, &err), 0);
    size_t n = names.n;
    nod_strlist_done(&names);
    return n;
}

/* A new folder inside the group's. */
static char *sub_folder(void **state, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char *path = nod_path_join(*state, name);
    assert_non_null(path);
    assert_int_equal(nod_dir_make(path, &err), 0);
    return path;
}

static void test_write_then_read(void **state)
{
    char path[512];
    char *folder = sub_folder(state, "plain");
    temp_path(path, folder, "f");
    must_write(path, "");
    check_content(path, "");
    must_write(path, "new\ntext");
    check_content(path, "new\ntext");
    assert_int_equal(count_names(folder), 1);
    nod_free(folder);
}

static void test_read_refuses(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b = {NULL, 77};
    char *folder = sub_folder(state, "refuse");
    temp_path(path, folder, "f");
    must_write(path, "12345");
    assert_int_equal(nod_file_read(path, 4, &b, &err), NOD_ELIMIT);
    assert_non_null(strstr(err.message, "5 bytes"));
    assert_int_equal(nod_file_read("/no/such/file", 4, &b, &err), NOD_ENOENT);
    assert_non_null(strstr(err.message, "/no/such/file"));
    assert_int_equal(nod_file_read(folder, 1 << 20, &b, &err), NOD_EIO);
    assert_non_null(strstr(err.message, "a folder"));
    assert_int_equal(nod_file_read("/dev/zero", 1 << 20, &b, &err), NOD_EIO);
    temp_path(path, folder, "pipe"); /* must not wait for a writer */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(nod_file_read(path, 4, &b, &err), NOD_EIO);
    assert_null(b.data);
    assert_int_equal(b.size, 77);
    nod_free(folder);
}

static void test_abort_and_open_change_nothing(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_file_out out;
    char *folder = sub_folder(state, "abort");
    temp_path(path, folder, "f");
    must_write(path, "old");
    assert_int_equal(nod_file_out_open(path, &out, &err), 0);
    assert_true(fprintf(out.stream, "half of it") > 0);
    assert_int_equal(fflush(out.stream), 0);
    check_content(path, "old");
    assert_int_equal(count_names(folder), 2);
    nod_file_out_abort(&out);
    check_content(path, "old");
    assert_int_equal(count_names(folder), 1);
    nod_free(folder);
}

/* Two writers of one name: both complete, the last one stands. */
static void test_two_writers(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_file_out a, b;
    char *folder = sub_folder(state, "two");
    temp_path(path, folder, "f");
    assert_int_equal(nod_file_out_open(path, &a, &err), 0);
    assert_int_equal(nod_file_out_open(path, &b, &err), 0);
    fputs("from a", a.stream);
    fputs("from b", b.stream);
    assert_int_equal(nod_file_out_commit(&b, &err), 0);
    check_content(path, "from b");
    assert_int_equal(nod_file_out_commit(&a, &err), 0);
    check_content(path, "from a");
    assert_int_equal(count_names(folder), 1);
    nod_free(folder);
}

static void test_killed_writer_leaves_the_old_file(void **state)
{
    char path[512];
    int status;
    char *folder = sub_folder(state, "killed");
    temp_path(path, folder, "f");
    must_write(path, "old");
    pid_t child = fork();
    if (child == 0) {
        nod_error err = NOD_ERROR_INIT;
        nod_file_out out;
        if (nod_file_out_open(path, &out, &err) != 0) _exit(1);
        fputs("half", out.stream);
        fflush(out.stream);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    check_content(path, "old");
    must_write(path, "next"); /* what the killed one left is not in the way */
    check_content(path, "next");
    /* It can be swept up; only such files are. */
    static const char *const others[] = {".f.tmp.12.x", ".tmp.1.0", "f.tmp.1.0", ".f.tmp.1",
                                         ".f.tmp..0"};
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < NOD_COUNT(others); i++) {
        char other[512];
        temp_path(other, folder, others[i]);
        must_write(other, "x");
    }
    assert_int_equal(count_names(folder), 2 + NOD_COUNT(others));
    assert_int_equal(nod_file_remove_temps(folder, &err), 0);
    assert_int_equal(count_names(folder), 1 + NOD_COUNT(others));
    check_content(path, "next");
    nod_free(folder);
}

/* A limit on file size stands for a full disk: write() fails half-way through. */
static void test_full_disk_leaves_the_old_file(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    struct rlimit before, small;
    char *folder = sub_folder(state, "full");
    temp_path(path, folder, "f");
    must_write(path, "old");
    size_t size = 1 << 20;
    char *big = nod_calloc(size, 1);
    assert_non_null(big);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = nod_file_write(path, big, size, &err);
    /* The same with small pieces, whose failures the caller does not look at, on a disk that
     * has room again when it comes to the commit. */
    nod_error err2 = NOD_ERROR_INIT;
    nod_file_out out;
    int rc2 = nod_file_out_open(path, &out, &err2);
    if (rc2 == 0) {
        for (size_t i = 0; i < size; i += 64)
            (void)!fwrite(big + i, 1, 64, out.stream);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    if (rc2 == 0) rc2 = nod_file_out_commit(&out, &err2);
    nod_free(big);
    assert_int_equal(rc, NOD_EIO);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(rc2, NOD_EIO);
    check_content(path, "old");
    assert_int_equal(count_names(folder), 1);
    nod_free(folder);
}

/* Root could harm the machine's own devices if the code under test were wrong, and may write
 * anywhere; so as root some tests are another user for a while. */
static bool become_nobody(void)
{
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0);
    return root;
}

static void become_root(bool was_root)
{
    if (was_root) assert_int_equal(seteuid(0), 0);
}

/* /dev/full takes bytes and refuses them when they are flushed. */
static void test_device_without_room(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT, err2 = NOD_ERROR_INIT;
    bool was_root = become_nobody();
    int rc = nod_file_write("/dev/full", "abc", 3, &err);
    int appended = nod_file_append_line("/dev/full", "x", &err2);
    become_root(was_root);
    assert_int_equal(rc, NOD_EIO);
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_int_equal(appended, NOD_EIO);
}

/* A rename onto a pipe or device would replace it. */
static void test_pipe_is_written_not_replaced(void **state)
{
    char path[512], got[8] = {0};
    nod_error err = NOD_ERROR_INIT;
    struct stat st;
    char *folder = sub_folder(state, "fifo");
    temp_path(path, folder, "p");
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(nod_file_write(path, "abc", 3, &err), 0);
    assert_int_equal(read(reader, got, sizeof got), 3);
    assert_string_equal(got, "abc");
    close(reader);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(count_names(folder), 1);
    nod_free(folder);
}

static void test_write_refuses(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    char *folder = sub_folder(state, "target");
    assert_int_equal(nod_file_write(folder, "x", 1, &err), NOD_EIO);
    assert_non_null(strstr(err.message, "it is a folder"));
    temp_path(path, folder, "none/f");
    assert_int_equal(nod_file_write(path, "x", 1, &err), NOD_ENOENT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(count_names(folder), 0);
    nod_free(folder);
}

static void test_read_only_folder_and_file(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    char *folder = sub_folder(state, "locked");
    temp_path(path, folder, "f");
    must_write(path, "old");
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    bool root = become_nobody();
    int in_folder = nod_file_write(path, "new", 3, &err);
    become_root(root);
    assert_int_equal(in_folder, NOD_EIO);
    assert_non_null(strstr(err.message, "Permission denied"));
    check_content(path, "old");
    assert_int_equal(count_names(folder), 1);
    /* A file that was made read-only is not replaced either, though the folder would allow. */
    if (!root) {
        assert_int_equal(chmod(folder, 0755), 0);
        assert_int_equal(chmod(path, 0444), 0);
        assert_int_equal(nod_file_write(path, "new", 3, &err), NOD_EIO);
        check_content(path, "old");
    }
    assert_int_equal(chmod(folder, 0755), 0);
    nod_free(folder);
}

static void test_link_and_mode_stay(void **state)
{
    char path[512], link_path[512];
    struct stat st;
    char *folder = sub_folder(state, "link");
    temp_path(path, folder, "f");
    temp_path(link_path, folder, "l");
    must_write(path, "old");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink("f", link_path), 0);
    must_write(link_path, "new");
    check_content(path, "new");
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    nod_free(folder);
}

static void test_longest_name(void **state)
{
    char name[256], path[1024];
    char *folder = sub_folder(state, "long");
    memset(name, 'n', 255);
    name[255] = '\0';
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must_write(path, "fits");
    check_content(path, "fits");
    nod_free(folder);
}

static void test_append_line(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    char *folder = sub_folder(state, "append");
    temp_path(path, folder, "log");
    assert_int_equal(nod_file_append_line(path, "one", &err), 0);
    assert_int_equal(nod_file_append_line(path, "", &err), 0);
    assert_int_equal(nod_file_append_line(path, "three", &err), 0);
    check_content(path, "one\n\nthree\n");
    assert_int_equal(nod_file_append_line(path, "a\nb", &err), NOD_EINVAL);
    check_content(path, "one\n\nthree\n");
    assert_int_equal(nod_file_append_line("/no/such/file", "x", &err), NOD_ENOENT);
    nod_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_then_read),
        cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_abort_and_open_change_nothing),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_killed_writer_leaves_the_old_file),
        cmocka_unit_test(test_full_disk_leaves_the_old_file),
        cmocka_unit_test(test_device_without_room),
        cmocka_unit_test(test_pipe_is_written_not_replaced),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_read_only_folder_and_file),
        cmocka_unit_test(test_link_and_mode_stay),
        cmocka_unit_test(test_longest_name),
        cmocka_unit_test(test_append_line),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
