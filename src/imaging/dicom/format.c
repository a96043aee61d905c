/* format.c: one DICOM file as an image, among the other formats. */
#include "imaging/dicom/format.h"

#include "imaging/dicom/series.h"
#include "imaging/dicom/values.h"

static bool is_dicom(const uint8_t *bytes, size_t size)
{
    return nod_dicom_is(bytes, size);
}

/* A file is a series of its own: its frames are sorted by place, judged and repaired. Bytes without
 * a file are decoded frame after frame. */
static int read_dicom(const nod_encoded *in, nod_image *out, nod_error *err)
{
    char *itself[] = {(char *)""};
    const nod_strlist names = {.items = itself, .n = 1};
    if (in->path == NULL) return nod_dicom_image_parse(in->bytes, in->size, in->name, out, err);
    return nod_dicom_files_read(in->path, &names, in->policies, out, in->findings, err);
}

static const char *const endings[] = {".dcm", ".dicom", NULL};

const nod_image_format nod_dicom_format = {.name = "DICOM",
                                           .endings = endings,
                                           .is = is_dicom,
                                           .opens_path = true,
                                           .read = read_dicom};
