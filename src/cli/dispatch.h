/* dispatch.h: one run of the program: finds the verb, reads its options, runs it, reports. */
#ifndef NOD_CLI_DISPATCH_H
#define NOD_CLI_DISPATCH_H

#include <stdio.h>

/* Results go to `out`, words for a person to `err_stream`. Returns the exit code. */
int nod_cli_dispatch(int argc, char **argv, FILE *out, FILE *err_stream);

#endif
