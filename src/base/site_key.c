/* site_key.c: the key's file, and names made with it. A new key gets its name by a hard link, which
 * fails where another process was first: then that one's key is read. */
#include "base/site_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hmac.h"
#include "base/memory.h"
#include "base/text.h"

#define DIGITS     (2 * NOD_SITE_KEY_BYTES)
#define FILE_BYTES (DIGITS + 1)
#define PURPOSE    "patient"
#define SHOWN_HEX  8

/* --- making ------------------------------------------------------------------------------- */

static int draw_text(char text[FILE_BYTES + 1], nod_error *err)
{
    uint8_t bytes[NOD_SITE_KEY_BYTES];
    ssize_t n;
    do
        n = getrandom(bytes, sizeof bytes, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof bytes)
        return nod_fail_errno(err, n < 0 ? errno : EIO, "drawing a site key");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[DIGITS] = '\n';
    text[FILE_BYTES] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return 0;
}

static int write_temp(const char *temp, const char *text, nod_error *err)
{
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return nod_fail_errno(err, errno, "making the site key %s", temp);
    bool ok = write(fd, text, FILE_BYTES) == FILE_BYTES && fsync(fd) == 0;
    int why = ok ? 0 : errno ? errno : EIO;
    close(fd);
    if (!ok) unlink(temp);
    return ok ? 0 : nod_fail_errno(err, why, "writing the site key %s", temp);
}

static int make_key(const char *path, nod_error *err)
{
    nod_strbuf temp = NOD_STRBUF_INIT;
    char text[FILE_BYTES + 1];
    char *folder = nod_path_dir(path);
    int rc = 0;
    nod_strbuf_printf(&temp, "%s.%ld.tmp", path, (long)getpid());
    if (folder == NULL || temp.failed) {
        rc = nod_fail_memory(err, "path of the site key", strlen(path));
        goto out;
    }
    NOD_TRY(nod_dir_make(folder, err));
    NOD_TRY(draw_text(text, err));
    NOD_TRY(write_temp(temp.data, text, err));
    if (link(temp.data, path) != 0 && errno != EEXIST)
        rc = nod_fail_errno(err, errno, "making the site key %s", path);
    unlink(temp.data);
out:
    explicit_bzero(text, sizeof text);
    nod_strbuf_done(&temp);
    nod_free(folder);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_key(const char *path, const nod_bytes *b, nod_site_key *out, nod_error *err)
{
    nod_site_key k;
    const char *text = (const char *)b->data;
    bool good = b->size == FILE_BYTES && text[DIGITS] == '\n';
    for (size_t i = 0; good && i < sizeof k.bytes; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        if (good) k.bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (good) *out = k;
    explicit_bzero(&k, sizeof k);
    return good ? 0
                : nod_fail(err, NOD_EFORMAT,
                           "%s: is not a site key, %d hex digits and a newline; remove it and "
                           "another is made, under which patients have other names",
                           path, DIGITS);
}

int nod_site_key_open(const char *path, bool make, nod_site_key *out, nod_error *err)
{
    struct stat st;
    nod_bytes b = {0};
    if (make && !nod_path_exists(path)) {
        int rc = make_key(path, err);
        if (rc) return rc;
    }
    int rc = nod_file_read(path, (size_t)1 << 12, &b, err);
    if (rc) return nod_error_prefix(err, "site key");
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        rc = nod_fail(err, NOD_EINVAL,
                      "site key %s: others may read it (mode %03o); chmod 600 it, or make "
                      "another if they have",
                      path, (unsigned)st.st_mode & 0777);
    if (!rc) rc = parse_key(path, &b, out, err);
    explicit_bzero(b.data, b.size);
    nod_bytes_done(&b);
    return rc;
}

void nod_site_key_clear(nod_site_key *k)
{
    explicit_bzero(k, sizeof *k);
}

/* --- names -------------------------------------------------------------------------------- */

int nod_site_key_patient(const nod_site_key *k, const char *patient,
                         char out[NOD_SHOWN_PATIENT], nod_error *err)
{
    uint8_t code[NOD_SHA256_BYTES];
    if (*patient == '\0') {
        snprintf(out, NOD_SHOWN_PATIENT, "P-unknown");
        return 0;
    }
    int rc = nod_hmac_sha256_text(k->bytes, sizeof k->bytes, PURPOSE, patient, code, err);
    if (rc) return rc;
    memcpy(out, "P-", 3);
    for (int i = 0; i < SHOWN_HEX / 2; i++)
        snprintf(out + 2 + (size_t)(2 * i), 3, "%02x", code[i]);
    return 0;
}
