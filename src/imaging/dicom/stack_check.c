/* stack_check.c: the findings of a stack, from its places and from its headers. */
#include "imaging/dicom/stack_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define NEAR_MM       0.01 /* how exact positions are written, at worst */
#define NEAR_DISTANCE 0.02 /* of the distance between slices */
#define NEAR_PIXEL    0.1  /* of a pixel, along the plane */
#define RUN_MIN       3    /* places that make a run */
#define RAD_TO_DEG    57.29577951308232

/* --- distances ---------------------------------------------------------------------------- */

static double tolerance(double distance_mm)
{
    return fmax(fmin(NEAR_MM, 0.1 * distance_mm), NEAR_DISTANCE * distance_mm);
}

static bool is_equal_distance(double a, double b)
{
    return fabs(a - b) <= tolerance(fmin(a, b));
}

/* Whether every place lies on the even grid from the first to the last. */
static bool is_even(const double *along_mm, size_t n)
{
    if (n < 3) return true;
    double step = (along_mm[n - 1] - along_mm[0]) / (double)(n - 1);
    for (size_t i = 1; i + 1 < n; i++)
        if (fabs(along_mm[i] - along_mm[0] - (double)i * step) > tolerance(step)) return false;
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The most frequent distance, the smaller of equals; the mean of those near it. */
static double usual_distance(const double *along_mm, size_t n)
{
    double best = 1, *d = n < 2 ? NULL : nod_calloc(n - 1, sizeof *d);
    size_t best_count = 0;
    if (d == NULL) return n < 2 ? best : along_mm[1] - along_mm[0];
    for (size_t i = 0; i + 1 < n; i++)
        d[i] = along_mm[i + 1] - along_mm[i];
    qsort(d, n - 1, sizeof *d, compare_doubles);
    for (size_t i = 0, j; i < n - 1; i = j) {
        double sum = 0;
        for (j = i; j < n - 1 && is_equal_distance(d[i], d[j]); j++)
            sum += d[j];
        if (j - i > best_count) {
            best_count = j - i;
            best = sum / (double)(j - i);
        }
    }
    nod_free(d);
    return best;
}

/* Whether all distances are multiples of `step`. *n_missing: places that lack a slice;
 * *n_together: the longest row of distances that are not `step` itself. */
static bool is_multiple(const double *along_mm, size_t n, double step, int64_t *n_missing,
                        size_t *n_together)
{
    size_t together = 0;
    *n_missing = 0;
    *n_together = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double d = along_mm[i + 1] - along_mm[i], times = rint(d / step);
        if (times < 1 || times > 1e6 || fabs(d - times * step) > tolerance(step) * times)
            return false;
        *n_missing += (int64_t)times - 1;
        together = times > 1 ? together + 1 : 0;
        *n_together = NOD_MAX(*n_together, together);
    }
    return true;
}

size_t nod_dicom_cut_runs(const double *along_mm, uint32_t n, uint32_t *runs)
{
    int64_t n_missing;
    size_t n_together, n_runs = 0;
    uint32_t shortest = n;
    runs[0] = 0;
    runs[1] = n;
    if (n < 2 * RUN_MIN || is_even(along_mm, n)) return 1;
    if (is_multiple(along_mm, n, usual_distance(along_mm, n), &n_missing, &n_together) &&
        n_together < 2)
        return 1;
    for (uint32_t first = 0; first < n;) {
        uint32_t end = first + 1;
        double step = end < n ? along_mm[end] - along_mm[first] : 0;
        while (end < n && is_equal_distance(along_mm[end] - along_mm[end - 1], step))
            end++;
        runs[n_runs++] = first;
        shortest = NOD_MIN(shortest, end - first);
        first = end;
    }
    if (shortest < RUN_MIN) n_runs = 1;
    runs[n_runs] = n;
    return n_runs;
}

/* --- places ------------------------------------------------------------------------------- */

static int check_distances(nod_dicom_stack *k, nod_error *err)
{
    size_t n = (size_t)k->n_slices, n_together;
    int64_t n_missing;
    const double *z = k->along_mm;
    if (n < 2) return 0;
    if (is_even(z, n)) {
        k->geometry.spacing_mm[2] = z[n - 1] / (double)(n - 1);
        return 0;
    }
    double step = usual_distance(z, n), least = INFINITY, most = 0;
    k->geometry.spacing_mm[2] = step;
    for (size_t i = 0; i + 1 < n; i++) {
        least = fmin(least, z[i + 1] - z[i]);
        most = fmax(most, z[i + 1] - z[i]);
    }
    if (is_multiple(z, n, step, &n_missing, &n_together) && n_missing > 0)
        return nod_findings_add(&k->findings, err, NOD_FINDING_GAP,
                                "%lld of %lld slices are missing, %.4g mm apart",
                                (long long)n_missing,
                                (long long)n_missing + (long long)k->n_slices, step);
    return nod_findings_add(&k->findings, err, NOD_FINDING_UNEVEN_SPACING,
                            "slices are %.4g to %.4g mm apart, mostly %.4g mm", least, most,
                            step);
}

/* Slices that are shifted along their plane: in proportion to their distance it is a tilt. */
static int check_shifts(nod_dicom_stack *k, nod_error *err)
{
    int64_t last = k->n_slices - 1;
    double near = NEAR_PIXEL * fmin(k->geometry.spacing_mm[0], k->geometry.spacing_mm[1]);
    if (last < 1) return 0;
    double length = k->along_mm[last], *end = k->shift_mm[last], most = 0, away = 0;
    for (int64_t i = 1; i <= last; i++) {
        double *s = k->shift_mm[i], part = k->along_mm[i] / length;
        most = fmax(most, hypot(s[0], s[1]));
        away = fmax(away, hypot(s[0] - part * end[0], s[1] - part * end[1]));
    }
    if (most <= near) return 0;
    if (away > near)
        return nod_findings_add(&k->findings, err, NOD_FINDING_UNEVEN_SPACING,
                                "slices are shifted along their plane by up to %.4g mm", most);
    return nod_findings_add(&k->findings, err, NOD_FINDING_GANTRY_TILT,
                            "%.2f degrees, %.4g mm over %lld slices",
                            atan2(hypot(end[0], end[1]), length) * RAD_TO_DEG,
                            hypot(end[0], end[1]), (long long)k->n_slices);
}

int nod_dicom_stack_check_places(nod_dicom_stack *k, nod_error *err)
{
    int rc = check_distances(k, err);
    return rc ? rc : check_shifts(k, err);
}

int nod_dicom_stack_check_phases(nod_dicom_stack *k, const nod_dicom_phases *phases,
                                 nod_error *err)
{
    if (phases->n_duplicate > 0) {
        int rc = nod_findings_add(&k->findings, err, NOD_FINDING_DUPLICATE,
                                  "%zu slices lie where another one lies", phases->n_duplicate);
        if (rc) return rc;
    }
    int64_t n_missing = 0;
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++)
        n_missing += k->slices[i].file == NOD_DICOM_NO_FILE;
    if (n_missing == 0) return 0;
    return nod_findings_add(&k->findings, err, NOD_FINDING_MISSING_PHASE,
                            "%lld of %lld slices are missing along the axis '%s' of %lld",
                            (long long)n_missing,
                            (long long)k->n_slices * (long long)k->n_phases,
                            nod_axis_name(k->axis), (long long)k->n_phases);
}

/* --- headers ------------------------------------------------------------------------------ */

static int check_slopes(nod_dicom_stack *k, const nod_dicom_header *const *headers,
                        nod_error *err)
{
    double least = INFINITY, most = -INFINITY, low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++) {
        if (k->slices[i].file == NOD_DICOM_NO_FILE) continue;
        const nod_dicom_frame *f = &headers[k->slices[i].file]->frames[k->slices[i].frame];
        least = fmin(least, f->slope);
        most = fmax(most, f->slope);
        low = fmin(low, f->intercept);
        high = fmax(high, f->intercept);
    }
    if (!(least < most || low < high)) return 0;
    return nod_findings_add(&k->findings, err, NOD_FINDING_MIXED_SLOPES,
                            "slopes %.6g to %.6g, intercepts %.6g to %.6g", least, most, low,
                            high);
}

typedef struct header_rule {
    nod_finding_kind kind;
    bool (*applies)(const nod_dicom_header *h);
    const char *detail;
} header_rule;

static bool is_localizer(const nod_dicom_header *h)
{
    return nod_dicom_header_has_type(h, "LOCALIZER");
}

static bool is_derived(const nod_dicom_header *h)
{
    return nod_dicom_header_has_type(h, "DERIVED");
}

static bool is_burned_in(const nod_dicom_header *h)
{
    return h->burned_in;
}

static bool is_at_detector(const nod_dicom_header *h)
{
    return h->calibration == NOD_DICOM_SPACING_DETECTOR;
}

static bool is_lossy(const nod_dicom_header *h)
{
    return h->lossy;
}

static const header_rule rules[] = {
    {NOD_FINDING_LOCALIZER, is_localizer, "ImageType has LOCALIZER"},
    {NOD_FINDING_SECONDARY_CAPTURE, nod_dicom_header_is_capture,
     "the class is Secondary Capture"},
    {NOD_FINDING_DERIVED, is_derived, "ImageType has DERIVED"},
    {NOD_FINDING_BURNED_IN, is_burned_in, "BurnedInAnnotation is YES"},
    {NOD_FINDING_LOSSY, is_lossy, "LossyImageCompression is 01"},
    {NOD_FINDING_DETECTOR_SPACING, is_at_detector,
     "the spacing is ImagerPixelSpacing or of a film"},
};

int nod_dicom_stack_check_headers(nod_dicom_stack *k, const nod_dicom_header *const *headers,
                                  nod_error *err)
{
    const nod_dicom_header *last = NULL, *first = NULL;
    int rc = check_slopes(k, headers, err);
    for (int64_t i = 0; !rc && i < k->n_slices * k->n_phases; i++) {
        const nod_dicom_header *h =
            k->slices[i].file == NOD_DICOM_NO_FILE ? last : headers[k->slices[i].file];
        if (h == last) continue; /* frames of one file */
        last = h;
        if (first == NULL) first = h;
        for (size_t r = 0; !rc && r < NOD_COUNT(rules); r++)
            if (rules[r].applies(h))
                rc = nod_findings_add(&k->findings, err, rules[r].kind, "%s", rules[r].detail);
        if (!rc && strcmp(first->intent, h->intent) != 0)
            rc = nod_findings_add(&k->findings, err, NOD_FINDING_MIXED_INTENT,
                                  "'%s' beside '%s'", first->intent, h->intent);
    }
    return rc;
}

/* --- the series --------------------------------------------------------------------------- */

/* From the last slice of one stack to the first of the next, along the normal; NAN where they are not
 * parallel. */
static double step_between_mm(const nod_dicom_stack *a, const nod_dicom_stack *b)
{
    const double *normal = a->geometry.direction[2];
    double step = -a->along_mm[a->n_slices - 1], cosine = 0;
    for (int c = 0; c < 3; c++) {
        step += (b->geometry.origin_mm[c] - a->geometry.origin_mm[c]) * normal[c];
        cosine += b->geometry.direction[2][c] * normal[c];
    }
    return cosine > 0.9999 ? step : NAN;
}

static void describe_stacks(const nod_dicom_stacks *s, size_t n_volumes, nod_strbuf *text)
{
    const nod_dicom_stack *last = NULL;
    size_t listed = 0;
    nod_strbuf_printf(text, "%zu volumes:", n_volumes);
    for (size_t i = 0; i < s->n && listed < 4; i++) {
        const nod_geometry *g = &s->items[i].geometry;
        if (s->items[i].projection) continue;
        double step_mm = last ? step_between_mm(last, &s->items[i]) : NAN;
        if (step_mm > 0) nod_strbuf_printf(text, ", a step of %.3g mm", step_mm);
        nod_strbuf_printf(text, "%s %lldx%lldx%lld", listed++ ? "," : "", (long long)g->size[0],
                          (long long)g->size[1], (long long)g->size[2]);
        if (g->size[2] > 1) nod_strbuf_printf(text, " every %.4g mm", g->spacing_mm[2]);
        last = &s->items[i];
    }
    if (n_volumes > 4) nod_strbuf_add(text, ", ...");
}

int nod_dicom_stacks_check(nod_dicom_stacks *s, nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    size_t n_volumes = 0;
    int rc = 0;
    for (size_t i = 0; i < s->n; i++)
        n_volumes += !s->items[i].projection;
    if (n_volumes < 2) return 0;
    describe_stacks(s, n_volumes, &text);
    if (text.failed)
        rc = nod_fail_memory(err, "findings", text.len);
    else
        rc = nod_findings_add(&s->findings, err, NOD_FINDING_SEVERAL_STACKS, "%s", text.data);
    nod_strbuf_done(&text);
    return rc;
}
