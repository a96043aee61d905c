/* npy.h: the header of a .npy array and its payload, for npz.c only.
 *
 * A .npy is magic, version, header length, a Python dict literal padded to 64 bytes, then the
 * elements. Source: numpy.lib.format (NEP 1). */
#ifndef NOD_TENSOR_NPY_H
#define NOD_TENSOR_NPY_H

#include "tensor/tensor.h"

#define NOD_NPY_MAX_HEADER ((size_t)64 << 10) /* numpy itself writes less than 200 bytes */
#define NOD_NPY_MAX_WRITE  256                /* bytes of a header that we write, at most */

typedef struct nod_npy {
    nod_dtype dtype;
    nod_shape shape;
    bool fortran;    /* first index fastest */
    bool swapped;    /* big endian elements */
    size_t n_header; /* bytes before the first element */
    size_t n_data;   /* bytes of all elements */
} nod_npy;

/* From the first 12 bytes (or all there are) of a file: how many bytes the header has. */
int nod_npy_header_size(const uint8_t *bytes, size_t size, const char *name, size_t *out,
                        nod_error *err) NOD_MUST_CHECK;
/* Parses a header that is complete in `bytes`. */
int nod_npy_header_parse(const uint8_t *bytes, size_t n_header, const char *name, nod_npy *out,
                         nod_error *err) NOD_MUST_CHECK;
/* Refuses an array of more than NOD_NPZ_MAX_BYTES or more than the system has left. */
int nod_npy_check_memory(const nod_npy *a, const char *name, nod_error *err) NOD_MUST_CHECK;
/* Turns the elements, as they stand in the file, into native C order in place. */
int nod_npy_settle(const nod_npy *a, nod_tensor *t, const char *name,
                   nod_error *err) NOD_MUST_CHECK;
/* Writes a version 1.0 header, byte for byte what numpy.save writes. */
int nod_npy_header_write(const nod_tensor *t, const char *name, char out[NOD_NPY_MAX_WRITE],
                         size_t *n_out, nod_error *err) NOD_MUST_CHECK;

#endif
