/* phantom_chest.h: a simulated chest between tube and detector, with or without a nodule: what a
 * radiograph shows, in millimetres on the detector. */
#ifndef NOD_DATA_PHANTOM_CHEST_H
#define NOD_DATA_PHANTOM_CHEST_H

#include <stdbool.h>
#include <stdint.h>

#include "data/phantom_tissue.h"

#define NOD_CHEST_MM 360.0 /* edge of the detector */

typedef struct nod_chest nod_chest;

/* With and without a nodule the same (seed, patient) gives the same chest. `contrast` of the nodule:
 * 1 is plain to see. */
int nod_chest_new(uint64_t seed, int64_t i_patient, bool has_nodule, double contrast,
                  nod_chest **out, nod_error *err) NOD_MUST_CHECK;
void nod_chest_free(nod_chest *c);
/* Attenuation along the ray that meets the detector at x (to the right of the picture, which is the
 * patient's left) and y (downwards) from its centre; 0 air, about 1 the mediastinum. */
double nod_chest_attenuation(const nod_chest *c, double x_mm, double y_mm);

#endif
