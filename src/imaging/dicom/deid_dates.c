/* deid_dates.c: see deid_dates.h. Days are counted in the proleptic Gregorian calendar, in eras of 400
 * years that begin on a 1 March. */
#include "imaging/dicom/deid_dates.h"

#include <ctype.h>
#include <string.h>

#define VALUE_MAX 32 /* DT has 26 characters */

typedef struct date {
    int year, month, day;
} date;

static int days_of(date d)
{
    int year = d.month <= 2 ? d.year - 1 : d.year;
    int era = year / 400, in_era = year - era * 400;
    int in_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year;
}

static date date_of(int days)
{
    int era = days / 146097, in_era = days - era * 146097;
    int year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int in_year = in_era - (365 * year + year / 4 - year / 100);
    int m = (5 * in_year + 2) / 153;
    date d = {.month = m < 10 ? m + 3 : m - 9, .day = in_year - (153 * m + 2) / 5 + 1};
    d.year = year + era * 400 + (d.month <= 2 ? 1 : 0);
    return d;
}

/* n digits as a number, -1 otherwise. */
static int number(const char *s, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i])) return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}

/* The same day must come back: there is no 30 February. */
static bool is_day(date d)
{
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31) return false;
    date again = date_of(days_of(d));
    return again.year == d.year && again.month == d.month && again.day == d.day;
}

static bool move(date *d, int days)
{
    int moved = days_of(*d) + days;
    if (!is_day(*d) || moved < 366) return false;
    *d = date_of(moved);
    return d->year <= 9999;
}

static bool move_date(const char *s, int days, nod_strbuf *out)
{
    int n = (int)strlen(s), gap = n == 10 ? 1 : 0; /* 1993.08.22 */
    if (n == 0) return true;
    if (n != 8 && (n != 10 || s[4] != '.' || s[7] != '.')) return false;
    date d = {number(s, 4), number(s + 4 + gap, 2), number(s + 6 + 2 * gap, 2)};
    if (!move(&d, days)) return false;
    nod_strbuf_printf(out, "%04d%02d%02d", d.year, d.month, d.day);
    return true;
}

/* YYYYMMDDHHMMSS.FFFFFF&ZZXX, cut off anywhere between two fields. */
static bool move_time(const char *s, int days, nod_strbuf *out)
{
    size_t n = strcspn(s, "+-"), digits = strspn(s, "0123456789");
    if (n == 0) return *s == '\0';
    bool has_fraction = digits == 14 && digits < n && s[14] == '.' && n > 15 &&
                        strspn(s + 15, "0123456789") == n - 15 && n <= 21;
    if (digits < 4 || digits > 14 || digits % 2 != 0 || (digits != n && !has_fraction))
        return false;
    if (s[n] != '\0' && (strlen(s + n) != 5 || number(s + n + 1, 4) < 0)) return false;
    date d = {number(s, 4), digits >= 6 ? number(s + 4, 2) : 7,
              digits >= 8   ? number(s + 6, 2)
              : digits >= 6 ? 15
                            : 1};
    if (!move(&d, days)) return false;
    nod_strbuf_printf(out, "%04d", d.year);
    if (digits >= 6) nod_strbuf_printf(out, "%02d", d.month);
    if (digits >= 8) nod_strbuf_printf(out, "%02d", d.day);
    if (digits > 8) nod_strbuf_addn(out, s + 8, n - 8);
    return true;
}

static bool move_each(const char *values, int days, nod_strbuf *out,
                      bool (*move_one)(const char *, int, nod_strbuf *))
{
    for (const char *s = values;;) {
        char one[VALUE_MAX] = {0};
        size_t n = strcspn(s, "\\"), length = n;
        while (length > 0 && s[length - 1] == ' ')
            length--;
        if (length >= sizeof one) return false;
        memcpy(one, s, length);
        one[length] = '\0';
        if (!move_one(one, days, out)) return false;
        if (s[n] == '\0') return true;
        nod_strbuf_addc(out, '\\');
        s += n + 1;
    }
}

bool nod_deid_move_dates(const char *values, int days, nod_strbuf *out)
{
    return move_each(values, days, out, move_date);
}

bool nod_deid_move_times(const char *values, int days, nod_strbuf *out)
{
    return move_each(values, days, out, move_time);
}

bool nod_deid_is_time(const char *values)
{
    return strspn(values, "0123456789:. \\") == strlen(values);
}
