/* act_vec.h: activation functions and their derivatives on one vector; see backend/act.h for
 * what they are. For *_tmpl.h, which are compiled once per instruction set. */
#ifndef NOD_BACKEND_CPU_ACT_VEC_H
#define NOD_BACKEND_CPU_ACT_VEC_H

#include "backend/act.h"
#include "backend/cpu/vec.h"

/* Linear on either side of zero: x > 0 ? x : slope*x. */
NOD_INLINE bool act_is_simple(nod_act a)
{
    return a == NOD_ACT_IDENTITY || a == NOD_ACT_RELU || a == NOD_ACT_LEAKY_RELU;
}

/* The slope below zero of a simple one. */
NOD_INLINE float act_low_slope(nod_act a, float alpha)
{
    return a == NOD_ACT_RELU ? 0.0F : a == NOD_ACT_LEAKY_RELU ? alpha : 1.0F;
}

NOD_INLINE vec act_sigmoid(vec x)
{
    vec one = vec_set1(1);
    return vec_div(one, vec_add(one, vec_exp(vec_sub(vec_zero(), x))));
}

NOD_INLINE vec act_gelu_share(vec x) /* the normal distribution function */
{
    return vec_mul(vec_set1(0.5F),
                   vec_add(vec_set1(1), vec_erf(vec_mul(x, vec_set1((float)NOD_SQRT1_2)))));
}

/* act(x) of those that are not simple. */
NOD_INLINE vec act_curve(nod_act act, float alpha, vec x)
{
    switch (act) {
    case NOD_ACT_ELU:
        return vec_where_positive(x, x, vec_mul(vec_set1(alpha), vec_expm1(x)));
    case NOD_ACT_GELU:
        return vec_mul(x, act_gelu_share(x));
    case NOD_ACT_SILU:
        return vec_mul(x, act_sigmoid(x));
    case NOD_ACT_SIGMOID:
        return act_sigmoid(x);
    case NOD_ACT_TANH:
        return vec_tanh(x);
    default:
        return x;
    }
}

/* The derivative of those; v is the output where from_output, else the input. */
NOD_INLINE vec act_curve_slope(nod_act act, float alpha, bool from_output, vec v)
{
    vec one = vec_set1(1), y = v, s, density;
    switch (act) {
    case NOD_ACT_ELU:
        if (from_output) return vec_where_positive(v, one, vec_add(v, vec_set1(alpha)));
        return vec_where_positive(v, one, vec_mul(vec_set1(alpha), vec_exp(v)));
    case NOD_ACT_SIGMOID:
        if (!from_output) y = act_sigmoid(v);
        return vec_mul(y, vec_sub(one, y));
    case NOD_ACT_TANH:
        if (!from_output) y = vec_tanh(v);
        return vec_fnma(y, y, one);
    case NOD_ACT_GELU:
        density = vec_mul(vec_set1((float)NOD_INV_SQRT2PI),
                          vec_exp(vec_mul(vec_set1(-0.5F), vec_mul(v, v))));
        return vec_fma(v, density, act_gelu_share(v));
    case NOD_ACT_SILU:
        s = act_sigmoid(v);
        return vec_mul(s, vec_fma(v, vec_sub(one, s), one));
    default:
        return one;
    }
}

/* act(x) and dy*act'(v): `simple` and `low` are act_is_simple() and its slope, taken out of the
 * caller's loop. */
NOD_INLINE vec act_apply(bool simple, vec low, nod_act act, float alpha, vec x)
{
    return simple ? vec_where_positive(x, x, vec_mul(x, low)) : act_curve(act, alpha, x);
}

NOD_INLINE vec act_back(bool simple, vec low, nod_act act, float alpha, bool from_output, vec v,
                        vec dy)
{
    return simple ? vec_where_positive(v, dy, vec_mul(dy, low))
                  : vec_mul(dy, act_curve_slope(act, alpha, from_output, v));
}

#endif
