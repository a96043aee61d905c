/* bench_workload.h: what `nodule bench` times: networks and shapes that peers have too, fed with
 * synthetic images through the same trainer and predictor that the verbs use; and files that are
 * read. The peers' side is bench/peers. */
#ifndef NOD_CLI_BENCH_WORKLOAD_H
#define NOD_CLI_BENCH_WORKLOAD_H

#include "backend/backend.h"
#include "base/log.h"
#include "cli/bench_reading.h"
#include "model/model.h"

/* A peer in one of its modes: bench/peers/SCRIPT WORKLOAD MODE. */
typedef struct nod_bench_peer {
    const char *script, *mode;
    bool has_bf16;
} nod_bench_peer;

#define NOD_BENCH_PEERS_MAX 4

typedef struct nod_bench_workload {
    const char *name;  /* "resnet18-step" */
    const char *title; /* for a person */
    bool is_training;
    bool is_kept;      /* training on images that stay in a cache: those of bench_cohort.h */
    bool has_bf16;     /* worth a row of its own where the processor has bf16 */
    int samples;       /* clean ones wanted of each side */
    double wanted_f32; /* ratio against the best peer that the project wants; 0: none set */
    double wanted_amx; /* the same in bf16 on a processor with AMX */
    const nod_bench_reading *reading; /* files; NULL: the network that follows */
    const char *network;              /* JSON description */
    nod_network_io io;
    int64_t batch;
    nod_bench_peer peers[NOD_BENCH_PEERS_MAX]; /* script NULL ends */
} nod_bench_workload;

const nod_bench_workload *nod_bench_workload_at(size_t i); /* NULL at the end */
const nod_bench_workload *nod_bench_workload_find(const char *name);

/* A workload made ready to run in this process. `files` is the folder that is read; NULL: one is made
 * and removed. */
typedef struct nod_bench_job nod_bench_job;
int nod_bench_job_new(const nod_bench_workload *w, nod_precision precision,
                      const nod_kernel_table *table, const char *files, const nod_log *log,
                      nod_bench_job **out, nod_error *err) NOD_MUST_CHECK;
/* One training step, the prediction of one batch, or all files read once. */
int nod_bench_job_run(nod_bench_job *job, nod_error *err) NOD_MUST_CHECK;
/* Seconds that training steps have waited for their batches so far; 0 for other workloads. */
double nod_bench_job_waited_s(const nod_bench_job *job);
/* Times each step of its plan, summed over `runs` runs. Not for files: they have no plan. */
int nod_bench_job_profile(nod_bench_job *job, int runs, nod_error *err) NOD_MUST_CHECK;
const nod_plan *nod_bench_job_plan(const nod_bench_job *job);
void nod_bench_job_free(nod_bench_job *job);

#endif
