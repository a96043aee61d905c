/* split_state.h: the memory of a split; private to src/data. */
#ifndef NOD_DATA_SPLIT_STATE_H
#define NOD_DATA_SPLIT_STATE_H

#include "base/memory.h"
#include "data/groups.h"
#include "data/split.h"
#include "data/unit.h"

#define NOD_SPLIT_EXTERNAL "external"

struct nod_split {
    nod_arena arena;
    size_t n, n_classes;
    const char **ids;     /* [n] */
    const char **classes; /* [n_classes] */
    uint8_t *part;        /* [n] nod_part */
    size_t *group;        /* [n] */
    nod_split_note *notes;
    size_t n_notes, notes_cap;
    nod_part_counts counts[NOD_PARTS];
    size_t *class_counts; /* [NOD_PARTS][3][n_classes]: images, groups, units */
    nod_level unit;
    int64_t seed;
    double fraction[NOD_PARTS];
    const char *official; /* "none", "kept", "completed", "ignored", "external" */
    nod_json *by;         /* the fact that it was divided by (split_by.c); NULL: none */
    nod_grouping grouping;
    const char *grouping_rule;
    const char *grouping_text;
    char cohort[NOD_SHA256_HEX], hash[NOD_SHA256_HEX];
    bool sealed, audited, searched;
    nod_copies copies; /* where searched */
    nod_audit audit;   /* where audited */
    nod_anchor anchor;
};

/* Without parts and groups: what a split copies of its cohort. */
int nod_split_new(const nod_cohort *c, nod_split **out, nod_error *err) NOD_MUST_CHECK;
int nod_split_add_note(nod_split *s, const nod_split_note *note, nod_error *err) NOD_MUST_CHECK;
/* Deals the groups marked in `dealt` over the parts with a fraction; others stay as they are. */
int nod_split_deal(const nod_cohort *c, const nod_groups *g, const bool *dealt,
                   const double fraction[NOD_PARTS], int64_t seed, uint8_t *to,
                   nod_error *err) NOD_MUST_CHECK;
/* Gives each case the part that it wants ([n] nod_part; NOD_PART_OUT: not known, left out) as far as
 * groups stay together; *completed: a part that nobody wanted was dealt out of training. */
int nod_split_assign_wanted(nod_split *s, const nod_cohort *c, const nod_groups *g,
                            const uint8_t *wanted, bool *completed,
                            nod_error *err) NOD_MUST_CHECK;
int nod_split_assign_official(nod_split *s, const nod_cohort *c, const nod_groups *g,
                              nod_error *err) NOD_MUST_CHECK;
int nod_split_assign_by(nod_split *s, const nod_cohort *c, const nod_groups *g,
                        const nod_split_options *o, nod_error *err) NOD_MUST_CHECK;
/* What is judged (split_units.c): each unit with its label and the group that it is in. */
typedef struct nod_split_units {
    nod_units_of_cases of;
    int32_t *values; /* [of.n_units] class index, or [of.n_units][n_classes] of 0/1 */
    size_t *group;   /* [of.n_units] */
    size_t n_classes;
    bool multilabel;
} nod_split_units;
int nod_split_units_make(const nod_cohort *c, const nod_groups *g, nod_split_units *out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_split_units_done(nod_split_units *u);
bool nod_split_unit_has(const nod_split_units *u, size_t unit, size_t k);
/* Fills the counts once the parts are known. */
int nod_split_count(nod_split *s, const nod_cohort *c, const nod_groups *g,
                    nod_error *err) NOD_MUST_CHECK;
/* The part of the file that is hashed. */
nod_json *nod_split_content(const nod_split *s);
int nod_split_compute_hash(const nod_json *content, char out[NOD_SHA256_HEX],
                           nod_error *err) NOD_MUST_CHECK;

#endif
