/* report_error.h: from an error to what the caller of the program sees: one line on stderr, a
 * JSON object where --json was given, and an exit code. The codes are documented in
 * docs/exit-codes.md. */
#ifndef NOD_CLI_REPORT_ERROR_H
#define NOD_CLI_REPORT_ERROR_H

#include "cli/verb.h"

/* Exit code of 0 or a NOD_E*; unknown codes are internal errors (1). */
int nod_exit_code(int code);

/* Says what went wrong and returns the exit code. `verb` may be NULL (not known yet). */
int nod_report_error(nod_console *console, FILE *json_out, const nod_verb *verb,
                     const nod_error *err);

#endif
