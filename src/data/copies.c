/* copies.c: near-duplicates and the split. */
#include "data/copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "data/leak.h"
#include "data/strict_keys.h"

#define NAMED 3 /* pairs that a refusal names */

/* --- what a person looked at ---------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
    const nod_case_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    return (x->j > y->j) - (x->j < y->j);
}

static int find_case(const nod_cohort *c, const nod_csv *t, size_t row, int64_t column,
                     const char *path, size_t *out, nod_error *err)
{
    const char *id = nod_csv_get(t, row, (size_t)column);
    int64_t found = nod_cohort_find(c, id);
    if (found < 0)
        return nod_fail(err, NOD_EDATA, "%s:%zu: the cohort has no case '%.80s'", path,
                        nod_csv_line(t, row), id);
    *out = (size_t)found;
    return 0;
}

/* Rows of a table as `nodule leak -o` writes them; those of other kinds are passed over. */
static int read_rows(const nod_csv *t, const char *path, const nod_cohort *c,
                     nod_case_pair *out, size_t *n, nod_error *err)
{
    int64_t of = nod_csv_find(t, "case"), other = nod_csv_find(t, "other");
    int64_t what = nod_csv_find(t, "what");
    int rc = 0;
    if (of < 0 || other < 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: column '%s' is missing; a table of pairs that are different has "
                        "the columns case and other, as `nodule leak -o` writes them",
                        path, of < 0 ? "case" : "other");
    for (size_t row = 0; row < nod_csv_rows(t); row++) {
        nod_case_pair *p = &out[*n];
        if (what >= 0 &&
            strcmp(nod_csv_get(t, row, (size_t)what), nod_leak_name(NOD_LEAK_NEAR)) != 0)
            continue;
        NOD_TRY(find_case(c, t, row, of, path, &p->i, err));
        NOD_TRY(find_case(c, t, row, other, path, &p->j, err));
        if (p->i > p->j) *p = (nod_case_pair){p->j, p->i};
        (*n)++;
    }
out:
    return rc;
}

static int read_distinct(const char *path, const nod_cohort *c, nod_case_pair **out, size_t *n,
                         nod_error *err)
{
    nod_csv *t = NULL;
    nod_case_pair *pairs = NULL;
    int rc = 0;
    NOD_TRY(nod_csv_read(path, &t, err));
    pairs = nod_calloc(nod_csv_rows(t) + 1, sizeof *pairs);
    if (pairs == NULL) {
        rc = nod_fail_memory(err, "pairs of cases", nod_csv_rows(t) * sizeof *pairs);
        goto out;
    }
    *n = 0;
    NOD_TRY(read_rows(t, path, c, pairs, n, err));
    if (*n > 1) qsort(pairs, *n, sizeof *pairs, compare_pairs);
    *out = pairs;
    pairs = NULL;
out:
    nod_csv_free(t);
    nod_free(pairs);
    return rc;
}

/* Takes the pairs of `distinct` out of what was found; each must be there. */
static int take_away(const char *path, const nod_case_pair *distinct, size_t n, nod_near *found,
                     nod_error *err)
{
    size_t kept = 0, met = 0;
    for (size_t i = 0; i < found->n; i++) {
        const nod_case_pair key = {found->pairs[i].i, found->pairs[i].j};
        const nod_case_pair *at =
            n ? bsearch(&key, distinct, n, sizeof key, compare_pairs) : NULL;
        if (at)
            met++;
        else
            found->pairs[kept++] = found->pairs[i];
    }
    size_t different = n > 0;
    for (size_t i = 1; i < n; i++)
        different += compare_pairs(&distinct[i - 1], &distinct[i]) != 0;
    found->n = kept;
    if (met == different) return 0;
    return nod_fail(err, NOD_EDATA,
                    "%s: %zu of its %zu pairs are no near-duplicates here; make it from "
                    "`nodule leak -o` of this cohort",
                    path, different - met, different);
}

/* --- before and after the parts ----------------------------------------------------------------- */

int nod_copies_find(const nod_cohort *c, const nod_copies_rule *rule, const nod_near_options *o,
                    nod_case_pair **pairs, size_t *n_pairs, nod_near *rest, nod_copies *out,
                    nod_error *err)
{
    nod_groups g = {0};
    nod_near found = {0};
    nod_case_pair *distinct = NULL, *joined = NULL;
    size_t n_distinct = 0;
    int rc = nod_groups_make(c, NULL, 0, &g, err);
    if (rc) return rc;
    if (rule->distinct) NOD_TRY(read_distinct(rule->distinct, c, &distinct, &n_distinct, err));
    NOD_TRY(nod_near_find(c, &g, o, &found, err));
    *out = (nod_copies){.found = (int64_t)found.n};
    NOD_TRY(take_away(rule->distinct, distinct, n_distinct, &found, err));
    out->distinct = out->found - (int64_t)found.n;
    *n_pairs = rule->group ? found.n : 0;
    joined = nod_calloc(*n_pairs + 1, sizeof *joined);
    if (joined == NULL) {
        rc = nod_fail_memory(err, "pairs of cases", found.n * sizeof *joined);
        goto out;
    }
    for (size_t i = 0; i < *n_pairs; i++)
        joined[i] = (nod_case_pair){found.pairs[i].i, found.pairs[i].j};
    out->joined = (int64_t)*n_pairs;
    *pairs = joined;
    *rest = found;
    joined = NULL;
    found = (nod_near){0};
out:
    nod_groups_done(&g);
    nod_near_done(&found);
    nod_free(distinct);
    nod_free(joined);
    return rc;
}

static int refuse(const nod_cohort *c, const nod_split *s, const nod_near *rest, size_t across,
                  nod_error *err)
{
    nod_strbuf names = NOD_STRBUF_INIT;
    size_t named = 0;
    for (size_t i = 0; i < rest->n && named < NAMED; i++) {
        const nod_similar_pair *p = &rest->pairs[i];
        nod_part a = nod_split_part(s, p->i), b = nod_split_part(s, p->j);
        char kind[64];
        if (a == b || a == NOD_PART_OUT || b == NOD_PART_OUT) continue;
        nod_similar_kind(p, kind, sizeof kind);
        nod_strbuf_printf(&names, "%s%s (%s) and %s (%s): %s, correlation %.3f",
                          named++ ? "; " : "", nod_cohort_get(c, p->i)->id, nod_part_name(a),
                          nod_cohort_get(c, p->j)->id, nod_part_name(b), kind, p->correlation);
    }
    int rc = nod_fail(
        err, NOD_EDATA,
        "%zu near-duplicates lie across parts: %s%s; look at them (nodule leak), then "
        "join them with --near-duplicates group, name those that are different with "
        "--distinct FILE.csv, or go on with --force REASON, which every result repeats",
        across, names.data, across > named ? " ..." : "");
    nod_strbuf_done(&names);
    return rc;
}

int nod_copies_judge(const nod_cohort *c, const nod_split *s, const nod_near *rest,
                     const nod_copies_rule *rule, nod_copies *out, nod_error *err)
{
    size_t across = 0;
    for (size_t i = 0; i < rest->n; i++) {
        nod_part a = nod_split_part(s, rest->pairs[i].i),
                 b = nod_split_part(s, rest->pairs[i].j);
        across += a != b && a != NOD_PART_OUT && b != NOD_PART_OUT;
    }
    out->across = (int64_t)across;
    if (across == 0) return 0;
    if (rule->force == NULL) return refuse(c, s, rest, across, err);
    if (*rule->force == '\0' || strlen(rule->force) >= sizeof out->reason ||
        strpbrk(rule->force, "\r\n"))
        return nod_fail(err, NOD_EINVAL,
                        "the reason for --force has 1 to %zu bytes on one line",
                        sizeof out->reason - 1);
    snprintf(out->reason, sizeof out->reason, "%s", rule->force);
    return 0;
}

/* --- the file and the words ---------------------------------------------------------------------- */

nod_json *nod_copies_to_json(const nod_copies *k)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "found", k->found);
    nod_json_set_int(j, "distinct", k->distinct);
    nod_json_set_int(j, "joined", k->joined);
    nod_json_set_int(j, "across", k->across);
    nod_json_set_str(j, "forced", k->across ? k->reason : NULL);
    return j;
}

int nod_copies_from_json(const nod_json *j, const char *where, nod_copies *out, nod_error *err)
{
    static const char *const keys[] = {"found", "distinct", "joined", "across", "forced", NULL};
    nod_copies k = {0};
    const char *reason = "";
    int rc = 0;
    NOD_TRY(nod_strict_keys(j, where, keys, err));
    NOD_TRY(nod_json_need_i64(j, where, "found", &k.found, err));
    NOD_TRY(nod_json_need_i64(j, where, "distinct", &k.distinct, err));
    NOD_TRY(nod_json_need_i64(j, where, "joined", &k.joined, err));
    NOD_TRY(nod_json_need_i64(j, where, "across", &k.across, err));
    if (k.across > 0) NOD_TRY(nod_json_need_str(j, where, "forced", &reason, err));
    if (k.found < 0 || k.distinct < 0 || k.joined < 0 || k.across < 0 || k.distinct > k.found ||
        k.joined > k.found - k.distinct || k.across > k.found - k.distinct ||
        strlen(reason) >= sizeof k.reason || (k.across > 0) != (*reason != '\0'))
        return nod_fail(err, NOD_EFORMAT, "%s: counts of near-duplicates do not go together",
                        where);
    snprintf(k.reason, sizeof k.reason, "%s", reason);
    *out = k;
out:
    return rc;
}

void nod_copies_add_text(const nod_copies *k, nod_strbuf *out)
{
    if (k == NULL || k->found == 0) return;
    nod_strbuf_printf(out, "near-duplicates: %lld", (long long)k->found);
    if (k->distinct)
        nod_strbuf_printf(out, ", %lld said to be different", (long long)k->distinct);
    if (k->joined) nod_strbuf_printf(out, ", %lld joined into groups", (long long)k->joined);
    nod_strbuf_printf(out, ", %lld across parts%s\n", (long long)k->across,
                      k->across ? ": forced" : "");
}

bool nod_copies_is_notable(const nod_copies *k)
{
    return k && k->across > 0;
}

void nod_copies_add_note(const nod_copies *k, nod_strbuf *out)
{
    nod_strbuf_printf(out, "forced: %lld near-duplicates lie across parts: %s",
                      (long long)k->across, k->reason);
}
