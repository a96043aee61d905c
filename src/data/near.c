/* near.c: from cohorts to signatures, and from pairs of signatures to pairs of cases. */
#include "data/near.h"

#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "data/source.h"
#include "data/workers.h"

/* One of at most two cohorts; its signatures begin at `first`. */
typedef struct side {
    const nod_cohort *c;
    const size_t *twin; /* cases that are not their own twin are left out; NULL: none */
    nod_source *source;
    size_t first;
} side;

typedef struct searching {
    side sides[2];
    size_t n_sides, n;
    nod_signer *signer;
    nod_signature *signatures; /* [n] */
    const nod_near_options *o;
    atomic_size_t done;
    atomic_flag telling;
} searching;

static const side *side_of(const searching *s, size_t i)
{
    return &s->sides[s->n_sides == 2 && i >= s->sides[1].first];
}

static void tell(searching *s)
{
    size_t done = atomic_fetch_add(&s->done, 1) + 1;
    if (s->o->progress == NULL || atomic_flag_test_and_set(&s->telling)) return;
    s->o->progress(s->o->ctx, "looking for copies", done, s->n);
    atomic_flag_clear(&s->telling);
}

static int sign_one(void *ctx, size_t i, nod_error *err)
{
    searching *s = ctx;
    const side *d = side_of(s, i);
    const size_t i_case = i - d->first;
    const nod_case *k = nod_cohort_get(d->c, i_case);
    nod_image im = {0};
    int rc = 0;
    tell(s);
    if (k->constant || (d->twin && d->twin[i_case] != i_case)) return 0;
    char *path = nod_cohort_case_path(d->c, i_case);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(k->file));
    const nod_place at = {path, k->files, k->array, k->index};
    rc = nod_source_decode(d->source, &at, NULL, &im, err);
    if (rc) nod_case_blame(k, path, err);
    if (rc == 0) rc = nod_signature_make(s->signer, &im, &s->signatures[i], err);
    nod_image_done(&im);
    nod_free(path);
    return rc;
}

static int sign_all(searching *s, nod_near *out, nod_error *err)
{
    int rc = 0;
    for (size_t k = 0; k < s->n_sides; k++) {
        side *d = &s->sides[k];
        d->first = s->n;
        s->n += nod_cohort_size(d->c);
        NOD_TRY(nod_source_new(nod_cohort_get_info(d->c)->policies, &d->source, err));
        NOD_TRY(nod_source_load_cases(d->source, d->c, NULL, nod_cohort_size(d->c), NULL, err));
    }
    s->signatures = nod_calloc(s->n, sizeof *s->signatures);
    if (s->signatures == NULL)
        return nod_fail_memory(err, "signatures", s->n * sizeof *s->signatures);
    NOD_TRY(nod_signer_new(&s->signer, err));
    NOD_TRY(nod_workers_run(s->n, s->o->threads, sign_one, s, err));
    for (size_t i = 0; i < s->n; i++) {
        const side *d = side_of(s, i);
        const size_t i_case = i - d->first;
        out->bytes += nod_signature_bytes(s->signer, &s->signatures[i]);
        if (d->twin && d->twin[i_case] != i_case) continue;
        out->n_silent += s->signatures[i].n_axes == 0;
    }
out:
    return rc;
}

static int find(searching *s, const size_t *group, nod_near *out, nod_error *err)
{
    nod_similar_options so = {.group = group, .threads = s->o->threads};
    nod_near found = {0};
    int rc = 0;
    NOD_TRY(sign_all(s, &found, err));
    NOD_TRY(nod_similar_find(s->signer, s->signatures, s->n, &so, &found.pairs, &found.n, err));
    *out = found;
out:
    for (size_t i = 0; s->signatures && i < s->n; i++)
        nod_signature_done(&s->signatures[i]);
    nod_free(s->signatures);
    nod_signer_free(s->signer);
    for (size_t k = 0; k < s->n_sides; k++)
        nod_source_free(s->sides[k].source);
    return rc;
}

int nod_near_find(const nod_cohort *c, const nod_groups *g, const nod_near_options *o,
                  nod_near *out, nod_error *err)
{
    searching s = {.sides = {{.c = c, .twin = g->twin}}, .n_sides = 1, .o = o};
    atomic_flag_clear(&s.telling);
    return find(&s, g->group, out, err);
}

int nod_near_find_between(const nod_cohort *c, const nod_cohort *other,
                          const nod_near_options *o, nod_near *out, nod_error *err)
{
    const size_t n = nod_cohort_size(c), n_other = nod_cohort_size(other);
    searching s = {.sides = {{.c = c}, {.c = other}}, .n_sides = 2, .o = o};
    size_t *group = nod_calloc(n + n_other, sizeof *group);
    if (group == NULL) return nod_fail_memory(err, "groups", (n + n_other) * sizeof *group);
    for (size_t i = 0; i < n_other; i++)
        group[n + i] = 1;
    atomic_flag_clear(&s.telling);
    int rc = find(&s, group, out, err);
    for (size_t k = 0; rc == 0 && k < out->n; k++)
        out->pairs[k].j -= n;
    nod_free(group);
    return rc;
}

void nod_near_done(nod_near *n)
{
    nod_free(n->pairs);
    *n = (nod_near){0};
}
