/* write.c: checks what is to be written, makes UIDs, puts the finished bytes on disk. The bytes
 * themselves are made in shim/write.cc. */
#include "imaging/dicom/write.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/hmac.h"
#include "base/memory.h"
#include "imaging/dicom/shim/write.h"

nod_dicom_image nod_dicom_image_defaults(nod_dicom_object object)
{
    return (nod_dicom_image){.object = object,
                             .bits_stored = 12,
                             .slope = 1,
                             .acquisition_time_s = -1,
                             .trigger_time_ms = -1};
}

/* Digits, dots, no component with a leading zero: PS3.5 9.1. */
static bool is_uid(const char *s)
{
    size_t n = s ? strlen(s) : 0;
    if (n == 0 || n > 64) return false;
    for (size_t i = 0; i < n; i++) {
        bool begins = i == 0 || s[i - 1] == '.';
        bool digit = s[i] >= '0' && s[i] <= '9';
        if (!digit && (s[i] != '.' || begins)) return false;
        if (begins && s[i] == '0' && i + 1 < n && s[i + 1] != '.') return false;
    }
    return s[n - 1] != '.';
}

static bool lie_in(const double *v, int n, double lowest, double highest)
{
    for (int i = 0; i < n; i++)
        if (!(v[i] >= lowest && v[i] <= highest)) return false;
    return true;
}

static const char *fault(const nod_dicom_image *im)
{
    bool in_patient = im->object == NOD_DICOM_CT || im->object == NOD_DICOM_MR;
    if ((unsigned)im->object >= NOD_DICOM_OBJECTS) return "object";
    if (!is_uid(im->study_uid)) return "study_uid";
    if (!is_uid(im->series_uid)) return "series_uid";
    if (!is_uid(im->sop_uid)) return "sop_uid";
    if (in_patient && !is_uid(im->frame_of_reference_uid)) return "frame_of_reference_uid";
    if (!im->image_type || !*im->image_type) return "image_type";
    if (im->rows < 1 || im->rows > 65535) return "rows";
    if (im->columns < 1 || im->columns > 65535) return "columns";
    if (im->bits_stored < 1 || im->bits_stored > 16) return "bits_stored";
    if (!im->pixels) return "pixels";
    if (!lie_in(im->spacing_mm, 2, im->object == NOD_DICOM_SC ? 0 : 1e-6, 1e4))
        return "spacing_mm";
    if (!lie_in(im->position_mm, 3, -1e6, 1e6)) return "position_mm";
    if (!lie_in(im->orientation[0], 6, -1.000001, 1.000001)) return "orientation";
    if (!isfinite(im->slope) || im->slope == 0 || !isfinite(im->intercept)) return "slope";
    return NULL;
}

int nod_dicom_image_write(const char *path, const nod_dicom_image *image, nod_error *err)
{
    const char *field = fault(image);
    if (field)
        return nod_fail(err, NOD_EINVAL, "%s: this image cannot become DICOM: see its %s", path,
                        field);
    void *bytes = NULL;
    size_t size = 0;
    int rc = nod_dicom_image_encode(path, image, &bytes, &size, err);
    if (rc != 0) return rc;
    rc = nod_file_write(path, bytes, size, err);
    nod_free(bytes);
    return rc;
}

/* --- UIDs --------------------------------------------------------------------------------- */

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The first 16 bytes of a digest as a version 8 UUID (RFC 9562), in decimal. */
static void put_uid(const uint8_t digest[16], char out[NOD_DICOM_UID_BYTES])
{
    char digits[40];
    int n = 0;
    uint8_t b[16]; /* the number, most significant byte first */
    memcpy(b, digest, sizeof b);
    b[6] = (uint8_t)(0x80 | (b[6] & 0x0f)); /* version 8, variant 10 */
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    for (bool more = true; more;) { /* divides by ten until nothing is left */
        unsigned rest = 0;
        more = false;
        for (int i = 0; i < 16; i++) {
            rest = rest << 8 | b[i];
            b[i] = (uint8_t)(rest / 10);
            rest %= 10;
            more = more || b[i] != 0;
        }
        digits[n++] = (char)('0' + rest);
    }
    memcpy(out, "2.25.", 5);
    for (int i = 0; i < n; i++)
        out[5 + i] = digits[n - 1 - i];
    out[5 + n] = '\0';
}

int nod_dicom_uid_of(const char *name, char out[NOD_DICOM_UID_BYTES], nod_error *err)
{
    char hex[NOD_SHA256_HEX];
    uint8_t digest[16];
    int rc = nod_sha256_of(name, strlen(name), hex, err);
    if (rc != 0) return rc;
    for (int i = 0; i < 16; i++)
        digest[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    put_uid(digest, out);
    return 0;
}

int nod_dicom_uid_under_key(const void *key, size_t key_size, const char *uid,
                            char out[NOD_DICOM_UID_BYTES], nod_error *err)
{
    uint8_t code[NOD_SHA256_BYTES];
    int rc = nod_hmac_sha256_text(key, key_size, "dicom uid", uid, code, err);
    if (rc == 0) put_uid(code, out);
    return rc;
}
