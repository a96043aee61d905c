/* csv.h: comma-separated tables (RFC 4180: quotes, doubled quotes, CRLF or LF, UTF-8 BOM).
 *
 * The first row is the header; every row must have as many fields; header names differ, empty
 * ones aside. Lines with nothing on them are skipped. Errors name file, row (as a line number,
 * header = 1) and column. Limits: NOD_CSV_MAX_* below. */
#ifndef NOD_BASE_CSV_H
#define NOD_BASE_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"

#define NOD_CSV_MAX_BYTES   ((size_t)1 << 30)
#define NOD_CSV_MAX_COLUMNS 4096

typedef struct nod_csv nod_csv;

int nod_csv_parse(const char *text, size_t size, const char *name, nod_csv **out,
                  nod_error *err) NOD_MUST_CHECK;
int nod_csv_read(const char *path, nod_csv **out, nod_error *err) NOD_MUST_CHECK;
/* The same where tabs part the fields, as in BIDS. */
int nod_csv_parse_tabs(const char *text, size_t size, const char *name, nod_csv **out,
                       nod_error *err) NOD_MUST_CHECK;
int nod_csv_read_tabs(const char *path, nod_csv **out, nod_error *err) NOD_MUST_CHECK;
void nod_csv_free(nod_csv *t);

size_t nod_csv_rows(const nod_csv *t); /* without the header */
size_t nod_csv_columns(const nod_csv *t);
const char *nod_csv_header(const nod_csv *t, size_t column);
/* Column index by exact name, -1 if absent. */
int64_t nod_csv_find(const nod_csv *t, const char *name);
const char *nod_csv_get(const nod_csv *t, size_t row, size_t column); /* borrowed, never NULL */
size_t nod_csv_line(const nod_csv *t, size_t row); /* line in the file where the row begins */

/* Appends one field, quoted if it must be; `first` = no comma before it. */
void nod_csv_add_field(nod_strbuf *b, const char *field, int first);

#endif
