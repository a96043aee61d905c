/* audit.h: what `nodule split` found out about shortcuts: how well the label of the training part can
 * be told from metadata alone (eval/shortcut.h computes it). Stored in split.json, and said with every
 * result where it is notable. */
#ifndef NOD_DATA_AUDIT_H
#define NOD_DATA_AUDIT_H

#include "base/json.h"

#define NOD_AUDIT_FACTORS 32
#define NOD_AUDIT_NOTABLE 0.55 /* of the interval's lower end: above it every result says so */

typedef struct nod_audit_factor {
    char name[32]; /* "size", "site" ... */
    double alone;  /* AUC by it alone */
    double fall;   /* of the AUC when its values are shuffled */
} nod_audit_factor;

/* Numbers are kept to four decimals: the split's hash is not to depend on the last bits of a library. */
typedef struct nod_audit {
    size_t images, groups; /* looked at */
    double auc, lo, hi;    /* 95 % interval; each NaN where it is not estimable */
    char method[48];       /* of the interval, or why there is none */
    size_t n_factors;      /* that differ between cases, most telling first */
    nod_audit_factor factors[NOD_AUDIT_FACTORS];
} nod_audit;

bool nod_audit_is_notable(const nod_audit *a);
nod_json *nod_audit_to_json(const nod_audit *a);
int nod_audit_from_json(const nod_json *j, const char *where, nod_audit *out,
                        nod_error *err) NOD_MUST_CHECK;
/* A table for people; and one sentence for where results are shown, without a stop. */
void nod_audit_add_text(const nod_audit *a, nod_strbuf *out);
void nod_audit_add_note(const nod_audit *a, nod_strbuf *out);

#endif
