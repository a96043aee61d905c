/* bench_tune.h: `nodule bench --tune`: the kernel table of this machine, made by measuring. */
#ifndef NOD_CLI_BENCH_TUNE_H
#define NOD_CLI_BENCH_TUNE_H

#include "cli/verb.h"

/* Tunes each workload or recipe among the arguments (none: all workloads), in every precision of
 * this processor, and writes what was found into the user's kernel table. */
int nod_bench_tune(nod_cli *cli, int runs, nod_error *err) NOD_MUST_CHECK;

#endif
