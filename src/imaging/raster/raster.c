/* raster.c: the check that the picture formats share. */
#include "imaging/raster/raster.h"

#define SIZE_CHECK_FROM ((uint64_t)1 << 16) /* below this, headers may outweigh the pixels */

int nod_raster_check_size(const char *name, int64_t width, int64_t height, uint64_t n_raw,
                          size_t size, uint64_t ratio, nod_error *err)
{
    if (width > NOD_IMAGE_MAX_SIDE || height > NOD_IMAGE_MAX_SIDE)
        return nod_fail(err, NOD_ELIMIT, "%s: %lld x %lld pixels; the limit is %d a side", name,
                        (long long)width, (long long)height, NOD_IMAGE_MAX_SIDE);
    if (n_raw <= SIZE_CHECK_FROM || n_raw / ratio <= size) return 0;
    return nod_fail(err, NOD_EFORMAT,
                    "%s: claims %lld x %lld pixels, but %zu bytes cannot hold them: cut off or "
                    "made to exhaust memory",
                    name, (long long)width, (long long)height, size);
}
