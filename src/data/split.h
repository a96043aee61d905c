/* split.h: the division of a cohort into training, validation and test part, frozen and hashed.
 *
 * What is never parted is the group (data/groups.h); what is counted and stratified is the unit that is
 * judged (data/unit.h), with its own label. Groups are dealt class by class, rarest class first,
 * groups with most units first, in an order drawn from Philox (seed, NOD_RNG_SPLIT): each goes to the
 * part that is furthest from its share. An official split is kept; what it lacks is dealt out
 * of its training part. docs/formats/split.md has the file and all rules. */
#ifndef NOD_DATA_SPLIT_H
#define NOD_DATA_SPLIT_H

#include "data/audit.h"
#include "data/cohort.h"
#include "data/groups.h"
#include "ledger/look.h"

typedef struct nod_split_options {
    int64_t seed;               /* at least 0 */
    double fraction[NOD_PARTS]; /* of the units, by part; each > 0, sum 1 */
    bool ignore_official;       /* default: an official split is kept */
    bool allow_one_class; /* default: each class is in training, two or more in the others */
    /* A fact that parts test from the rest, whatever the official split; default NULL: none. Of a
     * category `hold_out` names the values that are the test part; of a date the first day of it. With
     * n_hold_out 0: the largest values that together have no more than the test's fraction, at least the
     * smallest; the newest cases. */
    const nod_fact *by;
    const char *const *hold_out;
    size_t n_hold_out;
    /* Cases that go together although nothing says they are of one patient: near-duplicates. */
    const nod_case_pair *pairs;
    size_t n_pairs;
} nod_split_options;
#define NOD_SPLIT_OPTIONS_INIT          \
    {                                   \
        .fraction = { 0.7, 0.15, 0.15 } \
    }
#define NOD_SPLIT_VALUES_MAX 1000 /* of a category that a split goes by */

/* Why a case is left out, or what is odd about one that is not. */
typedef enum nod_split_note_kind {
    NOD_NOTE_PIXELS_IN_HIGHER, /* left out: same pixels in a higher part of the official split */
    NOD_NOTE_PATIENT_IN_HIGHER, /* left out: same patient in a higher part of it */
    NOD_NOTE_CONTRADICTORY_OUT, /* left out of training: same pixels, other label */
    NOD_NOTE_CONTRADICTORY,     /* kept in validation or test, flagged */
    NOD_NOTE_UNKNOWN            /* left out: the fact that the split goes by is not known */
} nod_split_note_kind;

typedef struct nod_split_note {
    size_t i_case, i_other; /* the case, and the one that is the reason */
    nod_part from;          /* part that the case was or is in; out: none */
    nod_split_note_kind kind;
} nod_split_note;
const char *nod_split_note_name(nod_split_note_kind kind);

typedef struct nod_split nod_split;

/* Errors: EINVAL (options), EDATA (too few groups, a part without a class), ENOMEM. */
int nod_split_make(const nod_cohort *c, const nod_split_options *o, nod_split **out,
                   nod_error *err) NOD_MUST_CHECK;
/* A cohort that is tested and not divided: every case is of the test part. nod_split_seal gives equal
 * ones the same seal. Errors: ENOMEM. */
int nod_split_make_external(const nod_cohort *c, nod_split **out,
                            nod_error *err) NOD_MUST_CHECK;
void nod_split_free(nod_split *s);

nod_part nod_split_part(const nod_split *s, size_t i_case);
/* Group number of a case: the unit of intervals ("patient"). */
size_t nod_split_group(const nod_split *s, size_t i_case);
size_t nod_split_notes(const nod_split *s);
const nod_split_note *nod_split_get_note(const nod_split *s, size_t i);
const char *nod_split_hash(const nod_split *s);        /* of the content, without the anchor */
const char *nod_split_cohort_hash(const nod_split *s); /* of the cohort it divides */
/* "none", "declared", "derived: RULE": what every result says of its intervals. */
const char *nod_split_grouping(const nod_split *s);
int64_t nod_split_seed(const nod_split *s);
/* "divided by site: the test part is 'B'"; nothing where it was not divided by a fact. */
void nod_split_say_by(const nod_split *s, nod_strbuf *out);

/* What is in a part; known before sealing and kept in the file. */
typedef struct nod_part_counts {
    size_t images, groups, units;
    const size_t *class_images; /* [n_classes], borrowed */
    const size_t *class_groups; /* [n_classes] groups with at least one unit of the class */
    const size_t *class_units;  /* [n_classes] units of the class */
} nod_part_counts;
nod_part_counts nod_split_counts(const nod_split *s, nod_part part);
size_t nod_split_n_classes(const nod_split *s);
nod_level nod_split_unit(const nod_split *s); /* the cohort's: what is counted as a unit */

/* Keeps what the shortcut audit found (train/audit_split.h) as part of the content; before sealing. */
int nod_split_set_audit(nod_split *s, const nod_audit *audit, nod_error *err) NOD_MUST_CHECK;
const nod_audit *nod_split_audit(const nod_split *s); /* NULL: none was made */

/* What was found and decided about near-duplicates (data/copies.h), in pairs. */
#define NOD_COPIES_REASON 201
typedef struct nod_copies {
    int64_t found;                  /* between groups */
    int64_t distinct;               /* of these: a person looked and they are different */
    int64_t joined;                 /* into one group */
    int64_t across;                 /* cases in two parts */
    char reason[NOD_COPIES_REASON]; /* why those may lie across; "" where none does */
} nod_copies;
/* Keeps it as part of the content; before sealing. */
int nod_split_set_copies(nod_split *s, const nod_copies *copies, nod_error *err) NOD_MUST_CHECK;
const nod_copies *nod_split_copies(const nod_split *s); /* NULL: nobody searched */

/* Records the split in the ledger, which gives it its anchor. ESEAL where cases of the cohort
 * were looked at and `again` is NULL. */
int nod_split_seal(nod_split *s, const nod_cohort *c, nod_ledger *l, const char *again,
                   const char *by, nod_error *err) NOD_MUST_CHECK;
bool nod_split_is_sealed(const nod_split *s);
nod_anchor nod_split_anchor(const nod_split *s); /* only where sealed */

/* NOD_ESEAL where the split was not sealed: an unsealed one never reaches a file. */
int nod_split_write(const nod_split *s, const char *path, nod_error *err) NOD_MUST_CHECK;
/* Strict. ESEAL: the content's hash is not the one in the file, or the cohort is not the one that
 * was divided (it was changed after the split). */
int nod_split_read(const char *path, const nod_cohort *c, nod_split **out,
                   nod_error *err) NOD_MUST_CHECK;
int nod_split_parse(const char *text, size_t size, const char *name, const nod_cohort *c,
                    nod_split **out, nod_error *err) NOD_MUST_CHECK;

#endif
