/* fuzz_itk.c: any bytes as a MetaImage or NRRD file. What is accepted keeps the limits and has a grid
 * that can be used. */
#include <string.h>

#include "imaging/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *data, size_t size, const nod_policies *p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_findings f = {0};
    nod_image im = {0};
    double at[3] = {1, 2, 3}, world[3];
    if (nod_image_parse(data, size, "fuzz.mha", p, &f, &im, &err) == 0) {
        const nod_geometry *g = &im.geometry;
        NOD_ASSERT(nod_image_is_known(data, size));
        NOD_ASSERT(nod_image_samples(&im) <= NOD_IMAGE_MAX_SAMPLES);
        NOD_ASSERT(g->size[0] == im.width && g->size[1] == im.height && g->size[2] == im.depth);
        for (int a = 0; a < 3; a++)
            NOD_ASSERT(g->spacing_mm[a] > 0);
        nod_geometry_world(g, at, world);
        nod_geometry_index(g, world, at);
    } else {
        NOD_ASSERT(im.data == NULL && err.code != 0 && err.message[0] != '\0');
        NOD_ASSERT(strchr(err.message, '\n') == NULL);
    }
    nod_findings_done(&f);
    nod_image_done(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_policies p = nod_policies_preset();
    read_one(data, size, &p);
    for (int k = 0; k < NOD_FINDING_KINDS; k++)
        if (nod_finding_get_info((nod_finding_kind)k)->policies >> NOD_POLICY_ACCEPT & 1)
            p.of[k] = NOD_POLICY_ACCEPT;
    p.of[NOD_FINDING_SHEARED] = NOD_POLICY_RESAMPLE;
    read_one(data, size, &p);
    return 0;
}
