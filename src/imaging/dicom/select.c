/* select.c: rules on tags, and one series a study. */
#include "imaging/dicom/select.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LISTED 8 /* candidates named in a message */

/* --- what can be asked -------------------------------------------------------------------- */

typedef enum field_kind {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_INTEGER,
    FIELD_FRAME,
    FIELD_SLICES
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t at; /* offset in nod_dicom_header, or in nod_dicom_frame */
} field;

#define HEADER(f) offsetof(nod_dicom_header, f)
static const field fields[] = {
    {"Modality", FIELD_TEXT, HEADER(modality)},
    {"SeriesDescription", FIELD_TEXT, HEADER(series_description)},
    {"ProtocolName", FIELD_TEXT, HEADER(protocol)},
    {"SequenceName", FIELD_TEXT, HEADER(sequence)},
    {"ImageType", FIELD_TEXT, HEADER(image_type)},
    {"BodyPartExamined", FIELD_TEXT, HEADER(body_part)},
    {"ViewPosition", FIELD_TEXT, HEADER(view)},
    {"Laterality", FIELD_TEXT, HEADER(laterality)},
    {"PhotometricInterpretation", FIELD_TEXT, HEADER(photometric)},
    {"PresentationIntentType", FIELD_TEXT, HEADER(intent)},
    {"ConvolutionKernel", FIELD_TEXT, HEADER(kernel)},
    {"ContrastBolusAgent", FIELD_TEXT, HEADER(contrast)},
    {"InstitutionName", FIELD_TEXT, HEADER(institution)},
    {"Manufacturer", FIELD_TEXT, HEADER(manufacturer)},
    {"ManufacturerModelName", FIELD_TEXT, HEADER(model)},
    {"Units", FIELD_TEXT, HEADER(units)},
    {"SeriesInstanceUID", FIELD_TEXT, HEADER(series_uid)},
    {"SOPClassUID", FIELD_TEXT, HEADER(sop_class)},
    {"SeriesNumber", FIELD_INTEGER, HEADER(series_number)},
    {"Rows", FIELD_INTEGER, HEADER(rows)},
    {"Columns", FIELD_INTEGER, HEADER(columns)},
    {"SliceThickness", FIELD_NUMBER, HEADER(slice_thickness_mm)},
    {"KVP", FIELD_NUMBER, HEADER(kvp)},
    {"RepetitionTime", FIELD_NUMBER, HEADER(repetition_time_ms)},
    {"EchoTime", FIELD_FRAME, offsetof(nod_dicom_frame, echo_time_ms)},
    {"Slices", FIELD_SLICES, 0},
};

static const char *next_field(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_COUNT(fields) ? fields[i].name : NULL;
}

typedef enum comparison {
    EQUAL,
    UNEQUAL,
    FOUND,
    ABSENT,
    LESS,
    AT_MOST,
    MORE,
    AT_LEAST,
    COMPARISONS
} comparison;
/* Longer signs before those that begin them. */
static const struct {
    const char *sign;
    comparison is;
} signs[] = {{"!=", UNEQUAL}, {"!~", ABSENT}, {"<=", AT_MOST}, {">=", AT_LEAST},
             {"=", EQUAL},    {"~", FOUND},   {"<", LESS},     {">", MORE}};

typedef struct rule {
    const field *field;
    comparison is;
    const char *value; /* of the caller's text */
    double number;
    regex_t expression;
    bool has_expression;
} rule;

typedef struct choosing {
    const nod_dicom_scan *scan;
    rule rules[NOD_DICOM_MAX_RULES];
    size_t n_rules;
    bool every, localizers;
    nod_error *err;
} choosing;

/* --- reading rules ------------------------------------------------------------------------ */

static int find_field(choosing *c, const char *text, size_t n, rule *r)
{
    char name[48];
    snprintf(name, sizeof name, "%.*s", (int)NOD_MIN(n, sizeof name - 1), text);
    for (size_t i = 0; i < NOD_COUNT(fields); i++)
        if (nod_equal_nocase(fields[i].name, name)) {
            r->field = &fields[i];
            return 0;
        }
    const char *near = nod_nearest(name, next_field, NULL);
    return nod_fail(c->err, NOD_EINVAL, "series rule '%s': '%s' is not known%s%s%s", text, name,
                    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static int read_value(choosing *c, const char *text, rule *r)
{
    char why[120];
    if (r->is >= LESS && (r->field->kind == FIELD_TEXT || !nod_parse_f64(r->value, &r->number)))
        return nod_fail(c->err, NOD_EINVAL, "series rule '%s': <, <=, > and >= compare numbers",
                        text);
    if (r->is != FOUND && r->is != ABSENT) return 0;
    int bad = regcomp(&r->expression, r->value, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (bad != 0) {
        regerror(bad, &r->expression, why, sizeof why);
        return nod_fail(c->err, NOD_EINVAL, "series rule '%s': %s", text, why);
    }
    r->has_expression = true;
    return 0;
}

static int read_rule(choosing *c, const char *text)
{
    size_t at = strcspn(text, "!=~<>");
    if (strcmp(text, "all") == 0) {
        c->every = true;
        return 0;
    }
    if (c->n_rules == NOD_DICOM_MAX_RULES)
        return nod_fail(c->err, NOD_ELIMIT, "more than %d series rules", NOD_DICOM_MAX_RULES);
    rule *r = &c->rules[c->n_rules];
    *r = (rule){.is = COMPARISONS};
    for (size_t i = 0; i < NOD_COUNT(signs) && r->is == COMPARISONS; i++) {
        if (strncmp(text + at, signs[i].sign, strlen(signs[i].sign)) != 0) continue;
        r->is = signs[i].is;
        r->value = text + at + strlen(signs[i].sign);
    }
    if (at == 0 || r->is == COMPARISONS)
        return nod_fail(c->err, NOD_EINVAL,
                        "series rule '%s': write NAME=VALUE, NAME~EXPRESSION, NAME<=NUMBER, or "
                        "the word all",
                        text);
    int rc = find_field(c, text, at, r);
    if (rc == 0) rc = read_value(c, text, r);
    if (rc) return rc;
    if (r->field->at == HEADER(image_type) && r->field->kind == FIELD_TEXT)
        c->localizers = true;
    c->n_rules++;
    return 0;
}

/* --- applying them ------------------------------------------------------------------------ */

static const nod_dicom_header *first_of(const choosing *c, size_t i_series)
{
    return nod_dicom_stack_header(c->scan, i_series, 0);
}

static int64_t slices_of(const choosing *c, size_t i_series)
{
    const nod_dicom_stacks *s = &c->scan->series[i_series].stacks;
    int64_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->items[i].n_slices;
    return n;
}

/* A text for = and ~, a number (NaN: absent) for the others. */
static const char *value_of(const choosing *c, const rule *r, size_t i_series, double *number,
                            char *scratch, size_t size)
{
    const nod_dicom_header *h = first_of(c, i_series);
    const char *base = (const char *)h;
    *number = NAN;
    switch (r->field->kind) {
    case FIELD_TEXT:
        return base + r->field->at;
    case FIELD_INTEGER: {
        int32_t v = *(const int32_t *)(const void *)(base + r->field->at);
        if (v != NOD_DICOM_NO_INT) *number = v;
        break;
    }
    case FIELD_NUMBER:
        *number = *(const double *)(const void *)(base + r->field->at);
        break;
    case FIELD_FRAME:
        *number = *(const double *)(const void *)((const char *)h->frames + r->field->at);
        break;
    case FIELD_SLICES:
        *number = (double)slices_of(c, i_series);
        break;
    }
    scratch[0] = '\0';
    if (!isnan(*number)) snprintf(scratch, size, "%.15g", *number);
    return scratch;
}

/* The whole text, or one of its values. */
static bool equals(const char *text, const char *value)
{
    if (nod_equal_nocase(text, value)) return true;
    for (const char *p = text; *p;) {
        char one[NOD_DICOM_ID];
        size_t n = strcspn(p, "\\");
        snprintf(one, sizeof one, "%.*s", (int)NOD_MIN(n, sizeof one - 1), p);
        if (nod_equal_nocase(one, value)) return true;
        p += n + (p[n] != '\0');
    }
    return false;
}

static bool holds(const choosing *c, const rule *r, size_t i_series)
{
    char scratch[40];
    double x, wanted;
    const char *text = value_of(c, r, i_series, &x, scratch, sizeof scratch);
    switch (r->is) {
    case EQUAL:
    case UNEQUAL: {
        bool same = !isnan(x) && nod_parse_f64(r->value, &wanted) ? x == wanted
                                                                  : equals(text, r->value);
        return same == (r->is == EQUAL);
    }
    case FOUND:
    case ABSENT:
        return (regexec(&r->expression, text, 0, NULL, 0) == 0) == (r->is == FOUND);
    case LESS:
        return x < r->number;
    case AT_MOST:
        return x <= r->number;
    case MORE:
        return x > r->number;
    case AT_LEAST:
        return x >= r->number;
    default:
        return false;
    }
}

/* Images of the patient: not masks, doses or plans, unless a rule names the modality. */
static bool is_candidate(const choosing *c, size_t i_series)
{
    static const char *const no_image[] = {"SEG", "RTDOSE", "RTSTRUCT", "RTPLAN",
                                           "PR",  "SR",     "KO"};
    const nod_dicom_stacks *s = &c->scan->series[i_series].stacks;
    if (s->n == 0) return false;
    const nod_dicom_header *h = first_of(c, i_series);
    if (!c->localizers && nod_dicom_header_has_type(h, "LOCALIZER")) return false;
    for (size_t i = 0; i < NOD_COUNT(no_image); i++)
        if (strcmp(h->modality, no_image[i]) == 0) return false;
    return true;
}

static bool fits(const choosing *c, size_t i_series)
{
    for (size_t i = 0; i < c->n_rules; i++)
        if (!holds(c, &c->rules[i], i_series)) return false;
    return true;
}

static bool is_projection(const choosing *c, size_t i_series)
{
    const nod_dicom_stacks *s = &c->scan->series[i_series].stacks;
    for (size_t i = 0; i < s->n; i++)
        if (!s->items[i].projection) return false;
    return true;
}

static bool is_burned(const nod_dicom_header *h)
{
    return h->burned_in;
}

static bool is_derived(const nod_dicom_header *h)
{
    return nod_dicom_header_has_type(h, "DERIVED");
}

/* Takes those away that have the flaw, if others remain. */
static void prefer_without(const choosing *c, size_t *found, size_t *n,
                           bool (*has_flaw)(const nod_dicom_header *))
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        kept += !has_flaw(first_of(c, found[i]));
    if (kept == 0 || kept == *n) return;
    size_t to = 0;
    for (size_t i = 0; i < *n; i++)
        if (!has_flaw(first_of(c, found[i]))) found[to++] = found[i];
    *n = to;
}

/* --- one study ---------------------------------------------------------------------------- */

/* Descriptions are not said: people write names into them. */
static int fail_ambiguous(const choosing *c, size_t i_study, const size_t *found, size_t n)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t i = 0; i < NOD_MIN(n, (size_t)LISTED); i++) {
        const nod_dicom_header *h = first_of(c, found[i]);
        nod_strbuf_printf(&b, "%s", i ? "; " : "");
        if (h->series_number != NOD_DICOM_NO_INT)
            nod_strbuf_printf(&b, "SeriesNumber=%d ", (int)h->series_number);
        nod_strbuf_printf(&b, "%s, %lld of %dx%d", h->modality,
                          (long long)slices_of(c, found[i]), (int)h->columns, (int)h->rows);
    }
    if (n > LISTED) nod_strbuf_printf(&b, "; and %zu more", n - LISTED);
    int rc =
        nod_fail(c->err, NOD_EDATA,
                 "study %zu of %zu: %zu series fit where one is wanted: %s; choose by a rule "
                 "such as --series SeriesDescription~TEXT ('nodule inspect --show-ids' has the "
                 "descriptions), or take all with --series all",
                 i_study + 1, c->scan->n_studies, n, b.data);
    nod_strbuf_done(&b);
    return rc;
}

static int choose_of_study(choosing *c, size_t i_study, size_t *found, nod_dicom_choice *out)
{
    const nod_dicom_study *study = &c->scan->studies[i_study];
    size_t n = 0, n_candidates = 0;
    bool projections = true;
    for (size_t i = study->first; i < study->first + study->n; i++) {
        if (!is_candidate(c, i)) continue;
        n_candidates++;
        if (!fits(c, i)) continue;
        found[n++] = i;
        projections = projections && is_projection(c, i);
    }
    if (n == 0) {
        out->n_without += n_candidates > 0;
        return 0;
    }
    if (!c->every && !projections) {
        prefer_without(c, found, &n, nod_dicom_header_is_capture);
        prefer_without(c, found, &n, is_burned);
        prefer_without(c, found, &n, is_derived);
        if (n > 1) return fail_ambiguous(c, i_study, found, n);
    }
    if (!nod_grow((void **)&out->series, &out->cap, out->n + n, sizeof *out->series))
        return nod_fail_memory(c->err, "a choice of series", n * sizeof *out->series);
    memcpy(out->series + out->n, found, n * sizeof *found);
    out->n += n;
    return 0;
}

int nod_dicom_choose(const nod_dicom_scan *scan, const nod_strlist *rules, bool every,
                     nod_dicom_choice *out, nod_error *err)
{
    choosing c = {.scan = scan, .every = every, .err = err};
    nod_dicom_choice choice = {0};
    size_t *found = nod_calloc(scan->n_series + 1, sizeof *found);
    int rc = 0;
    if (found == NULL) return nod_fail_memory(err, "a choice of series", scan->n_series);
    for (size_t i = 0; rules && i < rules->n; i++)
        NOD_TRY(read_rule(&c, rules->items[i]));
    for (size_t i = 0; i < scan->n_studies; i++)
        NOD_TRY(choose_of_study(&c, i, found, &choice));
    *out = choice;
    choice = (nod_dicom_choice){0};
out:
    for (size_t i = 0; i < c.n_rules; i++)
        if (c.rules[i].has_expression) regfree(&c.rules[i].expression);
    nod_dicom_choice_done(&choice);
    nod_free(found);
    return rc;
}

void nod_dicom_choice_done(nod_dicom_choice *c)
{
    nod_free(c->series);
    *c = (nod_dicom_choice){0};
}

int nod_dicom_tree_read(const char *path, const nod_strlist *rules,
                        const nod_policies *policies, nod_image *out, nod_findings *findings,
                        nod_error *err)
{
    nod_dicom_scan scan;
    nod_dicom_choice choice = {0};
    int rc = nod_dicom_scan_tree(path, NULL, &scan, err);
    if (rc) return rc;
    NOD_TRY(nod_dicom_choose(&scan, rules, false, &choice, err));
    if (choice.n != 1) {
        rc = nod_fail(err, NOD_EDATA,
                      "%s: %zu DICOM series where one is wanted (%zu of %zu files "
                      "are DICOM, %zu cannot be read)",
                      path, choice.n, scan.n_entries, scan.n_files, scan.n_problems);
        goto out;
    }
    rc = nod_dicom_series_read(&scan, choice.series[0], policies, out, findings, err);
out:
    nod_dicom_choice_done(&choice);
    nod_dicom_scan_done(&scan);
    return rc;
}
