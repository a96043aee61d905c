/* hmac.c: one call of OpenSSL for each code. */
#include "base/hmac.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/memory.h"

int nod_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[NOD_SHA256_BYTES], nod_error *err)
{
    uint8_t code[NOD_SHA256_BYTES];
    size_t n = 0;
    NOD_ASSERT(key_size > 0);
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_size, data, size, code,
                  sizeof code, &n) == NULL)
        return nod_fail(err, NOD_ENOMEM,
                        "HMAC-SHA-256 could not be computed (out of memory, or OpenSSL's "
                        "default provider is missing)");
    NOD_ASSERT(n == sizeof code);
    memcpy(out, code, sizeof code);
    return 0;
}

int nod_hmac_sha256_text(const void *key, size_t key_size, const char *purpose,
                         const char *text, uint8_t out[NOD_SHA256_BYTES], nod_error *err)
{
    size_t n_purpose = strlen(purpose) + 1, n_text = strlen(text);
    char *both = nod_malloc(n_purpose + n_text + 1);
    if (both == NULL) return nod_fail_memory(err, "HMAC-SHA-256", n_purpose + n_text + 1);
    memcpy(both, purpose, n_purpose);
    memcpy(both + n_purpose, text, n_text + 1);
    int rc = nod_hmac_sha256(key, key_size, both, n_purpose + n_text, out, err);
    nod_free(both);
    return rc;
}
