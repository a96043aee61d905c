/* sealed_test.h: the one look at the test part, or at a cohort from elsewhere, for a declared list of
 * runs.
 *
 * Order of events: runs, split and ledger are read and checked; the row of the look is written and
 * synced; only then are test labels served, cases predicted, results computed and written to
 * RUN/test/ (of a cohort from elsewhere RUN/external/NAME/); last the ledger records that results exist. A crash after the row counts as a look and
 * may be resumed by the same list of runs alone. */
#ifndef NOD_TRAIN_SEALED_TEST_H
#define NOD_TRAIN_SEALED_TEST_H

#include "base/log.h"
#include "base/text.h"
#include "exec/plan.h"

typedef struct nod_sealed_test_options {
    const char *const *runs; /* folders */
    size_t n_runs;
    const char *ledger; /* path; NULL: beside the cohort */
    const char *cache;  /* of decoded images: folder, "none"; NULL: beside the cohort */
    const char *again;  /* reason for another look, or NULL */
    const char *by;     /* who, or NULL */
    const char
        *external; /* path of a cohort from elsewhere (train/external.h), which is sealed here;
                             NULL: the test part of the runs' split */
    const char *name; /* of its results; NULL: from its hash */
    const char
        *force; /* why images unlike those of the training part are tested all the same; NULL:
                             they are refused */
    const char *command;
    const nod_backend *backend;
    int threads;
    const nod_log *log;
} nod_sealed_test_options;

/* `text` gets the tables of all runs and comparisons; *json the same for programs. */
int nod_sealed_test(const nod_sealed_test_options *o, nod_strbuf *text, nod_json **json,
                    nod_error *err) NOD_MUST_CHECK;

#endif
