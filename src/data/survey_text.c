/* survey_text.c: a survey as a table of at most 100 columns.
 *
 * Cells are made first, then columns get their widths. Many files of one folder, or many projections
 * of one series, are one row with the ranges of what they have. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/survey_internal.h"

#define WIDTH       100
#define CELL        160
#define COLUMNS     7
#define FEW         6  /* so many files of a folder are still rows of their own */
#define PROBLEMS    20 /* that are shown */
#define PATIENTS    5  /* the same */
#define INDENT      "      "
#define FIRST_WIDTH 24

typedef struct row {
    size_t first, n; /* images */
    char cells[COLUMNS][CELL];
} row;

static const char *const headings[COLUMNS] = {
    "pat/study/series", "kind", "size", "mm", "axes", "1 to 99 %", "storage"};

/* --- cells -------------------------------------------------------------------------------- */

/* "512", or "400-512". */
static int put_range(char *out, size_t size, double low, double high, int digits)
{
    char a[32], b[32];
    snprintf(a, sizeof a, "%.*g", digits, low);
    snprintf(b, sizeof b, "%.*g", digits, high);
    return strcmp(a, b) == 0 ? snprintf(out, size, "%s", a)
                             : snprintf(out, size, "%s-%s", a, b);
}

/* Smallest and largest of `get` over a row. */
static void find_range(const nod_survey *s, const row *r,
                       double (*get)(const nod_survey_image *, int), int axis, double range[2])
{
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (size_t i = r->first; i < r->first + r->n; i++) {
        double v = get(&s->images[i], axis);
        range[0] = fmin(range[0], v);
        range[1] = fmax(range[1], v);
    }
}

static double get_size(const nod_survey_image *im, int axis)
{
    return axis < 3 ? (double)im->geometry.size[axis] : (double)im->frames;
}

static double get_spacing(const nod_survey_image *im, int axis)
{
    return im->geometry.space == NOD_SPACE_NONE ? 0 : im->geometry.spacing_mm[axis];
}

static double get_low(const nod_survey_image *im, int axis)
{
    (void)axis;
    return im->is_measured ? im->percentiles[0] : INFINITY;
}

static double get_high(const nod_survey_image *im, int axis)
{
    (void)axis;
    return im->is_measured ? im->percentiles[2] : -INFINITY;
}

static bool is_flat(const nod_survey *s, const row *r)
{
    double depth[2];
    find_range(s, r, get_size, 2, depth);
    return depth[1] <= 1;
}

static void put_size(const nod_survey *s, row *r)
{
    char *out = r->cells[2];
    double range[2];
    size_t n = 0;
    if (s->images[r->first].channels == 0) { /* not looked at */
        snprintf(out, CELL, "-");
        return;
    }
    for (int a = 0; a < 4 && n < CELL; a++) {
        find_range(s, r, get_size, a, range);
        if (a == 2 && is_flat(s, r)) continue;
        if (a == 3 && range[1] <= 1) continue;
        n += (size_t)snprintf(out + n, CELL - n, "%s", a == 3 ? " x" : a ? "x" : "");
        n += (size_t)put_range(out + n, CELL - n, range[0], range[1], 9);
    }
}

static void put_spacing(const nod_survey *s, row *r)
{
    char *out = r->cells[3];
    double range[2];
    size_t n = 0;
    int n_axes = is_flat(s, r) ? 2 : 3;
    find_range(s, r, get_spacing, 0, range);
    if (range[1] <= 0) {
        snprintf(out, CELL, "-");
        return;
    }
    for (int a = 0; a < n_axes && n < CELL; a++) {
        find_range(s, r, get_spacing, a, range);
        n += (size_t)snprintf(out + n, CELL - n, "%s", a ? "x" : "");
        n += (size_t)put_range(out + n, CELL - n, range[0], range[1], 3);
    }
}

static void put_axes(const nod_survey *s, row *r)
{
    char codes[4], *out = r->cells[4];
    snprintf(out, CELL, "-");
    for (size_t i = r->first; i < r->first + r->n; i++) {
        const nod_geometry *g = &s->images[i].geometry;
        if (g->space != NOD_SPACE_PATIENT) continue;
        nod_geometry_codes(g, codes);
        if (strcmp(out, "-") == 0)
            snprintf(out, CELL, "%s", codes);
        else if (strcmp(out, codes) != 0)
            snprintf(out, CELL, "mix");
    }
}

static void put_values(const nod_survey *s, row *r)
{
    double low[2], high[2];
    find_range(s, r, get_low, 0, low);
    find_range(s, r, get_high, 0, high);
    bool hu = s->images[r->first].facts.units == NOD_UNITS_HU;
    if (isfinite(low[0]) && isfinite(high[1]))
        snprintf(r->cells[5], CELL, "%.4g..%.4g%s", low[0], high[1], hu ? " HU" : "");
    else
        snprintf(r->cells[5], CELL, "-");
}

static void put_label(const nod_survey *s, row *r)
{
    const nod_survey_image *im = &s->images[r->first];
    nod_strbuf b = NOD_STRBUF_INIT;
    if (r->n > 1 && im->patient == 0 && !s->show_ids) {
        nod_strbuf_printf(&b, "files %lld-%lld (%zu)", (long long)im->number,
                          (long long)s->images[r->first + r->n - 1].number, r->n);
    } else if (r->n > 1 && im->patient == 0) {
        char *folder = nod_path_dir(im->name);
        nod_strbuf_printf(&b, "%s/ (%zu)", folder ? folder : "", r->n);
        nod_free(folder);
    } else if (r->n > 1) {
        nod_strbuf_printf(&b, "%lld/%lld/%lld (%zu)", (long long)im->patient,
                          (long long)im->study, (long long)im->series, r->n);
    } else {
        nod_survey_add_label(s, im, &b);
    }
    snprintf(r->cells[0], CELL, "%s", b.data);
    nod_text_tidy(r->cells[0]);
    nod_strbuf_done(&b);
}

static void put_storage(const nod_survey *s, row *r)
{
    const char *last = "";
    size_t n = 0, n_colour = 0;
    for (size_t i = r->first; i < r->first + r->n; i++) {
        const nod_survey_image *im = &s->images[i];
        n_colour += im->channels >= 3;
        if (strcmp(last, im->coding) == 0 || n >= CELL || strstr(r->cells[6], im->coding))
            continue;
        n += (size_t)snprintf(r->cells[6] + n, CELL - n, "%s%s", n ? ", " : "", im->coding);
        last = im->coding;
    }
    if (n_colour && n < CELL)
        snprintf(r->cells[6] + n, CELL - n, "%s",
                 n_colour == r->n ? ", colour" : ", some colour");
}

static void put_cells(const nod_survey *s, row *r)
{
    const nod_survey_image *im = &s->images[r->first];
    put_label(s, r);
    snprintf(r->cells[1], CELL, "%s", im->facts.modality[0] ? im->facts.modality : "-");
    put_size(s, r);
    put_spacing(s, r);
    put_axes(s, r);
    put_values(s, r);
    put_storage(s, r);
}

/* --- rows --------------------------------------------------------------------------------- */

static bool is_picture(const nod_survey_image *im)
{
    return im->geometry.size[2] <= 1 && im->geometry.space != NOD_SPACE_PATIENT;
}

static bool is_same_kind(const nod_survey_image *a, const nod_survey_image *b)
{
    if (a->patient || b->patient)
        return a->patient && a->series == b->series && is_picture(a) && is_picture(b);
    size_t n = (size_t)(nod_path_base(a->name) - a->name);
    return n == (size_t)(nod_path_base(b->name) - b->name) && strncmp(a->name, b->name, n) == 0;
}

static row *make_rows(const nod_survey *s, size_t *n_rows)
{
    row *rows = nod_calloc(s->n_images + 1, sizeof *rows);
    *n_rows = 0;
    for (size_t i = 0; rows && i < s->n_images;) {
        size_t n = 1;
        while (i + n < s->n_images && is_same_kind(&s->images[i], &s->images[i + n]))
            n++;
        if (n > FEW) {
            rows[(*n_rows)++] = (row){.first = i, .n = n};
        } else {
            for (size_t k = 0; k < n; k++)
                rows[(*n_rows)++] = (row){.first = i + k, .n = 1};
        }
        i += n;
    }
    return rows;
}

/* --- lines -------------------------------------------------------------------------------- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += !is_continuation(*s);
    return n;
}

/* Cut to `width`, the end or (of names) the beginning, and padded. */
static void add_cell(nod_strbuf *out, const char *cell, size_t width, bool keeps_end)
{
    size_t n = width_of(cell), cut = n > width ? n - width + 2 : 0;
    const char *from = cell, *to = cell + strlen(cell);
    for (size_t i = 0; i < cut; i++) {
        if (keeps_end) {
            do
                from++;
            while (from < to && is_continuation(*from));
        } else {
            do
                to--;
            while (to > from && is_continuation(*to));
        }
    }
    if (cut && keeps_end) nod_strbuf_add(out, "..");
    nod_strbuf_addn(out, from, (size_t)(to - from));
    if (cut && !keeps_end) nod_strbuf_add(out, "..");
    for (size_t i = NOD_MIN(n, width); i < width; i++)
        nod_strbuf_addc(out, ' ');
}

static void add_line(nod_strbuf *out, const char *const cells[COLUMNS], const size_t *widths)
{
    for (int c = 0; c < COLUMNS; c++) {
        add_cell(out, cells[c], widths[c], c == 0);
        if (c + 1 < COLUMNS) nod_strbuf_add(out, "  ");
    }
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    nod_strbuf_addc(out, '\n');
}

/* As wide as the widest cell; where that is too much, names and storage give way. */
static void find_widths(const row *rows, size_t n, size_t widths[COLUMNS])
{
    static const int giving[] = {6, 0, 2, 3, 5};
    static const size_t least[] = {14, FIRST_WIDTH, 14, 14, 14};
    size_t total = 2 * (COLUMNS - 1);
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = width_of(headings[c]);
        for (size_t i = 0; i < n; i++)
            widths[c] = NOD_MAX(widths[c], width_of(rows[i].cells[c]));
        total += widths[c];
    }
    for (size_t i = 0; i < NOD_COUNT(giving) && total > WIDTH; i++) {
        size_t *w = &widths[giving[i]], more = total - WIDTH;
        size_t spare = *w > least[i] ? *w - least[i] : 0;
        *w -= NOD_MIN(spare, more);
        total -= NOD_MIN(spare, more);
    }
}

/* Words after `first`, broken into lines that begin with `indent`. */
static void add_wrapped(nod_strbuf *out, const char *first, const char *indent,
                        const char *text)
{
    size_t at = width_of(first);
    nod_strbuf_add(out, first);
    for (const char *s = text; *s;) {
        size_t n = strcspn(s, " ");
        bool fits = at + 1 + n <= WIDTH;
        if (s != text) {
            nod_strbuf_add(out, fits ? " " : "\n");
            if (!fits) nod_strbuf_add(out, indent);
            at = fits ? at + 1 : width_of(indent);
        }
        nod_strbuf_addn(out, s, n);
        at += n;
        s += n;
        while (*s == ' ')
            s++;
    }
    nod_strbuf_addc(out, '\n');
}

/* --- what is said of a row ---------------------------------------------------------------- */

static void add_findings(const nod_survey *s, const row *r, nod_strbuf *out)
{
    for (int kind = 0; kind < NOD_FINDING_KINDS; kind++) {
        const char *detail = NULL;
        size_t n = 0;
        for (size_t i = r->first; i < r->first + r->n; i++)
            for (size_t k = 0; k < s->images[i].findings.n; k++) {
                const nod_finding *f = &s->images[i].findings.items[k];
                if (f->kind != (nod_finding_kind)kind) continue;
                if (detail == NULL) detail = f->detail;
                n++;
            }
        if (n == 0) continue;
        nod_strbuf text = NOD_STRBUF_INIT;
        nod_strbuf_printf(&text, "%s: ", nod_finding_get_info((nod_finding_kind)kind)->name);
        if (r->n > 1) nod_strbuf_printf(&text, "%zu of %zu: ", n, r->n);
        nod_strbuf_add(&text, detail);
        add_wrapped(out, INDENT, INDENT "  ", text.data);
        nod_strbuf_done(&text);
    }
}

static void add_remarks(const nod_survey *s, const row *r, nod_strbuf *out)
{
    const nod_survey_image *im = &s->images[r->first];
    if (s->show_ids && im->patient) {
        nod_strbuf_printf(out, INDENT "patient '%s', series '%s', in %s\n", im->patient_id,
                          im->description, im->name);
        nod_strbuf_printf(out, INDENT "study %s\n" INDENT "series %s\n", im->study_uid,
                          im->series_uid);
    }
    if (im->facts.axis != NOD_AXIS_NONE && im->frames > 1 && r->n == 1)
        nod_strbuf_printf(out, INDENT "fourth axis: %s, %lld\n", nod_axis_name(im->facts.axis),
                          (long long)im->frames);
    add_findings(s, r, out);
    for (size_t i = r->first; i < r->first + r->n; i++)
        if (s->images[i].error)
            add_wrapped(out, INDENT "not decoded: ", INDENT "  ", s->images[i].error);
}

/* --- beginning and end -------------------------------------------------------------------- */

/* The numbers of patients with their names under the site's key. */
static void add_patients(const nod_survey *s, nod_strbuf *out)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    int64_t last = 0, n = 0;
    for (size_t i = 0; i < s->n_images; i++) {
        const nod_survey_image *im = &s->images[i];
        if (*im->shown == '\0' || im->patient == last) continue;
        last = im->patient;
        if (n++ < PATIENTS)
            nod_strbuf_printf(&text, "%s%lld is %s", n > 1 ? ", " : "", (long long)im->patient,
                              im->shown);
    }
    if (n > PATIENTS)
        nod_strbuf_printf(&text, ", and %lld more; --json has all", (long long)(n - PATIENTS));
    if (n > 0) add_wrapped(out, "patients: ", "  ", text.data);
    nod_strbuf_done(&text);
}

static void add_counts(const nod_survey *s, nod_strbuf *out)
{
    if (s->n_patients)
        nod_strbuf_printf(out, "DICOM: %zu patient%s, %zu stud%s, %zu series\n", s->n_patients,
                          s->n_patients == 1 ? "" : "s", s->n_studies,
                          s->n_studies == 1 ? "y" : "ies", s->n_series);
    add_patients(s, out);
    nod_strbuf_printf(out,
                      "files: %zu; DICOM %zu, other images %zu, bad %zu, anything else %zu\n",
                      s->n_files, s->n_dicom, s->n_others, s->n_problems, s->n_unknown);
    for (size_t i = 0; i < s->n_silent; i++)
        nod_strbuf_printf(out, "%s%zu %s", i ? ", " : "without an image: ", s->silent[i].n,
                          s->silent[i].modality[0] ? s->silent[i].modality : "of no modality");
    if (s->n_silent) nod_strbuf_addc(out, '\n');
    for (size_t i = 0; i < s->findings.n; i++)
        nod_strbuf_printf(out, "over all: %s: %s\n",
                          nod_finding_get_info(s->findings.items[i].kind)->name,
                          s->findings.items[i].detail);
}

/* What the findings mean and what may be done about them, each once. */
static void add_meanings(const nod_survey *s, nod_strbuf *out)
{
    size_t n[NOD_FINDING_KINDS], n_any = 0, n_refused = 0;
    nod_survey_count_findings(s, n);
    for (int k = 0; k < NOD_FINDING_KINDS; k++)
        n_any += n[k] > 0;
    for (size_t i = 0; i < s->n_images; i++)
        n_refused += !nod_survey_is_usable(&s->images[i]);
    if (n_any) nod_strbuf_add(out, "\nfindings\n");
    for (int k = 0; k < NOD_FINDING_KINDS; k++) {
        const nod_finding_info *info = nod_finding_get_info((nod_finding_kind)k);
        nod_strbuf text = NOD_STRBUF_INIT, help = NOD_STRBUF_INIT;
        char first[64];
        if (n[k] == 0) continue;
        nod_survey_add_help((nod_finding_kind)k, &help);
        snprintf(first, sizeof first, "  %-18s %5zu  ", info->name, n[k]);
        nod_strbuf_add(&text, info->about);
        if (info->preset == NOD_POLICY_REFUSE)
            nod_strbuf_printf(&text, "; refused%s%s", help.len ? ", unless --policy " : "",
                              help.data);
        add_wrapped(out, first, "                            ", text.data);
        nod_strbuf_done(&text);
        nod_strbuf_done(&help);
    }
    if (n_any)
        nod_strbuf_printf(out, "%zu of %zu images are taken as they are, %zu are refused\n",
                          s->n_images - n_refused, s->n_images, n_refused);
}

static void add_problems(const nod_survey *s, nod_strbuf *out)
{
    if (s->n_problems) nod_strbuf_printf(out, "\nbad: %zu\n", s->n_problems);
    for (size_t i = 0; i < NOD_MIN(s->n_problems, (size_t)PROBLEMS); i++) {
        nod_strbuf text = NOD_STRBUF_INIT;
        if (s->show_ids) nod_strbuf_printf(&text, "%s: ", s->problems[i].file);
        nod_strbuf_add(&text, s->problems[i].reason);
        add_wrapped(out, "  ", "    ", text.data);
        nod_strbuf_done(&text);
    }
    if (s->n_problems > PROBLEMS)
        nod_strbuf_printf(out, "  and %zu more; --json lists all\n", s->n_problems - PROBLEMS);
    if (s->n_problems && !s->show_ids) nod_strbuf_add(out, "  --show-ids names them\n");
}

void nod_survey_text(const nod_survey *s, size_t rows_max, nod_strbuf *out)
{
    size_t n_rows, widths[COLUMNS];
    row *rows = make_rows(s, &n_rows);
    if (rows == NULL) {
        out->failed = true;
        return;
    }
    size_t n = rows_max ? NOD_MIN(rows_max, n_rows) : n_rows;
    add_counts(s, out);
    for (size_t i = 0; i < n; i++)
        put_cells(s, &rows[i]);
    find_widths(rows, n, widths);
    if (n) nod_strbuf_addc(out, '\n');
    if (n) add_line(out, headings, widths);
    for (size_t i = 0; i < n; i++) {
        const char *cells[COLUMNS];
        for (int c = 0; c < COLUMNS; c++)
            cells[c] = rows[i].cells[c];
        add_line(out, cells, widths);
        add_remarks(s, &rows[i], out);
    }
    if (n < n_rows)
        nod_strbuf_printf(out, "and %zu more rows; --rows 0 shows all\n", n_rows - n);
    add_meanings(s, out);
    add_problems(s, out);
    nod_free(rows);
}
