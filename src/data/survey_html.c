/* survey_html.c: a survey as one page: counts, a card with a slice for each image, findings, bad files. */
#include <stdio.h>
#include <string.h>

#include "base/html.h"
#include "data/survey_internal.h"

static const char style[] =
    "body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;"
    "color:#1c1c1e;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
    "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}"
    "figure{margin:0;border:1px solid #d5d5da;border-radius:6px;overflow:hidden}"
    "figure.refused{border-color:#c2410c}"
    ".slice{background:#000;height:16rem;display:flex;align-items:center;"
    "justify-content:center;color:#9a9aa2}"
    ".slice img{width:100%;height:100%;object-fit:contain}"
    "figcaption{padding:.6rem .8rem}figcaption b{overflow-wrap:anywhere}"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:0 .6rem;margin:.3rem 0 0}"
    "dt{color:#63636b}dd{margin:0;overflow-wrap:anywhere}"
    ".finding{color:#9a3412;margin:.3rem 0 0}"
    "table{border-collapse:collapse}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem 1rem .25rem 0;"
    "border-bottom:1px solid #e5e5ea}td.n{text-align:right}td{overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#161618;color:#eee}"
    "figure,th,td{border-color:#3a3a40}dt{color:#a0a0a8}.finding{color:#fdba74}}";

/* --- one image ---------------------------------------------------------------------------- */

static void add_entry(nod_strbuf *b, const char *name, const char *value)
{
    if (value == NULL || *value == '\0') return;
    nod_strbuf_printf(b, "<dt>%s</dt><dd>", name);
    nod_html_add_text(b, value);
    nod_strbuf_add(b, "</dd>");
}

static void add_slice(nod_strbuf *b, const nod_survey_image *im)
{
    nod_strbuf_add(b, "<div class=\"slice\">");
    if (im->picture.size) {
        nod_strbuf_printf(b, "<img width=\"%lld\" height=\"%lld\" alt=\"middle slice\" src=\"",
                          (long long)im->picture_size[0], (long long)im->picture_size[1]);
        nod_strbuf_add(b, "data:image/png;base64,");
        nod_html_add_base64(b, im->picture.data, im->picture.size);
        nod_strbuf_add(b, "\">");
    } else {
        nod_strbuf_add(b, im->error ? "not decoded" : "no picture");
    }
    nod_strbuf_add(b, "</div>");
}

static void add_title(nod_strbuf *b, const nod_survey *s, const nod_survey_image *im)
{
    nod_strbuf label = NOD_STRBUF_INIT;
    if (im->patient) {
        nod_strbuf_printf(&label, "Patient %lld%s%s, study %lld, series %lld",
                          (long long)im->patient, *im->shown ? " " : "", im->shown,
                          (long long)im->study, (long long)im->series);
        if (im->n_stacks > 1)
            nod_strbuf_printf(&label, ", %lld of %lld", (long long)im->stack,
                              (long long)im->n_stacks);
    } else {
        nod_survey_add_label(s, im, &label);
    }
    nod_strbuf_add(b, "<b>");
    nod_html_add_text(b, label.data);
    nod_strbuf_add(b, "</b>");
    nod_strbuf_done(&label);
}

static void add_geometry(nod_strbuf *b, const nod_survey_image *im)
{
    const nod_geometry *g = &im->geometry;
    char text[128], codes[4];
    bool flat = g->size[2] <= 1;
    if (im->channels == 0) return;
    int n = snprintf(text, sizeof text, "%lld x %lld", (long long)g->size[0],
                     (long long)g->size[1]);
    if (!flat) snprintf(text + n, sizeof text - (size_t)n, " x %lld", (long long)g->size[2]);
    add_entry(b, "voxels", text);
    if (g->space != NOD_SPACE_NONE) {
        n = snprintf(text, sizeof text, "%.4g x %.4g", g->spacing_mm[0], g->spacing_mm[1]);
        snprintf(text + n, sizeof text - (size_t)n, flat ? " mm" : " x %.4g mm",
                 g->spacing_mm[2]);
        add_entry(b, "spacing", text);
    }
    if (g->space == NOD_SPACE_PATIENT) {
        nod_geometry_codes(g, codes);
        snprintf(text, sizeof text, "%s, oblique by %.1f degrees", codes,
                 nod_geometry_obliquity_deg(g));
        add_entry(b, "axes", text);
    }
    if (im->frames > 1) {
        snprintf(text, sizeof text, "%s, %lld", nod_axis_name(im->facts.axis),
                 (long long)im->frames);
        add_entry(b, "fourth axis", text);
    }
}

static void add_values(nod_strbuf *b, const nod_survey_image *im)
{
    const nod_image_statistics *s = &im->statistics;
    char text[160];
    if (!im->is_measured) return;
    snprintf(text, sizeof text, "%.4g to %.4g%s, median %.4g, mean %.4g", s->min, s->max,
             im->facts.units == NOD_UNITS_HU ? " HU" : "", im->percentiles[1], s->mean);
    add_entry(b, "values", s->n ? text : "all padding");
    snprintf(text, sizeof text, "%.4g to %.4g", im->percentiles[0], im->percentiles[2]);
    if (s->n) add_entry(b, "1 to 99 %", text);
    if (s->n_padding) {
        snprintf(text, sizeof text, "%lld voxels, left out", (long long)s->n_padding);
        add_entry(b, "padding", text);
    }
}

static void add_findings(nod_strbuf *b, const nod_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const nod_finding_info *info = nod_finding_get_info(f->items[i].kind);
        nod_strbuf_printf(b, "<p class=\"finding\"><b>%s</b>: ", info->name);
        nod_html_add_text(b, f->items[i].detail);
        nod_strbuf_add(b, "</p>");
    }
}

static void add_image(nod_strbuf *b, const nod_survey *s, const nod_survey_image *im)
{
    nod_strbuf facts = NOD_STRBUF_INIT;
    const char side[2] = {im->facts.laterality, 0};
    nod_strbuf_printf(b, "<figure%s>", nod_survey_is_usable(im) ? "" : " class=\"refused\"");
    if (!s->headers_only) add_slice(b, im);
    nod_strbuf_add(b, "<figcaption>");
    add_title(b, s, im);
    nod_strbuf_add(b, "<dl>");
    if (s->show_ids && im->patient) {
        add_entry(b, "patient id", im->patient_id);
        add_entry(b, "description", im->description);
        add_entry(b, "folder", im->name);
    }
    nod_strbuf_printf(&facts, "%s%s%s%s%s", im->facts.modality, *side ? " " : "", side,
                      im->facts.view[0] ? " " : "", im->facts.view);
    add_entry(b, "kind", facts.data);
    add_geometry(b, im);
    add_values(b, im);
    add_entry(b, "storage", im->coding);
    add_entry(b, "photometric", im->facts.photometric);
    add_entry(b, "intent", im->facts.intent);
    nod_strbuf_add(b, "</dl>");
    add_findings(b, &im->findings);
    if (im->error) {
        nod_strbuf_add(b, "<p class=\"finding\"><b>not decoded</b>: ");
        nod_html_add_text(b, im->error);
        nod_strbuf_add(b, "</p>");
    }
    nod_strbuf_add(b, "</figcaption></figure>\n");
    nod_strbuf_done(&facts);
}

/* --- the page ----------------------------------------------------------------------------- */

static void add_counts(nod_strbuf *b, const nod_survey *s)
{
    nod_strbuf_printf(b,
                      "<p>%zu patients, %zu studies, %zu series of DICOM; %zu files of other "
                      "formats. %zu files in all, %zu bad.</p>\n",
                      s->n_patients, s->n_studies, s->n_series, s->n_others, s->n_files,
                      s->n_problems);
    if (s->n_images > NOD_SURVEY_PICTURES_MAX && !s->headers_only)
        nod_strbuf_printf(b, "<p>The first %d images have a picture.</p>\n",
                          NOD_SURVEY_PICTURES_MAX);
    for (size_t i = 0; i < s->n_silent; i++)
        nod_strbuf_printf(b, "%s%zu ", i ? ", " : "<p>Without an image: ", s->silent[i].n),
            nod_html_add_text(b, s->silent[i].modality);
    if (s->n_silent) nod_strbuf_add(b, "</p>\n");
    add_findings(b, &s->findings);
}

static void add_meanings(nod_strbuf *b, const nod_survey *s)
{
    size_t n[NOD_FINDING_KINDS], n_any = 0;
    nod_survey_count_findings(s, n);
    for (int k = 0; k < NOD_FINDING_KINDS; k++)
        n_any += n[k] > 0;
    if (n_any == 0) return;
    nod_strbuf_add(
        b, "<h2>Findings</h2>\n<table><tr><th>finding</th><th>images</th>"
           "<th>meaning</th><th>without a policy</th><th>policies that help</th></tr>\n");
    for (int k = 0; k < NOD_FINDING_KINDS; k++) {
        const nod_finding_info *info = nod_finding_get_info((nod_finding_kind)k);
        if (n[k] == 0) continue;
        nod_strbuf_printf(b, "<tr><td>%s</td><td class=\"n\">%zu</td><td>", info->name, n[k]);
        nod_html_add_text(b, info->about);
        nod_strbuf_printf(b, "</td><td>%s</td><td>",
                          info->preset == NOD_POLICY_REFUSE ? "refused" : "taken");
        if (info->preset == NOD_POLICY_REFUSE) nod_survey_add_help((nod_finding_kind)k, b);
        nod_strbuf_add(b, "</td></tr>\n");
    }
    nod_strbuf_add(b, "</table>\n");
}

static void add_problems(nod_strbuf *b, const nod_survey *s)
{
    if (s->n_problems == 0) return;
    nod_strbuf_printf(b, "<h2>Bad files: %zu</h2>\n<table>\n", s->n_problems);
    for (size_t i = 0; i < s->n_problems; i++) {
        const nod_survey_problem *p = &s->problems[i];
        nod_strbuf_printf(b, "<tr><td class=\"n\">%zu</td><td>", i + 1);
        if (s->show_ids) nod_html_add_text(b, p->file);
        nod_strbuf_add(b, "</td><td>");
        nod_html_add_text(b, p->reason);
        nod_strbuf_add(b, "</td></tr>\n");
    }
    nod_strbuf_add(b, "</table>\n");
}

int nod_survey_html(const nod_survey *s, nod_strbuf *out, nod_error *err)
{
    int rc = nod_html_begin(out, "nodule inspect", style, err);
    if (rc) return rc;
    nod_strbuf_add(out, "<h1>What is in here</h1>\n");
    add_counts(out, s);
    nod_strbuf_add(out, "<main>\n");
    for (size_t i = 0; i < s->n_images; i++)
        add_image(out, s, &s->images[i]);
    nod_strbuf_add(out, "</main>\n");
    add_meanings(out, s);
    add_problems(out, s);
    nod_html_end(out);
    return out->failed ? nod_fail_memory(err, "a page", out->len) : 0;
}
