/* cohort.c: the cohort in memory. Strings live in one arena; labels in arrays that only
 * cohort_label.h reaches. */
#include "data/cohort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/cohort_internal.h"
#include "data/cohort_label.h"

#define HASH_TAG       "nodule-cohort-1"
#define CLASS_NAME_MAX 256

struct nod_cohort {
    nod_arena arena;
    nod_cohort_info info;
    nod_policies policies;
    char *folder;
    nod_case *cases;
    size_t n, cap;
    int32_t *label; /* [n], not multi-label */
    size_t label_cap;
    uint8_t *bits; /* [n][n_classes], multi-label */
    size_t bits_cap;
    size_t *by_id; /* [n] sorted, after finish */
    nod_unreadable *unreadable;
    size_t n_unreadable, unreadable_cap;
    struct exclusion {
        const char *reason;
        size_t n;
    } * exclusions;
    size_t n_exclusions, exclusions_cap;
    char hash[NOD_SHA256_HEX];
    bool finished;
};

#define TEXT(column, member)               \
    {                                      \
        column, offsetof(nod_case, member) \
    }
const nod_case_text nod_case_texts[NOD_CASE_TEXTS] = {
    TEXT("files", files),       TEXT("mask", mask),
    TEXT("patient", patient),   TEXT("other_ids", other_ids),
    TEXT("person", person),     TEXT("study", study),
    TEXT("series", series),     TEXT("frame_of_reference", frame_of_reference),
    TEXT("modality", modality), TEXT("orientation", orientation),
};
#undef TEXT

const char *nod_unit_label_name(nod_unit_label l)
{
    static const char *const names[] = {"same", "any"};
    return names[l];
}

const char *nod_positive_origin_name(nod_positive_origin o)
{
    static const char *const names[] = {"none", "declared", "derived", "assumed"};
    return names[o];
}

const char *nod_grouping_name(nod_grouping g)
{
    static const char *const names[] = {"none", "declared", "derived"};
    return names[g];
}

/* --- making ------------------------------------------------------------------------------- */

static int check_info(const nod_cohort_info *info, nod_error *err)
{
    size_t k = info->n_classes;
    if (k < 2 || k > NOD_COHORT_MAX_CLASSES)
        return nod_fail(err, NOD_EDATA,
                        "a cohort has 2 to %d classes, this has %zu; name at least two, "
                        "e.g. one folder each",
                        NOD_COHORT_MAX_CLASSES, k);
    for (size_t i = 0; i < k; i++) {
        const char *name = info->classes[i];
        if (*name == '\0' || strlen(name) > CLASS_NAME_MAX || strchr(name, '|'))
            return nod_fail(err, NOD_EDATA,
                            "class name '%.40s': 1 to %d bytes without '|' are allowed", name,
                            CLASS_NAME_MAX);
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, info->classes[j]) == 0)
                return nod_fail(err, NOD_EDATA, "class '%s' is named twice", name);
    }
    if (info->segmentation && info->multilabel)
        return nod_fail(err, NOD_EINVAL,
                        "a cohort with masks has no labels, so not several a case");
    bool binary = k == 2 && !info->multilabel && !info->segmentation;
    bool has_positive = info->positive_origin != NOD_POSITIVE_NONE;
    if (binary != has_positive || (binary && (info->positive < 0 || info->positive > 1)) ||
        (!binary && info->positive != -1))
        return nod_fail(err, NOD_EINVAL,
                        "a positive class belongs to two classes, and to them "
                        "only");
    return 0;
}

int nod_cohort_new(const nod_cohort_info *info, const char *folder, nod_cohort **out,
                   nod_error *err)
{
    int rc = check_info(info, err);
    if (rc) return rc;
    nod_cohort *c = nod_calloc(1, sizeof *c);
    if (c == NULL) return nod_fail_memory(err, "a cohort", sizeof *c);
    nod_arena_init(&c->arena);
    c->info = *info;
    c->policies = info->policies ? *info->policies : nod_policies_preset();
    c->info.policies = &c->policies;
    const char **classes = nod_arena_alloc(&c->arena, info->n_classes * sizeof *classes);
    bool ok = classes != NULL;
    for (size_t i = 0; i < info->n_classes && ok; i++)
        ok = (classes[i] = nod_arena_strdup(&c->arena, info->classes[i])) != NULL;
    c->info.classes = classes;
    c->info.grouping_rule =
        nod_arena_strdup(&c->arena, info->grouping_rule ? info->grouping_rule : "");
    c->info.layout = nod_arena_strdup(&c->arena, info->layout ? info->layout : "");
    c->info.source = nod_arena_strdup(&c->arena, info->source ? info->source : "");
    c->folder = nod_arena_strdup(&c->arena, folder);
    if (!ok || !c->info.grouping_rule || !c->info.layout || !c->info.source || !c->folder) {
        nod_cohort_free(c);
        return nod_fail_memory(err, "a cohort", sizeof *c);
    }
    *out = c;
    return 0;
}

void nod_cohort_free(nod_cohort *c)
{
    if (c == NULL) return;
    nod_arena_done(&c->arena);
    nod_free(c->cases);
    nod_free(c->label);
    nod_free(c->bits);
    nod_free(c->by_id);
    nod_free(c->unreadable);
    nod_free(c->exclusions);
    nod_free(c);
}

static int64_t find_class(const nod_cohort_info *info, const char *name, size_t len)
{
    for (size_t i = 0; i < info->n_classes; i++)
        if (strncmp(info->classes[i], name, len) == 0 && info->classes[i][len] == '\0')
            return (int64_t)i;
    return -1;
}

static const char *next_class(const void *ctx, size_t i)
{
    const nod_cohort_info *info = ctx;
    return i < info->n_classes ? info->classes[i] : NULL;
}

static int fail_class(const nod_cohort_info *info, const char *name, size_t len, nod_error *err)
{
    char word[CLASS_NAME_MAX + 1];
    size_t n = NOD_MIN(len, sizeof word - 1);
    memcpy(word, name, n);
    word[n] = '\0';
    const char *near = nod_nearest(word, next_class, info);
    /* What is nearly none of the classes may be anything: a cell of another column. */
    if (near == NULL) return nod_fail(err, NOD_EINVAL, "the label is not a class");
    return nod_fail(err, NOD_EINVAL, "label '%s' is not a class (did you mean '%s'?)", word,
                    near);
}

/* "a|b" into bits [n_classes]. */
static int parse_bits(const nod_cohort_info *info, const char *label, uint8_t *bits,
                      nod_error *err)
{
    memset(bits, 0, info->n_classes);
    while (*label) {
        size_t len = strcspn(label, "|");
        int64_t k = find_class(info, label, len);
        if (k < 0) return fail_class(info, label, len, err);
        if (bits[k])
            return nod_fail(err, NOD_EINVAL, "label '%s' stands twice", info->classes[k]);
        bits[k] = 1;
        label += len;
        if (*label == '|' && *++label == '\0')
            return nod_fail(err, NOD_EINVAL, "a label ends with '|'");
    }
    return 0;
}

/* The spacing is known along all axes or along none; an orientation comes with a spacing. */
static int check_grid(const nod_case *k, nod_error *err)
{
    const double *s = k->spacing_mm;
    const char *code = k->orientation ? k->orientation : "";
    bool has_spacing = s[0] > 0 && s[1] > 0 && s[2] > 0 && isfinite(s[0] + s[1] + s[2]);
    if (!has_spacing && (s[0] != 0 || s[1] != 0 || s[2] != 0))
        return nod_fail(err, NOD_EINVAL, "a spacing of %g, %g, %g mm", s[0], s[1], s[2]);
    if (*code && (strlen(code) != 3 || strspn(code, "LRAPSI") != 3 || !has_spacing))
        return nod_fail(err, NOD_EINVAL,
                        "the orientation is not a code such as LPS beside a spacing");
    return 0;
}

static bool is_hash(const char *text)
{
    return strlen(text) == NOD_SHA256_HEX - 1 &&
           strspn(text, "0123456789abcdef") == NOD_SHA256_HEX - 1;
}

static int check_case(const nod_case *k, nod_error *err)
{
    static const char id_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789._-";
    size_t id_len = strlen(k->id);
    if (id_len == 0 || id_len > NOD_ID_MAX || strspn(k->id, id_chars) != id_len)
        return nod_fail(err, NOD_EINVAL,
                        "the case id is not 1 to %d letters, digits, '.', '_', '-'",
                        NOD_ID_MAX);
    if (*k->file == '\0') return nod_fail(err, NOD_EINVAL, "the file's name is empty");
    if ((*k->array != '\0') != (k->index >= 0) || k->index < -1)
        return nod_fail(err, NOD_EINVAL, "an index from 0 belongs to an array, and to it only");
    if (!is_hash(k->pixels))
        return nod_fail(err, NOD_EINVAL, "the pixel hash is not 64 hex digits");
    if (k->files && *k->files && *k->array)
        return nod_fail(err, NOD_EINVAL,
                        "a case is of a series' files or of an array, not both");
    int64_t side = NOD_MAX(NOD_MAX(k->frames, k->depth), NOD_MAX(k->height, k->width));
    if (k->frames < 0 || NOD_MIN(k->depth, NOD_MIN(k->height, k->width)) < 1 || side > 65500 ||
        k->channels < 1 || k->channels > 4)
        return nod_fail(
            err, NOD_EINVAL,
            "%lld frames of %lldx%lldx%lld voxels with %d channels are out of range",
            (long long)k->frames, (long long)k->depth, (long long)k->height,
            (long long)k->width, k->channels);
    if (strcmp(k->sample, "u8") != 0 && strcmp(k->sample, "u16") != 0 &&
        strcmp(k->sample, "f32") != 0)
        return nod_fail(err, NOD_EINVAL, "the sample type is not u8, u16 or f32");
    for (int f = 0; f < NOD_FACTS; f++) {
        int rc = k->facts[f] ? nod_fact_check((nod_fact)f, k->facts[f], err) : 0;
        if (rc) return rc;
    }
    return check_grid(k, err);
}

/* Segmentation has a mask and its hash a case, and no label; anything else neither. */
static int check_mask(const nod_cohort *c, const nod_case *k, const char *label, nod_error *err)
{
    bool has_mask = k->mask && *k->mask, has_hash = k->mask_pixels[0] != '\0';
    if (has_mask != c->info.segmentation || has_hash != c->info.segmentation)
        return nod_fail(err, NOD_EINVAL, "%s",
                        c->info.segmentation
                            ? "a case of a segmentation has a mask and its hash"
                            : "a mask belongs to a segmentation, and to it only");
    if (has_hash && !is_hash(k->mask_pixels))
        return nod_fail(err, NOD_EINVAL, "the mask's hash is not 64 hex digits");
    if (c->info.segmentation && *label)
        return nod_fail(err, NOD_EINVAL, "a segmentation has masks, not labels");
    return 0;
}

/* NULL and "" take no memory. */
static const char *copy_text(nod_cohort *c, const char *text)
{
    return text && *text ? nod_arena_strdup(&c->arena, text) : "";
}

/* Copies the strings of a case into the arena. */
static bool copy_case(nod_cohort *c, const nod_case *k, nod_case *out)
{
    *out = *k;
    out->sample = strcmp(k->sample, "u8") == 0    ? "u8"
                  : strcmp(k->sample, "u16") == 0 ? "u16"
                                                  : "f32";
    /* Cases of one array share its two strings. */
    const nod_case *last = c->n > 0 ? &c->cases[c->n - 1] : NULL;
    bool same_file = last && strcmp(last->file, k->file) == 0;
    bool same_array = last && strcmp(last->array, k->array) == 0;
    out->file = same_file ? last->file : nod_arena_strdup(&c->arena, k->file);
    out->array = same_array ? last->array : nod_arena_strdup(&c->arena, k->array);
    out->id = nod_arena_strdup(&c->arena, k->id);
    out->frames = k->frames ? k->frames : 1;
    out->oddities = copy_text(c, k->oddities);
    bool ok = out->file && out->array && out->id && out->oddities;
    for (size_t t = 0; t < NOD_CASE_TEXTS && ok; t++) {
        const char **text = nod_case_text_at(out, t);
        ok = (*text = copy_text(c, *text)) != NULL;
    }
    for (int f = 0; f < NOD_FACTS && ok; f++) {
        const char *before = last ? last->facts[f] : ""; /* often the same in a row */
        bool same = k->facts[f] && strcmp(before, k->facts[f]) == 0;
        ok = (out->facts[f] = same ? before : copy_text(c, k->facts[f])) != NULL;
    }
    return ok;
}

int nod_cohort_add(nod_cohort *c, const nod_case *k, const char *label, nod_error *err)
{
    size_t n_classes = c->info.n_classes, bits_need;
    int rc = check_case(k, err);
    if (rc == 0) rc = check_mask(c, k, label, err);
    if (rc) return rc;
    if (c->n >= NOD_COHORT_MAX_CASES)
        return nod_fail(err, NOD_ELIMIT, "more than %zu cases", NOD_COHORT_MAX_CASES);
    if (!nod_grow((void **)&c->cases, &c->cap, c->n + 1, sizeof *c->cases))
        return nod_fail_memory(err, "cases", (c->n + 1) * sizeof *c->cases);
    if (c->info.multilabel) {
        if (!nod_size_mul(c->n + 1, n_classes, &bits_need) ||
            !nod_grow((void **)&c->bits, &c->bits_cap, bits_need, 1))
            return nod_fail_memory(err, "labels", n_classes);
        rc = parse_bits(&c->info, label, c->bits + c->n * n_classes, err);
        if (rc) return rc;
    } else {
        if (!nod_grow((void **)&c->label, &c->label_cap, c->n + 1, sizeof *c->label))
            return nod_fail_memory(err, "labels", sizeof *c->label);
        int64_t found = c->info.segmentation ? -1 : find_class(&c->info, label, strlen(label));
        if (found < 0 && !c->info.segmentation)
            return fail_class(&c->info, label, strlen(label), err);
        c->label[c->n] = (int32_t)found;
    }
    if (!copy_case(c, k, &c->cases[c->n])) return nod_fail_memory(err, "a case", sizeof *k);
    c->n++;
    c->finished = false;
    return 0;
}

int nod_cohort_add_exclusion(nod_cohort *c, const char *reason, size_t n, nod_error *err)
{
    for (size_t i = 0; i < c->n_exclusions; i++) {
        if (strcmp(c->exclusions[i].reason, reason) != 0) continue;
        c->exclusions[i].n += n;
        return 0;
    }
    struct exclusion x = {nod_arena_strdup(&c->arena, reason), n};
    if (!x.reason ||
        !nod_grow((void **)&c->exclusions, &c->exclusions_cap, c->n_exclusions + 1, sizeof x))
        return nod_fail_memory(err, "a list of exclusions", sizeof x);
    c->exclusions[c->n_exclusions++] = x;
    return 0;
}

int nod_cohort_add_unreadable(nod_cohort *c, const nod_unreadable *u, nod_error *err)
{
    nod_unreadable own = {nod_arena_strdup(&c->arena, u->id),
                          nod_arena_strdup(&c->arena, u->file),
                          nod_arena_strdup(&c->arena, u->reason)};
    if (!own.id || !own.file || !own.reason ||
        !nod_grow((void **)&c->unreadable, &c->unreadable_cap, c->n_unreadable + 1, sizeof own))
        return nod_fail_memory(err, "a list of files", sizeof own);
    c->unreadable[c->n_unreadable++] = own;
    return 0;
}

/* --- finishing ---------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b, void *ctx)
{
    const nod_case *cases = ctx;
    return strcmp(cases[*(const size_t *)a].id, cases[*(const size_t *)b].id);
}

static int check_classes(const nod_cohort *c, nod_error *err)
{
    for (size_t k = 0; k < c->info.n_classes && !c->info.multilabel && !c->info.segmentation;
         k++) {
        bool found = false;
        for (size_t i = 0; i < c->n && !found; i++)
            found = c->label[i] == (int32_t)k;
        if (!found)
            return nod_fail(err, NOD_EDATA,
                            "class '%s' has no case; add images of it or take the class out",
                            c->info.classes[k]);
    }
    return 0;
}

/* What is not known is left out, so that cohorts without it keep their hash. */
static void add_known(nod_sha256 *h, const char *what, const char *text)
{
    if (*text == '\0') return;
    nod_sha256_add_str(h, what);
    nod_sha256_add_str(h, text);
}

static int compute_hash(nod_cohort *c, nod_error *err)
{
    nod_sha256 *h = NULL;
    nod_strbuf label = NOD_STRBUF_INIT;
    int rc = nod_sha256_new(&h, err);
    if (rc) return rc;
    nod_sha256_add_str(h, HASH_TAG);
    nod_sha256_add_i64(h, c->info.multilabel);
    nod_sha256_add_i64(h, (int64_t)c->info.n_classes);
    for (size_t i = 0; i < c->info.n_classes; i++)
        nod_sha256_add_str(h, c->info.classes[i]);
    nod_sha256_add_i64(h, c->info.positive);
    nod_sha256_add_i64(h, c->info.positive_origin);
    nod_sha256_add_i64(h, c->info.grouping);
    nod_sha256_add_str(h, ""); /* where the rule was, which is about names of files */
    if (c->info.unit != NOD_LEVEL_IMAGE) add_known(h, "unit", nod_level_name(c->info.unit));
    if (c->info.unit_label != NOD_UNIT_LABEL_SAME)
        add_known(h, "unit_label", nod_unit_label_name(c->info.unit_label));
    if (c->info.segmentation) add_known(h, "task", "segmentation");
    nod_sha256_add_i64(h, (int64_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        const nod_case *k = &c->cases[i];
        nod_strbuf_clear(&label);
        nod_cohort_add_label(c, i, &label);
        if (label.failed) break;
        nod_sha256_add_str(h, k->id);
        nod_sha256_add_str(h, label.data ? label.data : "");
        nod_sha256_add_str(h, k->patient);
        add_known(h, "study", k->study);
        add_known(h, "other_ids", k->other_ids);
        add_known(h, "site", k->facts[NOD_FACT_SITE]);
        add_known(h, "date", k->facts[NOD_FACT_DATE]);
        add_known(h, "mask_pixels", k->mask_pixels);
        nod_sha256_add_str(h, nod_part_name(k->official));
        nod_sha256_add_str(h, k->pixels);
        nod_sha256_add_i64(h, k->constant);
    }
    if (label.failed) rc = nod_fail_memory(err, "a label", label.len);
    nod_sha256_hex(h, c->hash);
    nod_sha256_free(h);
    nod_strbuf_done(&label);
    return rc;
}

int nod_cohort_finish(nod_cohort *c, nod_error *err)
{
    int rc = 0;
    if (c->n == 0) return nod_fail(err, NOD_EDATA, "the cohort has no cases");
    NOD_TRY(check_classes(c, err));
    nod_free(c->by_id);
    c->by_id = nod_calloc(c->n, sizeof *c->by_id);
    if (c->by_id == NULL) return nod_fail_memory(err, "case ids", c->n * sizeof *c->by_id);
    for (size_t i = 0; i < c->n; i++)
        c->by_id[i] = i;
    qsort_r(c->by_id, c->n, sizeof *c->by_id, compare_ids, c->cases);
    for (size_t i = 1; i < c->n; i++)
        if (compare_ids(&c->by_id[i - 1], &c->by_id[i], c->cases) == 0)
            return nod_fail(err, NOD_EDATA, "case id '%s' stands twice",
                            c->cases[c->by_id[i]].id);
    NOD_TRY(compute_hash(c, err));
    c->finished = true;
out:
    return rc;
}

/* --- looking ------------------------------------------------------------------------------ */

const nod_cohort_info *nod_cohort_get_info(const nod_cohort *c)
{
    return &c->info;
}

size_t nod_cohort_size(const nod_cohort *c)
{
    return c->n;
}

const nod_case *nod_cohort_get(const nod_cohort *c, size_t i)
{
    NOD_ASSERT(i < c->n);
    return &c->cases[i];
}

int64_t nod_cohort_find(const nod_cohort *c, const char *id)
{
    NOD_ASSERT(c->finished);
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(id, c->cases[c->by_id[mid]].id);
        if (order == 0) return (int64_t)c->by_id[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return -1;
}

bool nod_cohort_has_official(const nod_cohort *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->cases[i].official != NOD_PART_OUT) return true;
    return false;
}

const char *nod_cohort_folder(const nod_cohort *c)
{
    return c->folder;
}

char *nod_cohort_case_path(const nod_cohort *c, size_t i)
{
    return nod_path_join(c->folder, nod_cohort_get(c, i)->file);
}

int nod_cohort_need_labels(const nod_cohort *c, nod_error *err)
{
    if (!c->info.segmentation) return 0;
    return nod_fail(
        err, NOD_EUNSUPPORTED,
        "the cohort has label maps; networks that draw them are not trained by this "
        "version, which learns classes of images");
}

const char *nod_cohort_hash(const nod_cohort *c)
{
    NOD_ASSERT(c->finished);
    return c->hash;
}

size_t nod_cohort_exclusions(const nod_cohort *c)
{
    return c->n_exclusions;
}

void nod_cohort_get_exclusion(const nod_cohort *c, size_t i, const char **reason, size_t *n)
{
    NOD_ASSERT(i < c->n_exclusions);
    *reason = c->exclusions[i].reason;
    *n = c->exclusions[i].n;
}

size_t nod_cohort_unreadable(const nod_cohort *c)
{
    return c->n_unreadable;
}

nod_unreadable nod_cohort_get_unreadable(const nod_cohort *c, size_t i)
{
    NOD_ASSERT(i < c->n_unreadable);
    return c->unreadable[i];
}

/* --- labels ------------------------------------------------------------------------------- */

int32_t nod_cohort_label(const nod_cohort *c, size_t i)
{
    NOD_ASSERT(i < c->n && !c->info.multilabel);
    return c->label[i];
}

bool nod_cohort_has_label(const nod_cohort *c, size_t i, size_t k)
{
    NOD_ASSERT(i < c->n && k < c->info.n_classes);
    if (c->info.multilabel) return c->bits[i * c->info.n_classes + k];
    return c->label[i] == (int32_t)k;
}

bool nod_cohort_same_label(const nod_cohort *c, size_t i, size_t j)
{
    size_t k = c->info.n_classes;
    if (c->info.segmentation)
        return strcmp(c->cases[i].mask_pixels, c->cases[j].mask_pixels) == 0;
    if (!c->info.multilabel) return c->label[i] == c->label[j];
    return memcmp(c->bits + i * k, c->bits + j * k, k) == 0;
}

void nod_cohort_add_label(const nod_cohort *c, size_t i, nod_strbuf *out)
{
    bool first = true;
    for (size_t k = 0; k < c->info.n_classes; k++) {
        if (!nod_cohort_has_label(c, i, k)) continue;
        if (!first) nod_strbuf_addc(out, '|');
        nod_strbuf_add(out, c->info.classes[k]);
        first = false;
    }
}
