/* copies.h: near-duplicates and the split: what was decided about them, and by whom.
 *
 * Near-duplicates are found by likeness (data/near.h), so a person decides: they are joined into one
 * group, or were looked at and are different, or lie across parts for a reason, which every later result
 * repeats. docs/formats/split.md has the keys. */
#ifndef NOD_DATA_COPIES_H
#define NOD_DATA_COPIES_H

#include "data/near.h"
#include "data/split.h"

/* What a person said about them. */
typedef struct nod_copies_rule {
    bool group; /* join what is found */
    const char
        *distinct;     /* CSV with columns case, other: pairs that are different; NULL: none */
    const char *force; /* why they may lie across parts; NULL: they may not */
} nod_copies_rule;

/* Searches, and takes away what `distinct` names. *pairs is what is joined, the caller's to free; *rest
 * what is left to be judged once there are parts (nod_copies_judge), the caller's with nod_near_done.
 * Errors: those of the search and the table; EDATA: the table names a pair that was not found. */
int nod_copies_find(const nod_cohort *c, const nod_copies_rule *rule, const nod_near_options *o,
                    nod_case_pair **pairs, size_t *n_pairs, nod_near *rest, nod_copies *out,
                    nod_error *err) NOD_MUST_CHECK;
/* Counts what lies across parts. EDATA where something does and there is no reason: the message names
 * the first and says what can be done. */
int nod_copies_judge(const nod_cohort *c, const nod_split *s, const nod_near *rest,
                     const nod_copies_rule *rule, nod_copies *out,
                     nod_error *err) NOD_MUST_CHECK;

nod_json *nod_copies_to_json(const nod_copies *k);
int nod_copies_from_json(const nod_json *j, const char *where, nod_copies *out,
                         nod_error *err) NOD_MUST_CHECK;
/* One line for people; nothing where nothing was found. */
void nod_copies_add_text(const nod_copies *k, nod_strbuf *out);
/* Whether every result has to say it: something was forced. */
bool nod_copies_is_notable(const nod_copies *k);
void nod_copies_add_note(const nod_copies *k, nod_strbuf *out);

#endif
