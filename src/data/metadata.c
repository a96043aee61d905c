/* metadata.c: one column after the other. */
#include "data/metadata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct making {
    const nod_cohort *c;
    const size_t *cases;
    nod_metadata m;
    nod_error *err;
} making;

static int add_column(making *x, const char *factor, double **values)
{
    nod_metadata *m = &x->m;
    double *v = nod_calloc(m->n, sizeof *v);
    bool is_new = m->n_factors == 0 || strcmp(m->factors[m->n_factors - 1], factor) != 0;
    if (v == NULL ||
        !nod_grow((void **)&m->columns, &m->columns_cap, m->n_columns + 1,
                  sizeof *m->columns) ||
        !nod_grow((void **)&m->factors, &m->factors_cap, m->n_factors + 1,
                  sizeof *m->factors)) {
        nod_free(v);
        return nod_fail_memory(x->err, "metadata", m->n * sizeof *v);
    }
    if (is_new) m->factors[m->n_factors++] = factor;
    m->columns[m->n_columns++] = (nod_metadata_column){m->n_factors - 1, 0, v};
    *values = v;
    return 0;
}

/* --- numbers ------------------------------------------------------------------------------ */

static int add_numbers(making *x, const char *factor, double (*get)(const nod_case *k))
{
    double *v;
    int rc = add_column(x, factor, &v);
    for (size_t i = 0; i < x->m.n && rc == 0; i++)
        v[i] = get(nod_cohort_get(x->c, x->cases[i]));
    return rc;
}

static double depth(const nod_case *k)
{
    return (double)k->depth;
}

static double height(const nod_case *k)
{
    return (double)k->height;
}

static double width(const nod_case *k)
{
    return (double)k->width;
}

static double frames(const nod_case *k)
{
    return (double)k->frames;
}

static double channels(const nod_case *k)
{
    return (double)k->channels;
}

/* 0 is unknown. */
static double spacing_i(const nod_case *k)
{
    return k->spacing_mm[0] > 0 ? k->spacing_mm[0] : (double)NAN;
}

static double spacing_j(const nod_case *k)
{
    return k->spacing_mm[1] > 0 ? k->spacing_mm[1] : (double)NAN;
}

static double spacing_k(const nod_case *k)
{
    return k->spacing_mm[2] > 0 ? k->spacing_mm[2] : (double)NAN;
}

/* --- categories --------------------------------------------------------------------------- */

typedef struct word {
    const char *text;
    size_t i;
} word;

static int compare_words(const void *a, const void *b)
{
    const word *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->i > y->i) - (x->i < y->i);
}

/* Numbers the different texts in their order; "" is unknown. */
static int add_words(making *x, const char *factor, word *words)
{
    double *v;
    int rc = add_column(x, factor, &v);
    if (rc) return rc;
    size_t n = 0;
    qsort(words, x->m.n, sizeof *words, compare_words);
    for (size_t i = 0; i < x->m.n; i++) {
        bool known = *words[i].text != '\0';
        n += known && (i == 0 || strcmp(words[i].text, words[i - 1].text) != 0);
        v[words[i].i] = known ? (double)(n - 1) : (double)NAN;
    }
    /* A column without a known value has no categories, and is one of unknown numbers. */
    x->m.columns[x->m.n_columns - 1].n_categories = n;
    return 0;
}

static int add_categories(making *x, const char *factor, word *words,
                          const char *(*get)(const nod_case *k))
{
    for (size_t i = 0; i < x->m.n; i++)
        words[i] = (word){get(nod_cohort_get(x->c, x->cases[i])), i};
    return add_words(x, factor, words);
}

static const char *sample(const nod_case *k)
{
    return k->sample;
}

static const char *orientation(const nod_case *k)
{
    return k->orientation;
}

static const char *modality(const nod_case *k)
{
    return k->modality;
}

static int add_fact(making *x, nod_fact f, word *words)
{
    const nod_fact_info *info = nod_fact_get_info(f);
    double *v;
    if (!info->audited) return 0;
    if (info->kind == NOD_FACT_CATEGORY) {
        for (size_t i = 0; i < x->m.n; i++)
            words[i] = (word){nod_cohort_get(x->c, x->cases[i])->facts[f], i};
        return add_words(x, info->name, words);
    }
    int rc = add_column(x, info->name, &v);
    for (size_t i = 0; i < x->m.n && rc == 0; i++)
        v[i] = nod_fact_number(f, nod_cohort_get(x->c, x->cases[i])->facts[f]);
    return rc;
}

/* --- findings ----------------------------------------------------------------------------- */

static bool has_word(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ";");
        if (n == len && strncmp(p, name, len) == 0) return true;
        p += n + (p[n] == ';');
    }
    return false;
}

/* A column of 0 and 1 for each finding that a case has. */
static int add_findings(making *x)
{
    for (int f = 0; f < NOD_FINDING_KINDS; f++) {
        const char *name = nod_finding_get_info((nod_finding_kind)f)->name;
        bool met = false;
        for (size_t i = 0; i < x->m.n && !met; i++)
            met = has_word(nod_cohort_get(x->c, x->cases[i])->oddities, name);
        if (!met) continue;
        double *v;
        int rc = add_column(x, "findings", &v);
        if (rc) return rc;
        for (size_t i = 0; i < x->m.n; i++)
            v[i] = has_word(nod_cohort_get(x->c, x->cases[i])->oddities, name);
    }
    return 0;
}

int nod_metadata_make(const nod_cohort *c, const size_t *cases, size_t n, nod_metadata *out,
                      nod_error *err)
{
    making x = {.c = c, .cases = cases, .m = {.n = n}, .err = err};
    word *words = nod_calloc(n + 1, sizeof *words);
    int rc = 0;
    if (words == NULL) return nod_fail_memory(err, "metadata", n * sizeof *words);
    NOD_TRY(add_numbers(&x, "size", depth));
    NOD_TRY(add_numbers(&x, "size", height));
    NOD_TRY(add_numbers(&x, "size", width));
    NOD_TRY(add_numbers(&x, "frames", frames));
    NOD_TRY(add_numbers(&x, "channels", channels));
    NOD_TRY(add_categories(&x, "sample", words, sample));
    NOD_TRY(add_numbers(&x, "spacing", spacing_i));
    NOD_TRY(add_numbers(&x, "spacing", spacing_j));
    NOD_TRY(add_numbers(&x, "spacing", spacing_k));
    NOD_TRY(add_categories(&x, "orientation", words, orientation));
    NOD_TRY(add_categories(&x, "modality", words, modality));
    for (int f = 0; f < NOD_FACTS; f++)
        NOD_TRY(add_fact(&x, (nod_fact)f, words));
    NOD_TRY(add_findings(&x));
    *out = x.m;
    x.m = (nod_metadata){0};
out:
    nod_free(words);
    nod_metadata_done(&x.m);
    return rc;
}

void nod_metadata_done(nod_metadata *m)
{
    for (size_t i = 0; i < m->n_columns; i++)
        nod_free(m->columns[i].values);
    nod_free(m->columns);
    nod_free(m->factors);
    *m = (nod_metadata){0};
}
