/* forge.c: what the tests of the program ($FORGE) need and no tool of a bare system makes.
 *
 *     forge npz FILE NAME:DTYPE:4x8x8[:VALUE,...] ...   arrays; values go round, default: a ramp
 *     forge volume FILE.nii 10x12x8 1x1x2 LPS SEED     i, j, k; millimetres; noise, brighter by the seed
 *     forge sql LEDGER TEXT                             as ledger_tamper.h alters a ledger
 *     forge rechain LEDGER
 *     forge rows LEDGER                                prints how many there are
 *     forge refill NPZ OTHER OUT                       NPZ with the pixels of validation and test
 *                                                      from OTHER; itself: they change places */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "imaging/nifti/nifti.h"
#include "imaging/reorient.h"
#include "ledger_tamper.h"
#include "tensor/npz.h"

#define ARRAYS_MAX 12

static const nod_dtype dtypes[] = {NOD_DTYPE_U8, NOD_DTYPE_I64, NOD_DTYPE_F32, NOD_DTYPE_F64};

static void store(nod_tensor *t, int64_t i, double v)
{
    switch (t->dtype) {
    case NOD_DTYPE_U8:
        ((uint8_t *)t->data)[i] = (uint8_t)v;
        break;
    case NOD_DTYPE_I64:
        ((int64_t *)t->data)[i] = (int64_t)v;
        break;
    case NOD_DTYPE_F32:
        ((float *)t->data)[i] = (float)v;
        break;
    default:
        ((double *)t->data)[i] = v;
        break;
    }
}

static void fill(nod_tensor *t, char *values)
{
    double list[64];
    int64_t n = 0;
    for (char *v = values ? strtok(values, ",") : NULL; v && n < 64; v = strtok(NULL, ","))
        list[n++] = strtod(v, NULL);
    for (int64_t i = 0; i < nod_tensor_count(t); i++)
        store(t, i, n ? list[i % n] : (double)((i * 37 + i / 251) % 251));
}

/* "NAME:DTYPE:DIMS[:VALUES]" is taken apart in place. */
static int array_from(char *text, const char **name, nod_tensor *t, nod_error *err)
{
    char *part[4] = {text, NULL, NULL, NULL};
    nod_shape shape = {0};
    nod_dtype dtype = NOD_DTYPE_F64;
    for (int i = 1; i < 4 && part[i - 1]; i++) {
        part[i] = strchr(part[i - 1], ':');
        if (part[i]) *part[i]++ = '\0';
    }
    if (!part[2]) return nod_fail(err, NOD_EINVAL, "%s: not NAME:DTYPE:DIMS", text);
    for (size_t i = 0; i < NOD_COUNT(dtypes); i++)
        if (strcmp(nod_dtype_name(dtypes[i]), part[1]) == 0) dtype = dtypes[i];
    for (char *d = part[2]; *d && shape.rank < NOD_RANK_MAX; d += *d == 'x')
        shape.dim[shape.rank++] = strtoll(d, &d, 10);
    int rc = nod_tensor_init(t, dtype, &shape, err);
    if (rc) return rc;
    fill(t, part[3]);
    *name = part[0];
    return 0;
}

static int make_npz(char **args, nod_error *err)
{
    const char *names[ARRAYS_MAX] = {NULL};
    nod_tensor t[ARRAYS_MAX] = {0};
    size_t n = 0;
    int rc = 0;
    for (; args[1 + n] && n < ARRAYS_MAX && rc == 0; n += rc == 0)
        rc = array_from(args[1 + n], &names[n], &t[n], err);
    if (rc == 0) rc = nod_npz_write(args[0], names, t, n, false, err);
    while (n > 0)
        nod_tensor_done(&t[--n]);
    return rc;
}

/* --- the same parts with other pixels ------------------------------------------------------- */

static const char *const hidden[] = {"val_images", "test_images"};

/* Rows of one array after another, beginning in the middle of the first. */
typedef struct pool {
    nod_tensor t[NOD_COUNT(hidden)];
    int64_t next;
} pool;

static const unsigned char *next_row(pool *p, size_t row_bytes)
{
    int64_t n0 = p->t[0].shape.dim[0], n = n0 + p->t[1].shape.dim[0];
    int64_t i = (p->next++ + n0 / 2 + 1) % n;
    const nod_tensor *t = &p->t[i >= n0];
    return (const unsigned char *)t->data + (size_t)(i >= n0 ? i - n0 : i) * row_bytes;
}

/* `t` as `p` has its rows, one for one, so shaped as they are there. */
static int refill(nod_tensor *t, pool *p, nod_error *err)
{
    nod_tensor made;
    nod_shape shape = p->t[0].shape;
    shape.dim[0] = t->shape.dim[0];
    int rc = nod_tensor_init(&made, p->t[0].dtype, &shape, err);
    if (rc) return rc;
    size_t row = nod_tensor_bytes(&made) / (size_t)shape.dim[0];
    for (int64_t i = 0; i < shape.dim[0]; i++)
        memcpy((unsigned char *)made.data + (size_t)i * row, next_row(p, row), row);
    nod_tensor_done(t);
    *t = made;
    return 0;
}

static int refill_hidden(const char *in, const char *from, const char *to, nod_error *err)
{
    nod_npz *a = NULL, *b = NULL;
    nod_tensor t[ARRAYS_MAX] = {0};
    const char *names[ARRAYS_MAX] = {NULL};
    pool p = {.next = 0};
    size_t n = 0;
    int rc = 0;
    NOD_TRY(nod_npz_open(in, &a, err));
    NOD_TRY(nod_npz_open(from, &b, err));
    for (size_t i = 0; i < NOD_COUNT(hidden); i++)
        NOD_TRY(nod_npz_read(b, hidden[i], &p.t[i], err));
    for (; n < nod_npz_count(a) && n < ARRAYS_MAX; n++) {
        names[n] = nod_npz_name(a, n);
        NOD_TRY(nod_npz_read(a, names[n], &t[n], err));
        for (size_t i = 0; i < NOD_COUNT(hidden); i++)
            if (strcmp(names[n], hidden[i]) == 0) NOD_TRY(refill(&t[n], &p, err));
    }
    NOD_TRY(nod_npz_write(to, names, t, n, false, err));
out:
    for (size_t i = 0; i < ARRAYS_MAX; i++)
        nod_tensor_done(&t[i]);
    for (size_t i = 0; i < NOD_COUNT(hidden); i++)
        nod_tensor_done(&p.t[i]);
    nod_npz_close(a);
    nod_npz_close(b);
    return rc;
}

static int print_rows(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(db, 5000);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT count(*) FROM ledger", -1, &st, NULL);
    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        printf("%lld\n", (long long)sqlite3_column_int64(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
    return rc;
}

static int make_volume(char *const *arg, nod_error *err)
{
    nod_image im = {0}, turned = {0};
    long long n[3];
    double mm[3];
    uint32_t state = (uint32_t)strtoul(arg[4], NULL, 10), level = state;
    if (sscanf(arg[1], "%lldx%lldx%lld", &n[0], &n[1], &n[2]) != 3 ||
        sscanf(arg[2], "%lfx%lfx%lf", &mm[0], &mm[1], &mm[2]) != 3)
        return nod_fail(err, NOD_EINVAL, "not sizes: %s %s", arg[1], arg[2]);
    int rc = nod_image_init(&im, n[2], n[1], n[0], 1, NOD_SAMPLE_U8, err);
    if (rc) return rc;
    im.geometry.space = NOD_SPACE_PATIENT;
    memcpy(im.geometry.spacing_mm, mm, sizeof mm);
    for (int64_t i = 0; i < nod_image_voxels(&im); i++) {
        state = state * 1664525u + 1013904223u;
        ((uint8_t *)im.data)[i] = (uint8_t)((state >> 26) + level % 100);
    }
    rc = nod_image_reorient(&im, arg[3], &turned, err);
    if (!rc) rc = nod_nifti_write(arg[0], &turned, err);
    nod_image_done(&im);
    nod_image_done(&turned);
    return rc;
}

int main(int argc, char **argv)
{
    nod_error err = NOD_ERROR_INIT;
    int rc = 1;
    if (argc >= 4 && strcmp(argv[1], "npz") == 0)
        rc = make_npz(argv + 2, &err);
    else if (argc == 7 && strcmp(argv[1], "volume") == 0)
        rc = make_volume(argv + 2, &err);
    else if (argc == 4 && strcmp(argv[1], "sql") == 0)
        rc = ledger_tamper_sql(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "rechain") == 0)
        rc = ledger_tamper_rechain(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "rows") == 0)
        rc = print_rows(argv[2]);
    else if (argc == 5 && strcmp(argv[1], "refill") == 0)
        rc = refill_hidden(argv[2], argv[3], argv[4], &err);
    if (rc) fprintf(stderr, "forge: failed (%d) %s\n", rc, err.message);
    return rc != 0;
}
