/* codestream.h: comments in compressed images. Cameras, scanners and converters write into them who and
 * what they like. Source: ITU-T T.81 annex B (JPEG), T.87 annex C (JPEG-LS), T.800 annex A (JPEG 2000;
 * HTJ2K has the same markers). */
#ifndef NOD_IMAGING_DICOM_CODESTREAM_H
#define NOD_IMAGING_DICOM_CODESTREAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Overwrites, in these codestreams one after the other, the contents of comments and of application
 * segments, but for those that decoders need (JFIF, Adobe's and HP's transforms of colours). No length
 * changes. Returns how many were overwritten. Stops in a stream at the first thing that is no marker. */
size_t nod_codestream_wipe(uint8_t *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
