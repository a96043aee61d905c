/* number.c: strict reading of numbers, and writing them for files and for people (text.h).
 *
 * The grammar is checked by hand before strtod is called, since strtod also takes spaces,
 * "inf", "nan", hexadecimal, and the decimal comma of the program's locale. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *s)
{
    while (is_digit(*s))
        s++;
    return s;
}

bool nod_parse_u64(const char *s, uint64_t *out)
{
    if (*s == '+') s++;
    if (!is_digit(*s) || *skip_digits(s) != '\0') return false;
    uint64_t v = 0;
    for (; *s != '\0'; s++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return false;
    *out = v;
    return true;
}

bool nod_parse_i64(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t magnitude;
    if (negative && !is_digit(s[1])) return false;
    if (!nod_parse_u64(s + (negative ? 1 : 0), &magnitude)) return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point. */
static bool is_decimal(const char *s)
{
    if (*s == '+' || *s == '-') s++;
    const char *end = skip_digits(s);
    bool any = end > s;
    if (*end == '.') {
        s = end + 1;
        end = skip_digits(s);
        any = any || end > s;
    }
    if (!any) return false;
    if (*end == 'e' || *end == 'E') {
        s = end + 1;
        if (*s == '+' || *s == '-') s++;
        end = skip_digits(s);
        if (end == s) return false;
    }
    return *end == '\0';
}

bool nod_parse_f64(const char *s, double *out)
{
    if (!is_decimal(s)) return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double v = strtod_l(s, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(v)) return false;
    *out = v;
    return true;
}

bool nod_parse_bool(const char *s, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},
                 {"false", false}, {"no", false}, {"off", false}};
    for (size_t i = 0; i < NOD_COUNT(words); i++)
        if (nod_equal_nocase(s, words[i].word)) {
            *out = words[i].value;
            return true;
        }
    return false;
}

void nod_format_bytes(double bytes, char *out, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    if (!isfinite(bytes)) {
        snprintf(out, size, "? B");
        return;
    }
    /* 1023.7 would be printed as 1024: the next unit's business. */
    while (fabs(bytes) >= 1023.5 && unit + 1 < NOD_COUNT(units)) {
        bytes /= 1024;
        unit++;
    }
    if (unit > 0 && fabs(bytes) < 9.95)
        snprintf(out, size, "%.1f %s", bytes, units[unit]);
    else
        snprintf(out, size, "%.0f %s", bytes, units[unit]);
}

void nod_format_seconds(double seconds, char *out, size_t size)
{
    if (!isfinite(seconds)) {
        snprintf(out, size, "? s");
        return;
    }
    if (seconds < 0) seconds = 0;
    if (seconds < 0.9995) {
        snprintf(out, size, seconds < 0.00995 ? "%.1f ms" : "%.0f ms", seconds * 1000);
    } else if (seconds < 59.95) {
        snprintf(out, size, "%.1f s", seconds);
    } else if (seconds < 3599.5) {
        long s = lround(seconds);
        snprintf(out, size, "%ld min %02ld s", s / 60, s % 60);
    } else if (seconds < 1e12) {
        long min = lround(seconds / 60);
        snprintf(out, size, "%ld h %02ld min", min / 60, min % 60);
    } else {
        snprintf(out, size, "%.0e s", seconds);
    }
}

void nod_format_f64(double v, char *out, size_t size)
{
    if (isnan(v) || isinf(v)) {
        snprintf(out, size, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
        return;
    }
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c_locale);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    uselocale(before);
    freelocale(c_locale);
    snprintf(out, size, "%s", text);
}
