/* cases.c: the rows of the shared case list, by family, and how a row becomes a case. */
#include "ops/cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Rows leave out what is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* A shape as a constant: S(2, 3, 28, 28). */
#define S(...)                                                                      \
    {                                                                               \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dim = { \
            __VA_ARGS__                                                             \
        }                                                                           \
    }

/* --- convolutions: 0 in stride, dilation, groups means 1; 2-D leaves entry 0 of triples 0 --- */

typedef struct conv_row {
    const char *name;
    nod_shape x;
    int64_t out_channels, kernel[3], stride[3], pad[3], dilation[3], groups;
    bool bias;
    nod_act act;
    double alpha;
    int64_t out_pad[3];
} conv_row;

static const conv_row convs[] = {
    /* clang-format off */
    {"3x3 odd sizes, channels not a block", S(2, 3, 7, 9), 5, {0, 3, 3}, .pad = {0, 1, 1},
     .bias = true},
    {"3x3 one channel in", S(2, 1, 28, 28), 8, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true},
    {"3x3 one channel in, 64 out", S(1, 1, 13, 11), 64, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 one channel out", S(2, 16, 9, 8), 1, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true},
    {"3x3 8 to 8", S(1, 8, 12, 12), 8, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 8 to 16 relu", S(3, 8, 10, 7), 16, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true,
     .act = NOD_ACT_RELU},
    {"3x3 16 to 16 leaky relu", S(2, 16, 14, 14), 16, {0, 3, 3}, .pad = {0, 1, 1},
     .bias = true, .act = NOD_ACT_LEAKY_RELU, .alpha = 0.1},
    {"3x3 16 to 32", S(2, 16, 15, 13), 32, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 32 to 32 batch 4", S(4, 32, 14, 14), 32, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true},
    {"3x3 32 to 64", S(1, 32, 8, 8), 64, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 64 to 64 small plane", S(2, 64, 4, 4), 64, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 64 to 64 smaller than a tile", S(1, 64, 2, 3), 64, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 12 to 20", S(2, 12, 9, 9), 20, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 16 to 10", S(2, 16, 9, 9), 10, {0, 3, 3}, .pad = {0, 1, 1}},
    {"3x3 no padding", S(2, 16, 11, 10), 16, {0, 3, 3}},
    {"3x3 padding 2", S(1, 16, 6, 7), 16, {0, 3, 3}, .pad = {0, 2, 2}},
    {"3x3 stride 2", S(2, 16, 14, 14), 32, {0, 3, 3}, {0, 2, 2}, {0, 1, 1}, .bias = true},
    {"3x3 stride 2 odd", S(2, 8, 13, 9), 8, {0, 3, 3}, {0, 2, 2}, {0, 1, 1}},
    {"3x3 stride 3 by 1", S(1, 8, 11, 10), 16, {0, 3, 3}, {0, 3, 1}, {0, 1, 1}},
    {"3x3 dilation 2", S(2, 16, 12, 12), 16, {0, 3, 3}, .pad = {0, 2, 2},
     .dilation = {0, 2, 2}, .bias = true},
    {"3x3 dilation 2 stride 2", S(1, 8, 13, 12), 8, {0, 3, 3}, {0, 2, 2}, {0, 2, 2},
     {0, 2, 2}},
    {"3x3 groups 2", S(2, 16, 9, 9), 32, {0, 3, 3}, .pad = {0, 1, 1}, .groups = 2,
     .bias = true},
    {"3x3 groups 4, odd channels", S(2, 12, 7, 8), 8, {0, 3, 3}, .pad = {0, 1, 1},
     .groups = 4},
    {"3x3 depthwise", S(2, 16, 10, 9), 16, {0, 3, 3}, .pad = {0, 1, 1}, .groups = 16,
     .bias = true},
    {"3x3 depthwise times 2", S(1, 8, 9, 9), 16, {0, 3, 3}, {0, 2, 2}, {0, 1, 1}, .groups = 8},
    {"7x7 stride 2, 3 channels", S(2, 3, 32, 30), 16, {0, 7, 7}, {0, 2, 2}, {0, 3, 3},
     .bias = true},
    {"7x7 stride 2, one channel, 64 out", S(1, 1, 33, 31), 64, {0, 7, 7}, {0, 2, 2},
     {0, 3, 3}},
    {"5x5", S(2, 16, 9, 11), 16, {0, 5, 5}, .pad = {0, 2, 2}},
    {"2x2", S(2, 8, 9, 9), 8, {0, 2, 2}, {0, 2, 2}},
    {"3x1 and 1x3 mixed", S(2, 16, 8, 8), 16, {0, 3, 1}, .pad = {0, 1, 0}},
    {"kernel as large as the plane", S(2, 16, 5, 5), 8, {0, 5, 5}, .bias = true},
    {"1x1", S(2, 32, 7, 7), 16, {0, 1, 1}, .bias = true},
    {"1x1 relu", S(3, 16, 5, 6), 64, {0, 1, 1}, .bias = true, .act = NOD_ACT_RELU},
    {"1x1 one pixel", S(2, 16, 1, 1), 32, {0, 1, 1}},
    {"1x1 stride 2", S(2, 32, 14, 14), 64, {0, 1, 1}, {0, 2, 2}},
    /* writes past its workspace in channels-last: uxlfoundation/oneDNN#6035 */
    {"1x1 stride 2, 3 channels", S(2, 3, 14, 14), 16, {0, 1, 1}, {0, 2, 2}},
    {"1x1 stride 2, 4 channels odd", S(1, 4, 9, 7), 32, {0, 1, 1}, {0, 2, 2}, .bias = true},
    {"1x1 stride 2, 8 channels", S(2, 8, 8, 8), 16, {0, 1, 1}, {0, 2, 2}},
    /* one channel, small: wrong sums in bf16, pytorch/pytorch#163347 */
    {"small, one channel", S(1, 1, 5, 5), 4, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true},
    {"head 32 to 2", S(2, 32, 9, 9), 2, {0, 1, 1}, .bias = true},
    {"elu", S(2, 8, 6, 6), 8, {0, 3, 3}, .pad = {0, 1, 1}, .bias = true, .act = NOD_ACT_ELU,
     .alpha = 0.7},
    {"sigmoid", S(1, 8, 6, 5), 8, {0, 3, 3}, .pad = {0, 1, 1}, .act = NOD_ACT_SIGMOID},
    {"tanh", S(1, 16, 6, 5), 16, {0, 3, 3}, .pad = {0, 1, 1}, .act = NOD_ACT_TANH},
    {"3d 3x3x3 one channel", S(2, 1, 7, 9, 8), 8, {3, 3, 3}, .pad = {1, 1, 1}, .bias = true},
    {"3d 3x3x3 8 to 8", S(1, 8, 6, 7, 5), 8, {3, 3, 3}, .pad = {1, 1, 1}},
    {"3d 3x3x3 16 to 16 relu", S(2, 16, 6, 6, 6), 16, {3, 3, 3}, .pad = {1, 1, 1},
     .bias = true, .act = NOD_ACT_RELU},
    {"3d 3x3x3 16 to 32", S(1, 16, 5, 7, 6), 32, {3, 3, 3}, .pad = {1, 1, 1}},
    {"3d odd channels", S(2, 3, 5, 6, 7), 5, {3, 3, 3}, .pad = {1, 1, 1}, .bias = true},
    {"3d stride 2", S(2, 8, 7, 8, 6), 16, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, .bias = true},
    {"3d stride 1x2x2", S(1, 16, 5, 8, 8), 16, {3, 3, 3}, {1, 2, 2}, {1, 1, 1}},
    {"3d dilation 2", S(1, 8, 7, 7, 7), 8, {3, 3, 3}, .pad = {2, 2, 2}, .dilation = {2, 2, 2}},
    {"3d kernel 1x3x3", S(1, 16, 5, 7, 7), 16, {1, 3, 3}, .pad = {0, 1, 1}},
    {"3d kernel 3x1x1", S(1, 8, 5, 6, 6), 8, {3, 1, 1}, .pad = {1, 0, 0}},
    {"3d 1x1x1 stride 2", S(2, 16, 6, 7, 6), 32, {1, 1, 1}, {2, 2, 2}},
    {"3d 1x1x1 stride 2, 2 channels", S(1, 2, 6, 7, 5), 8, {1, 1, 1}, {2, 2, 2}},
    {"3d groups 2", S(1, 8, 5, 6, 5), 8, {3, 3, 3}, .pad = {1, 1, 1}, .groups = 2},
    {"3d depthwise", S(1, 8, 5, 6, 5), 8, {3, 3, 3}, .pad = {1, 1, 1}, .groups = 8},
    {"3d 5x5x5 stride 2, one channel", S(1, 1, 9, 11, 10), 8, {5, 5, 5}, {2, 2, 2}, {2, 2, 2}},
    /* clang-format on */
};

static const conv_row conv_ts[] = {
    /* clang-format off */
    {"k2 s2", S(2, 16, 5, 6), 8, {0, 2, 2}, {0, 2, 2}, .bias = true},
    {"k2 s2 32 to 16 relu", S(1, 32, 4, 4), 16, {0, 2, 2}, {0, 2, 2}, .bias = true,
     .act = NOD_ACT_RELU},
    {"k3 s2 output padding", S(2, 6, 5, 4), 3, {0, 3, 3}, {0, 2, 2}, {0, 1, 1}, .bias = true,
     .out_pad = {0, 1, 1}},
    {"k3 s1", S(1, 8, 5, 5), 8, {0, 3, 3}, .pad = {0, 1, 1}},
    {"k4 s2 groups 2", S(2, 8, 4, 5), 4, {0, 4, 4}, {0, 2, 2}, {0, 1, 1}, .groups = 2},
    {"k3 dilation 2", S(1, 4, 5, 6), 4, {0, 3, 3}, {0, 2, 1}, {0, 1, 2}, {0, 2, 2},
     .bias = true},
    {"one channel", S(1, 1, 4, 3), 1, {0, 2, 2}, {0, 2, 2}},
    {"3d k2 s2", S(1, 16, 3, 4, 3), 8, {2, 2, 2}, {2, 2, 2}, .bias = true},
    {"3d k3 s2 output padding", S(1, 3, 3, 4, 2), 2, {3, 3, 3}, {2, 2, 2}, {1, 1, 1},
     .bias = true, .out_pad = {1, 1, 0}},
    /* clang-format on */
};

/* --- dense -------------------------------------------------------------------------------- */

static const struct dense_row {
    int64_t n, in, out;
    bool bias;
    nod_act act;
    double alpha;
} denses[] = {
    /* clang-format off */
    {1, 1, 1, false, NOD_ACT_IDENTITY, 0},      {1, 7, 3, true, NOD_ACT_IDENTITY, 0},
    {2, 1000, 12, false, NOD_ACT_RELU, 0},      {32, 12, 12, false, NOD_ACT_RELU, 0},
    {32, 12, 2, false, NOD_ACT_IDENTITY, 0},    {5, 33, 17, true, NOD_ACT_SIGMOID, 0},
    {3, 64, 64, true, NOD_ACT_TANH, 0},         {8, 16, 32, true, NOD_ACT_ELU, 1.5},
    {4, 31, 8, true, NOD_ACT_LEAKY_RELU, 0.01}, {16, 128, 100, true, NOD_ACT_IDENTITY, 0},
    {7, 5, 1, true, NOD_ACT_IDENTITY, 0},       {1, 512, 1000, true, NOD_ACT_IDENTITY, 0},
    /* clang-format on */
};

/* --- pooling: 2-D leaves entry 0 of triples 0 --------------------------------------------- */

static const struct pool_row {
    const char *name;
    nod_op op;
    nod_shape x;
    int64_t kernel[3], stride[3], pad[3];
    bool include_pad, global, ties;
} pools[] = {
    /* clang-format off */
    {"max 2x2", NOD_OP_POOL_MAX, S(2, 8, 8, 8), {0, 2, 2}, {0, 2, 2}},
    {"max 2x2 odd", NOD_OP_POOL_MAX, S(2, 3, 7, 9), {0, 2, 2}, {0, 2, 2}},
    {"max 3x3 s2 p1", NOD_OP_POOL_MAX, S(2, 16, 14, 15), {0, 3, 3}, {0, 2, 2}, {0, 1, 1}},
    {"max 3x3 s1 p1, overlapping", NOD_OP_POOL_MAX, S(1, 8, 5, 6), {0, 3, 3}, {0, 1, 1},
     {0, 1, 1}},
    {"max 3x3 s1 p1, ties", NOD_OP_POOL_MAX, S(2, 8, 6, 7), {0, 3, 3}, {0, 1, 1}, {0, 1, 1},
     .ties = true},
    {"max 3d, ties", NOD_OP_POOL_MAX, S(1, 16, 4, 5, 4), {2, 3, 2}, {1, 2, 2}, {1, 1, 0},
     .ties = true},
    {"max 1 channel", NOD_OP_POOL_MAX, S(1, 1, 5, 5), {0, 2, 3}, {0, 2, 1}, {0, 0, 1}},
    {"max 32 channels", NOD_OP_POOL_MAX, S(3, 32, 6, 7), {0, 3, 3}, {0, 2, 2}, {0, 1, 1}},
    {"max 3d", NOD_OP_POOL_MAX, S(2, 8, 5, 6, 7), {3, 3, 3}, {2, 2, 2}, {1, 1, 1}},
    {"max 3d 16 channels", NOD_OP_POOL_MAX, S(1, 16, 4, 4, 5), {2, 2, 2}, {2, 2, 2}},
    {"max global", NOD_OP_POOL_MAX, S(2, 8, 5, 7), .global = true},
    {"avg 2x2", NOD_OP_POOL_AVG, S(2, 8, 8, 8), {0, 2, 2}, {0, 2, 2}},
    {"avg 2x2 odd", NOD_OP_POOL_AVG, S(2, 5, 7, 9), {0, 2, 2}, {0, 2, 2}},
    {"avg 3x3 include pad", NOD_OP_POOL_AVG, S(2, 16, 7, 8), {0, 3, 3}, {0, 2, 2}, {0, 1, 1},
     .include_pad = true},
    {"avg 3x3 exclude pad", NOD_OP_POOL_AVG, S(2, 16, 7, 8), {0, 3, 3}, {0, 2, 2}, {0, 1, 1}},
    {"avg 3d include pad", NOD_OP_POOL_AVG, S(1, 8, 5, 6, 4), {3, 2, 2}, {2, 2, 2}, {1, 1, 0},
     .include_pad = true},
    {"avg 3d exclude pad", NOD_OP_POOL_AVG, S(2, 3, 5, 4, 4), {3, 2, 3}, {2, 1, 2}, {1, 1, 1}},
    {"avg global", NOD_OP_POOL_AVG, S(2, 16, 7, 5), .global = true},
    {"avg global 12 channels", NOD_OP_POOL_AVG, S(3, 12, 4, 4), .global = true},
    {"avg global 3d", NOD_OP_POOL_AVG, S(2, 8, 3, 4, 5), .global = true},
    {"avg global one pixel", NOD_OP_POOL_AVG, S(2, 16, 1, 1), .global = true},
    /* clang-format on */
};

/* --- norms -------------------------------------------------------------------------------- */

static const struct norm_row {
    const char *name;
    nod_op op;
    nod_shape x;
    int64_t groups;
    bool residual;
    nod_act act;
    double alpha;
} norms[] = {
    /* clang-format off */
    {"batch 2-D", NOD_OP_BATCH_NORM, S(4, 8, 5, 6)},
    {"batch relu", NOD_OP_BATCH_NORM, S(4, 16, 7, 7), .act = NOD_ACT_RELU},
    {"batch add relu", NOD_OP_BATCH_NORM, S(3, 16, 5, 5), .residual = true,
     .act = NOD_ACT_RELU},
    {"batch add", NOD_OP_BATCH_NORM, S(3, 8, 5, 5), .residual = true},
    {"batch 3 channels", NOD_OP_BATCH_NORM, S(2, 3, 7, 9), .act = NOD_ACT_LEAKY_RELU,
     .alpha = 0.2},
    {"batch 1 channel", NOD_OP_BATCH_NORM, S(2, 1, 5, 5)},
    {"batch of one", NOD_OP_BATCH_NORM, S(1, 32, 6, 6), .act = NOD_ACT_ELU, .alpha = 1},
    {"batch 64 channels, 1x1", NOD_OP_BATCH_NORM, S(6, 64, 1, 1), .act = NOD_ACT_SIGMOID},
    {"batch 12 channels, tanh", NOD_OP_BATCH_NORM, S(2, 12, 3, 5), .act = NOD_ACT_TANH},
    {"batch 3d", NOD_OP_BATCH_NORM, S(2, 8, 3, 4, 5), .act = NOD_ACT_RELU},
    {"batch 3d add", NOD_OP_BATCH_NORM, S(2, 16, 3, 3, 3), .residual = true,
     .act = NOD_ACT_RELU},
    {"batch features", NOD_OP_BATCH_NORM, S(8, 10), .act = NOD_ACT_RELU},
    {"batch long rows", NOD_OP_BATCH_NORM, S(2, 8, 40, 41)},
    {"infer 2-D", NOD_OP_BATCH_NORM_INFER, S(2, 8, 5, 6)},
    {"infer relu", NOD_OP_BATCH_NORM_INFER, S(1, 16, 4, 5), .act = NOD_ACT_RELU},
    {"infer add relu", NOD_OP_BATCH_NORM_INFER, S(2, 32, 4, 3), .residual = true,
     .act = NOD_ACT_RELU},
    {"infer 3 channels", NOD_OP_BATCH_NORM_INFER, S(2, 3, 4, 5)},
    {"infer 3d", NOD_OP_BATCH_NORM_INFER, S(1, 8, 3, 4, 5), .act = NOD_ACT_TANH},
    {"infer features", NOD_OP_BATCH_NORM_INFER, S(4, 10)},
    {"group 2 of 8", NOD_OP_GROUP_NORM, S(2, 8, 5, 6), .groups = 2},
    {"group 3 of 6", NOD_OP_GROUP_NORM, S(2, 6, 4, 5), .groups = 3, .act = NOD_ACT_RELU},
    {"instance", NOD_OP_GROUP_NORM, S(2, 16, 5, 6), .groups = 16},
    {"instance 3d leaky relu", NOD_OP_GROUP_NORM, S(2, 8, 3, 4, 5), .groups = 8,
     .act = NOD_ACT_LEAKY_RELU, .alpha = 0.01},
    {"instance 5 channels", NOD_OP_GROUP_NORM, S(1, 5, 4, 4), .groups = 5},
    {"layer", NOD_OP_GROUP_NORM, S(2, 8, 4, 3), .groups = 1},
    {"layer features", NOD_OP_GROUP_NORM, S(4, 10), .groups = 1, .act = NOD_ACT_TANH},
    {"group 1 channel", NOD_OP_GROUP_NORM, S(2, 1, 4, 5), .groups = 1},
    /* clang-format on */
};

/* --- one row per op for the rest: shapes of the inputs, and a few attributes -------------- */

typedef struct plain_row {
    const char *name;
    nod_op op;
    nod_shape in[OP_CASE_IN_MAX];
    nod_act act;
    double alpha;         /* of act, of scale; p of dropout; gamma of focal */
    bool per_channel;     /* dropout */
    double smoothing;     /* cross-entropy */
    int64_t lo[6], hi[6]; /* pad, crop */
    int64_t scale[3];     /* upsample */
    nod_shape shape;      /* reshape */
} plain_row;

static const plain_row plains[] = {
    /* clang-format off */
    {"relu", NOD_OP_ACT, {S(2, 8, 5, 7)}, NOD_ACT_RELU},
    {"relu features", NOD_OP_ACT, {S(3, 13)}, NOD_ACT_RELU},
    {"leaky relu", NOD_OP_ACT, {S(2, 16, 3, 5)}, NOD_ACT_LEAKY_RELU, 0.1},
    {"elu", NOD_OP_ACT, {S(2, 8, 5, 5)}, NOD_ACT_ELU, 1.3},
    {"gelu", NOD_OP_ACT, {S(2, 8, 5, 5)}, NOD_ACT_GELU},
    {"gelu 3d", NOD_OP_ACT, {S(1, 5, 3, 4, 5)}, NOD_ACT_GELU},
    {"silu", NOD_OP_ACT, {S(2, 16, 5, 5)}, NOD_ACT_SILU},
    {"silu 3 channels", NOD_OP_ACT, {S(1, 3, 7, 3)}, NOD_ACT_SILU},
    {"sigmoid", NOD_OP_ACT, {S(2, 8, 5, 5)}, NOD_ACT_SIGMOID},
    {"tanh", NOD_OP_ACT, {S(2, 8, 5, 5)}, NOD_ACT_TANH},
    {"tanh features", NOD_OP_ACT, {S(5, 31)}, NOD_ACT_TANH},
    {"prelu of channels", NOD_OP_PRELU, {S(2, 8, 5, 3), S(8)}},
    {"prelu of one slope", NOD_OP_PRELU, {S(2, 3, 5, 3), S(1)}},
    {"prelu features", NOD_OP_PRELU, {S(4, 6), S(6)}},
    {"prelu 3d", NOD_OP_PRELU, {S(1, 16, 2, 3, 3), S(16)}},
    {"softmax", NOD_OP_SOFTMAX, {S(4, 3)}},
    {"softmax of one", NOD_OP_SOFTMAX, {S(4, 1)}},
    {"softmax of channels", NOD_OP_SOFTMAX, {S(2, 5, 3, 4)}},
    {"softmax 8 channels 3d", NOD_OP_SOFTMAX, {S(2, 8, 2, 3, 2)}},
    {"dropout", NOD_OP_DROPOUT, {S(2, 8, 5, 5)}, .alpha = 0.3},
    {"dropout features", NOD_OP_DROPOUT, {S(3, 13)}, .alpha = 0.5},
    {"dropout of channels", NOD_OP_DROPOUT, {S(3, 16, 4, 4)}, .alpha = 0.4,
     .per_channel = true},
    {"dropout of nothing", NOD_OP_DROPOUT, {S(2, 3, 4, 4)}, .alpha = 0},
    {"add", NOD_OP_ADD, {S(2, 8, 5, 7), S(2, 8, 5, 7)}},
    {"add relu", NOD_OP_ADD, {S(2, 16, 5, 3), S(2, 16, 5, 3)}, NOD_ACT_RELU},
    {"add relu 3 channels", NOD_OP_ADD, {S(1, 3, 5, 3), S(1, 3, 5, 3)}, NOD_ACT_RELU},
    {"add features", NOD_OP_ADD, {S(4, 9), S(4, 9)}},
    {"add 3d", NOD_OP_ADD, {S(1, 8, 3, 5, 3), S(1, 8, 3, 5, 3)}, NOD_ACT_LEAKY_RELU, 0.01},
    {"mul", NOD_OP_MUL, {S(2, 8, 5, 7), S(2, 8, 5, 7)}},
    {"scale", NOD_OP_SCALE, {S(2, 3, 5, 7)}, .alpha = -2.5},
    {"concat two", NOD_OP_CONCAT, {S(2, 8, 5, 4), S(2, 16, 5, 4)}},
    {"concat odd", NOD_OP_CONCAT, {S(2, 3, 5, 4), S(2, 5, 5, 4), S(2, 1, 5, 4)}},
    {"concat six of 16", NOD_OP_CONCAT, {S(1, 16, 3, 3), S(1, 16, 3, 3), S(1, 32, 3, 3),
     S(1, 16, 3, 3), S(1, 16, 3, 3), S(1, 16, 3, 3)}},
    {"concat 8 and 4", NOD_OP_CONCAT, {S(2, 8, 3, 3), S(2, 4, 3, 3)}},
    {"concat 3d", NOD_OP_CONCAT, {S(2, 16, 2, 3, 3), S(2, 8, 2, 3, 3)}},
    {"concat features", NOD_OP_CONCAT, {S(3, 4), S(3, 5)}},
    {"flatten", NOD_OP_RESHAPE, {S(2, 8, 3, 4)}, .shape = S(2, 96)},
    {"reshape to 3d", NOD_OP_RESHAPE, {S(2, 24)}, .shape = S(2, 2, 2, 2, 3)},
    {"pad", NOD_OP_PAD, {S(2, 3, 4, 5)}, .lo = {0, 0, 1, 2}, .hi = {0, 0, 2, 0}},
    {"pad of channels", NOD_OP_PAD, {S(1, 8, 4, 3)}, .lo = {0, 8, 0, 0}, .hi = {0, 0, 0, 1}},
    {"pad 3d", NOD_OP_PAD, {S(1, 8, 2, 3, 3)}, .lo = {0, 0, 1, 0, 1}, .hi = {0, 0, 0, 2, 1}},
    {"crop", NOD_OP_CROP, {S(2, 8, 6, 7)}, .lo = {0, 0, 1, 2}, .hi = {0, 0, 2, 1}},
    {"crop of channels", NOD_OP_CROP, {S(2, 24, 3, 3)}, .lo = {0, 8}, .hi = {0, 8}},
    {"crop of odd channels", NOD_OP_CROP, {S(2, 7, 3, 3)}, .lo = {0, 3}, .hi = {0, 1}},
    {"crop 3d", NOD_OP_CROP, {S(1, 16, 4, 5, 6)}, .lo = {0, 0, 1, 1, 2},
     .hi = {0, 0, 1, 2, 0}},
    {"nearest", NOD_OP_UPSAMPLE_NEAREST, {S(2, 8, 3, 4)}, .scale = {1, 2, 2}},
    {"nearest 3 by 1", NOD_OP_UPSAMPLE_NEAREST, {S(1, 3, 3, 4)}, .scale = {1, 3, 1}},
    {"nearest 3d", NOD_OP_UPSAMPLE_NEAREST, {S(1, 8, 2, 3, 2)}, .scale = {2, 2, 3}},
    {"linear", NOD_OP_UPSAMPLE_LINEAR, {S(2, 8, 3, 4)}, .scale = {1, 2, 2}},
    {"linear 3 by 4", NOD_OP_UPSAMPLE_LINEAR, {S(1, 3, 4, 2)}, .scale = {1, 3, 4}},
    {"linear of one pixel", NOD_OP_UPSAMPLE_LINEAR, {S(1, 2, 1, 1)}, .scale = {1, 2, 2}},
    {"linear 3d", NOD_OP_UPSAMPLE_LINEAR, {S(1, 16, 2, 3, 2)}, .scale = {2, 2, 2}},
    {"cross-entropy", NOD_OP_LOSS_CE, {S(5, 3), S(5)}},
    {"cross-entropy weighted", NOD_OP_LOSS_CE, {S(7, 4), S(7), S(4)}},
    {"cross-entropy smoothed", NOD_OP_LOSS_CE, {S(5, 3), S(5)}, .smoothing = 0.1},
    {"cross-entropy both", NOD_OP_LOSS_CE, {S(6, 5), S(6), S(5)}, .smoothing = 0.2},
    {"cross-entropy of one case", NOD_OP_LOSS_CE, {S(1, 2), S(1)}},
    {"cross-entropy of pixels", NOD_OP_LOSS_CE, {S(2, 3, 4, 3), S(2, 4, 3), S(3)},
     .smoothing = 0.1},
    {"cross-entropy of voxels", NOD_OP_LOSS_CE, {S(2, 8, 2, 3, 2), S(2, 2, 3, 2)}},
    {"binary cross-entropy", NOD_OP_LOSS_BCE, {S(5, 3), S(5, 3)}},
    {"binary cross-entropy weighted", NOD_OP_LOSS_BCE, {S(5, 3), S(5, 3), S(3)}},
    {"mean squared error", NOD_OP_LOSS_MSE, {S(5, 3), S(5, 3)}},
    {"mean squared error of pixels", NOD_OP_LOSS_MSE, {S(2, 8, 3, 3), S(2, 8, 3, 3)}},
    {"mean absolute error", NOD_OP_LOSS_MAE, {S(5, 3), S(5, 3)}},
    {"focal", NOD_OP_LOSS_FOCAL, {S(5, 3), S(5)}, .alpha = 2},
    {"focal weighted", NOD_OP_LOSS_FOCAL, {S(6, 4), S(6), S(4)}, .alpha = 0.5},
    {"focal gamma 0", NOD_OP_LOSS_FOCAL, {S(4, 2), S(4)}, .alpha = 0},
    /* clang-format on */
};

/* --- a row becomes a case ----------------------------------------------------------------- */

static void set_name(op_case *c, const char *family, const char *name)
{
    snprintf(c->name, sizeof c->name, "%s %s", family, name);
}

static int64_t or_one(int64_t v)
{
    return v == 0 ? 1 : v;
}

static void from_conv(op_case *c, const conv_row *r, bool transposed)
{
    set_name(c, transposed ? "conv_t" : "conv", r->name);
    c->op = transposed ? NOD_OP_CONV_T : NOD_OP_CONV;
    c->attr.groups = or_one(r->groups);
    c->attr.act = r->act;
    c->attr.alpha = r->alpha;
    c->in[0] = r->x;
    c->in[1] = r->x;
    c->in[1].dim[0] = transposed ? r->x.dim[1] : r->out_channels;
    c->in[1].dim[1] = (transposed ? r->out_channels : r->x.dim[1]) / c->attr.groups;
    for (int i = 0; i < 3; i++) {
        int axis = r->x.rank - 3 + i;
        if (axis >= 2) c->in[1].dim[axis] = r->kernel[i];
        c->attr.stride[i] = or_one(r->stride[i]);
        c->attr.dilation[i] = or_one(r->dilation[i]);
        c->attr.pad_lo[i] = c->attr.pad_hi[i] = r->pad[i];
        c->attr.out_pad[i] = r->out_pad[i];
    }
    c->n_in = 2;
    if (r->bias) c->in[c->n_in++] = nod_shape_of(1, r->out_channels);
}

static void from_dense(op_case *c, const struct dense_row *r)
{
    snprintf(c->name, sizeof c->name, "dense %d x %d -> %d %s", (int)r->n, (int)r->in,
             (int)r->out, nod_act_name(r->act));
    c->op = NOD_OP_DENSE;
    c->attr.act = r->act;
    c->attr.alpha = r->alpha;
    c->in[0] = nod_shape_of(2, r->n, r->in);
    c->in[1] = nod_shape_of(2, r->out, r->in);
    c->n_in = 2;
    if (r->bias) c->in[c->n_in++] = nod_shape_of(1, r->out);
}

static void from_pool(op_case *c, const struct pool_row *r)
{
    set_name(c, "pool", r->name);
    c->op = r->op;
    c->n_in = 1;
    c->in[0] = r->x;
    c->attr.include_pad = r->include_pad;
    c->attr.global = r->global;
    for (int i = 0; i < 3; i++) {
        c->attr.kernel[i] = or_one(r->kernel[i]);
        c->attr.stride[i] = or_one(r->stride[i]);
        c->attr.pad_lo[i] = c->attr.pad_hi[i] = r->pad[i];
    }
}

static void from_norm(op_case *c, const struct norm_row *r)
{
    set_name(c, "norm", r->name);
    c->op = r->op;
    c->in[0] = r->x;
    c->n_in = r->op == NOD_OP_BATCH_NORM_INFER ? 5 : 3;
    for (int i = 1; i < c->n_in; i++)
        c->in[i] = nod_shape_of(1, r->x.dim[1]);
    if (r->residual) c->in[c->n_in++] = r->x;
    c->attr.groups = or_one(r->groups);
    c->attr.residual = r->residual;
    c->attr.act = r->act;
    c->attr.alpha = r->alpha;
    c->attr.eps = 1e-5;
    c->attr.momentum = 0.1;
}

static void from_plain(op_case *c, const plain_row *r)
{
    set_name(c, nod_op_name(r->op), r->name);
    c->op = r->op;
    while (c->n_in < OP_CASE_IN_MAX && r->in[c->n_in].rank > 0) {
        c->in[c->n_in] = r->in[c->n_in];
        c->n_in++;
    }
    c->attr.act = r->act;
    c->attr.alpha = r->alpha;
    c->attr.p = r->op == NOD_OP_DROPOUT ? r->alpha : 0;
    c->attr.gamma = r->op == NOD_OP_LOSS_FOCAL ? r->alpha : 0;
    c->attr.smoothing = r->smoothing;
    c->attr.per_channel = r->per_channel;
    c->attr.stream = 3;
    c->attr.shape = r->shape;
    memcpy(c->attr.lo, r->lo, sizeof r->lo);
    memcpy(c->attr.hi, r->hi, sizeof r->hi);
    for (int i = 0; i < 3; i++)
        c->attr.scale[i] = or_one(r->scale[i]);
}

static op_fill fill_of(nod_op op, int i)
{
    switch (op) {
    case NOD_OP_BATCH_NORM:
    case NOD_OP_GROUP_NORM:
        return i == 1 ? OP_FILL_POSITIVE : OP_FILL_SIGNED;
    case NOD_OP_BATCH_NORM_INFER:
        return i == 1 || i == 4 ? OP_FILL_POSITIVE : OP_FILL_SIGNED;
    case NOD_OP_LOSS_CE:
    case NOD_OP_LOSS_FOCAL:
        return i == 1 ? OP_FILL_LABEL : i == 2 ? OP_FILL_POSITIVE : OP_FILL_SIGNED;
    case NOD_OP_LOSS_BCE:
        return i == 1 ? OP_FILL_UNIT : i == 2 ? OP_FILL_POSITIVE : OP_FILL_SIGNED;
    default:
        return OP_FILL_SIGNED;
    }
}

static bool grad_of(nod_op op, int i)
{
    switch (op) {
    case NOD_OP_BATCH_NORM_INFER: /* the norm itself is frozen */
        return i == 0 || i == 5;
    case NOD_OP_LOSS_CE:
    case NOD_OP_LOSS_FOCAL:
    case NOD_OP_LOSS_BCE:
        return i == 0;
    default:
        return true;
    }
}

void op_case_complete(op_case *c)
{
    for (int i = 0; i < c->n_in; i++) {
        c->fill[i] = fill_of(c->op, i);
        c->has_grad[i] = grad_of(c->op, i);
    }
}

op_case *op_cases_new(size_t *n)
{
    size_t total = NOD_COUNT(convs) + NOD_COUNT(conv_ts) + NOD_COUNT(denses) +
                   NOD_COUNT(pools) + NOD_COUNT(norms) + NOD_COUNT(plains);
    op_case *list = nod_calloc(total, sizeof *list), *c = list;
    if (list == NULL) return NULL;
    for (size_t i = 0; i < total; i++)
        list[i].attr = nod_attrs_default();
    for (size_t i = 0; i < NOD_COUNT(denses); i++)
        from_dense(c++, &denses[i]);
    for (size_t i = 0; i < NOD_COUNT(convs); i++)
        from_conv(c++, &convs[i], false);
    for (size_t i = 0; i < NOD_COUNT(conv_ts); i++)
        from_conv(c++, &conv_ts[i], true);
    op_case *first_pool = c;
    for (size_t i = 0; i < NOD_COUNT(pools); i++)
        from_pool(c++, &pools[i]);
    for (size_t i = 0; i < NOD_COUNT(norms); i++)
        from_norm(c++, &norms[i]);
    for (size_t i = 0; i < NOD_COUNT(plains); i++)
        from_plain(c++, &plains[i]);
    for (size_t i = 0; i < total; i++) {
        list[i].seed = (uint32_t)(1000 + 16 * i);
        op_case_complete(&list[i]);
    }
    for (size_t i = 0; i < NOD_COUNT(pools); i++)
        if (pools[i].ties) first_pool[i].fill[0] = OP_FILL_COARSE;
    *n = total;
    return list;
}

/* --- inputs ------------------------------------------------------------------------------- */

double op_fill_value(op_fill fill, uint32_t seed, int64_t j, int64_t n_classes)
{
    uint32_t h = (uint32_t)j * 0x9E3779B1u + seed * 0x85EBCA77u;
    h = (h ^ h >> 15) * 0x2C1B3C6Du;
    h = (h ^ h >> 12) * 0x297A2D39u;
    h ^= h >> 15;
    double u = (double)(h >> 8) * 0x1p-24;
    switch (fill) {
    case OP_FILL_POSITIVE:
        return 0.5 + u;
    case OP_FILL_UNIT:
        return u;
    case OP_FILL_LABEL:
        return floor(u * (double)n_classes);
    case OP_FILL_COARSE:
        return floor(u * 5) / 2 - 1;
    case OP_FILL_SIGNED:
        break;
    }
    return 2 * u - 1;
}
