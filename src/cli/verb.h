/* verb.h: what a verb of the program is: one descriptor, written as data.
 *
 * To add the verb "index": write src/cli/cmd_index.c, which defines `const nod_verb
 * nod_verb_index`, and one line in the list in verbs.c. Help, parsing, range checks, --json,
 * --dry-run, --threads, the error line and the exit code come from here:
 *
 *     typedef struct index_options { const char *out; int64_t seed; } index_options;
 *     static const index_options defaults = {.out = "cohort.csv"};
 *     static const nod_option options[] = {
 *         NOD_OPTION_TEXT(index_options, out, "output", 'o', "FILE", "write the cohort here"),
 *         NOD_OPTION_INT(index_options, seed, "seed", 0, "N", "seed", 0, INT32_MAX),
 *         NOD_OPTION_END};
 *     static int run(nod_cli *cli, const void *options_void, nod_error *err) { ... }
 */
#ifndef NOD_CLI_VERB_H
#define NOD_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/console.h"

typedef enum nod_option_type {
    NOD_OPTION_IS_FLAG,   /* bool: given or not */
    NOD_OPTION_IS_TEXT,   /* const char *, borrowed from argv */
    NOD_OPTION_IS_INT,    /* int64_t in min..max */
    NOD_OPTION_IS_REAL,   /* double in min..max */
    NOD_OPTION_IS_CHOICE, /* int: index into choices */
    NOD_OPTION_IS_LIST    /* nod_strlist: one item each time the option is given */
} nod_option_type;

typedef struct nod_option {
    const char *name; /* long form without dashes; NULL ends the table */
    char letter;      /* short form, or 0; 'h' and 'q' are taken */
    nod_option_type type;
    const char *arg; /* what help calls the value; NULL for a flag */
    size_t offset;   /* of the field in the verb's option struct */
    const char *help;
    double min, max;            /* numbers only, both included */
    const char *const *choices; /* NULL-terminated; CHOICE only */
} nod_option;

/* Offset of a field; does not compile where the field has another type. */
/* NOLINTBEGIN(bugprone-macro-parentheses): S is a type */
#define NOD_OPTION_FIELD(S, field, T) \
    (offsetof(S, field) + 0 * sizeof(char[_Generic(((S *)0)->field, T : 1)]))
/* NOLINTEND(bugprone-macro-parentheses) */

#define NOD_OPTION_FLAG(S, field, name, letter, help)                                         \
    {                                                                                         \
        name, letter, NOD_OPTION_IS_FLAG, NULL, NOD_OPTION_FIELD(S, field, bool), help, 0, 0, \
            NULL                                                                              \
    }
#define NOD_OPTION_TEXT(S, field, name, letter, arg, help)                                     \
    {                                                                                          \
        name, letter, NOD_OPTION_IS_TEXT, arg, NOD_OPTION_FIELD(S, field, const char *), help, \
            0, 0, NULL                                                                         \
    }
#define NOD_OPTION_INT(S, field, name, letter, arg, help, min, max)                      \
    {                                                                                    \
        name, letter, NOD_OPTION_IS_INT, arg, NOD_OPTION_FIELD(S, field, int64_t), help, \
            (double)(min), (double)(max), NULL                                           \
    }
#define NOD_OPTION_REAL(S, field, name, letter, arg, help, min, max)                          \
    {                                                                                         \
        name, letter, NOD_OPTION_IS_REAL, arg, NOD_OPTION_FIELD(S, field, double), help, min, \
            max, NULL                                                                         \
    }
#define NOD_OPTION_CHOICE(S, field, name, letter, arg, help, choices)                         \
    {                                                                                         \
        name, letter, NOD_OPTION_IS_CHOICE, arg, NOD_OPTION_FIELD(S, field, int), help, 0, 0, \
            choices                                                                           \
    }
#define NOD_OPTION_LIST(S, field, name, letter, arg, help)                                    \
    {                                                                                         \
        name, letter, NOD_OPTION_IS_LIST, arg, NOD_OPTION_FIELD(S, field, nod_strlist), help, \
            0, 0, NULL                                                                        \
    }
#define NOD_OPTION_END                                         \
    {                                                          \
        NULL, 0, NOD_OPTION_IS_FLAG, NULL, 0, NULL, 0, 0, NULL \
    }

/* What a run of the program hands to its verb. Everything is borrowed. */
typedef struct nod_cli {
    const struct nod_verb *verb;
    int argc; /* the whole command line, for provenance */
    char *const *argv;
    const char *const *args; /* words that are not options */
    size_t n_args;
    bool json, dry_run;   /* only where the verb takes them, as the next two */
    bool show_ids;        /* else nobody is named: docs/privacy.md */
    const char *site_key; /* file; NULL: the usual one (cli/site_key.h) */
    int threads;          /* 0: all that are available; already set as the budget */
    FILE *out;            /* results; words for a person go to the console */
    nod_console *console;
    const nod_log *log; /* lines of library code; ends up on the console */
} nod_cli;

/* Common options a verb takes besides -h and -q. */
enum {
    NOD_TAKES_JSON = 1,
    NOD_TAKES_DRY_RUN = 2,
    NOD_TAKES_THREADS = 4,
    NOD_TAKES_SHOW_IDS = 8,
    NOD_TAKES_SITE_KEY = 16
};

typedef struct nod_verb {
    const char *name;
    const char *summary; /* one line, no capital, no full stop */
    const char *args;    /* "COHORT.csv", "RUN..."; "" for none */
    int min_args;
    int max_args;         /* -1: any number */
    const char *about;    /* what help says before the options */
    const char *examples; /* lines, each a command; help shows them last */
    unsigned takes;       /* NOD_TAKES_* */
    const nod_option *options;
    const void *defaults; /* option struct to start from; NULL where there are no options */
    size_t options_size;
    int (*run)(nod_cli *cli, const void *options, nod_error *err);
} nod_verb;

/* verbs.c: the table, in the order of `nodule help`; NULL at the end. */
const nod_verb *nod_verb_at(size_t i);
const nod_verb *nod_verb_find(const char *name);
/* NOD_EINVAL: "unknown verb 'trian': did you mean 'train'?" */
int nod_verb_fail_unknown(const char *name, nod_error *err);

/* Writes the value to cli->out, indented, with a newline; frees it. */
int nod_cli_put_json(nod_cli *cli, nod_json *value_take, nod_error *err) NOD_MUST_CHECK;
/* The command line for provenance, as one string that a shell would take again, but that paths are their
 * last names: artefacts do not say in which folders data lie. Reasons stay as they were given. */
void nod_cli_command_text(const nod_cli *cli, nod_strbuf *out);
/* Takes the path of an image that the command line gave, and what lies below it, out of an error:
 * it becomes `shown` ("input 3", or "": hide.h). With --show-ids it stays. */
void nod_cli_hide_input(const nod_cli *cli, const char *path, const char *shown,
                        nod_error *err);

#endif
