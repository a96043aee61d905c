/* calendar.c: days are counted in eras of 400 years that begin on a 1 March. */
#include "base/calendar.h"

int nod_date_to_days(nod_date d)
{
    int year = d.month <= 2 ? d.year - 1 : d.year;
    int era = year / 400, in_era = year - era * 400;
    int in_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year;
}

nod_date nod_date_from_days(int days)
{
    int era = days / 146097, in_era = days - era * 146097;
    int year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int in_year = in_era - (365 * year + year / 4 - year / 100);
    int m = (5 * in_year + 2) / 153;
    nod_date d = {.month = m < 10 ? m + 3 : m - 9, .day = in_year - (153 * m + 2) / 5 + 1};
    d.year = year + era * 400 + (d.month <= 2 ? 1 : 0);
    return d;
}

bool nod_date_exists(nod_date d)
{
    if (d.year < 1 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31) return false;
    nod_date again = nod_date_from_days(nod_date_to_days(d));
    return again.year == d.year && again.month == d.month && again.day == d.day;
}
