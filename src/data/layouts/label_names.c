/* label_names.c: a table of names by value, filled from either direction. */
#include "data/layouts/label_names.h"

#include <string.h>

#include "base/memory.h"
#include "data/cohort.h"

typedef struct naming {
    const char *where;
    char *names[NOD_COHORT_MAX_CLASSES]; /* NULL: the value has no name */
    bool regions;                        /* names may share values */
    nod_error *err;
} naming;

/* The value that a JSON number or the text of one stands for. */
static int read_value(const naming *n, const char *name, const nod_json *v, int64_t *out)
{
    bool whole = false;
    int64_t value = -1;
    if (nod_json_is_int(v)) {
        value = nod_json_i64(v);
        whole = true;
    } else if (nod_json_is_string(v)) {
        whole = nod_parse_i64(nod_json_str(v), &value);
    }
    if (!whole || value < 0 || value >= NOD_COHORT_MAX_CLASSES)
        return nod_fail(n->err, NOD_EDATA,
                        "%s: labels: the value of '%.80s' is not a whole number from 0 to %d",
                        n->where, name, NOD_COHORT_MAX_CLASSES - 1);
    *out = value;
    return 0;
}

static int name_value(naming *n, int64_t value, const char *name)
{
    char **at = &n->names[value];
    nod_strbuf b = NOD_STRBUF_INIT;
    if (*at && !n->regions)
        return nod_fail(n->err, NOD_EDATA,
                        "%s: labels: '%.80s' and '%.80s' both have the value %lld", n->where,
                        *at, name, (long long)value);
    if (*at) nod_strbuf_printf(&b, "%s+", *at);
    nod_strbuf_add(&b, name);
    nod_free(*at);
    *at = nod_strbuf_take(&b);
    return *at ? 0 : nod_fail_memory(n->err, "names of labels", strlen(name));
}

/* {"0": "background"}: every key is a number and every value is not. */
static bool is_by_value(const nod_json *labels)
{
    int64_t value;
    for (const char *k = nod_json_next_key(labels, NULL); k; k = nod_json_next_key(labels, k)) {
        const nod_json *v = nod_json_get(labels, k);
        if (!nod_json_is_string(v) || !nod_parse_i64(k, &value)) return false;
    }
    return true;
}

static bool has_lists(const nod_json *labels)
{
    for (const char *k = nod_json_next_key(labels, NULL); k; k = nod_json_next_key(labels, k))
        if (nod_json_is_array(nod_json_get(labels, k))) return true;
    return false;
}

static int read_by_value(naming *n, const nod_json *labels)
{
    int rc = 0;
    for (const char *k = nod_json_next_key(labels, NULL); k && rc == 0;
         k = nod_json_next_key(labels, k)) {
        const char *name = nod_json_str(nod_json_get(labels, k));
        int64_t value = -1;
        if (!nod_parse_i64(k, &value) || value < 0 || value >= NOD_COHORT_MAX_CLASSES)
            return nod_fail(n->err, NOD_EDATA,
                            "%s: labels: the value '%.40s' is not a whole number from 0 to %d",
                            n->where, k, NOD_COHORT_MAX_CLASSES - 1);
        rc = name_value(n, value, name);
    }
    return rc;
}

static int read_by_name(naming *n, const nod_json *labels)
{
    int64_t value;
    int rc = 0;
    n->regions = has_lists(labels);
    for (const char *k = nod_json_next_key(labels, NULL); k && rc == 0;
         k = nod_json_next_key(labels, k)) {
        const nod_json *v = nod_json_get(labels, k);
        if (!nod_json_is_array(v)) {
            rc = read_value(n, k, v, &value);
            if (rc == 0) rc = name_value(n, value, k);
            continue;
        }
        for (size_t i = 0; i < nod_json_count(v) && rc == 0; i++) {
            rc = read_value(n, k, nod_json_at(v, i), &value);
            if (rc == 0) rc = name_value(n, value, k);
        }
    }
    return rc;
}

/* Values 0 .. K-1 without a gap. */
static int hand_over(naming *n, nod_strlist *out)
{
    int64_t last = NOD_COHORT_MAX_CLASSES - 1;
    while (last >= 0 && n->names[last] == NULL)
        last--;
    if (last < 1)
        return nod_fail(n->err, NOD_EDATA,
                        "%s: labels names nothing but the background; e.g. {\"background\": 0, "
                        "\"tumor\": 1}",
                        n->where);
    for (int64_t v = 0; v <= last; v++) {
        const char *name = n->names[v] ? n->names[v] : v == 0 ? "background" : NULL;
        if (name == NULL)
            return nod_fail(
                n->err, NOD_EDATA,
                "%s: labels: the value %lld has no name, though %lld has; values of "
                "label maps follow each other",
                n->where, (long long)v, (long long)last);
        if (!nod_strlist_add(out, name))
            return nod_fail_memory(n->err, "names of labels", strlen(name));
    }
    return 0;
}

int nod_label_names_add(const nod_json *labels, const char *where, nod_strlist *out,
                        nod_error *err)
{
    naming *n = nod_calloc(1, sizeof *n);
    int rc = 0;
    if (n == NULL) return nod_fail_memory(err, "names of labels", sizeof *n);
    n->where = where;
    n->err = err;
    if (!nod_json_is_object(labels) || nod_json_count(labels) == 0)
        rc =
            nod_fail(err, NOD_EDATA,
                     "%s: labels is not an object with a name and a value for each label, such "
                     "as {\"background\": 0, \"tumor\": 1}",
                     where);
    else
        rc = is_by_value(labels) ? read_by_value(n, labels) : read_by_name(n, labels);
    if (rc == 0) rc = hand_over(n, out);
    for (size_t i = 0; i < NOD_COUNT(n->names); i++)
        nod_free(n->names[i]);
    nod_free(n);
    return rc;
}

int nod_label_names_declare(nod_listing *l, const char *names, const char *path, nod_error *err)
{
    if (!l->segmentation || l->classes.n > 0)
        return nod_fail(err, NOD_EINVAL, "%s %s; leave --mask-names out", path,
                        l->segmentation ? "names the values of its label maps itself"
                                        : "has no label maps");
    for (const char *p = names;; p++) {
        size_t n = strcspn(p, ",");
        char *name = nod_strndup(p, n);
        bool added = name && nod_strlist_add(&l->classes, name);
        nod_free(name);
        if (!added) return nod_fail_memory(err, "names of labels", n);
        p += n;
        if (*p == '\0') break;
    }
    if (l->classes.n >= 2 && l->classes.n <= NOD_COHORT_MAX_CLASSES) return 0;
    return nod_fail(err, NOD_EINVAL,
                    "--mask-names has %zu names; 2 to %d are needed, such as background,tumor",
                    l->classes.n, NOD_COHORT_MAX_CLASSES);
}
