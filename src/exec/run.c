/* run.c: the flat list of calls, plain, checked for NaN, and timed. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "exec/plan_internal.h"

static void resolve(nod_plan *p)
{
    for (size_t i = 0; i < p->n_slots; i++) {
        int root = (int)i;
        while (p->slots[root].alias >= 0)
            root = p->slots[root].alias;
        p->slots[i].data = p->slots[root].data;
    }
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        for (int k = 0; k < s->node.n_in; k++)
            s->in_data[k] = s->in[k] < 0 ? NULL : p->slots[s->in[k]].data;
        for (int k = 0; k < s->node.n_out; k++)
            s->out_data[k] = s->out[k] < 0 ? NULL : p->slots[s->out[k]].data;
    }
    for (size_t i = 0; i < p->n_slots; i++)
        NOD_ASSERT(p->slots[i].data || !p->slots[i].bytes);
    p->resolved = true;
}

static int call(nod_plan *p, nod_step *s, const nod_run_context *ctx, nod_error *err)
{
    nod_kernel_args a = {s->in_data, s->out_data, p->scratch, ctx};
    return s->def->run(s->kernel, &a, err);
}

/* Constant steps run when parameters are new, and are passed over afterwards. */
static int begin(nod_plan *p, const nod_run_context *ctx, nod_error *err)
{
    NOD_ASSERT(p->prepared);
    if (!p->resolved) resolve(p);
    if (p->constants_done) return 0;
    for (size_t i = 0; i < p->n_steps; i++) {
        if (!p->steps[i].constant) continue;
        int rc = call(p, &p->steps[i], ctx, err);
        if (rc) return nod_error_prefix(err, "layer '%s'", p->steps[i].layer);
    }
    return 0;
}

int nod_plan_run(nod_plan *p, const nod_run_context *ctx, nod_error *err)
{
    nod_run_context context = *ctx;
    context.fresh = !p->constants_done;
    int rc = begin(p, &context, err);
    if (rc) return rc;
    for (size_t i = 0; i < p->n_steps; i++) {
        nod_step *s = &p->steps[i];
        if (s->constant) continue;
        nod_kernel_args a = {s->in_data, s->out_data, p->scratch, &context};
        rc = s->def->run(s->kernel, &a, err);
        if (rc) return nod_error_prefix(err, "layer '%s'", s->layer);
    }
    p->constants_done = true;
    return 0;
}

static bool all_finite(const nod_plan *p, const nod_slot *s)
{
    if (p->graph->values[s->value].is_int) return true;
    int64_t n = nod_shape_count(&p->graph->values[s->value].shape);
    size_t item = n ? s->bytes / (size_t)n : 0;
    for (int64_t i = 0; i < n; i++) {
        double v = item == sizeof(double) ? ((const double *)s->data)[i]
                   : item == sizeof(float)
                       ? (double)((const float *)s->data)[i]
                       : (double)nod_f32_from_bf16(((const uint16_t *)s->data)[i]);
        if (!isfinite(v)) return false;
    }
    return true;
}

static int check_inputs(const nod_plan *p, nod_error *err)
{
    for (size_t i = 0; i < p->n_slots; i++) {
        const nod_slot *s = &p->slots[i];
        nod_value_kind kind = p->graph->values[s->value].kind;
        if (kind != NOD_VALUE_NODE && !all_finite(p, s))
            return nod_fail(err, NOD_ENUMERIC, "%s '%s' holds a NaN or an infinity",
                            kind == NOD_VALUE_INPUT ? "input" : "parameter",
                            p->graph->values[s->value].name);
    }
    return 0;
}

int nod_plan_run_checked(nod_plan *p, const nod_run_context *ctx, nod_error *err)
{
    nod_run_context context = *ctx;
    context.fresh = true;
    p->constants_done = false;
    if (!p->resolved) resolve(p);
    int rc = check_inputs(p, err);
    for (size_t i = 0; i < p->n_steps && !rc; i++) {
        nod_step *s = &p->steps[i];
        rc = call(p, s, &context, err);
        for (int k = 0; k < s->node.n_out && !rc; k++)
            if (s->out[k] >= 0 && !all_finite(p, &p->slots[s->out[k]]))
                rc = nod_fail(err, NOD_ENUMERIC,
                              "the first NaN or infinity arose in layer '%s' (%s)", s->layer,
                              nod_op_name(s->op));
    }
    return rc;
}

int nod_plan_profile(nod_plan *p, const nod_run_context *ctx, int runs, nod_error *err)
{
    int rc = nod_plan_run(p, ctx, err);
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].time_s = 0;
    for (int r = 0; r < runs && !rc; r++)
        for (size_t i = 0; i < p->n_steps && !rc; i++) {
            if (p->steps[i].constant) continue;
            double start = nod_time_monotonic_s();
            rc = call(p, &p->steps[i], ctx, err);
            p->steps[i].time_s += nod_time_monotonic_s() - start;
        }
    return rc;
}
