/* test_itk.c: MetaImage and NRRD files decode to what SimpleITK reads from them; odd ones have their
 * finding, what is not read is named, bad ones are refused.
 *
 * Golden files and expected numbers: tools/oracles/itk.py (SimpleITK 2.5.7). */
#include "imaging/itk/itk.h"
#include "volume_checks.h"

#define GOLDEN "tests/golden/itk/"

static void test_golden_files(void **state)
{
    size_t n_placed;
    (void)state;
    assert_int_equal(check_golden_folder(GOLDEN, NOD_WORLD_LPS, &n_placed), 43);
    assert_int_equal(n_placed, 39); /* not two planes, a list, and NRRD's frames */
}

/* --- headers ---------------------------------------------------------------------------------- */

/* Lines of a header in place of others, and what that leads to under the preset policies. */
typedef struct change {
    const char *from, *to; /* every `from` becomes `to` */
    int rc;
    int finding; /* -1: none */
    const char *message;
} change;

#define NONE (-1)

static const char mha[] = "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                          "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\n"
                          "ElementSpacing = 1 1.5 2\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"
                          "ElementDataFile = LOCAL\n01234567";
static const change mha_changes[] = {
    {"", "", 0, NONE, ""},
    {"NDims = 3", "NDims = 5", NOD_EFORMAT, NONE, "'NDims'"},
    {"NDims = 3\n", "", NOD_EFORMAT, NONE, "lacks 'NDims'"},
    {"DimSize = 2 2 2", "DimSize = 2 2", NOD_EFORMAT, NONE, "'DimSize' is '2 2'"},
    {"DimSize = 2 2 2", "DimSize = 2 2 2 2", NOD_EFORMAT, NONE, "no more"},
    {"DimSize = 2 2 2", "DimSize = 2 -2 2", NOD_EFORMAT, NONE, "at least 1"},
    {"DimSize = 2 2 2", "DimSize = 2 2 99999999", NOD_ELIMIT, NONE, "limits are"},
    {"DimSize = 2 2 2", "DimSize = 60000 60000 60000", NOD_ELIMIT, NONE, "limits are"},
    {"DimSize = 2 2 2", "DimSize = 2 2 3", NOD_EFORMAT, NONE, "need 12 bytes, 8 are there"},
    {"DimSize = 2 2 2", "DimSize = 2 2 1", 0, NOD_FINDING_TRAILING_BYTES, ""},
    {"01234567", "", NOD_EFORMAT, NONE, "need 8 bytes, 0 are there"},
    {"MET_UCHAR", "MET_STRING", NOD_EUNSUPPORTED, NONE, "'MET_STRING'"},
    {"MET_UCHAR", "MET_UCHARS", NOD_EUNSUPPORTED, NONE, "'MET_UCHARS'"},
    {"BinaryData = True", "BinaryData = False", NOD_EUNSUPPORTED, NONE, "as text"},
    {"BinaryData = True", "BinaryData = Maybe", NOD_EFORMAT, NONE, "neither True nor False"},
    {"ObjectType = Image", "ObjectType = Tube", NOD_EUNSUPPORTED, NONE, "not an image"},
    {"BinaryData", "CompressedData = True\nBinaryData", NOD_EFORMAT, NONE,
     "should be compressed"},
    {"LOCAL", "LIST", NOD_EUNSUPPORTED, NONE, "list of files"},
    {"LOCAL", "a%02d.raw 1 3 1", NOD_EUNSUPPORTED, NONE, "list of files"},
    {"LOCAL", "other.raw", NOD_EUNSUPPORTED, NONE, "file of their own"},
    {"ElementDataFile", "Data", NOD_EFORMAT, NONE, "no line 'ElementDataFile'"},
    {"Offset = 1 2 3", "Offset 1 2 3", NOD_EFORMAT, NONE, "line 5 of its header has no '='"},
    {"Offset = 1 2 3", "Offset = 1 2 x", NOD_EFORMAT, NONE, "'Offset' is '1 2 x'"},
    {"Spacing = 1 1.5", "Spacing = 1 0", NOD_EDATA, NOD_FINDING_BAD_SPACING, "1 x 0 x 2"},
    {"1 0 0 0 1 0 0 0 1", "1 0 0 1 0 0 0 0 1", NOD_EDATA, NOD_FINDING_BAD_SPACING, "one plane"},
    {"1 0 0 0 1 0 0 0 1", "1 0 0 0.5 1 0 0 0 1", NOD_EDATA, NOD_FINDING_SHEARED, "cosine"},
    {"TransformMatrix", "Ignored", 0, NOD_FINDING_NO_ORIENTATION, ""},
    {"TransformMatrix", "AnatomicalOrientation = RAI\nIgnored", 0, NONE, ""},
    {"TransformMatrix", "AnatomicalOrientation = RAR\nIgnored", 0, NOD_FINDING_NO_ORIENTATION,
     ""},
};

static const char nrrd[] =
    "NRRD0004\ntype: uint8\ndimension: 3\nspace: LPS\nsizes: 2 2 2\n"
    "space directions: (1,0,0) (0,1.5,0) (0,0,2)\nspace origin: (1,2,3)\n"
    "encoding: raw\n\n01234567";
static const change nrrd_changes[] = {
    {"", "", 0, NONE, ""},
    {"dimension: 3", "dimension: 6", NOD_EFORMAT, NONE, "'dimension'"},
    {"dimension: 3\n", "", NOD_EFORMAT, NONE, "is missing"},
    {"sizes: 2 2 2", "sizes: 2 2", NOD_EFORMAT, NONE, "'sizes' is '2 2'"},
    {"sizes: 2 2 2", "sizes: 2 2 0", NOD_EFORMAT, NONE, "at least 1"},
    {"sizes: 2 2 2", "sizes: 2 2 3", NOD_EFORMAT, NONE, "need 12 bytes, 8 are there"},
    {"sizes: 2 2 2", "sizes: 2 2 1", 0, NOD_FINDING_TRAILING_BYTES, ""},
    {"sizes: 2 2 2", "sizes: 2 2 99999999999", NOD_ELIMIT, NONE, "limits are"},
    {"type: uint8", "type: block", NOD_EUNSUPPORTED, NONE, "'type: block' is not read"},
    {"type: uint8", "type: uint16", NOD_EFORMAT, NONE, "must be little or big"},
    {"type: uint8", "type: int\nendian: middle", NOD_EFORMAT, NONE, "must be little or big"},
    {"encoding: raw", "encoding: ascii", NOD_EUNSUPPORTED, NONE, "'encoding: ascii'"},
    {"encoding: raw", "encoding: bzip2", NOD_EUNSUPPORTED, NONE, "'encoding: bzip2'"},
    {"encoding: raw", "encoding: gzip", NOD_EFORMAT, NONE, "should be compressed"},
    {"encoding: raw\n", "", NOD_EFORMAT, NONE, "'encoding: ' is missing"},
    {"encoding: raw", "encoding: raw\ndata file: LIST", NOD_EUNSUPPORTED, NONE,
     "list of files"},
    {"encoding: raw", "encoding: raw\ndata file: x.raw", NOD_EUNSUPPORTED, NONE,
     "of their own"},
    {"encoding: raw", "encoding: raw\nbyte skip: 1", NOD_EFORMAT, NONE, "7 are there"},
    {"encoding: raw", "encoding: raw\nline skip: 1", NOD_EFORMAT, NONE, "fewer lines"},
    {"(0,1.5,0)", "(0,1.5)", NOD_EFORMAT, NONE, "is not 'none' or (numbers)"},
    {"(0,1.5,0)", "none", NOD_EUNSUPPORTED, NONE, "must lie in space"},
    {"(0,1.5,0)", "(0,0,0)", NOD_EDATA, NOD_FINDING_BAD_SPACING, "along j is 0 mm"},
    {"(0,1.5,0)", "(1,1.5,0)", NOD_EDATA, NOD_FINDING_SHEARED, "cosine"},
    {"(1,2,3)", "(1,2)", NOD_EFORMAT, NONE, "space origin"},
    {"space: LPS\n", "", NOD_EFORMAT, NONE, "without 'space'"},
    {"space: LPS", "space: scanner-xyz", 0, NOD_FINDING_NO_ORIENTATION, ""},
    {"space: LPS", "space dimension: 3", 0, NOD_FINDING_NO_ORIENTATION, ""},
    {"space origin", "ignored", 0, NOD_FINDING_NO_ORIENTATION, ""},
    {"encoding", "space units: \"furlong\"\nencoding", NOD_EUNSUPPORTED, NONE, "a unit"},
    {"encoding", "a line\nencoding", NOD_EFORMAT, NONE, "has no ':'"},
};

static uint8_t *replace(const char *text, const change *c, size_t *size)
{
    const char *at = strstr(text, c->from);
    size_t n = strlen(text), n_from = strlen(c->from), n_to = strlen(c->to);
    assert_non_null(at);
    size_t before = (size_t)(at - text);
    *size = n - n_from + n_to;
    uint8_t *b = nod_malloc(*size);
    memcpy(b, text, before);
    memcpy(b + before, c->to, n_to);
    memcpy(b + before + n_to, at + n_from, n - before - n_from);
    return b;
}

static void check_change(const char *text, const change *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_findings f = {0};
    nod_image im = {0};
    size_t size;
    uint8_t *b = replace(text, c, &size);
    int rc = nod_image_parse(b, size, "x.mha", NULL, &f, &im, &err);
    if (rc != c->rc) fail_msg("%s: %d, not %d: %s", c->to, rc, c->rc, err.message);
    if (rc) assert_null(im.data);
    if (rc && !strstr(err.message, c->message)) fail_msg("%s: %s", c->to, err.message);
    if (f.n != (c->finding == NONE ? 0 : 1)) fail_msg("%s: %zu findings", c->to, f.n);
    if (c->finding != NONE) assert_int_equal(f.items[0].kind, c->finding);
    nod_free(b);
    nod_findings_done(&f);
    nod_image_done(&im);
}

static void test_changed_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(mha_changes); i++)
        check_change(mha, &mha_changes[i]);
    for (size_t i = 0; i < NOD_COUNT(nrrd_changes); i++)
        check_change(nrrd, &nrrd_changes[i]);
}

/* A header cut anywhere is an error, never a smaller image. */
static void test_cuts(void **state)
{
    const char *const texts[] = {mha, nrrd};
    (void)state;
    for (size_t t = 0; t < 2; t++)
        for (size_t n = 1; n < strlen(texts[t]); n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_image im = {0};
            uint8_t *exact = nod_memdup(texts[t], n);
            assert_int_not_equal(nod_image_parse(exact, n, "x", NULL, NULL, &im, &err), 0);
            nod_free(exact);
        }
}

/* Voxels are sought beside the header and nowhere else. */
static void test_other_folders(void **state)
{
    static const char *const names[] = {"../x.raw", "/etc/hostname", "sub/x.raw", ".."};
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    char path[512];
    for (size_t i = 0; i < NOD_COUNT(names); i++) {
        const change c = {"LOCAL", names[i], 0, NONE, ""};
        size_t size;
        uint8_t *b = replace(mha, &c, &size);
        temp_path(path, *state, "x.mhd");
        assert_int_equal(nod_file_write(path, b, size, &err), 0);
        assert_int_equal(nod_image_read(path, NULL, NULL, &im, &err), NOD_EFORMAT);
        assert_non_null(strstr(err.message, "same folder"));
        nod_free(b);
    }
}

/* value = slope * stored + offset, as MetaIO documents and ITK leaves to its users. */
static void test_scaling(void **state)
{
    const change c = {"NDims",
                      "ElementToIntensityFunctionSlope = 2\n"
                      "ElementToIntensityFunctionOffset = -10\nNDims",
                      0, NONE, ""};
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    size_t size;
    uint8_t *b = replace(mha, &c, &size);
    (void)state;
    assert_int_equal(nod_image_parse(b, size, "x", NULL, NULL, &im, &err), 0);
    assert_int_equal(im.sample, NOD_SAMPLE_F32);
    for (int k = 0; k < 8; k++)
        assert_true(sample(&im, k) == 2 * ('0' + k) - 10);
    nod_image_done(&im);
    nod_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files), cmocka_unit_test(test_changed_headers),
        cmocka_unit_test(test_cuts), cmocka_unit_test(test_other_folders),
        cmocka_unit_test(test_scaling)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
