/* sealed_world.h: a small cohort of images on disk, its sealed split, and looks at it. */
#ifndef TESTS_DATA_SEALED_WORLD_H
#define TESTS_DATA_SEALED_WORLD_H

#include "cohort_maker.h"
#include "data/layout.h"
#include "data/split.h"

/* Without a cache, in memory. */
#define WITH_THREADS(n) (&(nod_dataset_options){.threads = (n)})

typedef struct sealed_world {
    char folder[512];
    nod_cohort *cohort;
    nod_split *split;
    nod_ledger *ledger;
} sealed_world;

/* 5x6 PNGs: n of "no" (i = 0 .. n-1) and n of "yes", pixels by i. */
static inline sealed_world sealed_world_make(const char *folder, const char *name, unsigned n)
{
    sealed_world w;
    nod_error err = NOD_ERROR_INIT;
    nod_index_options io = NOD_INDEX_OPTIONS_INIT;
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    char path[600];
    temp_path(w.folder, folder, name);
    for (unsigned i = 0; i < 2 * n; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s/%03u.png", i < n ? "no" : "yes", i);
        write_png(w.folder, file, 5, 6, i, false);
    }
    io.folder = w.folder;
    snprintf(path, sizeof path, "%s/ledger.sqlite", w.folder);
    if (nod_index(w.folder, &io, &w.cohort, &err) != 0 ||
        nod_split_make(w.cohort, &so, &w.split, &err) != 0 ||
        nod_ledger_open(path, NOD_LEDGER_CREATE, &w.ledger, &err) != 0 ||
        nod_split_seal(w.split, w.cohort, w.ledger, NULL, NULL, &err) != 0)
        fail_msg("%s", err.message);
    return w;
}

static inline void sealed_world_done(sealed_world *w)
{
    nod_ledger_close(w->ledger);
    nod_split_free(w->split);
    nod_cohort_free(w->cohort);
}

static inline nod_look *sealed_world_look(const sealed_world *w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    nod_look_run run = {.name = "run",
                        .hash = "00000000000000000000000000000000"
                                "00000000000000000000000000000000",
                        .made = nod_split_anchor(w->split)};
    nod_look_request q = {.split_hash = nod_split_hash(w->split),
                          .split_anchor = nod_split_anchor(w->split),
                          .runs = &run,
                          .n_runs = 1};
    if (nod_look_begin(w->ledger, &q, &k, &err) != 0) fail_msg("%s", err.message);
    return k;
}

#endif
