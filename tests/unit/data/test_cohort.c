/* test_cohort.c: making, writing and reading a cohort, and what may not be in one. */
#include "cohort_maker.h"
#include "data/cohort.h"
#include "data/cohort_label.h"
#include "data/groups.h"

static const made_case four[] = {
    {"no", "Meier, Eva", "a", NOD_PART_TRAIN, false},
    {"yes", "p\"2\"", "a", NOD_PART_TEST, false},
    {"no", "", "b", NOD_PART_VAL, true},
    {"yes", "Meier, Eva", "b", NOD_PART_TRAIN, true},
};

static void assert_same_cohort(const nod_cohort *a, const nod_cohort *b)
{
    const nod_cohort_info *x = nod_cohort_get_info(a), *y = nod_cohort_get_info(b);
    assert_int_equal(x->multilabel, y->multilabel);
    assert_int_equal(x->n_classes, y->n_classes);
    assert_int_equal(x->positive, y->positive);
    assert_int_equal(x->positive_origin, y->positive_origin);
    assert_int_equal(x->grouping, y->grouping);
    assert_string_equal(x->grouping_rule, y->grouping_rule);
    assert_string_equal(x->layout, y->layout);
    assert_string_equal(x->source, y->source);
    assert_memory_equal(x->policies, y->policies, sizeof *x->policies);
    assert_int_equal(nod_cohort_size(a), nod_cohort_size(b));
    for (size_t i = 0; i < nod_cohort_size(a); i++) {
        const nod_case *p = nod_cohort_get(a, i), *q = nod_cohort_get(b, i);
        assert_string_equal(p->id, q->id);
        assert_string_equal(p->file, q->file);
        assert_string_equal(p->array, q->array);
        assert_int_equal(p->index, q->index);
        assert_string_equal(p->patient, q->patient);
        assert_int_equal(p->official, q->official);
        assert_string_equal(p->pixels, q->pixels);
        assert_int_equal(p->width, q->width);
        assert_int_equal(p->channels, q->channels);
        assert_string_equal(p->sample, q->sample);
        assert_string_equal(p->files, q->files);
        assert_string_equal(p->study, q->study);
        assert_string_equal(p->series, q->series);
        assert_string_equal(p->modality, q->modality);
        assert_string_equal(p->orientation, q->orientation);
        assert_string_equal(p->oddities, q->oddities);
        assert_memory_equal(p->spacing_mm, q->spacing_mm, sizeof p->spacing_mm);
        assert_int_equal(p->frames, q->frames);
        assert_int_equal(p->constant, q->constant);
        for (size_t k = 0; k < x->n_classes; k++)
            assert_int_equal(nod_cohort_has_label(a, i, k), nod_cohort_has_label(b, i, k));
    }
    assert_string_equal(nod_cohort_hash(a), nod_cohort_hash(b));
}

static void test_round_trip(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    const char *const classes[] = {"no", "yes"};
    nod_cohort_info info = {.classes = classes,
                            .n_classes = 2,
                            .positive = 1,
                            .positive_origin = NOD_POSITIVE_DECLARED,
                            .grouping = NOD_GROUPING_DERIVED,
                            .grouping_rule = "^([^_]+)_",
                            .layout = "folder",
                            .source = "images"};
    nod_cohort *c = NULL, *back = NULL;
    assert_int_equal(nod_cohort_new(&info, *state, &c, &err), 0);
    for (size_t i = 0; i < 4; i++) {
        nod_case k = {.id = i == 0   ? "a"
                            : i == 1 ? "b-2"
                            : i == 2 ? "c.3"
                                     : "d_4",
                      .file = i == 1 ? "/abs/x.png" : "dir/\xc3\xa4 ,\"q\"\n.png",
                      .array = i == 3 ? "train_images" : "",
                      .index = i == 3 ? 5 : -1,
                      .patient = four[i].patient,
                      .official = four[i].official,
                      .depth = 4,
                      .height = 5,
                      .width = 6,
                      .channels = 3,
                      .sample = "u16",
                      .constant = i == 2};
        assert_int_equal(nod_sha256_of(&i, sizeof i, k.pixels, &err), 0);
        assert_int_equal(nod_cohort_add(c, &k, four[i].label, &err), 0);
    }
    assert_int_equal(nod_cohort_add_unreadable(
                         c, &(nod_unreadable){"u-12", "dir/bad.png", "cut short"}, &err),
                     0);
    assert_int_equal(nod_cohort_finish(c, &err), 0);
    temp_path(path, *state, "cohort.csv");
    if (nod_cohort_write(c, path, &err) != 0) fail_msg("%s", err.message);
    if (nod_cohort_read(path, &back, &err) != 0) fail_msg("%s", err.message);
    assert_same_cohort(c, back);
    assert_int_equal(nod_cohort_unreadable(back), 1);
    nod_unreadable u = nod_cohort_get_unreadable(back, 0);
    assert_string_equal(u.id, "u-12");
    assert_string_equal(u.file, "dir/bad.png");
    assert_string_equal(u.reason, "cut short");

    char want[600];
    char *got = nod_cohort_case_path(back, 0);
    snprintf(want, sizeof want, "%s/dir/\xc3\xa4 ,\"q\"\n.png", (const char *)*state);
    assert_string_equal(got, want);
    free(got);
    got = nod_cohort_case_path(back, 1);
    assert_string_equal(got, "/abs/x.png");
    free(got);
    assert_int_equal(nod_cohort_find(back, "c.3"), 2);
    assert_int_equal(nod_cohort_find(back, "nobody"), -1);

    /* Relative files would mean others from another folder. */
    nod_error e2 = NOD_ERROR_INIT;
    assert_int_equal(nod_cohort_write(c, "/tmp/nodule-elsewhere.csv", &e2), NOD_EINVAL);
    nod_cohort_free(back);
    nod_cohort_free(c);
}

/* Series of DICOM files: their names, places and policies come back; what is not known stays so. */
static void test_series_round_trip(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    const char *const classes[] = {"no", "yes"};
    nod_policies policies = nod_policies_preset();
    policies.of[NOD_FINDING_GANTRY_TILT] = NOD_POLICY_SHEAR;
    nod_cohort_info info = {.classes = classes,
                            .n_classes = 2,
                            .positive = 1,
                            .positive_origin = NOD_POSITIVE_DECLARED,
                            .grouping = NOD_GROUPING_DECLARED,
                            .layout = "dicom",
                            .source = ".",
                            .policies = &policies};
    nod_cohort *c = NULL, *back = NULL, *moved = NULL;
    nod_case k = {.id = "a",
                  .file = "ct",
                  .files = "1.dcm|sub/2.dcm|x.zip!/3",
                  .array = "",
                  .index = -1,
                  .patient = "P1",
                  .study = "1.2.3",
                  .series = "1.2.3.4",
                  .official = NOD_PART_OUT,
                  .frames = 5,
                  .depth = 3,
                  .height = 5,
                  .width = 6,
                  .channels = 1,
                  .sample = "f32",
                  .modality = "CT",
                  .spacing_mm = {0.48828125, 0.48828125, 1.0 / 3},
                  .orientation = "LPS",
                  .oddities = "gantry-tilt;lossy",
                  .constant = true};
    k.spacing_mm[2] = 0.333333333; /* as many digits as are written */
    memset(k.pixels, 'a', sizeof k.pixels - 1);
    assert_int_equal(nod_cohort_new(&info, *state, &c, &err), 0);
    assert_int_equal(nod_cohort_add(c, &k, "no", &err), 0);
    k = (nod_case){.id = "b",
                   .file = "b.png",
                   .array = "",
                   .index = -1,
                   .patient = "",
                   .official = NOD_PART_OUT,
                   .depth = 1,
                   .height = 5,
                   .width = 6,
                   .channels = 1,
                   .sample = "u8"};
    memset(k.pixels, 'b', sizeof k.pixels - 1);
    assert_int_equal(nod_cohort_add(c, &k, "yes", &err), 0);
    assert_int_equal(nod_cohort_finish(c, &err), 0);
    snprintf(path, sizeof path, "%s/cohort.csv", (char *)*state);
    assert_int_equal(nod_cohort_write(c, path, &err), 0);
    assert_int_equal(nod_cohort_read(path, &back, &err), 0);
    assert_same_cohort(c, back);
    assert_string_equal(nod_cohort_get(back, 0)->oddities, "gantry-tilt;lossy");
    assert_int_equal(nod_cohort_get(back, 1)->frames, 1);

    /* A study is what a split depends on. */
    k.study = "1.2.3";
    assert_int_equal(nod_cohort_new(&info, *state, &moved, &err), 0);
    k.id = "a";
    assert_int_equal(nod_cohort_add(moved, &k, "no", &err), 0);
    k.id = "b";
    assert_int_equal(nod_cohort_add(moved, &k, "yes", &err), 0);
    assert_int_equal(nod_cohort_finish(moved, &err), 0);
    assert_string_not_equal(nod_cohort_hash(moved), nod_cohort_hash(c));

    /* What cannot be. */
    k.id = "c";
    k.spacing_mm[0] = 1;
    assert_int_equal(nod_cohort_add(c, &k, "no", &err), NOD_EINVAL);
    k.spacing_mm[1] = k.spacing_mm[2] = 1;
    k.orientation = "LPX";
    assert_int_equal(nod_cohort_add(c, &k, "no", &err), NOD_EINVAL);
    k.orientation = "RAS";
    k.array = "images";
    k.index = 0;
    k.files = "1|2";
    assert_int_equal(nod_cohort_add(c, &k, "no", &err), NOD_EINVAL);
    nod_cohort_free(c);
    nod_cohort_free(back);
    nod_cohort_free(moved);
}

static void test_multilabel_round_trip(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    const char *const classes[] = {"mass", "nodule", "effusion"};
    nod_cohort_info info = {
        .multilabel = true, .classes = classes, .n_classes = 3, .positive = -1};
    const char *const labels[] = {"", "nodule", "mass|effusion", "mass|nodule|effusion"};
    made_case cases[4];
    for (size_t i = 0; i < 4; i++)
        cases[i] = (made_case){.label = labels[i], .official = NOD_PART_OUT};
    nod_cohort *c = make_cohort_info(&info, cases, 4), *back = NULL;
    temp_path(path, *state, "multi.csv");
    /* made for "."; absolute base of this test */
    nod_cohort_free(c);
    assert_int_equal(nod_cohort_new(&info, *state, &c, &err), 0);
    for (size_t i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof id, "m%zu", i);
        nod_case k = {.id = id,
                      .file = "a.npz",
                      .array = "images",
                      .index = (int64_t)i,
                      .patient = "",
                      .official = NOD_PART_OUT,
                      .depth = 1,
                      .height = 2,
                      .width = 2,
                      .channels = 1,
                      .sample = "f32"};
        assert_int_equal(nod_sha256_of(id, strlen(id), k.pixels, &err), 0);
        assert_int_equal(nod_cohort_add(c, &k, labels[i], &err), 0);
    }
    nod_case bad = {.id = "x",
                    .file = "f",
                    .array = "",
                    .index = -1,
                    .patient = "",
                    .depth = 1,
                    .height = 1,
                    .width = 1,
                    .channels = 1,
                    .sample = "u8"};
    memset(bad.pixels, '0', 64);
    assert_int_equal(nod_cohort_add(c, &bad, "mass|mass", &err), NOD_EINVAL);
    assert_int_equal(nod_cohort_add(c, &bad, "mass|", &err), NOD_EINVAL);
    assert_int_equal(nod_cohort_add(c, &bad, "mas", &err), NOD_EINVAL);
    expect_in(err.message, "did you mean 'mass'");
    assert_int_equal(nod_cohort_finish(c, &err), 0);
    if (nod_cohort_write(c, path, &err) != 0) fail_msg("%s", err.message);
    if (nod_cohort_read(path, &back, &err) != 0) fail_msg("%s", err.message);
    assert_same_cohort(c, back);
    assert_true(nod_cohort_has_label(back, 2, 0));
    assert_false(nod_cohort_has_label(back, 2, 1));
    assert_true(nod_cohort_has_label(back, 2, 2));
    nod_cohort_free(c);
    nod_cohort_free(back);
}

#define META                                                                                 \
    "{\"format\":\"nodule-cohort\",\"version\":1,\"nodule\":\"0\",\"multilabel\":false,"     \
    "\"classes\":[\"no\",\"yes\"],\"positive\":{\"class\":\"yes\",\"origin\":\"derived\"},"  \
    "\"grouping\":{\"kind\":\"none\",\"rule\":\"\"},\"layout\":\"folder\",\"source\":\".\"," \
    "\"unreadable\":[]}"
#define HEADER                                                                          \
    "id,file,array,index,label,patient,part,depth,height,width,channels,sample,pixels," \
    "findings\n"
#define P1    "1111111111111111111111111111111111111111111111111111111111111111"
#define P2    "2222222222222222222222222222222222222222222222222222222222222222"
#define ROW_1 "a,x.png,,,no,,train,1,2,2,1,u8," P1 ",\n"
#define ROW_2 "b,y.png,,,yes,,test,1,2,2,1,u8," P2 ",\n"

static int parse(const char *csv, const char *meta, nod_error *err)
{
    nod_cohort *c = NULL;
    int rc = nod_cohort_parse(csv, strlen(csv), meta, strlen(meta), "cohort.csv", &c, err);
    assert_int_equal(c != NULL, rc == 0);
    nod_cohort_free(c);
    return rc;
}

static void test_bad_files_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *csv, *meta;
        int rc;
        const char *text;
    } bad[] = {
        {HEADER ROW_1 ROW_2, META, 0, ""},
        {HEADER ROW_1 "b,y.png,,,maybe,,,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT,
         "cohort.csv:3: the label is not a class"},
        {HEADER ROW_1 "b,y.png,,,yes,,exam,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT,
         "cohort.csv:3: column part: is not train"},
        {HEADER ROW_1 "b,y.png,,,yes,,,1,2,two,1,u8," P2 ",\n", META, NOD_EFORMAT,
         "column width"},
        {HEADER ROW_1 "b,y.png,,,yes,,,1,2,0,1,u8," P2 ",\n", META, NOD_EFORMAT,
         "out of range"},
        {HEADER ROW_1 "b,y.png,,,yes,,,1,2,2,9,u8," P2 ",\n", META, NOD_EFORMAT, "channels"},
        {HEADER ROW_1 "b,y.png,,,yes,,,1,2,2,1,f64," P2 ",\n", META, NOD_EFORMAT,
         "sample type is not u8"},
        {HEADER ROW_1 "b,y.png,,,yes,,,1,2,2,1,u8,22,\n", META, NOD_EFORMAT, "64 hex"},
        {HEADER ROW_1 "b,y.png,,4,yes,,,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT, "index"},
        {HEADER ROW_1 "b,y.npz,im,-4,yes,,,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT, "index"},
        {HEADER ROW_1 "Eva Meier,y.png,,,yes,,,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT,
         "case id"},
        {HEADER ROW_1 "b,,,,yes,,,1,2,2,1,u8," P2 ",\n", META, NOD_EFORMAT, "name is empty"},
        {HEADER ROW_1 "a,y.png,,,yes,,,1,2,2,1,u8," P2 ",\n", META, NOD_EDATA,
         "case id 'a' stands twice"},
        {HEADER ROW_1, META, NOD_EDATA, "class 'yes' has no case"},
        {HEADER, META, NOD_EDATA, "no cases"},
        {"id,file\na,b\n", META, NOD_EFORMAT, "column 'array' is missing"},
        {"", META, NOD_EFORMAT, "cohort.csv"},
        {HEADER ROW_1 ROW_2, "", NOD_EFORMAT, "cohort.csv.json"},
        {HEADER ROW_1 ROW_2, "[]", NOD_EFORMAT, "cohort.csv.json"},
        {HEADER ROW_1 ROW_2, "{\"format\":\"nodule-cohort\",\"version\":2}", NOD_EUNSUPPORTED,
         "version 2"},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_error err = NOD_ERROR_INIT;
        int rc = parse(bad[i].csv, bad[i].meta, &err);
        if (rc != bad[i].rc) fail_msg("row %zu: %d, %s", i, rc, err.message);
        expect_in(err.message, bad[i].text);
    }
}

static void test_unknown_column_and_key(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    char csv[1024], meta[1024];
    snprintf(csv, sizeof csv, "%s", HEADER ROW_1 ROW_2);
    *strstr(csv, "ings") = 'l'; /* "findlngs" */
    assert_int_equal(parse(csv, META, &err), NOD_EFORMAT);
    snprintf(meta, sizeof meta, "%.*s,\"more\":1}", (int)strlen(META) - 1, META);
    assert_int_equal(parse(HEADER ROW_1 ROW_2, meta, &err), NOD_EFORMAT);
    expect_in(err.message, "unknown key 'more'");
}

static void test_missing_sidecar(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    write_text(*state, "alone.csv", HEADER ROW_1 ROW_2);
    temp_path(path, *state, "alone.csv");
    assert_int_equal(nod_cohort_read(path, &c, &err), NOD_ENOENT);
    expect_in(err.message, "alone.csv.json");
    temp_path(path, *state, "nothing.csv");
    assert_int_equal(nod_cohort_read(path, &c, &err), NOD_ENOENT);
    assert_null(c);
}

/* The hash covers what a split depends on, and no paths: a cohort may move. */
static void test_hash(void **state)
{
    (void)state;
    made_case cases[4];
    memcpy(cases, four, sizeof cases);
    nod_cohort *a = make_cohort(cases, 4), *b;
    b = make_cohort(cases, 4);
    assert_string_equal(nod_cohort_hash(a), nod_cohort_hash(b));
    nod_cohort_free(b);
    for (int what = 0; what < 5; what++) {
        memcpy(cases, four, sizeof cases);
        if (what == 0) cases[3].label = "no";
        if (what == 1) cases[3].patient = "other";
        if (what == 2) cases[3].pixels = "other";
        if (what == 3) cases[3].official = NOD_PART_TEST;
        if (what == 4) cases[3].constant = false;
        b = make_cohort(cases, 4);
        assert_string_not_equal(nod_cohort_hash(a), nod_cohort_hash(b));
        nod_cohort_free(b);
    }
    nod_cohort_free(a);
}

static void test_groups(void **state)
{
    (void)state;
    const made_case cases[] = {
        {"no", "p1", "a", NOD_PART_OUT, false},  /* 0: with 3 by pixels, 5 by patient */
        {"no", "p2", "b", NOD_PART_OUT, false},  /* 1: alone */
        {"no", NULL, "k", NOD_PART_OUT, true},   /* 2: constant, so not with 4 */
        {"yes", "p3", "a", NOD_PART_OUT, false}, /* 3: contradicts 0 */
        {"yes", NULL, "k", NOD_PART_OUT, true},  /* 4 */
        {"yes", "p1", "c", NOD_PART_OUT, false}, /* 5 */
        {"yes", "p3", "d", NOD_PART_OUT, false}, /* 6: by patient with 3, so with all of them */
        {"yes", NULL, "e", NOD_PART_OUT, false}, /* 7: equal to 8, same label */
        {"yes", NULL, "e", NOD_PART_OUT, false}, /* 8 */
    };
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = make_cohort(cases, NOD_COUNT(cases));
    nod_groups g;
    assert_int_equal(nod_groups_make(c, NULL, 0, &g, &err), 0);
    static const size_t group[] = {0, 1, 2, 0, 3, 0, 0, 4, 4};
    static const size_t twin[] = {0, 1, 2, 0, 4, 5, 6, 7, 7};
    static const bool contradictory[] = {true,  false, false, true, false,
                                         false, false, false, false};
    assert_int_equal(g.n_groups, 5);
    assert_memory_equal(g.group, group, sizeof group);
    assert_memory_equal(g.twin, twin, sizeof twin);
    assert_memory_equal(g.contradictory, contradictory, sizeof contradictory);
    nod_groups_done(&g);
    nod_cohort_findings f;
    assert_int_equal(nod_cohort_find_all(c, &f, &err), 0);
    assert_int_equal(f.constant, 2);
    assert_int_equal(f.duplicate_sets, 2);
    assert_int_equal(f.duplicate_cases, 4);
    assert_int_equal(f.contradictory_sets, 1);
    assert_int_equal(f.contradictory_cases, 2);
    assert_int_equal(f.patients, 3);
    assert_int_equal(f.without_patient, 4);
    nod_cohort_free(c);
}

/* Masks, keys and facts come back; what is nowhere known has no column. */
static void test_segmentation_round_trip(void **state)
{
    static const char *const classes[] = {"background", "anterior", "posterior"};
    const nod_cohort_info info = {.segmentation = true,
                                  .classes = classes,
                                  .n_classes = 3,
                                  .positive = -1,
                                  .unit = NOD_LEVEL_STUDY,
                                  .label_level = NOD_LEVEL_PATIENT,
                                  .phi = true,
                                  .layout = "manifest",
                                  .source = "s"};
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL, *back = NULL;
    char *path = nod_path_join(*state, "segmentation.csv");
    nod_case k = {.id = "a",
                  .file = "a.nii",
                  .array = "",
                  .index = -1,
                  .mask = "a_mask.nii",
                  .patient = "H1^7",
                  .other_ids = "H1^8|H2^9",
                  .person = "0123456789abcdef",
                  .study = "1.2",
                  .frame_of_reference = "1.3",
                  .official = NOD_PART_OUT,
                  .depth = 1,
                  .height = 2,
                  .width = 3,
                  .channels = 1,
                  .sample = "u8"};
    k.facts[NOD_FACT_SITE] = "North, 2nd floor";
    k.facts[NOD_FACT_AGE] = "61.5";
    memset(k.pixels, 'a', sizeof k.pixels - 1);
    memset(k.mask_pixels, 'b', sizeof k.mask_pixels - 1);
    assert_int_equal(nod_cohort_new(&info, *state, &c, &err), 0);
    assert_int_equal(nod_cohort_add(c, &k, "background", &err), NOD_EINVAL);
    expect_in(err.message, "a segmentation has masks, not labels");
    assert_int_equal(nod_cohort_add(c, &k, "", &err), 0);
    k.mask = "";
    assert_int_equal(nod_cohort_add(c, &k, "", &err), NOD_EINVAL);
    expect_in(err.message, "has a mask and its hash");
    k.mask = "a_mask.nii";
    k.facts[NOD_FACT_DATE] = "2023-02-29";
    assert_int_equal(nod_cohort_add(c, &k, "", &err), NOD_EINVAL);
    expect_in(err.message, "date: a value is not a day");
    assert_int_equal(nod_cohort_add_exclusion(c, "no mask", 2, &err), 0);
    assert_int_equal(nod_cohort_add_exclusion(c, "no mask", 1, &err), 0);
    assert_int_equal(nod_cohort_finish(c, &err), 0);
    if (nod_cohort_write(c, path, &err) != 0) fail_msg("%s", err.message);
    if (nod_cohort_read(path, &back, &err) != 0) fail_msg("%s", err.message);
    const nod_cohort_info *got = nod_cohort_get_info(back);
    const nod_case *b = nod_cohort_get(back, 0);
    assert_true(got->segmentation && got->phi);
    assert_int_equal(got->unit, NOD_LEVEL_STUDY);
    assert_int_equal(got->label_level, NOD_LEVEL_PATIENT);
    assert_string_equal(b->mask, "a_mask.nii");
    assert_string_equal(b->mask_pixels, k.mask_pixels);
    assert_string_equal(b->other_ids, "H1^8|H2^9");
    assert_string_equal(b->person, "0123456789abcdef");
    assert_string_equal(b->frame_of_reference, "1.3");
    assert_string_equal(b->facts[NOD_FACT_SITE], "North, 2nd floor");
    assert_string_equal(b->facts[NOD_FACT_AGE], "61.5");
    assert_string_equal(b->facts[NOD_FACT_SEX], "");
    assert_string_equal(nod_cohort_hash(back), nod_cohort_hash(c));
    const char *reason;
    size_t n;
    assert_int_equal(nod_cohort_exclusions(back), 1);
    nod_cohort_get_exclusion(back, 0, &reason, &n);
    assert_string_equal(reason, "no mask");
    assert_int_equal(n, 3);
    nod_bytes csv = {0};
    assert_int_equal(nod_file_read(path, 1 << 20, &csv, &err), 0);
    assert_null(strstr((const char *)csv.data, "sex"));
    nod_bytes_done(&csv);
    nod_cohort_free(c);
    nod_cohort_free(back);
    free(path);
}

/* A case by its keys alone. */
static void add_keyed(nod_cohort *c, size_t i, const char *patient, const char *other,
                      const char *study, const char *person, const char *frame)
{
    char id[32];
    snprintf(id, sizeof id, "k%zu", i);
    nod_case k = made_file(id);
    k.patient = patient;
    k.other_ids = other;
    k.study = study;
    k.person = person;
    k.frame_of_reference = frame;
    made_add(c, k, i % 2 ? "yes" : "no");
}

static void test_groups_by_keys(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    const nod_cohort_info info = made_info("dicom");
    nod_cohort *c = made_begin(&info);
    add_keyed(c, 0, "H1^7", "", "1.1", "", "");
    add_keyed(c, 1, "H2^7", "", "1.2", "", "");      /* the same number, another hospital */
    add_keyed(c, 2, "H1^7", "", "1.3", "", "");      /* another study of 0 */
    add_keyed(c, 3, "H1^88", "H1^7", "1.4", "", ""); /* a merged record: 0 by another id */
    add_keyed(c, 4, "", "", "1.2", "", "");          /* no id, the study of 1 */
    add_keyed(c, 5, "REMOVED", "", "1.5", "", "");   /* dummies are nobody */
    add_keyed(c, 6, "removed", "", "1.6", "p", "");
    add_keyed(c, 7, "REMOVED", "", "1.7", "p", "");    /* a suspect, not joined */
    add_keyed(c, 8, "", "H2^5|H1^88", "1.8", "", "f"); /* 3 by the second of its other ids */
    add_keyed(c, 9, "H3^1", "", "1.9", "p", "f");
    assert_int_equal(nod_cohort_finish(c, &err), 0);
    nod_groups g;
    static const size_t group[] = {0, 1, 0, 0, 1, 2, 3, 4, 0, 5};
    assert_int_equal(nod_groups_make(c, NULL, 0, &g, &err), 0);
    assert_int_equal(g.n_groups, 6);
    assert_memory_equal(g.group, group, sizeof group);
    nod_suspects s;
    assert_int_equal(nod_suspects_find(c, &g, &s, &err), 0);
    static const nod_suspect expected[] = {{{6, 7}, NOD_SUSPECT_PERSON},
                                           {{6, 9}, NOD_SUSPECT_PERSON},
                                           {{8, 9}, NOD_SUSPECT_FRAME}};
    assert_int_equal(s.n, NOD_COUNT(expected));
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.items[i].cases.i, expected[i].cases.i);
        assert_int_equal(s.items[i].cases.j, expected[i].cases.j);
        assert_int_equal(s.items[i].why, expected[i].why);
    }
    nod_suspects_done(&s);
    nod_groups_done(&g);
    const nod_case_pair near[] = {{1, 5}};
    assert_int_equal(nod_groups_make(c, near, 1, &g, &err), 0);
    assert_int_equal(g.n_groups, 5);
    assert_int_equal(g.group[5], g.group[1]);
    nod_groups_done(&g);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segmentation_round_trip),
        cmocka_unit_test(test_groups_by_keys),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_series_round_trip),
        cmocka_unit_test(test_multilabel_round_trip),
        cmocka_unit_test(test_bad_files_name_the_place),
        cmocka_unit_test(test_unknown_column_and_key),
        cmocka_unit_test(test_missing_sidecar),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
