/* cohort_file.c: cohort.csv and cohort.csv.json; docs/formats/cohort.md. */
#include <errno.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/cohort.h"
#include "data/cohort_label.h"
#include "data/groups.h"
#include "data/strict_keys.h"

#define META_MAX_BYTES ((size_t)256 << 20)

/* Columns in the order of the file; in any order when read, and no others. */
enum column {
    COL_ID,
    COL_FILE,
    COL_FILES,
    COL_ARRAY,
    COL_INDEX,
    COL_LABEL,
    COL_PATIENT,
    COL_STUDY,
    COL_SERIES,
    COL_PART,
    COL_FRAMES,
    COL_DEPTH,
    COL_HEIGHT,
    COL_WIDTH,
    COL_CHANNELS,
    COL_SAMPLE,
    COL_MODALITY,
    COL_SPACING,
    COL_ORIENTATION,
    COL_PIXELS,
    COL_FINDINGS,
    COLUMNS
};
static const char *const column_names[COLUMNS] = {
    "id",       "file",   "files",    "array",   "index",       "label",  "patient",
    "study",    "series", "part",     "frames",  "depth",       "height", "width",
    "channels", "sample", "modality", "spacing", "orientation", "pixels", "findings"};

/* Nothing is known where one of these is absent. */
static bool is_optional(enum column c)
{
    return c == COL_FILES || c == COL_STUDY || c == COL_SERIES || c == COL_FRAMES ||
           c == COL_MODALITY || c == COL_SPACING || c == COL_ORIENTATION;
}

/* --- the JSON ----------------------------------------------------------------------------- */

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
    nod_json *list;
    int rc = nod_json_need_array(j, where, "unreadable", &list, err);
    for (size_t i = 0; rc == 0 && i < nod_json_count(list); i++) {
        const nod_json *u = nod_json_at(list, i);
        const char *file, *reason;
        NOD_TRY(nod_json_need_str(u, where, "file", &file, err));
        NOD_TRY(nod_json_need_str(u, where, "reason", &reason, err));
        NOD_TRY(nod_strict_keys(u, where, keys, err));
        NOD_TRY(nod_cohort_add_unreadable(c, file, reason, err));
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
    /* Cohorts of plain pictures may lack the first. */
    static const char *const keys[] = {"policies",   "format",  "version",    "nodule",
                                       "multilabel", "classes", "positive",   "grouping",
                                       "layout",     "source",  "unreadable", NULL};
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
    NOD_TRY(nod_strict_keys(j, where, nod_json_get(j, "policies") ? keys : keys + 1, err));
out:
    return rc;
}

static int parse_meta(const nod_json *j, const char *where, const char *folder,
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
    *out = c;
    c = NULL;
out:
    nod_cohort_free(c);
    nod_free(classes);
    return rc;
}

static nod_json *meta_to_json(const nod_cohort *c)
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
        const char *file, *reason;
        nod_json *u = nod_json_object();
        nod_cohort_get_unreadable(c, i, &file, &reason);
        nod_json_set_str(u, "file", file);
        nod_json_set_str(u, "reason", reason);
        nod_json_push(unreadable, u);
    }
    nod_json_set_str(j, "format", "nodule-cohort");
    nod_json_set_int(j, "version", 1);
    nod_json_set_str(j, "nodule", NODULE_VERSION);
    nod_json_set_bool(j, "multilabel", info->multilabel);
    nod_json_set(j, "classes", classes);
    nod_json_set(j, "positive", positive);
    nod_json_set(j, "grouping", grouping);
    nod_json_set_str(j, "layout", info->layout);
    nod_json_set_str(j, "source", info->source);
    nod_json_set(j, "policies", nod_policies_to_json(info->policies));
    nod_json_set(j, "unreadable", unreadable);
    return j;
}

/* --- the CSV ------------------------------------------------------------------------------ */

static const char *next_column(const void *ctx, size_t i)
{
    (void)ctx;
    return i < COLUMNS ? column_names[i] : NULL;
}

static int find_columns(const nod_csv *t, const char *name, int64_t at[COLUMNS], nod_error *err)
{
    for (int i = 0; i < COLUMNS; i++) {
        at[i] = nod_csv_find(t, column_names[i]);
        if (at[i] < 0 && !is_optional((enum column)i))
            return nod_fail(err, NOD_EFORMAT,
                            "%s: column '%s' is missing; a cohort is made by `nodule index`",
                            name, column_names[i]);
    }
    for (size_t i = 0; i < nod_csv_columns(t); i++) {
        const char *header = nod_csv_header(t, i);
        bool known = false;
        for (size_t k = 0; k < COLUMNS && !known; k++)
            known = strcmp(header, column_names[k]) == 0;
        if (known) continue;
        const char *near = nod_nearest(header, next_column, NULL);
        return nod_fail(err, NOD_EFORMAT, "%s: unknown column '%.40s'%s%s%s", name, header,
                        near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    return 0;
}

static int parse_size(const char *text, const char *column, int64_t *out, nod_error *err)
{
    if (!nod_parse_i64(text, out))
        return nod_fail(err, NOD_EFORMAT, "column %s: '%.40s' is not a whole number", column,
                        text);
    return 0;
}

static bool has_finding(const char *findings, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = findings; *p;) {
        size_t n = strcspn(p, ";");
        if (n == len && strncmp(p, word, len) == 0) return true;
        p += n + (p[n] == ';');
    }
    return false;
}

/* "0.5 0.5 3": millimetres along i, j, k. */
static int parse_spacing(const char *text, double out[3], nod_error *err)
{
    char word[3][32], rest;
    bool ok = sscanf(text, "%31s %31s %31s %c", word[0], word[1], word[2], &rest) == 3;
    for (int a = 0; a < 3 && ok; a++)
        ok = nod_parse_f64(word[a], &out[a]) && out[a] > 0;
    if (!ok)
        return nod_fail(err, NOD_EFORMAT, "column spacing: '%.40s' is not three millimetres",
                        text);
    return 0;
}

/* The words that are names of a reader's findings. */
static int parse_oddities(const char *findings, nod_strbuf *out, nod_error *err)
{
    nod_strbuf_clear(out);
    for (const char *p = findings; *p;) {
        size_t n = strcspn(p, ";");
        char word[40];
        snprintf(word, sizeof word, "%.*s", (int)NOD_MIN(n, sizeof word - 1), p);
        if (nod_finding_from_name(word) >= 0)
            nod_strbuf_printf(out, "%s%s", out->len ? ";" : "", word);
        p += n + (p[n] == ';');
    }
    return out->failed ? nod_fail_memory(err, "findings", strlen(findings)) : 0;
}

static int parse_row(const nod_csv *t, size_t row, const int64_t at[COLUMNS], nod_cohort *c,
                     nod_strbuf *scratch, nod_error *err)
{
    const char *f[COLUMNS];
    nod_case k = {.index = -1, .official = NOD_PART_OUT};
    int64_t channels;
    int rc = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        f[i] = at[i] < 0 ? "" : nod_csv_get(t, row, (size_t)at[i]);
    k.id = f[COL_ID];
    k.file = f[COL_FILE];
    k.files = f[COL_FILES];
    k.study = f[COL_STUDY];
    k.series = f[COL_SERIES];
    k.modality = f[COL_MODALITY];
    k.orientation = f[COL_ORIENTATION];
    k.array = f[COL_ARRAY];
    k.patient = f[COL_PATIENT];
    k.sample = f[COL_SAMPLE];
    if (*f[COL_INDEX]) NOD_TRY(parse_size(f[COL_INDEX], "index", &k.index, err));
    if (*f[COL_FRAMES]) NOD_TRY(parse_size(f[COL_FRAMES], "frames", &k.frames, err));
    if (*f[COL_SPACING]) NOD_TRY(parse_spacing(f[COL_SPACING], k.spacing_mm, err));
    NOD_TRY(parse_size(f[COL_DEPTH], "depth", &k.depth, err));
    NOD_TRY(parse_size(f[COL_HEIGHT], "height", &k.height, err));
    NOD_TRY(parse_size(f[COL_WIDTH], "width", &k.width, err));
    NOD_TRY(parse_size(f[COL_CHANNELS], "channels", &channels, err));
    k.channels = channels >= 1 && channels <= 4 ? (int)channels : 0;
    if (*f[COL_PART] && !nod_part_parse(f[COL_PART], &k.official))
        return nod_fail(err, NOD_EFORMAT, "column part: '%.40s' is not train, val or test",
                        f[COL_PART]);
    if (strlen(f[COL_PIXELS]) != NOD_SHA256_HEX - 1)
        return nod_fail(err, NOD_EFORMAT, "column pixels: is not 64 hex digits");
    memcpy(k.pixels, f[COL_PIXELS], sizeof k.pixels);
    k.constant = has_finding(f[COL_FINDINGS], "constant");
    NOD_TRY(parse_oddities(f[COL_FINDINGS], scratch, err));
    k.oddities = scratch->data;
    rc = nod_cohort_add(c, &k, f[COL_LABEL], err);
    if (rc == NOD_EINVAL) err->code = rc = NOD_EFORMAT;
out:
    return rc;
}

int nod_cohort_parse(const char *csv, size_t csv_size, const char *meta, size_t meta_size,
                     const char *name, nod_cohort **out, nod_error *err)
{
    nod_json *j = NULL;
    nod_csv *t = NULL;
    nod_cohort *c = NULL;
    int64_t at[COLUMNS];
    nod_strbuf scratch = NOD_STRBUF_INIT;
    int rc = 0;
    char *folder = nod_path_dir(name);
    nod_strbuf meta_name = NOD_STRBUF_INIT;
    nod_strbuf_printf(&meta_name, "%s.json", name);
    if (folder == NULL || meta_name.failed) {
        rc = nod_fail_memory(err, "a path", strlen(name));
        goto out;
    }
    NOD_TRY(nod_json_parse(meta, meta_size, meta_name.data, &j, err));
    if (!nod_json_is_object(j)) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: is not a JSON object", meta_name.data);
        goto out;
    }
    NOD_TRY(parse_meta(j, meta_name.data, folder, &c, err));
    NOD_TRY(nod_csv_parse(csv, csv_size, name, &t, err));
    NOD_TRY(find_columns(t, name, at, err));
    for (size_t row = 0; row < nod_csv_rows(t); row++) {
        rc = parse_row(t, row, at, c, &scratch, err);
        if (rc) {
            nod_error_prefix(err, "%s:%zu", name, nod_csv_line(t, row));
            goto out;
        }
    }
    rc = nod_cohort_finish(c, err);
    if (rc) {
        nod_error_prefix(err, "%s", name);
        goto out;
    }
    *out = c;
    c = NULL;
out:
    nod_cohort_free(c);
    nod_csv_free(t);
    nod_json_free(j);
    nod_free(folder);
    nod_strbuf_done(&scratch);
    nod_strbuf_done(&meta_name);
    return rc;
}

int nod_cohort_read(const char *path, nod_cohort **out, nod_error *err)
{
    nod_bytes csv = {0}, meta = {0};
    int rc = 0;
    nod_strbuf meta_path = NOD_STRBUF_INIT;
    nod_strbuf_printf(&meta_path, "%s.json", path);
    if (meta_path.failed) {
        rc = nod_fail_memory(err, "a path", strlen(path));
        goto out;
    }
    NOD_TRY(nod_file_read(path, NOD_COHORT_MAX_BYTES, &csv, err));
    rc = nod_file_read(meta_path.data, META_MAX_BYTES, &meta, err);
    if (rc) {
        nod_error_prefix(err, "cohort %s needs the file beside it", path);
        goto out;
    }
    NOD_TRY(nod_cohort_parse((const char *)csv.data, csv.size, (const char *)meta.data,
                             meta.size, path, out, err));
out:
    nod_bytes_done(&csv);
    nod_bytes_done(&meta);
    nod_strbuf_done(&meta_path);
    return rc;
}

/* --- writing ------------------------------------------------------------------------------ */

static void add_field(nod_strbuf *b, enum column col, const char *text)
{
    nod_csv_add_field(b, text, col == 0);
}

static void add_number(nod_strbuf *b, enum column col, int64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)v);
    add_field(b, col, text);
}

static void add_spacing(nod_strbuf *b, const double mm[3])
{
    char text[100] = "";
    if (mm[0] > 0) snprintf(text, sizeof text, "%.9g %.9g %.9g", mm[0], mm[1], mm[2]);
    add_field(b, COL_SPACING, text);
}

static void add_row(nod_strbuf *b, const nod_cohort *c, const nod_groups *g, size_t i,
                    nod_strbuf *scratch)
{
    const nod_case *k = nod_cohort_get(c, i);
    add_field(b, COL_ID, k->id);
    add_field(b, COL_FILE, k->file);
    add_field(b, COL_FILES, k->files);
    add_field(b, COL_ARRAY, k->array);
    if (k->index >= 0)
        add_number(b, COL_INDEX, k->index);
    else
        add_field(b, COL_INDEX, "");
    nod_strbuf_clear(scratch);
    nod_cohort_add_label(c, i, scratch);
    add_field(b, COL_LABEL, scratch->data ? scratch->data : "");
    add_field(b, COL_PATIENT, k->patient);
    add_field(b, COL_STUDY, k->study);
    add_field(b, COL_SERIES, k->series);
    add_field(b, COL_PART, k->official == NOD_PART_OUT ? "" : nod_part_name(k->official));
    add_number(b, COL_FRAMES, k->frames);
    add_number(b, COL_DEPTH, k->depth);
    add_number(b, COL_HEIGHT, k->height);
    add_number(b, COL_WIDTH, k->width);
    add_number(b, COL_CHANNELS, k->channels);
    add_field(b, COL_SAMPLE, k->sample);
    add_field(b, COL_MODALITY, k->modality);
    add_spacing(b, k->spacing_mm);
    add_field(b, COL_ORIENTATION, k->orientation);
    add_field(b, COL_PIXELS, k->pixels);
    nod_strbuf_clear(scratch);
    nod_strbuf_add(scratch, k->oddities);
    if (k->constant) nod_strbuf_add(scratch, scratch->len ? ";constant" : "constant");
    if (g->twin[i] != i)
        nod_strbuf_printf(scratch, "%spixels of %s", scratch->len ? ";" : "",
                          nod_cohort_get(c, g->twin[i])->id);
    if (g->contradictory[i])
        nod_strbuf_add(scratch, scratch->len ? ";contradictory" : "contradictory");
    add_field(b, COL_FINDINGS, scratch->data ? scratch->data : "");
    nod_strbuf_addc(b, '\n');
    b->failed |= scratch->failed;
}

/* Relative files only mean the same from the same folder. */
static int check_folder(const nod_cohort *c, const char *path, nod_error *err)
{
    int rc = 0;
    char *dir = nod_path_dir(path), *to = dir ? nod_path_real(dir) : NULL;
    const char *folder = nod_cohort_folder(c);
    char *from = nod_path_real(*folder ? folder : ".");
    if (to && from && strcmp(to, from) != 0)
        rc = nod_fail(err, NOD_EINVAL, "%s: the cohort was made for the folder %s", path, from);
    nod_free(dir);
    nod_free(to);
    nod_free(from);
    return rc;
}

/* Both files or, as far as a file system lets one, neither: all bytes are with the system before
 * the first takes its name. */
static int write_both(const char *meta_path, const char *meta, const char *path,
                      const nod_strbuf *csv, nod_error *err)
{
    nod_file_out a = {0}, b = {0};
    int rc = nod_file_out_open(meta_path, &a, err);
    if (rc) return rc;
    rc = nod_file_out_open(path, &b, err);
    if (rc) goto abort_a;
    bool ok = fprintf(a.stream, "%s\n", meta) > 0 && fflush(a.stream) == 0 &&
              fwrite(csv->data, 1, csv->len, b.stream) == csv->len && fflush(b.stream) == 0;
    if (!ok) {
        rc = nod_fail_errno(err, errno, "cannot write %s", path);
        nod_file_out_abort(&b);
        goto abort_a;
    }
    rc = nod_file_out_commit(&a, err);
    if (rc)
        nod_file_out_abort(&b);
    else
        rc = nod_file_out_commit(&b, err);
    return rc;
abort_a:
    nod_file_out_abort(&a);
    return rc;
}

int nod_cohort_write(const nod_cohort *c, const char *path, nod_error *err)
{
    char *meta = NULL;
    nod_strbuf b = NOD_STRBUF_INIT, scratch = NOD_STRBUF_INIT, meta_path = NOD_STRBUF_INIT;
    nod_groups g = {0};
    nod_json *j = NULL;
    int rc = 0;
    NOD_TRY(check_folder(c, path, err));
    NOD_TRY(nod_groups_make(c, &g, err));
    for (size_t i = 0; i < COLUMNS; i++)
        nod_csv_add_field(&b, column_names[i], i == 0);
    nod_strbuf_addc(&b, '\n');
    for (size_t i = 0; i < nod_cohort_size(c); i++)
        add_row(&b, c, &g, i, &scratch);
    nod_strbuf_printf(&meta_path, "%s.json", path);
    if (b.failed || meta_path.failed) {
        rc = nod_fail_memory(err, "the cohort's text", b.len);
        goto out;
    }
    j = meta_to_json(c);
    NOD_TRY(nod_json_dump(j, true, &meta, err));
    NOD_TRY(write_both(meta_path.data, meta, path, &b, err));
out:
    nod_json_free(j);
    nod_free(meta);
    nod_groups_done(&g);
    nod_strbuf_done(&b);
    nod_strbuf_done(&scratch);
    nod_strbuf_done(&meta_path);
    return rc;
}
