/* fail_alloc.c: the wrapped allocators (fail_alloc.h). One thread at a time. */
#include "fail_alloc.h"

#include <errno.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static long allowed = -1; /* allocations still allowed; negative: all */
static bool armed, refused, one_only, finished;

static bool refuse(void)
{
    if (!armed) return false;
    if (allowed > 0) {
        allowed--;
        return false;
    }
    if (one_only) armed = false;
    errno = ENOMEM;
    refused = true;
    return true;
}

bool fail_alloc_round(long n)
{
    if (n > 0 && finished) return finished = false;
    allowed = n;
    refused = false;
    finished = false;
    armed = true;
    return true;
}

bool fail_alloc_stop(void)
{
    armed = false;
    finished = !refused;
    return refused;
}

void fail_alloc_only_one(bool only_one)
{
    one_only = only_one;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return refuse() ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return refuse() ? NULL : __real_aligned_alloc(alignment, size);
}

void *fail_alloc_malloc(size_t size)
{
    return __wrap_malloc(size);
}

void *fail_alloc_crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

void *fail_alloc_crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(p, size);
}

void fail_alloc_crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}
