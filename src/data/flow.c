/* flow.c: the numbers from the source to the parts. */
#include "data/flow.h"

/* --- what a step takes away --------------------------------------------------------------- */

/* The i-th reason of exclusion, the files that could not be read being the last; false: no more. */
static bool get_excluded(const nod_cohort *c, size_t i, const char **reason, size_t *n)
{
    size_t n_other = nod_cohort_exclusions(c);
    if (i > n_other) return false;
    *reason = NOD_FLOW_UNREADABLE;
    *n = nod_cohort_unreadable(c);
    if (i < n_other) nod_cohort_get_exclusion(c, i, reason, n);
    return true;
}

/* Likewise what the split leaves out: cases by the kind of their note. */
static bool get_left_out(const nod_split *s, size_t kind, const char **reason, size_t *n)
{
    if (kind > NOD_NOTE_UNKNOWN) return false;
    *reason = nod_split_note_name((nod_split_note_kind)kind);
    *n = 0;
    for (size_t i = 0; i < nod_split_notes(s); i++) {
        const nod_split_note *note = nod_split_get_note(s, i);
        *n += (size_t)note->kind == kind && nod_split_part(s, note->i_case) == NOD_PART_OUT;
    }
    return true;
}

/* --- JSON --------------------------------------------------------------------------------- */

static size_t push_step(nod_json *list, const char *reason, size_t n)
{
    if (n == 0) return 0;
    nod_json *e = nod_json_object();
    nod_json_set_str(e, "reason", reason);
    nod_json_set_int(e, "n", (int64_t)n);
    nod_json_push(list, e);
    return n;
}

nod_json *nod_flow_excluded_json(const nod_cohort *c, size_t *n)
{
    nod_json *list = nod_json_array();
    const char *reason;
    size_t of_reason;
    *n = 0;
    for (size_t i = 0; get_excluded(c, i, &reason, &of_reason); i++)
        *n += push_step(list, reason, of_reason);
    return list;
}

nod_json *nod_flow_to_json(const nod_cohort *c, const nod_split *s)
{
    nod_json *j = nod_json_object(), *left_out = nod_json_array(), *parts = nod_json_object();
    const char *reason;
    size_t n_excluded, n;
    nod_json *excluded = nod_flow_excluded_json(c, &n_excluded);
    for (size_t i = 0; get_left_out(s, i, &reason, &n); i++)
        push_step(left_out, reason, n);
    for (int p = 0; p < NOD_PARTS; p++)
        nod_json_set_int(parts, nod_part_name((nod_part)p),
                         (int64_t)nod_split_counts(s, (nod_part)p).images);
    nod_json_set_int(j, "found", (int64_t)(nod_cohort_size(c) + n_excluded));
    nod_json_set(j, "excluded", excluded);
    nod_json_set_int(j, "indexed", (int64_t)nod_cohort_size(c));
    nod_json_set(j, "left_out", left_out);
    nod_json_set(j, "parts", parts);
    return j;
}

/* --- text --------------------------------------------------------------------------------- */

/* "; 5 WHAT (3 this, 2 that)"; nothing where there are none. */
static void add_step(nod_strbuf *out, size_t total, const char *what, nod_strbuf *reasons)
{
    if (total > 0) nod_strbuf_printf(out, "; %zu %s (%s)", total, what, reasons->data);
    if (reasons->failed) out->failed = true;
    nod_strbuf_clear(reasons);
}

static size_t add_reason(nod_strbuf *reasons, const char *reason, size_t n)
{
    if (n > 0) nod_strbuf_printf(reasons, "%s%zu %s", reasons->len ? ", " : "", n, reason);
    return n;
}

void nod_flow_add_text(const nod_cohort *c, const nod_split *s, nod_strbuf *out)
{
    nod_strbuf excluded = NOD_STRBUF_INIT, left_out = NOD_STRBUF_INIT;
    const char *reason;
    size_t n_excluded = 0, n_left_out = 0, n;
    for (size_t i = 0; get_excluded(c, i, &reason, &n); i++)
        n_excluded += add_reason(&excluded, reason, n);
    for (size_t i = 0; get_left_out(s, i, &reason, &n); i++)
        n_left_out += add_reason(&left_out, reason, n);
    nod_strbuf_printf(out, "cases: %zu found", nod_cohort_size(c) + n_excluded);
    add_step(out, n_excluded, "excluded", &excluded);
    add_step(out, n_left_out, "left out by the split", &left_out);
    for (int p = 0; p < NOD_PARTS; p++)
        nod_strbuf_printf(out, "%s%s %zu", p ? ", " : "; ", nod_part_name((nod_part)p),
                          nod_split_counts(s, (nod_part)p).images);
    nod_strbuf_addc(out, '\n');
    nod_strbuf_done(&excluded);
    nod_strbuf_done(&left_out);
}
