/* fuzz_csv.c: any bytes through the parser of tables, with commas and with tabs. What it accepts is
 * written back with commas and must be read again as the same cells. */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_row(nod_strbuf *b, const nod_csv *t, size_t row, bool header)
{
    for (size_t c = 0; c < nod_csv_columns(t); c++)
        nod_csv_add_field(b, header ? nod_csv_header(t, c) : nod_csv_get(t, row, c), c == 0);
    nod_strbuf_addc(b, '\n');
}

static void check_same(const nod_csv *a, const nod_csv *b)
{
    NOD_ASSERT(nod_csv_rows(a) == nod_csv_rows(b));
    NOD_ASSERT(nod_csv_columns(a) == nod_csv_columns(b));
    for (size_t c = 0; c < nod_csv_columns(a); c++) {
        NOD_ASSERT(strcmp(nod_csv_header(a, c), nod_csv_header(b, c)) == 0);
        for (size_t r = 0; r < nod_csv_rows(a); r++)
            NOD_ASSERT(strcmp(nod_csv_get(a, r, c), nod_csv_get(b, r, c)) == 0);
    }
}

typedef int (*parse_table)(const char *text, size_t size, const char *name, nod_csv **out,
                           nod_error *err);

static void try_bytes(const uint8_t *data, size_t size, parse_table parse)
{
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL, *again = NULL;
    if (parse((const char *)data, size, "fuzz.csv", &t, &err) != 0) {
        NOD_ASSERT(t == NULL && err.code != 0 && err.message[0] != '\0');
        return;
    }
    nod_strbuf b = NOD_STRBUF_INIT;
    add_row(&b, t, 0, true);
    size_t line = 0;
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        NOD_ASSERT(nod_csv_line(t, r) > line && nod_csv_line(t, r) <= size);
        line = nod_csv_line(t, r);
        add_row(&b, t, r, false);
    }
    NOD_ASSERT(!b.failed);
    int rc = nod_csv_parse(b.data, b.len, "again.csv", &again, &err);
    NOD_ASSERT(rc == 0);
    check_same(t, again);
    nod_strbuf_done(&b);
    nod_csv_free(again);
    nod_csv_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_bytes(data, size, nod_csv_parse);
    try_bytes(data, size, nod_csv_parse_tabs);
    return 0;
}
