/* table.h: the members of the layout table; private to src/data/layouts. */
#ifndef NOD_DATA_LAYOUTS_TABLE_H
#define NOD_DATA_LAYOUTS_TABLE_H

#include "data/layout.h"

extern const nod_source_layout nod_source_layout_medmnist, nod_source_layout_folder,
    nod_source_layout_manifest, nod_source_layout_dicom;

#endif
