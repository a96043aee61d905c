/* hash.c: SHA-256 by OpenSSL's EVP interface. Once a context has begun, EVP neither allocates
 * nor fails for SHA-256, so the adders return nothing and a failure there is a broken promise.
 */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct nod_sha256 {
    EVP_MD_CTX *ctx;
};

int nod_sha256_new(nod_sha256 **out, nod_error *err)
{
    nod_sha256 *h = nod_calloc(1, sizeof *h);
    if (h == NULL) return nod_fail_memory(err, "SHA-256", sizeof *h);
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
        nod_sha256_free(h);
        return nod_fail(err, NOD_ENOMEM,
                        "SHA-256 could not be started (out of memory, or "
                        "OpenSSL's default provider is missing)");
    }
    *out = h;
    return 0;
}

void nod_sha256_add(nod_sha256 *h, const void *data, size_t size)
{
    if (size == 0) return;
    int ok = EVP_DigestUpdate(h->ctx, data, size);
    NOD_ASSERT(ok == 1);
}

void nod_sha256_add_i64(nod_sha256 *h, int64_t v)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)v >> (8 * i));
    nod_sha256_add(h, bytes, sizeof bytes);
}

void nod_sha256_add_str(nod_sha256 *h, const char *s)
{
    size_t len = strlen(s);
    nod_sha256_add_i64(h, (int64_t)len);
    nod_sha256_add(h, s, len);
}

void nod_sha256_hex(nod_sha256 *h, char out[NOD_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    int ok = EVP_DigestFinal_ex(h->ctx, md, &size);
    NOD_ASSERT(ok == 1 && size == NOD_SHA256_BYTES);
    for (int i = 0; i < NOD_SHA256_BYTES; i++) {
        out[2 * i] = digits[md[i] >> 4];
        out[2 * i + 1] = digits[md[i] & 15];
    }
    out[2 * NOD_SHA256_BYTES] = '\0';
}

void nod_sha256_free(nod_sha256 *h)
{
    if (h == NULL) return;
    EVP_MD_CTX_free(h->ctx);
    nod_free(h);
}

int nod_sha256_of(const void *data, size_t size, char out[NOD_SHA256_HEX], nod_error *err)
{
    nod_sha256 *h;
    int rc = nod_sha256_new(&h, err);
    if (rc != 0) return rc;
    nod_sha256_add(h, data, size);
    nod_sha256_hex(h, out);
    nod_sha256_free(h);
    return 0;
}

int nod_sha256_of_file(const char *path, char out[NOD_SHA256_HEX], nod_error *err)
{
    nod_sha256 *h = NULL;
    char block[1 << 14];
    int rc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return nod_fail_errno(err, errno, "cannot open %s", path);
    NOD_TRY(nod_sha256_new(&h, err));
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            rc = nod_fail_errno(err, errno, "cannot read %s", path);
            goto out;
        }
        if (n == 0) break;
        nod_sha256_add(h, block, (size_t)n);
    }
    nod_sha256_hex(h, out);
out:
    nod_sha256_free(h);
    close(fd);
    return rc;
}
