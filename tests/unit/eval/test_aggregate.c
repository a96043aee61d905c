/* test_aggregate.c: from images to units: the rules on numbers that can be done in the head, ten
 * images of five patients worked out by hand from AUC to intervals, and refusals. */
#include "golden.h"

#include "eval/aggregate.h"
#include "eval/delong.h"
#include "eval/results.h"

static void test_names(void **state)
{
    nod_aggregation a = NOD_AGGREGATION_MEAN;
    (void)state;
    assert_true(nod_aggregation_parse("max", &a) && a == NOD_AGGREGATION_MAX);
    assert_true(nod_aggregation_parse("mean", &a) && a == NOD_AGGREGATION_MEAN);
    assert_false(nod_aggregation_parse("median", &a));
    assert_string_equal(nod_aggregation_name(NOD_AGGREGATION_MAX), "max");
}

/* One image passes through bit by bit; of two classes the whole row of the image that looks most
 * positive is taken, whichever class is the positive one; of equal ones the first. */
static void test_rules_binary(void **state)
{
    const double z[] = {1, 2, 5, 5.5, 0, 1};
    double out[2];
    (void)state;
    nod_aggregation_logits(NOD_AGGREGATION_MEAN, NOD_TASK_BINARY, 2, 1, 1, z, out);
    assert_true(out[0] == 1 && out[1] == 2);
    nod_aggregation_logits(NOD_AGGREGATION_MEAN, NOD_TASK_BINARY, 2, 1, 3, z, out);
    assert_near(out[0], 2, 1e-15, "mean");
    assert_near(out[1], 8.5 / 3, 1e-15, "mean");
    nod_aggregation_logits(NOD_AGGREGATION_MAX, NOD_TASK_BINARY, 2, 1, 3, z, out);
    assert_true(out[0] == 1 && out[1] == 2); /* 1 and 1: the first */
    nod_aggregation_logits(NOD_AGGREGATION_MAX, NOD_TASK_BINARY, 2, 0, 3, z, out);
    assert_true(out[0] == 5 && out[1] == 5.5); /* -0.5 is the highest of -1, -0.5, -1 */
}

/* Labels one by one; classes by log-probability: (0, 0, 0) is ln 1/3 each, (ln 8, 0, 0) is
 * ln 0.8, ln 0.1, ln 0.1. */
static void test_rules_of_many(void **state)
{
    const double labels[] = {-1, 4, 3, -2}, classes[] = {7, 7, 7, log(8), 0, 0};
    double out[3];
    (void)state;
    nod_aggregation_logits(NOD_AGGREGATION_MAX, NOD_TASK_MULTILABEL, 2, -1, 2, labels, out);
    assert_true(out[0] == 3 && out[1] == 4);
    nod_aggregation_logits(NOD_AGGREGATION_MEAN, NOD_TASK_MULTILABEL, 2, -1, 2, labels, out);
    assert_true(out[0] == 1 && out[1] == 1);
    nod_aggregation_logits(NOD_AGGREGATION_MAX, NOD_TASK_MULTICLASS, 3, -1, 2, classes, out);
    assert_near(out[0], log(0.8), 1e-15, "first class");
    assert_near(out[1], log(1.0 / 3), 1e-15, "second class");
    assert_near(out[2], log(1.0 / 3), 1e-15, "third class");
}

/* Ten images of five patients, A and B with the finding. In the middle their log-odds:
 *   A yes  3, -1        mean  1    max 3
 *   B yes -1, -2, 0     mean -1    max 0
 *   C no   1, -3        mean -1    max 1
 *   D no   0.5          mean  0.5  max 0.5
 *   E no  -2, -1        mean -1.5  max -1
 * The rows of the table are mixed up. */
static const struct {
    size_t patient;
    double z;
} ten[] = {{1, -1}, {0, 3},  {2, 1},  {4, -2}, {1, -2},
           {3, .5}, {0, -1}, {2, -3}, {1, 0},  {4, -1}};
static const int32_t truth[] = {1, 1, 0, 0, 0};
static const char *const patients[] = {"A", "B", "C", "D", "E"};
static const nod_judged judged = {5, patients, patients, truth};

static size_t unit_of[NOD_COUNT(ten)];

static void add_ten(nod_predictions *p, int32_t seed)
{
    nod_error err = NOD_ERROR_INIT;
    char id[16];
    for (size_t i = 0; i < NOD_COUNT(ten); i++) {
        double logits[2] = {0, ten[i].z};
        snprintf(id, sizeof id, "i%zu", i);
        unit_of[i] = ten[i].patient;
        if (nod_predictions_add(p, id, patients[ten[i].patient], seed, &truth[ten[i].patient],
                                logits, &err) != 0)
            fail_msg("%s", err.message);
    }
}

static double image_auc(const nod_predictions *p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_results *r = NULL;
    nod_results_options o = nod_results_options_default();
    assert_int_equal(nod_results_new(p, NULL, &o, &r, &err), 0);
    double auc = nod_results_find(r, NOD_METRIC_ROC_AUC, NULL)->value.value;
    nod_results_free(r);
    return auc;
}

/* By hand. Images: of 25 pairs of a positive and a negative image 3 wins 5, -1 wins 2.5 twice,
 * -2 wins 1.5, 0 wins 3: 14.5. Means of patients: A beats C, D, E; B equals C, loses to D, beats E:
 * 4.5 of 6. Maxima: A beats all, B beats E: 4 of 6. So the mean is chosen. */
static void test_ten_images_by_hand(void **state)
{
    static const double means[] = {1, -1, -1, .5, -1.5}, maxima[] = {3, 0, 1, .5, -1};
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, units;
    nod_aggregation_choice choice;
    (void)state;
    golden_table(&p, NOD_TASK_BINARY, 2);
    add_ten(&p, 0);
    assert_near(image_auc(&p), 14.5 / 25, 1e-15, "AUC of images");
    assert_int_equal(nod_aggregation_choose(&p, unit_of, &judged, &choice, &err), 0);
    assert_near(choice.auc_mean, 4.5 / 6, 1e-15, "AUC of means");
    assert_near(choice.auc_max, 4.0 / 6, 1e-15, "AUC of maxima");
    assert_true(choice.how == NOD_AGGREGATION_MEAN && choice.n_units == 5);
    for (int a = 0; a < 2; a++) {
        assert_int_equal(
            nod_aggregation_apply((nod_aggregation)a, &p, unit_of, &judged, &units, &err), 0);
        assert_int_equal(units.n, 5);
        for (size_t i = 0; i < 5; i++) {
            assert_string_equal(units.id[i], patients[i]);
            assert_int_equal(units.labels[i], truth[i]);
            assert_near(units.log_odds[2 * i + 1], a == 0 ? means[i] : maxima[i], 1e-15,
                        patients[i]);
        }
        nod_predictions_done(&units);
    }
    nod_predictions_done(&p);
}

static const nod_result_row *row(const nod_results *r, nod_metric m)
{
    const nod_result_row *found = nod_results_find(r, m, NULL);
    assert_non_null(found);
    return found;
}

/* The same patients at p >= 0.5, that is mean log-odds >= 0: A and D are called. Accuracy 3/5 with
 * Wilson's interval of 5: (p + z^2/2n -+ z sqrt(pq/n + z^2/4n^2))/(1 + z^2/n) with z = 1.959964;
 * sensitivity 1/2, specificity 2/3. DeLong: A wins all, B half of them: S10 = 1/8; of the negatives
 * 3/4, 1/2 and 1 of the positives stand above C, D, E: S01 = 1/16; the variance is S10/2 + S01/3 =
 * 1/12, Satterthwaite's df (1/12)^2/((1/16)^2/1 + (1/48)^2/2) = 32/19, and the interval logit(3/4)
 * -+ t sqrt(1/12)/(3/16), t from scipy 1.17.1: stats.t.ppf(.975, 32/19) = 5.1762316285465175. */
static void test_intervals_are_of_units(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, units;
    nod_results *r = NULL;
    nod_results_options o = nod_results_options_default();
    (void)state;
    golden_table(&p, NOD_TASK_BINARY, 2);
    add_ten(&p, 0);
    assert_int_equal(
        nod_aggregation_apply(NOD_AGGREGATION_MEAN, &p, unit_of, &judged, &units, &err), 0);
    assert_int_equal(nod_results_new(&units, NULL, &o, &r, &err), 0);
    const nod_result_row *accuracy = row(r, NOD_METRIC_ACCURACY),
                         *auc = row(r, NOD_METRIC_ROC_AUC);
    double z = 1.959963984540054, n = 5, q = .6;
    double half = z * sqrt(q * (1 - q) / n + z * z / (4 * n * n)), below = 1 + z * z / n;
    assert_near(accuracy->value.value, q, 1e-15, "accuracy");
    assert_true(accuracy->n_images == 5 && accuracy->n_patients == 5);
    assert_near(accuracy->interval.lo, (q + z * z / (2 * n) - half) / below, 1e-12, "Wilson");
    assert_near(accuracy->interval.hi, (q + z * z / (2 * n) + half) / below, 1e-12, "Wilson");
    assert_near(row(r, NOD_METRIC_SENSITIVITY)->value.value, 1.0 / 2, 1e-15, "sensitivity");
    assert_near(row(r, NOD_METRIC_SPECIFICITY)->value.value, 2.0 / 3, 1e-15, "specificity");
    double width = 5.1762316285465175 * sqrt(1.0 / 12) / (3.0 / 16), middle = log(3);
    assert_near(auc->value.value, .75, 1e-15, "AUC");
    assert_near(auc->interval.lo, 1 / (1 + exp(width - middle)), 1e-10, "DeLong");
    assert_near(auc->interval.hi, 1 / (1 + exp(-width - middle)), 1e-10, "DeLong");
    nod_results_free(r);
    nod_predictions_done(&units);
    nod_predictions_done(&p);
}

/* What is counted has its name, in text and JSON; ten images made five studies, two of one patient. */
static void test_results_name_what_is_judged(void **state)
{
    static const char *const studies[] = {"s1", "s2", "s3", "s4", "s5"}, *const owners[] = {
                                                                             "A", "A", "C", "D",
                                                                             "E"};
    const nod_judged of_studies = {5, studies, owners, truth};
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, units;
    nod_results *r = NULL;
    nod_results_options o = nod_results_options_default();
    nod_strbuf text = NOD_STRBUF_INIT;
    (void)state;
    o.unit = "study";
    o.units = "studies";
    o.n_sources = 10;
    golden_table(&p, NOD_TASK_BINARY, 2);
    add_ten(&p, 0);
    assert_int_equal(
        nod_aggregation_apply(NOD_AGGREGATION_MAX, &p, unit_of, &of_studies, &units, &err), 0);
    assert_int_equal(nod_results_new(&units, NULL, &o, &r, &err), 0);
    nod_results_text(r, &text);
    assert_non_null(strstr(text.data, "; 5 studies of 4 patients, from 10 images\n"));
    assert_non_null(strstr(text.data, "k0: 3 studies, k1: 2 studies\n"));
    nod_json *j = nod_results_json(r);
    assert_string_equal(nod_json_str(nod_json_get(j, "unit")), "study");
    assert_int_equal(nod_json_i64(nod_json_get(j, "images")), 5);
    assert_int_equal(nod_json_i64(nod_json_get(j, "source_images")), 10);
    assert_int_equal(nod_json_i64(nod_json_get(j, "patients")), 4);
    nod_json_free(j);
    nod_strbuf_done(&text);
    nod_results_free(r);
    nod_predictions_done(&units);
    nod_predictions_done(&p);
}

static void test_seeds_stay_apart(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, units;
    size_t twice[2 * NOD_COUNT(ten)];
    (void)state;
    golden_table(&p, NOD_TASK_BINARY, 2);
    add_ten(&p, 4);
    add_ten(&p, 2);
    memcpy(twice, unit_of, sizeof unit_of);
    memcpy(twice + NOD_COUNT(ten), unit_of, sizeof unit_of);
    p.logits[1] = 8; /* seed 4, patient B, was -1: the mean becomes 2 */
    assert_int_equal(
        nod_aggregation_apply(NOD_AGGREGATION_MEAN, &p, twice, &judged, &units, &err), 0);
    assert_int_equal(units.n, 10);
    assert_true(units.seed[1] == 2 && units.log_odds[3] == -1);
    assert_true(units.seed[6] == 4 && units.log_odds[13] == 2);
    nod_predictions_done(&units);
    /* A row less: the last image of D, whose only one it is, of seed 4. */
    twice[5] = 4;
    assert_int_equal(
        nod_aggregation_apply(NOD_AGGREGATION_MEAN, &p, twice, &judged, &units, &err),
        NOD_EDATA);
    assert_string_equal(err.message, "'D' has no image for seed 4");
    nod_predictions_done(&p);
}

static void test_refusals(void **state)
{
    static const int32_t one_class[] = {0, 0, 0, 0, 0};
    nod_judged other = judged;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, units = {.n = 77};
    nod_aggregation_choice choice = {.n_units = 77};
    (void)state;
    golden_table(&p, NOD_TASK_BINARY, 2);
    add_ten(&p, 0);
    other.labels = one_class; /* nothing to choose by: the mean */
    assert_int_equal(nod_aggregation_choose(&p, unit_of, &other, &choice, &err), 0);
    assert_true(choice.how == NOD_AGGREGATION_MEAN && isnan(choice.auc_mean));
    other.labels = NULL;
    assert_int_equal(nod_aggregation_choose(&p, unit_of, &other, &choice, &err), NOD_EDATA);
    p.logits[4] = NAN;
    assert_int_equal(
        nod_aggregation_apply(NOD_AGGREGATION_MAX, &p, unit_of, &judged, &units, &err),
        NOD_EDATA);
    assert_string_equal(err.message, "case 'i2' has no logits: images are joined by them");
    assert_int_equal(units.n, 77);
    nod_predictions_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_rules_binary),
        cmocka_unit_test(test_rules_of_many),
        cmocka_unit_test(test_ten_images_by_hand),
        cmocka_unit_test(test_intervals_are_of_units),
        cmocka_unit_test(test_results_name_what_is_judged),
        cmocka_unit_test(test_seeds_stay_apart),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
