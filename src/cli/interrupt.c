/* interrupt.c: see interrupt.h. The one variable of the program that changes: a signal handler
 * has no other way to speak. */
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t pending;

static void mark(int signal_number)
{
    (void)signal_number;
    pending = 1;
}

void nod_interrupt_watch(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = mark;
    sigemptyset(&action.sa_mask);
    /* RESETHAND: the second signal finds the system's handling, which ends the process. */
    action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool nod_interrupt_pending(void)
{
    return pending != 0;
}
