/* reader.h: the table of file formats: from a file to an image, and what is odd about it.
 *
 * The first bytes choose the format, never the name. A format is one `nod_image_format` in a file
 * of its own (raster/, nifti/, itk/) and one line in the table of reader.c. */
#ifndef NOD_IMAGING_READER_H
#define NOD_IMAGING_READER_H

#include "base/file.h"
#include "imaging/finding.h"
#include "imaging/image.h"

/* So many first bytes tell every format. */
#define NOD_IMAGE_SNIFF_BYTES 1024
/* Of one file, and of what one compressed file may hold. */
#define NOD_IMAGE_MAX_FILE_BYTES ((size_t)4 << 30)

/* Reads an image of any format; a folder or a zip archive is one DICOM series. `policies` NULL: the preset ones. `findings` (NULL: nobody wants to
 * know) also gets those that led to a refusal. Errors: ENOENT, EIO, EFORMAT (the bytes),
 * EUNSUPPORTED (known, but not read), ELIMIT, EDATA (a finding is refused), ENOMEM. */
int nod_image_read(const char *path, const nod_policies *policies, nod_findings *findings,
                   nod_image *out, nod_error *err) NOD_MUST_CHECK;
/* The same of bytes in memory, called `name` in messages; formats of several files are refused. */
int nod_image_parse(const void *bytes, size_t size, const char *name,
                    const nod_policies *policies, nod_findings *findings, nod_image *out,
                    nod_error *err) NOD_MUST_CHECK;

/* Whether the first bytes look like one of the formats. */
bool nod_image_is_known(const void *bytes, size_t size);
/* Whether a name ends like an image file: worth a complaint where it cannot be read. */
bool nod_image_has_ending(const char *name);

/* --- what a format is ------------------------------------------------------------------------ */

/* What a format reads; all borrowed. */
typedef struct nod_encoded {
    const uint8_t *bytes;
    size_t size;
    const char *name; /* begins messages */
    const char *path; /* where further files of the image lie; NULL: nowhere */
    const nod_policies *policies;
    nod_findings *findings; /* may be NULL */
} nod_encoded;

typedef struct nod_image_format {
    const char *name;
    const char *const *endings; /* ".png", NULL at the end */
    bool (*is)(const uint8_t *bytes, size_t size);
    /* `out` is untouched on failure. */
    int (*read)(const nod_encoded *in, nod_image *out, nod_error *err);
    /* `read` opens the path itself, where there is one: `bytes` are only the first. */
    bool opens_path;
} nod_image_format;

/* The table; NULL after the last. */
const nod_image_format *nod_image_format_at(size_t i);

/* nod_policies_judge for what is read. */
int nod_encoded_judge(const nod_encoded *in, nod_error *err, nod_finding_kind kind,
                      const char *format, ...) NOD_PRINTF(4, 5) NOD_MUST_CHECK;
/* The grid of an affine, called `what` in details. Findings: bad-spacing (accepted: `out` is
 * untouched), sheared. */
int nod_encoded_place(const nod_encoded *in, const double affine[4][4], nod_world world,
                      const int64_t size[3], const char *what, nod_geometry *out,
                      nod_error *err) NOD_MUST_CHECK;
/* Whether there is a file of that name in the header's folder. */
bool nod_encoded_is_beside(const nod_encoded *in, const char *name);
/* Reads a file that a header names: it must lie beside it. EFORMAT: another folder; EUNSUPPORTED:
 * the header is in memory alone. */
int nod_encoded_read_beside(const nod_encoded *in, const char *name, nod_bytes *out,
                            nod_error *err) NOD_MUST_CHECK;

#endif
