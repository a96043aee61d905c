/* file.c: whole files in; whole files out or nothing.
 *
 * A writer makes ".NAME.tmp.PID.N" in the target's own folder (a rename works inside one file
 * system only), syncs it and renames it. A link is followed, so that it stays a link. A target
 * that is no regular file (a terminal, a pipe, /dev/null) has no old content to save and must
 * not be replaced by a rename: it is written directly. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"

#define TEMP_ATTEMPTS 100
#define TEMP_NAME_MAX 200 /* bytes of the target's name kept in the temporary name */

void nod_bytes_done(nod_bytes *b)
{
    nod_free(b->data);
    b->data = NULL;
    b->size = 0;
}

/* Reads until `size` bytes are there or the file ends; *got says how many. */
static int read_up_to(int fd, uint8_t *data, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, data + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) break;
        *got += (size_t)n;
    }
    return 0;
}

int nod_file_read(const char *path, size_t limit, nod_bytes *out, nod_error *err)
{
    int rc = 0, errno_value;
    uint8_t *data = NULL;
    /* Without O_NONBLOCK, opening a pipe nobody writes to would wait for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return nod_fail_errno(err, errno, "cannot open %s", path);
    struct stat st;
    if (fstat(fd, &st) != 0) {
        rc = nod_fail_errno(err, errno, "cannot look at %s", path);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = nod_fail(err, NOD_EIO, "%s is %s, not a regular file", path,
                      S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe");
        goto out;
    }
    size_t size = (size_t)st.st_size, got;
    if (size > limit) {
        rc = nod_fail(err, NOD_ELIMIT, "%s has %zu bytes; at most %zu are read", path, size,
                      limit);
        goto out;
    }
    data = size < SIZE_MAX ? nod_malloc(size + 1) : NULL;
    if (data == NULL) {
        rc = nod_error_prefix((nod_fail_memory(err, "the file's content", size), err), "%s",
                              path);
        goto out;
    }
    /* One byte more than the size tells a file that grows under us. */
    errno_value = read_up_to(fd, data, size + 1, &got);
    if (errno_value != 0) {
        rc = nod_fail_errno(err, errno_value, "cannot read %s", path);
        goto out;
    }
    if (got != size) {
        rc = nod_fail(err, NOD_EIO, "%s changed while it was read (%zu bytes, then %s)", path,
                      size, got < size ? "fewer" : "more");
        goto out;
    }
    data[size] = 0;
    out->data = data;
    out->size = size;
    data = NULL;
out:
    nod_free(data);
    close(fd);
    return rc;
}

/* --- atomic output ------------------------------------------------------------------------ */

static void out_done(nod_file_out *out)
{
    nod_free(out->path);
    nod_free(out->temp);
    *out = (nod_file_out){0};
}

/* Creates the temporary file beside out->path and sets out->temp; its descriptor or -1 with
 * errno. */
static int create_temp(nod_file_out *out, mode_t mode)
{
    const char *name = nod_path_base(out->path);
    int name_len = (int)NOD_MIN(strlen(name), (size_t)TEMP_NAME_MAX);
    int dir_len = (int)(name - out->path);
    for (int i = 0; i < TEMP_ATTEMPTS; i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%.*s.%.*s.tmp.%ld.%d", dir_len, out->path, name_len, name,
                          (long)getpid(), i);
        char *temp = nod_strbuf_take(&b);
        if (temp == NULL) {
            errno = ENOMEM;
            return -1;
        }
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd >= 0) {
            out->temp = temp;
            return fd;
        }
        nod_free(temp);
        if (errno != EEXIST) return -1;
    }
    return -1;
}

/* Opens what the bytes go to, the temporary file or a device itself, as *fd. */
static int open_target(nod_file_out *out, const char *path, int *fd, nod_error *err)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return nod_fail(err, NOD_EIO, "cannot write %s: it is a folder", path);
    if (exists && access(path, W_OK) != 0)
        return nod_fail_errno(err, errno, "cannot write %s", path);
    bool replaces = exists && S_ISREG(st.st_mode);
    out->path = replaces ? nod_path_real(path) : nod_strdup(path);
    if (out->path == NULL) return nod_fail_errno(err, errno, "cannot write %s", path);
    int opened;
    if (exists && !replaces) {
        opened = open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    } else {
        opened = create_temp(out, 0666);
        /* Some file systems have no modes; the content is what counts. */
        if (opened >= 0 && replaces) (void)!fchmod(opened, st.st_mode & 07777);
    }
    if (opened < 0) return nod_fail_errno(err, errno, "cannot write %s", path);
    *fd = opened;
    return 0;
}

int nod_file_out_open(const char *path, nod_file_out *out, nod_error *err)
{
    nod_file_out made = {0};
    int fd = -1;
    int rc = open_target(&made, path, &fd, err);
    if (rc != 0) {
        out_done(&made);
        return rc;
    }
    made.stream = fdopen(fd, "w");
    if (made.stream == NULL) {
        rc = nod_fail_errno(err, errno, "cannot write %s", path);
        close(fd);
        if (made.temp != NULL) unlink(made.temp);
        out_done(&made);
        return rc;
    }
    *out = made;
    return 0;
}

void nod_file_out_abort(nod_file_out *out)
{
    if (out->stream != NULL) fclose(out->stream);
    if (out->temp != NULL) unlink(out->temp);
    out_done(out);
}

int nod_file_out_add(nod_file_out *out, const void *data, size_t size, nod_error *err)
{
    if (size == 0 || fwrite(data, 1, size, out->stream) == size) return 0;
    int rc = nod_fail_errno(err, errno, "cannot write %s", out->path);
    nod_file_out_abort(out);
    return rc;
}

/* Makes the rename itself survive a power cut. Its failure changes nothing about the file,
 * which is complete under its name, and some file systems refuse it; so it is not an error.
 * Cuts the file's name off `path`. */
static void sync_folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL) slash[slash == path ? 1 : 0] = '\0';
    int fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!fsync(fd);
    close(fd);
}

int nod_file_out_commit(nod_file_out *out, nod_error *err)
{
    int rc = 0;
    FILE *stream = out->stream;
    if (fflush(stream) != 0) {
        rc = nod_fail_errno(err, errno, "cannot write %s", out->path);
    } else if (ferror(stream)) {
        rc = nod_fail(err, NOD_EIO, "cannot write %s: an earlier write failed (disk full?)",
                      out->path);
    } else if (out->temp != NULL && fsync(fileno(stream)) != 0) {
        rc = nod_fail_errno(err, errno, "cannot write %s to the disk", out->path);
    }
    out->stream = NULL;
    if (fclose(stream) != 0 && rc == 0)
        rc = nod_fail_errno(err, errno, "cannot write %s", out->path);
    if (rc == 0 && out->temp != NULL) {
        if (rename(out->temp, out->path) != 0) {
            rc = nod_fail_errno(err, errno, "cannot give the new file its name %s", out->path);
        } else {
            nod_free(out->temp);
            out->temp = NULL;
            sync_folder_of(out->path);
        }
    }
    nod_file_out_abort(out); /* nothing is left to undo after success */
    return rc;
}

int nod_file_write(const char *path, const void *data, size_t size, nod_error *err)
{
    nod_file_out out;
    int rc = nod_file_out_open(path, &out, err);
    if (rc != 0) return rc;
    rc = nod_file_out_add(&out, data, size, err);
    return rc ? rc : nod_file_out_commit(&out, err);
}

/* ".NAME.tmp.PID.N", as create_temp makes it. */
static bool is_temp(const char *name)
{
    static const char digits[] = "0123456789";
    const char *mark = name[0] == '.' ? strstr(name + 1, ".tmp.") : NULL;
    for (const char *next = mark; next != NULL; next = strstr(next + 1, ".tmp."))
        mark = next;
    if (mark == NULL || mark == name + 1) return false;
    const char *pid = mark + 5, *dot = pid + strspn(pid, digits);
    if (dot == pid || *dot != '.') return false;
    size_t n = strspn(dot + 1, digits);
    return n > 0 && dot[1 + n] == '\0';
}

int nod_file_remove_temps(const char *folder, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_list(folder, &names, err);
    for (size_t i = 0; i < names.n && rc == 0; i++) {
        if (!is_temp(names.items[i])) continue;
        char *path = nod_path_join(folder, names.items[i]);
        if (path == NULL)
            rc = nod_fail_memory(err, "a path", strlen(folder));
        else if (unlink(path) != 0 && errno != ENOENT)
            rc = nod_fail_errno(err, errno, "cannot remove %s", path);
        nod_free(path);
    }
    nod_strlist_done(&names);
    return rc;
}

int nod_file_append_line(const char *path, const char *line, nod_error *err)
{
    if (strchr(line, '\n') != NULL)
        return nod_fail(err, NOD_EINVAL, "a line for %s has a newline in it", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0) return nod_fail_errno(err, errno, "cannot append to %s", path);
    int rc = 0;
    char newline = '\n';
    size_t len = strlen(line), done = 0;
    /* One system call in the usual case, so that lines of two writers do not mix. */
    while (rc == 0 && done < len + 1) {
        size_t rest = len > done ? len - done : 0;
        struct iovec parts[2] = {{(char *)(uintptr_t)line + (len - rest), rest}, {&newline, 1}};
        ssize_t n = writev(fd, parts, 2);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            rc = nod_fail_errno(err, n == 0 ? EIO : errno, "cannot append to %s", path);
    }
    /* What is no file on a disk (a pipe, a terminal) cannot be synced: EINVAL, EROFS. */
    if (rc == 0 && fdatasync(fd) != 0 && errno != EINVAL && errno != EROFS)
        rc = nod_fail_errno(err, errno, "cannot write %s to the disk", path);
    if (close(fd) != 0 && rc == 0) rc = nod_fail_errno(err, errno, "cannot append to %s", path);
    return rc;
}

size_t nod_file_peek(const char *path, void *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is not waited for */
    ssize_t n = fd >= 0 ? read(fd, out, size) : 0;
    if (fd >= 0) close(fd);
    return n > 0 ? (size_t)n : 0;
}
