/* table_file.c: kernel tables as files. */
#include <string.h>

#include "base/file.h"
#include "exec/plan.h"

#define TABLE_BYTES_MAX ((size_t)16 << 20)

static int from_file(const nod_json *j, const char *path, nod_kernel_table **out,
                     nod_error *err)
{
    const char *format = NULL;
    int64_t version = 0;
    int rc = nod_json_need_str(j, path, "format", &format, err);
    if (rc == 0) rc = nod_json_need_i64(j, path, "format_version", &version, err);
    if (rc != 0) return rc;
    if (strcmp(format, "nodule-kernels") != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: not a kernel table", path);
    if (version != 1)
        return nod_fail(
            err, NOD_EUNSUPPORTED,
            "%s: kernel table format %lld; this program reads format 1: use a newer "
            "program",
            path, (long long)version);
    return nod_kernel_table_from_json(nod_json_get(j, "kernels"), path, out, err);
}

int nod_kernel_table_read(const char *path, nod_kernel_table **out, nod_error *err)
{
    nod_json *j = NULL;
    int rc = nod_json_read(path, TABLE_BYTES_MAX, &j, err);
    if (rc == 0) rc = from_file(j, path, out, err);
    nod_json_free(j);
    return rc;
}

int nod_kernel_table_write(const nod_kernel_table *t, const char *path, nod_error *err)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "format", "nodule-kernels");
    nod_json_set_int(j, "format_version", 1);
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set(j, "kernels", nod_kernel_table_to_json(t));
    int rc = nod_json_write(j, path, err);
    nod_json_free(j);
    return rc;
}
