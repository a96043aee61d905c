/* cohort_csv.c: cohort.csv: a row a case; docs/formats/cohort.md. */
#include <string.h>

#include "base/memory.h"
#include "data/cohort_internal.h"
#include "data/cohort_label.h"
#include "data/unit_label.h"

/* Columns in the order of the file; in any order when read, and no others. Those of texts
 * (nod_case_texts) and facts are in tables of their own. */
enum column {
    COL_ID,
    COL_FILE,
    COL_ARRAY,
    COL_INDEX,
    COL_LABEL,
    COL_PART,
    COL_FRAMES,
    COL_DEPTH,
    COL_HEIGHT,
    COL_WIDTH,
    COL_CHANNELS,
    COL_SAMPLE,
    COL_SPACING,
    COL_PIXELS,
    COL_MASK_PIXELS,
    COL_FINDINGS,
    COL_TEXTS,
    COL_FACTS = COL_TEXTS + NOD_CASE_TEXTS,
    COLUMNS = COL_FACTS + NOD_FACTS
};
static const char *const own_names[COL_TEXTS] = {
    "id",     "file",  "array",    "index",  "label",   "part",   "frames",      "depth",
    "height", "width", "channels", "sample", "spacing", "pixels", "mask_pixels", "findings"};

static const char *column_name(int c)
{
    if (c >= COL_FACTS) return nod_fact_get_info((nod_fact)(c - COL_FACTS))->name;
    return c >= COL_TEXTS ? nod_case_texts[c - COL_TEXTS].column : own_names[c];
}

/* Nothing is known where one of these is absent. `patient` is for a person to see that it is empty. */
static bool is_optional(int c)
{
    return c == COL_FRAMES || c == COL_SPACING || c == COL_MASK_PIXELS ||
           (c >= COL_TEXTS && strcmp(column_name(c), "patient") != 0);
}

/* --- reading ------------------------------------------------------------------------------ */

static const char *next_column(const void *ctx, size_t i)
{
    (void)ctx;
    return i < COLUMNS ? column_name((int)i) : NULL;
}

static int find_columns(const nod_csv *t, const char *name, int64_t at[COLUMNS], nod_error *err)
{
    for (int i = 0; i < COLUMNS; i++) {
        at[i] = nod_csv_find(t, column_name(i));
        if (at[i] < 0 && !is_optional(i))
            return nod_fail(err, NOD_EFORMAT,
                            "%s: column '%s' is missing; a cohort is made by `nodule index`",
                            name, column_name(i));
    }
    for (size_t i = 0; i < nod_csv_columns(t); i++) {
        const char *header = nod_csv_header(t, i);
        bool known = false;
        for (int k = 0; k < COLUMNS && !known; k++)
            known = strcmp(header, column_name(k)) == 0;
        if (known) continue;
        const char *near = nod_nearest(header, next_column, NULL);
        /* A header that is nearly none of ours may be a row of data. */
        return nod_fail(err, NOD_EFORMAT, "%s: unknown column %zu%s%.40s%s%s%s", name, i + 1,
                        near ? ", '" : "", near ? header : "", near ? "' (did you mean '" : "",
                        near ? near : "", near ? "'?)" : "");
    }
    return 0;
}

static int parse_size(const char *text, const char *column, int64_t *out, nod_error *err)
{
    if (!nod_parse_i64(text, out))
        return nod_fail(err, NOD_EFORMAT, "column %s: is not a whole number", column);
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
    if (!ok) return nod_fail(err, NOD_EFORMAT, "column spacing: is not three millimetres");
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

static int parse_hash(const char *text, const char *column, char out[NOD_SHA256_HEX],
                      nod_error *err)
{
    if (strlen(text) != NOD_SHA256_HEX - 1)
        return nod_fail(err, NOD_EFORMAT, "column %s: is not 64 hex digits", column);
    memcpy(out, text, NOD_SHA256_HEX);
    return 0;
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
    k.array = f[COL_ARRAY];
    k.sample = f[COL_SAMPLE];
    for (size_t i = 0; i < NOD_CASE_TEXTS; i++)
        *nod_case_text_at(&k, i) = f[COL_TEXTS + i];
    memcpy(k.facts, f + COL_FACTS, sizeof k.facts);
    if (*f[COL_INDEX]) NOD_TRY(parse_size(f[COL_INDEX], "index", &k.index, err));
    if (*f[COL_FRAMES]) NOD_TRY(parse_size(f[COL_FRAMES], "frames", &k.frames, err));
    if (*f[COL_SPACING]) NOD_TRY(parse_spacing(f[COL_SPACING], k.spacing_mm, err));
    NOD_TRY(parse_size(f[COL_DEPTH], "depth", &k.depth, err));
    NOD_TRY(parse_size(f[COL_HEIGHT], "height", &k.height, err));
    NOD_TRY(parse_size(f[COL_WIDTH], "width", &k.width, err));
    NOD_TRY(parse_size(f[COL_CHANNELS], "channels", &channels, err));
    k.channels = channels >= 1 && channels <= 4 ? (int)channels : 0;
    if (*f[COL_PART] && !nod_part_parse(f[COL_PART], &k.official))
        return nod_fail(err, NOD_EFORMAT, "column part: is not train, val or test");
    NOD_TRY(parse_hash(f[COL_PIXELS], "pixels", k.pixels, err));
    if (*f[COL_MASK_PIXELS])
        NOD_TRY(parse_hash(f[COL_MASK_PIXELS], "mask_pixels", k.mask_pixels, err));
    k.constant = has_finding(f[COL_FINDINGS], "constant");
    NOD_TRY(parse_oddities(f[COL_FINDINGS], scratch, err));
    k.oddities = scratch->data;
    rc = nod_cohort_add(c, &k, f[COL_LABEL], err);
    if (rc == NOD_EINVAL) err->code = rc = NOD_EFORMAT;
out:
    return rc;
}

int nod_cohort_take_rows(nod_cohort *c, const nod_csv *t, const char *name, nod_error *err)
{
    int64_t at[COLUMNS];
    nod_strbuf scratch = NOD_STRBUF_INIT;
    int rc = find_columns(t, name, at, err);
    for (size_t row = 0; row < nod_csv_rows(t) && rc == 0; row++) {
        rc = parse_row(t, row, at, c, &scratch, err);
        if (rc) nod_error_prefix(err, "%s:%zu", name, nod_csv_line(t, row));
    }
    nod_strbuf_done(&scratch);
    return rc;
}

/* --- writing ------------------------------------------------------------------------------ */

typedef struct writing {
    const nod_cohort *c;
    const nod_groups *g;
    bool *follow_up; /* [cases] whose label is that of a patient with several studies */
    nod_strbuf cell;
} writing;

static void put_findings(writing *w, const nod_case *k, size_t i)
{
    nod_strbuf *b = &w->cell;
    nod_strbuf_add(b, k->oddities);
    if (k->constant) nod_strbuf_add(b, b->len ? ";constant" : "constant");
    if (w->g->twin[i] != i)
        nod_strbuf_printf(b, "%spixels of %s", b->len ? ";" : "",
                          nod_cohort_get(w->c, w->g->twin[i])->id);
    if (w->g->contradictory[i]) nod_strbuf_add(b, b->len ? ";contradictory" : "contradictory");
    if (w->follow_up[i]) nod_strbuf_add(b, b->len ? ";follow-up label" : "follow-up label");
}

/* Texts that stand in the case as they are; NULL: the others. */
static const char *plain_cell(const nod_case *k, int c)
{
    if (c >= COL_FACTS) return k->facts[c - COL_FACTS];
    if (c >= COL_TEXTS)
        return *(const char *const *)((const char *)k + nod_case_texts[c - COL_TEXTS].offset);
    switch (c) {
    case COL_ID:
        return k->id;
    case COL_FILE:
        return k->file;
    case COL_ARRAY:
        return k->array;
    case COL_SAMPLE:
        return k->sample;
    case COL_PART:
        return k->official == NOD_PART_OUT ? "" : nod_part_name(k->official);
    case COL_PIXELS:
        return k->pixels;
    case COL_MASK_PIXELS:
        return k->mask_pixels;
    default:
        return NULL;
    }
}

/* "": nothing is known, of numbers the preset. Valid until the next call. */
static const char *cell_of(writing *w, size_t i, int c)
{
    const nod_case *k = nod_cohort_get(w->c, i);
    const double *mm = k->spacing_mm;
    const char *plain = plain_cell(k, c);
    if (plain) return plain;
    nod_strbuf_clear(&w->cell);
    if (c == COL_INDEX && k->index >= 0)
        nod_strbuf_printf(&w->cell, "%lld", (long long)k->index);
    else if (c == COL_LABEL)
        nod_cohort_add_label(w->c, i, &w->cell);
    else if (c == COL_FRAMES && k->frames > 1)
        nod_strbuf_printf(&w->cell, "%lld", (long long)k->frames);
    else if (c == COL_DEPTH || c == COL_HEIGHT || c == COL_WIDTH)
        nod_strbuf_printf(&w->cell, "%lld",
                          (long long)(c == COL_DEPTH    ? k->depth
                                      : c == COL_HEIGHT ? k->height
                                                        : k->width));
    else if (c == COL_CHANNELS)
        nod_strbuf_printf(&w->cell, "%d", k->channels);
    else if (c == COL_SPACING && mm[0] > 0)
        nod_strbuf_printf(&w->cell, "%.9g %.9g %.9g", mm[0], mm[1], mm[2]);
    else if (c == COL_FINDINGS)
        put_findings(w, k, i);
    return w->cell.data;
}

/* Whether a case has something in a column that may be absent. */
static bool is_needed(writing *w, int c)
{
    bool needed = !is_optional(c);
    for (size_t i = 0; i < nod_cohort_size(w->c) && !needed; i++)
        needed = *cell_of(w, i, c) != '\0';
    return needed;
}

/* Where the image is, what it shows, whose it is; then of what kind it is. */
static size_t order_columns(writing *w, int out[COLUMNS])
{
    static const int own[] = {COL_SPACING, COL_PIXELS, COL_MASK_PIXELS, COL_FINDINGS};
    size_t n = 0;
    for (int c = COL_ID; c <= COL_LABEL; c++)
        out[n++] = c;
    for (int c = COL_TEXTS; c < COLUMNS; c++)
        if (is_needed(w, c)) out[n++] = c;
    for (int c = COL_PART; c <= COL_SAMPLE; c++)
        if (is_needed(w, c)) out[n++] = c;
    for (size_t i = 0; i < NOD_COUNT(own); i++)
        if (is_needed(w, own[i])) out[n++] = own[i];
    return n;
}

void nod_cohort_put_rows(const nod_cohort *c, const nod_groups *g, nod_strbuf *out)
{
    writing w = {.c = c, .g = g, .cell = NOD_STRBUF_INIT};
    int columns[COLUMNS];
    nod_error none = NOD_ERROR_INIT;
    nod_follow_ups f;
    w.follow_up = nod_calloc(nod_cohort_size(c) + 1, sizeof *w.follow_up);
    if (w.follow_up == NULL || nod_follow_ups_find(c, w.follow_up, &f, &none) != 0) {
        nod_free(w.follow_up);
        out->failed = true;
        return;
    }
    size_t n = order_columns(&w, columns);
    for (size_t i = 0; i < n; i++)
        nod_csv_add_field(out, column_name(columns[i]), i == 0);
    nod_strbuf_addc(out, '\n');
    for (size_t row = 0; row < nod_cohort_size(c); row++) {
        for (size_t i = 0; i < n; i++)
            nod_csv_add_field(out, cell_of(&w, row, columns[i]), i == 0);
        nod_strbuf_addc(out, '\n');
    }
    out->failed |= w.cell.failed;
    nod_strbuf_done(&w.cell);
    nod_free(w.follow_up);
}
