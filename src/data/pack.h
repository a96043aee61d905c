/* pack.h: the bytes of a cache file: preprocessed images of one contract, one record after the other
 * (docs/formats/cache.md).
 *
 * A file is its header, which says everything that the images depend on, then records in the order
 * in which they were written; a later one of the same case stands for an earlier one. A record
 * carries the SHA-256 of itself, so whatever is torn, damaged or of another program is not used. No
 * pointer into the bytes is kept. */
#ifndef NOD_DATA_PACK_H
#define NOD_DATA_PACK_H

#include "base/hash.h"
#include "base/text.h"
#include "imaging/contract.h"

#define NOD_PACK_VERSION     1
#define NOD_PACK_MAX_RECORDS ((size_t)1 << 26)

/* What a record is of. */
typedef struct nod_pack_key {
    char content
        [NOD_SHA256_HEX]; /* the case: decoded pixels, where they are, how they are read */
    char state[NOD_SHA256_HEX]; /* of its files when they were decoded */
} nod_pack_key;

typedef struct nod_pack_place {
    char content[NOD_SHA256_HEX - 1];
    size_t at; /* of the record in the file */
} nod_pack_place;

/* Which records there are. */
typedef struct nod_pack_index {
    nod_pack_place *places; /* sorted by content, one each: the last */
    size_t n, capacity;
    size_t end;  /* of the last whole record: what follows is torn or damaged */
    size_t dead; /* bytes of records that later ones stand for */
} nod_pack_index;

/* The header of a contract's file; a file is used only if it begins with these very bytes. */
int nod_pack_header(const nod_contract *k, nod_strbuf *out, nod_error *err) NOD_MUST_CHECK;
/* Looks at the heads of the records behind a header of `header` bytes. */
int nod_pack_scan(const uint8_t *data, size_t size, size_t header, const nod_contract *k,
                  nod_pack_index *out, nod_error *err) NOD_MUST_CHECK;
void nod_pack_index_done(nod_pack_index *x);
/* Offset of the case's record, 0: none. */
size_t nod_pack_find(const nod_pack_index *x, const char *content);

/* Whether the record at `at`, which a scan has found, is whole and of these very files. */
bool nod_pack_check(const uint8_t *data, size_t at, const nod_pack_key *key);
/* nod_contract_samples floats of a record that is whole. */
void nod_pack_values(const uint8_t *data, size_t at, float *dst);
/* EFORMAT where they are not what this program writes. */
int nod_pack_sums(const uint8_t *data, size_t at, nod_contract_sums *out,
                  nod_error *err) NOD_MUST_CHECK;

/* A new record; the caller frees *out. Values are kept in the smallest form that gives them back bit
 * for bit. */
int nod_pack_record(const nod_contract *k, const nod_pack_key *key, const float *values,
                    const nod_contract_sums *sums, uint8_t **out, size_t *size,
                    nod_error *err) NOD_MUST_CHECK;

#endif
