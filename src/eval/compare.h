/* compare.h: two runs on the same cases.
 *
 * AUC of a binary task: paired DeLong, in Obuchowski's form for several images a patient
 * (delong.h). Macro AUC: the patients' influences on the difference, summed over classes and
 * seeds; variance P/(P-1) sum u^2, t with P-1 degrees of freedom.
 * Accuracy, sensitivity and specificity at the operating point: McNemar's exact test with one
 * image a patient and one seed; else a permutation test: the two runs are swapped patient by
 * patient, over all 2^d swaps where at most 16 patients differ, else over 20 000 random ones
 * (stream (seed, NOD_RNG_PERMUTE, b)), p = (1 + as far) / (1 + swaps). Intervals of these
 * differences: percentile bootstrap over patients, both runs under the same weights.
 * Sources: McNemar, Psychometrika 1947;12:153-157; Phipson and Smyth, Stat Appl Genet Mol Biol
 * 2010;9:39 (the 1+). */
#ifndef NOD_EVAL_COMPARE_H
#define NOD_EVAL_COMPARE_H

#include "eval/results.h"

#define NOD_PERMUTATIONS     20000
#define NOD_PERMUTATIONS_ALL 16 /* differing patients up to which all swaps are tried */

typedef enum nod_test_method {
    NOD_TEST_NONE,
    NOD_TEST_PAIRED_DELONG,
    NOD_TEST_INFLUENCE,
    NOD_TEST_MCNEMAR,
    NOD_TEST_PERMUTATION,       /* random swaps */
    NOD_TEST_PERMUTATION_EXACT, /* all swaps */
} nod_test_method;

const char *nod_test_name(nod_test_method m);

typedef struct nod_compare_row {
    nod_metric metric;
    nod_estimate a, b, difference; /* a - b */
    nod_interval interval;         /* of the difference */
    nod_estimate p;                /* two-sided */
    nod_test_method method;
    size_t n_images, n_patients;
    int64_t only_a, only_b; /* McNemar: images that one run alone has right; else -1 */
} nod_compare_row;

/* ROC AUC, accuracy and, for binary tasks, sensitivity and specificity. */
#define NOD_COMPARE_ROWS_MAX 4

typedef struct nod_comparison {
    char name_a[128], name_b[128];
    char units[16]; /* what the cases are, as in nod_results_options */
    double confidence;
    size_t n_images, n_patients;
    bool patients_known;
    size_t n_rows;
    nod_compare_row rows[NOD_COMPARE_ROWS_MAX];
} nod_comparison;

/* `points_*` as in nod_results_new (NULL: 0.5). Of the options confidence, replicates and seed are
 * used. Errors: EDATA where the cases are not the same. */
int nod_compare(const char *name_a, const nod_predictions *a,
                const nod_operating_point *points_a, const char *name_b,
                const nod_predictions *b, const nod_operating_point *points_b,
                const nod_results_options *options, nod_comparison *out,
                nod_error *err) NOD_MUST_CHECK;

nod_json *nod_comparison_json(const nod_comparison *c);
void nod_comparison_text(const nod_comparison *c, nod_strbuf *out);

/* Exact two-sided McNemar test from the two discordant counts; 1 where both are 0. */
double nod_mcnemar_exact(int64_t only_a, int64_t only_b);
/* Sign-swap test of sum d = 0 over patients' differences d; *method says which swaps. */
int nod_permutation_test(const double *d, size_t n, uint64_t seed, double *p,
                         nod_test_method *method, nod_error *err) NOD_MUST_CHECK;

#endif
