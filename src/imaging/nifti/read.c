/* read.c: NIfTI files to images.
 *
 * The header is read and judged first, out of the first unpacked bytes of a compressed file; it says
 * how many bytes the voxels have. Only then is memory taken. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/gzip.h"
#include "imaging/nifti/header.h"
#include "imaging/nifti/nifti.h"

static bool is_nifti(const uint8_t *bytes, size_t size)
{
    uint8_t head[4];
    if (!nod_gzip_is(bytes, size)) return nod_nifti_header_is(bytes, size);
    return nod_nifti_header_is(head, nod_gzip_peek(bytes, size, head, sizeof head));
}

/* --- what the header says --------------------------------------------------------------------- */

/* One of the dimensions 4 to 7 may be more than 1: frames. */
static int find_frames(const nod_nifti_header *h, const char *name, int64_t *out,
                       nod_error *err)
{
    int64_t frames = 1;
    for (int i = 4; i <= h->dim[0]; i++) {
        if (h->dim[i] == 1) continue;
        if (frames != 1)
            return nod_fail(err, NOD_EUNSUPPORTED,
                            "%s: dim[%d] is %lld beside another of more than 1 among dim[4] to "
                            "dim[7]; at most one such axis is read",
                            name, i, (long long)h->dim[i]);
        frames = h->dim[i];
    }
    *out = frames;
    return 0;
}

static int find_type(const nod_encoded *in, const nod_nifti_header *h, nod_stored_grid *g,
                     nod_error *err)
{
    const nod_nifti_type *t = nod_nifti_type_find(h->datatype);
    if (t == NULL)
        return nod_fail(err, NOD_EFORMAT, "%s: datatype %d is none of NIfTI", in->name,
                        h->datatype);
    if (t->components == 0)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: voxels of type %s are not read; save real numbers of 8 to 64 bits",
                        in->name, t->name);
    g->type = t->type;
    g->components = t->components;
    g->big_endian = h->big_endian;
    if (h->bitpix == t->bits) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_HEADER_CONFLICT,
                             "bitpix is %d, datatype %s has %d bits", h->bitpix, t->name,
                             t->bits);
}

/* A slope of 0 or NaN means no scaling; colours have none. */
static int find_scaling(const nod_encoded *in, const nod_nifti_header *h, nod_stored_grid *g,
                        nod_error *err)
{
    g->slope = 1;
    g->intercept = 0;
    if (h->slope == 0 || !isfinite(h->slope) || g->components > 1) return 0;
    if (!isfinite(h->inter))
        return nod_fail(err, NOD_EFORMAT, "%s: scl_slope is %g, but scl_inter is %g", in->name,
                        h->slope, h->inter);
    g->slope = h->slope;
    g->intercept = h->inter;
    return 0;
}

static int find_grid(const nod_encoded *in, const nod_nifti_header *h, nod_stored_grid *g,
                     nod_error *err)
{
    int rc = find_frames(h, in->name, &g->frames, err);
    for (int a = 0; a < 3; a++)
        g->size[a] = a < h->dim[0] ? h->dim[a + 1] : 1;
    if (rc == 0) rc = find_type(in, h, g, err);
    if (rc == 0) rc = find_scaling(in, h, g, err);
    return rc;
}

/* --- voxels ------------------------------------------------------------------------------------ */

/* What is read, and what must be freed for it. */
typedef struct voxels {
    const uint8_t *bytes;
    size_t size;        /* from the first voxel to the end */
    nod_bytes file;     /* the other half of a pair */
    nod_bytes unpacked; /* of a compressed file */
    size_t n_rest;      /* behind a compressed stream */
} voxels;

static void voxels_done(voxels *v)
{
    nod_bytes_done(&v->file);
    nod_bytes_done(&v->unpacked);
}

/* x.hdr, x.hdr.gz -> x.img or x.img.gz, whichever is there. */
static int read_image_file(const nod_encoded *in, nod_bytes *out, nod_error *err)
{
    char name[512];
    if (in->path == NULL) return nod_encoded_read_beside(in, "", out, err);
    const char *base = nod_path_base(in->path);
    snprintf(name, sizeof name - 4, "%s", base);
    size_t n = strlen(name);
    if (nod_has_suffix_nocase(name, ".gz")) name[n -= 3] = 0;
    if (!nod_has_suffix_nocase(name, ".hdr"))
        return nod_fail(err, NOD_EFORMAT,
                        "%s: the header of a pair, but its name does not end in .hdr",
                        in->name);
    memcpy(name + n - 3, name[n - 1] == 'R' ? "IMG" : "img", 3);
    if (!nod_encoded_is_beside(in, name)) {
        memcpy(name + n, ".gz", 4);
        if (!nod_encoded_is_beside(in, name)) name[n] = 0;
    }
    return nod_encoded_read_beside(in, name, out, err);
}

static int unpack(const nod_encoded *in, voxels *v, size_t need, nod_error *err)
{
    if (!nod_gzip_is(v->bytes, v->size)) return 0;
    int rc = nod_gzip_unpack(v->bytes, v->size, need, in->name, &v->unpacked, &v->n_rest, err);
    if (rc) return rc;
    v->bytes = v->unpacked.data;
    v->size = v->unpacked.size;
    return 0;
}

/* The voxels' n bytes, with what was found behind them. */
static int find_voxels(const nod_encoded *in, const nod_nifti_header *h, size_t n, voxels *v,
                       nod_error *err)
{
    size_t offset = (size_t)h->vox_offset, need;
    int rc = 0;
    v->bytes = in->bytes;
    v->size = in->size;
    if (!nod_size_add(offset, n, &need))
        return nod_fail(err, NOD_EFORMAT, "%s: vox_offset %zu is beyond every file", in->name,
                        offset);
    if (h->pair) {
        rc = read_image_file(in, &v->file, err);
        if (rc) return rc;
        v->bytes = v->file.data;
        v->size = v->file.size;
    }
    rc = unpack(in, v, need, err);
    if (rc) return rc;
    if (v->size < need)
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: voxels need %zu bytes from byte %zu, the file ends at %zu: cut off", in->name,
            n, offset, v->size);
    size_t rest = v->size - need + v->n_rest;
    v->bytes += offset;
    if (rest == 0) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_TRAILING_BYTES, "%zu bytes behind the voxels",
                             rest);
}

static int read_nifti(const nod_encoded *in, nod_image *out, nod_error *err)
{
    uint8_t head[NOD_NIFTI2_BYTES];
    const uint8_t *bytes = in->bytes;
    size_t size = in->size, n = 0;
    nod_nifti_header h;
    nod_stored_grid grid;
    nod_geometry geometry;
    nod_image im = {0};
    voxels v = {0};
    int rc = 0;
    if (nod_gzip_is(bytes, size)) {
        size = nod_gzip_peek(bytes, size, head, sizeof head);
        bytes = head;
    }
    NOD_TRY(nod_nifti_header_parse(bytes, size, in->name, &h, err));
    NOD_TRY(find_grid(in, &h, &grid, err));
    NOD_TRY(nod_stored_bytes(&grid, in->name, &n, err));
    NOD_TRY(nod_nifti_place(in, &h, grid.size, &geometry, err));
    NOD_TRY(find_voxels(in, &h, n, &v, err));
    NOD_TRY(nod_stored_read(in, &grid, v.bytes, &im, err));
    im.geometry = geometry;
    *out = im;
out:
    voxels_done(&v);
    return rc;
}

static const char *const endings[] = {".nii", ".nii.gz", ".hdr", NULL};
const nod_image_format nod_nifti_format = {
    .name = "NIfTI", .endings = endings, .is = is_nifti, .read = read_nifti};

/* --- pairs ------------------------------------------------------------------------------------- */

int nod_nifti_find_header(const char *path, char **header, nod_error *err)
{
    bool packed = nod_has_suffix_nocase(path, ".img.gz");
    char *other = NULL;
    *header = NULL;
    if (!packed && !nod_has_suffix_nocase(path, ".img")) return 0;
    other = nod_strdup(path);
    if (other == NULL) return nod_fail_memory(err, "a path", strlen(path));
    char *end = other + strlen(other) - (packed ? 6 : 3);
    memcpy(end, *end == 'I' ? "HDR" : "hdr", 3);
    if (!nod_path_is_file(other)) end[3] = 0; /* x.img.gz with x.hdr */
    if (nod_path_is_file(other))
        *header = other;
    else
        nod_free(other);
    return 0;
}
