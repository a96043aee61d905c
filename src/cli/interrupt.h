/* interrupt.h: Ctrl-C. Long work asks between steps whether it should stop, keeps what was
 * done, and returns NOD_EINTERRUPTED (exit code 130). */
#ifndef NOD_CLI_INTERRUPT_H
#define NOD_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM only marks; a second one ends the process. */
void nod_interrupt_watch(void);
bool nod_interrupt_pending(void);

#endif
