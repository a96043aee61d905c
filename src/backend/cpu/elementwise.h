/* elementwise.h: what elementwise.c plans and elementwise_tmpl.h computes. */
#ifndef NOD_BACKEND_CPU_ELEMENTWISE_H
#define NOD_BACKEND_CPU_ELEMENTWISE_H

#include "backend/cpu/cpu.h"

typedef struct nod_element_job {
    int64_t n;
    nod_act act;
    float alpha;
    bool from_output; /* ACT_BWD: `a` is the output of the activation, else its input */
    bool half;        /* all values are stored in bf16 */
    const void *a, *b;
    void *y;
} nod_element_job;

/* One instruction set's code: elements [from, to). */
typedef struct nod_element_isa {
    void (*act)(const nod_element_job *j, int64_t from, int64_t to);     /* y = act(a) */
    void (*act_bwd)(const nod_element_job *j, int64_t from, int64_t to); /* y = b*act'(a) */
    void (*add)(const nod_element_job *j, int64_t from, int64_t to);     /* y = act(a+b) */
    void (*widen)(const uint16_t *src, float *dst, int64_t n);           /* bf16 to f32 */
    void (*narrow)(const float *src, uint16_t *dst, int64_t n);          /* f32 to bf16 */
} nod_element_isa;

extern const nod_element_isa nod_element_isa_avx2, nod_element_isa_avx512;

/* Of this processor; AVX2 at least. */
const nod_element_isa *nod_element_isa_here(void);

#endif
