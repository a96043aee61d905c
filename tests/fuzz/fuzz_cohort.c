/* fuzz_cohort.c: any bytes as a cohort: its JSON, a form feed, its CSV (without a form feed: the
 * CSV alone, under a fixed JSON). What is accepted keeps the promises of data/cohort.h. */
#include <stdint.h>
#include <string.h>

#include "data/cohort.h"
#include "data/groups.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fixed_meta[] =
    "{\"format\":\"nodule-cohort\",\"version\":1,\"nodule\":\"0\",\"multilabel\":false,"
    "\"classes\":[\"no\",\"yes\"],\"positive\":{\"class\":\"yes\",\"origin\":\"derived\"},"
    "\"grouping\":{\"kind\":\"none\",\"rule\":\"\"},\"layout\":\"folder\",\"source\":\".\","
    "\"unreadable\":[]}";

static void check(const nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_groups g;
    nod_cohort_findings f;
    const nod_cohort_info *info = nod_cohort_get_info(c);
    size_t n = nod_cohort_size(c);
    NOD_ASSERT(n > 0 && strlen(nod_cohort_hash(c)) == 64);
    NOD_ASSERT(info->positive < (int64_t)info->n_classes);
    for (size_t i = 0; i < n; i++)
        NOD_ASSERT(nod_cohort_find(c, nod_cohort_get(c, i)->id) == (int64_t)i);
    NOD_ASSERT(nod_groups_make(c, NULL, 0, &g, &err) == 0);
    NOD_ASSERT(g.n_groups >= 1 && g.n_groups <= n);
    for (size_t i = 0; i < n; i++)
        NOD_ASSERT(g.twin[i] <= i && g.group[i] < g.n_groups &&
                   g.group[g.twin[i]] == g.group[i]);
    nod_groups_done(&g);
    NOD_ASSERT(nod_cohort_find_all(c, &f, &err) == 0);
    NOD_ASSERT(f.contradictory_cases <= f.duplicate_cases && f.duplicate_cases <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    const uint8_t *feed = size > 0 ? memchr(data, '\f', size) : NULL;
    const char *meta = feed ? (const char *)data : fixed_meta;
    size_t meta_size = feed ? (size_t)(feed - data) : sizeof fixed_meta - 1;
    const char *csv = (const char *)(feed ? feed + 1 : data);
    size_t csv_size = feed ? size - meta_size - 1 : size;
    int rc = nod_cohort_parse(csv, csv_size, meta, meta_size, "dir/cohort.csv", &c, &err);
    NOD_ASSERT((rc == 0) == (c != NULL));
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    if (c) check(c);
    nod_cohort_free(c);
    return 0;
}
