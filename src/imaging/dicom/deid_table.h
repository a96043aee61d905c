/* deid_table.h: what the standard's Basic Application Level Confidentiality Profile does to each
 * attribute. Source: DICOM PS3.15, edition 2024e, Table E.1-1, columns "Basic Prof." and "Rtn. Long.
 * Modif. Dates Opt."; rows by tools/oracles/deid_table.py. */
#ifndef NOD_IMAGING_DICOM_DEID_TABLE_H
#define NOD_IMAGING_DICOM_DEID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The codes of E.1.1. Where several stand, the standard lets the type of the attribute in the object
 * decide: removed, else empty, else a dummy. */
typedef enum nod_deid_code {
    NOD_DEID_X, /* removed */
    NOD_DEID_Z, /* empty, or a dummy */
    NOD_DEID_D, /* a dummy */
    NOD_DEID_U, /* another UID, the same one everywhere */
    NOD_DEID_ZD,
    NOD_DEID_XZ,
    NOD_DEID_XD,
    NOD_DEID_XZD,
    NOD_DEID_XZU /* a sequence of references: removed, empty, or with other UIDs */
} nod_deid_code;

typedef struct nod_deid_row {
    uint32_t tag; /* group << 16 | element */
    nod_deid_code code;
    bool dates; /* the option for modified dates cleans it instead ("C") */
} nod_deid_row;

/* The row of an attribute, or NULL. */
const nod_deid_row *nod_deid_row_find(uint32_t tag);
/* Row i, sorted by tag; NULL at the end. */
const nod_deid_row *nod_deid_row_get(size_t i);

#endif
