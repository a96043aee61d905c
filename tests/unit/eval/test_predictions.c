/* test_predictions.c: the table, its two files there and back, and what they refuse. Expected
 * probabilities are the formulas of softmax and sigmoid; the CSV text is written out by hand. */
#include "golden.h"

#include "../../temp_folder.h"
#include "eval/special.h"

static void add(nod_predictions *p, const char *id, const char *patient, int32_t seed,
                const int32_t *labels, const double *logits)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_predictions_add(p, id, patient, seed, labels, logits, &err) != 0)
        fail_msg("%s", err.message);
}

static void table_binary(nod_predictions *p)
{
    static const char *const names[] = {"benign", "malignant, \"x\""};
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_predictions_init(p, NOD_TASK_BINARY, names, 2, 1, &err), 0);
    add(p, "a", "p1", 0, (int32_t[]){0}, (double[]){0, 0});
    add(p, "b", "p1", 0, (int32_t[]){1}, (double[]){2, 2 - log(3)});
    add(p, "c", NULL, 0, NULL, (double[]){0, log(4)});
    add(p, "a", "p1", 3, (int32_t[]){0}, (double[]){0, -log(9)});
}

static void table_labels(nod_predictions *p)
{
    static const char *const names[] = {"mass", "effusion"};
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_predictions_init(p, NOD_TASK_MULTILABEL, names, 2, -1, &err), 0);
    add(p, "both", NULL, 0, (int32_t[]){1, 1}, (double[]){log(3), 0});
    add(p, "none", NULL, 0, (int32_t[]){0, 0}, (double[]){-log(3), -2});
    add(p, "unknown", NULL, 0, NULL, (double[]){1, -800});
}

static void test_transform(void **state)
{
    (void)state;
    double z[3] = {1, 2, 4}, lo[3], p[3], sum = exp(1) + exp(2) + exp(4);
    nod_predictions_transform(NOD_TASK_MULTICLASS, 3, z, lo, p);
    for (int c = 0; c < 3; c++) {
        assert_near(p[c], exp(z[c]) / sum, 1e-15, "softmax");
        assert_near(lo[c], log(exp(z[c]) / (sum - exp(z[c]))), 1e-14, "log-odds");
    }
    /* Where probabilities round to 1 and exponentials to 0, log-odds still rank. */
    double far[3] = {-900, 0, 900}, farther[3] = {-900, 0, 901}, lo2[3];
    nod_predictions_transform(NOD_TASK_MULTICLASS, 3, far, lo, p);
    nod_predictions_transform(NOD_TASK_MULTICLASS, 3, farther, lo2, p);
    assert_true(p[2] == 1 && lo[2] == 900 && lo2[2] == 901 && lo[0] == -1800);
    double two[2] = {3, -2};
    nod_predictions_transform(NOD_TASK_BINARY, 2, two, lo, p);
    assert_true(lo[0] == 5 && lo[1] == -5);
    assert_near(p[1], nod_sigmoid(-5), 1e-16, "binary");
}

static void test_errors_of_cases(void **state)
{
    (void)state;
    nod_predictions p;
    table_binary(&p);
    assert_near(nod_predictions_error(&p, 0), 0.5, 1e-15, "a");
    assert_near(nod_predictions_error(&p, 1), 0.75, 1e-15, "b");
    assert_true(isnan(nod_predictions_error(&p, 2)));
    assert_near(nod_predictions_error(&p, 3), 0.1, 1e-15, "a, seed 3");
    assert_int_equal(nod_predictions_seeds(&p), 4);
    assert_int_equal(nod_predictions_argmax(&p, 0), 0); /* equal: the first */
    assert_true(nod_predictions_is_called(&p, 0, 0, 0.5));
    assert_false(nod_predictions_is_called(&p, 1, 0, 0.5));
    nod_predictions_done(&p);
    table_labels(&p);
    assert_near(nod_predictions_error(&p, 0), 0.5, 1e-15, "worst label");
    assert_near(nod_predictions_error(&p, 1), 0.25, 1e-15, "worst label");
    nod_predictions_done(&p);
}

static void test_csv_text(void **state)
{
    (void)state;
    nod_predictions p;
    double t[4] = {0.4, 0.4, 0.4, 0.6};
    nod_strbuf b = NOD_STRBUF_INIT;
    table_labels(&p);
    p.n = 2;
    nod_predictions_csv_text(&p, NULL, &b);
    p.n = 3;
    assert_false(b.failed);
    assert_non_null(strstr(b.data, "id,truth,probability,threshold,decision,error,patient,seed,"
                                   "p_mass,p_effusion,logit_mass,logit_effusion\n"));
    assert_non_null(strstr(b.data, "\nboth,mass|effusion,0.5,0.5,mass|effusion,0.5,,0,0.75"));
    assert_non_null(strstr(b.data, "\nnone,|,0.25"));
    nod_predictions_done(&p);
    nod_strbuf_clear(&b);
    table_binary(&p);
    /* Exactly, so that the text is known. */
    memcpy(p.probabilities, (double[8]){0.5, 0.5, 0.75, 0.25, 0.2, 0.8, 0.9, 0.1},
           8 * sizeof(double));
    nod_predictions_csv_text(&p, t, &b);
    const char *lines[4] = {strstr(b.data, "\nb,"), strstr(b.data, "\na,benign,0.5,0.4,"),
                            strstr(b.data, "\na,benign,0.1"), strstr(b.data, "\nc,,")};
    for (int i = 0; i < 4; i++)
        assert_non_null(lines[i]);
    assert_true(lines[0] < lines[1] && lines[1] < lines[2] && lines[2] < lines[3]);
    assert_non_null(
        strstr(lines[0], "\nb,\"malignant, \"\"x\"\"\",0.25,0.4,benign,0.75,p1,0,"));
    assert_non_null(strstr(lines[2], ",0.6,benign,"));
    nod_strbuf_done(&b);
    nod_predictions_done(&p);
}

static size_t find_row(const nod_predictions *p, const char *id, int32_t seed)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->id[i], id) == 0 && p->seed[i] == seed) return i;
    fail_msg("no row %s", id);
    return 0;
}

static void assert_same(const nod_predictions *a, const nod_predictions *b, bool log_odds)
{
    size_t n_labels = nod_predictions_labels(a);
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->k, b->k);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->positive, b->positive);
    assert_int_equal(a->has_logits, b->has_logits);
    for (size_t c = 0; c < a->k; c++)
        assert_string_equal(a->class_names.items[c], b->class_names.items[c]);
    for (size_t i = 0; i < a->n; i++) {
        size_t j = find_row(b, a->id[i], a->seed[i]);
        assert_memory_equal(a->labels + i * n_labels, b->labels + j * n_labels,
                            n_labels * sizeof(int32_t));
        if (a->patient[i] == NULL)
            assert_null(b->patient[j]);
        else
            assert_string_equal(a->patient[i], b->patient[j]);
        assert_memory_equal(a->probabilities + i * a->k, b->probabilities + j * a->k,
                            a->k * sizeof(double));
        if (a->has_logits)
            assert_memory_equal(a->logits + i * a->k, b->logits + j * a->k,
                                a->k * sizeof(double));
        if (log_odds)
            assert_memory_equal(a->log_odds + i * a->k, b->log_odds + j * a->k,
                                a->k * sizeof(double));
    }
}

static void test_csv_there_and_back(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, back;
    temp_path(path, *state, "cases.csv");
    table_binary(&p);
    assert_int_equal(nod_predictions_write_csv(&p, NULL, path, &err), 0);
    assert_int_equal(
        nod_predictions_read_csv(path, NOD_TASK_BINARY, "malignant, \"x\"", &back, &err), 0);
    assert_same(&p, &back, false);
    nod_predictions_done(&back);
    assert_int_equal(nod_predictions_read_csv(path, NOD_TASK_BINARY, "no", &back, &err),
                     NOD_EINVAL);
    nod_predictions_done(&p);
    table_labels(&p);
    assert_int_equal(nod_predictions_write_csv(&p, NULL, path, &err), 0);
    assert_int_equal(nod_predictions_read_csv(path, NOD_TASK_MULTILABEL, NULL, &back, &err), 0);
    assert_same(&p, &back, false);
    nod_predictions_done(&back);
    nod_predictions_done(&p);
}

static void test_json_there_and_back(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, back;
    temp_path(path, *state, "predictions.json");
    for (int which = 0; which < 2; which++) {
        if (which == 0)
            table_binary(&p);
        else
            table_labels(&p);
        nod_json *provenance = nod_json_object(), *stored = NULL;
        nod_json_set_str(provenance, "ledger", "abc");
        assert_int_equal(nod_predictions_write_json(&p, provenance, path, &err), 0);
        assert_int_equal(nod_predictions_read_json(path, &back, &stored, &err), 0);
        assert_string_equal(nod_json_str(nod_json_get(stored, "ledger")), "abc");
        assert_same(&p, &back, true);
        nod_json_free(stored);
        nod_predictions_done(&back);
        nod_predictions_done(&p);
    }
}

/* Without logits, and with a probability of 1, whose log-odds JSON cannot write. */
static void test_json_of_probabilities(void **state)
{
    char path[512];
    static const char *const names[] = {"n", "y"};
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, back;
    temp_path(path, *state, "probabilities.json");
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_BINARY, names, 2, 1, &err), 0);
    assert_int_equal(nod_predictions_add_probabilities(&p, "a", NULL, 0, (int32_t[]){1},
                                                       (double[]){0, 1}, NULL, NULL, &err),
                     0);
    assert_int_equal(nod_predictions_add_probabilities(&p, "b", NULL, 0, (int32_t[]){0},
                                                       (double[]){0.25, 0.75}, NULL, NULL,
                                                       &err),
                     0);
    assert_true(p.log_odds[1] == INFINITY && p.log_odds[0] == -INFINITY);
    assert_near(p.log_odds[3], log(3), 1e-15, "log-odds");
    assert_int_equal(nod_predictions_write_json(&p, NULL, path, &err), 0);
    nod_json *stored = (nod_json *)&p;
    assert_int_equal(nod_predictions_read_json(path, &back, &stored, &err), 0);
    assert_null(stored);
    assert_same(&p, &back, true);
    nod_predictions_done(&back);
    nod_predictions_done(&p);
}

static void test_add_refuses(void **state)
{
    (void)state;
    static const char *const names[] = {"n", "y", "n", "a|b", ""};
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_BINARY, names, 2, 2, &err), NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_BINARY, names, 3, 1, &err), NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_MULTICLASS, names, 3, -1, &err),
                     NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_MULTICLASS, names + 1, 1, -1, &err),
                     NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_MULTICLASS, names + 3, 2, -1, &err),
                     NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_MULTILABEL, names + 2, 2, -1, &err),
                     NOD_EINVAL);
    assert_int_equal(nod_predictions_init(&p, NOD_TASK_BINARY, names, 2, 0, &err), 0);
    const double z[2] = {0, 1}, bad[2] = {0, NAN}, sum[2] = {0.5, 0.6}, out[2] = {-0.1, 1.1};
    int32_t two[] = {2}, one[] = {1};
    assert_int_equal(nod_predictions_add(&p, "", NULL, 0, one, z, &err), NOD_EINVAL);
    assert_int_equal(nod_predictions_add(&p, "a", NULL, 0, two, z, &err), NOD_EINVAL);
    assert_int_equal(nod_predictions_add(&p, "a", NULL, -1, one, z, &err), NOD_EINVAL);
    assert_int_equal(nod_predictions_add(&p, "a", NULL, 0, one, bad, &err), NOD_ENUMERIC);
    assert_int_equal(
        nod_predictions_add_probabilities(&p, "a", NULL, 0, one, sum, NULL, NULL, &err),
        NOD_EINVAL);
    assert_int_equal(
        nod_predictions_add_probabilities(&p, "a", NULL, 0, one, out, NULL, NULL, &err),
        NOD_EINVAL);
    assert_int_equal(p.n, 0);
    nod_predictions_done(&p);
}

/* Each line is a file that must be refused with a message naming the place. */
static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } csv[] = {
        {"truth,p_a,p_b\n", "no column 'id'"},
        {"id,p_a,p_b\n", "no column 'truth'"},
        {"id,truth\nx,a\n", "p_CLASS"},
        {"id,truth,p_a,p_b\nx,c,.5,.5\n", "line 2: truth 'c'"},
        {"id,truth,p_a,p_b\nx,a,.5,half\n", "line 2: p_b is 'half'"},
        {"id,truth,p_a,p_b\nx,a,.5,.1\n", "sum to"},
        {"id,truth,p_a,p_b,seed\nx,a,.5,.5,-1\n", "seed is '-1'"},
        {"id,truth,p_a,p_b,logit_b,logit_a\nx,a,.5,.5,0,0\n", "order"},
        {"id,truth,p_a,p_b\n,a,.5,.5\n", "no id"},
    };
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    for (size_t i = 0; i < NOD_COUNT(csv); i++) {
        int rc = nod_predictions_parse_csv(csv[i].text, strlen(csv[i].text), "f.csv",
                                           NOD_TASK_BINARY, "b", &p, &err);
        assert_int_equal(rc, NOD_EFORMAT);
        if (strstr(err.message, csv[i].says) == NULL || strstr(err.message, "f.csv") == NULL)
            fail_msg("'%s' does not say '%s'", err.message, csv[i].says);
    }
#define HEAD "{\"format\":\"nodule-predictions\",\"version\":1,\"task\":\"binary\","
    static const struct {
        const char *text, *says;
    } json[] = {
        {"[]", "object"},
        {"{\"format\":\"x\",\"version\":1}", "not 'nodule-predictions'"},
        {HEAD "\"classes\":[\"a\",\"b\"],\"cases\":[]}", "positive"},
        {HEAD "\"classes\":[\"a\"],\"positive\":\"a\",\"cases\":[]}", "two classes"},
        {HEAD "\"classes\":[\"a\",\"b\"],\"positive\":\"b\",\"cases\":[{\"id\":\"x\"}]}",
         "probabilities"},
        {HEAD "\"classes\":[\"a\",\"b\"],\"positive\":\"b\",\"cases\":[{\"id\":\"x\","
              "\"truth\":\"c\",\"probabilities\":[0.5,0.5]}]}",
         "cases[0]: 'truth'"},
        {HEAD "\"classes\":[\"a\",\"b\"],\"positive\":\"b\",\"cases\":[{\"id\":\"x\","
              "\"truth\":\"a\",\"probabilities\":[0.5]}]}",
         "list of 2"},
        {HEAD "\"classes\":[\"a\",\"b\"],\"positive\":\"b\",\"cases\":[7]}", "cases[0]"},
    };
    for (size_t i = 0; i < NOD_COUNT(json); i++) {
        int rc = nod_predictions_parse_json(json[i].text, strlen(json[i].text), "f.json", &p,
                                            NULL, &err);
        assert_int_equal(rc, NOD_EFORMAT);
        if (strstr(err.message, json[i].says) == NULL || strstr(err.message, "f.json") == NULL)
            fail_msg("'%s' does not say '%s'", err.message, json[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transform),
        cmocka_unit_test(test_errors_of_cases),
        cmocka_unit_test(test_csv_text),
        cmocka_unit_test(test_csv_there_and_back),
        cmocka_unit_test(test_json_there_and_back),
        cmocka_unit_test(test_json_of_probabilities),
        cmocka_unit_test(test_add_refuses),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
