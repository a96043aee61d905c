/* act.h: activation functions and their derivatives for one number, in double: the definition
 * that every backend follows.
 *
 * A derivative is asked for either at the input or, where nod_act_from_output says so, from the
 * output alone. At a kink it is the value from the left (0 for ReLU at 0), as in PyTorch. */
#ifndef NOD_BACKEND_ACT_H
#define NOD_BACKEND_ACT_H

#include <math.h>

#include "graph/op.h"

#define NOD_SQRT1_2     0.70710678118654752440 /* 1/sqrt(2) */
#define NOD_INV_SQRT2PI 0.39894228040143267794 /* 1/sqrt(2 pi) */

static inline double nod_act_sigmoid(double x)
{
    double e = exp(-fabs(x)); /* at most 1: no overflow on either side */
    return x >= 0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

/* act(x). alpha: see nod_act. */
static inline double nod_act_value(nod_act act, double alpha, double x)
{
    switch (act) {
    case NOD_ACT_RELU:
        return x <= 0 ? 0 : x; /* so that NaN stays NaN */
    case NOD_ACT_LEAKY_RELU:
        return x > 0 ? x : alpha * x;
    case NOD_ACT_ELU:
        return x > 0 ? x : alpha * expm1(x);
    case NOD_ACT_GELU:
        return x * 0.5 * erfc(-x * NOD_SQRT1_2);
    case NOD_ACT_SILU:
        return x * nod_act_sigmoid(x);
    case NOD_ACT_SIGMOID:
        return nod_act_sigmoid(x);
    case NOD_ACT_TANH:
        return tanh(x);
    case NOD_ACT_IDENTITY:
    case NOD_ACT_COUNT:
        break;
    }
    return x;
}

/* d act / dx at input x. */
static inline double nod_act_slope_at(nod_act act, double alpha, double x)
{
    switch (act) {
    case NOD_ACT_RELU:
        return x > 0 ? 1 : 0;
    case NOD_ACT_LEAKY_RELU:
        return x > 0 ? 1 : alpha;
    case NOD_ACT_ELU:
        return x > 0 ? 1 : alpha * exp(x);
    case NOD_ACT_GELU:
        return 0.5 * erfc(-x * NOD_SQRT1_2) + x * NOD_INV_SQRT2PI * exp(-0.5 * x * x);
    case NOD_ACT_SILU: {
        double s = nod_act_sigmoid(x);
        return s * (1.0 + x * (1.0 - s));
    }
    case NOD_ACT_SIGMOID: {
        double s = nod_act_sigmoid(x);
        return s * (1.0 - s);
    }
    case NOD_ACT_TANH: {
        double t = tanh(x);
        return 1.0 - t * t;
    }
    case NOD_ACT_IDENTITY:
    case NOD_ACT_COUNT:
        break;
    }
    return 1;
}

/* d act / dx where the output is y; only for acts of which nod_act_from_output is true. */
static inline double nod_act_slope_from(nod_act act, double alpha, double y)
{
    switch (act) {
    case NOD_ACT_RELU:
        return y > 0 ? 1 : 0;
    case NOD_ACT_LEAKY_RELU:
        return y > 0 ? 1 : alpha;
    case NOD_ACT_ELU:
        return y > 0 ? 1 : y + alpha;
    case NOD_ACT_SIGMOID:
        return y * (1.0 - y);
    case NOD_ACT_TANH:
        return 1.0 - y * y;
    case NOD_ACT_GELU:
    case NOD_ACT_SILU:
    case NOD_ACT_IDENTITY:
    case NOD_ACT_COUNT:
        break;
    }
    return 1;
}

#endif
