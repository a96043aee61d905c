/* hmac.h: HMAC-SHA-256 (RFC 2104, FIPS 198-1; OpenSSL EVP): names that nobody without the key can
 * compute, or try out one after the other. */
#ifndef NOD_BASE_HMAC_H
#define NOD_BASE_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The code of `size` bytes under a key of at least one byte. Any thread. Errors: ENOMEM. */
int nod_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[NOD_SHA256_BYTES], nod_error *err) NOD_MUST_CHECK;

/* The code of `purpose`, a NUL, and `text`: one key serves several purposes ("patient", "uid"),
 * and a code for one says nothing about that for another. */
int nod_hmac_sha256_text(const void *key, size_t key_size, const char *purpose,
                         const char *text, uint8_t out[NOD_SHA256_BYTES],
                         nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
