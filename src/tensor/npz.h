/* npz.h: NumPy .npy and .npz, read and written (stored or deflated).
 *
 * Read: any dtype of nod_dtype, little or big endian, C or Fortran order (returned in C order),
 * header versions 1 to 3. A length in the file is compared with the bytes that remain before
 * anything is allocated. Errors: EFORMAT with file, array and place; ELIMIT; ENOENT; EIO.
 * Source: numpy.lib.format (NEP 1). */
#ifndef NOD_TENSOR_NPZ_H
#define NOD_TENSOR_NPZ_H

#include "base/text.h"
#include "tensor/tensor.h"

#define NOD_NPZ_MAX_BYTES ((size_t)16 << 30) /* one array */

/* One array from the bytes of a .npy file; `name` for messages. */
int nod_npy_parse(const void *bytes, size_t size, const char *name, nod_tensor *out,
                  nod_error *err) NOD_MUST_CHECK;

typedef struct nod_npz nod_npz;
int nod_npz_open(const char *path, nod_npz **out, nod_error *err) NOD_MUST_CHECK;
/* The same from memory (borrowed until close); for fuzzing. */
int nod_npz_open_bytes(const void *bytes, size_t size, const char *name, nod_npz **out,
                       nod_error *err) NOD_MUST_CHECK;
void nod_npz_close(nod_npz *z);
size_t nod_npz_count(const nod_npz *z);
const char *nod_npz_name(const nod_npz *z, size_t i); /* without ".npy" */
bool nod_npz_has(const nod_npz *z, const char *name);
/* ENOENT lists the arrays that are there. */
int nod_npz_read(nod_npz *z, const char *name, nod_tensor *out, nod_error *err) NOD_MUST_CHECK;
/* dtype and shape alone, without the data. */
int nod_npz_peek(nod_npz *z, const char *name, nod_dtype *dtype, nod_shape *shape,
                 nod_error *err) NOD_MUST_CHECK;

/* Writes arrays under names, atomically; entries get a fixed date, so equal input gives equal
 * bytes. */
int nod_npz_write(const char *path, const char *const *names, const nod_tensor *arrays,
                  size_t n, bool deflate, nod_error *err) NOD_MUST_CHECK;

#endif
