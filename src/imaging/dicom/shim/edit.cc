/* edit.cc: elements of DCMTK as plain structs for a visitor, and his changes made to them. */
#include "imaging/dicom/shim/emit.hh"

#include <vector>

#include <dcmtk/dcmdata/dcbytstr.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcsequen.h>

extern "C" {
#include "imaging/dicom/edit.h"
}

namespace nod_dicom
{

/* The visitor and what he works on. */
struct Visit {
    const nod_dicom_file &file;
    nod_dicom_visit visit;
    void *ctx;
    nod_error *err;
    std::vector<uint32_t> path; /* sequences, outermost first */
};

static uint32_t number_of(const DcmTagKey &key)
{
    return static_cast<uint32_t>(key.getGroup()) << 16 | key.getElement();
}

static DcmTagKey key_of(uint32_t tag)
{
    return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xffff));
}

static bool is_pixels(const DcmTagKey &key)
{
    return key.getGroup() == 0x7fe0;
}

/* --- showing ------------------------------------------------------------------------------ */

/* The whole value: one that hides something behind a NUL shows it too. */
static std::string text_of(DcmElement &element)
{
    char *bytes = nullptr;
    Uint32 n = 0;

    if (element.getString(bytes, n).bad() || bytes == nullptr) return "";
    std::string s(bytes, n);
    for (char &c : s)
        if (c == '\0') c = ' ';
    size_t end = s.find_last_not_of(' ');
    return end == std::string::npos ? "" : s.substr(0, end + 1);
}

static const uint8_t *bytes_of(DcmElement &element)
{
    Uint8 *bytes = nullptr;
    Uint16 *words = nullptr;

    if (is_pixels(element.getTag()) || element.getLength() == 0 ||
        element.getLength() > NOD_DICOM_BYTES_SHOWN)
        return nullptr;
    if (element.getUint8Array(bytes).good()) return bytes;
    if (element.getVR() == EVR_OW && element.getUint16Array(words).good())
        return reinterpret_cast<const uint8_t *>(words);
    return nullptr;
}

static bool has_code(DcmSequenceOfItems &sequence)
{
    DcmItem *item = sequence.card() > 0 ? sequence.getItem(0) : nullptr;
    return item != nullptr &&
           (item->tagExists(DCM_CodeValue) || item->tagExists(DCM_LongCodeValue) ||
            item->tagExists(DCM_URNCodeValue) || item->tagExists(DCM_CodeMeaning));
}

static nod_dicom_element show(DcmElement &element, const std::vector<uint32_t> &path,
                              std::string &text)
{
    const DcmTagKey key = element.getTag();
    auto *sequence = dynamic_cast<DcmSequenceOfItems *>(&element);
    auto *string = dynamic_cast<DcmByteString *>(&element);
    nod_dicom_element e = {};

    e.tag = number_of(key);
    (void)snprintf(e.vr, sizeof e.vr, "%s", DcmVR(element.getVR()).getValidVRName());
    e.is_known = DcmTag(key).getEVR() != EVR_UNKNOWN && DcmTag(key).getEVR() != EVR_UN;
    e.is_sequence = sequence != nullptr;
    e.is_code = sequence != nullptr && has_code(*sequence);
    e.path = path.data();
    e.depth = static_cast<int>(path.size());
    if (sequence != nullptr) return e;
    e.n = element.getLength();
    if (string != nullptr) {
        text = text_of(element);
        e.text = text.c_str();
        e.n = text.size();
    } else {
        e.bytes = bytes_of(element);
    }
    return e;
}

/* --- changing ----------------------------------------------------------------------------- */

static void put_text(DcmItem &item, const DcmTag &tag, const char *text)
{
    check(tag, item.putAndInsertString(tag, text));
}

static void add_code(DcmItem &item, const char *value, const char *scheme, const char *meaning)
{
    put_text(item, DCM_CodeValue, value);
    put_text(item, DCM_CodingSchemeDesignator, scheme);
    put_text(item, DCM_CodeMeaning, meaning);
}

static void change_element(DcmItem &item, DcmElement &element, const nod_dicom_change &change)
{
    static const Uint8 zeros[2] = {0, 0};
    const DcmTag tag(element.getTag(), DcmVR(DcmVR(element.getVR()).getValidVRName()));
    const bool is_text = dynamic_cast<DcmByteString *>(&element) != nullptr;
    DcmItem *code = nullptr;

    switch (change.action) {
    case NOD_DICOM_KEEP:
        break;
    case NOD_DICOM_REMOVE:
        delete item.remove(&element);
        break;
    case NOD_DICOM_CLEAR:
        check(tag, item.insertEmptyElement(tag));
        break;
    case NOD_DICOM_SET_TEXT: /* where the file has no text, as the dictionary has it */
        put_text(item, is_text ? tag : DcmTag(tag.getXTag()), change.text.data);
        break;
    case NOD_DICOM_SET_ZEROS:
        check(tag, item.putAndInsertUint8Array(tag, zeros, 2));
        break;
    case NOD_DICOM_SET_CODE:
        check(tag, item.insertEmptyElement(tag));
        check(tag, item.findOrCreateSequenceItem(tag, code, 0));
        add_code(*code, "REMOVED", "99REMOVED", "Removed");
        break;
    }
}

static int visit_item(Visit &v, DcmItem &item);

static int visit_element(Visit &v, DcmItem &item, DcmElement &element)
{
    std::string text;
    if (dynamic_cast<DcmSequenceOfItems *>(&element) == nullptr && !element.valueLoaded() &&
        element.getLength() > v.file.source->size()) /* DCMTK would take memory for it */
        return nod_fail(v.err, NOD_EFORMAT, "%s: element %s claims %lu bytes of %llu",
                        v.file.name.c_str(), element.getTag().toString().c_str(),
                        static_cast<unsigned long>(element.getLength()),
                        static_cast<unsigned long long>(v.file.source->size()));
    nod_dicom_change change = {NOD_DICOM_KEEP, {const_cast<char *>(""), 0, 0, false}};
    const nod_dicom_element e = show(element, v.path, text);

    int rc = v.visit(v.ctx, &e, &change, v.err);
    std::unique_ptr<nod_strbuf, decltype(&nod_strbuf_done)> done(&change.text, nod_strbuf_done);
    if (rc != 0) return rc;
    if (change.text.failed) throw std::bad_alloc();
    if (change.action != NOD_DICOM_KEEP) {
        change_element(item, element, change);
        return 0;
    }
    auto *sequence = dynamic_cast<DcmSequenceOfItems *>(&element);
    if (sequence == nullptr) return 0;
    v.path.push_back(e.tag);
    for (DcmObject *member : members(*sequence)) {
        auto *below = dynamic_cast<DcmItem *>(member);
        if (below != nullptr && rc == 0) rc = visit_item(v, *below);
    }
    v.path.pop_back();
    return rc;
}

static int visit_item(Visit &v, DcmItem &item)
{
    for (DcmObject *member : members(item)) {
        auto *element = dynamic_cast<DcmElement *>(member);
        if (element == nullptr) continue;
        if (element->getTag().getElement() == 0) { /* a group's length */
            delete item.remove(element);
            continue;
        }
        int rc = visit_element(v, item, *element);
        if (rc != 0) return rc;
    }
    return 0;
}

static int edit(nod_dicom_file &f, nod_dicom_visit visit, void *ctx, nod_error *err)
{
    if (!dcmDataDict.isDictionaryLoaded())
        return nod_fail(err, NOD_EINTERNAL,
                        "DCMTK finds no dictionary (dicom.dic), and without one every "
                        "attribute is unknown; is DCMDICTPATH set?");
    Visit v = {f, visit, ctx, err, {}};
    return visit_item(v, *f.dataset);
}

static int put_code(nod_dicom_file &f, uint32_t sequence, const char *value, const char *scheme,
                    const char *meaning)
{
    const DcmTag tag(key_of(sequence), DcmVR(EVR_SQ));
    DcmSequenceOfItems *list = nullptr;
    DcmItem *item = nullptr;
    OFString there;

    if (f.dataset->findAndGetSequence(tag, list).good())
        for (unsigned long i = 0; i < list->card(); i++)
            if (list->getItem(i)->findAndGetOFString(DCM_CodeValue, there).good() &&
                there == value)
                return 0;
    check(tag, f.dataset->findOrCreateSequenceItem(tag, item, -2)); /* a new one at the end */
    add_code(*item, value, scheme, meaning);
    return 0;
}

} // namespace nod_dicom

extern "C" {

int nod_dicom_edit(nod_dicom_file *file, nod_dicom_visit visit, void *ctx, nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err,
                              [=] { return nod_dicom::edit(*file, visit, ctx, err); });
}

int nod_dicom_put_text(nod_dicom_file *file, uint32_t tag, const char *vr, const char *text,
                       nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err, [=] {
        nod_dicom::put_text(*file->dataset, DcmTag(nod_dicom::key_of(tag), DcmVR(vr)), text);
        return 0;
    });
}

int nod_dicom_put_code(nod_dicom_file *file, uint32_t sequence, const char *value,
                       const char *scheme, const char *meaning, nod_error *err)
{
    return nod_dicom::guarded(file->name.c_str(), err, [=] {
        return nod_dicom::put_code(*file, sequence, value, scheme, meaning);
    });
}

} // extern "C"
