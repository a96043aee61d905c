/* codec.h: one compressed frame to samples; one file a codec.
 *
 * A codec is chosen by the first bytes of the codestream, not by the transfer syntax: labels are
 * wrong more often than codestreams. RLE is known by its header. */
#ifndef NOD_IMAGING_DICOM_SHIM_CODEC_H
#define NOD_IMAGING_DICOM_SHIM_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"

/* What the header says that a frame is. */
typedef struct nod_codec_frame {
    const char *name; /* of the file */
    int64_t i_frame;  /* for messages */
    int64_t rows, columns;
    int channels;
    int bits_allocated; /* 8, 16 or 32: a sample of the result */
    int bits_stored;
    bool is_ybr; /* Photometric Interpretation is a YBR_... */
} nod_codec_frame;

typedef struct nod_codec {
    const char *name;
    bool (*is)(const uint8_t *bytes, size_t size);
    /* `out` has rows * columns * channels samples of bits_allocated, which it fills interleaved
     * and in native order; *is_ybr: colours that are still to be converted. The size, precision
     * and channels of the codestream are compared with `f` before anything is decoded. Errors:
     * EFORMAT, EUNSUPPORTED, ENOMEM. */
    int (*decode)(const nod_codec_frame *f, const uint8_t *bytes, size_t size, void *out,
                  bool *is_ybr, nod_error *err);
} nod_codec;

extern const nod_codec nod_codec_rle;  /* PS3.5 G */
extern const nod_codec nod_codec_jpeg; /* baseline, extended, lossless: DCMTK */
extern const nod_codec nod_codec_jls;  /* JPEG-LS: our own */
extern const nod_codec nod_codec_j2k;  /* JPEG 2000 and HTJ2K: OpenJPEG */

/* By the first bytes; NULL: none of them. */
const nod_codec *nod_codec_find(const uint8_t *bytes, size_t size);
/* EFORMAT with file, frame and codec, where a codestream is of another size, of other channels, or
 * of more bits than the header allocates. */
int nod_codec_check(const nod_codec_frame *f, const char *codec, int64_t rows, int64_t columns,
                    int channels, int bits, nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
