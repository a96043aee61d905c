/* convert_deidentify.h: `nodule convert --deidentify`. */
#ifndef NOD_CLI_CONVERT_DEIDENTIFY_H
#define NOD_CLI_CONVERT_DEIDENTIFY_H

#include <stdbool.h>

#include "cli/verb.h"

/* Copies the tree `in` into the folder `out`; `map`: a CSV of sources and copies, or NULL. */
int nod_convert_deidentify(nod_cli *cli, const char *in, const char *out, const char *map,
                           bool overwrite, nod_error *err) NOD_MUST_CHECK;

#endif
