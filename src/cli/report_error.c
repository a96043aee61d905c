/* report_error.c: see report_error.h. */
#include "cli/report_error.h"

#include "base/memory.h"
#include "cli/short_paths.h"

/* Index: -NOD_E*. */
static const int exit_codes[] = {
    [-NOD_OK] = 0,
    [-NOD_EINTERNAL] = 1,
    [-NOD_EINVAL] = 2,
    [-NOD_ENOENT] = 3,
    [-NOD_EIO] = 4,
    [-NOD_EFORMAT] = 5,
    [-NOD_ENOMEM] = 6,
    [-NOD_ELIMIT] = 7,
    [-NOD_ESHAPE] = 7,
    [-NOD_ERECIPE] = 8,
    [-NOD_EDATA] = 9,
    [-NOD_ENUMERIC] = 10,
    [-NOD_ESEAL] = 11,
    [-NOD_EUNSUPPORTED] = 12,
    [-NOD_EINTERRUPTED] = 130, /* as a shell reports a process that SIGINT ended */
};

int nod_exit_code(int code)
{
    if (code > 0 || code <= -(int)NOD_COUNT(exit_codes)) return 1;
    return exit_codes[-code];
}

static void put_json(const nod_console *console, FILE *out, const nod_error *err)
{
    nod_json *body = nod_json_object(), *all = nod_json_object();
    nod_error second = NOD_ERROR_INIT;
    char *text = NULL;

    nod_json_set_str(body, "kind", nod_error_name(err->code));
    nod_json_set_int(body, "exit_code", nod_exit_code(err->code));
    nod_strbuf message = NOD_STRBUF_INIT;
    nod_short_paths(err->message, console->argc, console->argv, &message);
    nod_json_set_str(body, "message", message.failed ? "(out of memory)" : message.data);
    nod_strbuf_done(&message);
    nod_json_set(all, "error", body);
    if (nod_json_dump(all, true, &text, &second) == 0) fprintf(out, "%s\n", text);
    nod_free(text);
    nod_json_free(all);
}

int nod_report_error(nod_console *console, FILE *json_out, const nod_verb *verb,
                     const nod_error *err)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "nodule%s%s: %s", verb != NULL ? " " : "",
             verb != NULL ? verb->name : "",
             err->code == NOD_EINTERRUPTED ? "stopped" : "error");
    nod_console_line(console, NOD_COLOUR_RED, prefix, err->message);
    if (json_out != NULL) put_json(console, json_out, err);
    return nod_exit_code(err->code);
}
