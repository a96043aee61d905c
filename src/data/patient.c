/* patient.c: dummy ids. */
#include "data/patient.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"

/* Compared without case and without what is no letter or digit: "De-Identified", "N/A". */
static const char *const words[] = {
    "",
    "na",
    "nan",
    "nil",
    "none",
    "null",
    "anon",
    "anonym",
    "anonymous",
    "anonymized",
    "anonymised",
    "anonymouspatient",
    "unknown",
    "unk",
    "undefined",
    "unnamed",
    "noname",
    "noid",
    "nopatientid",
    "missing",
    "removed",
    "deleted",
    "blank",
    "empty",
    "redacted",
    "hidden",
    "masked",
    "confidential",
    "deidentified",
    "deid",
    "default",
    "test",
    "testpatient",
    "patient",
    "patientid",
    "subject",
    "dummy",
    "johndoe",
    "janedoe",
    "doejohn",
    "doejane",
    "phantom",
};

/* Letters and digits in lower case; false: longer than any word. Bytes above ASCII are kept. */
static bool squeeze(const char *id, char *out, size_t size)
{
    size_t n = 0;
    for (; *id; id++) {
        unsigned char u = (unsigned char)*id;
        if (u < 0x80 && !isalnum(u)) continue;
        if (n + 1 >= size) return false;
        out[n++] = (char)(u < 0x80 ? tolower(u) : u);
    }
    out[n] = '\0';
    return true;
}

/* 0, 0000, 99999, XXX; but 11 and 222 may be numbers of patients. */
static bool is_repeated(const char *s)
{
    size_t n = strlen(s);
    if (strspn(s, (char[]){s[0], '\0'}) != n) return false;
    return s[0] == '0' || n >= (isdigit((unsigned char)s[0]) ? 4 : 3);
}

/* 1234, 0123456, 1234567890: each digit one more than the last (9 goes to 0). */
static bool counts_up(const char *s)
{
    size_t n = strlen(s);
    if (n < 4 || (s[0] != '0' && s[0] != '1')) return false;
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)s[i]) ||
            (i > 0 && (s[i] - '0') != (s[i - 1] - '0' + 1) % 10))
            return false;
    return true;
}

bool nod_patient_is_dummy(const char *key, bool written_by_machine)
{
    char id[64];
    const char *bar = strrchr(key, NOD_PATIENT_SEPARATOR);
    if (!squeeze(bar ? bar + 1 : key, id, sizeof id)) return false;
    for (size_t i = 0; i < NOD_COUNT(words); i++)
        if (strcmp(id, words[i]) == 0) return true;
    return written_by_machine && (is_repeated(id) || counts_up(id));
}

void nod_patient_add_key(nod_strbuf *out, const char *issuer, const char *id)
{
    if (*issuer) nod_strbuf_printf(out, "%s%c", issuer, NOD_PATIENT_SEPARATOR);
    nod_strbuf_add(out, id);
}
