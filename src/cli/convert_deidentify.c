/* convert_deidentify.c: see convert_deidentify.h. */
#include "cli/convert_deidentify.h"

#include <stdio.h>

#include "cli/progress.h"
#include "cli/site_key.h"
#include "data/deidentify.h"

#define PATIENCE_S 1 /* before progress is shown */

typedef struct watch {
    nod_console *console;
    nod_progress progress;
    const char *what;
    double begun_s;
} watch;

static void on_progress(void *ctx, const char *what, size_t done, size_t total)
{
    watch *w = ctx;
    if (w->console->now() - w->begun_s < PATIENCE_S) return;
    if (w->what != what) nod_progress_start(&w->progress, w->console, what, 0, (int64_t)total);
    w->what = what;
    nod_progress_set(&w->progress, (int64_t)done, NULL);
}

static int print(nod_cli *cli, const nod_deid_result *r, nod_error *err)
{
    if (cli->json) return nod_cli_put_json(cli, nod_deid_result_json(r), err);
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_deid_result_text(r, &text);
    int rc = text.failed ? nod_fail_memory(err, "the report", text.len) : 0;
    if (rc == 0) fputs(text.data, cli->out);
    nod_strbuf_done(&text);
    return rc;
}

int nod_convert_deidentify(nod_cli *cli, const char *in, const char *out, const char *map,
                           bool overwrite, nod_error *err)
{
    watch w = {.console = cli->console, .begun_s = cli->console->now()};
    nod_deid_result result = {0};
    nod_site_key key;
    int rc = nod_cli_site_key(cli, &key, err);
    if (rc != 0) return rc;
    nod_deid_options o = {
        .key = &key, .overwrite = overwrite, .map = map, .progress = on_progress, .ctx = &w};
    rc = nod_deid_tree(in, out, &o, &result, err);
    nod_console_clear(cli->console);
    if (rc == 0) rc = print(cli, &result, err);
    nod_deid_result_done(&result);
    nod_site_key_clear(&key);
    return rc;
}
