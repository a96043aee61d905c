/* run_log.h: the log of one seed: JSON lines, one event a line.
 *
 *   {"event":"start", ...}    provenance and sizes
 *   {"event":"epoch", ...}    each epoch once, in order
 *   {"event":"resume", ...}   provenance of who went on, after the epochs that were done
 *   {"event":"end", ...}      the model is written
 * Each line is on the disk before the next step is taken. docs/formats/run.md has the fields. */
#ifndef NOD_TRAIN_RUN_LOG_H
#define NOD_TRAIN_RUN_LOG_H

#include "base/json.h"
#include "train/trainer.h"

/* Who trains, for the lines "start" and "resume"; strings are borrowed. */
typedef struct nod_run_author {
    const char *command, *backend, *isa;
    int64_t looks_before; /* looks at the test part that stand in the ledger now */
} nod_run_author;

/* Begins a log anew. */
int nod_run_log_start(const char *path, const nod_run_author *a, uint64_t seed,
                      int64_t plan_bytes, int64_t n_train, int64_t n_validation,
                      nod_error *err) NOD_MUST_CHECK;
/* Drops a torn last line and the epochs that will be run again, and says who goes on. */
int nod_run_log_resume(const char *path, const nod_run_author *a, int64_t epochs_done,
                       nod_error *err) NOD_MUST_CHECK;
int nod_run_log_epoch(const char *path, const nod_epoch *e, nod_error *err) NOD_MUST_CHECK;
int nod_run_log_end(const char *path, int64_t best_epoch, nod_error *err) NOD_MUST_CHECK;
/* Whether the log has its end: the seed is finished. False where there is no log. */
int nod_run_log_has_end(const char *path, bool *out, nod_error *err) NOD_MUST_CHECK;

#endif
