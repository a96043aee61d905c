/* bench_cohort.c: pictures of noise with a brighter square, and their training part. The cache lies in
 * the same folder. */
#include "cli/bench_cohort.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "data/layout.h"

#define IMAGES 256
#define SIDE   256

static int write_picture(const char *folder, int i, nod_image *im, nod_error *err)
{
    char name[32];
    uint8_t *v = im->data;
    nod_rng rng = nod_rng_make(0, NOD_RNG_TEST, (uint64_t)i);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            bool on = i % 2 && y > 100 && y < 156 && x > 100 && x < 156;
            v[y * SIDE + x] = (uint8_t)(y / 2 + (on ? 64 : 0) + (int)nod_rng_below(&rng, 32));
        }
    snprintf(name, sizeof name, "%03d.png", i);
    char *path = nod_path_join(folder, name);
    int rc = path ? nod_image_write_png(path, im, err) : nod_fail_memory(err, "a path", 256);
    nod_free(path);
    return rc;
}

static int index_pictures(const char *list, const char *cohort_path, nod_error *err)
{
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    nod_cohort *c = NULL;
    char *folder = nod_path_dir(cohort_path);
    o.folder = folder;
    int rc = folder ? nod_index(list, &o, &c, err) : nod_fail_memory(err, "a path", 256);
    if (!rc) rc = nod_cohort_write(c, cohort_path, err);
    nod_cohort_free(c);
    nod_free(folder);
    return rc;
}

static int make(const char *folder, nod_error *err)
{
    nod_image im = {0};
    nod_strbuf list = NOD_STRBUF_INIT;
    char *path = nod_path_join(folder, "manifest.csv");
    char *cohort = nod_path_join(folder, "cohort.csv");
    int rc = path && cohort ? nod_image_init(&im, 1, SIDE, SIDE, 1, NOD_SAMPLE_U8, err)
                            : nod_fail_memory(err, "a path", 256);
    nod_strbuf_add(&list, "path,label\n");
    for (int i = 0; i < IMAGES && !rc; i++) {
        nod_strbuf_printf(&list, "%03d.png,%s\n", i, i % 2 ? "yes" : "no");
        rc = write_picture(folder, i, &im, err);
    }
    if (!rc && list.failed) rc = nod_fail_memory(err, "a list", list.len);
    if (!rc) rc = nod_file_write(path, list.data, list.len, err);
    if (!rc) rc = index_pictures(path, cohort, err);
    nod_image_done(&im);
    nod_strbuf_done(&list);
    nod_free(path);
    nod_free(cohort);
    return rc;
}

int nod_bench_part_open(const char *folder, int64_t height, int64_t width, bool kept,
                        nod_bench_part *out, nod_error *err)
{
    int rc = 0;
    nod_bench_part p = {0};
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    const nod_dataset_options o = {
        .threads = nod_threads_get(), .cache = folder, .memory = kept ? 1 : SIZE_MAX};
    char *path = nod_path_join(folder, "cohort.csv");
    if (!path) return nod_fail_memory(err, "a path", 256);
    nod_contract_init(&p.contract, 2, 1, height, width);
    NOD_TRY(nod_cohort_read(path, &p.cohort, err));
    NOD_TRY(nod_split_make(p.cohort, &so, &p.split, err));
    NOD_TRY(nod_dataset_fit(p.cohort, p.split, &o, &p.contract, err));
    NOD_TRY(nod_dataset_open(p.cohort, p.split, NOD_PART_TRAIN, &p.contract, NULL, &o,
                             &p.dataset, err));
    *out = p;
    p = (nod_bench_part){0};
out:
    nod_bench_part_done(&p);
    nod_free(path);
    return rc;
}

void nod_bench_part_done(nod_bench_part *p)
{
    nod_dataset_done(&p->dataset);
    nod_split_free(p->split);
    nod_cohort_free(p->cohort);
    *p = (nod_bench_part){0};
}

static int read_warm(const char *folder, nod_error *err)
{
    nod_bench_part p;
    int rc = nod_bench_part_open(folder, 224, 224, false, &p, err);
    if (!rc) nod_bench_part_done(&p);
    return rc;
}

static int read_cold(const char *folder, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_list(folder, &names, err);
    for (size_t i = 0; i < names.n && !rc; i++) {
        const char *end = strrchr(names.items[i], '.');
        char *path =
            end && strcmp(end, ".pack") == 0 ? nod_path_join(folder, names.items[i]) : NULL;
        if (path) unlink(path);
        nod_free(path);
    }
    nod_strlist_done(&names);
    return rc ? rc : read_warm(folder, err);
}

const nod_bench_reading nod_bench_reading_cold = {make, read_cold};
const nod_bench_reading nod_bench_reading_warm = {make, read_warm};
