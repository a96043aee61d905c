/* emit.hh: a dataset as the bytes of a file: meta header and encoding are the same for all files that
 * we write, so that they do not change with DCMTK's version. */
#ifndef NOD_IMAGING_DICOM_SHIM_EMIT_HH
#define NOD_IMAGING_DICOM_SHIM_EMIT_HH

#include "imaging/dicom/shim/shim.hh"

namespace nod_dicom
{

/* What DCMTK refuses to take; `guarded` makes a message of it. */
class Refused : public std::exception
{
  public:
    Refused(const DcmTagKey &tag, const OFCondition &c)
        : text_(std::string(tag.toString().c_str()) + ": " + c.text())
    {
    }
    const char *what() const noexcept override
    {
        return text_.c_str();
    }

  private:
    std::string text_;
};

/* Group 0002 of a file of ours, with lengths, ready to be written. */
void fill_meta(DcmMetaInfo &meta, const char *sop_class, const char *sop_instance,
               const char *syntax);

} // namespace nod_dicom

#endif
