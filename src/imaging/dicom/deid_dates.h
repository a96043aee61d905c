/* deid_dates.h: dates moved by whole days, so that intervals stay and the calendar does not.
 * Source: PS3.5 6.2, VRs DA, DT and TM. */
#ifndef NOD_IMAGING_DICOM_DEID_DATES_H
#define NOD_IMAGING_DICOM_DEID_DATES_H

#include <stdbool.h>

#include "base/text.h"

/* Adds the values of a DA (also in its old form, 1993.08.22), moved, to `out`; false: one of them is no
 * date, or the moved one has no four digits for its year. */
bool nod_deid_move_dates(const char *values, int days, nod_strbuf *out);
/* The same for a DT. Its offset from UTC, which says where, is left out; of one without a day the middle
 * of its month or year is moved. */
bool nod_deid_move_times(const char *values, int days, nod_strbuf *out);
/* Whether this is a TM: digits, colons, a point; nothing else could hide in it. */
bool nod_deid_is_time(const char *values);

#endif
