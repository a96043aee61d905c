/* fuzz_npz.c: any bytes as an archive and as a single .npy. What is read agrees with what peek
 * has said. */
#include <string.h>

#include "base/memory.h"
#include "tensor/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(nod_npz *z)
{
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_npz_count(z); i++) {
        const char *name = nod_npz_name(z, i);
        nod_tensor t = {0};
        nod_dtype dtype;
        nod_shape shape;
        NOD_ASSERT(nod_npz_has(z, name));
        if (nod_npz_peek(z, name, &dtype, &shape, &err) != 0) continue;
        if (nod_npz_read(z, name, &t, &err) != 0) continue;
        NOD_ASSERT(t.dtype == dtype && nod_shape_equal(&t.shape, &shape));
        nod_tensor_done(&t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    nod_tensor t = {0};
    if (nod_npz_open_bytes(data, size, "fuzz.npz", &z, &err) == 0) {
        read_all(z);
        nod_npz_close(z);
    } else {
        NOD_ASSERT(z == NULL && err.message[0] != '\0');
    }
    if (nod_npy_parse(data, size, "fuzz.npy", &t, &err) == 0) {
        NOD_ASSERT(nod_tensor_bytes(&t) <= size);
        nod_tensor_done(&t);
    }
    return 0;
}
