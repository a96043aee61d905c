/* fuzz_image.c: any bytes as a PNG, JPEG or TIFF picture. What is accepted keeps the limits,
 * and can be hashed and turned into floats. */
#include <string.h>

#include "base/memory.h"
#include "imaging/reader.h"

#define MAX_FLOATS ((int64_t)1 << 24) /* conversion is not what is tested here */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    char hash[65];
    if (nod_image_parse(data, size, "fuzz.img", NULL, NULL, &im, &err) != 0) {
        NOD_ASSERT(im.data == NULL && err.code != 0 && err.message[0] != '\0');
        return 0;
    }
    NOD_ASSERT(nod_image_is_known(data, size));
    NOD_ASSERT(im.depth >= 1 && im.height >= 1 && im.width >= 1);
    NOD_ASSERT(im.depth <= NOD_IMAGE_MAX_SIDE && im.height <= NOD_IMAGE_MAX_SIDE &&
               im.width <= NOD_IMAGE_MAX_SIDE);
    NOD_ASSERT(im.channels >= 1 && im.channels <= 4);
    NOD_ASSERT(nod_image_samples(&im) <= NOD_IMAGE_MAX_SAMPLES);
    int rc = nod_image_pixel_hash(&im, hash, &err);
    NOD_ASSERT(rc == 0);
    (void)nod_image_is_constant(&im);
    if (nod_image_samples(&im) <= MAX_FLOATS) {
        size_t n = (size_t)(im.depth * im.height * im.width);
        float *v = nod_calloc(n, 3 * sizeof *v);
        if (v != NULL) {
            rc = nod_image_to_f32(&im, 1, v, &err);
            NOD_ASSERT(rc == 0);
            rc = nod_image_to_f32(&im, 3, v, &err);
            NOD_ASSERT(rc == 0);
        }
        nod_free(v);
    }
    nod_image_done(&im);
    return 0;
}
