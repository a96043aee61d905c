/* shortcut_null.c: what the shortcut audit says of cohorts without a shortcut.
 *
 * Simulates cohorts whose facts are drawn without regard to the label (two in five patients are positive):
 * one fact of two values, one number, or these two and a fact of five values. Says the mean of the
 * AUC, which should be .5, its spread, and how many intervals lie above .5 (2.5 % would be right), above
 * the .55 from which results speak of it, and below .5.
 *
 * usage: shortcut_null [COHORTS [SEED]]     default 300 1; docs/evaluation.md holds a run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "eval/shortcut.h"

#define MAX_CASES 170
#define FEATURES  3

typedef struct cell {
    const char *what;
    size_t first, n_features; /* of {two values, number, five values} */
    size_t n, per_patient;
} cell;

static const cell cells[] = {
    {"two values", 0, 1, 170, 1},
    {"two values", 0, 1, 110, 2},
    {"number", 1, 1, 170, 1},
    {"all three", 0, 3, 170, 2},
};

typedef struct cohort {
    double x[FEATURES][MAX_CASES];
    uint8_t y[MAX_CASES];
    size_t group[MAX_CASES];
} cohort;

static void draw(const cell *c, nod_rng *rng, cohort *out)
{
    for (size_t i = 0; i < c->n; i++) {
        out->group[i] = i / c->per_patient;
        if (i % c->per_patient) {
            out->y[i] = out->y[i - 1];
            for (size_t f = 0; f < FEATURES; f++)
                out->x[f][i] = out->x[f][i - 1];
            continue;
        }
        out->y[i] = nod_rng_uniform(rng) < 0.4;
        out->x[0][i] = nod_rng_uniform(rng) < 0.3;
        out->x[1][i] = nod_rng_normal(rng);
        out->x[2][i] = floor(5 * nod_rng_uniform(rng));
    }
}

static int run_cell(const cell *c, size_t n_cohorts, uint64_t seed, nod_error *err)
{
    static cohort drawn;
    static const size_t factor[FEATURES] = {0, 1, 2};
    const nod_feature features[FEATURES] = {{drawn.x[0], 0}, {drawn.x[1], 0}, {drawn.x[2], 5}};
    double sum = 0, squares = 0, n = (double)n_cohorts;
    size_t above = 0, notable = 0, below = 0;
    for (size_t r = 0; r < n_cohorts; r++) {
        nod_rng rng = nod_rng_make(seed, NOD_RNG_TEST, (uint64_t)(c - cells) * 1000000 + r);
        nod_shortcut_options o = NOD_SHORTCUT_OPTIONS_INIT;
        nod_shortcut s;
        draw(c, &rng, &drawn);
        const nod_shortcut_data d = {
            c->n,         1, drawn.y, drawn.group, c->n_features, features + c->first, factor,
            c->n_features};
        int rc = nod_shortcut_find(&d, &o, &s, err);
        if (rc) return rc;
        sum += s.auc.value;
        squares += s.auc.value * s.auc.value;
        above += s.interval.lo > 0.5;
        notable += s.interval.lo > 0.55;
        below += s.interval.hi < 0.5;
    }
    printf("| %s | %zu | %zu | %.3f | %.3f | %.1f | %.1f | %.1f |\n", c->what, c->n,
           c->per_patient, sum / n, sqrt(squares / n - sum / n * sum / n),
           100 * (double)above / n, 100 * (double)notable / n, 100 * (double)below / n);
    return 0;
}

int main(int argc, char **argv)
{
    nod_error err = NOD_ERROR_INIT;
    long n_cohorts = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    if (n_cohorts < 1) {
        fprintf(stderr, "usage: shortcut_null [COHORTS [SEED]]\n");
        return 2;
    }
    printf("| facts | images | a patient | mean AUC | sd | above .5 %% | above .55 %% | below "
           ".5 %% |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < NOD_COUNT(cells); i++)
        if (run_cell(&cells[i], (size_t)n_cohorts, seed, &err)) {
            fprintf(stderr, "shortcut_null: %s\n", err.message);
            return 1;
        }
    return 0;
}
