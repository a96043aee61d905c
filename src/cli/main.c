/* main.c: the program `nodule`. */
#include <signal.h>

#include "cli/dispatch.h"

int main(int argc, char **argv)
{
    /* A limit on file sizes is an error with a message, like a full disk, not a sudden end. */
    (void)signal(SIGXFSZ, SIG_IGN);
    return nod_cli_dispatch(argc, argv, stdout, stderr);
}
