/* shape_rule.c: the words in which the ops' shape rules are written. Every failure names the
 * layer and the shapes that do not fit. */
#include <stdarg.h>
#include <stdio.h>

#include "graph/op_def.h"

/* Attributes above this cannot belong to a network and would overflow products. */
#define ATTR_MAX ((int64_t)1 << 24)
#define TEXT     160

const nod_shape *nod_rule_in(const nod_shape_query *q, int i)
{
    if (i >= q->n_in || q->in[i] < 0) return NULL;
    return &q->graph->values[q->in[i]].shape;
}

void nod_rule_out(nod_shape_query *q, int k, nod_shape shape)
{
    q->out[k] = shape;
    q->has_out[k] = true;
}

int nod_rule_fail(nod_shape_query *q, const char *fmt, ...)
{
    char text[NOD_ERROR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return nod_fail(q->err, NOD_ESHAPE, "layer '%s': %s", q->layer, text);
}

int nod_rule_misfit(nod_shape_query *q, const char *what, int i, const char *with, int j)
{
    char a[TEXT], b[TEXT];
    return nod_rule_fail(q, "%s %s does not fit %s %s", what,
                         nod_shape_text(nod_rule_in(q, i), a, sizeof a), with,
                         nod_shape_text(nod_rule_in(q, j), b, sizeof b));
}

int nod_rule_rank(nod_shape_query *q, int i, const char *what, int lo, int hi, const char *form)
{
    char a[TEXT];
    const nod_shape *s = nod_rule_in(q, i);
    if (s->rank >= lo && s->rank <= hi) return 0;
    return nod_rule_fail(q, "%s of %s must be %s, not %s", what, nod_op_name(q->op), form,
                         nod_shape_text(s, a, sizeof a));
}

int nod_rule_vector(nod_shape_query *q, int i, const char *what, int64_t n, const char *with,
                    int with_i)
{
    const nod_shape *s = nod_rule_in(q, i);
    if (s == NULL || (s->rank == 1 && s->dim[0] == n)) return 0;
    return nod_rule_misfit(q, what, i, with, with_i);
}

int nod_rule_same(nod_shape_query *q, int i, const char *what, int j, const char *with)
{
    const nod_shape *a = nod_rule_in(q, i), *b = nod_rule_in(q, j);
    if (a == NULL || b == NULL || nod_shape_equal(a, b)) return 0;
    return nod_rule_misfit(q, what, i, with, j);
}

int nod_rule_spatial(const nod_shape *s)
{
    return s->rank > 2 ? s->rank - 2 : 0;
}

int64_t nod_rule_rest(const nod_shape *s, int axis)
{
    int64_t n = 1;
    for (int i = axis; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

int nod_rule_window(nod_shape_query *q, const nod_shape *x)
{
    nod_attrs *a = q->attr;
    for (int i = 0; i < 3; i++) {
        if (x->rank == 4 && i == 0) {
            a->kernel[0] = a->stride[0] = a->dilation[0] = 1;
            a->pad_lo[0] = a->pad_hi[0] = a->out_pad[0] = 0;
            continue;
        }
        if (a->kernel[i] < 1 || a->stride[i] < 1 || a->dilation[i] < 1 || a->pad_lo[i] < 0 ||
            a->pad_hi[i] < 0 || a->out_pad[i] < 0)
            return nod_rule_fail(
                q,
                "kernel, stride and dilation of %s must be at least 1, padding "
                "at least 0",
                nod_op_name(q->op));
        if (a->kernel[i] > ATTR_MAX || a->stride[i] > ATTR_MAX || a->dilation[i] > ATTR_MAX ||
            a->pad_lo[i] > ATTR_MAX || a->pad_hi[i] > ATTR_MAX || a->out_pad[i] > ATTR_MAX)
            return nod_rule_fail(q, "kernel, stride, dilation or padding of %s is over %lld",
                                 nod_op_name(q->op), (long long)ATTR_MAX);
    }
    return 0;
}

int64_t nod_rule_window_out(int64_t in, int64_t kernel, int64_t stride, int64_t pad_lo,
                            int64_t pad_hi, int64_t dilation)
{
    int64_t room = in + pad_lo + pad_hi - (dilation * (kernel - 1) + 1);
    return room < 0 ? 0 : room / stride + 1;
}
