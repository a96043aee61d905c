/* fields.c: lines of a text header, and the bytes of voxels that it describes. */
#include "imaging/itk/fields.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "imaging/gzip.h"

/* --- lines ------------------------------------------------------------------------------------ */

void nod_fields_done(nod_fields *f)
{
    nod_free(f->text);
    *f = (nod_fields){0};
}

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    char *end = s + strlen(s);
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = '\0';
    return s;
}

/* Header text as a string that lines can be cut out of. */
static int copy_text(const nod_encoded *in, nod_fields *f, nod_error *err)
{
    size_t n = NOD_MIN(in->size, NOD_FIELDS_MAX_BYTES);
    f->text = nod_strndup((const char *)in->bytes, n);
    return f->text ? 0 : nod_fail_memory(err, "a header", n);
}

/* The line at *at, without its end; *at goes behind it. NULL: none that ends. */
static char *next_line(nod_fields *f, size_t *at)
{
    char *line = f->text + *at, *end = strchr(line, '\n');
    if (end == NULL) return NULL;
    *end = '\0';
    *at += (size_t)(end - line) + 1;
    return line;
}

static int add(nod_fields *f, const nod_encoded *in, char *key, char *value, nod_error *err)
{
    if (f->n == NOD_FIELDS_MAX)
        return nod_fail(err, NOD_ELIMIT, "%s: its header has more than %d lines", in->name,
                        NOD_FIELDS_MAX);
    f->items[f->n].key = trim(key);
    f->items[f->n++].value = trim(value);
    return 0;
}

int nod_fields_read_until(const nod_encoded *in, const char *last, nod_fields *out,
                          nod_error *err)
{
    nod_fields f = {0};
    size_t at = 0, n_line = 0;
    int rc = copy_text(in, &f, err);
    while (rc == 0) {
        char *line = next_line(&f, &at), *equals = line ? strchr(line, '=') : NULL;
        n_line++;
        if (line == NULL) {
            rc = nod_fail(err, NOD_EFORMAT, "%s: its header has no line '%s': cut off",
                          in->name, last);
        } else if (equals == NULL) {
            if (*trim(line) != '\0')
                rc = nod_fail(err, NOD_EFORMAT, "%s: line %zu of its header has no '='",
                              in->name, n_line);
        } else {
            *equals = '\0';
            rc = add(&f, in, line, equals + 1, err);
            if (rc == 0 && strcmp(f.items[f.n - 1].key, last) == 0) break;
        }
    }
    f.n_header = at;
    if (rc == 0) *out = f;
    if (rc) nod_fields_done(&f);
    return rc;
}

int nod_fields_read_paragraph(const nod_encoded *in, nod_fields *out, nod_error *err)
{
    nod_fields f = {0};
    size_t at = 0, i_line = 1;
    int rc = copy_text(in, &f, err);
    char *line = rc ? NULL : next_line(&f, &at);
    while (rc == 0 && line != NULL) {
        line = next_line(&f, &at);
        i_line++;
        if (line == NULL || *trim(line) == '\0') break;
        char *colon = strchr(line, ':');
        if (*line == '#' || (colon && colon[1] == '=')) continue;
        if (colon == NULL) {
            rc = nod_fail(err, NOD_EFORMAT, "%s: line %zu of its header has no ':'", in->name,
                          i_line);
        } else {
            *colon = '\0';
            rc = add(&f, in, line, colon + 1, err);
        }
    }
    f.n_header = at;
    if (rc == 0) *out = f;
    if (rc) nod_fields_done(&f);
    return rc;
}

/* --- values ----------------------------------------------------------------------------------- */

const char *nod_fields_get(const nod_fields *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (nod_equal_nocase(f->items[i].key, key)) return f->items[i].value;
    return NULL;
}

static int fail_value(const nod_encoded *in, const char *key, const char *value,
                      const char *want, nod_error *err)
{
    if (value == NULL)
        return nod_fail(err, NOD_EFORMAT, "%s: its header lacks '%s'", in->name, key);
    int rc = nod_fail(err, NOD_EFORMAT, "%s: '%s' is '%.60s'; wanted: %s", in->name, key, value,
                      want);
    nod_text_tidy(err->message);
    return rc;
}

/* Word i of a value into `out`; false: there is none, or it is too long. */
static bool word(const char *value, int i, char out[48])
{
    for (;; i--) {
        value += strspn(value, " \t");
        size_t n = strcspn(value, " \t");
        if (n == 0 || n >= 48) return false;
        if (i == 0) {
            memcpy(out, value, n);
            out[n] = '\0';
            return true;
        }
        value += n;
    }
}

int nod_fields_numbers(const nod_fields *f, const nod_encoded *in, const char *key, int n,
                       double *out, nod_error *err)
{
    const char *value = nod_fields_get(f, key);
    char text[48];
    for (int i = 0; value && i < n; i++)
        if (!word(value, i, text) || !nod_parse_f64(text, &out[i]))
            return fail_value(in, key, value, "a number for each axis", err);
    if (value == NULL || word(value, n, text))
        return fail_value(in, key, value, "a number for each axis and no more", err);
    return 0;
}

int nod_fields_sizes(const nod_fields *f, const nod_encoded *in, const char *key, int n,
                     int64_t *out, nod_error *err)
{
    const char *value = nod_fields_get(f, key);
    char text[48];
    for (int i = 0; value && i < n; i++)
        if (!word(value, i, text) || !nod_parse_i64(text, &out[i]) || out[i] < 1)
            return fail_value(in, key, value, "a size of at least 1 for each axis", err);
    if (value == NULL || word(value, n, text))
        return fail_value(in, key, value, "a size for each axis and no more", err);
    return 0;
}

int nod_fields_whole(const nod_fields *f, const nod_encoded *in, const char *key, int64_t low,
                     int64_t high, int64_t preset, int64_t *out, nod_error *err)
{
    const char *value = nod_fields_get(f, key);
    int64_t v = preset;
    if (value && (!nod_parse_i64(value, &v) || v < low || v > high))
        return fail_value(in, key, value, "a whole number in its range", err);
    *out = v;
    return 0;
}

/* --- voxels ----------------------------------------------------------------------------------- */

void nod_fields_voxels_done(nod_fields_voxels *v)
{
    nod_bytes_done(&v->file);
    nod_bytes_done(&v->unpacked);
}

static int skip_lines(const nod_encoded *in, int64_t n, const uint8_t **bytes, size_t *size,
                      nod_error *err)
{
    for (; n > 0; n--) {
        const uint8_t *end = *size ? memchr(*bytes, '\n', *size) : NULL;
        if (end == NULL)
            return nod_fail(err, NOD_EFORMAT, "%s: fewer lines before the voxels than said",
                            in->name);
        *size -= (size_t)(end + 1 - *bytes);
        *bytes = end + 1;
    }
    return 0;
}

int nod_fields_find_voxels(const nod_fields *f, const nod_encoded *in, const nod_fields_data *d,
                           size_t n, nod_fields_voxels *out, nod_error *err)
{
    nod_fields_voxels v = {0};
    size_t size = in->size - f->n_header, n_rest = 0;
    size_t skip = d->skip > 0 ? (size_t)d->skip : 0, need;
    int rc = 0;
    v.bytes = in->bytes + f->n_header;
    if (d->file) {
        NOD_TRY(nod_encoded_read_beside(in, d->file, &v.file, err));
        v.bytes = v.file.data;
        size = v.file.size;
    }
    NOD_TRY(skip_lines(in, d->skip_lines, &v.bytes, &size, err));
    if (!nod_size_add(n, skip, &need)) need = SIZE_MAX;
    if (d->packed) {
        NOD_TRY(nod_gzip_unpack(v.bytes, size, need, in->name, &v.unpacked, &n_rest, err));
        v.bytes = v.unpacked.data;
        size = v.unpacked.size;
    }
    if (size < need) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: voxels need %zu bytes, %zu are there: cut off",
                      in->name, n, size > skip ? size - skip : 0);
        goto out;
    }
    n_rest += size - need;
    if (d->skip < 0) {
        v.bytes += size - n;
    } else {
        v.bytes += skip;
        if (n_rest > 0)
            NOD_TRY(nod_encoded_judge(in, err, NOD_FINDING_TRAILING_BYTES,
                                      "%zu bytes behind the voxels", n_rest));
    }
    *out = v;
    return 0;
out:
    nod_fields_voxels_done(&v);
    return rc;
}
