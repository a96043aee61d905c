/* bench_report.h: what `nodule bench` found: the samples of each side, their medians and ratios,
 * as one table for a person and as JSON. */
#ifndef NOD_CLI_BENCH_REPORT_H
#define NOD_CLI_BENCH_REPORT_H

#include "base/json.h"
#include "cli/bench_worker.h"

#define NOD_BENCH_SAMPLES_MAX 256

/* One side's samples: seconds for one run each. */
typedef struct nod_bench_times {
    double clean[NOD_BENCH_SAMPLES_MAX], noisy[NOD_BENCH_SAMPLES_MAX];
    int n_clean, n_noisy;
} nod_bench_times;

void nod_bench_times_add(nod_bench_times *t, double seconds, bool is_clean);
/* Of the clean samples; of all where fewer than three are clean. NaN without samples. */
double nod_bench_times_median(const nod_bench_times *t);
double nod_bench_times_min(const nod_bench_times *t);

/* One peer beside us: samples of both taken in turn. */
typedef struct nod_bench_pair {
    char name[96], missing[512]; /* missing: why there are no samples; "" if there are */
    nod_bench_times ours, peer;
    int64_t peak_rss_bytes;
} nod_bench_pair;

/* Peer's median over ours: how many times faster we are. NaN where a side is missing. */
double nod_bench_pair_ratio(const nod_bench_pair *p);

typedef struct nod_bench_row {
    const nod_bench_workload *workload; /* NULL: a program from start to end */
    const char *title;
    nod_precision precision;
    char missing[512];
    nod_bench_times ours; /* all samples, of every pair */
    nod_bench_times load; /* of a training step, waiting for its batch */
    int64_t peak_rss_bytes;
    double wanted;   /* ratio, 0 where none is set */
    double wanted_s; /* start-up rows: time and memory wanted */
    int64_t wanted_rss_bytes;
    nod_bench_pair *pairs[NOD_BENCH_PEERS_MAX]; /* owned */
    int n_pairs;
} nod_bench_row;

/* The pair with the smallest ratio: the best peer. NULL without one. */
const nod_bench_pair *nod_bench_row_best(const nod_bench_row *r);

typedef struct nod_bench_report {
    char processor[128];
    const char *isa;
    int threads;
    bool with_peers;
    char peers_absent[512]; /* why there are none; "" */
    nod_bench_row *rows;
    size_t n_rows, cap_rows;
} nod_bench_report;

/* Asks the machine for its name and instruction set. */
void nod_bench_report_init(nod_bench_report *r, int threads);
void nod_bench_report_done(nod_bench_report *r);
/* A new row at the end, zeroed; valid until the next one. NULL: no memory. */
nod_bench_row *nod_bench_report_add(nod_bench_report *r) NOD_MUST_CHECK;
void nod_bench_report_text(const nod_bench_report *r, nod_strbuf *out);
nod_json *nod_bench_report_json(const nod_bench_report *r);

#endif
