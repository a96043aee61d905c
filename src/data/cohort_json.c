/* cohort_json.c: cohort.csv.json: what is true of all cases; docs/formats/cohort.md. */
#include <string.h>

#include "base/memory.h"
#include "data/cohort_internal.h"
#include "data/flow.h"
#include "data/strict_keys.h"

/* --- reading ------------------------------------------------------------------------------ */

/* Index of `s` among names of 0..n-1, or an error. */
static int parse_name(const char *s, const char *(*name)(int), int n, const char *where,
                      int *out, nod_error *err)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(s, name(i)) != 0) continue;
        *out = i;
        return 0;
    }
    return nod_fail(err, NOD_EFORMAT, "%s: '%.40s' is not known", where, s);
}

static const char *origin_name(int i)
{
    return nod_positive_origin_name((nod_positive_origin)i);
}

static const char *grouping_name(int i)
{
    return nod_grouping_name((nod_grouping)i);
}

static const char *unit_label_name(int i)
{
    return nod_unit_label_name((nod_unit_label)i);
}

static int parse_positive(const nod_json *j, const char *where, nod_cohort_info *info,
                          nod_error *err)
{
    static const char *const keys[] = {"class", "origin", NULL};
    const nod_json *p = nod_json_get(j, "positive");
    const char *name, *origin;
    int rc = 0, o = 0;
    info->positive = -1;
    info->positive_origin = NOD_POSITIVE_NONE;
    if (p == NULL || nod_json_is_null(p)) return 0;
    NOD_TRY(nod_json_need_str(p, where, "class", &name, err));
    NOD_TRY(nod_json_need_str(p, where, "origin", &origin, err));
    NOD_TRY(nod_strict_keys(p, where, keys, err));
    NOD_TRY(parse_name(origin, origin_name, 4, where, &o, err));
    for (size_t i = 0; i < info->n_classes; i++)
        if (strcmp(info->classes[i], name) == 0) info->positive = (int64_t)i;
    if (info->positive < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: the positive class '%.40s' is not a class",
                        where, name);
    info->positive_origin = (nod_positive_origin)o;
out:
    return rc;
}

static int parse_classes(const nod_json *j, const char *where, const char ***out, size_t *n,
                         nod_error *err)
{
    nod_json *list;
    int rc = nod_json_need_array(j, where, "classes", &list, err);
    if (rc) return rc;
    *n = nod_json_count(list);
    if (*n > NOD_COHORT_MAX_CLASSES)
        return nod_fail(err, NOD_ELIMIT, "%s: %zu classes, at most %d are read", where, *n,
                        NOD_COHORT_MAX_CLASSES);
    const char **classes = nod_calloc(*n + 1, sizeof *classes);
    if (classes == NULL) return nod_fail_memory(err, "class names", *n * sizeof *classes);
    for (size_t i = 0; i < *n; i++) {
        classes[i] = nod_json_str(nod_json_at(list, i));
        if (!nod_json_is_string(nod_json_at(list, i))) {
            nod_free(classes);
            return nod_fail(err, NOD_EFORMAT, "%s: classes[%zu] is not text", where, i);
        }
    }
    *out = classes;
    return 0;
}

static int parse_unreadable(const nod_json *j, const char *where, nod_cohort *c, nod_error *err)
{
    static const char *const keys[] = {"file", "reason", NULL};
    static const char *const optional[] = {"id", NULL};
    nod_json *list;
    int rc = nod_json_need_array(j, where, "unreadable", &list, err);
    for (size_t i = 0; rc == 0 && i < nod_json_count(list); i++) {
        const nod_json *u = nod_json_at(list, i);
        nod_unreadable own = {.id = ""};
        NOD_TRY(nod_json_need_str(u, where, "file", &own.file, err));
        NOD_TRY(nod_json_need_str(u, where, "reason", &own.reason, err));
        if (nod_json_get(u, "id")) NOD_TRY(nod_json_need_str(u, where, "id", &own.id, err));
        NOD_TRY(nod_strict_keys_and(u, where, keys, optional, err));
        NOD_TRY(nod_cohort_add_unreadable(c, &own, err));
    }
out:
    return rc;
}

static int parse_policies(const nod_json *j, const char *where, nod_policies *out,
                          nod_error *err)
{
    const nod_json *policies = nod_json_get(j, "policies");
    int rc = policies ? nod_policies_from_json(policies, where, out, err) : 0;
    if (rc == NOD_ERECIPE) err->code = rc = NOD_EFORMAT;
    return rc;
}

static int check_format(const nod_json *j, const char *where, nod_error *err)
{
    static const char *const keys[] = {"format",  "version",    "nodule",   "multilabel",
                                       "classes", "positive",   "grouping", "layout",
                                       "source",  "unreadable", NULL};
    /* Where one is absent, it is as the preset says: classes of images, labelled one by one. */
    static const char *const optional[] = {"policies",   "segmentation", "unit", "label_level",
                                           "unit_label", "phi",          "flow", NULL};
    const char *format, *nodule;
    int64_t version;
    int rc = 0;
    NOD_TRY(nod_json_need_str(j, where, "format", &format, err));
    NOD_TRY(nod_json_need_i64(j, where, "version", &version, err));
    if (strcmp(format, "nodule-cohort") != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: is not a cohort's description", where);
    if (version != 1)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: version %lld; this program knows 1", where,
                        (long long)version);
    NOD_TRY(nod_json_need_str(j, where, "nodule", &nodule, err));
    NOD_TRY(nod_strict_keys_and(j, where, keys, optional, err));
out:
    return rc;
}

static int parse_flag(const nod_json *j, const char *where, const char *key, bool *out,
                      nod_error *err)
{
    return nod_json_get(j, key) ? nod_json_need_bool(j, where, key, out, err) : 0;
}

static int parse_level(const nod_json *j, const char *where, const char *key, nod_level *out,
                       nod_error *err)
{
    const char *name = nod_level_name(NOD_LEVEL_IMAGE);
    int rc = nod_json_get(j, key) ? nod_json_need_str(j, where, key, &name, err) : 0;
    if (rc == 0 && !nod_level_parse(name, out))
        rc = nod_fail(err, NOD_EFORMAT,
                      "%s: %s '%.40s' is not image, series, study, breast or patient", where,
                      key, name);
    return rc;
}

static int parse_unit_label(const nod_json *j, const char *where, nod_unit_label *out,
                            nod_error *err)
{
    const char *name = nod_unit_label_name(NOD_UNIT_LABEL_SAME);
    int i = 0, rc = 0;
    if (nod_json_get(j, "unit_label"))
        rc = nod_json_need_str(j, where, "unit_label", &name, err);
    if (rc == 0) rc = parse_name(name, unit_label_name, 2, where, &i, err);
    if (rc == 0) *out = (nod_unit_label)i;
    return rc;
}

/* Reasons of exclusion; the sums that stand beside them are checked once all rows are known. */
static int parse_flow(const nod_json *j, const char *where, nod_cohort *c, nod_error *err)
{
    static const char *const keys[] = {"found", "excluded", "analysed", NULL};
    static const char *const entry_keys[] = {"reason", "n", NULL};
    nod_json *flow, *list;
    int64_t n;
    int rc = 0;
    if (nod_json_get(j, "flow") == NULL) return 0;
    NOD_TRY(nod_json_need_object(j, where, "flow", &flow, err));
    NOD_TRY(nod_strict_keys(flow, where, keys, err));
    NOD_TRY(nod_json_need_array(flow, where, "excluded", &list, err));
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        const char *reason;
        NOD_TRY(nod_strict_keys(e, where, entry_keys, err));
        NOD_TRY(nod_json_need_str(e, where, "reason", &reason, err));
        NOD_TRY(nod_json_need_i64(e, where, "n", &n, err));
        if (n < 1 || n > (int64_t)NOD_COHORT_MAX_CASES)
            return nod_fail(err, NOD_EFORMAT, "%s: %lld exclusions for '%.40s'", where,
                            (long long)n, reason);
        if (strcmp(reason, NOD_FLOW_UNREADABLE) != 0)
            NOD_TRY(nod_cohort_add_exclusion(c, reason, (size_t)n, err));
    }
out:
    return rc;
}

int nod_cohort_from_json(const nod_json *j, const char *where, const char *folder,
                         nod_cohort **out, nod_error *err)
{
    static const char *const keys[] = {"kind", "rule", NULL};
    nod_cohort_info info = {0};
    const char **classes = NULL, *kind;
    nod_policies policies = nod_policies_preset();
    nod_json *grouping;
    nod_cohort *c = NULL;
    int rc = 0, g = 0;
    NOD_TRY(check_format(j, where, err));
    NOD_TRY(nod_json_need_bool(j, where, "multilabel", &info.multilabel, err));
    NOD_TRY(parse_flag(j, where, "segmentation", &info.segmentation, err));
    NOD_TRY(parse_flag(j, where, "phi", &info.phi, err));
    NOD_TRY(parse_level(j, where, "unit", &info.unit, err));
    NOD_TRY(parse_level(j, where, "label_level", &info.label_level, err));
    NOD_TRY(parse_unit_label(j, where, &info.unit_label, err));
    NOD_TRY(parse_classes(j, where, &classes, &info.n_classes, err));
    info.classes = classes;
    NOD_TRY(parse_positive(j, where, &info, err));
    NOD_TRY(nod_json_need_object(j, where, "grouping", &grouping, err));
    NOD_TRY(nod_json_need_str(grouping, where, "kind", &kind, err));
    NOD_TRY(nod_json_need_str(grouping, where, "rule", &info.grouping_rule, err));
    NOD_TRY(nod_strict_keys(grouping, where, keys, err));
    NOD_TRY(parse_name(kind, grouping_name, 3, where, &g, err));
    info.grouping = (nod_grouping)g;
    NOD_TRY(nod_json_need_str(j, where, "layout", &info.layout, err));
    NOD_TRY(nod_json_need_str(j, where, "source", &info.source, err));
    NOD_TRY(parse_policies(j, where, &policies, err));
    info.policies = &policies;
    rc = nod_cohort_new(&info, folder, &c, err);
    if (rc) {
        nod_error_prefix(err, "%s", where);
        goto out;
    }
    NOD_TRY(parse_unreadable(j, where, c, err));
    NOD_TRY(parse_flow(j, where, c, err));
    *out = c;
    c = NULL;
out:
    nod_cohort_free(c);
    nod_free(classes);
    return rc;
}

/* --- writing ------------------------------------------------------------------------------ */

static nod_json *flow_json(const nod_cohort *c)
{
    nod_json *flow = nod_json_object();
    size_t n_excluded;
    nod_json *excluded = nod_flow_excluded_json(c, &n_excluded);
    nod_json_set_int(flow, "found", (int64_t)(nod_cohort_size(c) + n_excluded));
    nod_json_set(flow, "excluded", excluded);
    nod_json_set_int(flow, "analysed", (int64_t)nod_cohort_size(c));
    return flow;
}

nod_json *nod_cohort_to_json(const nod_cohort *c)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    nod_json *j = nod_json_object(), *classes = nod_json_array(), *grouping = nod_json_object();
    nod_json *positive = nod_json_null(), *unreadable = nod_json_array();
    for (size_t i = 0; i < info->n_classes; i++)
        nod_json_push(classes, nod_json_string(info->classes[i]));
    if (info->positive >= 0) {
        positive = nod_json_object();
        nod_json_set_str(positive, "class", info->classes[info->positive]);
        nod_json_set_str(positive, "origin", nod_positive_origin_name(info->positive_origin));
    }
    nod_json_set_str(grouping, "kind", nod_grouping_name(info->grouping));
    nod_json_set_str(grouping, "rule", info->grouping_rule);
    for (size_t i = 0; i < nod_cohort_unreadable(c); i++) {
        nod_unreadable own = nod_cohort_get_unreadable(c, i);
        nod_json *u = nod_json_object();
        if (*own.id) nod_json_set_str(u, "id", own.id);
        nod_json_set_str(u, "file", own.file);
        nod_json_set_str(u, "reason", own.reason);
        nod_json_push(unreadable, u);
    }
    nod_json_set_str(j, "format", "nodule-cohort");
    nod_json_set_int(j, "version", 1);
    nod_json_set_str(j, "nodule", NODULE_VERSION);
    nod_json_set_bool(j, "multilabel", info->multilabel);
    nod_json_set_bool(j, "segmentation", info->segmentation);
    nod_json_set(j, "classes", classes);
    nod_json_set(j, "positive", positive);
    nod_json_set(j, "grouping", grouping);
    nod_json_set_str(j, "unit", nod_level_name(info->unit));
    nod_json_set_str(j, "label_level", nod_level_name(info->label_level));
    nod_json_set_str(j, "unit_label", nod_unit_label_name(info->unit_label));
    nod_json_set_bool(j, "phi", info->phi);
    nod_json_set_str(j, "layout", info->layout);
    nod_json_set_str(j, "source", info->source);
    nod_json_set(j, "policies", nod_policies_to_json(info->policies));
    nod_json_set(j, "unreadable", unreadable);
    nod_json_set(j, "flow", flow_json(c));
    return j;
}
