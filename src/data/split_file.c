/* split_file.c: split.json; docs/formats/split.md. Only "content" is hashed: the ledger's row of
 * the split holds that hash, and the anchor of that row stands beside it. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "data/copies.h"
#include "data/split_state.h"
#include "data/strict_keys.h"

#define SPLIT_MAX_BYTES ((size_t)1 << 30)
#define NOTE_KINDS      5

/* --- writing ------------------------------------------------------------------------------ */

static nod_json *counts_json(const nod_split *s, int p)
{
    const nod_part_counts *n = &s->counts[p];
    nod_json *j = nod_json_object(), *classes = nod_json_array();
    nod_json_set_int(j, "images", (int64_t)n->images);
    nod_json_set_int(j, "groups", (int64_t)n->groups);
    bool joined = s->unit != NOD_LEVEL_IMAGE; /* else units are images */
    if (joined) nod_json_set_int(j, "units", (int64_t)n->units);
    for (size_t k = 0; k < s->n_classes; k++) {
        nod_json *e = nod_json_array();
        nod_json_push(e, nod_json_int((int64_t)n->class_images[k]));
        nod_json_push(e, nod_json_int((int64_t)n->class_groups[k]));
        if (joined) nod_json_push(e, nod_json_int((int64_t)n->class_units[k]));
        nod_json_push(classes, e);
    }
    nod_json_set(j, "classes", classes);
    return j;
}

static nod_json *notes_json(const nod_split *s)
{
    nod_json *list = nod_json_array();
    for (size_t i = 0; i < s->n_notes; i++) {
        const nod_split_note *n = &s->notes[i];
        nod_json *j = nod_json_object();
        nod_json_set_str(j, "case", s->ids[n->i_case]);
        nod_json_set_str(j, "from", nod_part_name(n->from));
        nod_json_set_str(j, "why", nod_split_note_name(n->kind));
        nod_json_set_str(j, "other", s->ids[n->i_other]);
        nod_json_push(list, j);
    }
    return list;
}

nod_json *nod_split_content(const nod_split *s)
{
    nod_json *j = nod_json_object(), *classes = nod_json_array(), *cases = nod_json_array();
    nod_json *fractions = nod_json_object(), *counts = nod_json_object();
    nod_json *grouping = nod_json_object();
    for (size_t k = 0; k < s->n_classes; k++)
        nod_json_push(classes, nod_json_string(s->classes[k]));
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_json_set_real(fractions, nod_part_name((nod_part)p), s->fraction[p]);
        nod_json_set(counts, nod_part_name((nod_part)p), counts_json(s, p));
    }
    nod_json_set_str(grouping, "kind", nod_grouping_name(s->grouping));
    nod_json_set_str(grouping, "rule", s->grouping_rule);
    for (size_t i = 0; i < s->n; i++) {
        nod_json *e = nod_json_array();
        nod_json_push(e, nod_json_string(s->ids[i]));
        nod_json_push(e, nod_json_string(nod_part_name((nod_part)s->part[i])));
        nod_json_push(e, nod_json_int((int64_t)s->group[i]));
        nod_json_push(cases, e);
    }
    nod_json_set_str(j, "cohort", s->cohort);
    if (s->unit != NOD_LEVEL_IMAGE) nod_json_set_str(j, "unit", nod_level_name(s->unit));
    nod_json_set_int(j, "seed", s->seed);
    nod_json_set(j, "fractions", fractions);
    nod_json_set_str(j, "official", s->official);
    if (s->by) {
        nod_json *by = NULL;
        nod_error none = NOD_ERROR_INIT;
        /* Without memory the value stays NULL, which makes the whole content fail later. */
        (void)!nod_json_copy(s->by, &by, &none);
        nod_json_set(j, "by", by);
    }
    nod_json_set(j, "grouping", grouping);
    nod_json_set(j, "classes", classes);
    nod_json_set(j, "counts", counts);
    nod_json_set(j, "notes", notes_json(s));
    nod_json_set(j, "cases", cases);
    if (s->audited) nod_json_set(j, "audit", nod_audit_to_json(&s->audit));
    if (s->searched) nod_json_set(j, "near_duplicates", nod_copies_to_json(&s->copies));
    return j;
}

int nod_split_compute_hash(const nod_json *content, char out[NOD_SHA256_HEX], nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump_canonical(content, &text, err);
    if (rc) return rc;
    rc = nod_sha256_of(text, strlen(text), out, err);
    nod_free(text);
    return rc;
}

int nod_split_write(const nod_split *s, const char *path, nod_error *err)
{
    if (!s->sealed)
        return nod_fail(err, NOD_ESEAL, "%s: the split is not sealed in a ledger", path);
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "format", "nodule-split");
    nod_json_set_int(j, "version", 1);
    nod_json_set_str(j, "nodule", NODULE_VERSION);
    nod_json_set(j, "content", nod_split_content(s));
    nod_json_set_str(j, "hash", s->hash);
    nod_json_set(j, "anchor", nod_anchor_to_json(&s->anchor));
    int rc = nod_json_write(j, path, err);
    nod_json_free(j);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

static int parse_count(const nod_json *v, const char *where, size_t limit, size_t *out,
                       nod_error *err)
{
    int64_t n = v && nod_json_is_int(v) ? nod_json_i64(v) : -1;
    if (n < 0 || (uint64_t)n > limit)
        return nod_fail(err, NOD_EFORMAT, "%s: a count is not a number from 0 to %zu", where,
                        limit);
    *out = (size_t)n;
    return 0;
}

static int parse_counts(const nod_json *all, const char *where, nod_split *s, nod_error *err)
{
    static const char *const keys[] = {"images", "groups", "classes", NULL};
    static const char *const optional[] = {"units", NULL};
    bool joined = s->unit != NOD_LEVEL_IMAGE;
    int rc = 0;
    for (int p = 0; p < NOD_PARTS; p++) {
        nod_json *j, *classes;
        NOD_TRY(nod_json_need_object(all, where, nod_part_name((nod_part)p), &j, err));
        NOD_TRY(nod_strict_keys_and(j, where, keys, optional, err));
        NOD_TRY(nod_json_need_array(j, where, "classes", &classes, err));
        NOD_TRY(parse_count(nod_json_get(j, "images"), where, s->n, &s->counts[p].images, err));
        NOD_TRY(parse_count(nod_json_get(j, "groups"), where, s->n, &s->counts[p].groups, err));
        NOD_TRY(parse_count(nod_json_get(j, joined ? "units" : "images"), where, s->n,
                            &s->counts[p].units, err));
        if (nod_json_count(classes) != s->n_classes)
            return nod_fail(err, NOD_EFORMAT, "%s: counts of %zu classes, not %zu", where,
                            nod_json_count(classes), s->n_classes);
        size_t *of_class = s->class_counts + (size_t)(3 * p) * s->n_classes;
        for (size_t k = 0; k < s->n_classes; k++) {
            const nod_json *e = nod_json_at(classes, k);
            for (size_t i = 0; i < 3; i++) /* images, groups, units */
                NOD_TRY(parse_count(nod_json_at(e, i == 2 && !joined ? 0 : i), where, s->n,
                                    &of_class[i * s->n_classes + k], err));
        }
    }
out:
    return rc;
}

/* [id, part, group], in the order of the cohort; as many of each part as were counted. */
static int parse_cases(const nod_json *list, const char *where, nod_split *s, nod_error *err)
{
    size_t n_of[NOD_PARTS] = {0};
    if (nod_json_count(list) != s->n)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu cases, the cohort has %zu", where,
                        nod_json_count(list), s->n);
    for (size_t i = 0; i < s->n; i++) {
        const nod_json *e = nod_json_at(list, i);
        const char *id = nod_json_str(nod_json_at(e, 0)),
                   *part = nod_json_str(nod_json_at(e, 1));
        nod_part p = NOD_PART_OUT;
        if (strcmp(id, s->ids[i]) != 0)
            return nod_fail(err, NOD_EFORMAT, "%s: case %zu is '%.64s', in the cohort '%s'",
                            where, i, id, s->ids[i]);
        if (strcmp(part, "out") != 0 && !nod_part_parse(part, &p))
            return nod_fail(err, NOD_EFORMAT, "%s: case %s: part '%.20s' is not known", where,
                            id, part);
        int rc = parse_count(nod_json_at(e, 2), where, s->n - 1, &s->group[i], err);
        if (rc) return rc;
        s->part[i] = (uint8_t)p;
        if (p != NOD_PART_OUT) n_of[p]++;
    }
    for (int p = 0; p < NOD_PARTS; p++)
        if (n_of[p] != s->counts[p].images)
            return nod_fail(err, NOD_EFORMAT, "%s: %zu cases of %s, counted as %zu", where,
                            n_of[p], nod_part_name((nod_part)p), s->counts[p].images);
    return 0;
}

static int parse_note(const nod_json *j, const char *where, const nod_cohort *c, nod_split *s,
                      nod_error *err)
{
    static const char *const keys[] = {"case", "from", "why", "other", NULL};
    const char *id, *from, *why, *other;
    nod_split_note n = {0};
    int rc = 0, kind = 0;
    NOD_TRY(nod_strict_keys(j, where, keys, err));
    NOD_TRY(nod_json_need_str(j, where, "case", &id, err));
    NOD_TRY(nod_json_need_str(j, where, "from", &from, err));
    NOD_TRY(nod_json_need_str(j, where, "why", &why, err));
    NOD_TRY(nod_json_need_str(j, where, "other", &other, err));
    int64_t i_case = nod_cohort_find(c, id), i_other = nod_cohort_find(c, other);
    while (kind < NOTE_KINDS &&
           strcmp(why, nod_split_note_name((nod_split_note_kind)kind)) != 0)
        kind++;
    n.from = NOD_PART_OUT;
    if (i_case < 0 || i_other < 0 || kind == NOTE_KINDS ||
        (!nod_part_parse(from, &n.from) &&
         (kind != NOD_NOTE_UNKNOWN || strcmp(from, "out") != 0)))
        return nod_fail(err, NOD_EFORMAT, "%s: the note on case '%.64s' is malformed", where,
                        id);
    n.i_case = (size_t)i_case;
    n.i_other = (size_t)i_other;
    n.kind = (nod_split_note_kind)kind;
    NOD_TRY(nod_split_add_note(s, &n, err));
out:
    return rc;
}

/* What it was divided by: {"fact", "test": [TEXT, ...]} or {"fact", "from": TEXT or null}. */
static int parse_by(const nod_json *j, const char *where, nod_split *s, nod_error *err)
{
    static const char *const keys[] = {"fact", NULL}, *const one_of[] = {"test", "from", NULL};
    const char *fact;
    int rc = 0;
    if (j == NULL) return 0;
    NOD_TRY(nod_strict_keys_and(j, where, keys, one_of, err));
    NOD_TRY(nod_json_need_str(j, where, "fact", &fact, err));
    const nod_json *test = nod_json_get(j, "test"), *from = nod_json_get(j, "from");
    bool good = nod_fact_from_name(fact) >= 0 && !test != !from;
    if (test) good = good && nod_json_is_array(test) && nod_json_count(test) > 0;
    for (size_t i = 0; test && i < nod_json_count(test); i++)
        good = good && nod_json_is_string(nod_json_at(test, i));
    if (from) good = good && (nod_json_is_null(from) || nod_json_is_string(from));
    if (!good)
        rc = nod_fail(err, NOD_EFORMAT, "%s: what it is divided by is malformed", where);
    else
        rc = nod_json_copy(j, &s->by, err);
out:
    return rc;
}

/* Scalars of the content; all of them are hashed, so that they only need to be well-formed. */
static int parse_rule(const nod_json *j, const char *where, nod_split *s, nod_error *err)
{
    static const char *const officials[] = {"none", "kept", "completed", "ignored",
                                            NOD_SPLIT_EXTERNAL};
    const char *official;
    nod_json *fractions;
    int rc = 0;
    NOD_TRY(nod_json_need_i64(j, where, "seed", &s->seed, err));
    NOD_TRY(nod_json_need_str(j, where, "official", &official, err));
    NOD_TRY(nod_json_need_object(j, where, "fractions", &fractions, err));
    for (int p = 0; p < NOD_PARTS; p++)
        NOD_TRY(nod_json_need_f64(fractions, where, nod_part_name((nod_part)p), &s->fraction[p],
                                  err));
    for (size_t i = 0; i < NOD_COUNT(officials); i++)
        if (strcmp(officials[i], official) == 0) s->official = officials[i];
    if (s->official == NULL)
        rc = nod_fail(err, NOD_EFORMAT, "%s: official '%.20s' is not known", where, official);
out:
    return rc;
}

static int parse_content(const nod_json *j, const char *where, const nod_cohort *c,
                         nod_split *s, nod_error *err)
{
    static const char *const keys[] = {"cohort",  "seed",   "fractions", "official", "grouping",
                                       "classes", "counts", "notes",     "cases",    NULL};
    static const char *const optional[] = {"by", "audit", "near_duplicates", "unit",
                                           NULL}; /* unit: the cohort's */
    const char *cohort;
    nod_json *counts, *notes, *cases;
    int rc = 0;
    NOD_TRY(nod_strict_keys_and(j, where, keys, optional, err));
    NOD_TRY(parse_by(nod_json_get(j, "by"), where, s, err));
    NOD_TRY(nod_json_need_str(j, where, "cohort", &cohort, err));
    if (strcmp(cohort, nod_cohort_hash(c)) != 0)
        return nod_fail(
            err, NOD_ESEAL,
            "%s divides another cohort: it was made anew or changed after the split "
            "(%.12s then, %.12s now); restore it, or split again",
            where, cohort, nod_cohort_hash(c));
    NOD_TRY(parse_rule(j, where, s, err));
    NOD_TRY(nod_json_need_object(j, where, "counts", &counts, err));
    NOD_TRY(nod_json_need_array(j, where, "notes", &notes, err));
    NOD_TRY(nod_json_need_array(j, where, "cases", &cases, err));
    s->audited = nod_json_get(j, "audit") != NULL;
    if (s->audited)
        NOD_TRY(nod_audit_from_json(nod_json_get(j, "audit"), where, &s->audit, err));
    s->searched = nod_json_get(j, "near_duplicates") != NULL;
    if (s->searched)
        NOD_TRY(
            nod_copies_from_json(nod_json_get(j, "near_duplicates"), where, &s->copies, err));
    NOD_TRY(parse_counts(counts, where, s, err));
    NOD_TRY(parse_cases(cases, where, s, err));
    for (size_t i = 0; i < nod_json_count(notes); i++)
        NOD_TRY(parse_note(nod_json_at(notes, i), where, c, s, err));
out:
    return rc;
}

static int check_format(const nod_json *j, const char *where, nod_error *err)
{
    static const char *const keys[] = {"format", "version", "nodule", "content",
                                       "hash",   "anchor",  NULL};
    const char *format;
    int64_t version;
    int rc = 0;
    NOD_TRY(nod_json_need_str(j, where, "format", &format, err));
    if (strcmp(format, "nodule-split") != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: is not a split", where);
    NOD_TRY(nod_json_need_i64(j, where, "version", &version, err));
    if (version != 1)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: version %lld; this program knows 1", where,
                        (long long)version);
    NOD_TRY(nod_strict_keys(j, where, keys, err));
out:
    return rc;
}

int nod_split_parse(const char *text, size_t size, const char *name, const nod_cohort *c,
                    nod_split **out, nod_error *err)
{
    nod_json *j = NULL, *content;
    nod_split *s = NULL;
    const char *hash;
    int rc = 0;
    NOD_TRY(nod_json_parse(text, size, name, &j, err));
    NOD_TRY(check_format(j, name, err));
    NOD_TRY(nod_json_need_object(j, name, "content", &content, err));
    NOD_TRY(nod_json_need_str(j, name, "hash", &hash, err));
    NOD_TRY(nod_split_new(c, &s, err));
    NOD_TRY(nod_split_compute_hash(content, s->hash, err));
    if (strcmp(hash, s->hash) != 0) {
        rc = nod_fail(err, NOD_ESEAL,
                      "%s was edited: its content does not have its hash; "
                      "restore it, or split again",
                      name);
        goto out;
    }
    NOD_TRY(parse_content(content, name, c, s, err));
    NOD_TRY(nod_anchor_from_json(nod_json_get(j, "anchor"), name, &s->anchor, err));
    s->sealed = true;
    *out = s;
    s = NULL;
out:
    nod_json_free(j);
    nod_split_free(s);
    return rc;
}

int nod_split_read(const char *path, const nod_cohort *c, nod_split **out, nod_error *err)
{
    nod_bytes b = {0};
    int rc = nod_file_read(path, SPLIT_MAX_BYTES, &b, err);
    if (rc) return rc;
    rc = nod_split_parse((const char *)b.data, b.size, path, c, out, err);
    nod_bytes_done(&b);
    return rc;
}
