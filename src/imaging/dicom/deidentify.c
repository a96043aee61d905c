/* deidentify.c: a file is gone through twice: first for what it says of persons, then to change it. */
#include "imaging/dicom/deidentify.h"

#include <string.h>

#include "base/memory.h"

#define METHOD     "Nodule: " NOD_DEID_EDITION " basic profile, dates shifted"
#define METHOD_MAX 512 /* of what earlier methods say */

enum {
    SOP_CLASS = 0x00080016,
    SOP_INSTANCE = 0x00080018,
    MODALITY = 0x00080060,
    IMAGE_TYPE = 0x00080008,
    STUDY_DESCRIPTION = 0x00081030,
    SERIES_DESCRIPTION = 0x0008103e,
    BODY_PART = 0x00180015,
    PROTOCOL = 0x00181030,
    BURNED_IN = 0x00280301,
    IDENTITY_REMOVED = 0x00120062,
    METHOD_TEXT = 0x00120063,
    METHOD_CODES = 0x00120064,
    TIMES_MODIFIED = 0x00280303,
    ENCAPSULATED_DOCUMENT = 0x00420011
};

/* --- what the file is --------------------------------------------------------------------------- */

/* Answers of the first pass. */
typedef struct reading {
    const nod_deid_subject *subject;
    nod_deid_terms terms;
    char sop_class[65], modality[17], burned_in[17], method[METHOD_MAX];
    bool is_capture; /* ImageType says so */
    bool is_head;
    bool is_document, has_instance;
} reading;

static void keep(char *to, size_t size, const char *text)
{
    size_t n = strlen(text);
    if (n >= size) n = size - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

static bool has_word(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words)) return true;
    return false;
}

static void note(reading *r, const nod_dicom_element *e)
{
    static const char *const heads[] = {"head",          "brain",  "skull", "cran",  "neuro",
                                        "face",          "facial", "orbit", "sinus", "dental",
                                        "maxil",         "mandib", "neck",  "kopf",  "pituit",
                                        "temporal bone", "cerebr", "iac",   NULL};
    static const char *const captures[] = {"SCREEN SAVE", "SECONDARY\\SCREEN", "CAPTURE", NULL};
    if (e->tag == ENCAPSULATED_DOCUMENT) r->is_document = true;
    if (e->text == NULL || (e->depth > 0 && e->tag != BODY_PART)) return;
    switch (e->tag) {
    case SOP_CLASS:
        keep(r->sop_class, sizeof r->sop_class, e->text);
        break;
    case SOP_INSTANCE:
        r->has_instance = e->n > 0;
        break;
    case MODALITY:
        keep(r->modality, sizeof r->modality, e->text);
        break;
    case BURNED_IN:
        keep(r->burned_in, sizeof r->burned_in, e->text);
        break;
    case METHOD_TEXT:
        keep(r->method, sizeof r->method, e->text);
        break;
    case IMAGE_TYPE:
        r->is_capture = r->is_capture || has_word(e->text, captures);
        break;
    case STUDY_DESCRIPTION:
    case SERIES_DESCRIPTION:
    case PROTOCOL:
    case BODY_PART:
        r->is_head = r->is_head || has_word(e->text, heads);
        break;
    default:
        break;
    }
}

static int look(void *ctx, const nod_dicom_element *e, nod_dicom_change *change, nod_error *err)
{
    reading *r = ctx;
    (void)change;
    note(r, e);
    return nod_deid_gather(r->subject, &r->terms, e, err);
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0) return true;
    return false;
}

static void judge(const reading *r, nod_deid_outcome *out)
{
    static const char *const often[] = {"US", "SC", "OT", "ES",  "XC",
                                        "DG", "RF", "XA", "ECG", NULL};
    static const char *const volumes[] = {"CT", "MR", "PT", NULL};
    bool is_captured = nod_has_prefix(r->sop_class, "1.2.840.10008.5.1.4.1.1.7");
    if (strcmp(r->burned_in, "YES") == 0)
        out->burned_in = NOD_DEID_BURNED_IN_YES;
    else if (strcmp(r->burned_in, "NO") != 0 &&
             (is_captured || r->is_capture || is_one_of(r->modality, often)))
        out->burned_in = NOD_DEID_BURNED_IN_LIKELY;
    out->has_face = r->is_head && is_one_of(r->modality, volumes);
}

static int check_kind(const nod_dicom_file *file, const reading *r, nod_error *err)
{
    const char *name = nod_dicom_file_name(file);
    if (r->is_document)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: an encapsulated document (0042,0011), which cannot be cleaned",
                        name);
    if (strcmp(r->sop_class, "1.2.840.10008.1.3.10") == 0)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: a directory of a medium, which names the files of the sources",
                        name);
    if (r->sop_class[0] == '\0' || !r->has_instance)
        return nod_fail(
            err, NOD_EFORMAT, "%s: it does not say which object it is: no SOP %s UID (0008,%s)",
            name, r->sop_class[0] ? "Instance" : "Class", r->sop_class[0] ? "0018" : "0016");
    if (!nod_has_prefix(r->sop_class, "1.2.840.10008."))
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: a private kind of object, for which the standard defines no "
                        "de-identification",
                        name);
    return 0;
}

/* --- counts ------------------------------------------------------------------------------------- */

static int compare(const nod_deid_count *a, const nod_deid_count *b)
{
    if (a->tag != b->tag) return a->tag < b->tag ? -1 : 1;
    if (a->reason != b->reason) return (int)a->reason - (int)b->reason;
    return (int)a->action - (int)b->action;
}

static int count(nod_deid_outcome *o, const nod_deid_count *c, nod_error *err)
{
    size_t first = 0, n = o->n_counts;
    while (n > 0) {
        size_t half = n / 2;
        if (compare(&o->counts[first + half], c) < 0) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    if (first < o->n_counts && compare(&o->counts[first], c) == 0) {
        o->counts[first].n += c->n;
        return 0;
    }
    if (!nod_grow((void **)&o->counts, &o->cap, o->n_counts + 1, sizeof *o->counts))
        return nod_fail_memory(err, "counts of attributes", sizeof *c);
    memmove(o->counts + first + 1, o->counts + first, (o->n_counts - first) * sizeof *c);
    o->counts[first] = *c;
    o->n_counts++;
    return 0;
}

int nod_deid_outcome_add(nod_deid_outcome *sum, const nod_deid_outcome *o, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < o->n_counts; i++)
        rc = count(sum, &o->counts[i], err);
    sum->wiped.comments += o->wiped.comments;
    sum->wiped.overlay_samples += o->wiped.overlay_samples;
    sum->wiped.trailing_bytes += o->wiped.trailing_bytes;
    return rc;
}

void nod_deid_outcome_done(nod_deid_outcome *o)
{
    nod_free(o->counts);
    *o = (nod_deid_outcome){0};
}

/* --- changing ----------------------------------------------------------------------------------- */

typedef struct changing {
    const nod_deid_subject *subject;
    const nod_deid_terms *terms;
    nod_deid_outcome *out;
    bool keeps_method; /* what earlier methods say holds no identifier */
} changing;

static int change_one(void *ctx, const nod_dicom_element *e, nod_dicom_change *change,
                      nod_error *err)
{
    changing *c = ctx;
    nod_deid_reason reason = NOD_DEID_TABLE;
    int rc = nod_deid_decide(c->subject, c->terms, e, change, &reason, err);
    if (rc != 0 || change->action == NOD_DICOM_KEEP) return rc;
    if (e->tag == METHOD_TEXT) c->keeps_method = false;
    bool is_summed = reason == NOD_DEID_PRIVATE || reason == NOD_DEID_UNKNOWN;
    nod_deid_count one = {is_summed ? 0 : e->tag, reason, change->action, 1};
    return count(c->out, &one, err);
}

/* Ours as one more value of the method. */
static int put_method(nod_dicom_file *file, const char *earlier, nod_error *err)
{
    nod_strbuf text = NOD_STRBUF_INIT;
    if (earlier[0] && strstr(earlier, METHOD) == NULL)
        nod_strbuf_printf(&text, "%s\\", earlier);
    nod_strbuf_add(&text, strstr(earlier, METHOD) != NULL ? earlier : METHOD);
    int rc = text.failed ? nod_fail_memory(err, "text", METHOD_MAX)
                         : nod_dicom_put_text(file, METHOD_TEXT, "LO", text.data, err);
    nod_strbuf_done(&text);
    return rc;
}

/* PS3.15 E.1.1 and E.3.6; codes of PS3.16 CID 7050. */
static int say_so(nod_dicom_file *file, const char *earlier, nod_error *err)
{
    int rc = nod_dicom_put_text(file, IDENTITY_REMOVED, "CS", "YES", err);
    if (rc == 0) rc = put_method(file, earlier, err);
    if (rc == 0)
        rc = nod_dicom_put_code(file, METHOD_CODES, "113100", "DCM",
                                "Basic Application Confidentiality Profile", err);
    if (rc == 0)
        rc = nod_dicom_put_code(
            file, METHOD_CODES, "113107", "DCM",
            "Retain Longitudinal Temporal Information Modified Dates Option", err);
    if (rc == 0) rc = nod_dicom_put_text(file, TIMES_MODIFIED, "CS", "MODIFIED", err);
    return rc;
}

int nod_dicom_deidentify(nod_dicom_file *file, const nod_deid_subject *subject,
                         nod_deid_outcome *out, nod_error *err)
{
    reading r = {.subject = subject};
    changing c = {.subject = subject, .terms = &r.terms, .out = out, .keeps_method = true};
    int rc;
    *out = (nod_deid_outcome){0};
    if (nod_dicom_file_is_partial(file))
        return nod_fail(err, NOD_EFORMAT,
                        "%s: the file ends inside its pixels, or is broken behind them",
                        nod_dicom_file_name(file));
    NOD_TRY(nod_dicom_edit(file, look, &r, err));
    NOD_TRY(check_kind(file, &r, err));
    judge(&r, out);
    NOD_TRY(nod_dicom_wipe_hidden(file, &out->wiped, err));
    NOD_TRY(nod_dicom_edit(file, change_one, &c, err));
    NOD_TRY(say_so(file, c.keeps_method ? r.method : "", err));
out:
    nod_deid_terms_done(&r.terms);
    return rc;
}
