/* run.c: the flat list of calls, plain, checked for NaN, and timed. Nothing here allocates. */
#include <math.h>

#include "base/file.h"
#include "exec/plan_internal.h"

static void *data_of(const nod_plan *p, int slot)
{
    const nod_slot *s = &p->slots[p->slots[slot].root];
    if (s->bound != NULL || s->source) return s->bound;
    return p->memory + s->offset;
}

/* Addresses for all calls, after a bind. */
static int resolve(nod_plan *p, nod_error *err)
{
    for (size_t i = 0; i < p->n_io; i++) {
        if (p->io[i] < 0) continue;
        p->io_data[i] = data_of(p, p->io[i]);
        if (p->io_data[i] == NULL)
            return nod_fail(err, NOD_EINVAL, "'%s' has no memory: bind it before the run",
                            p->graph->values[p->slots[p->io[i]].value].name);
    }
    p->resolved = true;
    return 0;
}

/* The first call of this run; 0 where the constant ones have to be done again. */
static int begin(nod_plan *p, const nod_run_context *ctx, size_t *first, nod_error *err)
{
    NOD_ASSERT(p->prepared);
    p->context = *ctx;
    p->context.fresh = !p->constants_done;
    *first = p->constants_done ? p->n_constant_calls : 0;
    return p->resolved ? 0 : resolve(p, err);
}

static int failed(const nod_plan *p, const nod_call *c, nod_error *err)
{
    return nod_error_prefix(err, "layer '%s'", p->steps[c->step].node.name);
}

int nod_plan_run(nod_plan *p, const nod_run_context *ctx, nod_error *err)
{
    size_t first;
    int rc = begin(p, ctx, &first, err);
    if (rc != 0) return rc;
    for (const nod_call *c = p->calls + first, *end = p->calls + p->n_calls; c < end; c++) {
        rc = c->run(c->kernel, &c->args, err);
        if (rc != 0) return failed(p, c, err);
    }
    p->constants_done = true;
    return 0;
}

/* --- checked ------------------------------------------------------------------------------ */

static bool all_finite(const nod_plan *p, int slot, const void *data)
{
    int value = p->slots[slot].value;
    int64_t n = nod_shape_count(&p->graph->values[value].shape), bad = 0;
    switch (p->dtype[value]) {
    case NOD_DTYPE_F32:
        for (int64_t i = 0; i < n; i++)
            bad += !isfinite(((const float *)data)[i]);
        break;
    case NOD_DTYPE_F64:
        for (int64_t i = 0; i < n; i++)
            bad += !isfinite(((const double *)data)[i]);
        break;
    case NOD_DTYPE_BF16: /* all exponent bits set */
        for (int64_t i = 0; i < n; i++)
            bad += (((const uint16_t *)data)[i] & 0x7f80) == 0x7f80;
        break;
    default:
        break;
    }
    return bad == 0;
}

static int check_sources(const nod_plan *p, nod_error *err)
{
    static const char *const kinds[] = {"input", "parameter", "state"};
    for (size_t i = 0; i < p->n_slots; i++) {
        const nod_slot *s = &p->slots[i];
        if (!s->source || s->bound == NULL || all_finite(p, (int)i, s->bound)) continue;
        const nod_value *v = &p->graph->values[s->value];
        return nod_fail(err, NOD_ENUMERIC, "%s '%s' holds a NaN or an infinity", kinds[v->kind],
                        v->name);
    }
    return 0;
}

static int check_outputs(const nod_plan *p, const nod_call *c, nod_error *err)
{
    const nod_step *s = &p->steps[c->step];
    for (int k = 0; k < s->node.n_out; k++) {
        int slot = nod_step_out(p, s, k);
        if (slot >= 0 && !all_finite(p, slot, c->args.out[k]))
            return nod_fail(err, NOD_ENUMERIC,
                            "the first NaN or infinity arose in layer '%s' (%s)", s->node.name,
                            nod_op_name(s->node.op));
    }
    return 0;
}

int nod_plan_run_checked(nod_plan *p, const nod_run_context *ctx, nod_error *err)
{
    size_t first;
    p->constants_done = false;
    int rc = begin(p, ctx, &first, err);
    if (rc == 0) rc = check_sources(p, err);
    for (size_t i = 0; i < p->n_calls && rc == 0; i++) {
        const nod_call *c = &p->calls[i];
        rc = c->run(c->kernel, &c->args, err);
        rc = rc != 0 ? failed(p, c, err) : check_outputs(p, c, err);
    }
    p->constants_done = rc == 0;
    return rc;
}

/* --- timed -------------------------------------------------------------------------------- */

int nod_plan_profile(nod_plan *p, const nod_run_context *ctx, int runs, nod_error *err)
{
    size_t first;
    int rc = nod_plan_run(p, ctx, err); /* constants, and caches as they are in a run */
    for (size_t i = 0; i < p->n_steps; i++)
        p->steps[i].time_s = 0;
    for (int r = 0; r < runs && rc == 0; r++) {
        rc = begin(p, ctx, &first, err);
        for (size_t i = first; i < p->n_calls && rc == 0; i++) {
            const nod_call *c = &p->calls[i];
            double start = nod_time_monotonic_s();
            rc = c->run(c->kernel, &c->args, err);
            p->steps[c->step].time_s += nod_time_monotonic_s() - start;
            if (rc != 0) failed(p, c, err);
        }
    }
    return rc;
}
