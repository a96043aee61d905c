/* test_hash.c: SHA-256 against NIST examples (FIPS 180-4; example messages of the NIST
 * Cryptographic Standards and Guidelines, and the million a of FIPS 180-2 appendix B.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "temp_folder.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char million_a[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_one_call(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    char hex[NOD_SHA256_HEX];
    assert_int_equal(nod_sha256_of("abc", 3, hex, &err), 0);
    assert_string_equal(hex, abc);
    assert_int_equal(nod_sha256_of(NULL, 0, hex, &err), 0);
    assert_string_equal(hex, empty);
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_int_equal(nod_sha256_of(two_blocks, 56, hex, &err), 0);
    assert_string_equal(hex,
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_piece_by_piece(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    char hex[NOD_SHA256_HEX], piece[1000];
    memset(piece, 'a', sizeof piece);
    nod_sha256 *h;
    assert_int_equal(nod_sha256_new(&h, &err), 0);
    for (size_t left = 1000000, n = 1; left > 0; left -= n, n = n % 997 + 1) {
        if (n > left) n = left;
        nod_sha256_add(h, piece, n);
    }
    nod_sha256_hex(h, hex);
    nod_sha256_free(h);
    assert_string_equal(hex, million_a);
    nod_sha256_free(NULL);
}

/* Source: hashlib, tools/oracles/base.py. */
static void test_strings_and_numbers_are_framed(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    char hex[NOD_SHA256_HEX];
    nod_sha256 *h;
    assert_int_equal(nod_sha256_new(&h, &err), 0);
    nod_sha256_add_str(h, "ab");
    nod_sha256_add_str(h, "c");
    nod_sha256_add_i64(h, -2);
    nod_sha256_hex(h, hex);
    nod_sha256_free(h);
    assert_string_equal(hex,
                        "7ec6dae2b6c8c11839f6b7d7ff9df7a975876d51642ad5e6d27d04bab1c6e0ff");
}

static void test_file(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512], hex[NOD_SHA256_HEX] = "untouched";
    temp_path(path, *state, "million");
    char *text = nod_malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    assert_int_equal(nod_file_write(path, text, 1000000, &err), 0);
    nod_free(text);
    assert_int_equal(nod_sha256_of_file("/no/such/file", hex, &err), NOD_ENOENT);
    assert_string_equal(hex, "untouched");
    assert_int_equal(nod_sha256_of_file(*state, hex, &err), NOD_EIO);
    assert_string_equal(hex, "untouched");
    assert_int_equal(nod_sha256_of_file(path, hex, &err), 0);
    assert_string_equal(hex, million_a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_call),
        cmocka_unit_test(test_piece_by_piece),
        cmocka_unit_test(test_strings_and_numbers_are_framed),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
