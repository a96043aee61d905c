/* elementwise_avx512.c: elementwise_tmpl.h on 16 lanes. */
#include "backend/cpu/elementwise_tmpl.h"
