/* main.c: the program `nodule`. */
#include <signal.h>
#include <stdlib.h>

#include "cli/dispatch.h"

int main(int argc, char **argv)
{
    /* A limit on file sizes is an error with a message, like a full disk, not a sudden end. */
    (void)signal(SIGXFSZ, SIG_IGN);
    /* The kernels on AMX tiles have not run on such a processor yet: they are for whoever asks
     * (AVX512_CORE_AMX), until the tests have passed there. oneDNN reads this at its first use. */
    (void)setenv("DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16", 0);
    return nod_cli_dispatch(argc, argv, stdout, stderr);
}
