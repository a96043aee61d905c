/* table.h: the members of the layout table; private to src/data/layouts. */
#ifndef NOD_DATA_LAYOUTS_TABLE_H
#define NOD_DATA_LAYOUTS_TABLE_H

#include "data/layout.h"

#define NOD_DATASET_JSON        "dataset.json" /* of nnU-Net and the Decathlon */
#define NOD_LAYOUT_MAX_JSON     ((size_t)64 << 20)
#define NOD_LAYOUT_MAX_CHANNELS 64

extern const nod_source_layout nod_source_layout_medmnist, nod_source_layout_folder,
    nod_source_layout_manifest, nod_source_layout_gandlf, nod_source_layout_dicom,
    nod_source_layout_nnunet, nod_source_layout_msd, nod_source_layout_monai,
    nod_source_layout_bids;

/* Whether a tree of DICOM has a folder for each class: one of the folders at its top, or below train, val
 * and test, holds files of two patients, as no folder of a patient does. */
bool nod_folder_has_dicom_classes(const char *path);

#endif
