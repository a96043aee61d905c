/* geometry.c: grids of voxels in LPS millimetres. */
#include "imaging/geometry.h"

nod_geometry nod_geometry_unknown(int64_t width, int64_t height, int64_t depth)
{
    return (nod_geometry){.space = NOD_SPACE_NONE,
                          .size = {width, height, depth},
                          .spacing_mm = {1, 1, 1},
                          .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

void nod_geometry_world(const nod_geometry *g, const double index[3], double world_mm[3])
{
    for (int r = 0; r < 3; r++) {
        world_mm[r] = g->origin_mm[r];
        for (int a = 0; a < 3; a++)
            world_mm[r] += index[a] * g->spacing_mm[a] * g->direction[a][r];
    }
}
