/* recipe.c: the keys of a recipe, block by block; see recipe.h. */
#include "train/recipe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/spec.h"
#include "imaging/contract.h"
#include "train/yaml.h"

#define ANY HUGE_VAL

/* Ends the block `b` and puts it under `key` of `s`. */
static void close_block(nod_spec *s, nod_spec *b, const char *key)
{
    nod_json *done = NULL;
    int rc = nod_spec_end(b, &done);
    if (rc && !s->rc) s->rc = rc;
    if (!rc) nod_spec_set(s, key, done);
}

static void open_block(nod_spec *s, nod_spec *b, const char *key)
{
    nod_spec_begin(b, nod_spec_child(s, key), key, s->err);
    if (s->rc) b->rc = s->rc;
}

/* --- blocks
 * --------------------------------------------------------------------------------------- */

static void read_unit(nod_recipe *r, nod_spec *s)
{
    static const char *const rules[] = {"auto", "mean", "max", NULL};
    const char *levels[NOD_LEVELS + 2] = {"auto"};
    nod_spec b;
    for (int i = 0; i < NOD_LEVELS; i++)
        levels[i + 1] = nod_level_name((nod_level)i);
    open_block(s, &b, "unit");
    r->unit = nod_spec_choice(&b, "level", "auto", levels) - 1;
    r->aggregation = nod_spec_choice(&b, "aggregation", "auto", rules) - 1;
    close_block(s, &b, "unit");
}

static void read_patches(nod_recipe *r, nod_spec *s)
{
    static const char *const how[] = {"mean", "max", "top_k", NULL};
    nod_spec b;
    if (!nod_spec_has(s, "patches")) {
        (void)nod_spec_child(s, "patches");
        return;
    }
    open_block(s, &b, "patches");
    const nod_json *size = b.in ? nod_json_get(b.in, "size") : NULL;
    int nd = size && nod_json_is_array(size) ? (int)nod_json_count(size) : 2;
    if (nd != 2 && nd != 3) nod_spec_fail(&b, "size", "must have 2 or 3 entries");
    if (!b.rc) {
        nod_spec_sizes(&b, "size", nd, 32, 1, 1, r->patch_size);
        nod_spec_sizes(&b, "stride", nd, 16, 1, 1, r->patch_stride);
    }
    r->aggregate = (nod_aggregate)nod_spec_choice(&b, "aggregate", "mean", how);
    r->top_k = nod_spec_i64(&b, "k", 3, 1, 1 << 20);
    close_block(s, &b, "patches");
}

static void read_weights(nod_recipe *r, nod_spec *b)
{
    static const char *const modes[] = {"none", "balanced", NULL};
    const nod_json *v = nod_spec_child(b, "class_weights");
    if (!v || !nod_json_is_array(v)) {
        r->weighting = (nod_weighting)nod_spec_choice(b, "class_weights", "none", modes);
        return;
    }
    r->weighting = NOD_WEIGHTS_GIVEN;
    r->n_weights = nod_json_count(v);
    if (r->n_weights == 0 || r->n_weights > NOD_RECIPE_CLASSES_MAX)
        nod_spec_fail(b, "class_weights", "must have one number per class, at most %d",
                      NOD_RECIPE_CLASSES_MAX);
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < r->n_weights && !b->rc; i++) {
        r->weights[i] = nod_json_f64(nod_json_at(v, i));
        if (!(r->weights[i] >= 0 && r->weights[i] < 1e6))
            nod_spec_fail(b, "class_weights", "entry %zu is not a number >= 0", i);
        nod_json_push(list, nod_json_real(r->weights[i]));
    }
    nod_spec_set(b, "class_weights", list);
}

static void read_loss(nod_recipe *r, nod_spec *s)
{
    static const char *const kinds[] = {"cross_entropy", "focal", "binary_cross_entropy",
                                        "mse",           "mae",   NULL};
    nod_spec b;
    open_block(s, &b, "loss");
    bool multilabel = r->task == NOD_TASK_MULTILABEL;
    r->loss = (nod_loss_kind)nod_spec_choice(
        &b, "name", multilabel ? "binary_cross_entropy" : "cross_entropy", kinds);
    r->smoothing = nod_spec_f64(&b, "label_smoothing", 0, 0, 0.99);
    r->gamma = nod_spec_f64(&b, "gamma", 2, 0, 10);
    read_weights(r, &b);
    if (multilabel && (r->loss == NOD_LOSS_CROSS_ENTROPY || r->loss == NOD_LOSS_FOCAL))
        nod_spec_fail(&b, "name", "a multilabel task takes binary_cross_entropy, mse or mae");
    close_block(s, &b, "loss");
}

static const char *const optimisers[] = {"sgd",  "momentum", "nesterov", "rmsprop",
                                         "adam", "adamw",    NULL};

static void read_optimiser(nod_recipe *r, nod_spec *s)
{
    nod_spec b;
    open_block(s, &b, "optimiser");
    nod_optimiser_options *o = &r->optimiser;
    o->kind = (nod_optimiser_kind)nod_spec_choice(&b, "name", "adamw", optimisers);
    bool adaptive = o->kind >= NOD_OPTIMISER_RMSPROP;
    r->schedule.lr = nod_spec_f64(&b, "lr", adaptive ? 1e-3 : 1e-2, 1e-12, 1e3);
    o->momentum = nod_spec_f64(&b, "momentum", 0.9, 0, 0.9999);
    o->beta1 = nod_spec_f64(&b, "beta1", 0.9, 0, 0.99999);
    o->beta2 = nod_spec_f64(&b, "beta2", 0.999, 0, 0.999999);
    o->alpha = nod_spec_f64(&b, "alpha", 0.99, 0, 0.99999);
    o->eps = nod_spec_f64(&b, "eps", 1e-8, 1e-16, 1);
    o->clip_norm = nod_spec_f64(&b, "clip_norm", 0, 0, ANY);
    o->ema = nod_spec_f64(&b, "ema", 0, 0, 0.999999);
    close_block(s, &b, "optimiser");
}

static void read_group(nod_group_decay *d, nod_spec *b)
{
    d->l1 = nod_spec_f64(b, "l1", 0, 0, ANY);
    d->l2 = nod_spec_f64(b, "l2", 0, 0, ANY);
    d->decay = nod_spec_f64(b, "decay", 0, 0, ANY);
    d->max_norm = nod_spec_f64(b, "max_norm", 0, 0, ANY);
}

/* Weights as given; biases, norms and slopes are exempt unless they are named. */
static void read_regularisation(nod_recipe *r, nod_spec *s)
{
    static const char *const groups[] = {"weights", "biases", "norms", "slopes"};
    nod_spec b;
    open_block(s, &b, "regularisation");
    for (size_t i = 0; i < NOD_COUNT(groups); i++) {
        nod_spec g;
        char path[64];
        nod_json *done = NULL;
        snprintf(path, sizeof path, "regularisation.%s", groups[i]);
        nod_spec_begin(&g, nod_spec_child(&b, groups[i]), path, b.err);
        if (b.rc) g.rc = b.rc;
        read_group(&r->optimiser.groups[i], &g);
        int rc = nod_spec_end(&g, &done);
        if (rc && !b.rc) b.rc = rc;
        if (!rc) nod_spec_set(&b, groups[i], done);
    }
    close_block(s, &b, "regularisation");
}

static void read_schedule(nod_recipe *r, nod_spec *s)
{
    static const char *const kinds[] = {"constant", "step",      "exponential", "polynomial",
                                        "cosine",   "one_cycle", "plateau",     NULL};
    nod_spec b;
    open_block(s, &b, "schedule");
    double lr = r->schedule.lr;
    int kind = nod_spec_choice(&b, "name", "cosine", kinds);
    nod_schedule d = nod_schedule_default((nod_schedule_kind)kind, lr);
    d.lr_min = nod_spec_f64(&b, "lr_min", 0, 0, lr);
    d.factor = nod_spec_f64(&b, "factor", d.factor, 1e-6, 1);
    d.power = nod_spec_f64(&b, "power", d.power, 0.01, 10);
    d.every = nod_spec_i64(&b, "every", d.every, 1, INT64_MAX);
    d.patience = nod_spec_i64(&b, "patience", d.patience, 0, INT64_MAX);
    d.div = nod_spec_f64(&b, "div", d.div, 1, ANY);
    d.final_div = nod_spec_f64(&b, "final_div", d.final_div, 1, ANY);
    d.pct = nod_spec_f64(&b, "pct", d.pct, 0, 1);
    r->warmup_epochs = nod_spec_f64(&b, "warmup_epochs", 0, 0, 1e6);
    r->schedule = d;
    close_block(s, &b, "schedule");
}

static const char *const monitors[] = {"loss", "total_error", "accuracy", "auc", NULL};

const char *nod_monitor_name(nod_monitor m)
{
    return monitors[m];
}

static void read_validation(nod_recipe *r, nod_spec *s)
{
    nod_spec b;
    open_block(s, &b, "validation");
    r->monitor = (nod_monitor)nod_spec_choice(&b, "monitor", "loss", monitors);
    r->patience = nod_spec_i64(&b, "patience", 0, 0, INT64_MAX);
    r->train_every = nod_spec_i64(&b, "train_every", 1, 1, INT64_MAX);
    close_block(s, &b, "validation");
}

static void read_answer(nod_recipe *r, nod_spec *s)
{
    static const char *const kinds[] = {"none", "temperature", "platt", NULL};
    static const char *const rules[] = {"fixed", "youden", "sensitivity", NULL};
    nod_spec b;
    open_block(s, &b, "answer");
    r->calibration =
        (nod_calibration_kind)nod_spec_choice(&b, "calibration", "temperature", kinds);
    r->point_rule = (nod_point_rule)nod_spec_choice(&b, "operating_point", "youden", rules);
    double def = r->point_rule == NOD_POINT_SENSITIVITY ? 0.9 : 0.5;
    r->point_value = nod_spec_f64(&b, "value", def, 0, 1);
    if (r->point_rule == NOD_POINT_SENSITIVITY && !(r->point_value > 0 && r->point_value < 1))
        nod_spec_fail(&b, "value",
                      "%g: a wanted sensitivity lies between 0 and 1, without the ends",
                      r->point_value);
    if (r->calibration == NOD_CALIBRATION_PLATT && r->task == NOD_TASK_MULTICLASS)
        nod_spec_fail(&b, "calibration",
                      "platt is for binary and multilabel tasks; use temperature");
    close_block(s, &b, "answer");
}

static void read_network(nod_spec *s)
{
    nod_network *n = NULL;
    const nod_json *child = nod_spec_child(s, "network");
    if (s->rc) return;
    if (!child) {
        nod_spec_fail(s, "network", "is missing; e.g. network: {name: resnet18}");
        return;
    }
    int rc = nod_network_from_json(child, &n, s->err);
    if (rc)
        s->rc = rc;
    else
        nod_spec_set(s, "network", nod_network_to_json(n));
    nod_network_free(n);
}

static void read_input(nod_spec *s)
{
    nod_contract k;
    const nod_json *child = nod_spec_child(s, "input");
    if (s->rc) return;
    if (!child) {
        nod_spec_fail(s, "input", "is missing; e.g. input: {size: [28, 28]}");
        return;
    }
    s->rc = nod_contract_from_json(child, "input", &k, s->err);
    if (!s->rc) nod_spec_set(s, "input", nod_contract_to_json(&k));
}

/* --- the whole
 * ------------------------------------------------------------------------------------ */

static void read_all(nod_recipe *r, nod_spec *s)
{
    static const char *const tasks[] = {"binary", "multiclass", "multilabel", NULL};
    static const char *const precisions[] = {"f32", "f64", "bf16", "auto", NULL};
    int64_t version = nod_spec_i64(s, "nodule", 1, 1, INT64_MAX);
    if (version != 1)
        nod_spec_fail(s, "nodule", "recipe format %lld; this program reads 1",
                      (long long)version);
    r->task = (nod_task)nod_spec_choice(s, "task", "binary", tasks);
    r->cohort = nod_spec_str(s, "cohort", "cohort.csv");
    r->split = nod_spec_str(s, "split", "split.json");
    r->seed = (uint64_t)nod_spec_i64(s, "seed", 0, 0, INT64_MAX);
    int p = nod_spec_choice(s, "precision", "auto", precisions);
    r->precision = p == 3   ? -1
                   : p == 0 ? NOD_PRECISION_F32
                   : p == 1 ? NOD_PRECISION_F64
                            : NOD_PRECISION_BF16;
    read_unit(r, s);
    read_input(s);
    read_patches(r, s);
    read_network(s);
    read_loss(r, s);
    static const char *const sampling[] = {"shuffle", "balanced", NULL};
    r->balanced_sampling = nod_spec_choice(s, "sampling", "shuffle", sampling) == 1;
    r->epochs = nod_spec_i64(s, "epochs", 50, 1, 1 << 24);
    r->batch_size = nod_spec_i64(s, "batch_size", 32, 0, 1 << 20);
    read_optimiser(r, s);
    read_schedule(r, s);
    read_regularisation(r, s);
    read_validation(r, s);
    read_answer(r, s);
}

int nod_recipe_from_json(const nod_json *j, nod_recipe **out, nod_error *err)
{
    nod_spec s;
    nod_recipe *r = nod_calloc(1, sizeof *r);
    if (!r) return nod_fail_memory(err, "recipe", sizeof *r);
    nod_spec_begin(&s, j, "", err);
    read_all(r, &s);
    int rc = nod_spec_end(&s, &r->rendered);
    if (rc) {
        nod_recipe_free(r);
        return rc;
    }
    r->input = nod_json_get(r->rendered, "input");
    r->network = nod_json_get(r->rendered, "network");
    *out = r;
    return 0;
}

int nod_recipe_parse(const char *text, size_t size, const char *name, nod_recipe **out,
                     nod_error *err)
{
    nod_yaml *y = NULL;
    int rc = nod_yaml_parse(text, size, name, &y, err);
    if (rc) return rc;
    rc = nod_recipe_from_json(nod_yaml_root(y), out, err);
    if (rc == NOD_ERECIPE) rc = nod_yaml_place(y, err);
    nod_yaml_free(y);
    return rc;
}

int nod_recipe_read(const char *path, nod_recipe **out, nod_error *err)
{
    nod_yaml *y = NULL;
    int rc = nod_yaml_read(path, &y, err);
    if (rc) return rc;
    rc = nod_recipe_from_json(nod_yaml_root(y), out, err);
    if (rc == NOD_ERECIPE) rc = nod_yaml_place(y, err);
    nod_yaml_free(y);
    return rc;
}

void nod_recipe_free(nod_recipe *r)
{
    if (!r) return;
    nod_json_free(r->rendered);
    nod_free(r);
}

int nod_recipe_render(const nod_recipe *r, char **out, nod_error *err)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_yaml_write(r->rendered, &b);
    if (b.failed) {
        nod_strbuf_done(&b);
        return nod_fail_memory(err, "recipe as text", 4096);
    }
    *out = nod_strbuf_take(&b);
    return 0;
}

int nod_recipe_hash(const nod_recipe *r, char out[65], nod_error *err)
{
    char *text = NULL;
    nod_json *j = NULL;
    int rc = nod_json_copy(r->rendered, &j, err);
    if (rc) return rc;
    nod_json_set_str(j, "cohort", "");
    nod_json_set_str(j, "split", "");
    rc = nod_json_dump_canonical(j, &text, err);
    if (!rc) rc = nod_sha256_of(text, strlen(text), out, err);
    nod_free(text);
    nod_json_free(j);
    return rc;
}
