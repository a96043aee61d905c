/* hash.h: SHA-256 (OpenSSL EVP). Identities of pixels, tensors, files, ledger rows. */
#ifndef NOD_BASE_HASH_H
#define NOD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define NOD_SHA256_BYTES 32
#define NOD_SHA256_HEX   65 /* with the NUL */

typedef struct nod_sha256 nod_sha256;
int nod_sha256_new(nod_sha256 **out, nod_error *err) NOD_MUST_CHECK;
void nod_sha256_add(nod_sha256 *h, const void *data, size_t size);
void nod_sha256_add_str(nod_sha256 *h, const char *s); /* length first, then bytes */
void nod_sha256_add_i64(nod_sha256 *h, int64_t v);     /* little endian */
/* Digest as lower-case hex; the object may be freed afterwards, nothing else. */
void nod_sha256_hex(nod_sha256 *h, char out[NOD_SHA256_HEX]);
void nod_sha256_free(nod_sha256 *h);

/* One call for one buffer. */
int nod_sha256_of(const void *data, size_t size, char out[NOD_SHA256_HEX],
                  nod_error *err) NOD_MUST_CHECK;
int nod_sha256_of_file(const char *path, char out[NOD_SHA256_HEX],
                       nod_error *err) NOD_MUST_CHECK;

#endif
