/* console.h: the person's side of the program: words and progress on stderr.
 *
 * Knows whether there is a terminal, how wide it is, and whether colour is wanted (NO_COLOR,
 * TERM=dumb). At most one progress line is alive; other lines are written above it. */
#ifndef NOD_CLI_CONSOLE_H
#define NOD_CLI_CONSOLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

typedef enum nod_colour { NOD_COLOUR_NONE, NOD_COLOUR_RED, NOD_COLOUR_YELLOW } nod_colour;

typedef struct nod_console {
    FILE *stream;
    bool is_terminal, has_colour;
    bool quiet;          /* warnings and errors only */
    int columns;         /* 0: ask the terminal each time */
    double (*now)(void); /* seconds; replaced in tests */
    bool has_line;       /* a progress line without newline is on the screen */
    int argc;            /* the command line: paths that it names stay whole (short_paths.h) */
    char *const *argv;
} nod_console;

/* Looks at the stream and the environment. */
void nod_console_init(nod_console *c, FILE *stream);
/* Columns of the terminal; 80 where unknown. */
int nod_console_columns(const nod_console *c);
/* Replaces the progress line by this text, cut to the terminal's width. */
void nod_console_status(nod_console *c, const char *text);
/* Takes the progress line off the screen. */
void nod_console_clear(nod_console *c);
/* One whole line, its paths shortened; "PREFIX: " in colour before it unless NULL. */
void nod_console_line(nod_console *c, nod_colour colour, const char *prefix, const char *text);
/* A log whose lines go to this console; the console outlives it. */
nod_log nod_console_log(nod_console *c);

#endif
