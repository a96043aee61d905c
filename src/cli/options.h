/* options.h: from a verb's option table to argp: parsing, checks, and help. */
#ifndef NOD_CLI_OPTIONS_H
#define NOD_CLI_OPTIONS_H

#include "cli/verb.h"

/* What a command line says to a verb. */
typedef struct nod_parsed {
    void *options;     /* the verb's struct; NULL where it has none */
    const char **args; /* words that are not options */
    size_t n_args;
    bool help, json, dry_run, quiet, show_ids;
    int64_t threads;
    const char *site_key; /* NULL: the usual one */
} nod_parsed;

/* Reads argv[1..] (argv[0] is the verb's name). Errors: EINVAL naming the option or word, with
 * the nearest known option; `out` then still tells whether --json was asked for. */
int nod_options_parse(const nod_verb *verb, int argc, char **argv, nod_parsed *out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_options_done(const nod_verb *verb, nod_parsed *p);

/* The page of `nodule VERB -h`. */
void nod_options_help(const nod_verb *verb, FILE *stream);

#endif
