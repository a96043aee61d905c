/* element.hh: what a header takes from one element, whatever VR a file gives it. */
#ifndef NOD_IMAGING_DICOM_SHIM_ELEMENT_HH
#define NOD_IMAGING_DICOM_SHIM_ELEMENT_HH

#include <cstddef>
#include <cstdint>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcelem.h>

namespace nod_dicom::element
{

uint32_t tag_of(const DcmObject &o);
/* Text in UTF-8, one line. What is not valid UTF-8 is taken for Latin-1, so that different ids stay
 * different. */
void put_text(const std::string &s, char *out, size_t size);
/* The whole value as text, values joined by '\', spaces at both ends gone. */
std::string text_of(DcmElement &e);
/* Value `i` as a number; false where it is none or not finite. */
bool number_of(DcmElement &e, unsigned long i, double &out);
/* The first n, at most 16. */
bool numbers_of(DcmElement &e, double *out, size_t n);
/* NOD_DICOM_NO_INT where it is none. */
int32_t int_of(DcmElement &e, unsigned long i = 0);
/* "hhmmss.ffffff" of a time, or from the ninth character of a date and time, in seconds. */
double seconds_of(const std::string &s, size_t at);

} // namespace nod_dicom::element

#endif
