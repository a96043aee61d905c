/* conv.c: kernels for convolutions on oneDNN.
 *
 * Weights arrive PLAIN. A training plan packs them into scratch in every run (1 % of a step); a
 * frozen plan keeps a packed copy and renews it when the run is `fresh`. Backward-weights runs a
 * fixed number of pieces of the batch, each by one thread, and adds the partial sums in order: the
 * library's own reduction would give other bits for other numbers of threads.
 *
 * Storage. Where x and y are both stored in bf16, the products are of bf16 and the sums of f32.
 * Where one of them is (the first layer: its image is f32), or where there are too few channels for
 * bf16 to pay, the convolution runs in f32 and what is stored in bf16 is widened into scratch and
 * rounded once from there. Weights, their gradients and biases are f32 outside. */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "backend/cpu/dnnl_conv.h"
#include "backend/cpu/elementwise.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

#define PIECES_MAX 8
/* Fewer channels than this go the way of f32. (One channel in bf16 gave wrong sums in some releases,
 * pytorch/pytorch#163347.) */
#define HALF_CHANNELS_MIN 8

typedef struct conv_kernel {
    nod_dnnl_conv *conv[PIECES_MAX];
    int n_pieces;
    size_t packed, scratch;  /* bytes, rounded, of one piece */
    size_t x_piece, y_piece; /* bytes of one piece of the batch */
    int64_t n_weights, n_bias;
    bool frozen, bias, one_thread;
    void *kept;          /* frozen: packed weights */
    int64_t n_x, n_y;    /* elements of x (or dx) and y (or dy) */
    bool wide_x, wide_y; /* stored in bf16, computed in f32 */
    const nod_element_isa *isa;
} conv_kernel;

static const nod_shape *shape_of(const nod_kernel_query *q, int value)
{
    return &q->graph->values[value].shape;
}

/* Shapes of x, w and y of the convolution that this node belongs to. */
static void roles(const nod_kernel_query *q, const nod_shape **x, const nod_shape **w,
                  const nod_shape **y)
{
    const nod_node *n = q->node;
    switch (n->op) {
    case NOD_OP_CONV:
        *x = shape_of(q, n->in[0]);
        *w = shape_of(q, n->in[1]);
        *y = shape_of(q, n->out[0]);
        break;
    case NOD_OP_CONV_BWD_DATA:
    case NOD_OP_CONV_T:
        *y = shape_of(q, n->in[0]);
        *w = shape_of(q, n->in[1]);
        *x = shape_of(q, n->out[0]);
        break;
    default:
        *x = shape_of(q, n->in[0]);
        *y = shape_of(q, n->in[1]);
        *w = shape_of(q, n->out[0]);
    }
}

/* Value ids of x (or dx) and y (or dy). */
static void values_of(const nod_kernel_query *q, nod_conv_pass pass, int *x, int *y)
{
    const nod_node *n = q->node;
    *x = pass == NOD_PASS_DATA ? n->out[0] : n->in[0];
    *y = pass == NOD_PASS_FORWARD ? n->out[0] : n->in[pass == NOD_PASS_DATA ? 0 : 1];
}

static bool computes_half(const nod_kernel_query *q, nod_conv_pass pass,
                          const nod_dnnl_conv_desc *d)
{
    int x, y;
    values_of(q, pass, &x, &y);
    return nod_stored_half(q, x) && nod_stored_half(q, y) &&
           NOD_MIN(d->c, d->o) / d->groups >= HALF_CHANNELS_MIN;
}

static nod_dnnl_conv_desc describe(const nod_kernel_query *q, nod_conv_pass pass)
{
    const nod_shape *x, *w, *y;
    const nod_attrs *a = &q->node->attr;
    roles(q, &x, &w, &y);
    nod_dnnl_conv_desc d = {.pass = pass,
                            .nd = x->rank - 2,
                            .n = x->dim[0],
                            .c = x->dim[1],
                            .o = y->dim[1],
                            .groups = a->groups,
                            .act = a->act,
                            .alpha = a->alpha};
    d.half = computes_half(q, pass, &d);
    for (int i = 0; i < 3; i++) {
        int axis = x->rank - 3 + i;
        bool flat = axis < 2;
        d.in[i] = flat ? 1 : x->dim[axis];
        d.out[i] = flat ? 1 : y->dim[axis];
        d.kernel[i] = flat ? 1 : w->dim[axis];
        d.stride[i] = a->stride[i];
        d.dilation[i] = a->dilation[i];
        d.pad_lo[i] = a->pad_lo[i];
        /* the padding behind that the output size really uses */
        d.pad_hi[i] = (d.out[i] - 1) * d.stride[i] + d.dilation[i] * (d.kernel[i] - 1) + 1 -
                      d.in[i] - d.pad_lo[i];
    }
    return d;
}

/* On PLAIN values the library multiplies matrices and cuts the sums by thread: other bits for other
 * numbers of threads. Layers whose channels are no multiple of the block run on one thread. */
static bool needs_one_thread(const nod_dnnl_conv_desc *d)
{
    return d->x == NOD_LAYOUT_PLAIN && d->y == NOD_LAYOUT_PLAIN;
}

/* In channels-last, the weight gradient of a strided 1x1 convolution from fewer channels than a
 * vector of bf16 writes past its memory (uxlfoundation/oneDNN#6035). */
static bool writes_past(const nod_dnnl_conv_desc *d)
{
    bool point = true, strided = false;
    for (int i = 0; i < 3; i++) {
        point = point && d->kernel[i] == 1;
        strided = strided || d->stride[i] > 1;
    }
    return d->pass == NOD_PASS_WEIGHTS && point && strided && d->c / d->groups < 32;
}

/* Nothing to lay out, and in channels-last the library's sums differ from run to run there. */
static bool is_one_pixel(const nod_shape *x, const nod_shape *y)
{
    return nod_shape_count(x) == x->dim[0] * x->dim[1] &&
           nod_shape_count(y) == y->dim[0] * y->dim[1];
}

/* First pair of layouts for which the library has a real kernel. */
static nod_dnnl_conv *find(nod_dnnl_conv_desc *d, const nod_kernel_query *q)
{
    const nod_shape *x, *w, *y;
    roles(q, &x, &w, &y);
    nod_layout p = q->preferred;
    /* AVX2 has matrix products alone for it, whose sums are cut by thread */
    if (p == NOD_LAYOUT_LAST &&
        (nod_dnnl_isa_here() < NOD_DNNL_ISA_AVX512 || writes_past(d) || is_one_pixel(x, y)))
        p = NOD_LAYOUT_PLAIN;
    nod_layout fx = nod_layout_allowed(p, x) ? p : NOD_LAYOUT_PLAIN;
    nod_layout fy = nod_layout_allowed(p, y) ? p : NOD_LAYOUT_PLAIN;
    const nod_layout pairs[][2] = {{fx, fy}, {NOD_LAYOUT_PLAIN, NOD_LAYOUT_PLAIN}};
    for (size_t i = 0; i < NOD_COUNT(pairs); i++) {
        d->x = pairs[i][0];
        d->y = pairs[i][1];
        d->one_thread = d->pass == NOD_PASS_WEIGHTS || needs_one_thread(d);
        nod_dnnl_conv *c = nod_dnnl_conv_new(d);
        if (c) return c;
    }
    return NULL;
}

static int pieces_of(int64_t batch)
{
    for (int p = PIECES_MAX; p > 1; p--)
        if (batch % p == 0) return p;
    return 1;
}

static bool may_run(const nod_kernel_query *q)
{
    return nod_storage_of(q) != NOD_STORAGE_OTHER;
}

/* --- values stored in bf16, computed in f32 ------------------------------------------------- */

/* What describe() says of storage, into the kernel. */
static void set_storage(conv_kernel *c, const nod_kernel_query *q, nod_conv_pass pass,
                        bool half)
{
    int x, y;
    values_of(q, pass, &x, &y);
    c->wide_x = nod_stored_half(q, x) && !half;
    c->wide_y = nod_stored_half(q, y) && !half;
    c->n_x = nod_shape_count(shape_of(q, x));
    c->n_y = nod_shape_count(shape_of(q, y));
    c->isa = c->wide_x || c->wide_y ? nod_element_isa_here() : NULL;
}

static size_t wide_bytes(bool wide, int64_t n)
{
    return wide ? nod_aligned_size((size_t)n * sizeof(float)) : 0;
}

/* Bytes of scratch for the f32 forms. */
static size_t storage_bytes(const nod_kernel_query *q, nod_conv_pass pass, bool half)
{
    conv_kernel c;
    set_storage(&c, q, pass, half);
    return wide_bytes(c.wide_x, c.n_x) + wide_bytes(c.wide_y, c.n_y);
}

#define CHUNK 32768

typedef struct convert_job {
    const nod_element_isa *isa;
    uint16_t *half;
    float *wide;
    int64_t n;
} convert_job;

static void widen_chunk(void *ctx, int64_t i)
{
    const convert_job *j = ctx;
    j->isa->widen(j->half + i * CHUNK, j->wide + i * CHUNK, NOD_MIN(CHUNK, j->n - i * CHUNK));
}

static void narrow_chunk(void *ctx, int64_t i)
{
    const convert_job *j = ctx;
    j->isa->narrow(j->wide + i * CHUNK, j->half + i * CHUNK, NOD_MIN(CHUNK, j->n - i * CHUNK));
}

/* `stored`, or its f32 form in scratch, which moves on; read: filled from what is stored. */
static void *wide_form(const conv_kernel *c, bool wide, void *stored, int64_t n, bool read,
                       uint8_t **scratch)
{
    if (!wide) return stored;
    convert_job j = {c->isa, stored, (float *)(void *)*scratch, n};
    *scratch += wide_bytes(true, n);
    if (read) nod_parallel_for((n + CHUNK - 1) / CHUNK, widen_chunk, &j);
    return j.wide;
}

static void round_back(const conv_kernel *c, bool wide, void *stored, void *form, int64_t n)
{
    convert_job j = {c->isa, stored, form, n};
    if (wide) nod_parallel_for((n + CHUNK - 1) / CHUNK, narrow_chunk, &j);
}

/* --- forward and backward-data -------------------------------------------------------------- */

static int match_one(const nod_kernel_query *q, nod_kernel_fit *fit, nod_conv_pass pass)
{
    if (!may_run(q)) return 0;
    nod_dnnl_conv_desc d = describe(q, pass);
    bool forward = pass == NOD_PASS_FORWARD;
    d.bias = forward && q->node->in[2] >= 0;
    nod_dnnl_conv *c = find(&d, q);
    if (!c) return 0;
    fit->in[0] = forward ? d.x : d.y;
    fit->out[0] = forward ? d.y : d.x;
    fit->scratch_bytes = nod_aligned_size(nod_dnnl_conv_scratch(c)) +
                         (q->frozen ? 0 : nod_aligned_size(nod_dnnl_conv_packed(c))) +
                         storage_bytes(q, pass, d.half);
    nod_dnnl_conv_free(c);
    return 1;
}

static void free_kernel(nod_kernel *k)
{
    conv_kernel *c = (conv_kernel *)k;
    if (!c) return;
    for (int i = 0; i < c->n_pieces; i++)
        nod_dnnl_conv_free(c->conv[i]);
    nod_free(c->kept);
    nod_free(c);
}

static int create_one(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                      nod_error *err, nod_conv_pass pass)
{
    conv_kernel *c = nod_calloc(1, sizeof *c);
    if (!c) return nod_fail_memory(err, "convolution", sizeof *c);
    nod_dnnl_conv_desc d = describe(q, pass);
    bool forward = pass == NOD_PASS_FORWARD;
    d.bias = c->bias = forward && q->node->in[2] >= 0;
    d.x = forward ? fit->in[0] : fit->out[0];
    d.y = forward ? fit->out[0] : fit->in[0];
    d.one_thread = c->one_thread = needs_one_thread(&d);
    c->n_pieces = 1;
    c->frozen = q->frozen;
    set_storage(c, q, pass, d.half);
    c->conv[0] = nod_dnnl_conv_new(&d);
    if (c->conv[0]) {
        c->packed = nod_aligned_size(nod_dnnl_conv_packed(c->conv[0]));
        if (c->frozen) c->kept = nod_aligned_calloc(c->packed);
    }
    if (!c->conv[0] || (c->frozen && !c->kept)) {
        size_t bytes = c->packed;
        free_kernel((nod_kernel *)c);
        return nod_fail_memory(err, "packed weights", bytes);
    }
    *out = (nod_kernel *)c;
    return 0;
}

static int library_failed(int status, nod_error *err)
{
    return nod_fail(err, NOD_EINTERNAL, "oneDNN refused to run (status %d)", status);
}

/* Runs a primitive that was made for one thread (`one`) on one thread. */
static int run_conv(nod_dnnl_conv *conv, bool one, void *x, void *w, void *bias, void *y,
                    void *scratch)
{
    int threads = nod_threads_get();
    if (one) nod_threads_set(1);
    int status = nod_dnnl_conv_run(conv, x, w, bias, y, scratch);
    if (one) nod_threads_set(threads);
    return status;
}

/* Packed weights: the kept copy, or fresh in scratch; *scratch moves behind them. */
static int weights_for(conv_kernel *c, const nod_kernel_args *a, void **w, uint8_t **scratch)
{
    bool pack = !c->frozen || a->context->fresh;
    *w = c->frozen ? c->kept : *scratch;
    if (!c->frozen) *scratch += c->packed;
    return pack ? nod_dnnl_conv_pack(c->conv[0], a->in[1], *w) : 0;
}

static int match_forward(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    return match_one(q, fit, NOD_PASS_FORWARD);
}

static int create_forward(const nod_kernel_query *q, const nod_kernel_fit *fit,
                          nod_kernel **out, nod_error *err)
{
    return create_one(q, fit, out, err, NOD_PASS_FORWARD);
}

static int run_forward(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    conv_kernel *c = (conv_kernel *)k;
    uint8_t *scratch = a->scratch;
    void *w, *x = wide_form(c, c->wide_x, a->in[0], c->n_x, true, &scratch);
    void *y = wide_form(c, c->wide_y, a->out[0], c->n_y, false, &scratch);
    int s = weights_for(c, a, &w, &scratch);
    if (!s)
        s = run_conv(c->conv[0], c->one_thread, x, w, c->bias ? a->in[2] : NULL, y, scratch);
    round_back(c, c->wide_y, a->out[0], y, c->n_y);
    return s ? library_failed(s, err) : 0;
}

static int match_data(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    return match_one(q, fit, NOD_PASS_DATA);
}

static int create_data(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                       nod_error *err)
{
    return create_one(q, fit, out, err, NOD_PASS_DATA);
}

static int run_data(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    conv_kernel *c = (conv_kernel *)k;
    uint8_t *scratch = a->scratch;
    void *w, *y = wide_form(c, c->wide_y, a->in[0], c->n_y, true, &scratch);
    void *x = wide_form(c, c->wide_x, a->out[0], c->n_x, false, &scratch);
    int s = weights_for(c, a, &w, &scratch);
    if (!s) s = run_conv(c->conv[0], c->one_thread, x, w, NULL, y, scratch);
    round_back(c, c->wide_x, a->out[0], x, c->n_x);
    return s ? library_failed(s, err) : 0;
}

/* --- backward-weights --------------------------------------------------------------------------- */

static nod_dnnl_conv_desc describe_piece(const nod_kernel_query *q, int *pieces)
{
    nod_dnnl_conv_desc d = describe(q, NOD_PASS_WEIGHTS);
    *pieces = pieces_of(d.n);
    d.n /= *pieces;
    d.one_thread = true;
    d.act = NOD_ACT_IDENTITY;
    d.bias = q->node->out[1] >= 0;
    return d;
}

static size_t piece_bytes(const nod_dnnl_conv *c, int64_t n_bias)
{
    return nod_aligned_size(nod_dnnl_conv_scratch(c)) +
           nod_aligned_size(nod_dnnl_conv_packed(c)) +
           nod_aligned_size((size_t)n_bias * sizeof(float));
}

static int match_weights(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    int pieces;
    if (!may_run(q) || q->node->out[0] < 0) return 0;
    nod_dnnl_conv_desc d = describe_piece(q, &pieces);
    nod_dnnl_conv *c = find(&d, q);
    if (!c) return 0;
    fit->in[0] = d.x;
    fit->in[1] = d.y;
    fit->scratch_bytes =
        (size_t)pieces * piece_bytes(c, d.o) + storage_bytes(q, NOD_PASS_WEIGHTS, d.half);
    nod_dnnl_conv_free(c);
    return 1;
}

static int create_weights(const nod_kernel_query *q, const nod_kernel_fit *fit,
                          nod_kernel **out, nod_error *err)
{
    conv_kernel *c = nod_calloc(1, sizeof *c);
    if (!c) return nod_fail_memory(err, "convolution", sizeof *c);
    nod_dnnl_conv_desc d = describe_piece(q, &c->n_pieces);
    const nod_shape *x, *w, *y;
    roles(q, &x, &w, &y);
    d.x = fit->in[0];
    d.y = fit->in[1];
    c->bias = d.bias;
    set_storage(c, q, NOD_PASS_WEIGHTS, d.half);
    size_t element = d.half ? sizeof(uint16_t) : sizeof(float);
    c->x_piece = (size_t)(nod_shape_count(x) / c->n_pieces) * element;
    c->y_piece = (size_t)(nod_shape_count(y) / c->n_pieces) * element;
    c->n_bias = d.o;
    for (int i = 0; i < c->n_pieces; i++) {
        c->conv[i] = nod_dnnl_conv_new(&d);
        if (!c->conv[i]) {
            free_kernel((nod_kernel *)c);
            return nod_fail_memory(err, "convolution gradient", sizeof *c);
        }
    }
    c->packed = nod_aligned_size(nod_dnnl_conv_packed(c->conv[0]));
    c->scratch = piece_bytes(c->conv[0], d.o);
    c->n_weights = (int64_t)(nod_dnnl_conv_packed(c->conv[0]) / sizeof(float));
    *out = (nod_kernel *)c;
    return 0;
}

typedef struct piece_job {
    conv_kernel *c;
    uint8_t *x, *y, *memory;
    int status[PIECES_MAX];
} piece_job;

/* Memory of piece i: [weights][bias][scratchpad]. */
static uint8_t *piece_memory(const piece_job *j, int64_t i)
{
    return j->memory + (size_t)i * j->c->scratch;
}

static void run_piece(void *ctx, int64_t i)
{
    piece_job *j = ctx;
    conv_kernel *c = j->c;
    uint8_t *m = piece_memory(j, i);
    uint8_t *b = m + c->packed, *s = b + nod_aligned_size((size_t)c->n_bias * sizeof(float));
    j->status[i] = run_conv(c->conv[i], true, j->x + (size_t)i * c->x_piece, m,
                            c->bias ? b : NULL, j->y + (size_t)i * c->y_piece, s);
}

#define SUM_CHUNK 4096

static void sum_pieces(void *ctx, int64_t chunk)
{
    piece_job *j = ctx;
    const conv_kernel *c = j->c;
    int64_t from = chunk * SUM_CHUNK, to = NOD_MIN(from + SUM_CHUNK, c->n_weights);
    float *sum = (float *)(void *)piece_memory(j, 0);
    for (int p = 1; p < c->n_pieces; p++) {
        const float *part = (const float *)(const void *)piece_memory(j, p);
        for (int64_t i = from; i < to; i++)
            sum[i] += part[i];
    }
}

static int run_weights(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    conv_kernel *c = (conv_kernel *)k;
    uint8_t *scratch = a->scratch;
    piece_job j = {.c = c};
    j.x = wide_form(c, c->wide_x, a->in[0], c->n_x, true, &scratch);
    j.y = wide_form(c, c->wide_y, a->in[1], c->n_y, true, &scratch);
    j.memory = scratch;
    nod_parallel_for(c->n_pieces, run_piece, &j);
    for (int i = 0; i < c->n_pieces; i++)
        if (j.status[i]) return library_failed(j.status[i], err);
    nod_parallel_for((c->n_weights + SUM_CHUNK - 1) / SUM_CHUNK, sum_pieces, &j);
    int s = nod_dnnl_conv_unpack(c->conv[0], (const float *)(void *)j.memory, a->out[0]);
    if (s) return library_failed(s, err);
    if (!c->bias) return 0;
    float *db = a->out[1];
    memset(db, 0, (size_t)c->n_bias * sizeof *db);
    for (int p = 0; p < c->n_pieces; p++) {
        const float *part = (const float *)(const void *)(piece_memory(&j, p) + c->packed);
        for (int64_t i = 0; i < c->n_bias; i++)
            db[i] += part[i];
    }
    return 0;
}

const nod_kernel_def nod_cpu_conv = {"dnnl",         NOD_OP_CONV, match_forward,
                                     create_forward, run_forward, free_kernel};
const nod_kernel_def nod_cpu_conv_bwd_data = {
    "dnnl", NOD_OP_CONV_BWD_DATA, match_data, create_data, run_data, free_kernel};
const nod_kernel_def nod_cpu_conv_bwd_weights = {
    "dnnl", NOD_OP_CONV_BWD_WEIGHTS, match_weights, create_weights, run_weights, free_kernel};
