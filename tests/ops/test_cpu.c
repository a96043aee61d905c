/* test_cpu.c: every kernel of the cpu backend, one by one, against `ref`, over the shared cases
 * and the gradient nodes they lead to, in every layout that the kernel takes.
 *
 * The inputs of a node are the values that a f32 plan of `ref` computed, so an error does not
 * travel. Allowed, for K products per output element (counted where the graph counts them, else
 * the elements that are summed):
 *     max |y - ref|  <=  C sqrt(K) eps max |ref|,  C = 8, eps = 2^-24;
 *     Winograd kernels: relative L2 of 5e-5.
 * In bf16, with activations stored in it, or all but the inputs (a first layer), ref computes the
 * node from the same rounded values, and a relative L2 of 2e-2 is allowed.
 * Looked at besides: canaries around outputs and scratch, inputs left alone, the same bits on
 * 1, 2 and 3 threads (kernels made anew for each, as plans do), with memory that is not aligned,
 * in place where the kernel offers it, and in a second run, which in a frozen plan uses packed
 * weights. Outputs and scratch start as NaN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "exec/plan_internal.h"
#include "ops/op_graph.h"

#define C_DIRECT         8.0
#define EPSILON          0x1p-24
#define WINOGRAD_L2      5e-5
#define BF16_L2          2e-2
#define CANARY_BYTES     65536
#define FAILURES_PRINTED 60
#define FITS_MAX         32

typedef enum storage {
    STORED_F32,
    STORED_BF16,      /* activations, inputs too */
    STORED_BF16_INNER /* activations, but for inputs */
} storage;

typedef struct subject { /* one case, computed by ref */
    const op_case *c;
    storage storage;
    void **stored; /* by value, PLAIN, as it is stored; NULL: absent */
    op_graph g;
    nod_plan *ref;
    op_data data;
    nod_dtype *dtype; /* by value */
} subject;

typedef struct tally { /* of one kernel */
    size_t n_runs;
    double worst; /* error over allowed error */
} tally;

typedef struct fits { /* combinations of layouts that were tried */
    nod_kernel_fit fit[FITS_MAX];
    bool frozen[FITS_MAX];
    size_t n;
} fits;

typedef struct report {
    const nod_backend *backend;
    storage storage;
    tally tallies[256]; /* like backend->kernels */
    size_t n_failures;
} report;

/* --- memory with canaries ----------------------------------------------------------------- */

typedef struct guarded {
    unsigned char *base, *data;
    size_t bytes, allocated;
} guarded;

/* `shift` bytes off the alignment; everything starts as 0xff, which is NaN. */
static guarded guarded_new(size_t bytes, size_t shift)
{
    guarded m = {.bytes = bytes, .allocated = bytes + shift + 2 * CANARY_BYTES};
    m.base = nod_aligned_calloc(m.allocated);
    assert_non_null(m.base);
    memset(m.base, 0xff, m.allocated);
    m.data = m.base + CANARY_BYTES + shift;
    return m;
}

static bool guarded_is_whole(const guarded *m)
{
    for (const unsigned char *p = m->base; p < m->base + m->allocated; p++)
        if ((p < m->data || p >= m->data + m->bytes) && *p != 0xff) return false;
    return true;
}

static void guarded_done(guarded *m)
{
    nod_free(m->base);
    m->base = NULL;
}

/* --- values ------------------------------------------------------------------------------- */

static const nod_value *value_of(const subject *s, int value)
{
    return &s->g.graph->values[value];
}

static size_t bytes_of(const subject *s, int value)
{
    return (size_t)nod_shape_count(&value_of(s, value)->shape) *
           nod_dtype_size(s->dtype[value]);
}

static const nod_kernel_def *ref_kernel(nod_op op)
{
    const nod_kernel_def *const *k = nod_backend_ref()->kernels;
    while (*k != NULL && (*k)->op != op)
        k++;
    return *k;
}

/* Moves a value of the graph from one layout into another, with ref's reorder. */
static void reorder(const subject *s, int value, nod_layout from, nod_layout to, void *src,
                    void *dst)
{
    nod_error err = NOD_ERROR_INIT;
    int in[1] = {value};
    nod_node n = {.op = NOD_OP_REORDER,
                  .name = value_of(s, value)->name,
                  .n_in = 1,
                  .n_out = 1,
                  .in = in,
                  .out = {value, -1, -1, -1}};
    nod_kernel_query q = {
        .graph = s->g.graph, .node = &n, .preferred = to, .in = &from, .dtype = s->dtype};
    const nod_kernel_def *def = ref_kernel(NOD_OP_REORDER);
    nod_kernel_fit fit = {0};
    nod_kernel *k = NULL;
    assert_int_equal(def->match(&q, &fit), 1);
    assert_int_equal(def->create(&q, &fit, &k, &err), 0);
    nod_kernel_args a = {&src, &dst, NULL, NULL};
    assert_int_equal(def->run(k, &a, &err), 0);
    def->free(k);
}

/* The storage of each value: the plan's own rule (exec/dtype.c), and the inputs' as wanted. */
static void find_storage(subject *s)
{
    nod_error err = NOD_ERROR_INIT;
    nod_graph *g = s->g.graph;
    nod_plan p = {.graph = g, .options = NOD_PLAN_OPTIONS_INIT};
    size_t n_outputs = g->n_outputs;
    p.options.precision = s->storage == STORED_F32 ? NOD_PRECISION_F32 : NOD_PRECISION_BF16;
    g->n_outputs = 0; /* outputs are f32 */
    assert_int_equal(nod_plan_find_dtypes(&p, &err), 0);
    g->n_outputs = n_outputs;
    s->dtype = p.dtype;
    for (size_t i = 0; i < g->n_values && s->storage == STORED_BF16; i++)
        if (g->values[i].shape.rank >= 4 && !g->values[i].is_int &&
            (g->values[i].kind == NOD_VALUE_INPUT || (int)i == s->g.y))
            s->dtype[i] = NOD_DTYPE_BF16;
    for (size_t i = 0; i < g->n_nodes; i++) { /* weights are no activations */
        const nod_node *n = &g->nodes[i];
        if (n->op == NOD_OP_CONV || n->op == NOD_OP_CONV_T || n->op == NOD_OP_CONV_BWD_DATA)
            s->dtype[n->in[1]] = NOD_DTYPE_F32;
    }
}

static void store_values(subject *s)
{
    s->stored = nod_calloc(s->g.graph->n_values, sizeof *s->stored);
    assert_non_null(s->stored);
    for (size_t i = 0; i < s->g.graph->n_values; i++) {
        const float *data = nod_plan_data(s->ref, (int)i);
        if (data == NULL) continue;
        s->stored[i] = nod_aligned_calloc(bytes_of(s, (int)i));
        assert_non_null(s->stored[i]);
        if (s->dtype[i] != NOD_DTYPE_BF16)
            memcpy(s->stored[i], data, bytes_of(s, (int)i));
        else
            for (size_t k = 0; k < bytes_of(s, (int)i) / 2; k++)
                ((uint16_t *)s->stored[i])[k] = nod_bf16_from_f32(data[k]);
    }
}

static void start(subject *s, const op_case *c, storage how)
{
    nod_error err = NOD_ERROR_INIT;
    nod_run_context context = {.seed = 5, .step = 2};
    nod_plan_options o = NOD_PLAN_OPTIONS_INIT;
    o.backend = nod_backend_ref();
    s->c = c;
    s->storage = how;
    if (op_graph_build(c, true, &s->g, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < s->g.graph->n_values; i++)
        if (s->g.graph->values[i].kind == NOD_VALUE_NODE) nod_graph_output(s->g.graph, (int)i);
    op_data_init(&s->data, &s->g, c, NOD_PRECISION_F32);
    find_storage(s);
    if (nod_plan_make(s->g.graph, &o, &s->ref, &err) != 0 ||
        nod_plan_prepare(s->ref, &err) != 0)
        fail_msg("case '%s': %s", c->name, err.message);
    for (size_t i = 0; i < s->data.n; i++)
        if (s->data.of[i] != NULL) nod_plan_bind(s->ref, (int)i, s->data.of[i]);
    if (nod_plan_run(s->ref, &context, &err) != 0)
        fail_msg("case '%s': %s", c->name, err.message);
    store_values(s);
}

static void stop(subject *s)
{
    for (size_t i = 0; i < s->g.graph->n_values; i++)
        nod_free(s->stored[i]);
    nod_free(s->stored);
    nod_plan_free(s->ref);
    op_data_done(&s->data);
    nod_free(s->dtype);
    op_graph_done(&s->g);
}

/* ref on one node, from the values as they are stored; out[]: the caller's, PLAIN. */
static void run_ref(const subject *s, const nod_node *n, void *out[NOD_NODE_OUT_MAX])
{
    nod_error err = NOD_ERROR_INIT;
    nod_layout plain[NOD_NODE_IN_MAX] = {NOD_LAYOUT_PLAIN};
    nod_run_context context = {.seed = 5, .step = 2, .fresh = true};
    nod_kernel_query q = {.graph = s->g.graph,
                          .node = n,
                          .in = plain,
                          .precision = NOD_PRECISION_BF16,
                          .dtype = s->dtype};
    void *in[NOD_NODE_IN_MAX] = {NULL};
    nod_kernel_fit fit = {.inplace = {-1, -1, -1, -1}};
    const nod_kernel_def *def = ref_kernel(n->op);
    nod_kernel *k = NULL;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0) in[i] = s->stored[n->in[i]];
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0) out[i] = nod_aligned_calloc(bytes_of(s, n->out[i]));
    assert_int_equal(def->match(&q, &fit), 1);
    assert_int_equal(def->create(&q, &fit, &k, &err), 0);
    void *scratch = nod_aligned_calloc(fit.scratch_bytes);
    nod_kernel_args a = {in, out, scratch, &context};
    assert_int_equal(def->run(k, &a, &err), 0);
    nod_free(scratch);
    def->free(k);
}

static double number_at(const subject *s, int value, const void *plain, int64_t i)
{
    return s->dtype[value] == NOD_DTYPE_BF16
               ? (double)nod_f32_from_bf16(((const uint16_t *)plain)[i])
               : (double)((const float *)plain)[i];
}

/* --- one kernel on one node --------------------------------------------------------------- */

typedef struct trial {
    const subject *s;
    const nod_node *n;
    const nod_kernel_def *def;
    const nod_kernel_query *q;
    nod_kernel_fit fit; /* its answer with one thread */
} trial;

static void complain(report *r, const trial *t, const char *fmt, ...) NOD_PRINTF(3, 4);
static void complain(report *r, const trial *t, const char *fmt, ...)
{
    if (++r->n_failures > FAILURES_PRINTED) return;
    va_list args;
    va_start(args, fmt);
    printf("  %s, case '%s', node %s, in", t->def->name, t->s->c->name, nod_op_name(t->n->op));
    for (int i = 0; i < t->n->n_in; i++)
        printf(" %s", t->n->in[i] < 0 ? "-" : nod_layout_name(t->fit.in[i]));
    printf(" out");
    for (int k = 0; k < t->n->n_out; k++)
        printf(" %s", t->n->out[k] < 0 ? "-" : nod_layout_name(t->fit.out[k]));
    printf("%s: ", t->q->frozen ? ", frozen" : "");
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
}

static bool same_layouts(const nod_node *n, const nod_kernel_fit *a, const nod_kernel_fit *b)
{
    return memcmp(a->in, b->in, (size_t)n->n_in * sizeof *a->in) == 0 &&
           memcmp(a->out, b->out, sizeof a->out) == 0;
}

typedef struct run_options {
    int threads;
    size_t shift;
    bool twice, inplace; /* twice: the second run uses what a frozen kernel packed */
} run_options;

/* Makes the kernel under o.threads, as a plan does. */
static nod_kernel *make_kernel(report *r, const trial *t, run_options o, nod_kernel_fit *fit)
{
    nod_error err = NOD_ERROR_INIT;
    nod_kernel *k = NULL;
    *fit = (nod_kernel_fit){.inplace = {-1, -1, -1, -1}};
    nod_threads_set(o.threads);
    if (t->def->match(t->q, fit) == 0 || !same_layouts(t->n, fit, &t->fit))
        complain(r, t, "answers otherwise with %d threads", o.threads);
    else if (t->def->create(t->q, fit, &k, &err) != 0)
        complain(r, t, "%s", err.message);
    return k;
}

/* Runs the kernel on copies of ref's values; out[] receives its raw outputs. */
static void run_trial(report *r, const trial *t, run_options o, guarded out[NOD_NODE_OUT_MAX])
{
    nod_kernel_fit fit;
    nod_kernel *kernel = make_kernel(r, t, o, &fit);
    guarded in[NOD_NODE_IN_MAX] = {{0}}, scratch = guarded_new(fit.scratch_bytes, 0);
    void *in_data[NOD_NODE_IN_MAX] = {NULL}, *out_data[NOD_NODE_OUT_MAX] = {NULL};
    void *before[NOD_NODE_IN_MAX] = {NULL};
    nod_error err = NOD_ERROR_INIT;
    nod_run_context context = {.seed = 5, .step = 2, .fresh = true};
    for (int i = 0; i < t->n->n_in; i++) {
        if (t->n->in[i] < 0) continue;
        in[i] = guarded_new(bytes_of(t->s, t->n->in[i]), o.shift);
        reorder(t->s, t->n->in[i], NOD_LAYOUT_PLAIN, t->fit.in[i], t->s->stored[t->n->in[i]],
                in[i].data);
        in_data[i] = in[i].data;
        before[i] = nod_memdup(in[i].data, in[i].bytes);
        assert_non_null(before[i]);
    }
    for (int k = 0; k < t->n->n_out; k++) {
        if (t->n->out[k] < 0) continue;
        out[k] = guarded_new(bytes_of(t->s, t->n->out[k]), o.shift);
        int over = o.inplace ? t->fit.inplace[k] : -1;
        out_data[k] = over >= 0 ? in_data[over] : out[k].data;
    }
    nod_kernel_args a = {in_data, out_data, scratch.data, &context};
    for (int run = 0; kernel != NULL && run < (o.twice ? 2 : 1); run++) {
        if (t->def->run(kernel, &a, &err) != 0) complain(r, t, "%s", err.message);
        context.fresh = false;
    }
    t->def->free(kernel);
    nod_threads_set(0);
    if (!guarded_is_whole(&scratch)) complain(r, t, "writes outside of its scratch memory");
    for (int i = 0; i < t->n->n_in; i++) {
        if (before[i] == NULL) continue; /* not an input of this node */
        bool overwritten = false;
        for (int k = 0; k < t->n->n_out; k++)
            if (out_data[k] == in_data[i]) { /* hand over what lies there now */
                overwritten = true;
                memcpy(out[k].data, in_data[i], out[k].bytes);
            }
        if (!overwritten && memcmp(before[i], in_data[i], in[i].bytes) != 0)
            complain(r, t, "changes input %d", i);
        if (!guarded_is_whole(&in[i])) complain(r, t, "writes around input %d", i);
        nod_free(before[i]);
        guarded_done(&in[i]);
    }
    for (int k = 0; k < t->n->n_out; k++)
        if (out_data[k] != NULL && !guarded_is_whole(&out[k]))
            complain(r, t, "writes around output %d", k);
    guarded_done(&scratch);
}

/* Products, or terms, per element of output k. */
static double terms_of(const trial *t, int k)
{
    const nod_graph *g = t->s->g.graph;
    double count = (double)nod_shape_count(nod_graph_shape(g, t->n->out[k]));
    double macs = (double)nod_node_macs(g, t->n), largest = 1;
    if (macs > 0 && k == 0) return macs / count;
    for (int i = 0; i < t->n->n_in; i++)
        if (t->n->in[i] >= 0)
            largest = fmax(largest, (double)nod_shape_count(nod_graph_shape(g, t->n->in[i])));
    /* Gradients of data through a norm hold two sums over a channel. */
    return fmax(largest / fmin(count, (double)nod_graph_shape(g, t->n->in[0])->dim[1]), 1);
}

/* Error over what is allowed, of output k, PLAIN. */
static double error_of(const trial *t, int k, const void *y, const void *expected)
{
    int64_t count = nod_shape_count(nod_graph_shape(t->s->g.graph, t->n->out[k]));
    double worst = 0, scale = 1e-30, difference2 = 0, ref2 = 1e-60;
    for (int64_t i = 0; i < count; i++) {
        double ref = number_at(t->s, t->n->out[k], expected, i);
        double d = fabs(number_at(t->s, t->n->out[k], y, i) - ref);
        if (isnan(d)) return INFINITY;
        worst = fmax(worst, d);
        scale = fmax(scale, fabs(ref));
        difference2 += d * d;
        ref2 += ref * ref;
    }
    if (t->s->storage != STORED_F32) return sqrt(difference2 / ref2) / BF16_L2;
    if (strncmp(t->def->name, "wino", 4) == 0) return sqrt(difference2 / ref2) / WINOGRAD_L2;
    return worst / (C_DIRECT * sqrt(terms_of(t, k)) * EPSILON * scale);
}

static void compare_bits(report *r, const trial *t, const guarded *a, run_options o,
                         const char *what)
{
    guarded b[NOD_NODE_OUT_MAX] = {{0}};
    run_trial(r, t, o, b);
    for (int k = 0; k < t->n->n_out; k++) {
        if (t->n->out[k] < 0) continue;
        if (memcmp(a[k].data, b[k].data, a[k].bytes) != 0)
            complain(r, t, "other bits in output %d %s", k, what);
        guarded_done(&b[k]);
    }
}

static void check_trial(report *r, const trial *t, tally *score)
{
    guarded out[NOD_NODE_OUT_MAX] = {{0}};
    void *expected[NOD_NODE_OUT_MAX] = {NULL};
    bool inplace = false, rounded = t->s->storage != STORED_F32 && t->n->op != NOD_OP_REORDER;
    run_trial(r, t, (run_options){.threads = 1}, out);
    if (rounded) run_ref(t->s, t->n, expected);
    for (int k = 0; k < t->n->n_out; k++) {
        if (t->n->out[k] < 0) continue;
        void *plain = nod_aligned_calloc(out[k].bytes);
        assert_non_null(plain);
        reorder(t->s, t->n->out[k], t->fit.out[k], NOD_LAYOUT_PLAIN, out[k].data, plain);
        double error =
            error_of(t, k, plain, rounded ? expected[k] : t->s->stored[t->n->out[k]]);
        if (!(error <= 1))
            complain(r, t, "output %d: %.3g times the allowed error (K = %.0f)", k, error,
                     terms_of(t, k));
        score->worst = fmax(score->worst, error);
        inplace = inplace || t->fit.inplace[k] >= 0;
        nod_free(plain);
        nod_free(expected[k]);
    }
    score->n_runs++;
    compare_bits(r, t, out, (run_options){.threads = 2}, "on 2 threads");
    compare_bits(r, t, out, (run_options){.threads = 3}, "on 3 threads");
    compare_bits(r, t, out, (run_options){.threads = 1, .shift = sizeof(float)},
                 "in unaligned memory");
    compare_bits(r, t, out, (run_options){.threads = 2, .twice = true}, "in a second run");
    if (inplace)
        compare_bits(r, t, out, (run_options){.threads = 1, .inplace = true}, "in place");
    for (int k = 0; k < t->n->n_out; k++)
        guarded_done(&out[k]);
}

/* --- every way in which a kernel takes a node --------------------------------------------- */

static bool layouts_are_allowed(const trial *t)
{
    for (int i = 0; i < t->n->n_in; i++)
        if (t->n->in[i] >= 0 &&
            !nod_layout_allowed(t->fit.in[i], nod_graph_shape(t->s->g.graph, t->n->in[i])))
            return false;
    for (int k = 0; k < t->n->n_out; k++)
        if (t->n->out[k] >= 0 &&
            !nod_layout_allowed(t->fit.out[k], nod_graph_shape(t->s->g.graph, t->n->out[k])))
            return false;
    return true;
}

/* way: bits 0-1 the preferred layout, bit 2 inputs come in it, bit 3 frozen. */
static void try_way(report *r, const subject *s, const nod_node *n, const nod_kernel_def *def,
                    int way, fits *seen, tally *score)
{
    nod_layout in[NOD_NODE_IN_MAX] = {NOD_LAYOUT_PLAIN}, preferred = (nod_layout)(way & 3);
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && (way & 4) &&
            nod_layout_allowed(preferred, nod_graph_shape(s->g.graph, n->in[i])))
            in[i] = preferred;
    nod_kernel_query q = {.graph = s->g.graph,
                          .node = n,
                          .precision =
                              s->storage == STORED_F32 ? NOD_PRECISION_F32 : NOD_PRECISION_BF16,
                          .preferred = preferred,
                          .in = in,
                          .frozen = (way & 8) != 0,
                          .dtype = s->dtype};
    trial t = {.s = s, .n = n, .def = def, .q = &q, .fit.inplace = {-1, -1, -1, -1}};
    nod_threads_set(1);
    if (def->match(&q, &t.fit) == 0) return;
    if (!layouts_are_allowed(&t)) {
        complain(r, &t, "asks for a layout that the shape cannot have");
        return;
    }
    for (size_t i = 0; i < seen->n; i++)
        if (seen->frozen[i] == q.frozen && same_layouts(n, &seen->fit[i], &t.fit)) return;
    assert_true(seen->n < FITS_MAX);
    seen->frozen[seen->n] = q.frozen;
    seen->fit[seen->n++] = t.fit;
    check_trial(r, &t, score);
}

static void check_case(report *r, const op_case *c)
{
    subject s;
    start(&s, c, r->storage);
    for (size_t i = 0; i < s.g.graph->n_nodes; i++) {
        const nod_node *n = &s.g.graph->nodes[i];
        for (size_t k = 0; r->backend->kernels[k] != NULL; k++) {
            const nod_kernel_def *def = r->backend->kernels[k];
            fits seen = {.n = 0};
            assert_true(k < NOD_COUNT(r->tallies));
            if (def->op != n->op || def->op == NOD_OP_REORDER) continue;
            /* Only weights are packed by frozen plans. */
            int n_ways = nod_node_macs(s.g.graph, n) > 0 ? 16 : 8;
            for (int way = 0; way < n_ways; way++)
                try_way(r, &s, n, def, way, &seen, &r->tallies[k]);
        }
    }
    stop(&s);
}

/* --- the tests ---------------------------------------------------------------------------- */

static void check_storage(storage how)
{
    static const char *const names[] = {"f32", "bf16", "bf16 but for inputs"};
    size_t n, n_runs = 0;
    op_case *cases = op_cases_new(&n);
    report r = {.backend = nod_backend_cpu(), .storage = how};
    assert_non_null(cases);
    for (size_t i = 0; i < n; i++)
        check_case(&r, &cases[i]);
    printf("isa %s, %s, %zu cases; kernel, op, runs, worst error over allowed:\n",
           r.backend->isa(), names[how], n);
    for (size_t k = 0; r.backend->kernels[k] != NULL; k++) {
        const nod_kernel_def *def = r.backend->kernels[k];
        if (def->op == NOD_OP_REORDER || r.tallies[k].n_runs == 0) continue;
        printf("  %-16s %-20s %5zu  %.3f\n", def->name, nod_op_name(def->op),
               r.tallies[k].n_runs, r.tallies[k].worst);
        n_runs += r.tallies[k].n_runs;
    }
    nod_free(cases);
    if (r.n_failures > 0) fail_msg("%zu failures", r.n_failures);
    if (n_runs == 0) skip();
}

static void test_f32(void **state)
{
    (void)state;
    check_storage(STORED_F32);
}

static void test_bf16(void **state)
{
    (void)state;
    if (!nod_backend_cpu()->has_precision(NOD_PRECISION_BF16)) {
        printf("bf16: not offered on %s\n", nod_backend_cpu()->isa());
        skip();
    }
    check_storage(STORED_BF16);
    check_storage(STORED_BF16_INNER);
}

/* From every layout into every other, in 2-D and 3-D. */
static void check_reorders(report *r, size_t kernel, nod_shape shape, storage how)
{
    const nod_kernel_def *def = r->backend->kernels[kernel];
    op_case c = {.name = "reorder", .op = NOD_OP_SCALE, .n_in = 1, .attr = nod_attrs_default()};
    subject s;
    c.in[0] = shape;
    c.attr.alpha = 2;
    op_case_complete(&c);
    start(&s, &c, how);
    nod_node n = {.op = NOD_OP_REORDER,
                  .name = (char *)"reorder",
                  .n_in = 1,
                  .n_out = 1,
                  .in = &s.g.y,
                  .out = {s.g.y, -1, -1, -1}};
    for (int pair = 0; pair < NOD_LAYOUT_COUNT * NOD_LAYOUT_COUNT; pair++) {
        nod_layout from = (nod_layout)(pair / NOD_LAYOUT_COUNT);
        nod_layout to = (nod_layout)(pair % NOD_LAYOUT_COUNT);
        if (!nod_layout_allowed(from, &shape) || !nod_layout_allowed(to, &shape)) continue;
        nod_kernel_query q = {
            .graph = s.g.graph, .node = &n, .preferred = to, .in = &from, .dtype = s.dtype};
        trial t = {.s = &s, .n = &n, .def = def, .q = &q, .fit.inplace = {-1, -1, -1, -1}};
        if (def->match(&q, &t.fit) == 0) continue;
        if (t.fit.in[0] != from || t.fit.out[0] != to)
            complain(r, &t, "goes from %s to %s, not from %s to %s",
                     nod_layout_name(t.fit.in[0]), nod_layout_name(t.fit.out[0]),
                     nod_layout_name(from), nod_layout_name(to));
        else
            check_trial(r, &t, &r->tallies[kernel]);
    }
    stop(&s);
}

static void test_reorders(void **state)
{
    (void)state;
    const nod_shape shapes[] = {
        nod_shape_of(4, 2, 16, 5, 7),    nod_shape_of(4, 1, 8, 3, 3),
        nod_shape_of(4, 2, 12, 4, 5),    nod_shape_of(4, 3, 1, 6, 5),
        nod_shape_of(4, 2, 64, 1, 1),    nod_shape_of(4, 1, 24, 9, 1),
        nod_shape_of(5, 2, 32, 2, 3, 4), nod_shape_of(5, 1, 3, 3, 2, 5),
    };
    report r = {.backend = nod_backend_cpu()};
    size_t n_runs = 0;
    for (size_t k = 0; r.backend->kernels[k] != NULL; k++) {
        if (r.backend->kernels[k]->op != NOD_OP_REORDER) continue;
        for (size_t i = 0; i < NOD_COUNT(shapes); i++) {
            check_reorders(&r, k, shapes[i], STORED_F32);
            check_reorders(&r, k, shapes[i], STORED_BF16);
        }
        printf("  %-16s %-20s %5zu\n", r.backend->kernels[k]->name, "reorder",
               r.tallies[k].n_runs);
        n_runs += r.tallies[k].n_runs;
    }
    if (r.n_failures > 0) fail_msg("%zu failures", r.n_failures);
    if (n_runs == 0) skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reorders),
                                       cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
