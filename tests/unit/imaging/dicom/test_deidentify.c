/* test_deidentify.c: files with identifiers planted in every place that can hold them, de-identified and
 * written: not a byte of them is left, and what makes the image is. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "dicom_bytes.h"
#include "imaging/dicom/deidentify.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/values.h"
#include "imaging/dicom/write.h"
#include "temp_folder.h"

#define OPEN 0xffffffffu

/* Who is planted. None of it may be found in a copy, in any letter case. */
#define NAME     "Zwetschkenbaum"
#define FIRST    "Kunigunde"
#define PERSON   NAME "^" FIRST
#define ID       "MRN8675309"
#define NUMBER   "86753099"
#define VISIT    "ACC20771234"
#define PLACE    "Beispielspital"
#define DOCTOR   "Quacksalber"
#define STUDY    "1.2.3.4.777.1"
#define SERIES   "1.2.3.4.777.2"
#define OBJECT   "1.2.3.4.777.3"
#define FRAME    "1.2.3.4.777.4"
#define DATE     "20230517"
#define BIRTHDAY "19510623"
static const char *const planted[] = {NAME,  FIRST,  ID,       NUMBER,   VISIT,
                                      PLACE, DOCTOR, STUDY,    SERIES,   OBJECT,
                                      FRAME, DATE,   BIRTHDAY, "Amnesia"};

static nod_error err;
static dicom_bytes b;

static void text(uint32_t tag, const char *vr, const char *value)
{
    dicom_text(&b, tag, vr, value);
}

static void open_item(uint32_t tag)
{
    if (tag) dicom_head(&b, tag, "SQ", OPEN);
    dicom_u16(&b, 0xfffe);
    dicom_u16(&b, 0xe000);
    dicom_u32(&b, OPEN);
}

static void close_sequence(void)
{
    for (unsigned e = 0xe00d; e <= 0xe0ddu; e += 0xd0) {
        dicom_u16(&b, 0xfffe);
        dicom_u16(&b, e);
        dicom_u32(&b, 0);
    }
}

/* A preamble and a meta header with the sender's names. */
static void put_meta(void)
{
    static const char preamble[128] = "II*\0" PERSON " " ID;
    size_t at;
    dicom_raw(&b, preamble, sizeof preamble);
    dicom_raw(&b, "DICM", 4);
    dicom_head(&b, 0x00020000, "UL", 4);
    at = b.size;
    dicom_u32(&b, 0);
    text(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00020003, "UI", OBJECT);
    text(0x00020010, "UI", "1.2.840.10008.1.2.1");
    text(0x00020012, "UI", "1.2.3.4.777.9");
    text(0x00020016, "AE", PLACE);
    text(0x00020100, "UI", "1.2.3.4.777.10");
    dicom_head(&b, 0x00020102, "OB", 10);
    dicom_raw(&b, ID, 10);
    uint32_t n = (uint32_t)(b.size - at - 4);
    for (int i = 0; i < 4; i++)
        b.data[at + (size_t)i] = (uint8_t)(n >> 8 * i);
}

/* Attributes of the table, and those that are looked for elsewhere. */
static void put_identity(void)
{
    text(0x00080005, "CS", "ISO_IR 100");
    text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
    text(0x00080012, "DA", DATE);
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00080018, "UI", OBJECT);
    text(0x00080020, "DA", DATE);
    text(0x0008002a, "DT", DATE "101112.5+0200");
    text(0x00080030, "TM", "101112");
    text(0x00080050, "SH", VISIT);
    text(0x00080060, "CS", "CT");
    text(0x00080070, "LO", "Maker");
    text(0x00080080, "LO", PLACE);
    text(0x00080081, "ST", PLACE " 1, 1010 Wien");
    text(0x00080090, "PN", DOCTOR "^A");
    dicom_head(&b, 0x00080100, "UN", 10); /* CodeValue, out of place and without its VR */
    dicom_raw(&b, ID, 10);
    text(0x00081030, "LO", "Head of " NAME);
    text(0x0008103e, "LO", "for " DOCTOR);
    open_item(0x00081084); /* diagnoses, codes */
    text(0x00080104, "LO", "Amnesia");
    close_sequence();
}

static void put_references(void)
{
    open_item(0x00081140); /* ReferencedImageSequence */
    text(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00081155, "UI", OBJECT);
    open_item(0x0040a170); /* a purpose with a local code that names somebody */
    text(0x00080100, "SH", ID);
    text(0x00080102, "SH", "99LOCAL");
    text(0x00080104, "LO", "copy for " NAME " " FIRST);
    close_sequence();
    close_sequence();
    text(0x00081190, "UR", "http://pacs." PLACE ".at/" ID);
}

static void put_patient(void)
{
    text(0x00090010, "LO", "MAKER PRIVATE");
    text(0x00091001, "LO", PERSON);
    open_item(0x00091002);
    text(0x00100020, "LO", ID);
    close_sequence();
    text(0x00100010, "PN", PERSON);
    text(0x00100020, "LO", ID);
    text(0x00100021, "LO", PLACE);
    text(0x00100030, "DA", BIRTHDAY);
    text(0x00100040, "CS", "F");
    text(0x00101000, "LO", NUMBER);
    text(0x00101010, "AS", "071Y");
    text(0x00101040, "LO", NAME "gasse 3");
    open_item(0x00101002); /* OtherPatientIDsSequence */
    text(0x00100020, "LO", NUMBER);
    close_sequence();
    text(0x00104000, "LT", "ask " DOCTOR);
}

/* Attributes that stay, each with what does not belong into it: one of every VR of text, and of bytes. */
static void put_strays(void)
{
    text(0x00180015, "CS", "HEAD");
    text(0x00180022, "CS", ID);              /* ScanOptions */
    text(0x00180023, "AE", PLACE);           /* MRAcquisitionType with another VR */
    text(0x00180050, "DS", NUMBER);          /* SliceThickness */
    text(0x00180060, "DS", "120 " FIRST);    /* KVP: no number */
    text(0x00181020, "LO", "v7 of " PERSON); /* SoftwareVersions */
    text(0x00181250, "SH", "coil " VISIT);   /* ReceiveCoilName */
    text(0x00187006, "LT", "no identifier, but long text");
    text(0x00189073, "AS", FIRST);        /* AcquisitionDuration with another VR */
    text(0x00189074, "DT", DATE "10");    /* FrameAcquisitionDateTime */
    dicom_head(&b, 0x00189087, "LO", 16); /* behind a NUL */
    dicom_raw(&b, "b\0" NAME, 16);
    text(0x0018fff0, "LO", "unknown attribute");
    text(0x0020000d, "UI", STUDY);
    text(0x0020000e, "UI", SERIES);
    text(0x00200010, "SH", VISIT);
    text(0x00200011, "IS", NUMBER);
    text(0x00200013, "IS", "4");
    text(0x00200052, "UI", FRAME);
    text(0x00201040, "LO", "see " STUDY); /* PositionReferenceIndicator */
    text(0x00209222, "TM", FIRST);        /* a sequence's tag with another VR */
}

static void put_image(void)
{
    dicom_us(&b, 0x00280002, 1);
    text(0x00280004, "CS", "MONOCHROME2");
    dicom_us(&b, 0x00280010, 2);
    dicom_us(&b, 0x00280011, 2);
    dicom_us(&b, 0x00280100, 16);
    dicom_us(&b, 0x00280101, 16);
    dicom_us(&b, 0x00280102, 15);
    dicom_us(&b, 0x00280103, 0);
    text(0x00280301, "CS", "YES");
    text(0x00281055, "LO", "window of " FIRST);
    dicom_head(&b, 0x00282000, "OB", 20); /* ICCProfile */
    dicom_raw(&b, "desc\0\0" NAME, 20);
    dicom_head(&b, 0x00281201, "OW", 10); /* a palette */
    dicom_raw(&b, ID, 10);
}

static void put_content(void)
{
    open_item(0x0040a730); /* ContentSequence */
    text(0x0040a040, "CS", "TEXT");
    open_item(0x0040a043);
    text(0x00080100, "SH", "121106");
    text(0x00080102, "SH", "DCM");
    text(0x00080104, "LO", "Comment");
    close_sequence();
    text(0x0040a123, "PN", DOCTOR);
    text(0x0040a160, "UT", "a clean text that nobody has read");
    close_sequence();
    open_item(0x00401101); /* PersonIdentificationCodeSequence */
    text(0x00080100, "SH", DOCTOR);
    text(0x00080102, "SH", "99STAFF");
    text(0x00080104, "LO", DOCTOR);
    close_sequence();
}

static void put_end(void)
{
    text(0x50002500, "LO", NAME); /* a curve's label */
    dicom_us(&b, 0x60000010, 2);
    text(0x60004000, "LT", PERSON);
    dicom_head(&b, 0x60003000, "OW", 2);
    dicom_u16(&b, 5);
    dicom_head(&b, 0x7fe00010, "OW", 8);
    for (unsigned i = 1; i <= 4; i++)
        dicom_u16(&b, i);
    dicom_head(&b, 0xfffcfffc, "OB", 10);
    dicom_raw(&b, ID, 10);
}

static void put_all(void)
{
    put_meta();
    put_identity();
    put_references();
    put_patient();
    put_strays();
    put_image();
    put_content();
    put_end();
}

static int begin(void **state)
{
    (void)state;
    b = (dicom_bytes){0};
    return 0;
}

static int end(void **state)
{
    (void)state;
    dicom_bytes_done(&b);
    return 0;
}

/* --- reading what came out ------------------------------------------------------------------------ */

/* What a visitor saw of the copy. */
typedef struct seen {
    uint32_t tag, in; /* wanted: this element, in this sequence (0: in none) */
    bool is_there, has_items;
    char text[256];
} seen;

static int see(void *ctx, const nod_dicom_element *e, nod_dicom_change *change,
               nod_error *error)
{
    seen *s = ctx;
    (void)change;
    (void)error;
    uint32_t in = e->depth > 0 ? e->path[e->depth - 1] : 0;
    if (in == s->tag) s->has_items = true;
    if (e->tag != s->tag || in != s->in) return 0;
    s->is_there = true;
    snprintf(s->text, sizeof s->text, "%s", e->text ? e->text : "");
    return 0;
}

static seen look_for(const char *path, uint32_t tag, uint32_t in)
{
    nod_dicom_file *file = NULL;
    seen s = {.tag = tag, .in = in};
    assert_int_equal(nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, &err), 0);
    assert_int_equal(nod_dicom_edit(file, see, &s, &err), 0);
    nod_dicom_file_close(file);
    return s;
}

static void has_text(const char *path, uint32_t tag, uint32_t in, const char *wanted)
{
    seen s = look_for(path, tag, in);
    if (!s.is_there) fail_msg("(%04x,%04x) is gone", tag >> 16, tag & 0xffff);
    if (strcmp(s.text, wanted) != 0)
        fail_msg("(%04x,%04x) '%s', not '%s'", tag >> 16, tag & 0xffff, s.text, wanted);
}

static void is_gone(const char *path, uint32_t tag)
{
    if (look_for(path, tag, 0).is_there)
        fail_msg("(%04x,%04x) is there", tag >> 16, tag & 0xffff);
}

static void check_clean(const char *path)
{
    nod_bytes all;
    assert_int_equal(nod_file_read(path, 1 << 20, &all, &err), 0);
    for (size_t i = 0; i < all.size; i++)
        all.data[i] = (uint8_t)tolower(all.data[i]);
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        char word[64];
        size_t n = strlen(planted[i]);
        for (size_t k = 0; k <= n; k++)
            word[k] = (char)tolower((unsigned char)planted[i][k]);
        if (memmem(all.data, all.size, word, n) != NULL) fail_msg("'%s' is in the copy", word);
    }
    nod_bytes_done(&all);
}

/* The bytes in `b` as a copy at `path`. */
static int copy_to(const char *path, const char *patient, const char *key, nod_deid_outcome *o)
{
    nod_deid_subject s = {.patient = patient, .shift_days = -1234, .key = key, .key_size = 4};
    nod_dicom_file *file = NULL;
    int rc =
        nod_dicom_file_open_memory(b.data, b.size, "made.dcm", NOD_DICOM_WHOLE, &file, &err);
    if (rc != 0) return rc;
    rc = nod_dicom_deidentify(file, &s, o, &err);
    if (rc == 0) rc = nod_dicom_write(file, path, &err);
    nod_dicom_file_close(file);
    return rc;
}

static int64_t count_of(const nod_deid_outcome *o, nod_deid_reason reason)
{
    int64_t n = 0;
    for (size_t i = 0; i < o->n_counts; i++)
        if (o->counts[i].reason == reason) n += o->counts[i].n;
    return n;
}

/* --- tests ---------------------------------------------------------------------------------------- */

static void test_nothing_is_left(void **state)
{
    char path[512];
    nod_deid_outcome o = {0};
    put_all();
    if (copy_to(temp_path(path, *state, "all.dcm"), "P-0123", "key1", &o) != 0)
        fail_msg("%s", err.message);
    check_clean(path);
    assert_int_equal(o.burned_in, NOD_DEID_BURNED_IN_YES);
    assert_true(o.has_face);
    assert_int_equal(count_of(&o, NOD_DEID_PRIVATE), 3);
    assert_int_equal(count_of(&o, NOD_DEID_UNKNOWN), 1);
    /* ScanOptions, SliceThickness, SoftwareVersions, ReceiveCoilName, the name behind a NUL, SeriesNumber,
     * PositionReferenceIndicator, WindowCenterWidthExplanation, ICCProfile, palette; code and meaning. */
    assert_int_equal(count_of(&o, NOD_DEID_FOUND), 12);
    assert_int_equal(count_of(&o, NOD_DEID_BROKEN), 3); /* KVP, AcquisitionDuration, TM */
    assert_int_equal(count_of(&o, NOD_DEID_DATE), 4);
    nod_deid_outcome_done(&o);
}

static void test_what_is_there(void **state)
{
    char path[512], uid[NOD_DICOM_UID_BYTES];
    nod_deid_outcome o = {0};
    put_all();
    assert_int_equal(copy_to(temp_path(path, *state, "there.dcm"), "P-0123", "key1", &o), 0);
    nod_deid_outcome_done(&o);
    has_text(path, 0x00100010, 0, "P-0123");
    has_text(path, 0x00100020, 0, "P-0123");
    has_text(path, 0x00100030, 0, "");
    has_text(path, 0x00100040, 0, "");
    has_text(path, 0x00080050, 0, "");
    has_text(path, 0x00080020, 0, "20191230"); /* Python: date(2023, 5, 17) - timedelta(1234) */
    has_text(path, 0x0008002a, 0, "20191230101112.5");
    has_text(path, 0x00189074, 0, "2019123010");
    has_text(path, 0x00080030, 0, "101112");
    has_text(path, 0x00080080, 0, "REMOVED");
    has_text(path, 0x00080060, 0, "CT");
    has_text(path, 0x00080070, 0, "Maker");
    has_text(path, 0x00180015, 0, "HEAD");
    has_text(path, 0x00200013, 0, "4");
    is_gone(path, 0x00101010);
    is_gone(path, 0x00081030);
    is_gone(path, 0x00281201);
    /* References and their objects are made anew in the same way. */
    assert_int_equal(nod_dicom_uid_under_key("key1", 4, OBJECT, uid, &err), 0);
    has_text(path, 0x00080018, 0, uid);
    has_text(path, 0x00081155, 0x00081140, uid);
    has_text(path, 0x00081150, 0x00081140, "1.2.840.10008.5.1.4.1.1.2");
    assert_int_equal(nod_dicom_uid_under_key("key1", 4, SERIES, uid, &err), 0);
    has_text(path, 0x0020000e, 0, uid);
    /* A report keeps its structure, its texts are dummies; staff has a code that says so. */
    has_text(path, 0x00080104, 0x0040a043, "Comment");
    has_text(path, 0x0040a160, 0x0040a730, "REMOVED");
    has_text(path, 0x00080100, 0x00401101, "REMOVED");
    /* It says what it is. */
    has_text(path, 0x00120062, 0, "YES");
    has_text(path, 0x00120063, 0, "Nodule: PS3.15 2024e basic profile, dates shifted");
    has_text(path, 0x00280303, 0, "MODIFIED");
    has_text(path, 0x00280301, 0, "YES");
    assert_true(look_for(path, 0x00120064, 0).has_items);
}

static void test_pixels_stay(void **state)
{
    char path[512];
    nod_deid_outcome o = {0};
    nod_image im = {0};
    put_all();
    assert_int_equal(copy_to(temp_path(path, *state, "pixels.dcm"), "P-0123", "key1", &o), 0);
    nod_deid_outcome_done(&o);
    if (nod_dicom_image_read(path, &im, &err) != 0) fail_msg("%s", err.message);
    const float *v = im.data;
    for (int i = 0; i < 4; i++)
        assert_true(v[i] == (float)(i + 1));
    nod_image_done(&im);
}

/* An overlay in bit 12 of samples of 12 bits, and words behind the last frame. */
static void test_beside_pixels(void **state)
{
    static const unsigned samples[4] = {0x1001, 0x0002, 0x1003, 0x8004};
    char path[512];
    nod_deid_outcome o = {0};
    nod_bytes copy;
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
    text(0x00080018, "UI", OBJECT);
    text(0x00100010, "PN", PERSON);
    text(0x00101000, "LO", NUMBER);
    put_image();
    b.size -= 22; /* the palette */
    dicom_us(&b, 0x60000100, 16);
    dicom_us(&b, 0x60000102, 12);
    dicom_head(&b, 0x7fe00010, "OW", 14);
    for (int i = 0; i < 4; i++)
        dicom_u16(&b, samples[i]);
    dicom_raw(&b, NUMBER, 6);
    uint8_t *stored = memmem(b.data, b.size, "\x28\0\x01\x01US\x02\0", 8);
    assert_non_null(stored);
    stored[8] = 12;
    stored[18] = 11; /* high bit */
    if (copy_to(temp_path(path, *state, "beside.dcm"), "P-1", "key1", &o) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(o.wiped.overlay_samples, 2);
    assert_int_equal(o.wiped.trailing_bytes, 6);
    nod_deid_outcome_done(&o);
    check_clean(path);
    assert_int_equal(nod_file_read(path, 1 << 16, &copy, &err), 0);
    assert_memory_equal(copy.data + copy.size - 14, "\1\0\2\0\3\0\4\x80\0\0\0\0\0", 14);
    nod_bytes_done(&copy);
}

/* Nobody's file: id and name stay empty, and "123456" is not looked for. */
static void test_nobody(void **state)
{
    char path[512];
    nod_deid_outcome o = {0};
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00080018, "UI", OBJECT);
    text(0x00100010, "PN", "Anonymous");
    text(0x00100020, "LO", "123456");
    text(0x00200011, "IS", "123456");
    assert_int_equal(copy_to(temp_path(path, *state, "nobody.dcm"), "", "key1", &o), 0);
    nod_deid_outcome_done(&o);
    has_text(path, 0x00100010, 0, "");
    has_text(path, 0x00100020, 0, "");
    has_text(path, 0x00200011, 0, "123456");
}

/* A second time: the method is named once, codes are not doubled, an earlier method stays. */
static void test_twice(void **state)
{
    char path[512], again[512];
    nod_deid_outcome o = {0};
    nod_bytes copy;
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00080018, "UI", OBJECT);
    text(0x00120063, "LO", "by hand");
    assert_int_equal(copy_to(temp_path(path, *state, "once.dcm"), "P-1", "key1", &o), 0);
    nod_deid_outcome_done(&o);
    has_text(path, 0x00120063, 0, "by hand\\Nodule: PS3.15 2024e basic profile, dates shifted");
    assert_int_equal(nod_file_read(path, 1 << 20, &copy, &err), 0);
    b.size = 0;
    dicom_raw(&b, copy.data, copy.size);
    size_t n = copy.size;
    nod_bytes_done(&copy);
    assert_int_equal(copy_to(temp_path(again, *state, "twice.dcm"), "P-1", "key1", &o), 0);
    nod_deid_outcome_done(&o);
    has_text(again, 0x00120063, 0,
             "by hand\\Nodule: PS3.15 2024e basic profile, dates shifted");
    assert_int_equal(nod_path_size(again), (int64_t)n);
}

/* A name and an id without their VR get it back. */
static void test_unknown_vr(void **state)
{
    char path[512];
    nod_deid_outcome o = {0};
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00080018, "UI", OBJECT);
    dicom_head(&b, 0x00100010, "UN", 14);
    dicom_raw(&b, NAME, 14);
    dicom_head(&b, 0x00100020, "UN", 10);
    dicom_raw(&b, ID, 10);
    if (copy_to(temp_path(path, *state, "un.dcm"), "P-1", "key1", &o) != 0)
        fail_msg("%s", err.message);
    nod_deid_outcome_done(&o);
    check_clean(path);
    has_text(path, 0x00100010, 0, "P-1");
    has_text(path, 0x00100020, 0, "P-1");
}

/* UIDs of kinds stay, unless one is that of an object or holds a number of the patient. */
static void test_class_uids(void **state)
{
    char path[512], uid[NOD_DICOM_UID_BYTES];
    nod_deid_outcome o = {0};
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    text(0x00080018, "UI", OBJECT);
    text(0x0008001a, "UI", "1.2.840.113619.4.26");
    text(0x0008001b, "UI", OBJECT);
    text(0x00101000, "LO", NUMBER);
    open_item(0x00080110); /* CodingSchemeIdentificationSequence */
    text(0x0008010c, "UI", "2.16.840.1." NUMBER);
    close_sequence();
    open_item(0x006a0002); /* AnnotationGroupSequence; its UID has the code D */
    text(0x006a0003, "UI", "1.2.3.4.778\\1.2.840.10008.1.1");
    close_sequence();
    if (copy_to(temp_path(path, *state, "classes.dcm"), "P-1", "key1", &o) != 0)
        fail_msg("%s", err.message);
    nod_deid_outcome_done(&o);
    check_clean(path);
    has_text(path, 0x0008001a, 0, "1.2.840.113619.4.26");
    assert_int_equal(nod_dicom_uid_under_key("key1", 4, "1.2.3.4.778", uid, &err), 0);
    seen s = look_for(path, 0x006a0003, 0x006a0002);
    assert_memory_equal(s.text, uid, strlen(uid));
    assert_string_equal(s.text + strlen(uid), "\\1.2.840.10008.1.1");
}

static void test_refused(void **state)
{
    char path[512];
    nod_deid_outcome o = {0};
    temp_path(path, *state, "refused.dcm");
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.104.1");
    text(0x00080018, "UI", OBJECT);
    dicom_head(&b, 0x00420011, "OB", 4);
    dicom_raw(&b, "%PDF", 4);
    assert_int_equal(copy_to(path, "P-1", "key1", &o), NOD_EUNSUPPORTED);
    nod_deid_outcome_done(&o);
    b.size = 0;
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080018, "UI", OBJECT);
    assert_int_equal(copy_to(path, "P-1", "key1", &o), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "no SOP Class UID"));
    nod_deid_outcome_done(&o);
    b.size = 0;
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080016, "UI", "1.2.3.4.5");
    text(0x00080018, "UI", OBJECT);
    assert_int_equal(copy_to(path, "P-1", "key1", &o), NOD_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "private kind"));
    nod_deid_outcome_done(&o);
    /* More pixels than frames: nobody says what they show. */
    b.size = 0;
    dicom_meta(&b, "1.2.840.10008.1.2.1");
    text(0x00080018, "UI", OBJECT);
    dicom_grey(&b, 1, 2, 8);
    dicom_head(&b, 0x7fe00010, "OB", 4);
    dicom_raw(&b, "abcd", 4);
    assert_int_equal(copy_to(path, "P-1", "key1", &o), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "4 bytes of pixels where its frames need 2"));
    nod_deid_outcome_done(&o);
    assert_false(nod_path_exists(path));
}

/* Every encoding and codec of the golden files: copies show equal values. */
static void test_golden_images(void **state)
{
    nod_strlist names = NOD_STRLIST_INIT;
    size_t n_read = 0;
    assert_int_equal(nod_dir_list("tests/golden/dicom", &names, &err), 0);
    for (size_t i = 0; i < names.n; i++) {
        char from[512], to[512];
        nod_image before = {0}, after = {0};
        nod_bytes all;
        nod_deid_outcome o = {0};
        if (!nod_has_suffix_nocase(names.items[i], ".dcm")) continue;
        temp_path(from, "tests/golden/dicom", names.items[i]);
        temp_path(to, *state, names.items[i]);
        assert_int_equal(nod_file_read(from, 1 << 24, &all, &err), 0);
        b.size = 0;
        dicom_raw(&b, all.data, all.size);
        nod_bytes_done(&all);
        if (copy_to(to, "P-1", "key1", &o) != 0) fail_msg("%s: %s", from, err.message);
        nod_deid_outcome_done(&o);
        if (nod_dicom_image_read(from, &before, &err) != 0) continue;
        if (nod_dicom_image_read(to, &after, &err) != 0) fail_msg("%s: %s", from, err.message);
        assert_int_equal(before.sample, after.sample);
        assert_int_equal(nod_image_bytes(&before), nod_image_bytes(&after));
        assert_memory_equal(before.data, after.data, nod_image_bytes(&before));
        nod_image_done(&before);
        nod_image_done(&after);
        n_read++;
    }
    assert_true(n_read > 20);
    nod_strlist_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_left, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_there, begin, end),
        cmocka_unit_test_setup_teardown(test_pixels_stay, begin, end),
        cmocka_unit_test_setup_teardown(test_beside_pixels, begin, end),
        cmocka_unit_test_setup_teardown(test_nobody, begin, end),
        cmocka_unit_test_setup_teardown(test_twice, begin, end),
        cmocka_unit_test_setup_teardown(test_unknown_vr, begin, end),
        cmocka_unit_test_setup_teardown(test_class_uids, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_golden_images, begin, end),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
