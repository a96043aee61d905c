/* safetensors.c: reader and writer of the safetensors format; see safetensors.h. */
#include "model/safetensors.h"

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

static const struct {
    const char *name;
    nod_dtype dtype;
} dtypes[] = {{"F32", NOD_DTYPE_F32}, {"F64", NOD_DTYPE_F64}, {"BF16", NOD_DTYPE_BF16},
              {"U8", NOD_DTYPE_U8},   {"I8", NOD_DTYPE_I8},   {"U16", NOD_DTYPE_U16},
              {"I16", NOD_DTYPE_I16}, {"U32", NOD_DTYPE_U32}, {"I32", NOD_DTYPE_I32},
              {"U64", NOD_DTYPE_U64}, {"I64", NOD_DTYPE_I64}, {"BOOL", NOD_DTYPE_BOOL}};

static const char *dtype_text(nod_dtype t)
{
    for (size_t i = 0; i < NOD_COUNT(dtypes); i++)
        if (dtypes[i].dtype == t) return dtypes[i].name;
    NOD_ASSERT(!"a dtype of the table");
}

/* --- reading ------------------------------------------------------------------------------ */

static int parse_shape(const nod_json *j, const char *file, const char *name, nod_shape *out,
                       nod_error *err)
{
    nod_shape s = {0};
    if (!nod_json_is_array(j) || nod_json_count(j) > NOD_RANK_MAX)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: tensor '%s': shape is not a list of at most %d sizes", file, name,
                        NOD_RANK_MAX);
    s.rank = (int)nod_json_count(j);
    for (int i = 0; i < s.rank; i++) {
        const nod_json *d = nod_json_at(j, (size_t)i);
        if (!nod_json_is_int(d) || nod_json_i64(d) < 0)
            return nod_fail(err, NOD_EFORMAT,
                            "%s: tensor '%s': size %d is not a whole number >= 0", file, name,
                            i);
        s.dim[i] = nod_json_i64(d);
    }
    *out = s;
    return 0;
}

static int parse_dtype(const nod_json *j, const char *file, const char *name, nod_dtype *out,
                       nod_error *err)
{
    for (size_t i = 0; i < NOD_COUNT(dtypes); i++)
        if (strcmp(nod_json_str(j), dtypes[i].name) == 0) {
            *out = dtypes[i].dtype;
            return 0;
        }
    return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s': dtype '%s' is not known", file, name,
                    nod_json_str(j));
}

/* One entry of the header. Slices must follow each other without gap from `*end`. */
static int parse_entry(const nod_json *e, const char *file, const char *name, uint8_t *data,
                       size_t data_size, size_t *end, nod_tensor *out, nod_error *err)
{
    nod_dtype dtype = NOD_DTYPE_F32;
    nod_shape shape;
    size_t bytes;
    const nod_json *offsets = nod_json_get(e, "data_offsets");
    int rc = parse_dtype(nod_json_get(e, "dtype"), file, name, &dtype, err);
    if (rc) return rc;
    rc = parse_shape(nod_json_get(e, "shape"), file, name, &shape, err);
    if (rc) return rc;
    if (!nod_json_is_array(offsets) || nod_json_count(offsets) != 2 ||
        !nod_json_is_int(nod_json_at(offsets, 0)) || !nod_json_is_int(nod_json_at(offsets, 1)))
        return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s': data_offsets is not [begin, end]",
                        file, name);
    int64_t from = nod_json_i64(nod_json_at(offsets, 0)),
            to = nod_json_i64(nod_json_at(offsets, 1));
    if (!nod_shape_bytes(&shape, dtype, &bytes) || from < 0 || to < from ||
        (uint64_t)(to - from) != bytes)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: tensor '%s': offsets [%lld, %lld] do not fit its shape and dtype",
                        file, name, (long long)from, (long long)to);
    if ((uint64_t)to > data_size)
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: tensor '%s' ends at byte %lld of the data, which has %zu: the file is "
            "cut; take it from its source again",
            file, name, (long long)to, data_size);
    if ((size_t)from != *end)
        return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s' begins at %lld, expected %zu", file,
                        name, (long long)from, *end);
    *end = (size_t)to;
    *out = nod_tensor_view(data + from, dtype, &shape);
    return 0;
}

/* Where the 64 digits of the file's own hash stand in a header, NULL if nowhere. A quote inside a
 * JSON string is escaped, so nothing else reads like this key with a text behind it. */
static const char *find_digits(const char *header, size_t size)
{
    static const char key[] = "\"sha256\":\"";
    const char *at = memmem(header, size, key, sizeof key - 1);
    if (!at) return NULL;
    at += sizeof key - 1;
    size_t left = size - (size_t)(at - header);
    if (left < NOD_SHA256_HEX || at[NOD_SHA256_HEX - 1] != '"') return NULL;
    return at;
}

/* The hash over the 8 bytes of size and the header with its digits as zeros; data follow. */
static int begin_hash(const uint8_t prefix[8], const char *header, size_t size,
                      const char *digits, nod_sha256 **out, nod_error *err)
{
    char zeros[NOD_SHA256_HEX - 1];
    int rc = nod_sha256_new(out, err);
    if (rc) return rc;
    size_t before = (size_t)(digits - header), after = before + sizeof zeros;
    memset(zeros, '0', sizeof zeros);
    nod_sha256_add(*out, prefix, 8);
    nod_sha256_add(*out, header, before);
    nod_sha256_add(*out, zeros, sizeof zeros);
    nod_sha256_add(*out, header + after, size - after);
    return 0;
}

static int check_hash(const uint8_t *raw, size_t size, size_t header_size, const char *file,
                      bool *hashed, nod_error *err)
{
    const char *header = (const char *)raw + 8, *digits = find_digits(header, header_size);
    char got[NOD_SHA256_HEX];
    nod_sha256 *h = NULL;
    *hashed = digits != NULL;
    if (!digits) return 0;
    int rc = begin_hash(raw, header, header_size, digits, &h, err);
    if (rc) return rc;
    nod_sha256_add(h, raw + 8 + header_size, size - 8 - header_size);
    nod_sha256_hex(h, got);
    nod_sha256_free(h);
    if (memcmp(got, digits, sizeof got - 1) != 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: the file was changed or cut after writing: its SHA-256 is "
                        "%.12s..., the header "
                        "says %.12s...; take the file from its source again",
                        file, got, digits);
    return 0;
}

int nod_safetensors_need_hash(const nod_safetensors *s, const char *path, nod_error *err)
{
    if (s->hashed) return 0;
    return nod_fail(err, NOD_EFORMAT,
                    "%s: the header lacks the file's SHA-256, so the file was changed after "
                    "writing; take it from its source again",
                    path);
}

static int parse_header(nod_safetensors *s, nod_json *header, const char *file, uint8_t *data,
                        size_t data_size, nod_error *err)
{
    size_t n = nod_json_count(header), end = 0;
    if (!nod_json_is_object(header))
        return nod_fail(err, NOD_EFORMAT, "%s: the header is not a JSON object", file);
    s->names = nod_calloc(n + 1, sizeof *s->names);
    s->tensors = nod_calloc(n + 1, sizeof *s->tensors);
    if (!s->names || !s->tensors)
        return nod_fail_memory(err, "list of tensors", n * sizeof *s->tensors);
    for (const char *name = NULL; (name = nod_json_next_key(header, name)) != NULL;) {
        nod_json *e = nod_json_get(header, name);
        if (strcmp(name, "__metadata__") == 0) {
            nod_json *copy = NULL;
            if (!nod_json_is_object(e))
                return nod_fail(err, NOD_EFORMAT, "%s: __metadata__ is not an object", file);
            int rc = nod_json_copy(e, &copy, err);
            if (rc) return rc;
            nod_json_free(s->metadata);
            s->metadata = copy;
            continue;
        }
        int rc = parse_entry(e, file, name, data, data_size, &end, &s->tensors[s->n], err);
        if (rc) return rc;
        if (!(s->names[s->n] = nod_strdup(name))) return nod_fail_memory(err, "tensor name", 0);
        s->n++;
    }
    if (end != data_size)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu bytes of data belong to no tensor", file,
                        data_size - end);
    return 0;
}

int nod_safetensors_parse(const void *bytes, size_t size, const char *name,
                          nod_safetensors **out, nod_error *err)
{
    int rc = 0;
    uint64_t header_size = 0;
    const uint8_t *raw = bytes;
    nod_json *header = NULL;
    if (size < 8)
        return nod_fail(err, NOD_EFORMAT, "%s: %zu bytes are too few for a safetensors file",
                        name, size);
    for (int i = 7; i >= 0; i--)
        header_size = header_size << 8 | raw[i];
    if (header_size > NOD_SAFETENSORS_MAX_HEADER || header_size > size - 8)
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: the header claims %llu bytes, %zu are left: not a safetensors file, or "
            "cut",
            name, (unsigned long long)header_size, size - 8);
    nod_safetensors *s = nod_calloc(1, sizeof *s);
    if (!s) return nod_fail_memory(err, "safetensors", sizeof *s);
    size_t data_size = size - 8 - (size_t)header_size;
    s->metadata = nod_json_object();
    s->bytes = nod_aligned_calloc(NOD_MAX(data_size, 1));
    if (!s->bytes || !s->metadata) {
        rc = nod_fail_memory(err, "tensors of a file", data_size);
        goto out;
    }
    if (data_size) memcpy(s->bytes, raw + 8 + header_size, data_size);
    NOD_TRY(check_hash(raw, size, (size_t)header_size, name, &s->hashed, err));
    NOD_TRY(nod_json_parse((const char *)raw + 8, (size_t)header_size, name, &header, err));
    NOD_TRY(parse_header(s, header, name, s->bytes, data_size, err));
    *out = s;
    s = NULL;
out:
    nod_json_free(header);
    nod_safetensors_free(s);
    return rc;
}

int nod_safetensors_read(const char *path, nod_safetensors **out, nod_error *err)
{
    nod_bytes b = {0};
    int rc = nod_file_read(path, (size_t)16 << 30, &b, err);
    if (rc) return rc;
    rc = nod_safetensors_parse(b.data, b.size, path, out, err);
    nod_bytes_done(&b);
    return rc;
}

void nod_safetensors_free(nod_safetensors *s)
{
    if (!s) return;
    if (s->names)
        for (size_t i = 0; i < s->n; i++)
            nod_free(s->names[i]);
    nod_free(s->names);
    nod_free(s->tensors);
    nod_json_free(s->metadata);
    nod_free(s->bytes);
    nod_free(s);
}

const nod_tensor *nod_safetensors_find(const nod_safetensors *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->names[i], name) == 0) return &s->tensors[i];
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

static nod_json *entry_of(const nod_tensor *t, size_t from)
{
    nod_json *e = nod_json_object(), *shape = nod_json_array(), *offsets = nod_json_array();
    for (int d = 0; d < t->shape.rank; d++)
        nod_json_push(shape, nod_json_int(t->shape.dim[d]));
    nod_json_push(offsets, nod_json_int((int64_t)from));
    nod_json_push(offsets, nod_json_int((int64_t)(from + nod_tensor_bytes(t))));
    nod_json_set_str(e, "dtype", dtype_text(t->dtype));
    nod_json_set(e, "shape", shape);
    nod_json_set(e, "data_offsets", offsets);
    return e;
}

/* The header with zeros in the place of the hash, padded to 8 bytes with spaces. */
static int header_of(const char *const *names, const nod_tensor *tensors, size_t n,
                     const nod_json *metadata, nod_strbuf *out, nod_error *err)
{
    int rc = 0;
    char *text = NULL, zeros[NOD_SHA256_HEX] = {0};
    nod_json *meta = NULL, *header = nod_json_object();
    size_t at = 0;
    NOD_TRY(nod_json_copy(metadata, &meta, err));
    memset(zeros, '0', sizeof zeros - 1);
    nod_json_set_str(meta, "sha256", zeros);
    nod_json_set(header, "__metadata__", meta);
    meta = NULL;
    for (size_t i = 0; i < n; i++) {
        nod_json_set(header, names[i], entry_of(&tensors[i], at));
        at += nod_tensor_bytes(&tensors[i]);
    }
    NOD_TRY(nod_json_dump(header, false, &text, err));
    nod_strbuf_add(out, text);
    while (out->len % 8)
        nod_strbuf_addc(out, ' ');
    if (out->failed) rc = nod_fail_memory(err, "header of a file", strlen(text));
out:
    nod_json_free(meta);
    nod_json_free(header);
    nod_free(text);
    return rc;
}

/* Puts the hash of everything into the header. */
static int fill_hash(const uint8_t prefix[8], nod_strbuf *header, const nod_tensor *tensors,
                     size_t n, nod_error *err)
{
    char hex[NOD_SHA256_HEX];
    nod_sha256 *h = NULL;
    const char *digits = find_digits(header->data, header->len);
    NOD_ASSERT(digits);
    int rc = begin_hash(prefix, header->data, header->len, digits, &h, err);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++)
        nod_sha256_add(h, tensors[i].data, nod_tensor_bytes(&tensors[i]));
    nod_sha256_hex(h, hex);
    nod_sha256_free(h);
    memcpy(header->data + (digits - header->data), hex, sizeof hex - 1);
    return 0;
}

int nod_safetensors_write(const char *path, const char *const *names, const nod_tensor *tensors,
                          size_t n, const nod_json *metadata, nod_error *err)
{
    nod_strbuf header = NOD_STRBUF_INIT;
    nod_file_out f;
    uint8_t prefix[8];
    int rc = header_of(names, tensors, n, metadata, &header, err);
    if (rc) goto out;
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)((uint64_t)header.len >> (8 * i));
    NOD_TRY(fill_hash(prefix, &header, tensors, n, err));
    NOD_TRY(nod_file_out_open(path, &f, err));
    NOD_TRY(nod_file_out_add(&f, prefix, sizeof prefix, err));
    NOD_TRY(nod_file_out_add(&f, header.data, header.len, err));
    for (size_t i = 0; i < n; i++)
        NOD_TRY(nod_file_out_add(&f, tensors[i].data, nod_tensor_bytes(&tensors[i]), err));
    rc = nod_file_out_commit(&f, err);
out:
    nod_strbuf_done(&header);
    return rc;
}
