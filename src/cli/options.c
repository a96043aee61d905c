/* options.c: see options.h.
 *
 * A verb's table and the common options become one argp_option array. argp parses in order and
 * silently; where it stops at a word that it does not know, the place it had reached says which
 * word that was, and the message is made here. */
#include "cli/options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MAX_OPTIONS  48  /* of one verb with the common ones; asserted */
#define KEY_OF_INDEX 256 /* options without a letter: this + index */
#define HELP_COLUMNS 79  /* argp's width too */

static const nod_option common_options[] = {
    NOD_OPTION_FLAG(nod_parsed, json, "json", 0, "the result as JSON on standard output"),
    NOD_OPTION_FLAG(nod_parsed, dry_run, "dry-run", 0,
                    "say what would be done, how long, with how much memory"),
    NOD_OPTION_INT(nod_parsed, threads, "threads", 0, "N",
                   "threads in all (default: as many as this process may use)", 1, 4096),
    NOD_OPTION_FLAG(nod_parsed, show_ids, "show-ids", 0,
                    "say ids of patients, UIDs, and names of files and folders as they are"),
    NOD_OPTION_TEXT(nod_parsed, site_key, "site-key", 0, "FILE",
                    "patients are shown by names made with this key (default: site.key in "
                    "your folder of settings)"),
    NOD_OPTION_FLAG(nod_parsed, quiet, "quiet", 'q', "warnings and errors only"),
    NOD_OPTION_FLAG(nod_parsed, help, "help", 'h', "this page"),
};
/* Which bit of verb->takes lets a common option in; 0: always there. */
static const unsigned common_needs[NOD_COUNT(common_options)] = {NOD_TAKES_JSON,
                                                                 NOD_TAKES_DRY_RUN,
                                                                 NOD_TAKES_THREADS,
                                                                 NOD_TAKES_SHOW_IDS,
                                                                 NOD_TAKES_SITE_KEY,
                                                                 0,
                                                                 0};

/* One table of all options: [0, n_own) the verb's, then the common ones. */
typedef struct option_set {
    const nod_option *rows[MAX_OPTIONS];
    struct argp_option argp[MAX_OPTIONS + 1];
    size_t n, n_own;
} option_set;

typedef struct parse_state {
    const nod_verb *verb;
    option_set *set;
    nod_parsed *out;
    int next; /* index of the word that argp looks at next */
    nod_error *err;
} parse_state;

static void add_option(option_set *s, const nod_option *o, int group)
{
    NOD_ASSERT(s->n < MAX_OPTIONS);
    s->argp[s->n] = (struct argp_option){
        .name = o->name,
        .key = o->letter != 0 ? o->letter : KEY_OF_INDEX + (int)s->n,
        .arg = o->arg,
        .doc = o->help,
        .group = group,
    };
    s->rows[s->n++] = o;
}

static void collect_options(const nod_verb *verb, option_set *s)
{
    memset(s, 0, sizeof *s);
    for (const nod_option *o = verb->options; o != NULL && o->name != NULL; o++)
        add_option(s, o, 1);
    s->n_own = s->n;
    for (size_t i = 0; i < NOD_COUNT(common_options); i++) {
        if (common_needs[i] == 0 || (verb->takes & common_needs[i]) != 0)
            add_option(s, &common_options[i], 2);
    }
}

/* --- values ------------------------------------------------------------------------------ */

static int fail_range(const nod_option *o, const char *text, nod_error *err)
{
    char min[32], max[32];

    nod_format_f64(o->min, min, sizeof min);
    nod_format_f64(o->max, max, sizeof max);
    return nod_fail(err, NOD_EINVAL, "--%s %s: not in %s .. %s", o->name, text, min, max);
}

static int store_choice(const nod_option *o, const char *text, int *field, nod_error *err)
{
    nod_strbuf all = NOD_STRBUF_INIT;

    for (int i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *field = i;
            nod_strbuf_done(&all);
            return 0;
        }
        nod_strbuf_printf(&all, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    }
    nod_fail(err, NOD_EINVAL, "--%s %s: must be one of %s", o->name, text,
             all.failed ? "?" : all.data);
    nod_strbuf_done(&all);
    return err->code;
}

/* Reads `text` into the field of `base` that the option describes. */
static int store_value(const nod_option *o, const char *text, void *base, nod_error *err)
{
    void *field = (char *)base + o->offset;
    int64_t whole;
    double real;

    switch (o->type) {
    case NOD_OPTION_IS_FLAG:
        *(bool *)field = true;
        return 0;
    case NOD_OPTION_IS_TEXT:
        *(const char **)field = text;
        return 0;
    case NOD_OPTION_IS_INT:
        if (!nod_parse_i64(text, &whole))
            return nod_fail(err, NOD_EINVAL, "--%s %s: not a whole number", o->name, text);
        if ((double)whole < o->min || (double)whole > o->max) return fail_range(o, text, err);
        *(int64_t *)field = whole;
        return 0;
    case NOD_OPTION_IS_REAL:
        if (!nod_parse_f64(text, &real))
            return nod_fail(err, NOD_EINVAL, "--%s %s: not a number", o->name, text);
        if (real < o->min || real > o->max) return fail_range(o, text, err);
        *(double *)field = real;
        return 0;
    case NOD_OPTION_IS_CHOICE:
        return store_choice(o, text, field, err);
    case NOD_OPTION_IS_LIST:
        if (!nod_strlist_add(field, text))
            return nod_fail_memory(err, "the command line", strlen(text));
        return 0;
    }
    return nod_fail(err, NOD_EINTERNAL, "--%s: option of unknown type", o->name);
}

/* --- parsing ----------------------------------------------------------------------------- */

static error_t on_key(int key, char *text, struct argp_state *argp_state)
{
    parse_state *p = argp_state->input;

    if (key == ARGP_KEY_ARG) {
        p->next = argp_state->next;
        p->out->args[p->out->n_args++] = text;
        return 0;
    }
    for (size_t i = 0; i < p->set->n; i++) {
        void *base = i < p->set->n_own ? p->out->options : p->out;

        if (p->set->argp[i].key != key) continue;
        p->next = argp_state->next;
        return store_value(p->set->rows[i], text, base, p->err) == 0 ? 0 : EINVAL;
    }
    return ARGP_ERR_UNKNOWN;
}

static const char *option_name_at(const void *ctx, size_t i)
{
    const option_set *s = ctx;

    return i < s->n ? s->rows[i]->name : NULL;
}

/* argp did not take a cluster of letters such as "-vo": says why. */
static int fail_letters(const option_set *s, const nod_verb *verb, const char *letters,
                        nod_error *err)
{
    for (; *letters != '\0'; letters++) {
        size_t i = 0;

        while (i < s->n && s->rows[i]->letter != *letters)
            i++;
        if (i == s->n)
            return nod_fail(err, NOD_EINVAL, "unknown option '-%c'; see 'nodule %s -h'",
                            *letters, verb->name);
        if (s->rows[i]->arg != NULL)
            return nod_fail(err, NOD_EINVAL, "option '-%c' needs a value: -%c %s", *letters,
                            *letters, s->rows[i]->arg);
    }
    return nod_fail(err, NOD_EINVAL, "'-' is not an option; see 'nodule %s -h'", verb->name);
}

/* argp did not take `word`: says why. */
static int fail_option(const option_set *s, const nod_verb *verb, const char *word,
                       nod_error *err)
{
    char name[64];
    const char *nearest;
    int n_prefix = 0;

    if (word[0] != '-')
        return nod_fail(err, NOD_EINVAL, "'%s' is not understood; see 'nodule %s -h'", word,
                        verb->name);
    if (word[1] != '-') return fail_letters(s, verb, word + 1, err);

    snprintf(name, sizeof name, "%.*s", (int)NOD_MIN(strcspn(word + 2, "="), sizeof name - 1),
             word + 2);
    for (size_t i = 0; i < s->n; i++) {
        const nod_option *o = s->rows[i];

        if (strncmp(o->name, name, strlen(name)) == 0) n_prefix++;
        if (strcmp(o->name, name) != 0) continue;
        if (o->arg != NULL)
            return nod_fail(err, NOD_EINVAL, "option '--%s' needs a value: --%s %s", name, name,
                            o->arg);
        return nod_fail(err, NOD_EINVAL, "option '--%s' takes no value", name);
    }
    if (n_prefix > 1)
        return nod_fail(err, NOD_EINVAL, "option '--%s' could be more than one; write it out",
                        name);
    nearest = nod_nearest(name, option_name_at, s);
    if (nearest != NULL)
        return nod_fail(err, NOD_EINVAL, "unknown option '--%s': did you mean '--%s'?", name,
                        nearest);
    return nod_fail(err, NOD_EINVAL, "unknown option '--%s'; see 'nodule %s -h'", name,
                    verb->name);
}

static int check_count(const nod_verb *verb, const nod_parsed *p, nod_error *err)
{
    if (p->help) return 0;
    if (p->n_args < (size_t)verb->min_args)
        return nod_fail(err, NOD_EINVAL, "needs %s %s; see 'nodule %s -h'",
                        p->n_args == 0 ? "an argument:" : "more arguments:", verb->args,
                        verb->name);
    if (verb->max_args >= 0 && p->n_args > (size_t)verb->max_args)
        return nod_fail(err, NOD_EINVAL, "unexpected argument '%s'; see 'nodule %s -h'",
                        p->args[verb->max_args], verb->name);
    return 0;
}

int nod_options_parse(const nod_verb *verb, int argc, char **argv, nod_parsed *out,
                      nod_error *err)
{
    option_set set;
    struct argp parser = {.options = set.argp, .parser = on_key};
    parse_state state = {.verb = verb, .set = &set, .out = out, .next = 1, .err = err};
    error_t rc;

    memset(out, 0, sizeof *out);
    collect_options(verb, &set);
    out->args = nod_calloc((size_t)argc + 1, sizeof *out->args);
    if (verb->options_size > 0) out->options = nod_memdup(verb->defaults, verb->options_size);
    if (out->args == NULL || (verb->options_size > 0 && out->options == NULL))
        return nod_fail_memory(err, "the command line", verb->options_size);

    rc = argp_parse(&parser, argc, argv,
                    ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP | ARGP_IN_ORDER, NULL, &state);
    if (err->code != 0) return err->code;
    if (rc == ENOMEM) return nod_fail_memory(err, "the command line", 0);
    if (rc != 0) return fail_option(&set, verb, argv[NOD_MIN(state.next, argc - 1)], err);
    return check_count(verb, out, err);
}

void nod_options_done(const nod_verb *verb, nod_parsed *p)
{
    for (const nod_option *o = verb->options;
         p->options != NULL && o != NULL && o->name != NULL; o++) {
        if (o->type == NOD_OPTION_IS_LIST)
            nod_strlist_done((nod_strlist *)(void *)((char *)p->options + o->offset));
    }
    nod_free(p->options);
    nod_free(p->args);
    memset(p, 0, sizeof *p);
}

/* --- help -------------------------------------------------------------------------------- */

/* Words of `text` in lines of at most HELP_COLUMNS; a newline in it stays one. */
static void put_wrapped(FILE *stream, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t n = strcspn(text, " \n");

        if (column > 0 && column + 1 + n > HELP_COLUMNS) {
            fputc('\n', stream);
            column = 0;
        }
        if (column > 0 && n > 0) {
            fputc(' ', stream);
            column++;
        }
        fwrite(text, 1, n, stream);
        column += n;
        text += n;
        if (*text == '\n') {
            fputc('\n', stream);
            column = 0;
        }
        if (*text != '\0') text++;
    }
}

void nod_options_help(const nod_verb *verb, FILE *stream)
{
    option_set set;
    struct argp parser = {.options = set.argp, .args_doc = verb->args};
    char name[64];

    collect_options(verb, &set);
    snprintf(name, sizeof name, "nodule %s", verb->name);
    fprintf(stream, "Usage: %s [OPTION...]%s%s\n\n", name, verb->args[0] != '\0' ? " " : "",
            verb->args);
    put_wrapped(stream, verb->about);
    fputs("\n\n", stream);
    /* argp's note on mandatory arguments says nothing here; the user's own setting wins. */
    (void)setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
    argp_help(&parser, stream, ARGP_HELP_LONG, name);
    if (verb->examples[0] != '\0') fprintf(stream, "\nExamples:\n%s", verb->examples);
    fprintf(stream, "\nExit codes: docs/exit-codes.md\n");
}
