/* bids_name.h: names of files in BIDS: "sub-01_ses-2_run-1_T1w.nii.gz" has the entities sub, ses and run,
 * and the suffix T1w.
 * Source: BIDS specification 1.10, "Filenames", "Common data types and metadata for derivatives". */
#ifndef NOD_DATA_LAYOUTS_BIDS_NAME_H
#define NOD_DATA_LAYOUTS_BIDS_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NOD_BIDS_MAX_ENTITIES 24

/* Pieces of a name, which must live as long. */
typedef struct nod_bids_piece {
    const char *at;
    size_t n;
} nod_bids_piece;

typedef struct nod_bids_name {
    struct {
        nod_bids_piece key, value;
    } entities[NOD_BIDS_MAX_ENTITIES];
    size_t n_entities;
    nod_bids_piece suffix; /* "T1w" */
    const char *ending;    /* ".nii.gz" */
} nod_bids_name;

/* false: `file`, a name without folders, is not of this form. */
bool nod_bids_name_parse(const char *file, nod_bids_name *out);
bool nod_bids_piece_is(nod_bids_piece p, const char *text);
bool nod_bids_piece_same(nod_bids_piece a, nod_bids_piece b);
/* The value of an entity; n 0: it is not there. */
nod_bids_piece nod_bids_name_get(const nod_bids_name *n, const char *key);

/* Whether `mask`, in a tree of derivatives or beside, may belong to `image`: they are of the same subject
 * and session, and no entity says otherwise but those that tell derivatives apart (desc, label, space,
 * res, den, seg, atlas). Returns how many entities they share; 0: it may not. */
size_t nod_bids_name_fit(const nod_bids_name *image, const nod_bids_name *mask);

#endif
