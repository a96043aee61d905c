/* hide.h: names of files taken out of messages.
 *
 * Readers name the file that they fail on, as whoever opens one file wants it. Names of files and
 * folders in a hospital are often those of patients, so what goes on to a log or to a person names the
 * case instead (docs/privacy.md): the one place where a case's path is known takes it out of the
 * message, with everything below it. */
#ifndef NOD_BASE_HIDE_H
#define NOD_BASE_HIDE_H

#include "base/error.h"

/* Replaces `path` wherever it stands in the message as a name or the beginning of one: with what
 * follows it below ("/sub/a.dcm", "!/a.dcm", up to a quote, ": ", "; " or the end) it becomes
 * `shown`. Where `shown` is "", a "PATH: " that begins the message or follows another ": " goes
 * without a trace, and any other place becomes "the file". A name that the end of the message cut
 * off is found too. */
void nod_error_hide(nod_error *err, const char *path, const char *shown);
/* Keeps `path` and replaces what follows it below: "/d/SMITH/1.dcm: cut off" becomes
 * "/d/...: cut off" for "/d". Files there that are called as one of `kept` (NULL-terminated; or NULL)
 * stay, as "/d/dataset.json:3" does for "dataset.json". */
void nod_error_hide_below(nod_error *err, const char *path, const char *const *kept);

#endif
