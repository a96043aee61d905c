/* bench_worker.h: samples taken in other processes, one workload each, so that peak memory is
 * each workload's own and the samples of two sides can be taken in turn.
 *
 * A worker says {"ready": true, "name": ..., "version": ...} or {"error": ...} on standard
 * output, then answers each line "run N" with {"time_s": ..., "cpu_s": ..., "load_s": ..., "peak_rss_bytes":
 * ...}; it ends with its standard input. bench/peers/worker.py speaks the same. */
#ifndef NOD_CLI_BENCH_WORKER_H
#define NOD_CLI_BENCH_WORKER_H

#include <stdio.h>
#include <sys/types.h>

#include "cli/bench_workload.h"

/* --- the worker's side: serves one workload until standard input ends ----------------------- */
/* `files`: nod_bench_job_new. */
int nod_bench_serve(const nod_bench_workload *w, nod_precision precision, const char *files,
                    const nod_log *log, FILE *in, FILE *out, nod_error *err) NOD_MUST_CHECK;

/* --- the other side ------------------------------------------------------------------------- */
typedef struct nod_bench_worker {
    pid_t pid; /* 0: not running */
    int input;
    FILE *output, *words; /* its standard output; a file with its standard error */
    char name[96];
    int64_t peak_rss_bytes; /* so far */
} nod_bench_worker;

typedef struct nod_bench_sample {
    double time_s;  /* wall time of all its runs */
    double load_s;  /* of it, training steps waiting for their batches */
    double foreign; /* share of the machine that other processes used meanwhile */
    bool is_clean;
} nod_bench_sample;

/* Starts argv[0] (a path) and waits until it
 * is ready. On failure err has the worker's own words. */
int nod_bench_worker_start(nod_bench_worker *w, char *const argv[],
                           nod_error *err) NOD_MUST_CHECK;
/* One sample of n runs. Waits for a quiet machine first, at most *patience_s, and takes off
 * what it waited. */
int nod_bench_worker_sample(nod_bench_worker *w, int64_t n, double *patience_s,
                            nod_bench_sample *out, nod_error *err) NOD_MUST_CHECK;
void nod_bench_worker_stop(nod_bench_worker *w);

/* Runs a program n times to its end, silent: one sample, and the largest resident set that the
 * system can have seen (the starting process's own counts too, so it is an upper bound).
 * EINTERNAL with its last words if it fails. */
int nod_bench_program_sample(char *const argv[], int64_t n, double *patience_s,
                             nod_bench_sample *out, int64_t *peak_rss_bytes,
                             nod_error *err) NOD_MUST_CHECK;

#endif
