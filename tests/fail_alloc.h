/* fail_alloc.h: refuses the n-th allocation, for tests of what happens then.
 *
 * A test file that ends in _oom.c is linked with --wrap (tests/CMakeLists.txt), so that malloc,
 * calloc, realloc and aligned_alloc of the library come through here; jansson and OpenSSL are
 * shared libraries and come through by their own hooks (fail_alloc_hook_json, ..._crypto).
 *
 *     for (long n = 0; fail_alloc_round(n); n++) {
 *         int rc = work();                       // may fail
 *         if (fail_alloc_stop()) assert_int_equal(rc, NOD_ENOMEM);
 *         else assert_int_equal(rc, 0);
 *         clean_up();
 *     }
 *
 * fail_alloc_round starts round n, in which allocation n (from 0) and all after it are refused;
 * it is false once a round has passed without a refusal. */
#ifndef TESTS_FAIL_ALLOC_H
#define TESTS_FAIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

bool fail_alloc_round(long n);
/* Allocations work again; true if at least one was refused in this round. */
bool fail_alloc_stop(void);
/* With only_one, allocation n alone is refused; later ones work. */
void fail_alloc_only_one(bool only_one);

/* For json_set_alloc_funcs. */
void *fail_alloc_malloc(size_t size);
/* For CRYPTO_set_mem_functions, before OpenSSL's first use. */
void *fail_alloc_crypto_malloc(size_t size, const char *file, int line);
void *fail_alloc_crypto_realloc(void *p, size_t size, const char *file, int line);
void fail_alloc_crypto_free(void *p, const char *file, int line);

#endif
