/* look.c: sealing splits and looking at test sets; the rules are in look.h.
 *
 * Each of the three writing functions does everything inside one write transaction: verify,
 * decide by the rows that are there, append, commit. Two programs can therefore not both have
 * the first look. */
#include "ledger/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ledger/rows.h"

#define LOOK_MAGIC     0x6b6f6f6c646f6eULL /* "nodlook" */
#define NAME_MAX_BYTES 400

struct nod_look {
    uint64_t magic;
    nod_ledger *ledger; /* borrowed */
    size_t i_row;       /* of the look */
    char split[NOD_SHA256_HEX];
    int64_t number;
    bool resumed, open;
    nod_anchor anchor;
    size_t n_runs;
    int64_t *trained_after; /* [n_runs] */
    char *again;            /* reasons: of this look, and of earlier events */
};

/* --- reading rows ------------------------------------------------------------------------- */

static bool is_kind(const nod_ledger_entry *e, const char *kind)
{
    return strcmp(e->kind, kind) == 0;
}

static const char *payload_str(const nod_ledger_entry *e, const char *key)
{
    const nod_json *v = nod_json_get(e->json, key);
    return v ? nod_json_str(v) : "";
}

/* Index of the last row that seals this split, or -1. */
static int64_t find_split(const nod_ledger *l, const char *split_hash)
{
    for (size_t i = l->n; i-- > 0;)
        if (is_kind(&l->rows[i], "split") &&
            strcmp(payload_str(&l->rows[i], "split"), split_hash) == 0)
            return (int64_t)i;
    return -1;
}

static int need_split(const nod_ledger *l, const char *split_hash, size_t *out, nod_error *err)
{
    int64_t i = find_split(l, split_hash);
    if (i < 0)
        return nod_fail(
            err, NOD_ESEAL,
            "split %.12s was not sealed in ledger %s; name the ledger it was sealed "
            "in, or split anew",
            split_hash, l->path);
    *out = (size_t)i;
    return 0;
}

/* What the look opened: the test identities of its split; NULL if that row is not there. */
static const nod_ledger_entry *split_of_look(const nod_ledger *l, const nod_ledger_entry *look)
{
    int64_t i = find_split(l, payload_str(look, "split"));
    return i < 0 ? NULL : &l->rows[i];
}

/* Whether row `i` is a look at one of these cases. */
static bool look_touches(const nod_ledger *l, size_t i, const nod_ident_set *test,
                         const nod_ident_set *other)
{
    const nod_ledger_entry *e = &l->rows[i];
    if (!is_kind(e, "look")) return false;
    const nod_ledger_entry *s = split_of_look(l, e);
    return s && (nod_ident_intersects(&s->test, test) || nod_ident_intersects(&s->test, other));
}

/* Whether row `i` is a look that concerns the split sealed in row `i_split`. */
static bool look_concerns(const nod_ledger *l, size_t i, size_t i_split)
{
    const nod_ledger_entry *e = &l->rows[i], *s = &l->rows[i_split];
    if (!is_kind(e, "look")) return false;
    return strcmp(payload_str(e, "split"), payload_str(s, "split")) == 0 ||
           look_touches(l, i, &s->test, &s->other);
}

/* Looks among rows 0..end-1 that concern the split. */
static int64_t count_looks(const nod_ledger *l, size_t end, size_t i_split)
{
    int64_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += look_concerns(l, i, i_split);
    return n;
}

/* Whether two sealed splits hold a case in common. */
static bool shares_cases(const nod_ledger_entry *a, const nod_ledger_entry *b)
{
    return nod_ident_intersects(&a->test, &b->test) ||
           nod_ident_intersects(&a->test, &b->other) ||
           nod_ident_intersects(&a->other, &b->test) ||
           nod_ident_intersects(&a->other, &b->other);
}

static bool refers_to(const nod_ledger_entry *e, const char *kind, size_t i_look)
{
    const nod_json *v = is_kind(e, kind) ? nod_json_get(e->json, "look") : NULL;
    return v && nod_json_i64(v) == (int64_t)i_look + 1;
}

static bool has_row(const nod_ledger *l, const char *kind, size_t i_look)
{
    for (size_t i = i_look + 1; i < l->n; i++)
        if (refers_to(&l->rows[i], kind, i_look)) return true;
    return false;
}

static int compare_hash(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* --- checking requests -------------------------------------------------------------------- */

static int check_hash(const char *hash, const char *what, nod_error *err)
{
    if (hash == NULL || strlen(hash) != NOD_SHA256_HEX - 1 ||
        strspn(hash, "0123456789abcdef") != NOD_SHA256_HEX - 1)
        return nod_fail(err, NOD_EINVAL, "the hash of %s is not 64 hex digits", what);
    return 0;
}

static int check_words(const char *s, const char *what, size_t limit, nod_error *err)
{
    if (s == NULL) return 0;
    if (s[strspn(s, " \t")] == '\0')
        return nod_fail(err, NOD_EINVAL, "%s is empty; say it in a few words", what);
    if (strlen(s) > limit)
        return nod_fail(err, NOD_EINVAL, "%s has %zu bytes, at most %zu are kept", what,
                        strlen(s), limit);
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return nod_fail(err, NOD_EINVAL, "%s holds a control character; use one line",
                            what);
    return 0;
}

/* "look 1 (2026-11-24T10:00:00Z, without a result)" */
static void describe_look(const nod_ledger *l, size_t i, int64_t number, nod_strbuf *out)
{
    nod_strbuf_printf(out, "look %lld (%s%s)", (long long)number, l->rows[i].time,
                      has_row(l, "look_result", i) ? "" : ", without a result");
}

/* --- sealing ------------------------------------------------------------------------------ */

static int collect_idents(const nod_ledger *l, const nod_seal_request *q, nod_ident_set *test,
                          nod_ident_set *other, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < q->n; i++) {
        nod_ident_set *s = q->cases[i].test ? test : other;
        if (q->cases[i].pixels)
            NOD_TRY(nod_ident_add(s, l->id, "pixels", q->cases[i].pixels, err));
        if (q->cases[i].patient)
            NOD_TRY(nod_ident_add(s, l->id, "patient", q->cases[i].patient, err));
    }
    nod_ident_sort(test);
    nod_ident_sort(other);
out:
    return rc;
}

static int refuse_seal(const nod_ledger *l, const nod_seal_request *q, size_t i_look,
                       nod_error *err)
{
    return nod_fail(err, NOD_ESEAL,
                    "cases of this cohort were looked at in a test (%s, ledger %s); %s needs "
                    "--again \"reason\", which every later result will print",
                    l->rows[i_look].time, l->path,
                    q->external ? "another look at them" : "dividing them anew");
}

static nod_json *seal_payload(const nod_seal_request *q, int64_t looks)
{
    nod_json *p = nod_json_object();
    nod_json_set_str(p, "split", q->split_hash);
    nod_json_set_str(p, "cohort", q->cohort_hash);
    nod_json_set_int(p, "cases", (int64_t)q->n);
    nod_json_set_int(p, "looks_before", looks);
    if (q->external) nod_json_set_bool(p, "external", true);
    nod_json_set_str(p, "again", q->again);
    if (q->forced) nod_json_set_str(p, "forced", q->forced);
    nod_json_set_str(p, "by", q->by);
    return p;
}

/* The ledger as it stood when row i was its last. */
static nod_anchor anchor_at(const nod_ledger *l, size_t i)
{
    nod_anchor a = {.length = (int64_t)i + 1};
    memcpy(a.id, l->id, sizeof a.id);
    memcpy(a.head, l->rows[i].hash, sizeof a.head);
    return a;
}

/* Decides and appends, inside the transaction. */
static int seal_locked(nod_ledger *l, const nod_seal_request *q, nod_anchor *out,
                       nod_error *err)
{
    nod_ident_set test = {0}, other = {0};
    int64_t looks = 0, i_first = q->external ? find_split(l, q->split_hash) : -1;
    int rc = 0;
    if (i_first >= 0) {
        *out = anchor_at(l, (size_t)i_first);
        return 0;
    }
    NOD_TRY(collect_idents(l, q, &test, &other, err));
    for (size_t i = 0; i < l->n && rc == 0; i++)
        if (look_touches(l, i, &test, &other)) {
            looks++;
            if (q->again == NULL) rc = refuse_seal(l, q, i, err);
        }
    if (rc == 0) rc = nod_rows_append(l, "split", seal_payload(q, looks), &test, &other, err);
    if (rc == 0) *out = nod_ledger_anchor(l);
out:
    nod_ident_done(&test);
    nod_ident_done(&other);
    return rc;
}

int nod_seal_split(nod_ledger *l, const nod_seal_request *q, nod_anchor *out, nod_error *err)
{
    nod_anchor anchor;
    int rc = 0;
    NOD_TRY(check_hash(q->split_hash, "the split", err));
    NOD_TRY(check_hash(q->cohort_hash, "the cohort", err));
    NOD_TRY(check_words(q->again, "the reason for --again", NOD_AGAIN_MAX, err));
    NOD_TRY(check_words(q->by, "the name of who splits", NAME_MAX_BYTES, err));
    NOD_TRY(nod_rows_lock(l, err));
    rc = seal_locked(l, q, &anchor, err);
    if (rc == 0)
        rc = nod_rows_commit(l, err);
    else
        nod_rows_rollback(l);
    if (rc == 0) *out = anchor;
out:
    return rc;
}

/* --- beginning a look --------------------------------------------------------------------- */

static int check_request(const nod_look_request *q, nod_error *err)
{
    int rc = 0;
    NOD_TRY(check_hash(q->split_hash, "the split", err));
    NOD_TRY(check_words(q->again, "the reason for --again", NOD_AGAIN_MAX, err));
    NOD_TRY(check_words(q->by, "the name of who looks", NAME_MAX_BYTES, err));
    if (q->n_runs == 0 || q->n_runs > NOD_LOOK_RUNS_MAX)
        return nod_fail(err, NOD_EINVAL, "a look is over 1 to %d runs, not %zu",
                        NOD_LOOK_RUNS_MAX, q->n_runs);
    for (size_t i = 0; i < q->n_runs; i++) {
        const char *name = q->runs[i].name ? q->runs[i].name : "a run";
        NOD_TRY(check_hash(q->runs[i].hash, name, err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(q->runs[i].hash, q->runs[k].hash) == 0)
                return nod_fail(err, NOD_EINVAL,
                                "%s is named twice: runs %zu and %zu are the "
                                "same model",
                                name, k + 1, i + 1);
    }
out:
    return rc;
}

static int check_anchors(const nod_ledger *l, const nod_look_request *q, nod_error *err)
{
    int rc = nod_ledger_check_anchor(l, &q->split_anchor, "the split", err);
    for (size_t i = 0; i < q->n_runs && rc == 0; i++) {
        nod_strbuf what = NOD_STRBUF_INIT;
        nod_strbuf_printf(&what, "run %s",
                          q->runs[i].name ? q->runs[i].name : "without a name");
        rc = nod_ledger_check_anchor(l, &q->runs[i].made, what.data ? what.data : "a run", err);
        nod_strbuf_done(&what);
    }
    return rc;
}

/* Whether the look was begun over exactly these runs. */
static int has_same_runs(const nod_ledger_entry *look, const nod_look_request *q, bool *same,
                         nod_error *err)
{
    const nod_json *runs = nod_json_get(look->json, "runs");
    *same = false;
    if (runs == NULL || nod_json_count(runs) != q->n_runs) return 0;
    const char **h = nod_calloc(2 * q->n_runs, sizeof *h);
    if (h == NULL) return nod_fail_memory(err, "a list of runs", 2 * q->n_runs * sizeof *h);
    for (size_t i = 0; i < q->n_runs; i++) {
        const nod_json *v = nod_json_get(nod_json_at(runs, i), "hash");
        h[i] = v ? nod_json_str(v) : "";
        h[q->n_runs + i] = q->runs[i].hash;
    }
    qsort(h, q->n_runs, sizeof *h, compare_hash);
    qsort(h + q->n_runs, q->n_runs, sizeof *h, compare_hash);
    *same = true;
    for (size_t i = 0; i < q->n_runs; i++)
        *same = *same && strcmp(h[i], h[q->n_runs + i]) == 0;
    nod_free(h);
    return 0;
}

/* The last look at this split that has no result, the same runs, and no other reason: -1 none.
 */
static int find_resumable(const nod_ledger *l, const nod_look_request *q, int64_t *out,
                          nod_error *err)
{
    *out = -1;
    for (size_t i = l->n; i-- > 0;) {
        const nod_ledger_entry *e = &l->rows[i];
        bool same;
        if (!is_kind(e, "look") || strcmp(payload_str(e, "split"), q->split_hash) != 0 ||
            has_row(l, "look_result", i))
            continue;
        if (q->again && strcmp(payload_str(e, "again"), q->again) != 0) continue;
        int rc = has_same_runs(e, q, &same, err);
        if (rc) return rc;
        if (!same) continue;
        *out = (int64_t)i;
        break;
    }
    return 0;
}

/* ESEAL where a look concerns the split that was not known when it was sealed. */
static int check_first(const nod_ledger *l, size_t i_split, nod_error *err)
{
    nod_strbuf list = NOD_STRBUF_INIT;
    int64_t number = 0;
    bool refused = false;
    for (size_t i = 0; i < l->n; i++) {
        if (!look_concerns(l, i, i_split)) continue;
        number++;
        if (i < i_split) continue;
        if (refused) nod_strbuf_add(&list, ", ");
        if (number <= 20) describe_look(l, i, number, &list);
        refused = true;
    }
    if (refused)
        nod_fail(err, NOD_ESEAL,
                 "this test set was opened before: %s; another look needs --again \"reason\", "
                 "which every later result will print (a look without a result is only resumed "
                 "by the same runs)",
                 list.data ? list.data : "");
    nod_strbuf_done(&list);
    return refused ? NOD_ESEAL : 0;
}

static nod_json *look_payload(const nod_look *k, const nod_look_request *q, size_t i_split)
{
    nod_json *p = nod_json_object(), *runs = nod_json_array();
    for (size_t i = 0; i < q->n_runs; i++) {
        nod_json *r = nod_json_object();
        nod_json_set_str(r, "name", q->runs[i].name);
        nod_json_set_str(r, "hash", q->runs[i].hash);
        nod_json_set_int(r, "trained_after_look", k->trained_after[i]);
        nod_json_push(runs, r);
    }
    nod_json_set_str(p, "split", q->split_hash);
    nod_json_set_int(p, "split_row", (int64_t)i_split + 1);
    nod_json_set_int(p, "number", k->number);
    nod_json_set(p, "runs", runs);
    nod_json_set_str(p, "again", q->again);
    nod_json_set_str(p, "by", q->by);
    return p;
}

/* Reasons of this look and of every earlier event that concerns the split. */
static int collect_reasons(const nod_ledger *l, nod_look *k, size_t i_split, nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    const char *mine = payload_str(&l->rows[k->i_row], "again");
    if (*mine) nod_strbuf_printf(&b, "; again: %s", mine);
    int64_t number = 0;
    const nod_ledger_entry *split = &l->rows[i_split];
    for (size_t i = 0; i < k->i_row; i++) {
        const nod_ledger_entry *e = &l->rows[i];
        const char *why = payload_str(e, "again");
        bool look = look_concerns(l, i, i_split);
        number += look;
        if (*why == '\0') continue;
        if (look)
            nod_strbuf_printf(&b, "; look %lld was again: %s", (long long)number, why);
        else if (is_kind(e, "split") && shares_cases(e, split))
            nod_strbuf_printf(&b, "; split anew after look %lld, again: %s", (long long)number,
                              why);
    }
    nod_strbuf_add(&b, "");
    k->again = nod_strbuf_take(&b);
    return k->again ? 0 : nod_fail_memory(err, "the reasons of looks", 1);
}

/* Decides and appends, inside the transaction. */
static int begin_locked(nod_ledger *l, const nod_look_request *q, nod_look *k, nod_error *err)
{
    size_t i_split = 0;
    int64_t i_resumed;
    int rc = 0;
    NOD_TRY(check_anchors(l, q, err));
    NOD_TRY(need_split(l, q->split_hash, &i_split, err));
    for (size_t i = 0; i < q->n_runs; i++)
        k->trained_after[i] = count_looks(l, (size_t)q->runs[i].made.length, i_split);
    NOD_TRY(find_resumable(l, q, &i_resumed, err));
    if (i_resumed >= 0) {
        nod_json *p = nod_json_object();
        nod_json_set_int(p, "look", i_resumed + 1);
        nod_json_set_str(p, "by", q->by);
        k->resumed = true;
        k->i_row = (size_t)i_resumed;
        k->number = count_looks(l, k->i_row, i_split) + 1;
        NOD_TRY(nod_rows_append(l, "look_resumed", p, NULL, NULL, err));
    } else {
        if (q->again == NULL) NOD_TRY(check_first(l, i_split, err));
        k->i_row = l->n;
        k->number = count_looks(l, l->n, i_split) + 1;
        NOD_TRY(nod_rows_append(l, "look", look_payload(k, q, i_split), NULL, NULL, err));
    }
    NOD_TRY(collect_reasons(l, k, i_split, err));
    k->anchor = nod_ledger_anchor(l);
out:
    return rc;
}

int nod_look_begin(nod_ledger *l, const nod_look_request *q, nod_look **out, nod_error *err)
{
    int rc = check_request(q, err);
    if (rc) return rc;
    nod_look *k = nod_calloc(1, sizeof *k);
    int64_t *after = nod_calloc(q->n_runs, sizeof *after);
    if (k == NULL || after == NULL) {
        nod_free(k);
        nod_free(after);
        return nod_fail_memory(err, "a look", q->n_runs * sizeof *after);
    }
    k->ledger = l;
    k->n_runs = q->n_runs;
    k->trained_after = after;
    memcpy(k->split, q->split_hash, sizeof k->split);
    NOD_TRY(nod_rows_lock(l, err));
    rc = begin_locked(l, q, k, err);
    if (rc) {
        nod_rows_rollback(l);
        goto out;
    }
    NOD_TRY(nod_rows_commit(l, err));
    k->magic = LOOK_MAGIC;
    k->open = true;
    *out = k;
    k = NULL;
out:
    nod_look_close(k);
    return rc;
}

/* --- the open look ------------------------------------------------------------------------ */

int nod_look_finish(nod_look *k, const char *results_hash, nod_error *err)
{
    nod_ledger *l = k->ledger;
    int rc = check_hash(results_hash, "the results", err);
    if (rc) return rc;
    if (!k->open) return nod_fail(err, NOD_ESEAL, "this look is over already");
    NOD_TRY(nod_rows_lock(l, err));
    if (has_row(l, "look_result", k->i_row)) {
        rc = nod_fail(err, NOD_ESEAL, "look %lld has a result already", (long long)k->number);
    } else {
        nod_json *p = nod_json_object();
        nod_json_set_int(p, "look", (int64_t)k->i_row + 1);
        nod_json_set_str(p, "results", results_hash);
        rc = nod_rows_append(l, "look_result", p, NULL, NULL, err);
    }
    if (rc == 0)
        rc = nod_rows_commit(l, err);
    else
        nod_rows_rollback(l);
    if (rc == 0) k->open = false;
out:
    return rc;
}

void nod_look_close(nod_look *k)
{
    if (k == NULL) return;
    k->magic = 0;
    nod_free(k->trained_after);
    nod_free(k->again);
    nod_free(k);
}

int nod_look_permits(const nod_look *k, const char *split_hash, nod_error *err)
{
    if (k == NULL)
        return nod_fail(err, NOD_ESEAL,
                        "the test part is sealed; only `nodule test` opens it, once");
    NOD_ASSERT(k->magic == LOOK_MAGIC);
    if (!k->open) return nod_fail(err, NOD_ESEAL, "the look at the test part is over");
    if (strcmp(k->split, split_hash) != 0)
        return nod_fail(err, NOD_ESEAL, "the look is at split %.12s, not at %.12s", k->split,
                        split_hash);
    return 0;
}

int64_t nod_look_number(const nod_look *k)
{
    return k->number;
}

bool nod_look_is_resumed(const nod_look *k)
{
    return k->resumed;
}

nod_anchor nod_look_anchor(const nod_look *k)
{
    return k->anchor;
}

int64_t nod_look_trained_after(const nod_look *k, size_t i_run)
{
    NOD_ASSERT(i_run < k->n_runs);
    return k->trained_after[i_run];
}

void nod_look_stamp(const nod_look *k, size_t i_run, nod_strbuf *out)
{
    int64_t after = nod_look_trained_after(k, i_run);
    nod_strbuf_printf(out, "look %lld%s%s", (long long)k->number,
                      k->resumed ? " (resumed)" : "", k->again);
    if (after > 0) nod_strbuf_printf(out, "; trained after look %lld", (long long)after);
}

/* --- history ------------------------------------------------------------------------------ */

int nod_ledger_looks_before(const nod_ledger *l, const char *split_hash, int64_t length,
                            int64_t *out, nod_error *err)
{
    size_t i_split = 0;
    int rc = need_split(l, split_hash, &i_split, err);
    if (rc) return rc;
    if (length < 0 || length > (int64_t)l->n)
        return nod_fail(err, NOD_EINVAL, "ledger %s has %zu rows, not %lld", l->path, l->n,
                        (long long)length);
    *out = count_looks(l, (size_t)length, i_split);
    return 0;
}

/* The payload's value under the key as a new JSON value; null where absent. */
static nod_json *copy_str(const nod_ledger_entry *e, const char *key)
{
    const nod_json *v = nod_json_get(e->json, key);
    return v && nod_json_is_string(v) ? nod_json_string(nod_json_str(v)) : nod_json_null();
}

static nod_json *copy_runs(const nod_ledger_entry *e)
{
    nod_json *out = nod_json_array();
    const nod_json *runs = nod_json_get(e->json, "runs");
    for (size_t i = 0; runs && i < nod_json_count(runs); i++) {
        const nod_json *r = nod_json_at(runs, i), *name = nod_json_get(r, "name");
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "name",
                         name && nod_json_is_string(name) ? nod_json_str(name) : NULL);
        nod_json_set_str(j, "hash", nod_json_str(nod_json_get(r, "hash")));
        nod_json_push(out, j);
    }
    return out;
}

int nod_ledger_history(const nod_ledger *l, const char *split_hash, nod_json **out,
                       nod_error *err)
{
    size_t i_split = 0;
    int rc = need_split(l, split_hash, &i_split, err);
    if (rc) return rc;
    const nod_ledger_entry *s = &l->rows[i_split];
    nod_json *list = nod_json_array();
    int64_t number = 0;
    for (size_t i = 0; i < l->n; i++) {
        const nod_ledger_entry *e = &l->rows[i];
        bool look = look_concerns(l, i, i_split);
        if (!look && !(is_kind(e, "split") && *payload_str(e, "again") && shares_cases(e, s)))
            continue;
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "event", e->kind);
        if (look) nod_json_set_int(j, "number", ++number);
        nod_json_set_str(j, "time", e->time);
        nod_json_set(j, "split", copy_str(e, "split"));
        nod_json_set(j, "again", copy_str(e, "again"));
        if (look) {
            nod_json_set(j, "runs", copy_runs(e));
            nod_json_set_bool(j, "finished", has_row(l, "look_result", i));
            nod_json_set_bool(j, "resumed", has_row(l, "look_resumed", i));
        }
        nod_json_push(list, j);
    }
    *out = list;
    return 0;
}
