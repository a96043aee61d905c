/* unreadable.h: what an indexing leaves out because it cannot be read, by ids of its own.
 *
 * Such a file has no pixels to get an id from, and its name may be a patient's. So it is called by the
 * hash of its bytes, "u-1a2b3c4d5e6f"; where not even these can be read by its number among the files,
 * "u-17". A second file of the same bytes gets "-2". The cohort keeps id and path; messages have the
 * id (docs/privacy.md). */
#ifndef NOD_DATA_UNREADABLE_H
#define NOD_DATA_UNREADABLE_H

#include "base/error.h"
#include "data/layout.h"

#define NOD_UNREADABLE_ID 48

typedef struct nod_unreadable_file {
    char id[NOD_UNREADABLE_ID];
    const char *name;   /* below the listing's root */
    const char *files;  /* of several: names below `name`; "" */
    const char *reason; /* without names of files */
} nod_unreadable_file;

/* What has a reason: items whose `reasons` entry is not NULL, then the listing's problems; with ids.
 * *out is the caller's to free, its strings are borrowed from both. */
int nod_unreadable_gather(nod_listing *l, char *const *reasons, nod_unreadable_file **out,
                          size_t *n, nod_error *err) NOD_MUST_CHECK;
/* Names the first few in the log. EDATA where all, or more than the options allow, of what was listed is
 * among them. */
int nod_unreadable_judge(const nod_unreadable_file *files, size_t n, const nod_listing *l,
                         const nod_index_options *o, const char *source,
                         nod_error *err) NOD_MUST_CHECK;

/* Takes what was found below the source out of an error of an indexing: names of images, and files
 * below its root; says then how to see them. */
void nod_listing_hide(const nod_listing *l, const char *source, nod_error *err);

/* Fills the ids of all [n] files below `root`; `number` of file i is i + 1. */
int nod_unreadable_name(const char *root, nod_unreadable_file *files, size_t n,
                        nod_error *err) NOD_MUST_CHECK;

#endif
