/* fuzz_split.c: any bytes as the split of a fixed cohort of seven cases. Hashes stop nearly every
 * change, so an input that is JSON is also tried with its hashes put right. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_CASES = 7 };

static nod_cohort *fixed_cohort(void)
{
    static const char *const classes[] = {"no", "yes"};
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    nod_cohort_info info = {.classes = classes,
                            .n_classes = 2,
                            .positive = 1,
                            .positive_origin = NOD_POSITIVE_DERIVED,
                            .grouping = NOD_GROUPING_NONE};
    NOD_ASSERT(nod_cohort_new(&info, ".", &c, &err) == 0);
    for (int i = 0; i < N_CASES; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i);
        nod_case k = {.id = id,
                      .file = "x.png",
                      .array = "",
                      .index = -1,
                      .patient = "",
                      .official = i == 6 ? NOD_PART_TRAIN : (nod_part)(i / 2),
                      .depth = 1,
                      .height = 1,
                      .width = 1,
                      .channels = 1,
                      .sample = "u8"};
        memset(k.pixels, '0' + (i == 6 ? 5 : i), sizeof k.pixels - 1); /* c6 equals c5 */
        NOD_ASSERT(nod_cohort_add(c, &k, classes[i % 2], &err) == 0);
    }
    NOD_ASSERT(nod_cohort_finish(c, &err) == 0);
    return c;
}

static void check(const nod_split *s)
{
    size_t n_of[NOD_PARTS + 1] = {0};
    for (size_t i = 0; i < N_CASES; i++) {
        NOD_ASSERT(nod_split_part(s, i) <= NOD_PART_OUT && nod_split_group(s, i) < N_CASES);
        n_of[nod_split_part(s, i)]++;
    }
    for (int p = 0; p < NOD_PARTS; p++)
        NOD_ASSERT(nod_split_counts(s, (nod_part)p).images == n_of[p]);
    for (size_t i = 0; i < nod_split_notes(s); i++) {
        const nod_split_note *n = nod_split_get_note(s, i);
        NOD_ASSERT(n->i_case < N_CASES && n->i_other < N_CASES &&
                   (n->from < NOD_PARTS || n->kind == NOD_NOTE_UNKNOWN));
    }
    const nod_audit *a = nod_split_audit(s);
    nod_strbuf text = NOD_STRBUF_INIT;
    if (a) {
        NOD_ASSERT(a->n_factors <= NOD_AUDIT_FACTORS && !(a->auc > 1 || a->auc < -1));
        nod_audit_add_text(a, &text);
        nod_audit_add_note(a, &text);
    }
    nod_strbuf_done(&text);
}

static void try_text(const char *text, size_t size, const nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_split *s = NULL;
    int rc = nod_split_parse(text, size, "split.json", c, &s, &err);
    NOD_ASSERT((rc == 0) == (s != NULL));
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    if (s) check(s);
    nod_split_free(s);
}

/* The text with the hashes of content and cohort put right; NULL where that cannot be. */
static char *put_right(const uint8_t *data, size_t size, const nod_cohort *c)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    char *canonical = NULL, *out = NULL, hash[NOD_SHA256_HEX];
    if (nod_json_parse((const char *)data, size, "split.json", &j, &err) != 0) return NULL;
    nod_json *content = nod_json_is_object(j) ? nod_json_get(j, "content") : NULL;
    if (content && nod_json_is_object(content)) {
        if (nod_json_get(content, "cohort"))
            nod_json_set_str(content, "cohort", nod_cohort_hash(c));
        if (nod_json_dump_canonical(content, &canonical, &err) == 0 &&
            nod_sha256_of(canonical, strlen(canonical), hash, &err) == 0) {
            nod_json_set_str(j, "hash", hash);
            (void)!nod_json_dump(j, false, &out, &err);
        }
    }
    nod_free(canonical);
    nod_json_free(j);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_cohort *c = fixed_cohort();
    try_text((const char *)data, size, c);
    char *right = put_right(data, size, c);
    if (right) try_text(right, strlen(right), c);
    nod_free(right);
    nod_cohort_free(c);
    return 0;
}
