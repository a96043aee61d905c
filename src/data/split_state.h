/* split_state.h: the memory of a split; private to src/data. */
#ifndef NOD_DATA_SPLIT_STATE_H
#define NOD_DATA_SPLIT_STATE_H

#include "base/memory.h"
#include "data/split.h"

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
    size_t *class_counts; /* [NOD_PARTS][2][n_classes]: images, groups */
    int64_t seed;
    double fraction[NOD_PARTS];
    const char *official; /* "none", "kept", "completed", "ignored" */
    nod_grouping grouping;
    const char *grouping_rule;
    const char *grouping_text;
    char cohort[NOD_SHA256_HEX], hash[NOD_SHA256_HEX];
    bool sealed;
    nod_anchor anchor;
};

/* Without parts and groups: what a split copies of its cohort. */
int nod_split_new(const nod_cohort *c, nod_split **out, nod_error *err) NOD_MUST_CHECK;
int nod_split_add_note(nod_split *s, const nod_split_note *note, nod_error *err) NOD_MUST_CHECK;
/* The part of the file that is hashed. */
nod_json *nod_split_content(const nod_split *s);
int nod_split_compute_hash(const nod_json *content, char out[NOD_SHA256_HEX],
                           nod_error *err) NOD_MUST_CHECK;

#endif
