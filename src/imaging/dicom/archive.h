/* archive.h: the files below a root, in folders and in zip archives, by one kind of name.
 *
 * A name "a/b.dcm" is a file below the root; "c.zip!/d.dcm" is d.dcm in the archive c.zip; where the
 * root is itself an archive, its members are named directly. */
#ifndef NOD_IMAGING_DICOM_ARCHIVE_H
#define NOD_IMAGING_DICOM_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "imaging/dicom/file.h"

#define NOD_ARCHIVE_MARK         "!/"
#define NOD_ARCHIVE_MAX_MEMBERS  1000000
#define NOD_ARCHIVE_MAX_UNPACKED ((size_t)2 << 30) /* one member */
#define NOD_ARCHIVE_MAX_DEPTH    64                /* of folders */

/* A place to read files of one root from; one thread. It keeps the last archive open. */
typedef struct nod_archive_reader {
    const char *root; /* borrowed */
    char *path;       /* of the archive that is open, NULL: none */
    void *zip;
    nod_bytes bytes; /* of the file that is open, if it came out of an archive */
} nod_archive_reader;

/* Names of all files below the root, sorted; an archive's members stand in its place. A broken
 * archive is listed by its own name. Links to folders that contain them are not followed. */
int nod_archive_list(const char *root, nod_strlist *names, nod_error *err) NOD_MUST_CHECK;

void nod_archive_reader_init(nod_archive_reader *r, const char *root);
void nod_archive_reader_done(nod_archive_reader *r);
/* Opens a file by its name. *is_dicom is false, and nothing open, where its first bytes say that it
 * is something else. Closed before the next one is opened, and before the reader is done. */
int nod_archive_open(nod_archive_reader *r, const char *name, nod_dicom_extent extent,
                     bool *is_dicom, nod_dicom_file **out, nod_error *err) NOD_MUST_CHECK;

#endif
