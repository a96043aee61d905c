/* mha.c: MetaImage. Sources: the MetaIO documentation of ITK and what ITK 5.4 writes.
 *
 * World coordinates are LPS millimetres. Row a of TransformMatrix is the direction of axis a. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "imaging/itk/fields.h"
#include "imaging/itk/itk.h"

#define LAST_KEY     "ElementDataFile"
#define DIMS_MAX     4
#define CHANNELS_MAX 4096

static bool is_mha(const uint8_t *bytes, size_t size)
{
    static const char *const first[] = {"ObjectType", "NDims"};
    for (size_t i = 0; i < NOD_COUNT(first); i++) {
        size_t n = strlen(first[i]);
        if (size > n && memcmp(bytes, first[i], n) == 0 && (bytes[n] == ' ' || bytes[n] == '='))
            return true;
    }
    return false;
}

typedef struct header {
    nod_fields fields;
    int n_dims;
    nod_stored_grid grid;
    nod_fields_data data;
} header;

/* The first of several names of a field that is there. */
static const char *first_key(const nod_fields *f, const char *const *keys)
{
    for (; *keys; keys++)
        if (nod_fields_get(f, *keys)) return *keys;
    return NULL;
}

static int read_flag(const nod_fields *f, const nod_encoded *in, const char *key, bool *out,
                     nod_error *err)
{
    const char *value = nod_fields_get(f, key);
    if (value == NULL) return 0;
    *out = *value == 'T' || *value == 't' || *value == '1';
    if (*out || *value == 'F' || *value == 'f' || *value == '0') return 0;
    return nod_fail(err, NOD_EFORMAT, "%s: '%s' is neither True nor False", in->name, key);
}

static int read_type(const nod_encoded *in, header *h, nod_error *err)
{
    static const struct {
        const char *name;
        nod_stored type;
    } types[] = {{"MET_UCHAR", NOD_STORED_U8},       {"MET_CHAR", NOD_STORED_I8},
                 {"MET_USHORT", NOD_STORED_U16},     {"MET_SHORT", NOD_STORED_I16},
                 {"MET_UINT", NOD_STORED_U32},       {"MET_INT", NOD_STORED_I32},
                 {"MET_ULONG", NOD_STORED_U32},      {"MET_LONG", NOD_STORED_I32},
                 {"MET_ULONG_LONG", NOD_STORED_U64}, {"MET_LONG_LONG", NOD_STORED_I64},
                 {"MET_FLOAT", NOD_STORED_F32},      {"MET_DOUBLE", NOD_STORED_F64}};
    const char *value = nod_fields_get(&h->fields, "ElementType");
    for (size_t i = 0; value && i < NOD_COUNT(types); i++) {
        size_t n = strlen(types[i].name);
        if (strncmp(value, types[i].name, n) != 0) continue;
        if (value[n] != '\0' && strcmp(value + n, "_ARRAY") != 0) continue;
        h->grid.type = types[i].type;
        return 0;
    }
    int rc = nod_fail(err, NOD_EUNSUPPORTED, "%s: ElementType '%.40s' is not read", in->name,
                      value ? value : "");
    nod_text_tidy(err->message);
    return rc;
}

static int read_grid(const nod_encoded *in, header *h, nod_error *err)
{
    const nod_fields *f = &h->fields;
    int64_t n_dims, size[DIMS_MAX];
    double scale[2] = {1, 0};
    int rc = nod_fields_whole(f, in, "NDims", 2, DIMS_MAX, 0, &n_dims, err);
    if (rc) return rc;
    if (n_dims == 0)
        return nod_fail(err, NOD_EFORMAT, "%s: its header lacks 'NDims'", in->name);
    h->n_dims = (int)n_dims;
    rc = nod_fields_sizes(f, in, "DimSize", h->n_dims, size, err);
    if (rc == 0) rc = read_type(in, h, err);
    if (rc == 0)
        rc = nod_fields_whole(f, in, "ElementNumberOfChannels", 1, CHANNELS_MAX, 1,
                              &h->grid.components, err);
    static const char *const scales[] = {"ElementToIntensityFunctionSlope",
                                         "ElementToIntensityFunctionOffset"};
    for (int i = 0; i < 2 && rc == 0; i++)
        if (nod_fields_get(f, scales[i]))
            rc = nod_fields_numbers(f, in, scales[i], 1, &scale[i], err);
    if (rc) return rc;
    for (int a = 0; a < 3; a++)
        h->grid.size[a] = a < h->n_dims ? size[a] : 1;
    h->grid.frames = h->n_dims == 4 ? size[3] : 1;
    h->grid.slope = scale[0];
    h->grid.intercept = scale[1];
    return 0;
}

static int read_form(const nod_encoded *in, header *h, nod_error *err)
{
    const nod_fields *f = &h->fields;
    const char *type = nod_fields_get(f, "ObjectType"), *file = nod_fields_get(f, LAST_KEY);
    bool binary = true;
    int rc = read_flag(f, in, "BinaryData", &binary, err);
    if (rc == 0) rc = read_flag(f, in, "ElementByteOrderMSB", &h->grid.big_endian, err);
    if (rc == 0) rc = read_flag(f, in, "BinaryDataByteOrderMSB", &h->grid.big_endian, err);
    if (rc == 0) rc = read_flag(f, in, "CompressedData", &h->data.packed, err);
    if (rc == 0)
        rc = nod_fields_whole(f, in, "HeaderSize", -1, (int64_t)1 << 40, 0, &h->data.skip, err);
    if (rc) return rc;
    if (type && strcmp(type, "Image") != 0)
        return nod_fail(err, NOD_EUNSUPPORTED, "%s: a MetaIO object, but not an image",
                        in->name);
    if (!binary)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: voxels as text are not read; save them as binary data", in->name);
    if (strncmp(file, "LIST", 4) == 0 || strchr(file, '%') != NULL || strchr(file, ' ') != NULL)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: voxels in a list of files are not read; save them as one",
                        in->name);
    if (strcmp(file, "LOCAL") != 0 && strcmp(file, "Local") != 0 && strcmp(file, "local") != 0)
        h->data.file = file;
    return 0;
}

/* --- place ------------------------------------------------------------------------------------ */

/* Letters name the side that an axis comes from: "RAI" runs to the left, back and head. */
static bool from_letters(const char *letters, double direction[3][3])
{
    static const char *const sides[3] = {"LR", "PA", "SI"}; /* from: down, up in LPS */
    int seen = 0;
    if (letters == NULL || strlen(letters) != 3) return false;
    memset(direction, 0, 9 * sizeof(double));
    for (int a = 0; a < 3; a++)
        for (int w = 0; w < 3; w++)
            for (int up = 0; up < 2; up++)
                if (letters[a] == sides[w][up]) {
                    direction[a][w] = up ? 1 : -1;
                    seen |= 1 << w;
                }
    return seen == 7;
}

static int read_directions(const nod_encoded *in, const header *h, bool *known,
                           double direction[3][3], nod_error *err)
{
    static const char *const keys[] = {"TransformMatrix", "Rotation", "Orientation", NULL};
    const char *key = first_key(&h->fields, keys);
    double all[DIMS_MAX * DIMS_MAX];
    *known = true;
    if (key == NULL) {
        *known = from_letters(nod_fields_get(&h->fields, "AnatomicalOrientation"), direction);
        return 0;
    }
    int rc = nod_fields_numbers(&h->fields, in, key, h->n_dims * h->n_dims, all, err);
    for (int a = 0; rc == 0 && a < 3; a++)
        for (int r = 0; r < 3 && h->n_dims >= 3; r++)
            direction[a][r] = all[a * h->n_dims + r];
    return rc;
}

static int read_place(const nod_encoded *in, const header *h, nod_geometry *out, nod_error *err)
{
    static const char *const spacings[] = {"ElementSpacing", "ElementSize", NULL};
    static const char *const origins[] = {"Offset", "Origin", "Position", NULL};
    const char *spacing_key = first_key(&h->fields, spacings);
    const char *origin_key = first_key(&h->fields, origins);
    const int64_t *size = h->grid.size;
    nod_geometry g = nod_geometry_unknown(size[0], size[1], size[2]);
    double spacing[DIMS_MAX] = {1, 1, 1, 1}, origin[DIMS_MAX] = {0}, direction[3][3];
    double affine[4][4] = {{0}};
    bool known;
    int rc = read_directions(in, h, &known, direction, err);
    if (rc == 0 && spacing_key)
        rc = nod_fields_numbers(&h->fields, in, spacing_key, h->n_dims, spacing, err);
    if (rc == 0 && origin_key)
        rc = nod_fields_numbers(&h->fields, in, origin_key, h->n_dims, origin, err);
    if (rc) return rc;
    for (int a = 0; a < 3; a++)
        if (!(spacing[a] > 0))
            return nod_encoded_judge(in, err, NOD_FINDING_BAD_SPACING, "%s is %g x %g x %g",
                                     spacing_key, spacing[0], spacing[1], spacing[2]);
    if (known && h->n_dims >= 3) {
        for (int r = 0; r < 3; r++) {
            for (int a = 0; a < 3; a++)
                affine[r][a] = direction[a][r] * spacing[a];
            affine[r][3] = origin[r];
        }
        affine[3][3] = 1;
        return nod_encoded_place(in, (const double(*)[4])affine, NOD_WORLD_LPS, size,
                                 "TransformMatrix", out, err);
    }
    if (spacing_key == NULL) return 0;
    g.space = NOD_SPACE_SPACING;
    memcpy(g.spacing_mm, spacing, sizeof g.spacing_mm);
    *out = g;
    if (h->n_dims < 3) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_NO_ORIENTATION,
                             "neither TransformMatrix nor AnatomicalOrientation");
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_mha(const nod_encoded *in, nod_image *out, nod_error *err)
{
    header h = {0};
    nod_fields_voxels v = {0};
    nod_image im = {0};
    size_t n = 0;
    int rc = nod_fields_read_until(in, LAST_KEY, &h.fields, err);
    if (rc) return rc;
    NOD_TRY(read_grid(in, &h, err));
    NOD_TRY(read_form(in, &h, err));
    NOD_TRY(nod_stored_bytes(&h.grid, in->name, &n, err));
    nod_geometry g = nod_geometry_unknown(h.grid.size[0], h.grid.size[1], h.grid.size[2]);
    NOD_TRY(read_place(in, &h, &g, err));
    NOD_TRY(nod_fields_find_voxels(&h.fields, in, &h.data, n, &v, err));
    NOD_TRY(nod_stored_read(in, &h.grid, v.bytes, &im, err));
    im.geometry = g;
    *out = im;
out:
    nod_fields_voxels_done(&v);
    nod_fields_done(&h.fields);
    return rc;
}

static const char *const endings[] = {".mha", ".mhd", NULL};
const nod_image_format nod_mha_format = {
    .name = "MetaImage", .endings = endings, .is = is_mha, .read = read_mha};
