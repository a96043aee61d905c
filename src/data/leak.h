/* leak.h: every way in which cases of a cohort, or of two, are the same or nearly so: equal pixels,
 * near-duplicates, and what makes one patient likely. Nothing is dropped here; docs/formats/leak.md has
 * the table. */
#ifndef NOD_DATA_LEAK_H
#define NOD_DATA_LEAK_H

#include "data/near.h"
#include "data/split.h"

typedef enum nod_leak_kind {
    NOD_LEAK_PIXELS, /* equal decoded pixels */
    NOD_LEAK_NEAR,   /* near-duplicates of different groups */
    NOD_LEAK_PERSON, /* suspects of different groups: data/groups.h */
    NOD_LEAK_FRAME,
    NOD_LEAK_KINDS
} nod_leak_kind;
const char *nod_leak_name(nod_leak_kind kind); /* "equal pixels" ... */

typedef struct nod_leak_row {
    nod_leak_kind kind;
    size_t set;            /* from 1 in each kind: rows that hang together */
    size_t i, j;           /* cases; j of the other cohort where there are two */
    nod_part of_i, of_j;   /* NOD_PART_OUT: none */
    bool other_label;      /* of one cohort: the labels differ */
    nod_similar_pair near; /* near-duplicates alone */
} nod_leak_row;

typedef struct nod_leaks {
    nod_leak_row *rows; /* by kind, set, and cases */
    size_t n, cap;
    size_t n_rows[NOD_LEAK_KINDS], n_sets[NOD_LEAK_KINDS];
    size_t n_parted[NOD_LEAK_KINDS];            /* rows whose cases are in two parts */
    size_t n_equal_cases, n_contradictory_sets; /* of equal pixels */
    size_t n_silent, bytes;                     /* data/near.h */
} nod_leaks;

/* Within a cohort. Parts are those of `split`, or where it is NULL the official ones. */
int nod_leaks_find(const nod_cohort *c, const nod_split *split, const nod_near_options *o,
                   nod_leaks *out, nod_error *err) NOD_MUST_CHECK;
/* Between two: equal pixels and near-duplicates. Parts are as above, of the first. */
int nod_leaks_find_between(const nod_cohort *c, const nod_split *split, const nod_cohort *other,
                           const nod_near_options *o, nod_leaks *out,
                           nod_error *err) NOD_MUST_CHECK;
void nod_leaks_done(nod_leaks *l);

/* The table of all rows as CSV; `other` as it was given, or NULL. */
void nod_leaks_add_csv(const nod_leaks *l, const nod_cohort *c, const nod_cohort *other,
                       nod_strbuf *out);

#endif
