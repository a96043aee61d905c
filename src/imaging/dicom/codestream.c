/* codestream.c: goes from marker to marker. What lies between the scans of a JPEG and in the parts of a
 * JPEG 2000 is passed over: there a marker is told by its second byte. */
#include "imaging/dicom/codestream.h"

#include <stdbool.h>
#include <string.h>

enum { /* second bytes of markers, behind FF */
       SOI = 0xd8,
       EOI = 0xd9, /* of JPEG 2000 too */
       SOS = 0xda,
       APP0 = 0xe0,
       APP8 = 0xe8,
       APP14 = 0xee,
       COM = 0xfe,
       SOC = 0x4f,
       SIZ = 0x51,
       CME = 0x64, /* comment of JPEG 2000 */
       SOT = 0x90,
       SOD = 0x93
};

typedef struct stream {
    uint8_t *b;
    size_t n, at;
    size_t wiped;
} stream;

static size_t u16(const stream *s, size_t at)
{
    return (size_t)s->b[at] << 8 | s->b[at + 1];
}

/* Marker at `at`, passing fill bytes; -1: none. */
static int take_marker(stream *s)
{
    if (s->n - s->at < 2 || s->b[s->at] != 0xff) return -1;
    while (s->at + 1 < s->n && s->b[s->at + 1] == 0xff)
        s->at++;
    if (s->n - s->at < 2) return -1;
    s->at += 2;
    return s->b[s->at - 1];
}

/* The segment behind a marker: where its contents begin and how many bytes they are. */
static bool take_segment(stream *s, size_t *begin, size_t *n)
{
    if (s->n - s->at < 2) return false;
    size_t length = u16(s, s->at);
    if (length < 2 || length > s->n - s->at) return false;
    *begin = s->at + 2;
    *n = length - 2;
    s->at += length;
    return true;
}

static void overwrite(stream *s, size_t begin, size_t n, uint8_t by)
{
    bool has_any = false;
    for (size_t i = begin; i < begin + n; i++) {
        has_any = has_any || (s->b[i] != by && s->b[i] != 0);
        s->b[i] = by;
    }
    if (has_any) s->wiped++;
}

static bool begins(const stream *s, size_t begin, size_t n, const char *word)
{
    size_t length = strlen(word);
    return n >= length && memcmp(s->b + begin, word, length) == 0;
}

static bool is_needed(const stream *s, int marker, size_t begin, size_t n)
{
    if (marker == APP0) return n <= 14 && begins(s, begin, n, "JFIF"); /* more is a thumbnail */
    if (marker == APP14) return n <= 12 && begins(s, begin, n, "Adobe");
    return marker == APP8 && n <= 5 && begins(s, begin, n, "mrfx");
}

/* --- JPEG and JPEG-LS ------------------------------------------------------------------------- */

/* To the next marker that is none of the restarts: behind FF, data has 00, or with JPEG-LS up to 7F. */
static void pass_scan(stream *s)
{
    while (s->n - s->at >= 2) {
        uint8_t next = s->b[s->at + 1];
        bool restart = next >= 0xd0 && next <= 0xd7;
        if (s->b[s->at] == 0xff && next >= 0x80 && next != 0xff && !restart) return;
        s->at++;
    }
    s->at = s->n;
}

/* Up to the end of the image; false: it is broken. */
static bool wipe_jpeg(stream *s)
{
    int marker;
    for (marker = take_marker(s); marker >= 0 && marker != EOI; marker = take_marker(s)) {
        size_t begin, n;
        if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue; /* alone */
        if (!take_segment(s, &begin, &n)) return false;
        if (marker == COM) overwrite(s, begin, n, ' ');
        if (marker >= APP0 && marker <= APP0 + 15 && !is_needed(s, marker, begin, n))
            overwrite(s, begin, n, 0);
        if (marker == SOS) pass_scan(s);
    }
    return marker == EOI;
}

/* --- JPEG 2000 -------------------------------------------------------------------------------- */

/* Where the tile part ends whose SOT has these contents; 0: not known. */
static size_t end_of_part(const stream *s, size_t begin, size_t n)
{
    if (n < 8) return 0;
    size_t length = u16(s, begin + 2) << 16 | u16(s, begin + 4), start = begin - 4;
    return length >= 14 && length <= s->n - start ? start + length : 0;
}

static bool wipe_jpeg_2000(stream *s)
{
    size_t end = 0;
    int marker;
    for (marker = take_marker(s); marker >= 0 && marker != EOI; marker = take_marker(s)) {
        size_t begin, n;
        if (marker == SOD) {
            s->at = end > s->at ? end : s->n;
            continue;
        }
        if (!take_segment(s, &begin, &n)) return false;
        if (marker == SOT) end = end_of_part(s, begin, n);
        if (marker == CME && n > 2) overwrite(s, begin + 2, n - 2, ' ');
    }
    return marker == EOI;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* NOLINTNEXTLINE(readability-non-const-parameter): they are written through s */
size_t nod_codestream_wipe(uint8_t *bytes, size_t n)
{
    stream s = {.b = bytes, .n = n};
    bool whole = true;
    while (whole && s.n - s.at >= 4) {
        const uint8_t *b = s.b + s.at;
        bool is_jpeg = b[0] == 0xff && b[1] == SOI && b[2] == 0xff;
        bool is_jpeg_2000 = b[0] == 0xff && b[1] == SOC && b[2] == 0xff && b[3] == SIZ;
        s.at += is_jpeg || is_jpeg_2000 ? 2 : 1;
        if (is_jpeg) whole = wipe_jpeg(&s);
        if (is_jpeg_2000) whole = wipe_jpeg_2000(&s);
    }
    return s.wiped;
}
