/* storage.h: how the values of a node are stored. A bf16 plan stores activations in bf16 and keeps
 * the rest in f32 (backend.h), so a kernel may meet both at one node. Inside src/backend/cpu only. */
#ifndef NOD_BACKEND_CPU_STORAGE_H
#define NOD_BACKEND_CPU_STORAGE_H

#include "backend/backend.h"

typedef enum nod_storage {
    NOD_STORAGE_F32,
    NOD_STORAGE_BF16,
    NOD_STORAGE_MIXED, /* some so, some so */
    NOD_STORAGE_OTHER  /* f64 */
} nod_storage;

static inline bool nod_stored_half(const nod_kernel_query *q, int value)
{
    return value >= 0 && q->dtype[value] == NOD_DTYPE_BF16;
}

/* Of all real inputs and outputs of the node. */
static inline nod_storage nod_storage_of(const nod_kernel_query *q)
{
    const nod_node *n = q->node;
    bool f32 = false, bf16 = false;
    if (q->precision == NOD_PRECISION_F64) return NOD_STORAGE_OTHER;
    for (int i = 0; i < n->n_in + n->n_out; i++) {
        int value = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
        if (value < 0 || q->dtype[value] == NOD_DTYPE_I32) continue;
        *(nod_stored_half(q, value) ? &bf16 : &f32) = true;
    }
    return bf16 ? f32 ? NOD_STORAGE_MIXED : NOD_STORAGE_BF16 : NOD_STORAGE_F32;
}

#endif
