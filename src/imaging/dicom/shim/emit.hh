/* emit.hh: what changing datasets and writing them share; and the meta header of files of ours, which is the
 * same whatever DCMTK's version. */
#ifndef NOD_IMAGING_DICOM_SHIM_EMIT_HH
#define NOD_IMAGING_DICOM_SHIM_EMIT_HH

#include <vector>

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

static inline void check(const DcmTagKey &tag, const OFCondition &c)
{
    if (c.bad()) throw Refused(tag, c);
}

/* Pointers first: the lists of DCMTK are changed while they are gone through. */
template <class List> std::vector<DcmObject *> members(List &list)
{
    std::vector<DcmObject *> all;
    for (DcmObject *o = list.nextInContainer(nullptr); o != nullptr;
         o = list.nextInContainer(o))
        all.push_back(o);
    return all;
}

/* Group 0002 of a file of ours, with lengths, ready to be written. */
void fill_meta(DcmMetaInfo &meta, const char *sop_class, const char *sop_instance,
               const char *syntax);

} // namespace nod_dicom

#endif
