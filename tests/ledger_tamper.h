/* ledger_tamper.h: how somebody with the file would alter a ledger: through SQLite itself, with the
 * triggers taken off for a moment, and the chain computed anew by the formula of
 * docs/formats/ledger.md. The functions return SQLite's code. */
#ifndef TESTS_LEDGER_TAMPER_H
#define TESTS_LEDGER_TAMPER_H

#include <sqlite3.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define LEDGER_TRIGGERS 3

static inline int ledger_tamper_run(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

/* Takes the triggers off, runs `text`, and puts them back exactly as they were. */
static inline int ledger_tamper_sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    nod_strbuf off = NOD_STRBUF_INIT, on = NOD_STRBUF_INIT;
    int n = 0, rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(
            db, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'", -1, &st, NULL);
    while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        nod_strbuf_printf(&off, "DROP TRIGGER %s;", (const char *)sqlite3_column_text(st, 0));
        nod_strbuf_printf(&on, "%s;", (const char *)sqlite3_column_text(st, 1));
        n++;
    }
    sqlite3_finalize(st);
    if (rc == SQLITE_OK && (n != LEDGER_TRIGGERS || off.failed || on.failed)) rc = SQLITE_ERROR;
    if (rc == SQLITE_OK) rc = ledger_tamper_run(db, off.data);
    if (rc == SQLITE_OK) rc = ledger_tamper_run(db, text);
    if (rc == SQLITE_OK) rc = ledger_tamper_run(db, on.data);
    sqlite3_close(db);
    nod_strbuf_done(&off);
    nod_strbuf_done(&on);
    return rc;
}

/* The hash of the row at hand: "SELECT seq, time, kind, payload, test_cases, other_cases". */
static inline int ledger_tamper_hash(sqlite3_stmt *st, const char *prev,
                                     char out[NOD_SHA256_HEX])
{
    nod_error err = NOD_ERROR_INIT;
    nod_sha256 *h = NULL;
    if (nod_sha256_new(&h, &err)) return SQLITE_NOMEM;
    nod_sha256_add_str(h, "nodule-ledger-row-1");
    nod_sha256_add_i64(h, sqlite3_column_int64(st, 0));
    for (int i = 1; i <= 3; i++)
        nod_sha256_add_str(h, (const char *)sqlite3_column_text(st, i));
    for (int i = 4; i <= 5; i++) {
        nod_sha256_add_i64(h, sqlite3_column_bytes(st, i) / 8);
        nod_sha256_add(h, sqlite3_column_blob(st, i), (size_t)sqlite3_column_bytes(st, i));
    }
    nod_sha256_add_str(h, prev);
    nod_sha256_hex(h, out);
    nod_sha256_free(h);
    return SQLITE_OK;
}

/* Computes every hash anew: an edited ledger whose chain is whole. */
static inline int ledger_tamper_rechain(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    nod_strbuf update = NOD_STRBUF_INIT;
    char prev[NOD_SHA256_HEX] = "", hash[NOD_SHA256_HEX];
    memset(prev, '0', sizeof prev - 1);
    int rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db,
                                "SELECT seq, time, kind, payload, test_cases, other_cases "
                                "FROM ledger ORDER BY seq",
                                -1, &st, NULL);
    while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        rc = ledger_tamper_hash(st, prev, hash);
        nod_strbuf_printf(&update, "UPDATE ledger SET prev='%s', hash='%s' WHERE seq=%lld;",
                          prev, hash, (long long)sqlite3_column_int64(st, 0));
        memcpy(prev, hash, sizeof prev);
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    if (rc == SQLITE_OK)
        rc = update.failed ? SQLITE_NOMEM : ledger_tamper_sql(path, update.data);
    nod_strbuf_done(&update);
    return rc;
}

#endif
