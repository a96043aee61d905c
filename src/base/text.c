/* text.c: growing strings, lists, natural order, and edit distance.
 *
 * Formatting uses the "C" locale whatever the program's locale is: artefacts must not get
 * decimal commas because a host program called setlocale. Numbers themselves are in number.c.
 */
#include "base/text.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* --- text safe to show -------------------------------------------------------------------- */

void nod_text_tidy(char *s)
{
    size_t len = 0;
    for (; s[len] != '\0'; len++) {
        unsigned char c = (unsigned char)s[len];
        if (c == '\n' || c == '\t')
            s[len] = ' ';
        else if (c < 0x20 || c == 0x7f)
            s[len] = '?';
    }
    while (len > 0 && s[len - 1] == ' ')
        s[--len] = '\0';
    /* A cut may have left the first bytes of a UTF-8 sequence at the end. */
    size_t tail = 0;
    while (tail < 3 && tail < len && ((unsigned char)s[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == len) return;
    unsigned char lead = (unsigned char)s[len - 1 - tail];
    size_t need = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (need > tail) s[len - 1 - tail] = '\0';
}

/* --- growing strings ---------------------------------------------------------------------- */

/* An empty buffer points to a literal; cap 0 says that data is not the buffer's own. */
void nod_strbuf_done(nod_strbuf *b)
{
    if (b->cap > 0) nod_free(b->data);
    *b = (nod_strbuf)NOD_STRBUF_INIT;
}

void nod_strbuf_clear(nod_strbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->cap > 0) b->data[0] = '\0';
}

/* Room for `extra` more bytes and the NUL. */
static bool strbuf_reserve(nod_strbuf *b, size_t extra)
{
    if (b->failed) return false;
    size_t need;
    char *data = b->cap > 0 ? b->data : NULL;
    if (!nod_size_add(b->len, extra, &need) || !nod_size_add(need, 1, &need) ||
        !nod_grow((void **)&data, &b->cap, need, 1)) {
        b->failed = true;
        return false;
    }
    b->data = data;
    return true;
}

void nod_strbuf_addn(nod_strbuf *b, const char *s, size_t n)
{
    if (!strbuf_reserve(b, n)) return;
    if (n > 0) memcpy(b->data + b->len, s, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void nod_strbuf_add(nod_strbuf *b, const char *s)
{
    nod_strbuf_addn(b, s, strlen(s));
}

void nod_strbuf_addc(nod_strbuf *b, char c)
{
    nod_strbuf_addn(b, &c, 1);
}

void nod_strbuf_printf(nod_strbuf *b, const char *fmt, ...)
{
    if (!strbuf_reserve(b, 80)) return;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c_locale);
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = b->cap - b->len;
    int n = vsnprintf(b->data + b->len, room, fmt, ap);
    if (n < 0) {
        b->failed = true;
        b->data[b->len] = '\0';
    } else if ((size_t)n < room) {
        b->len += (size_t)n;
    } else {
        b->data[b->len] = '\0';
        if (strbuf_reserve(b, (size_t)n)) {
            vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
            b->len += (size_t)n;
        }
    }
    va_end(again);
    va_end(ap);
    uselocale(before);
    freelocale(c_locale);
}

char *nod_strbuf_take(nod_strbuf *b)
{
    char *s = NULL;
    if (strbuf_reserve(b, 0)) {
        b->data[b->len] = '\0';
        s = b->data;
        *b = (nod_strbuf)NOD_STRBUF_INIT;
    }
    nod_strbuf_done(b);
    return s;
}

/* --- lists of strings --------------------------------------------------------------------- */

void nod_strlist_done(nod_strlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        nod_free(l->items[i]);
    nod_free(l->items);
    *l = (nod_strlist)NOD_STRLIST_INIT;
}

bool nod_strlist_add(nod_strlist *l, const char *s)
{
    if (!nod_grow((void **)&l->items, &l->cap, l->n + 1, sizeof *l->items)) return false;
    char *copy = nod_strdup(s);
    if (copy == NULL) return false;
    l->items[l->n++] = copy;
    return true;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void nod_strlist_sort(nod_strlist *l)
{
    if (l->n > 1) qsort(l->items, l->n, sizeof *l->items, compare_items);
}

int64_t nod_strlist_find(const nod_strlist *l, const char *s)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->items[i], s) == 0) return (int64_t)i;
    return -1;
}

/* --- prefixes, suffixes, order ------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ASCII only: file names and keys must not change meaning with the locale. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool nod_has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool nod_equal_nocase(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if (lower(*a) != lower(*b)) return false;
    return *a == *b;
}

bool nod_has_suffix_nocase(const char *s, const char *suffix)
{
    size_t len = strlen(s), suffix_len = strlen(suffix);
    return len >= suffix_len && nod_equal_nocase(s + len - suffix_len, suffix);
}

/* Compares the digit runs at *a and *b by value and steps over them. */
static int compare_digit_runs(const char **a, const char **b)
{
    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    size_t na = 0, nb = 0;
    while (is_digit((*a)[na]))
        na++;
    while (is_digit((*b)[nb]))
        nb++;
    int order = na != nb ? (na < nb ? -1 : 1) : strncmp(*a, *b, na);
    *a += na;
    *b += nb;
    return order;
}

int nod_compare_natural(const char *a, const char *b)
{
    const char *p = a, *q = b;
    while (*p != '\0' && *q != '\0') {
        if (is_digit(*p) && is_digit(*q)) {
            int order = compare_digit_runs(&p, &q);
            if (order != 0) return order;
        } else if (*p != *q) {
            return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
        } else {
            p++;
            q++;
        }
    }
    if (*p != *q) return *p == '\0' ? -1 : 1;
    return strcmp(a, b); /* "a02" and "a2": any fixed order will do, but not "equal" */
}

/* --- nearest word ------------------------------------------------------------------------- */

#define WORD_MAX 64

/* Edits (insert, delete, replace, swap of neighbours) from a to b, letter case ignored.
 * Source: "optimal string alignment", restricted Damerau-Levenshtein distance. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *two_up = rows[0], *up = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++)
        up[j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            size_t best = up[j - 1] + (same ? 0 : 1);
            best = NOD_MIN(best, up[j] + 1);
            best = NOD_MIN(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                best = NOD_MIN(best, two_up[j - 2] + 1);
            row[j] = best;
        }
        size_t *spare = two_up;
        two_up = up;
        up = row;
        row = spare;
    }
    return up[nb];
}

const char *nod_nearest(const char *word, const char *(*next)(const void *ctx, size_t i),
                        const void *ctx)
{
    size_t len = strlen(word);
    if (len > WORD_MAX) return NULL;
    const char *best = NULL, *candidate;
    size_t best_distance = 2 + len / 3;
    for (size_t i = 0; (candidate = next(ctx, i)) != NULL; i++) {
        size_t n = strlen(candidate);
        if (n > WORD_MAX) continue;
        size_t distance = edit_distance(word, len, candidate, n);
        /* Nothing in common is no likeness, however short the words are. */
        if (distance >= NOD_MAX(len, n)) continue;
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}
