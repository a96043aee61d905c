/* cpu.h: the kernels of the cpu backend, by family; inside src/backend/cpu only. */
#ifndef NOD_BACKEND_CPU_CPU_H
#define NOD_BACKEND_CPU_CPU_H

#include "backend/backend.h"

bool nod_cpu_has_avx2(void);   /* with FMA */
bool nod_cpu_has_avx512(void); /* F, BW, VL, DQ */

/* conv.c: oneDNN */
extern const nod_kernel_def nod_cpu_conv, nod_cpu_conv_bwd_data, nod_cpu_conv_bwd_weights;
/* dense_avx2.c */
extern const nod_kernel_def nod_cpu_dense, nod_cpu_dense_bwd_data, nod_cpu_dense_bwd_weights;
/* norm.c */
extern const nod_kernel_def nod_cpu_batch_norm_avx2, nod_cpu_batch_norm_infer_avx2,
    nod_cpu_batch_norm_bwd_avx2, nod_cpu_group_norm_avx2, nod_cpu_group_norm_bwd_avx2,
    nod_cpu_batch_norm_avx512, nod_cpu_batch_norm_infer_avx512, nod_cpu_batch_norm_bwd_avx512,
    nod_cpu_group_norm_avx512, nod_cpu_group_norm_bwd_avx512;
/* elementwise.c */
extern const nod_kernel_def nod_cpu_act_avx2, nod_cpu_act_bwd_avx2, nod_cpu_add_avx2,
    nod_cpu_act_avx512, nod_cpu_act_bwd_avx512, nod_cpu_add_avx512, nod_cpu_reorder;
/* pool_avx2.c */
extern const nod_kernel_def nod_cpu_pool_max, nod_cpu_pool_avg, nod_cpu_pool_max_bwd,
    nod_cpu_pool_avg_bwd;
/* channels_avx2.c */
extern const nod_kernel_def nod_cpu_concat, nod_cpu_crop;

#endif
