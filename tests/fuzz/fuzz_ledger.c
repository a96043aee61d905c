/* fuzz_ledger.c: any bytes as a ledger. What begins as an SQLite file is opened as one. Other
 * bytes are rows, one a line: kind, tab, payload, and behind further tabs the identities of the
 * test part and of the other parts, as bytes: they are put into a ledger whose chain of hashes is
 * right, so that what reads their content is reached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "ledger/look.h"
#include "ledger/rows.h"

#define ROWS_OF_INPUT 16 /* a look reads all rows anew, several times */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(int rc, const nod_error *err)
{
    NOD_ASSERT(rc == 0 || (err->code == rc && err->message[0] != '\0'));
}

/* Everything that reads rows, asked about one split. */
static void ask(nod_ledger *l, const char *split)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *history = NULL;
    int64_t looks = 0;
    int rc = nod_ledger_history(l, split, &history, &err);
    check_failure(rc, &err);
    if (rc == 0) {
        NOD_ASSERT(nod_ledger_looks_before(l, split, (int64_t)l->n, &looks, &err) == 0);
        NOD_ASSERT(looks >= 0 && looks <= (int64_t)l->n);
        NOD_ASSERT(nod_json_count(history) >= (size_t)looks);
    }
    nod_json_free(history);
}

/* A look at the split by one run, and its end; inside the memory's ledger. */
static void look(nod_ledger *l, const char *split)
{
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    char hash[NOD_SHA256_HEX];
    memset(hash, 'a', sizeof hash - 1);
    hash[sizeof hash - 1] = '\0';
    nod_look_run run = {.name = "run", .hash = hash, .made = nod_ledger_anchor(l)};
    nod_look_request q = {
        .split_hash = split, .split_anchor = run.made, .runs = &run, .n_runs = 1};
    int rc = nod_look_begin(l, &q, &k, &err);
    check_failure(rc, &err);
    if (rc != 0) return;
    nod_strbuf stamp = NOD_STRBUF_INIT;
    nod_look_stamp(k, 0, &stamp);
    NOD_ASSERT(nod_look_permits(k, split, &err) == 0 && nod_look_number(k) >= 1);
    NOD_ASSERT(nod_look_finish(k, hash, &err) == 0);
    nod_strbuf_done(&stamp);
    nod_look_close(k);
}

static void use(nod_ledger *l, bool may_write)
{
    for (size_t i = 0; i < l->n && i < ROWS_OF_INPUT; i++) {
        nod_ledger_row row = nod_ledger_get(l, i);
        const nod_json *split = nod_json_get(l->rows[i].json, "split");
        NOD_ASSERT(row.seq == (int64_t)i + 1 && strlen(row.hash) == NOD_SHA256_HEX - 1);
        if (split == NULL || !nod_json_is_string(split)) continue;
        char *name = nod_strdup(nod_json_str(split)); /* a look reads all rows anew */
        NOD_ASSERT(name != NULL);
        ask(l, name);
        if (may_write) look(l, name);
        nod_free(name);
    }
}

/* --- bytes of an SQLite file -------------------------------------------------------------- */

static void open_file(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = NULL;
    char path[] = "/tmp/nodule-fuzz-XXXXXX";
    int fd = mkstemp(path);
    NOD_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
    int rc = nod_ledger_open(path, NOD_LEDGER_READ, &l, &err);
    NOD_ASSERT((rc == 0) == (l != NULL));
    check_failure(rc, &err);
    if (l) use(l, false);
    nod_ledger_close(l);
    NOD_ASSERT(remove(path) == 0);
}

/* --- rows --------------------------------------------------------------------------------- */

/* The bytes up to the next `stop`, as text of its own; *at goes behind it. */
static char *next_field(const uint8_t *data, size_t size, size_t *at, char stop)
{
    const uint8_t *begin = data + *at, *end = memchr(begin, stop, size - *at);
    size_t n = end ? (size_t)(end - begin) : size - *at;
    char *text = nod_calloc(n + 1, 1);
    NOD_ASSERT(text != NULL);
    memcpy(text, begin, n);
    *at += n + (end != NULL);
    return text;
}

static void read_idents(const char *text, nod_ident_set *out)
{
    for (; *text; text++) {
        NOD_ASSERT(nod_grow((void **)&out->v, &out->cap, out->n + 1, sizeof *out->v));
        out->v[out->n++] = (uint64_t)(unsigned char)*text;
    }
    nod_ident_sort(out);
}

/* Puts one line into the ledger, if its payload is JSON. */
static void add_row(nod_ledger *l, const char *line)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *payload = NULL;
    nod_ident_set test = {0}, other = {0};
    size_t at = 0, n = strlen(line);
    char *field[4];
    for (size_t i = 0; i < NOD_COUNT(field); i++)
        field[i] = next_field((const uint8_t *)line, n, &at, '\t');
    if (nod_json_parse(field[1], strlen(field[1]), "payload", &payload, &err) == 0) {
        read_idents(field[2], &test);
        read_idents(field[3], &other);
        int rc = nod_rows_append(l, field[0], payload, &test, &other, &err);
        check_failure(rc, &err);
    }
    nod_ident_done(&test);
    nod_ident_done(&other);
    for (size_t i = 0; i < NOD_COUNT(field); i++)
        nod_free(field[i]);
}

static void open_rows(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger made = {.path = "made", .writable = true};
    nod_ledger read = {.path = "read", .writable = true};
    NOD_ASSERT(sqlite3_open(":memory:", &made.db) == SQLITE_OK);
    read.db = made.db;
    NOD_ASSERT(nod_rows_lock(&made, &err) == 0);
    for (size_t at = 0, n = 0; at < size && n < ROWS_OF_INPUT; n++) {
        char *line = next_field(data, size, &at, '\n');
        add_row(&made, line);
        nod_free(line);
    }
    NOD_ASSERT(nod_rows_commit(&made, &err) == 0);
    int rc = nod_rows_load(&read, &err);
    check_failure(rc, &err);
    if (rc == 0 && read.n > 0) use(&read, true);
    nod_rows_free(&read);
    nod_rows_free(&made);
    sqlite3_close(made.db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char magic[] = "SQLite format 3";
    if (size >= sizeof magic - 1 && memcmp(data, magic, sizeof magic - 1) == 0)
        open_file(data, size);
    else
        open_rows(data, size);
    return 0;
}
