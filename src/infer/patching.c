/* patching.c: the grid of windows over an image; see predictor.h. */
#include <string.h>

#include "infer/predictor.h"

static bool is_whole(const nod_patching *p)
{
    return p->size[1] == 0;
}

static int64_t count_axis(const nod_patching *p, int axis)
{
    int64_t room = p->image[axis] - p->size[axis];
    return room <= 0 ? 1 : (room + p->stride[axis] - 1) / p->stride[axis] + 1;
}

int64_t nod_patching_count(const nod_patching *p)
{
    if (is_whole(p)) return 1;
    return count_axis(p, 0) * count_axis(p, 1) * count_axis(p, 2);
}

void nod_patching_origin(const nod_patching *p, int64_t i, int64_t origin[3])
{
    for (int axis = 2; axis >= 0; axis--) {
        int64_t n = is_whole(p) ? 1 : count_axis(p, axis);
        int64_t at = i % n * (is_whole(p) ? 0 : p->stride[axis]);
        int64_t last = is_whole(p) ? 0 : p->image[axis] - p->size[axis];
        origin[axis] = NOD_MIN(at, last);
        i /= n;
    }
}

void nod_patching_cut(const nod_patching *p, int64_t channels, const float *image,
                      const int64_t origin[3], float *dst)
{
    const int64_t *full = p->image, *size = is_whole(p) ? p->image : p->size;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t d = 0; d < size[0]; d++)
            for (int64_t h = 0; h < size[1]; h++) {
                int64_t at =
                    ((c * full[0] + origin[0] + d) * full[1] + origin[1] + h) * full[2];
                memcpy(dst, image + at + origin[2], (size_t)size[2] * sizeof *dst);
                dst += size[2];
            }
}

int nod_patching_check(const nod_patching *p, const nod_network_io *io, nod_error *err)
{
    static const char *const axes[] = {"depth", "height", "width"};
    for (int i = 0; i < 3; i++) {
        int64_t size = is_whole(p) ? p->image[i] : p->size[i];
        if (size > p->image[i])
            return nod_fail(
                err, NOD_ESHAPE,
                "patches.size: %s %lld is larger than the image's %lld: take smaller "
                "patches or larger images",
                axes[i], (long long)size, (long long)p->image[i]);
        if (!is_whole(p) && p->stride[i] < 1)
            return nod_fail(err, NOD_ESHAPE, "patches.stride: %s %lld must be at least 1",
                            axes[i], (long long)p->stride[i]);
        if (size != io->size[i])
            return nod_fail(err, NOD_ESHAPE, "%s of the input is %lld, the network takes %lld",
                            axes[i], (long long)size, (long long)io->size[i]);
    }
    return 0;
}
