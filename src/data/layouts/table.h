/* table.h: the members of the layout table; private to src/data/layouts. */
#ifndef NOD_DATA_LAYOUTS_TABLE_H
#define NOD_DATA_LAYOUTS_TABLE_H

#include "data/layout.h"

extern const nod_layout nod_layout_medmnist, nod_layout_folder, nod_layout_manifest;

#endif
