/* acceptance.c: measuring, judging and storing what a model takes; see acceptance.h. */
#include "imaging/acceptance.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/spec.h"

/* --- measuring -------------------------------------------------------------------------------- */

static bool has_term(const nod_terms *t, const char *term)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->term[i], term) == 0) return true;
    return false;
}

/* Sorted, so that the order of images does not matter; what is beyond the limit is not kept. */
static void add_term(nod_terms *t, const char *term)
{
    size_t at = 0;
    if (has_term(t, term) || t->n == NOD_ACCEPTANCE_TERMS) return;
    while (at < t->n && strcmp(t->term[at], term) < 0)
        at++;
    memmove(t->term[at + 1], t->term[at], (t->n - at) * sizeof *t->term);
    snprintf(t->term[at], sizeof *t->term, "%s", term);
    t->n++;
}

static void widen(nod_range *r, nod_range by)
{
    if (by.high <= 0) return;
    r->low = r->high > 0 ? fmin(r->low, by.low) : by.low;
    r->high = fmax(r->high, by.high);
}

void nod_acceptance_measure(const nod_image *im, nod_acceptance *out)
{
    const nod_geometry *g = &im->geometry;
    *out = (nod_acceptance){.n_images = 1};
    if (im->facts.modality[0]) {
        add_term(&out->modality, im->facts.modality);
        out->n_modality = 1;
    }
    if (im->facts.photometric[0]) {
        add_term(&out->photometric, im->facts.photometric);
        out->n_photometric = 1;
    }
    if (g->space == NOD_SPACE_PATIENT) {
        char codes[4];
        nod_geometry_codes(g, codes);
        add_term(&out->orientation, codes);
        out->n_oriented = 1;
    }
    if (g->space == NOD_SPACE_NONE) return;
    out->n_spaced = 1;
    for (int a = 0; a < 3; a++) {
        double extent = (double)g->size[a] * g->spacing_mm[a];
        out->spacing_mm[a] = (nod_range){g->spacing_mm[a], g->spacing_mm[a]};
        out->extent_mm[a] = (nod_range){extent, extent};
    }
}

static void merge_terms(nod_terms *into, const nod_terms *of)
{
    for (size_t i = 0; i < of->n; i++)
        add_term(into, of->term[i]);
}

void nod_acceptance_merge(nod_acceptance *into, const nod_acceptance *of)
{
    into->n_images += of->n_images;
    into->n_modality += of->n_modality;
    into->n_photometric += of->n_photometric;
    into->n_oriented += of->n_oriented;
    into->n_spaced += of->n_spaced;
    merge_terms(&into->modality, &of->modality);
    merge_terms(&into->photometric, &of->photometric);
    merge_terms(&into->orientation, &of->orientation);
    for (int a = 0; a < 3; a++) {
        widen(&into->spacing_mm[a], of->spacing_mm[a]);
        widen(&into->extent_mm[a], of->extent_mm[a]);
    }
}

static bool is_judged(const nod_acceptance *a, int64_t n)
{
    return a->n_images > 0 && n == a->n_images;
}

bool nod_acceptance_judges(const nod_acceptance *a)
{
    return is_judged(a, a->n_modality) || is_judged(a, a->n_photometric) ||
           is_judged(a, a->n_oriented) || is_judged(a, a->n_spaced);
}

/* --- judging ---------------------------------------------------------------------------------- */

typedef struct judging {
    const nod_acceptance *a;
    nod_strlist *why;
    int n;
} judging;

NOD_PRINTF(2, 3)
static void add_reason(judging *j, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)!nod_strlist_add(j->why, line);
    j->n++;
}

static void judge_term(judging *j, const char *what, const nod_terms *terms, int64_t n,
                       const char *term)
{
    char list[160] = "";
    size_t at = 0;
    if (!is_judged(j->a, n) || (term[0] && has_term(terms, term))) return;
    for (size_t i = 0; i < terms->n && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "",
                               terms->term[i]);
    add_reason(j, "%s %s, made for %s", what, term[0] ? term : "unknown", list);
}

static void judge_range(judging *j, const char *what, int axis, nod_range r, double v)
{
    double low = r.low / NOD_ACCEPTANCE_MARGIN, high = r.high * NOD_ACCEPTANCE_MARGIN;
    if (r.high <= 0 || (v >= low && v <= high)) return;
    add_reason(j, "%s %.4g mm along %c, made for %.4g to %.4g mm", what, v, 'i' + axis, low,
               high);
}

int nod_acceptance_judge(const nod_acceptance *a, const nod_image *im, bool turns,
                         nod_strlist *why)
{
    judging j = {.a = a, .why = why};
    const nod_geometry *g = &im->geometry;
    char codes[4] = "";
    judge_term(&j, "modality", &a->modality, a->n_modality, im->facts.modality);
    judge_term(&j, "photometric interpretation", &a->photometric, a->n_photometric,
               im->facts.photometric);
    if (g->space == NOD_SPACE_PATIENT) nod_geometry_codes(g, codes);
    if (!turns || !codes[0])
        judge_term(&j, "orientation", &a->orientation, a->n_oriented, codes);
    if (!is_judged(a, a->n_spaced)) return j.n;
    if (g->space == NOD_SPACE_NONE) {
        add_reason(&j, "spacing unknown, made for images that say theirs");
        return j.n;
    }
    for (int i = 0; i < 3; i++)
        judge_range(&j, "spacing", i, a->spacing_mm[i], g->spacing_mm[i]);
    for (int i = 0; i < 3; i++)
        judge_range(&j, "field of view", i, a->extent_mm[i],
                    (double)g->size[i] * g->spacing_mm[i]);
    return j.n;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_terms(nod_json *j, const char *key, const nod_terms *t)
{
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < t->n; i++)
        nod_json_push(list, nod_json_string(t->term[i]));
    nod_json_set(j, key, list);
}

/* In the order of sizes: (depth,) height, width. */
static void put_ranges(nod_json *j, const char *key, int dims, const nod_range r[3])
{
    nod_json *list = nod_json_array();
    for (int a = dims - 1; a >= 0; a--) {
        nod_json *pair = nod_json_array();
        nod_json_push(pair, nod_json_real(r[a].low));
        nod_json_push(pair, nod_json_real(r[a].high));
        nod_json_push(list, pair);
    }
    nod_json_set(j, key, list);
}

nod_json *nod_acceptance_to_json(const nod_acceptance *a, int dims)
{
    if (!nod_acceptance_judges(a)) return NULL;
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "images", a->n_images);
    if (is_judged(a, a->n_modality)) put_terms(j, "modality", &a->modality);
    if (is_judged(a, a->n_photometric)) put_terms(j, "photometric", &a->photometric);
    if (is_judged(a, a->n_oriented)) put_terms(j, "orientation", &a->orientation);
    if (is_judged(a, a->n_spaced)) {
        put_ranges(j, "spacing", dims, a->spacing_mm);
        put_ranges(j, "extent", dims, a->extent_mm);
    }
    return j;
}

/* Where the key is there, all of the images said it. */
static void read_terms(nod_spec *s, const char *key, int64_t n_images, nod_terms *t, int64_t *n)
{
    const nod_json *list = nod_spec_child(s, key);
    if (!list) return;
    if (!nod_json_is_array(list) || nod_json_count(list) == 0 ||
        nod_json_count(list) > NOD_ACCEPTANCE_TERMS) {
        nod_spec_fail(s, key, "must be a list of 1 to %d terms", NOD_ACCEPTANCE_TERMS);
        return;
    }
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const char *term = nod_json_str(nod_json_at(list, i));
        if (!term[0] || strlen(term) > 16) {
            nod_spec_fail(s, key, "entry %zu is not a term of 1 to 16 letters", i);
            return;
        }
        add_term(t, term);
    }
    *n = n_images;
}

static bool read_ranges(nod_spec *s, const char *key, int dims, nod_range r[3])
{
    const nod_json *list = nod_spec_child(s, key);
    if (!list) return false;
    for (int a = 0; a < dims; a++) {
        const nod_json *pair = nod_json_at(list, (size_t)(dims - 1 - a));
        double low = nod_json_f64(nod_json_at(pair, 0)),
               high = nod_json_f64(nod_json_at(pair, 1));
        if (!(low > 0 && low <= high && isfinite(high))) {
            nod_spec_fail(s, key, "must be %d pairs [lowest, highest] in millimetres", dims);
            return false;
        }
        r[a] = (nod_range){low, high};
    }
    return true;
}

int nod_acceptance_from_json(const nod_json *j, int dims, const char *where,
                             nod_acceptance *out, nod_error *err)
{
    nod_acceptance a = {0};
    nod_spec s;
    nod_json *completed = NULL;
    nod_spec_begin(&s, j, where, err);
    a.n_images = nod_spec_i64(&s, "images", 1, 1, INT64_MAX);
    read_terms(&s, "modality", a.n_images, &a.modality, &a.n_modality);
    read_terms(&s, "photometric", a.n_images, &a.photometric, &a.n_photometric);
    read_terms(&s, "orientation", a.n_images, &a.orientation, &a.n_oriented);
    bool spacing = read_ranges(&s, "spacing", dims, a.spacing_mm);
    bool extent = read_ranges(&s, "extent", dims, a.extent_mm);
    if (spacing || extent) a.n_spaced = a.n_images;
    int rc = nod_spec_end(&s, &completed);
    if (rc) return rc;
    nod_json_free(completed);
    *out = a;
    return 0;
}
