/* reader.c: the table of file formats, and what all of them share. */
#include "imaging/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "base/memory.h"
#include "imaging/dicom/format.h"
#include "imaging/dicom/select.h"
#include "imaging/itk/itk.h"
#include "imaging/nifti/nifti.h"
#include "imaging/raster/raster.h"
#include "imaging/straighten.h"

static const nod_image_format *const formats[] = {
    &nod_dicom_format, /* first: a preamble may make its files TIFF as well */
    &nod_raster_png,   &nod_raster_jpeg, &nod_raster_tiff,
    &nod_nifti_format, &nod_mha_format,  &nod_nrrd_format,
};

const nod_image_format *nod_image_format_at(size_t i)
{
    return i < NOD_COUNT(formats) ? formats[i] : NULL;
}

static const nod_image_format *find_format(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < NOD_COUNT(formats); i++)
        if (formats[i]->is(bytes, size)) return formats[i];
    return NULL;
}

bool nod_image_is_known(const void *bytes, size_t size)
{
    return find_format(bytes, size) != NULL;
}

bool nod_image_has_ending(const char *name)
{
    for (size_t i = 0; i < NOD_COUNT(formats); i++)
        for (const char *const *e = formats[i]->endings; *e; e++)
            if (nod_has_suffix_nocase(name, *e)) return true;
    return false;
}

/* --- reading -------------------------------------------------------------------------------- */

static int fail_unknown(const char *name, nod_error *err)
{
    nod_strbuf names = NOD_STRBUF_INIT;
    const nod_image_format *f;
    for (size_t i = 0; (f = nod_image_format_at(i)) != NULL; i++)
        nod_strbuf_printf(&names, "%s%s", i ? ", " : "", f->name);
    int rc = nod_fail(err, NOD_EFORMAT,
                      "%s: not an image of a known format (its first bytes are of none of %s)",
                      name, names.data);
    nod_strbuf_done(&names);
    return rc;
}

static int read_bytes(const nod_encoded *in, nod_image *out, nod_error *err)
{
    const nod_policies preset = nod_policies_preset();
    nod_encoded e = *in;
    if (e.size == 0) return nod_fail(err, NOD_EFORMAT, "%s: the file is empty", e.name);
    const nod_image_format *format = find_format(e.bytes, e.size);
    if (format == NULL) return fail_unknown(e.name, err);
    if (e.policies == NULL) e.policies = &preset;
    nod_image im = {0};
    int rc = format->read(&e, &im, err);
    if (rc == 0 && (rc = nod_image_straighten(&im, err)) != 0)
        nod_error_prefix(err, "%s", e.name);
    im.facts.format = format->name;
    if (rc == 0) *out = im;
    if (rc) nod_image_done(&im);
    return rc;
}

int nod_image_parse(const void *bytes, size_t size, const char *name,
                    const nod_policies *policies, nod_findings *findings, nod_image *out,
                    nod_error *err)
{
    const nod_encoded in = {bytes, size, name, NULL, policies, findings};
    return read_bytes(&in, out, err);
}

int nod_image_read(const char *path, const nod_policies *policies, nod_findings *findings,
                   nod_image *out, nod_error *err)
{
    uint8_t head[NOD_IMAGE_SNIFF_BYTES];
    nod_bytes bytes = {0};
    char *header = NULL;
    int rc = 0;
    if (nod_path_is_dir(path) || nod_has_suffix_nocase(path, ".zip"))
        return nod_dicom_tree_read(path, NULL, policies, out, findings, err);
    NOD_TRY(nod_nifti_find_header(path, &header, err));
    if (header) path = header;
    nod_encoded in = {head,    nod_file_peek(path, head, sizeof head), path, path, policies,
                      findings};
    const nod_image_format *format = find_format(in.bytes, in.size);
    if (!format || !format->opens_path) {
        NOD_TRY(nod_file_read(path, NOD_IMAGE_MAX_FILE_BYTES, &bytes, err));
        in.bytes = bytes.data;
        in.size = bytes.size;
    }
    rc = read_bytes(&in, out, err);
out:
    nod_bytes_done(&bytes);
    nod_free(header);
    return rc;
}

/* --- for the formats ------------------------------------------------------------------------ */

int nod_encoded_judge(const nod_encoded *in, nod_error *err, nod_finding_kind kind,
                      const char *format, ...)
{
    char detail[NOD_FINDING_DETAIL];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    return nod_policies_judge(in->policies, in->findings, in->name, kind, detail, err);
}

int nod_encoded_place(const nod_encoded *in, const double affine[4][4], nod_world world,
                      const int64_t size[3], const char *what, nod_geometry *out,
                      nod_error *err)
{
    nod_error why = NOD_ERROR_INIT;
    nod_geometry g;
    if (nod_geometry_from_affine(affine, world, size, what, &g, &why) != 0)
        return nod_encoded_judge(in, err, NOD_FINDING_BAD_SPACING, "%s", why.message);
    if (nod_geometry_is_sheared(&g)) {
        int rc =
            nod_encoded_judge(in, err, NOD_FINDING_SHEARED,
                              "%s: the cosine between two axes is %.4f, at right angles it "
                              "is below %g",
                              what, nod_geometry_shear(&g), NOD_GEOMETRY_SHEAR_MAX);
        if (rc) return rc;
    }
    *out = g;
    return 0;
}

/* FOLDER/name, where FOLDER is that of the header; NULL: no memory. */
static char *path_beside(const nod_encoded *in, const char *name)
{
    char *folder = nod_path_dir(in->path), *path = folder ? nod_path_join(folder, name) : NULL;
    nod_free(folder);
    return path;
}

bool nod_encoded_is_beside(const nod_encoded *in, const char *name)
{
    char *path = in->path ? path_beside(in, name) : NULL;
    bool is = path != NULL && nod_path_is_file(path);
    nod_free(path);
    return is;
}

int nod_encoded_read_beside(const nod_encoded *in, const char *name, nod_bytes *out,
                            nod_error *err)
{
    if (in->path == NULL)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: its voxels are in a file of their own, which bytes in memory do "
                        "not have beside them",
                        in->name);
    if (strncmp(name, "./", 2) == 0) name += 2;
    if (strchr(name, '/') != NULL || *name == '\0' || strcmp(name, "..") == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: its voxels are said to be in a file elsewhere; they must lie in "
                        "the same folder as the header",
                        in->name);
    char *path = path_beside(in, name);
    int rc = path ? nod_file_read(path, NOD_IMAGE_MAX_FILE_BYTES, out, err)
                  : nod_fail_memory(err, "a path", strlen(in->path));
    if (rc && path) { /* a name out of a header; the first one is the caller's to take out */
        char shown[24];
        const char *ending = strrchr(name, '.');
        snprintf(shown, sizeof shown, "*%.16s", ending ? ending : "");
        nod_error_hide(err, path, shown);
    }
    if (rc && rc != NOD_ENOMEM) nod_error_prefix(err, "%s: its voxels", in->name);
    nod_free(path);
    return rc;
}
