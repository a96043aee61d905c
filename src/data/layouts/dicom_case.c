/* dicom_case.c: a tree is scanned, series chosen by rules, and each stack that is chosen is a case: a
 * volume with its fourth axis, or one projection image. Nothing here looks at pixels. */
#include "data/layouts/dicom_case.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "data/layouts/item.h"
#include "data/patient.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/select.h"

typedef struct adding {
    nod_listing *out;
    const nod_index_options *o;
    const char *folder; /* of the scan, below the listing's root */
    const nod_dicom_labeller *labeller;
    nod_dicom_met *met;
    nod_dicom_scan scan;
    nod_error *err;
} adding;

/* --- what a header says ------------------------------------------------------------------- */

static const char *keep(nod_listing *l, nod_strbuf *b)
{
    const char *text = b->failed ? NULL : nod_arena_strdup(&l->arena, b->data);
    nod_strbuf_done(b);
    return text;
}

/* "" where the file does not say, or says nobody. */
static const char *patient_of(nod_listing *l, const nod_dicom_header *h)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    if (nod_patient_is_dummy(h->patient_id, true)) return "";
    nod_patient_add_key(&b, h->patient_issuer, h->patient_id);
    return keep(l, &b);
}

/* OtherPatientIDs are of the same issuer as far as a file says. */
static const char *other_ids_of(nod_listing *l, const nod_dicom_header *h)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    for (const char *id = h->other_patient_ids; *id;) {
        char one[NOD_DICOM_ID];
        size_t n = strcspn(id, "\\");
        snprintf(one, sizeof one, "%.*s", (int)n, id);
        if (!nod_patient_is_dummy(one, true) && strchr(one, '|') == NULL) {
            if (b.len) nod_strbuf_addc(&b, '|');
            bool has_issuer = strchr(one, NOD_PATIENT_SEPARATOR) != NULL;
            nod_patient_add_key(&b, has_issuer ? "" : h->patient_issuer, one);
        }
        id += n + (id[n] == '\\');
    }
    return keep(l, &b);
}

static const char *number_text(nod_listing *l, double v)
{
    return isfinite(v) ? nod_arena_printf(&l->arena, "%.4g", v) : "";
}

/* What the item has already stays. Values of a kind that no fact can have are as good as absent. */
static int take_facts(nod_listing *l, const nod_dicom_header *h, nod_item *item, nod_error *err)
{
    nod_arena *a = &l->arena;
    const char *said[NOD_FACTS] = {[NOD_FACT_SITE] = nod_arena_strdup(a, h->institution),
                                   [NOD_FACT_VENDOR] = nod_arena_strdup(a, h->manufacturer),
                                   [NOD_FACT_MODEL] = nod_arena_strdup(a, h->model),
                                   [NOD_FACT_SEX] = nod_arena_strdup(a, h->patient_sex),
                                   [NOD_FACT_AGE] = number_text(l, h->patient_age_years),
                                   [NOD_FACT_DATE] = nod_arena_strdup(a, h->study_date),
                                   [NOD_FACT_KVP] = number_text(l, h->kvp),
                                   [NOD_FACT_FIELD] = number_text(l, h->field_strength_t)};
    nod_error ignored = NOD_ERROR_INIT;
    for (int f = 0; f <= (int)NOD_FACT_FIELD; f++) {
        if (said[f] == NULL) return nod_fail_memory(err, "facts of a case", sizeof said);
        if (item->facts[f] && *item->facts[f]) continue;
        if (nod_fact_check((nod_fact)f, said[f], &ignored) == 0) item->facts[f] = said[f];
    }
    return 0;
}

static int take_header(nod_listing *l, const nod_dicom_header *h, nod_item *item,
                       nod_error *err)
{
    nod_arena *a = &l->arena;
    int rc = take_facts(l, h, item, err);
    if (rc) return rc;
    if (item->patient == NULL || *item->patient == '\0') item->patient = patient_of(l, h);
    item->other_ids = other_ids_of(l, h);
    item->person = nod_arena_strdup(a, h->person);
    item->study = nod_arena_strdup(a, h->study_uid);
    item->series = nod_arena_strdup(a, h->series_uid);
    item->frame_of_reference =
        nod_arena_strdup(a, h->identity_removed ? "" : h->frame_of_reference_uid);
    if (!item->patient || !item->other_ids || !item->person || !item->study || !item->series ||
        !item->frame_of_reference)
        return nod_fail_memory(err, "a case", sizeof *item);
    l->has_patients |= *item->patient != '\0';
    l->phi = true;
    return 0;
}

/* --- names -------------------------------------------------------------------------------- */

/* A scan's name as seen from the listing's root; the caller's. NULL: no memory. */
static char *name_below_root(const adding *d, const char *name)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    bool is_dir = *d->folder == '\0' || nod_path_is_dir(d->scan.root);
    nod_strbuf_add(&b, d->folder);
    if (*d->folder && *name) nod_strbuf_add(&b, is_dir ? "/" : NOD_ARCHIVE_MARK);
    nod_strbuf_add(&b, name);
    return nod_strbuf_take(&b);
}

/* The names of a stack's files as seen from the listing's root. */
static int add_names(const adding *d, size_t i_series, size_t i_stack, nod_strlist *out)
{
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = nod_dicom_stack_files(&d->scan, i_series, i_stack, &names, d->err);
    for (size_t i = 0; i < names.n && rc == 0; i++) {
        char *name = name_below_root(d, names.items[i]);
        if (name == NULL || !nod_strlist_add(out, name))
            rc = nod_fail_memory(d->err, "names of a series", names.n);
        nod_free(name);
    }
    nod_strlist_done(&names);
    return rc;
}

/* --- stacks ------------------------------------------------------------------------------- */

static int add_stack(adding *d, const nod_dicom_header *h, const nod_strlist *names)
{
    nod_item item = {.array = "", .index = -1, .label = "", .official = NOD_PART_OUT};
    nod_error why = NOD_ERROR_INIT;
    NOD_ASSERT(names->items != NULL); /* a stack has files */
    if (!d->labeller->take(d->labeller->ctx, h, &item)) return 0;
    int rc = nod_item_set_files(d->out, &item, names, &why);
    if (rc == NOD_EDATA)
        return nod_listing_add_problem(d->out, names->items[0], why.message, d->err);
    if (rc) {
        *d->err = why;
        return rc;
    }
    rc = take_header(d->out, h, &item, d->err);
    if (rc) return rc;
    d->met->n_dummies += *h->patient_id && nod_patient_is_dummy(h->patient_id, true);
    d->out->multilabel |= strchr(item.label, '|') != NULL;
    return nod_listing_add(d->out, &item, d->err);
}

/* A series of several stacks is one case, which its policy refuses by name, or a case each. */
static bool is_split(const nod_index_options *o)
{
    return o->policies && o->policies->of[NOD_FINDING_SEVERAL_STACKS] == NOD_POLICY_SPLIT;
}

static int add_series(adding *d, size_t i_series)
{
    const nod_dicom_series *s = &d->scan.series[i_series];
    nod_strlist names = NOD_STRLIST_INIT;
    int rc = 0;
    for (size_t k = 0; k < s->stacks.n && rc == 0; k++) {
        NOD_TRY(add_names(d, i_series, k, &names));
        bool alone = is_split(d->o) || s->stacks.items[k].projection || k + 1 == s->stacks.n;
        if (!alone) continue; /* its files join those of the stacks that follow */
        rc = add_stack(d, nod_dicom_stack_header(&d->scan, i_series, k), &names);
        nod_strlist_done(&names);
        names = (nod_strlist)NOD_STRLIST_INIT;
    }
out:
    nod_strlist_done(&names);
    return rc;
}

static int add_problems(adding *d)
{
    int rc = 0;
    for (size_t i = 0; i < d->scan.n_problems && rc == 0; i++) {
        char *name = name_below_root(d, d->scan.problems[i].name);
        rc = name ? nod_listing_add_problem(d->out, name, d->scan.problems[i].message, d->err)
                  : nod_fail_memory(d->err, "a path", 1);
        nod_free(name);
    }
    return rc;
}

int nod_dicom_cases_add(nod_listing *l, const nod_index_options *o, const char *folder,
                        bool every, const nod_dicom_labeller *labeller, nod_dicom_met *met,
                        nod_error *err)
{
    adding d = {
        .out = l, .o = o, .folder = folder, .labeller = labeller, .met = met, .err = err};
    nod_dicom_choice choice = {0};
    int rc = 0;
    char *path = *folder ? nod_path_join(l->root, folder) : nod_strdup(l->root);
    if (path == NULL) return nod_fail_memory(err, "a path", strlen(folder));
    NOD_TRY(nod_dicom_scan_tree(path, NULL, &d.scan, err));
    NOD_TRY(nod_dicom_choose(&d.scan, o->series, every, &choice, err));
    for (size_t i = 0; i < choice.n; i++)
        NOD_TRY(add_series(&d, choice.series[i]));
    NOD_TRY(add_problems(&d));
out:
    nod_dicom_choice_done(&choice);
    nod_dicom_scan_done(&d.scan);
    nod_free(path);
    return rc;
}

void nod_dicom_met_warn(const nod_dicom_met *met, const nod_log *log)
{
    if (met->n_dummies)
        nod_warn(log,
                 "%zu series or images have a patient id that stands for nobody (removed, "
                 "anonymous, 123456 ...); their patients count as unknown",
                 met->n_dummies);
}

/* --- an image that a table names ------------------------------------------------------------ */

static bool is_dicom(const char *path)
{
    unsigned char head[256];
    if (nod_path_is_dir(path) || nod_has_suffix_nocase(path, ".zip")) return true;
    return nod_dicom_is(head, nod_file_peek(path, head, sizeof head));
}

typedef struct expecting {
    nod_item *item;
    size_t n;
} expecting;

static bool take_one(void *ctx, const nod_dicom_header *h, nod_item *item)
{
    expecting *e = ctx;
    (void)h;
    *item = *e->item;
    e->n++;
    return true;
}

/* The stacks go through a listing of their own, which shares the arena. */
static int set_dicom(nod_listing *l, const nod_index_options *o, nod_item *item,
                     const char *name, nod_error *err)
{
    expecting e = {.item = item};
    const nod_dicom_labeller labeller = {take_one, &e};
    nod_dicom_met met = {0};
    nod_listing one = {.arena = l->arena, .root = l->root};
    int rc = nod_dicom_cases_add(&one, o, name, false, &labeller, &met, err);
    l->arena = one.arena;
    if (rc == 0 && one.n > 1)
        rc = nod_fail(err, NOD_EDATA,
                      "%zu series or images of DICOM are where one is meant; choose with "
                      "--series, or name the file",
                      one.n);
    if (rc == 0 && one.n == 0) {
        item->name = nod_arena_strdup(&l->arena, name);
        if (item->name == NULL) rc = nod_fail_memory(err, "a name", strlen(name));
    } else if (rc == 0) {
        *item = one.items[0];
        l->has_patients |= one.has_patients;
        l->phi |= one.phi;
    }
    nod_free(one.items);
    nod_free(one.problems);
    return rc;
}

int nod_item_set_image(nod_listing *l, const nod_index_options *o, nod_item *item,
                       const char *name, nod_error *err)
{
    nod_strlist names = NOD_STRLIST_INIT;
    char *path = nod_path_join(l->root, name);
    int rc;
    if (path == NULL || !nod_strlist_add(&names, name))
        rc = nod_fail_memory(err, "a path", strlen(name));
    else if (is_dicom(path))
        rc = set_dicom(l, o, item, name, err);
    else
        rc = nod_item_set_files(l, item, &names, err);
    nod_strlist_done(&names);
    nod_free(path);
    return rc;
}
