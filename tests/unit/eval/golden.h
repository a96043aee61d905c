/* golden.h: reads tests/golden/eval_*.json (tools/oracles/eval_golden.py) and compares numbers.
 * Tests run in the root of the tree. */
#ifndef TESTS_UNIT_EVAL_GOLDEN_H
#define TESTS_UNIT_EVAL_GOLDEN_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "eval/estimate.h"
#include "eval/predictions.h"

/* The "cases" of one golden file; the root is kept in *root and freed by the caller. */
__attribute__((unused)) static nod_json *golden_open(const char *name, nod_json **root)
{
    char path[128];
    nod_error err = NOD_ERROR_INIT;
    snprintf(path, sizeof path, "tests/golden/eval_%s.json", name);
    if (nod_json_read(path, (size_t)1 << 20, root, &err) != 0) fail_msg("%s", err.message);
    nod_json *cases = nod_json_get(*root, "cases");
    assert_non_null(cases);
    return cases;
}

__attribute__((unused)) static double golden_at(const nod_json *list, size_t i)
{
    return nod_json_f64(nod_json_at(list, i));
}

/* List of numbers, or list of lists flattened; *n gets the count. The caller frees. */
__attribute__((unused)) static double *golden_reals(const nod_json *list, size_t *n)
{
    size_t rows = nod_json_count(list), total = 0;
    bool nested = rows > 0 && nod_json_is_array(nod_json_at(list, 0));
    size_t columns = nested ? nod_json_count(nod_json_at(list, 0)) : 1;
    double *v = calloc(rows * columns + 1, sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            v[total++] = nested ? golden_at(nod_json_at(list, i), j) : golden_at(list, i);
    *n = total;
    return v;
}

__attribute__((unused)) static int32_t *golden_ints(const nod_json *list, size_t *n)
{
    double *v = golden_reals(list, n);
    int32_t *out = calloc(*n + 1, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < *n; i++)
        out[i] = (int32_t)v[i];
    free(v);
    return out;
}

/* |got - want| <= tolerance * max(1, |want|); the message says what. */
__attribute__((unused)) static void assert_near(double got, double want, double tolerance,
                                                const char *what)
{
    if (!(fabs(got - want) <= tolerance * fmax(1.0, fabs(want))))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

/* The estimate against a number, or against null = not estimable. */
__attribute__((unused)) static void assert_estimate(const nod_estimate *got,
                                                    const nod_json *want, double tolerance,
                                                    const char *what)
{
    assert_non_null(want);
    if (nod_json_is_null(want)) {
        if (got->undefined == NULL) fail_msg("%s: got %g, want none", what, got->value);
        assert_true(isnan(got->value));
        return;
    }
    if (got->undefined != NULL) fail_msg("%s: not estimable: %s", what, got->undefined);
    assert_near(got->value, nod_json_f64(want), tolerance, what);
}

/* A table of n cases "c0".. with k classes "k0".. from labels and logits; `patient` (may be NULL)
 * numbers the patients. The last class is positive for binary tasks. */
__attribute__((unused)) static void golden_add(nod_predictions *p, int32_t seed, size_t n,
                                               const int32_t *labels, const double *logits,
                                               const int32_t *patient)
{
    nod_error err = NOD_ERROR_INIT;
    char id[64], patient_key[64];
    for (size_t i = 0; i < n; i++) {
        snprintf(id, sizeof id, "c%05zu", i);
        snprintf(patient_key, sizeof patient_key, "p%d", patient != NULL ? patient[i] : 0);
        if (nod_predictions_add(p, id, patient != NULL ? patient_key : NULL, seed,
                                labels + i * nod_predictions_labels(p), logits + i * p->k,
                                &err) != 0)
            fail_msg("%s", err.message);
    }
}

__attribute__((unused)) static void golden_table(nod_predictions *p, nod_task task, size_t k)
{
    static const char *const names[] = {"k0", "k1", "k2", "k3", "k4",
                                        "k5", "k6", "k7", "k8", "k9"};
    nod_error err = NOD_ERROR_INIT;
    assert_true(k <= 10);
    if (nod_predictions_init(p, task, names, k, task == NOD_TASK_BINARY ? 1 : -1, &err) != 0)
        fail_msg("%s", err.message);
}

/* Binary logits (0, z) from margins. */
__attribute__((unused)) static double *golden_margins(const double *z, size_t n)
{
    double *logits = calloc(2 * n + 1, sizeof *logits);
    assert_non_null(logits);
    for (size_t i = 0; i < n; i++)
        logits[2 * i + 1] = z[i];
    return logits;
}

#endif
