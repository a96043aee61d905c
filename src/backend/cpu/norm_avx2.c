/* norm_avx2.c: the norms compiled for avx2; run only where the processor has it. */
#include "backend/cpu/norm_tmpl.h"

const nod_norm_isa nod_norm_isa_avx2 = {VEC_LANES, moments, apply, sums, gradient};
