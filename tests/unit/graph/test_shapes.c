/* Shape rules of every op: what comes out, and what an error says. Expected sizes are the
 * closed forms in src/graph/ops/ (the same as PyTorch documents for Conv2d, ConvTranspose2d,
 * MaxPool2d).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

/* A graph, and values made on the fly from text like "2,3,8,8" or "i:4" for labels. */
typedef struct bench {
    nod_graph *g;
    int n;
} bench;

static void setup(bench *b)
{
    nod_error err = NOD_ERROR_INIT;
    b->n = 0;
    assert_int_equal(nod_graph_new(&b->g, &err), 0);
}

static nod_shape parse(const char *text)
{
    nod_shape s = {.rank = 0};
    while (*text != '\0') {
        long v = 0;
        int used = 0;
        assert_int_equal(sscanf(text, "%ld%n", &v, &used), 1);
        s.dim[s.rank++] = v;
        text += used;
        if (*text == ',') text++;
    }
    return s;
}

static int value(bench *b, const char *text)
{
    char name[16];
    if (text[0] == '-') return -1;
    snprintf(name, sizeof name, "v%d", b->n++);
    bool is_int = text[0] == 'i';
    return nod_graph_input(b->g, name, parse(is_int ? text + 2 : text), is_int);
}

/* One op on inputs "a|b|c"; returns the node's index, -1 after an error. */
static int apply(bench *b, nod_op op, const char *inputs, const nod_attrs *a)
{
    char text[256];
    int in[NOD_NODE_IN_MAX], n = 0;
    snprintf(text, sizeof text, "%s", inputs);
    for (char *save = NULL, *t = strtok_r(text, "|", &save); t != NULL;
         t = strtok_r(NULL, "|", &save))
        in[n++] = value(b, t);
    return nod_graph_add_node(b->g, op, "L", in, n, a);
}

static void expect_shape(nod_op op, const char *inputs, const nod_attrs *a, const char *out,
                         int n_out)
{
    bench b;
    setup(&b);
    int node = apply(&b, op, inputs, a);
    if (node < 0) fail_msg("%s(%s): %s", nod_op_name(op), inputs, b.g->error.message);
    nod_shape want = parse(out), got = *nod_graph_shape(b.g, nod_graph_out(b.g, node, 0));
    char wt[160], gt[160];
    assert_string_equal(nod_shape_text(&got, gt, sizeof gt),
                        nod_shape_text(&want, wt, sizeof wt));
    int n = 0;
    for (int k = 0; k < NOD_NODE_OUT_MAX; k++)
        n += nod_graph_out(b.g, node, k) >= 0;
    assert_int_equal(n, n_out);
    nod_graph_free(b.g);
}

/* The message must contain every one of the texts (NULL-terminated). */
static void expect_error(nod_op op, const char *inputs, const nod_attrs *a, ...)
{
    bench b;
    nod_error err = NOD_ERROR_INIT;
    setup(&b);
    assert_int_equal(apply(&b, op, inputs, a), -1);
    assert_true(nod_graph_check(b.g, &err) < 0);
    assert_non_null(strstr(err.message, "layer 'L'"));
    va_list ap;
    va_start(ap, a);
    for (const char *t = va_arg(ap, const char *); t != NULL; t = va_arg(ap, const char *))
        if (strstr(err.message, t) == NULL) fail_msg("'%s' is not in: %s", t, err.message);
    va_end(ap);
    /* the first error stays */
    assert_int_equal(nod_graph_input(b.g, "late", nod_shape_of(1, (int64_t)1), false), -1);
    nod_graph_free(b.g);
}

static nod_attrs window(int64_t k, int64_t s, int64_t p, int64_t d)
{
    nod_attrs a = nod_attrs_default();
    for (int i = 0; i < 3; i++) {
        a.kernel[i] = k;
        a.stride[i] = s;
        a.pad_lo[i] = a.pad_hi[i] = p;
        a.dilation[i] = d;
    }
    return a;
}

static nod_attrs shaped(const char *shape)
{
    nod_attrs a = nod_attrs_default();
    a.shape = parse(shape);
    return a;
}

static void dense(void **state)
{
    (void)state;
    nod_attrs bias = nod_attrs_default();
    bias.bias = true;
    expect_shape(NOD_OP_DENSE, "32,1000|12,1000", NULL, "32,12", 1);
    expect_shape(NOD_OP_DENSE, "32,1000|12,1000|12", NULL, "32,12", 1);
    expect_shape(NOD_OP_DENSE, "32,1000|12,1000|-", NULL, "32,12", 1);
    expect_shape(NOD_OP_DENSE_BWD_DATA, "32,12|12,1000", NULL, "32,1000", 1);
    expect_shape(NOD_OP_DENSE_BWD_WEIGHTS, "32,1000|32,12", NULL, "12,1000", 1);
    expect_shape(NOD_OP_DENSE_BWD_WEIGHTS, "32,1000|32,12", &bias, "12,1000", 2);
    expect_error(NOD_OP_DENSE, "32,784|12,1000", NULL,
                 "layer 'L': weight [12, 1000] does not fit input [32, 784]", NULL);
    expect_error(NOD_OP_DENSE, "32,1,28,28|12,784", NULL, "[32, 1, 28, 28]", "flatten", NULL);
    expect_error(NOD_OP_DENSE, "32,10|12,10|13", NULL, "bias [13] does not fit weight [12, 10]",
                 NULL);
    expect_error(NOD_OP_DENSE, "32|12,10", NULL, "[N, features]", "[32]", NULL);
    expect_error(NOD_OP_DENSE, "32,10|12,10,1", NULL, "[units, features]", NULL);
    expect_error(NOD_OP_DENSE, "32,10|-", NULL, "input 1 of dense is missing", NULL);
    expect_error(NOD_OP_DENSE, "i:32,10|12,10", NULL, "real numbers, not labels", NULL);
    expect_error(NOD_OP_DENSE, "32,10|12,10|12|12", NULL, "at most 3 inputs, got 4", NULL);
    expect_error(NOD_OP_DENSE_BWD_DATA, "32,13|12,10", NULL, "[32, 13]", "[12, 10]", NULL);
    expect_error(NOD_OP_DENSE_BWD_WEIGHTS, "32,10|31,12", NULL, "[32, 10]", "[31, 12]", NULL);
}

static void conv(void **state)
{
    (void)state;
    nod_attrs a = window(3, 1, 1, 1);
    expect_shape(NOD_OP_CONV, "2,3,28,28|64,3,3,3", &a, "2,64,28,28", 1);
    expect_shape(NOD_OP_CONV, "2,3,9,10,11|8,3,3,3,3|8", &a, "2,8,9,10,11", 1);
    a = window(7, 2, 3, 1);
    expect_shape(NOD_OP_CONV, "1,3,224,224|64,3,7,7", &a, "1,64,112,112", 1);
    a = window(3, 2, 0, 2); /* floor((11 - 5)/2) + 1 = 4 */
    expect_shape(NOD_OP_CONV, "1,1,11,11|1,1,3,3", &a, "1,1,4,4", 1);
    a = window(3, 1, 1, 1);
    a.groups = 4;
    expect_shape(NOD_OP_CONV, "2,8,5,5|12,2,3,3", &a, "2,12,5,5", 1);
    expect_error(NOD_OP_CONV, "2,8,5,5|12,8,3,3", &a, "weight [12, 8, 3, 3]",
                 "input [2, 8, 5, 5]", NULL);
    expect_error(NOD_OP_CONV, "2,8,5,5|10,2,3,3", &a, "10 output channels", "4 groups", NULL);
    expect_error(NOD_OP_CONV, "2,9,5,5|12,2,3,3", &a, "does not fit", NULL);
    a = window(7, 1, 0, 1);
    expect_error(NOD_OP_CONV, "2,3,28,5|4,3,7,7", &a, "kernel of 7", "axis 3", "[2, 3, 28, 5]",
                 NULL);
    expect_error(NOD_OP_CONV, "2,3,28|4,3,7", &a, "[N,C,H,W]", "[2, 3, 28]", NULL);
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,7,7,7", &a, "does not fit", NULL);
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,7,7|5", &a, "bias [5]", NULL);
    a = window(3, 0, 0, 1);
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,3,3", &a, "stride", NULL);
    a = window(3, 1, -1, 1);
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,3,3", &a, "padding", NULL);
    a = window(3, 1, (int64_t)1 << 40, 1);
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,3,3", &a, "over", NULL);
    a = window(3, 1, 0, 1);
    a.groups = 0;
    expect_error(NOD_OP_CONV, "2,3,28,28|4,3,3,3", &a, "groups", NULL);
}

static void conv_gradients(void **state)
{
    (void)state;
    nod_attrs a = window(3, 2, 1, 1);
    a.shape = parse("2,3,28,28");
    expect_shape(NOD_OP_CONV_BWD_DATA, "2,8,14,14|8,3,3,3", &a, "2,3,28,28", 1);
    a.shape = parse("2,3,27,27"); /* also 14 */
    expect_shape(NOD_OP_CONV_BWD_DATA, "2,8,14,14|8,3,3,3", &a, "2,3,27,27", 1);
    a.shape = parse("2,3,29,29");
    expect_error(NOD_OP_CONV_BWD_DATA, "2,8,14,14|8,3,3,3", &a, "[2, 8, 14, 14]",
                 "[2, 3, 29, 29]", NULL);
    a.shape = parse("8,3,3,3");
    expect_shape(NOD_OP_CONV_BWD_WEIGHTS, "2,3,28,28|2,8,14,14", &a, "8,3,3,3", 1);
    a.bias = true;
    expect_shape(NOD_OP_CONV_BWD_WEIGHTS, "2,3,28,28|2,8,14,14", &a, "8,3,3,3", 2);
    expect_error(NOD_OP_CONV_BWD_WEIGHTS, "2,3,28,28|2,9,14,14", &a, "[2, 9, 14, 14]", NULL);
    a.shape = parse("8,4,3,3");
    expect_error(NOD_OP_CONV_BWD_WEIGHTS, "2,3,28,28|2,8,14,14", &a, "[8, 4, 3, 3]", NULL);
    a.shape = parse("0,0,0,0");
    expect_error(NOD_OP_CONV_BWD_WEIGHTS, "2,3,28,28|2,8,14,14", &a, NULL);
    expect_shape(NOD_OP_BIAS_BWD, "2,8,14,14", NULL, "8", 1);
    expect_error(NOD_OP_BIAS_BWD, "2", NULL, "[2]", NULL);
}

static void conv_transposed(void **state)
{
    (void)state;
    nod_attrs a = window(2, 2, 0, 1);
    expect_shape(NOD_OP_CONV_T, "2,64,8,8,8|64,32,2,2,2|32", &a, "2,32,16,16,16", 1);
    a = window(3, 2, 1, 1);
    expect_shape(NOD_OP_CONV_T, "2,4,7,7|4,6,3,3", &a, "2,6,13,13", 1);
    a.out_pad[1] = a.out_pad[2] = 1;
    expect_shape(NOD_OP_CONV_T, "2,4,7,7|4,6,3,3", &a, "2,6,14,14", 1);
    a.out_pad[1] = 2;
    expect_error(NOD_OP_CONV_T, "2,4,7,7|4,6,3,3", &a, "output padding 2", "stride 2", NULL);
    a = window(3, 1, 0, 1);
    a.groups = 2;
    expect_shape(NOD_OP_CONV_T, "2,4,7,7|4,6,3,3", &a, "2,12,9,9", 1);
    expect_error(NOD_OP_CONV_T, "2,3,7,7|3,6,3,3", &a, "3 input channels", "2 groups", NULL);
    expect_error(NOD_OP_CONV_T, "2,4,7,7|6,4,3,3", &a, "weight [6, 4, 3, 3]", NULL);
    expect_error(NOD_OP_CONV_T, "2,4,7,7|4,6,3,3|6", &a, "bias [6]", NULL);
    a = window(1, 1, 4, 1);
    expect_error(NOD_OP_CONV_T, "2,4,7,7|4,6,1,1", &a, "leaves nothing", NULL);
    expect_error(NOD_OP_CONV_T, "2,4,7|4,6,1", &a, "[2, 4, 7]", NULL);
}

static void pooling(void **state)
{
    (void)state;
    nod_attrs a = window(3, 2, 1, 1), global = nod_attrs_default();
    global.global = true;
    expect_shape(NOD_OP_POOL_MAX, "1,64,112,112", &a, "1,64,56,56", 1);
    expect_shape(NOD_OP_POOL_AVG, "1,4,9,9,9", &a, "1,4,5,5,5", 1);
    expect_shape(NOD_OP_POOL_AVG, "2,5,7,3", &global, "2,5,1,1", 1);
    expect_shape(NOD_OP_POOL_MAX, "2,5,4,7,3", &global, "2,5,1,1,1", 1);
    expect_shape(NOD_OP_POOL_MAX_BWD, "1,64,112,112|1,64,56,56", &a, "1,64,112,112", 1);
    expect_error(NOD_OP_POOL_MAX_BWD, "1,64,112,112|1,64,55,56", &a, "[1, 64, 55, 56]", NULL);
    a.shape = parse("1,4,9,9,9");
    expect_shape(NOD_OP_POOL_AVG_BWD, "1,4,5,5,5", &a, "1,4,9,9,9", 1);
    expect_error(NOD_OP_POOL_AVG_BWD, "1,4,4,5,5", &a, "does not fit", NULL);
    a = window(3, 2, 3, 1);
    expect_error(NOD_OP_POOL_MAX, "1,4,9,9", &a, "padding 3+3", "kernel 3", NULL);
    a = window(5, 1, 0, 1);
    expect_error(NOD_OP_POOL_MAX, "1,4,9,4", &a, "window of 5", "axis 3", NULL);
    expect_error(NOD_OP_POOL_MAX, "1,4", &a, "[1, 4]", NULL);
}

static void norms(void **state)
{
    (void)state;
    nod_attrs a = nod_attrs_default(), act = nod_attrs_default();
    act.act = NOD_ACT_RELU;
    expect_shape(NOD_OP_BATCH_NORM, "2,6,4,4|6|6", &a, "2,6,4,4", 3);
    expect_shape(NOD_OP_BATCH_NORM, "2,6,4,4|6|6|2,6,4,4", &a, "2,6,4,4", 3);
    expect_shape(NOD_OP_BATCH_NORM, "8,6|6|6", &a, "8,6", 3);
    expect_error(NOD_OP_BATCH_NORM, "1,6|6|6", &a, "more than one value per channel", NULL);
    expect_error(NOD_OP_BATCH_NORM, "2,6,4,4|5|6", &a, "gamma [5]", "[2, 6, 4, 4]", NULL);
    expect_error(NOD_OP_BATCH_NORM, "2,6,4,4|6|5", &a, "beta [5]", NULL);
    expect_error(NOD_OP_BATCH_NORM, "2,6,4,4|6|6|2,6,4,5", &a, "residual [2, 6, 4, 5]", NULL);
    expect_error(NOD_OP_BATCH_NORM, "6|6|6", &a, "[6]", NULL);
    expect_shape(NOD_OP_BATCH_NORM_INFER, "1,6,4,4|6|6|6|6", &a, "1,6,4,4", 1);
    expect_error(NOD_OP_BATCH_NORM_INFER, "1,6,4,4|6|6|6|7", &a, "variance [7]", NULL);
    expect_error(NOD_OP_BATCH_NORM_INFER, "1,6,4,4|6|6|6|6|1,6,4", &a, "residual", NULL);
    expect_shape(NOD_OP_BATCH_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|6|6", &a, "2,6,4,4", 3);
    act.residual = true;
    expect_shape(NOD_OP_BATCH_NORM_BWD, "2,6,4,4|2,6,4,4|2,6,4,4|6|6|6", &act, "2,6,4,4", 4);
    expect_error(NOD_OP_BATCH_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|6|6", &act, "needs the output",
                 NULL);
    expect_error(NOD_OP_BATCH_NORM_BWD, "2,6,4,4|-|2,6,4,3|6|6|6", &a, "output gradient", NULL);
    expect_error(NOD_OP_BATCH_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|6|5", &a, "deviation [5]", NULL);
    expect_shape(NOD_OP_BATCH_NORM_INFER_BWD, "2,6,4,4|2,6,4,4|6|6", &act, "2,6,4,4", 2);
    expect_error(NOD_OP_BATCH_NORM_INFER_BWD, "-|2,6,4,4|6|6", &act, "needs the output", NULL);
    expect_error(NOD_OP_BATCH_NORM_INFER_BWD, "-|2,6,4,4|6|4", &a, "variance [4]", NULL);
    expect_error(NOD_OP_BATCH_NORM_TRACK, "6|6|6|5", &a, "[5]", "[6]", NULL);
    expect_error(NOD_OP_BATCH_NORM_TRACK, "6,1|6|6|6", &a, "[6, 1]", NULL);
}

static void group_norms(void **state)
{
    (void)state;
    nod_attrs a = nod_attrs_default();
    a.groups = 3;
    expect_shape(NOD_OP_GROUP_NORM, "2,6,4,4|6|6", &a, "2,6,4,4", 3);
    expect_shape(NOD_OP_GROUP_NORM, "2,6|6|6", &a, "2,6", 3);
    expect_shape(NOD_OP_GROUP_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|2,3|2,3", &a, "2,6,4,4", 3);
    expect_error(NOD_OP_GROUP_NORM, "2,7,4,4|7|7", &a, "7 channels", "3 groups", NULL);
    expect_error(NOD_OP_GROUP_NORM, "2,6,4,4|6|3", &a, "beta [3]", NULL);
    expect_error(NOD_OP_GROUP_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|2,3|3,2", &a, "[3, 2]", NULL);
    expect_error(NOD_OP_GROUP_NORM_BWD, "2,6,4,4|-|2,6,4,4|5|2,3|2,3", &a, "gamma [5]", NULL);
    a.act = NOD_ACT_RELU;
    expect_error(NOD_OP_GROUP_NORM_BWD, "2,6,4,4|-|2,6,4,4|6|2,3|2,3", &a, "needs the output",
                 NULL);
    a.groups = 4;
    expect_error(NOD_OP_GROUP_NORM_BWD, "2,6,4,4|2,6,4,4|2,6,4,4|6|2,3|2,3", &a, "4 groups",
                 NULL);
}

static void folding(void **state)
{
    (void)state;
    expect_shape(NOD_OP_FOLD_NORM_WEIGHTS, "8,3,3,3|8|8", NULL, "8,3,3,3", 1);
    expect_shape(NOD_OP_FOLD_NORM_BIAS, "-|8|8|8|8", NULL, "8", 1);
    expect_shape(NOD_OP_FOLD_NORM_BIAS, "8|8|8|8|8", NULL, "8", 1);
    expect_error(NOD_OP_FOLD_NORM_WEIGHTS, "8,3,3,3|8|7", NULL, "variance [7]", NULL);
    expect_error(NOD_OP_FOLD_NORM_WEIGHTS, "8|8|8", NULL, "[O,...]", NULL);
    expect_error(NOD_OP_FOLD_NORM_BIAS, "7|8|8|8|8", NULL, "bias [7]", NULL);
    expect_error(NOD_OP_FOLD_NORM_BIAS, "-|8,1|8|8|8", NULL, "gamma", NULL);
}

static void activations(void **state)
{
    (void)state;
    nod_attrs a = nod_attrs_default();
    a.act = NOD_ACT_GELU;
    expect_shape(NOD_OP_ACT, "2,3,4", &a, "2,3,4", 1);
    expect_shape(NOD_OP_ACT_BWD, "2,3,4|2,3,4", &a, "2,3,4", 1);
    expect_error(NOD_OP_ACT_BWD, "2,3,4|2,3,5", &a, "[2, 3, 5]", "[2, 3, 4]", NULL);
    a.from_output = true;
    expect_error(NOD_OP_ACT_BWD, "2,3|2,3", &a, "gelu", "from its output", NULL);
    a.act = NOD_ACT_LEAKY_RELU;
    a.alpha = 0;
    expect_error(NOD_OP_ACT, "2,3", &a, "alpha of leaky_relu", NULL);
    expect_shape(NOD_OP_PRELU, "2,3,4|3", NULL, "2,3,4", 1);
    expect_shape(NOD_OP_PRELU, "2,3,4|1", NULL, "2,3,4", 1);
    expect_error(NOD_OP_PRELU, "2,3,4|4", NULL, "slope [4]", "[2, 3, 4]", NULL);
    expect_error(NOD_OP_PRELU, "2|1", NULL, "[2]", NULL);
    expect_shape(NOD_OP_PRELU_BWD, "2,3,4|3|2,3,4", NULL, "2,3,4", 2);
    expect_error(NOD_OP_PRELU_BWD, "2,3,4|3|2,3,5", NULL, "[2, 3, 5]", NULL);
    expect_shape(NOD_OP_SOFTMAX, "2,3,4", NULL, "2,3,4", 1);
    expect_error(NOD_OP_SOFTMAX, "2", NULL, "[N,K]", NULL);
    expect_shape(NOD_OP_SOFTMAX_BWD, "2,3|2,3", NULL, "2,3", 1);
    expect_error(NOD_OP_SOFTMAX_BWD, "2,3|2,4", NULL, "[2, 4]", NULL);
}

static void arithmetic(void **state)
{
    (void)state;
    nod_attrs a = nod_attrs_default();
    expect_shape(NOD_OP_ADD, "2,3|2,3", NULL, "2,3", 1);
    expect_error(NOD_OP_ADD, "2,3|3,2", NULL, "[3, 2]", "[2, 3]", NULL);
    expect_shape(NOD_OP_MUL, "2,3|2,3", NULL, "2,3", 1);
    expect_error(NOD_OP_MUL, "2,3|2", NULL, "[2]", NULL);
    expect_shape(NOD_OP_SCALE, "2,3", &a, "2,3", 1);
    expect_shape(NOD_OP_REORDER, "2,3", &a, "2,3", 1);
    a.p = 0.5;
    expect_shape(NOD_OP_DROPOUT, "2,3", &a, "2,3", 1);
    a.per_channel = true;
    expect_error(NOD_OP_DROPOUT, "2,3", &a, "[N,C,...]", NULL);
    expect_shape(NOD_OP_DROPOUT, "2,3,4", &a, "2,3,4", 1);
    a.p = 1;
    expect_error(NOD_OP_DROPOUT, "2,3,4", &a, "[0, 1)", NULL);
    a = shaped("4,5");
    expect_shape(NOD_OP_FILL, "", &a, "4,5", 1);
    a = shaped("4,-5");
    expect_error(NOD_OP_FILL, "", &a, "[4, -5]", NULL);
}

static void arranging(void **state)
{
    (void)state;
    nod_attrs a = shaped("2,12");
    expect_shape(NOD_OP_RESHAPE, "2,3,4", &a, "2,12", 1);
    expect_error(NOD_OP_RESHAPE, "2,3,5", &a, "[2, 3, 5]", "[2, 12]", NULL);
    expect_shape(NOD_OP_CONCAT, "2,3,4|2,5,4|2,1,4", NULL, "2,9,4", 1);
    expect_error(NOD_OP_CONCAT, "2,3,4|2,5,5", NULL, "[2, 5, 5]", "[2, 3, 4]", NULL);
    expect_error(NOD_OP_CONCAT, "2,3,4|2,5", NULL, "[2, 5]", NULL);
    expect_error(NOD_OP_CONCAT, "2", NULL, "[2]", NULL);
    a = nod_attrs_default();
    a.lo[1] = 1;
    a.hi[2] = 2;
    expect_shape(NOD_OP_PAD, "2,3,4", &a, "2,4,6", 1);
    expect_shape(NOD_OP_CROP, "2,3,4", &a, "2,2,2", 1);
    expect_error(NOD_OP_CROP, "2,3,2", &a, "leaves nothing", "axis 2", "[2, 3, 2]", NULL);
    a.lo[1] = -1;
    expect_error(NOD_OP_PAD, "2,3,4", &a, "0 or more", NULL);
    a = nod_attrs_default();
    a.scale[1] = 2;
    a.scale[2] = 3;
    expect_shape(NOD_OP_UPSAMPLE_NEAREST, "2,3,4,4", &a, "2,3,8,12", 1);
    expect_shape(NOD_OP_UPSAMPLE_LINEAR, "2,3,4,4,4", &a, "2,3,4,8,12", 1);
    expect_error(NOD_OP_UPSAMPLE_LINEAR, "2,3,4", &a, "[2, 3, 4]", NULL);
    a.shape = parse("2,3,4,4");
    expect_shape(NOD_OP_UPSAMPLE_NEAREST_BWD, "2,3,8,12", &a, "2,3,4,4", 1);
    expect_shape(NOD_OP_UPSAMPLE_LINEAR_BWD, "2,3,8,12", &a, "2,3,4,4", 1);
    expect_error(NOD_OP_UPSAMPLE_LINEAR_BWD, "2,3,8,8", &a, "[2, 3, 8, 8]", NULL);
    a.scale[1] = 0;
    expect_error(NOD_OP_UPSAMPLE_NEAREST, "2,3,4,4", &a, "upsampled by 0", NULL);
}

static void losses(void **state)
{
    (void)state;
    nod_attrs a = nod_attrs_default();
    expect_shape(NOD_OP_LOSS_CE, "8,3|i:8", &a, "1", 1);
    expect_shape(NOD_OP_LOSS_CE, "8,3|i:8|3", &a, "1", 1);
    expect_shape(NOD_OP_LOSS_CE, "8,3,5,6|i:8,5,6", &a, "1", 1);
    expect_error(NOD_OP_LOSS_CE, "8,3|i:7", &a, "labels [7]", "logits [8, 3]", NULL);
    expect_error(NOD_OP_LOSS_CE, "8,3|8", &a, "integer labels", NULL);
    expect_error(NOD_OP_LOSS_CE, "8,3|i:8|4", &a, "class weight [4]", NULL);
    expect_error(NOD_OP_LOSS_CE, "8,3,5,6|i:8,6,5", &a, "labels [8, 6, 5]", NULL);
    expect_error(NOD_OP_LOSS_CE, "8|i:8", &a, "[N,K]", NULL);
    expect_shape(NOD_OP_LOSS_CE_BWD, "8,3|i:8|-|1", &a, "8,3", 1);
    expect_error(NOD_OP_LOSS_CE_BWD, "8,3|i:8|-|2", &a, "scalar", NULL);
    a.smoothing = 1;
    expect_error(NOD_OP_LOSS_CE, "8,3|i:8", &a, "smoothing", NULL);
    a.smoothing = 0;
    expect_shape(NOD_OP_LOSS_BCE, "8,3|8,3|3", &a, "1", 1);
    expect_error(NOD_OP_LOSS_BCE, "8,3|8,2", &a, "targets [8, 2]", NULL);
    expect_error(NOD_OP_LOSS_BCE, "8,3|8,3|2", &a, "positive weight [2]", NULL);
    expect_shape(NOD_OP_LOSS_BCE_BWD, "8,3|8,3|-|1", &a, "8,3", 1);
    expect_shape(NOD_OP_LOSS_MSE, "8,3|8,3", &a, "1", 1);
    expect_error(NOD_OP_LOSS_MSE, "8,3|8", &a, "target [8]", NULL);
    expect_shape(NOD_OP_LOSS_MAE, "8|8", &a, "1", 1);
    expect_shape(NOD_OP_LOSS_MSE_BWD, "8,3|8,3|1", &a, "8,3", 1);
    expect_shape(NOD_OP_LOSS_MAE_BWD, "8,3|8,3|1", &a, "8,3", 1);
    expect_error(NOD_OP_LOSS_MAE_BWD, "8,3|8,3|-", &a, "missing", NULL);
    a.gamma = 2;
    expect_shape(NOD_OP_LOSS_FOCAL, "8,3|i:8|3", &a, "1", 1);
    expect_shape(NOD_OP_LOSS_FOCAL_BWD, "8,3|i:8|3|1", &a, "8,3", 1);
    expect_error(NOD_OP_LOSS_FOCAL, "8,3,4|i:8,4", &a, "[N,K]", NULL);
    a.gamma = -1;
    expect_error(NOD_OP_LOSS_FOCAL, "8,3|i:8", &a, "gamma", NULL);
}

static void table_is_complete(void **state)
{
    (void)state;
    for (int op = 0; op < NOD_OP_COUNT; op++) {
        assert_int_equal(nod_op_from_name(nod_op_name((nod_op)op)), op);
    }
    assert_int_equal(nod_op_from_name("nothing"), -1);
    for (int a = 0; a < NOD_ACT_COUNT; a++)
        assert_int_equal(nod_act_from_name(nod_act_name((nod_act)a)), a);
    assert_int_equal(nod_act_from_name("nothing"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense),
        cmocka_unit_test(conv),
        cmocka_unit_test(conv_gradients),
        cmocka_unit_test(conv_transposed),
        cmocka_unit_test(pooling),
        cmocka_unit_test(norms),
        cmocka_unit_test(group_norms),
        cmocka_unit_test(folding),
        cmocka_unit_test(activations),
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(arranging),
        cmocka_unit_test(losses),
        cmocka_unit_test(table_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
