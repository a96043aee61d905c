/* console.c: see console.h. A status line is redrawn in place with CR and "erase to end". */
#include "cli/console.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/short_paths.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

void nod_console_init(nod_console *c, FILE *stream)
{
    const char *term = getenv("TERM");
    bool dumb = term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;

    memset(c, 0, sizeof *c);
    c->stream = stream;
    c->is_terminal = isatty(fileno(stream)) == 1 && !dumb;
    c->has_colour = c->is_terminal && !is_set("NO_COLOR");
    c->now = nod_time_monotonic_s;
}

int nod_console_columns(const nod_console *c)
{
    struct winsize size;

    if (c->columns > 0) return c->columns;
    if (ioctl(fileno(c->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

/* Bytes of `text` that fill at most `columns` columns, one per character of UTF-8. */
static size_t bytes_for_columns(const char *text, int columns)
{
    size_t i = 0;

    while (text[i] != '\0') {
        if (((unsigned char)text[i] & 0xC0) != 0x80 && columns-- == 0) break;
        i++;
    }
    return i;
}

void nod_console_status(nod_console *c, const char *text)
{
    /* The last column stays free: writing there makes some terminals wrap. */
    size_t n = bytes_for_columns(text, nod_console_columns(c) - 1);

    fprintf(c->stream, "\r%.*s\x1b[K", (int)n, text);
    fflush(c->stream);
    c->has_line = true;
}

void nod_console_clear(nod_console *c)
{
    if (!c->has_line) return;
    fputs("\r\x1b[K", c->stream);
    fflush(c->stream);
    c->has_line = false;
}

void nod_console_line(nod_console *c, nod_colour colour, const char *prefix, const char *text)
{
    const char *start = "", *end = "";

    if (c->has_colour && colour != NOD_COLOUR_NONE) {
        start = colour == NOD_COLOUR_RED ? "\x1b[1;31m" : "\x1b[1;33m";
        end = "\x1b[0m";
    }
    nod_console_clear(c);
    if (prefix != NULL) fprintf(c->stream, "%s%s:%s ", start, prefix, end);
    nod_strbuf line = NOD_STRBUF_INIT;
    nod_short_paths(text, c->argc, c->argv, &line);
    fprintf(c->stream, "%s\n", line.failed ? "(out of memory)" : line.data);
    nod_strbuf_done(&line);
    fflush(c->stream);
}

static void write_log(void *ctx, nod_log_level level, const char *line)
{
    nod_console *c = ctx;

    if (level == NOD_LOG_DEBUG || (level == NOD_LOG_INFO && c->quiet)) return;
    if (level == NOD_LOG_WARN)
        nod_console_line(c, NOD_COLOUR_YELLOW, "warning", line);
    else
        nod_console_line(c, NOD_COLOUR_NONE, NULL, line);
}

nod_log nod_console_log(nod_console *c)
{
    return (nod_log){.write = write_log, .ctx = c};
}
