/* test_memory.c: overflow checks, growth, alignment, and the arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"

static void test_products_and_sums_overflow(void **state)
{
    (void)state;
    size_t v = 7;
    assert_true(nod_size_mul(3, 5, &v));
    assert_int_equal(v, 15);
    assert_false(nod_size_mul(SIZE_MAX / 2 + 1, 2, &v));
    assert_int_equal(v, 15);
    assert_true(nod_size_mul(SIZE_MAX, 1, &v));
    assert_true(v == SIZE_MAX);
    assert_false(nod_size_add(SIZE_MAX, 1, &v));
    assert_true(nod_size_add(SIZE_MAX - 1, 1, &v));
    assert_true(v == SIZE_MAX);
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    size_t huge = SIZE_MAX / 2 + 2;
    assert_null(nod_malloc(huge));
    assert_null(nod_calloc(huge, 2));
    assert_null(nod_calloc(huge, 1));
    assert_null(nod_aligned_calloc(SIZE_MAX));
    char *p = nod_strdup("kept");
    assert_non_null(p);
    assert_null(nod_realloc(p, huge, 2));
    assert_string_equal(p, "kept");
    nod_free(p);
    nod_arena a;
    nod_arena_init(&a);
    assert_null(nod_arena_alloc(&a, SIZE_MAX));
    nod_arena_done(&a);
}

static void test_empty_blocks_are_blocks(void **state)
{
    (void)state;
    void *blocks[] = {nod_malloc(0), nod_calloc(0, 8), nod_aligned_calloc(0),
                      nod_memdup("", 0)};
    for (size_t i = 0; i < NOD_COUNT(blocks); i++) {
        assert_non_null(blocks[i]);
        nod_free(blocks[i]);
    }
    nod_free(NULL);
}

static void test_aligned_blocks(void **state)
{
    (void)state;
    for (size_t size = 1; size < 300; size += 37) {
        unsigned char *p = nod_aligned_calloc(size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % NOD_ALIGNMENT, 0);
        /* Zeroed up to the rounded size: kernels read whole vectors. */
        size_t rounded = (size + NOD_ALIGNMENT - 1) / NOD_ALIGNMENT * NOD_ALIGNMENT;
        for (size_t i = 0; i < rounded; i++)
            assert_int_equal(p[i], 0);
        nod_free(p);
    }
}

static void test_copies(void **state)
{
    (void)state;
    char *s = nod_strndup("abcdef", 3);
    assert_string_equal(s, "abc");
    nod_free(s);
    s = nod_strndup("ab", 30);
    assert_string_equal(s, "ab");
    nod_free(s);
    int values[3] = {1, 2, 3};
    int *copy = nod_memdup(values, sizeof values);
    assert_memory_equal(copy, values, sizeof values);
    nod_free(copy);
}

static void test_grow_doubles_and_keeps(void **state)
{
    (void)state;
    int *items = NULL;
    size_t cap = 0, grown = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = cap;
        assert_true(nod_grow((void **)&items, &cap, (size_t)i + 1, sizeof *items));
        grown += cap != before;
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(grown <= 8); /* 8, 16 ... 1024 */
    size_t before = cap;
    assert_false(nod_grow((void **)&items, &cap, SIZE_MAX / 2, sizeof *items));
    assert_int_equal(cap, before);
    assert_int_equal(items[999], 999);
    nod_free(items);
}

static void test_arena_blocks_are_apart_and_zeroed(void **state)
{
    (void)state;
    nod_arena a;
    nod_arena_init(&a);
    enum { N = 400 };
    unsigned char *p[N];
    for (size_t i = 0; i < N; i++) {
        size_t size = i * i % 977 + (i == 200 ? 100000 : 0);
        p[i] = nod_arena_alloc(&a, size);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[i][k], 0);
        memset(p[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < N; i++) {
        size_t size = i * i % 977 + (i == 200 ? 100000 : 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[i][k], i & 0xff);
    }
    nod_arena_done(&a);
    assert_string_equal(nod_arena_strdup(&a, "again"), "again");
    assert_string_equal(nod_arena_printf(&a, "%d-%s", 5, "x"), "5-x");
    int v = 3;
    assert_int_equal(*(int *)nod_arena_memdup(&a, &v, sizeof v), 3);
    nod_arena_done(&a);
    nod_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_and_sums_overflow),
        cmocka_unit_test(test_impossible_sizes_are_refused),
        cmocka_unit_test(test_empty_blocks_are_blocks),
        cmocka_unit_test(test_aligned_blocks),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_grow_doubles_and_keeps),
        cmocka_unit_test(test_arena_blocks_are_apart_and_zeroed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
