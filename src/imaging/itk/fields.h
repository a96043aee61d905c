/* fields.h: the text headers of MetaImage and NRRD as a list of keys and values. */
#ifndef NOD_IMAGING_ITK_FIELDS_H
#define NOD_IMAGING_ITK_FIELDS_H

#include "imaging/stored.h"

#define NOD_FIELDS_MAX       256
#define NOD_FIELDS_MAX_BYTES ((size_t)1 << 20) /* of a header */

typedef struct nod_fields {
    char *text; /* owned; keys and values point into it */
    struct {
        const char *key, *value;
    } items[NOD_FIELDS_MAX];
    size_t n;
    size_t n_header; /* bytes before what follows the header */
} nod_fields;

void nod_fields_done(nod_fields *f);
/* "Key = value" lines, the last of them that of `last`. EFORMAT, ELIMIT. */
int nod_fields_read_until(const nod_encoded *in, const char *last, nod_fields *out,
                          nod_error *err) NOD_MUST_CHECK;
/* A first line, then "key: value" lines up to an empty one or the end; "key:=value" and lines that
 * begin with # are passed over. */
int nod_fields_read_paragraph(const nod_encoded *in, nod_fields *out,
                              nod_error *err) NOD_MUST_CHECK;

/* NULL: not there. Case does not count. */
const char *nod_fields_get(const nod_fields *f, const char *key);
/* n numbers or sizes, separated by spaces; EFORMAT names the key: absent, not numbers, or not n. */
int nod_fields_numbers(const nod_fields *f, const nod_encoded *in, const char *key, int n,
                       double *out, nod_error *err) NOD_MUST_CHECK;
int nod_fields_sizes(const nod_fields *f, const nod_encoded *in, const char *key, int n,
                     int64_t *out, nod_error *err) NOD_MUST_CHECK;
/* One whole number in low..high, or `preset` where the key is absent. */
int nod_fields_whole(const nod_fields *f, const nod_encoded *in, const char *key, int64_t low,
                     int64_t high, int64_t preset, int64_t *out, nod_error *err) NOD_MUST_CHECK;

/* The voxels' bytes: behind the header, or in a file beside it, as they are or unpacked. */
typedef struct nod_fields_data {
    const char *file; /* NULL: behind the header */
    bool packed;      /* gzip or zlib */
    int64_t skip;     /* bytes before the voxels, after unpacking; -1: the voxels come last */
    int64_t skip_lines;
} nod_fields_data;

typedef struct nod_fields_voxels {
    const uint8_t *bytes; /* as many as were wanted */
    nod_bytes file, unpacked;
} nod_fields_voxels;

void nod_fields_voxels_done(nod_fields_voxels *v);
/* EFORMAT: fewer than n bytes. Finding: trailing-bytes. */
int nod_fields_find_voxels(const nod_fields *f, const nod_encoded *in, const nod_fields_data *d,
                           size_t n, nod_fields_voxels *out, nod_error *err) NOD_MUST_CHECK;

#endif
