/* finding.c: the table of findings, what was found in one image, and what is done about it. */
#include "imaging/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define REFUSE   (1u << NOD_POLICY_REFUSE)
#define ACCEPT   (1u << NOD_POLICY_ACCEPT)
#define SPLIT    (1u << NOD_POLICY_SPLIT)
#define SHEAR    (1u << NOD_POLICY_SHEAR)
#define RESAMPLE (1u << NOD_POLICY_RESAMPLE)

/* What would let voxels lie about the patient is refused, what only wants to be known accepted. */
static const nod_finding_info infos[NOD_FINDING_KINDS] = {
    [NOD_FINDING_GAP] = {"gap", "slices are missing inside the series", REFUSE | RESAMPLE,
                         NOD_POLICY_REFUSE},
    [NOD_FINDING_DUPLICATE] = {"duplicate",
                               "slices lie at the same place and no tag tells them apart",
                               REFUSE | ACCEPT, NOD_POLICY_REFUSE},
    [NOD_FINDING_UNEVEN_SPACING] = {"uneven-spacing", "the distance between slices varies",
                                    REFUSE | RESAMPLE, NOD_POLICY_REFUSE},
    [NOD_FINDING_GANTRY_TILT] = {"gantry-tilt", "each slice is shifted along its plane",
                                 REFUSE | SHEAR, NOD_POLICY_REFUSE},
    [NOD_FINDING_SEVERAL_STACKS] = {"several-stacks", "the series holds more than one volume",
                                    REFUSE | SPLIT, NOD_POLICY_REFUSE},
    [NOD_FINDING_MIXED_SLOPES] = {"mixed-slopes", "slices have rescale values of their own",
                                  REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_MISSING_POSITION] = {"missing-position",
                                      "slices do not say where they lie in the patient",
                                      REFUSE | ACCEPT, NOD_POLICY_REFUSE},
    [NOD_FINDING_MISSING_PHASE] = {"missing-phase",
                                   "some places lack values of the fourth axis", REFUSE,
                                   NOD_POLICY_REFUSE},
    [NOD_FINDING_LOCALIZER] = {"localizer", "a scout view for planning", REFUSE | ACCEPT,
                               NOD_POLICY_ACCEPT},
    [NOD_FINDING_SECONDARY_CAPTURE] = {"secondary-capture",
                                       "captured from a screen or film, not from the scanner",
                                       REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_DERIVED] = {"derived", "computed from other images", REFUSE | ACCEPT,
                             NOD_POLICY_ACCEPT},
    [NOD_FINDING_BURNED_IN] = {"burned-in", "text is part of the picture", REFUSE | ACCEPT,
                               NOD_POLICY_ACCEPT},
    [NOD_FINDING_MIXED_INTENT] = {"mixed-intent", "FOR PRESENTATION beside FOR PROCESSING",
                                  REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_DETECTOR_SPACING] = {"detector-spacing",
                                      "millimetres at the detector: larger than in the patient",
                                      REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_FORMS_DIFFER] = {"forms-differ", "qform and sform are set and disagree",
                                  REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_NO_ORIENTATION] = {"no-orientation",
                                    "the spacing is known, the place in the patient is not",
                                    REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_SHEARED] = {"sheared", "the axes are not at right angles", REFUSE | RESAMPLE,
                             NOD_POLICY_REFUSE},
    [NOD_FINDING_BAD_SPACING] = {"bad-spacing", "a spacing is zero, negative or not a number",
                                 REFUSE | ACCEPT, NOD_POLICY_REFUSE},
    [NOD_FINDING_HEADER_CONFLICT] = {"header-conflict", "fields of the header contradict",
                                     REFUSE | ACCEPT, NOD_POLICY_REFUSE},
    [NOD_FINDING_NOT_FINITE] = {"not-finite", "voxels are NaN or infinite", REFUSE | ACCEPT,
                                NOD_POLICY_REFUSE},
    [NOD_FINDING_ROUNDED] = {"rounded", "integers beyond what a 32-bit float holds exactly",
                             REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
    [NOD_FINDING_LOSSY] = {"lossy", "went through a lossy compression", REFUSE | ACCEPT,
                           NOD_POLICY_ACCEPT},
    [NOD_FINDING_TRAILING_BYTES] = {"trailing-bytes", "bytes follow that nothing explains",
                                    REFUSE | ACCEPT, NOD_POLICY_ACCEPT},
};

static const char *const policy_names[NOD_POLICIES] = {[NOD_POLICY_REFUSE] = "refuse",
                                                       [NOD_POLICY_ACCEPT] = "accept",
                                                       [NOD_POLICY_SPLIT] = "split-stacks",
                                                       [NOD_POLICY_SHEAR] = "shear",
                                                       [NOD_POLICY_RESAMPLE] = "resample"};

const nod_finding_info *nod_finding_get_info(nod_finding_kind kind)
{
    return &infos[kind];
}

int nod_finding_from_name(const char *name)
{
    for (int i = 0; i < NOD_FINDING_KINDS; i++)
        if (strcmp(infos[i].name, name) == 0) return i;
    return -1;
}

const char *nod_policy_name(nod_policy p)
{
    return policy_names[p];
}

int nod_policy_from_name(const char *name)
{
    for (int i = 0; i < NOD_POLICIES; i++)
        if (strcmp(policy_names[i], name) == 0) return i;
    return -1;
}

/* --- what was found ----------------------------------------------------------------------- */

void nod_findings_done(nod_findings *f)
{
    nod_free(f->items);
    *f = (nod_findings){0};
}

bool nod_findings_has(const nod_findings *f, nod_finding_kind kind)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].kind == kind) return true;
    return false;
}

int nod_findings_add(nod_findings *f, nod_error *err, nod_finding_kind kind, const char *format,
                     ...)
{
    if (f == NULL || nod_findings_has(f, kind)) return 0;
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 4;
        nod_finding *items = nod_realloc(f->items, cap, sizeof *items);
        if (items == NULL) return nod_fail_memory(err, "findings", cap * sizeof *items);
        f->items = items;
        f->cap = cap;
    }
    nod_finding *item = &f->items[f->n++];
    va_list args;
    item->kind = kind;
    va_start(args, format);
    vsnprintf(item->detail, sizeof item->detail, format, args);
    va_end(args);
    return 0;
}

/* --- what is done about it ---------------------------------------------------------------- */

nod_policies nod_policies_preset(void)
{
    nod_policies p;
    for (int i = 0; i < NOD_FINDING_KINDS; i++)
        p.of[i] = infos[i].preset;
    return p;
}

static const char *next_kind(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_FINDING_KINDS ? infos[i].name : NULL;
}

/* "refuse, shear": the policies that make sense for a kind, without `except`. */
static void list_policies(nod_finding_kind kind, int except, char *out, size_t size)
{
    size_t n = 0;
    out[0] = 0;
    for (int p = 0; p < NOD_POLICIES; p++)
        if (p != except && (infos[kind].policies >> p & 1) && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", policy_names[p]);
}

static int set_policy(const nod_json *j, const char *where, const char *key, nod_policies *p,
                      nod_error *err)
{
    const nod_json *value = nod_json_get(j, key);
    int kind = nod_finding_from_name(key), policy = nod_policy_from_name(nod_json_str(value));
    char list[80];
    if (kind < 0) {
        const char *near = nod_nearest(key, next_kind, NULL);
        return nod_fail(err, NOD_ERECIPE, "%s: '%.40s' is not the name of a finding%s%s%s",
                        where, key, near ? " (did you mean '" : "", near ? near : "",
                        near ? "'?)" : "");
    }
    if (policy < 0 || !(infos[kind].policies >> policy & 1)) {
        list_policies((nod_finding_kind)kind, -1, list, sizeof list);
        return nod_fail(err, NOD_ERECIPE,
                        "%s: '%.40s' cannot be the policy for %s; choose from: %s", where,
                        nod_json_str(value), key, list);
    }
    p->of[kind] = (nod_policy)policy;
    return 0;
}

int nod_policies_from_json(const nod_json *j, const char *where, nod_policies *out,
                           nod_error *err)
{
    nod_policies p = *out;
    if (!nod_json_is_object(j))
        return nod_fail(err, NOD_ERECIPE,
                        "%s: policies are a mapping such as {gantry-tilt: shear}", where);
    for (const char *key = nod_json_next_key(j, NULL); key; key = nod_json_next_key(j, key)) {
        int rc = set_policy(j, where, key, &p, err);
        if (rc) return rc;
    }
    *out = p;
    return 0;
}

nod_json *nod_policies_to_json(const nod_policies *p)
{
    nod_json *j = nod_json_object();
    for (int i = 0; i < NOD_FINDING_KINDS; i++)
        if (p->of[i] != infos[i].preset)
            nod_json_set_str(j, infos[i].name, policy_names[p->of[i]]);
    return j;
}

int nod_policies_judge(const nod_policies *p, nod_findings *f, const char *name,
                       nod_finding_kind kind, const char *detail, nod_error *err)
{
    char list[80];
    int rc = nod_findings_add(f, err, kind, "%s", detail);
    if (rc || p->of[kind] != NOD_POLICY_REFUSE) return rc;
    list_policies(kind, NOD_POLICY_REFUSE, list, sizeof list);
    return nod_fail(err, NOD_EDATA, "%s: %s: %s (%s)%s%s", name, infos[kind].name, detail,
                    infos[kind].about,
                    list[0] ? "; refused unless its policy is one of: " : "; refused", list);
}
