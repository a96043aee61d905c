/* deid_terms.c: see deid_terms.h. Letters beyond ASCII are compared byte by byte, so a name is found in
 * the character set in which the file has it. */
#include "imaging/dicom/deid_terms.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

void nod_deid_terms_done(nod_deid_terms *t)
{
    nod_strlist_done(&t->parts);
    nod_strlist_done(&t->words);
    nod_strlist_done(&t->numbers);
    nod_strlist_done(&t->places);
}

static bool is_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)s[i])) return false;
    return true;
}

/* What stands in names of nobody, and in many other texts. */
static bool is_nobody(const char *word)
{
    static const char *const words[] = {"anonymous", "anonymized", "anonymised", "name",
                                        "none",      "null",       "patient",    "phantom",
                                        "removed",   "test",       "unknown",    NULL};
    for (int i = 0; words[i]; i++)
        if (nod_equal_nocase(words[i], word)) return true;
    return false;
}

/* Without blanks at its ends, each once. */
static int add(nod_strlist *list, const char *s, size_t n, size_t least, nod_error *err)
{
    while (n > 0 && s[0] == ' ')
        s++, n--;
    while (n > 0 && s[n - 1] == ' ')
        n--;
    if (n < least + (is_digits(s, n) ? 1 : 0)) return 0;
    char *copy = nod_strndup(s, n);
    bool kept = copy && (is_nobody(copy) || nod_strlist_find(list, copy) >= 0 ||
                         nod_strlist_add(list, copy));
    nod_free(copy);
    return kept ? 0 : nod_fail_memory(err, "identifiers", n);
}

/* Each piece between these characters. */
static int add_pieces(nod_strlist *list, const char *value, const char *between, size_t least,
                      nod_error *err)
{
    for (const char *s = value;;) {
        size_t n = strcspn(s, between);
        int rc = add(list, s, n, least, err);
        if (rc != 0 || s[n] == '\0') return rc;
        s += n + 1;
    }
}

int nod_deid_terms_add_name(nod_deid_terms *t, const char *value, nod_error *err)
{
    return add_pieces(&t->parts, value, "\\^= ,.;", NOD_DEID_NAME_LEAST, err);
}

int nod_deid_terms_add_words(nod_deid_terms *t, const char *value, nod_error *err)
{
    return add_pieces(&t->words, value, "\\", NOD_DEID_ID_LEAST, err);
}

int nod_deid_terms_add_numbers(nod_deid_terms *t, const char *value, nod_error *err)
{
    return add_pieces(&t->numbers, value, "\\", NOD_DEID_ID_LEAST, err);
}

int nod_deid_terms_add_places(nod_deid_terms *t, const char *value, nod_error *err)
{
    return add_pieces(&t->places, value, "\\", NOD_DEID_NAME_LEAST, err);
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool stands_in(const char *term, const char *text)
{
    size_t n = strlen(term);
    for (const char *at = strcasestr(text, term); at != NULL; at = strcasestr(at + 1, term)) {
        bool begins = at == text || !is_of_word(at[-1]) || !is_of_word(at[0]);
        bool ends = !is_of_word(at[n]) || !is_of_word(at[n - 1]);
        if (begins && ends) return true;
    }
    return false;
}

static size_t count_in(const nod_strlist *terms, const char *text, size_t enough)
{
    size_t n = 0;
    for (size_t i = 0; i < terms->n && n < enough; i++)
        n += stands_in(terms->items[i], text);
    return n;
}

/* "123456" as one of the values of an IS or DS. */
static bool is_number(const nod_deid_terms *t, const char *text)
{
    for (size_t i = 0; i < t->numbers.n; i++) {
        const char *word = t->numbers.items[i];
        if (strlen(word) >= 6 && is_digits(word, strlen(word)) && stands_in(word, text))
            return true;
    }
    return false;
}

bool nod_deid_terms_match(const nod_deid_terms *t, const char *text, nod_deid_match match)
{
    if (match == NOD_DEID_NUMBER) return is_number(t, text);
    size_t enough = match == NOD_DEID_CODE ? 2 : 1;
    return count_in(&t->words, text, 1) > 0 || count_in(&t->numbers, text, 1) > 0 ||
           (match != NOD_DEID_DEVICE && count_in(&t->places, text, 1) > 0) ||
           count_in(&t->parts, text, enough) >= enough;
}

bool nod_deid_terms_match_bytes(const nod_deid_terms *t, const uint8_t *bytes, size_t n)
{
    const nod_strlist *lists[] = {&t->parts, &t->words, &t->numbers, &t->places};
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
        for (size_t i = 0; i < lists[k]->n; i++) {
            const char *term = lists[k]->items[i];
            size_t length = strlen(term);
            if (length >= NOD_DEID_BYTES_LEAST && memmem(bytes, n, term, length) != NULL)
                return true;
        }
    return false;
}
