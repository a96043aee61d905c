/* survey_decode.c: values and pictures.
 *
 * Large images are decoded one after the other, each on all threads; small ones beside each other,
 * each on one thread. So no more is in memory than one large image, or a small one a thread. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "data/survey_internal.h"
#include "imaging/montage.h"
#include "imaging/reader.h"

#define SMALL_BYTES ((size_t)64 << 20)

typedef struct decoding {
    nod_survey_work *w;
    size_t *order; /* small images */
    size_t n_order;
    int *codes; /* [n_images] */
    atomic_size_t n_done;
    atomic_flag in_progress;
} decoding;

/* --- one image ---------------------------------------------------------------------------- */

static int read_image(const nod_survey_work *w, const nod_survey_origin *o,
                      nod_findings *findings, nod_image *out, nod_error *err)
{
    int64_t free_bytes = o->bytes > SMALL_BYTES ? nod_available_memory_bytes() : 0;
    if (free_bytes > 0 && o->bytes > (size_t)free_bytes)
        return nod_fail(err, NOD_ENOMEM,
                        "decoding may need %zu MiB, %lld MiB are free; --headers-only does "
                        "without",
                        o->bytes >> 20, (long long)(free_bytes >> 20));
    if (o->scan)
        return nod_dicom_stack_read(o->scan, o->i_series, o->i_stack, &w->policies, out,
                                    findings, err);
    return nod_image_read(o->path, &w->policies, findings, out, err);
}

/* The middle slice of the middle frame as an image of its own. */
static int cut_slice(const nod_image *im, nod_image *out, nod_error *err)
{
    int64_t n = im->height * im->width;
    int64_t first = (im->frames / 2 * im->depth + im->depth / 2) * n;
    int rc = nod_image_init(out, 1, im->height, im->width, im->channels, im->sample, err);
    if (rc) return rc;
    size_t bytes = nod_image_bytes(out);
    memcpy(out->data, (const char *)im->data + (size_t)(first / n) * bytes, bytes);
    for (int64_t i = 0; i < n && rc == 0; i++)
        if (nod_image_is_padding(im, first + i)) rc = nod_image_set_padding(out, i, err);
    out->geometry = im->geometry;
    out->geometry.size[2] = 1;
    return rc;
}

/* Between the percentiles of the whole image; of a mask, which is mostly background, all of it. */
static int make_picture(const nod_image *im, int64_t side, nod_survey_image *out,
                        nod_error *err)
{
    const nod_image_statistics *s = &out->statistics;
    bool flat = !(out->percentiles[2] > out->percentiles[0]);
    nod_montage_options o = NOD_MONTAGE_OPTIONS_INIT;
    nod_image slice = {0}, picture = {0};
    double window[2];
    int rc = 0;
    o.plane = nod_plane_across(&im->geometry);
    o.side_max = side;
    o.has_window = s->max > s->min;
    o.low = flat ? s->min : out->percentiles[0];
    o.high = flat ? s->max : out->percentiles[2];
    NOD_TRY(cut_slice(im, &slice, err));
    NOD_TRY(nod_image_montage(&slice, &o, &picture, window, err));
    NOD_TRY(nod_image_encode_png(&picture, &out->picture, err));
    out->picture_size[0] = picture.width;
    out->picture_size[1] = picture.height;
out:
    nod_image_done(&slice);
    nod_image_done(&picture);
    return rc;
}

static int look_at(const nod_survey_work *w, size_t i, nod_error *err)
{
    static const double percents[NOD_SURVEY_PERCENTS] = {1, 50, 99};
    nod_survey_image *out = &w->s->images[i];
    const nod_survey_origin *o = &w->origins[i];
    nod_image im = {0};
    int rc = read_image(w, o, &out->findings, &im, err);
    if (rc) return rc;
    if (o->scan == NULL) {
        out->geometry = im.geometry;
        out->facts = im.facts;
    }
    out->facts.units = im.facts.units;
    out->frames = im.frames;
    out->channels = im.channels;
    rc = nod_image_measure(&im, percents, NOD_SURVEY_PERCENTS, &out->statistics,
                           out->percentiles, err);
    out->is_measured = rc == 0;
    if (!rc && w->o->side > 0 && i < NOD_SURVEY_PICTURES_MAX)
        rc = make_picture(&im, w->o->side, out, err);
    nod_image_done(&im);
    return rc;
}

/* --- all of them -------------------------------------------------------------------------- */

static void decode_one(decoding *d, size_t i)
{
    nod_error err = NOD_ERROR_INIT;
    nod_survey_work *w = d->w;
    d->codes[i] = look_at(w, i, &err);
    if (d->codes[i]) {
        w->s->images[i].error = nod_strdup(err.message);
        if (w->s->images[i].error == NULL) d->codes[i] = NOD_ENOMEM;
    }
    size_t done = atomic_fetch_add(&d->n_done, 1) + 1;
    if (w->o->progress == NULL || atomic_flag_test_and_set(&d->in_progress)) return;
    w->o->progress(w->o->ctx, "decoding", done, w->s->n_images);
    atomic_flag_clear(&d->in_progress);
}

static void decode_small(void *ctx, int64_t i)
{
    decoding *d = ctx;
    decode_one(d, d->order[i]);
}

/* The file of a series that a message is about; its first one where none is named. */
static const char *find_culprit(const nod_survey_origin *o, const char *message)
{
    const nod_dicom_series *series = &o->scan->series[o->i_series];
    const char *best = o->scan->entries[series->first].name;
    size_t n_best = 0;
    for (size_t i = 0; i < series->n; i++) {
        const char *name = o->scan->entries[series->first + i].name;
        if (strlen(name) > n_best && strstr(message, name)) {
            best = name;
            n_best = strlen(name);
        }
    }
    return best;
}

/* What failed becomes a problem. The error of an image keeps no name of a file. */
static int gather(decoding *d, nod_error *err)
{
    nod_survey_work *w = d->w;
    int rc = 0;
    for (size_t i = 0; i < w->s->n_images && rc == 0; i++) {
        nod_survey_image *im = &w->s->images[i];
        const nod_survey_origin *o = &w->origins[i];
        if (d->codes[i] == 0) continue;
        if (im->error == NULL) return nod_fail_memory(err, "messages", NOD_ERROR_MAX);
        if (o->scan)
            rc = nod_survey_add_problem(w, o->scan->root, find_culprit(o, im->error), im->error,
                                        d->codes[i], err);
        else
            rc = nod_survey_add_problem(w, o->path, "", im->error, d->codes[i], err);
        if (rc) return rc;
        nod_survey_problem *p = &w->s->problems[w->s->n_problems - 1];
        nod_free(im->error);
        im->error = nod_strdup(p->reason);
        if (o->scan == NULL) { /* as it is called below its path */
            nod_free(p->file);
            p->file = nod_strdup(im->name);
        }
        if (im->error == NULL || p->file == NULL)
            rc = nod_fail_memory(err, "messages", NOD_ERROR_MAX);
    }
    return rc;
}

/* Files that could not be decoded are problems and nothing else: nothing is known of them. */
static void drop_broken_files(nod_survey_work *w)
{
    nod_survey *s = w->s;
    size_t kept = 0;
    for (size_t i = 0; i < s->n_images; i++) {
        if (s->images[i].error && w->origins[i].scan == NULL) {
            nod_survey_image_done(&s->images[i]);
            nod_free(w->origins[i].path);
            s->n_others--;
            continue;
        }
        s->images[kept] = s->images[i];
        w->origins[kept++] = w->origins[i];
    }
    s->n_images = kept;
}

int nod_survey_decode(nod_survey_work *w, nod_error *err)
{
    size_t n = NOD_MAX(w->s->n_images, 1);
    decoding d = {.w = w, .in_progress = ATOMIC_FLAG_INIT};
    d.order = nod_calloc(n, sizeof *d.order);
    d.codes = nod_calloc(n, sizeof *d.codes);
    int rc = d.order && d.codes ? 0 : nod_fail_memory(err, "images", n * sizeof *d.order);
    for (size_t i = 0; i < w->s->n_images && rc == 0; i++) {
        if (w->origins[i].bytes > SMALL_BYTES)
            decode_one(&d, i);
        else
            d.order[d.n_order++] = i;
    }
    if (rc == 0) nod_parallel_for((int64_t)d.n_order, decode_small, &d);
    if (rc == 0) rc = gather(&d, err);
    if (rc == 0) drop_broken_files(w);
    nod_free(d.order);
    nod_free(d.codes);
    return rc;
}
