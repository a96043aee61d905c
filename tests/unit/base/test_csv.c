/* test_csv.c: tables by RFC 4180 (section 2, rules 1 to 7), with places in errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "temp_folder.h"

static nod_csv *must_parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL;
    if (nod_csv_parse(text, strlen(text), "t.csv", &t, &err) != 0) fail_msg("%s", err.message);
    return t;
}

/* All cells, header included, as "a|b/1|2". */
static void check_cells(const char *text, const char *want)
{
    nod_csv *t = must_parse(text);
    nod_strbuf b = NOD_STRBUF_INIT;
    for (size_t c = 0; c < nod_csv_columns(t); c++)
        nod_strbuf_printf(&b, "%s%s", c > 0 ? "|" : "", nod_csv_header(t, c));
    for (size_t r = 0; r < nod_csv_rows(t); r++)
        for (size_t c = 0; c < nod_csv_columns(t); c++)
            nod_strbuf_printf(&b, "%s%s", c > 0 ? "|" : "/", nod_csv_get(t, r, c));
    assert_string_equal(b.data, want);
    nod_strbuf_done(&b);
    nod_csv_free(t);
}

static void test_plain(void **state)
{
    (void)state;
    check_cells("a,b\n1,2\n3,4\n", "a|b/1|2/3|4");
    check_cells("a,b\n1,2\n3,4", "a|b/1|2/3|4"); /* no line end at the end */
    check_cells("a,b\r\n1,2\r\n", "a|b/1|2");
    check_cells("a,b\r\n1,2\r", "a|b/1|2");
    check_cells("a,b\n1,2\r\n3,4\n", "a|b/1|2/3|4"); /* mixed */
    check_cells("a", "a");
    check_cells("a,b,c\n,,\n1,,\n", "a|b|c/||/1||");
    check_cells("a,b\n 1 , 2\t\n", "a|b/ 1 | 2\t"); /* rule 4: spaces are part of a field */
}

static void test_quotes(void **state)
{
    (void)state;
    check_cells("a,b\n\"1\",\"2\"\n", "a|b/1|2");
    check_cells("\"a\",b\n\"x,y\",\"say \"\"hi\"\"\"\n", "a|b/x,y|say \"hi\"");
    check_cells("a,b\n\"two\nlines\",\"\r\n\"\n", "a|b/two\nlines|\r\n");
    check_cells("a,b\n\"\",\"\"\"\"", "a|b/|\"");
    check_cells("a\n\"\"\n\"\"", "a//");
}

static void test_byte_order_mark(void **state)
{
    (void)state;
    check_cells("\xef\xbb\xbf"
                "a,b\n1,2\n",
                "a|b/1|2");
    check_cells("\xef\xbb\xbf\"a\",b\n", "a|b");
    check_cells("a\n\xef\xbb\xbf\n", "a/\xef\xbb\xbf"); /* only at the start of the file */
}

static void test_blank_lines_are_skipped_and_counted(void **state)
{
    (void)state;
    nod_csv *t = must_parse("\n\r\na,b\n\n1,\"x\ny\"\r\n\r\n3,4\n\n\n");
    assert_int_equal(nod_csv_rows(t), 2);
    assert_int_equal(nod_csv_line(t, 0), 5);
    assert_int_equal(nod_csv_line(t, 1), 8);
    assert_string_equal(nod_csv_get(t, 1, 1), "4");
    nod_csv_free(t);
}

/* A table as BIDS has them: a comma is a byte like another, a tab parts the fields. */
static void test_tabs(void **state)
{
    static const char text[] = "participant_id\tage\tnote\r\nsub-01\t34\ta, b\nsub-02\tn/a\t\n";
    static const char quoted[] = "a\tb\n\"x\ty\"\t\"say \"\"hi\"\"\"\n";
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL;
    assert_int_equal(nod_csv_parse_tabs(text, strlen(text), "t.tsv", &t, &err), 0);
    assert_int_equal(nod_csv_columns(t), 3);
    assert_int_equal(nod_csv_rows(t), 2);
    assert_string_equal(nod_csv_header(t, 2), "note");
    assert_string_equal(nod_csv_get(t, 0, 2), "a, b");
    assert_string_equal(nod_csv_get(t, 1, 1), "n/a");
    assert_string_equal(nod_csv_get(t, 1, 2), "");
    nod_csv_free(t);
    temp_path(path, *state, "quoted.tsv");
    assert_int_equal(nod_file_write(path, quoted, strlen(quoted), &err), 0);
    assert_int_equal(nod_csv_read_tabs(path, &t, &err), 0);
    assert_string_equal(nod_csv_get(t, 0, 0), "x\ty");
    assert_string_equal(nod_csv_get(t, 0, 1), "say \"hi\"");
    nod_csv_free(t);
    t = NULL;
    assert_int_equal(nod_csv_parse_tabs("a\n1\t2\n", 6, "t.tsv", &t, &err), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "t.tsv:2: the row has 2 fields, the header has 1"));
    assert_non_null(strstr(err.message, "a tab in a field needs quotes"));
    assert_null(t);
}

static void test_find(void **state)
{
    (void)state;
    nod_csv *t = must_parse(",id,Label\n0,1,2\n");
    assert_int_equal(nod_csv_find(t, "id"), 1);
    assert_int_equal(nod_csv_find(t, "Label"), 2);
    assert_int_equal(nod_csv_find(t, "label"), -1);
    assert_int_equal(nod_csv_find(t, ""), 0);
    nod_csv_free(t);
    nod_csv_free(NULL);
}

static void check_refused(const char *text, size_t size, const char *want)
{
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL;
    assert_int_equal(nod_csv_parse(text, size, "t.csv", &t, &err), NOD_EFORMAT);
    assert_null(t);
    assert_string_equal(err.message, want);
}

static void test_errors_name_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "t.csv: the table is empty: a header row is expected"},
        {"\n\r\n", "t.csv: the table is empty: a header row is expected"},
        {"\xef\xbb\xbf", "t.csv: the table is empty: a header row is expected"},
        {"a,b\n1,2\n3\n", "t.csv:3: the row has 1 fields, the header has 2"},
        {"a,b\n\n\"x\ny\",2\n3,4,5\n",
         "t.csv:5: the row has 3 fields, the header has 2 (a comma "
         "in a field needs quotes)"},
        {"a,b\n1,2,",
         "t.csv:2: the row has 3 fields, the header has 2 (a comma in a field needs "
         "quotes)"},
        {"a,size\n1,5\" wide\n", "t.csv:2: column 2 (size): a quote inside a field (quote the "
                                 "whole field and double it)"},
        {"a,b\n1,\"2\"x\n", "t.csv:2: column 2 (b): text after the closing quote"},
        {"a,b\n1,2\n\"3,4\n5,6\n", "t.csv:3: column 1 (a): the quote that opens here is never "
                                   "closed"},
        {"a,b\r1,2\r", "t.csv:1: column 2: a carriage return without a line feed"},
        {"a,b,a\n", "t.csv:1: columns 1 and 3 have the same name"},
        {"a\n1\n\"", "t.csv:3: column 1 (a): the quote that opens here is never closed"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++)
        check_refused(cases[i].text, strlen(cases[i].text), cases[i].want);
    check_refused("a\0,\0b\0\n", 8,
                  "t.csv:1: column 1: a NUL byte (is the file UTF-16? save it as UTF-8)");
    check_refused("a,b\n1,\"\0\"", 9,
                  "t.csv:2: column 2 (b): a NUL byte (is the file UTF-16? save it as UTF-8)");
}

static void test_limits(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL;
    nod_strbuf b = NOD_STRBUF_INIT;
    for (int i = 0; i < NOD_CSV_MAX_COLUMNS; i++)
        nod_strbuf_printf(&b, "%sc%d", i > 0 ? "," : "", i);
    assert_int_equal(nod_csv_parse(b.data, b.len, "t.csv", &t, &err), 0);
    assert_int_equal(nod_csv_columns(t), NOD_CSV_MAX_COLUMNS);
    nod_csv_free(t);
    t = NULL;
    nod_strbuf_add(&b, ",more");
    assert_int_equal(nod_csv_parse(b.data, b.len, "t.csv", &t, &err), NOD_ELIMIT);
    assert_string_equal(err.message, "t.csv:1: more than 4096 columns");
    nod_strbuf_done(&b);
    /* The size alone decides, before a byte is read. */
    assert_int_equal(nod_csv_parse("", NOD_CSV_MAX_BYTES + 1, "t.csv", &t, &err), NOD_ELIMIT);
    assert_null(t);
}

static void test_read_file(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_csv *t = NULL;
    temp_path(path, *state, "t.csv");
    assert_int_equal(nod_csv_read(path, &t, &err), NOD_ENOENT);
    assert_int_equal(nod_file_write(path, "a,b\n1,2", 7, &err), 0);
    assert_int_equal(nod_csv_read(path, &t, &err), 0);
    assert_string_equal(nod_csv_get(t, 0, 1), "2");
    nod_csv_free(t);
    t = NULL;
    assert_int_equal(nod_file_write(path, "a,b\n1", 5, &err), 0);
    assert_int_equal(nod_csv_read(path, &t, &err), NOD_EFORMAT);
    assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
    assert_int_equal(strncmp(err.message + strlen(path), ":2: ", 4), 0);
}

static void test_fields_are_quoted_when_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *field, *first, *later;
    } cases[] = {
        {"plain", "plain", ",plain"},
        {"a b", "a b", ",a b"},
        {"", "\"\"", ","}, /* a row of one empty field is not a blank line */
        {"a,b", "\"a,b\"", ",\"a,b\""},
        {"a\"b", "\"a\"\"b\"", ",\"a\"\"b\""},
        {"a\nb", "\"a\nb\"", ",\"a\nb\""},
        {"\r", "\"\r\"", ",\"\r\""},
        {"\xef\xbb\xbf", "\"\xef\xbb\xbf\"", ",\xef\xbb\xbf"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_csv_add_field(&b, cases[i].field, 1);
        assert_string_equal(b.data, cases[i].first);
        nod_strbuf_clear(&b);
        nod_csv_add_field(&b, cases[i].field, 0);
        assert_string_equal(b.data, cases[i].later);
        nod_strbuf_done(&b);
    }
}

/* What was written is read back, whatever the fields hold. */
static void test_random_round_trip(void **state)
{
    (void)state;
    static const char alphabet[] = ",\"\n\r a\xef\xbb\xbf\xc3\xa4;'\t0";
    enum { ROWS = 5, FIELD = 6 };
    nod_rng r = nod_rng_make(11, NOD_RNG_TEST, 0);
    for (int round = 0; round < 2000; round++) {
        size_t columns = 1 + nod_rng_below(&r, 4);
        char cells[ROWS][4][FIELD + 4];
        nod_strbuf b = NOD_STRBUF_INIT;
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t c = 0; c < columns; c++) {
                char *cell = cells[i][c];
                size_t len = nod_rng_below(&r, FIELD);
                for (size_t k = 0; k < len; k++)
                    cell[k] = alphabet[nod_rng_below(&r, sizeof alphabet - 1)];
                cell[len] = '\0';
                if (i == 0) { /* header names differ */
                    cell[len] = (char)('0' + c);
                    cell[len + 1] = '\0';
                }
                nod_csv_add_field(&b, cell, c == 0);
            }
            nod_strbuf_add(&b, round % 2 ? "\n" : "\r\n");
        }
        nod_csv *t = must_parse(b.data);
        assert_int_equal(nod_csv_rows(t), ROWS - 1);
        assert_int_equal(nod_csv_columns(t), columns);
        for (size_t c = 0; c < columns; c++) {
            assert_string_equal(nod_csv_header(t, c), cells[0][c]);
            for (size_t i = 1; i < ROWS; i++)
                assert_string_equal(nod_csv_get(t, i - 1, c), cells[i][c]);
        }
        nod_csv_free(t);
        nod_strbuf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_blank_lines_are_skipped_and_counted),
        cmocka_unit_test(test_tabs),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_errors_name_line_and_column),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_fields_are_quoted_when_they_must_be),
        cmocka_unit_test(test_random_round_trip),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
