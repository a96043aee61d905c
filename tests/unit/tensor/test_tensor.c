/* test_tensor.c: dtypes, shapes, views, conversion, hash, and bf16 rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "tensor/tensor.h"

static void test_dtypes(void **state)
{
    (void)state;
    static const struct {
        nod_dtype t;
        const char *name;
        size_t size;
    } all[] = {
        {NOD_DTYPE_F32, "f32", 4}, {NOD_DTYPE_F64, "f64", 8}, {NOD_DTYPE_BF16, "bf16", 2},
        {NOD_DTYPE_U8, "u8", 1},   {NOD_DTYPE_I8, "i8", 1},   {NOD_DTYPE_U16, "u16", 2},
        {NOD_DTYPE_I16, "i16", 2}, {NOD_DTYPE_U32, "u32", 4}, {NOD_DTYPE_I32, "i32", 4},
        {NOD_DTYPE_U64, "u64", 8}, {NOD_DTYPE_I64, "i64", 8}, {NOD_DTYPE_BOOL, "bool", 1}};
    assert_int_equal(NOD_COUNT(all), NOD_DTYPE_COUNT);
    for (size_t i = 0; i < NOD_COUNT(all); i++) {
        assert_string_equal(nod_dtype_name(all[i].t), all[i].name);
        assert_int_equal(nod_dtype_size(all[i].t), all[i].size);
    }
}

static void test_shape_of_and_equality(void **state)
{
    (void)state;
    int plain_int = 3; /* an int, not an int64_t: must be widened */
    nod_shape a = nod_shape_of(3, 2, plain_int, INT64_C(5000000000));
    assert_int_equal(a.rank, 3);
    assert_true(a.dim[0] == 2 && a.dim[1] == 3 && a.dim[2] == INT64_C(5000000000));
    assert_true(a.dim[3] == 0);
    nod_shape same = nod_shape_of(3, 2, 3, INT64_C(5000000000)), scalar = nod_shape_of(0);
    nod_shape longer = nod_shape_of(4, 2, 3, INT64_C(5000000000), 1);
    nod_shape other = nod_shape_of(3, 2, 4, INT64_C(5000000000));
    same.dim[5] = 99; /* past the rank: no part of the shape */
    assert_true(nod_shape_equal(&a, &same));
    assert_false(nod_shape_equal(&a, &longer));
    assert_false(nod_shape_equal(&a, &other));
    assert_false(nod_shape_equal(&a, &scalar));
}

static void test_shape_text(void **state)
{
    (void)state;
    char out[128];
    nod_shape s = nod_shape_of(4, 2, 3, 28, 28), scalar = nod_shape_of(0);
    assert_string_equal(nod_shape_text(&s, out, sizeof out), "[2, 3, 28, 28]");
    assert_string_equal(nod_shape_text(&scalar, out, sizeof out), "[]");
    nod_shape widest =
        nod_shape_of(6, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN);
    nod_shape_text(&widest, out, sizeof out);
    assert_int_equal(strlen(out), 6 * 20 + 5 * 2 + 2 < 128 ? 6 * 20 + 5 * 2 + 2 : 127);
    char small[8];
    nod_shape_text(&s, small, sizeof small);
    assert_string_equal(small, "[2, 3, ");
}

static void test_counts_and_overflow(void **state)
{
    (void)state;
    size_t bytes = 7;
    nod_shape scalar = nod_shape_of(0), plain = nod_shape_of(3, 2, 3, 4);
    assert_int_equal(nod_shape_count(&scalar), 1);
    assert_int_equal(nod_shape_count(&plain), 24);
    assert_true(nod_shape_bytes(&scalar, NOD_DTYPE_F64, &bytes));
    assert_int_equal(bytes, 8);
    assert_true(nod_shape_bytes(&plain, NOD_DTYPE_BF16, &bytes));
    assert_int_equal(bytes, 48);

    int64_t big = INT64_C(1) << 32;
    nod_shape empty = nod_shape_of(4, big, big, 0, big);
    assert_int_equal(nod_shape_count(&empty), 0);
    assert_true(nod_shape_bytes(&empty, NOD_DTYPE_F32, &bytes));
    assert_int_equal(bytes, 0);

    bytes = 7;
    nod_shape bad[] = {
        nod_shape_of(1, -1),
        nod_shape_of(2, 0, -1),
        nod_shape_of(2, -2, -2),
        nod_shape_of(2, big, big),
        nod_shape_of(6, big, big, big, big, big, big),
        {.rank = -1},
        {.rank = 7},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        assert_true(nod_shape_count(&bad[i]) == -1);
        assert_false(nod_shape_bytes(&bad[i], NOD_DTYPE_U8, &bytes));
    }
    nod_shape countable = nod_shape_of(1, INT64_MAX); /* the count fits, the bytes do not */
    assert_true(nod_shape_count(&countable) == INT64_MAX);
    assert_false(nod_shape_bytes(&countable, NOD_DTYPE_F32, &bytes));
    nod_shape half = nod_shape_of(1, INT64_C(1) << 61); /* 2^63 bytes: size_t, but no block */
    assert_false(nod_shape_bytes(&half, NOD_DTYPE_F32, &bytes));
    assert_int_equal(bytes, 7);
}

static void test_init_view_done(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_tensor t = {0};
    nod_shape s = nod_shape_of(2, 3, 5), none = nod_shape_of(2, 3, 0);
    assert_int_equal(nod_tensor_init(&t, NOD_DTYPE_F32, &s, &err), 0);
    assert_int_equal((uintptr_t)t.data % 64, 0);
    assert_int_equal(nod_tensor_count(&t), 15);
    assert_int_equal(nod_tensor_bytes(&t), 60);
    for (int i = 0; i < 15; i++)
        assert_true(((float *)t.data)[i] == 0);
    nod_tensor v = nod_tensor_view(t.data, NOD_DTYPE_F32, &s);
    assert_ptr_equal(v.data, t.data);
    nod_tensor_done(&v); /* does not free */
    ((float *)t.data)[14] = 1;
    nod_tensor_done(&t);
    assert_null(t.data);
    nod_tensor_done(&t);

    assert_int_equal(nod_tensor_init(&t, NOD_DTYPE_U8, &none, &err), 0);
    assert_non_null(t.data);
    assert_int_equal(nod_tensor_bytes(&t), 0);
    nod_tensor_done(&t);

    nod_shape negative = nod_shape_of(2, 3, -5);
    nod_tensor untouched = {.owned = true, .data = &t};
    assert_int_equal(nod_tensor_init(&untouched, NOD_DTYPE_F32, &negative, &err), NOD_ESHAPE);
    assert_non_null(strstr(err.message, "[3, -5]"));
    assert_ptr_equal(untouched.data, &t);
}

/* Every dtype to f32 and f64: C's own conversion of the same literals. */
static void test_conversion(void **state)
{
    (void)state;
    static const float f32[] = {-1.5f, 3e38f};
    static const double f64[] = {0.1, -1e300};
    static const uint16_t bf16[] = {0x3fc0, 0xc2f7}; /* 1.5 and -123.5 */
    static const uint8_t u8[] = {0, 255};
    static const int8_t i8[] = {-128, 127};
    static const uint16_t u16[] = {0, 65535};
    static const int16_t i16[] = {-32768, 32767};
    static const uint32_t u32[] = {0, UINT32_MAX};
    static const int32_t i32[] = {INT32_MIN, INT32_MAX};
    static const uint64_t u64[] = {1, UINT64_MAX};
    static const int64_t i64[] = {INT64_MIN, INT64_MAX};
    static const uint8_t truth[] = {0, 7};
    const struct {
        nod_dtype t;
        const void *data;
        double want[2];
    } cases[] = {
        {NOD_DTYPE_F32, f32, {-1.5, 3e38f}},
        {NOD_DTYPE_F64, f64, {0.1, -1e300}},
        {NOD_DTYPE_BF16, bf16, {1.5, -123.5}},
        {NOD_DTYPE_U8, u8, {0, 255}},
        {NOD_DTYPE_I8, i8, {-128, 127}},
        {NOD_DTYPE_U16, u16, {0, 65535}},
        {NOD_DTYPE_I16, i16, {-32768, 32767}},
        {NOD_DTYPE_U32, u32, {0, 4294967295.0}},
        {NOD_DTYPE_I32, i32, {-2147483648.0, 2147483647.0}},
        {NOD_DTYPE_U64, u64, {1, 0x1p64}},
        {NOD_DTYPE_I64, i64, {-0x1p63, 0x1p63}},
        {NOD_DTYPE_BOOL, truth, {0, 1}},
    };
    assert_int_equal(NOD_COUNT(cases), NOD_DTYPE_COUNT);
    nod_shape s = nod_shape_of(1, 2);
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_tensor t = nod_tensor_view((void *)(uintptr_t)cases[i].data, cases[i].t, &s);
        double d[3] = {0, 0, 42};
        float f[3] = {0, 0, 42};
        nod_tensor_to_f64(&t, d);
        nod_tensor_to_f32(&t, f);
        for (int k = 0; k < 2; k++) {
            assert_true(d[k] == cases[i].want[k]);
            assert_true(f[k] == (float)cases[i].want[k]);
        }
        assert_true(d[2] == 42 && f[2] == 42); /* nothing past the end */
    }
}

/* Source: hashlib over "f32" (length first), rank, dims and bytes; tools/oracles/base.py. */
static void test_hash(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    float data[6] = {0, 1, 2, 3, 4, 5};
    nod_shape s = nod_shape_of(2, 2, 3), turned = nod_shape_of(2, 3, 2);
    nod_tensor t = nod_tensor_view(data, NOD_DTYPE_F32, &s);
    char hex[65], other[65];
    assert_int_equal(nod_tensor_hash(&t, hex, &err), 0);
    assert_string_equal(hex,
                        "b8af93dd56f0a2ab587513fb37864d0fb08b27b5c9fbc0872cfbe24da993b793");
    nod_tensor u = nod_tensor_view(data, NOD_DTYPE_F32, &turned);
    assert_int_equal(nod_tensor_hash(&u, other, &err), 0);
    assert_string_not_equal(hex, other);
    u = nod_tensor_view(data, NOD_DTYPE_U32, &s);
    assert_int_equal(nod_tensor_hash(&u, other, &err), 0);
    assert_string_not_equal(hex, other);
    data[5] = nextafterf(5, 6);
    assert_int_equal(nod_tensor_hash(&t, other, &err), 0);
    assert_string_not_equal(hex, other);
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void test_bf16_known_values(void **state)
{
    (void)state;
    /* By hand from the bit pattern: bf16 is the upper half of a float. */
    static const struct {
        uint32_t f32;
        uint16_t bf16;
    } cases[] = {
        {0x00000000, 0x0000},                       /* 0 */
        {0x80000000, 0x8000},                       /* -0 */
        {0x3f800000, 0x3f80},                       /* 1 */
        {0x3f807fff, 0x3f80},                       /* just under half-way */
        {0x3f808000, 0x3f80},                       /* half-way, even below */
        {0x3f808001, 0x3f81},                       /* just over half-way */
        {0x3f818000, 0x3f82},                       /* half-way, even above */
        {0xbf818000, 0xbf82},                       /* the same, negative */
        {0x3fffffff, 0x4000},                       /* carries into the exponent */
        {0x7f7fffff, 0x7f80},                       /* FLT_MAX is nearer to 2^128: infinity */
        {0x7f7f7fff, 0x7f7f},                       /* largest that stays finite */
        {0x7f800000, 0x7f80},                       /* infinity */
        {0xff800000, 0xff80}, {0x00000001, 0x0000}, /* smallest subnormal */
        {0x00008001, 0x0001}, {0x00018000, 0x0002},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++)
        assert_int_equal(nod_bf16_from_f32(float_of(cases[i].f32)), cases[i].bf16);
}

static void test_bf16_nan_stays_nan(void **state)
{
    (void)state;
    static const uint32_t nans[] = {0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001,
                                    0xffffffff, 0x7f808000, 0x7f80ffff};
    for (size_t i = 0; i < NOD_COUNT(nans); i++) {
        uint16_t b = nod_bf16_from_f32(float_of(nans[i]));
        assert_true(isnan(nod_f32_from_bf16(b)));
        assert_int_equal(b >> 15, nans[i] >> 31); /* the sign stays */
    }
}

static void test_bf16_round_trips(void **state)
{
    (void)state;
    for (uint32_t b = 0; b <= 0xffff; b++) {
        float f = nod_f32_from_bf16((uint16_t)b);
        if (isnan(f)) continue;
        assert_int_equal(nod_bf16_from_f32(f), b);
    }
}

/* The definition: of the two neighbours the nearer one, of equals the even one; distances are
 * exact in double. */
static void test_bf16_rounds_to_nearest_even(void **state)
{
    (void)state;
    nod_rng r = nod_rng_make(5, NOD_RNG_TEST, 0);
    for (int i = 0; i < 200000; i++) {
        uint32_t u = nod_rng_u32(&r);
        if (i % 4 == 0) u = (u & 0xffff0000u) | 0x8000u; /* ties */
        float f = float_of(u);
        uint16_t lo = (uint16_t)(u >> 16), hi = (uint16_t)(lo + 1);
        if (!isfinite(f) || !isfinite(nod_f32_from_bf16(hi))) continue;
        double to_lo = fabs((double)f - (double)nod_f32_from_bf16(lo));
        double to_hi = fabs((double)nod_f32_from_bf16(hi) - (double)f);
        uint16_t want = to_lo < to_hi ? lo : to_hi < to_lo ? hi : lo % 2 == 0 ? lo : hi;
        assert_int_equal(nod_bf16_from_f32(f), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_shape_of_and_equality),
        cmocka_unit_test(test_shape_text),
        cmocka_unit_test(test_counts_and_overflow),
        cmocka_unit_test(test_init_view_done),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_bf16_known_values),
        cmocka_unit_test(test_bf16_nan_stays_nan),
        cmocka_unit_test(test_bf16_round_trips),
        cmocka_unit_test(test_bf16_rounds_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
