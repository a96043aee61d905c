/* interrupt.c: see interrupt.h. The only variables of the program that change: a signal handler
 * has no other way to speak, and needs a stack of its own. While oneDNN's gemm runs, the stack
 * pointer is lent to its data and points into the heap, where the frame of a handler would overwrite
 * what lies below (github.com/uxlfoundation/oneDNN/issues/4845). */
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

#define STACK_SIZE 65536 /* several times the registers of any processor, AMX included */

static volatile sig_atomic_t pending;
static unsigned char stack[STACK_SIZE] __attribute__((aligned(64)));

static void mark(int signal_number)
{
    (void)signal_number;
    pending = 1;
}

void nod_interrupt_watch(void)
{
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action;

    /* Of this thread, to which the system gives a signal of the whole process first. */
    (void)sigaltstack(&own, NULL);
    memset(&action, 0, sizeof action);
    action.sa_handler = mark;
    sigfillset(&action.sa_mask);
    /* RESETHAND: the second signal finds the system's handling, which ends the process. */
    action.sa_flags = (int)(SA_ONSTACK | SA_RESTART | SA_RESETHAND);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool nod_interrupt_pending(void)
{
    return pending != 0;
}
