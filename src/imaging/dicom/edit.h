/* edit.h: going through the elements of an open DICOM file, changing some, and writing the result.
 *
 *   nod_dicom_edit(file, visit, ctx, &err)     every element once, sequences before their items
 *   nod_dicom_put_text(file, tag, "CS", ...)   what is new
 *   nod_dicom_write(file, "copy.dcm", &err)
 *
 * Changes are made to the file as it is in memory; the file on disk stays as it is. Group lengths are
 * never visited and never written. */
#ifndef NOD_IMAGING_DICOM_EDIT_H
#define NOD_IMAGING_DICOM_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "imaging/dicom/file.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Values of bytes (OB, OW, UN ...) up to this size are shown to the visitor. */
#define NOD_DICOM_BYTES_SHOWN ((size_t)64 << 20)

typedef struct nod_dicom_element {
    uint32_t tag;  /* group << 16 | element */
    char vr[3];    /* as it stands in the file, or by the dictionary where it stands nowhere */
    bool is_known; /* the dictionary has the attribute */
    bool is_sequence; /* also one in an element of VR UN */
    bool is_code;     /* a sequence whose first item has a code (PS3.3 8.8) */
    /* The sequences that it is in, outermost first; depth 0: the dataset itself. */
    const uint32_t *path;
    int depth;
    size_t n; /* bytes of the value; 0 of sequences */
    /* The value of a VR of text, without padding, NULs inside as spaces; else NULL. Borrowed. */
    const char *text;
    /* The value of a VR of bytes or words in the order of the machine; NULL: too large, or pixels. */
    const uint8_t *bytes;
} nod_dicom_element;

typedef enum nod_dicom_action {
    NOD_DICOM_KEEP, /* of a sequence: its items are visited */
    NOD_DICOM_REMOVE,
    NOD_DICOM_CLEAR,     /* there, without a value or items */
    NOD_DICOM_SET_TEXT,  /* it gets change.text */
    NOD_DICOM_SET_ZEROS, /* an OB gets two zeros */
    NOD_DICOM_SET_CODE /* a sequence gets one item with a code that says that it was removed */
} nod_dicom_action;

typedef struct nod_dicom_change {
    nod_dicom_action action; /* KEEP before the visitor is asked */
    nod_strbuf text;         /* empty then */
} nod_dicom_change;

typedef int (*nod_dicom_visit)(void *ctx, const nod_dicom_element *element,
                               nod_dicom_change *change, nod_error *err);

/* Visits the elements of a file opened WHOLE. An error of the visitor ends it. */
int nod_dicom_edit(nod_dicom_file *file, nod_dicom_visit visit, void *ctx,
                   nod_error *err) NOD_MUST_CHECK;

/* Sets an element of the dataset. */
int nod_dicom_put_text(nod_dicom_file *file, uint32_t tag, const char *vr, const char *text,
                       nod_error *err) NOD_MUST_CHECK;
/* Adds a code to a sequence of the dataset, unless it is there. */
int nod_dicom_put_code(nod_dicom_file *file, uint32_t sequence, const char *value,
                       const char *scheme, const char *meaning, nod_error *err) NOD_MUST_CHECK;

typedef struct nod_dicom_wiped {
    uint64_t comments; /* and application data, in JPEG, JPEG-LS and JPEG 2000 codestreams */
    uint64_t overlay_samples; /* samples that had a bit of an overlay which lay in them */
    uint64_t trailing_bytes;  /* not zero, behind the last frame */
} nod_dicom_wiped;

/* Overwrites what is hidden beside the pixels. Their values, and all lengths, stay. To be called while the
 * overlays' attributes are there. Errors: EUNSUPPORTED (overlays within compressed pixels), EFORMAT (so
 * many bytes behind the last frame that they are another one). */
int nod_dicom_wipe_hidden(nod_dicom_file *file, nod_dicom_wiped *out,
                          nod_error *err) NOD_MUST_CHECK;

/* Writes the dataset as a file with preamble and a meta header of our own, atomically. Encapsulated
 * pixels keep their transfer syntax and bytes; all else becomes explicit little endian. Errors:
 * EFORMAT (no SOP class or instance UID, values that are not there), EIO, ENOMEM. */
int nod_dicom_write(const nod_dicom_file *file, const char *path,
                    nod_error *err) NOD_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
