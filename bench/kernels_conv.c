/* kernels_conv.c: our own convolution kernels beside oneDNN's, pass by pass, layer by layer.
 *
 *     kernels_conv [-t THREADS] [-r ROUNDS] [-c] [-o] [-p PASS] [FILTER]
 *
 * For each layer and pass: the best of oneDNN's direct kernels over its layouts (never a
 * reference one; its weights already in its own format, which flatters it) and our kernel with
 * all its transforms, in turns within one process. Times are the shortest of the rounds, as
 * other work on the machine only ever adds; the ratio's second number is the median over
 * rounds. -c: time of the processor instead of the clock, for one thread on a busy machine.
 * -o: ours only. -p: only pass 0, 1 or 2. */
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/cpu/winograd.h"
#include "base/memory.h"
#include "base/threads.h"
#include "conv_case.h"

#define ROUNDS_MAX 64
#define SAMPLE_S   0.02 /* shortest sample: a kernel is repeated until it takes this long */
#define CANDIDATES 3

static const nod_kernel_def *const kernels[3][4] = {
    {&nod_winograd_avx512_conv, &nod_winograd_avx2_conv},
    {&nod_winograd_avx512_conv_bwd_data, &nod_winograd_avx2_conv_bwd_data},
    {&nod_winograd_avx512_conv_bwd_weights, &nod_winograd_avx2_conv_bwd_weights},
};
static const char *const pass_names[3] = {"forward", "bwd data", "bwd weights"};

static void check(dnnl_status_t s, const char *what)
{
    if (s == dnnl_success) return;
    fprintf(stderr, "oneDNN: %s failed (%d)\n", what, (int)s);
    exit(1);
}
#define DNNL(call) check((call), #call)

static void fail(const char *what)
{
    fprintf(stderr, "kernels_conv: %s\n", what);
    exit(1);
}

static double now_s(const clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *random_floats(int64_t n, uint32_t seed)
{
    float *p = nod_aligned_calloc((size_t)n * sizeof *p);
    if (p == NULL) fail("out of memory");
    conv_case_fill(p, n, seed);
    return p;
}

/* --- something to time -------------------------------------------------------------------- */

typedef struct job {
    /* ours */
    const nod_kernel_def *def;
    nod_kernel *kernel;
    void *in[3], *out[2], *scratch;
    /* oneDNN's */
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_exec_arg_t args[3];
    dnnl_memory_t memory[3];
    char impl[64];
    clockid_t clock;
    int repeats;
    double time_s[ROUNDS_MAX];
} job;

static void run_once(job *j)
{
    if (j->def != NULL) {
        nod_error err = NOD_ERROR_INIT;
        const nod_run_context context = {.fresh = false};
        const nod_kernel_args a = {j->in, j->out, j->scratch, &context};
        if (j->def->run(j->kernel, &a, &err) != 0) fail(err.message);
    } else {
        DNNL(dnnl_primitive_execute(j->primitive, j->stream, 3, j->args));
        DNNL(dnnl_stream_wait(j->stream));
    }
}

static double sample(job *j)
{
    if (j->repeats == 0) {
        run_once(j);
        double t = now_s(j->clock);
        run_once(j);
        j->repeats = (int)(SAMPLE_S / (now_s(j->clock) - t)) + 1;
    }
    run_once(j); /* warm: the other job used the caches */
    double t = now_s(j->clock);
    for (int i = 0; i < j->repeats; i++)
        run_once(j);
    return (now_s(j->clock) - t) / j->repeats;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double shortest(const job *j, int rounds)
{
    double t = j->time_s[0];
    for (int i = 1; i < rounds; i++)
        t = fmin(t, j->time_s[i]);
    return t;
}

/* --- oneDNN ------------------------------------------------------------------------------- */

typedef struct data {
    float *x, *w, *y; /* any layout: only their sizes matter */
} data;

static void fill_dims(dnnl_dims_t d, int rank, int64_t a, int64_t b, const int64_t s[3])
{
    d[0] = a, d[1] = b;
    for (int i = 2; i < rank; i++)
        d[i] = s[3 - rank + i];
}

/* false: no such kernel, or only a reference one. */
static bool onednn_job(job *j, dnnl_engine_t engine, const conv_case *c, int pass, int layout,
                       const data *d)
{
    static const dnnl_format_tag_t tags[CANDIDATES][2] = {
        {dnnl_nChw8c, dnnl_nCdhw8c}, {dnnl_nhwc, dnnl_ndhwc}, {dnnl_nchw, dnnl_ncdhw}};
    const dnnl_format_tag_t tag = tags[layout][c->rank - 4];
    const int64_t out[3] = {conv_case_out_size(c, 0), conv_case_out_size(c, 1),
                            conv_case_out_size(c, 2)};
    dnnl_dims_t dims, stride, lo, hi;
    for (int i = 0, skip = 5 - c->rank; i < c->rank - 2; i++) {
        stride[i] = c->stride[skip + i];
        lo[i] = c->pad_lo[skip + i];
        hi[i] = c->pad_hi[skip + i];
    }
    dnnl_memory_desc_t mx, mw, my;
    fill_dims(dims, c->rank, c->n, c->c, c->size);
    const dnnl_format_tag_t plain = c->rank == 4 ? dnnl_nchw : dnnl_ncdhw;
    DNNL(dnnl_memory_desc_init_by_tag(&mx, c->rank, dims, dnnl_f32, c->c < 8 ? plain : tag));
    fill_dims(dims, c->rank, c->n, c->o, out);
    DNNL(dnnl_memory_desc_init_by_tag(&my, c->rank, dims, dnnl_f32, tag));
    fill_dims(dims, c->rank, c->o, c->c, c->kernel);
    DNNL(dnnl_memory_desc_init_by_tag(&mw, c->rank, dims, dnnl_f32, dnnl_format_tag_any));
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    DNNL(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, direct, &mx, &mw,
                                            NULL, &my, stride, lo, hi));
    if (dnnl_primitive_desc_create(&forward, &desc, NULL, engine, NULL) != dnnl_success)
        return false;
    if (pass == CONV_CASE_DATA) {
        DNNL(dnnl_convolution_backward_data_desc_init(&desc, direct, &mx, &mw, &my, stride, lo,
                                                      hi));
    } else if (pass == CONV_CASE_WEIGHTS) {
        DNNL(dnnl_convolution_backward_weights_desc_init(&desc, direct, &mx, &mw, NULL, &my,
                                                         stride, lo, hi));
    }
    if (pass == CONV_CASE_FORWARD)
        pd = forward;
    else if (dnnl_primitive_desc_create(&pd, &desc, NULL, engine, forward) != dnnl_success)
        return false;
    const char *impl = NULL;
    DNNL(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &impl));
    if (strstr(impl, "ref") != NULL) return false;
    memset(j, 0, sizeof *j);
    snprintf(j->impl, sizeof j->impl, "%s", impl);
    DNNL(dnnl_primitive_create(&j->primitive, pd));
    DNNL(dnnl_stream_create(&j->stream, engine, dnnl_stream_default_flags));
    static const int arg[3][3] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                  {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                  {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    const dnnl_query_t wq =
        pass == CONV_CASE_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    const dnnl_memory_desc_t *const md[3] = {&mx, dnnl_primitive_desc_query_md(pd, wq, 0), &my};
    void *const at[3] = {d->x, DNNL_MEMORY_ALLOCATE, d->y};
    for (int i = 0; i < 3; i++) {
        DNNL(dnnl_memory_create(&j->memory[i], md[i], engine, at[i]));
        j->args[i] = (dnnl_exec_arg_t){arg[pass][i], j->memory[i]};
    }
    if (pass != CONV_CASE_WEIGHTS) { /* random weights: zeros could look faster */
        void *w;
        DNNL(dnnl_memory_get_data_handle(j->memory[1], &w));
        memcpy(w, d->w, (size_t)conv_case_weight_count(c) * sizeof(float));
    }
    if (pd != forward) DNNL(dnnl_primitive_desc_destroy(pd));
    DNNL(dnnl_primitive_desc_destroy(forward));
    return true;
}

static void onednn_done(job *j)
{
    dnnl_primitive_destroy(j->primitive);
    dnnl_stream_destroy(j->stream);
    for (int i = 0; i < 3; i++)
        dnnl_memory_destroy(j->memory[i]);
}

/* --- ours --------------------------------------------------------------------------------- */

static bool own_job(job *j, const conv_case *c, int pass, const data *d, bool frozen)
{
    static const nod_layout layouts[] = {NOD_LAYOUT_BLOCK16, NOD_LAYOUT_BLOCK8};
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < NOD_COUNT(kernels[pass]) && kernels[pass][i] != NULL; i++) {
            conv_case_node node;
            nod_kernel_fit fit;
            nod_error err = NOD_ERROR_INIT;
            conv_case_node_init(&node, c, (conv_case_pass)pass, layouts[l], frozen);
            const nod_kernel_def *def = kernels[pass][i];
            if (!def->match(&node.query, &fit)) continue;
            memset(j, 0, sizeof *j);
            if (def->create(&node.query, &fit, &j->kernel, &err) != 0) fail(err.message);
            j->def = def;
            j->scratch = nod_aligned_calloc(fit.scratch_bytes);
            if (j->scratch == NULL) fail("out of memory");
            snprintf(j->impl, sizeof j->impl, "%s", def->name);
            void *const in[3][2] = {{d->x, d->w}, {d->y, d->w}, {d->x, d->y}};
            void *const out[3] = {d->y, d->x, d->w};
            memcpy(j->in, in[pass], sizeof in[pass]);
            j->out[0] = out[pass];
            return true;
        }
    }
    return false;
}

/* --- the table ---------------------------------------------------------------------------- */

static void bench_pass(dnnl_engine_t engine, const char *name, const conv_case *c, int pass,
                       int rounds, bool frozen, clockid_t clock, bool only_own)
{
    job own, other[CANDIDATES];
    const data d = {random_floats(conv_case_src_count(c), 1),
                    random_floats(conv_case_weight_count(c), 2),
                    random_floats(conv_case_dst_count(c), 3)};
    bool has_own = own_job(&own, c, pass, &d, frozen);
    own.clock = clock;
    int n = 0, best = 0;
    for (int l = 0; l < CANDIDATES && !only_own; l++)
        if (onednn_job(&other[n], engine, c, pass, l, &d)) other[n++].clock = clock;
    for (int i = 0; i < n && n > 1; i++) {
        other[i].time_s[0] = fmin(sample(&other[i]), sample(&other[i]));
        if (other[i].time_s[0] < other[best].time_s[0]) best = i;
    }
    double ratio[ROUNDS_MAX];
    for (int r = 0; r < rounds; r++) {
        if (has_own) own.time_s[r] = sample(&own);
        if (n > 0) other[best].time_s[r] = sample(&other[best]);
        ratio[r] = has_own && n > 0 ? other[best].time_s[r] / own.time_s[r] : 0;
    }
    const double macs =
        (double)conv_case_weight_count(c) * (double)conv_case_dst_count(c) / (double)c->o;
    const double own_s = has_own ? shortest(&own, rounds) : NAN;
    const double other_s = n > 0 ? shortest(&other[best], rounds) : NAN;
    qsort(ratio, (size_t)rounds, sizeof ratio[0], compare);
    printf("%-26s %-11s %9.3f %6.0f %9.3f %6.0f  %5.2f %5.2f  %-16s %s\n", name,
           frozen ? "fwd frozen" : pass_names[pass], own_s * 1e3, 2e-9 * macs / own_s,
           other_s * 1e3, 2e-9 * macs / other_s, other_s / own_s, ratio[rounds / 2],
           has_own ? own.impl : "-", n > 0 ? other[best].impl : "only ref");
    fflush(stdout);
    for (int i = 0; i < n; i++)
        onednn_done(&other[i]);
    if (has_own) {
        own.def->free(own.kernel);
        nod_free(own.scratch);
    }
    nod_free(d.x), nod_free(d.w), nod_free(d.y);
}

typedef struct layer {
    const char *name;
    int rank;
    int64_t n, c, o, size, kernel, stride, pad;
} layer;

static const layer layers[] = {
    {"2d 64 28x28 b128", 4, 128, 64, 64, 28, 3, 1, 1},
    {"2d 128 14x14 b128", 4, 128, 128, 128, 14, 3, 1, 1},
    {"2d 256 7x7 b128", 4, 128, 256, 256, 7, 3, 1, 1},
    {"2d 512 4x4 b128", 4, 128, 512, 512, 4, 3, 1, 1},
    {"2d 64 56x56 b1", 4, 1, 64, 64, 56, 3, 1, 1},
    {"2d 128 28x28 b1", 4, 1, 128, 128, 28, 3, 1, 1},
    {"2d 256 14x14 b1", 4, 1, 256, 256, 14, 3, 1, 1},
    {"2d 512 7x7 b1", 4, 1, 512, 512, 7, 3, 1, 1},
    {"3d 64 28^3 b4", 5, 4, 64, 64, 28, 3, 1, 1},
    {"3d 128 14^3 b32", 5, 32, 128, 128, 14, 3, 1, 1},
    {"3d 256 7^3 b32", 5, 32, 256, 256, 7, 3, 1, 1},
    {"3d 512 4^3 b32", 5, 32, 512, 512, 4, 3, 1, 1},
};

int main(int argc, char **argv)
{
    int threads = 2, rounds = 5;
    bool only_own = false;
    int only_pass = -1;
    clockid_t clock = CLOCK_MONOTONIC;
    for (int opt; (opt = getopt(argc, argv, "t:r:cop:")) != -1;) {
        if (opt == 'o') only_own = true;
        if (opt == 'p') only_pass = atoi(optarg);
        if (opt == 'c') clock = CLOCK_PROCESS_CPUTIME_ID;
        if (opt == 't') threads = atoi(optarg);
        if (opt == 'r') rounds = atoi(optarg);
        if (opt == '?') return 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MAX) fail("-r: 1 to 64 rounds");
    nod_threads_set(threads);
    dnnl_engine_t engine;
    DNNL(dnnl_engine_create(&engine, dnnl_cpu, 0));
    printf("%d threads, avx2 %s, avx512 %s\n", threads,
           __builtin_cpu_supports("avx2") ? "yes" : "no",
           __builtin_cpu_supports("avx512f") ? "yes" : "no");
    printf("%-26s %-11s %9s %6s %9s %6s  %5s %5s\n", "layer", "pass", "own ms", "GF/s",
           "oneDNN ms", "GF/s", "ratio", "med");
    for (size_t i = 0; i < NOD_COUNT(layers); i++) {
        const layer *l = &layers[i];
        if (optind < argc && strstr(l->name, argv[optind]) == NULL) continue;
        const conv_case c =
            conv_case_of(l->rank, l->n, l->c, l->o, l->size, l->kernel, l->stride, l->pad);
        for (int pass = 0; pass < 3; pass++)
            if (only_pass < 0 || pass == only_pass)
                bench_pass(engine, l->name, &c, pass, rounds, false, clock, only_own);
        if (l->n == 1 && only_pass <= 0)
            bench_pass(engine, l->name, &c, 0, rounds, true, clock, only_own);
    }
    dnnl_engine_destroy(engine);
    return 0;
}
