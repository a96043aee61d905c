/* test_select.c: rules on tags, and one series a study, over a scan made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/dicom/select.h"

/* Study 0: a localizer, a T1, a T2, a derived T1, a mask. Study 1: two mammograms. Study 2: a CT in
 * two stacks beside a screen shot of it. */
typedef struct made {
    size_t study;
    const char *modality, *description, *type;
    bool projection, capture;
    double echo_ms;
    int64_t n_slices;
} made;
static const made series[] = {
    {0, "MR", "LOC", "ORIGINAL\\PRIMARY\\LOCALIZER", false, false, 5, 3},
    {0, "MR", "AX T1", "ORIGINAL\\PRIMARY\\M", false, false, 10, 20},
    {0, "MR", "AX T2", "ORIGINAL\\PRIMARY\\M", false, false, 90, 25},
    {0, "MR", "AX T1 sum", "DERIVED\\SECONDARY", false, false, 10, 20},
    {0, "SEG", "tumour", "DERIVED\\PRIMARY", false, false, 10, 20},
    {1, "MG", "L CC", "ORIGINAL\\PRIMARY", true, false, 0, 1},
    {1, "MG", "R CC", "DERIVED\\PRIMARY", true, false, 0, 1},
    {2, "CT", "head", "ORIGINAL\\PRIMARY\\AXIAL", false, false, 0, 28},
    {2, "CT", "head", "ORIGINAL\\PRIMARY\\AXIAL", false, true, 0, 1},
};
enum { N = sizeof series / sizeof *series };

static nod_error err;
static nod_dicom_entry entries[N];
static nod_dicom_frame frames[N];
static nod_dicom_slice slices[N][32];
static nod_dicom_stack stacks[N];
static nod_dicom_series of_scan[N];
static nod_dicom_study studies[3];
static nod_dicom_scan scan;

static int make_scan(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++) {
        nod_dicom_header *h = &entries[i].header;
        nod_dicom_header_clear(h);
        nod_dicom_frame_clear(&frames[i]);
        h->frames = &frames[i];
        h->n_frames = 1;
        h->series_number = (int32_t)i + 1;
        h->rows = h->columns = 256;
        frames[i].echo_time_ms = series[i].echo_ms;
        snprintf(h->modality, sizeof h->modality, "%s", series[i].modality);
        snprintf(h->series_description, sizeof h->series_description, "%s",
                 series[i].description);
        snprintf(h->image_type, sizeof h->image_type, "%s", series[i].type);
        snprintf(h->sop_class, sizeof h->sop_class, "1.2.840.10008.5.1.4.1.1.%s",
                 series[i].capture ? "7" : "77.9");
        stacks[i] = (nod_dicom_stack){.projection = series[i].projection,
                                      .n_slices = series[i].n_slices,
                                      .n_phases = 1,
                                      .slices = slices[i]};
        of_scan[i] = (nod_dicom_series){.study = series[i].study,
                                        .first = i,
                                        .n = 1,
                                        .stacks = {.items = &stacks[i], .n = 1, .cap = 1}};
        nod_dicom_study *s = &studies[series[i].study];
        if (s->n++ == 0) s->first = i;
    }
    scan = (nod_dicom_scan){.entries = entries,
                            .n_entries = N,
                            .studies = studies,
                            .n_studies = 3,
                            .series = of_scan,
                            .n_series = N};
    return 0;
}

/* "1 5 6" for the chosen series, or the code of an error. */
static const char *choose(const char *const *rules, size_t n_rules, bool every)
{
    static char text[100];
    nod_dicom_choice c = {0};
    nod_strlist list = {.items = (char **)(void *)rules, .n = n_rules};
    text[0] = 0;
    int rc = nod_dicom_choose(&scan, n_rules ? &list : NULL, every, &c, &err);
    if (rc) {
        snprintf(text, sizeof text, "%s", nod_error_name(rc));
        return text;
    }
    for (size_t i = 0; i < c.n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%zu", i ? " " : "",
                 c.series[i]);
    if (c.n_without)
        snprintf(text + strlen(text), sizeof text - strlen(text), ", %zu without", c.n_without);
    nod_dicom_choice_done(&c);
    return text;
}
#define CHOOSE(...)                            \
    choose((const char *const[]){__VA_ARGS__}, \
           NOD_COUNT(((const char *const[]){__VA_ARGS__})), false)

static void test_one_of_a_study(void **state)
{
    (void)state;
    /* T1 and T2 remain after the localizer, the mask, and what is derived. */
    assert_string_equal(choose(NULL, 0, false), nod_error_name(NOD_EDATA));
    assert_non_null(strstr(err.message, "study 1 of 3: 2 series fit"));
    assert_non_null(strstr(err.message, "SeriesNumber=2 MR, 20 of 256x256; SeriesNumber=3 "
                                        "MR, 25 of 256x256"));
    assert_null(strstr(err.message, "AX T")); /* a description may name a patient */
    /* All mammograms of a study; the CT before its screen shot; the T1 before what is derived. */
    assert_string_equal(CHOOSE("SeriesDescription!~T2"), "1 5 6 7");
    assert_string_equal(CHOOSE("EchoTime>50"), "2, 2 without");
    assert_string_equal(CHOOSE("SeriesDescription~t1", "ImageType=DERIVED"), "3, 2 without");
    assert_string_equal(CHOOSE("modality=mg"), "5 6, 2 without");
    assert_string_equal(CHOOSE("Modality=CT", "Slices=1"), "8, 2 without");
    assert_string_equal(CHOOSE("SeriesNumber<=2"), "1, 2 without");
    assert_string_equal(CHOOSE("ImageType=LOCALIZER"), "0, 2 without");
    assert_string_equal(CHOOSE("KVP>=1"), ", 3 without"); /* absent: no number compares */
    assert_string_equal(CHOOSE("all"), "1 2 3 5 6 7 8");
    assert_string_equal(choose(NULL, 0, true), "1 2 3 5 6 7 8");
    assert_string_equal(CHOOSE("all", "Modality!=CT"), "1 2 3 5 6, 1 without");
}

static void test_rules_that_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *message;
    } bad[] = {
        {"SeriesDesription=T1", "did you mean 'SeriesDescription'?"},
        {"T1", "write NAME=VALUE"},
        {"=T1", "write NAME=VALUE"},
        {"SeriesDescription~(T1", "series rule 'SeriesDescription~(T1':"},
        {"Modality<3", "compare numbers"},
        {"Slices<many", "compare numbers"},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        assert_string_equal(CHOOSE("Modality=CT", bad[i].rule), nod_error_name(NOD_EINVAL));
        if (!strstr(err.message, bad[i].message)) fail_msg("%s", err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_a_study),
        cmocka_unit_test(test_rules_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, make_scan, NULL);
}
