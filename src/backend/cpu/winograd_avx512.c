/* winograd_avx512.c: the Winograd kernels compiled for avx512; run only where the processor has
 * it. */
#include "backend/cpu/winograd_conv_tmpl.h"
#include "backend/cpu/winograd_grad_tmpl.h"

const nod_winograd_isa nod_winograd_isa_avx512 = {VEC_LANES, PANEL, conv_run_all, grad_run_all};
