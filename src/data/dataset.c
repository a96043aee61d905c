/* dataset.c: decoding a part through the contract, and fitting the contract on training. */
#include "data/dataset.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/source.h"
#include "data/workers.h"

#define FIT_AT_ONCE ((size_t)1024)

typedef struct decoding {
    const nod_cohort *c;
    const nod_contract *k;
    const size_t *cases;
    size_t n;
    nod_source *source;
    float *images;           /* [n][samples], or NULL */
    nod_contract_sums *sums; /* [n], or NULL */
} decoding;

/* --- one case ----------------------------------------------------------------------------- */

/* The image is the one that was indexed. */
static int check_same(const nod_case *k, const nod_image *im, const char *path, nod_error *err)
{
    char pixels[NOD_SHA256_HEX];
    if (im->frames == k->frames && im->depth == k->depth && im->height == k->height &&
        im->width == k->width && im->channels == k->channels) {
        int rc = nod_image_pixel_hash(im, pixels, err);
        if (rc) return rc;
        if (memcmp(pixels, k->pixels, sizeof pixels) == 0) return 0;
    }
    return nod_fail(err, NOD_EDATA,
                    "%s: its pixels are not those that were indexed: the file changed; restore "
                    "it, or index and split again",
                    path);
}

static int decode_case(void *ctx, size_t i, nod_error *err)
{
    decoding *d = ctx;
    size_t i_case = d->cases[i];
    const nod_case *k = nod_cohort_get(d->c, i_case);
    nod_image im = {0};
    int rc = 0;
    char *path = nod_cohort_case_path(d->c, i_case);
    if (path == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(k->file));
        goto out;
    }
    const nod_place at = {path, k->files, k->array, k->index};
    NOD_TRY(nod_source_decode(d->source, &at, NULL, &im, err));
    NOD_TRY(check_same(k, &im, path, err));
    if (d->images)
        NOD_TRY(nod_contract_apply(d->k, &im,
                                   d->images + (int64_t)i * nod_contract_samples(d->k), err));
    if (d->sums) NOD_TRY(nod_contract_measure(d->k, &im, &d->sums[i], err));
out:
    if (rc) nod_error_prefix(err, "case %s", k->id);
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

/* --- all cases ---------------------------------------------------------------------------- */

static int load_arrays(decoding *d, nod_error *err)
{
    const nod_case *last = NULL;
    for (size_t i = 0; i < d->n; i++) {
        const nod_case *k = nod_cohort_get(d->c, d->cases[i]);
        if (*k->array == '\0') continue;
        /* Cases of one array share its strings. */
        if (last && last->file == k->file && last->array == k->array) continue;
        char *path = nod_cohort_case_path(d->c, d->cases[i]);
        int rc = path ? nod_source_load(d->source, path, k->array, err)
                      : nod_fail_memory(err, "a path", strlen(k->file));
        nod_free(path);
        if (rc) return nod_error_prefix(err, "case %s", k->id);
        last = k;
    }
    return 0;
}

static int decode_all(decoding *d, int threads, nod_error *err)
{
    int rc = nod_source_new(nod_cohort_get_info(d->c)->policies, &d->source, err);
    if (rc) return rc;
    NOD_TRY(load_arrays(d, err));
    NOD_TRY(nod_workers_run(d->n, threads, decode_case, d, err));
out:
    nod_source_free(d->source);
    d->source = NULL;
    return rc;
}

int nod_dataset_bytes(const nod_split *s, nod_part part, const nod_contract *k, size_t *out,
                      nod_error *err)
{
    size_t n = nod_split_counts(s, part).images, samples, bytes;
    if (!nod_size_mul(n, (size_t)nod_contract_samples(k), &samples) ||
        !nod_size_mul(samples, sizeof(float), &bytes))
        return nod_fail_memory(err, "the images", SIZE_MAX);
    *out = bytes;
    return 0;
}

static int check_memory(const nod_split *s, nod_part part, const nod_contract *k,
                        nod_error *err)
{
    size_t bytes = 0;
    int64_t available = nod_available_memory_bytes();
    char need[16], have[16];
    int rc = nod_dataset_bytes(s, part, k, &bytes, err);
    if (rc || available <= 0 || bytes <= (size_t)available) return rc;
    nod_format_bytes((double)bytes, need, sizeof need);
    nod_format_bytes((double)available, have, sizeof have);
    return nod_fail(
        err, NOD_ENOMEM,
        "the images of the %s part need %s, the system can give %s; a smaller input "
        "size or fewer cases fit",
        nod_part_name(part), need, have);
}

static int init_images(nod_tensor *t, size_t n, const nod_contract *k, nod_error *err)
{
    int64_t size[3];
    nod_contract_result(k, size);
    nod_shape shape = k->dims == 2
                          ? nod_shape_of(4, (int64_t)n, k->channels, size[1], size[2])
                          : nod_shape_of(5, (int64_t)n, k->channels, size[0], size[1], size[2]);
    return nod_tensor_init(t, NOD_DTYPE_F32, &shape, err);
}

int nod_dataset_open(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_contract *k, const nod_look *look, int threads, nod_dataset *out,
                     nod_error *err)
{
    nod_dataset d = {0};
    int rc = 0;
    NOD_TRY(nod_labels_serve(c, s, part, look, &d.labels, err));
    if (d.labels.n == 0) {
        rc = nod_fail(err, NOD_EDATA, "the %s part has no cases", nod_part_name(part));
        goto out;
    }
    NOD_TRY(check_memory(s, part, k, err));
    NOD_TRY(init_images(&d.images, d.labels.n, k, err));
    decoding job = {
        .c = c, .k = k, .cases = d.labels.cases, .n = d.labels.n, .images = d.images.data};
    NOD_TRY(decode_all(&job, threads, err));
    *out = d;
    d = (nod_dataset){0};
out:
    nod_dataset_done(&d);
    return rc;
}

void nod_dataset_done(nod_dataset *d)
{
    nod_tensor_done(&d->images);
    nod_labels_done(&d->labels);
    *d = (nod_dataset){0};
}

/* Sums over some cases at a time, so that a large part needs little memory; merged in the order of the
 * cases. */
static int fit_once(const nod_cohort *c, const nod_labels *train, int threads, nod_contract *k,
                    nod_error *err)
{
    nod_contract_sums *sums = nod_calloc(FIT_AT_ONCE, sizeof *sums), total = {0};
    decoding job = {.c = c, .k = k, .cases = train->cases, .n = train->n, .sums = sums};
    int rc = 0;
    if (sums == NULL)
        return nod_fail_memory(err, "sums over images", FIT_AT_ONCE * sizeof *sums);
    NOD_TRY(nod_source_new(nod_cohort_get_info(c)->policies, &job.source, err));
    NOD_TRY(load_arrays(&job, err));
    for (size_t first = 0; first < train->n; first += job.n) {
        job.cases = train->cases + first;
        job.n = NOD_MIN(FIT_AT_ONCE, train->n - first);
        NOD_TRY(nod_workers_run(job.n, threads, decode_case, &job, err));
        for (size_t i = 0; i < job.n; i++)
            nod_contract_merge(&total, &sums[i], k->channels);
    }
    NOD_TRY(nod_contract_fit(k, &total, err));
out:
    nod_source_free(job.source);
    nod_free(sums);
    return rc;
}

/* Whether prediction can judge anything: pictures without place and modality have nothing. */
static bool has_facts(const nod_cohort *c, const nod_labels *train)
{
    for (size_t i = 0; i < train->n; i++) {
        const nod_case *k = nod_cohort_get(c, train->cases[i]);
        if (k->modality[0] || k->spacing_mm[0] > 0) return true;
    }
    return false;
}

int nod_dataset_fit(const nod_cohort *c, const nod_split *s, int threads, nod_contract *k,
                    nod_error *err)
{
    nod_labels train = {0};
    nod_policies preset = nod_policies_preset();
    const nod_policies *of_cohort = nod_cohort_get_info(c)->policies;
    int rc = 0;
    if (!k->has_policies && memcmp(of_cohort, &preset, sizeof preset) != 0) {
        k->policies = *of_cohort;
        k->has_policies = true;
    }
    NOD_TRY(nod_labels_serve(c, s, NOD_PART_TRAIN, NULL, &train, err));
    if (nod_contract_is_fitted(k) && k->accepts.n_images == 0 && has_facts(c, &train))
        NOD_TRY(fit_once(c, &train, threads, k, err));
    while (!nod_contract_is_fitted(k))
        NOD_TRY(fit_once(c, &train, threads, k, err));
out:
    nod_labels_done(&train);
    return rc;
}
