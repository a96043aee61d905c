/* deid_dates.c: see deid_dates.h. */
#include "imaging/dicom/deid_dates.h"

#include <ctype.h>
#include <string.h>

#include "base/calendar.h"

#define VALUE_MAX 32 /* DT has 26 characters */

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

static bool move(nod_date *d, int days)
{
    int moved = nod_date_to_days(*d) + days;
    if (!nod_date_exists(*d) || moved < 366) return false;
    *d = nod_date_from_days(moved);
    return d->year <= 9999;
}

static bool move_date(const char *s, int days, nod_strbuf *out)
{
    int n = (int)strlen(s), gap = n == 10 ? 1 : 0; /* 1993.08.22 */
    if (n == 0) return true;
    if (n != 8 && (n != 10 || s[4] != '.' || s[7] != '.')) return false;
    nod_date d = {number(s, 4), number(s + 4 + gap, 2), number(s + 6 + 2 * gap, 2)};
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
    nod_date d = {number(s, 4), digits >= 6 ? number(s + 4, 2) : 7,
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
