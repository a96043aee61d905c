/* seg_dump.c FILE: the masks of a DICOM segmentation, one byte a voxel (not 0: inside), segment after
 * segment by number, for tools/oracles/seg.py. */
#include <stdio.h>

#include "imaging/dicom/seg.h"

int main(int argc, char **argv)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_seg s;
    if (argc != 2 || nod_dicom_seg_read(argv[1], NULL, &s, &err) != 0) {
        fprintf(stderr, "%s\n", argc == 2 ? err.message : "usage: seg_dump FILE");
        return 1;
    }
    for (size_t i = 0; i < s.n; i++) {
        const nod_image *m = &s.segments[i].mask;
        for (int64_t k = 0; k < nod_image_voxels(m); k++)
            putchar(m->sample == NOD_SAMPLE_F32 ? ((const float *)m->data)[k] > 0
                                                : ((const uint8_t *)m->data)[k]);
    }
    nod_dicom_seg_done(&s);
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
