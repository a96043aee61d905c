/* norm_avx512.c: the norms compiled for avx512; run only where the processor has it. */
#include "backend/cpu/norm_tmpl.h"

const nod_norm_isa nod_norm_isa_avx512 = {VEC_LANES, moments, apply, sums, gradient};
