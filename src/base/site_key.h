/* site_key.h: the key of a site, under which patients are shown by names that mean nothing elsewhere.
 *
 * A key is 32 random bytes in a file that its owner alone may read: 64 hex digits and a newline.
 * It lies outside of every cohort, run and model: who has those and not the key cannot find out whose
 * image a case is by trying names or numbers. A lost key costs nothing but the shown names: order,
 * splits and results come from content. docs/privacy.md has the rules. */
#ifndef NOD_BASE_SITE_KEY_H
#define NOD_BASE_SITE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NOD_SITE_KEY_BYTES 32
#define NOD_SHOWN_PATIENT  11 /* "P-1a2b3c4d" and the NUL */

typedef struct nod_site_key {
    uint8_t bytes[NOD_SITE_KEY_BYTES];
} nod_site_key;

/* Reads the key; `make`: where there is no file, its folders and a new key are made first, once
 * however many processes ask. Errors: ENOENT, EIO, EFORMAT (not 64 hex digits), EINVAL (others than
 * the owner may read it). */
int nod_site_key_open(const char *path, bool make, nod_site_key *out,
                      nod_error *err) NOD_MUST_CHECK;
/* Overwrites the bytes. */
void nod_site_key_clear(nod_site_key *k);

/* How a patient is shown: "P-" and 8 hex digits of HMAC-SHA-256 of what the cohort knows him by
 * (issuer and id). "P-unknown" for "". Of 10 000 patients two share a name with a chance of one in 86:
 * it is for the eye, nothing is joined by it. */
int nod_site_key_patient(const nod_site_key *k, const char *patient,
                         char out[NOD_SHOWN_PATIENT], nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
