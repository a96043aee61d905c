/* hide.c: a name is compared as messages hold it (nod_text_tidy), and only where a name can begin: not
 * inside of a word, so that a file called "1" leaves "21 slices" alone. */
#include "base/hide.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_' || ((unsigned char)c & 0x80) != 0;
}

/* Bytes of what goes on below a name: "/a/b.dcm", "!/c.dcm". */
static size_t below(const char *s)
{
    size_t n = 0;
    if (s[0] != '/' && !(s[0] == '!' && s[1] == '/')) return 0;
    while (s[n] != '\0' && s[n] != '\'' &&
           !((s[n] == ':' || s[n] == ';') && (s[n + 1] == ' ' || s[n + 1] == '\0')))
        n++;
    return n;
}

/* Length of the name that begins at `s`, or 0. `is_cut`: the message lost its end. */
static size_t match(const char *s, const char *name, size_t n, bool is_cut)
{
    size_t left = strlen(s);
    if (left < n) return is_cut && strncmp(s, name, left) == 0 ? left : 0;
    if (strncmp(s, name, n) != 0) return 0;
    size_t more = below(s + n);
    return more == 0 && is_word(s[n]) ? 0 : n + more;
}

/* The name as a message has it, without slashes at its end; NULL: no memory. */
static char *as_in_message(const char *path)
{
    char *name = nod_strdup(path);
    size_t n = name ? strlen(name) : 0;
    while (n > 1 && name[n - 1] == '/')
        name[--n] = '\0';
    if (name) nod_text_tidy(name);
    return name;
}

void nod_error_hide(nod_error *err, const char *path, const char *shown)
{
    char text[NOD_ERROR_MAX];
    size_t to = 0;
    char *name = as_in_message(path);
    if (name == NULL) { /* what cannot be hidden is not said */
        snprintf(err->message, sizeof err->message, "out of memory");
        return;
    }
    size_t n = strlen(name);
    bool is_cut = strlen(err->message) + 1 >= sizeof err->message - 4;
    for (const char *s = err->message; *s && n > 0;) {
        bool begins = s == err->message || !(is_word(s[-1]) || s[-1] == '/');
        size_t found = begins ? match(s, name, n, is_cut) : 0;
        const char *word = *shown ? shown : "the file";
        if (found == 0) {
            if (to + 1 < sizeof text) text[to++] = *s;
            s++;
            continue;
        }
        s += found;
        bool leads = to == 0 || (to >= 2 && text[to - 2] == ':' && text[to - 1] == ' ');
        if (*shown == '\0' && leads && s[0] == ':' && s[1] == ' ') {
            s += 2;
            continue;
        }
        size_t size = NOD_MIN(strlen(word), sizeof text - 1 - to);
        memcpy(text + to, word, size);
        to += size;
    }
    text[to] = '\0';
    if (n > 0) memcpy(err->message, text, to + 1);
    nod_free(name);
}
