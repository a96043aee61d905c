/* test_npz.c: .npy and .npz, read and written.
 *
 * Files under tests/golden/npz are made by tools/oracles/npz.py (numpy 2.4.6 and zipfile); what
 * they hold is a closed form: element i is 3 i - 7, taken modulo the type's range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "temp_folder.h"
#include "tensor/npz.h"

#define GOLDEN "tests/golden/npz/"

static nod_npz *open_golden(const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char path[256];
    nod_npz *z = NULL;
    snprintf(path, sizeof path, GOLDEN "%s", name);
    if (nod_npz_open(path, &z, &err) != 0) fail_msg("%s", err.message);
    return z;
}

static nod_tensor read_array(nod_npz *z, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_tensor t = {0};
    if (nod_npz_read(z, name, &t, &err) != 0) fail_msg("%s", err.message);
    return t;
}

/* 3 i - 7 as each type holds it. */
static double content(nod_dtype t, int64_t i)
{
    int64_t v = 3 * i - 7;
    switch (t) {
    case NOD_DTYPE_U8:
        return (uint8_t)v;
    case NOD_DTYPE_I8:
        return (int8_t)v;
    case NOD_DTYPE_U16:
        return (uint16_t)v;
    case NOD_DTYPE_U32:
        return (uint32_t)v;
    case NOD_DTYPE_U64:
        return (double)(uint64_t)v;
    case NOD_DTYPE_BOOL:
        return v % 2 == 0;
    default:
        return (double)v;
    }
}

static void check_content(nod_tensor *t)
{
    double *v = nod_calloc((size_t)nod_tensor_count(t) + 1, sizeof *v);
    assert_non_null(v);
    nod_tensor_to_f64(t, v);
    for (int64_t i = 0; i < nod_tensor_count(t); i++)
        if (v[i] != content(t->dtype, i))
            fail_msg("%s element %lld is %g", nod_dtype_name(t->dtype), (long long)i, v[i]);
    nod_free(v);
}

static void test_reads_all_types(NOD_UNUSED void **state)
{
    static const char *const files[] = {"stored.npz", "deflated.npz", "big_endian.npz",
                                        "fortran.npz"};
    static const struct {
        const char *name;
        nod_dtype dtype;
    } types[] = {{"f4", NOD_DTYPE_F32}, {"f8", NOD_DTYPE_F64}, {"u1", NOD_DTYPE_U8},
                 {"i1", NOD_DTYPE_I8},  {"u2", NOD_DTYPE_U16}, {"i2", NOD_DTYPE_I16},
                 {"u4", NOD_DTYPE_U32}, {"i4", NOD_DTYPE_I32}, {"u8", NOD_DTYPE_U64},
                 {"i8", NOD_DTYPE_I64}, {"b1", NOD_DTYPE_BOOL}};
    nod_shape want = nod_shape_of(3, 2, 3, 4);
    for (size_t f = 0; f < NOD_COUNT(files); f++) {
        nod_npz *z = open_golden(files[f]);
        for (size_t k = 0; k < NOD_COUNT(types); k++) {
            if (f >= 2 && types[k].dtype == NOD_DTYPE_BOOL) continue;
            nod_error err = NOD_ERROR_INIT;
            nod_dtype dtype;
            nod_shape shape;
            assert_true(nod_npz_has(z, types[k].name));
            assert_int_equal(nod_npz_peek(z, types[k].name, &dtype, &shape, &err), 0);
            assert_int_equal(dtype, types[k].dtype);
            assert_true(nod_shape_equal(&shape, &want));
            nod_tensor t = read_array(z, types[k].name);
            assert_int_equal(t.dtype, types[k].dtype);
            assert_true(nod_shape_equal(&t.shape, &want));
            check_content(&t);
            nod_tensor_done(&t);
        }
        nod_npz_close(z);
    }
}

static void test_reads_odd_files(NOD_UNUSED void **state)
{
    static const struct {
        const char *file, *array;
        int rank;
        int64_t dim[NOD_RANK_MAX];
    } cases[] = {
        {"fortran.npz", "be", 4, {3, 1, 2, 2}}, {"fortran.npz", "one", 1, {5}},
        {"versions.npz", "v1", 2, {2, 3}},      {"versions.npz", "v2", 2, {2, 3}},
        {"versions.npz", "v3", 2, {2, 3}},      {"shapes.npz", "scalar", 0, {0}},
        {"shapes.npz", "empty", 2, {0, 5}},     {"shapes.npz", "six", 6, {1, 2, 1, 3, 1, 2}},
        {"descriptor.npz", "x", 2, {2, 3}},     {"spelling.npz", "x", 2, {2, 3}},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_npz *z = open_golden(cases[i].file);
        nod_tensor t = read_array(z, cases[i].array);
        assert_int_equal(t.shape.rank, cases[i].rank);
        for (int d = 0; d < t.shape.rank; d++)
            assert_int_equal(t.shape.dim[d], cases[i].dim[d]);
        check_content(&t);
        nod_tensor_done(&t);
        nod_npz_close(z);
    }
}

static void test_lists_arrays_only(NOD_UNUSED void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_tensor t = {0};
    nod_npz *z = open_golden("descriptor.npz"); /* also holds readme.txt */
    assert_int_equal(nod_npz_count(z), 1);
    assert_string_equal(nod_npz_name(z, 0), "x");
    assert_false(nod_npz_has(z, "readme.txt"));
    assert_int_equal(nod_npz_read(z, "train_images", &t, &err), NOD_ENOENT);
    assert_non_null(strstr(err.message, "no array 'train_images'; there are: x"));
    assert_null(t.data);
    nod_npz_close(z);
}

/* Opening or reading must fail with this code, and say the words. */
static void test_refuses_broken_files(NOD_UNUSED void **state)
{
    static const struct {
        const char *file;
        int code;
        const char *words;
    } cases[] = {
        {"bad_cut_half.npz", NOD_EFORMAT, "cut off"},
        {"bad_cut_last.npz", NOD_EFORMAT, "cut off"},
        {"bad_empty.npz", NOD_EFORMAT, "empty"},
        {"bad_text.npz", NOD_EFORMAT, "not an .npz"},
        {"bad_npy.npz", NOD_EFORMAT, "single .npy"},
        {"bad_crc.npz", NOD_EFORMAT, "CRC"},
        {"bad_magic.npz", NOD_EFORMAT, "magic"},
        {"bad_version.npz", NOD_EFORMAT, "version 9.0"},
        {"bad_header_long.npz", NOD_EFORMAT, "claims 60010 bytes"},
        {"bad_header_huge.npz", NOD_ELIMIT, "limit"},
        {"bad_header_cut.npz", NOD_EFORMAT, "header"},
        {"bad_dict.npz", NOD_EFORMAT, "not a dict"},
        {"bad_key.npz", NOD_EFORMAT, "not a dict"},
        {"bad_key_missing.npz", NOD_EFORMAT, "not a dict"},
        {"bad_key_twice.npz", NOD_EFORMAT, "not a dict"},
        {"bad_order.npz", NOD_EFORMAT, "fortran_order"},
        {"bad_shape.npz", NOD_EFORMAT, "shape"},
        {"bad_shape_list.npz", NOD_EFORMAT, "shape"},
        {"bad_shape_huge.npz", NOD_EFORMAT, "too large"},
        {"bad_shape_digits.npz", NOD_EFORMAT, "shape"},
        {"bad_shape_long.npz", NOD_ELIMIT, "6 dimensions"},
        {"bad_shape_more.npz", NOD_EFORMAT, "needs 240 bytes, 24 are there"},
        {"bad_shape_less.npz", NOD_EFORMAT, "needs 12 bytes, 24 are there"},
        {"bad_dtype_object.npz", NOD_EUNSUPPORTED, "pickle"},
        {"bad_dtype_half.npz", NOD_EUNSUPPORTED, "'<f2'"},
        {"bad_dtype_text.npz", NOD_EUNSUPPORTED, "'<U6'"},
        {"bad_dtype_struct.npz", NOD_EUNSUPPORTED, "structured"},
        {"bad_tail.npz", NOD_EFORMAT, "not a dict"},
        {"bad_short.npz", NOD_EFORMAT, "too few"},
        {"bad_twice.npz", NOD_EFORMAT, "twice"},
        {"bad_no_array.npz", NOD_EFORMAT, "no .npy array"},
        {"bad_method.npz", NOD_EUNSUPPORTED, "method 12"},
        {"bad_bomb.npz", NOD_EFORMAT, "cannot hold"},
        {"bad_bomb_claims.npz", NOD_EFORMAT, "in a file of"},
        {"bad_ends_early.npz", NOD_EFORMAT, "array 'x'"},
        {"bad_goes_on.npz", NOD_EFORMAT, "array 'x'"},
        {"bad_stored_size.npz", NOD_EFORMAT, "array 'x'"},
        {"no_such_file.npz", NOD_ENOENT, "no_such_file"},
        {"", NOD_EIO, "folder"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err = NOD_ERROR_INIT;
        char path[256];
        nod_npz *z = NULL;
        nod_tensor t = {0};
        snprintf(path, sizeof path, GOLDEN "%s", cases[i].file);
        int rc = nod_npz_open(path, &z, &err);
        if (rc == 0) rc = nod_npz_read(z, nod_npz_name(z, 0), &t, &err);
        if (rc != cases[i].code || strstr(err.message, cases[i].words) == NULL ||
            strstr(err.message, cases[i].file) == NULL || t.data != NULL)
            fail_msg("%s: code %d, \"%s\"", cases[i].file, rc, err.message);
        nod_npz_close(z);
    }
}

/* Every cut and every flipped bit of a good file: an error, or the same numbers; no crash. */
static void test_survives_damage(NOD_UNUSED void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b;
    assert_int_equal(nod_file_read(GOLDEN "descriptor.npz", 1 << 20, &b, &err), 0);
    for (size_t i = 0; i < b.size * 8 + b.size; i++) {
        nod_npz *z = NULL;
        nod_tensor t = {0};
        uint8_t *copy = nod_memdup(b.data, b.size); /* its own block: reads past the end show */
        size_t size = i < b.size ? i : b.size;
        if (i >= b.size) copy[(i - b.size) / 8] ^= (uint8_t)(1 << (i % 8));
        uint8_t *exact = nod_memdup(copy, size);
        int rc = nod_npz_open_bytes(exact, size, "damaged", &z, &err);
        if (rc == 0) {
            for (size_t k = 0; k < nod_npz_count(z); k++) {
                if (nod_npz_read(z, nod_npz_name(z, k), &t, &err) != 0) continue;
                check_content(&t); /* the CRC has let nothing wrong through */
                nod_tensor_done(&t);
            }
            nod_npz_close(z);
        } else {
            assert_null(z);
        }
        if (i < b.size) assert_int_not_equal(rc, 0);
        nod_free(exact);
        nod_free(copy);
    }
    nod_bytes_done(&b);
}

static void check_only_file(const char *dir, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    assert_int_equal(nod_dir_list(dir, &names, &err), 0);
    assert_int_equal(names.n, 1); /* no temporary file was left */
    assert_string_equal(names.items[0], name);
    nod_strlist_done(&names);
}

/* A .npy member is byte for byte what numpy.save writes, and the archive reads back. */
static void test_writes_as_numpy(void **state)
{
    static const struct {
        nod_dtype dtype;
        int rank;
        int64_t dim[NOD_RANK_MAX];
    } cases[] = {
        {NOD_DTYPE_F32, 0, {0}},
        {NOD_DTYPE_F64, 1, {3}},
        {NOD_DTYPE_U8, 2, {0, 5}},
        {NOD_DTYPE_I64, 3, {2, 3, 4}},
        {NOD_DTYPE_U16, 4, {10, 1, 1, 12}},
        {NOD_DTYPE_I32, 6, {1, 2, 1, 3, 1, 2}},
        {NOD_DTYPE_I8, 6, {1, 1, 1, 1, 1, 1}},
    };
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    temp_path(path, *state, "x.npz");
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char golden[256];
        nod_bytes want, got;
        nod_tensor t = {0}, parsed = {0};
        const char *name = "x";
        snprintf(golden, sizeof golden, GOLDEN "single%zu.npy", i);
        assert_int_equal(nod_file_read(golden, 1 << 20, &want, &err), 0);
        assert_int_equal(nod_npy_parse(want.data, want.size, golden, &parsed, &err), 0);
        assert_int_equal(parsed.dtype, cases[i].dtype);
        assert_int_equal(parsed.shape.rank, cases[i].rank);
        check_content(&parsed);
        for (int deflate = 0; deflate < 2; deflate++) {
            assert_int_equal(nod_npz_write(path, &name, &parsed, 1, deflate, &err), 0);
            assert_int_equal(nod_file_read(path, 1 << 20, &got, &err), 0);
            if (!deflate) /* the member stands in the archive as it is */
                assert_non_null(memmem(got.data, got.size, want.data, want.size));
            nod_bytes_done(&got);
            nod_npz *z = NULL;
            assert_int_equal(nod_npz_open(path, &z, &err), 0);
            t = read_array(z, "x");
            assert_true(nod_shape_equal(&t.shape, &parsed.shape));
            check_content(&t);
            nod_tensor_done(&t);
            nod_npz_close(z);
        }
        nod_tensor_done(&parsed);
        nod_bytes_done(&want);
    }
}

static void test_writing_is_reproducible(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    static uint8_t pixels[4 * 28 * 28];
    int64_t labels[4] = {0, 1, 1, 0};
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i >> 3);
    nod_shape s3 = nod_shape_of(3, 4, 28, 28), s2 = nod_shape_of(2, 4, 1);
    nod_tensor arrays[2] = {nod_tensor_view(pixels, NOD_DTYPE_U8, &s3),
                            nod_tensor_view(labels, NOD_DTYPE_I64, &s2)};
    const char *const names[2] = {"train_images", "train_labels"};
    temp_path(path, *state, "x.npz");
    nod_bytes first = {0};
    for (int k = 0; k < 3; k++) {
        nod_bytes b;
        setenv("TZ", k == 1 ? "Asia/Tokyo" : "UTC", 1); /* zip dates are local times */
        if (k == 2) sleep(1);
        assert_int_equal(nod_npz_write(path, names, arrays, 2, true, &err), 0);
        assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
        if (k == 0) {
            first = b;
            continue;
        }
        assert_int_equal(b.size, first.size);
        assert_memory_equal(b.data, first.data, b.size);
        nod_bytes_done(&b);
    }
    assert_true(first.size < sizeof pixels); /* deflated */
    nod_bytes_done(&first);
    check_only_file(*state, "x.npz");
}

static void test_write_failures(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    uint16_t v[3] = {0};
    nod_shape s = nod_shape_of(1, 3);
    nod_tensor bf16 = nod_tensor_view(v, NOD_DTYPE_BF16, &s);
    nod_tensor u16[2] = {nod_tensor_view(v, NOD_DTYPE_U16, &s),
                         nod_tensor_view(v, NOD_DTYPE_U16, &s)};
    const char *const names[2] = {"x", "x"};
    char path[512], keep[512];
    temp_path(path, *state, "x.npz");
    unlink(path);
    assert_int_equal(nod_file_write(temp_path(keep, *state, "keep"), "k", 1, &err), 0);
    assert_int_equal(nod_npz_write(path, names, u16, 0, true, &err), NOD_EINVAL);
    assert_int_equal(nod_npz_write(path, names, &bf16, 1, true, &err), NOD_EUNSUPPORTED);
    assert_int_equal(nod_npz_write(path, names, u16, 2, true, &err),
                     NOD_EINVAL); /* same name */
    assert_int_equal(nod_npz_write("/no/such/folder/x.npz", names, u16, 1, true, &err),
                     NOD_ENOENT);
    if (nod_path_exists("/dev/full")) {
        assert_int_equal(nod_npz_write("/dev/full", names, u16, 1, false, &err), NOD_EIO);
        assert_non_null(strstr(err.message, "/dev/full"));
    }
    check_only_file(*state, "keep");
}

/* MedMNIST as it is published; skipped where ../shared/data is absent. */
static void test_reads_medmnist(NOD_UNUSED void **state)
{
    static const struct {
        const char *file;
        int rank;
        int64_t n_train, n_test;
    } sets[] = {{"breastmnist.npz", 3, 546, 156},
                {"pneumoniamnist_variant_3882_524_624.npz", 3, 3882, 624},
                {"adrenalmnist3d.npz", 4, 1188, 298}};
    const char *data = getenv("NODULE_DATA");
    if (data == NULL) data = "../shared/data";
    if (!nod_path_is_dir(data)) data = "../../shared/data";
    if (!nod_path_is_dir(data)) {
        print_message("SKIPPED: no ../shared/data here, and NODULE_DATA is not set\n");
        skip();
    }
    for (size_t i = 0; i < NOD_COUNT(sets); i++) {
        nod_error err = NOD_ERROR_INIT;
        char path[512];
        nod_npz *z = NULL;
        snprintf(path, sizeof path, "%s/medmnist/%s", data, sets[i].file);
        if (nod_npz_open(path, &z, &err) != 0) fail_msg("%s", err.message);
        nod_tensor t = read_array(z, "train_images");
        assert_int_equal(t.dtype, NOD_DTYPE_U8);
        assert_int_equal(t.shape.rank, sets[i].rank);
        assert_int_equal(t.shape.dim[0], sets[i].n_train);
        for (int d = 1; d < t.shape.rank; d++)
            assert_int_equal(t.shape.dim[d], 28);
        nod_tensor_done(&t);
        t = read_array(z, "test_labels");
        assert_int_equal(t.shape.dim[0], sets[i].n_test);
        nod_tensor_done(&t);
        nod_npz_close(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_types),
        cmocka_unit_test(test_reads_odd_files),
        cmocka_unit_test(test_lists_arrays_only),
        cmocka_unit_test(test_refuses_broken_files),
        cmocka_unit_test(test_survives_damage),
        cmocka_unit_test(test_writes_as_numpy),
        cmocka_unit_test(test_writing_is_reproducible),
        cmocka_unit_test(test_write_failures),
        cmocka_unit_test(test_reads_medmnist),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
