/* test_look.c: who may look at a test set, when, and what is recorded.
 *
 * Cases of split A: test patients p3 and p4; processes are real ones (fork, kill -9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "ledger/look.h"
#include "temp_folder.h"

#define SPLIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SPLIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COHORT  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define RUN_1   "1111111111111111111111111111111111111111111111111111111111111111"
#define RUN_2   "2222222222222222222222222222222222222222222222222222222222222222"
#define RESULTS "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static const nod_seal_case cases_a[] = {{"x1", "p1", false},
                                        {"x2", "p2", false},
                                        {"x3", "p3", true},
                                        {"x4", "p4", true},
                                        {NULL, "p5", false}};

typedef struct world {
    char path[512];
    nod_ledger *l;
    nod_anchor split;
} world;

static int seal(nod_ledger *l, const char *split, const nod_seal_case *cases, size_t n,
                const char *again, nod_anchor *out, nod_error *err)
{
    nod_seal_request q = {.split_hash = split,
                          .cohort_hash = COHORT,
                          .cases = cases,
                          .n = n,
                          .again = again,
                          .by = "tester"};
    return nod_seal_split(l, &q, out, err);
}

static world make(const char *folder)
{
    world w;
    nod_error err = NOD_ERROR_INIT;
    temp_path(w.path, folder, "ledger.sqlite");
    unlink(w.path);
    if (nod_ledger_open(w.path, NOD_LEDGER_CREATE, &w.l, &err) != 0 ||
        seal(w.l, SPLIT_A, cases_a, NOD_COUNT(cases_a), NULL, &w.split, &err) != 0)
        fail_msg("%s", err.message);
    return w;
}

static int look(nod_ledger *l, const char *split, const nod_anchor *anchor, const char *run,
                const nod_anchor *made, const char *again, nod_look **out, nod_error *err)
{
    nod_look_run runs[] = {{.name = "run", .hash = run, .made = *made}};
    nod_look_request q = {.split_hash = split,
                          .split_anchor = *anchor,
                          .runs = runs,
                          .n_runs = 1,
                          .again = again};
    return nod_look_begin(l, &q, out, err);
}

/* A look of run 1 that is finished. */
static void look_and_finish(world *w, const char *split, const nod_anchor *anchor,
                            const char *again)
{
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    if (look(w->l, split, anchor, RUN_1, anchor, again, &k, &err) != 0 ||
        nod_look_finish(k, RESULTS, &err) != 0)
        fail_msg("%s", err.message);
    nod_look_close(k);
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("'%s' not in: %s", part, text);
}

static void test_row_stands_before_right_is_given(void **state)
{
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    nod_ledger *other = NULL;
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err), 0);
    assert_int_equal(nod_ledger_open(w.path, NOD_LEDGER_READ, &other, &err), 0);
    assert_int_equal(nod_ledger_length(other), 3);
    assert_string_equal(nod_ledger_get(other, 2).kind, "look");
    expect_in(nod_ledger_get(other, 2).payload, RUN_1);
    nod_anchor a = nod_look_anchor(k);
    assert_int_equal(a.length, 3);
    assert_int_equal(nod_ledger_check_anchor(other, &a, "x", &err), 0);
    nod_ledger_close(other);

    assert_int_equal(nod_look_number(k), 1);
    assert_false(nod_look_is_resumed(k));
    assert_int_equal(nod_look_permits(k, SPLIT_A, &err), 0);
    assert_int_equal(nod_look_permits(k, SPLIT_B, &err), NOD_ESEAL);
    assert_int_equal(nod_look_permits(NULL, SPLIT_A, &err), NOD_ESEAL);
    assert_int_equal(nod_look_finish(k, RESULTS, &err), 0);
    assert_int_equal(nod_look_permits(k, SPLIT_A, &err), NOD_ESEAL);
    assert_int_equal(nod_look_finish(k, RESULTS, &err), NOD_ESEAL);
    nod_look_close(k);
    nod_ledger_close(w.l);
}

static void test_second_look_needs_reason(void **state)
{
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    look_and_finish(&w, SPLIT_A, &w.split, NULL);
    size_t length = nod_ledger_length(w.l);
    /* The same run and another run alike. */
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "look 1 (");
    expect_in(err.message, "--again");
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_2, &w.split, NULL, &k, &err), NOD_ESEAL);
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_2, &w.split, " ", &k, &err), NOD_EINVAL);
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_2, &w.split, "a\nb", &k, &err),
                     NOD_EINVAL);
    assert_null(k);
    assert_int_equal(nod_ledger_length(w.l), length); /* a refusal writes nothing */

    nod_anchor made = nod_ledger_anchor(w.l); /* trained after look 1 */
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_2, &made, "a bug", &k, &err), 0);
    assert_int_equal(nod_look_number(k), 2);
    assert_int_equal(nod_look_trained_after(k, 0), 1);
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_look_stamp(k, 0, &b);
    assert_string_equal(b.data, "look 2; again: a bug; trained after look 1");
    assert_int_equal(nod_look_finish(k, RESULTS, &err), 0);
    nod_look_close(k);

    /* A third prints the reason of the second too. */
    nod_strbuf_clear(&b);
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, "why", &k, &err), 0);
    nod_look_stamp(k, 0, &b);
    assert_string_equal(b.data, "look 3; again: why; look 2 was again: a bug");
    nod_look_close(k);
    nod_strbuf_done(&b);

    nod_json *h = NULL;
    assert_int_equal(nod_ledger_history(w.l, SPLIT_A, &h, &err), 0);
    assert_int_equal(nod_json_count(h), 3);
    assert_true(nod_json_truth(nod_json_get(nod_json_at(h, 0), "finished")));
    assert_true(nod_json_is_null(nod_json_get(nod_json_at(h, 0), "again")));
    assert_string_equal(nod_json_str(nod_json_get(nod_json_at(h, 1), "again")), "a bug");
    assert_false(nod_json_truth(nod_json_get(nod_json_at(h, 2), "finished")));
    nod_json_free(h);
    nod_ledger_close(w.l);
}

static void test_several_runs_are_one_look(void **state)
{
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    nod_look_run runs[] = {{.name = "a", .hash = RUN_1, .made = w.split},
                           {.name = "b", .hash = RUN_2, .made = w.split}};
    nod_look_request q = {
        .split_hash = SPLIT_A, .split_anchor = w.split, .runs = runs, .n_runs = 2};
    assert_int_equal(nod_look_begin(w.l, &q, &k, &err), 0);
    assert_int_equal(nod_ledger_length(w.l), 3);
    nod_look_close(k);
    /* One of the two alone does not resume it; both, in any order, do. */
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err), NOD_ESEAL);
    nod_look_run swapped[] = {runs[1], runs[0]};
    q.runs = swapped;
    assert_int_equal(nod_look_begin(w.l, &q, &k, &err), 0);
    assert_true(nod_look_is_resumed(k));
    assert_int_equal(nod_look_number(k), 1);
    nod_look_close(k);
    nod_look_run twice[] = {runs[0], runs[0]};
    q.runs = twice;
    assert_int_equal(nod_look_begin(w.l, &q, &k, &err), NOD_EINVAL);
    nod_ledger_close(w.l);
}

static void test_killed_look_counts(void **state)
{
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_ledger_close(w.l);
    pid_t child = fork();
    if (child == 0) {
        nod_ledger *l = NULL;
        nod_look *k = NULL;
        if (nod_ledger_open(w.path, NOD_LEDGER_WRITE, &l, &err) == 0 &&
            look(l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err) == 0)
            kill(getpid(), SIGKILL); /* between the row and the result */
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    nod_look *k = NULL;
    assert_int_equal(nod_ledger_open(w.path, NOD_LEDGER_WRITE, &w.l, &err), 0);
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_2, &w.split, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "without a result");
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err), 0);
    assert_true(nod_look_is_resumed(k));
    assert_int_equal(nod_look_number(k), 1);
    assert_int_equal(nod_look_permits(k, SPLIT_A, &err), 0);
    assert_string_equal(nod_ledger_get(w.l, nod_ledger_length(w.l) - 1).kind, "look_resumed");
    assert_int_equal(nod_look_finish(k, RESULTS, &err), 0);
    nod_look_close(k);
    /* With a result it is over, for the same run too. */
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err), NOD_ESEAL);
    nod_ledger_close(w.l);
}

static void test_race_has_one_winner(void **state)
{
    enum { N = 6 };
    world w = make(*state);
    nod_ledger_close(w.l);
    pid_t children[N];
    for (int i = 0; i < N; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            nod_error err = NOD_ERROR_INIT;
            nod_ledger *l = NULL;
            nod_look *k = NULL;
            char run[NOD_SHA256_HEX];
            memset(run, '0' + i, sizeof run - 1);
            run[sizeof run - 1] = '\0';
            int rc = nod_ledger_open(w.path, NOD_LEDGER_WRITE, &l, &err);
            if (rc == 0) rc = look(l, SPLIT_A, &w.split, run, &w.split, NULL, &k, &err);
            _exit(rc == 0 ? 0 : rc == NOD_ESEAL ? 1 : 2);
        }
    }
    int n[3] = {0};
    for (int i = 0; i < N; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 3);
        n[WEXITSTATUS(status)]++;
    }
    assert_int_equal(n[0], 1);
    assert_int_equal(n[1], N - 1);
}

/* A new split that holds one looked-at case needs a reason, by its pixels or by its patient. */
static void test_new_split_of_looked_at_cases(void **state)
{
    static const nod_seal_case by_pixels[] = {{"x3", NULL, false}, {"y1", NULL, true}};
    static const nod_seal_case by_patient[] = {{"y2", "p4", false}, {"y1", "q", true}};
    static const nod_seal_case of_training[] = {{"x1", "p1", true}, {"y1", "q", false}};
    static const nod_seal_case swapped[] = {{"p3", "x3", true}, {"y1", NULL, false}};
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_anchor a;
    /* Before a look anything may be split anew. */
    assert_int_equal(seal(w.l, SPLIT_B, by_pixels, 2, NULL, &a, &err), 0);
    look_and_finish(&w, SPLIT_A, &w.split, NULL);

    assert_int_equal(seal(w.l, SPLIT_B, by_pixels, 2, NULL, &a, &err), NOD_ESEAL);
    expect_in(err.message, "--again");
    assert_int_equal(seal(w.l, SPLIT_B, by_patient, 2, NULL, &a, &err), NOD_ESEAL);
    /* Cases that were only trained on were not looked at; pixels are no patients. */
    assert_int_equal(seal(w.l, SPLIT_B, of_training, 2, NULL, &a, &err), 0);
    assert_int_equal(seal(w.l, SPLIT_B, swapped, 2, NULL, &a, &err), 0);
    nod_ledger_close(w.l);
}

static void test_split_with_reason_allows_one_look(void **state)
{
    static const nod_seal_case anew[] = {{"x3", "p3", false}, {"x1", "p1", true}};
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_anchor b;
    nod_look *k = NULL;
    look_and_finish(&w, SPLIT_A, &w.split, NULL);
    assert_int_equal(seal(w.l, SPLIT_B, anew, 2, "wrong labels", &b, &err), 0);
    int64_t before = 0;
    assert_int_equal(nod_ledger_looks_before(w.l, SPLIT_B, b.length, &before, &err), 0);
    assert_int_equal(before, 1);
    assert_int_equal(look(w.l, SPLIT_B, &b, RUN_1, &b, NULL, &k, &err), 0);
    assert_int_equal(nod_look_number(k), 2);
    nod_strbuf s = NOD_STRBUF_INIT;
    nod_look_stamp(k, 0, &s);
    assert_string_equal(s.data, "look 2; split anew after look 1, again: wrong labels; trained "
                                "after look 1");
    nod_strbuf_done(&s);
    assert_int_equal(nod_look_finish(k, RESULTS, &err), 0);
    nod_look_close(k);
    assert_int_equal(look(w.l, SPLIT_B, &b, RUN_2, &b, NULL, &k, &err), NOD_ESEAL);
    nod_ledger_close(w.l);
}

/* Two splits made before any look: after a look at one, the other needs a reason if it holds
 * the looked-at cases, in whichever part. */
static void test_two_splits_one_look(void **state)
{
    static const nod_seal_case other_test[] = {{"x3", "p3", false}, {"x1", "p1", true}};
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_anchor b;
    nod_look *k = NULL;
    assert_int_equal(seal(w.l, SPLIT_B, other_test, 2, NULL, &b, &err), 0);
    look_and_finish(&w, SPLIT_A, &w.split, NULL);
    assert_int_equal(look(w.l, SPLIT_B, &b, RUN_1, &b, NULL, &k, &err), NOD_ESEAL);
    assert_int_equal(look(w.l, SPLIT_B, &b, RUN_1, &b, "declared late", &k, &err), 0);
    assert_int_equal(nod_look_number(k), 2);
    nod_look_close(k);
    nod_ledger_close(w.l);
}

/* A cohort from elsewhere: one seal however often it is tested, its looks counted by themselves, and
 * seen as looks at its cases under any other name. */
static void test_external(void **state)
{
    static const nod_seal_case elsewhere[] = {{"y1", "q1", true}, {"y2", "q2", true}};
    static const nod_seal_case fewer[] = {{"y2", "q2", true}};
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    nod_anchor first, again, other;
    nod_seal_request q = {.split_hash = SPLIT_B,
                          .cohort_hash = COHORT,
                          .cases = elsewhere,
                          .n = NOD_COUNT(elsewhere),
                          .external = true};
    assert_int_equal(nod_seal_split(w.l, &q, &first, &err), 0);
    assert_int_equal(first.length, 3);
    expect_in(nod_ledger_get(w.l, 2).payload, "\"external\":true");
    assert_int_equal(nod_seal_split(w.l, &q, &again, &err), 0);
    assert_int_equal(nod_ledger_length(w.l), 3);
    assert_memory_equal(&first, &again, sizeof first);

    look_and_finish(&w, SPLIT_B, &first, NULL);
    /* The seal is there still, without a reason; the look is not free any more. */
    assert_int_equal(nod_seal_split(w.l, &q, &again, &err), 0);
    assert_memory_equal(&first, &again, sizeof first);
    assert_int_equal(look(w.l, SPLIT_B, &again, RUN_2, &w.split, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "look 1 (");
    /* Some of the cases as another cohort. */
    q.split_hash = RUN_1;
    q.cases = fewer;
    q.n = NOD_COUNT(fewer);
    assert_int_equal(nod_seal_split(w.l, &q, &other, &err), NOD_ESEAL);
    expect_in(err.message, "another look at them needs --again");
    q.again = "the scanner was repaired";
    assert_int_equal(nod_seal_split(w.l, &q, &other, &err), 0);
    /* The test part of the split itself is untouched by all this. */
    look_and_finish(&w, SPLIT_A, &w.split, NULL);
    nod_ledger_close(w.l);
}

static void test_anchors_are_checked(void **state)
{
    world w = make(*state);
    nod_error err = NOD_ERROR_INIT;
    nod_look *k = NULL;
    nod_anchor bad = w.split;
    bad.head[0] = bad.head[0] == '0' ? '1' : '0';
    assert_int_equal(look(w.l, SPLIT_A, &bad, RUN_1, &w.split, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "the split");
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &bad, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "run");
    bad = w.split;
    bad.length = 9;
    assert_int_equal(look(w.l, SPLIT_A, &w.split, RUN_1, &bad, NULL, &k, &err), NOD_ESEAL);
    assert_int_equal(look(w.l, SPLIT_B, &w.split, RUN_1, &w.split, NULL, &k, &err), NOD_ESEAL);
    expect_in(err.message, "not sealed");
    assert_null(k);
    assert_int_equal(nod_ledger_length(w.l), 2);
    nod_ledger_close(w.l);
}

/* A disk that takes no more bytes: no look, no right, and the ledger as it was. */
static void test_full_disk(void **state)
{
    world w = make(*state);
    nod_ledger_close(w.l);
    pid_t child = fork();
    if (child == 0) {
        nod_error err = NOD_ERROR_INIT;
        nod_ledger *l = NULL;
        nod_look *k = NULL;
        struct rlimit full = {.rlim_cur = 512, .rlim_max = 512};
        signal(SIGXFSZ, SIG_IGN);
        if (nod_ledger_open(w.path, NOD_LEDGER_WRITE, &l, &err) != 0) _exit(1);
        if (setrlimit(RLIMIT_FSIZE, &full) != 0) _exit(2);
        int rc = look(l, SPLIT_A, &w.split, RUN_1, &w.split, NULL, &k, &err);
        _exit(rc == NOD_EIO && k == NULL && nod_ledger_length(l) == 2 ? 0 : 3);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_ledger_open(w.path, NOD_LEDGER_READ, &w.l, &err), 0);
    assert_int_equal(nod_ledger_length(w.l), 2);
    nod_ledger_close(w.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_stands_before_right_is_given),
        cmocka_unit_test(test_second_look_needs_reason),
        cmocka_unit_test(test_several_runs_are_one_look),
        cmocka_unit_test(test_killed_look_counts),
        cmocka_unit_test(test_race_has_one_winner),
        cmocka_unit_test(test_new_split_of_looked_at_cases),
        cmocka_unit_test(test_split_with_reason_allows_one_look),
        cmocka_unit_test(test_two_splits_one_look),
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_anchors_are_checked),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
