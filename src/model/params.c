/* params.c: one flat buffer for all trained numbers; see params.h. */
#include "model/params.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"

#define SLICE_ALIGN 16 /* floats: 64 bytes */

static int add_slice(nod_param *q, const nod_value *v, int64_t *size, nod_error *err)
{
    *q = (nod_param){.name = nod_strdup(v->name),
                     .shape = v->shape,
                     .group = v->group,
                     .init = v->init,
                     .fan_in = v->fan_in,
                     .fan_out = v->fan_out,
                     .offset = *size,
                     .count = nod_shape_count(&v->shape)};
    if (!q->name) return nod_fail_memory(err, "name of a parameter", strlen(v->name) + 1);
    *size += (q->count + SLICE_ALIGN - 1) / SLICE_ALIGN * SLICE_ALIGN;
    return 0;
}

static int allocate(nod_params *p, nod_error *err)
{
    p->data = nod_aligned_calloc((size_t)p->size * sizeof(float));
    p->state_data = nod_aligned_calloc((size_t)p->state_size * sizeof(float));
    if (!p->data || !p->state_data)
        return nod_fail_memory(err, "parameters of the network",
                               (size_t)(p->size + p->state_size) * sizeof(float));
    return 0;
}

int nod_params_new(const nod_graph *g, nod_params **out, nod_error *err)
{
    int rc = 0;
    nod_params *p = nod_calloc(1, sizeof *p);
    if (!p) return nod_fail_memory(err, "parameters", sizeof *p);
    p->params = nod_calloc(g->n_values + 1, sizeof *p->params);
    p->states = nod_calloc(g->n_values + 1, sizeof *p->states);
    if (!p->params || !p->states) {
        rc = nod_fail_memory(err, "list of parameters", g->n_values * sizeof *p->params);
        goto out;
    }
    for (size_t i = 0; i < g->n_values; i++) {
        const nod_value *v = &g->values[i];
        if (v->kind == NOD_VALUE_PARAM)
            NOD_TRY(add_slice(&p->params[p->n_params++], v, &p->size, err));
        else if (v->kind == NOD_VALUE_STATE)
            NOD_TRY(add_slice(&p->states[p->n_states++], v, &p->state_size, err));
    }
    NOD_TRY(allocate(p, err));
    *out = p;
    return 0;
out:
    nod_params_free(p);
    return rc;
}

static void free_slices(nod_param *q, size_t n)
{
    if (q)
        for (size_t i = 0; i < n; i++)
            nod_free(q[i].name);
    nod_free(q);
}

void nod_params_free(nod_params *p)
{
    if (!p) return;
    free_slices(p->params, p->n_params);
    free_slices(p->states, p->n_states);
    nod_free(p->data);
    nod_free(p->state_data);
    nod_free(p);
}

/* --- initial values ------------------------------------------------------------------------
 */

static void fill_constant(float *w, int64_t n, double v)
{
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)v;
}

static void fill_uniform(float *w, int64_t n, double a, nod_rng *r)
{
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)nod_rng_range(r, -a, a);
}

static void fill_normal(float *w, int64_t n, double sd, nod_rng *r)
{
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)(sd * nod_rng_normal(r));
}

/* Xavier: Glorot and Bengio 2010, eq. 16; He: He et al. 2015, eq. 10. */
static void init_slice(const nod_param *q, float *w, nod_rng *r)
{
    double in = (double)NOD_MAX(q->fan_in, 1), both = in + (double)NOD_MAX(q->fan_out, 1);
    double gain = q->init.gain, a = q->init.a;
    switch (q->init.kind) {
    case NOD_INIT_ZEROS:
        fill_constant(w, q->count, 0);
        break;
    case NOD_INIT_ONES:
        fill_constant(w, q->count, 1);
        break;
    case NOD_INIT_CONSTANT:
        fill_constant(w, q->count, a);
        break;
    case NOD_INIT_UNIFORM:
        fill_uniform(w, q->count, a, r);
        break;
    case NOD_INIT_NORMAL:
        fill_normal(w, q->count, a, r);
        break;
    case NOD_INIT_XAVIER_UNIFORM:
        fill_uniform(w, q->count, gain * sqrt(6 / both), r);
        break;
    case NOD_INIT_XAVIER_NORMAL:
        fill_normal(w, q->count, gain * sqrt(2 / both), r);
        break;
    case NOD_INIT_HE_UNIFORM:
        fill_uniform(w, q->count, gain * sqrt(3 / in), r);
        break;
    case NOD_INIT_HE_NORMAL:
        fill_normal(w, q->count, gain * sqrt(1 / in), r);
        break;
    }
}

void nod_params_init(nod_params *p, uint64_t seed)
{
    for (size_t i = 0; i < p->n_params; i++) {
        nod_rng r = nod_rng_make(seed, NOD_RNG_INIT, i);
        init_slice(&p->params[i], p->data + p->params[i].offset, &r);
    }
    for (size_t i = 0; i < p->n_states; i++)
        fill_constant(p->state_data + p->states[i].offset, p->states[i].count,
                      p->states[i].init.a);
}

/* --- access
 * ----------------------------------------------------------------------------------- */

static const nod_param *find_in(const nod_param *q, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(q[i].name, name) == 0) return &q[i];
    return NULL;
}

const nod_param *nod_params_find(const nod_params *p, const char *name)
{
    const nod_param *q = find_in(p->params, p->n_params, name);
    return q ? q : find_in(p->states, p->n_states, name);
}

float *nod_params_data(const nod_params *p, const char *name)
{
    const nod_param *q = find_in(p->params, p->n_params, name);
    if (q) return p->data + q->offset;
    q = find_in(p->states, p->n_states, name);
    return q ? p->state_data + q->offset : NULL;
}

int nod_params_bind(const nod_params *p, const nod_graph *g, nod_plan *plan, nod_error *err)
{
    size_t at[2] = {0,
                    0}; /* values come in the order of the slices, so looking ahead is enough */
    for (size_t i = 0; i < g->n_values; i++) {
        const nod_value *v = &g->values[i];
        if (v->kind != NOD_VALUE_PARAM && v->kind != NOD_VALUE_STATE) continue;
        int state = v->kind == NOD_VALUE_STATE;
        const nod_param *all = state ? p->states : p->params;
        size_t n = state ? p->n_states : p->n_params, k = at[state];
        const nod_param *q =
            k < n && strcmp(all[k].name, v->name) == 0 ? &all[k] : find_in(all, n, v->name);
        char a[128], b[128];
        if (!q)
            return nod_fail(err, NOD_ESHAPE,
                            "parameter '%s' of the network is not in the model", v->name);
        if (!nod_shape_equal(&q->shape, &v->shape))
            return nod_fail(err, NOD_ESHAPE,
                            "parameter '%s' is %s in the model, %s in the network", v->name,
                            nod_shape_text(&q->shape, a, sizeof a),
                            nod_shape_text(&v->shape, b, sizeof b));
        at[state] = (size_t)(q - all) + 1;
        nod_plan_bind(plan, (int)i, (state ? p->state_data : p->data) + q->offset);
    }
    return 0;
}

int64_t nod_params_count(const nod_params *p, nod_param_group group)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n_params; i++)
        if (p->params[i].group == group) n += p->params[i].count;
    return n;
}

static void hash_slices(nod_sha256 *h, const nod_param *q, size_t n, const float *data)
{
    for (size_t i = 0; i < n; i++) {
        nod_sha256_add_str(h, q[i].name);
        for (int d = 0; d < q[i].shape.rank; d++)
            nod_sha256_add_i64(h, q[i].shape.dim[d]);
        nod_sha256_add(h, data + q[i].offset, (size_t)q[i].count * sizeof(float));
    }
}

int nod_params_hash(const nod_params *p, char out[65], nod_error *err)
{
    nod_sha256 *h = NULL;
    int rc = nod_sha256_new(&h, err);
    if (rc) return rc;
    hash_slices(h, p->params, p->n_params, p->data);
    hash_slices(h, p->states, p->n_states, p->state_data);
    nod_sha256_hex(h, out);
    nod_sha256_free(h);
    return 0;
}

static int copy_slices(const nod_param *src, size_t n, nod_param **out, size_t *n_out,
                       nod_error *err)
{
    nod_param *q = nod_calloc(n + 1, sizeof *q);
    if (!q) return nod_fail_memory(err, "list of parameters", n * sizeof *q);
    *out = q;
    for (size_t i = 0; i < n; i++) {
        q[i] = src[i];
        *n_out = i + 1;
        q[i].name = nod_strdup(src[i].name);
        if (!q[i].name) return nod_fail_memory(err, "name of a parameter", 0);
    }
    return 0;
}

int nod_params_copy(const nod_params *src, nod_params **out, nod_error *err)
{
    int rc = 0;
    nod_params *p = nod_calloc(1, sizeof *p);
    if (!p) return nod_fail_memory(err, "parameters", sizeof *p);
    p->size = src->size;
    p->state_size = src->state_size;
    NOD_TRY(copy_slices(src->params, src->n_params, &p->params, &p->n_params, err));
    NOD_TRY(copy_slices(src->states, src->n_states, &p->states, &p->n_states, err));
    NOD_TRY(allocate(p, err));
    memcpy(p->data, src->data, (size_t)p->size * sizeof(float));
    memcpy(p->state_data, src->state_data, (size_t)p->state_size * sizeof(float));
    *out = p;
    return 0;
out:
    nod_params_free(p);
    return rc;
}
