/* coverage.c: how often do the intervals of the AUC hold the true value?
 *
 * Simulates cohorts of a binormal test: an image's score is mu*class + patient effect + image
 * effect, the effects normal with variances ICC and 1-ICC, so that scores have variance 1 within a
 * class and images of one patient correlate by ICC; mu = sqrt(2) * normal quantile of the true
 * AUC. A patient's images share one class ("one class a patient"), or, in the last table, each
 * image has its own class ("mixed"). Per cell: share of cohorts whose 95 % interval covers the
 * true AUC, misses below and above, mean width, and how often Newcombe's method 5 stood in.
 *
 * usage: coverage [COHORTS [SEED]]     default 2000 1; docs/evaluation.md holds a run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/delong.h"
#include "eval/special.h"

#define ICC          0.5
#define CONFIDENCE   0.95
#define MAX_PATIENTS 250
#define MAX_IMAGES   5
#define PIECES       50

typedef struct cell {
    double auc;
    size_t n_patients, n_positive, n_images; /* images: of each patient */
    bool
        mixed; /* classes per image; n_positive is then the expected number of positives/images */
    size_t n_cohorts;
    uint64_t seed, number; /* number: of the cell, for its own random streams */
    struct tally {
        size_t cohorts, covered, below, above, newcombe, failed;
        double width;
    } tallies[PIECES];
} cell;

/* One cohort's scores, classes and patients. */
typedef struct cohort {
    double score[MAX_PATIENTS * MAX_IMAGES];
    uint8_t y[MAX_PATIENTS * MAX_IMAGES];
    size_t patient[MAX_PATIENTS * MAX_IMAGES];
} cohort;

static void simulate(const cell *c, uint64_t index, cohort *out)
{
    nod_rng rng = nod_rng_make(c->seed, NOD_RNG_TEST, c->number << 32 | index);
    double mu = sqrt(2.0) * nod_normal_quantile(c->auc);
    double share = (double)c->n_positive / (double)c->n_patients;
    for (size_t p = 0; p < c->n_patients; p++) {
        double of_patient = sqrt(ICC) * nod_rng_normal(&rng);
        for (size_t j = 0; j < c->n_images; j++) {
            size_t i = p * c->n_images + j;
            bool y = c->mixed ? nod_rng_uniform(&rng) < share : p < c->n_positive;
            out->y[i] = y;
            out->patient[i] = p;
            out->score[i] = mu * y + of_patient + sqrt(1 - ICC) * nod_rng_normal(&rng);
        }
    }
}

static void run_piece(void *ctx, int64_t piece)
{
    cell *c = ctx;
    struct tally t = {0};
    cohort *x = nod_malloc(sizeof *x);
    nod_error err = NOD_ERROR_INIT;
    for (uint64_t i = (uint64_t)piece; x != NULL && i < c->n_cohorts; i += PIECES) {
        simulate(c, i, x);
        nod_auc_sample s = {.n = c->n_patients * c->n_images,
                            .n_seeds = 1,
                            .n_patients = c->n_patients,
                            .score = x->score,
                            .y = x->y,
                            .patient = x->patient};
        s.stride = s.n;
        nod_auc_variance v;
        t.cohorts++;
        if (nod_auc_variance_of(&s, &v, &err) != 0) {
            t.failed++;
            continue;
        }
        nod_interval ci = nod_auc_interval(&v, CONFIDENCE);
        t.covered += ci.lo <= c->auc && c->auc <= ci.hi;
        t.below += ci.hi < c->auc;
        t.above += ci.lo > c->auc;
        t.newcombe += ci.method == NOD_INTERVAL_NEWCOMBE5;
        t.width += ci.hi - ci.lo;
    }
    nod_free(x);
    c->tallies[piece] = t;
}

/* Prints one line; returns whether a cell that must hold 93 to 97 % does. */
static bool print_cell(cell *c)
{
    struct tally sum = {0};
    nod_parallel_for(PIECES, run_piece, c);
    for (size_t i = 0; i < PIECES; i++) {
        sum.cohorts += c->tallies[i].cohorts;
        sum.covered += c->tallies[i].covered;
        sum.below += c->tallies[i].below;
        sum.above += c->tallies[i].above;
        sum.newcombe += c->tallies[i].newcombe;
        sum.failed += c->tallies[i].failed;
        sum.width += c->tallies[i].width;
    }
    double n = (double)(sum.cohorts - sum.failed), covered = 100 * (double)sum.covered / n;
    size_t smaller = c->n_positive < c->n_patients - c->n_positive
                         ? c->n_positive
                         : c->n_patients - c->n_positive;
    /* Mixed: patients expected to have an image of the rarer class. */
    double share = (double)smaller / (double)c->n_patients;
    double with_rarer = c->mixed
                            ? (double)c->n_patients * (1 - pow(1 - share, (double)c->n_images))
                            : (double)smaller;
    bool must = with_rarer >= 50, ok = covered >= 93 && covered <= 97;
    printf("| %zu | %.2f | %zu | %zu | %zu | %.1f | %.1f | %.1f | %.3f | %.1f | %s |\n",
           c->n_images, c->auc, c->n_patients, c->n_positive, c->n_patients - c->n_positive,
           covered, 100 * (double)sum.below / n, 100 * (double)sum.above / n, sum.width / n,
           100 * (double)sum.newcombe / n,
           !must ? (ok ? "" : "outside")
           : ok  ? "yes"
                 : "NO");
    fflush(stdout);
    return !must || ok;
}

static void print_head(const char *title)
{
    printf(
        "\n%s\n\n"
        "| images/patient | AUC | patients | positive | negative | covered %% | too low %% | "
        "too high %% | mean width | method 5 %% | 93-97 %% |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n",
        title);
}

static bool run_design(size_t n_cohorts, uint64_t seed, bool mixed, uint64_t *number)
{
    static const double aucs[] = {0.7, 0.9, 0.96};
    static const size_t sizes[] = {40, 60, 100, 150, 200, 250};
    bool ok = true;
    for (size_t images = mixed ? 5 : 1; images <= MAX_IMAGES; images += 4)
        for (size_t one_in = 2; one_in <= 5; one_in += 3)
            for (size_t a = 0; a < NOD_COUNT(aucs); a++)
                for (size_t s = 0; s < NOD_COUNT(sizes); s++) {
                    cell c = {.auc = aucs[a],
                              .n_patients = sizes[s],
                              .n_positive = sizes[s] / one_in,
                              .n_images = images,
                              .mixed = mixed,
                              .n_cohorts = n_cohorts,
                              .seed = seed,
                              .number = ++*number};
                    /* Mixed: n_positive is a share; 60/5 and the like stay whole. */
                    ok = print_cell(&c) && ok;
                }
    return ok;
}

int main(int argc, char **argv)
{
    size_t n_cohorts = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, number = 0;
    if (n_cohorts == 0) {
        fprintf(stderr, "usage: coverage [COHORTS [SEED]]\n");
        return 2;
    }
    print_head("One class a patient");
    bool ok = run_design(n_cohorts, seed, false, &number);
    print_head("Mixed: every image has its own class (positive and negative count shares)");
    ok = run_design(n_cohorts, seed, true, &number) && ok;
    printf("\n%s\n", ok ? "every cell that must hold 93 to 97 % does"
                        : "a cell that must hold 93 to 97 % does not");
    return ok ? 0 : 1;
}
