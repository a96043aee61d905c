/* csv.c: tables by RFC 4180, with commas or tabs. The text is copied once and cut up in place: each field is un-quoted
 * over itself, ended by a NUL, and known by its offset. */
#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

struct nod_csv {
    char *text;
    uint32_t *cells; /* offsets into text: header first, then row by row */
    size_t n_cells, cap_cells;
    uint32_t *lines; /* per row, header first */
    size_t n_lines, cap_lines;
    size_t n_columns;
};

typedef struct csv_parser {
    nod_csv *t;
    const char *name;
    char comma;      /* what parts fields */
    size_t at, size; /* position in t->text, and its end */
    size_t line;     /* at `at`; the first is 1 */
    size_t row_line; /* where the row began */
    size_t row_cell; /* first cell of the row */
    nod_error *err;
} csv_parser;

/* Fails naming the field that is being read. */
static int fail_field(csv_parser *p, size_t line, const char *what)
{
    size_t column = p->t->n_cells - p->row_cell;
    const char *header = "";
    if (p->t->n_columns > 0 && column < p->t->n_columns)
        header = p->t->text + p->t->cells[column];
    return nod_fail(p->err, NOD_EFORMAT, "%s:%zu: column %zu%s%.100s%s: %s", p->name, line,
                    column + 1, *header ? " (" : "", header, *header ? ")" : "", what);
}

static int add_cell(csv_parser *p, size_t offset)
{
    nod_csv *t = p->t;
    if (t->n_cells - p->row_cell >= NOD_CSV_MAX_COLUMNS)
        return nod_fail(p->err, NOD_ELIMIT, "%s:%zu: more than %d columns", p->name,
                        p->row_line, NOD_CSV_MAX_COLUMNS);
    if (!nod_grow((void **)&t->cells, &t->cap_cells, t->n_cells + 1, sizeof *t->cells))
        return nod_fail_memory(p->err, "a table", (t->n_cells + 1) * sizeof *t->cells);
    t->cells[t->n_cells++] = (uint32_t)offset;
    return 0;
}

/* Reads "..." at p->at; leaves p->at after the closing quote and *end where the text ends. */
static int quoted_field(csv_parser *p, size_t *end)
{
    char *s = p->t->text;
    size_t opened = p->line, to = p->at;
    for (p->at++; p->at < p->size; p->at++) {
        char c = s[p->at];
        if (c == '"') {
            if (p->at + 1 >= p->size || s[p->at + 1] != '"') {
                p->at++;
                *end = to;
                return 0;
            }
            p->at++;
        } else if (c == '\n') {
            p->line++;
        } else if (c == '\0') {
            return fail_field(p, p->line, "a NUL byte (is the file UTF-16? save it as UTF-8)");
        }
        s[to++] = c;
    }
    return fail_field(p, opened, "the quote that opens here is never closed");
}

static int plain_field(csv_parser *p, size_t *end)
{
    const char *s = p->t->text;
    for (; p->at < p->size && s[p->at] != p->comma && s[p->at] != '\n' && s[p->at] != '\r';
         p->at++) {
        if (s[p->at] == '"')
            return fail_field(p, p->line,
                              "a quote inside a field (quote the whole field and double it)");
        if (s[p->at] == '\0')
            return fail_field(p, p->line, "a NUL byte (is the file UTF-16? save it as UTF-8)");
    }
    *end = p->at;
    return 0;
}

/* One field and what follows it; *more says that another one does. */
static int parse_field(csv_parser *p, bool *more)
{
    char *s = p->t->text;
    size_t start = p->at, end = start;
    bool quoted = p->at < p->size && s[p->at] == '"';
    int rc = quoted ? quoted_field(p, &end) : plain_field(p, &end);
    if (rc != 0) return rc;
    *more = false;
    char after = '\n';
    if (p->at < p->size) {
        after = s[p->at];
        if (after == '\r' && (p->at + 1 >= p->size || s[p->at + 1] == '\n')) {
            p->at++;
            after = '\n';
        }
        if (after == '\r')
            return fail_field(p, p->line, "a carriage return without a line feed");
        if (after != p->comma && after != '\n')
            return fail_field(p, p->line, "text after the closing quote");
        if (p->at < p->size) p->at++;
        if (after == '\n') p->line++;
        *more = after == p->comma;
    }
    rc = add_cell(p, start);
    /* Last, since the end may be the byte that was looked at as the delimiter. */
    s[end] = '\0';
    return rc;
}

static int check_header(csv_parser *p)
{
    nod_csv *t = p->t;
    t->n_columns = t->n_cells;
    for (size_t i = 0; i < t->n_columns; i++) {
        const char *name = nod_csv_header(t, i);
        if (*name == '\0') continue; /* row numbers of other programs have no name */
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, nod_csv_header(t, j)) == 0)
                return nod_fail(p->err, NOD_EFORMAT,
                                "%s:%zu: columns %zu and %zu have the same name", p->name,
                                p->row_line, j + 1, i + 1);
    }
    return 0;
}

static int parse_row(csv_parser *p)
{
    nod_csv *t = p->t;
    p->row_line = p->line;
    p->row_cell = t->n_cells;
    bool more = true;
    while (more) {
        int rc = parse_field(p, &more);
        if (rc != 0) return rc;
    }
    if (!nod_grow((void **)&t->lines, &t->cap_lines, t->n_lines + 1, sizeof *t->lines))
        return nod_fail_memory(p->err, "a table", (t->n_lines + 1) * sizeof *t->lines);
    t->lines[t->n_lines++] = (uint32_t)p->row_line;
    size_t n = t->n_cells - p->row_cell;
    if (t->n_columns == 0) return check_header(p);
    if (n != t->n_columns)
        return nod_fail(p->err, NOD_EFORMAT,
                        "%s:%zu: the row has %zu fields, the header has %zu%s", p->name,
                        p->row_line, n, t->n_columns,
                        n <= t->n_columns  ? ""
                        : p->comma == '\t' ? " (a tab in a field needs quotes)"
                                           : " (a comma in a field needs quotes)");
    return 0;
}

/* Length of the line end at p->at, 0 if there is none. */
static size_t line_end(const csv_parser *p)
{
    const char *s = p->t->text + p->at;
    size_t rest = p->size - p->at;
    if (s[0] == '\n') return 1;
    if (s[0] != '\r') return 0;
    return rest == 1 ? 1 : s[1] == '\n' ? 2 : 0;
}

/* Consumes `text`, which has room for a NUL after `size` bytes. */
static int parse_take(char *text, size_t size, const char *name, char comma, nod_csv **out,
                      nod_error *err)
{
    int rc = 0;
    nod_csv *t = nod_calloc(1, sizeof *t);
    if (t == NULL) {
        nod_free(text);
        return nod_fail_memory(err, "a table", sizeof *t);
    }
    t->text = text;
    csv_parser p = {.t = t, .name = name, .comma = comma, .size = size, .line = 1, .err = err};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) p.at = 3;
    while (p.at < p.size) {
        size_t blank = line_end(&p);
        if (blank > 0) {
            p.at += blank;
            p.line++;
            continue;
        }
        NOD_TRY(parse_row(&p));
    }
    if (t->n_columns == 0) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: the table is empty: a header row is expected",
                      name);
        goto out;
    }
    *out = t;
    t = NULL;
out:
    nod_csv_free(t);
    return rc;
}

static int check_size(size_t size, const char *name, nod_error *err)
{
    if (size <= NOD_CSV_MAX_BYTES) return 0;
    return nod_fail(err, NOD_ELIMIT, "%s has %zu bytes; a table may have %zu", name, size,
                    NOD_CSV_MAX_BYTES);
}

static int parse_text(const char *text, size_t size, const char *name, char comma,
                      nod_csv **out, nod_error *err)
{
    int rc = check_size(size, name, err);
    if (rc != 0) return rc;
    char *copy = nod_malloc(size + 1);
    if (copy == NULL) return nod_fail_memory(err, "a table", size + 1);
    if (size > 0) memcpy(copy, text, size);
    copy[size] = '\0';
    return parse_take(copy, size, name, comma, out, err);
}

static int read_file(const char *path, char comma, nod_csv **out, nod_error *err)
{
    nod_bytes bytes;
    int rc = nod_file_read(path, NOD_CSV_MAX_BYTES, &bytes, err);
    if (rc != 0) return rc;
    return parse_take((char *)bytes.data, bytes.size, path, comma, out, err);
}

int nod_csv_parse(const char *text, size_t size, const char *name, nod_csv **out,
                  nod_error *err)
{
    return parse_text(text, size, name, ',', out, err);
}

int nod_csv_read(const char *path, nod_csv **out, nod_error *err)
{
    return read_file(path, ',', out, err);
}

int nod_csv_parse_tabs(const char *text, size_t size, const char *name, nod_csv **out,
                       nod_error *err)
{
    return parse_text(text, size, name, '\t', out, err);
}

int nod_csv_read_tabs(const char *path, nod_csv **out, nod_error *err)
{
    return read_file(path, '\t', out, err);
}

void nod_csv_free(nod_csv *t)
{
    if (t == NULL) return;
    nod_free(t->text);
    nod_free(t->cells);
    nod_free(t->lines);
    nod_free(t);
}

size_t nod_csv_rows(const nod_csv *t)
{
    return t->n_lines - 1;
}

size_t nod_csv_columns(const nod_csv *t)
{
    return t->n_columns;
}

const char *nod_csv_header(const nod_csv *t, size_t column)
{
    NOD_ASSERT(column < t->n_columns);
    return t->text + t->cells[column];
}

int64_t nod_csv_find(const nod_csv *t, const char *name)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (strcmp(nod_csv_header(t, i), name) == 0) return (int64_t)i;
    return -1;
}

const char *nod_csv_get(const nod_csv *t, size_t row, size_t column)
{
    NOD_ASSERT(row < nod_csv_rows(t) && column < t->n_columns);
    return t->text + t->cells[(row + 1) * t->n_columns + column];
}

size_t nod_csv_line(const nod_csv *t, size_t row)
{
    NOD_ASSERT(row < nod_csv_rows(t));
    return t->lines[row + 1];
}

void nod_csv_add_field(nod_strbuf *b, const char *field, int first)
{
    if (!first) nod_strbuf_addc(b, ',');
    size_t len = strlen(field);
    /* An empty first field is quoted, since a row of one empty field would be a blank line; a
     * byte order mark is, since it would vanish at the start of a file. */
    bool quote = field[strcspn(field, ",\"\r\n")] != '\0' || (first && len == 0) ||
                 (first && nod_has_prefix(field, "\xef\xbb\xbf"));
    if (!quote) {
        nod_strbuf_addn(b, field, len);
        return;
    }
    nod_strbuf_addc(b, '"');
    for (const char *s = field; *s != '\0'; s++) {
        if (*s == '"') nod_strbuf_addc(b, '"');
        nod_strbuf_addc(b, *s);
    }
    nod_strbuf_addc(b, '"');
}
