/* test_nifti.c: NIfTI files decode to what nibabel reads from them, odd ones have their finding,
 * bad ones are refused, and what is written reads back equal.
 *
 * Golden files and expected numbers: tools/oracles/nifti.py (nibabel 5.4.2). Values are equal
 * after rounding to floats, affines within 1e-5 of the largest entry (headers keep floats). */
#include "imaging/gzip.h"
#include "imaging/nifti/nifti.h"
#include "volume_checks.h"

#define GOLDEN "tests/golden/nifti/"

static void test_golden_files(void **state)
{
    size_t n_placed;
    (void)state;
    assert_int_equal(check_golden_folder(GOLDEN, NOD_WORLD_RAS, &n_placed), 44);
    assert_int_equal(n_placed, 44);
}

/* --- odd and bad headers ----------------------------------------------------------------------- */

/* What a change of a good file must lead to. */
typedef struct change {
    const char *what;
    size_t at, n; /* bytes that are replaced ... */
    const char
        *bytes;  /* ... by these; NULL: the file is cut to `at` bytes, or lengthened by n */
    int rc;      /* under the preset policies */
    int finding; /* -1: none */
    const char *message; /* part of it */
} change;

#define NONE (-1)
/* float32 in little endian */
#define F_NAN  "\x00\x00\xc0\x7f"
#define F_ZERO "\0\0\0\0"
#define F_ONE  "\x00\x00\x80\x3f"
#define F_TWO  "\x00\x00\x00\x40"

/* Offsets: nifti1.h. The file is sform_only.nii: uint8, 5 x 4 x 3, sform_code 2, qform_code 0. */
static const change changes[] = {
    {"whole", 0, 0, "", 0, NONE, ""},
    {"100 bytes", 100, 0, NULL, NOD_EFORMAT, NONE, "header has 100 of 348 bytes"},
    {"header alone", 348, 0, NULL, NOD_EFORMAT, NONE, "need 60 bytes from byte 352"},
    {"one byte less", 411, 0, NULL, NOD_EFORMAT, NONE, "the file ends at 411"},
    {"ten bytes more", 412, 10, NULL, 0, NOD_FINDING_TRAILING_BYTES, ""},
    {"sizeof_hdr", 0, 1, "\x5d", NOD_EFORMAT, NONE, "not an image of a known format"},
    {"magic", 344, 1, "x", NOD_EFORMAT, NONE, "wrong magic"},
    {"no magic", 344, 4, "\0\0\0\0", NOD_EUNSUPPORTED, NONE, "Analyze 7.5"},
    {"magic of a pair", 344, 4, "ni1", NOD_EFORMAT, NONE, "does not end in .hdr"},
    {"dim[0] = 0", 40, 2, "\0\0", NOD_EFORMAT, NONE, "dim[0] is 0"},
    {"dim[0] = 9", 40, 2, "\x09\0", NOD_EFORMAT, NONE, "dim[0] is 9"},
    {"dim[1] = -5", 42, 2, "\xfb\xff", NOD_EFORMAT, NONE, "dim[1] is -5"},
    {"dim[2] = 0", 44, 2, "\0\0", NOD_EFORMAT, NONE, "dim[2] is 0"},
    {"huge", 42, 6, "\xff\x7f\xff\x7f\xff\x7f", NOD_ELIMIT, NONE, "the limits are"},
    {"two axes more", 40, 16, "\x07\0\5\0\4\0\3\0\2\0\2\0\1\0\1\0", NOD_EUNSUPPORTED, NONE,
     "dim[5] is 2 beside another"},
    {"datatype 77", 70, 2, "\x4d\0", NOD_EFORMAT, NONE, "datatype 77"},
    {"complex", 70, 4, "\x20\0\x40\0", NOD_EUNSUPPORTED, NONE, "complex64"},
    {"bitpix", 72, 2, "\x10\0", NOD_EDATA, NOD_FINDING_HEADER_CONFLICT, "bitpix is 16"},
    {"offset NaN", 108, 4, F_NAN, NOD_EFORMAT, NONE, "vox_offset is nan"},
    {"offset -352", 108, 4, "\x00\x00\xb0\xc3", NOD_EFORMAT, NONE, "vox_offset is -352"},
    {"offset 352.5", 108, 4, "\x00\x40\xb0\x43", NOD_EFORMAT, NONE, "vox_offset is 352.5"},
    {"offset in the header", 108, 4, "\x00\x00\x80\x43", NOD_EFORMAT, NONE,
     "inside the header"},
    {"offset beyond", 108, 4, "\x28\x6b\x6e\x4e", NOD_EFORMAT, NONE, "cut off"},
    {"slope 0", 112, 8, F_ZERO F_TWO, 0, NONE, ""},
    {"slope NaN", 112, 8, F_NAN F_TWO, 0, NONE, ""},
    {"inter NaN", 112, 8, F_TWO F_NAN, NOD_EFORMAT, NONE, "scl_inter is nan"},
    {"pixdim[1] = 0", 80, 4, F_ZERO, NOD_EDATA, NOD_FINDING_BAD_SPACING, "pixdim is 0 x 1.5"},
    {"pixdim[1] NaN", 80, 4, F_NAN, NOD_EDATA, NOD_FINDING_BAD_SPACING, "pixdim is nan"},
    {"no forms", 252, 4, "\0\0\0\0", 0, NOD_FINDING_NO_ORIENTATION, ""},
    {"singular sform", 280, 16, F_ZERO F_ZERO F_ZERO F_ZERO, NOD_EDATA, NOD_FINDING_BAD_SPACING,
     "one plane"},
    {"sform NaN", 284, 4, F_NAN, NOD_EDATA, NOD_FINDING_BAD_SPACING, "not finite"},
    {"sheared", 280, 4, F_TWO, NOD_EDATA, NOD_FINDING_SHEARED, "cosine between two axes"},
    {"qform too", 252, 16, "\1\0\2\0" F_ZERO F_ZERO F_ZERO, 0, NOD_FINDING_FORMS_DIFFER, ""},
};

static nod_bytes read_golden(const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    nod_bytes b;
    temp_path(path, GOLDEN, name);
    if (nod_file_read(path, 1 << 20, &b, &err) != 0) fail_msg("%s", err.message);
    return b;
}

/* In memory of the exact size, so that AddressSanitizer sees a read past its end. */
static uint8_t *apply(const change *c, const nod_bytes *good, size_t *size)
{
    *size = c->bytes ? good->size : c->at + c->n;
    uint8_t *b = nod_calloc(*size, 1);
    memcpy(b, good->data, NOD_MIN(*size, good->size));
    if (c->bytes) memcpy(b + c->at, c->bytes, c->n);
    return b;
}

static void check_change(const change *c, const char *folder, const uint8_t *b, size_t size,
                         const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_findings f = {0};
    nod_image im = {0};
    char path[512];
    temp_path(path, folder, name);
    assert_int_equal(nod_file_write(path, b, size, &err), 0);
    int rc = nod_image_read(path, NULL, &f, &im, &err);
    if (rc != c->rc) fail_msg("%s: %d, not %d: %s", c->what, rc, c->rc, err.message);
    if (rc) {
        assert_null(im.data);
        if (!strstr(err.message, name)) fail_msg("%s: no name in: %s", c->what, err.message);
        if (!strstr(err.message, c->message)) fail_msg("%s: %s", c->what, err.message);
    }
    assert_int_equal(f.n, c->finding == NONE ? 0 : 1);
    if (c->finding != NONE) assert_int_equal(f.items[0].kind, c->finding);
    nod_findings_done(&f);
    nod_image_done(&im);
}

static void test_changed_headers(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes good = read_golden("sform_only.nii");
    for (size_t i = 0; i < NOD_COUNT(changes); i++) {
        size_t size;
        uint8_t *b = apply(&changes[i], &good, &size);
        check_change(&changes[i], *state, b, size, "changed.nii");
        if (changes[i].bytes && changes[i].rc != NOD_ELIMIT &&
            strcmp(changes[i].what, "offset beyond") != 0) {
            nod_bytes packed;
            assert_int_equal(nod_gzip_pack(b, size, 6, &packed, &err), 0);
            check_change(&changes[i], *state, packed.data, packed.size, "changed.nii.gz");
            nod_bytes_done(&packed);
        }
        nod_free(b);
    }
    nod_bytes_done(&good);
}

/* What policies do: header-conflict accepted reads on; a singular form accepted leaves no place;
 * NaN accepted becomes padding with the lowest value. */
static void test_policies(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_policies p = nod_policies_preset();
    nod_image im = {0};
    nod_bytes b = read_golden("f4_le.nii");
    static const uint8_t nan[4] = F_NAN, inf[4] = "\x00\x00\x80\xff";
    (void)state;
    memcpy(b.data + 352 + 4 * 7, nan, 4);
    memcpy(b.data + 352 + 4 * 59, inf, 4);
    memcpy(b.data + 72, "\x10", 1);
    memset(b.data + 280, 0, 48);
    assert_int_equal(nod_image_parse(b.data, b.size, "x.nii", NULL, NULL, &im, &err),
                     NOD_EDATA);
    p.of[NOD_FINDING_HEADER_CONFLICT] = NOD_POLICY_ACCEPT;
    p.of[NOD_FINDING_BAD_SPACING] = NOD_POLICY_ACCEPT;
    p.of[NOD_FINDING_NOT_FINITE] = NOD_POLICY_ACCEPT;
    assert_int_equal(nod_image_parse(b.data, b.size, "x.nii", &p, NULL, &im, &err), 0);
    assert_int_equal(im.geometry.space, NOD_SPACE_NONE);
    double lowest = HUGE_VAL;
    for (int64_t k = 0; k < 60; k++) {
        assert_int_equal(nod_image_is_padding(&im, k), k == 7 || k == 59);
        if (k != 7 && k != 59) lowest = fmin(lowest, sample(&im, k));
    }
    assert_true(sample(&im, 7) == lowest && sample(&im, 59) == lowest);
    nod_image_done(&im);
    nod_bytes_done(&b);
}

/* i leans towards j by atan(1/2): a grid at right angles around it, whose middle is the same place,
 * and a plane of equal values stays that. */
static void test_sheared(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_policies p = nod_policies_preset();
    nod_findings f = {0};
    nod_image im = {0};
    nod_bytes b = read_golden("sform_only.nii");
    static const float rows[12] = {1, 0, 0, 10, 0.5F, 1, 0, 20, 0, 0, 2, 30};
    (void)state;
    memcpy(b.data + 280, rows, sizeof rows);
    for (int k = 0; k < 60; k++)
        b.data[352 + k] = (uint8_t)(10 * (k / 20) + 5);
    p.of[NOD_FINDING_SHEARED] = NOD_POLICY_RESAMPLE;
    assert_int_equal(nod_image_parse(b.data, b.size, "x.nii", &p, &f, &im, &err), 0);
    assert_true(nod_findings_has(&f, NOD_FINDING_SHEARED));
    assert_false(nod_geometry_is_sheared(&im.geometry));
    assert_true(fabs(im.geometry.spacing_mm[0] - sqrt(1.25)) < 1e-6);
    assert_true(fabs(im.geometry.spacing_mm[1] - 1 / sqrt(1.25)) < 1e-6);
    assert_true(fabs(im.geometry.spacing_mm[2] - 2) < 1e-6);
    assert_int_equal(im.depth, 3);
    int64_t n = im.height * im.width, n_inside = 0;
    for (int64_t k = 0; k < nod_image_samples(&im); k++) {
        if (nod_image_is_padding(&im, k)) continue;
        int64_t slice = k / n;
        assert_true(fabs(sample(&im, k) - (double)(10 * slice + 5)) < 1e-4);
        n_inside++;
    }
    assert_true(n_inside >= 55 &&
                n_inside <= 65); /* the same area in voxels of the same size */
    nod_findings_done(&f);
    nod_image_done(&im);
    nod_bytes_done(&b);
}

/* 2^24 + 1 is the first integer that a float rounds. */
static void test_rounded(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    static const struct {
        const char *file;
        int64_t value;
        bool rounded;
    } cases[] = {{"i4_le.nii", (1 << 24) + 1, true},  {"i4_le.nii", 1 << 25, false},
                 {"i4_le.nii", -(1 << 24) - 1, true}, {"i8_le.nii", INT64_MIN, false},
                 {"i8_le.nii", INT64_MAX, true},      {"u8_le.nii", -1, true},
                 {"u8_le.nii", INT64_MIN, false},     {"u4_le.nii", 0xffffffff, true},
                 {"u4_le.nii", 0xffffff00, false},    {"i4_le.nii", 0, false}};
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_bytes b = read_golden(cases[i].file);
        nod_findings f = {0};
        nod_image im = {0};
        for (int k = 0; k < (cases[i].file[1] == '8' ? 8 : 4); k++)
            b.data[352 + k] = (uint8_t)((uint64_t)cases[i].value >> 8 * k);
        assert_int_equal(nod_image_parse(b.data, b.size, "x", NULL, &f, &im, &err), 0);
        if (nod_findings_has(&f, NOD_FINDING_ROUNDED) != cases[i].rounded)
            fail_msg("case %zu", i);
        nod_findings_done(&f);
        nod_image_done(&im);
        nod_bytes_done(&b);
    }
}

/* --- compressed streams ------------------------------------------------------------------------ */

/* `n` bytes packed, as one member or in two. */
static nod_bytes pack(const uint8_t *bytes, size_t n, size_t split)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes a = {0}, b = {0}, both = {0};
    assert_int_equal(nod_gzip_pack(bytes, split, 6, &a, &err), 0);
    assert_int_equal(nod_gzip_pack(bytes + split, n - split, 6, &b, &err), 0);
    both.size = a.size + (split < n ? b.size : 0);
    both.data = nod_malloc(both.size);
    memcpy(both.data, a.data, a.size);
    if (split < n) memcpy(both.data + a.size, b.data, b.size);
    nod_bytes_done(&a);
    nod_bytes_done(&b);
    return both;
}

static int parse(const nod_bytes *b, nod_findings *f, nod_image *im)
{
    nod_error err = NOD_ERROR_INIT;
    return nod_image_parse(b->data, b->size, "x.nii.gz", NULL, f, im, &err);
}

/* Members are joined, also inside the header; every damaged byte of a checksum, of the length or
 * of the stream is seen, and so is every cut. */
static void test_gzip(void **state)
{
    nod_bytes good = read_golden("i2_le.nii");
    (void)state;
    for (size_t split = 1; split <= good.size; split += 23) {
        nod_bytes b = pack(good.data, good.size, split);
        nod_image im = {0};
        assert_int_equal(parse(&b, NULL, &im), 0);
        nod_image_done(&im);
        nod_bytes_done(&b);
    }
    nod_bytes b = pack(good.data, good.size, good.size);
    size_t n_accepted = 0;
    for (size_t i = 10; i < b.size; i++) { /* the ten bytes before are time, system and so on */
        nod_image im = {0};
        nod_bytes cut = {b.data, i};
        b.data[i] ^= 0x10;
        n_accepted += parse(&b, NULL, &im) == 0;
        nod_image_done(&im);
        b.data[i] ^= 0x10;
        assert_int_not_equal(parse(&cut, NULL, &im), 0);
    }
    assert_true(n_accepted <= 1); /* in the last byte of a stream some bits mean nothing */
    nod_bytes_done(&b);
    nod_bytes_done(&good);
}

/* A small header before 64 MiB of zeros, and a header that claims them without. */
static void test_bombs(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes good = read_golden("u1_le.nii"), packed;
    size_t n = (size_t)64 << 20;
    uint8_t *bomb = nod_calloc(n, 1);
    nod_image im = {0};
    (void)state;
    memcpy(bomb, good.data, good.size);
    assert_int_equal(nod_gzip_pack(bomb, n, 6, &packed, &err), 0);
    assert_int_equal(parse(&packed, NULL, &im), NOD_ELIMIT);
    nod_bytes_done(&packed);
    for (int i = 0; i < 3; i++)
        memcpy(good.data + 42 + 2 * i, "\x00\x04", 2); /* 1024^3 */
    assert_int_equal(nod_gzip_pack(good.data, good.size, 6, &packed, &err), 0);
    assert_int_equal(parse(&packed, NULL, &im), NOD_EFORMAT);
    nod_bytes_done(&packed);
    nod_free(bomb);
    nod_bytes_done(&good);
}

/* --- pairs ------------------------------------------------------------------------------------- */

/* Either half may be named; a header without its voxels, or in memory alone, is refused. */
static void test_pairs(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image a = {0}, b = {0};
    char path[512];
    assert_int_equal(nod_image_read(GOLDEN "pair.hdr", NULL, NULL, &a, &err), 0);
    assert_int_equal(nod_image_read(GOLDEN "pair.img", NULL, NULL, &b, &err), 0);
    assert_memory_equal(a.data, b.data, nod_image_bytes(&a));
    nod_image_done(&a);
    nod_image_done(&b);
    assert_int_equal(nod_image_read(GOLDEN "pair_packed.img.gz", NULL, NULL, &a, &err), 0);
    nod_image_done(&a);
    nod_bytes h = read_golden("pair.hdr");
    temp_path(path, *state, "alone.hdr");
    assert_int_equal(nod_file_write(path, h.data, h.size, &err), 0);
    assert_int_equal(nod_image_read(path, NULL, NULL, &a, &err), NOD_ENOENT);
    assert_non_null(strstr(err.message, "its voxels: cannot open *.img: "));
    assert_int_equal(nod_image_parse(h.data, h.size, "h", NULL, NULL, &a, &err),
                     NOD_EUNSUPPORTED);
    nod_bytes_done(&h);
}

/* --- writing ----------------------------------------------------------------------------------- */

static void assert_same_image(const nod_image *a, const nod_image *b)
{
    assert_int_equal(a->sample, b->sample);
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->geometry.space, b->geometry.space);
    assert_memory_equal(a->geometry.size, b->geometry.size, sizeof a->geometry.size);
    assert_memory_equal(a->data, b->data, nod_image_bytes(a));
    assert_true(nod_geometry_distance_mm(&a->geometry, &b->geometry) < 1e-4);
}

/* Every golden file written and read again: same samples and place, no finding; written again, the
 * same bytes. */
static void test_write(void **state)
{
    static const char *const files[] = {
        "u1_le.nii",  "u2_be.nii",     "i2_le.nii",   "f4_le.nii",          "rgb.nii.gz",
        "rgba.nii",   "frames.nii.gz", "plane.nii",   "qform_mirrored.nii", "qform_only.nii",
        "scaled.nii", "i1_le.nii",     "microns.nii", "qform_half_turn.nii"};
    static const char *const names[] = {"a.nii", "b.nii.gz"};
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    for (size_t i = 0; i < NOD_COUNT(files); i++) {
        nod_image im = {0};
        temp_path(path, GOLDEN, files[i]);
        assert_int_equal(nod_image_read(path, NULL, NULL, &im, &err), 0);
        for (int packed = 0; packed < 2; packed++) {
            nod_image again = {0};
            nod_findings f = {0};
            nod_bytes first, second;
            temp_path(path, *state, names[packed]);
            if (nod_nifti_write(path, &im, &err) != 0) fail_msg("%s", err.message);
            assert_int_equal(nod_file_read(path, 1 << 20, &first, &err), 0);
            assert_int_equal(nod_nifti_write(path, &im, &err), 0);
            assert_int_equal(nod_file_read(path, 1 << 20, &second, &err), 0);
            assert_int_equal(first.size, second.size);
            assert_memory_equal(first.data, second.data, first.size);
            assert_int_equal(nod_image_read(path, NULL, &f, &again, &err), 0);
            assert_int_equal(f.n, 0);
            assert_same_image(&im, &again);
            nod_bytes_done(&second);
            assert_int_equal(nod_nifti_write(path, &again, &err), 0); /* and so it stays */
            assert_int_equal(nod_file_read(path, 1 << 20, &second, &err), 0);
            assert_int_equal(first.size, second.size);
            assert_memory_equal(first.data, second.data, first.size);
            nod_bytes_done(&first);
            nod_bytes_done(&second);
            nod_image_done(&again);
        }
        nod_image_done(&im);
    }
}

/* A spacing without a place stays that; a long row needs NIfTI-2; what does not fit is named. */
static void test_write_forms(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0}, again = {0};
    char path[512];
    temp_path(path, *state, "x.nii");
    assert_int_equal(nod_image_init(&im, 1, 2, 40000, 1, NOD_SAMPLE_U8, &err), 0);
    im.geometry.space = NOD_SPACE_SPACING;
    im.geometry.spacing_mm[1] = 0.25;
    ((uint8_t *)im.data)[79999] = 9;
    assert_int_equal(nod_nifti_write(path, &im, &err), 0);
    assert_int_equal(nod_path_size(path), 544 + 80000);
    assert_int_equal(nod_image_read(path, NULL, NULL, &again, &err), 0);
    assert_same_image(&im, &again);
    assert_true(again.geometry.spacing_mm[1] == 0.25);
    nod_image_done(&again);
    temp_path(path, *state, "x.img");
    assert_int_equal(nod_nifti_write(path, &im, &err), NOD_EINVAL);
    nod_image_done(&im);
    assert_int_equal(nod_image_init(&im, 1, 2, 2, 2, NOD_SAMPLE_U8, &err), 0);
    temp_path(path, *state, "grey_alpha.nii");
    assert_int_equal(nod_nifti_write(path, &im, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "2 channels"));
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files), cmocka_unit_test(test_changed_headers),
        cmocka_unit_test(test_policies),     cmocka_unit_test(test_rounded),
        cmocka_unit_test(test_sheared),      cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_bombs),        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_write),        cmocka_unit_test(test_write_forms),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
