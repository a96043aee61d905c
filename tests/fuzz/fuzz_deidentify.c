/* fuzz_deidentify.c: any bytes as a DICOM file that is de-identified and written: what is written has a
 * patient of ours and no other. */
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/deidentify.h"

#define PATIENT "P-fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *ctx, const nod_dicom_element *e, nod_dicom_change *change,
                 nod_error *err)
{
    (void)ctx;
    (void)change;
    (void)err;
    NOD_ASSERT((e->tag >> 16) % 2 == 0 && (e->n == 0 || strcmp(e->vr, "UN") != 0));
    if (e->text == NULL || e->n == 0) return 0;
    bool is_ours = strcmp(e->text, PATIENT) == 0 || strcmp(e->text, NOD_DEID_REMOVED) == 0;
    NOD_ASSERT(strcmp(e->vr, "PN") != 0 || is_ours);
    NOD_ASSERT(e->tag != 0x00100020 || is_ours);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nod_deid_subject subject = {
        .patient = PATIENT, .shift_days = -1000, .key = "key", .key_size = 3};
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *file = NULL;
    nod_deid_outcome outcome = {0};
    uint8_t *copy = nod_memdup(data, size > 0 ? size : 1);

    if (copy == NULL) return 0;
    if (nod_dicom_file_open_memory(copy, size, "fuzz", NOD_DICOM_WHOLE, &file, &err) == 0) {
        if (nod_dicom_deidentify(file, &subject, &outcome, &err) == 0) {
            NOD_ASSERT(nod_dicom_edit(file, check, NULL, &err) == 0);
            (void)!nod_dicom_write(file, "/dev/null", &err);
        } else {
            NOD_ASSERT(err.message[0] != '\0');
        }
        nod_deid_outcome_done(&outcome);
    }
    nod_dicom_file_close(file);
    nod_free(copy);
    return 0;
}
