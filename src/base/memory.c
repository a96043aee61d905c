/* memory.c: checked allocation and the bump arena.
 *
 * Sizes above PTRDIFF_MAX are refused here, since they come from sums and products that went
 * wrong and some allocators abort on them. An arena is a list of blocks, newest first; what
 * does not fit the newest block opens another, at least ARENA_BLOCK bytes large. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_BLOCK ((size_t)16 << 10)
#define ARENA_ALIGN ((size_t)16)
#define LARGE_BYTES ((size_t)8 << 20)

void *nod_malloc(size_t size)
{
    if (size > PTRDIFF_MAX) return NULL;
    return malloc(size > 0 ? size : 1);
}

void *nod_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!nod_size_mul(count, size, &bytes) || bytes > PTRDIFF_MAX) return NULL;
    return calloc(bytes > 0 ? bytes : 1, 1);
}

void *nod_calloc_large(size_t count, size_t size)
{
    void *p = nod_calloc(count, size);
    size_t bytes = p != NULL ? count * size : 0;

    if (bytes >= LARGE_BYTES) { /* only the whole pages inside are ours to advise on */
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
        uintptr_t to = ((uintptr_t)p + bytes) / page * page;
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    }
    return p;
}

void *nod_realloc(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (!nod_size_mul(count, size, &bytes) || bytes > PTRDIFF_MAX) return NULL;
    return realloc(p, bytes > 0 ? bytes : 1);
}

char *nod_strdup(const char *s)
{
    return nod_memdup(s, strlen(s) + 1);
}

char *nod_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = nod_malloc(len + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void *nod_memdup(const void *p, size_t size)
{
    void *copy = nod_malloc(size);
    if (copy != NULL && size > 0) memcpy(copy, p, size);
    return copy;
}

void *nod_aligned_calloc(size_t size)
{
    if (size > PTRDIFF_MAX - NOD_ALIGNMENT) return NULL;
    size_t rounded = nod_aligned_size(size);
    if (rounded == 0) rounded = NOD_ALIGNMENT;
    void *p = aligned_alloc(NOD_ALIGNMENT, rounded);
    if (p != NULL) memset(p, 0, rounded);
    return p;
}

void nod_free(void *p)
{
    free(p);
}

bool nod_size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

bool nod_size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

bool nod_grow(void **items, size_t *capacity, size_t need, size_t item_size)
{
    if (need <= *capacity) return true;
    size_t cap = *capacity < 8 ? 8 : *capacity;
    while (cap < need) {
        if (!nod_size_mul(cap, 2, &cap)) {
            cap = need;
        }
    }
    void *grown = nod_realloc(*items, cap, item_size);
    if (grown == NULL) return false;
    *items = grown;
    *capacity = cap;
    return true;
}

struct nod_arena_block {
    struct nod_arena_block *next;
    size_t used, cap;
    NOD_ALIGNED(16) unsigned char data[];
};

void nod_arena_init(nod_arena *a)
{
    a->blocks = NULL;
}

void nod_arena_done(nod_arena *a)
{
    while (a->blocks != NULL) {
        struct nod_arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

void *nod_arena_alloc(nod_arena *a, size_t size)
{
    if (size > PTRDIFF_MAX - ARENA_BLOCK) return NULL;
    size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct nod_arena_block *b = a->blocks;
    if (b == NULL || b->cap - b->used < rounded) {
        size_t cap = NOD_MAX(rounded, ARENA_BLOCK);
        b = calloc(1, sizeof *b + cap);
        if (b == NULL) return NULL;
        b->cap = cap;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += rounded;
    return p;
}

void *nod_arena_memdup(nod_arena *a, const void *p, size_t size)
{
    void *copy = nod_arena_alloc(a, size);
    if (copy != NULL && size > 0) memcpy(copy, p, size);
    return copy;
}

char *nod_arena_strdup(nod_arena *a, const char *s)
{
    return nod_arena_memdup(a, s, strlen(s) + 1);
}

char *nod_arena_printf(nod_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *s = n < 0 ? NULL : nod_arena_alloc(a, (size_t)n + 1);
    if (s != NULL) vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}
