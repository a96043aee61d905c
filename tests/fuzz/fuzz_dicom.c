/* fuzz_dicom.c: any bytes as a DICOM file: its header alone, then the whole, its stored values and
 * what they mean. What is accepted keeps the limits. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/limits.h"
#include "imaging/dicom/values.h"

#define MAX_BYTES  ((size_t)1 << 22) /* of a frame: decoding large ones is not what is tested */
#define MAX_FRAMES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_layout(const nod_dicom_layout *l)
{
    NOD_ASSERT(l->frames >= 1 && l->frames <= NOD_DICOM_FRAMES_MAX);
    NOD_ASSERT(l->rows >= 1 && l->rows <= NOD_DICOM_SIDE_MAX);
    NOD_ASSERT(l->columns >= 1 && l->columns <= NOD_DICOM_SIDE_MAX);
    NOD_ASSERT(l->channels == 1 || l->channels == 3);
    NOD_ASSERT(l->frame_bytes <= NOD_DICOM_FRAME_BYTES_MAX);
}

/* Stored values of the first and the last frame, any order. */
static void read_pixels(const nod_dicom_file *file)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_pixels *p = NULL;

    if (nod_dicom_pixels_open(file, &p, &err) != 0) {
        NOD_ASSERT(p == NULL && err.message[0] != '\0');
        return;
    }
    const nod_dicom_layout *l = nod_dicom_pixels_layout(p);
    check_layout(l);
    void *frame = l->frame_bytes <= MAX_BYTES ? nod_malloc(l->frame_bytes) : NULL;
    if (frame != NULL) {
        (void)!nod_dicom_pixels_read(p, l->frames - 1, 1, frame, &err);
        (void)!nod_dicom_pixels_read(p, 0, 1, frame, &err);
        NOD_ASSERT(nod_dicom_pixels_read(p, 0, l->frames + 1, frame, &err) == NOD_EINVAL);
    }
    nod_free(frame);
    nod_dicom_pixels_close(p);
}

static void read_values(const nod_dicom_file *file)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_values *v = NULL;

    if (nod_dicom_values_open(file, &v, &err) != 0) return;
    const nod_dicom_meaning *m = nod_dicom_values_meaning(v);
    size_t n = (size_t)(m->rows * m->columns), n_all = n * (size_t)m->channels;
    float *dst = n_all * sizeof *dst <= MAX_BYTES ? nod_malloc(n_all * sizeof *dst) : NULL;
    uint8_t *padding = dst != NULL ? nod_malloc(n) : NULL;
    if (padding != NULL && nod_dicom_values_read(v, 0, 1, dst, padding, &err) == 0) {
        for (size_t i = 0; i < n; i++)
            NOD_ASSERT(padding[i] <= 1 && (padding[i] == 0 || m->has_padding));
        for (size_t i = 0; m->sample == NOD_SAMPLE_F32 && i < n_all; i++)
            NOD_ASSERT(isfinite(dst[i]));
    }
    nod_free(padding);
    nod_free(dst);
    nod_dicom_values_close(v);
}

static void read_image(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};

    if (nod_dicom_image_parse(data, size, "fuzz.dcm", &im, &err) != 0)
        NOD_ASSERT(im.data == NULL && strstr(err.message, "fuzz.dcm") != NULL);
    nod_image_done(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *file = NULL;
    int rc = nod_dicom_file_open_memory(data, size, "fuzz.dcm", NOD_DICOM_HEADER, &file, &err);

    if (rc == 0)
        NOD_ASSERT(nod_dicom_is(data, size));
    else
        NOD_ASSERT(file == NULL && strstr(err.message, "fuzz.dcm") != NULL);
    nod_dicom_file_close(file);
    file = NULL;
    rc = nod_dicom_file_open_memory(data, size, "fuzz.dcm", NOD_DICOM_WHOLE, &file, &err);
    if (rc == 0) {
        (void)nod_dicom_syntax_name(nod_dicom_file_syntax(file));
        nod_dicom_pixels *p = NULL;
        read_pixels(file);
        read_values(file);
        /* the whole image only where it is small */
        bool is_small = nod_dicom_pixels_open(file, &p, &err) == 0 &&
                        nod_dicom_pixels_layout(p)->frames <= MAX_FRAMES &&
                        nod_dicom_pixels_layout(p)->frame_bytes <= MAX_BYTES / 4;
        nod_dicom_pixels_close(p);
        if (is_small) read_image(data, size);
    }
    nod_dicom_file_close(file);
    return 0;
}
