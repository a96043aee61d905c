/* elementwise_avx2.c: elementwise_tmpl.h on 8 lanes. */
#include "backend/cpu/elementwise_tmpl.h"
