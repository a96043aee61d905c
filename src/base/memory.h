/* memory.h: checked allocation, aligned buffers, and one bump arena per lifetime.
 *
 * All functions return NULL when memory is refused or a product overflows; the caller reports
 * it with nod_fail_memory. Blocks from nod_aligned_* are freed with nod_free too. */
#ifndef NOD_BASE_MEMORY_H
#define NOD_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define NOD_ALIGNMENT 64 /* bytes: one cache line, one AVX-512 vector */

void *nod_malloc(size_t size) NOD_MUST_CHECK;
/* Zeroed; count * size is checked for overflow. */
void *nod_calloc(size_t count, size_t size) NOD_MUST_CHECK;
/* The same for a block of many MiB that will be filled at once: asks for large pages, which take a
 * tenth of the time to come. */
void *nod_calloc_large(size_t count, size_t size) NOD_MUST_CHECK;
/* Resizes to count * size bytes, checked; on failure `p` is still valid. */
void *nod_realloc(void *p, size_t count, size_t size) NOD_MUST_CHECK;
char *nod_strdup(const char *s) NOD_MUST_CHECK;
char *nod_strndup(const char *s, size_t n) NOD_MUST_CHECK;
void *nod_memdup(const void *p, size_t size) NOD_MUST_CHECK;
/* Rounded up to the alignment. */
static inline size_t nod_aligned_size(size_t bytes)
{
    return (bytes + NOD_ALIGNMENT - 1) / NOD_ALIGNMENT * NOD_ALIGNMENT;
}

/* NOD_ALIGNMENT-aligned, zeroed, size rounded up to the alignment. */
void *nod_aligned_calloc(size_t size) NOD_MUST_CHECK;
void nod_free(void *p);

/* false on overflow; *out is untouched then. */
bool nod_size_mul(size_t a, size_t b, size_t *out) NOD_MUST_CHECK;
bool nod_size_add(size_t a, size_t b, size_t *out) NOD_MUST_CHECK;

/* Grows `*items` (elements of `item_size` bytes) so that `need` fit; doubles. false: no memory,
 * nothing changed. Use: if (!nod_grow((void **)&v->items, &v->cap, v->n + 1, sizeof *v->items))
 */
bool nod_grow(void **items, size_t *capacity, size_t need, size_t item_size) NOD_MUST_CHECK;

/* A bump allocator: everything in it dies together. */
typedef struct nod_arena {
    struct nod_arena_block *blocks;
} nod_arena;

void nod_arena_init(nod_arena *a);
void nod_arena_done(nod_arena *a); /* frees all; the arena may be used again */
void *nod_arena_alloc(nod_arena *a, size_t size) NOD_MUST_CHECK; /* zeroed, 16-byte aligned */
char *nod_arena_strdup(nod_arena *a, const char *s) NOD_MUST_CHECK;
char *nod_arena_printf(nod_arena *a, const char *fmt, ...) NOD_PRINTF(2, 3) NOD_MUST_CHECK;
void *nod_arena_memdup(nod_arena *a, const void *p, size_t size) NOD_MUST_CHECK;

#endif
