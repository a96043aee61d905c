/* dicom_case.h: cases of DICOM: which stacks of a tree are one, and what their headers say of them. */
#ifndef NOD_DATA_LAYOUTS_DICOM_CASE_H
#define NOD_DATA_LAYOUTS_DICOM_CASE_H

#include "data/layout.h"
#include "imaging/dicom/series.h"

/* Decides about a stack before it becomes an item: fills label and official part of `item`, and facts
 * that go before those of the header. false: it is left out, and has been counted. */
typedef struct nod_dicom_labeller {
    bool (*take)(void *ctx, const nod_dicom_header *h, nod_item *item);
    void *ctx;
} nod_dicom_labeller;

/* What was met on the way, summed over calls. */
typedef struct nod_dicom_met {
    size_t n_dummies; /* stacks with a patient id that stands for nobody */
} nod_dicom_met;

/* Adds an item for each stack of root/folder that the rules of the options choose, and a problem for
 * each file that cannot be read. `folder` is "" or a folder, a file or a zip archive below the listing's
 * root; `every`: all series of a study. Errors: those of the scan and of the rules. */
int nod_dicom_cases_add(nod_listing *l, const nod_index_options *o, const char *folder,
                        bool every, const nod_dicom_labeller *labeller, nod_dicom_met *met,
                        nod_error *err) NOD_MUST_CHECK;
/* Says what was met. */
void nod_dicom_met_warn(const nod_dicom_met *met, const nod_log *log);

/* Files, ids and facts of an item from one image that a table names below the root: any image file, or a
 * folder, a file or a zip archive of DICOM that holds one series. A patient that the item has already
 * stays. What cannot be read is named all the same: decoding says why. EDATA: several series, a name with
 * '|'. */
int nod_item_set_image(nod_listing *l, const nod_index_options *o, nod_item *item,
                       const char *name, nod_error *err) NOD_MUST_CHECK;

#endif
