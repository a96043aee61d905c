/* contract_internal.h: the steps of the contract. The image at work is f32 with one channel and a
 * frame for each channel of the result, so that planes lie one after the other. */
#ifndef NOD_IMAGING_CONTRACT_INTERNAL_H
#define NOD_IMAGING_CONTRACT_INTERNAL_H

#include "imaging/contract.h"

/* Frames, channels and scaling: `out` is new. */
int nod_contract_take(const nod_contract *k, const nod_image *im, nod_image *out,
                      nod_error *err) NOD_MUST_CHECK;
/* Window or clip, in place. */
int nod_contract_map_values(const nod_contract *k, const nod_image *im, nod_image *work,
                            nod_error *err) NOD_MUST_CHECK;
/* Everything that moves voxels: replaces what `work` holds. */
int nod_contract_place(const nod_contract *k, nod_image *work, nod_error *err) NOD_MUST_CHECK;

#endif
