/* ledger.c: opening, verifying and anchoring the ledger; its rows are in rows.c. */
#include "ledger/ledger.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/memory.h"
#include "ledger/rows.h"

#define BUSY_MS 10000

/* --- opening ------------------------------------------------------------------------------ */

/* 128 random bits as hex: two ledgers never have the same id. */
static int make_id(char out[NOD_LEDGER_ID_SIZE], nod_error *err)
{
    uint8_t bits[16];
    size_t got = 0;
    while (got < sizeof bits) {
        ssize_t n = getrandom(bits + got, sizeof bits - got, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return nod_fail_errno(err, errno, "no random numbers for a ledger's id");
        got += (size_t)n;
    }
    for (size_t i = 0; i < sizeof bits; i++) {
        out[2 * i] = "0123456789abcdef"[bits[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bits[i] & 15];
    }
    out[NOD_LEDGER_ID_SIZE - 1] = '\0';
    return 0;
}

static int write_first_row(nod_ledger *l, nod_error *err)
{
    char id[NOD_LEDGER_ID_SIZE];
    int rc = make_id(id, err);
    if (rc) return rc;
    rc = nod_rows_lock(l, err);
    if (rc) return rc;
    if (l->n == 0) { /* another process may have been first */
        nod_json *payload = nod_json_object();
        nod_json_set_str(payload, "format", "nodule-ledger");
        nod_json_set_int(payload, "version", 1);
        nod_json_set_str(payload, "id", id);
        NOD_TRY(nod_rows_append(l, "ledger", payload, NULL, NULL, err));
        memcpy(l->id, id, sizeof l->id);
    }
    return nod_rows_commit(l, err);
out:
    nod_rows_rollback(l);
    return rc;
}

static int open_database(nod_ledger *l, nod_ledger_mode mode, nod_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (mode == NOD_LEDGER_CREATE) flags |= SQLITE_OPEN_CREATE;
    /* SQLite gives names without a folder meanings of their own (":memory:"). */
    char *path = nod_path_join(".", l->path);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(l->path));
    int sql_rc = sqlite3_open_v2(path, &l->db, flags, NULL);
    nod_free(path);
    if (sql_rc != SQLITE_OK)
        return nod_fail(err, NOD_EIO, "cannot open ledger %s: %s", l->path,
                        l->db ? sqlite3_errmsg(l->db) : sqlite3_errstr(sql_rc));
    l->writable = mode != NOD_LEDGER_READ;
    if (l->writable && sqlite3_db_readonly(l->db, "main") == 1)
        return nod_fail(err, NOD_EIO,
                        "ledger %s is read-only; a look or a split must be written to it",
                        l->path);
    sqlite3_busy_timeout(l->db, BUSY_MS);
    /* The file may come from anybody: no functions from its schema, no writing to it. */
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(l->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_exec(l->db, "PRAGMA synchronous = EXTRA", NULL, NULL, NULL);
    return 0;
}

int nod_ledger_open(const char *path, nod_ledger_mode mode, nod_ledger **out, nod_error *err)
{
    int rc = 0;
    if (mode != NOD_LEDGER_CREATE && !nod_path_is_file(path))
        return nod_fail(err, NOD_ENOENT,
                        "there is no ledger at %s; `nodule split` makes it, and what was made "
                        "with it does not work without it: restore it, or name its place",
                        path);
    nod_ledger *l = nod_calloc(1, sizeof *l);
    if (l == NULL) return nod_fail_memory(err, "a ledger", sizeof *l);
    l->path = nod_strdup(path);
    if (l->path == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(open_database(l, mode, err));
    NOD_TRY(nod_rows_load(l, err));
    if (l->n == 0 && mode == NOD_LEDGER_CREATE) NOD_TRY(write_first_row(l, err));
    if (l->n == 0) {
        rc = nod_fail(err, NOD_EFORMAT, "%s is empty, not a ledger; restore it from a copy",
                      l->path);
        goto out;
    }
    *out = l;
    l = NULL;
out:
    nod_ledger_close(l);
    return rc;
}

void nod_ledger_close(nod_ledger *l)
{
    if (l == NULL) return;
    nod_rows_free(l);
    sqlite3_close(l->db);
    nod_free(l->path);
    nod_free(l);
}

char *nod_ledger_default_path(const char *cohort_path)
{
    char *dir = nod_path_dir(cohort_path);
    char *path = dir ? nod_path_join(dir, "ledger.sqlite") : NULL;
    nod_free(dir);
    return path;
}

int nod_ledger_verify(nod_ledger *l, nod_error *err)
{
    return nod_rows_load(l, err);
}

const char *nod_ledger_path(const nod_ledger *l)
{
    return l->path;
}

size_t nod_ledger_length(const nod_ledger *l)
{
    return l->n;
}

nod_ledger_row nod_ledger_get(const nod_ledger *l, size_t i)
{
    NOD_ASSERT(i < l->n);
    const nod_ledger_entry *e = &l->rows[i];
    return (nod_ledger_row){(int64_t)i + 1, e->time, e->kind, e->payload, e->hash};
}

/* --- anchors ------------------------------------------------------------------------------ */

nod_anchor nod_ledger_anchor(const nod_ledger *l)
{
    nod_anchor a = {.length = (int64_t)l->n};
    memcpy(a.id, l->id, sizeof a.id);
    memcpy(a.head, l->rows[l->n - 1].hash, sizeof a.head);
    return a;
}

int nod_ledger_check_anchor(const nod_ledger *l, const nod_anchor *a, const char *what,
                            nod_error *err)
{
    if (strcmp(a->id, l->id) != 0)
        return nod_fail(err, NOD_ESEAL,
                        "%s was made with ledger %s; %s is ledger %s: the ledger was deleted "
                        "and made anew, or this is another site's",
                        what, a->id, l->path, l->id);
    if (a->length < 1 || a->length > (int64_t)l->n)
        return nod_fail(err, NOD_ESEAL,
                        "%s was made when ledger %s had %lld rows, now it has %zu: it was "
                        "rolled back",
                        what, l->path, (long long)a->length, l->n);
    if (strcmp(a->head, l->rows[a->length - 1].hash) != 0)
        return nod_fail(err, NOD_ESEAL,
                        "%s was made when row %lld of ledger %s was another one: the ledger "
                        "was rewritten",
                        what, (long long)a->length, l->path);
    return 0;
}

nod_json *nod_anchor_to_json(const nod_anchor *a)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "ledger", a->id);
    nod_json_set_int(j, "length", a->length);
    nod_json_set_str(j, "head", a->head);
    return j;
}

static bool is_hex(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

int nod_anchor_from_json(const nod_json *j, const char *where, nod_anchor *out, nod_error *err)
{
    const char *id, *head;
    int64_t length;
    int rc = 0;
    if (!nod_json_is_object(j))
        return nod_fail(err, NOD_EFORMAT, "%s: the ledger anchor is missing", where);
    NOD_TRY(nod_json_need_str(j, where, "ledger", &id, err));
    NOD_TRY(nod_json_need_i64(j, where, "length", &length, err));
    NOD_TRY(nod_json_need_str(j, where, "head", &head, err));
    if (nod_json_count(j) != 3 || !is_hex(id, NOD_LEDGER_ID_SIZE - 1) ||
        !is_hex(head, NOD_SHA256_HEX - 1) || length < 1)
        return nod_fail(err, NOD_EFORMAT, "%s: the ledger anchor is malformed", where);
    *out = (nod_anchor){.length = length};
    memcpy(out->id, id, sizeof out->id);
    memcpy(out->head, head, sizeof out->head);
out:
    return rc;
}
