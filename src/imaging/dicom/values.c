/* values.c: see values.h. Grey pixels go through double, one frame at a time; the common case,
 * rescale alone, is one loop a type. */
#include "imaging/dicom/values.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/transform.h"

#define AIR_HU            (-1000.0f)
#define EXACT_BITS_IN_F32 24

typedef struct range {
    double low, high;
} range;

struct nod_dicom_values {
    nod_dicom_pixels *pixels;
    const nod_dicom_layout *layout; /* borrowed from pixels */
    nod_dicom_transform transform;
    nod_dicom_meaning meaning;
    const char *name; /* borrowed from the file */
    void *stored;     /* one frame */
    double *real;     /* one frame, where more than rescale is to be done */
    bool is_palette;
};

/* --- opening ------------------------------------------------------------------------------ */

static nod_sample sample_of(const nod_dicom_values *v)
{
    if (v->is_palette) return v->transform.palette[0].bits > 8 ? NOD_SAMPLE_U16 : NOD_SAMPLE_U8;
    if (v->layout->channels == 1) return NOD_SAMPLE_F32;
    return v->layout->type == NOD_DICOM_U8    ? NOD_SAMPLE_U8
           : v->layout->type == NOD_DICOM_U16 ? NOD_SAMPLE_U16
                                              : NOD_SAMPLE_F32;
}

static void describe(nod_dicom_values *v)
{
    const nod_dicom_layout *l = v->layout;
    const nod_dicom_transform *t = &v->transform;
    nod_dicom_meaning *m = &v->meaning;

    v->is_palette = t->palette[0].n > 0;
    m->frames = l->frames;
    m->rows = l->rows;
    m->columns = l->columns;
    m->channels = v->is_palette ? 3 : l->channels;
    m->sample = sample_of(v);
    memcpy(m->photometric, m->channels == 3 ? "RGB" : "MONOCHROME2",
           m->channels == 3 ? sizeof "RGB" : sizeof "MONOCHROME2");
    m->units = t->units;
    memcpy(m->unit, t->unit, sizeof m->unit);
    m->has_padding = t->has_padding;
    m->has_window = t->voi != NOD_DICOM_VOI_NONE;
    m->is_rounded = (l->type == NOD_DICOM_F64 || l->bits_stored > EXACT_BITS_IN_F32) &&
                    l->type != NOD_DICOM_F32 && m->sample == NOD_SAMPLE_F32;
}

/* No slope and no window takes an integer out of f32. */
static int check_slopes(const nod_dicom_values *v, nod_error *err)
{
    const nod_dicom_transform *t = &v->transform;

    for (int64_t i = 0; i < t->n_rescale; i++)
        if (!(fabs(t->rescale[i].slope) * ldexp(1, 33) + fabs(t->rescale[i].intercept) < 1e37))
            return nod_fail(err, NOD_ENUMERIC, "%s: slope %g, intercept %g", v->name,
                            t->rescale[i].slope, t->rescale[i].intercept);
    return 0;
}

int nod_dicom_values_open(const nod_dicom_file *file, nod_dicom_values **out, nod_error *err)
{
    nod_dicom_values *v = nod_calloc(1, sizeof *v);
    int rc;

    if (v == NULL) return nod_fail_memory(err, "an image", sizeof *v);
    v->name = nod_dicom_file_name(file);
    NOD_TRY(nod_dicom_pixels_open(file, &v->pixels, err));
    v->layout = nod_dicom_pixels_layout(v->pixels);
    NOD_TRY(nod_dicom_transform_read(file, v->layout, &v->transform, err));
    NOD_TRY(check_slopes(v, err));
    describe(v);
out:
    if (rc == 0)
        *out = v;
    else
        nod_dicom_values_close(v);
    return rc;
}

void nod_dicom_values_close(nod_dicom_values *v)
{
    if (v == NULL) return;
    nod_dicom_transform_done(&v->transform);
    nod_dicom_pixels_close(v->pixels);
    nod_free(v->stored);
    nod_free(v->real);
    nod_free(v);
}

const nod_dicom_meaning *nod_dicom_values_meaning(const nod_dicom_values *v)
{
    return &v->meaning;
}

/* --- the steps ---------------------------------------------------------------------------- */

/* The body once for each type that stored values come in; `in` is the frame. */
#define FOR_TYPE(type, in, body)  \
    switch (type) {               \
    case NOD_DICOM_U8: {          \
        const uint8_t *s = (in);  \
        body;                     \
    } break;                      \
    case NOD_DICOM_I8: {          \
        const int8_t *s = (in);   \
        body;                     \
    } break;                      \
    case NOD_DICOM_U16: {         \
        const uint16_t *s = (in); \
        body;                     \
    } break;                      \
    case NOD_DICOM_I16: {         \
        const int16_t *s = (in);  \
        body;                     \
    } break;                      \
    case NOD_DICOM_U32: {         \
        const uint32_t *s = (in); \
        body;                     \
    } break;                      \
    case NOD_DICOM_I32: {         \
        const int32_t *s = (in);  \
        body;                     \
    } break;                      \
    case NOD_DICOM_F32: {         \
        const float *s = (in);    \
        body;                     \
    } break;                      \
    default: {                    \
        const double *s = (in);   \
        body;                     \
    } break;                      \
    }

static void mark_padding(const nod_dicom_values *v, size_t n, uint8_t *padding)
{
    double low = v->transform.padding_low, high = v->transform.padding_high;

    if (!v->transform.has_padding) {
        memset(padding, 0, n);
        return;
    }
    FOR_TYPE(v->layout->type, v->stored,
             for (size_t i = 0; i < n; i++) padding[i] = s[i] >= low && s[i] <= high)
}

/* Whether slope times stored value plus intercept is an integer that f32 holds, step by step. */
static bool is_exact_in_f32(const nod_dicom_layout *l, nod_dicom_rescale r)
{
    return l->type <= NOD_DICOM_I16 && r.slope == rint(r.slope) &&
           r.intercept == rint(r.intercept) &&
           fabs(r.slope) * ldexp(1, l->bits_stored) + fabs(r.intercept) <=
               ldexp(1, EXACT_BITS_IN_F32);
}

static void rescale_to_f32(const nod_dicom_values *v, nod_dicom_rescale r, size_t n, float *dst)
{
    if (is_exact_in_f32(v->layout, r)) {
        float slope = (float)r.slope, intercept = (float)r.intercept;
        FOR_TYPE(v->layout->type, v->stored,
                 _Pragma("omp simd") for (size_t i = 0; i < n; i++) dst[i] =
                     slope * (float)s[i] + intercept)
        return;
    }
    FOR_TYPE(v->layout->type, v->stored,
             _Pragma("omp simd") for (size_t i = 0; i < n; i++) dst[i] =
                 (float)(r.slope * s[i] + r.intercept))
}

static void rescale(const nod_dicom_values *v, nod_dicom_rescale r, size_t n)
{
    double *dst = v->real;

    FOR_TYPE(v->layout->type, v->stored,
             for (size_t i = 0; i < n; i++) dst[i] = r.slope * s[i] + r.intercept)
}

static void look_up(const nod_dicom_lut *lut, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double at = floor(x[i] + 0.5) - (double)lut->first;
        int64_t k = at <= 0 ? 0 : at >= (double)(lut->n - 1) ? lut->n - 1 : (int64_t)at;
        x[i] = lut->data[k];
    }
}

static range lut_range(const nod_dicom_lut *lut)
{
    return (range){0, (double)((1 << lut->bits) - 1)};
}

/* Of the values that the header allows, before any step. */
static range stored_range(const nod_dicom_layout *l)
{
    bool is_signed =
        l->type == NOD_DICOM_I8 || l->type == NOD_DICOM_I16 || l->type == NOD_DICOM_I32;

    if (is_signed)
        return (range){-ldexp(1, l->bits_stored - 1), ldexp(1, l->bits_stored - 1) - 1};
    return (range){0, ldexp(1, l->bits_stored) - 1};
}

static range rescaled(range r, nod_dicom_rescale by)
{
    double a = r.low * by.slope + by.intercept, b = r.high * by.slope + by.intercept;
    return (range){fmin(a, b), fmax(a, b)};
}

/* PS3.3 C.11.2.1.2 and C.11.2.1.3; from the window onto the whole range. */
static void apply_window(nod_dicom_voi voi, nod_dicom_window w, range r, double *x, size_t n)
{
    double c = w.centre, width = w.width, size = r.high - r.low;

    if (voi == NOD_DICOM_VOI_SIGMOID) {
        for (size_t i = 0; i < n; i++)
            x[i] = size / (1 + exp(-4 * (x[i] - c) / width)) + r.low;
        return;
    }
    if (voi == NOD_DICOM_VOI_LINEAR) {
        c -= 0.5;
        width -= 1;
    }
    double low = c - width / 2, high = c + width / 2;
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] <= low   ? r.low
               : x[i] > high ? r.high
                             : ((x[i] - c) / width + 0.5) * size + r.low;
}

/* All steps after padding, one frame of grey. */
static void transform_frame(const nod_dicom_values *v, int64_t i_frame, size_t n, float *dst)
{
    const nod_dicom_transform *t = &v->transform;
    nod_dicom_rescale by = t->rescale[t->n_rescale > 1 ? i_frame : 0];
    nod_dicom_rescale none = {1, 0};
    range r = stored_range(v->layout);

    if (t->modality_lut.n > 0) {
        rescale(v, none, n);
        look_up(&t->modality_lut, v->real, n);
        r = lut_range(&t->modality_lut);
    } else {
        rescale(v, by, n);
        r = rescaled(r, by);
    }
    if (t->voi == NOD_DICOM_VOI_LUT) {
        look_up(&t->voi_lut, v->real, n);
        r = lut_range(&t->voi_lut);
    } else if (t->voi != NOD_DICOM_VOI_NONE) {
        apply_window(t->voi, t->window[t->n_window > 1 ? i_frame : 0], r, v->real, n);
    }
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)(t->inverted ? r.low + r.high - v->real[i] : v->real[i]);
}

/* Of float data; integers were checked by their slopes. */
static int check_finite(const nod_dicom_values *v, int64_t i_frame, const float *x, size_t n,
                        nod_error *err)
{
    float sum = 0; /* x - x is 0 for every finite x */

    for (size_t i = 0; i < n && v->layout->type >= NOD_DICOM_F32; i++)
        sum += x[i] - x[i];
    if (sum == 0) return 0;
    return nod_fail(err, NOD_ENUMERIC, "%s: frame %lld has values that are not finite", v->name,
                    (long long)i_frame);
}

static int read_grey(nod_dicom_values *v, int64_t i_frame, float *dst, uint8_t *padding,
                     nod_error *err)
{
    const nod_dicom_transform *t = &v->transform;
    size_t n = (size_t)(v->layout->rows * v->layout->columns);
    bool is_float = v->layout->type >= NOD_DICOM_F32;
    bool rescale_alone =
        t->modality_lut.n == 0 && t->voi == NOD_DICOM_VOI_NONE && !(t->inverted && !is_float);

    if (padding != NULL) mark_padding(v, n, padding);
    if (rescale_alone) {
        nod_dicom_rescale by = t->rescale[t->n_rescale > 1 ? i_frame : 0];
        rescale_to_f32(v, by, n, dst);
        if (padding != NULL && is_float && t->has_padding)
            for (size_t i = 0; i < n; i++)
                if (padding[i]) dst[i] = 0; /* may be NaN in the file */
        return check_finite(v, i_frame, dst, n, err);
    }
    if (v->real == NULL) {
        v->real = nod_malloc(n * sizeof *v->real);
        if (v->real == NULL) return nod_fail_memory(err, "a frame", n * sizeof *v->real);
    }
    transform_frame(v, i_frame, n, dst);
    return check_finite(v, i_frame, dst, n, err);
}

static void expand_palette(const nod_dicom_values *v, void *dst)
{
    size_t n = (size_t)(v->layout->rows * v->layout->columns);

    for (size_t c = 0; c < 3; c++) {
        const nod_dicom_lut *lut = &v->transform.palette[c];
        FOR_TYPE(
            v->layout->type, v->stored, for (size_t i = 0; i < n; i++) {
                int64_t k = (int64_t)s[i] - lut->first;
                uint16_t entry = lut->data[k < 0 ? 0 : k >= lut->n ? lut->n - 1 : k];
                if (v->meaning.sample == NOD_SAMPLE_U8)
                    ((uint8_t *)dst)[3 * i + c] = (uint8_t)entry;
                else
                    ((uint16_t *)dst)[3 * i + c] = entry;
            })
    }
}

static size_t frame_bytes(const nod_dicom_values *v)
{
    static const size_t bytes[] = {
        [NOD_SAMPLE_U8] = 1, [NOD_SAMPLE_U16] = 2, [NOD_SAMPLE_F32] = 4};
    const nod_dicom_meaning *m = &v->meaning;

    return (size_t)(m->rows * m->columns) * (size_t)m->channels * bytes[m->sample];
}

static int read_frame(nod_dicom_values *v, int64_t i, void *dst, uint8_t *padding,
                      nod_error *err)
{
    const nod_dicom_layout *l = v->layout;
    size_t n = (size_t)(l->rows * l->columns);
    bool as_it_is = l->channels == 3 && v->meaning.sample != NOD_SAMPLE_F32;
    int rc = nod_dicom_pixels_read(v->pixels, i, 1, as_it_is ? dst : v->stored, err);

    if (rc != 0) return rc;
    if (padding != NULL && v->meaning.channels == 3) memset(padding, 0, n);
    if (as_it_is) return 0;
    if (v->is_palette)
        expand_palette(v, dst);
    else if (l->channels == 3)
        rescale_to_f32(v, (nod_dicom_rescale){1, 0}, 3 * n, dst);
    else
        return read_grey(v, i, dst, padding, err);
    return 0;
}

int nod_dicom_values_read(nod_dicom_values *v, int64_t first, int64_t n, void *dst,
                          uint8_t *padding, nod_error *err)
{
    size_t n_pixels = (size_t)(v->layout->rows * v->layout->columns);

    if (v->stored == NULL) {
        v->stored = nod_malloc(v->layout->frame_bytes);
        if (v->stored == NULL) return nod_fail_memory(err, "a frame", v->layout->frame_bytes);
    }
    for (int64_t i = 0; i < n; i++) {
        int rc = read_frame(v, first + i, (char *)dst + (size_t)i * frame_bytes(v),
                            padding != NULL ? padding + (size_t)i * n_pixels : NULL, err);
        if (rc != 0) return rc;
    }
    return 0;
}

/* --- whole images ------------------------------------------------------------------------- */

void nod_dicom_fill_padding(nod_image *im)
{
    int64_t n = nod_image_voxels(im);
    float lowest = AIR_HU, *x = im->data;
    bool found = im->facts.units == NOD_UNITS_HU;

    if (im->padding == NULL || im->sample != NOD_SAMPLE_F32 || im->channels != 1) return;
    for (int64_t i = 0; im->facts.units != NOD_UNITS_HU && i < n; i++) {
        if (nod_image_is_padding(im, i) || (found && x[i] >= lowest)) continue;
        lowest = x[i];
        found = true;
    }
    for (int64_t i = 0; i < n; i++)
        if (nod_image_is_padding(im, i)) x[i] = found ? lowest : 0;
}

static int read_plane(nod_dicom_values *v, int64_t i, nod_image *im, uint8_t *padding,
                      nod_error *err)
{
    int64_t n = v->layout->rows * v->layout->columns;
    int rc = nod_dicom_values_read(v, i, 1, (char *)im->data + (size_t)i * frame_bytes(v),
                                   padding, err);

    for (int64_t k = 0; rc == 0 && padding != NULL && k < n; k++)
        if (padding[k]) rc = nod_image_set_padding(im, i * n + k, err);
    return rc;
}

static int read_image(const nod_dicom_file *file, nod_image *out, nod_error *err)
{
    nod_dicom_values *v = NULL;
    nod_image im = {0};
    uint8_t *padding = NULL;
    int rc;

    NOD_TRY(nod_dicom_values_open(file, &v, err));
    const nod_dicom_meaning *m = &v->meaning;
    NOD_TRY(nod_image_init(&im, m->frames, m->rows, m->columns, m->channels, m->sample, err));
    if (m->has_padding) {
        padding = nod_malloc((size_t)(m->rows * m->columns));
        if (padding == NULL) {
            rc = nod_fail_memory(err, "a frame's padding", (size_t)(m->rows * m->columns));
            goto out;
        }
    }
    for (int64_t i = 0; i < m->frames; i++)
        NOD_TRY(read_plane(v, i, &im, padding, err));
    im.facts.units = m->units;
    memcpy(im.facts.photometric, m->photometric, sizeof m->photometric);
    nod_dicom_fill_padding(&im);
    *out = im;
    im = (nod_image){0};
out:
    nod_image_done(&im);
    nod_free(padding);
    nod_dicom_values_close(v);
    if (rc != 0 && strncmp(err->message, nod_dicom_file_name(file),
                           strlen(nod_dicom_file_name(file))) != 0)
        return nod_error_prefix(err, "%s", nod_dicom_file_name(file));
    return rc;
}

int nod_dicom_image_read(const char *path, nod_image *out, nod_error *err)
{
    nod_dicom_file *file = NULL;
    int rc = nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, err);

    if (rc == 0) rc = read_image(file, out, err);
    nod_dicom_file_close(file);
    return rc;
}

int nod_dicom_image_parse(const void *bytes, size_t size, const char *name, nod_image *out,
                          nod_error *err)
{
    nod_dicom_file *file = NULL;
    int rc = nod_dicom_file_open_memory(bytes, size, name, NOD_DICOM_WHOLE, &file, err);

    if (rc == 0) rc = read_image(file, out, err);
    nod_dicom_file_close(file);
    return rc;
}
