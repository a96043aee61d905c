/* delong.c: components by one sort a seed (midranks for ties), then sums over patients. */
#include "eval/delong.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/interval.h"
#include "eval/special.h"

/* Sums over a patient's images. */
typedef struct patient_sum {
    double v10, v01; /* components, averaged over seeds */
    double m, n;     /* positives, negatives */
} patient_sum;

typedef struct scored {
    double score;
    size_t i;
} scored;

static int compare_scores(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score < y->score) return -1;
    if (x->score > y->score) return 1;
    return (x->i > y->i) - (x->i < y->i);
}

/* Adds the components of one seed, times `factor`, to the patients' sums. Among equal scores a
 * positive has all negatives below it plus half of the equal ones; a negative likewise. */
static void add_seed(const nod_auc_sample *s, size_t seed, double m, double n, double factor,
                     scored *sorted, patient_sum *sums)
{
    const double *score = s->score + seed * s->stride;
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = (scored){score[i], i};
    qsort(sorted, s->n, sizeof *sorted, compare_scores);
    double positives_below = 0, negatives_below = 0;
    for (size_t first = 0, end; first < s->n; first = end) {
        double positives = 0, negatives = 0;
        for (end = first; end < s->n && sorted[end].score == sorted[first].score; end++) {
            if (s->y[sorted[end].i])
                positives++;
            else
                negatives++;
        }
        double v10 = (negatives_below + 0.5 * negatives) / n;
        double v01 = (m - positives_below - 0.5 * positives) / m;
        for (size_t j = first; j < end; j++) {
            size_t i = sorted[j].i;
            patient_sum *sum = &sums[s->patient[i]];
            if (s->y[i])
                sum->v10 += factor * v10;
            else
                sum->v01 += factor * v01;
        }
        positives_below += positives;
        negatives_below += negatives;
    }
}

/* All sums of a sample; *m and *n get the numbers of positives and negatives, *auc the mean. */
static int sum_patients(const nod_auc_sample *s, patient_sum **out, double *m, double *n,
                        double *auc, nod_error *err)
{
    *m = *n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->y[i])
            ++*m;
        else
            ++*n;
        for (size_t seed = 0; seed < s->n_seeds; seed++)
            if (isnan(s->score[seed * s->stride + i]))
                return nod_fail(err, NOD_ENUMERIC, "score %zu is not a number", i);
    }
    if (*m == 0 || *n == 0)
        return nod_fail(err, NOD_EDATA,
                        "the AUC needs cases of both classes, got %.0f positive "
                        "and %.0f negative",
                        *m, *n);
    patient_sum *sums = nod_calloc(s->n_patients, sizeof *sums);
    scored *sorted = nod_calloc(s->n, sizeof *sorted);
    if (sums == NULL || sorted == NULL) {
        nod_free(sums);
        nod_free(sorted);
        return nod_fail_memory(err, "the AUC's components", s->n * sizeof *sorted);
    }
    for (size_t i = 0; i < s->n; i++) {
        patient_sum *sum = &sums[s->patient[i]];
        if (s->y[i])
            sum->m++;
        else
            sum->n++;
    }
    for (size_t seed = 0; seed < s->n_seeds; seed++)
        add_seed(s, seed, *m, *n, 1.0 / (double)s->n_seeds, sorted, sums);
    nod_free(sorted);
    *auc = 0;
    for (size_t i = 0; i < s->n_patients; i++)
        *auc += sums[i].v10;
    *auc /= *m;
    *out = sums;
    return 0;
}

/* Obuchowski's variance of sums whose mean component is `auc`. */
static void variance_of_sums(const patient_sum *sums, size_t n_patients, double m, double n,
                             double auc, nod_auc_variance *out)
{
    double q10 = 0, q01 = 0, q11 = 0;
    size_t i10 = 0, i01 = 0, all = 0;
    bool clustered = false, mixed = false;
    for (size_t i = 0; i < n_patients; i++) {
        const patient_sum *s = &sums[i];
        double d10 = s->v10 - s->m * auc, d01 = s->v01 - s->n * auc;
        q10 += d10 * d10;
        q01 += d01 * d01;
        q11 += d10 * d01;
        i10 += s->m > 0;
        i01 += s->n > 0;
        all += s->m + s->n > 0;
        clustered = clustered || s->m + s->n > 1;
        mixed = mixed || (s->m > 0 && s->n > 0);
    }
    *out = (nod_auc_variance){.auc = auc,
                              .n_positive = (size_t)m,
                              .n_negative = (size_t)n,
                              .n_patients = all,
                              .patients_positive = i10,
                              .patients_negative = i01,
                              .clustered = clustered};
    if (i10 < 2 || i01 < 2) {
        out->var10 = out->var01 = out->cov = out->variance = out->df = NAN;
        return;
    }
    double c10 = (double)i10, c01 = (double)i01, c = (double)all;
    out->var10 = c10 / (c10 - 1) * q10 / (m * m);
    out->var01 = c01 / (c01 - 1) * q01 / (n * n);
    out->cov = mixed ? c / (c - 1) * q11 / (m * n) : 0;
    out->variance = fmax(0.0, out->var10 + out->var01 + 2 * out->cov);
    double both = out->var10 + out->var01;
    double terms = out->var10 * out->var10 / (c10 - 1) + out->var01 * out->var01 / (c01 - 1);
    out->df = terms > 0 ? both * both / terms : NAN;
    if (mixed && out->df > c - 1) out->df = c - 1;
}

int nod_auc_variance_of(const nod_auc_sample *s, nod_auc_variance *out, nod_error *err)
{
    patient_sum *sums;
    double m, n, auc;
    int rc = sum_patients(s, &sums, &m, &n, &auc, err);
    if (rc != 0) return rc;
    variance_of_sums(sums, s->n_patients, m, n, auc, out);
    nod_free(sums);
    return 0;
}

nod_interval nod_auc_interval(const nod_auc_variance *v, double confidence)
{
    /* A variance that is only rounding error has no width either. */
    bool flat = !(v->variance > 1e-24) || !(v->auc > 0 && v->auc < 1) || !(v->df > 0);
    if (flat)
        return nod_interval_newcombe5(v->auc, (double)v->patients_positive,
                                      (double)v->patients_negative, confidence);
    double t = nod_t_quantile(0.5 * (1 + confidence), v->df);
    double half = t * sqrt(v->variance) / (v->auc * (1 - v->auc));
    double centre = nod_logit(v->auc);
    return nod_interval_of(v->clustered ? NOD_INTERVAL_OBUCHOWSKI : NOD_INTERVAL_DELONG,
                           nod_sigmoid(centre - half), nod_sigmoid(centre + half));
}

int nod_auc_compare(const nod_auc_sample *a, const nod_auc_sample *b, double confidence,
                    nod_auc_difference *out, nod_error *err)
{
    NOD_ASSERT(a->n == b->n && a->n_patients == b->n_patients);
    patient_sum *sa = NULL, *sb = NULL;
    double m, n, auc_a, auc_b;
    int rc = 0;
    NOD_TRY(sum_patients(a, &sa, &m, &n, &auc_a, err));
    NOD_TRY(sum_patients(b, &sb, &m, &n, &auc_b, err));
    /* The components of the difference are the differences of the components. */
    for (size_t i = 0; i < a->n_patients; i++) {
        sa[i].v10 -= sb[i].v10;
        sa[i].v01 -= sb[i].v01;
    }
    nod_auc_variance v;
    variance_of_sums(sa, a->n_patients, m, n, auc_a - auc_b, &v);
    nod_auc_difference d = {.a = auc_a,
                            .b = auc_b,
                            .difference = auc_a - auc_b,
                            .variance = v.variance,
                            .df = v.df};
    if (!(v.variance > 1e-24) || !(v.df > 0)) {
        const char *reason = isnan(v.variance) ? "a class has one patient only"
                                               : "the difference has no variance";
        d.p = nod_estimate_none(reason);
        d.interval = nod_interval_none(reason);
    } else {
        double sd = sqrt(v.variance), t = nod_t_quantile(0.5 * (1 + confidence), v.df);
        d.p = nod_estimate_of(2 * nod_t_cdf(-fabs(d.difference) / sd, v.df));
        d.interval = nod_interval_of(NOD_INTERVAL_PAIRED_DELONG, d.difference - t * sd,
                                     d.difference + t * sd);
    }
    *out = d;
out:
    nod_free(sa);
    nod_free(sb);
    return rc;
}

int nod_auc_influence(const nod_auc_sample *s, double factor, double *auc, double *u,
                      nod_error *err)
{
    patient_sum *sums;
    double m, n;
    int rc = sum_patients(s, &sums, &m, &n, auc, err);
    if (rc != 0) return rc;
    for (size_t i = 0; i < s->n_patients; i++)
        u[i] += factor *
                ((sums[i].v10 - sums[i].m * *auc) / m + (sums[i].v01 - sums[i].n * *auc) / n);
    nod_free(sums);
    return 0;
}
