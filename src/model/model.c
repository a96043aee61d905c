/* model.c: the model file: parameters as tensors, everything else as JSON texts in the header.
 */
#include "model/model.h"

#include <string.h>

#include "base/memory.h"
#include "model/safetensors.h"

#define MODEL_FORMAT 1

/* Parameters for the model's network, all 0, if they are no more than `limit` numbers. */
static int make_params(nod_model *m, int64_t limit, nod_error *err)
{
    int rc = 0, image, logits;
    int64_t n = 0;
    nod_graph *g = NULL;
    NOD_TRY(nod_graph_new(&g, err));
    NOD_TRY(nod_network_build(m->network, &m->io, 1, false, g, &image, &logits, err));
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].kind == NOD_VALUE_PARAM || g->values[i].kind == NOD_VALUE_STATE)
            n += nod_shape_count(&g->values[i].shape);
    if (n > limit)
        rc = nod_fail(err, NOD_EFORMAT,
                      "the network needs %lld weights, the file holds %lld: its header was "
                      "altered; take it from its source again",
                      (long long)n, (long long)limit);
    else
        rc = nod_params_new(g, &m->params, err);
out:
    nod_graph_free(g);
    return rc;
}

/* A model without parameters. */
static int make_empty(const nod_json *network_spec, const nod_network_io *io, nod_model **out,
                      nod_error *err)
{
    nod_model *m = nod_calloc(1, sizeof *m);
    if (!m) return nod_fail_memory(err, "model", sizeof *m);
    m->io = *io;
    m->contract = nod_json_object();
    m->answer = nod_json_object();
    m->provenance = nod_json_object();
    m->kernels = nod_json_object();
    int rc = nod_network_from_json(network_spec, &m->network, err);
    if (rc)
        nod_model_free(m);
    else
        *out = m;
    return rc;
}

int nod_model_new(const nod_json *network_spec, const nod_network_io *io, uint64_t seed,
                  nod_model **out, nod_error *err)
{
    nod_model *m = NULL;
    int rc = make_empty(network_spec, io, &m, err);
    if (rc) return rc;
    rc = make_params(m, INT64_MAX, err);
    if (rc) {
        nod_model_free(m);
        return rc;
    }
    nod_params_init(m->params, seed);
    *out = m;
    return 0;
}

void nod_model_free(nod_model *m)
{
    if (!m) return;
    nod_network_free(m->network);
    nod_params_free(m->params);
    nod_json_free(m->contract);
    nod_json_free(m->answer);
    nod_json_free(m->provenance);
    nod_json_free(m->kernels);
    nod_free(m);
}

/* --- writing
 * ---------------------------------------------------------------------------------- */

static nod_json *io_to_json(const nod_network_io *io)
{
    nod_json *j = nod_json_object(), *size = nod_json_array();
    for (int i = 3 - io->nd; i < 3; i++)
        nod_json_push(size, nod_json_int(io->size[i]));
    nod_json_set_int(j, "channels", io->channels);
    nod_json_set(j, "size", size);
    nod_json_set_int(j, "outputs", io->n_outputs);
    return j;
}

/* Puts a JSON value as text, as the format wants it. */
static int set_text(nod_json *meta, const char *key, const nod_json *value, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(value, false, &text, err);
    if (!rc) nod_json_set_str(meta, key, text);
    nod_free(text);
    return rc;
}

static int metadata_of(const nod_model *m, nod_json *meta, nod_error *err)
{
    int rc = 0;
    nod_json *network = nod_network_to_json(m->network), *io = io_to_json(&m->io);
    nod_json_set_str(meta, "format", "nodule-model");
    nod_json_set_str(meta, "format_version", "1");
    NOD_TRY(set_text(meta, "network", network, err));
    NOD_TRY(set_text(meta, "input", io, err));
    NOD_TRY(set_text(meta, "contract", m->contract, err));
    NOD_TRY(set_text(meta, "answer", m->answer, err));
    NOD_TRY(set_text(meta, "provenance", m->provenance, err));
    NOD_TRY(set_text(meta, "kernels", m->kernels, err));
out:
    nod_json_free(network);
    nod_json_free(io);
    return rc;
}

int nod_model_write(const nod_model *m, const char *path, nod_error *err)
{
    int rc = 0;
    const nod_params *p = m->params;
    size_t n = p->n_params + p->n_states;
    const char **names = nod_calloc(n + 1, sizeof *names);
    nod_tensor *tensors = nod_calloc(n + 1, sizeof *tensors);
    nod_json *meta = nod_json_object();
    if (!names || !tensors) {
        rc = nod_fail_memory(err, "list of tensors", n * sizeof *tensors);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        bool state = i >= p->n_params;
        const nod_param *q = state ? &p->states[i - p->n_params] : &p->params[i];
        float *data = (state ? p->state_data : p->data) + q->offset;
        names[i] = q->name;
        tensors[i] = nod_tensor_view(data, NOD_DTYPE_F32, &q->shape);
    }
    NOD_TRY(metadata_of(m, meta, err));
    NOD_TRY(nod_safetensors_write(path, names, tensors, n, meta, err));
out:
    nod_json_free(meta);
    nod_free(names);
    nod_free(tensors);
    return rc;
}

/* --- reading
 * ------------------------------------------------------------------------------------ */

static int io_from_json(const nod_json *j, const char *file, nod_network_io *out,
                        nod_error *err)
{
    nod_network_io io = {.size = {1, 1, 1}};
    nod_json *size = NULL;
    int rc = nod_json_need_i64(j, file, "channels", &io.channels, err);
    if (!rc) rc = nod_json_need_i64(j, file, "outputs", &io.n_outputs, err);
    if (!rc) rc = nod_json_need_array(j, file, "size", &size, err);
    if (rc) return rc;
    io.nd = (int)nod_json_count(size);
    bool good = (io.nd == 2 || io.nd == 3) && io.channels > 0 && io.channels <= 4096 &&
                io.n_outputs > 0 && io.n_outputs <= 1 << 16;
    for (int i = 0; i < io.nd && good; i++) {
        io.size[3 - io.nd + i] = nod_json_i64(nod_json_at(size, (size_t)i));
        good = io.size[3 - io.nd + i] > 0 && io.size[3 - io.nd + i] <= 65536;
    }
    if (!good)
        return nod_fail(err, NOD_EFORMAT, "%s: 'input' is not a size this program can use",
                        file);
    *out = io;
    return 0;
}

/* The JSON text under `key`; an absent one is an error only if `required`. */
static int get_text(const nod_json *meta, const char *file, const char *key, bool required,
                    nod_json **out, nod_error *err)
{
    const nod_json *v = nod_json_get(meta, key);
    if (!v && !required) {
        *out = nod_json_object();
        return 0;
    }
    if (!v || !nod_json_is_string(v))
        return nod_fail(err, NOD_EFORMAT, "%s: the header has no '%s': not a Nodule model",
                        file, key);
    int rc = nod_json_parse(nod_json_str(v), strlen(nod_json_str(v)), file, out, err);
    if (!rc && !nod_json_is_object(*out)) {
        nod_json_free(*out);
        *out = NULL;
        rc = nod_fail(err, NOD_EFORMAT, "%s: '%s' is not an object", file, key);
    }
    return rc;
}

static int copy_tensor(const nod_safetensors *s, const char *file, const nod_param *q,
                       float *dst, nod_error *err)
{
    char a[128], b[128];
    const nod_tensor *t = nod_safetensors_find(s, q->name);
    if (!t) return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s' is missing", file, q->name);
    if (t->dtype != NOD_DTYPE_F32 || !nod_shape_equal(&t->shape, &q->shape))
        return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s' is %s %s, the network needs f32 %s",
                        file, q->name, nod_dtype_name(t->dtype),
                        nod_shape_text(&t->shape, a, sizeof a),
                        nod_shape_text(&q->shape, b, sizeof b));
    memcpy(dst, t->data, nod_tensor_bytes(t));
    return 0;
}

static int fill(nod_model *m, const nod_safetensors *s, const char *file, nod_error *err)
{
    const nod_params *p = m->params;
    int rc = 0;
    if (s->n != p->n_params + p->n_states)
        return nod_fail(err, NOD_EFORMAT, "%s: has %zu tensors, the network needs %zu", file,
                        s->n, p->n_params + p->n_states);
    for (size_t i = 0; i < p->n_params && !rc; i++)
        rc = copy_tensor(s, file, &p->params[i], p->data + p->params[i].offset, err);
    for (size_t i = 0; i < p->n_states && !rc; i++)
        rc = copy_tensor(s, file, &p->states[i], p->state_data + p->states[i].offset, err);
    return rc;
}

/* All tensors' elements: what a file can fill. */
static int64_t numbers_in(const nod_safetensors *s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += nod_tensor_count(&s->tensors[i]);
    return n;
}

static int from_safetensors(const nod_safetensors *s, const char *file, nod_model **out,
                            nod_error *err)
{
    int rc = 0;
    nod_json *network = NULL, *io_json = NULL;
    nod_network_io io;
    nod_model *m = NULL;
    if (strcmp(nod_json_str(nod_json_get(s->metadata, "format")), "nodule-model") != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: not a Nodule model (no format in its header)",
                        file);
    const char *version = nod_json_str(nod_json_get(s->metadata, "format_version"));
    if (strcmp(version, "1") != 0)
        return nod_fail(
            err, NOD_EUNSUPPORTED,
            "%s: model format %s; this program reads format %d: use a newer program", file,
            version, MODEL_FORMAT);
    NOD_TRY(get_text(s->metadata, file, "network", true, &network, err));
    NOD_TRY(get_text(s->metadata, file, "input", true, &io_json, err));
    NOD_TRY(io_from_json(io_json, file, &io, err));
    rc = make_empty(network, &io, &m, err);
    if (!rc) rc = make_params(m, numbers_in(s), err);
    if (rc) {
        /* the description is part of the file, so what is wrong with it is the file's fault */
        if (rc == NOD_ERECIPE || rc == NOD_ESHAPE) err->code = rc = NOD_EFORMAT;
        nod_error_prefix(err, "%s", file);
        goto out;
    }
    NOD_TRY(fill(m, s, file, err));
    nod_json **const parts[] = {&m->contract, &m->answer, &m->provenance, &m->kernels};
    static const char *const keys[] = {"contract", "answer", "provenance", "kernels"};
    for (size_t i = 0; i < NOD_COUNT(keys); i++) {
        nod_json_free(*parts[i]);
        *parts[i] = NULL;
        NOD_TRY(get_text(s->metadata, file, keys[i], false, parts[i], err));
    }
    *out = m;
    m = NULL;
out:
    nod_json_free(network);
    nod_json_free(io_json);
    nod_model_free(m);
    return rc;
}

int nod_model_parse(const void *bytes, size_t size, const char *name, nod_model **out,
                    nod_error *err)
{
    nod_safetensors *s = NULL;
    int rc = nod_safetensors_parse(bytes, size, name, &s, err);
    if (rc) return rc;
    rc = from_safetensors(s, name, out, err);
    nod_safetensors_free(s);
    return rc;
}

int nod_model_read(const char *path, nod_model **out, nod_error *err)
{
    nod_safetensors *s = NULL;
    int rc = nod_safetensors_read(path, &s, err);
    if (rc) return rc;
    rc = nod_safetensors_need_hash(s, path, err);
    if (!rc) rc = from_safetensors(s, path, out, err);
    nod_safetensors_free(s);
    return rc;
}

/* --- running
 * -------------------------------------------------------------------------------------- */

int nod_model_forward(const nod_model *m, int64_t batch, const nod_plan_options *o,
                      nod_forward *out, nod_error *err)
{
    int rc = 0;
    nod_graph *g = NULL;
    nod_forward f = {.batch = batch};
    nod_plan_options options = *o;
    options.frozen = true;
    NOD_TRY(nod_graph_new(&g, err));
    NOD_TRY(nod_network_build(m->network, &m->io, batch, false, g, &f.image, &f.logits, err));
    NOD_TRY(nod_graph_fuse(g, true, err));
    NOD_TRY(nod_plan_make(g, &options, &f.plan, err));
    NOD_TRY(nod_params_bind(m->params, g, f.plan, err));
    NOD_TRY(nod_plan_prepare(f.plan, err));
    *out = f;
    f.plan = NULL;
out:
    nod_plan_free(f.plan);
    nod_graph_free(g);
    return rc;
}

void nod_forward_done(nod_forward *f)
{
    nod_plan_free(f->plan);
    f->plan = NULL;
}
