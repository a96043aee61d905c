/* dispatch.c: see dispatch.h. */
#include "cli/dispatch.h"

#include <errno.h>
#include <string.h>

#include "base/hide.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/options.h"
#include "cli/report_error.h"
#include "cli/verb.h"

/* The verb that argv[1] means; the usual spellings of help and version work too. */
static const nod_verb *verb_of(const char *word)
{
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) word = "version";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) word = "help";
    return nod_verb_find(word);
}

/* A full disk behind standard output must not look like success. */
static int close_results(FILE *out, nod_error *err)
{
    errno = 0;
    if (fflush(out) != 0 || ferror(out) != 0)
        return nod_fail_errno(err, errno != 0 ? errno : EIO, "writing to standard output");
    return 0;
}

static int run_verb(nod_cli *cli, const nod_parsed *parsed, nod_error *err)
{
    int rc;

    if (parsed->help) {
        nod_options_help(cli->verb, cli->out);
        return close_results(cli->out, err);
    }
    if ((cli->verb->takes & NOD_TAKES_THREADS) != 0) nod_threads_set(cli->threads);
    rc = cli->verb->run(cli, parsed->options, err);
    nod_console_clear(cli->console);
    return rc != 0 ? rc : close_results(cli->out, err);
}

int nod_cli_dispatch(int argc, char **argv, FILE *out, FILE *err_stream)
{
    nod_console console;
    nod_log log;
    nod_error err = NOD_ERROR_INIT;
    nod_parsed parsed;
    nod_cli cli;
    int code = 0;

    nod_console_init(&console, err_stream);
    console.argc = argc;
    console.argv = argv;
    log = nod_console_log(&console);
    cli = (nod_cli){.argc = argc, .argv = argv, .out = out, .console = &console, .log = &log};
    if (argc < 2) {
        nod_verb_find("help")->run(&cli, NULL, &err);
        fflush(out);
        return nod_exit_code(NOD_EINVAL);
    }
    cli.verb = verb_of(argv[1]);
    if (cli.verb == NULL) {
        nod_verb_fail_unknown(argv[1], &err);
        return nod_report_error(&console, NULL, NULL, &err);
    }
    if (nod_options_parse(cli.verb, argc - 1, argv + 1, &parsed, &err) == 0) {
        cli.args = parsed.args;
        cli.n_args = parsed.n_args;
        cli.json = parsed.json;
        cli.dry_run = parsed.dry_run;
        cli.show_ids = parsed.show_ids;
        cli.site_key = parsed.site_key;
        cli.threads = (int)parsed.threads;
        console.quiet = parsed.quiet;
        run_verb(&cli, &parsed, &err);
    }
    if (err.code != 0)
        code = nod_report_error(&console, parsed.json ? out : NULL, cli.verb, &err);
    fflush(out);
    nod_options_done(cli.verb, &parsed);
    return code;
}

int nod_cli_put_json(nod_cli *cli, nod_json *value_take, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(value_take, true, &text, err);

    if (rc == 0) fprintf(cli->out, "%s\n", text);
    nod_free(text);
    nod_json_free(value_take);
    return rc;
}

void nod_cli_hide_input(const nod_cli *cli, const char *path, const char *shown, nod_error *err)
{
    if (err->code != 0 && !cli->show_ids) nod_error_hide(err, path, shown);
}
