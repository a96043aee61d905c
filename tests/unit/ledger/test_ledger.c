/* test_ledger.c: the chain, its anchors, and each way to tamper with them.
 *
 * Rows are altered as somebody with the file would (ledger_tamper.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "ledger/look.h"
#include "ledger_tamper.h"
#include "temp_folder.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const nod_seal_case cases[] = {
    {"pixels-1", "p1", false}, {"pixels-2", "p2", false}, {"pixels-3", "p3", true}};

static nod_ledger *open_ledger(const char *path, nod_ledger_mode mode)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = NULL;
    if (nod_ledger_open(path, mode, &l, &err) != 0) fail_msg("%s", err.message);
    return l;
}

static nod_anchor seal(nod_ledger *l, const char *split)
{
    nod_error err = NOD_ERROR_INIT;
    nod_anchor a;
    nod_seal_request q = {.split_hash = split, .cohort_hash = HASH_B, .cases = cases, .n = 3};
    if (nod_seal_split(l, &q, &a, &err) != 0) fail_msg("%s", err.message);
    return a;
}

/* A fresh ledger with one sealed split; the anchor of that split. */
static nod_anchor make(const char *path)
{
    unlink(path);
    nod_ledger *l = open_ledger(path, NOD_LEDGER_CREATE);
    nod_anchor a = seal(l, HASH_A);
    nod_ledger_close(l);
    return a;
}

static void copy(const char *from, const char *to)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b;
    assert_int_equal(nod_file_read(from, 1 << 24, &b, &err), 0);
    assert_int_equal(nod_file_write(to, b.data, b.size, &err), 0);
    nod_bytes_done(&b);
}

/* Runs SQL on the file; returns SQLite's code. */
static int sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

static void sql_without_triggers(const char *path, const char *text)
{
    assert_int_equal(ledger_tamper_sql(path, text), SQLITE_OK);
}

static void rechain(const char *path)
{
    assert_int_equal(ledger_tamper_rechain(path), SQLITE_OK);
}

/* Opening fails with `code` and a message that holds `text`. */
static void expect_refused(const char *path, int code, const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = NULL;
    int rc = nod_ledger_open(path, NOD_LEDGER_READ, &l, &err);
    assert_null(l);
    assert_int_equal(rc, code);
    if (strstr(err.message, text) == NULL) fail_msg("'%s' not in: %s", text, err.message);
}

static void expect_unfit(const char *path, const nod_anchor *a, const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = open_ledger(path, NOD_LEDGER_READ);
    assert_int_equal(nod_ledger_check_anchor(l, a, "split.json", &err), NOD_ESEAL);
    if (strstr(err.message, text) == NULL) fail_msg("'%s' not in: %s", text, err.message);
    assert_non_null(strstr(err.message, "split.json"));
    nod_ledger_close(l);
}

static void test_create_and_reopen(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    nod_anchor a = make(path);
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = open_ledger(path, NOD_LEDGER_READ);
    assert_int_equal(nod_ledger_length(l), 2);
    assert_string_equal(nod_ledger_get(l, 0).kind, "ledger");
    assert_string_equal(nod_ledger_get(l, 1).kind, "split");
    assert_int_equal(a.length, 2);
    assert_int_equal(nod_ledger_check_anchor(l, &a, "x", &err), 0);
    nod_anchor now = nod_ledger_anchor(l);
    assert_memory_equal(&now, &a, sizeof a);

    nod_json *j = nod_anchor_to_json(&a);
    nod_anchor back;
    memset(&back, 0, sizeof back);
    assert_int_equal(nod_anchor_from_json(j, "x", &back, &err), 0);
    assert_memory_equal(&back, &a, sizeof a);
    nod_json_set_int(j, "length", 0);
    assert_int_equal(nod_anchor_from_json(j, "x", &back, &err), NOD_EFORMAT);
    nod_json_free(j);
    /* Opened for reading, it takes no rows. */
    nod_seal_request q = {.split_hash = HASH_A, .cohort_hash = HASH_B, .cases = cases, .n = 3};
    assert_int_equal(nod_seal_split(l, &q, &a, &err), NOD_EINVAL);
    nod_ledger_close(l);
}

static void test_ledger_holds_no_patient_key(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    unlink(path);
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = open_ledger(path, NOD_LEDGER_CREATE);
    nod_seal_case one = {"pixels", "Erika_Mustermann", true};
    nod_seal_request q = {.split_hash = HASH_A, .cohort_hash = HASH_B, .cases = &one, .n = 1};
    nod_anchor a;
    assert_int_equal(nod_seal_split(l, &q, &a, &err), 0);
    nod_ledger_close(l);
    nod_bytes b;
    assert_int_equal(nod_file_read(path, 1 << 24, &b, &err), 0);
    assert_null(memmem(b.data, b.size, "Mustermann", 10));
    nod_bytes_done(&b);
}

static void test_triggers_refuse_changes(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    make(path);
    assert_int_equal(sql(path, "UPDATE ledger SET time = 'x' WHERE seq = 1"),
                     SQLITE_CONSTRAINT);
    assert_int_equal(sql(path, "DELETE FROM ledger WHERE seq = 2"), SQLITE_CONSTRAINT);
    assert_int_equal(sql(path, "INSERT OR REPLACE INTO ledger SELECT seq, 'x', kind, payload, "
                               "test_cases, other_cases, prev, hash FROM ledger WHERE seq = 2"),
                     SQLITE_CONSTRAINT);
    nod_ledger_close(open_ledger(path, NOD_LEDGER_READ)); /* all as it was */
}

static void test_edited_row(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    static const char *const edits[] = {
        "UPDATE ledger SET payload = replace(payload, '3', '4') WHERE seq = 2",
        "UPDATE ledger SET time = '2020-01-01T00:00:00Z' WHERE seq = 2",
        "UPDATE ledger SET kind = 'note' WHERE seq = 2",
        "UPDATE ledger SET test_cases = other_cases WHERE seq = 2",
        "UPDATE ledger SET test_cases = x'01' WHERE seq = 2",
        "UPDATE ledger SET hash = prev WHERE seq = 2",
    };
    for (size_t i = 0; i < NOD_COUNT(edits); i++) {
        make(path);
        sql_without_triggers(path, edits[i]);
        expect_refused(path, NOD_ESEAL, "row 2");
    }
    make(path);
    sql_without_triggers(path, "DELETE FROM ledger WHERE seq = 1");
    expect_refused(path, NOD_ESEAL, "row 1 is missing");
}

static void test_triggers_taken_off(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    make(path);
    assert_int_equal(sql(path, "DROP TRIGGER ledger_no_update"), SQLITE_OK);
    expect_refused(path, NOD_ESEAL, "ledger_no_update");
    make(path);
    assert_int_equal(sql(path, "CREATE TABLE more (x)"), SQLITE_OK);
    expect_refused(path, NOD_ESEAL, "more");
}

static void test_rechained_does_not_fit_anchor(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    nod_anchor a = make(path);
    rechain(path); /* nothing edited: our formula gives the same chain */
    nod_error err = NOD_ERROR_INIT;
    nod_ledger *l = open_ledger(path, NOD_LEDGER_READ);
    assert_int_equal(nod_ledger_check_anchor(l, &a, "split.json", &err), 0);
    nod_ledger_close(l);

    sql_without_triggers(path, "UPDATE ledger SET time = '2020-01-01T00:00:00Z' WHERE seq = 2");
    rechain(path);
    expect_unfit(path, &a, "rewritten"); /* opens: the chain is whole again */
}

static void test_rolled_back(void **state)
{
    char path[512], old[512];
    temp_path(path, *state, "a.sqlite");
    temp_path(old, *state, "old.sqlite");
    nod_anchor first = make(path);
    copy(path, old);
    nod_ledger *l = open_ledger(path, NOD_LEDGER_WRITE);
    nod_anchor second = seal(l, HASH_B);
    nod_ledger_close(l);
    copy(old, path);
    expect_unfit(path, &second, "rolled back");
    /* Another row in the place of the one that was taken back. */
    l = open_ledger(path, NOD_LEDGER_WRITE);
    nod_seal_request q = {.split_hash = HASH_B, .cohort_hash = HASH_A, .cases = cases, .n = 3};
    nod_error err = NOD_ERROR_INIT;
    nod_anchor third;
    assert_int_equal(nod_seal_split(l, &q, &third, &err), 0);
    assert_int_equal(nod_ledger_check_anchor(l, &first, "split.json", &err), 0);
    nod_ledger_close(l);
    expect_unfit(path, &second, "rewritten");
    /* The last row taken out by hand. */
    sql_without_triggers(path, "DELETE FROM ledger WHERE seq = 3");
    expect_unfit(path, &third, "rolled back");
}

static void test_rolled_back_while_open(void **state)
{
    char path[512], old[512];
    temp_path(path, *state, "a.sqlite");
    temp_path(old, *state, "old.sqlite");
    make(path);
    nod_ledger *l = open_ledger(path, NOD_LEDGER_WRITE);
    sql_without_triggers(path, "DELETE FROM ledger WHERE seq = 2");
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_ledger_verify(l, &err), NOD_ESEAL);
    nod_seal_request q = {.split_hash = HASH_B, .cohort_hash = HASH_A, .cases = cases, .n = 3};
    nod_anchor a;
    assert_int_equal(nod_seal_split(l, &q, &a, &err), NOD_ESEAL);
    nod_ledger_close(l);
}

static void test_deleted(void **state)
{
    char path[512];
    temp_path(path, *state, "a.sqlite");
    nod_anchor a = make(path);
    unlink(path);
    expect_refused(path, NOD_ENOENT, "no ledger");
    make(path); /* a new one in its place */
    expect_unfit(path, &a, "deleted");
}

static void test_not_a_ledger(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    temp_path(path, *state, "b.sqlite");
    assert_int_equal(nod_file_write(path, "this is no database, but a text\n", 32, &err), 0);
    expect_refused(path, NOD_EFORMAT, "not a ledger");
    assert_int_equal(nod_file_write(path, "", 0, &err), 0);
    expect_refused(path, NOD_EFORMAT, "empty");
    unlink(path);
    assert_int_equal(sql(path, "CREATE TABLE t (x)"), SQLITE_OK);
    expect_refused(path, NOD_ESEAL, "another program");
    unlink(path);
}

static void test_damaged_bytes(void **state)
{
    /* Every page cut or flipped: an error, never a crash, never a changed row taken as good. */
    char path[512], bad[512];
    temp_path(path, *state, "a.sqlite");
    temp_path(bad, *state, "bad.sqlite");
    nod_anchor a = make(path);
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b;
    assert_int_equal(nod_file_read(path, 1 << 24, &b, &err), 0);
    for (size_t at = 0; at < b.size; at += 97) {
        nod_ledger *l = NULL;
        b.data[at] ^= 0x41;
        assert_int_equal(nod_file_write(bad, b.data, b.size, &err), 0);
        b.data[at] ^= 0x41;
        if (nod_ledger_open(bad, NOD_LEDGER_READ, &l, &err) == 0)
            assert_int_equal(nod_ledger_check_anchor(l, &a, "x", &err), 0);
        nod_ledger_close(l);
        l = NULL;
        assert_int_equal(nod_file_write(bad, b.data, at, &err), 0);
        if (nod_ledger_open(bad, NOD_LEDGER_READ, &l, &err) == 0)
            assert_int_equal(nod_ledger_check_anchor(l, &a, "x", &err), 0);
        nod_ledger_close(l);
    }
    nod_bytes_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_and_reopen),
        cmocka_unit_test(test_ledger_holds_no_patient_key),
        cmocka_unit_test(test_triggers_refuse_changes),
        cmocka_unit_test(test_edited_row),
        cmocka_unit_test(test_triggers_taken_off),
        cmocka_unit_test(test_rechained_does_not_fit_anchor),
        cmocka_unit_test(test_rolled_back),
        cmocka_unit_test(test_rolled_back_while_open),
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_not_a_ledger),
        cmocka_unit_test(test_damaged_bytes),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
