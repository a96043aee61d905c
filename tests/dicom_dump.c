/* dicom_dump FOLDER FILE...: the stored values of DICOM files for comparison with other programs
 * (tools/oracles/pydicom_decode.py): FOLDER/<i>.raw, and one line a file:
 * i, "ok", frames, rows, columns, channels, numpy's name of the type, photometric; or
 * i, "refused", the reason. Tabs between. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "imaging/dicom/pixels.h"

static const char *const types[] = {"u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"};

static int write_frames(nod_dicom_pixels *p, const char *folder, int i, nod_error *err)
{
    const nod_dicom_layout *l = nod_dicom_pixels_layout(p);
    void *frame = malloc(l->frame_bytes);
    char path[4096];
    int rc = 0;

    snprintf(path, sizeof path, "%s/%d.raw", folder, i);
    FILE *f = fopen(path, "wb");
    if (f == NULL || frame == NULL) abort();
    for (int64_t k = 0; k < l->frames && rc == 0; k++) {
        rc = nod_dicom_pixels_read(p, k, 1, frame, err);
        if (rc == 0 && fwrite(frame, 1, l->frame_bytes, f) != l->frame_bytes) abort();
    }
    fclose(f);
    free(frame);
    return rc;
}

static int dump(const char *folder, const char *path, int i, nod_error *err)
{
    nod_dicom_file *file = NULL;
    nod_dicom_pixels *p = NULL;
    int rc = nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, err);

    if (rc == 0) rc = nod_dicom_pixels_open(file, &p, err);
    if (rc == 0) rc = write_frames(p, folder, i, err);
    if (rc == 0) {
        const nod_dicom_layout *l = nod_dicom_pixels_layout(p);
        printf("%d\tok\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%d\t%s\t%s\n", i, l->frames,
               l->rows, l->columns, l->channels, types[l->type], l->photometric);
    }
    nod_dicom_pixels_close(p);
    nod_dicom_file_close(file);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: dicom_dump FOLDER FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        nod_error err = NOD_ERROR_INIT;
        if (dump(argv[1], argv[i], i - 2, &err) != 0)
            printf("%d\trefused\t%s\n", i - 2, err.message);
    }
    return 0;
}
