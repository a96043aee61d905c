/* ledger.h: the append-only record of splits and of looks at test sets.
 *
 * One SQLite table, one row an event. Each row carries the SHA-256 of its content and of the
 * row before it, so the rows form a chain that begins with the ledger's own random id.
 * Artefacts (split, model, predictions, results) keep an anchor: id, number of rows and hash of
 * the last row at the time they were made. A row that was edited breaks the chain; a chain that
 * was computed anew, a ledger that was rolled back, deleted or exchanged does not fit the
 * anchors. This is evidence of tampering, not protection from it: docs/formats/ledger.md has
 * the limits.
 *
 * Opening verifies the whole chain. What is recorded about seals and looks is in look.h. */
#ifndef NOD_LEDGER_LEDGER_H
#define NOD_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

#define NOD_LEDGER_ID_SIZE 33 /* 32 hex digits and the NUL */

typedef struct nod_ledger nod_ledger;

/* Where an artefact was moored. */
typedef struct nod_anchor {
    char id[NOD_LEDGER_ID_SIZE];
    int64_t length;            /* rows, at least 1 */
    char head[NOD_SHA256_HEX]; /* hash of row `length` */
} nod_anchor;

typedef enum nod_ledger_mode {
    NOD_LEDGER_READ,  /* must exist; nothing can be appended */
    NOD_LEDGER_WRITE, /* must exist */
    NOD_LEDGER_CREATE /* made with its first row where it does not exist */
} nod_ledger_mode;

/* One event; strings are borrowed from the ledger until the next call that writes. */
typedef struct nod_ledger_row {
    int64_t seq;         /* 1 .. length */
    const char *time;    /* "2026-11-24T10:00:00Z" */
    const char *kind;    /* "ledger", "split", "look", "look_resumed", "look_result" */
    const char *payload; /* canonical JSON */
    const char *hash;
} nod_ledger_row;

/* Errors: ENOENT (READ, WRITE), EIO, EFORMAT (not a ledger), ESEAL (the chain is broken, the
 * table or its triggers are not ours), EUNSUPPORTED (of a later version). */
int nod_ledger_open(const char *path, nod_ledger_mode mode, nod_ledger **out,
                    nod_error *err) NOD_MUST_CHECK;
void nod_ledger_close(nod_ledger *l); /* NULL is allowed */
/* "FOLDER OF THE COHORT/ledger.sqlite"; NULL: no memory. */
char *nod_ledger_default_path(const char *cohort_path) NOD_MUST_CHECK;

/* Reads the file anew and checks every row; also that nothing that was read before has changed.
 * ESEAL names the row. */
int nod_ledger_verify(nod_ledger *l, nod_error *err) NOD_MUST_CHECK;

const char *nod_ledger_path(const nod_ledger *l);
size_t nod_ledger_length(const nod_ledger *l);
nod_ledger_row nod_ledger_get(const nod_ledger *l, size_t i); /* i from 0 */

/* The ledger as it stands now. */
nod_anchor nod_ledger_anchor(const nod_ledger *l);
/* ESEAL where the anchor of `what` ("split.json", "model of run a") does not fit: another
 * ledger, a shorter one (rolled back), or another row at its place (rewritten). */
int nod_ledger_check_anchor(const nod_ledger *l, const nod_anchor *a, const char *what,
                            nod_error *err) NOD_MUST_CHECK;
/* {"ledger": ID, "length": N, "head": HASH}, strict. */
nod_json *nod_anchor_to_json(const nod_anchor *a);
int nod_anchor_from_json(const nod_json *j, const char *where, nod_anchor *out,
                         nod_error *err) NOD_MUST_CHECK;

#endif
