/* results_internal.h: the results object as results.c fills it and results_render.c shows it. */
#ifndef NOD_EVAL_RESULTS_INTERNAL_H
#define NOD_EVAL_RESULTS_INTERNAL_H

#include "base/memory.h"
#include "eval/results.h"

struct nod_results {
    nod_arena arena; /* everything below lives in it, except the two JSON copies */
    nod_task task;
    size_t k, n_columns, n_units;
    int positive;
    const char **class_names;
    double confidence;
    size_t replicates, redrawn, given_up, ece_bins;
    uint64_t bootstrap_seed;
    const char *unit, *units;                       /* what a case is, one and several */
    size_t n_images, n_patients, n_without_patient; /* images: cases, whatever they are */
    size_t n_sources; /* images that the cases were made of; 0: the cases themselves */
    size_t n_seeds;
    int32_t *seed_index;                   /* [n_seeds] as in the predictions */
    size_t *class_images, *class_patients; /* [k]; multi-label: of the positives */
    double majority; /* accuracy of always saying the commonest class; NaN multi-label */
    size_t n_points;
    nod_result_point *points;
    size_t n_rows;
    nod_result_row *rows;
    double *tables;    /* binary, multi-label: [n_points][n_seeds][n_columns][tn fp fn tp];
                            multiclass: [n_seeds][k][k] */
    nod_ece_bin *bins; /* [n_seeds][n_units][ece_bins] */
    const char **notes;
    size_t n_notes;
    char *calibration, *provenance; /* as JSON text; NULL: none */
};

/* Class or label of a column. */
static inline const char *nod_results_column_name(const nod_results *r, int column)
{
    return r->class_names[r->task == NOD_TASK_BINARY ? r->positive : column];
}

#endif
