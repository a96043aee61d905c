/* bench_startup.h: what `nodule bench` needs to time `nodule predict` from start to end. */
#ifndef NOD_CLI_BENCH_STARTUP_H
#define NOD_CLI_BENCH_STARTUP_H

#include "base/error.h"

/* Writes the seed's network (Figure 4: 1000 inputs, 12 168 weights, random) as a model, and a
 * grey image of 25x40 pixels, which are its 1000 inputs, as a PNG. */
int nod_bench_write_figure4(const char *model_path, const char *image_path,
                            nod_error *err) NOD_MUST_CHECK;

#endif
