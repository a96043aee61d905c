/* survey.c: a survey from its paths, and what it is made of. */
#include "data/survey.h"

#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "base/memory.h"
#include "data/survey_internal.h"

/* --- building ----------------------------------------------------------------------------- */

char *nod_survey_name(const nod_survey_work *w, const char *root, const char *name)
{
    if (w->names_paths) return *name ? nod_path_join(root, name) : nod_strdup(root);
    return nod_strdup(*name ? name : nod_path_base(root));
}

int nod_survey_add_image(nod_survey_work *w, nod_survey_image **image,
                         nod_survey_origin **origin, nod_error *err)
{
    nod_survey *s = w->s;
    if (!nod_grow((void **)&s->images, &s->images_cap, s->n_images + 1, sizeof **image) ||
        !nod_grow((void **)&w->origins, &w->origins_cap, s->n_images + 1, sizeof **origin))
        return nod_fail_memory(err, "images", (s->n_images + 1) * sizeof **image);
    *image = &s->images[s->n_images];
    *origin = &w->origins[s->n_images];
    **image = (nod_survey_image){.frames = 1};
    **origin = (nod_survey_origin){0};
    s->n_images++;
    return 0;
}

/* A message without the names of the file, in whichever way it was named, and of what it lies in. */
static int hide_names(const char *root, const char *name, const char *message, nod_error *out)
{
    char *path = nod_path_join(root, name);
    if (path == NULL) return NOD_ENOMEM;
    nod_fail(out, NOD_EDATA, "%s", message);
    nod_error_hide(out, path, "");
    nod_error_hide(out, root, "");
    nod_error_hide(out, name, "");
    nod_free(path);
    return 0;
}

int nod_survey_add_problem(nod_survey_work *w, const char *root, const char *name,
                           const char *message, int code, nod_error *err)
{
    nod_survey *s = w->s;
    nod_error reason = NOD_ERROR_INIT;
    if (hide_names(root, name, message, &reason))
        return nod_fail_memory(err, "the list of bad files", strlen(name));
    nod_survey_problem p = {.file = nod_survey_name(w, root, name),
                            .reason = nod_strdup(reason.message),
                            .code = code};
    if (!p.file || !p.reason ||
        !nod_grow((void **)&s->problems, &s->problems_cap, s->n_problems + 1, sizeof p)) {
        nod_free(p.file);
        nod_free(p.reason);
        return nod_fail_memory(err, "the list of bad files", sizeof p);
    }
    s->problems[s->n_problems++] = p;
    return 0;
}

/* --- from paths to a survey --------------------------------------------------------------- */

static void tell_scan(void *ctx, size_t done, size_t total)
{
    const nod_survey_options *o = ctx;
    o->progress(o->ctx, "reading headers", done, total);
}

static nod_policies accept_all(void)
{
    nod_policies p;
    for (int i = 0; i < NOD_FINDING_KINDS; i++)
        p.of[i] = NOD_POLICY_ACCEPT;
    return p;
}

static void work_done(nod_survey_work *w)
{
    for (size_t i = 0; i < w->n_scans; i++)
        nod_dicom_scan_done(&w->scans[i]);
    for (size_t i = 0; w->origins && w->s && i < w->s->n_images; i++)
        nod_free(w->origins[i].path);
    nod_free(w->scans);
    nod_free(w->origins);
}

int nod_survey_new(const char *const *paths, size_t n_paths, const nod_survey_options *o,
                   nod_survey **out, nod_error *err)
{
    const nod_dicom_watch watch = {tell_scan, (void *)o};
    nod_survey_work w = {.o = o, .names_paths = n_paths > 1, .policies = accept_all()};
    int rc = 0;
    w.s = nod_calloc(1, sizeof *w.s);
    w.scans = nod_calloc(NOD_MAX(n_paths, 1), sizeof *w.scans);
    if (w.s == NULL || w.scans == NULL) {
        rc = nod_fail_memory(err, "a survey", n_paths * sizeof *w.scans);
        goto out;
    }
    w.s->headers_only = o->headers_only;
    w.s->show_ids = o->show_ids;
    for (; w.n_scans < n_paths; w.n_scans++)
        NOD_TRY(nod_dicom_scan_tree(paths[w.n_scans], o->progress ? &watch : NULL,
                                    &w.scans[w.n_scans], err));
    for (size_t i = 0; i < n_paths; i++)
        NOD_TRY(nod_survey_add_dicom(&w, i, err));
    NOD_TRY(nod_survey_number(&w, err));
    NOD_TRY(nod_survey_show_patients(&w, err));
    for (size_t i = 0; i < n_paths; i++)
        NOD_TRY(nod_survey_add_files(&w, i, err));
    if (!o->headers_only) NOD_TRY(nod_survey_decode(&w, err));
    *out = w.s;
out:
    work_done(&w);
    if (rc) nod_survey_free(w.s);
    return rc;
}

void nod_survey_image_done(nod_survey_image *im)
{
    nod_free(im->name);
    nod_free(im->patient_id);
    nod_free(im->study_uid);
    nod_free(im->series_uid);
    nod_free(im->description);
    nod_free(im->coding);
    nod_free(im->error);
    nod_findings_done(&im->findings);
    nod_bytes_done(&im->picture);
}

void nod_survey_free(nod_survey *s)
{
    if (s == NULL) return;
    for (size_t i = 0; i < s->n_images; i++)
        nod_survey_image_done(&s->images[i]);
    for (size_t i = 0; i < s->n_problems; i++) {
        nod_free(s->problems[i].file);
        nod_free(s->problems[i].reason);
    }
    nod_free(s->images);
    nod_free(s->problems);
    nod_free(s->silent);
    nod_findings_done(&s->findings);
    nod_free(s);
}

/* --- judgement ---------------------------------------------------------------------------- */

int nod_survey_check(const nod_survey *s, nod_error *err)
{
    size_t n_read = s->n_silent;
    for (size_t i = 0; i < s->n_images; i++)
        n_read += s->images[i].error == NULL;
    if (n_read > 0) return 0;
    const nod_survey_problem *first = s->n_problems > 0 ? &s->problems[0] : NULL;
    if (first)
        return nod_fail(err, first->code, "none of %zu files could be read; the first: %s%s%s",
                        s->n_files, s->show_ids ? first->file : "", s->show_ids ? ": " : "",
                        first->reason);
    return nod_fail(err, NOD_EDATA, "no images among %zu files", s->n_files);
}

bool nod_survey_is_usable(const nod_survey_image *im)
{
    if (im->error) return false;
    for (size_t i = 0; i < im->findings.n; i++)
        if (nod_finding_get_info(im->findings.items[i].kind)->preset == NOD_POLICY_REFUSE)
            return false;
    return true;
}

void nod_survey_add_help(nod_finding_kind kind, nod_strbuf *out)
{
    const nod_finding_info *info = nod_finding_get_info(kind);
    bool first = true;
    for (int p = 0; p < NOD_POLICIES; p++) {
        if (p == NOD_POLICY_REFUSE || !(info->policies >> p & 1)) continue;
        nod_strbuf_printf(out, "%s%s=%s", first ? "" : ", ", info->name,
                          nod_policy_name((nod_policy)p));
        first = false;
    }
}

void nod_survey_add_label(const nod_survey *s, const nod_survey_image *im, nod_strbuf *out)
{
    if (im->patient == 0 && s->show_ids) {
        nod_strbuf_add(out, im->name);
        return;
    }
    if (im->patient == 0) {
        nod_strbuf_printf(out, "file %lld", (long long)im->number);
        return;
    }
    nod_strbuf_printf(out, "%lld/%lld/%lld", (long long)im->patient, (long long)im->study,
                      (long long)im->series);
    if (im->n_stacks > 1) nod_strbuf_printf(out, ".%lld", (long long)im->stack);
}

void nod_survey_count_findings(const nod_survey *s, size_t n[NOD_FINDING_KINDS])
{
    memset(n, 0, NOD_FINDING_KINDS * sizeof *n);
    for (size_t i = 0; i < s->n_images; i++)
        for (size_t k = 0; k < s->images[i].findings.n; k++)
            n[s->images[i].findings.items[k].kind]++;
}
