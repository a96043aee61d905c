/* person.c: digests, days and ages. */
#include "imaging/dicom/person.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

#define DIGITS      16
#define DAYS_A_YEAR 365.2425

typedef struct date {
    char digits[9];
    int year, month, day;
} date;

/* False: it is no date. */
static bool take_date(const char *da, date *out)
{
    char *d = out->digits;
    size_t n = 0;
    for (; *da && n < 8; da++) {
        if (*da == '.' || *da == '-') continue;
        if (!isdigit((unsigned char)*da)) return false;
        d[n++] = *da;
    }
    if (n != 8 || *da != '\0') return false;
    d[n] = '\0';
    out->year = (d[0] - '0') * 1000 + (d[1] - '0') * 100 + (d[2] - '0') * 10 + (d[3] - '0');
    out->month = (d[4] - '0') * 10 + (d[5] - '0');
    out->day = (d[6] - '0') * 10 + (d[7] - '0');
    return out->year >= 1800 && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= 31;
}

void nod_dicom_day(const char *da, char out[11])
{
    date d;
    out[0] = '\0';
    if (take_date(da, &d))
        snprintf(out, 11, "%.4s-%.2s-%.2s", d.digits, d.digits + 4, d.digits + 6);
}

/* In months, rounded down: as people count years, and finer where children are meant. */
static double years_between(const char *from, const char *to)
{
    date a, b;
    if (!take_date(from, &a) || !take_date(to, &b)) return NAN;
    int months = (b.year - a.year) * 12 + b.month - a.month - (b.day < a.day);
    return months >= 0 && months <= 130 * 12 ? months / 12.0 : NAN;
}

double nod_dicom_age(const char *as, const char *birth_date, const char *study_date)
{
    char unit = '\0', rest;
    unsigned n = 0;
    if (sscanf(as, "%3u%c%c", &n, &unit, &rest) == 2 && n <= 999) {
        if (unit == 'Y' && n <= 130) return n;
        if (unit == 'M') return n / 12.0;
        if (unit == 'W') return n * 7 / DAYS_A_YEAR;
        if (unit == 'D') return n / DAYS_A_YEAR;
    }
    return years_between(birth_date, study_date);
}

/* Letters in upper case; what separates words and components as one space. */
static size_t add_name(const char *name, char *out, size_t size)
{
    size_t n = 0;
    bool gap = false;
    for (; *name && n + 2 < size; name++) {
        unsigned char u = (unsigned char)*name;
        if (u < 0x80 && !isalnum(u)) {
            gap = n > 0;
            continue;
        }
        if (gap) out[n++] = ' ';
        gap = false;
        out[n++] = (char)(u < 0x80 ? toupper(u) : u);
    }
    out[n] = '\0';
    return n;
}

static bool is_nobody(const char *name)
{
    static const char *const words[] = {"ANON",    "UNKNOWN", "REMOVED", "NO NAME",
                                        "PATIENT", "DEIDENT", "TEST"};
    for (size_t i = 0; i < NOD_COUNT(words); i++)
        if (strncmp(name, words[i], strlen(words[i])) == 0) return true;
    return false;
}

void nod_dicom_person(const char *name, const char *birth_date, const char *sex, char *out,
                      size_t size)
{
    char text[400], hash[NOD_SHA256_HEX], day[11];
    nod_error ignored = NOD_ERROR_INIT;
    out[0] = '\0';
    nod_dicom_day(birth_date, day);
    size_t n = add_name(name, text, 256);
    if (n == 0 || !*day || !*sex || is_nobody(text)) return;
    n += (size_t)snprintf(text + n, sizeof text - n, "|%s|%.16s", day, sex);
    if (nod_sha256_of(text, n, hash, &ignored) != 0) return;
    hash[DIGITS] = '\0';
    snprintf(out, size, "%s", hash);
}
