/* contract_json.c: the preprocessing contract as JSON, read strictly. */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "imaging/contract.h"

static const char *const interpolations[] = {"nearest", "linear", "cubic", "area", NULL};
static const char *const scalings[] = {"unit", "stored", NULL};
static const char *const normalisations[] = {"none", "dataset", "image", NULL};

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
    k.channels = (int)nod_spec_i64(&s, "channels", 1, 1, 3);
    if (k.channels == 2) nod_spec_fail(&s, "channels", "must be 1 (grey) or 3 (colour)");
    nod_spec_sizes(&s, "size", k.dims, 0, 1, 1, k.size);
    k.interpolation =
        (nod_interp)nod_spec_choice(&s, "interpolation", "linear", interpolations);
    k.scaling = (nod_scaling)nod_spec_choice(&s, "scaling", "unit", scalings);
    k.square = nod_spec_bool(&s, "square", false);
    nod_spec_sizes(&s, "pad", k.dims, 0, 0, 0, k.pad);
    nod_spec_sizes(&s, "pool", k.dims, 1, 1, 1, k.pool);
    k.normalisation =
        (nod_normalisation)nod_spec_choice(&s, "normalisation", "dataset", normalisations);
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
    return j;
}
