/* test_hmac.c: HMAC-SHA-256 against RFC 4231, section 4, all seven test cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/hmac.h"

typedef struct vector {
    size_t key_size, size;
    uint8_t key[131], data[152];
    size_t kept; /* bytes of the code that the case shows: 16 in the fifth, else all */
    const char *code;
} vector;

static void text(uint8_t *to, size_t *size, const char *s)
{
    *size = strlen(s);
    memcpy(to, s, *size);
}

static void fill(uint8_t *to, size_t *size, int byte, size_t n)
{
    *size = n;
    memset(to, byte, n);
}

static void check(const vector *v)
{
    nod_error err = NOD_ERROR_INIT;
    uint8_t code[NOD_SHA256_BYTES];
    char hex[NOD_SHA256_HEX];
    assert_int_equal(nod_hmac_sha256(v->key, v->key_size, v->data, v->size, code, &err), 0);
    for (size_t i = 0; i < v->kept; i++)
        snprintf(hex + 2 * i, 3, "%02x", code[i]);
    assert_string_equal(hex, v->code);
}

static void test_short_keys(void **state)
{
    (void)state;
    vector v = {.kept = 32};
    fill(v.key, &v.key_size, 0x0b, 20);
    text(v.data, &v.size, "Hi There");
    v.code = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    check(&v);
    text(v.key, &v.key_size, "Jefe");
    text(v.data, &v.size, "what do ya want for nothing?");
    v.code = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    check(&v);
    fill(v.key, &v.key_size, 0xaa, 20);
    fill(v.data, &v.size, 0xdd, 50);
    v.code = "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe";
    check(&v);
    v.key_size = 25;
    for (size_t i = 0; i < 25; i++)
        v.key[i] = (uint8_t)(i + 1);
    fill(v.data, &v.size, 0xcd, 50);
    v.code = "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b";
    check(&v);
    fill(v.key, &v.key_size, 0x0c, 20);
    text(v.data, &v.size, "Test With Truncation");
    v.kept = 16;
    v.code = "a3b6167473100ee06e0c796c2955552b";
    check(&v);
}

static void test_keys_longer_than_a_block(void **state)
{
    (void)state;
    vector v = {.kept = 32};
    fill(v.key, &v.key_size, 0xaa, 131);
    text(v.data, &v.size, "Test Using Larger Than Block-Size Key - Hash Key First");
    v.code = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    check(&v);
    text(v.data, &v.size,
         "This is a test using a larger than block-size key and a larger than block-size data. "
         "The key needs to be hashed before being used by the HMAC algorithm.");
    v.code = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2";
    check(&v);
}

/* By definition: the code of the bytes "purpose\0text". */
static void test_purposes_are_kept_apart(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    uint8_t whole[NOD_SHA256_BYTES], code[NOD_SHA256_BYTES];
    assert_int_equal(nod_hmac_sha256("k", 1,
                                     "uid\0"
                                     "1.2",
                                     7, whole, &err),
                     0);
    assert_int_equal(nod_hmac_sha256_text("k", 1, "uid", "1.2", code, &err), 0);
    assert_memory_equal(code, whole, sizeof code);
    assert_int_equal(nod_hmac_sha256_text("k", 1, "ui", "d1.2", code, &err), 0);
    assert_memory_not_equal(code, whole, sizeof code);
    assert_int_equal(nod_hmac_sha256_text("k", 1, "patient", "", code, &err), 0);
    assert_int_equal(nod_hmac_sha256("k", 1, "patient", 8, whole, &err), 0);
    assert_memory_equal(code, whole, sizeof code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_keys),
        cmocka_unit_test(test_keys_longer_than_a_block),
        cmocka_unit_test(test_purposes_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
