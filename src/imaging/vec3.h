/* vec3.h: products of two vectors in space. */
#ifndef NOD_IMAGING_VEC3_H
#define NOD_IMAGING_VEC3_H

#include "base/compiler.h"

NOD_INLINE double nod_vec3_dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* At right angles to both, by the right hand. `out` is neither of them. */
NOD_INLINE void nod_vec3_cross(const double a[3], const double b[3], double out[3])
{
    for (int i = 0; i < 3; i++)
        out[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

#endif
