/* test_safetensors.c: what is written is read back, and no byte of a file can change unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "model/safetensors.h"
#include "temp_folder.h"

#define N 24

/* Two tensors, and metadata with text that looks like the key of the hash. */
static void write_example(const char *path)
{
    nod_error err = NOD_ERROR_INIT;
    float a[N];
    int32_t b[3] = {1, -2, 3};
    for (int i = 0; i < N; i++)
        a[i] = (float)i / 7;
    nod_shape sa = nod_shape_of(2, 4, 6), sb = nod_shape_of(1, 3);
    const char *names[] = {"a", "sha256"};
    nod_tensor tensors[] = {nod_tensor_view(a, NOD_DTYPE_F32, &sa),
                            nod_tensor_view(b, NOD_DTYPE_I32, &sb)};
    nod_json *meta = nod_json_object();
    nod_json_set_str(meta, "inner", "{\"sha256\":\"0123\"}");
    assert_int_equal(nod_safetensors_write(path, names, tensors, 2, meta, &err), 0);
    nod_json_free(meta);
}

static nod_bytes read_example(void **state, const char *name)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b = {0};
    temp_path(path, *state, name);
    write_example(path);
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    return b;
}

static int parse(const void *bytes, size_t size, bool *hashed, nod_error *err)
{
    nod_safetensors *s = NULL;
    int rc = nod_safetensors_parse(bytes, size, "f", &s, err);
    *hashed = s && s->hashed;
    nod_safetensors_free(s);
    return rc;
}

static void test_round_trip(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_safetensors *s = NULL;
    temp_path(path, *state, "one");
    write_example(path);
    assert_int_equal(nod_safetensors_read(path, &s, &err), 0);
    assert_true(s->hashed);
    assert_int_equal(nod_safetensors_need_hash(s, path, &err), 0);
    assert_int_equal(s->n, 2);
    const nod_tensor *a = nod_safetensors_find(s, "a"), *b = nod_safetensors_find(s, "sha256");
    assert_int_equal(nod_tensor_count(a), N);
    assert_true(((const float *)a->data)[23] == 23.0F / 7);
    assert_int_equal(((const int32_t *)b->data)[1], -2);
    assert_string_equal(nod_json_str(nod_json_get(s->metadata, "inner")),
                        "{\"sha256\":\"0123\"}");
    nod_safetensors_free(s);
}

/* The hash as safetensors.h defines it, computed here from the bytes alone. */
static void test_hash_is_as_documented(void **state)
{
    nod_bytes b = read_example(state, "hash");
    nod_error err = NOD_ERROR_INIT;
    char hex[NOD_SHA256_HEX], kept[NOD_SHA256_HEX] = {0};
    char *at = memmem(b.data, b.size, "\"sha256\":\"", 10);
    assert_non_null(at);
    memcpy(kept, at + 10, 64);
    memset(at + 10, '0', 64);
    assert_int_equal(nod_sha256_of(b.data, b.size, hex, &err), 0);
    assert_string_equal(hex, kept);
    nod_bytes_done(&b);
}

/* Every bit of the file: it is refused, or no longer claims to have a hash. */
static void test_every_flipped_bit_is_found(void **state)
{
    nod_bytes b = read_example(state, "flip");
    size_t without = 0;
    for (size_t i = 0; i < b.size * 8; i++) {
        nod_error err = NOD_ERROR_INIT;
        bool hashed;
        b.data[i / 8] ^= (uint8_t)(1U << i % 8);
        int rc = parse(b.data, b.size, &hashed, &err);
        if (rc == 0) {
            assert_false(hashed); /* the key of the hash was hit */
            without++;
        } else {
            assert_int_equal(rc, NOD_EFORMAT);
            assert_non_null(strstr(err.message, "f:"));
        }
        b.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_in_range(without, 1, 8 * strlen("\"sha256\":\""));
    nod_bytes_done(&b);
}

static void test_every_cut_is_found(void **state)
{
    nod_bytes b = read_example(state, "cut");
    for (size_t size = 0; size < b.size; size++) {
        nod_error err = NOD_ERROR_INIT;
        bool hashed;
        assert_int_equal(parse(b.data, size, &hashed, &err), NOD_EFORMAT);
    }
    nod_bytes_done(&b);
}

/* A file of another program: no hash, which is told to those who need one. */
static void test_file_without_hash(void **state)
{
    static const char header[] =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";
    uint8_t bytes[8 + sizeof header - 1 + 2] = {0};
    nod_error err = NOD_ERROR_INIT;
    nod_safetensors *s = NULL;
    (void)state;
    bytes[0] = sizeof header - 1;
    memcpy(bytes + 8, header, sizeof header - 1);
    assert_int_equal(nod_safetensors_parse(bytes, sizeof bytes, "f", &s, &err), 0);
    assert_false(s->hashed);
    assert_int_equal(nod_safetensors_need_hash(s, "f", &err), NOD_EFORMAT);
    nod_safetensors_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_hash_is_as_documented),
        cmocka_unit_test(test_every_flipped_bit_is_found),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_file_without_hash),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
