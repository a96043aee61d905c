/* cache.h: preprocessed images on the disk, so that each is decoded once: one file for each contract in
 * a folder, mapped into memory (docs/formats/cache.md).
 *
 * A case is found by its content (the pixel hash in the cohort, its place, the policies it is read
 * under) and by the state of its files (size, times, inode) when it was decoded: a file that was
 * touched is decoded and compared with the cohort again. A record counts only with its hash, so
 * killed writers, full disks and damage cost time and nothing else. One process writes at a time;
 * readers need no lock. A cache that cannot be used is said in the log and done without. */
#ifndef NOD_DATA_CACHE_H
#define NOD_DATA_CACHE_H

#include "base/log.h"
#include "data/cohort.h"
#include "data/pack.h"

typedef struct nod_cache nod_cache;

/* The contract is copied; nod_contract_can_prepare. Errors: ENOMEM. */
int nod_cache_open(const char *folder, const nod_contract *k, const nod_log *log,
                   nod_cache **out, nod_error *err) NOD_MUST_CHECK;
void nod_cache_close(nod_cache *c);

/* What case i of the cohort is now. A key without state (false) finds nothing: a file is absent, or was
 * changed so shortly ago that its times may not tell the next change. */
bool nod_cache_key(const nod_cohort *cohort, size_t i, nod_pack_key *out);

/* Offset of the case's record if it is there, whole and of these files; else 0. Any thread. */
size_t nod_cache_find(const nod_cache *c, const nod_pack_key *key);
/* Of a record that was found or put; any thread. */
void nod_cache_values(const nod_cache *c, size_t at, float *dst);
int nod_cache_sums(const nod_cache *c, size_t at, nod_contract_sums *out,
                   nod_error *err) NOD_MUST_CHECK;

/* Waits for another writer and sees what it has left: *changed, then offsets from before are of no
 * use. */
int nod_cache_begin(nod_cache *c, bool *changed, nod_error *err) NOD_MUST_CHECK;
/* Adds a record between begin and end; any thread. *at is its offset, 0 where the cache cannot be
 * written; values and sums of it can be asked for after the end. */
int nod_cache_put(nod_cache *c, const nod_pack_key *key, const float *values,
                  const nod_contract_sums *sums, size_t *at, nod_error *err) NOD_MUST_CHECK;
/* Another process may write; offsets stay what they are. */
int nod_cache_end(nod_cache *c, nod_error *err) NOD_MUST_CHECK;

/* The folder of a cohort's cache unless another is asked for: .nodule-cache beside it. NULL: no memory. */
char *nod_cache_default_path(const char *cohort_path) NOD_MUST_CHECK;
/* Why the cache could not be written; "" if it could. */
const char *nod_cache_refusal(const nod_cache *c);

#endif
