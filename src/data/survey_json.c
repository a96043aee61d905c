/* survey_json.c: a survey as JSON; docs/inspect.md lists the keys. */
#include "data/survey_internal.h"

static nod_json *values_json(const nod_survey_image *im)
{
    if (!im->is_measured) return nod_json_null();
    nod_json *j = nod_json_object();
    bool any = im->statistics.n > 0;
    nod_json_set_int(j, "n", im->statistics.n);
    nod_json_set_int(j, "padding", im->statistics.n_padding);
    nod_json_set_int(j, "not_finite", im->statistics.n_not_finite);
    if (!any) return j;
    nod_json_set_real(j, "min", im->statistics.min);
    nod_json_set_real(j, "p1", im->percentiles[0]);
    nod_json_set_real(j, "p50", im->percentiles[1]);
    nod_json_set_real(j, "p99", im->percentiles[2]);
    nod_json_set_real(j, "max", im->statistics.max);
    nod_json_set_real(j, "mean", im->statistics.mean);
    return j;
}

static nod_json *findings_json(const nod_findings *f)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < f->n; i++) {
        const nod_finding_info *info = nod_finding_get_info(f->items[i].kind);
        nod_json *j = nod_json_object(), *policies = nod_json_array();
        nod_json_set_str(j, "name", info->name);
        nod_json_set_str(j, "detail", f->items[i].detail);
        nod_json_set_str(j, "preset", nod_policy_name(info->preset));
        for (int p = 0; p < NOD_POLICIES; p++)
            if (info->policies >> p & 1)
                nod_json_push(policies, nod_json_string(nod_policy_name((nod_policy)p)));
        nod_json_set(j, "policies", policies);
        nod_json_push(a, j);
    }
    return a;
}

static void set_text(nod_json *j, const char *key, const char *text)
{
    nod_json_set_str(j, key, text && *text ? text : NULL);
}

static void set_geometry(nod_json *j, const nod_survey_image *im)
{
    const nod_geometry *g = &im->geometry;
    nod_json *size = nod_json_array(), *spacing = nod_json_array(), *origin = nod_json_array();
    char codes[4] = "";
    for (int a = 0; a < 3; a++) {
        nod_json_push(size, nod_json_int(g->size[a]));
        nod_json_push(spacing, nod_json_real(g->spacing_mm[a]));
        nod_json_push(origin, nod_json_real(g->origin_mm[a]));
    }
    if (g->space == NOD_SPACE_PATIENT) nod_geometry_codes(g, codes);
    bool placed = g->space == NOD_SPACE_PATIENT, spaced = g->space != NOD_SPACE_NONE;
    nod_json *axis = im->frames > 1 ? nod_json_object() : nod_json_null();
    if (im->frames > 1) {
        nod_json_set_str(axis, "name", nod_axis_name(im->facts.axis));
        nod_json_set_int(axis, "length", im->frames);
    }
    nod_json_set(j, "size", size);
    nod_json_set(j, "spacing_mm", spaced ? spacing : nod_json_null());
    if (!spaced) nod_json_free(spacing);
    nod_json_set(j, "origin_mm", placed ? origin : nod_json_null());
    if (!placed) nod_json_free(origin);
    set_text(j, "orientation", codes);
    if (placed) nod_json_set_real(j, "obliquity_deg", nod_geometry_obliquity_deg(g));
    nod_json_set(j, "axis", axis);
}

static void set_place(nod_json *j, const nod_survey *s, const nod_survey_image *im)
{
    nod_json_set_int(j, "patient", im->patient);
    if (*im->shown) nod_json_set_str(j, "patient_shown", im->shown);
    nod_json_set_int(j, "study", im->study);
    nod_json_set_int(j, "series", im->series);
    nod_json_set_int(j, "stack", im->stack);
    nod_json_set_int(j, "stacks", im->n_stacks);
    if (!s->show_ids) return;
    nod_json_set_str(j, "folder", im->name);
    nod_json_set_str(j, "patient_id", im->patient_id);
    nod_json_set_str(j, "study_uid", im->study_uid);
    nod_json_set_str(j, "series_uid", im->series_uid);
    nod_json_set_str(j, "description", im->description);
}

static nod_json *image_json(const nod_survey *s, const nod_survey_image *im)
{
    nod_json *j = nod_json_object();
    const char side[2] = {im->facts.laterality, 0};
    if (im->patient)
        set_place(j, s, im);
    else
        nod_json_set_int(j, "number", im->number);
    if (im->patient == 0 && s->show_ids) nod_json_set_str(j, "file", im->name);
    nod_json_set_str(j, "format", im->format);
    nod_json_set_int(j, "files", (int64_t)im->n_files);
    if (im->patient) set_text(j, "transfer_syntax", im->coding);
    set_text(j, "modality", im->facts.modality);
    set_text(j, "photometric", im->facts.photometric);
    set_text(j, "intent", im->facts.intent);
    set_text(j, "laterality", side);
    set_text(j, "view", im->facts.view);
    if (im->channels) {
        nod_json_set_int(j, "channels", im->channels);
        set_geometry(j, im);
    }
    set_text(j, "units", im->facts.units == NOD_UNITS_HU ? "HU" : NULL);
    nod_json_set(j, "values", values_json(im));
    nod_json_set(j, "findings", findings_json(&im->findings));
    nod_json_set_bool(j, "usable", nod_survey_is_usable(im));
    nod_json_set_str(j, "error", im->error);
    return j;
}

static nod_json *files_json(const nod_survey *s)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "all", (int64_t)s->n_files);
    nod_json_set_int(j, "dicom", (int64_t)s->n_dicom);
    nod_json_set_int(j, "other_images", (int64_t)s->n_others);
    nod_json_set_int(j, "bad", (int64_t)s->n_problems);
    nod_json_set_int(j, "anything_else", (int64_t)s->n_unknown);
    return j;
}

nod_json *nod_survey_json(const nod_survey *s)
{
    nod_json *j = nod_json_object(), *images = nod_json_array(), *bad = nod_json_array();
    nod_json *silent = nod_json_array();
    for (size_t i = 0; i < s->n_silent; i++) {
        nod_json *k = nod_json_object();
        set_text(k, "modality", s->silent[i].modality);
        nod_json_set_int(k, "objects", (int64_t)s->silent[i].n);
        nod_json_push(silent, k);
    }
    for (size_t i = 0; i < s->n_images; i++)
        nod_json_push(images, image_json(s, &s->images[i]));
    for (size_t i = 0; i < s->n_problems; i++) {
        nod_json *k = nod_json_object();
        if (s->show_ids) nod_json_set_str(k, "file", s->problems[i].file);
        nod_json_set_str(k, "kind", nod_error_name(s->problems[i].code));
        nod_json_set_str(k, "reason", s->problems[i].reason);
        nod_json_push(bad, k);
    }
    nod_json_set(j, "files", files_json(s));
    nod_json_set_int(j, "patients", (int64_t)s->n_patients);
    nod_json_set_int(j, "studies", (int64_t)s->n_studies);
    nod_json_set_int(j, "series", (int64_t)s->n_series);
    nod_json_set_bool(j, "headers_only", s->headers_only);
    nod_json_set(j, "findings", findings_json(&s->findings));
    nod_json_set(j, "images", images);
    nod_json_set(j, "without_images", silent);
    nod_json_set(j, "bad", bad);
    return j;
}
