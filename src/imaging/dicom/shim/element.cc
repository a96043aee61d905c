/* element.cc: values of an element. */
#include "imaging/dicom/shim/element.hh"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

extern "C" {
#include "base/text.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/limits.h"
}

namespace nod_dicom::element
{

uint32_t tag_of(const DcmObject &o)
{
    return static_cast<uint32_t>(o.getGTag()) << 16 | o.getETag();
}

void put_text(const std::string &s, char *out, size_t size)
{
    const auto *p = reinterpret_cast<const unsigned char *>(s.data());
    std::string utf8;
    bool valid = true;
    for (size_t i = 0; valid && i < s.size(); i++) {
        size_t more = p[i] < 0x80 ? 0 : p[i] >= 0xf0 ? 3 : p[i] >= 0xe0 ? 2 : 1;
        valid = p[i] < 0x80 || (p[i] >= 0xc2 && p[i] < 0xf5);
        for (; valid && more > 0; more--)
            valid = ++i < s.size() && (p[i] & 0xc0) == 0x80;
    }
    for (size_t i = 0; !valid && i < s.size(); i++)
        if (p[i] < 0x80)
            utf8 += s[i];
        else {
            utf8 += static_cast<char>(0xc0 | p[i] >> 6);
            utf8 += static_cast<char>(0x80 | (p[i] & 0x3f));
        }
    const std::string &text = valid ? s : utf8;
    size_t n = std::min(text.size(), size - 1);
    memcpy(out, text.data(), n);
    out[n] = '\0';
    nod_text_tidy(out);
}

std::string text_of(DcmElement &e)
{
    OFString value;
    std::string s;
    Uint8 *bytes = nullptr;
    if (e.getLength() > NOD_DICOM_VALUE_KEPT) return s;
    if (e.ident() == EVR_UN || e.ident() == EVR_OB) { /* text that nobody knew to be text */
        if (e.getUint8Array(bytes).good() && bytes != nullptr)
            s.assign(reinterpret_cast<const char *>(bytes), e.getLength());
        s = s.substr(0, s.find('\0'));
    } else if (e.getOFStringArray(value).good()) {
        s.assign(value.c_str());
    }
    size_t first = s.find_first_not_of(' '), last = s.find_last_not_of(' ');
    return first == std::string::npos ? "" : s.substr(first, last - first + 1);
}

/* Value `i` of a text of several. */
static std::string part_of(const std::string &s, size_t i)
{
    size_t at = 0;
    for (; i > 0; i--) {
        at = s.find('\\', at);
        if (at == std::string::npos) return "";
        at++;
    }
    std::string part = s.substr(at, s.find('\\', at) - at);
    size_t first = part.find_first_not_of(' '), last = part.find_last_not_of(' ');
    return first == std::string::npos ? "" : part.substr(first, last - first + 1);
}

bool number_of(DcmElement &e, unsigned long i, double &out)
{
    Uint8 *bytes = nullptr;
    Float32 f;
    double v;
    Uint32 u;
    Sint32 s;
    switch (e.ident()) {
    case EVR_FD:
        return e.getFloat64(out, i).good() && std::isfinite(out);
    case EVR_FL:
        if (e.getFloat32(f, i).bad()) return false;
        out = static_cast<double>(f);
        return std::isfinite(out);
    case EVR_US:
    case EVR_xs: {
        Uint16 w;
        if (e.getUint16(w, i).bad()) return false;
        out = w;
        return true;
    }
    case EVR_SS: {
        Sint16 w;
        if (e.getSint16(w, i).bad()) return false;
        out = w;
        return true;
    }
    case EVR_UL:
        if (e.getUint32(u, i).bad()) return false;
        out = u;
        return true;
    case EVR_SL:
        if (e.getSint32(s, i).bad()) return false;
        out = s;
        return true;
    case EVR_UN:
        if (e.getLength() == 2 && i == 0 && e.getUint8Array(bytes).good() && bytes != nullptr &&
            (bytes[0] < '0' || bytes[0] > '9')) { /* US without a VR is little endian */
            out = bytes[0] | bytes[1] << 8;
            return true;
        }
        break;
    default:
        break;
    }
    if (!nod_parse_f64(part_of(text_of(e), i).c_str(), &v)) return false;
    out = v;
    return true;
}

bool numbers_of(DcmElement &e, double *out, size_t n)
{
    double v[16];
    for (size_t i = 0; i < n; i++)
        if (!number_of(e, static_cast<unsigned long>(i), v[i])) return false;
    std::copy(v, v + n, out);
    return true;
}

int32_t int_of(DcmElement &e, unsigned long i)
{
    double v;
    if (!number_of(e, i, v) || !(std::fabs(v) < 2147483647.0)) return NOD_DICOM_NO_INT;
    return static_cast<int32_t>(v);
}

double seconds_of(const std::string &s, size_t at)
{
    int part[3] = {0, 0, 0};
    if (s.size() < at + 2) return NAN;
    for (size_t i = 0; i < 3 && s.size() >= at + 2 * i + 2; i++) {
        unsigned tens = static_cast<unsigned>(s[at + 2 * i] - '0');
        unsigned ones = static_cast<unsigned>(s[at + 2 * i + 1] - '0');
        if (tens > 9 || ones > 9) return NAN;
        part[i] = static_cast<int>(10 * tens + ones);
    }
    double fraction = 0;
    if (s.size() > at + 7 && s[at + 6] == '.') {
        size_t end = s.find_first_not_of("0123456789", at + 7);
        std::string digits =
            "0" + s.substr(at + 6, end == std::string::npos ? end : end - at - 6);
        if (!nod_parse_f64(digits.c_str(), &fraction)) fraction = 0;
    }
    return 3600.0 * part[0] + 60.0 * part[1] + part[2] + fraction;
}

} // namespace nod_dicom::element
