/* user_kernels.c: see user_kernels.h. */
#include "cli/user_kernels.h"

#include "base/file.h"
#include "base/memory.h"
#include "cli/settings.h"

int nod_user_kernels_path(char **out, nod_error *err)
{
    return nod_settings_path("NODULE_KERNELS", "kernels.json", out, err);
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
