/* cohort_file.c: a cohort as two files; docs/formats/cohort.md. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/cohort_internal.h"
#include "data/unit_label.h"

#define META_MAX_BYTES ((size_t)256 << 20)

int nod_cohort_parse(const char *csv, size_t csv_size, const char *meta, size_t meta_size,
                     const char *name, nod_cohort **out, nod_error *err)
{
    nod_json *j = NULL;
    nod_csv *t = NULL;
    nod_cohort *c = NULL;
    int rc = 0;
    char *folder = nod_path_dir(name);
    nod_strbuf meta_name = NOD_STRBUF_INIT;
    nod_strbuf_printf(&meta_name, "%s.json", name);
    if (folder == NULL || meta_name.failed) {
        rc = nod_fail_memory(err, "a path", strlen(name));
        goto out;
    }
    NOD_TRY(nod_json_parse(meta, meta_size, meta_name.data, &j, err));
    if (!nod_json_is_object(j)) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: is not a JSON object", meta_name.data);
        goto out;
    }
    NOD_TRY(nod_cohort_from_json(j, meta_name.data, folder, &c, err));
    NOD_TRY(nod_csv_parse(csv, csv_size, name, &t, err));
    NOD_TRY(nod_cohort_take_rows(c, t, name, err));
    rc = nod_cohort_finish(c, err);
    if (rc == 0) rc = nod_unit_labels_check(c, err);
    if (rc) {
        nod_error_prefix(err, "%s", name);
        goto out;
    }
    *out = c;
    c = NULL;
out:
    nod_cohort_free(c);
    nod_csv_free(t);
    nod_json_free(j);
    nod_free(folder);
    nod_strbuf_done(&meta_name);
    return rc;
}

int nod_cohort_read(const char *path, nod_cohort **out, nod_error *err)
{
    nod_bytes csv = {0}, meta = {0};
    int rc = 0;
    nod_strbuf meta_path = NOD_STRBUF_INIT;
    nod_strbuf_printf(&meta_path, "%s.json", path);
    if (meta_path.failed) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(nod_file_read(path, NOD_COHORT_MAX_BYTES, &csv, err));
    rc = nod_file_read(meta_path.data, META_MAX_BYTES, &meta, err);
    if (rc) {
        nod_error_prefix(err, "cohort %s needs the file beside it", path);
        goto out;
    }
    NOD_TRY(nod_cohort_parse((const char *)csv.data, csv.size, (const char *)meta.data,
                             meta.size, path, out, err));
out:
    nod_bytes_done(&csv);
    nod_bytes_done(&meta);
    nod_strbuf_done(&meta_path);
    return rc;
}

/* Relative files only mean the same from the same folder. */
static int check_folder(const nod_cohort *c, const char *path, nod_error *err)
{
    int rc = 0;
    char *dir = nod_path_dir(path), *to = dir ? nod_path_real(dir) : NULL;
    const char *folder = nod_cohort_folder(c);
    char *from = nod_path_real(*folder ? folder : ".");
    if (to && from && strcmp(to, from) != 0)
        rc = nod_fail(err, NOD_EINVAL, "%s: the cohort was made for the folder %s", path, from);
    nod_free(dir);
    nod_free(to);
    nod_free(from);
    return rc;
}

/* Both files or, as far as a file system lets one, neither: all bytes are with the system before
 * the first takes its name. */
static int write_both(const char *meta_path, const char *meta, const char *path,
                      const nod_strbuf *csv, nod_error *err)
{
    nod_file_out a = {0}, b = {0};
    int rc = nod_file_out_open(meta_path, &a, err);
    if (rc) return rc;
    rc = nod_file_out_open(path, &b, err);
    if (rc) goto abort_a;
    bool ok = fprintf(a.stream, "%s\n", meta) > 0 && fflush(a.stream) == 0 &&
              fwrite(csv->data, 1, csv->len, b.stream) == csv->len && fflush(b.stream) == 0;
    if (!ok) {
        rc = nod_fail_errno(err, errno, "cannot write %s", path);
        nod_file_out_abort(&b);
        goto abort_a;
    }
    rc = nod_file_out_commit(&a, err);
    if (rc)
        nod_file_out_abort(&b);
    else
        rc = nod_file_out_commit(&b, err);
    return rc;
abort_a:
    nod_file_out_abort(&a);
    return rc;
}

int nod_cohort_write(const nod_cohort *c, const char *path, nod_error *err)
{
    char *meta = NULL;
    nod_strbuf b = NOD_STRBUF_INIT, meta_path = NOD_STRBUF_INIT;
    nod_groups g = {0};
    nod_json *j = NULL;
    int rc = 0;
    NOD_TRY(check_folder(c, path, err));
    NOD_TRY(nod_groups_make(c, NULL, 0, &g, err));
    nod_cohort_put_rows(c, &g, &b);
    nod_strbuf_printf(&meta_path, "%s.json", path);
    if (b.failed || meta_path.failed) {
        rc = nod_fail_memory(err, "the cohort's text", b.len);
        goto out;
    }
    j = nod_cohort_to_json(c);
    NOD_TRY(nod_json_dump(j, true, &meta, err));
    NOD_TRY(write_both(meta_path.data, meta, path, &b, err));
out:
    nod_json_free(j);
    nod_free(meta);
    nod_groups_done(&g);
    nod_strbuf_done(&b);
    nod_strbuf_done(&meta_path);
    return rc;
}
