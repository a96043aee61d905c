/* cohort_maker.h: small cohorts in memory and small image files for the tests of data. */
#ifndef TESTS_DATA_COHORT_MAKER_H
#define TESTS_DATA_COHORT_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/cohort.h"
#include "imaging/image.h"
#include "temp_folder.h"

/* One case by what matters for grouping and splitting. */
typedef struct made_case {
    const char *label, *patient, *pixels; /* pixels: any word; equal words, equal pixels */
    nod_part official;
    bool constant;
} made_case;

static inline void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("'%s' not in: %s", part, text);
}

/* Classes "no" and "yes", which is the positive one; patients are declared. */
static inline nod_cohort_info made_info(const char *layout)
{
    static const char *const classes[] = {"no", "yes"};
    return (nod_cohort_info){.classes = classes,
                             .n_classes = 2,
                             .positive = 1,
                             .positive_origin = NOD_POSITIVE_DERIVED,
                             .grouping = NOD_GROUPING_DECLARED,
                             .layout = layout,
                             .source = "s"};
}

static inline nod_cohort *made_begin(const nod_cohort_info *info)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    if (nod_cohort_new(info, ".", &c, &err) != 0) fail_msg("%s", err.message);
    return c;
}

/* A file named as the case, of 2x3 samples. */
static inline nod_case made_file(const char *id)
{
    return (nod_case){.id = id,
                      .file = id,
                      .array = "",
                      .index = -1,
                      .official = NOD_PART_OUT,
                      .depth = 1,
                      .height = 2,
                      .width = 3,
                      .channels = 1,
                      .sample = "u8"};
}

/* Pixels like those of no other id. */
static inline void made_add(nod_cohort *c, nod_case k, const char *label)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_sha256_of(k.id, strlen(k.id), k.pixels, &err) != 0 ||
        nod_cohort_add(c, &k, label, &err) != 0)
        fail_msg("%s", err.message);
}

static inline nod_cohort *made_end(nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_cohort_finish(c, &err) != 0) fail_msg("%s", err.message);
    return c;
}

static inline nod_cohort *make_cohort_info(const nod_cohort_info *info, const made_case *cases,
                                           size_t n)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = made_begin(info);
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "c%zu", i);
        nod_case k = made_file(id);
        k.file = "a.npz";
        k.array = "images";
        k.index = (int64_t)i;
        k.patient = cases[i].patient ? cases[i].patient : "";
        k.official = cases[i].official;
        k.constant = cases[i].constant;
        char word[64];
        snprintf(word, sizeof word, "%s", cases[i].pixels ? cases[i].pixels : id);
        if (nod_sha256_of(word, strlen(word), k.pixels, &err) != 0 ||
            nod_cohort_add(c, &k, cases[i].label, &err) != 0)
            fail_msg("%s", err.message);
    }
    return made_end(c);
}

/* Patients are declared where a case has one. */
static inline nod_cohort *make_cohort(const made_case *cases, size_t n)
{
    nod_cohort_info info = made_info("manifest");
    info.grouping = NOD_GROUPING_NONE;
    for (size_t i = 0; i < n; i++)
        if (cases[i].patient) info.grouping = NOD_GROUPING_DECLARED;
    return make_cohort_info(&info, cases, n);
}

/* Grey level of a written image: another image for every seed below 65536. */
static inline uint8_t made_pixel(unsigned seed, int64_t y, int64_t x)
{
    if (y == 0 && x < 2) return (uint8_t)(x == 0 ? seed : seed >> 8);
    return (uint8_t)(seed * 16 + 7 * (unsigned)y + 3 * (unsigned)x);
}

/* Writes an 8-bit grey PNG of made_pixel, or of `seed` everywhere. */
static inline void write_png(const char *folder, const char *name, int64_t height,
                             int64_t width, unsigned seed, bool constant)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    char *path = nod_path_join(folder, name), *dir = nod_path_dir(path);
    if (nod_dir_make(dir, &err) != 0 ||
        nod_image_init(&im, 1, height, width, 1, NOD_SAMPLE_U8, &err) != 0)
        fail_msg("%s", err.message);
    uint8_t *v = im.data;
    NOD_ASSERT(v != NULL);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            v[y * width + x] = constant ? (uint8_t)seed : made_pixel(seed, y, x);
    if (nod_image_write_png(path, &im, &err) != 0) fail_msg("%s", err.message);
    nod_image_done(&im);
    free(path);
    free(dir);
}

static inline void write_text(const char *folder, const char *name, const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    char *path = nod_path_join(folder, name), *dir = nod_path_dir(path);
    if (nod_dir_make(dir, &err) != 0 || nod_file_write(path, text, strlen(text), &err) != 0)
        fail_msg("%s", err.message);
    free(path);
    free(dir);
}

#endif
