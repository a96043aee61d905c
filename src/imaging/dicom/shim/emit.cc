/* emit.cc: see emit.hh; and a dataset that was read, written to a file piece by piece. */
#include "imaging/dicom/shim/emit.hh"

#include <utility>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmdata/dcwcache.h>
#include <dcmtk/dcmdata/dcxfer.h>

extern "C" {
#include "base/file.h"
#include "imaging/dicom/edit.h"
}

namespace nod_dicom
{

static const char implementation_uid[] = "2.25.155120163487905424137706498341735270116";
static const char implementation_name[] = "NODULE";

void fill_meta(DcmMetaInfo &meta, const char *sop_class, const char *sop_instance,
               const char *syntax)
{
    static const Uint8 version[2] = {0, 1};
    const struct {
        DcmTagKey tag;
        const char *value;
    } texts[] = {
        {DCM_MediaStorageSOPClassUID, sop_class},
        {DCM_MediaStorageSOPInstanceUID, sop_instance},
        {DCM_TransferSyntaxUID, syntax},
        {DCM_ImplementationClassUID, implementation_uid},
        {DCM_ImplementationVersionName, implementation_name},
    };

    if (meta.putAndInsertUint8Array(DCM_FileMetaInformationVersion, version, 2).bad())
        throw std::bad_alloc();
    for (const auto &t : texts)
        check(t.tag, meta.putAndInsertString(DcmTag(t.tag), t.value));
    meta.computeGroupLengthAndPadding(EGL_withGL, EPD_noChange, EXS_LittleEndianExplicit,
                                      EET_ExplicitLength);
}

/* Meta header or dataset, behind what is in the file. */
template <class Part>
static int add_part(const nod_dicom_file &f, Part &part, E_TransferSyntax syntax,
                    nod_file_out &out, nod_error *err)
{
    std::vector<char> buffer(1 << 18);
    DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
    DcmWriteCache cache;
    OFCondition c = EC_StreamNotifyClient; /* the buffer is full */

    part.transferInit();
    while (c == EC_StreamNotifyClient) {
        void *begin = nullptr;
        offile_off_t n = 0;
        c = part.write(stream, syntax, EET_ExplicitLength, &cache);
        stream.flushBuffer(begin, n);
        int rc = nod_file_out_add(&out, begin, static_cast<size_t>(n), err);
        if (rc != 0) return rc;
    }
    part.transferEnd();
    if (c.good()) return 0;
    nod_file_out_abort(&out);
    return nod_fail(err, NOD_EFORMAT, "%s: a value cannot be read to be copied: %s",
                    f.name.c_str(), c.text());
}

static std::string uid_of(DcmItem &item, const DcmTagKey &tag)
{
    OFString text;
    return item.findAndGetOFString(tag, text).good() ? std::string(text.c_str()) : "";
}

/* Samples of 32 bits in big-endian words of 16 have their higher word first; little-endian ones do not. */
static void turn_words(DcmDataset &d)
{
    DcmElement *element = nullptr;
    Uint16 *words = nullptr, bits = 0;

    if (d.findAndGetUint16(DCM_BitsAllocated, bits).bad() || bits != 32 ||
        d.findAndGetElement(DCM_PixelData, element).bad() || element->getVR() != EVR_OW ||
        element->getUint16Array(words).bad() || words == nullptr)
        return;
    for (size_t i = 0, n = element->getLength() / 4; i < n; i++)
        std::swap(words[2 * i], words[2 * i + 1]);
}

static int write_file(const nod_dicom_file &f, const char *path, nod_error *err)
{
    DcmMetaInfo meta;
    nod_file_out out;
    E_TransferSyntax syntax = EXS_LittleEndianExplicit;
    std::string uid = UID_LittleEndianExplicitTransferSyntax;
    std::string sop_class = uid_of(*f.dataset, DCM_SOPClassUID);
    std::string sop_instance = uid_of(*f.dataset, DCM_SOPInstanceUID);

    if (sop_class.empty() || sop_instance.empty())
        return nod_fail(err, NOD_EFORMAT,
                        "%s: it does not say which object it is: no SOP %s UID (0008,%s)",
                        f.name.c_str(), sop_class.empty() ? "Class" : "Instance",
                        sop_class.empty() ? "0016" : "0018");
    if (DcmXfer(f.read_as).isEncapsulated()) {
        syntax = f.read_as;
        uid = f.syntax;
    } else if (DcmXfer(f.read_as).getByteOrder() == EBO_BigEndian) {
        turn_words(*f.dataset);
    }
    fill_meta(meta, sop_class.c_str(), sop_instance.c_str(), uid.c_str());
    int rc = nod_file_out_open(path, &out, err);
    if (rc == 0) rc = add_part(f, meta, EXS_LittleEndianExplicit, out, err);
    if (rc == 0) rc = add_part(f, *f.dataset, syntax, out, err);
    return rc != 0 ? rc : nod_file_out_commit(&out, err);
}

} // namespace nod_dicom

extern "C" int nod_dicom_write(const nod_dicom_file *file, const char *path, nod_error *err)
{
    return nod_dicom::guarded(path, err,
                              [=] { return nod_dicom::write_file(*file, path, err); });
}
