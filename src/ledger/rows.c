/* rows.c: the ledger's table: schema, reading with verification, appending in a transaction.
 *
 * The whole table is read and verified each time (a ledger has dozens of rows). The text of the
 * table and its triggers is compared with ours, so that a ledger whose guards were taken off is
 * noticed even before a row is. Commits are synced to the disk, with their folder (synchronous
 * = EXTRA, rollback journal), before they return. */
#include "ledger/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define ROW_TAG      "nodule-ledger-row-1"
#define PAYLOAD_MAX  (16 << 20)
#define ROWS_MAX     1000000
#define IDENT_MAX    ((size_t)64 << 20) /* identities in one row */
#define GENESIS_PREV "0000000000000000000000000000000000000000000000000000000000000000"
#define SCHEMA_PARTS 4
#define APPLICATION  "PRAGMA application_id = 1313817164;" /* "NODL" */

/* Name in sqlite_schema (sorted) and its text. */
static const struct schema_part {
    const char *name, *sql;
} schema[SCHEMA_PARTS] = {
    {"ledger", "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, time TEXT NOT NULL, "
               "kind TEXT NOT NULL, payload TEXT NOT NULL, test_cases BLOB NOT NULL, "
               "other_cases BLOB NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT"},
    {"ledger_no_delete", "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN "
                         "SELECT RAISE(ABORT, 'the ledger is append-only'); END"},
    {"ledger_no_gap", "CREATE TRIGGER ledger_no_gap BEFORE INSERT ON ledger "
                      "WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger) BEGIN "
                      "SELECT RAISE(ABORT, 'the ledger is append-only'); END"},
    {"ledger_no_update", "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN "
                         "SELECT RAISE(ABORT, 'the ledger is append-only'); END"},
};

/* --- SQLite ------------------------------------------------------------------------------- */

static int fail_sql(const nod_ledger *l, int sql_rc, const char *doing, nod_error *err)
{
    const char *text = l->db ? sqlite3_errmsg(l->db) : sqlite3_errstr(sql_rc);
    switch (sql_rc & 0xff) {
    case SQLITE_NOMEM:
        return nod_fail(err, NOD_ENOMEM, "ledger %s: out of memory while %s", l->path, doing);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
        return nod_fail(err, NOD_EFORMAT,
                        "ledger %s: damaged or not a ledger (%s); restore it from a copy",
                        l->path, text);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return nod_fail(err, NOD_EIO,
                        "ledger %s: %s while %s; its folder must be writable and have space",
                        l->path, text, doing);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return nod_fail(err, NOD_EIO,
                        "ledger %s: in use by another program for too long (%s); try again",
                        l->path, text);
    default:
        return nod_fail(err, NOD_EINTERNAL, "ledger %s: %s while %s", l->path, text, doing);
    }
}

static int exec(nod_ledger *l, const char *sql, const char *doing, nod_error *err)
{
    int sql_rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);
    return sql_rc == SQLITE_OK ? 0 : fail_sql(l, sql_rc, doing, err);
}

static const char *column_text(sqlite3_stmt *st, int column)
{
    const unsigned char *s = sqlite3_column_text(st, column);
    return s ? (const char *)s : "";
}

/* *n_parts: how many of our schema's parts are there (0: an empty database). */
static int check_schema(nod_ledger *l, size_t *n_parts, nod_error *err)
{
    sqlite3_stmt *st = NULL;
    size_t n = 0;
    int rc = 0;
    int sql_rc = sqlite3_prepare_v2(l->db, "SELECT name, sql FROM sqlite_schema ORDER BY name",
                                    -1, &st, NULL);
    if (sql_rc != SQLITE_OK) return fail_sql(l, sql_rc, "reading its tables", err);
    while ((sql_rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *name = column_text(st, 0), *sql = column_text(st, 1);
        if (n >= SCHEMA_PARTS || strcmp(name, schema[n].name) != 0 ||
            strcmp(sql, schema[n].sql) != 0) {
            rc = nod_fail(err, NOD_ESEAL,
                          "ledger %s: its table or append-only triggers are not as Nodule "
                          "makes them (at '%s'); it was altered, or is another program's file",
                          l->path, name);
            goto out;
        }
        n++;
    }
    if (sql_rc != SQLITE_DONE) {
        rc = fail_sql(l, sql_rc, "reading its tables", err);
        goto out;
    }
    if (n != 0 && n != SCHEMA_PARTS)
        rc = nod_fail(err, NOD_ESEAL, "ledger %s: '%s' is missing; it was altered", l->path,
                      schema[n].name);
    else
        *n_parts = n;
out:
    sqlite3_finalize(st);
    return rc;
}

/* --- identities --------------------------------------------------------------------------- */

int nod_ident_add(nod_ident_set *s, const char *salt, const char *what, const char *value,
                  nod_error *err)
{
    nod_sha256 *h = NULL;
    char hex[NOD_SHA256_HEX];
    if (s->n >= IDENT_MAX)
        return nod_fail(err, NOD_ELIMIT, "more than %zu cases in one split", IDENT_MAX);
    if (!nod_grow((void **)&s->v, &s->cap, s->n + 1, sizeof *s->v))
        return nod_fail_memory(err, "identities of cases", (s->n + 1) * sizeof *s->v);
    int rc = nod_sha256_new(&h, err);
    if (rc) return rc;
    nod_sha256_add_str(h, salt);
    nod_sha256_add_str(h, what);
    nod_sha256_add_str(h, value);
    nod_sha256_hex(h, hex);
    nod_sha256_free(h);
    uint64_t v = 0;
    for (int i = 0; i < 16; i++)
        v = v << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    s->v[s->n++] = v;
    return 0;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void nod_ident_sort(nod_ident_set *s)
{
    if (s->n == 0) return;
    qsort(s->v, s->n, sizeof *s->v, compare_u64);
    size_t n = 1;
    for (size_t i = 1; i < s->n; i++)
        if (s->v[i] != s->v[n - 1]) s->v[n++] = s->v[i];
    s->n = n;
}

bool nod_ident_intersects(const nod_ident_set *a, const nod_ident_set *b)
{
    for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
        if (a->v[i] == b->v[j]) return true;
        if (a->v[i] < b->v[j])
            i++;
        else
            j++;
    }
    return false;
}

void nod_ident_done(nod_ident_set *s)
{
    nod_free(s->v);
    *s = (nod_ident_set){0};
}

/* Little-endian bytes of a set, caller's to free; never NULL unless memory was refused. */
static uint8_t *ident_bytes(const nod_ident_set *s)
{
    uint8_t *b = nod_malloc(s->n * 8 + 1);
    for (size_t i = 0; b != NULL && i < s->n; i++)
        for (int k = 0; k < 8; k++)
            b[i * 8 + (size_t)k] = (uint8_t)(s->v[i] >> (8 * k));
    return b;
}

static int ident_from_bytes(const uint8_t *b, size_t size, nod_ident_set *out, nod_error *err)
{
    if (size == 0) return 0;
    out->v = nod_malloc(size);
    if (out->v == NULL) return nod_fail_memory(err, "identities of cases", size);
    out->n = out->cap = size / 8;
    for (size_t i = 0; i < out->n; i++) {
        out->v[i] = 0;
        for (int k = 0; k < 8; k++)
            out->v[i] |= (uint64_t)b[i * 8 + (size_t)k] << (8 * k);
    }
    return 0;
}

/* --- rows --------------------------------------------------------------------------------- */

static void entry_done(nod_ledger_entry *e)
{
    nod_free(e->time);
    nod_free(e->kind);
    nod_free(e->payload);
    nod_json_free(e->json);
    nod_ident_done(&e->test);
    nod_ident_done(&e->other);
    *e = (nod_ledger_entry){0};
}

static void entries_free(nod_ledger_entry *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        entry_done(&rows[i]);
    nod_free(rows);
}

static int hash_entry(const nod_ledger_entry *e, int64_t seq, char out[NOD_SHA256_HEX],
                      nod_error *err)
{
    nod_sha256 *h = NULL;
    int rc = 0;
    uint8_t *test = ident_bytes(&e->test), *other = ident_bytes(&e->other);
    if (test == NULL || other == NULL) {
        rc = nod_fail_memory(err, "a row of the ledger", (e->test.n + e->other.n) * 8);
        goto out;
    }
    NOD_TRY(nod_sha256_new(&h, err));
    nod_sha256_add_str(h, ROW_TAG);
    nod_sha256_add_i64(h, seq);
    nod_sha256_add_str(h, e->time);
    nod_sha256_add_str(h, e->kind);
    nod_sha256_add_str(h, e->payload);
    nod_sha256_add_i64(h, (int64_t)e->test.n);
    nod_sha256_add(h, test, e->test.n * 8);
    nod_sha256_add_i64(h, (int64_t)e->other.n);
    nod_sha256_add(h, other, e->other.n * 8);
    nod_sha256_add_str(h, e->prev);
    nod_sha256_hex(h, out);
out:
    nod_sha256_free(h);
    nod_free(test);
    nod_free(other);
    return rc;
}

static bool take_text(sqlite3_stmt *st, int column, char **out)
{
    *out = nod_strdup(column_text(st, column));
    return *out != NULL;
}

static bool take_hash(sqlite3_stmt *st, int column, char out[NOD_SHA256_HEX])
{
    const char *s = column_text(st, column);
    if (strlen(s) != NOD_SHA256_HEX - 1) return false;
    memcpy(out, s, NOD_SHA256_HEX);
    return true;
}

static int take_idents(sqlite3_stmt *st, int column, nod_ident_set *out, nod_error *err)
{
    const void *b = sqlite3_column_blob(st, column);
    return ident_from_bytes(b, (size_t)sqlite3_column_bytes(st, column), out, err);
}

/* One row of "SELECT seq, time, kind, payload, prev, hash, test_cases, other_cases". */
static int read_entry(nod_ledger *l, sqlite3_stmt *st, size_t i, const char *prev,
                      nod_ledger_entry *e, nod_error *err)
{
    long long seq = sqlite3_column_int64(st, 0);
    char hash[NOD_SHA256_HEX];
    int rc = 0;
    if (seq != (long long)i + 1)
        return nod_fail(err, NOD_ESEAL, "ledger %s: row %zu is missing (the next is %lld)",
                        l->path, i + 1, seq);
    if (sqlite3_column_bytes(st, 3) > PAYLOAD_MAX || sqlite3_column_bytes(st, 6) % 8 != 0 ||
        sqlite3_column_bytes(st, 7) % 8 != 0 || !take_hash(st, 4, e->prev) ||
        !take_hash(st, 5, e->hash))
        return nod_fail(err, NOD_ESEAL, "ledger %s: row %zu was edited (bad field)", l->path,
                        i + 1);
    if (!take_text(st, 1, &e->time) || !take_text(st, 2, &e->kind) ||
        !take_text(st, 3, &e->payload))
        return nod_fail_memory(err, "a row of the ledger", 1);
    NOD_TRY(take_idents(st, 6, &e->test, err));
    NOD_TRY(take_idents(st, 7, &e->other, err));
    NOD_TRY(hash_entry(e, (int64_t)i + 1, hash, err));
    if (strcmp(hash, e->hash) != 0)
        return nod_fail(err, NOD_ESEAL,
                        "ledger %s: row %zu (%.40s, %.24s) was edited: its hash is not that of "
                        "its content",
                        l->path, i + 1, e->kind, e->time);
    if (strcmp(prev, e->prev) != 0)
        return nod_fail(err, NOD_ESEAL,
                        "ledger %s: row %zu does not follow row %zu: rows were edited or taken "
                        "out",
                        l->path, i + 1, i);
    rc = nod_json_parse(e->payload, strlen(e->payload), l->path, &e->json, err);
    if (rc) nod_error_prefix(err, "ledger row %zu", i + 1);
out:
    return rc;
}

static int check_first_row(const nod_ledger *l, const nod_ledger_entry *e,
                           char id[NOD_LEDGER_ID_SIZE], nod_error *err)
{
    const char *format, *text;
    int64_t version;
    int rc = 0;
    NOD_TRY(nod_json_need_str(e->json, l->path, "format", &format, err));
    NOD_TRY(nod_json_need_i64(e->json, l->path, "version", &version, err));
    NOD_TRY(nod_json_need_str(e->json, l->path, "id", &text, err));
    if (strcmp(e->kind, "ledger") != 0 || strcmp(format, "nodule-ledger") != 0 ||
        strlen(text) != NOD_LEDGER_ID_SIZE - 1)
        return nod_fail(err, NOD_EFORMAT, "%s: its first row is not that of a ledger", l->path);
    if (version != 1)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "ledger %s: version %lld; this program knows version 1", l->path,
                        (long long)version);
    memcpy(id, text, NOD_LEDGER_ID_SIZE);
out:
    return rc;
}

static int read_rows(nod_ledger *l, nod_ledger_entry **out, size_t *n_out, size_t *cap_out,
                     nod_error *err)
{
    sqlite3_stmt *st = NULL;
    nod_ledger_entry *rows = NULL;
    size_t n = 0, cap = 0;
    int rc = 0;
    int sql_rc = sqlite3_prepare_v2(l->db,
                                    "SELECT seq, time, kind, payload, prev, hash, test_cases, "
                                    "other_cases FROM ledger ORDER BY seq",
                                    -1, &st, NULL);
    if (sql_rc != SQLITE_OK) return fail_sql(l, sql_rc, "reading", err);
    while ((sql_rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (n >= ROWS_MAX) {
            rc = nod_fail(err, NOD_ELIMIT, "ledger %s: more than %d rows", l->path, ROWS_MAX);
            goto out;
        }
        if (!nod_grow((void **)&rows, &cap, n + 1, sizeof *rows)) {
            rc = nod_fail_memory(err, "rows of the ledger", (n + 1) * sizeof *rows);
            goto out;
        }
        rows[n] = (nod_ledger_entry){0};
        n++;
        NOD_TRY(read_entry(l, st, n - 1, n > 1 ? rows[n - 2].hash : GENESIS_PREV, &rows[n - 1],
                           err));
    }
    if (sql_rc != SQLITE_DONE) {
        rc = fail_sql(l, sql_rc, "reading", err);
        goto out;
    }
    *out = rows;
    *n_out = n;
    *cap_out = cap;
    rows = NULL;
out:
    if (rows) entries_free(rows, n);
    sqlite3_finalize(st);
    return rc;
}

/* Replaces the rows in memory by the verified ones of the file. */
static int reload(nod_ledger *l, nod_error *err)
{
    nod_ledger_entry *rows = NULL;
    size_t n = 0, cap = 0, n_parts = 0;
    char id[NOD_LEDGER_ID_SIZE] = "";
    int rc = check_schema(l, &n_parts, err);
    if (rc) return rc;
    if (n_parts > 0) rc = read_rows(l, &rows, &n, &cap, err);
    if (rc) return rc;
    if (n > 0) NOD_TRY(check_first_row(l, &rows[0], id, err));
    if (n < l->n || (l->n > 0 && strcmp(rows[l->n - 1].hash, l->rows[l->n - 1].hash) != 0)) {
        rc = nod_fail(err, NOD_ESEAL,
                      "ledger %s: rows that stood in it a moment ago are gone or different",
                      l->path);
        goto out;
    }
    entries_free(l->rows, l->n);
    l->rows = rows;
    l->n = l->n_locked = n;
    l->cap = cap;
    memcpy(l->id, id, sizeof l->id);
    return 0;
out:
    entries_free(rows, n);
    return rc;
}

/* --- transactions ------------------------------------------------------------------------- */

static int make_schema(nod_ledger *l, nod_error *err)
{
    int rc = exec(l, APPLICATION, "making its table", err);
    for (size_t i = 0; i < SCHEMA_PARTS && rc == 0; i++)
        rc = exec(l, schema[i].sql, "making its table", err);
    return rc;
}

int nod_rows_load(nod_ledger *l, nod_error *err)
{
    int rc = exec(l, "BEGIN", "reading", err);
    if (rc) return rc;
    rc = reload(l, err);
    /* Ending a transaction that only read cannot lose anything. */
    sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int nod_rows_lock(nod_ledger *l, nod_error *err)
{
    if (!l->writable)
        return nod_fail(err, NOD_EINVAL, "ledger %s is open for reading only", l->path);
    int rc = exec(l, "BEGIN IMMEDIATE", "opening it for a new row", err);
    if (rc) return rc;
    rc = reload(l, err);
    if (rc == 0 && l->n == 0) rc = make_schema(l, err);
    if (rc) nod_rows_rollback(l);
    return rc;
}

static int insert(nod_ledger *l, const nod_ledger_entry *e, int64_t seq, nod_error *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    uint8_t *test = ident_bytes(&e->test), *other = ident_bytes(&e->other);
    if (test == NULL || other == NULL) {
        rc = nod_fail_memory(err, "a row of the ledger", (e->test.n + e->other.n) * 8);
        goto out;
    }
    int sql_rc = sqlite3_prepare_v2(l->db, "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                    -1, &st, NULL);
    if (sql_rc == SQLITE_OK) sql_rc = sqlite3_bind_int64(st, 1, seq);
    const char *texts[] = {e->time, e->kind, e->payload};
    for (int i = 0; i < 3 && sql_rc == SQLITE_OK; i++)
        sql_rc = sqlite3_bind_text(st, 2 + i, texts[i], -1, SQLITE_STATIC);
    if (sql_rc == SQLITE_OK)
        sql_rc = sqlite3_bind_blob64(st, 5, test, e->test.n * 8, SQLITE_STATIC);
    if (sql_rc == SQLITE_OK)
        sql_rc = sqlite3_bind_blob64(st, 6, other, e->other.n * 8, SQLITE_STATIC);
    if (sql_rc == SQLITE_OK) sql_rc = sqlite3_bind_text(st, 7, e->prev, -1, SQLITE_STATIC);
    if (sql_rc == SQLITE_OK) sql_rc = sqlite3_bind_text(st, 8, e->hash, -1, SQLITE_STATIC);
    if (sql_rc == SQLITE_OK) sql_rc = sqlite3_step(st);
    if (sql_rc != SQLITE_DONE) rc = fail_sql(l, sql_rc, "writing a row", err);
out:
    sqlite3_finalize(st);
    nod_free(test);
    nod_free(other);
    return rc;
}

static bool copy_idents(nod_ident_set *dst, const nod_ident_set *src)
{
    if (src == NULL || src->n == 0) return true;
    dst->v = nod_memdup(src->v, src->n * sizeof *src->v);
    if (dst->v == NULL) return false;
    dst->n = dst->cap = src->n;
    return true;
}

int nod_rows_append(nod_ledger *l, const char *kind, nod_json *payload_take,
                    const nod_ident_set *test, const nod_ident_set *other, nod_error *err)
{
    nod_ledger_entry e = {.json = payload_take};
    char now[32];
    int rc = 0;
    int64_t seq = (int64_t)l->n + 1;
    nod_time_utc(now, sizeof now);
    NOD_TRY(nod_json_dump_canonical(e.json, &e.payload, err));
    e.time = nod_strdup(now);
    e.kind = nod_strdup(kind);
    if (e.time == NULL || e.kind == NULL || !copy_idents(&e.test, test) ||
        !copy_idents(&e.other, other) ||
        !nod_grow((void **)&l->rows, &l->cap, l->n + 1, sizeof *l->rows)) {
        rc = nod_fail_memory(err, "a row of the ledger", sizeof *l->rows);
        goto out;
    }
    memcpy(e.prev, l->n > 0 ? l->rows[l->n - 1].hash : GENESIS_PREV, sizeof e.prev);
    NOD_TRY(hash_entry(&e, seq, e.hash, err));
    NOD_TRY(insert(l, &e, seq, err));
    l->rows[l->n++] = e;
    return 0;
out:
    entry_done(&e);
    return rc;
}

int nod_rows_commit(nod_ledger *l, nod_error *err)
{
    int rc = exec(l, "COMMIT", "writing a row", err);
    if (rc)
        nod_rows_rollback(l);
    else
        l->n_locked = l->n;
    return rc;
}

void nod_rows_rollback(nod_ledger *l)
{
    /* Fails only where SQLite has rolled back by itself. */
    sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    while (l->n > l->n_locked)
        entry_done(&l->rows[--l->n]);
}

void nod_rows_free(nod_ledger *l)
{
    entries_free(l->rows, l->n);
    l->rows = NULL;
    l->n = l->cap = l->n_locked = 0;
}
