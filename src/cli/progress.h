/* progress.h: how far a long piece of work is, and when it will end.
 *
 * On a terminal a bar that is redrawn at most ten times a second; elsewhere (a file, a pipe) a
 * plain line at most every ten seconds, so that logs stay short. Calling set() often is cheap.
 */
#ifndef NOD_CLI_PROGRESS_H
#define NOD_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/console.h"

typedef struct nod_progress {
    nod_console *console;
    const char *what; /* borrowed */
    int64_t total;    /* <= 0: unknown */
    int64_t done, first_done;
    double start_s, drawn_s;
} nod_progress;

/* `done` is where the work starts: 0, or more after a resume (the estimate counts from there).
 */
void nod_progress_start(nod_progress *p, nod_console *console, const char *what, int64_t done,
                        int64_t total);
/* `note`: a few words such as "loss 0.412", or NULL. */
void nod_progress_set(nod_progress *p, int64_t done, const char *note);
/* Ends the bar with one line "WHAT: DONE of TOTAL in TIME[, NOTE]". */
void nod_progress_finish(nod_progress *p, const char *note);

/* Work in steps that library code tells of by name. Nothing is shown of what takes less than a second. */
typedef struct nod_progress_steps {
    nod_console *console;
    nod_progress progress;
    const char *what; /* the step that is shown, NULL: none yet */
    double begun_s;
} nod_progress_steps;

nod_progress_steps nod_progress_steps_begin(nod_console *console);
/* `what` is borrowed and compared by its address; `steps` is a nod_progress_steps, as callbacks have it. */
void nod_progress_steps_tell(void *steps, const char *what, size_t done, size_t total);

#endif
