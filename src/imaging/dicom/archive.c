/* archive.c: folders are walked, archives are listed, and a member is unpacked to be opened.
 *
 * An archive is told by its first bytes. A reader keeps the last one open, since a series mostly
 * lies in one. What a member claims to unpack to is compared with what its packed bytes can hold
 * before anything is allocated. */
#include "imaging/dicom/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/memory.h"

#define DEFLATE_RATIO 1032 /* no deflate stream grows more */
#define HEAD_BYTES    256  /* enough for nod_dicom_is */

/* --- first bytes -------------------------------------------------------------------------- */

static bool is_zip(const char *path)
{
    uint8_t head[HEAD_BYTES];
    return nod_file_peek(path, head, sizeof head) >= 4 &&
           (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0);
}

/* --- listing ------------------------------------------------------------------------------ */

typedef struct folder {
    const struct folder *above;
    dev_t device;
    ino_t inode;
    int depth;
} folder;

static int add_name(nod_strlist *names, const char *name, nod_error *err)
{
    return nod_strlist_add(names, name) ? 0 : nod_fail_memory(err, "file names", strlen(name));
}

/* The members of an archive, behind `prefix` ("c.zip!/", or ""). */
static int list_archive(const char *path, const char *name, const char *prefix,
                        nod_strlist *names, nod_error *err)
{
    zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
    if (zip == NULL) return add_name(names, name, err);
    zip_int64_t n = zip_get_num_entries(zip, 0);
    int rc = n > NOD_ARCHIVE_MAX_MEMBERS
                 ? nod_fail(err, NOD_ELIMIT, "%s: %lld files in an archive; the limit is %d",
                            path, (long long)n, NOD_ARCHIVE_MAX_MEMBERS)
                 : 0;
    for (zip_int64_t i = 0; !rc && i < n; i++) {
        const char *member = zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_GUESS);
        size_t length = member ? strlen(member) : 0;
        if (length == 0 || member[length - 1] == '/') continue;
        nod_strbuf full = NOD_STRBUF_INIT;
        nod_strbuf_printf(&full, "%s%s", prefix, member);
        rc = full.failed ? nod_fail_memory(err, "file names", length)
                         : add_name(names, full.data, err);
        nod_strbuf_done(&full);
    }
    zip_discard(zip);
    return rc;
}

static bool is_above(const folder *f, const struct stat *st)
{
    for (; f != NULL; f = f->above)
        if (f->device == st->st_dev && f->inode == st->st_ino) return true;
    return false;
}

static int list_folder(const char *root, const char *below, const folder *above,
                       nod_strlist *names, nod_error *err);

static int list_one(const char *root, const char *name, const folder *above, nod_strlist *names,
                    nod_error *err)
{
    struct stat st;
    char *path = nod_path_join(root, name);
    int rc = path ? 0 : nod_fail_memory(err, "file names", strlen(name));
    if (rc || stat(path, &st) != 0) { /* a link to nothing, or gone meanwhile */
        nod_free(path);
        return rc;
    }
    if (S_ISDIR(st.st_mode) && !is_above(above, &st)) {
        folder here = {above, st.st_dev, st.st_ino, above ? above->depth + 1 : 0};
        rc = here.depth > NOD_ARCHIVE_MAX_DEPTH
                 ? nod_fail(err, NOD_ELIMIT, "%s: folders nest more than %d deep", path,
                            NOD_ARCHIVE_MAX_DEPTH)
                 : list_folder(root, name, &here, names, err);
    } else if (S_ISREG(st.st_mode) && is_zip(path)) {
        nod_strbuf prefix = NOD_STRBUF_INIT;
        nod_strbuf_printf(&prefix, "%s%s", name, NOD_ARCHIVE_MARK);
        rc = prefix.failed ? nod_fail_memory(err, "file names", strlen(name))
                           : list_archive(path, name, prefix.data, names, err);
        nod_strbuf_done(&prefix);
    } else if (S_ISREG(st.st_mode)) {
        rc = add_name(names, name, err);
    }
    nod_free(path);
    return rc;
}

static int list_folder(const char *root, const char *below, const folder *above,
                       nod_strlist *names, nod_error *err)
{
    nod_strlist items = NOD_STRLIST_INIT;
    char *path = below[0] ? nod_path_join(root, below) : nod_strdup(root);
    int rc = path ? nod_dir_list(path, &items, err)
                  : nod_fail_memory(err, "file names", strlen(below));
    for (size_t i = 0; !rc && i < items.n; i++) {
        char *name =
            below[0] ? nod_path_join(below, items.items[i]) : nod_strdup(items.items[i]);
        rc = name ? list_one(root, name, above, names, err)
                  : nod_fail_memory(err, "file names", strlen(items.items[i]));
        nod_free(name);
    }
    nod_free(path);
    nod_strlist_done(&items);
    return rc;
}

int nod_archive_list(const char *root, nod_strlist *names, nod_error *err)
{
    struct stat st;
    int rc;
    if (stat(root, &st) != 0) return nod_fail_errno(err, errno, "%s", root);
    if (S_ISDIR(st.st_mode)) {
        folder here = {NULL, st.st_dev, st.st_ino, 0};
        rc = list_folder(root, "", &here, names, err);
    } else {
        rc = is_zip(root) ? list_archive(root, "", "", names, err) : add_name(names, "", err);
    }
    if (!rc) nod_strlist_sort(names);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

void nod_archive_reader_init(nod_archive_reader *r, const char *root)
{
    *r = (nod_archive_reader){.root = root};
}

static void close_zip(nod_archive_reader *r)
{
    if (r->zip) zip_discard(r->zip);
    nod_free(r->path);
    r->zip = NULL;
    r->path = NULL;
}

void nod_archive_reader_done(nod_archive_reader *r)
{
    close_zip(r);
    nod_bytes_done(&r->bytes);
    *r = (nod_archive_reader){0};
}

static int open_zip(nod_archive_reader *r, const char *path, nod_error *err)
{
    int code = 0;
    if (r->zip && strcmp(r->path, path) == 0) return 0;
    close_zip(r);
    r->path = nod_strdup(path);
    if (r->path == NULL) return nod_fail_memory(err, "file names", strlen(path));
    r->zip = zip_open(path, ZIP_RDONLY, &code);
    return r->zip ? 0
                  : nod_fail(err, NOD_EFORMAT, "%s: a broken zip archive (libzip error %d)",
                             path, code);
}

/* Unpacks a member into r->bytes. */
static int unpack(nod_archive_reader *r, const char *member, nod_error *err)
{
    zip_stat_t st;
    if (zip_stat(r->zip, member, ZIP_FL_ENC_GUESS, &st) != 0)
        return nod_fail(err, NOD_ENOENT, "%s!/%s: there is no such file", r->path, member);
    if (st.size > NOD_ARCHIVE_MAX_UNPACKED || st.size / DEFLATE_RATIO > st.comp_size)
        return nod_fail(err, NOD_ELIMIT,
                        "%s!/%s: claims %llu bytes from %llu packed ones; the limit is %zu",
                        r->path, member, (unsigned long long)st.size,
                        (unsigned long long)st.comp_size, NOD_ARCHIVE_MAX_UNPACKED);
    nod_bytes_done(&r->bytes);
    r->bytes.data = nod_malloc((size_t)st.size + 1);
    if (r->bytes.data == NULL) return nod_fail_memory(err, "an archive", (size_t)st.size);
    zip_file_t *file = zip_fopen_index(r->zip, st.index, 0);
    while (file != NULL && r->bytes.size < st.size) {
        zip_int64_t n = zip_fread(file, r->bytes.data + r->bytes.size, st.size - r->bytes.size);
        if (n <= 0) break;
        r->bytes.size += (size_t)n;
    }
    r->bytes.data[r->bytes.size] = 0;
    bool complete = file != NULL && r->bytes.size == st.size;
    if (file != NULL && zip_fclose(file) != 0) complete = false;
    return complete ? 0
                    : nod_fail(err, NOD_EFORMAT, "%s!/%s: cannot be unpacked: %s", r->path,
                               member, zip_strerror(r->zip));
}

static int open_member(nod_archive_reader *r, const char *path, const char *member,
                       nod_dicom_extent extent, bool *is_dicom, nod_dicom_file **out,
                       nod_error *err)
{
    int rc = open_zip(r, path, err);
    if (!rc) rc = unpack(r, member, err);
    if (rc) return rc;
    *is_dicom = nod_dicom_is(r->bytes.data, r->bytes.size);
    if (!*is_dicom) return 0;
    nod_strbuf name = NOD_STRBUF_INIT; /* as messages call it */
    nod_strbuf_printf(&name, "%s" NOD_ARCHIVE_MARK "%s", path, member);
    rc = name.failed ? nod_fail_memory(err, "file names", strlen(member))
                     : nod_dicom_file_open_memory(r->bytes.data, r->bytes.size, name.data,
                                                  extent, out, err);
    nod_strbuf_done(&name);
    return rc;
}

int nod_archive_open(nod_archive_reader *r, const char *name, nod_dicom_extent extent,
                     bool *is_dicom, nod_dicom_file **out, nod_error *err)
{
    uint8_t head[HEAD_BYTES];
    const char *mark = strstr(name, NOD_ARCHIVE_MARK);
    char *file = mark ? nod_strndup(name, (size_t)(mark - name)) : nod_strdup(name);
    char *path = !file ? NULL : file[0] ? nod_path_join(r->root, file) : nod_strdup(r->root);
    int rc = 0;
    if (path == NULL) {
        rc = nod_fail_memory(err, "file names", strlen(name));
    } else if (mark != NULL) {
        rc = open_member(r, path, mark + strlen(NOD_ARCHIVE_MARK), extent, is_dicom, out, err);
    } else if (name[0] && !nod_path_is_dir(r->root)) { /* the root is an archive */
        rc = open_member(r, r->root, name, extent, is_dicom, out, err);
    } else {
        size_t n = nod_file_peek(path, head, sizeof head);
        *is_dicom = n > 0 && nod_dicom_is(head, n);
        if (*is_dicom || !nod_path_exists(path))
            rc = nod_dicom_file_open(path, extent, out, err);
    }
    nod_free(file);
    nod_free(path);
    return rc;
}
