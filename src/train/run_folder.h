/* run_folder.h: what stands in the folder of a run, for whoever trains into it, tests it, or asks
 * its models.
 *
 *   RUN/recipe.yaml                 every key, with what was fitted on the training part
 *   RUN/run.json                    seeds, backend, split, ledger anchor, provenance
 *   RUN/kernels.json                kernels, layout and precision, as chosen before the first step
 *   RUN/seed_K/log.jsonl            one event a line (train/run_log.h)
 *   RUN/seed_K/checkpoint.safetensors   atomic; resume has the bits of a run never stopped
 *   RUN/seed_K/model.safetensors    best epoch, calibrated, operating point frozen
 *   RUN/seed_K/validation.csv       per case, worst first
 *   RUN/test/                       of the last look at the test part (train/sealed_test.h)
 *   RUN/external/NAME/              of the last look at a cohort from elsewhere
 *
 * The recipe names cohort and split as seen from RUN, so that a project may be moved as a whole.
 * run.json comes first and recipe.yaml last: a folder with a recipe is a complete run to resume.
 * One process at a time works in a run (nod_run_lock). docs/formats/run.md has the fields. */
#ifndef NOD_TRAIN_RUN_FOLDER_H
#define NOD_TRAIN_RUN_FOLDER_H

#include "data/cohort.h"
#include "data/split.h"
#include "train/recipe.h"

#define NOD_RUN_SEEDS_MAX 1000

/* Cohort, split and recipe of a recipe file or of a run's folder. */
typedef struct nod_run_inputs {
    nod_recipe *recipe;
    nod_cohort *cohort;
    nod_split *split;
    char *cohort_path, *split_path; /* absolute, without links */
} nod_run_inputs;
/* `cohort` and `split` stand for what the recipe names, seen from the working folder; NULL: as the
 * recipe says, except that a cohort that is given comes with the split.json beside it. */
int nod_run_inputs_open(const char *recipe_path, const char *cohort, const char *split,
                        nod_run_inputs *out, nod_error *err) NOD_MUST_CHECK;
void nod_run_inputs_done(nod_run_inputs *i);

/* The folder that keeps decoded images: the one that was asked for, NULL for "none", and where nothing
 * was asked for (NULL) the one beside the cohort. The caller frees it. */
int nod_run_cache(const char *asked, const char *cohort_path, char **out,
                  nod_error *err) NOD_MUST_CHECK;

/* run.json */
typedef struct nod_run_info {
    int64_t n_seeds;
    char backend[32];
    char split_hash[NOD_SHA256_HEX], cohort_hash[NOD_SHA256_HEX];
    nod_anchor begun; /* the ledger when the run was begun */
} nod_run_info;
int nod_run_info_read(const char *folder, nod_run_info *out, nod_error *err) NOD_MUST_CHECK;
int nod_run_info_write(const char *folder, const nod_run_info *info, const char *command,
                       nod_error *err) NOD_MUST_CHECK;

/* Whether the folder holds a run. */
bool nod_run_is_there(const char *folder);
/* Takes the run for this process and removes what a killed one left half written. EIO where another
 * process has it. Give it back with nod_dir_unlock. */
int nod_run_lock(const char *folder, int *lock, nod_error *err) NOD_MUST_CHECK;

/* Models of a run in seed order: paths; the caller frees the list. ENOENT names what is missing. */
int nod_run_models(const char *folder, nod_strlist *out, nod_error *err) NOD_MUST_CHECK;
/* Identity of a run: SHA-256 over its models' files. */
int nod_run_hash(const char *folder, char out[65], nod_error *err) NOD_MUST_CHECK;

#endif
