/* fact.h: what is known of a case besides its pixels: where, with what and of whom it was made.
 *
 * One table. Each fact is a column of the cohort (docs/formats/cohort.md) and of the tables that
 * layouts read. Split, metrics by group and the shortcut audit ask the table what a fact is for. */
#ifndef NOD_DATA_FACT_H
#define NOD_DATA_FACT_H

#include <stdbool.h>

#include "base/error.h"

typedef enum nod_fact {
    NOD_FACT_SITE,   /* InstitutionName */
    NOD_FACT_VENDOR, /* Manufacturer */
    NOD_FACT_MODEL,  /* ManufacturerModelName */
    NOD_FACT_SEX,    /* "M", "F", "O" */
    NOD_FACT_AGE,    /* years */
    NOD_FACT_DATE,   /* of the study, "2024-01-31" */
    NOD_FACT_KVP,    /* kilovolts */
    NOD_FACT_FIELD,  /* tesla */
    NOD_FACT_VIEW,   /* "CC", "MLO", "PA" ... */
    NOD_FACT_SIDE,   /* "L", "R", "B" */
    NOD_FACT_FORMAT, /* of the file: "PNG", "JPEG", "DICOM", "NumPy" ... */
    NOD_FACTS
} nod_fact;

typedef enum nod_fact_kind { NOD_FACT_CATEGORY, NOD_FACT_NUMBER, NOD_FACT_DAY } nod_fact_kind;

typedef struct nod_fact_info {
    const char *name; /* the column's */
    nod_fact_kind kind;
    bool phi;     /* health information of a person: the cohort says that it holds such */
    bool grouped; /* metrics are given by it */
    bool audited; /* a network could read it off the image instead of the disease */
} nod_fact_info;

const nod_fact_info *nod_fact_get_info(nod_fact f);
int nod_fact_from_name(const char *name); /* -1: not a fact */

/* Whether `text` is a value: EINVAL says what it may be. "" always is: unknown. */
int nod_fact_check(nod_fact f, const char *text, nod_error *err) NOD_MUST_CHECK;
/* The value of a number, days since 1970-01-01 of a date; NaN where unknown or a category. */
double nod_fact_number(nod_fact f, const char *text);

#endif
