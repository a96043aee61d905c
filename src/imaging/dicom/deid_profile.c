/* deid_profile.c: see deid_profile.h.
 *
 * Where the table leaves the choice to the type that an attribute has in its object (X/D: removed unless
 * the object needs it), it stays with a dummy or empty: what identifies nobody may stay, and the copy
 * keeps what its object needs without knowing every object. */
#include "imaging/dicom/deid_profile.h"

#include <ctype.h>
#include <string.h>

#include "imaging/dicom/deid_dates.h"
#include "imaging/dicom/deid_table.h"
#include "imaging/dicom/write.h"

#define STANDARD_ROOT "1.2.840.10008." /* UIDs of the standard itself */

enum {
    PATIENT_NAME = 0x00100010,
    PATIENT_ID = 0x00100020,
    INSTITUTION_NAME = 0x00080080,
    INSTITUTION_CODE = 0x00080082,
    ACQUISITION_CONTEXT = 0x00400555,
    CODING_SCHEME_URL = 0x0008010e,
    URN_CODE_VALUE = 0x00080120
};

/* --- which attribute is what ---------------------------------------------------------------------- */

static bool is_one_of(uint32_t tag, const uint32_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == tag) return true;
    return false;
}

#define IS_ONE_OF(tag, list) is_one_of(tag, list, sizeof(list) / sizeof(list)[0])

/* Numbers that stand for a person or a visit. */
static bool is_number_of_person(uint32_t tag)
{
    static const uint32_t tags[] = {
        PATIENT_ID, 0x00080050, /* AccessionNumber */
        0x00101000,             /* OtherPatientIDs */
        0x00101090,             /* MedicalRecordLocator */
        0x00380010,             /* AdmissionID */
    };
    return IS_ONE_OF(tag, tags);
}

/* Words that do, or that say where they live. */
static bool is_word_of_person(uint32_t tag)
{
    static const uint32_t tags[] = {
        INSTITUTION_NAME, 0x00080081, /* InstitutionAddress */
        0x00101040,                   /* PatientAddress */
        0x00102154,                   /* PatientTelephoneNumbers */
        0x00200010,                   /* StudyID */
        0x00400009,                   /* ScheduledProcedureStepID */
        0x00400253,                   /* PerformedProcedureStepID */
        0x00401001,                   /* RequestedProcedureID */
        0x00402016,                   /* PlacerOrderNumberImagingServiceRequest */
        0x00402017,                   /* FillerOrderNumberImagingServiceRequest */
    };
    return IS_ONE_OF(tag, tags);
}

static bool is_device(uint32_t tag)
{
    static const uint32_t tags[] = {
        0x00080070, /* Manufacturer */
        0x00081090, /* ManufacturerModelName */
        0x00181016, /* SecondaryCaptureDeviceManufacturer */
        0x00181018, /* SecondaryCaptureDeviceManufacturerModelName */
        0x00181019, /* SecondaryCaptureDeviceSoftwareVersions */
        0x00181020, /* SoftwareVersions */
        0x0018702a, /* DetectorManufacturerName */
        0x0018702b, /* DetectorManufacturerModelName */
        0x00189041, /* ReceiveCoilManufacturerName */
        0x00189050, /* TransmitCoilManufacturerName */
    };
    return IS_ONE_OF(tag, tags);
}

/* What the table does not name and is still about a person, an office, or a computer that can be found. */
static bool is_of_person(uint32_t tag)
{
    static const uint32_t tags[] = {
        0x00100024, /* IssuerOfPatientIDQualifiersSequence */
        0x00100026, /* SourcePatientGroupIdentificationSequence */
        0x00100027, /* GroupOfPatientsIdentificationSequence */
        0x00100033, /* PatientBirthDateInAlternativeCalendar */
        0x00100034, /* PatientDeathDateInAlternativeCalendar */
        0x00100035, /* PatientAlternativeCalendar */
        0x00101021, /* PatientSizeCodeSequence */
        0x00101022, /* PatientBodyMassIndex */
        0x00102294, /* BreedRegistrationSequence */
        0x00102295, /* BreedRegistrationNumber */
        0x00181003, /* DeviceID */
        0x00181010, /* SecondaryCaptureDeviceID */
        0x00181011, /* HardcopyCreationDeviceID */
        0x00181801, /* TimeSource */
        0x00181803, /* NTPSourceAddress */
        0x00321031, /* RequestingPhysicianIdentificationSequence */
        0x00321034, /* RequestingServiceCodeSequence */
        0x00380102, /* ResourceDescription */
        0x00400026, /* OrderPlacerIdentifierSequence */
        0x00400027, /* OrderFillerIdentifierSequence */
        0x00400036, /* AssigningFacilitySequence */
        0x00400039, /* AssigningJurisdictionCodeSequence */
        0x0040003a, /* AssigningAgencyOrDepartmentCodeSequence */
        0x00401006, /* PlacerOrderNumberProcedure */
        0x00401007, /* FillerOrderNumberProcedure */
        0x00402006, /* PlacerOrderNumberImagingServiceRequestRetired */
        0x00402007, /* FillerOrderNumberImagingServiceRequestRetired */
        0x00404009, /* HumanPerformerCodeSequence */
        0x00720008, /* HangingProtocolCreator */
        0x00720010, /* HangingProtocolUserGroupName */
        0x0074100c, /* ContactDisplayName */
        0x00880130, /* StorageMediaFileSetID */
        0x01000426, /* AuthorizationEquipmentCertificationNumber */
        0x21000160, /* OwnerID */
        0x21100030, /* PrinterName */
    };
    return IS_ONE_OF(tag, tags);
}

/* UIDs of kinds and vocabularies, not of anybody's objects. */
static bool is_class_uid(uint32_t tag)
{
    static const uint32_t tags[] = {
        0x00080016, /* SOPClassUID */
        0x0008001a, /* RelatedGeneralSOPClassUID */
        0x0008001b, /* OriginalSpecializedSOPClassUID */
        0x00080062, /* SOPClassesInStudy */
        0x0008010c, /* CodingSchemeUID */
        0x0008010d, /* ContextGroupExtensionCreatorUID */
        0x00080117, /* ContextUID */
        0x00080118, /* MappingResourceUID */
        0x00081150, /* ReferencedSOPClassUID */
        0x0008115a, /* SOPClassesSupported */
        0x00083002, /* AvailableTransferSyntaxUID */
        0x04000010, /* MACCalculationTransferSyntaxUID */
        0x30100052, /* PertinentSOPClassesInStudy */
        0x30100053, /* PertinentSOPClassesInSeries */
    };
    return IS_ONE_OF(tag, tags);
}

/* Of a code (PS3.3 8.8) and of its context: words of a vocabulary. */
static bool is_of_code(uint32_t tag)
{
    static const uint32_t tags[] = {
        0x00080100, /* CodeValue */
        0x00080102, /* CodingSchemeDesignator */
        0x00080103, /* CodingSchemeVersion */
        0x00080104, /* CodeMeaning */
        0x00080114, /* CodingSchemeExternalID */
        0x00080115, /* CodingSchemeName */
        0x00080116, /* CodingSchemeResponsibleOrganization */
        0x00080119, /* LongCodeValue */
        0x00080122, /* MappingResourceName */
    };
    return IS_ONE_OF(tag, tags);
}

/* Sequences whose texts are free: a report's contents, annotations, people. Their structure, codes and
 * numbers stay. */
static bool is_in_free_text(const nod_dicom_element *e)
{
    static const uint32_t tags[] = {
        0x00081072, /* OperatorIdentificationSequence */
        0x00340001, /* FlowIdentifierSequence */
        0x00700001, /* GraphicAnnotationSequence */
        0x0040a073, /* VerifyingObserverSequence */
        0x0040a730, /* ContentSequence */
    };
    for (int i = 0; i < e->depth; i++)
        if (IS_ONE_OF(e->path[i], tags)) return true;
    return false;
}

static bool has_vr(const nod_dicom_element *e, const char *vrs)
{
    return strstr(vrs, e->vr) != NULL;
}

static bool is_long_text(const nod_dicom_element *e)
{
    return has_vr(e, "ST LT UT UC");
}

static bool is_any_text(const nod_dicom_element *e)
{
    return is_long_text(e) || has_vr(e, "LO SH PN");
}

/* --- actions -------------------------------------------------------------------------------------- */

static void set_text(nod_dicom_change *change, const char *text)
{
    change->action = *text ? NOD_DICOM_SET_TEXT : NOD_DICOM_CLEAR;
    nod_strbuf_add(&change->text, text);
}

/* Characters of a number, of a size or an age. */
static bool is_well_formed(const nod_dicom_element *e)
{
    if (has_vr(e, "IS DS")) return strspn(e->text, "0123456789+-.eE \\") == e->n;
    if (has_vr(e, "AS")) return strspn(e->text, "0123456789DWMY \\") == e->n;
    if (has_vr(e, "TM")) return nod_deid_is_time(e->text);
    return true;
}

static int move(const nod_deid_subject *subject, const nod_dicom_element *e,
                nod_dicom_change *change, nod_deid_reason *reason)
{
    if (e->n == 0) return 0;
    bool moved = has_vr(e, "DA")
                     ? nod_deid_move_dates(e->text, subject->shift_days, &change->text)
                     : nod_deid_move_times(e->text, subject->shift_days, &change->text);
    *reason = moved ? NOD_DEID_DATE : NOD_DEID_BROKEN;
    change->action = moved ? NOD_DICOM_SET_TEXT : NOD_DICOM_CLEAR;
    return 0;
}

/* Each UID, but for those of the standard, becomes the one that the key makes of it. */
static int map_uids(const nod_deid_subject *subject, const nod_dicom_element *e,
                    nod_dicom_change *change, nod_deid_reason *reason, nod_error *err)
{
    for (const char *s = e->text;;) {
        char old[256], made[NOD_DICOM_UID_BYTES];
        size_t n = strcspn(s, "\\"), length = n < sizeof old ? n : sizeof old - 1;
        memcpy(old, s, length);
        old[length] = '\0';
        while (length > 0 && old[length - 1] == ' ')
            old[--length] = '\0';
        if (length > 0 && !nod_has_prefix(old, STANDARD_ROOT)) {
            int rc = nod_dicom_uid_under_key(subject->key, subject->key_size, old, made, err);
            if (rc != 0) return rc;
            change->action = NOD_DICOM_SET_TEXT;
            nod_strbuf_add(&change->text, made);
        } else {
            nod_strbuf_add(&change->text, old);
        }
        if (s[n] == '\0') break;
        nod_strbuf_addc(&change->text, '\\');
        s += n + 1;
    }
    *reason = NOD_DEID_UID;
    return 0;
}

/* A value of its VR that says nothing. */
static void put_dummy(const nod_deid_subject *subject, const nod_dicom_element *e,
                      nod_dicom_change *change)
{
    if (e->tag == PATIENT_NAME || (e->tag == PATIENT_ID && e->depth == 0))
        set_text(change, subject->patient);
    else if (e->n == 0)
        change->action = NOD_DICOM_CLEAR;
    else if (has_vr(e, "DA"))
        set_text(change, "19000101");
    else if (has_vr(e, "DT"))
        set_text(change, "19000101000000");
    else if (has_vr(e, "TM"))
        set_text(change, "000000");
    else if (has_vr(e, "AS"))
        set_text(change, "000Y");
    else if (has_vr(e, "IS DS"))
        set_text(change, "0");
    else if (has_vr(e, "UR"))
        set_text(change, "urn:removed");
    else if (e->text != NULL)
        set_text(change, NOD_DEID_REMOVED);
    else
        change->action = has_vr(e, "OB") ? NOD_DICOM_SET_ZEROS : NOD_DICOM_REMOVE;
}

/* --- the table ------------------------------------------------------------------------------------ */

/* Of a sequence whose items stay and are cleaned one by one. */
static void decide_sequence(const nod_dicom_element *e, nod_deid_code code,
                            nod_dicom_change *change)
{
    switch (code) {
    case NOD_DEID_X:
        change->action = NOD_DICOM_REMOVE;
        break;
    case NOD_DEID_Z:
        change->action = NOD_DICOM_CLEAR;
        break;
    case NOD_DEID_XZ: /* one alone has to be there, of type 2 in projections (PS3.3 C.7.6.14) */
        change->action = e->tag == ACQUISITION_CONTEXT ? NOD_DICOM_CLEAR : NOD_DICOM_REMOVE;
        break;
    default:
        if (e->is_code || e->tag == INSTITUTION_CODE) change->action = NOD_DICOM_SET_CODE;
    }
}

static int decide_by_row(const nod_deid_subject *subject, const nod_deid_row *row,
                         const nod_dicom_element *e, nod_dicom_change *change,
                         nod_deid_reason *reason, nod_error *err)
{
    *reason = NOD_DEID_TABLE;
    if (row->dates && e->text != NULL && has_vr(e, "DA DT"))
        return move(subject, e, change, reason);
    if (row->dates && e->text != NULL && has_vr(e, "TM")) return 0; /* whole days are moved */
    if (e->is_sequence) {
        decide_sequence(e, row->code, change);
        return 0;
    }
    switch (row->code) {
    case NOD_DEID_X:
        change->action = NOD_DICOM_REMOVE;
        break;
    case NOD_DEID_U:
        if (e->text != NULL) return map_uids(subject, e, change, reason, err);
        change->action = NOD_DICOM_REMOVE;
        break;
    case NOD_DEID_Z:
    case NOD_DEID_XZ:
        if (e->tag == PATIENT_NAME)
            put_dummy(subject, e, change);
        else
            change->action = NOD_DICOM_CLEAR;
        break;
    default:
        if (has_vr(e, "UI") && e->text != NULL)
            return map_uids(subject, e, change, reason, err);
        put_dummy(subject, e, change);
    }
    return 0;
}

/* --- what the table does not name ----------------------------------------------------------------- */

/* Groups with no place in an image: commands, media directories, curves, overlays (their planes, and
 * what is said about them), non-destructive testing, luggage. */
static bool is_foreign_group(uint32_t tag)
{
    uint32_t group = tag >> 16;
    return group < 0x0008 || (group & 0xff00) == 0x5000 || (group & 0xff00) == 0x6000 ||
           group == 0x0014 || group == 0x4010 || group == 0xfffc;
}

static int decide_by_vr(const nod_deid_subject *subject, const nod_deid_terms *terms,
                        const nod_dicom_element *e, nod_dicom_change *change,
                        nod_deid_reason *reason, nod_error *err)
{
    *reason = NOD_DEID_RULE;
    if (has_vr(e, "UN")) {
        change->action = NOD_DICOM_REMOVE;
    } else if (e->text == NULL || e->n == 0) {
        return 0;
    } else if (has_vr(e, "UI")) {
        if (!is_class_uid(e->tag) || nod_deid_terms_match(terms, e->text, NOD_DEID_TEXT))
            return map_uids(subject, e, change, reason, err);
    } else if (has_vr(e, "DA DT")) {
        return move(subject, e, change, reason);
    } else if (has_vr(e, "UR")) {
        if (e->tag != CODING_SCHEME_URL && e->tag != URN_CODE_VALUE)
            change->action = NOD_DICOM_REMOVE;
    } else if (has_vr(e, "PN AE") || (is_long_text(e) && !is_of_code(e->tag)) ||
               (is_in_free_text(e) && is_any_text(e) && !is_of_code(e->tag))) {
        put_dummy(subject, e, change);
    }
    return 0;
}

/* What is kept so far: no values that are none, and nobody's identifiers. */
static void search(const nod_deid_terms *terms, const nod_dicom_element *e,
                   nod_dicom_change *change, nod_deid_reason *reason)
{
    if (e->text == NULL) {
        if (e->bytes == NULL || !nod_deid_terms_match_bytes(terms, e->bytes, e->n)) return;
        *reason = NOD_DEID_FOUND;
        change->action = NOD_DICOM_REMOVE;
        return;
    }
    if (!is_well_formed(e)) {
        *reason = NOD_DEID_BROKEN;
        change->action = NOD_DICOM_CLEAR;
        return;
    }
    nod_deid_match match = has_vr(e, "IS DS")                            ? NOD_DEID_NUMBER
                           : has_vr(e, "CS AS TM") || is_of_code(e->tag) ? NOD_DEID_CODE
                           : is_device(e->tag)                           ? NOD_DEID_DEVICE
                                                                         : NOD_DEID_TEXT;
    if (has_vr(e, "UI") || !nod_deid_terms_match(terms, e->text, match)) return;
    *reason = NOD_DEID_FOUND;
    if (is_any_text(e) || has_vr(e, "CS"))
        set_text(change, NOD_DEID_REMOVED);
    else
        change->action = NOD_DICOM_CLEAR;
}

/* --- the whole ------------------------------------------------------------------------------------ */

int nod_deid_gather(const nod_deid_subject *subject, nod_deid_terms *terms,
                    const nod_dicom_element *e, nod_error *err)
{
    if (e->text == NULL) return 0;
    if (has_vr(e, "PN")) return nod_deid_terms_add_name(terms, e->text, err);
    if (e->tag == PATIENT_ID && subject->patient[0] == '\0') return 0; /* nobody's */
    if (is_number_of_person(e->tag)) return nod_deid_terms_add_numbers(terms, e->text, err);
    bool is_of_site =
        has_vr(e, "UI") && !is_class_uid(e->tag) && !nod_has_prefix(e->text, STANDARD_ROOT);
    if (e->tag == INSTITUTION_NAME) return nod_deid_terms_add_places(terms, e->text, err);
    if (has_vr(e, "DA") || is_of_site || is_word_of_person(e->tag))
        return nod_deid_terms_add_words(terms, e->text, err);
    return 0;
}

int nod_deid_decide(const nod_deid_subject *subject, const nod_deid_terms *terms,
                    const nod_dicom_element *e, nod_dicom_change *change,
                    nod_deid_reason *reason, nod_error *err)
{
    const nod_deid_row *row = nod_deid_row_find(e->tag);
    int rc = 0;
    if ((e->tag >> 16) % 2 == 1) {
        *reason = NOD_DEID_PRIVATE;
        change->action = NOD_DICOM_REMOVE;
    } else if (row != NULL) {
        rc = decide_by_row(subject, row, e, change, reason, err);
    } else if (is_of_person(e->tag)) {
        *reason = NOD_DEID_RULE;
        change->action = NOD_DICOM_REMOVE;
    } else if (is_foreign_group(e->tag)) {
        *reason = NOD_DEID_TABLE;
        change->action = NOD_DICOM_REMOVE;
    } else if (!e->is_known) {
        *reason = NOD_DEID_UNKNOWN;
        change->action = NOD_DICOM_REMOVE;
    } else if (!e->is_sequence) {
        rc = decide_by_vr(subject, terms, e, change, reason, err);
    }
    if (rc == 0 && change->action == NOD_DICOM_KEEP && !e->is_sequence)
        search(terms, e, change, reason);
    return rc;
}
