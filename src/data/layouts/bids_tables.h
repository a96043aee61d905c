/* bids_tables.h: the tables of a BIDS data set: participants.tsv with what is known of each participant,
 * and *_dseg.tsv with the names of the values of label maps. "n/a" is unknown.
 * Source: BIDS specification 1.10, "Participants file", "Segmentations". */
#ifndef NOD_DATA_LAYOUTS_BIDS_TABLES_H
#define NOD_DATA_LAYOUTS_BIDS_TABLES_H

#include "base/text.h"
#include "data/layouts/item.h"

typedef struct nod_bids_people nod_bids_people;

/* Reads participants.tsv; columns that are facts by name are facts. A value that no fact can have is
 * unknown, and warned of. `label_column` NULL: the first there is of label, group, diagnosis, dx.
 * Errors: those of the table; EFORMAT (no participant_id); EINVAL (no such column of labels); EDATA (a
 * participant twice). */
int nod_bids_people_read(const char *path, const char *label_column, const nod_log *log,
                         nod_bids_people **out, nod_error *err) NOD_MUST_CHECK;
void nod_bids_people_free(nod_bids_people *p);
/* The header of the column of labels, borrowed; NULL: there is none. */
const char *nod_bids_people_label_column(const nod_bids_people *p);
/* Sets the facts of participant "sub-01" and gives the label, "" where there is none. */
int nod_bids_people_set(nod_bids_people *p, const char *participant, nod_listing *l,
                        nod_item *item, const char **label, nod_error *err) NOD_MUST_CHECK;
size_t nod_bids_people_unused(const nod_bids_people *p); /* rows that nobody asked for */

/* Adds the names of the values 0 .. K-1 of a lookup table with the columns index and name; a value 0
 * without a row is "background". Errors: those of the table; EFORMAT (columns); EDATA (values with a gap
 * or twice). */
int nod_bids_names_read(const char *path, nod_strlist *out, nod_error *err) NOD_MUST_CHECK;

/* What the sidecar of an image says of the scanner; where there is none, nothing. */
int nod_bids_sidecar_set(const char *path, nod_listing *l, nod_item *item, const nod_log *log,
                         nod_error *err) NOD_MUST_CHECK;

#endif
