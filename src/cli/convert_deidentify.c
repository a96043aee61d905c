/* convert_deidentify.c: see convert_deidentify.h. */
#include "cli/convert_deidentify.h"

#include <stdio.h>

#include "cli/progress.h"
#include "cli/site_key.h"
#include "data/deidentify.h"

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
    nod_progress_steps steps = nod_progress_steps_begin(cli->console);
    nod_deid_result result = {0};
    nod_site_key key;
    int rc = nod_cli_site_key(cli, &key, err);
    if (rc != 0) return rc;
    nod_deid_options o = {.key = &key,
                          .overwrite = overwrite,
                          .map = map,
                          .progress = nod_progress_steps_tell,
                          .ctx = &steps};
    rc = nod_deid_tree(in, out, &o, &result, err);
    nod_console_clear(cli->console);
    if (rc == 0) rc = print(cli, &result, err);
    nod_deid_result_done(&result);
    nod_site_key_clear(&key);
    return rc;
}
