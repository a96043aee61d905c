/* deidentify_report.c: what was done to the files, in words and as JSON. */
#include <stdio.h>

#include "data/deidentify.h"

#define SHOWN 8 /* series, attributes or reasons of a list for a person */

static const char *const reasons[NOD_DEID_REASONS] = {
    [NOD_DEID_TABLE] = "table", [NOD_DEID_RULE] = "rule",       [NOD_DEID_UID] = "uid",
    [NOD_DEID_DATE] = "date",   [NOD_DEID_PRIVATE] = "private", [NOD_DEID_UNKNOWN] = "unknown",
    [NOD_DEID_FOUND] = "found", [NOD_DEID_BROKEN] = "broken",
};

static const char *action_name(nod_dicom_action a)
{
    switch (a) {
    case NOD_DICOM_REMOVE:
        return "removed";
    case NOD_DICOM_CLEAR:
        return "emptied";
    default:
        return "replaced";
    }
}

static void tag_text(uint32_t tag, char out[12])
{
    snprintf(out, 12, "(%04x,%04x)", tag >> 16, tag & 0xffff);
}

static int64_t count_of(const nod_deid_result *r, nod_deid_reason reason)
{
    int64_t n = 0;
    for (size_t i = 0; i < r->sum.n_counts; i++)
        if (r->sum.counts[i].reason == reason) n += r->sum.counts[i].n;
    return n;
}

/* --- JSON --------------------------------------------------------------------------------------- */

static nod_json *list_json(const nod_strlist *l)
{
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < l->n; i++)
        nod_json_push(list, nod_json_string(l->items[i]));
    return list;
}

static nod_json *attributes_json(const nod_deid_outcome *sum)
{
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < sum->n_counts; i++) {
        const nod_deid_count *c = &sum->counts[i];
        nod_json *j = nod_json_object();
        char tag[12];
        tag_text(c->tag, tag);
        nod_json_set_str(j, "tag", c->tag ? tag : NULL);
        nod_json_set_str(j, "why", reasons[c->reason]);
        nod_json_set_str(j, "done", action_name(c->action));
        nod_json_set_int(j, "n", c->n);
        nod_json_push(list, j);
    }
    return list;
}

nod_json *nod_deid_result_json(const nod_deid_result *r)
{
    nod_json *j = nod_json_object(), *codes = nod_json_array(), *refused = nod_json_array();
    nod_json_set_str(j, "profile", "Basic Application Level Confidentiality Profile");
    nod_json_set_str(j, "option", "Retain Longitudinal Temporal Information Modified Dates");
    nod_json_set_str(j, "edition", NOD_DEID_EDITION);
    nod_json_push(codes, nod_json_string("113100"));
    nod_json_push(codes, nod_json_string("113107"));
    nod_json_set(j, "codes", codes);
    nod_json_set_int(j, "files", (int64_t)r->n_files);
    nod_json_set_int(j, "not_dicom", (int64_t)r->n_foreign);
    nod_json_set_int(j, "copied", (int64_t)r->n_copied);
    nod_json_set_int(j, "patients", (int64_t)r->n_patients);
    nod_json_set_int(j, "studies", (int64_t)r->n_studies);
    nod_json_set_int(j, "series", (int64_t)r->n_series);
    nod_json_set_int(j, "copies_without_patient", (int64_t)r->n_nobody);
    for (size_t i = 0; i < r->n_refusals; i++) {
        nod_json *one = nod_json_object();
        nod_json_set_str(one, "reason", r->refusals[i].reason);
        nod_json_set_int(one, "n", (int64_t)r->refusals[i].n);
        nod_json_push(refused, one);
    }
    nod_json_set(j, "not_copied", refused);
    nod_json_set(j, "burned_in", list_json(&r->burned_in));
    nod_json_set(j, "likely_burned_in", list_json(&r->likely_burned_in));
    nod_json_set(j, "faces", list_json(&r->faces));
    nod_json_set_int(j, "comments_in_pixels", (int64_t)r->sum.wiped.comments);
    nod_json_set_int(j, "overlay_samples", (int64_t)r->sum.wiped.overlay_samples);
    nod_json_set_int(j, "bytes_behind_pixels", (int64_t)r->sum.wiped.trailing_bytes);
    nod_json_set(j, "attributes", attributes_json(&r->sum));
    return j;
}

/* --- words -------------------------------------------------------------------------------------- */

static void add_list(nod_strbuf *out, const nod_strlist *l)
{
    for (size_t i = 0; i < l->n && i < SHOWN; i++)
        nod_strbuf_printf(out, "    %s\n", l->items[i]);
    if (l->n > SHOWN)
        nod_strbuf_printf(out, "    and %zu more: see " NOD_DEID_REPORT "\n", l->n - SHOWN);
}

static void add_found(const nod_deid_result *r, nod_strbuf *out)
{
    int64_t n = count_of(r, NOD_DEID_FOUND);
    size_t shown = 0;
    if (n == 0) return;
    nod_strbuf_printf(out, "  identifiers where none belong, taken out: %lld in", (long long)n);
    for (size_t i = 0; i < r->sum.n_counts; i++) {
        char tag[12];
        if (r->sum.counts[i].reason != NOD_DEID_FOUND || shown == SHOWN) continue;
        tag_text(r->sum.counts[i].tag, tag);
        nod_strbuf_printf(out, "%s %s", shown ? "," : "", tag);
        shown++;
    }
    nod_strbuf_addc(out, '\n');
}

static void add_refusals(const nod_deid_result *r, nod_strbuf *out)
{
    if (r->n_refusals == 0) return;
    nod_strbuf_add(out, "not copied:\n");
    for (size_t i = 0; i < r->n_refusals && i < SHOWN; i++)
        nod_strbuf_printf(out, "  %zu: %s\n", r->refusals[i].n, r->refusals[i].reason);
    if (r->n_refusals > SHOWN)
        nod_strbuf_printf(out, "  and %zu reasons more: see " NOD_DEID_REPORT "\n",
                          r->n_refusals - SHOWN);
}

static void add_warnings(const nod_deid_result *r, nod_strbuf *out)
{
    if (r->burned_in.n > 0) {
        nod_strbuf_printf(out,
                          "warning: %zu series say that text is burned into their pixels "
                          "(BurnedInAnnotation YES); it is still there:\n",
                          r->burned_in.n);
        add_list(out, &r->burned_in);
    }
    if (r->likely_burned_in.n > 0) {
        nod_strbuf_printf(out,
                          "warning: %zu series are of a kind that often has text in its pixels "
                          "(captures, ultrasound, fluoroscopy); look at them:\n",
                          r->likely_burned_in.n);
        add_list(out, &r->likely_burned_in);
    }
    if (r->faces.n > 0) {
        nod_strbuf_printf(out,
                          "warning: %zu series are scans of heads: faces remain, and can be "
                          "rendered and recognised; deface them before they leave:\n",
                          r->faces.n);
        add_list(out, &r->faces);
    }
}

void nod_deid_result_text(const nod_deid_result *r, nod_strbuf *out)
{
    nod_strbuf_printf(out, "%zu of %zu files copied: %zu patients, %zu studies, %zu series",
                      r->n_copied, r->n_files, r->n_patients, r->n_studies, r->n_series);
    if (r->n_foreign > 0) nod_strbuf_printf(out, "; %zu are not DICOM", r->n_foreign);
    nod_strbuf_addc(out, '\n');
    if (r->n_nobody > 0)
        nod_strbuf_printf(out, "  %zu copies have no patient: empty or dummy ids stay empty\n",
                          r->n_nobody);
    nod_strbuf_printf(
        out,
        "  %lld attributes by " NOD_DEID_EDITION
        " Table E.1-1, %lld by kind; %lld UIDs and %lld dates replaced; "
        "%lld private and %lld unknown ones removed; %lld without a value of "
        "their kind emptied\n",
        (long long)count_of(r, NOD_DEID_TABLE), (long long)count_of(r, NOD_DEID_RULE),
        (long long)count_of(r, NOD_DEID_UID), (long long)count_of(r, NOD_DEID_DATE),
        (long long)count_of(r, NOD_DEID_PRIVATE), (long long)count_of(r, NOD_DEID_UNKNOWN),
        (long long)count_of(r, NOD_DEID_BROKEN));
    add_found(r, out);
    const nod_dicom_wiped *w = &r->sum.wiped;
    if (w->comments + w->overlay_samples + w->trailing_bytes > 0)
        nod_strbuf_printf(
            out,
            "  beside the pixels, overwritten: %llu comments in codestreams, %llu "
            "samples with bits of overlays, %llu bytes behind the last frame\n",
            (unsigned long long)w->comments, (unsigned long long)w->overlay_samples,
            (unsigned long long)w->trailing_bytes);
    add_refusals(r, out);
    add_warnings(r, out);
}
