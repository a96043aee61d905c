/* fuzz_nifti.c: any bytes as a NIfTI file, as they are and packed by gzip. What is accepted keeps the
 * limits, has a grid that can be used, and reads back equal after writing its header. The first
 * byte chooses the policies, so that odd files are read too. */
#include "imaging/gzip.h"
#include "imaging/nifti/header.h"
#include "imaging/nifti/nifti.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_grid(const nod_image *im)
{
    const nod_geometry *g = &im->geometry;
    double at[3] = {1, 2, 3}, world[3];
    char text[NOD_GEOMETRY_TEXT];
    NOD_ASSERT(g->size[0] == im->width && g->size[1] == im->height && g->size[2] == im->depth);
    for (int a = 0; a < 3; a++)
        NOD_ASSERT(g->spacing_mm[a] > 0);
    nod_geometry_world(g, at, world);
    nod_geometry_index(g, world, at);
    (void)nod_geometry_text(g, text);
}

static void check_header(const nod_image *im)
{
    nod_nifti_header h = {.version = 2,
                          .dim = {3, im->width, im->height, im->depth, 1, 1, 1, 1}},
                     again;
    uint8_t bytes[NOD_NIFTI2_OFFSET];
    nod_error err = NOD_ERROR_INIT;
    h.vox_offset = NOD_NIFTI2_OFFSET;
    nod_nifti_set_place(&h, &im->geometry);
    size_t n = nod_nifti_header_encode(&h, bytes);
    NOD_ASSERT(nod_nifti_header_parse(bytes, n, "again", &again, &err) == 0);
    NOD_ASSERT(again.dim[1] == im->width && again.sform_code == h.sform_code);
}

static void read_one(const uint8_t *data, size_t size, const nod_policies *p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_findings f = {0};
    nod_image im = {0};
    if (nod_image_parse(data, size, "fuzz.nii", p, &f, &im, &err) == 0) {
        NOD_ASSERT(nod_image_is_known(data, size));
        NOD_ASSERT(nod_image_samples(&im) <= NOD_IMAGE_MAX_SAMPLES);
        check_grid(&im);
        check_header(&im);
    } else {
        NOD_ASSERT(im.data == NULL && err.code != 0 && err.message[0] != '\0');
    }
    nod_findings_done(&f);
    nod_image_done(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_policies p = nod_policies_preset();
    nod_error err = NOD_ERROR_INIT;
    nod_bytes packed;
    if (size == 0) return 0;
    for (int k = 0; (data[0] & 1) && k < NOD_FINDING_KINDS; k++)
        if (nod_finding_get_info((nod_finding_kind)k)->policies >> NOD_POLICY_ACCEPT & 1)
            p.of[k] = NOD_POLICY_ACCEPT;
    if (data[0] & 2) p.of[NOD_FINDING_SHEARED] = NOD_POLICY_RESAMPLE;
    read_one(data + 1, size - 1, &p);
    if ((data[0] & 4) && nod_gzip_pack(data + 1, size - 1, 1, &packed, &err) == 0) {
        read_one(packed.data, packed.size, &p);
        nod_bytes_done(&packed);
    }
    return 0;
}
