/* cmd_help.c: `nodule help [VERB]`: the list of verbs, or the page of one. */
#include "cli/options.h"
#include "cli/verb.h"

static int run(nod_cli *cli, const void *options, nod_error *err)
{
    (void)options;
    if (cli->n_args == 1) {
        const nod_verb *verb = nod_verb_find(cli->args[0]);

        if (verb == NULL) return nod_verb_fail_unknown(cli->args[0], err);
        nod_options_help(verb, cli->out);
        return 0;
    }
    fprintf(cli->out, "Usage: nodule VERB [OPTION...] [WORD...]\n\n"
                      "Deep learning for radiology: build, train, validate and test a network "
                      "on images.\n\n");
    for (size_t i = 0; nod_verb_at(i) != NULL; i++)
        fprintf(cli->out, "  %-10s %s\n", nod_verb_at(i)->name, nod_verb_at(i)->summary);
    fprintf(cli->out, "\n'nodule VERB -h' explains a verb, with examples.\n");
    return 0;
}

const nod_verb nod_verb_help = {
    .name = "help",
    .summary = "this list, or what a verb does",
    .args = "[VERB]",
    .max_args = 1,
    .about = "Without a word lists the verbs; with one shows the page of that verb.",
    .examples = "  nodule help\n"
                "  nodule help version\n",
    .run = run,
};
