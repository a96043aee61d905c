/* main.c: the program `nodule`. */
#include "cli/dispatch.h"

int main(int argc, char **argv)
{
    return nod_cli_dispatch(argc, argv, stdout, stderr);
}
