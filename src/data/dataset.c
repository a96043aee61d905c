/* dataset.c: the images of a part, decoded or found in the cache, and what is fitted on training. */
#include "data/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hide.h"
#include "base/memory.h"
#include "data/cache.h"
#include "data/source.h"
#include "data/workers.h"

#define FIT_AT_ONCE ((size_t)1024)

typedef struct decoding {
    const nod_cohort *c;
    const nod_contract *k;
    const nod_dataset_options *o;
    const size_t *cases;
    size_t n;
    nod_source *source;
    nod_cache *cache;        /* NULL: none */
    bool *found;             /* [n] in the cache, delivered */
    size_t *at;              /* [n] where in the cache; 0: not there */
    float *images;           /* [n][samples], or NULL */
    nod_contract_sums *sums; /* [n], or NULL */
    char (*unlike)[256]; /* [n] why an image is not like the contract's, or NULL: not asked */
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

/* What comes of a prepared image. */
static void deliver(decoding *d, size_t i, const float *values, const nod_contract_sums *sums)
{
    int64_t n = nod_contract_samples(d->k);
    if (d->images) nod_contract_normalise(d->k, values, d->images + (int64_t)i * n);
    if (d->sums) d->sums[i] = *sums;
}

/* The same for a contract that is applied at once. */
static int apply(decoding *d, size_t i, const nod_image *im, nod_error *err)
{
    int rc = 0;
    if (d->images)
        rc = nod_contract_apply(d->k, im, d->images + (int64_t)i * nod_contract_samples(d->k),
                                err);
    if (!rc && d->sums) rc = nod_contract_measure(d->k, im, &d->sums[i], err);
    return rc;
}

/* Whether the contract can take the image, and whether it is like those that it was made for. */
static int judge(decoding *d, size_t i, const nod_image *im, nod_error *err)
{
    nod_error unlike = NOD_ERROR_INIT;
    const char *id = nod_cohort_get(d->c, d->cases[i])->id;
    size_t bytes = (size_t)nod_contract_samples(d->k) * sizeof(float);
    float *values = nod_malloc(bytes);
    if (values == NULL) return nod_fail_memory(err, "an image", bytes);
    int rc = nod_contract_apply(d->k, im, values, err);
    if (rc == 0 && nod_contract_check(d->k, im, id, &unlike))
        snprintf(d->unlike[i], sizeof d->unlike[i], "%.255s", unlike.message);
    nod_free(values);
    return rc;
}

/* Prepares the image, keeps it, and delivers it. `before` is the state of the files before they were
 * read, known or not: only if it is still the same the record may be found again. */
static int prepare_and_keep(decoding *d, size_t i, const nod_image *im,
                            const nod_pack_key *before, nod_error *err)
{
    nod_contract_sums sums;
    nod_pack_key after;
    size_t bytes = (size_t)nod_contract_samples(d->k) * sizeof(float);
    float *values = nod_malloc(bytes);
    if (values == NULL) return nod_fail_memory(err, "an image", bytes);
    int rc = nod_contract_prepare(d->k, im, values, &sums, err);
    bool known = nod_cache_key(d->c, d->cases[i], &after);
    if (!known || memcmp(before->state, after.state, sizeof after.state) != 0)
        memset(after.state, '-', sizeof after.state - 1);
    if (!rc) rc = nod_cache_put(d->cache, &after, values, &sums, &d->at[i], err);
    if (!rc) deliver(d, i, values, &sums);
    nod_free(values);
    return rc;
}

static int decode_case(void *ctx, size_t i, nod_error *err)
{
    decoding *d = ctx;
    size_t i_case = d->cases[i];
    const nod_case *k = nod_cohort_get(d->c, i_case);
    nod_pack_key key;
    nod_image im = {0};
    int rc = 0;
    if (d->found && d->found[i]) return 0;
    char *path = nod_cohort_case_path(d->c, i_case);
    if (path == NULL) {
        rc = nod_fail_memory(err, "a path", strlen(k->file));
        goto out;
    }
    if (d->cache) (void)nod_cache_key(d->c, i_case, &key);
    const nod_place at = {path, k->files, k->array, k->index};
    NOD_TRY(nod_source_decode(d->source, &at, NULL, &im, err));
    NOD_TRY(check_same(k, &im, path, err));
    if (d->unlike)
        NOD_TRY(judge(d, i, &im, err));
    else if (d->cache)
        NOD_TRY(prepare_and_keep(d, i, &im, &key, err));
    else
        NOD_TRY(apply(d, i, &im, err));
out:
    if (rc) nod_case_blame(k, path, err);
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

/* Takes the image from the cache if it is there. */
static int find_case(void *ctx, size_t i, nod_error *err)
{
    decoding *d = ctx;
    nod_pack_key key;
    nod_contract_sums sums;
    size_t bytes = (size_t)nod_contract_samples(d->k) * sizeof(float);
    d->found[i] = false;
    d->at[i] = nod_cache_key(d->c, d->cases[i], &key) ? nod_cache_find(d->cache, &key) : 0;
    if (d->at[i] == 0) return 0;
    if (d->sums && nod_cache_sums(d->cache, d->at[i], &sums, err)) {
        *err = (nod_error)NOD_ERROR_INIT;
        return 0; /* as good as damaged */
    }
    float *values = d->images ? nod_malloc(bytes) : NULL;
    if (d->images && values == NULL) return nod_fail_memory(err, "an image", bytes);
    if (values) nod_cache_values(d->cache, d->at[i], values);
    d->found[i] = true;
    deliver(d, i, values, &sums);
    nod_free(values);
    return 0;
}

/* --- all cases ---------------------------------------------------------------------------- */

static size_t count_missing(const decoding *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += !d->found[i];
    return n;
}

/* Those that the cache has; then the lock, and those that another process has added meanwhile. */
static int find_all(decoding *d, nod_error *err)
{
    bool changed = false;
    int rc = nod_workers_run(d->n, d->o->threads, find_case, d, err);
    if (rc || count_missing(d) == 0) return rc;
    rc = nod_cache_begin(d->cache, &changed, err);
    if (!rc && changed) rc = nod_workers_run(d->n, d->o->threads, find_case, d, err);
    return rc;
}

/* Delivers cases 0 .. n-1; the arrays that this needs are loaded. */
static int decode_all(decoding *d, nod_error *err)
{
    int rc = 0;
    nod_error end = NOD_ERROR_INIT;
    if (d->cache) NOD_TRY(find_all(d, err));
    if (!d->cache || count_missing(d) > 0) {
        NOD_TRY(nod_source_load_cases(d->source, d->c, d->cases, d->n, d->found, err));
        NOD_TRY(nod_workers_run(d->n, d->o->threads, decode_case, d, err));
    }
out:
    if (d->cache && nod_cache_end(d->cache, &end) && !rc) {
        *err = end;
        rc = err->code;
    }
    return rc;
}

static int begin(decoding *d, size_t at_once, nod_error *err)
{
    int rc = nod_source_new(nod_cohort_get_info(d->c)->policies, &d->source, err);
    if (rc || !d->o->cache || !nod_contract_can_prepare(d->k)) return rc;
    d->found = nod_calloc(at_once + 1, sizeof *d->found);
    d->at = nod_calloc(at_once + 1, sizeof *d->at);
    if (!d->found || !d->at)
        return nod_fail_memory(err, "places in the cache", at_once * sizeof *d->at);
    return nod_cache_open(d->o->cache, d->k, d->o->log, &d->cache, err);
}

static void end(decoding *d)
{
    nod_source_free(d->source);
    nod_cache_close(d->cache);
    nod_free(d->found);
    nod_free(d->at);
}

/* --- a part -------------------------------------------------------------------------------- */

/* Images that stay in the cache. */
struct nod_kept_images {
    nod_contract contract;
    nod_cache *cache;
    size_t *at; /* [n] */
};

static int fetch_kept(const void *ctx, int64_t i, float *dst, nod_error *err)
{
    (void)err;
    const struct nod_kept_images *kept = ctx;
    nod_cache_values(kept->cache, kept->at[i], dst);
    nod_contract_normalise(&kept->contract, dst, dst);
    return 0;
}

static void kept_free(struct nod_kept_images *kept)
{
    if (kept == NULL) return;
    nod_cache_close(kept->cache);
    nod_free(kept->at);
    nod_free(kept);
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

/* Whether the part is held in memory: without a cache it has to be, with one if that leaves most of the
 * memory to others. */
static int plan_memory(const nod_split *s, nod_part part, const nod_contract *k,
                       const nod_dataset_options *o, bool *in_memory, nod_error *err)
{
    size_t bytes = 0;
    int64_t available = nod_available_memory_bytes();
    size_t most = o->memory ? o->memory : available <= 0 ? SIZE_MAX : (size_t)available / 4;
    int rc = nod_dataset_bytes(s, part, k, &bytes, err);
    *in_memory = !o->cache || bytes <= most;
    return rc;
}

static int too_little_memory(const nod_split *s, nod_part part, const nod_contract *k,
                             const char *why_no_cache, nod_error *err)
{
    size_t bytes = 0;
    int64_t available = nod_available_memory_bytes();
    char need[16], have[16];
    int rc = nod_dataset_bytes(s, part, k, &bytes, err);
    if (rc || available <= 0 || bytes <= (size_t)available) return rc;
    nod_format_bytes((double)bytes, need, sizeof need);
    nod_format_bytes((double)available, have, sizeof have);
    return nod_fail(err, NOD_ENOMEM,
                    "the images of the %s part need %s, the system can give %s%s%s; a smaller "
                    "input size, fewer cases, or a cache on a disk with that much room fit",
                    nod_part_name(part), need, have, *why_no_cache ? ", and the cache: " : "",
                    why_no_cache);
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

static int load_into_memory(decoding *job, const nod_split *s, nod_part part, nod_dataset *d,
                            const char *why_no_cache, nod_error *err)
{
    int rc = 0;
    NOD_TRY(too_little_memory(s, part, job->k, why_no_cache, err));
    NOD_TRY(init_images(&d->images, job->n, job->k, err));
    job->images = d->images.data;
    NOD_TRY(decode_all(job, err));
out:
    return rc;
}

/* Every image is in the cache afterwards, and stays there; where the cache takes no more, memory must
 * do. */
static int keep_in_cache(decoding *job, const nod_split *s, nod_part part, nod_dataset *d,
                         nod_error *err)
{
    int rc = 0;
    bool complete = true;
    NOD_TRY(decode_all(job, err));
    for (size_t i = 0; i < job->n; i++)
        complete = complete && job->at[i] > 0;
    if (!complete) {
        rc = load_into_memory(job, s, part, d, nod_cache_refusal(job->cache), err);
        goto out;
    }
    struct nod_kept_images *kept = nod_calloc(1, sizeof *kept);
    if (!kept) {
        rc = nod_fail_memory(err, "a part", sizeof *kept);
        goto out;
    }
    *kept = (struct nod_kept_images){*job->k, job->cache, job->at};
    job->cache = NULL;
    job->at = NULL;
    d->kept = kept;
out:
    return rc;
}

int nod_dataset_open(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_contract *k, const nod_look *look, const nod_dataset_options *o,
                     nod_dataset *out, nod_error *err)
{
    nod_dataset d = {0};
    decoding job = {.c = c, .k = k, .o = o};
    bool in_memory = true;
    int rc = 0;
    NOD_TRY(nod_labels_serve(c, s, part, look, &d.labels, err));
    if (d.labels.n == 0) {
        rc = nod_fail(err, NOD_EDATA, "the %s part has no cases", nod_part_name(part));
        goto out;
    }
    if (!nod_contract_is_fitted(k)) {
        rc = nod_fail(err, NOD_EINVAL, "the input's mean and sd, or clip, are not fitted yet");
        goto out;
    }
    NOD_TRY(plan_memory(s, part, k, o, &in_memory, err));
    job.cases = d.labels.cases;
    job.n = d.labels.n;
    NOD_TRY(begin(&job, job.n, err));
    if (in_memory)
        NOD_TRY(load_into_memory(&job, s, part, &d, "", err));
    else
        NOD_TRY(keep_in_cache(&job, s, part, &d, err));
    *out = d;
    d = (nod_dataset){0};
out:
    end(&job);
    nod_dataset_done(&d);
    return rc;
}

int nod_dataset_check(const nod_cohort *c, const nod_split *s, nod_part part,
                      const nod_contract *k, const nod_dataset_options *o, nod_unlike *out,
                      nod_error *err)
{
    nod_dataset_options no_cache = *o;
    no_cache.cache = NULL;
    decoding job = {.c = c, .k = k, .o = &no_cache};
    size_t n = nod_split_counts(s, part).images, *cases = nod_calloc(n + 1, sizeof *cases);
    nod_unlike u = {0};
    int rc = 0;
    job.unlike = nod_calloc(n + 1, sizeof *job.unlike);
    if (!cases || !job.unlike) {
        rc = nod_fail_memory(err, "cases", n * sizeof *job.unlike);
        goto out;
    }
    for (size_t i = 0; i < nod_cohort_size(c); i++)
        if (nod_split_part(s, i) == part) cases[job.n++] = i;
    job.cases = cases;
    NOD_TRY(begin(&job, n, err));
    NOD_TRY(decode_all(&job, err));
    for (size_t i = 0; i < n; i++)
        if (job.unlike[i][0] && u.n++ == 0) memcpy(u.first, job.unlike[i], sizeof u.first);
    *out = u;
out:
    end(&job);
    nod_free(job.unlike);
    nod_free(cases);
    return rc;
}

nod_examples nod_dataset_examples(const nod_dataset *d)
{
    return (nod_examples){.n = (int64_t)d->labels.n,
                          .images = d->images.data,
                          .labels = d->labels.values,
                          .fetch = d->kept ? fetch_kept : NULL,
                          .fetch_ctx = d->kept};
}

void nod_dataset_done(nod_dataset *d)
{
    nod_tensor_done(&d->images);
    nod_labels_done(&d->labels);
    kept_free(d->kept);
    *d = (nod_dataset){0};
}

/* Sums over some cases at a time, so that a large part needs little memory; merged in the order of the
 * cases. */
static int fit_once(const nod_cohort *c, const nod_labels *train, const nod_dataset_options *o,
                    nod_contract *k, nod_error *err)
{
    nod_contract_sums *sums = nod_calloc(FIT_AT_ONCE, sizeof *sums), total = {0};
    decoding job = {.c = c, .k = k, .o = o, .sums = sums};
    int rc = 0;
    if (sums == NULL)
        return nod_fail_memory(err, "sums over images", FIT_AT_ONCE * sizeof *sums);
    NOD_TRY(begin(&job, FIT_AT_ONCE, err));
    for (size_t first = 0; first < train->n; first += job.n) {
        job.cases = train->cases + first;
        job.n = NOD_MIN(FIT_AT_ONCE, train->n - first);
        NOD_TRY(decode_all(&job, err));
        for (size_t i = 0; i < job.n; i++)
            nod_contract_merge(&total, &sums[i], k->channels);
    }
    NOD_TRY(nod_contract_fit(k, &total, err));
out:
    end(&job);
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

int nod_dataset_fit(const nod_cohort *c, const nod_split *s, const nod_dataset_options *o,
                    nod_contract *k, nod_error *err)
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
        NOD_TRY(fit_once(c, &train, o, k, err));
    while (!nod_contract_is_fitted(k))
        NOD_TRY(fit_once(c, &train, o, k, err));
out:
    nod_labels_done(&train);
    return rc;
}
