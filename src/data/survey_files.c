/* survey_files.c: files of other formats, told by their first bytes. */
#include <string.h>

#include "base/memory.h"
#include "data/survey_internal.h"
#include "imaging/dicom/archive.h"
#include "imaging/reader.h"

/* How much larger floats in memory are than a file, compressed or not. */
#define GROWTH 8

/* The format of a file; NULL: none that is known. */
static const nod_image_format *find_format(const char *path)
{
    unsigned char head[NOD_IMAGE_SNIFF_BYTES];
    const nod_image_format *format = NULL;
    size_t n = nod_file_peek(path, head, sizeof head);
    for (size_t i = 0; n > 0 && (format = nod_image_format_at(i)) != NULL; i++)
        if (format->is(head, n)) break;
    return format;
}

static int add_file(nod_survey_work *w, const char *root, const char *name, const char *path,
                    const nod_image_format *format, nod_error *err)
{
    nod_survey_image *im;
    nod_survey_origin *origin;
    int64_t size = nod_path_size(path);
    int rc = nod_survey_add_image(w, &im, &origin, err);
    if (rc) return rc;
    im->format = format->name;
    im->n_files = 1;
    im->number = (int64_t)++w->s->n_others;
    im->name = nod_survey_name(w, root, name);
    im->coding = nod_strdup(format->name);
    im->patient_id = nod_strdup("");
    im->study_uid = nod_strdup("");
    im->series_uid = nod_strdup("");
    im->description = nod_strdup("");
    origin->path = nod_strdup(path);
    origin->bytes = size > 0 ? (size_t)size * GROWTH : 0;
    bool ok = im->name && im->coding && im->patient_id && im->study_uid && im->series_uid &&
              im->description && origin->path;
    return ok ? 0 : nod_fail_memory(err, "names of files", strlen(name));
}

static int look_at(nod_survey_work *w, const char *root, const char *name, nod_error *err)
{
    bool in_archive = strstr(name, NOD_ARCHIVE_MARK) || (*name && !nod_path_is_dir(root));
    char *path = *name ? nod_path_join(root, name) : nod_strdup(root);
    if (path == NULL) return nod_fail_memory(err, "names of files", strlen(name));
    const nod_image_format *format = in_archive ? NULL : find_format(path);
    bool hidden = *name && nod_path_base(name)[0] == '.';
    bool claims = *name == '\0' || (!in_archive && nod_image_has_ending(name));
    int rc = 0;
    if (hidden || (format == NULL && !claims))
        w->s->n_unknown++;
    else if (format)
        rc = add_file(w, root, name, path, format, err);
    else
        rc = nod_survey_add_problem(w, root, name, "its first bytes are of no known format",
                                    NOD_EFORMAT, err);
    nod_free(path);
    return rc;
}

int nod_survey_add_files(nod_survey_work *w, size_t i_scan, nod_error *err)
{
    const nod_dicom_scan *scan = &w->scans[i_scan];
    int rc = 0;
    for (size_t i = 0; i < scan->foreign.n && rc == 0; i++)
        rc = look_at(w, scan->root, scan->foreign.items[i], err);
    return rc;
}
