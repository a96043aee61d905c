/* rows.h: the ledger's memory and its transactions; private to src/ledger. */
#ifndef NOD_LEDGER_ROWS_H
#define NOD_LEDGER_ROWS_H

#include <sqlite3.h>

#include "ledger/ledger.h"

/* A sorted set of salted identities of cases. */
typedef struct nod_ident_set {
    uint64_t *v;
    size_t n, cap;
} nod_ident_set;

/* One row as it stands in the file, with its payload parsed. */
typedef struct nod_ledger_entry {
    char *time, *kind, *payload;
    char prev[NOD_SHA256_HEX], hash[NOD_SHA256_HEX];
    nod_json *json;
    nod_ident_set test, other; /* rows of a split: its test part, its other parts */
} nod_ledger_entry;

struct nod_ledger {
    sqlite3 *db;
    char *path;
    bool writable;
    char id[NOD_LEDGER_ID_SIZE];
    nod_ledger_entry *rows;
    size_t n, cap;
    size_t n_locked; /* rows when the transaction began */
};

/* Reads and verifies the file. ESEAL where rows that were read before are gone or different. */
int nod_rows_load(nod_ledger *l, nod_error *err) NOD_MUST_CHECK;
void nod_rows_free(nod_ledger *l);

/* Begins a write transaction, loads, and makes the table where there is none. */
int nod_rows_lock(nod_ledger *l, nod_error *err) NOD_MUST_CHECK;
/* Appends inside the transaction; the payload is consumed, the sets may be NULL. */
int nod_rows_append(nod_ledger *l, const char *kind, nod_json *payload_take,
                    const nod_ident_set *test, const nod_ident_set *other,
                    nod_error *err) NOD_MUST_CHECK;
/* Ends the transaction; returns once the rows are on the disk. On failure nothing was appended.
 */
int nod_rows_commit(nod_ledger *l, nod_error *err) NOD_MUST_CHECK;
void nod_rows_rollback(nod_ledger *l);

/* Adds the salted number of one identity; `what` keeps pixels and patients apart. */
int nod_ident_add(nod_ident_set *s, const char *salt, const char *what, const char *value,
                  nod_error *err) NOD_MUST_CHECK;
void nod_ident_sort(nod_ident_set *s); /* and makes unique */
bool nod_ident_intersects(const nod_ident_set *a, const nod_ident_set *b);
void nod_ident_done(nod_ident_set *s);

#endif
