/* frames.hh: where the bytes of each frame lie in encapsulated Pixel Data (PS3.5 A.4). */
#ifndef NOD_IMAGING_DICOM_SHIM_FRAMES_HH
#define NOD_IMAGING_DICOM_SHIM_FRAMES_HH

#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

#include "imaging/dicom/shim/shim.hh"

namespace nod_dicom
{

class Frames
{
  public:
    /* Lists the fragments, and says which belong to which of n_frames: by the extended offset
     * table, the basic one, one a frame, or by the codestreams' end markers. */
    int find(const nod_dicom_file &file, DcmPixelSequence &sequence, int64_t n_frames,
             nod_error *err);
    /* The codestream of one frame, its fragments joined. */
    int read(const nod_dicom_file &file, int64_t i_frame, std::vector<uint8_t> &out,
             nod_error *err) const;

  private:
    bool assign_by_offsets(const std::vector<uint64_t> &offsets);
    bool assign_by_ends(int64_t n_frames);
    bool ends_a_frame(size_t i_fragment) const;

    std::vector<DcmPixelItem *> fragments_; /* without the offset table */
    std::vector<uint64_t> at_;              /* of each fragment's item, from the first one's */
    std::vector<size_t> first_; /* fragment of each frame, and the end: n_frames + 1 */
};

} // namespace nod_dicom

#endif
