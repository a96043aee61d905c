/* phantom_breast.h: simulated breasts of one patient, one of them with a mass or none: as the four
 * views of a mammography show them, and in magnetic resonance while a contrast agent arrives. */
#ifndef NOD_DATA_PHANTOM_BREAST_H
#define NOD_DATA_PHANTOM_BREAST_H

#include <stdbool.h>
#include <stdint.h>

#include "data/phantom_tissue.h"

/* Edges of the mammography detector, along the chest wall and away from it. */
#define NOD_MAMMOGRAM_ROWS_MM    240.0
#define NOD_MAMMOGRAM_COLUMNS_MM 180.0
/* Edges of the field of magnetic resonance: both breasts, front to back, feet to head. */
#define NOD_BREAST_MR_X_MM 340.0
#define NOD_BREAST_MR_Y_MM 220.0
#define NOD_BREAST_MR_Z_MM 160.0

typedef struct nod_breast_options {
    bool has_mass;
    bool
        washes_out; /* the mass takes up contrast fast and loses it again, as malignant ones do;
                        else it goes on taking it up */
    double contrast; /* of the mass against the gland; 1 is plain to see */
} nod_breast_options;

typedef struct nod_breast nod_breast;

/* With and without a mass the same (seed, patient) gives the same breasts. */
int nod_breast_new(uint64_t seed, int64_t i_patient, const nod_breast_options *options,
                   nod_breast **out, nod_error *err) NOD_MUST_CHECK;
void nod_breast_free(nod_breast *b);
/* 'L' or 'R': where the mass is, or would be. */
char nod_breast_side(const nod_breast *b);

/* Attenuation in a view: `depth_mm` from the chest wall, `along_mm` along it from the middle,
 * lateral (CC) or upwards (MLO) being negative. `side` is 'L' or 'R'. */
double nod_breast_attenuation(const nod_breast *b, char side, bool is_mlo, double depth_mm,
                              double along_mm);
/* Signal in fat-suppressed T1-weighted magnetic resonance, about 0 to 1, `time_s` after the
 * injection (negative: before). `at` in LPS millimetres from the middle of the chest wall. */
double nod_breast_signal(const nod_breast *b, nod_vec at, double width_mm, double time_s);
/* Whether this place lies inside the mass. */
bool nod_breast_is_mass(const nod_breast *b, nod_vec at);

#endif
