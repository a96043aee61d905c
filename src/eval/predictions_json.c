/* predictions_json.c: the complete form of predictions. Log-odds are stored beside probabilities,
 * because a probability that rounds to 1 no longer ranks its case. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "eval/predictions.h"

#define FORMAT  "nodule-predictions"
#define VERSION 1

static nod_json *reals(const double *v, size_t n)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < n; i++)
        nod_json_push(a, nod_json_real(v[i]));
    return a;
}

static nod_json *truth_json(const nod_predictions *p, size_t row)
{
    const int32_t *label = p->labels + row * nod_predictions_labels(p);
    if (label[0] < 0) return nod_json_null();
    if (p->task != NOD_TASK_MULTILABEL) return nod_json_string(p->class_names.items[label[0]]);
    nod_json *names = nod_json_array();
    for (size_t c = 0; c < p->k; c++)
        if (label[c] == 1) nod_json_push(names, nod_json_string(p->class_names.items[c]));
    return names;
}

nod_json *nod_predictions_json(const nod_predictions *p, nod_json *provenance_take)
{
    nod_json *root = nod_json_object(), *classes = nod_json_array(), *cases = nod_json_array();
    nod_json_set_str(root, "format", FORMAT);
    nod_json_set_int(root, "version", VERSION);
    nod_json_set_str(root, "task", nod_task_name(p->task));
    for (size_t c = 0; c < p->k; c++)
        nod_json_push(classes, nod_json_string(p->class_names.items[c]));
    nod_json_set(root, "classes", classes);
    if (p->task == NOD_TASK_BINARY)
        nod_json_set_str(root, "positive", p->class_names.items[p->positive]);
    if (provenance_take != NULL) nod_json_set(root, "provenance", provenance_take);
    for (size_t i = 0; i < p->n; i++) {
        nod_json *row = nod_json_object();
        nod_json_set_str(row, "id", p->id[i]);
        nod_json_set(row, "patient", nod_json_string(p->patient[i]));
        nod_json_set_int(row, "seed", p->seed[i]);
        nod_json_set(row, "truth", truth_json(p, i));
        if (p->has_logits) nod_json_set(row, "logits", reals(p->logits + i * p->k, p->k));
        nod_json_set(row, "log_odds", reals(p->log_odds + i * p->k, p->k));
        nod_json_set(row, "probabilities", reals(p->probabilities + i * p->k, p->k));
        nod_json_push(cases, row);
    }
    nod_json_set(root, "cases", cases);
    return root;
}

int nod_predictions_write_json(const nod_predictions *p, nod_json *provenance_take,
                               const char *path, nod_error *err)
{
    nod_json *root = nod_predictions_json(p, provenance_take);
    int rc = nod_json_write(root, path, err);
    nod_json_free(root);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

static int find_class(const nod_predictions *p, const nod_json *name)
{
    if (!nod_json_is_string(name)) return -1;
    return (int)nod_strlist_find(&p->class_names, nod_json_str(name));
}

static int read_truth(const nod_predictions *p, const nod_json *truth, const char *where,
                      int32_t *labels, nod_error *err)
{
    size_t n_labels = nod_predictions_labels(p);
    bool known = truth != NULL && !nod_json_is_null(truth);
    for (size_t j = 0; j < n_labels; j++)
        labels[j] = known ? 0 : -1;
    if (!known) return 0;
    if (p->task != NOD_TASK_MULTILABEL) {
        labels[0] = find_class(p, truth);
        if (labels[0] >= 0) return 0;
        return nod_fail(err, NOD_EFORMAT, "%s: 'truth' is none of the classes", where);
    }
    if (!nod_json_is_array(truth))
        return nod_fail(err, NOD_EFORMAT, "%s: 'truth' is not a list of labels", where);
    for (size_t j = 0; j < nod_json_count(truth); j++) {
        int c = find_class(p, nod_json_at(truth, j));
        if (c < 0)
            return nod_fail(err, NOD_EFORMAT, "%s: truth[%zu] is none of the labels", where, j);
        labels[c] = 1;
    }
    return 0;
}

/* k numbers of an optional list; *found says whether it is there. A null is NaN. */
static int read_reals(const nod_json *row, const char *where, const char *key, size_t k,
                      double *out, bool *found, nod_error *err)
{
    nod_json *list = nod_json_get(row, key);
    *found = list != NULL;
    if (list == NULL) return 0;
    if (!nod_json_is_array(list) || nod_json_count(list) != k)
        return nod_fail(err, NOD_EFORMAT, "%s: '%s' is not a list of %zu numbers", where, key,
                        k);
    for (size_t c = 0; c < k; c++) {
        nod_json *v = nod_json_at(list, c);
        if (!nod_json_is_number(v) && !nod_json_is_null(v))
            return nod_fail(err, NOD_EFORMAT, "%s: %s[%zu] is not a number", where, key, c);
        out[c] = nod_json_f64(v);
    }
    return 0;
}

static int read_case(const nod_json *row, const char *where, int32_t *labels, double *v,
                     nod_predictions *p, nod_error *err)
{
    size_t k = p->k;
    double *prob = v, *log_odds = v + k, *logits = v + 2 * k;
    bool has_p, has_lo, has_z;
    const char *id;
    int64_t seed = 0;
    int rc;
    NOD_TRY(nod_json_need_str(row, where, "id", &id, err));
    nod_json *patient = nod_json_get(row, "patient");
    if (nod_json_get(row, "seed") != NULL)
        NOD_TRY(nod_json_need_i64(row, where, "seed", &seed, err));
    if (seed < 0 || seed >= NOD_PREDICTIONS_MAX_SEEDS)
        return nod_fail(err, NOD_EFORMAT, "%s: seed %lld is not in 0..%d", where,
                        (long long)seed, NOD_PREDICTIONS_MAX_SEEDS - 1);
    NOD_TRY(read_truth(p, nod_json_get(row, "truth"), where, labels, err));
    NOD_TRY(read_reals(row, where, "probabilities", k, prob, &has_p, err));
    NOD_TRY(read_reals(row, where, "log_odds", k, log_odds, &has_lo, err));
    NOD_TRY(read_reals(row, where, "logits", k, logits, &has_z, err));
    if (!has_p) return nod_fail(err, NOD_EFORMAT, "%s: no key 'probabilities'", where);
    /* JSON has no infinity: log-odds of a probability of 0 or 1 may be null. */
    for (size_t c = 0; has_lo && c < k; c++)
        if (isnan(log_odds[c]) && (prob[c] == 0 || prob[c] == 1))
            log_odds[c] = prob[c] == 1 ? INFINITY : -INFINITY;
    rc = nod_predictions_add_probabilities(
        p, id, nod_json_is_string(patient) ? nod_json_str(patient) : NULL, (int32_t)seed,
        labels, prob, has_lo ? log_odds : NULL, has_z ? logits : NULL, err);
    if (rc == NOD_EINVAL || rc == NOD_ENUMERIC) rc = err->code = NOD_EFORMAT;
    if (rc != 0) nod_error_prefix(err, "%s", where);
out:
    return rc;
}

static int read_header(const nod_json *root, const char *name, nod_predictions *p,
                       nod_error *err)
{
    const char *format, *task_name, *positive = NULL;
    const char *names[NOD_PREDICTIONS_MAX_CLASSES];
    int64_t version;
    nod_json *classes;
    nod_task task;
    int rc;
    if (!nod_json_is_object(root))
        return nod_fail(err, NOD_EFORMAT, "%s: not a JSON object", name);
    NOD_TRY(nod_json_need_str(root, name, "format", &format, err));
    NOD_TRY(nod_json_need_i64(root, name, "version", &version, err));
    if (strcmp(format, FORMAT) != 0 || version != VERSION)
        return nod_fail(err, NOD_EFORMAT, "%s: is '%s' version %lld, not '%s' version %d", name,
                        format, (long long)version, FORMAT, VERSION);
    NOD_TRY(nod_json_need_str(root, name, "task", &task_name, err));
    NOD_TRY(nod_json_need_array(root, name, "classes", &classes, err));
    if (!nod_task_parse(task_name, &task))
        return nod_fail(err, NOD_EFORMAT, "%s: unknown task '%s'", name, task_name);
    size_t k = nod_json_count(classes);
    if (k > NOD_PREDICTIONS_MAX_CLASSES)
        return nod_fail(err, NOD_ELIMIT, "%s: %zu classes, at most %d are supported", name, k,
                        NOD_PREDICTIONS_MAX_CLASSES);
    if (task == NOD_TASK_BINARY)
        NOD_TRY(nod_json_need_str(root, name, "positive", &positive, err));
    int index = -1;
    for (size_t c = 0; c < k; c++) {
        names[c] = nod_json_str(nod_json_at(classes, c));
        if (positive != NULL && strcmp(names[c], positive) == 0) index = (int)c;
    }
    rc = nod_predictions_init(p, task, names, k, index, err);
    if (rc == NOD_EINVAL) rc = err->code = NOD_EFORMAT;
    if (rc != 0) nod_error_prefix(err, "%s", name);
out:
    return rc;
}

/* A deep copy by way of text: the JSON interface has no other. */
static int copy_json(const nod_json *j, const char *name, nod_json **out, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(j, false, &text, err);
    if (rc == 0) rc = nod_json_parse(text, strlen(text), name, out, err);
    nod_free(text);
    return rc;
}

static int from_json(const nod_json *root, const char *name, nod_predictions *out,
                     nod_json **provenance, nod_error *err)
{
    nod_predictions made = {0};
    nod_json *cases, *stored = NULL;
    double *v = NULL;
    int32_t *labels = NULL;
    char where[256];
    int rc = read_header(root, name, &made, err);
    if (rc != 0) return rc;
    NOD_TRY(nod_json_need_array(root, name, "cases", &cases, err));
    v = nod_calloc(made.k, 3 * sizeof *v);
    labels = nod_calloc(made.k, sizeof *labels);
    if (v == NULL || labels == NULL) {
        rc = nod_fail_memory(err, "a row of predictions", made.k * 3 * sizeof *v);
        goto out;
    }
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        snprintf(where, sizeof where, "%.200s: cases[%zu]", name, i);
        NOD_TRY(read_case(nod_json_at(cases, i), where, labels, v, &made, err));
    }
    if (provenance != NULL && nod_json_get(root, "provenance") != NULL)
        NOD_TRY(copy_json(nod_json_get(root, "provenance"), name, &stored, err));
    if (provenance != NULL) *provenance = stored;
    *out = made;
    made = (nod_predictions){0};
out:
    nod_predictions_done(&made);
    nod_free(v);
    nod_free(labels);
    return rc;
}

int nod_predictions_parse_json(const char *text, size_t size, const char *name,
                               nod_predictions *out, nod_json **provenance, nod_error *err)
{
    nod_json *root = NULL;
    int rc = nod_json_parse(text, size, name, &root, err);
    if (rc == 0) rc = from_json(root, name, out, provenance, err);
    nod_json_free(root);
    return rc;
}

int nod_predictions_read_json(const char *path, nod_predictions *out, nod_json **provenance,
                              nod_error *err)
{
    nod_json *root = NULL;
    int rc = nod_json_read(path, NOD_PREDICTIONS_MAX_BYTES, &root, err);
    if (rc == 0) rc = from_json(root, path, out, provenance, err);
    nod_json_free(root);
    return rc;
}
