/* test_survey.c: what is in a folder of phantoms, pictures, a NIfTI file and broken files. Counts
 * follow from docs/formats/synth.md and from what is written here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "data/survey.h"
#include "data/synth.h"
#include "imaging/nifti/nifti.h"
#include "temp_folder.h"

#define SIZE     16
#define N_SLICES 6 /* of a head of 16 pixels: 3/8 */

static nod_error err;

static nod_survey *look(const char *const *paths, size_t n, const nod_survey_options *o)
{
    nod_survey *s = NULL;
    if (nod_survey_new(paths, n, o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

static nod_survey *look_at(const char *path, nod_survey_options o)
{
    return look(&path, 1, &o);
}

static void write_heads(const char *path, unsigned defects, uint64_t seed)
{
    nod_synth_options o = nod_synth_defaults(NOD_SYNTH_MR);
    o.n_patients = 4;
    o.images_per_patient = 1;
    o.size = SIZE;
    o.defects = defects;
    o.seed = seed;
    if (nod_synth_write(path, &o, NULL, &err) != 0) fail_msg("%s", err.message);
}

static void write_bytes(const char *folder, const char *name, const void *bytes, size_t n)
{
    char path[512];
    assert_int_equal(nod_file_write(temp_path(path, folder, name), bytes, n, &err), 0);
}

/* 4 x 3 pixels of 10, one of 250. */
static void write_picture(const char *folder, const char *name)
{
    char path[512];
    nod_image im = {0};
    assert_int_equal(nod_image_init(&im, 1, 3, 4, 1, NOD_SAMPLE_U8, &err), 0);
    memset(im.data, 10, 12);
    ((uint8_t *)im.data)[5] = 250;
    assert_int_equal(nod_image_write_png(temp_path(path, folder, name), &im, &err), 0);
    nod_image_done(&im);
}

static char *text_of(const nod_survey *s, size_t rows)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_survey_text(s, rows, &b);
    char *text = nod_strbuf_take(&b);
    assert_non_null(text);
    return text;
}

static char *json_of(const nod_survey *s)
{
    char *text = NULL;
    nod_json *j = nod_survey_json(s);
    assert_int_equal(nod_json_dump(j, true, &text, &err), 0);
    nod_json_free(j);
    return text;
}

static char *html_of(const nod_survey *s)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    assert_int_equal(nod_survey_html(s, &b, &err), 0);
    return nod_strbuf_take(&b);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

static void assert_narrow(const char *text)
{
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        if (n > 100) fail_msg("%zu columns: %.*s", n, (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* --- DICOM -------------------------------------------------------------------------------- */

static void test_series(void **state)
{
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    write_heads(temp_path(path, *state, "heads"), 0, 1);
    o.side = 64;
    nod_survey *s = look_at(temp_path(path, *state, "heads/dicom"), o);
    assert_int_equal(s->n_patients, 4);
    assert_int_equal(s->n_images, s->n_series);
    assert_int_equal(s->n_files, s->n_series * N_SLICES);
    assert_int_equal(s->n_dicom, s->n_files);
    assert_int_equal(s->n_problems, 0);
    assert_int_equal(nod_survey_check(s, &err), 0);
    for (size_t i = 0; i < s->n_images; i++) {
        const nod_survey_image *im = &s->images[i];
        assert_string_equal(im->facts.modality, "MR");
        assert_string_equal(im->coding, "explicit little endian");
        assert_int_equal(im->geometry.size[2], N_SLICES);
        assert_int_equal(im->n_files, N_SLICES);
        assert_true(im->is_measured);
        assert_int_equal(im->statistics.n, SIZE * SIZE * N_SLICES);
        assert_true(im->percentiles[0] <= im->percentiles[1]);
        assert_true(im->percentiles[2] <= im->statistics.max);
        assert_true(im->picture.size > 8 && memcmp(im->picture.data, "\x89PNG", 4) == 0);
        assert_true(im->picture_size[0] <= 64 && im->picture_size[1] <= 64);
        assert_int_equal(im->findings.n, 0);
        assert_int_equal(im->study, i + 1);
        assert_int_equal(im->series, i + 1);
    }
    nod_survey_free(s);
}

/* Findings refuse nothing here: the image is measured as it lies, and the policy is named. */
static void test_findings(void **state)
{
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    write_heads(temp_path(path, *state, "tilted"), 1u << NOD_SYNTH_TILT, 1);
    nod_survey *s = look_at(temp_path(path, *state, "tilted/dicom"), o);
    size_t n_tilted = 0;
    for (size_t i = 0; i < s->n_images; i++) {
        const nod_survey_image *im = &s->images[i];
        bool tilted = nod_findings_has(&im->findings, NOD_FINDING_GANTRY_TILT);
        n_tilted += tilted;
        assert_int_equal(nod_survey_is_usable(im), !tilted);
        /* Not straightened: that would add rows of padding. */
        assert_int_equal(im->statistics.n, SIZE * SIZE * N_SLICES);
        assert_int_equal(im->statistics.n_padding, 0);
    }
    assert_int_equal(n_tilted, 1);
    char *text = text_of(s, 0), *json = json_of(s), *html = html_of(s);
    assert_non_null(strstr(text, "gantry-tilt: 15.00 degrees"));
    assert_non_null(strstr(text, "gantry-tilt=shear"));
    assert_non_null(strstr(json, "\"shear\""));
    assert_non_null(strstr(html, "gantry-tilt=shear"));
    nod_free(text);
    nod_free(json);
    nod_free(html);
    nod_survey_free(s);
}

/* Ids, UIDs (below 2.25) and folders, in what is shown. */
static void test_identity(void **state)
{
    static const char *const secrets[] = {"p0001", "p0002", "PHANTOM", "2.25."};
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    temp_path(path, *state, "heads/dicom");
    for (int shown = 0; shown < 2; shown++) {
        o.show_ids = shown != 0;
        nod_survey *s = look_at(path, o);
        char *texts[] = {text_of(s, 0), json_of(s), html_of(s)};
        for (size_t t = 0; t < NOD_COUNT(texts); t++)
            for (size_t i = 0; i < NOD_COUNT(secrets); i++)
                if (!shown && strstr(texts[t], secrets[i]))
                    fail_msg("'%s' is in output %zu", secrets[i], t);
        for (size_t t = 0; shown && t < NOD_COUNT(texts); t++)
            assert_non_null(strstr(texts[t], "p0001"));
        for (size_t t = 0; t < NOD_COUNT(texts); t++)
            nod_free(texts[t]);
        nod_survey_free(s);
    }
}

/* The same tree twice has the same patients; another one has others. */
static void test_numbers(void **state)
{
    char a[512], b[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    o.headers_only = true;
    temp_path(a, *state, "heads/dicom");
    temp_path(b, *state, "heads/dicom/p0002");
    const char *paths[] = {a, b};
    nod_survey *alone = look(paths, 1, &o), *both = look(paths, 2, &o);
    assert_int_equal(both->n_patients, alone->n_patients);
    assert_int_equal(both->n_studies, alone->n_studies);
    assert_true(both->n_images > alone->n_images);
    assert_int_equal(both->images[alone->n_images].patient, 2);
    for (size_t i = 0; i < both->n_images; i++) {
        assert_false(both->images[i].is_measured);
        assert_int_equal(both->images[i].geometry.size[0], SIZE);
    }
    nod_survey_free(alone);
    nod_survey_free(both);
}

/* --- files -------------------------------------------------------------------------------- */

static void make_files(const char *folder)
{
    char path[512], name[64];
    nod_image im = {0};
    assert_int_equal(nod_dir_make(temp_path(path, folder, "files/yes"), &err), 0);
    assert_int_equal(nod_dir_make(temp_path(path, folder, "files/no"), &err), 0);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "files/yes/%d.png", i);
        write_picture(folder, name);
    }
    write_picture(folder, "files/no/only.png");
    write_bytes(folder, "files/no/broken.png", "\x89PNG\r\n\x1a\n and no more", 20);
    write_bytes(folder, "files/no/empty.nii", "", 0);
    write_bytes(folder, "files/no/wrong.dcm", "text", 4);
    write_bytes(folder, "files/no/notes.txt", "text", 4);
    assert_int_equal(nod_image_init_frames(&im, 5, 2, 3, 4, 1, NOD_SAMPLE_F32, &err), 0);
    im.geometry.space = NOD_SPACE_PATIENT;
    im.geometry.spacing_mm[2] = 2.5;
    ((float *)im.data)[7] = 1000;
    assert_int_equal(nod_nifti_write(temp_path(path, folder, "files/volume.nii.gz"), &im, &err),
                     0);
    nod_image_done(&im);
}

static void test_files(void **state)
{
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    make_files(*state);
    o.show_ids = true;
    nod_survey *s = look_at(temp_path(path, *state, "files"), o);
    assert_int_equal(s->n_files, 14);
    assert_int_equal(s->n_others, 10);
    assert_int_equal(s->n_problems, 3);
    assert_int_equal(s->n_unknown, 1);
    assert_int_equal(s->n_patients, 0);
    assert_int_equal(s->n_images, 10);
    const nod_survey_image *picture = &s->images[0], *volume = &s->images[1];
    assert_string_equal(picture->name, "no/only.png"); /* names are sorted */
    assert_true(picture->statistics.max == 250 && picture->statistics.mean == 30);
    assert_string_equal(volume->name, "volume.nii.gz");
    assert_string_equal(volume->format, "NIfTI");
    assert_int_equal(volume->frames, 5);
    assert_int_equal(volume->statistics.n, 120);
    assert_true(fabs(volume->geometry.spacing_mm[2] - 2.5) < 1e-6);

    char *text = text_of(s, 0), *json = json_of(s), *html = html_of(s);
    assert_narrow(text);
    assert_non_null(strstr(text, "yes/ (8)"));
    assert_non_null(strstr(text, "4x3x2 x5"));
    assert_non_null(strstr(text, "no/empty.nii: its first bytes are of no known format"));
    assert_int_equal(count(json, "\"format\": \"PNG\""), 9);
    assert_int_equal(count(html, "<figure"), 10);
    assert_int_equal(count(html, "<script"), 0);
    assert_non_null(strstr(html, "no/broken.png"));
    nod_free(text);
    nod_free(json);
    nod_free(html);
    nod_survey_free(s);
}

/* Files are numbers, and what is wrong with them is said without their names. */
static void test_files_without_names(void **state)
{
    static const char *const names[] = {"no/", "yes/", ".png", "volume", "empty.nii", "wrong"};
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    nod_survey *s = look_at(temp_path(path, *state, "files"), o);
    char *text = text_of(s, 0), *json = json_of(s), *html = html_of(s);
    for (size_t i = 0; i < NOD_COUNT(names); i++) {
        assert_null(strstr(text, names[i]));
        assert_null(strstr(json, names[i]));
        assert_null(strstr(html, names[i]));
    }
    assert_non_null(
        strstr(text, "files 4-11 (8)")); /* two before them, one broken among these */
    assert_non_null(strstr(text, "its first bytes are of no known format"));
    assert_int_equal(count(json, "\"number\": "), 10);
    nod_free(text);
    nod_free(json);
    nod_free(html);
    nod_survey_free(s);
}

static void test_nothing(void **state)
{
    char path[512];
    nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
    nod_survey *s = NULL;
    const char *absent = temp_path(path, *state, "absent");
    assert_int_equal(nod_survey_new(&absent, 1, &o, &s, &err), NOD_ENOENT);
    assert_null(s);

    s = look_at(temp_path(path, *state, "files/no/broken.png"), o);
    assert_int_equal(nod_survey_check(s, &err), NOD_EFORMAT);
    nod_survey_free(s);
    s = look_at(temp_path(path, *state, "files/no/notes.txt"), o);
    assert_int_equal(nod_survey_check(s, &err), NOD_EFORMAT);
    nod_survey_free(s);
    assert_int_equal(nod_dir_make(temp_path(path, *state, "void"), &err), 0);
    s = look_at(path, o);
    assert_int_equal(nod_survey_check(s, &err), NOD_EDATA);
    nod_survey_free(s);
}

/* Long names and numbers still fit. */
static void test_narrow(void **state)
{
    char folder[512], path[1024];
    nod_survey_options o = {.show_ids = true};
    nod_image im = {0};
    assert_int_equal(nod_image_init_frames(&im, 3000, 1, 3, 4, 1, NOD_SAMPLE_F32, &err), 0);
    im.geometry.space = NOD_SPACE_PATIENT;
    for (int a = 0; a < 3; a++)
        im.geometry.spacing_mm[a] = 0.000123456;
    for (int i = 0; i < 36000; i++)
        ((float *)im.data)[i] = (float)(-1.23456e-30 * i);
    assert_int_equal(nod_dir_make(temp_path(folder, *state, "long"), &err), 0);
    snprintf(path, sizeof path, "%s/%0200d.nii", folder, 0);
    if (nod_nifti_write(path, &im, &err) != 0) fail_msg("%s", err.message);
    nod_image_done(&im);
    nod_survey *s = look_at(folder, o);
    assert_int_equal(s->n_images, 1);
    char *text = text_of(s, 0);
    assert_narrow(text);
    assert_non_null(strstr(text, "..000"));
    nod_free(text);
    nod_survey_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series),   cmocka_unit_test(test_findings),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_files),    cmocka_unit_test(test_files_without_names),
        cmocka_unit_test(test_nothing),  cmocka_unit_test(test_narrow)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
