/* winograd_half_avx512.c: the Winograd kernels on values stored in bf16, compiled for avx512: what
 * they read is widened, what they write is rounded once, and between lies f32. */
#define WINOGRAD_HALF
#include "backend/cpu/winograd_conv_tmpl.h"
#include "backend/cpu/winograd_grad_tmpl.h"

const nod_winograd_isa nod_winograd_isa_avx512_half = {VEC_LANES, PANEL, conv_run_all,
                                                       grad_run_all};
