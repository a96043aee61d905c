/* command_text.c: the command line as artefacts keep it. */
#include <string.h>

#include "base/file.h"
#include "cli/verb.h"

/* Where the value of an option begins in its own word: "--output=F", "-oF"; 0: it is no option. */
static size_t value_at(const char *word)
{
    const char *equals = strchr(word, '=');
    if (word[0] != '-' || word[1] == '\0') return 0;
    if (word[1] != '-') return 2;
    return equals ? (size_t)(equals - word) + 1 : strlen(word);
}

/* Whether a word is an option whose value is words for people: what follows is kept as it is. */
static bool takes_reason(const nod_verb *verb, const char *word)
{
    size_t n = strcspn(word, "=");
    if (strncmp(word, "--", 2) != 0 || n <= 2) return false;
    for (const nod_option *o = verb->options; o != NULL && o->name != NULL; o++)
        if (strncmp(o->name, word + 2, n - 2) == 0)
            return o->arg != NULL && strcmp(o->arg, "REASON") == 0;
    return false;
}

static void add_quoted(const char *text, size_t n, nod_strbuf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\'')
            nod_strbuf_add(out, "'\\''");
        else
            nod_strbuf_addc(out, text[i]);
    }
}

/* `n_head` bytes and `tail` as one word. */
static void add_word(const char *head, size_t n_head, const char *tail, nod_strbuf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=+:,./@%";
    bool is_plain = (n_head > 0 || *tail != '\0') && tail[strspn(tail, plain)] == '\0';
    for (size_t i = 0; i < n_head; i++)
        is_plain = is_plain && strchr(plain, head[i]) != NULL;
    if (!is_plain) nod_strbuf_addc(out, '\'');
    add_quoted(head, n_head, out);
    add_quoted(tail, strlen(tail), out);
    if (!is_plain) nod_strbuf_addc(out, '\'');
}

/* "/a/b/c/" -> "c/"; what is no path stays. */
static const char *last_name(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    return path[n] != '\0' ? path + n : path;
}

void nod_cli_command_text(const nod_cli *cli, nod_strbuf *out)
{
    bool is_reason = false;
    for (int i = 0; i < cli->argc; i++) {
        const char *word = cli->argv[i];
        size_t at = value_at(word);
        bool keep = is_reason || (at > 0 && word[at] != '\0' && takes_reason(cli->verb, word));
        if (i > 0) nod_strbuf_addc(out, ' ');
        if (keep)
            add_word(word, 0, word, out);
        else
            add_word(word, at, last_name(word + at), out);
        is_reason = !is_reason && at > 0 && word[at] == '\0' && takes_reason(cli->verb, word);
    }
}
