/* phantom_heart.h: a simulated beating heart in the chest, in magnetic resonance with bright blood;
 * it ejects as much as a healthy one, or less. */
#ifndef NOD_DATA_PHANTOM_HEART_H
#define NOD_DATA_PHANTOM_HEART_H

#include <stdbool.h>
#include <stdint.h>

#include "data/phantom_tissue.h"

typedef struct nod_heart nod_heart;

/* With healthy and with reduced ejection the same (seed, patient) gives the same heart at the end of
 * diastole. `contrast` 1: fractions of 0.55 to 0.68 against 0.20 to 0.35; smaller brings them
 * together. */
int nod_heart_new(uint64_t seed, int64_t i_patient, bool is_reduced, double contrast,
                  nod_heart **out, nod_error *err) NOD_MUST_CHECK;
void nod_heart_free(nod_heart *h);
double nod_heart_rate_bpm(const nod_heart *h);
/* Share of the left ventricle's volume that leaves it with a beat, of the model's geometry. */
double nod_heart_ejection_fraction(const nod_heart *h);

/* Unit vector in LPS from the base of the left ventricle to its apex: the normal of short-axis
 * planes. */
nod_vec nod_heart_axis(const nod_heart *h);
/* Signal about 0 to 1 at `at`, LPS millimetres from the left ventricle's centre; phase 0 is the R
 * wave, 1 the next. */
double nod_heart_signal(const nod_heart *h, nod_vec at, double width_mm, double phase);
/* Whether this place is blood of the left ventricle. */
bool nod_heart_is_blood(const nod_heart *h, nod_vec at, double phase);

#endif
