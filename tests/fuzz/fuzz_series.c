/* fuzz_series.c: any bytes as the header of a DICOM file, and that header with damaged copies of itself
 * as a series. Whatever places the frames claim, stacks keep their shape: every slice is a frame that
 * is there, or missing and said to be. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/dicom/limits.h"
#include "imaging/dicom/stack.h"

#define COPIES     6
#define MAX_FRAMES 256 /* of the file: what many frames cost is not what is tested here */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t size)
{
    NOD_ASSERT(memchr(s, '\0', size) != NULL);
}

static void check_header(const nod_dicom_header *h)
{
    check_text(h->patient_id, sizeof h->patient_id);
    check_text(h->image_type, sizeof h->image_type);
    check_text(h->laterality, sizeof h->laterality);
    NOD_ASSERT(h->is_image == (h->n_frames > 0));
    NOD_ASSERT(h->is_image == (h->frames != NULL));
    NOD_ASSERT(h->n_frames <= NOD_DICOM_FRAMES_MAX);
    for (int32_t i = 0; i < h->n_frames; i++) {
        const nod_dicom_frame *f = &h->frames[i];
        check_text(f->type, sizeof f->type);
        check_text(f->stack, sizeof f->stack);
        NOD_ASSERT(f->n_indices >= 0 && f->n_indices <= NOD_DICOM_INDICES);
        NOD_ASSERT(isfinite(f->slope) && isfinite(f->intercept));
        for (int a = 0; a < 3; a++)
            NOD_ASSERT(isfinite(f->position_mm[a]));
        for (int a = 0; a < 2; a++)
            NOD_ASSERT(!f->has_spacing || f->spacing_mm[a] > 0);
    }
}

static void check_stack(const nod_dicom_stack *k, const nod_dicom_header *const *headers)
{
    bool missing = false;
    NOD_ASSERT(k->n_slices >= 1 && k->n_phases >= 1);
    NOD_ASSERT(k->projection || k->geometry.size[2] == k->n_slices);
    for (int a = 0; a < 3; a++)
        NOD_ASSERT(k->geometry.spacing_mm[a] > 0);
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++) {
        nod_dicom_slice s = k->slices[i];
        missing = missing || s.file == NOD_DICOM_NO_FILE;
        if (s.file == NOD_DICOM_NO_FILE) continue;
        NOD_ASSERT(s.file < COPIES && (int32_t)s.frame < headers[s.file]->n_frames);
    }
    NOD_ASSERT(missing == nod_findings_has(&k->findings, NOD_FINDING_MISSING_PHASE));
    for (int64_t i = 1; i < k->n_slices; i++)
        NOD_ASSERT(k->along_mm[i] > k->along_mm[i - 1]);
}

/* The header COPIES times, each a step further, with places and tags changed by the last bytes. */
static void build(const nod_dicom_header *h, const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_header copies[COPIES];
    const nod_dicom_header *list[COPIES];
    nod_dicom_stacks stacks = {0};
    size_t bytes = (size_t)h->n_frames * sizeof *h->frames;
    nod_dicom_frame *frames = nod_calloc(COPIES, bytes);
    if (frames == NULL) return;
    for (size_t c = 0; c < COPIES; c++) {
        uint8_t knob = data[size - 1 - c];
        copies[c] = *h;
        copies[c].frames = frames + c * (size_t)h->n_frames;
        list[c] = &copies[c];
        memcpy(copies[c].frames, h->frames, bytes);
        for (int32_t i = 0; i < h->n_frames; i++) {
            nod_dicom_frame *f = &copies[c].frames[i];
            f->position_mm[knob & 3 ? 2 : 1] += knob & 4 ? (double)c : knob >> 3;
            if (knob & 8) f->temporal_position = (int32_t)c % 3;
            if (knob & 16) f->trigger_time_ms = knob;
        }
    }
    if (nod_dicom_stacks_build(list, COPIES, &stacks, &err) == 0)
        for (size_t i = 0; i < stacks.n; i++)
            check_stack(&stacks.items[i], list);
    nod_dicom_stacks_done(&stacks);
    nod_free(frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *file = NULL;
    nod_dicom_header h;
    if (size < COPIES) return 0;
    if (nod_dicom_file_open_memory(data, size, "fuzz.dcm", NOD_DICOM_HEADER, &file, &err) != 0)
        return 0;
    nod_dicom_header_clear(&h);
    if (nod_dicom_header_read(file, &h, &err) == 0) {
        check_header(&h);
        if (h.is_image && h.n_frames <= MAX_FRAMES) build(&h, data, size);
    } else {
        NOD_ASSERT(strstr(err.message, "fuzz.dcm") != NULL);
    }
    nod_dicom_header_done(&h);
    nod_dicom_file_close(file);
    return 0;
}
