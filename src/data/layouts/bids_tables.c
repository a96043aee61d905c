/* bids_tables.c: tables with tabs, by the names of their columns. */
#include "data/layouts/bids_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "data/layouts/label_names.h"
#include "data/layouts/table.h"

typedef struct person {
    const char *id; /* of the table: "sub-01" */
    size_t row;
    bool used;
} person;

struct nod_bids_people {
    nod_csv *csv;
    person *people; /* sorted by id */
    size_t n;
    int64_t label, facts[NOD_FACTS]; /* columns; -1: absent */
};

/* --- participants ------------------------------------------------------------------------- */

static const char *known(const char *text)
{
    return strcmp(text, "n/a") == 0 ? "" : text;
}

/* Sexes are written in many ways: "male", "F", "o". */
static const char *fact_text(int fact, const char *text)
{
    static const char *const sexes[][3] = {
        {"M", "m", "male"}, {"F", "f", "female"}, {"O", "o", "other"}};
    for (size_t i = 0; fact == NOD_FACT_SEX && i < NOD_COUNT(sexes); i++)
        for (size_t k = 0; k < NOD_COUNT(sexes[i]); k++)
            if (nod_equal_nocase(text, sexes[i][k])) return sexes[i][0];
    return known(text);
}

static int find_label_column(nod_bids_people *p, const char *path, const char *wanted,
                             nod_error *err)
{
    static const char *const usual[] = {"label", "group", "diagnosis", "dx"};
    p->label = -1;
    if (wanted == NULL) {
        for (size_t i = 0; i < NOD_COUNT(usual) && p->label < 0; i++)
            p->label = nod_csv_find(p->csv, usual[i]);
        return 0;
    }
    p->label = nod_csv_find(p->csv, wanted);
    if (p->label >= 0) return 0;
    nod_strbuf names = NOD_STRBUF_INIT;
    for (size_t i = 0; i < nod_csv_columns(p->csv); i++)
        nod_strbuf_printf(&names, "%s%s", i ? ", " : "", nod_csv_header(p->csv, i));
    nod_fail(err, NOD_EINVAL, "%s: there is no column '%.60s'; it has %s", path, wanted,
             names.data);
    nod_strbuf_done(&names);
    return err->code;
}

static int compare_people(const void *a, const void *b)
{
    return strcmp(((const person *)a)->id, ((const person *)b)->id);
}

static int sort_people(nod_bids_people *p, const char *path, nod_error *err)
{
    int64_t id = nod_csv_find(p->csv, "participant_id");
    if (id < 0)
        return nod_fail(err, NOD_EFORMAT, "%s: column 'participant_id' is missing", path);
    p->n = nod_csv_rows(p->csv);
    p->people = nod_calloc(p->n + 1, sizeof *p->people);
    if (p->people == NULL) return nod_fail_memory(err, "participants", p->n);
    for (size_t i = 0; i < p->n; i++)
        p->people[i] = (person){nod_csv_get(p->csv, i, (size_t)id), i, false};
    qsort(p->people, p->n, sizeof *p->people, compare_people);
    for (size_t i = 1; i < p->n; i++) {
        const person *a = &p->people[i - 1], *b = &p->people[i];
        if (strcmp(a->id, b->id) == 0)
            return nod_fail(err, NOD_EDATA, "%s: lines %zu and %zu are of the same participant",
                            path, nod_csv_line(p->csv, NOD_MIN(a->row, b->row)),
                            nod_csv_line(p->csv, NOD_MAX(a->row, b->row)));
    }
    return 0;
}

/* Says once for each fact what is not a value of it. */
static void check_facts(const nod_bids_people *p, const char *path, const nod_log *log)
{
    for (int f = 0; f < NOD_FACTS; f++) {
        size_t n = 0, first = 0;
        for (size_t row = 0; p->facts[f] >= 0 && row < p->n; row++) {
            nod_error why = NOD_ERROR_INIT;
            const char *text = nod_csv_get(p->csv, row, (size_t)p->facts[f]);
            if (nod_fact_check((nod_fact)f, fact_text(f, text), &why) == 0) continue;
            if (n++ == 0) first = nod_csv_line(p->csv, row);
        }
        if (n > 0)
            nod_warn(log,
                     "%s: %zu values in the column %s are of no use, from line %zu on; they "
                     "count as unknown",
                     path, n, nod_fact_get_info((nod_fact)f)->name, first);
    }
}

int nod_bids_people_read(const char *path, const char *label_column, const nod_log *log,
                         nod_bids_people **out, nod_error *err)
{
    int rc = 0;
    nod_bids_people *p = nod_calloc(1, sizeof *p);
    if (p == NULL) return nod_fail_memory(err, "participants", sizeof *p);
    NOD_TRY(nod_csv_read_tabs(path, &p->csv, err));
    for (int f = 0; f < NOD_FACTS; f++)
        p->facts[f] = nod_csv_find(p->csv, nod_fact_get_info((nod_fact)f)->name);
    NOD_TRY(find_label_column(p, path, label_column, err));
    NOD_TRY(sort_people(p, path, err));
    check_facts(p, path, log);
    *out = p;
    p = NULL;
out:
    nod_bids_people_free(p);
    return rc;
}

void nod_bids_people_free(nod_bids_people *p)
{
    if (p == NULL) return;
    nod_csv_free(p->csv);
    nod_free(p->people);
    nod_free(p);
}

const char *nod_bids_people_label_column(const nod_bids_people *p)
{
    return p->label < 0 ? NULL : nod_csv_header(p->csv, (size_t)p->label);
}

int nod_bids_people_set(nod_bids_people *p, const char *participant, nod_listing *l,
                        nod_item *item, const char **label, nod_error *err)
{
    const person key = {.id = participant};
    person *found =
        p->n > 0 ? bsearch(&key, p->people, p->n, sizeof *p->people, compare_people) : NULL;
    *label = "";
    if (found == NULL) return 0;
    found->used = true;
    for (int f = 0; f < NOD_FACTS; f++) {
        nod_error why = NOD_ERROR_INIT;
        if (p->facts[f] < 0) continue;
        const char *text = fact_text(f, nod_csv_get(p->csv, found->row, (size_t)p->facts[f]));
        if (*text == '\0' || nod_item_set_fact(l, item, (nod_fact)f, text, &why) == 0) continue;
        if (why.code == NOD_EDATA) continue; /* has been said */
        *err = why;
        return why.code;
    }
    if (p->label >= 0) *label = known(nod_csv_get(p->csv, found->row, (size_t)p->label));
    return 0;
}

size_t nod_bids_people_unused(const nod_bids_people *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += !p->people[i].used;
    return n;
}

/* --- names of values ---------------------------------------------------------------------- */

int nod_bids_names_read(const char *path, nod_strlist *out, nod_error *err)
{
    nod_csv *csv = NULL;
    nod_json *labels = nod_json_object();
    int rc = 0;
    NOD_TRY(nod_csv_read_tabs(path, &csv, err));
    int64_t index = nod_csv_find(csv, "index"), name = nod_csv_find(csv, "name");
    if (index < 0 || name < 0) {
        rc = nod_fail(err, NOD_EFORMAT,
                      "%s: column '%s' is missing; a table of labels has index and "
                      "name",
                      path, index < 0 ? "index" : "name");
        goto out;
    }
    for (size_t row = 0; row < nod_csv_rows(csv); row++) {
        const char *value = nod_csv_get(csv, row, (size_t)index);
        if (nod_json_get(labels, value)) {
            rc = nod_fail(err, NOD_EDATA, "%s:%zu: the value %.40s has a name already", path,
                          nod_csv_line(csv, row), value);
            goto out;
        }
        nod_json_set_str(labels, value, nod_csv_get(csv, row, (size_t)name));
    }
    NOD_TRY(nod_label_names_add(labels, path, out, err));
out:
    nod_json_free(labels);
    nod_csv_free(csv);
    return rc;
}

/* --- sidecars ----------------------------------------------------------------------------- */

int nod_bids_sidecar_set(const char *path, nod_listing *l, nod_item *item, const nod_log *log,
                         nod_error *err)
{
    static const struct {
        const char *key;
        nod_fact fact;
    } keys[] = {{"InstitutionName", NOD_FACT_SITE},
                {"Manufacturer", NOD_FACT_VENDOR},
                {"ManufacturersModelName", NOD_FACT_MODEL},
                {"MagneticFieldStrength", NOD_FACT_FIELD}};
    nod_error why = NOD_ERROR_INIT;
    nod_json *j = NULL;
    int rc = 0;
    if (!nod_path_is_file(path)) return 0;
    rc = nod_json_read(path, NOD_LAYOUT_MAX_JSON, &j, &why);
    if (rc == NOD_ENOMEM) {
        *err = why;
        return rc;
    }
    if (rc != 0 || !nod_json_is_object(j)) {
        nod_warn(log, "a sidecar is passed over: %s",
                 rc ? why.message : "it is not a JSON object");
        nod_json_free(j);
        return 0;
    }
    rc = 0;
    for (size_t i = 0; i < NOD_COUNT(keys) && rc == 0; i++) {
        const nod_json *v = nod_json_get(j, keys[i].key);
        char number[32] = "";
        const char *said = item->facts[keys[i].fact];
        if (v == NULL || (said && *said)) continue;
        if (nod_json_is_number(v)) nod_format_f64(nod_json_f64(v), number, sizeof number);
        const char *text = nod_json_is_string(v) ? known(nod_json_str(v)) : number;
        if (*text == '\0') continue;
        rc = nod_item_set_fact(l, item, keys[i].fact, text, &why);
        if (rc == NOD_EDATA) rc = 0; /* a value that the fact cannot have is as good as none */
    }
    if (rc) *err = why;
    nod_json_free(j);
    return rc;
}
