/* user_kernels.h: the kernel table of this user and machine, which `nodule bench --tune` writes and
 * the other verbs read: the file named by NODULE_KERNELS, else nodule/kernels.json below
 * XDG_CONFIG_HOME or ~/.config. */
#ifndef NOD_CLI_USER_KERNELS_H
#define NOD_CLI_USER_KERNELS_H

#include "exec/plan.h"

/* The caller frees the path. */
int nod_user_kernels_path(char **out, nod_error *err) NOD_MUST_CHECK;
/* Its contents; an empty table where there is no such file. */
int nod_user_kernels_read(nod_kernel_table **out, nod_error *err) NOD_MUST_CHECK;

#endif
