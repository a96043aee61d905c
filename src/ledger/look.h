/* look.h: sealing a split, and the one event in which a test set is opened.
 *
 * A case is known by its decoded pixels and by its patient; the ledger keeps both as salted
 * 64-bit numbers, so it holds no patient key. A look concerns every split that holds one of the
 * cases it opened, in whichever part. Rules:
 *   - sealing a split that holds looked-at cases needs `again`;
 *   - a look is allowed where no earlier look concerns the split, or where all of them stood in
 *     the ledger when the split was sealed (they were justified then); any other needs `again`;
 *   - a look that was begun and has no result may be resumed by the identical list of runs;
 *   - a cohort from elsewhere is sealed when it is first looked at, all of it; sealing it again is its
 *     first seal, so that every later look at it is counted from there.
 * The row of a look is on the disk before nod_look_begin returns, and only what it returns
 * gives the right to the labels of the test part (data/labels.h). */
#ifndef NOD_LEDGER_LOOK_H
#define NOD_LEDGER_LOOK_H

#include "base/text.h"
#include "ledger/ledger.h"

#define NOD_AGAIN_MAX     1000 /* bytes of a reason */
#define NOD_LOOK_RUNS_MAX 4096

/* --- sealing a split ---------------------------------------------------------------------- */

/* Identities of a case. */
typedef struct nod_seal_case {
    const char *pixels;  /* hash of the decoded pixels; NULL: a constant image, no identity */
    const char *patient; /* NULL: unknown */
    bool test;
} nod_seal_case;

typedef struct nod_seal_request {
    const char *split_hash, *cohort_hash; /* 64 hex digits each */
    const nod_seal_case *cases;
    size_t n;
    bool external;      /* a cohort that no run was trained on; all of its cases are `test` */
    const char *again;  /* reason, or NULL */
    const char *forced; /* why near-duplicates may lie across parts, or NULL */
    const char *by;     /* who, or NULL */
} nod_seal_request;

/* Appends the row of a split; *out is the anchor that goes into its file. ESEAL where cases
 * were looked at before and there is no reason. An external one that is sealed already gets the anchor
 * of its first seal, and nothing is written. */
int nod_seal_split(nod_ledger *l, const nod_seal_request *q, nod_anchor *out,
                   nod_error *err) NOD_MUST_CHECK;

/* --- a look ------------------------------------------------------------------------------- */

typedef struct nod_look_run {
    const char *name; /* for messages and the record; NULL: none */
    const char *hash; /* identity of what is tested, 64 hex digits */
    nod_anchor made;  /* the ledger when it was trained */
} nod_look_run;

typedef struct nod_look_request {
    const char *split_hash;
    nod_anchor split_anchor; /* from the split's file */
    const nod_look_run *runs;
    size_t n_runs;
    const char *again; /* reason, or NULL */
    const char *by;    /* who, or NULL */
} nod_look_request;

/* The right to a test part, for as long as it is open. Nothing else makes one. */
typedef struct nod_look nod_look;

/* Verifies the ledger, checks the anchors, and writes and syncs the row of the look (or of its
 * resumption). ESEAL: refused, nothing was written. */
int nod_look_begin(nod_ledger *l, const nod_look_request *q, nod_look **out,
                   nod_error *err) NOD_MUST_CHECK;
/* Records that the results (by their hash) exist; the look is over, the right ends. */
int nod_look_finish(nod_look *k, const char *results_hash, nod_error *err) NOD_MUST_CHECK;
void nod_look_close(nod_look *k); /* frees; without finish the look stays open in the ledger */

/* 0 if the look is open and of this split, else ESEAL. NULL is refused. */
int nod_look_permits(const nod_look *k, const char *split_hash, nod_error *err) NOD_MUST_CHECK;
int64_t nod_look_number(const nod_look *k); /* 1 = the first that concerns these cases */
bool nod_look_is_resumed(const nod_look *k);
/* The anchor that predictions and results carry: the ledger at the row of the look (of its
 * resumption). */
nod_anchor nod_look_anchor(const nod_look *k);
/* What every result of run i prints: "look 2; again: REASON; trained after look 1". */
void nod_look_stamp(const nod_look *k, size_t i_run, nod_strbuf *out);
/* Looks concerning the split that stood in the ledger when run i was trained; 0: none. */
int64_t nod_look_trained_after(const nod_look *k, size_t i_run);

/* --- what happened before ----------------------------------------------------------------- */

/* Number of looks that concern the split and stand in the first `length` rows. */
int nod_ledger_looks_before(const nod_ledger *l, const char *split_hash, int64_t length,
                            int64_t *out, nod_error *err) NOD_MUST_CHECK;
/* The events that concern the split, oldest first, as a JSON array: {"event": "look", "number",
 * "time", "split", "runs": [{"name", "hash"}], "again", "finished", "resumed"} and, for seals
 * that needed a reason, {"event": "split", "time", "split", "again"}. Caller's to free. */
int nod_ledger_history(const nod_ledger *l, const char *split_hash, nod_json **out,
                       nod_error *err) NOD_MUST_CHECK;

#endif
