/* cpu.c: the table of the cpu backend: own kernels first, then oneDNN, then the reference. */
#include "backend/cpu/cpu.h"

#include "backend/cpu/dnnl_conv.h"
#include "backend/cpu/winograd.h"

bool nod_cpu_has_avx2(void)
{
    return nod_dnnl_isa_here() >= NOD_DNNL_ISA_AVX2 && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("fma");
}

bool nod_cpu_has_avx512(void)
{
    return nod_dnnl_isa_here() >= NOD_DNNL_ISA_AVX512 && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq");
}

static const char *isa(void)
{
    static const char *const names[] = {[NOD_DNNL_ISA_BASE] = "sse2",
                                        [NOD_DNNL_ISA_AVX2] = "avx2",
                                        [NOD_DNNL_ISA_AVX512] = "avx512",
                                        [NOD_DNNL_ISA_AVX512_BF16] = "avx512_bf16",
                                        [NOD_DNNL_ISA_AMX] = "amx"};
    return names[nod_dnnl_isa_here()];
}

/* bf16 is fast in channels-last where there are tiles (AMX), and only there. */
static size_t layouts(nod_precision p, nod_layout out[NOD_LAYOUT_COUNT])
{
    size_t n = 0;
    if (p == NOD_PRECISION_BF16 && nod_dnnl_isa_here() >= NOD_DNNL_ISA_AMX)
        out[n++] = NOD_LAYOUT_LAST;
    if (p != NOD_PRECISION_F64 && nod_cpu_has_avx512()) out[n++] = NOD_LAYOUT_BLOCK16;
    if (p == NOD_PRECISION_F32 && nod_cpu_has_avx2()) out[n++] = NOD_LAYOUT_BLOCK8;
    if (p == NOD_PRECISION_BF16 && nod_dnnl_isa_here() == NOD_DNNL_ISA_AVX512_BF16)
        out[n++] = NOD_LAYOUT_LAST;
    out[n++] = NOD_LAYOUT_PLAIN;
    return n;
}

/* f64 runs on the reference. */
static bool has_precision(nod_precision p)
{
    return p != NOD_PRECISION_BF16 || nod_dnnl_isa_here() >= NOD_DNNL_ISA_AVX512_BF16;
}

static const nod_kernel_def *const kernels[] = {
    &nod_winograd_avx512_conv,
    &nod_winograd_avx512_conv_bwd_data,
    &nod_winograd_avx512_conv_bwd_weights,
    &nod_winograd_avx2_conv,
    &nod_winograd_avx2_conv_bwd_data,
    &nod_winograd_avx2_conv_bwd_weights,
    &nod_cpu_conv,
    &nod_cpu_conv_bwd_data,
    &nod_cpu_conv_bwd_weights,
    &nod_cpu_dense,
    &nod_cpu_dense_bwd_data,
    &nod_cpu_dense_bwd_weights,
    &nod_cpu_batch_norm_avx512,
    &nod_cpu_batch_norm_infer_avx512,
    &nod_cpu_batch_norm_bwd_avx512,
    &nod_cpu_group_norm_avx512,
    &nod_cpu_group_norm_bwd_avx512,
    &nod_cpu_batch_norm_avx2,
    &nod_cpu_batch_norm_infer_avx2,
    &nod_cpu_batch_norm_bwd_avx2,
    &nod_cpu_group_norm_avx2,
    &nod_cpu_group_norm_bwd_avx2,
    &nod_cpu_act_avx512,
    &nod_cpu_act_bwd_avx512,
    &nod_cpu_add_avx512,
    &nod_cpu_act_avx2,
    &nod_cpu_act_bwd_avx2,
    &nod_cpu_add_avx2,
    &nod_cpu_pool_max,
    &nod_cpu_pool_avg,
    &nod_cpu_pool_max_bwd,
    &nod_cpu_pool_avg_bwd,
    &nod_cpu_concat,
    &nod_cpu_crop,
    &nod_cpu_reorder,
    NULL,
};

const nod_backend *nod_backend_cpu(void)
{
    static const nod_backend backend = {"cpu",         kernels,         layouts,
                                        has_precision, nod_backend_ref, isa};
    return &backend;
}
