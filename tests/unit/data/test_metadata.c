/* test_metadata.c: what is known of cases, as a table. Expected values are the cases' own. */
#include "data/metadata.h"

#include <math.h>

#include "cohort_maker.h"

static const char *const sites[] = {"north", "", "south", "north"};
static const char *const kvps[] = {"80", "120", "", "80"};

static nod_cohort *made(void)
{
    nod_cohort_info info = made_info("manifest");
    info.grouping = NOD_GROUPING_NONE;
    nod_cohort *c = made_begin(&info);
    for (size_t i = 0; i < 4; i++) {
        char id[32];
        snprintf(id, sizeof id, "c%zu", i);
        nod_case k = made_file(id);
        k.depth = 3 + (int64_t)i;
        k.height = 20;
        k.width = 30;
        k.sample = i == 2 ? "u8" : "f32";
        k.oddities = i == 1 ? "lossy;trailing-bytes" : i == 3 ? "lossy" : "";
        if (i > 0) k.spacing_mm[0] = k.spacing_mm[1] = k.spacing_mm[2] = 0.5 * (double)i;
        k.facts[NOD_FACT_SITE] = sites[i];
        k.facts[NOD_FACT_KVP] = kvps[i];
        k.facts[NOD_FACT_SEX] = i % 2 ? "M" : "F";
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

/* The i-th column of a factor; NULL: it has fewer. */
static const nod_metadata_column *column(const nod_metadata *m, const char *factor, size_t i)
{
    for (size_t j = 0; j < m->n_columns; j++)
        if (strcmp(m->factors[m->columns[j].factor], factor) == 0 && i-- == 0)
            return &m->columns[j];
    return NULL;
}

static void assert_values(const nod_metadata *m, const char *factor, size_t i,
                          size_t n_categories, double a, double b, double c)
{
    const nod_metadata_column *k = column(m, factor, i);
    const double want[3] = {a, b, c};
    if (k == NULL) {
        fail_msg("no column %zu of %s", i, factor);
        return;
    }
    assert_int_equal(k->n_categories, n_categories);
    for (size_t r = 0; r < 3; r++)
        if (!(k->values[r] == want[r] || (isnan(want[r]) && isnan(k->values[r]))))
            fail_msg("%s, row %zu: %g, not %g", factor, r, k->values[r], want[r]);
}

static void test_columns(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = made();
    const size_t cases[3] = {3, 1, 2};
    nod_metadata m;
    if (nod_metadata_make(c, cases, 3, &m, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(m.n, 3);
    assert_values(&m, "size", 0, 0, 6, 4, 5);
    assert_values(&m, "size", 1, 0, 20, 20, 20);
    assert_values(&m, "size", 2, 0, 30, 30, 30);
    assert_values(&m, "sample", 0, 2, 0, 0, 1);
    assert_values(&m, "spacing", 2, 0, 1.5, 0.5, 1);
    assert_values(&m, "site", 0, 2, 0, NAN, 1);
    assert_values(&m, "kvp", 0, 0, 80, 120, NAN);
    assert_values(&m, "modality", 0, 0, NAN, NAN, NAN);
    assert_values(&m, "findings", 0, 0, 1, 1, 0);
    assert_values(&m, "findings", 1, 0, 0, 1, 0);
    assert_null(column(&m, "findings", 2));
    /* Who the patient is does not belong to it, nor when it was. */
    assert_null(column(&m, "sex", 0));
    assert_null(column(&m, "age", 0));
    assert_null(column(&m, "date", 0));
    nod_metadata_done(&m);
    /* Spacing 0 is unknown. */
    const size_t first[1] = {0};
    assert_int_equal(nod_metadata_make(c, first, 1, &m, &err), 0);
    assert_true(isnan(column(&m, "spacing", 0)->values[0]));
    nod_metadata_done(&m);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
