/* transform.h: what a DICOM header says about the meaning of stored values, as plain data.
 *
 * Read by imaging/dicom/shim/transform.cc, applied by values.c. Per-frame functional groups win over
 * shared ones, and these over the dataset's own attributes (PS3.3 C.7.6.16). */
#ifndef NOD_IMAGING_DICOM_TRANSFORM_H
#define NOD_IMAGING_DICOM_TRANSFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "imaging/dicom/pixels.h"
#include "imaging/image.h"

/* A table (PS3.3 C.11.1.1): value `first` gets data[0], what lies outside gets the ends. */
typedef struct nod_dicom_lut {
    int64_t first;
    int64_t n; /* 0: no table */
    int bits;  /* of an entry, 8 to 16 */
    uint16_t *data;
} nod_dicom_lut;

typedef struct nod_dicom_rescale {
    double slope, intercept;
} nod_dicom_rescale;

typedef struct nod_dicom_window {
    double centre, width;
} nod_dicom_window;

typedef enum nod_dicom_voi {
    NOD_DICOM_VOI_NONE,
    NOD_DICOM_VOI_LINEAR, /* PS3.3 C.11.2.1.2.1 */
    NOD_DICOM_VOI_EXACT,  /* LINEAR_EXACT */
    NOD_DICOM_VOI_SIGMOID,
    NOD_DICOM_VOI_LUT
} nod_dicom_voi;

typedef struct nod_dicom_transform {
    bool has_padding;
    double padding_low, padding_high; /* of stored values, both included */
    nod_dicom_lut modality_lut;
    nod_dicom_rescale *rescale; /* n_rescale: 1 for all frames, or one each */
    int64_t n_rescale;
    nod_dicom_voi voi;
    nod_dicom_window *window; /* n_window: 0, 1 for all frames, or one each */
    int64_t n_window;
    nod_dicom_lut voi_lut;
    nod_dicom_lut palette[3]; /* red, green, blue, of PALETTE COLOR */
    bool inverted;            /* MONOCHROME1: the lowest value is white */
    bool is_ct;
    nod_units units;
    char unit[17]; /* as the file has it: Rescale Type, PET's Units; "" */
} nod_dicom_transform;

/* `p` is the file's. The result must be given to _done, whatever happens. */
int nod_dicom_transform_read(const nod_dicom_file *file, const nod_dicom_layout *layout,
                             nod_dicom_transform *out, nod_error *err) NOD_MUST_CHECK;
void nod_dicom_transform_done(nod_dicom_transform *t);

#endif
