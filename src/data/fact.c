/* fact.c: the table of facts, and what their values may be. */
#include "data/fact.h"

#include <math.h>
#include <string.h>

#include "base/calendar.h"
#include "base/text.h"

#define TEXT_MAX 256
#define AGE_MAX  130

static const nod_fact_info table[NOD_FACTS] = {
    [NOD_FACT_SITE] = {"site", NOD_FACT_CATEGORY, .grouped = true, .audited = true},
    [NOD_FACT_VENDOR] = {"vendor", NOD_FACT_CATEGORY, .grouped = true, .audited = true},
    [NOD_FACT_MODEL] = {"model", NOD_FACT_CATEGORY, .audited = true},
    [NOD_FACT_SEX] = {"sex", NOD_FACT_CATEGORY, .phi = true, .grouped = true},
    [NOD_FACT_AGE] = {"age", NOD_FACT_NUMBER, .phi = true, .grouped = true},
    [NOD_FACT_DATE] = {"date", NOD_FACT_DAY, .phi = true},
    [NOD_FACT_KVP] = {"kvp", NOD_FACT_NUMBER, .audited = true},
    [NOD_FACT_FIELD] = {"field", NOD_FACT_NUMBER, .audited = true},
    [NOD_FACT_VIEW] = {"view", NOD_FACT_CATEGORY, .audited = true},
    [NOD_FACT_SIDE] = {"side", NOD_FACT_CATEGORY, .audited = true},
    [NOD_FACT_FORMAT] = {"format", NOD_FACT_CATEGORY, .audited = true},
};

const nod_fact_info *nod_fact_get_info(nod_fact f)
{
    return &table[f];
}

int nod_fact_from_name(const char *name)
{
    for (int f = 0; f < NOD_FACTS; f++)
        if (strcmp(table[f].name, name) == 0) return f;
    return -1;
}

/* Days since 1970-01-01 in the Gregorian calendar; false: no such day. */
static bool parse_day(const char *text, int64_t *out)
{
    static const nod_date epoch = {1970, 1, 1};
    int part[3] = {0};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
    for (int i = 0; i < 10; i++) {
        if (i == 4 || i == 7) continue;
        if (text[i] < '0' || text[i] > '9') return false;
        int *p = &part[i < 4 ? 0 : i < 7 ? 1 : 2];
        *p = *p * 10 + (text[i] - '0');
    }
    const nod_date d = {part[0], part[1], part[2]};
    if (!nod_date_exists(d)) return false;
    *out = nod_date_to_days(d) - nod_date_to_days(epoch);
    return true;
}

int nod_fact_check(nod_fact f, const char *text, nod_error *err)
{
    const char *name = table[f].name;
    double v = 0;
    int64_t day;
    if (*text == '\0') return 0;
    if (strlen(text) > TEXT_MAX || strpbrk(text, "\r\n"))
        return nod_fail(err, NOD_EINVAL, "%s: more than %d bytes, or a line break", name,
                        TEXT_MAX);
    if (f == NOD_FACT_SEX && (strlen(text) != 1 || !strchr("MFO", *text)))
        return nod_fail(err, NOD_EINVAL, "%s: a value is not M, F or O", name);
    if (f == NOD_FACT_SIDE && (strlen(text) != 1 || !strchr("LRB", *text)))
        return nod_fail(err, NOD_EINVAL, "%s: a value is not L, R or B", name);
    if (table[f].kind == NOD_FACT_NUMBER && (!nod_parse_f64(text, &v) || v < 0))
        return nod_fail(err, NOD_EINVAL, "%s: a value is not a number from 0", name);
    if (f == NOD_FACT_AGE && v > AGE_MAX)
        return nod_fail(err, NOD_EINVAL, "%s: a value is above %d years", name, AGE_MAX);
    if (table[f].kind == NOD_FACT_DAY && !parse_day(text, &day))
        return nod_fail(err, NOD_EINVAL, "%s: a value is not a day such as 2024-01-31", name);
    return 0;
}

double nod_fact_number(nod_fact f, const char *text)
{
    double v = NAN;
    int64_t day;
    if (table[f].kind == NOD_FACT_DAY) return parse_day(text, &day) ? (double)day : NAN;
    if (table[f].kind == NOD_FACT_NUMBER && nod_parse_f64(text, &v)) return v;
    return NAN;
}
