/* test_cache_oom.c: opening, filling and reading a cache when memory is refused at any point: an error
 * or a cache that is done without, nothing leaked, and records that are found again are whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/cache.h"
#include "fail_alloc.h"
#include "temp_folder.h"

#define RECORDS 3

static nod_pack_key key_of(size_t i)
{
    nod_pack_key key;
    memset(key.content, 'a' + (int)i, sizeof key.content - 1);
    memset(key.state, '1' + (int)i, sizeof key.state - 1);
    key.content[NOD_SHA256_HEX - 1] = key.state[NOD_SHA256_HEX - 1] = '\0';
    return key;
}

/* Puts what is not there yet and reads all; *n_found is how many were there. */
static int fill(const char *folder, const nod_contract *k, size_t *n_found, nod_error *err)
{
    nod_cache *c = NULL;
    bool changed;
    int rc = 0;
    size_t n = (size_t)nod_contract_samples(k), at[RECORDS];
    float values[64], back[64];
    nod_contract_sums sums = {0}, read = {0};
    assert_true(n <= NOD_COUNT(values));
    *n_found = 0;
    NOD_TRY(nod_cache_open(folder, k, NULL, &c, err));
    NOD_TRY(nod_cache_begin(c, &changed, err));
    for (size_t i = 0; i < RECORDS; i++) {
        nod_pack_key key = key_of(i);
        for (size_t v = 0; v < n; v++)
            values[v] = (float)(100 * i + v);
        at[i] = nod_cache_find(c, &key);
        *n_found += at[i] != 0;
        if (at[i] == 0) NOD_TRY(nod_cache_put(c, &key, values, &sums, &at[i], err));
    }
    NOD_TRY(nod_cache_end(c, err));
    for (size_t i = 0; i < RECORDS; i++) {
        if (at[i] == 0) continue;
        nod_cache_values(c, at[i], back);
        for (size_t v = 0; v < n; v++)
            assert_true(back[v] == (float)(100 * i + v));
        NOD_TRY(nod_cache_sums(c, at[i], &read, err));
    }
out:
    nod_cache_close(c);
    return rc;
}

static void test_refusals(void **state)
{
    nod_contract k;
    char folder[512], name[32];
    nod_contract_init(&k, 2, 1, 7, 4);
    long rounds = 0;
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT, again = NOD_ERROR_INIT;
        size_t found;
        snprintf(name, sizeof name, "cache%ld", n);
        temp_path(folder, *state, name);
        int rc = fill(folder, &k, &found, &err);
        bool refused = fail_alloc_stop();
        if (rc != 0) assert_int_equal(rc, NOD_ENOMEM);
        if (!refused) assert_int_equal(rc, 0);
        if (fill(folder, &k, &found, &again) != 0) fail_msg("%s", again.message);
        if (!refused) assert_int_equal(found, RECORDS);
        rounds += refused;
    }
    assert_true(rounds > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
