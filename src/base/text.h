/* text.h: growing strings, lists of strings, strict numbers, and "did you mean". */
#ifndef NOD_BASE_TEXT_H
#define NOD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* Makes text one line that is safe to show, in place: newlines and tabs become spaces, other
 * control bytes '?', spaces and a cut UTF-8 sequence at the end are dropped. */
void nod_text_tidy(char *s);

/* A growing string. `data` is always NUL-terminated; after memory was refused once, `failed` is
 * set and further calls do nothing: check it once at the end. Formats numbers in the "C"
 * locale. */
typedef struct nod_strbuf {
    char *data;
    size_t len, cap;
    bool failed;
} nod_strbuf;

#define NOD_STRBUF_INIT    \
    {                      \
        .data = (char *)"" \
    }
void nod_strbuf_done(nod_strbuf *b);
void nod_strbuf_clear(nod_strbuf *b);
void nod_strbuf_add(nod_strbuf *b, const char *s);
void nod_strbuf_addn(nod_strbuf *b, const char *s, size_t n);
void nod_strbuf_addc(nod_strbuf *b, char c);
void nod_strbuf_printf(nod_strbuf *b, const char *fmt, ...) NOD_PRINTF(2, 3);
/* Hands the string over (never NULL unless failed); the buffer is empty afterwards. */
char *nod_strbuf_take(nod_strbuf *b) NOD_MUST_CHECK;

typedef struct nod_strlist {
    char **items;
    size_t n, cap;
} nod_strlist;

#define NOD_STRLIST_INIT \
    {                    \
        0                \
    }
void nod_strlist_done(nod_strlist *l);
bool nod_strlist_add(nod_strlist *l, const char *s) NOD_MUST_CHECK; /* false: no memory */
void nod_strlist_sort(nod_strlist *l);                              /* bytewise */
/* Index of s, or -1. */
int64_t nod_strlist_find(const nod_strlist *l, const char *s);

/* Whole string must be the number; false otherwise, also when out of range or not finite. */
bool nod_parse_i64(const char *s, int64_t *out) NOD_MUST_CHECK;
bool nod_parse_u64(const char *s, uint64_t *out) NOD_MUST_CHECK;
bool nod_parse_f64(const char *s, double *out) NOD_MUST_CHECK;
bool nod_parse_bool(const char *s, bool *out) NOD_MUST_CHECK; /* true/false/yes/no/on/off */

bool nod_has_prefix(const char *s, const char *prefix);
bool nod_has_suffix_nocase(const char *s, const char *suffix);
bool nod_equal_nocase(const char *a, const char *b);

/* Natural order: digits compare as numbers ("case2" < "case10"). */
int nod_compare_natural(const char *a, const char *b);

/* The candidate nearest to `word` by edit distance (a swap of neighbours is one edit, letter
 * case is ignored), or NULL if none is near enough (distance <= 1 + strlen(word)/3, and less
 * than the longer word). The first of equals wins; words over 64 bytes are never near.
 * `next(ctx, i)` gives candidate i, NULL at the end. */
const char *nod_nearest(const char *word, const char *(*next)(const void *ctx, size_t i),
                        const void *ctx);

/* "1.5 KiB", "23 MiB": for people. `out` holds at least 16 bytes. */
void nod_format_bytes(double bytes, char *out, size_t size);
/* "1 h 02 min", "3.4 s", "120 ms". */
void nod_format_seconds(double seconds, char *out, size_t size);
/* Shortest decimal text that reads back to the same double ("%.15g".."%.17g"); NaN -> "nan". */
void nod_format_f64(double v, char *out, size_t size);

#endif
