/* elementwise_tmpl.h: activations and sums, one pass over memory in any layout, for one instruction
 * set (see elementwise.h). The last vector of a range may be incomplete. */
#ifndef NOD_BACKEND_CPU_ELEMENTWISE_TMPL_H
#define NOD_BACKEND_CPU_ELEMENTWISE_TMPL_H

#include "backend/cpu/act_vec.h"
#include "backend/cpu/element_vec.h"
#include "backend/cpu/elementwise.h"

typedef enum element_form { FORM_ACT, FORM_ACT_BWD, FORM_ADD } element_form;

NOD_INLINE vec element_value(const nod_element_job *j, element_form form, bool simple, vec low,
                             vec a, vec b)
{
    if (form == FORM_ACT_BWD)
        return act_back(simple, low, j->act, j->alpha, j->from_output, a, b);
    return act_apply(simple, low, j->act, j->alpha, form == FORM_ADD ? vec_add(a, b) : a);
}

/* `form`, `simple` and `half` are constants of the caller. */
NOD_INLINE void element_range(const nod_element_job *j, int64_t from, int64_t to,
                              element_form form, bool simple, bool half)
{
    const vec low = vec_set1(act_low_slope(j->act, j->alpha));
    bool two = form != FORM_ACT;
    int64_t i = from;
    for (; i + VEC_LANES <= to; i += VEC_LANES) {
        vec a = element_load(j->a, i, half), b = two ? element_load(j->b, i, half) : a;
        element_store(j->y, i, element_value(j, form, simple, low, a, b), half);
    }
    if (i < to) {
        int n = (int)(to - i);
        vec a = element_load_part(j->a, i, n, half);
        vec b = two ? element_load_part(j->b, i, n, half) : a;
        element_store_part(j->y, i, element_value(j, form, simple, low, a, b), n, half);
    }
}

NOD_INLINE void element_form_range(const nod_element_job *j, int64_t from, int64_t to,
                                   element_form form)
{
    bool simple = act_is_simple(j->act);
    if (simple && !j->half) element_range(j, from, to, form, true, false);
    if (simple && j->half) element_range(j, from, to, form, true, true);
    if (!simple && !j->half) element_range(j, from, to, form, false, false);
    if (!simple && j->half) element_range(j, from, to, form, false, true);
}

static void act_range(const nod_element_job *j, int64_t from, int64_t to)
{
    element_form_range(j, from, to, FORM_ACT);
}

static void act_bwd_range(const nod_element_job *j, int64_t from, int64_t to)
{
    element_form_range(j, from, to, FORM_ACT_BWD);
}

static void add_range(const nod_element_job *j, int64_t from, int64_t to)
{
    element_form_range(j, from, to, FORM_ADD);
}

static void widen_range(const uint16_t *src, float *dst, int64_t n)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES)
        vec_store(dst + i, vec_load_bf16(src + i));
    if (i < n)
        vec_store_part(dst + i, element_load_part(src, i, (int)(n - i), true), (int)(n - i));
}

static void narrow_range(const float *src, uint16_t *dst, int64_t n)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES)
        vec_store_bf16(dst + i, vec_load(src + i));
    if (i < n)
        element_store_part(dst, i, vec_load_part(src + i, (int)(n - i)), (int)(n - i), true);
}

const nod_element_isa VEC_NAME(nod_element_isa) = {act_range, act_bwd_range, add_range,
                                                   widen_range, narrow_range};

#endif
