/* codec_jls.c: JPEG-LS (ISO/IEC 14495-1 = ITU-T T.87), lossless and near-lossless.
 *
 * Our own decoder: Debian 12's CharLS 2.4.1 runs on for minutes where a codestream ends too early
 * (mended in 2.4.3). Names and section numbers are the standard's. Bits that are not there read as
 * zeros and are counted, so that a line that used any is an error. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/shim/codec.h"

#define CHANNELS_MAX  3
#define CONTEXTS      365 /* regular; two more for interrupted runs */
#define RESET_DEFAULT 64
#define C_MIN         (-128)
#define C_MAX         127

enum { SOI = 0xd8, EOI = 0xd9, SOS = 0xda, DRI = 0xdd, SOF55 = 0xf7, LSE = 0xf8, APP8 = 0xe8 };
enum { ILV_NONE, ILV_LINE, ILV_SAMPLE };

/* The entropy-coded bits: a byte after FF has seven (its top bit tells it from a marker). */
typedef struct bit_reader {
    const uint8_t *at, *end;
    uint64_t cache; /* the next bits, at the top */
    int n;          /* of them valid, invented ones too */
    int n_invented; /* zeros put behind the end */
    bool after_ff;
} bit_reader;

typedef struct context {
    int32_t a, b, c, n;
} context;

typedef struct decoder {
    const nod_codec_frame *f;
    bit_reader bits;
    int precision, maxval, near, range, qbpp, limit, reset, t1, t2, t3;
    int8_t *quantised; /* of gradients -maxval..maxval, at [maxval + d] */
    context contexts[CONTEXTS + 2];
    int32_t nn[2]; /* negative errors of the two run contexts */
    int run_index[CHANNELS_MAX];
    int32_t *lines[2 * CHANNELS_MAX]; /* previous and current, width + 2 samples each */
} decoder;

/* --- bits --------------------------------------------------------------------------------- */

static void fill(bit_reader *r)
{
    while (r->n <= 56) {
        bool more = r->at < r->end &&
                    !(r->at[0] == 0xff && (r->at + 1 == r->end || (r->at[1] & 0x80) != 0));
        int width = r->after_ff ? 7 : 8;
        if (more) {
            r->cache |= (uint64_t)r->at[0] << (64 - r->n - width);
            r->after_ff = r->at[0] == 0xff;
            r->at++;
        } else {
            r->after_ff = false;
            width = 8;
            r->n_invented += width;
        }
        r->n += width;
    }
}

static uint32_t take(bit_reader *r, int n)
{
    if (n == 0) return 0;
    if (r->n < n) fill(r);
    uint32_t v = (uint32_t)(r->cache >> (64 - n));
    r->cache <<= n;
    r->n -= n;
    return v;
}

static bool is_past_end(const bit_reader *r)
{
    return r->n_invented > r->n;
}

/* Limited-length Golomb code, A.5.3. A prefix that no encoder writes gives what fits; the sample is
 * clamped, and the line found out by its end. */
static int32_t take_golomb(decoder *d, int k, int limit)
{
    bit_reader *r = &d->bits;
    int longest = limit - d->qbpp - 1; /* at most 47: less than a filled cache */

    if (r->n <= longest) fill(r);
    int prefix = r->cache == 0 ? longest : __builtin_clzll(r->cache);
    if (prefix > longest) prefix = longest;
    (void)take(r, prefix);
    (void)take(r, 1);
    if (prefix < longest) return (int32_t)((uint32_t)prefix << k | take(r, k));
    return (int32_t)take(r, d->qbpp) + 1;
}

/* --- samples ------------------------------------------------------------------------------ */

static int quantise(const decoder *d, int32_t gradient)
{
    return d->quantised[d->maxval + gradient];
}

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* A.4.4, A.8: prediction plus error, modulo the range. */
static int32_t reconstruct(const decoder *d, int32_t px, int32_t error)
{
    int32_t step = 2 * d->near + 1, v = px + error * step;

    if (v < -d->near)
        v += d->range * step;
    else if (v > d->maxval + d->near)
        v -= d->range * step;
    return clamp(v, 0, d->maxval);
}

/* A.5.1, at most where A no longer grows it. */
static int golomb_parameter(int32_t n, int32_t a)
{
    int k = 0;

    while (k < 16 && ((int64_t)n << k) < a)
        k++;
    return k;
}

/* A.6 */
static void update(decoder *d, context *x, int32_t error)
{
    x->b += error * (2 * d->near + 1);
    x->a += abs(error);
    if (x->n == d->reset) {
        x->a >>= 1;
        x->b = x->b >= 0 ? x->b >> 1 : -((1 - x->b) >> 1);
        x->n >>= 1;
    }
    x->n++;
    if (x->b <= -x->n) {
        x->b = x->b + x->n > -x->n ? x->b + x->n : -x->n + 1;
        if (x->c > C_MIN) x->c--;
    } else if (x->b > 0) {
        x->b = x->b - x->n <= 0 ? x->b - x->n : 0;
        if (x->c < C_MAX) x->c++;
    }
}

/* A.4 and A.5: q is the context by its three quantised gradients. */
static int32_t decode_regular(decoder *d, int q, int32_t ra, int32_t rb, int32_t rc)
{
    int sign = q < 0 ? -1 : 1;
    context *x = &d->contexts[abs(q)];
    int32_t high = ra > rb ? ra : rb, low = ra > rb ? rb : ra;
    int32_t px = rc >= high ? low : rc <= low ? high : ra + rb - rc;
    int k = golomb_parameter(x->n, x->a);

    px = clamp(px + sign * x->c, 0, d->maxval);
    int32_t m = take_golomb(d, k, d->limit);
    int32_t error = (m & 1) != 0 ? -((m + 1) >> 1) : m >> 1;
    if (d->near == 0 && k == 0 && 2 * x->b <= -x->n) error = -error - 1;
    error = clamp(error, -d->range, d->range);
    update(d, x, error);
    return reconstruct(d, px, sign * error);
}

/* A.7.2: the sample that ends a run; `type` 1 where left and upper neighbour are alike. */
static int32_t decode_interruption(decoder *d, int type, int run_index, int32_t ra, int32_t rb)
{
    static const int j[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    context *x = &d->contexts[CONTEXTS + type];
    int k = golomb_parameter(x->n, type == 1 ? x->a + (x->n >> 1) : x->a);
    int32_t m = take_golomb(d, k, d->limit - j[run_index] - 1), t = m + type;
    bool odd = (t & 1) != 0;
    int32_t error = (t + odd) / 2;

    if ((k != 0 || 2 * d->nn[type] >= x->n) == odd) error = -error;
    error = clamp(error, -d->range, d->range);
    if (error < 0) d->nn[type]++;
    x->a += (m + 1 - type) >> 1;
    if (x->n == d->reset) {
        x->a >>= 1;
        x->n >>= 1;
        d->nn[type] >>= 1;
    }
    x->n++;
    if (type == 1) return reconstruct(d, ra, error);
    return reconstruct(d, rb, ra > rb ? -error : error);
}

/* A.7.1: how many samples repeat the left one, at most `left`. */
static int64_t decode_run(decoder *d, int *run_index, int64_t left)
{
    static const int j[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    int64_t n = 0;

    while (n < left && take(&d->bits, 1) == 1) {
        int64_t step = (int64_t)1 << j[*run_index];
        if (step <= left - n && *run_index < 31) (*run_index)++;
        n += step < left - n ? step : left - n;
    }
    if (n == left) return n;
    int64_t rest = (int64_t)take(&d->bits, j[*run_index]);
    return n + (rest < left - n ? rest : left - n);
}

/* One line of n channels that are coded together (1, or all of a line interleaved by sample). */
static void decode_line(decoder *d, int n, int32_t **previous, int32_t **current,
                        int *run_index)
{
    int64_t width = d->f->columns;
    int q[CHANNELS_MAX];

    for (int c = 0; c < n; c++) {
        previous[c][width + 1] = previous[c][width];
        current[c][0] = previous[c][1];
    }
    for (int64_t i = 1; i <= width; i++) {
        bool is_run = true;
        for (int c = 0; c < n; c++) {
            int32_t ra = current[c][i - 1], rb = previous[c][i], rc = previous[c][i - 1];
            int32_t rd = previous[c][i + 1];
            q[c] = 81 * quantise(d, rd - rb) + 9 * quantise(d, rb - rc) + quantise(d, rc - ra);
            is_run = is_run && q[c] == 0;
        }
        if (!is_run) {
            for (int c = 0; c < n; c++)
                current[c][i] = decode_regular(d, q[c], current[c][i - 1], previous[c][i],
                                               previous[c][i - 1]);
            continue;
        }
        int64_t run = decode_run(d, run_index, width - i + 1);
        for (int c = 0; c < n; c++)
            for (int64_t k = 0; k < run; k++)
                current[c][i + k] = current[c][i - 1];
        i += run;
        if (i > width) break;
        for (int c = 0; c < n; c++) {
            int32_t ra = current[c][i - 1], rb = previous[c][i];
            int type = n == 1 && abs(ra - rb) <= d->near;
            current[c][i] = decode_interruption(d, type, *run_index, ra, rb);
        }
        if (*run_index > 0) (*run_index)--;
    }
}

/* --- scans -------------------------------------------------------------------------------- */

static void write_line(const decoder *d, int64_t y, int channel, const int32_t *line, void *out)
{
    size_t step = (size_t)d->f->channels, at = (size_t)(y * d->f->columns) * step;

    for (int64_t i = 1; i <= d->f->columns; i++, at += step) {
        if (d->f->bits_allocated == 8)
            ((uint8_t *)out)[at + (size_t)channel] = (uint8_t)line[i];
        else if (d->f->bits_allocated == 16)
            ((uint16_t *)out)[at + (size_t)channel] = (uint16_t)line[i];
        else
            ((uint32_t *)out)[at + (size_t)channel] = (uint32_t)line[i];
    }
}

/* C.2.4.1.1.1 */
static int threshold(int value, int least, int maxval)
{
    return value > maxval || value < least ? least : value;
}

static void set_thresholds(decoder *d)
{
    int near = d->near;

    if (d->maxval >= 128) {
        int factor = ((d->maxval < 4095 ? d->maxval : 4095) + 128) / 256;
        d->t1 = threshold(factor + 2 + 3 * near, near + 1, d->maxval);
        d->t2 = threshold(4 * factor + 3 + 5 * near, d->t1, d->maxval);
        d->t3 = threshold(17 * factor + 4 + 7 * near, d->t2, d->maxval);
    } else {
        int factor = 256 / (d->maxval + 1), a = 3 / factor + 3 * near,
            b = 7 / factor + 5 * near, c = 21 / factor + 7 * near;
        d->t1 = threshold(a < 2 ? 2 : a, near + 1, d->maxval);
        d->t2 = threshold(b < 3 ? 3 : b, d->t1, d->maxval);
        d->t3 = threshold(c < 4 ? 4 : c, d->t2, d->maxval);
    }
}

static int bits_of(int v)
{
    int n = 0;

    while ((1 << n) < v)
        n++;
    return n;
}

/* A.2.1, and the table of quantised gradients (A.3.3). */
static int start_scan(decoder *d, nod_error *err)
{
    int bpp = bits_of(d->maxval + 1), start;

    d->range = d->near == 0 ? d->maxval + 1 : (d->maxval + 2 * d->near) / (2 * d->near + 1) + 1;
    d->qbpp = bits_of(d->range);
    bpp = bpp < 2 ? 2 : bpp;
    d->limit = 2 * (bpp + (bpp < 8 ? 8 : bpp));
    start = (d->range + 32) / 64;
    for (int i = 0; i < CONTEXTS + 2; i++)
        d->contexts[i] = (context){.a = start < 2 ? 2 : start, .n = 1};
    memset(d->nn, 0, sizeof d->nn);
    memset(d->run_index, 0, sizeof d->run_index);
    for (int i = 0; i < 2 * CHANNELS_MAX; i++)
        memset(d->lines[i], 0, (size_t)(d->f->columns + 2) * sizeof **d->lines);
    nod_free(d->quantised);
    d->quantised = nod_malloc(2 * (size_t)d->maxval + 1);
    if (d->quantised == NULL) return nod_fail_memory(err, "a table", 2 * (size_t)d->maxval + 1);
    for (int v = -d->maxval; v <= d->maxval; v++) {
        int m = abs(v), q = m <= d->near ? 0
                            : m < d->t1  ? 1
                            : m < d->t2  ? 2
                            : m < d->t3  ? 3
                                         : 4;
        d->quantised[d->maxval + v] = (int8_t)(v < 0 ? -q : q);
    }
    return 0;
}

static void swap_lines(decoder *d, int first, int n)
{
    for (int c = first; c < first + n; c++) {
        int32_t *line = d->lines[c];
        d->lines[c] = d->lines[CHANNELS_MAX + c];
        d->lines[CHANNELS_MAX + c] = line;
    }
}

/* All lines of the channels first .. first+n-1. */
static int decode_scan(decoder *d, int ilv, int first, int n, void *out, nod_error *err)
{
    int together = ilv == ILV_SAMPLE ? n : 1;

    for (int64_t y = 0; y < d->f->rows; y++) {
        for (int c = first; c < first + n; c += together) {
            decode_line(d, together, &d->lines[c], &d->lines[CHANNELS_MAX + c],
                        &d->run_index[c]);
            if (is_past_end(&d->bits))
                return nod_fail(err, NOD_EFORMAT,
                                "%s: frame %lld: JPEG-LS ends in line %lld of %lld", d->f->name,
                                (long long)d->f->i_frame, (long long)y, (long long)d->f->rows);
        }
        for (int c = first; c < first + n; c++)
            write_line(d, y, c, d->lines[CHANNELS_MAX + c], out);
        swap_lines(d, first, n);
    }
    return 0;
}

/* --- markers ------------------------------------------------------------------------------ */

static int refuse(const decoder *d, const char *what, nod_error *err)
{
    return nod_fail(err, NOD_EUNSUPPORTED, "%s: frame %lld: JPEG-LS with %s", d->f->name,
                    (long long)d->f->i_frame, what);
}

static int broken(const decoder *d, const char *what, nod_error *err)
{
    return nod_fail(err, NOD_EFORMAT, "%s: frame %lld: broken JPEG-LS: %s", d->f->name,
                    (long long)d->f->i_frame, what);
}

static int read_frame_header(decoder *d, const uint8_t *p, size_t n, nod_error *err)
{
    if (n < 6 || n < 6 + 3 * (size_t)p[5]) return broken(d, "its frame header is cut off", err);
    d->precision = p[0];
    if (d->precision < 2 || d->precision > 16) return broken(d, "its precision", err);
    d->maxval = (1 << d->precision) - 1;
    for (int c = 0; c < p[5]; c++)
        if (p[6 + 3 * c + 1] != 0x11) return refuse(d, "colours of fewer samples", err);
    return nod_codec_check(d->f, "JPEG-LS", p[1] << 8 | p[2], p[3] << 8 | p[4], p[5],
                           d->precision, err);
}

/* LSE of kind 1, C.2.4.1.1; 0 means the default. */
static int read_presets(decoder *d, const uint8_t *p, size_t n, int preset[5], nod_error *err)
{
    if (n < 1) return broken(d, "an empty parameter segment", err);
    if (p[0] != 1) return refuse(d, "mapping tables", err);
    if (n < 11) return broken(d, "its parameters are cut off", err);
    for (int i = 0; i < 5; i++)
        preset[i] = p[1 + 2 * i] << 8 | p[2 + 2 * i];
    return 0;
}

static int apply_presets(decoder *d, const int preset[5], nod_error *err)
{
    if (preset[0] > 0) {
        if (preset[0] >= 1 << d->precision) return broken(d, "its largest value", err);
        d->maxval = preset[0];
    }
    if (d->near > 255 || d->near > d->maxval / 2) return broken(d, "its largest error", err);
    set_thresholds(d);
    if (preset[1] > 0) d->t1 = preset[1];
    if (preset[2] > 0) d->t2 = preset[2];
    if (preset[3] > 0) d->t3 = preset[3];
    d->reset = preset[4] > 0 ? preset[4] : RESET_DEFAULT;
    if (d->t1 <= d->near || d->t2 < d->t1 || d->t3 < d->t2 || d->t3 > d->maxval || d->reset < 3)
        return broken(d, "its thresholds", err);
    return 0;
}

/* The scan header at p, then its data; *first is the channel that is to come, then the next. */
static int read_scan(decoder *d, const uint8_t *p, size_t n, const int preset[5], int *first,
                     void *out, nod_error *err)
{
    int n_channels = n >= 1 ? p[0] : 0, rc;

    if (n_channels < 1 || n < 4 + 2 * (size_t)n_channels ||
        n_channels > d->f->channels - *first)
        return broken(d, "its scan header", err);
    const uint8_t *last = p + 1 + 2 * n_channels;
    if (d->precision == 0) return broken(d, "a scan before the frame header", err);
    d->near = last[0];
    if (last[1] > ILV_SAMPLE || (last[1] == ILV_NONE && n_channels != 1))
        return broken(d, "its interleaving", err);
    if ((last[2] & 15) != 0) return refuse(d, "a point transform", err);
    if ((rc = apply_presets(d, preset, err)) != 0 || (rc = start_scan(d, err)) != 0) return rc;
    rc = decode_scan(d, last[1], *first, n_channels, out, err);
    *first += n_channels;
    return rc;
}

static int decode_with(decoder *d, const uint8_t *b, size_t size, void *out, nod_error *err)
{
    size_t at = 2;
    int first = 0, preset[5] = {0}, rc = 0;

    while (rc == 0 && first < d->f->channels) {
        while (at < size &&
               !(b[at] == 0xff && at + 1 < size && b[at + 1] > 0x7f && b[at + 1] != 0xff))
            at++;
        if (at + 4 > size || b[at + 1] == EOI) return broken(d, "it ends too early", err);
        size_t n = (size_t)b[at + 2] << 8 | b[at + 3];
        const uint8_t *p = b + at + 4;
        if (n < 2 || n > size - at - 2) return broken(d, "a segment is cut off", err);
        at += 2 + n;
        n -= 2;
        switch (p[-3]) {
        case SOF55:
            rc = read_frame_header(d, p, n, err);
            break;
        case LSE:
            rc = read_presets(d, p, n, preset, err);
            break;
        case DRI:
            for (size_t i = 0; i < n; i++)
                if (p[i] != 0) return refuse(d, "restart intervals", err);
            break;
        case APP8: /* HP's colour transforms */
            if (n >= 5 && memcmp(p, "mrfx", 4) == 0 && p[4] != 0)
                return refuse(d, "a colour transform", err);
            break;
        case SOS:
            d->bits = (bit_reader){.at = b + at, .end = b + size};
            rc = read_scan(d, p, n, preset, &first, out, err);
            at = (size_t)(d->bits.at - b);
            break;
        default:
            break;
        }
    }
    return rc;
}

static int decode(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  bool *is_ybr, nod_error *err)
{
    size_t line = (size_t)f->columns + 2;
    decoder *d = nod_calloc(1, sizeof *d);
    int32_t *lines = nod_calloc(line * 2 * CHANNELS_MAX, sizeof *lines);
    int rc;

    if (d == NULL || lines == NULL) {
        rc = nod_fail_memory(err, "the JPEG-LS decoder", line * 2 * CHANNELS_MAX);
    } else {
        d->f = f;
        for (size_t i = 0; i < 2 * CHANNELS_MAX; i++)
            d->lines[i] = lines + i * line;
        rc = decode_with(d, bytes, size, out, err);
        nod_free(d->quantised);
    }
    nod_free(lines);
    nod_free(d);
    if (rc == 0) *is_ybr = f->is_ybr;
    return rc;
}

/* The first frame header is SOF55. */
static bool is(const uint8_t *b, size_t size)
{
    size_t at = 2;

    if (size < 4 || b[0] != 0xff || b[1] != SOI) return false;
    while (at + 4 <= size && b[at] == 0xff) {
        if (b[at + 1] == SOF55) return true;
        if (b[at + 1] >= 0xc0 && b[at + 1] <= 0xcf && b[at + 1] != 0xc4 && b[at + 1] != 0xcc)
            return false;
        at += b[at + 1] == 0xff ? 1 : 2 + ((size_t)b[at + 2] << 8 | b[at + 3]);
    }
    return false;
}

const nod_codec nod_codec_jls = {"JPEG-LS", is, decode};
