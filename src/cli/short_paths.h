/* short_paths.h: the last thing that is done to a line for a person: folders that nobody typed go.
 *
 * The program finds cohorts, splits, ledgers and caches by absolute paths that the command line did not
 * name; the folders in them may be a patient's, and say nothing that is needed: "/data/SMITH/cohort.csv"
 * becomes ".../cohort.csv". What was typed stays as it was typed. */
#ifndef NOD_CLI_SHORT_PATHS_H
#define NOD_CLI_SHORT_PATHS_H

#include "base/text.h"

/* Adds the line with its absolute paths shortened, but for those that begin with a word of the command
 * line. A path ends at a quote, ": ", "; " or the line's end. */
void nod_short_paths(const char *line, int argc, char *const *argv, nod_strbuf *out);

#endif
