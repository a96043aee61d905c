/* bench_reading.h: workloads that read image files: they are made once in a temporary folder, then
 * read into memory as floats, again and again. bench/peers/read_peers.py makes the same voxels. */
#ifndef NOD_CLI_BENCH_READING_H
#define NOD_CLI_BENCH_READING_H

#include "base/error.h"

typedef struct nod_bench_reading {
    /* Writes what is read into an empty folder. */
    int (*make)(const char *folder, nod_error *err);
    /* Reads all of it once. */
    int (*read)(const char *folder, nod_error *err);
} nod_bench_reading;

/* 256x256x180 voxels of int16, 1 mm, as volume.nii.gz. */
extern const nod_bench_reading nod_bench_reading_nifti;
/* 100 slices of 512x512 of a CT series, uncompressed, a file each. */
extern const nod_bench_reading nod_bench_reading_ct;
/* The headers of 10 000 files: 100 CT series of 100 slices of 16x16. */
extern const nod_bench_reading nod_bench_reading_tree;

#endif
