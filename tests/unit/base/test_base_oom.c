/* test_base_oom.c: every function that allocates, with the n-th allocation refused, for every
 * n: it says NOD_ENOMEM (or NULL, or false), touches no output, leaks nothing (the asan preset
 * sees that), and leaves no file behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/hmac.h"
#include "base/json.h"
#include "base/memory.h"
#include "fail_alloc.h"
#include "temp_folder.h"
#include "tensor/tensor.h"

/* Runs `work` with each allocation refused in turn, first with all later ones refused too, then
 * alone. `work` returns an error code. */
static void check_all_but(int (*work)(const char *folder, nod_error *err), const char *folder,
                          int also_allowed)
{
    for (int alone = 0; alone <= 1; alone++) {
        long n = 0;
        fail_alloc_only_one(alone != 0);
        for (; fail_alloc_round(n); n++) {
            nod_error err = NOD_ERROR_INIT;
            int rc = work(folder, &err);
            bool refused = fail_alloc_stop();
            if (refused && rc != NOD_ENOMEM && rc != also_allowed)
                fail_msg("allocation %ld: %d", n, rc);
            if (refused) assert_int_equal(err.code, rc);
            if (!refused && rc != 0) fail_msg("%s", err.message);
        }
        assert_true(n > 1); /* at least one allocation was refused */
    }
}

static void check_all(int (*work)(const char *folder, nod_error *err), const char *folder)
{
    check_all_but(work, folder, NOD_ENOMEM);
}

static int work_csv(const char *folder, nod_error *err)
{
    (void)folder;
    static const char text[] =
        "a,b\n1,\"x\"\"y\"\n2,3\n4,5\n6,7\n8,9\n10,11\n12,13\n14,15\n16,17";
    nod_csv *t = NULL;
    int rc = nod_csv_parse(text, sizeof text - 1, "t.csv", &t, err);
    if (rc != 0 && t != NULL) return NOD_EINTERNAL;
    nod_csv_free(t);
    return rc;
}

static int work_json_parse(const char *folder, nod_error *err)
{
    (void)folder;
    static const char text[] = "{\"a\": [1, 2.5, \"text\", {\"k\": null}], \"b\": \"\\u00e4\"}";
    nod_json *j = NULL;
    int rc = nod_json_parse(text, sizeof text - 1, "t.json", &j, err);
    if (rc != 0 && j != NULL) return NOD_EINTERNAL;
    nod_json_free(j);
    return rc;
}

/* Builders are not checked one by one; the dump says it. */
static int work_json_build(const char *folder, nod_error *err)
{
    (void)folder;
    char *text = NULL;
    nod_json *j = nod_json_object(), *list = nod_json_array();
    nod_json_set_str(j, "s", "x");
    for (int i = 0; i < 12; i++) {
        nod_json *item = nod_json_object();
        nod_json_set_int(item, "i", i);
        nod_json_set_real(item, "r", 0.5);
        nod_json_push(list, item);
    }
    nod_json_set(j, "list", list);
    nod_json_set_str(j, "s", "replaced");
    nod_json_set_bool(j, "b", true);
    int rc = nod_json_dump_canonical(j, &text, err);
    if (rc != 0 && text != NULL) return NOD_EINTERNAL;
    if (rc == 0 && strlen(text) < 12 * strlen("{\"i\":0,\"r\":0.5}")) return NOD_EINTERNAL;
    nod_free(text);
    nod_json_free(j);
    return rc;
}

static int work_json_write(const char *folder, nod_error *err)
{
    char path[512];
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "i", 1);
    int rc = nod_json_write(j, temp_path(path, folder, "t.json"), err);
    nod_json_free(j);
    return rc;
}

static int work_file_write(const char *folder, nod_error *err)
{
    char path[512];
    return nod_file_write(temp_path(path, folder, "f"), "text", 4, err);
}

static int work_file_read(const char *folder, nod_error *err)
{
    (void)folder;
    nod_bytes b = {0};
    int rc = nod_file_read("/etc/passwd", 1 << 20, &b, err);
    nod_bytes_done(&b);
    return rc;
}

static int work_folders(const char *folder, nod_error *err)
{
    char path[512];
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dir_make(temp_path(path, folder, "x/y"), err);
    if (rc == 0) rc = nod_dir_list(folder, &names, err);
    nod_strlist_done(&names);
    return rc;
}

static int work_hash(const char *folder, nod_error *err)
{
    (void)folder;
    char hex[NOD_SHA256_HEX];
    int rc = nod_sha256_of("abc", 3, hex, err);
    if (rc == 0 && strncmp(hex, "ba7816bf8f01cfea", 16) != 0) return NOD_EINTERNAL;
    return rc;
}

static int work_hmac(const char *folder, nod_error *err)
{
    (void)folder;
    uint8_t code[NOD_SHA256_BYTES] = {0};
    int rc = nod_hmac_sha256_text("key", 3, "purpose", "text", code, err);
    if (rc != 0 && code[0] != 0) return NOD_EINTERNAL;
    return rc;
}

static int work_tensor(const char *folder, nod_error *err)
{
    (void)folder;
    nod_tensor t = {0};
    nod_shape s = nod_shape_of(2, 3, 4);
    char hex[65];
    int rc = nod_tensor_init(&t, NOD_DTYPE_F32, &s, err);
    if (rc == 0) rc = nod_tensor_hash(&t, hex, err);
    nod_tensor_done(&t);
    return rc;
}

static int work_strbuf(const char *folder, nod_error *err)
{
    (void)folder;
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_add(&b, "start ");
    nod_strbuf_printf(&b, "%0200d", 7);
    for (int i = 0; i < 100; i++)
        nod_csv_add_field(&b, "a,b", i == 0);
    bool failed = b.failed;
    if (!failed && b.len != 6 + 200 + 100 * 5 + 99) return NOD_EINTERNAL;
    char *s = nod_strbuf_take(&b);
    if ((s == NULL) != failed) return NOD_EINTERNAL;
    nod_free(s);
    nod_strbuf_done(&b);
    return failed ? nod_fail_memory(err, "text", 1) : 0;
}

static int work_strlist(const char *folder, nod_error *err)
{
    (void)folder;
    nod_strlist l = NOD_STRLIST_INIT;
    int rc = 0;
    for (size_t i = 0; i < 40 && rc == 0; i++) {
        if (!nod_strlist_add(&l, "word")) rc = nod_fail_memory(err, "a list", 1);
        if (l.n != i + (rc == 0 ? 1 : 0)) return NOD_EINTERNAL;
    }
    nod_strlist_done(&l);
    return rc;
}

static int work_arena(const char *folder, nod_error *err)
{
    (void)folder;
    nod_arena a;
    nod_arena_init(&a);
    bool ok = nod_arena_strdup(&a, "x") != NULL && nod_arena_printf(&a, "%d", 3) != NULL &&
              nod_arena_alloc(&a, 100000) != NULL;
    nod_arena_done(&a);
    return ok ? 0 : nod_fail_memory(err, "an arena", 1);
}

static int work_copies(const char *folder, nod_error *err)
{
    char *parts[] = {nod_strdup("a"),      nod_strndup("abc", 2),
                     nod_memdup("abc", 3), nod_path_join(folder, "x"),
                     nod_path_dir(folder), nod_aligned_calloc(10),
                     nod_calloc(2, 3),     nod_realloc(NULL, 2, 3)};
    bool ok = true;
    for (size_t i = 0; i < NOD_COUNT(parts); i++) {
        ok = ok && parts[i] != NULL;
        nod_free(parts[i]);
    }
    return ok ? 0 : nod_fail_memory(err, "copies", 1);
}

#define OOM_TEST(name)                    \
    static void test_##name(void **state) \
    {                                     \
        check_all(work_##name, *state);   \
    }
OOM_TEST(csv)
OOM_TEST(json_build)
OOM_TEST(json_write)
OOM_TEST(file_read)
OOM_TEST(folders)
OOM_TEST(strbuf)
OOM_TEST(strlist)
OOM_TEST(arena)
OOM_TEST(copies)

/* jansson calls a string token without memory "invalid token". */
static void test_json_parse(void **state)
{
    check_all_but(work_json_parse, *state, NOD_EFORMAT);
}

/* OpenSSL can do without some of its allocations; then the digest must be right. */
static void test_hash(void **state)
{
    check_all_but(work_hash, *state, 0);
}

static void test_hmac(void **state)
{
    check_all_but(work_hmac, *state, 0);
}

static void test_tensor(void **state)
{
    check_all_but(work_tensor, *state, 0);
}

static void test_file_write(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    check_all(work_file_write, *state); /* new, and then replacing */
    assert_int_equal(nod_dir_list(*state, &names, &err), 0);
    for (size_t i = 0; i < names.n; i++)
        assert_null(strstr(names.items[i], ".tmp."));
    nod_strlist_done(&names);
}

static int setup(void **state)
{
    if (CRYPTO_set_mem_functions(fail_alloc_crypto_malloc, fail_alloc_crypto_realloc,
                                 fail_alloc_crypto_free) != 1)
        return -1;
    json_set_alloc_funcs(fail_alloc_malloc, free);
    /* OpenSSL fetches the algorithm once and keeps it. */
    nod_error err = NOD_ERROR_INIT;
    char hex[NOD_SHA256_HEX];
    if (nod_sha256_of("", 0, hex, &err) != 0) return -1;
    uint8_t code[NOD_SHA256_BYTES];
    if (nod_hmac_sha256("k", 1, "", 0, code, &err) != 0) return -1;
    return temp_folder_make(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),        cmocka_unit_test(test_json_parse),
        cmocka_unit_test(test_json_build), cmocka_unit_test(test_json_write),
        cmocka_unit_test(test_file_read),  cmocka_unit_test(test_file_write),
        cmocka_unit_test(test_folders),    cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hmac),       cmocka_unit_test(test_tensor),
        cmocka_unit_test(test_strbuf),     cmocka_unit_test(test_strlist),
        cmocka_unit_test(test_arena),      cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, setup, temp_folder_remove);
}
