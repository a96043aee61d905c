/* file.cc: opening a DICOM file.
 *
 * The meta header and the dataset are parsed one after the other from one stream, so that the
 * dataset can be read as what it is where the meta header is silent or wrong: implicit data under
 * an explicit syntax, a syntax that DCMTK does not know, deflated data (inflated here, because
 * DCMTK would do it without a limit and without leaving values in place). */
#include "imaging/dicom/shim/shim.hh"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcelem.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/oflog/oflog.h>

namespace nod_dicom
{

void init_once()
{
    static const bool done = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        /* An implicit element among explicit ones, as some writers leave behind. */
        dcmAcceptUnexpectedImplicitEncoding.set(OFTrue);
        return true;
    }();
    (void)done;
}

/* "element (7fe0,0010)", the last one that was read: where the parser stopped. */
static std::string last_element(DcmItem &item)
{
    char text[48];

    if (item.card() == 0) return "before the first element";
    const DcmTag &tag = item.getElement(item.card() - 1)->getTag();
    (void)snprintf(text, sizeof text, "after element (%04x,%04x)", tag.getGroup(),
                   tag.getElement());
    return text;
}

static int fail_parse(const nod_dicom_file &f, DcmItem &item, Stream &stream,
                      const OFCondition &condition, nod_error *err)
{
    const char *name = f.name.c_str();

    switch (stream.producer().limit()) {
    case Limit::elements:
        return nod_fail(err, NOD_ELIMIT, "%s: more than %d elements", name,
                        NOD_DICOM_ELEMENTS_MAX);
    case Limit::nesting:
        return nod_fail(err, NOD_ELIMIT,
                        "%s: sequences within sequences deeper than any image needs, %s", name,
                        last_element(item).c_str());
    case Limit::none:
        break;
    }
    if (stream.producer().refused())
        return nod_fail(err, NOD_EIO, "%s: cannot read at byte %llu", name,
                        static_cast<unsigned long long>(stream.producer().at()));
    return nod_fail(err, NOD_EFORMAT, "%s: broken DICOM at byte %llu of %llu, %s: %s", name,
                    static_cast<unsigned long long>(stream.producer().at()),
                    static_cast<unsigned long long>(f.source->size()),
                    last_element(item).c_str(),
                    stream.eos() ? "the file ends too early" : condition.text());
}

/* Two capital letters where an explicit element has its VR. */
static bool has_vr(const unsigned char *element)
{
    return std::isupper(element[4]) != 0 && std::isupper(element[5]) != 0;
}

/* How the dataset is encoded: as its syntax says, unless its first element shows otherwise. */
static E_TransferSyntax look(const std::string &uid, Stream &stream)
{
    unsigned char first[8] = {0};
    /* not of an empty UID: DCMTK has a syntax without one, implicit big endian */
    E_TransferSyntax as = uid.empty() ? EXS_Unknown : DcmXfer(uid.c_str()).getXfer();

    stream.mark();
    offile_off_t n = stream.read(first, sizeof first);
    stream.putback();
    if (as == EXS_DeflatedLittleEndianExplicit) as = EXS_LittleEndianExplicit; /* is inflated */
    if (as == EXS_Unknown && uid.rfind("1.2.840.10008.1.2.4.", 0) == 0)
        as =
            EXS_JPEG2000; /* encapsulated like all of its family; DCMTK only needs to parse it */
    if (n < static_cast<offile_off_t>(sizeof first)) return as;
    bool big = first[0] == 0 && first[1] != 0;
    if (as == EXS_Unknown) {
        if (!has_vr(first)) return big ? EXS_BigEndianImplicit : EXS_LittleEndianImplicit;
        return big ? EXS_BigEndianExplicit : EXS_LittleEndianExplicit;
    }
    if (DcmXfer(as).isExplicitVR() && !has_vr(first)) return EXS_LittleEndianImplicit;
    if (!DcmXfer(as).isExplicitVR() && has_vr(first)) return EXS_LittleEndianExplicit;
    return as;
}

/* What is left of the stream, inflated (RFC 1951). */
static int inflate_rest(const nod_dicom_file &f, Stream &stream,
                        std::shared_ptr<const Source> &out, nod_error *err)
{
    std::vector<uint8_t> packed(65536), bytes;
    z_stream z;
    int state = Z_OK;

    std::memset(&z, 0, sizeof z);
    if (inflateInit2(&z, -15) != Z_OK) throw std::bad_alloc();
    std::unique_ptr<z_stream, int (*)(z_stream *)> end(&z, inflateEnd);
    while (state == Z_OK) {
        if (z.avail_in == 0) {
            z.next_in = packed.data();
            z.avail_in = static_cast<uInt>(
                stream.read(packed.data(), static_cast<offile_off_t>(packed.size())));
            if (z.avail_in == 0) break; /* some writers leave out the end of the last block */
        }
        size_t n = bytes.size(), more = n < 65536 ? 65536 : n;
        if (n >= NOD_DICOM_INFLATED_MAX)
            return nod_fail(err, NOD_ELIMIT, "%s: deflated dataset of more than %zu bytes",
                            f.name.c_str(), NOD_DICOM_INFLATED_MAX);
        bytes.resize(n + more);
        z.next_out = bytes.data() + n;
        z.avail_out = static_cast<uInt>(more);
        state = inflate(&z, Z_NO_FLUSH);
        bytes.resize(n + more - z.avail_out);
    }
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
        return nod_fail(err, NOD_EFORMAT, "%s: deflated dataset is damaged after %zu bytes",
                        f.name.c_str(), bytes.size());
    out = std::make_shared<Vector_source>(std::move(bytes));
    return 0;
}

static int parse_dataset(nod_dicom_file &f, Stream &stream, nod_error *err)
{
    DcmTagKey stop = f.extent == NOD_DICOM_HEADER ? DCM_PixelData : DcmTagKey(0xffff, 0xffff);

    f.read_as = look(f.syntax, stream);
    if (f.syntax.empty()) {
        const char *uid = DcmXfer(f.read_as).getXferID();
        f.syntax = uid != nullptr ? uid : "";
    }
    f.dataset->transferInit();
    OFCondition condition =
        f.dataset->readUntilTag(stream, f.read_as, EGL_noChange, NOD_DICOM_VALUE_KEPT, stop);
    f.dataset->transferEnd();
    /* Of pixel data that is cut off, the frames that are there can be read. */
    bool is_cut = condition.bad() && stream.good() && f.dataset->tagExists(DCM_PixelData);
    f.is_partial = is_cut;
    f.is_cut =
        is_cut && f.dataset->getElement(f.dataset->card() - 1)->getTag() == DCM_PixelData;
    if ((condition.bad() && !is_cut) || !stream.good())
        return fail_parse(f, *f.dataset, stream, condition, err);
    if (f.dataset->card() == 0)
        return nod_fail(err, NOD_EFORMAT, "%s: DICOM file without a dataset", f.name.c_str());
    return 0;
}

/* Where the first element is, and whether it is one of the meta header (group 0002, always little
 * endian). DCMTK would take a dataset without meta header for one. */
static bool find_meta(const Source &source, uint64_t &at)
{
    unsigned char first[134] = {0};
    uint64_t n = source.size() < sizeof first ? source.size() : sizeof first;

    at = 0;
    if (!source.read(0, first, static_cast<size_t>(n))) return false;
    if (n >= 132 && std::memcmp(first + 128, "DICM", 4) == 0) at = 132;
    return n >= at + 2 && first[at] == 2 && first[at + 1] == 0;
}

static int parse(nod_dicom_file &f, nod_error *err)
{
    uint64_t at;
    OFString uid;
    bool has_meta = find_meta(*f.source, at);
    Stream stream(f.source, has_meta ? 0 : at);

    stream.producer().watch();
    if (has_meta) {
        f.meta->transferInit();
        OFCondition condition =
            f.meta->read(stream, EXS_Unknown, EGL_noChange, NOD_DICOM_VALUE_KEPT);
        f.meta->transferEnd();
        if (condition.bad()) return fail_parse(f, *f.meta, stream, condition, err);
        if (f.meta->findAndGetOFString(DCM_TransferSyntaxUID, uid).good())
            f.syntax.assign(uid.c_str(), uid.size());
    }
    if (f.syntax != UID_DeflatedExplicitVRLittleEndianTransferSyntax)
        return parse_dataset(f, stream, err);
    std::shared_ptr<const Source> inflated;
    int rc = inflate_rest(f, stream, inflated, err);
    if (rc != 0) return rc;
    f.source = inflated;
    Stream plain(f.source);
    plain.producer().watch();
    return parse_dataset(f, plain, err);
}

static int open_source(std::shared_ptr<const Source> source, const char *name,
                       nod_dicom_extent extent, nod_dicom_file **out, nod_error *err)
{
    unsigned char first[256];
    size_t n =
        source->size() < sizeof first ? static_cast<size_t>(source->size()) : sizeof first;

    if (!source->read(0, first, n))
        return nod_fail(err, NOD_EIO, "%s: cannot read its first %zu bytes", name, n);
    if (!nod_dicom_is(first, n))
        return nod_fail(err, NOD_EFORMAT,
                        "%s: no DICOM file: no \"DICM\" at byte 128, no element of group 0002 "
                        "or 0008 at its start",
                        name);
    auto f = std::make_unique<nod_dicom_file>();
    f->name = name;
    f->extent = extent;
    f->source = std::move(source);
    f->meta = std::make_unique<DcmMetaInfo>();
    f->dataset = std::make_unique<DcmDataset>();
    int rc = parse(*f, err);
    if (rc != 0) return rc;
    *out = f.release();
    return 0;
}

static int open_path(const char *path, nod_dicom_extent extent, nod_dicom_file **out,
                     nod_error *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) return nod_fail_errno(err, errno, "%s: cannot open", path);
    if (fstat(fd, &info) != 0) {
        int why = errno;
        (void)close(fd);
        return nod_fail_errno(err, why, "%s: cannot look at", path);
    }
    auto source = std::make_shared<File_source>(
        fd, info.st_size > 0 ? static_cast<uint64_t>(info.st_size) : 0);
    if (!S_ISREG(info.st_mode)) return nod_fail(err, NOD_EIO, "%s: not a regular file", path);
    if (info.st_size > NOD_DICOM_FILE_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: %lld bytes, %lld allowed", path,
                        static_cast<long long>(info.st_size),
                        static_cast<long long>(NOD_DICOM_FILE_MAX));
    return open_source(source, path, extent, out, err);
}

/* The syntaxes that hospitals use, and those that DCMTK 3.6.7 has no name for. PS3.6 A.1. */
static const struct {
    const char *uid, *name;
} syntaxes[] = {
    {"1.2.840.10008.1.2", "implicit little endian"},
    {"1.2.840.10008.1.2.1", "explicit little endian"},
    {"1.2.840.10008.1.2.1.99", "deflated"},
    {"1.2.840.10008.1.2.2", "explicit big endian"},
    {"1.2.840.10008.1.2.4.50", "JPEG baseline"},
    {"1.2.840.10008.1.2.4.51", "JPEG extended"},
    {"1.2.840.10008.1.2.4.57", "JPEG lossless"},
    {"1.2.840.10008.1.2.4.70", "JPEG lossless, first order"},
    {"1.2.840.10008.1.2.4.80", "JPEG-LS, lossless"},
    {"1.2.840.10008.1.2.4.81", "JPEG-LS, near-lossless"},
    {"1.2.840.10008.1.2.4.90", "JPEG 2000, lossless"},
    {"1.2.840.10008.1.2.4.91", "JPEG 2000"},
    {"1.2.840.10008.1.2.4.201", "HTJ2K, lossless"},
    {"1.2.840.10008.1.2.4.202", "HTJ2K, lossless, RPCL"},
    {"1.2.840.10008.1.2.4.203", "HTJ2K"},
    {"1.2.840.10008.1.2.5", "RLE"},
};

} // namespace nod_dicom

extern "C" {

bool nod_dicom_is(const void *bytes, size_t size)
{
    const unsigned char *b = static_cast<const unsigned char *>(bytes);

    if (size >= 132 && std::memcmp(b + 128, "DICM", 4) == 0) return true;
    if (size < 8) return false;
    bool little = (b[0] == 2 || b[0] == 8) && b[1] == 0 && b[3] == 0;
    bool big = b[0] == 0 && (b[1] == 2 || b[1] == 8) && b[2] == 0;
    if (!little && !big) return false;
    if (nod_dicom::has_vr(b)) return true;
    /* implicit: the first elements of these groups are short */
    return little ? b[5] <= 1 && b[6] == 0 && b[7] == 0 : b[4] == 0 && b[5] == 0 && b[6] <= 1;
}

int nod_dicom_file_open(const char *path, nod_dicom_extent extent, nod_dicom_file **out,
                        nod_error *err)
{
    return nod_dicom::guarded(path, err,
                              [=] { return nod_dicom::open_path(path, extent, out, err); });
}

int nod_dicom_file_open_memory(const void *bytes, size_t size, const char *name,
                               nod_dicom_extent extent, nod_dicom_file **out, nod_error *err)
{
    return nod_dicom::guarded(name, err, [=] {
        auto source = std::make_shared<nod_dicom::Memory_source>(bytes, size);
        return nod_dicom::open_source(source, name, extent, out, err);
    });
}

void nod_dicom_file_close(nod_dicom_file *file)
{
    delete file;
}

const char *nod_dicom_file_name(const nod_dicom_file *file)
{
    return file->name.c_str();
}

const char *nod_dicom_file_syntax(const nod_dicom_file *file)
{
    return file->syntax.c_str();
}

bool nod_dicom_file_is_partial(const nod_dicom_file *file)
{
    return file->is_partial;
}

const char *nod_dicom_syntax_name(const char *uid)
{
    for (const auto &s : nod_dicom::syntaxes)
        if (std::strcmp(s.uid, uid) == 0) return s.name;
    return uid;
}

} // extern "C"
