/* safetensors.h: named tensors and a JSON metadata string in one file.
 *
 * Layout: u64 little-endian header length, JSON header padded with spaces to 8 bytes, data.
 * Reading checks every offset against the file's size and every shape against its offsets;
 * overlapping or unordered slices, duplicate names and headers over NOD_SAFETENSORS_MAX_HEADER
 * are refused. The metadata's "sha256" is the SHA-256 of the whole file with its own 64 digits
 * read as zeros: any changed, lost or added byte is found. Source: the safetensors format
 * description, version 0.4; the hash is ours, and other programs pass over it. */
#ifndef NOD_MODEL_SAFETENSORS_H
#define NOD_MODEL_SAFETENSORS_H

#include "base/json.h"
#include "tensor/tensor.h"

#define NOD_SAFETENSORS_MAX_HEADER ((size_t)64 << 20)

typedef struct nod_safetensors {
    size_t n;
    char **names;
    nod_tensor *tensors; /* views into bytes */
    nod_json *metadata;  /* object of strings; never NULL */
    void *bytes;         /* owned */
    bool hashed;         /* has a "sha256", which fits; false: a file of another program */
} nod_safetensors;

int nod_safetensors_parse(const void *bytes, size_t size, const char *name,
                          nod_safetensors **out,
                          nod_error *err) NOD_MUST_CHECK; /* copies the bytes */
int nod_safetensors_read(const char *path, nod_safetensors **out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_safetensors_free(nod_safetensors *s);
const nod_tensor *nod_safetensors_find(const nod_safetensors *s, const char *name);
/* EFORMAT where it is not hashed: for files that only this program writes. */
int nod_safetensors_need_hash(const nod_safetensors *s, const char *path,
                              nod_error *err) NOD_MUST_CHECK;
/* Atomic; equal input gives equal bytes. metadata (borrowed) is an object of strings. */
int nod_safetensors_write(const char *path, const char *const *names, const nod_tensor *tensors,
                          size_t n, const nod_json *metadata, nod_error *err) NOD_MUST_CHECK;

#endif
