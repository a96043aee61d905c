/* winograd_avx2.c: the Winograd kernels compiled for avx2; run only where the processor has
 * it. */
#include "backend/cpu/winograd_conv_tmpl.h"
#include "backend/cpu/winograd_grad_tmpl.h"

const nod_winograd_isa nod_winograd_isa_avx2 = {VEC_LANES, PANEL, conv_run_all, grad_run_all};
