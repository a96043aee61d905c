/* item.h: what the layouts of files share: naming an item's files, their order, images named twice. */
#ifndef NOD_DATA_LAYOUTS_ITEM_H
#define NOD_DATA_LAYOUTS_ITEM_H

#include "data/layout.h"

/* One file stands for itself; of several, `name` becomes the folder that all share and `files` what is
 * in it. A file in a zip archive is always named in its folder. EDATA: a name with a '|', which parts
 * names in a cohort. */
int nod_item_set_files(nod_listing *l, nod_item *item, const nod_strlist *names,
                       nod_error *err) NOD_MUST_CHECK;
/* The path of an item's first file below the root; the caller's. NULL: no memory. */
char *nod_item_first_file(const nod_item *item) NOD_MUST_CHECK;

/* Sets a fact to a copy of `text`. EDATA: it is not a value of that fact. */
int nod_item_set_fact(nod_listing *l, nod_item *item, nod_fact fact, const char *text,
                      nod_error *err) NOD_MUST_CHECK;

/* Brings the items into the order of the names of their first files, numbers in them compared as
 * numbers; DICOM, whose names say nothing, by patient, study and series. So all layouts of the same
 * images make the same cohort. */
int nod_listing_sort(nod_listing *l, nod_error *err) NOD_MUST_CHECK;
/* EDATA where two items begin with the same file. `what` their `line` counts: "lines", "images". */
int nod_listing_check_twice(const nod_listing *l, const char *where, const char *what,
                            nod_error *err) NOD_MUST_CHECK;

/* "./a//b" is "a/b": names in lists of files are written by hand. In the arena; NULL: no memory. */
const char *nod_listing_clean_name(nod_listing *l, const char *name) NOD_MUST_CHECK;

#endif
