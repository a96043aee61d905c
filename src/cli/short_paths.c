/* short_paths.c: see short_paths.h. */
#include "cli/short_paths.h"

#include <string.h>

/* Whether a path may begin at line[i]. */
static bool begins(const char *line, size_t i)
{
    static const char before[] = " '\"(=,;:";
    if (line[i] != '/' || line[i + 1] == ' ' || line[i + 1] == '\0') return false;
    return i == 0 || strchr(before, line[i - 1]) != NULL;
}

/* Bytes up to the end of the path. */
static size_t length_of(const char *path)
{
    size_t n = 0;
    while (path[n] != '\0' && path[n] != '\'' &&
           !((path[n] == ':' || path[n] == ';') && (path[n + 1] == ' ' || path[n + 1] == '\0')))
        n++;
    return n;
}

/* Bytes of `path` that a word of the command line is, or ends with ("--cohort=/a/b"); else 0. */
static size_t typed(const char *path, int argc, char *const *argv)
{
    size_t most = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *slash = strchr(word, '/');
        size_t n = slash ? strlen(slash) : 0;
        if (n > most && strncmp(path, slash, n) == 0) most = n;
    }
    return most;
}

void nod_short_paths(const char *line, int argc, char *const *argv, nod_strbuf *out)
{
    for (size_t i = 0; line[i] != '\0';) {
        if (!begins(line, i)) {
            nod_strbuf_addc(out, line[i++]);
            continue;
        }
        size_t n = length_of(line + i), keep = typed(line + i, argc, argv), last = n;
        if (keep > 0) {
            nod_strbuf_addn(out, line + i, keep);
            i += keep;
            continue;
        }
        while (last > 0 && line[i + last - 1] != '/')
            last--;
        nod_strbuf_add(out, ".../");
        nod_strbuf_addn(out, line + i + last, n - last);
        i += n;
    }
}
