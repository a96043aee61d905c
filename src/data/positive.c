/* positive.c: names that decide which class is the finding. */
#include "data/positive.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define WORD_MAX 64

/* Whole names, lower case, with '_' and '-' as spaces. */
static const char *const absent_words[] = {
    "no",      "none",     "negative", "neg",   "normal", "normals", "healthy", "benign",
    "control", "controls", "absent",   "false", "clear",  "without", "notumor", "notumour"};
static const char *const present_words[] = {
    "yes",    "positive", "pos",          "abnormal", "malignant", "cancer",   "tumor",
    "tumour", "present",  "true",         "lesion",   "disease",   "diseased", "nodule",
    "with",   "finding",  "pathological", "sick",     "infected",  "pneumonia"};
static const char *const absent_prefixes[] = {"no ", "non ", "not ", "without "};

static bool is_among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0) return true;
    return false;
}

static void simplify(const char *name, char out[WORD_MAX])
{
    size_t n = 0;
    for (; name[n] && n + 1 < WORD_MAX; n++) {
        char c = name[n];
        out[n] = c == '_' || c == '-' ? ' ' : (char)tolower((unsigned char)c);
    }
    out[n] = '\0';
}

static bool says_absent(const char *name)
{
    char word[WORD_MAX];
    simplify(name, word);
    for (size_t i = 0; i < NOD_COUNT(absent_prefixes); i++)
        if (nod_has_prefix(word, absent_prefixes[i])) return true;
    return is_among(word, absent_words, NOD_COUNT(absent_words));
}

static bool says_present(const char *name)
{
    char word[WORD_MAX];
    simplify(name, word);
    return is_among(word, present_words, NOD_COUNT(present_words));
}

static int find_declared(nod_cohort_info *info, const char *declared, nod_error *err)
{
    for (size_t i = 0; i < info->n_classes; i++)
        if (strcmp(info->classes[i], declared) == 0) info->positive = (int64_t)i;
    if (info->positive < 0)
        return nod_fail(err, NOD_EINVAL, "the positive class '%.80s' is not one of '%s', '%s'",
                        declared, info->classes[0], info->classes[1]);
    info->positive_origin = NOD_POSITIVE_DECLARED;
    return 0;
}

int nod_positive_find(nod_cohort_info *info, const char *declared, nod_error *err)
{
    bool binary = info->n_classes == 2 && !info->multilabel;
    info->positive = -1;
    info->positive_origin = NOD_POSITIVE_NONE;
    if (!binary && declared)
        return nod_fail(err, NOD_EINVAL,
                        "a positive class belongs to two classes; this cohort has %zu%s",
                        info->n_classes, info->multilabel ? " labels" : "");
    if (!binary) return 0;
    if (declared) return find_declared(info, declared, err);
    bool absent[2], present[2];
    for (int i = 0; i < 2; i++) {
        absent[i] = says_absent(info->classes[i]);
        present[i] = says_present(info->classes[i]);
    }
    info->positive = 1;
    info->positive_origin = NOD_POSITIVE_ASSUMED;
    if (absent[0] != absent[1]) {
        info->positive = absent[0] ? 1 : 0;
        info->positive_origin = NOD_POSITIVE_DERIVED;
    } else if (!absent[0] && present[0] != present[1]) {
        info->positive = present[1] ? 1 : 0;
        info->positive_origin = NOD_POSITIVE_DERIVED;
    }
    return 0;
}
