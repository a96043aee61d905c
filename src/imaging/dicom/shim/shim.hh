/* shim.hh: what the sources of this folder share. Nothing outside it sees C++ or DCMTK: they use
 * the C headers of imaging/dicom/.
 *
 * Every function that C calls is one `return guarded(...)`: no exception leaves the folder. */
#ifndef NOD_IMAGING_DICOM_SHIM_SHIM_HH
#define NOD_IMAGING_DICOM_SHIM_SHIM_HH

#include <exception>
#include <memory>
#include <new>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcmetinf.h>

#include "imaging/dicom/shim/stream.hh"

extern "C" {
#include "base/error.h"
#include "imaging/dicom/file.h"
#include "imaging/dicom/limits.h"
}

struct nod_dicom_file {
    std::string name;
    nod_dicom_extent extent = NOD_DICOM_HEADER;
    bool is_cut = false;                    /* the file ends inside Pixel Data */
    bool is_partial = false;                /* or it is broken behind them */
    std::string syntax;                     /* UID, from the meta header or by looking */
    E_TransferSyntax read_as = EXS_Unknown; /* how DCMTK parsed the dataset */
    std::shared_ptr<const nod_dicom::Source> source;
    std::unique_ptr<DcmMetaInfo> meta;
    std::unique_ptr<DcmDataset> dataset; /* never null once opened */
};

namespace nod_dicom
{

/* Silences DCMTK's log, sets what it tolerates. Before anything else of DCMTK; any number of
 * times, from any thread. */
void init_once();

/* Runs `body`, which returns 0 or what nod_fail gave; an exception becomes an error. */
template <class Body> int guarded(const char *name, nod_error *err, Body &&body) noexcept
{
    try {
        init_once();
        return body();
    } catch (const std::bad_alloc &) {
        return nod_fail(err, NOD_ENOMEM, "%s: out of memory in the DICOM library", name);
    } catch (const std::exception &e) {
        return nod_fail(err, NOD_EINTERNAL, "%s: the DICOM library failed: %s", name, e.what());
    } catch (...) {
        return nod_fail(err, NOD_EINTERNAL, "%s: the DICOM library failed", name);
    }
}

} // namespace nod_dicom

#endif
