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

/* What goes on: `word`, or where that is empty nothing in place of "PATH: ", else "the file". */
typedef struct replacing {
    const char *name;
    size_t n;
    const char *word;
    bool keeps_name; /* only what is below goes, but for these */
    const char *const *kept;
    char text[NOD_ERROR_MAX];
    size_t to;
} replacing;

static void add(replacing *r, const char *s, size_t n)
{
    n = NOD_MIN(n, sizeof r->text - 1 - r->to);
    memcpy(r->text + r->to, s, n);
    r->to += n;
}

/* Whether what is below the name is a file that may be named, perhaps with a place in it. */
static bool is_kept(const replacing *r, const char *rest, size_t found)
{
    size_t left = found > r->n ? found - r->n : 0;
    for (size_t i = 0; r->kept && r->kept[i] && left > 1 && rest[0] == '/'; i++) {
        size_t n = strlen(r->kept[i]);
        if (left > n && strncmp(rest + 1, r->kept[i], n) == 0 &&
            (left == n + 1 || rest[n + 1] == ':'))
            return true;
    }
    return false;
}

/* Takes a name of `found` bytes at `s`; returns how many bytes of the message are done with. */
static size_t replace(replacing *r, const char *s, size_t found)
{
    bool leads =
        r->to == 0 || (r->to >= 2 && r->text[r->to - 2] == ':' && r->text[r->to - 1] == ' ');
    if (r->keeps_name && is_kept(r, s + r->n, found)) {
        add(r, s, found);
    } else if (r->keeps_name) {
        add(r, s, NOD_MIN(found, r->n));
        if (found > r->n) add(r, "/...", 4);
    } else if (*r->word != '\0') {
        add(r, r->word, strlen(r->word));
    } else if (leads && s[found] == ':' && s[found + 1] == ' ') {
        return found + 2;
    } else {
        add(r, "the file", strlen("the file"));
    }
    return found;
}

static void replace_all(nod_error *err, replacing *r)
{
    bool is_cut = strlen(err->message) + 1 >= sizeof err->message - 4;
    for (const char *s = err->message; *s;) {
        bool begins = s == err->message || !(is_word(s[-1]) || s[-1] == '/');
        size_t found = begins ? match(s, r->name, r->n, is_cut) : 0;
        if (found == 0) add(r, s, 1);
        s += found == 0 ? 1 : replace(r, s, found);
    }
    r->text[r->to] = '\0';
    memcpy(err->message, r->text, r->to + 1);
}

static void hide(nod_error *err, const char *path, replacing r)
{
    char *name = as_in_message(path);
    if (name == NULL) { /* what cannot be hidden is not said */
        snprintf(err->message, sizeof err->message, "out of memory");
        return;
    }
    r.name = name;
    r.n = strlen(name);
    if (r.n > 0) replace_all(err, &r);
    nod_free(name);
}

void nod_error_hide(nod_error *err, const char *path, const char *shown)
{
    hide(err, path, (replacing){.word = shown});
}

void nod_error_hide_below(nod_error *err, const char *path, const char *const *kept)
{
    hide(err, path, (replacing){.word = "", .keeps_name = true, .kept = kept});
}
