/* deid_terms.h: what a file says of persons, to be looked for where it does not belong.
 *
 * The profile takes away the attributes that hold identifiers. People and devices also write them into
 * others: a name into a protocol, a number into a code's meaning. Gathered from a file's own identifying
 * attributes, they are found there too. */
#ifndef NOD_IMAGING_DICOM_DEID_TERMS_H
#define NOD_IMAGING_DICOM_DEID_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

#define NOD_DEID_NAME_LEAST  3 /* bytes of a part of a name */
#define NOD_DEID_ID_LEAST    3 /* bytes of an id; one of digits alone needs one more */
#define NOD_DEID_BYTES_LEAST 5 /* bytes of what is looked for in binary values */

typedef struct nod_deid_terms {
    nod_strlist parts;   /* of names: "DOE", "JOHN" */
    nod_strlist words;   /* dates, UIDs, addresses, as a whole */
    nod_strlist numbers; /* ids of patients and visits */
    nod_strlist places;  /* names of institutions */
} nod_deid_terms;

void nod_deid_terms_done(nod_deid_terms *t);
/* The parts of each value of a PN (PS3.5 6.2.1.1). What is too short to be told from other words is
 * left out, here and below. */
int nod_deid_terms_add_name(nod_deid_terms *t, const char *value,
                            nod_error *err) NOD_MUST_CHECK;
/* Each value, joined by '\'. */
int nod_deid_terms_add_words(nod_deid_terms *t, const char *value,
                             nod_error *err) NOD_MUST_CHECK;
int nod_deid_terms_add_numbers(nod_deid_terms *t, const char *value,
                               nod_error *err) NOD_MUST_CHECK;
int nod_deid_terms_add_places(nod_deid_terms *t, const char *value,
                              nod_error *err) NOD_MUST_CHECK;

/* How sure a match has to be. */
typedef enum nod_deid_match {
    /* Free text: any part of a name, word, number or place. */
    NOD_DEID_TEXT,
    /* What a device is: the same without places, which are called as its maker at his own site. */
    NOD_DEID_DEVICE,
    /* Codes, where parts of names are also words (HEAD, HAND): two of them, or any other. */
    NOD_DEID_CODE,
    /* Numbers: a number of six digits or more. */
    NOD_DEID_NUMBER
} nod_deid_match;

/* Whether one of the terms stands in the text as a word of its own, letter case ignored. */
bool nod_deid_terms_match(const nod_deid_terms *t, const char *text, nod_deid_match match);
/* Whether one of at least NOD_DEID_BYTES_LEAST bytes stands in these. */
bool nod_deid_terms_match_bytes(const nod_deid_terms *t, const uint8_t *bytes, size_t n);

#endif
