/* npz.c: .npz archives, that is zip files of .npy members, over libzip.
 *
 * Reading goes by the zip's central directory. Nothing is allocated for an array before three
 * claims agree: the directory's size of the member, the .npy header's shape, and what the
 * compressed bytes can hold at all (deflate makes at most 1032 bytes of one). The elements are
 * inflated straight into the tensor; libzip checks the CRC when the member ends.
 * Writing pipes libzip's output into an atomic file through a callback source. */
#include "tensor/npz.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/file.h"
#include "base/memory.h"
#include "tensor/npy.h"

#define MAX_ARRAYS    10000 /* members of one archive */
#define DEFLATE_RATIO 1032  /* no deflate stream grows more */
#define DOS_DATE_1980 ((1 << 5) | 1)
#define NAMES_SHOWN   24 /* arrays listed in a message */

typedef struct member {
    char *name; /* without .npy; control characters shown as '?' */
    zip_uint64_t index, size;
} member;

struct nod_npz {
    char *path;          /* for messages */
    zip_uint64_t n_file; /* bytes of the whole archive */
    zip_t *zip;
    member *members;
    size_t n, cap;
};

/* --- opening ---------------------------------------------------------------------------- */

static char *member_name(const char *name)
{
    char *copy = nod_strndup(name, strlen(name) - 4);
    for (char *s = copy; s != NULL && *s != '\0'; s++)
        if ((unsigned char)*s < ' ' || *s == 127) *s = '?';
    return copy;
}

static int add_member(nod_npz *z, zip_uint64_t index, nod_error *err)
{
    zip_stat_t st;
    zip_stat_init(&st);
    if (zip_stat_index(z->zip, index, 0, &st) != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: member %llu of the zip: %s", z->path,
                        (unsigned long long)index, zip_strerror(z->zip));
    if ((st.valid & ZIP_STAT_NAME) == 0 || !nod_has_suffix_nocase(st.name, ".npy")) return 0;
    char *name = member_name(st.name);
    if (name == NULL) return nod_fail_memory(err, "an array name", strlen(st.name));
    int rc = 0;
    if (nod_npz_has(z, name))
        rc = nod_fail(err, NOD_EFORMAT, "%s: array '%s' is in the zip twice", z->path, name);
    else if (!nod_grow((void **)&z->members, &z->cap, z->n + 1, sizeof *z->members))
        rc = nod_fail_memory(err, "the list of arrays", (z->n + 1) * sizeof *z->members);
    if (rc != 0) {
        nod_free(name);
        return rc;
    }
    z->members[z->n++] = (member){name, index, st.size};
    return 0;
}

static int list_members(nod_npz *z, nod_error *err)
{
    zip_int64_t n = zip_get_num_entries(z->zip, 0);
    if (n > MAX_ARRAYS)
        return nod_fail(err, NOD_ELIMIT, "%s: the zip has %lld members, the limit is %d",
                        z->path, (long long)n, MAX_ARRAYS);
    for (zip_int64_t i = 0; i < n; i++) {
        int rc = add_member(z, (zip_uint64_t)i, err);
        if (rc != 0) return rc;
    }
    if (z->n == 0)
        return nod_fail(err, NOD_EFORMAT, "%s: the zip holds no .npy array", z->path);
    return 0;
}

/* Says why these first bytes are no archive; `reason` is libzip's word. */
static int fail_open(const uint8_t *head, size_t n_head, const char *name, const char *reason,
                     nod_error *err)
{
    if (n_head == 0) return nod_fail(err, NOD_EFORMAT, "%s: the file is empty", name);
    if (n_head >= 6 && memcmp(head, "\x93NUMPY", 6) == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: this is a single .npy array; an .npz is expected (numpy.savez)",
                        name);
    if (n_head >= 4 && memcmp(head, "PK\x03\x04", 4) == 0)
        return nod_fail(err, NOD_EFORMAT,
                        "%s: the zip's directory at the end is missing or damaged: the file is "
                        "cut off or was changed; fetch it again (libzip: %s)",
                        name, reason);
    return nod_fail(err, NOD_EFORMAT, "%s: not an .npz file (libzip: %s)", name, reason);
}

static int open_source(zip_source_t *source_take, const uint8_t *head, size_t n_head,
                       zip_uint64_t n_file, const char *name, nod_npz **out, nod_error *err)
{
    int rc = 0;
    zip_error_t ze;
    zip_error_init(&ze);
    nod_npz *z = nod_calloc(1, sizeof *z);
    if (z != NULL) z->path = nod_strdup(name);
    if (z == NULL || z->path == NULL) {
        rc = nod_fail_memory(err, "opening an .npz", sizeof *z);
        goto out;
    }
    z->n_file = n_file;
    z->zip = zip_open_from_source(source_take, ZIP_RDONLY, &ze);
    if (z->zip == NULL) {
        rc = zip_error_code_zip(&ze) == ZIP_ER_MEMORY
                 ? nod_fail_memory(err, "the directory of an .npz", n_head)
                 : fail_open(head, n_head, name, zip_error_strerror(&ze), err);
        goto out;
    }
    source_take = NULL;
    NOD_TRY(list_members(z, err));
    *out = z;
    z = NULL;
out:
    if (source_take != NULL) zip_source_free(source_take);
    zip_error_fini(&ze);
    nod_npz_close(z);
    return rc;
}

int nod_npz_open_bytes(const void *bytes, size_t size, const char *name, nod_npz **out,
                       nod_error *err)
{
    if (size == 0) return fail_open(NULL, 0, name, "", err);
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &ze);
    zip_error_fini(&ze);
    if (source == NULL) return nod_fail_memory(err, "opening an .npz", 0);
    return open_source(source, bytes, size, size, name, out, err);
}

int nod_npz_open(const char *path, nod_npz **out, nod_error *err)
{
    uint8_t head[8];
    if (nod_path_is_dir(path))
        return nod_fail(err, NOD_EIO, "%s is a folder, not an .npz file", path);
    if (nod_path_exists(path) && !nod_path_is_file(path))
        return nod_fail(err, NOD_EIO, "%s is a device or pipe, not a regular file", path);
    FILE *f = fopen(path, "rbe");
    if (f == NULL) return nod_fail_errno(err, errno, "cannot open %s", path);
    size_t n_head = fread(head, 1, sizeof head, f);
    int64_t n_file = nod_path_size(path);
    if (n_head == 0 || n_file < 0) {
        int rc = ferror(f) ? nod_fail_errno(err, EIO, "cannot read %s", path)
                           : fail_open(head, 0, path, "", err);
        fclose(f);
        return rc;
    }
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *source = zip_source_filep_create(f, 0, -1, &ze); /* closes f when freed */
    zip_error_fini(&ze);
    if (source == NULL) {
        fclose(f);
        return nod_fail_memory(err, "opening an .npz", 0);
    }
    return open_source(source, head, n_head, (zip_uint64_t)n_file, path, out, err);
}

void nod_npz_close(nod_npz *z)
{
    if (z == NULL) return;
    if (z->zip != NULL) zip_discard(z->zip);
    for (size_t i = 0; i < z->n; i++)
        nod_free(z->members[i].name);
    nod_free(z->members);
    nod_free(z->path);
    nod_free(z);
}

size_t nod_npz_count(const nod_npz *z)
{
    return z->n;
}

const char *nod_npz_name(const nod_npz *z, size_t i)
{
    NOD_ASSERT(i < z->n);
    return z->members[i].name;
}

static const member *find_member(const nod_npz *z, const char *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (strcmp(z->members[i].name, name) == 0) return &z->members[i];
    return NULL;
}

bool nod_npz_has(const nod_npz *z, const char *name)
{
    return find_member(z, name) != NULL;
}

/* --- reading one array ------------------------------------------------------------------ */

static int fail_absent(const nod_npz *z, const char *name, nod_error *err)
{
    nod_strbuf list = NOD_STRBUF_INIT;
    for (size_t i = 0; i < z->n && i < NAMES_SHOWN; i++)
        nod_strbuf_printf(&list, "%s%s", i > 0 ? ", " : "", z->members[i].name);
    if (z->n > NAMES_SHOWN)
        nod_strbuf_printf(&list, " and %zu more", z->n - (size_t)NAMES_SHOWN);
    int rc = nod_fail(err, NOD_ENOENT, "%s: no array '%s'; there are: %s", z->path, name,
                      list.failed ? "(out of memory)" : list.data);
    nod_strbuf_done(&list);
    return rc;
}

/* One member while it is read. */
typedef struct reading {
    zip_file_t *file;
    char *label; /* "file.npz: array 'x'" */
    uint8_t *header;
    nod_npy npy;
} reading;

static void reading_done(reading *r)
{
    if (r->file != NULL) zip_fclose(r->file);
    nod_free(r->label);
    nod_free(r->header);
}

/* Reads exactly `size` bytes of the member. */
static int read_exactly(reading *r, void *data, size_t size, nod_error *err)
{
    uint8_t *p = data;
    size_t got = 0;
    while (got < size) {
        zip_int64_t n = zip_fread(r->file, p + got, NOD_MIN(size - got, (size_t)1 << 30));
        if (n < 0) {
            zip_error_t *ze = zip_file_get_error(r->file);
            if (zip_error_code_zip(ze) == ZIP_ER_MEMORY)
                return nod_fail(err, NOD_ENOMEM, "%s: out of memory while inflating", r->label);
            return nod_fail(err, NOD_EFORMAT, "%s: damaged at byte %zu: %s", r->label, got,
                            zip_error_strerror(ze));
        }
        if (n == 0)
            return nod_fail(err, NOD_EFORMAT, "%s: ends after %zu of %zu bytes", r->label, got,
                            size);
        got += (size_t)n;
    }
    return 0;
}

/* What the directory claims about a member, against what its compressed bytes can hold. */
static int check_claims(const nod_npz *z, const member *m, const char *label, nod_error *err)
{
    zip_stat_t st;
    zip_stat_init(&st);
    if (zip_stat_index(z->zip, m->index, 0, &st) != 0)
        return nod_fail(err, NOD_EFORMAT, "%s: %s", label, zip_strerror(z->zip));
    if (st.encryption_method != ZIP_EM_NONE)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "%s: is encrypted; encrypted arrays are not read", label);
    if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
        return nod_fail(
            err, NOD_EUNSUPPORTED,
            "%s: zip method %u is not read; numpy writes stored (0) and deflated (8)", label,
            (unsigned)st.comp_method);
    if (st.comp_size > z->n_file)
        return nod_fail(err, NOD_EFORMAT, "%s: claims %llu bytes in a file of %llu", label,
                        (unsigned long long)st.comp_size, (unsigned long long)z->n_file);
    zip_uint64_t most = st.comp_size;
    if (st.comp_method == ZIP_CM_DEFLATE &&
        __builtin_mul_overflow(st.comp_size, DEFLATE_RATIO, &most))
        most = UINT64_MAX;
    if (st.size > most || (st.comp_method == ZIP_CM_STORE && st.size != st.comp_size))
        return nod_fail(
            err, NOD_EFORMAT,
            "%s: claims %llu bytes, but its %llu bytes in the file cannot hold them", label,
            (unsigned long long)st.size, (unsigned long long)st.comp_size);
    return 0;
}

/* Opens a member and parses its header; the elements come next. */
static int begin(nod_npz *z, const char *name, reading *r, nod_error *err)
{
    const member *m = find_member(z, name);
    if (m == NULL) return fail_absent(z, name, err);
    nod_strbuf label = NOD_STRBUF_INIT;
    nod_strbuf_printf(&label, "%s: array '%s'", z->path, name);
    r->label = nod_strbuf_take(&label);
    if (r->label == NULL) return nod_fail_memory(err, "an array name", strlen(name));

    int rc = check_claims(z, m, r->label, err);
    if (rc != 0) return rc;
    r->file = zip_fopen_index(z->zip, m->index, 0);
    if (r->file == NULL)
        return nod_fail(err, NOD_EFORMAT, "%s: %s", r->label, zip_strerror(z->zip));

    uint8_t first[12];
    size_t n_first = (size_t)NOD_MIN(m->size, sizeof first), n_header;
    if ((rc = read_exactly(r, first, n_first, err)) != 0) return rc;
    if ((rc = nod_npy_header_size(first, n_first, r->label, &n_header, err)) != 0) return rc;
    if (n_header > m->size || n_header < n_first)
        return nod_fail(err, NOD_EFORMAT, "%s: .npy header claims %zu bytes, %llu are there",
                        r->label, n_header, (unsigned long long)m->size);
    r->header = nod_malloc(n_header);
    if (r->header == NULL) return nod_fail_memory(err, "a .npy header", n_header);
    memcpy(r->header, first, n_first);
    if ((rc = read_exactly(r, r->header + n_first, n_header - n_first, err)) != 0) return rc;
    if ((rc = nod_npy_header_parse(r->header, n_header, r->label, &r->npy, err)) != 0)
        return rc;
    if (r->npy.n_data != m->size - n_header)
        return nod_fail(err, NOD_EFORMAT, "%s: the array needs %zu bytes, %llu are there",
                        r->label, r->npy.n_data, (unsigned long long)m->size - n_header);
    return 0;
}

int nod_npz_peek(nod_npz *z, const char *name, nod_dtype *dtype, nod_shape *shape,
                 nod_error *err)
{
    reading r = {0};
    int rc = begin(z, name, &r, err);
    if (rc == 0) {
        *dtype = r.npy.dtype;
        *shape = r.npy.shape;
    }
    reading_done(&r);
    return rc;
}

int nod_npz_read(nod_npz *z, const char *name, nod_tensor *out, nod_error *err)
{
    reading r = {0};
    nod_tensor t = {0};
    int rc = 0;
    uint8_t extra;
    NOD_TRY(begin(z, name, &r, err));
    NOD_TRY(nod_npy_check_memory(&r.npy, r.label, err));
    rc = nod_tensor_init(&t, r.npy.dtype, &r.npy.shape, err);
    if (rc != 0) {
        nod_error_prefix(err, "%s", r.label);
        goto out;
    }
    NOD_TRY(read_exactly(&r, t.data, r.npy.n_data, err));
    zip_int64_t n = zip_fread(r.file, &extra, 1); /* at the end libzip compares the CRC */
    if (n != 0) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: %s: the file is damaged, fetch it again", r.label,
                      n > 0 ? "more bytes follow than the zip's directory claims"
                            : zip_error_strerror(zip_file_get_error(r.file)));
        goto out;
    }
    NOD_TRY(nod_npy_settle(&r.npy, &t, r.label, err));
    *out = t;
    t = (nod_tensor){0};
out:
    nod_tensor_done(&t);
    reading_done(&r);
    return rc;
}

/* --- writing ---------------------------------------------------------------------------- */

/* Where libzip's bytes go: the stream of an atomic file that nobody has seen yet. */
typedef struct sink {
    FILE *stream;
    zip_error_t error;
} sink;

static zip_int64_t sink_fail(sink *s, int code)
{
    zip_error_set(&s->error, code, errno);
    return -1;
}

static zip_int64_t sink_seek(sink *s, void *data, zip_uint64_t size)
{
    zip_source_args_seek_t *a =
        ZIP_SOURCE_GET_ARGS(zip_source_args_seek_t, data, size, &s->error);
    if (a == NULL) return -1;
    return fseeko(s->stream, a->offset, a->whence) != 0 ? sink_fail(s, ZIP_ER_SEEK) : 0;
}

static zip_int64_t sink_call(void *ctx, void *data, zip_uint64_t size, zip_source_cmd_t cmd)
{
    sink *s = ctx;
    switch (cmd) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
            ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
            ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_REMOVE,
            -1);
    case ZIP_SOURCE_WRITE:
        return fwrite(data, 1, size, s->stream) == size ? (zip_int64_t)size
                                                        : sink_fail(s, ZIP_ER_WRITE);
    case ZIP_SOURCE_SEEK_WRITE:
        return sink_seek(s, data, size);
    case ZIP_SOURCE_TELL_WRITE:
        return ftello(s->stream);
    case ZIP_SOURCE_COMMIT_WRITE:
        return fflush(s->stream) == 0 ? 0 : sink_fail(s, ZIP_ER_WRITE);
    case ZIP_SOURCE_BEGIN_WRITE:
    case ZIP_SOURCE_ROLLBACK_WRITE:
    case ZIP_SOURCE_REMOVE:
    case ZIP_SOURCE_FREE:
        return 0;
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&s->error, data, size);
    case ZIP_SOURCE_STAT: /* a new archive: there is nothing to read */
        errno = ENOENT;
        return sink_fail(s, ZIP_ER_READ);
    default:
        return sink_fail(s, ZIP_ER_OPNOTSUPP);
    }
}

static int add_array(zip_t *zip, const char *name, const nod_tensor *t, char *header,
                     bool deflate, const char *path, nod_error *err)
{
    size_t n_header;
    int rc = nod_npy_header_write(t, name, header, &n_header, err);
    if (rc != 0) return nod_error_prefix(err, "%s", path);
    zip_buffer_fragment_t parts[2] = {{(zip_uint8_t *)header, n_header},
                                      {t->data, nod_tensor_bytes(t)}};
    nod_strbuf full = NOD_STRBUF_INIT;
    nod_strbuf_printf(&full, "%s.npy", name);
    zip_source_t *source =
        zip_source_buffer_fragment(zip, parts, parts[1].length > 0 ? 2 : 1, 0);
    if (source == NULL || full.failed) {
        if (source != NULL) zip_source_free(source);
        rc = nod_fail_memory(err, "writing an .npz", n_header);
        goto out;
    }
    zip_int64_t index = zip_file_add(zip, full.data, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        rc =
            nod_fail(err, NOD_EINVAL, "%s: array name '%s': %s", path, name, zip_strerror(zip));
        goto out;
    }
    zip_uint64_t i = (zip_uint64_t)index;
    if (zip_set_file_compression(zip, i, deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE,
                                 deflate ? 6 : 0) != 0 ||
        zip_file_set_dostime(zip, i, 0, DOS_DATE_1980, 0) != 0 ||
        zip_file_set_external_attributes(zip, i, 0, ZIP_OPSYS_UNIX, 0100644u << 16) != 0)
        rc = nod_fail(err, NOD_EINTERNAL, "%s: %s", path, zip_strerror(zip));
out:
    nod_strbuf_done(&full);
    return rc;
}

int nod_npz_write(const char *path, const char *const *names, const nod_tensor *arrays,
                  size_t n, bool deflate, nod_error *err)
{
    if (n == 0 || n > MAX_ARRAYS)
        return nod_fail(err, NOD_EINVAL, "%s: an .npz holds 1 to %d arrays, not %zu", path,
                        MAX_ARRAYS, n);
    nod_file_out file;
    sink s = {0};
    zip_t *zip = NULL;
    char(*headers)[NOD_NPY_MAX_WRITE] = NULL;
    int rc = nod_file_out_open(path, &file, err);
    if (rc != 0) return rc;
    s.stream = file.stream;
    zip_error_init(&s.error);
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *source = zip_source_function_create(sink_call, &s, &ze);
    headers = nod_calloc(n, sizeof *headers);
    if (source != NULL && headers != NULL)
        zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &ze);
    if (zip == NULL) {
        if (source != NULL) zip_source_free(source);
        rc = nod_fail_memory(err, "writing an .npz", n * sizeof *headers);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        NOD_TRY(add_array(zip, names[i], &arrays[i], headers[i], deflate, path, err));
    if (zip_close(zip) != 0) {
        int system = zip_error_code_system(zip_get_error(zip));
        rc = system != 0
                 ? nod_fail_errno(err, system, "cannot write %s", path)
                 : nod_fail(err, NOD_EIO, "cannot write %s: %s", path, zip_strerror(zip));
        goto out;
    }
    zip = NULL;
    rc = nod_file_out_commit(&file, err);
    file.stream = NULL;
out:
    if (zip != NULL) zip_discard(zip);
    if (file.stream != NULL) nod_file_out_abort(&file);
    nod_free(headers);
    zip_error_fini(&ze);
    zip_error_fini(&s.error);
    return rc;
}
