/* dnnl_conv.c: oneDNN 2.6 convolutions; see dnnl_conv.h. No other file includes dnnl.h. */
#include "backend/cpu/dnnl_conv.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

struct nod_dnnl_conv {
    nod_conv_pass pass;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive, pack, unpack;
    dnnl_memory_t x, w, y, b, scratch, plain, packed;
    dnnl_memory_desc_t plain_md;
    size_t scratch_bytes, packed_bytes;
    const char *impl;
};

static dnnl_format_tag_t tag_of(nod_layout l, int nd)
{
    switch (l) {
    case NOD_LAYOUT_BLOCK8:
        return nd == 2 ? dnnl_nChw8c : dnnl_nCdhw8c;
    case NOD_LAYOUT_BLOCK16:
        return nd == 2 ? dnnl_nChw16c : dnnl_nCdhw16c;
    case NOD_LAYOUT_LAST:
        return nd == 2 ? dnnl_nhwc : dnnl_ndhwc;
    default:
        return nd == 2 ? dnnl_nchw : dnnl_ncdhw;
    }
}

static dnnl_data_type_t type_of_values(const nod_dnnl_conv_desc *d)
{
    return d->half ? dnnl_bf16 : dnnl_f32;
}

static bool value_md(dnnl_memory_desc_t *md, int64_t n, int64_t c, const int64_t s[3],
                     nod_layout l, int nd, dnnl_data_type_t type)
{
    dnnl_dims_t dims = {n, c};
    for (int i = 0; i < nd; i++)
        dims[2 + i] = s[3 - nd + i];
    return dnnl_memory_desc_init_by_tag(md, nd + 2, dims, type, tag_of(l, nd)) == dnnl_success;
}

/* Weights [O,C/g,K], or [g,O/g,C/g,K] with groups; any layout, or plain. */
static bool weights_md(dnnl_memory_desc_t *md, const nod_dnnl_conv_desc *d, bool plain,
                       dnnl_data_type_t type)
{
    dnnl_dims_t dims;
    int k = 0;
    if (d->groups > 1) dims[k++] = d->groups;
    dims[k++] = d->o / d->groups;
    dims[k++] = d->c / d->groups;
    for (int i = 0; i < d->nd; i++)
        dims[k++] = d->kernel[3 - d->nd + i];
    dnnl_format_tag_t plain_tag = k == 4 ? dnnl_abcd : k == 5 ? dnnl_abcde : dnnl_abcdef;
    return dnnl_memory_desc_init_by_tag(
               md, k, dims, type, plain ? plain_tag : dnnl_format_tag_any) == dnnl_success;
}

/* The activation as a post-operation; false: none for it. */
static bool add_act(dnnl_primitive_attr_t attr, const nod_dnnl_conv_desc *d)
{
    static const dnnl_alg_kind_t kinds[NOD_ACT_COUNT] = {
        [NOD_ACT_RELU] = dnnl_eltwise_relu,  [NOD_ACT_LEAKY_RELU] = dnnl_eltwise_relu,
        [NOD_ACT_ELU] = dnnl_eltwise_elu,    [NOD_ACT_GELU] = dnnl_eltwise_gelu_erf,
        [NOD_ACT_SILU] = dnnl_eltwise_swish, [NOD_ACT_SIGMOID] = dnnl_eltwise_logistic,
        [NOD_ACT_TANH] = dnnl_eltwise_tanh};
    dnnl_post_ops_t ops;
    float alpha = d->act == NOD_ACT_SILU   ? 1.0F
                  : d->act == NOD_ACT_RELU ? 0.0F
                                           : (float)d->alpha;
    if (d->act == NOD_ACT_IDENTITY) return true;
    if (dnnl_post_ops_create(&ops) != dnnl_success) return false;
    bool good =
        dnnl_post_ops_append_eltwise(ops, 1.0F, kinds[d->act], alpha, 0.0F) == dnnl_success &&
        dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    dnnl_post_ops_destroy(ops);
    return good;
}

typedef struct conv_mds {
    dnnl_memory_desc_t x, w, b, y;
    dnnl_memory_desc_t w_forward; /* of the forward pass that a backward pass belongs to */
    dnnl_dims_t stride, dilation, lo, hi;
    bool bias;
} conv_mds;

static bool describe(conv_mds *m, const nod_dnnl_conv_desc *d)
{
    dnnl_dims_t o = {d->o};
    for (int i = 0; i < d->nd; i++) {
        int k = 3 - d->nd + i;
        m->stride[i] = d->stride[k];
        m->dilation[i] = d->dilation[k] - 1;
        m->lo[i] = d->pad_lo[k];
        m->hi[i] = d->pad_hi[k];
    }
    m->bias = d->bias;
    return value_md(&m->x, d->n, d->c, d->in, d->x, d->nd, type_of_values(d)) &&
           value_md(&m->y, d->n, d->o, d->out, d->y, d->nd, type_of_values(d)) &&
           weights_md(&m->w, d, false,
                      d->pass == NOD_PASS_WEIGHTS ? dnnl_f32 : type_of_values(d)) &&
           weights_md(&m->w_forward, d, false, type_of_values(d)) &&
           dnnl_memory_desc_init_by_tag(&m->b, 1, o, dnnl_f32, dnnl_a) == dnnl_success;
}

static bool make_pd(nod_dnnl_conv *c, const conv_mds *m, dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t cd;
    dnnl_primitive_desc_t hint = NULL;
    const dnnl_memory_desc_t *bias = m->bias ? &m->b : NULL;
    bool forward = c->pass == NOD_PASS_FORWARD;
    if (dnnl_dilated_convolution_forward_desc_init(
            &cd, forward ? dnnl_forward_inference : dnnl_forward_training,
            dnnl_convolution_direct, &m->x, &m->w_forward, forward ? bias : NULL, &m->y,
            m->stride, m->dilation, m->lo, m->hi) != dnnl_success)
        return false;
    if (forward)
        return dnnl_primitive_desc_create(&c->pd, &cd, attr, c->engine, NULL) == dnnl_success;
    if (dnnl_primitive_desc_create(&hint, &cd, NULL, c->engine, NULL) != dnnl_success)
        return false;
    dnnl_status_t s = c->pass == NOD_PASS_DATA
                          ? dnnl_dilated_convolution_backward_data_desc_init(
                                &cd, dnnl_convolution_direct, &m->x, &m->w, &m->y, m->stride,
                                m->dilation, m->lo, m->hi)
                          : dnnl_dilated_convolution_backward_weights_desc_init(
                                &cd, dnnl_convolution_direct, &m->x, &m->w, bias, &m->y,
                                m->stride, m->dilation, m->lo, m->hi);
    if (s == dnnl_success) s = dnnl_primitive_desc_create(&c->pd, &cd, attr, c->engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return s == dnnl_success;
}

static bool make_reorder(nod_dnnl_conv *c, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to, dnnl_primitive_t *out)
{
    dnnl_primitive_desc_t pd;
    if (dnnl_reorder_primitive_desc_create(&pd, from, c->engine, to, c->engine, NULL) !=
        dnnl_success)
        return false;
    bool good = dnnl_primitive_create(out, pd) == dnnl_success;
    dnnl_primitive_desc_destroy(pd);
    return good;
}

static bool make_memory(nod_dnnl_conv *c, dnnl_memory_t *out, const dnnl_memory_desc_t *md)
{
    return dnnl_memory_create(out, md, c->engine, DNNL_MEMORY_NONE) == dnnl_success;
}

static bool make_memories(nod_dnnl_conv *c, const conv_mds *m)
{
    dnnl_query_t what =
        c->pass == NOD_PASS_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(c->pd, what, 0);
    const dnnl_memory_desc_t *s =
        dnnl_primitive_desc_query_md(c->pd, dnnl_query_scratchpad_md, 0);
    c->scratch_bytes = dnnl_memory_desc_get_size(s);
    c->packed_bytes = dnnl_memory_desc_get_size(w);
    bool good = make_memory(c, &c->x, &m->x) && make_memory(c, &c->y, &m->y) &&
                make_memory(c, &c->w, w) && make_memory(c, &c->scratch, s) &&
                make_memory(c, &c->plain, &c->plain_md) && make_memory(c, &c->packed, w) &&
                (!m->bias || make_memory(c, &c->b, &m->b));
    if (!good) return false;
    return c->pass == NOD_PASS_WEIGHTS ? make_reorder(c, w, &c->plain_md, &c->unpack)
                                       : make_reorder(c, &c->plain_md, w, &c->pack);
}

/* "ref:any" and its like are loops in the library's own reference: thousands of times too slow. */
static bool is_naive(const char *impl)
{
    return strncmp(impl, "ref", 3) == 0;
}

static bool make(nod_dnnl_conv *c, const nod_dnnl_conv_desc *d)
{
    conv_mds m;
    dnnl_primitive_attr_t attr = NULL;
    memset(&m, 0, sizeof m);
    bool good =
        dnnl_engine_create(&c->engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags) == dnnl_success &&
        dnnl_primitive_attr_create(&attr) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) ==
            dnnl_success &&
        add_act(attr, d) && describe(&m, d) && weights_md(&c->plain_md, d, true, dnnl_f32) &&
        make_pd(c, &m, attr) &&
        dnnl_primitive_desc_query(c->pd, dnnl_query_impl_info_str, 0, &c->impl) ==
            dnnl_success &&
        !is_naive(c->impl) && dnnl_primitive_create(&c->primitive, c->pd) == dnnl_success &&
        make_memories(c, &m);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return good;
}

nod_dnnl_conv *nod_dnnl_conv_new(const nod_dnnl_conv_desc *d)
{
    int threads = nod_threads_get();
    nod_dnnl_conv *c = nod_calloc(1, sizeof *c);
    if (!c) return NULL;
    c->pass = d->pass;
    if (d->one_thread) nod_threads_set(1); /* a primitive is laid out for the threads it sees */
    bool good = make(c, d);
    if (d->one_thread) nod_threads_set(threads);
    if (good) return c;
    nod_dnnl_conv_free(c);
    return NULL;
}

void nod_dnnl_conv_free(nod_dnnl_conv *c)
{
    if (!c) return;
    dnnl_memory_t memories[] = {c->x, c->w, c->y, c->b, c->scratch, c->plain, c->packed};
    for (size_t i = 0; i < NOD_COUNT(memories); i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    dnnl_primitive_t primitives[] = {c->primitive, c->pack, c->unpack};
    for (size_t i = 0; i < NOD_COUNT(primitives); i++)
        if (primitives[i]) dnnl_primitive_destroy(primitives[i]);
    if (c->pd) dnnl_primitive_desc_destroy(c->pd);
    if (c->stream) dnnl_stream_destroy(c->stream);
    if (c->engine) dnnl_engine_destroy(c->engine);
    nod_free(c);
}

size_t nod_dnnl_conv_scratch(const nod_dnnl_conv *c)
{
    return c->scratch_bytes;
}

size_t nod_dnnl_conv_packed(const nod_dnnl_conv *c)
{
    return c->packed_bytes;
}

const char *nod_dnnl_conv_impl(const nod_dnnl_conv *c)
{
    return c->impl;
}

nod_dnnl_isa nod_dnnl_isa_here(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if (isa == dnnl_cpu_isa_avx512_core_amx) return NOD_DNNL_ISA_AMX;
    if (isa == dnnl_cpu_isa_avx512_core_bf16) return NOD_DNNL_ISA_AVX512_BF16;
    if (isa == dnnl_cpu_isa_avx512_core || isa == dnnl_cpu_isa_avx512_core_vnni)
        return NOD_DNNL_ISA_AVX512;
    if (isa == dnnl_cpu_isa_avx2 || isa == dnnl_cpu_isa_avx2_vnni ||
        isa == dnnl_cpu_isa_avx512_mic || isa == dnnl_cpu_isa_avx512_mic_4ops)
        return NOD_DNNL_ISA_AVX2;
    return NOD_DNNL_ISA_BASE;
}

static int reorder(nod_dnnl_conv *c, dnnl_primitive_t p, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_exec_arg_t a[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    return (int)dnnl_primitive_execute(p, c->stream, 2, a);
}

int nod_dnnl_conv_pack(nod_dnnl_conv *c, const float *plain, void *packed)
{
    dnnl_memory_set_data_handle(c->plain, (void *)(uintptr_t)plain);
    dnnl_memory_set_data_handle(c->packed, packed);
    return reorder(c, c->pack, c->plain, c->packed);
}

int nod_dnnl_conv_unpack(nod_dnnl_conv *c, const float *packed, float *plain)
{
    dnnl_memory_set_data_handle(c->packed, (void *)(uintptr_t)packed);
    dnnl_memory_set_data_handle(c->plain, plain);
    return reorder(c, c->unpack, c->packed, c->plain);
}

int nod_dnnl_conv_run(nod_dnnl_conv *c, void *x, void *w, void *bias, void *y, void *scratch)
{
    static const int x_arg[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_SRC, DNNL_ARG_SRC};
    static const int w_arg[] = {DNNL_ARG_WEIGHTS, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_WEIGHTS};
    static const int b_arg[] = {DNNL_ARG_BIAS, DNNL_ARG_BIAS, DNNL_ARG_DIFF_BIAS};
    static const int y_arg[] = {DNNL_ARG_DST, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_DST};
    dnnl_exec_arg_t a[5] = {{x_arg[c->pass], c->x},
                            {w_arg[c->pass], c->w},
                            {y_arg[c->pass], c->y},
                            {DNNL_ARG_SCRATCHPAD, c->scratch},
                            {b_arg[c->pass], c->b}};
    dnnl_memory_set_data_handle(c->x, x);
    dnnl_memory_set_data_handle(c->w, w);
    dnnl_memory_set_data_handle(c->y, y);
    dnnl_memory_set_data_handle(c->scratch, scratch);
    if (c->b) dnnl_memory_set_data_handle(c->b, bias);
    return (int)dnnl_primitive_execute(c->primitive, c->stream, c->b ? 5 : 4, a);
}
