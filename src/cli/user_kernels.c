/* user_kernels.c: see user_kernels.h. */
#include "cli/user_kernels.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"

int nod_user_kernels_path(char **out, nod_error *err)
{
    const char *file = getenv("NODULE_KERNELS"), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char *base = NULL;
    *out = NULL;
    if (file != NULL && *file != '\0') {
        *out = nod_strdup(file);
    } else {
        base = config != NULL && *config != '\0'
                   ? nod_strdup(config)
                   : nod_path_join(home != NULL ? home : "/", ".config");
        if (base != NULL) *out = nod_path_join(base, "nodule/kernels.json");
    }
    nod_free(base);
    return *out != NULL ? 0 : nod_fail_memory(err, "path of the kernel table", 4096);
}

int nod_user_kernels_read(nod_kernel_table **out, nod_error *err)
{
    char *path = NULL;
    int rc = nod_user_kernels_path(&path, err);
    if (rc != 0) return rc;
    if (!nod_path_exists(path)) {
        rc = nod_kernel_table_new(out, err);
    } else {
        rc = nod_kernel_table_read(path, out, err);
        if (rc != 0)
            nod_error_prefix(err,
                             "the kernel table of this machine (remove it, or make it anew "
                             "with 'nodule bench --tune')");
    }
    nod_free(path);
    return rc;
}
