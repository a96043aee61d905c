/* nrrd.c: NRRD, raw or gzip. Source: "Definition of NRRD File Format" (teem.sourceforge.net), and
 * what ITK 5.4 writes.
 *
 * Three axes at most lie in space; one before them holds components, one after them frames. The
 * world is what `space` names: LPS, RAS or LAS. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "imaging/itk/fields.h"
#include "imaging/itk/itk.h"

#define DIMS_MAX  5
#define WORLD_MAX 4 /* numbers of a direction: three in space, one of time */

static bool is_nrrd(const uint8_t *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "NRRD000", 7) == 0;
}

typedef struct header {
    nod_fields fields;
    int n_dims, n_world;
    int64_t sizes[DIMS_MAX];
    bool in_space[DIMS_MAX];
    bool has_directions;
    double directions[DIMS_MAX][WORLD_MAX];
    int first; /* of the axes in space */
    int n_space;
    nod_stored_grid grid;
    nod_fields_data data;
} header;

static int fail_field(const nod_encoded *in, const char *key, const char *value, int code,
                      const char *why, nod_error *err)
{
    int rc = nod_fail(err, code, "%s: '%s: %.60s' %s", in->name, key, value ? value : "", why);
    nod_text_tidy(err->message);
    return rc;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static int read_type(const nod_encoded *in, header *h, nod_error *err)
{
    static const struct {
        nod_stored type;
        const char *names;
    } types[] = {
        {NOD_STORED_I8, "|signed char|int8|int8_t|"},
        {NOD_STORED_U8, "|uchar|unsigned char|uint8|uint8_t|"},
        {NOD_STORED_I16, "|short|short int|signed short|signed short int|int16|int16_t|"},
        {NOD_STORED_U16, "|ushort|unsigned short|unsigned short int|uint16|uint16_t|"},
        {NOD_STORED_I32, "|int|signed int|int32|int32_t|"},
        {NOD_STORED_U32, "|uint|unsigned int|uint32|uint32_t|"},
        {NOD_STORED_I64, "|longlong|long long|long long int|signed long long|signed long long "
                         "int|int64|int64_t|"},
        {NOD_STORED_U64,
         "|ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t|"},
        {NOD_STORED_F32, "|float|"},
        {NOD_STORED_F64, "|double|"}};
    const char *value = nod_fields_get(&h->fields, "type");
    char wanted[48];
    snprintf(wanted, sizeof wanted, "|%.44s|", value ? value : "");
    for (size_t i = 0; value && i < NOD_COUNT(types); i++)
        if (strcasestr(types[i].names, wanted)) {
            h->grid.type = types[i].type;
            return 0;
        }
    return fail_field(in, "type", value, NOD_EUNSUPPORTED, "is not read", err);
}

static int read_encoding(const nod_encoded *in, header *h, nod_error *err)
{
    const nod_fields *f = &h->fields;
    const char *encoding = nod_fields_get(f, "encoding"), *endian = nod_fields_get(f, "endian");
    const char *file = nod_fields_get(f, "data file");
    if (encoding == NULL) return fail_field(in, "encoding", "", NOD_EFORMAT, "is missing", err);
    h->data.packed = nod_equal_nocase(encoding, "gzip") || nod_equal_nocase(encoding, "gz");
    if (!h->data.packed && !nod_equal_nocase(encoding, "raw"))
        return fail_field(in, "encoding", encoding, NOD_EUNSUPPORTED,
                          "is not read; save it as raw or gzip", err);
    if (nod_stored_size(h->grid.type) > 1) {
        h->grid.big_endian = endian && nod_equal_nocase(endian, "big");
        if (endian == NULL || (!h->grid.big_endian && !nod_equal_nocase(endian, "little")))
            return fail_field(in, "endian", endian, NOD_EFORMAT, "must be little or big", err);
    }
    if (file == NULL) file = nod_fields_get(f, "datafile");
    if (file && (strncmp(file, "LIST", 4) == 0 || strchr(file, '%') || strchr(file, ' ')))
        return fail_field(in, "data file", file, NOD_EUNSUPPORTED,
                          "is a list of files, which is not read; save it as one", err);
    h->data.file = file;
    int64_t low = h->data.packed ? 0 : -1;
    const char *skip = nod_fields_get(f, "byteskip") ? "byteskip" : "byte skip";
    const char *lines = nod_fields_get(f, "lineskip") ? "lineskip" : "line skip";
    int rc = nod_fields_whole(f, in, skip, low, (int64_t)1 << 40, 0, &h->data.skip, err);
    if (rc == 0)
        rc = nod_fields_whole(f, in, lines, 0, (int64_t)1 << 20, 0, &h->data.skip_lines, err);
    return rc;
}

/* --- axes ------------------------------------------------------------------------------------- */

/* "(a,b,c)" at *text into out; *text goes behind it. false: it is none of n finite numbers. */
static bool read_vector(const char **text, int n, double *out)
{
    char number[48];
    const char *p = *text;
    if (*p++ != '(') return false;
    for (int i = 0; i < n; i++) {
        p += strspn(p, " \t");
        size_t len = strcspn(p, ",) \t");
        if (len == 0 || len >= sizeof number) return false;
        memcpy(number, p, len);
        number[len] = '\0';
        if (!nod_parse_f64(number, &out[i])) return false;
        p += len;
        p += strspn(p, " \t");
        if (*p++ != (i + 1 < n ? ',' : ')')) return false;
    }
    *text = p;
    return true;
}

static int read_space_directions(const nod_encoded *in, header *h, nod_error *err)
{
    const char *value = nod_fields_get(&h->fields, "space directions"), *p = value;
    if (value == NULL) return 0;
    if (h->n_world == 0)
        return fail_field(in, "space directions", value, NOD_EFORMAT,
                          "without 'space' or 'space dimension'", err);
    for (int a = 0; a < h->n_dims; a++) {
        p += strspn(p, " \t");
        h->in_space[a] = strncmp(p, "none", 4) != 0;
        if (!h->in_space[a])
            p += 4;
        else if (!read_vector(&p, h->n_world, h->directions[a]))
            return fail_field(in, "space directions", value, NOD_EFORMAT,
                              "is not 'none' or (numbers) for each axis", err);
    }
    h->has_directions = true;
    return 0;
}

/* By their kinds where there are no directions: list, vector, time ... are not in space. */
static void read_kinds(header *h)
{
    const char *value = nod_fields_get(&h->fields, "kinds"), *p = value ? value : "";
    for (int a = 0; a < h->n_dims; a++) {
        p += strspn(p, " \t");
        size_t n = strcspn(p, " \t");
        h->in_space[a] = n == 0 || strncmp(p, "domain", 6) == 0 ||
                         strncmp(p, "space", 5) == 0 || strncmp(p, "???", 3) == 0 ||
                         strncmp(p, "none", 4) == 0;
        p += n;
    }
}

static int read_space(const nod_encoded *in, header *h, nod_error *err)
{
    const char *space = nod_fields_get(&h->fields, "space");
    int64_t n = 0;
    if (space) {
        size_t len = strlen(space);
        bool timed = len == 4 || nod_has_suffix_nocase(space, "-time");
        h->n_world = timed ? 4 : 3;
        return 0;
    }
    int rc = nod_fields_whole(&h->fields, in, "space dimension", 1, WORLD_MAX, 0, &n, err);
    if (rc == 0) h->n_world = (int)n;
    return rc;
}

/* Finds components, i, j, k and frames among the axes. */
static int read_axes(const nod_encoded *in, header *h, nod_error *err)
{
    int64_t n_dims;
    int rc = nod_fields_whole(&h->fields, in, "dimension", 1, DIMS_MAX, 0, &n_dims, err);
    if (rc) return rc;
    if (n_dims == 0) return fail_field(in, "dimension", "", NOD_EFORMAT, "is missing", err);
    h->n_dims = (int)n_dims;
    rc = nod_fields_sizes(&h->fields, in, "sizes", h->n_dims, h->sizes, err);
    if (rc == 0) rc = read_space(in, h, err);
    if (rc == 0) rc = read_space_directions(in, h, err);
    if (rc) return rc;
    if (!h->has_directions) read_kinds(h);
    int first = 0, last = h->n_dims;
    if (!h->in_space[0]) first++;
    if (last > first && !h->in_space[last - 1]) last--;
    if (last - first == 4) last--; /* a fourth axis in space is that of frames */
    int n_space = last - first;
    bool inside = true;
    for (int a = first; a < last; a++)
        inside = inside && h->in_space[a];
    if (n_space < 1 || n_space > 3 || !inside || h->n_dims - last > 1)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: %d axes of which up to three must lie in space, after at most one "
                        "of components and before at most one of frames",
                        in->name, h->n_dims);
    h->first = first;
    h->n_space = n_space;
    h->grid.components = first == 1 ? h->sizes[0] : 1;
    h->grid.frames = last < h->n_dims ? h->sizes[last] : 1;
    for (int a = 0; a < 3; a++)
        h->grid.size[a] = a < n_space ? h->sizes[first + a] : 1;
    return 0;
}

/* --- place ------------------------------------------------------------------------------------ */

/* What turns the named world's x and y into LPS; false: a world that says nothing of the patient. */
static bool world_signs(const char *space, double sign[3])
{
    static const struct {
        const char *names;
        double x, y;
    } worlds[] = {{"|left-posterior-superior|lps|left-posterior-superior-time|lpst|", 1, 1},
                  {"|right-anterior-superior|ras|right-anterior-superior-time|rast|", -1, -1},
                  {"|left-anterior-superior|las|left-anterior-superior-time|last|", 1, -1}};
    char wanted[48];
    snprintf(wanted, sizeof wanted, "|%.44s|", space ? space : "");
    for (size_t i = 0; space && i < NOD_COUNT(worlds); i++)
        if (strcasestr(worlds[i].names, wanted)) {
            sign[0] = worlds[i].x;
            sign[1] = worlds[i].y;
            sign[2] = 1;
            return true;
        }
    return false;
}

/* Millimetres of one unit, by the first of `space units`. */
static int read_unit(const nod_encoded *in, const header *h, double *mm, nod_error *err)
{
    static const struct {
        const char *name;
        double mm;
    } units[] = {{"\"mm\"", 1},    {"\"millimeter\"", 1}, {"\"cm\"", 10}, {"\"m\"", 1000},
                 {"\"um\"", 1e-3}, {"\"micron\"", 1e-3},  {"\"\"", 1}};
    const char *value = nod_fields_get(&h->fields, "space units");
    *mm = 1;
    for (size_t i = 0; value && i < NOD_COUNT(units); i++)
        if (strncmp(value, units[i].name, strlen(units[i].name)) == 0) {
            *mm = units[i].mm;
            return 0;
        }
    return value ? fail_field(in, "space units", value, NOD_EUNSUPPORTED,
                              "begins with a unit that is not known", err)
                 : 0;
}

/* Lengths of directions, or `spacings`, where "nan" stands for an axis that has none. */
static bool find_spacing(const header *h, double mm, double out[3])
{
    const char *p = nod_fields_get(&h->fields, "spacings");
    char number[48];
    for (int a = 0; a < h->first + h->n_space; a++) {
        double v = 0;
        if (h->has_directions) {
            for (int r = 0; r < h->n_world; r++)
                v += h->directions[a][r] * h->directions[a][r];
            v = sqrt(v);
        } else {
            if (p == NULL) return false;
            p += strspn(p, " \t");
            size_t n = strcspn(p, " \t");
            if (n >= sizeof number) return false;
            memcpy(number, p, n);
            number[n] = '\0';
            p += n;
            if (!nod_parse_f64(number, &v)) v = NAN;
        }
        if (a >= h->first) out[a - h->first] = v * mm;
    }
    return true;
}

static int place_by_spacing(const nod_encoded *in, const header *h, double mm, nod_geometry *g,
                            nod_error *err)
{
    double spacing[3] = {1, 1, 1};
    if (!find_spacing(h, mm, spacing)) return 0;
    for (int a = 0; a < 3; a++)
        if (!(spacing[a] > 0) || !isfinite(spacing[a]))
            return nod_encoded_judge(in, err, NOD_FINDING_BAD_SPACING, "%g x %g x %g mm",
                                     spacing[0], spacing[1], spacing[2]);
    g->space = NOD_SPACE_SPACING;
    memcpy(g->spacing_mm, spacing, sizeof spacing);
    if (h->n_space < 3) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_NO_ORIENTATION,
                             "no space of LPS, RAS or LAS with directions and origin");
}

static int read_place(const nod_encoded *in, const header *h, nod_geometry *g, nod_error *err)
{
    const char *origin_text = nod_fields_get(&h->fields, "space origin");
    double sign[3], origin[WORLD_MAX], affine[4][4] = {{0}}, mm;
    int rc = read_unit(in, h, &mm, err);
    if (rc) return rc;
    bool patient = world_signs(nod_fields_get(&h->fields, "space"), sign);
    if (!patient || !h->has_directions || h->n_space != 3 || origin_text == NULL)
        return place_by_spacing(in, h, mm, g, err);
    const char *p = origin_text;
    if (!read_vector(&p, h->n_world, origin))
        return fail_field(in, "space origin", origin_text, NOD_EFORMAT, "is not (numbers)",
                          err);
    for (int r = 0; r < 3; r++) {
        for (int a = 0; a < 3; a++)
            affine[r][a] = sign[r] * h->directions[h->first + a][r] * mm;
        affine[r][3] = sign[r] * origin[r] * mm;
    }
    affine[3][3] = 1;
    return nod_encoded_place(in, (const double(*)[4])affine, NOD_WORLD_LPS, h->grid.size,
                             "space directions", g, err);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_nrrd(const nod_encoded *in, nod_image *out, nod_error *err)
{
    header h = {.grid = {.slope = 1}};
    nod_fields_voxels v = {0};
    nod_image im = {0};
    size_t n = 0;
    int rc = nod_fields_read_paragraph(in, &h.fields, err);
    if (rc) return rc;
    NOD_TRY(read_type(in, &h, err));
    NOD_TRY(read_axes(in, &h, err));
    NOD_TRY(read_encoding(in, &h, err));
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

static const char *const endings[] = {".nrrd", ".nhdr", NULL};
const nod_image_format nod_nrrd_format = {
    .name = "NRRD", .endings = endings, .is = is_nrrd, .read = read_nrrd};
