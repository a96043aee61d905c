/* write.c: images to NIfTI files. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/gzip.h"
#include "imaging/nifti/header.h"
#include "imaging/nifti/nifti.h"

#define LEVEL 6 /* of compression: what gzip uses */

/* Floats that are integers of 16 bits: CT in Hounsfield units, labels. */
static bool is_int16(const nod_image *im)
{
    const float *v = im->data;
    if (im->sample != NOD_SAMPLE_F32) return false;
    for (int64_t i = 0; i < nod_image_samples(im); i++)
        if (!(v[i] >= -32768 && v[i] <= 32767) || v[i] != floorf(v[i])) return false;
    return true;
}

static int choose_type(const nod_image *im, const char *path, int *datatype, nod_error *err)
{
    static const int plain[] = {
        [NOD_SAMPLE_U8] = 2, [NOD_SAMPLE_U16] = 512, [NOD_SAMPLE_F32] = 16};
    if (im->channels == 1) {
        *datatype = is_int16(im) ? 4 : plain[im->sample];
    } else if (im->channels >= 3 && im->sample == NOD_SAMPLE_U8) {
        *datatype = im->channels == 3 ? 128 : 2304;
    } else {
        return nod_fail(err, NOD_EINVAL,
                        "%s: NIfTI holds grey images and colour of 8 bits, not %d channels of "
                        "%s",
                        path, im->channels,
                        im->sample == NOD_SAMPLE_U8    ? "8 bits"
                        : im->sample == NOD_SAMPLE_U16 ? "16 bits"
                                                       : "f32");
    }
    return 0;
}

/* NIfTI-1 keeps floats: numbers that they hold, with room for their squares. */
static bool fits_floats(const nod_geometry *g)
{
    for (int a = 0; a < 3; a++)
        if (g->spacing_mm[a] < 1e-15 || g->spacing_mm[a] > 1e15 || fabs(g->origin_mm[a]) > 1e15)
            return false;
    return true;
}

static nod_nifti_header make_header(const nod_image *im, int datatype)
{
    int64_t largest = NOD_MAX(NOD_MAX(im->width, im->height), NOD_MAX(im->depth, im->frames));
    bool large = largest > NOD_NIFTI1_SIDE_MAX || !fits_floats(&im->geometry);
    nod_nifti_header h = {
        .version = large ? 2 : 1,
        .dim = {im->frames > 1 ? 4 : 3, im->width, im->height, im->depth, im->frames, 1, 1, 1},
        .pixdim = {1, 1, 1, 1, 1, 1, 1, 1},
        .datatype = datatype,
        .bitpix = nod_nifti_type_find(datatype)->bits,
        .slope = 1};
    h.vox_offset = h.version == 1 ? NOD_NIFTI1_OFFSET : NOD_NIFTI2_OFFSET;
    nod_nifti_set_place(&h, &im->geometry);
    return h;
}

static void swap_numbers(uint8_t *p, size_t n, size_t size)
{
    for (; n > 0; n--, p += size)
        for (size_t b = 0; b < size / 2; b++) {
            uint8_t other = p[b];
            p[b] = p[size - 1 - b];
            p[size - 1 - b] = other;
        }
}

/* Little endian, wherever this runs. */
static void put_voxels(const nod_image *im, int datatype, uint8_t *dst)
{
    size_t n = (size_t)nod_image_samples(im), bytes = nod_image_bytes(im);
    if (datatype == 4) {
        for (size_t i = 0; i < n; i++) {
            uint16_t v = (uint16_t)(int16_t)((const float *)im->data)[i];
            dst[2 * i] = (uint8_t)v;
            dst[2 * i + 1] = (uint8_t)(v >> 8);
        }
        return;
    }
    memcpy(dst, im->data, bytes);
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) swap_numbers(dst, n, bytes / n);
}

int nod_nifti_write(const char *path, const nod_image *im, nod_error *err)
{
    bool packed = nod_has_suffix_nocase(path, ".nii.gz");
    uint8_t head[NOD_NIFTI2_OFFSET];
    nod_bytes file = {0}, small = {0};
    int datatype = 0;
    if (!packed && !nod_has_suffix_nocase(path, ".nii"))
        return nod_fail(err, NOD_EINVAL, "%s: a NIfTI file ends in .nii or .nii.gz", path);
    int rc = choose_type(im, path, &datatype, err);
    if (rc) return rc;
    nod_nifti_header h = make_header(im, datatype);
    size_t n_head = nod_nifti_header_encode(&h, head);
    file.size =
        n_head + (size_t)nod_image_samples(im) / (size_t)im->channels * (size_t)(h.bitpix / 8);
    file.data = nod_malloc(file.size);
    if (file.data == NULL) return nod_fail_memory(err, "a NIfTI file", file.size);
    memcpy(file.data, head, n_head);
    put_voxels(im, datatype, file.data + n_head);
    if (packed) {
        NOD_TRY(nod_gzip_pack(file.data, file.size, LEVEL, &small, err));
        rc = nod_file_write(path, small.data, small.size, err);
    } else {
        rc = nod_file_write(path, file.data, file.size, err);
    }
out:
    nod_bytes_done(&file);
    nod_bytes_done(&small);
    return rc;
}
