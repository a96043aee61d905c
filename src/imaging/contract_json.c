/* contract_json.c: the preprocessing contract as JSON, read strictly. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/spec.h"
#include "imaging/contract.h"

static const char *const interpolations[] = {"nearest", "linear", "cubic", "area", NULL};
static const char *const scalings[] = {"unit", "stored", NULL};
static const char *const normalisations[] = {"none", "dataset", "image", NULL};
static const char *const fits[] = {"resize", "crop", NULL};
static const char *const frames[] = {"one", "first", "mean", "all", NULL};
static const char *const units[] = {"file", "hu", NULL};
static const char *const clips[] = {"image", "dataset", NULL};
static const char *const statistics[] = {"all", "foreground", NULL};

/* A list of `channels` finite numbers; false where the key is absent. */
static bool read_list(nod_spec *s, const char *key, int channels, bool above_zero, double *out)
{
    const nod_json *list = nod_spec_child(s, key);
    if (list == NULL) return false;
    if (!nod_json_is_array(list) || nod_json_count(list) != (size_t)channels) {
        nod_spec_fail(s, key, "must be a list of %d numbers, one a channel", channels);
        return false;
    }
    for (int c = 0; c < channels; c++) {
        const nod_json *v = nod_json_at(list, (size_t)c);
        out[c] = nod_json_is_number(v) ? nod_json_f64(v) : NAN;
        if (!isfinite(out[c]) || (above_zero && out[c] <= 0)) {
            nod_spec_fail(s, key, "entry %d must be a%s number", c,
                          above_zero ? " positive" : "");
            return false;
        }
    }
    return true;
}

static void check_sizes(nod_spec *s, nod_contract *k)
{
    int64_t n = k->channels;
    for (int i = 0; i < 3; i++) {
        if (k->pad[i] == 0) k->pad[i] = k->size[i];
        if (k->size[i] > NOD_CONTRACT_SIDE_MAX || k->pad[i] > NOD_CONTRACT_SIDE_MAX) {
            nod_spec_fail(s, "size", "at most %d a side", NOD_CONTRACT_SIDE_MAX);
            return;
        }
        if (k->pad[i] < k->size[i])
            nod_spec_fail(s, "pad", "%lld is less than the size %lld", (long long)k->pad[i],
                          (long long)k->size[i]);
        else if (k->pad[i] % k->pool[i] != 0)
            nod_spec_fail(s, "pool",
                          "%lld does not divide %lld voxels; choose pad so that it does",
                          (long long)k->pool[i], (long long)k->pad[i]);
        n *= k->pad[i]; /* at most 3 * 2^36 */
    }
    if (n > NOD_IMAGE_MAX_SAMPLES) nod_spec_fail(s, "size", "too many voxels");
}

/* --- keys of place and units ------------------------------------------------------------------ */

/* A word, or a list of them; "any" is none. */
static void read_modality(nod_spec *s, nod_contract *k)
{
    const nod_json *v = nod_spec_child(s, "modality");
    size_t n = v && nod_json_is_array(v) ? nod_json_count(v) : 1;
    if (!v || strcmp(nod_json_str(v), "any") == 0) return;
    for (size_t i = 0; i < n; i++) {
        const char *term = nod_json_str(nod_json_is_array(v) ? nod_json_at(v, i) : v);
        if (!term[0] || strlen(term) > 16 || k->modality.n == NOD_ACCEPTANCE_TERMS) {
            nod_spec_fail(s, "modality",
                          "must be any, one of DICOM's codes such as CT, or a "
                          "list of them");
            return;
        }
        snprintf(k->modality.term[k->modality.n++], sizeof *k->modality.term, "%s", term);
    }
}

static void read_orientation(nod_spec *s, nod_contract *k)
{
    const char *v = nod_spec_str(s, "orientation", "any");
    if (s->rc || strcmp(v, "any") == 0) return;
    if (k->dims != 3)
        nod_spec_fail(s, "orientation", "belongs to volumes");
    else if (!nod_orientation_is_valid(v))
        nod_spec_fail(s, "orientation",
                      "'%.8s' is neither any nor one of L R, P A, S I for each axis, e.g. LPS",
                      v);
    else
        snprintf(k->orientation, sizeof k->orientation, "%s", v);
}

/* Millimetres: a number for all axes, or a list with null where the image's own stays. */
static void read_spacing(nod_spec *s, nod_contract *k)
{
    const nod_json *v = nod_spec_child(s, "spacing");
    if (!v) return;
    bool list = nod_json_is_array(v);
    if (list && nod_json_count(v) != (size_t)k->dims) {
        nod_spec_fail(s, "spacing", "has %zu entries, the input has %d dimensions",
                      nod_json_count(v), k->dims);
        return;
    }
    for (int i = 0; i < k->dims; i++) {
        const nod_json *e = list ? nod_json_at(v, (size_t)i) : v;
        double mm = nod_json_is_null(e) ? 0 : nod_json_f64(e);
        if (!nod_json_is_null(e) && !(mm >= 1e-4 && mm <= 1e4)) {
            nod_spec_fail(s, "spacing", "must be millimetres, or a list of them and null");
            return;
        }
        k->spacing_mm[3 - k->dims + i] = mm;
    }
    if (k->fit != NOD_FIT_CROP)
        nod_spec_fail(s, "spacing", "needs fit: crop; fit: resize stretches to the size");
}

/* Two numbers; false where the key is absent. */
static bool read_pair(nod_spec *s, const char *key, const char *what, double out[2])
{
    const nod_json *v = nod_spec_child(s, key);
    if (!v) return false;
    out[0] = nod_json_is_array(v) ? nod_json_f64(nod_json_at(v, 0)) : NAN;
    out[1] = nod_json_is_array(v) ? nod_json_f64(nod_json_at(v, 1)) : NAN;
    if (nod_json_is_array(v) && nod_json_count(v) == 2 && isfinite(out[0]) && isfinite(out[1]))
        return true;
    nod_spec_fail(s, key, "must be %s", what);
    return false;
}

static void read_intensity(nod_spec *s, nod_contract *k)
{
    bool window = read_pair(s, "window", "[centre, width] in Hounsfield units", k->window);
    bool clip = read_pair(s, "clip", "[low, high] in percent", k->clip);
    if (window && !(k->window[1] > 0)) nod_spec_fail(s, "window", "the width must be above 0");
    if (clip && !(k->clip[0] >= 0 && k->clip[0] < k->clip[1] && k->clip[1] <= 100))
        nod_spec_fail(s, "clip", "must be two percentiles, 0 <= low < high <= 100");
    if (window && clip) nod_spec_fail(s, "clip", "stands beside window; take one");
    k->intensity = window ? NOD_INTENSITY_WINDOW
                   : clip ? NOD_INTENSITY_CLIP
                          : NOD_INTENSITY_ALL;
    bool given = nod_spec_has(s, "units");
    k->takes_hu = nod_spec_choice(s, "units", "file", units) == 1;
    if (given && !window) nod_spec_fail(s, "units", "belongs to window");
    given = nod_spec_has(s, "clip_by");
    k->clip_by_dataset = nod_spec_choice(s, "clip_by", "image", clips) == 1;
    if (given && !clip) nod_spec_fail(s, "clip_by", "belongs to clip");
    k->clip_fitted = read_pair(s, "clip_range", "[low, high] of the values", k->clip_range);
    if (k->clip_fitted && !k->clip_by_dataset)
        nod_spec_fail(s, "clip_range", "belongs to clip_by: dataset");
    if (k->clip_fitted && !(k->clip_range[0] < k->clip_range[1]))
        nod_spec_fail(s, "clip_range", "low must be below high");
    given = nod_spec_has(s, "statistics");
    k->foreground = nod_spec_choice(s, "statistics", "all", statistics) == 1;
    if (given && k->normalisation == NOD_NORMALISATION_NONE)
        nod_spec_fail(s, "statistics", "belongs to normalisation: dataset or image");
}

static void read_place(nod_spec *s, nod_contract *k)
{
    read_modality(s, k);
    read_orientation(s, k);
    k->fit = (nod_fit)nod_spec_choice(s, "fit", "resize", fits);
    if (k->fit == NOD_FIT_CROP && k->square)
        nod_spec_fail(s, "square", "belongs to fit: resize");
    read_spacing(s, k);
    const nod_json *policies = nod_spec_child(s, "policies");
    k->policies = nod_policies_preset();
    if (policies && !s->rc) {
        k->has_policies = true;
        s->rc = nod_policies_from_json(policies, "input.policies", &k->policies, s->err);
    }
    const nod_json *accepts = nod_spec_child(s, "accepts");
    if (accepts && !s->rc)
        s->rc =
            nod_acceptance_from_json(accepts, k->dims, "input.accepts", &k->accepts, s->err);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Planes or volumes, by the length of `size`; 0 after a failure. */
static int read_dims(nod_spec *s)
{
    const nod_json *size = nod_spec_child(s, "size");
    size_t n = size && nod_json_is_array(size) ? nod_json_count(size) : 0;
    if (n == 2 || n == 3) return (int)n;
    nod_spec_fail(s, "size", "must be [height, width] or [depth, height, width]");
    return 0;
}

int nod_contract_from_json(const nod_json *j, const char *where, nod_contract *out,
                           nod_error *err)
{
    nod_contract k = {0};
    nod_spec s;
    nod_json *completed = NULL;
    nod_spec_begin(&s, j, where, err);
    k.dims = read_dims(&s);
    if (k.dims == 0) {
        (void)!nod_spec_end(&s, &completed);
        return s.rc;
    }
    k.frames = (nod_frames)nod_spec_choice(&s, "frames", "one", frames);
    k.channels = (int)nod_spec_i64(&s, "channels", 1, 1,
                                   k.frames == NOD_FRAMES_ALL ? NOD_CONTRACT_CHANNELS_MAX : 3);
    if (k.channels == 2 && k.frames != NOD_FRAMES_ALL)
        nod_spec_fail(&s, "channels", "must be 1 (grey) or 3 (colour)");
    nod_spec_sizes(&s, "size", k.dims, 0, 1, 1, k.size);
    k.interpolation =
        (nod_interp)nod_spec_choice(&s, "interpolation", "linear", interpolations);
    k.scaling = (nod_scaling)nod_spec_choice(&s, "scaling", "unit", scalings);
    k.square = nod_spec_bool(&s, "square", false);
    nod_spec_sizes(&s, "pad", k.dims, 0, 0, 0, k.pad);
    nod_spec_sizes(&s, "pool", k.dims, 1, 1, 1, k.pool);
    k.normalisation =
        (nod_normalisation)nod_spec_choice(&s, "normalisation", "dataset", normalisations);
    read_intensity(&s, &k);
    read_place(&s, &k);
    bool mean = read_list(&s, "mean", k.channels, false, k.mean);
    bool sd = read_list(&s, "sd", k.channels, true, k.sd);
    if (mean != sd) nod_spec_fail(&s, mean ? "sd" : "mean", "is missing beside the other");
    if (mean && k.normalisation != NOD_NORMALISATION_DATASET)
        nod_spec_fail(&s, "mean", "belongs to normalisation: dataset");
    k.fitted = mean && sd;
    if (!s.rc) check_sizes(&s, &k);
    int rc = nod_spec_end(&s, &completed);
    if (rc) return rc;
    nod_json_free(completed);
    *out = k;
    return 0;
}

static void set_sizes(nod_json *j, const char *key, int dims, const int64_t v[3])
{
    nod_json *list = nod_json_array();
    for (int i = 3 - dims; i < 3; i++)
        nod_json_push(list, nod_json_int(v[i]));
    nod_json_set(j, key, list);
}

static void set_list(nod_json *j, const char *key, int n, const double *v)
{
    nod_json *list = nod_json_array();
    for (int i = 0; i < n; i++)
        nod_json_push(list, nod_json_real(v[i]));
    nod_json_set(j, key, list);
}

static void set_pair(nod_json *j, const char *key, const double v[2])
{
    set_list(j, key, 2, v);
}

static void set_intensity(nod_json *j, const nod_contract *k)
{
    if (k->intensity == NOD_INTENSITY_WINDOW) set_pair(j, "window", k->window);
    if (k->takes_hu) nod_json_set_str(j, "units", units[1]);
    if (k->intensity == NOD_INTENSITY_CLIP) {
        set_pair(j, "clip", k->clip);
        nod_json_set_str(j, "clip_by", clips[k->clip_by_dataset]);
        if (k->clip_fitted) set_pair(j, "clip_range", k->clip_range);
    }
    if (k->foreground) nod_json_set_str(j, "statistics", statistics[1]);
}

/* Keys at their default are left out: recipes of plain pictures stay what they were, and so does
 * their hash. */
static void set_place(nod_json *j, const nod_contract *k)
{
    nod_json *list = nod_json_array();
    bool resamples = false;
    for (size_t i = 0; i < k->modality.n; i++)
        nod_json_push(list, nod_json_string(k->modality.term[i]));
    if (k->modality.n)
        nod_json_set(j, "modality", list);
    else
        nod_json_free(list);
    if (k->frames != NOD_FRAMES_ONE) nod_json_set_str(j, "frames", frames[k->frames]);
    if (k->orientation[0]) nod_json_set_str(j, "orientation", k->orientation);
    if (k->fit != NOD_FIT_RESIZE) nod_json_set_str(j, "fit", fits[k->fit]);
    list = nod_json_array();
    for (int i = 3 - k->dims; i < 3; i++) {
        resamples = resamples || k->spacing_mm[i] > 0;
        nod_json_push(list,
                      k->spacing_mm[i] > 0 ? nod_json_real(k->spacing_mm[i]) : nod_json_null());
    }
    if (resamples)
        nod_json_set(j, "spacing", list);
    else
        nod_json_free(list);
    if (k->has_policies) nod_json_set(j, "policies", nod_policies_to_json(&k->policies));
    nod_json *accepts = nod_acceptance_to_json(&k->accepts, k->dims);
    if (accepts) nod_json_set(j, "accepts", accepts);
}

nod_json *nod_contract_to_json(const nod_contract *k)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "channels", k->channels);
    set_sizes(j, "size", k->dims, k->size);
    nod_json_set_str(j, "interpolation", nod_interp_name(k->interpolation));
    nod_json_set_str(j, "scaling", scalings[k->scaling]);
    nod_json_set_bool(j, "square", k->square);
    set_sizes(j, "pad", k->dims, k->pad);
    set_sizes(j, "pool", k->dims, k->pool);
    nod_json_set_str(j, "normalisation", normalisations[k->normalisation]);
    if (k->fitted) {
        set_list(j, "mean", k->channels, k->mean);
        set_list(j, "sd", k->channels, k->sd);
    }
    set_intensity(j, k);
    set_place(j, k);
    return j;
}

nod_json *nod_contract_prepare_json(const nod_contract *k)
{
    nod_contract first = *k;
    first.fitted = false;
    first.accepts = (nod_acceptance){0};
    return nod_contract_to_json(&first);
}
