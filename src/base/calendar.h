/* calendar.h: days of the proleptic Gregorian calendar as numbers. */
#ifndef NOD_BASE_CALENDAR_H
#define NOD_BASE_CALENDAR_H

#include <stdbool.h>

typedef struct nod_date {
    int year, month, day; /* 1.., 1 to 12, 1 to 31 */
} nod_date;

/* Days since 0000-03-01; only their differences mean something. */
int nod_date_to_days(nod_date d);
nod_date nod_date_from_days(int days);
/* Whether there is such a day: there is no 30 February. */
bool nod_date_exists(nod_date d);

#endif
