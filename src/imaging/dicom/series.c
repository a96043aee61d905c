/* series.c: one stack of a scan: its files, and whether it may be used. */
#include "imaging/dicom/series.h"

#include <string.h>

const nod_dicom_header *nod_dicom_stack_header(const nod_dicom_scan *scan, size_t i_series,
                                               size_t i_stack)
{
    const nod_dicom_series *series = &scan->series[i_series];
    const nod_dicom_stack *k = &series->stacks.items[i_stack];
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++)
        if (k->slices[i].file != NOD_DICOM_NO_FILE)
            return &scan->entries[series->first + k->slices[i].file].header;
    return &scan->entries[series->first].header; /* a stack has at least one slice */
}

int nod_dicom_stack_files(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                          nod_strlist *out, nod_error *err)
{
    const nod_dicom_series *series = &scan->series[i_series];
    const nod_dicom_stack *k = &series->stacks.items[i_stack];
    uint32_t last = NOD_DICOM_NO_FILE;
    for (int64_t i = 0; i < k->n_slices * k->n_phases; i++) {
        uint32_t file = k->slices[i].file;
        if (file == NOD_DICOM_NO_FILE || file == last) continue;
        const char *name = scan->entries[series->first + file].name;
        last = file;
        /* Frames of several files may alternate; then a name may already be there. */
        if (series->n < (size_t)(k->n_slices * k->n_phases) && nod_strlist_find(out, name) >= 0)
            continue;
        if (!nod_strlist_add(out, name))
            return nod_fail_memory(err, "file names", strlen(name));
    }
    return 0;
}

static int judge_all(const nod_findings *from, const nod_policies *policies, const char *name,
                     nod_findings *to, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < from->n; i++)
        rc = nod_policies_judge(policies, to, name, from->items[i].kind, from->items[i].detail,
                                err);
    return rc;
}

int nod_dicom_stack_judge(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                          const nod_policies *policies, const char *name,
                          nod_findings *findings, nod_error *err)
{
    const nod_dicom_stacks *stacks = &scan->series[i_series].stacks;
    const nod_dicom_stack *k = &stacks->items[i_stack];
    int rc = k->projection ? 0 : judge_all(&stacks->findings, policies, name, findings, err);
    return rc ? rc : judge_all(&k->findings, policies, name, findings, err);
}
