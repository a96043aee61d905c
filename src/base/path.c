/* path.c: paths and folders (file.h). A lock is flock on the folder itself: it leaves no file
 * behind and ends with the process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

bool nod_path_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool nod_path_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool nod_path_is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int64_t nod_path_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

char *nod_path_join(const char *a, const char *b)
{
    size_t len = strlen(a);
    if (len == 0 || b[0] == '/') return nod_strdup(b);
    nod_strbuf joined = NOD_STRBUF_INIT;
    nod_strbuf_add(&joined, a);
    if (a[len - 1] != '/') nod_strbuf_addc(&joined, '/');
    nod_strbuf_add(&joined, b);
    return nod_strbuf_take(&joined);
}

const char *nod_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

char *nod_path_dir(const char *path)
{
    size_t len = (size_t)(nod_path_base(path) - path);
    if (len == 0) return nod_strdup(".");
    while (len > 1 && path[len - 1] == '/')
        len--;
    return nod_strndup(path, len);
}

char *nod_path_real(const char *path)
{
    return realpath(path, NULL);
}

char *nod_path_relative(const char *folder, const char *path)
{
    size_t common = 0; /* up to and with the last '/' that both have */
    for (size_t i = 0;; i++) {
        bool ends = folder[i] == '/' || folder[i] == '\0';
        if (ends && path[i] == '/') common = i + 1;
        if (folder[i] != path[i] || folder[i] == '\0') break;
    }
    if (common <= 1) return nod_strdup(path);
    nod_strbuf b = NOD_STRBUF_INIT;
    if (common <= strlen(folder)) {
        nod_strbuf_add(&b, "../");
        for (const char *p = folder + common; *p != '\0'; p++)
            if (*p == '/') nod_strbuf_add(&b, "../");
    }
    nod_strbuf_add(&b, path + common);
    return nod_strbuf_take(&b);
}

/* Makes one folder; one that is there already is as good. */
static int make_one(const char *path, nod_error *err)
{
    if (mkdir(path, 0777) == 0) return 0;
    int errno_value = errno;
    if (nod_path_is_dir(path)) return 0;
    if (errno_value == EEXIST)
        return nod_fail(err, NOD_EIO, "cannot make the folder %s: a file has that name", path);
    return nod_fail_errno(err, errno_value, "cannot make the folder %s", path);
}

int nod_dir_make(const char *path, nod_error *err)
{
    if (path[0] == '\0') return nod_fail(err, NOD_EINVAL, "a folder's name is empty");
    char *part = nod_strdup(path);
    if (part == NULL) return nod_fail_memory(err, "a path", strlen(path) + 1);
    int rc = 0;
    for (char *p = part + 1; *p != '\0' && rc == 0; p++) {
        if (*p != '/' || p[-1] == '/') continue;
        *p = '\0';
        rc = make_one(part, err);
        *p = '/';
    }
    if (rc == 0) rc = make_one(part, err);
    nod_free(part);
    return rc;
}

int nod_dir_list(const char *path, nod_strlist *out, nod_error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return nod_fail_errno(err, errno, "cannot list the folder %s", path);
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            if (errno != 0) rc = nod_fail_errno(err, errno, "cannot list the folder %s", path);
            break;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (!nod_strlist_add(&names, name)) {
            rc = nod_fail_memory(err, "a list of file names", strlen(name) + 1);
            break;
        }
    }
    closedir(dir);
    if (rc != 0) {
        nod_strlist_done(&names);
        return rc;
    }
    nod_strlist_sort(&names);
    *out = names;
    return 0;
}

int nod_dir_lock(const char *path, int *lock, nod_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return nod_fail_errno(err, errno, "cannot open the folder %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool taken = errno == EWOULDBLOCK;
        close(fd);
        if (taken)
            return nod_fail(err, NOD_EIO,
                            "%s: another process works in this folder; wait for it, or end it",
                            path);
        fd = -1;
    }
    *lock = fd;
    return 0;
}

void nod_dir_unlock(int lock)
{
    if (lock >= 0) close(lock);
}
