/* bench_cohort.h: a small cohort of pictures on the disk, opened as a training opens its training part:
 * with an empty cache, with one that holds all images, or left in the cache. */
#ifndef NOD_CLI_BENCH_COHORT_H
#define NOD_CLI_BENCH_COHORT_H

#include "cli/bench_reading.h"
#include "data/dataset.h"

typedef struct nod_bench_part {
    nod_cohort *cohort;
    nod_split *split;
    nod_contract contract;
    nod_dataset dataset;
} nod_bench_part;

/* Of a folder that nod_bench_reading_cold.make has filled; planes of this size. `kept`: images stay in
 * the cache, else they are in memory. */
int nod_bench_part_open(const char *folder, int64_t height, int64_t width, bool kept,
                        nod_bench_part *out, nod_error *err) NOD_MUST_CHECK;
void nod_bench_part_done(nod_bench_part *p);

/* 256 PNG files of 256x256: decoded, preprocessed to 224x224, written into the cache, mean and sd
 * fitted; and the same from the cache. */
extern const nod_bench_reading nod_bench_reading_cold, nod_bench_reading_warm;

#endif
